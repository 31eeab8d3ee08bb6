"""Rendering against the hand-written FFmpeg command of the same result, in turn within one run.

The hand-written commands are what somebody would type: ``select``/``aselect`` for the cut, a constant ``crop`` for the
vertical picture, the same captions, encoder, size and sound. Ours also fades the joints of the sound, follows the
keyframes, measures the loudness and checks the finished file. CPU seconds are user plus system of every process.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from core.video.ass import ass_document
from core.video.cuts import silences_from_levels
from core.video.reframe import crop_track
from core.video.timeline import OutputTarget, Piece, Timeline, Word
from providers.video.analysis import level_envelope
from providers.video.faces import Seen, look
from providers.video.filtergraph import Picture, crop_window, kept_ranges
from providers.video.probe import MediaInfo, probe
from providers.video.process import ffmpeg_binary
from providers.video.renderer import CRF, GOP_SECONDS, RenderOutput, render
from tests.benchmark.hour import sentences
from tests.media import spoken_clip, talking_video

TITLE = "Rendering"
SENTENCES_A_MINUTE = 14


def cpu_seconds(work: Callable[[], object]) -> float:
    """User and system seconds that ``work`` took, here and in ended children."""

    def used() -> float:
        both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return sum(usage.ru_utime + usage.ru_stime for usage in both)

    before = used()
    work()
    return used() - before


def cut_of(path: Path, info: MediaInfo) -> Timeline:
    """The talk without its pauses."""
    envelope = level_envelope(path)
    pieces: list[Piece] = []
    position = 0
    for gap in silences_from_levels(envelope.levels_db, envelope.hop_seconds, min_silence_seconds=0.3):
        start, end = round(gap.start * info.fps), min(round(gap.end * info.fps), info.frames)
        if start > position:
            pieces.append(Piece(start_frame=position, end_frame=start, kept=True, reason="speech"))
        if end > max(start, position):
            pieces.append(Piece(start_frame=max(start, position), end_frame=end, kept=False, reason="silence"))
            position = end
    if position < info.frames:
        pieces.append(Piece(start_frame=position, end_frame=info.frames, kept=True, reason="speech"))
    return Timeline(
        source_asset_id=uuid.uuid4(), fps=str(info.fps), width=info.width, height=info.height,
        duration_frames=info.frames, pieces=tuple(pieces),
    )  # fmt: skip


def by_hand(source: Path, timeline: Timeline, picture_filters: Sequence[str], folder: Path) -> None:
    """One FFmpeg command, as a person writes it."""
    rate = float(timeline.rate)
    spans = [f"between(t,{a / rate:.6f},{(b - 0.5) / rate:.6f})" for a, b in kept_ranges(timeline)]
    # FFmpeg's expressions do not nest deeper than a hundred, and every term of a sum nests.
    groups = ["+".join(spans[at : at + 40]) for at in range(0, len(spans), 40)]
    chosen = "+".join(f"({group})" for group in groups)
    video = ",".join([f"select='{chosen}'", "setpts=N/FRAME_RATE/TB", *picture_filters])
    (folder / "graph").write_text(f"[0:v]{video}[v];[0:a]aselect='{chosen}',asetpts=N/SR/TB[a]")
    command = [
        ffmpeg_binary(), "-nostdin", "-loglevel", "error", "-y", "-i", str(source), "-/filter_complex", "graph",
        "-map", "[v]", "-map", "[a]", "-c:v", "libx264", "-preset", "veryfast", "-crf", str(CRF),
        "-g", str(round(GOP_SECONDS * rate)), "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "192k", "-ac", "2",
        "-ar", "48000", "-movflags", "+faststart", "hand.mp4",
    ]  # fmt: skip
    subprocess.run(command, cwd=folder, check=True)


def captions(timeline: Timeline, target: OutputTarget) -> str:
    """A word every third of a second, in the TikTok style."""
    seconds = float(timeline.kept_frames / timeline.rate)
    spoken = " ".join(sentences(int(seconds / 2) + 1)).split()
    words = [
        Word(word=word, start=index * 0.34, end=index * 0.34 + 0.3)
        for index, word in enumerate(spoken)
        if index * 0.34 + 0.3 < seconds
    ]
    return ass_document(words, "tiktok", target.width, target.height, target.aspect_ratio)


def pairs(times: int, hand: Callable[[], object], ours: Callable[[], object]) -> tuple[float, float, float]:
    """Medians of CPU seconds of both, and the median of the ratios of neighbouring runs."""
    rows = []
    for turn in range(times):
        order = (hand, ours) if turn % 2 == 0 else (ours, hand)
        taken = {work: cpu_seconds(work) for work in order}
        rows.append((taken[hand], taken[ours]))
    ratio = statistics.median(own / other for other, own in rows)
    return statistics.median(row[0] for row in rows), statistics.median(row[1] for row in rows), ratio


def measure(source: Path, times: int) -> str:
    """The table for one recording."""
    info = probe(source)
    timeline = cut_of(source, info)
    wide = OutputTarget(aspect_ratio="16:9", width=1280, height=720)
    tall = OutputTarget(aspect_ratio="9:16", width=720, height=1280)
    found: list[Seen] = []
    looking = cpu_seconds(lambda: found.append(look(source)))
    seen = found[0]
    track = crop_track(
        seen.faces, seen.scene_cuts, info.width, info.height, info.fps, info.frames, tall.aspect_ratio, subject="face"
    )
    vertical = timeline.model_copy(update={"crops": {"9:16": track}})
    lettering = captions(timeline, tall)
    inner = crop_window(Picture(info.width, info.height), tall)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "captions.ass").write_text(lettering)
        fonts = Path(str(__import__("fontpkg_sarabun").__file__)).parent / "files"
        (folder / "fonts").symlink_to(fonts)
        filters = [
            f"crop={inner[0]}:{inner[1]}", "scale=720:1280", "setsar=1", "ass=captions.ass:fontsdir=fonts",
        ]  # fmt: skip
        output = folder / "ours.mp4"
        jump = pairs(
            times,
            lambda: by_hand(source, timeline, [], folder),
            lambda: render(source, timeline, [RenderOutput(wide, None, output)]),
        )
        loud = timeline.model_copy(update={"loudness_lufs": -14.0, "noise_reduction": 0.4})
        mastered = cpu_seconds(lambda: render(source, loud, [RenderOutput(wide, None, output)]))
        crop = pairs(
            times,
            lambda: by_hand(source, timeline, filters, folder),
            lambda: render(source, vertical, [RenderOutput(tall, lettering, output)]),
        )
        made = probe(output, exact=True)
    apart = abs(made.audio_seconds - made.duration_seconds) * 1000
    length = info.duration_seconds
    pieces = len(kept_ranges(timeline))
    return (
        f"Source: {length:.0f} s of talk at {info.width}×{info.height}, {float(info.fps):.2f} frames a second, "
        f"{info.size_bytes * 8 / length / 1e6:.1f} Mb/s. {pieces} pieces, "
        f"{timeline.kept_frames / info.frames:.0%} kept, {len(track.keyframes)} crop keyframes; {times} pairs.\n\n"
        "| rendering | by hand, CPU s | ours, CPU s | ours ÷ by hand | goal |\n|---|---|---|---|---|\n"
        f"| jump cut | {jump[0]:.1f} | {jump[1]:.1f} | {jump[2]:.3f} | ≤ 1.05 |\n"
        f"| the same with noise reduction and −14 LUFS (1 run) | | {mastered:.1f} | | |\n"
        f"| 9:16, 720×1280, following the face, captions | {crop[0]:.1f} | {crop[1]:.1f} | {crop[2]:.3f} | ≤ 1.10 |\n\n"
        f"Faces and shots: {looking / length:.3f} CPU s for each second of video (goal ≤ 0.15). "
        f"Result: {made.frames} of {timeline.kept_frames} frames, sound and picture end {apart:.0f} ms apart.\n"
    )


def run(quick: bool) -> str:
    """Five minutes of talk with a camera's noise; ``quick``: forty seconds, one pair."""
    lines = sentences(9 if quick else 5 * SENTENCES_A_MINUTE)
    pauses = [(0.5, 0.9, 1.4, 0.7)[index % 4] for index in range(len(lines))]
    talk = talking_video(spoken_clip(lines, pauses), noise=3)
    return measure(talk.path, 1 if quick else 3)


if __name__ == "__main__":
    sys.stdout.write(measure(Path(sys.argv[1]), int(sys.argv[2])) if len(sys.argv) > 2 else run("--quick" in sys.argv))

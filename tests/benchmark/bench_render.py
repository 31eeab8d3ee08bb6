"""Rendering against the hand-written FFmpeg command of the same result, in turn within one run.

The hand-written commands are what somebody would type: ``select``/``aselect`` for the cut, a constant ``crop`` for the
vertical picture, the same captions, encoder, size and sound. Ours also fades the joints of the sound, follows the
keyframes, measures the loudness and checks the finished file. Both run at the same priority, for a process that has to
wait for others is charged for the caches it finds cold. CPU seconds are user plus system of every process.
"""

from __future__ import annotations

import resource
import statistics
import tempfile
import uuid
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

from core.video.ass import ass_document
from core.video.cuts import silences_from_levels
from core.video.reframe import crop_track
from core.video.timeline import OutputTarget, Piece, Timeline, Word
from providers.video.analysis import level_envelope
from providers.video.faces import Seen, look
from providers.video.filtergraph import Picture, crop_window, kept_ranges
from providers.video.probe import MediaInfo, probe
from providers.video.process import ffmpeg_binary, output_argument, run_child, run_ffmpeg, source_arguments
from providers.video.renderer import CRF, GOP_SECONDS, RenderOutput, render
from tests.benchmark.hour import sentences, talk
from tests.engine.coded_media import (
    BEAT,
    HEIGHT,
    RATE,
    WIDTH,
    coded_video,
    lit,
    numbers,
    pictures,
    sound_of,
    sounding,
)

TITLE = "Rendering"
SENTENCES_A_MINUTE = 14
# One run differs from the next by several per cent on a shared machine, as much as the goal leaves.
JUMP_CUT_PAIRS = 7
EXCERPT_SECONDS = 90


def cpu_seconds(work: Callable[[], object]) -> float:
    """User and system seconds that ``work`` took, here and in ended children."""

    def used() -> float:
        both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return sum(usage.ru_utime + usage.ru_stime for usage in both)

    before = used()
    work()
    return used() - before


def cut_of(path: Path, info: MediaInfo) -> Timeline:
    """The talk without its pauses, cut at the frame."""
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
    run_child(command, cwd=folder)


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


def excerpt(source: Path, folder: Path) -> Path:
    """The beginning of a recording, copied."""
    path = folder / "excerpt.mp4"
    run_ffmpeg([*source_arguments(source, "-t", str(EXCERPT_SECONDS)), "-c", "copy", output_argument(path)])
    return path


def jump_cut(source: Path, folder: Path, times: int) -> tuple[list[str], str]:
    """Rows of the table, and what was measured on the result."""
    info = probe(source)
    timeline = cut_of(source, info)
    wide = OutputTarget(aspect_ratio="16:9", width=info.width, height=info.height)
    output = folder / "cut.mp4"
    hand, ours, ratio = pairs(
        times,
        lambda: by_hand(source, timeline, [], folder),
        lambda: render(source, timeline, [RenderOutput(wide, None, output)]),
    )
    made = probe(output, exact=True)
    apart = abs(made.audio_seconds - made.duration_seconds) * 1000
    what = (
        f"jump cut, {info.duration_seconds:.0f} s, {len(kept_ranges(timeline))} pieces, "
        f"{timeline.kept_frames / info.frames:.0%} kept"
    )
    return (
        [f"| {what} | {hand:.1f} | {ours:.1f} | {ratio:.3f} | ≤ 1.05 |"],
        f"Result of the jump cut: {made.frames} of {timeline.kept_frames} frames, sound and picture end {apart:.0f} ms "
        f"apart (goal: within one frame, {1000 / float(info.fps):.0f} ms).",
    )


def vertical(source: Path, folder: Path, times: int) -> tuple[list[str], str]:
    """Rows of the table, and what looking for faces cost."""
    info = probe(source)
    timeline = cut_of(source, info)
    wide = OutputTarget(aspect_ratio="16:9", width=info.width, height=info.height)
    tall = OutputTarget(aspect_ratio="9:16", width=720, height=1280)
    output = folder / "tall.mp4"
    found: list[Seen] = []
    looking = cpu_seconds(lambda: found.append(look(source)))
    seen = found[0]
    track = crop_track(
        seen.faces, seen.scene_cuts, info.width, info.height, info.fps, info.frames, tall.aspect_ratio, subject="face"
    )
    following = timeline.model_copy(update={"crops": {"9:16": track}})
    lettering = captions(timeline, tall)
    inner = crop_window(Picture(info.width, info.height), tall)
    (folder / "captions.ass").write_text(lettering)
    fonts = Path(str(__import__("fontpkg_sarabun").__file__)).parent / "files"
    (folder / "fonts").symlink_to(fonts)
    filters = [f"crop={inner[0]}:{inner[1]}", "scale=720:1280", "setsar=1", "ass=captions.ass:fontsdir=fonts"]
    hand, ours, ratio = pairs(
        times,
        lambda: by_hand(source, timeline, filters, folder),
        lambda: render(source, following, [RenderOutput(tall, lettering, output)]),
    )
    loud = timeline.model_copy(update={"loudness_lufs": -14.0, "noise_reduction": 0.4})
    plain = cpu_seconds(lambda: render(source, timeline, [RenderOutput(wide, None, output)]))
    mastered = cpu_seconds(lambda: render(source, loud, [RenderOutput(wide, None, output)]))
    length = f"{info.duration_seconds:.0f} s"
    return (
        [
            f"| 9:16, 720×1280, following the face ({len(track.keyframes)} keyframes), captions, {length} | {hand:.1f} "
            f"| {ours:.1f} | {ratio:.3f} | ≤ 1.10 |",
            f"| jump cut, {length}, without and with noise reduction and −14 LUFS (once) | | {plain:.1f}, "
            f"{mastered:.1f} | | |",
        ],
        f"Faces and shots: {looking / info.duration_seconds:.3f} CPU s for each second of video (goal ≤ 0.15).",
    )


def two_hundred_cuts(folder: Path) -> str:
    """Frames that say their own number and tones of one frame's length, compared after two hundred cuts."""
    rate = Fraction(30000, 1001)
    source = coded_video(folder / "coded.mp4", 1410, rate)
    kept = [(at, at + 3 + at % 3) for at in range(1, 1402, 7)]
    pieces = [Piece(start_frame=0, end_frame=1, kept=False, reason="silence")]
    for (start, end), following in zip(kept, [*(start for start, _ in kept[1:]), 1410], strict=True):
        pieces.append(Piece(start_frame=start, end_frame=end, kept=True, reason="speech"))
        pieces.append(Piece(start_frame=end, end_frame=following, kept=False, reason="silence"))
    timeline = Timeline(
        source_asset_id=uuid.uuid4(), fps=str(rate), width=WIDTH, height=HEIGHT, duration_frames=1410,
        pieces=tuple(pieces),
    )  # fmt: skip
    target = OutputTarget(aspect_ratio="16:9", width=WIDTH, height=HEIGHT)
    output = folder / "coded-cut.mp4"
    render(source, timeline, [RenderOutput(target, None, output)])
    wanted = [number for start, end in kept for number in range(start, end)]
    frames = pictures(output)
    right = sum(said == number for said, number in zip(numbers(frames), wanted, strict=True))
    sound = sound_of(output)
    heard = sounding(sound, len(wanted), rate)
    in_step = sum(
        tone == light == (number % BEAT == 0) for tone, light, number in zip(heard, lit(frames), wanted, strict=True)
    )
    apart = abs(len(sound) / RATE - len(wanted) / rate) * 1000
    return (
        f"After {len(kept) - 1} cuts at 29.97 frames a second: {right} of {len(wanted)} frames are the right ones, in "
        f"{in_step} of them sound and picture mark the same moment, both end {float(apart):.0f} ms apart (goal: 33 ms)."
    )


def run(quick: bool) -> str:
    """Five minutes of talk with a camera's noise; ``quick``: forty seconds, one pair."""
    recording = talk(9 if quick else 5 * SENTENCES_A_MINUTE).path
    times = 1 if quick else 2
    with tempfile.TemporaryDirectory(prefix="studio-bench-") as name:
        folder = Path(name)
        cut, result = jump_cut(recording, folder, times if quick else JUMP_CUT_PAIRS)
        tall, faces = vertical(excerpt(recording, folder), folder, times)
        cuts = two_hundred_cuts(folder)
    info = probe(recording)
    return (
        f"Source: talk at {info.width}×{info.height}, {float(info.fps):.2f} frames a second, "
        f"{info.size_bytes * 8 / info.duration_seconds / 1e6:.1f} Mb/s; "
        f"{1 if quick else JUMP_CUT_PAIRS} pairs of the jump cut, "
        f"{times} of the vertical picture.\n\n"
        "| rendering | by hand, CPU s | ours, CPU s | ours ÷ by hand | goal |\n|---|---|---|---|---|\n"
        + "\n".join([*cut, *tall])
        + "\n\n"
        + "\n\n".join([result, cuts, faces])
        + "\n"
    )

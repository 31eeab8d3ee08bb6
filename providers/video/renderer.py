"""Executes a timeline: the only place where a result's pictures and sound are made.

The sound is made first (:mod:`providers.video.soundtrack`), once for all outputs. Then one FFmpeg decodes the source
once, cuts it, and encodes every output beside each other; the finished sound is copied into each. What was written is
measured before it counts: a wrong number of frames or a sound that does not end with the picture is an error.
"""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from core.errors import EngineFailed, InvalidInput, UnsupportedMedia
from core.progress import Progress, no_progress, part
from core.video.timeline import OutputTarget, Timeline
from providers.video.filtergraph import (
    FONTS_FOLDER,
    Picture,
    Window,
    compile_video,
    kept_ranges,
    plan_windows,
    seek_arguments,
)
from providers.video.probe import MediaInfo, probe
from providers.video.process import output_argument, run_ffmpeg, source_arguments
from providers.video.soundtrack import Loudness, Soundtrack, build_soundtrack
from providers.video.transitions import Transitions

CRF = 21
GOP_SECONDS = 2
PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow")
# libass knows two further sections that carry files inside the text; captions of ours never have them.
_FORBIDDEN_SECTIONS = ("[fonts]", "[graphics]")


@dataclass(frozen=True)
class RenderOutput:
    """One file to make: its size and shape, captions as ASS text in the result's time, where to write it (MP4)."""

    target: OutputTarget
    ass: str | None
    path: Path


@dataclass(frozen=True)
class RenderedOutput:
    """One file made, as measured: pixels, seconds, frames, loudness of its sound."""

    path: Path
    width: int
    height: int
    duration_seconds: float
    frames: int
    loudness: Loudness


def render(
    source: Path,
    timeline: Timeline,
    outputs: Sequence[RenderOutput],
    *,
    info: MediaInfo | None = None,
    music: Path | None = None,
    preset: str = "veryfast",
    progress: Progress = no_progress,
) -> list[RenderedOutput]:
    """Render every output of a timeline in one decode of ``source``.

    ``info`` is what :func:`probe` says of ``source``, where it is known: of a long file that is a second of reading.
    ``music`` is the file of ``timeline.music``. Intermediate files lie beside the first output and are removed however
    the call ends; so are unfinished outputs when it fails.

    Raises:
        UnsupportedMedia: the source is damaged or has no picture.
        InvalidInput: nothing is kept, the timeline was made for another source, captions hold embedded files.
        OutOfSpace, EngineFailed: as their names say.
        JobCancelled: raised by ``progress``; FFmpeg has ended when it arrives.
    """
    _check(timeline, outputs, music, preset)
    info = info or probe(source, progress=part(progress, 0, 0.01))
    if info.kind != "video":
        raise UnsupportedMedia("This recording has sound but no picture.", "Choose a video.")
    if abs(info.width / info.height - timeline.width / timeline.height) > 0.02:
        raise InvalidInput("This edit was made for a recording of another shape.")
    windows = plan_windows(Transitions.of(timeline).extended(kept_ranges(timeline)), timeline.rate)
    with tempfile.TemporaryDirectory(prefix=".render-", dir=outputs[0].path.absolute().parent) as name:
        folder = Path(name)
        channels = info.channels if info.has_audio else 0
        sound = build_soundtrack(
            source, timeline, windows, folder,
            channels=channels, music=music, progress=part(progress, 0.01, 0.12, "stage.sound"),
        )  # fmt: skip
        try:
            encode(
                source, timeline, outputs, windows, info, folder,
                sound=sound.path, preset=preset, progress=part(progress, 0.12, 0.97),
            )  # fmt: skip
            return [_measured(output, timeline, sound, part(progress, 0.97, 1)) for output in outputs]
        except BaseException:
            for output in outputs:
                output.path.unlink(missing_ok=True)
            raise


def _check(timeline: Timeline, outputs: Sequence[RenderOutput], music: Path | None, preset: str) -> None:
    if not outputs:
        raise InvalidInput("Choose at least one format to render.")
    if preset not in PRESETS:
        raise InvalidInput("This encoder preset is not known.", preset)
    if (music is None) != (timeline.music is None):
        raise InvalidInput("The edit's music and the music file do not go together.")
    for output in outputs:
        if output.target.width % 2 or output.target.height % 2:
            raise InvalidInput("Width and height must be even.", f"{output.target.width}×{output.target.height}")
        lines = (output.ass or "").lower().splitlines()
        if any(line.strip().startswith(_FORBIDDEN_SECTIONS) for line in lines):
            raise InvalidInput("Captions may not carry embedded files.")


def encode(
    source: Path,
    timeline: Timeline,
    outputs: Sequence[RenderOutput],
    windows: Sequence[Window],
    info: MediaInfo,
    folder: Path,
    *,
    sound: Path | None = None,
    rate: Fraction | None = None,
    preset: str = "veryfast",
    progress: Progress = no_progress,
) -> None:
    """Decode once and encode every output beside each other, with the finished ``sound`` copied in where there is one;
    at another ``rate`` than the source's frames are left out or repeated."""
    captions: list[str | None] = []
    for index, output in enumerate(outputs):
        captions.append(None)
        if output.ass is not None:
            captions[-1] = f"captions{index}.ass"
            (folder / f"captions{index}.ass").write_text(output.ass, encoding="utf-8")
    link_fonts(folder)
    picture = Picture(info.width, info.height, info.square_pixels, bool(info.hdr))
    graph = compile_video(timeline, windows, picture, [output.target for output in outputs], captions)
    label = "out"
    if rate is not None and rate != timeline.rate:
        label = "rated"
        frames = round(timeline.kept_frames * rate / timeline.rate)
        # Numbered by the filter, not by the encoder, which would add frames at both ends.
        again = f"fps=fps={rate}:start_time=0:round=near,tpad=stop_mode=clone:stop=2,trim=end_frame={frames}"
        graph += "".join(f";\n[out{index}]{again}[rated{index}]" for index in range(len(outputs)))
    (folder / "graph.txt").write_text(graph, encoding="ascii")
    arguments: list[str] = []
    for window in windows:
        arguments += source_arguments(source, *seek_arguments(window, timeline.rate), "-an", "-sn", "-dn")
    if sound is not None:
        arguments += source_arguments(sound)
    arguments += ["-/filter_complex", "graph.txt"]
    # With several encoders beside each other, threads in each only cost memory.
    threads = ["-threads:v", "1"] if len(outputs) > 2 else []
    heard = ["-map", f"{len(windows)}:a:0", "-c:a", "copy"] if sound is not None else []
    for index, output in enumerate(outputs):
        arguments += [
            "-map", f"[{label}{index}]", *heard,
            "-map_metadata", "-1", "-map_chapters", "-1",
            "-c:v", "libx264", "-preset", preset, "-crf", str(CRF), *threads,
            "-g", str(round(GOP_SECONDS * (rate or timeline.rate))), "-pix_fmt", "yuv420p",
            "-r", str(rate or timeline.rate), "-fps_mode", "cfr",
            "-movflags", "+faststart", "-f", "mp4", output_argument(output.path),
        ]  # fmt: skip
    run_ffmpeg(
        arguments,
        duration_seconds=float(timeline.kept_frames / timeline.rate),
        progress=progress,
        stage="stage.render",
        cwd=folder,
    )


def link_fonts(folder: Path) -> None:
    """Make the caption fonts reachable under a fixed name, whatever characters their real path has."""
    spec = importlib.util.find_spec("fontpkg_sarabun")
    if spec is None or spec.origin is None:
        raise EngineFailed("The caption fonts are not installed.", "fontpkg-sarabun")
    (folder / FONTS_FOLDER).symlink_to(Path(spec.origin).parent / "files", target_is_directory=True)


def _measured(output: RenderOutput, timeline: Timeline, sound: Soundtrack, progress: Progress) -> RenderedOutput:
    made = probe(output.path, exact=True, progress=progress)
    frame = 1 / float(timeline.rate)
    if made.frames != timeline.kept_frames:
        raise EngineFailed(
            "The result has a wrong number of pictures.", f"{made.frames} instead of {timeline.kept_frames}"
        )
    if abs(made.audio_seconds - made.duration_seconds) > frame:
        raise EngineFailed(
            "Sound and picture of the result do not end together.",
            f"{made.audio_seconds:.3f} s of sound, {made.duration_seconds:.3f} s of pictures",
        )
    return RenderedOutput(output.path, made.width, made.height, made.duration_seconds, made.frames, sound.loudness)

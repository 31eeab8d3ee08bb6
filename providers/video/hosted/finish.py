"""From a clip as a service made it to the video that was ordered: its size, its style, music under its own sound."""

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path

from core.errors import UnsupportedMedia
from core.progress import Progress, no_progress, part
from core.video.generate.looks import Look
from core.video.generate.scenes import FPS
from core.video.timeline import OutputTarget
from providers.video.looks import look_filters
from providers.video.probe import probe
from providers.video.process import output_argument, run_ffmpeg, source_arguments
from providers.video.renderer import CRF, GOP_SECONDS, RenderedOutput
from providers.video.scenes import LOUDNESS_LUFS, Sound
from providers.video.sound_edit import sample_at
from providers.video.soundtrack import narrated_soundtrack


def finish(
    clip: Path, look: Look, target: OutputTarget, sound: Sound, path: Path, *, progress: Progress = no_progress
) -> RenderedOutput:
    """Fill the target's shape with the clip (its middle where the shapes differ), graded, at 30 frames a second.

    Raises:
        UnsupportedMedia: what the service sent is no video.
        OutOfSpace, EngineFailed, JobCancelled: as their names say.
    """
    info = probe(clip, exact=True, progress=part(progress, 0.0, 0.05))
    if info.kind != "video":
        raise UnsupportedMedia("What the service sent is no video.")
    frames = max(1, round(info.duration_seconds * FPS))
    size = (target.width, target.height)
    with tempfile.TemporaryDirectory(prefix=".clip-", dir=path.absolute().parent) as name:
        made = narrated_soundtrack(
            clip if info.has_audio else None, sample_at(frames, Fraction(FPS)), Path(name),
            music=sound.music, bed=sound.bed, loudness_lufs=LOUDNESS_LUFS if info.has_audio or sound.music else None,
            progress=part(progress, 0.05, 0.3),
        )  # fmt: skip
        graph = (
            f"[0:V:0]fps={FPS},scale={size[0]}:{size[1]}:force_original_aspect_ratio=increase:flags=lanczos,"
            f"crop={size[0]}:{size[1]},setsar=1,format=yuv420p,tpad=stop_mode=clone:stop=-1,trim=end_frame={frames},"
            f"{look_filters(look, size)},format=yuv420p[out]"
        )
        run_ffmpeg(
            [
                *source_arguments(clip, "-an"), *source_arguments(made.path), "-filter_complex", graph,
                "-map", "[out]", "-map", "1:a:0", "-map_metadata", "-1", "-c:v", "libx264", "-preset", "veryfast",
                "-crf", str(CRF), "-g", str(GOP_SECONDS * FPS), "-pix_fmt", "yuv420p", "-c:a", "copy",
                "-movflags", "+faststart", "-f", "mp4", output_argument(path),
            ],
            duration_seconds=frames / FPS, progress=part(progress, 0.3, 0.97), stage="stage.render",
        )  # fmt: skip
        found = probe(path, exact=True, progress=part(progress, 0.97, 1.0))
        return RenderedOutput(path, found.width, found.height, found.duration_seconds, found.frames, made.loudness)

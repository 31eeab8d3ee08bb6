"""Any file's sound as 48 kHz WAV, streamed to disk by FFmpeg; and as numbers, for the analysis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from core.progress import Progress, no_progress
from providers.video.probe import probe
from providers.video.process import output_argument, run_ffmpeg, source_arguments
from providers.video.sound_edit import to_stereo

STUDIO_RATE = 48_000
Samples = np.ndarray[Any, np.dtype[np.float32]]


def to_wav(
    source: Path,
    target: Path,
    *,
    duration_seconds: float = 0.0,
    rate: int = STUDIO_RATE,
    progress: Progress = no_progress,
) -> None:
    """Write the first audio track of ``source`` as 48 kHz 24-bit stereo WAV (RF64 past 4 GB), as loud as it is.

    Raises:
        UnsupportedMedia: there is no sound, or the file is damaged.
    """
    arguments = source_arguments(source)
    arguments += ["-map", "0:a:0", "-vn", "-af", to_stereo(probe(source).channels)]
    arguments += ["-ar", str(rate), "-c:a", "pcm_s24le", "-rf64", "auto"]
    run_ffmpeg(
        [*arguments, output_argument(target)],
        duration_seconds=duration_seconds,
        progress=progress,
        stage="stage.import",
    )


def mono(source: Path, rate: int, *, limit_seconds: float, progress: Progress = no_progress) -> Samples:
    """The first ``limit_seconds`` as one channel of numbers from −1 to 1 at ``rate`` Hz."""
    pieces: list[bytes] = []
    arguments = source_arguments(source, "-t", f"{limit_seconds:.3f}")
    arguments += ["-map", "0:a:0", "-vn", "-ac", "1", "-ar", str(rate), "-f", "f32le", "pipe:1"]
    run_ffmpeg(arguments, duration_seconds=limit_seconds, progress=progress, stage="stage.listen", sink=pieces.append)
    raw = b"".join(pieces)
    return np.frombuffer(raw[: len(raw) // 4 * 4], dtype="<f4")

"""Sound for recognisers: 16 kHz mono samples of any media file, on disk and mapped, so that hours need no memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from core.progress import Progress, no_progress
from providers.video.process import output_argument, run_ffmpeg, source_arguments

RATE = 16_000
HOP_SECONDS = 0.01
_FLOOR_DB = -100.0

Samples = np.ndarray[Any, np.dtype[np.int16]]
Floats = np.ndarray[Any, np.dtype[np.float32]]


def decode(path: Path, folder: Path, *, duration_seconds: float = 0.0, progress: Progress = no_progress) -> Samples:
    """The file's first audio track as a read-only map of 16-bit samples; the mapped file is written into ``folder``.

    Raises:
        UnsupportedMedia: the file has no sound or cannot be read.
    """
    raw = folder / f"{path.stem[:40]}-16k.raw"
    arguments = source_arguments(path)
    # Filled where the sound starts late or has gaps: sample n is what is heard at n / RATE seconds of the recording.
    clock = f"aresample={RATE}:async=1:first_pts=0"
    arguments += ["-map", "0:a:0", "-vn", "-af", clock, "-ac", "1", "-f", "s16le", output_argument(raw)]
    run_ffmpeg(arguments, duration_seconds=duration_seconds, progress=progress, stage="stage.listen")
    if raw.stat().st_size < 2:
        return np.zeros(0, np.int16)
    return np.memmap(raw, dtype=np.int16, mode="r")


def as_floats(samples: Samples) -> Floats:
    """Samples as numbers from −1 to 1, a copy."""
    return samples.astype(np.float32) / 32768.0


def level_db(samples: Samples, rate: int = RATE) -> Floats:
    """Root-mean-square level in dBFS for every 10 ms; samples of the last incomplete step are left out."""
    step = round(rate * HOP_SECONDS)
    count = samples.size // step
    levels = np.empty(count, np.float32)
    for start in range(0, count, 60_000):
        part = samples[start * step : min(start + 60_000, count) * step].astype(np.float32) / 32768.0
        power = np.mean(part.reshape(-1, step) ** 2, axis=1)
        levels[start : start + power.size] = 10.0 * np.log10(np.maximum(power, 10.0 ** (_FLOOR_DB / 10.0)))
    return levels

"""Sounds under work as raw float32 files in the job's folder, seen through memory maps: their length costs disk, not
memory. All are 48 kHz, of shape (samples, 2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import soundfile

from core.errors import UnsupportedMedia
from core.progress import Progress, no_progress
from providers.audio.decode import STUDIO_RATE
from providers.video.probe import probe
from providers.video.process import output_argument, run_ffmpeg, source_arguments
from providers.video.sound_edit import CHANNELS, RAW, Signal, to_stereo

BLOCK = 10 * STUDIO_RATE
BYTES_PER_SECOND = STUDIO_RATE * CHANNELS * 4


def decode(
    source: Path,
    target: Path,
    *,
    duration_seconds: float = 0.0,
    on_clock: bool = False,
    progress: Progress = no_progress,
) -> Signal:
    """The first audio track of any file, as loud as it is. ``on_clock`` fills gaps in it, so that second n is what is
    heard at second n of the file, where its words were heard too.

    Raises:
        UnsupportedMedia: there is no sound, or the file is damaged.
    """
    clock = f"aresample={STUDIO_RATE}:async=1:first_pts=0:min_hard_comp=0.02," if on_clock else ""
    arguments = [*source_arguments(source), "-map", "0:a:0", "-vn", "-af", clock + to_stereo(probe(source).channels)]
    run_ffmpeg(
        [*arguments, "-ar", str(STUDIO_RATE), *RAW[:2], output_argument(target)],
        duration_seconds=duration_seconds, progress=progress, stage="stage.import",
    )  # fmt: skip
    return view(target)


def view(path: Path) -> Signal:
    """The samples of a raw file.

    Raises:
        UnsupportedMedia: it holds none.
    """
    samples = path.stat().st_size // (4 * CHANNELS)
    if not samples:
        raise UnsupportedMedia("This file has no sound.")
    return np.memmap(path, dtype="<f4", mode="r", shape=(samples, CHANNELS))


def blocks(signal: Signal, size: int = BLOCK) -> Iterator[Signal]:
    """The samples in order, copied block by block."""
    for start in range(0, len(signal), size):
        yield np.array(signal[start : start + size], dtype=np.float32)


def write(path: Path, pieces: Iterable[Signal], samples: int, progress: Progress = no_progress) -> Signal:
    """Write pieces one after another and look at the result; ``samples`` is how many they will be."""
    done = 0
    with path.open("wb") as file:
        for piece in pieces:
            file.write(np.asarray(piece, dtype="<f4").tobytes())
            done += len(piece)
            progress(done / max(samples, 1), "stage.sound")
    return view(path)


def each(signal: Signal, work: Callable[[Signal], Signal]) -> Iterator[Signal]:
    """``work`` on every block, in order; what it carries from block to block is its own."""
    return (work(block) for block in blocks(signal))


def is_studio_wav(path: Path) -> bool:
    """Whether a file is what the studio itself writes: 48 kHz, stereo, 24 bits, PCM in a WAV or RF64."""
    if path.suffix.lower() != ".wav":
        return False
    try:
        about = soundfile.info(path)
    except soundfile.LibsndfileError:
        return False
    return (about.samplerate, about.channels, about.subtype) == (STUDIO_RATE, 2, "PCM_24")

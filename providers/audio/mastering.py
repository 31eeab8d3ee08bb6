"""The last step of a sound: brought to its loudness under a true-peak ceiling, and written in its final form.

Loudness is reached in the samples first (static gain and a look-ahead limiter whose loss is made up for), then the
finished file is measured by FFmpeg's ebur128 and the aim corrected for what an encoder did. One-pass normalisation
would pump and miss.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.progress import Progress, no_progress, part
from providers.audio.meter import Meter, loudness
from providers.video.process import source_arguments
from providers.video.sound_edit import Signal, limit, true_peaks
from providers.video.soundtrack import Loudness, measure_loudness

MAX_GAIN_DB = 40.0
# FFmpeg looks for peaks at another oversampling; a tenth of a decibel is what the two may differ by.
_MARGIN_DB = 0.1
_NEAR_LU = 0.04
_TRIES = 8
_FIRST_SLOPE = 0.8
_ROUNDS = 4
_TOLERANCE_LU = 0.1

Finish = Callable[[Path, Progress], Path]


@dataclass(frozen=True)
class Mastered:
    """The finished file, its measured loudness and true peak, and the gain (dB) it was brought there with."""

    path: Path
    loudness: Loudness
    gain_db: float


def master(
    signal: Signal,
    folder: Path,
    *,
    target_lufs: float | None,
    ceiling_dbtp: float,
    finish: Finish,
    channels: int = 2,
    progress: Progress = no_progress,
) -> Mastered:
    """Bring ``signal`` to ``target_lufs`` (None: leave its level) with its true peak at most ``ceiling_dbtp``.

    ``finish`` makes the final file from raw float32 stereo and is called again when that file is off: an encoder moves
    peaks. A file of one ``channels`` is measured 3 dB below the same sound on two, which is allowed for. Silence stays.
    """
    raw, peaks_at = folder / "mastered.f32", folder / "peaks.f32"
    level = _Level(signal, _peaks(signal, peaks_at), raw)
    offset = 10 * float(np.log10(2 / channels))
    aim = None if target_lufs is None else target_lufs + offset
    ceiling = ceiling_dbtp - _MARGIN_DB
    silent = aim is not None and level.start(aim) is None
    for attempt in range(_ROUNDS):
        within = part(progress, attempt / _ROUNDS, (attempt + 1) / _ROUNDS)
        if aim is None or silent:
            level.write(ceiling, part(within, 0, 0.6))
        else:
            level.reach(aim, ceiling, part(within, 0, 0.6))
        path = finish(raw, part(within, 0.6, 0.9))
        found = measure_loudness(source_arguments(path), progress=part(within, 0.9, 1))
        high = found.true_peak is not None and found.true_peak > ceiling_dbtp
        if high and found.true_peak is not None:
            ceiling -= found.true_peak - ceiling_dbtp + 0.1
        off = target_lufs - found.lufs if target_lufs is not None and found.lufs is not None else 0.0
        reachable = aim is not None and abs(off) > _TOLERANCE_LU and level.gain_db < MAX_GAIN_DB
        if reachable and aim is not None:
            aim += off
        if not high and not reachable:
            break
    for left in (raw, peaks_at):
        left.unlink()
    return Mastered(path, found, level.gain_db)


class _Level:
    """A sound at a gain through the limiter, as a file."""

    def __init__(self, signal: Signal, peaks: NDArray[np.float32], raw: Path) -> None:
        self.gain_db = 0.0
        self._signal = signal
        self._peaks = peaks
        self._raw = raw

    def start(self, target: float) -> float | None:
        """Begin with the gain that would do without a limiter; answers the loudness now, None for silence."""
        lufs = loudness(self._signal)
        if lufs is not None:
            self.gain_db = min(target - lufs, MAX_GAIN_DB)
        return lufs

    def write(self, ceiling_db: float, progress: Progress) -> float | None:
        """Write the sound with the gain as it is; answers its loudness."""
        meter = Meter()
        with self._raw.open("wb") as file:

            def take(data: bytes) -> None:
                file.write(data)
                meter.feed_bytes(data)
                progress(file.tell() / max(self._signal.nbytes, 1), "stage.sound")

            limit(self._signal, self._peaks, 10 ** (self.gain_db / 20), 10 ** (ceiling_db / 20), take)
        return meter.lufs()

    def reach(self, target: float, ceiling_db: float, progress: Progress) -> None:
        """Write the sound at ``target`` LUFS, or as near as the largest gain brings it: by the secant of loudness over
        gain, since the limiter takes back the more the louder it gets."""
        before: tuple[float, float] | None = None
        slope = _FIRST_SLOPE
        for attempt in range(_TRIES):
            lufs = self.write(ceiling_db, part(progress, attempt / _TRIES, (attempt + 1) / _TRIES))
            if lufs is None or abs(target - lufs) <= _NEAR_LU:
                return
            if before is not None and abs(self.gain_db - before[0]) > 0.02:
                slope = min(max((lufs - before[1]) / (self.gain_db - before[0]), 0.15), 1.0)
            before = (self.gain_db, lufs)
            wanted = min(self.gain_db + (target - lufs) / slope, MAX_GAIN_DB)
            if wanted == self.gain_db or attempt == _TRIES - 1:
                return
            self.gain_db = wanted


def _peaks(signal: Signal, path: Path) -> NDArray[np.float32]:
    with path.open("wb") as file:
        true_peaks(signal, file.write)
    return np.memmap(path, dtype="<f4", mode="r", shape=(len(signal),))

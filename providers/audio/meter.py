"""Loudness of a stream of samples, block by block (ITU-R BS.1770-5, EBU R 128); tests hold it against pyloudnorm and
FFmpeg's ebur128. FFmpeg's says tenths only, and its input has to be a file for each look."""

from __future__ import annotations

from typing import Any

import numpy as np

from providers.audio.decode import STUDIO_RATE
from providers.audio.raw import blocks
from providers.video.sound_edit import Signal

# The two filters of BS.1770-5 annex 1, tables 1 and 2, which it gives for 48 kHz.
_K_WEIGHTING = np.array(
    [
        [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585],
        [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621],
    ]
)
_STEP = STUDIO_RATE // 10
_STEPS = 4
_OFFSET = -0.691
_ABSOLUTE_LUFS, _RELATIVE_LU = -70.0, -10.0
SILENT_LUFS = -69.0


class Meter:
    """Feed it stereo blocks of any length at 48 kHz, then ask."""

    def __init__(self) -> None:
        self._state = np.zeros((2, 2, 2))
        self._rest = np.zeros(0)
        self._steps: list[np.ndarray[Any, np.dtype[np.float64]]] = []

    def feed(self, block: Signal) -> None:
        from scipy.signal import sosfilt

        if not len(block):
            return
        weighted, self._state = sosfilt(_K_WEIGHTING, np.asarray(block, np.float64), axis=0, zi=self._state)
        power = np.concatenate([self._rest, np.einsum("ij,ij->i", weighted, weighted)])
        whole = len(power) // _STEP * _STEP
        self._rest = power[whole:]
        self._steps.append(power[:whole].reshape(-1, _STEP).mean(axis=1))

    def feed_bytes(self, data: bytes) -> None:
        """Interleaved float32."""
        self.feed(np.frombuffer(data, dtype="<f4").reshape(-1, 2))

    def lufs(self) -> float | None:
        """Integrated loudness; None for silence, and for less than four tenths of a second."""
        steps = np.concatenate(self._steps) if self._steps else np.zeros(0)
        if len(steps) < _STEPS:
            return None
        power = np.convolve(steps, np.full(_STEPS, 1 / _STEPS), mode="valid")
        level = _OFFSET + 10 * np.log10(power + 1e-20)
        heard = power[level > _ABSOLUTE_LUFS]
        if not len(heard):
            return None
        gate = _OFFSET + 10 * np.log10(heard.mean()) + _RELATIVE_LU
        gated = power[level > max(gate, _ABSOLUTE_LUFS)]
        found = float(_OFFSET + 10 * np.log10(gated.mean()))
        return found if found > SILENT_LUFS else None


def loudness(signal: Signal) -> float | None:
    """Integrated loudness of a whole signal in LUFS; None for silence."""
    meter = Meter()
    for block in blocks(signal):
        meter.feed(block)
    return meter.lufs()

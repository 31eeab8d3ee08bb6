"""The stereo image: the same on both sides, or wider by its side signal alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.music.remaster import Band, Width
from providers.audio.decode import STUDIO_RATE
from providers.audio.raw import blocks
from providers.audio.tone import section
from providers.video.sound_edit import Signal

_BASS_HERTZ = 150.0
# Where the phase of the made side turns; spread evenly over the logarithm of frequency.
_TURNS = tuple(180.0 * 1.9**index for index in range(7))


def mono(block: Signal) -> Signal:
    """The mean of both sides on both sides."""
    return np.repeat(np.mean(block, axis=1, keepdims=True), 2, axis=1).astype(np.float32)


def side_ratio(signal: Signal) -> float:
    """How strong the side is beside the middle (RMS above the bass): 0 for mono, 1 for unrelated sides."""
    highs = [_Filter(_high()) for _ in range(2)]
    middle = side = 0.0
    for block in blocks(signal):
        middle += float(np.sum(highs[0](_middle(block)) ** 2))
        side += float(np.sum(highs[1](_side(block)) ** 2))
    return float(np.sqrt(side / middle)) if middle > 0 else 0.0


def widened(width: Width) -> Callable[[Signal], Signal]:
    """A widener for blocks in order: left plus right stays exactly what it was."""
    high_side, high_made, turned = _Filter(_high()), _Filter(_high()), _Filter(_all_pass())

    def work(block: Signal) -> Signal:
        middle, side = _middle(block), _side(block)
        added = (width.side - 1) * high_side(side)
        if width.made > 0:
            added += width.made * turned(high_made(middle))
        return np.stack([middle + side + added, middle - side - added], axis=1).astype(np.float32)

    return work


def _middle(block: Signal) -> NDArray[np.float64]:
    return (block[:, 0].astype(np.float64) + block[:, 1]) / 2


def _side(block: Signal) -> NDArray[np.float64]:
    return (block[:, 0].astype(np.float64) - block[:, 1]) / 2


class _Filter:
    """Second-order sections for one channel, block by block."""

    def __init__(self, sections: Any) -> None:
        self._sections = sections
        self._state = np.zeros((len(sections), 2))

    def __call__(self, signal: NDArray[np.float64]) -> NDArray[np.float64]:
        from scipy.signal import sosfilt

        done, self._state = sosfilt(self._sections, signal, zi=self._state)
        return np.asarray(done)


def _high() -> Any:
    from scipy.signal import butter

    return butter(2, _BASS_HERTZ, "highpass", fs=STUDIO_RATE, output="sos")


def _all_pass() -> Any:
    """Second-order all-passes: a peak filter's denominator, turned round as its numerator."""
    found = []
    for hertz in _TURNS:
        *_, one, first, second = section(Band("peak", hertz, 0.0, 1.2))
        found.append([second, first, one, one, first, second])
    return np.array(found)

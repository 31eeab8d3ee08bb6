"""Sound changed by gains on its short-time spectrum, in order and in bounded memory: analysis, gains, synthesis."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.progress import Progress, no_progress
from providers.video.sound_edit import CHANNELS, Signal

Power = NDArray[np.float32]
_FRAMES_AT_ONCE = 512


def count(samples: int, window: int, hop: int) -> int:
    """How many frames cover a signal with every sample in all of its overlapping frames."""
    return -(-(samples + window - hop) // hop)


def _window(window: int) -> NDArray[np.float32]:
    """The square root of a periodic Hann window: analysis and synthesis together are Hann."""
    return np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)).astype(np.float32)


def _spectra(signal: Signal, first: int, frames: int, window: int, hop: int) -> NDArray[np.complex64]:
    """``frames`` spectra from frame ``first``, (frames, channels, bins); beyond the signal there is silence."""
    start = first * hop - (window - hop)
    stop = start + (frames - 1) * hop + window
    part = np.array(signal[max(start, 0) : min(stop, len(signal))], dtype=np.float32)
    padded = np.pad(part, ((max(-start, 0), max(stop - len(signal), 0)), (0, 0)))
    cut = np.lib.stride_tricks.sliding_window_view(padded, window, axis=0)[::hop][:frames]
    return np.asarray(np.fft.rfft(cut * _window(window), axis=-1), dtype=np.complex64)


def powers(signal: Signal, window: int, hop: int, *, at_most: int, run: int = 1) -> Power:
    """Power spectra, mean of both channels and of ``run`` frames in a row, at no more than ``at_most`` places spread
    over the whole signal."""
    total = count(len(signal), window, hop)
    last = max(total - run, 0)
    places = np.unique(np.linspace(0, last, min(last + 1, at_most)).astype(int))
    return np.stack([_power(_spectra(signal, int(one), min(run, total), window, hop)).mean(axis=0) for one in places])


def _power(spectra: NDArray[np.complex64]) -> Power:
    return np.asarray(np.mean(spectra.real**2 + spectra.imag**2, axis=1), dtype=np.float32)


def filtered(
    signal: Signal,
    window: int,
    hop: int,
    gains: Callable[[Power], NDArray[Any]],
    progress: Progress = no_progress,
) -> Iterator[Signal]:
    """The signal with each frame's spectrum multiplied, sample for sample where it was. ``gains`` answers (frames,
    bins) for power spectra of frames in order; both channels get the same, so that the stereo image stays."""
    total = count(len(signal), window, hop)
    shape = _window(window)
    overlap = window - hop
    tail = np.zeros((overlap, CHANNELS), dtype=np.float32)
    scale = np.float32(2 * hop / window)
    for first in range(0, total, _FRAMES_AT_ONCE):
        frames = min(_FRAMES_AT_ONCE, total - first)
        spectra = _spectra(signal, first, frames, window, hop)
        spectra *= np.asarray(gains(_power(spectra)), dtype=np.float32)[:, None, :]
        pieces = np.fft.irfft(spectra, window, axis=-1).astype(np.float32) * shape * scale
        laid = np.zeros((frames * hop + overlap, CHANNELS), dtype=np.float32)
        laid[:overlap] = tail
        for index, piece in enumerate(pieces):
            laid[index * hop : index * hop + window] += piece.T
        tail = laid[frames * hop :]
        start = first * hop - overlap
        yield laid[max(-start, 0) : min(frames * hop, len(signal) - start)]
        progress((first + frames) / total, "stage.sound")

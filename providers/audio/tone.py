"""The colour of a sound: equaliser filters, its long-term spectrum in third octaves, and a filter that corrects it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.music.remaster import Band
from core.music.spectrum import CENTRES, EDGE
from core.progress import Progress, no_progress
from providers.audio.decode import STUDIO_RATE
from providers.audio.raw import BLOCK
from providers.video.sound_edit import CHANNELS, Signal

_WINDOW = 8192
_TAPS = 8191


def section(band: Band) -> list[float]:
    """One second-order section (b0 b1 b2 1 a1 a2): Bristow-Johnson's cookbook for audio equaliser filters."""
    amplitude = 10 ** (band.gain_db / 40)
    turn = 2 * math.pi * band.hertz / STUDIO_RATE
    cosine, alpha = math.cos(turn), math.sin(turn) / (2 * band.quality)
    if band.kind == "peak":
        up, down = alpha * amplitude, alpha / amplitude
        b, a = (1 + up, -2 * cosine, 1 - up), (1 + down, -2 * cosine, 1 - down)
    else:
        side = 1.0 if band.kind == "low_shelf" else -1.0
        more, less, root = amplitude + 1, amplitude - 1, 2 * math.sqrt(amplitude) * alpha
        b = (
            amplitude * (more - side * less * cosine + root),
            side * 2 * amplitude * (less - side * more * cosine),
            amplitude * (more - side * less * cosine - root),
        )
        a = (
            more + side * less * cosine + root,
            -side * 2 * (less + side * more * cosine),
            more + side * less * cosine - root,
        )
    return [value / a[0] for value in (*b, *a)]


def equalised(bands: Sequence[Band]) -> Callable[[Signal], Signal]:
    """A filter for blocks in order."""
    sections = np.array([section(band) for band in bands])
    state = np.zeros((len(bands), 2, CHANNELS))

    def work(block: Signal) -> Signal:
        from scipy.signal import sosfilt

        nonlocal state
        done, state = sosfilt(sections, np.asarray(block, np.float64), axis=0, zi=state)
        return np.asarray(done, np.float32)

    return work


def spectrum(signal: Signal, progress: Progress = no_progress) -> list[float]:
    """Level in dB of each third octave of :data:`CENTRES` over the whole signal (Welch, Hann, half overlapping)."""
    window = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)
    total: NDArray[Any] = np.zeros(_WINDOW // 2 + 1)
    step, hop = 64 * _WINDOW, _WINDOW // 2
    for start in range(0, max(len(signal) - _WINDOW, 0) + 1, step):
        part = np.array(signal[start : start + step + hop], dtype=np.float32)
        if len(part) < _WINDOW:
            part = np.pad(part, ((0, _WINDOW - len(part)), (0, 0)))
        cut = np.lib.stride_tricks.sliding_window_view(part, _WINDOW, axis=0)[::hop]
        found = np.fft.rfft(cut * window, axis=-1)
        total += (found.real**2 + found.imag**2).sum(axis=(0, 1))
        progress(min(1.0, (start + step) / len(signal)), "stage.listen")
    hertz = np.arange(len(total)) * STUDIO_RATE / _WINDOW
    levels = []
    for centre in CENTRES:
        # Low bands are narrower than a bin: what the spectrum says between two bins is read there.
        inside = (hertz >= centre / EDGE) & (hertz < centre * EDGE)
        width = centre * (EDGE - 1 / EDGE) / (STUDIO_RATE / _WINDOW)
        power = total[inside].sum() if inside.sum() >= 3 else np.interp(centre, hertz, total) * width
        levels.append(float(10 * np.log10(power + 1e-12)))
    return levels


def corrected(signal: Signal, added_db: Sequence[float], progress: Progress = no_progress) -> Iterator[Signal]:
    """The signal with ``added_db`` in each third octave, by a linear-phase filter without delay."""
    from scipy.signal import oaconvolve

    taps = fir(added_db)
    half = len(taps) // 2
    for start in range(0, len(signal), BLOCK):
        stop = min(start + BLOCK, len(signal))
        part = np.array(signal[max(start - half, 0) : min(stop + half, len(signal))], dtype=np.float32)
        missing = ((max(half - start, 0), max(stop + half - len(signal), 0)), (0, 0))
        yield oaconvolve(np.pad(part, missing), taps[:, None], mode="valid", axes=0).astype(np.float32)
        progress(stop / len(signal), "stage.sound")


def fir(added_db: Sequence[float]) -> NDArray[np.float32]:
    """Symmetric taps by frequency sampling; between the centres the decibels run straight over the logarithm of
    frequency, beyond them they stay."""
    hertz = np.arange(1, (_TAPS + 1) // 2 + 1) * STUDIO_RATE / (_TAPS + 1)
    wanted = np.interp(np.log(hertz), np.log(CENTRES), added_db)
    magnitude = 10 ** (np.concatenate([wanted[:1], wanted]) / 20)
    whole = np.roll(np.fft.irfft(magnitude, _TAPS + 1), _TAPS // 2)[:_TAPS]
    return np.asarray(whole * np.hanning(_TAPS), dtype=np.float32)

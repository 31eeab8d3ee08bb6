"""Beats and bars of a piece: what is heard at each moment, the pulses that would explain it, and the likeliest of them.

Onsets come from three sources: spectral flux with a maximum filter against vibrato (Böck and Widmer, "Maximum filter
vibrato suppression for onset detection", 2013), its lowest band, and the note onsets that Basic Pitch hears, which
find the beat where nothing is struck. :mod:`providers.audio.accents` tells how like a place of the bar a moment sounds,
:mod:`providers.audio.bars` follows pulses through the piece, :mod:`core.music.pulse` chooses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.music import pulse
from providers.audio import bars
from providers.audio.accents import CLASSES, Onsets, likelihoods
from providers.audio.notes import FRAMES_PER_SECOND, HOP, LOWEST, RATE

_LOW_HZ, _LOW_NOTES = 180.0, 30
_TOUCH = max(1, round(0.03 * FRAMES_PER_SECOND))
_SOUNDS, _SHARED = 0.5, 4
FEWEST = 6
Array = np.ndarray[Any, np.dtype[np.float32]]
Frames = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Beats:
    """``frames`` of the beats, each one's ``places`` in its bar (0 is the first) and the beats of a bar."""

    frames: Frames
    places: Any
    beats_per_bar: int


def find(onsets: Onsets) -> Beats | None:
    """The beats and bars of a piece; None where there is no pulse."""
    ratios = likelihoods(onsets)
    first, last = _sounding(onsets)
    found = []
    for one in bars.follow(ratios):
        inside = (one.frames >= first - _SHARED) & (one.frames <= last + _SHARED)
        if np.count_nonzero(inside) >= FEWEST:
            beats = Beats(one.frames[inside].astype(np.float64), one.places[inside], one.beats_per_bar)
            span = float(beats.frames[-1] - beats.frames[0] + 1)
            found.append((beats, one.likelihood / span * FRAMES_PER_SECOND))
    if not found:
        return None
    most = max(likelihood for _, likelihood in found)
    periodicity = _Periodicity(onsets.together)
    evidence = [_evidence(onsets, ratios, beats, likelihood, most, periodicity) for beats, likelihood in found]
    chosen = pulse.best(evidence)
    return found[chosen][0] if chosen is not None else None


def _sounding(onsets: Onsets) -> tuple[int, int]:
    """Frames of the first and the last onset: beats are not counted in the silence around the music."""
    begun = np.flatnonzero((onsets.full > _SOUNDS) | (onsets.notes > _SOUNDS))
    return (int(begun[0]), int(begun[-1])) if begun.size else (0, -1)


class _Periodicity:
    """How well onsets repeat after a period, summed over four of them; 1 for the period that does it best."""

    def __init__(self, strength: Array) -> None:
        centred = strength - strength.mean()
        spectrum = np.fft.rfft(centred, 2 * len(centred))
        correlation = np.fft.irfft(spectrum * np.conj(spectrum))[: len(centred)]
        self._lags = np.arange(int(bars.INTERVALS[0]) - 2, int(bars.INTERVALS[-1]) + 6)
        self._comb = np.asarray(
            sum(correlation[np.minimum(self._lags * times, len(correlation) - 1)] / times for times in (1, 2, 3, 4))
        )

    def of(self, period: float) -> float:
        at = int(np.clip(round(period) - self._lags[0], 0, len(self._lags) - 1))
        return float(self._comb[max(0, at - 1) : at + 2].max() / max(float(self._comb.max()), 1e-9))


def observe(samples: Array, sounding: Array, beginning: Array) -> Onsets:
    """Onset strengths of mono sound at 22 050 Hz and of the notes heard in it
    (:func:`providers.audio.notes.activations`)."""
    from librosa import mel_frequencies
    from librosa.feature import melspectrogram
    from scipy.ndimage import maximum_filter1d

    mel = melspectrogram(y=samples, sr=RATE, n_fft=2048, hop_length=HOP, n_mels=96, fmin=30, fmax=10_000, power=1)
    level = np.log1p(100 * mel / max(float(np.percentile(mel, 99.5)), 1e-9))
    before = maximum_filter1d(level, 3, axis=0)
    flux = np.pad(np.maximum(0.0, level[:, 2:] - before[:, :-2]), ((0, 0), (2, 0)))
    frames = min(flux.shape[1], len(beginning))
    flux, sounding = flux[:, :frames], sounding[:frames]
    begun = np.where(beginning[:frames] > 0.2, beginning[:frames], 0.0)
    low = mel_frequencies(96, fmin=30, fmax=10_000) < _LOW_HZ
    return Onsets(
        sounding=sounding,
        beginning=beginning[:frames],
        full=_relative(flux.mean(axis=0)),
        low=_relative(flux[low].mean(axis=0)),
        notes=_relative(begun.sum(axis=1)),
        low_notes=_relative(begun[:, :_LOW_NOTES].sum(axis=1)),
        change=_change(sounding),
    )


def _relative(strength: Array) -> Array:
    """Above the mean of a second, in units of the root mean square, outliers cut."""
    from scipy.ndimage import uniform_filter1d

    above = np.maximum(strength - uniform_filter1d(strength, round(FRAMES_PER_SECOND)), 0.0)
    return np.asarray(np.minimum(above / (np.sqrt(np.mean(above**2)) + 1e-9), 6.0), dtype=np.float32)


def _change(sounding: Array) -> Array:
    """How different the harmony of the third of a second after a frame is from that before it: 1 − cosine."""
    heard = np.where(sounding > 0.25, sounding, 0.0)
    chroma = np.zeros((len(heard), 12))
    for column in range(heard.shape[1]):
        chroma[:, (column + LOWEST) % 12] += heard[:, column]
    width = round(0.35 * FRAMES_PER_SECOND)
    sums = np.vstack([np.zeros(12), np.cumsum(chroma, axis=0)])
    at = np.arange(len(heard))
    before = sums[at] - sums[np.maximum(0, at - width)]
    after = sums[np.minimum(len(heard), at + width)] - sums[at]
    norms = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    cosine = np.where(norms > 1e-6, (before * after).sum(axis=1) / np.maximum(norms, 1e-9), 1.0)
    return np.asarray(1 - cosine, dtype=np.float32)


def _evidence(
    onsets: Onsets, ratios: Array, beats: Beats, likelihood: float, most: float, periodicity: _Periodicity
) -> pulse.Evidence:
    frames = beats.frames
    gaps = np.diff(frames)
    period = float(np.median(gaps))
    middles = frames[:-1] + gaps / 2
    everything = onsets.full + onsets.notes
    # The half keeps a pulse on which next to nothing begins from dividing by nothing.
    unit, wide = float(near(everything, frames).mean()) + 0.5, 2 * _TOUCH
    opening = ratios[:, CLASSES.index("first")] - ratios[:, CLASSES.index("beat")]
    opening, firsts = opening[frames.astype(int)], beats.places == 0
    return pulse.Evidence(
        behind=likelihood - most,
        tempo_distance=pulse.tempo_octaves(60 * FRAMES_PER_SECOND / period) ** 2,
        periodicity=periodicity.of(period),
        harmony_contrast=float(near(onsets.change, frames, wide).mean() - near(onsets.change, middles, wide).mean()),
        between=float(near(everything, middles).mean()) / unit,
        bar_contrast=float(opening[firsts].mean() - opening[~firsts].mean()),
        in_two=float(beats.beats_per_bar == 2),
        in_three=float(beats.beats_per_bar == 3),
    )


def near(strength: Array, frames: Frames, reach: int = _TOUCH) -> Array:
    """The largest strength within ``reach`` of each frame."""
    from scipy.ndimage import maximum_filter1d

    highest = maximum_filter1d(strength, 2 * reach + 1)
    return np.asarray(highest[np.clip(np.round(frames).astype(int), 0, len(strength) - 1)])

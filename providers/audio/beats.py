"""Beats: possible pulses of a piece, each followed through it, and the one that is most likely the beat.

Onsets come from three sources: spectral flux with a maximum filter against vibrato (Böck and Widmer, "Maximum filter
vibrato suppression for onset detection", 2013), its lowest band, and the note onsets that Basic Pitch hears, which
find the beat where nothing is struck. Periods are peaks of the autocorrelation and their simple ratios; each is
followed by dynamic programming (Ellis, "Beat tracking by dynamic programming", 2007) and also shifted by simple
fractions of a beat. :mod:`core.music.pulse` chooses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.music import pulse
from providers.audio.notes import FRAMES_PER_SECOND, HOP, LOWEST, RATE

FASTEST_BPM, SLOWEST_BPM = 220.0, 45.0
# How firmly the dynamic programming holds on to its period; music drifts by per cents, not by tens of them.
TIGHTNESS = 300.0
SHIFTS = (0.0, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4)
RATIOS = (2.0, 1 / 2, 3 / 2, 2 / 3, 3.0, 1 / 3)
PEAKS, MULTIPLIED = 8, 4
_LOW_HZ, _LOW_NOTES = 180.0, 30
_TOUCH = max(1, round(0.03 * FRAMES_PER_SECOND))
Array = np.ndarray[Any, np.dtype[np.float32]]
Frames = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Onsets:
    """Strengths for each frame of :mod:`providers.audio.notes`, in units of their root mean square; ``change`` 0–1."""

    full: Array
    low: Array
    notes: Array
    low_notes: Array
    change: Array

    @property
    def together(self) -> Array:
        """What a pulse is followed by."""
        from scipy.ndimage import gaussian_filter1d

        return np.asarray(gaussian_filter1d(self.full + 0.7 * self.notes + 0.5 * self.low, 1.2), dtype=np.float32)


def beat_frames(onsets: Onsets) -> Frames:
    """The beats as frames (they may lie between two); empty where there is no pulse."""
    found = list(candidates(onsets))
    chosen = pulse.best([evidence for _, evidence in found])
    return found[chosen][0] if chosen is not None else np.zeros(0)


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


def candidates(onsets: Onsets) -> Iterator[tuple[Frames, pulse.Evidence]]:
    """Pulses followed through the piece, with what speaks for each."""
    strength = onsets.together
    for period, periodicity in _periods(strength):
        followed = _follow(strength, period)
        if len(followed) < 6:
            continue
        for shift in SHIFTS:
            frames = _shifted(followed, shift, strength) if shift else followed.astype(np.float64)
            if len(frames) >= 5:
                yield frames, _evidence(onsets, frames, periodicity)


def _periods(strength: Array) -> list[tuple[float, float]]:
    """Possible beat lengths in frames, and how periodic the piece is at each (1: at none more): peaks of the
    autocorrelation summed over four beats, and their simple ratios."""
    shortest, longest = (round(FRAMES_PER_SECOND * 60 / bpm) for bpm in (FASTEST_BPM, SLOWEST_BPM))
    centred = strength - strength.mean()
    spectrum = np.fft.rfft(centred, 2 * len(centred))
    correlation = np.fft.irfft(spectrum * np.conj(spectrum))[: len(centred)]
    lags = np.arange(shortest, longest + 1)
    comb = sum(correlation[np.minimum(lags * times, len(correlation) - 1)] / times for times in (1, 2, 3, 4))
    comb = np.asarray(comb)
    tops = [at for at in range(1, len(lags) - 1) if comb[at - 1] <= comb[at] > comb[at + 1]]
    tops = sorted(tops, key=lambda at: -comb[at])[:PEAKS]
    wanted = [float(lags[at]) for at in tops]
    wanted += [period * ratio for period in wanted[:MULTIPLIED] for ratio in RATIOS]
    found: list[float] = []
    for period in wanted:
        if shortest <= period <= longest and all(abs(np.log(period / other)) > 0.03 for other in found):
            found.append(period)
    highest = max(float(comb.max(initial=0.0)), 1e-9)
    return [(period, float(comb[round(period) - shortest]) / highest) for period in found]


def _follow(strength: Array, period: float) -> Any:
    """Frames of the best chain of onsets about ``period`` apart."""
    lags = np.arange(round(period * 0.7), round(period * 1.4) + 1)
    penalty = TIGHTNESS * np.log(lags / period) ** 2
    total = strength.astype(np.float64)
    back = np.full(len(strength), -1)
    for frame in range(int(lags[0]), len(strength)):
        there = lags[lags <= frame]
        gained = total[frame - there] - penalty[: len(there)]
        at = int(np.argmax(gained))
        if gained[at] > 0:
            total[frame] += gained[at]
            back[frame] = frame - there[at]
    last = max(0, len(total) - round(period * 1.2))
    frame = last + int(np.argmax(total[last:])) if len(total) else -1
    chain = []
    while frame >= 0:
        chain.append(frame)
        frame = int(back[frame])
    return np.array(chain[::-1], dtype=np.int64)


def _shifted(frames: Any, shift: float, strength: Array) -> Frames:
    """The same pulse a fraction of a beat later, each beat moved onto an onset close by."""
    gaps = np.diff(frames)
    period = float(np.median(gaps))
    first, last = frames[0] - period * (1 - shift), frames[-1] + period * shift
    moved = np.concatenate([[first], frames[:-1] + gaps * shift, [last]])
    reach = max(1, int(period * 0.05))
    found = []
    for frame in moved[(moved >= 0) & (moved < len(strength))]:
        start = max(0, int(frame) - reach)
        window = strength[start : int(frame) + reach + 1]
        away = np.abs(np.arange(start, start + len(window)) - frame)
        found.append(start + float(np.argmax(window - 0.02 * away)))
    return np.array(found)


def _evidence(onsets: Onsets, frames: Frames, periodicity: float) -> pulse.Evidence:
    gaps = np.diff(frames)
    period = float(np.median(gaps))
    middles = frames[:-1] + gaps / 2
    everything = onsets.full + onsets.notes
    on = near(everything, frames)

    quarters = [near(everything, frames[:-1] + gaps * part) for part in (0.25, 0.75)]
    flux = near(onsets.full, frames)
    # The half keeps a pulse on which next to nothing begins from dividing by nothing.
    unit, wide = float(on.mean()) + 0.5, 2 * _TOUCH
    octaves = pulse.tempo_octaves(60 * FRAMES_PER_SECOND / period)
    return pulse.Evidence(
        tempo_distance=octaves**2,
        tempo_octaves=octaves,
        periodicity=periodicity,
        harmony_contrast=float(near(onsets.change, frames, wide).mean() - near(onsets.change, middles, wide).mean()),
        strength=float(on.mean()),
        covered=float((on > 0.8).mean()),
        between=float(near(everything, middles).mean()) / unit,
        quarters=float(np.maximum(*quarters).mean()) / unit,
        unsteadiness=float(np.std(gaps)) / period,
        alternation=float(abs(flux[::2].mean() - flux[1::2].mean())),
    )


def near(strength: Array, frames: Frames, reach: int = _TOUCH) -> Array:
    """The largest strength within ``reach`` of each frame."""
    from scipy.ndimage import maximum_filter1d

    highest = maximum_filter1d(strength, 2 * reach + 1)
    return np.asarray(highest[np.clip(np.round(frames).astype(int), 0, len(strength) - 1)])

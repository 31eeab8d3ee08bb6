"""Stems without weights: what is struck, the lowest line, the most salient line, and the rest.

Struck and sustained sound are told apart by median filters (Fitzgerald, "Harmonic/percussive separation using median
filtering", 2010). What is sustained is explained by the notes that Basic Pitch hears: each note is a comb of harmonics
whose strengths are learned from the piece itself, and each sounds when it is heard and nowhere else (non-negative
matrix factorisation with the Kullback-Leibler divergence, Lee and Seung 2001, informed by notes: Ewert and Müller,
"Using score-informed constraints for NMF-based source separation", ICASSP 2012). The lowest line of notes is the bass,
the strongest continuous one above it the voice; both are expected in the middle of the stereo picture. One Wiener
filter over all four models divides the mix, so that the stems sum to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from providers.audio import notes

RATE = 48_000
FFT, HOP = 4096, 1024
ITERATIONS = 25
_FIRST = notes.LOWEST
# Widths of the median filters in frames and bins; frames around a heard note in which it may still ring.
_SUSTAINED, _STRUCK, _RINGS = 17, 31, 9
_BASS, _ALWAYS_BASS, _VOICE = (28, 54), 48, (52, 86)
_LEFTOVER, _CENTRED = 0.3, 2
Array = np.ndarray[Any, np.dtype[np.float32]]
Line = np.ndarray[Any, np.dtype[np.bool_]]


def separate(mix: Array) -> Array:
    """Voice, drums and bass of some seconds of stereo at 48 kHz: (frames, 2) → (3, frames, 2). What they leave of the
    mix is the rest."""
    if np.max(np.abs(mix), initial=0.0) < 1e-6 or len(mix) < 2 * FFT:
        return np.zeros((3, *mix.shape), np.float32)
    spectra = _spectra(mix)
    level = np.sqrt(np.sum(np.abs(spectra) ** 2, axis=0)).astype(np.float32)
    struck = _struck(level)
    sounding = _sounding(mix, level.shape[1])
    model = _explain(level, struck, sounding)
    bass = bass_line(model.strength)
    voice = voice_line(model.strength, bass)
    low = np.arange(88) + _FIRST < _ALWAYS_BASS
    bass |= low & ~voice
    parts = [model.of(voice), model.of(bass)]
    rest = model.of(~(voice | bass)) + _LEFTOVER * np.maximum(level - model.whole - struck, 0.0)
    left, right = spectra
    centred = np.abs(left + right) ** 2 / (2 * (np.abs(left) ** 2 + np.abs(right) ** 2) + 1e-12)
    powers = [*(part**2 * centred**_CENTRED for part in parts), struck**2, rest**2]
    total = np.sum(powers, axis=0) + 1e-12
    masks = (powers[0] / total, powers[2] / total, powers[1] / total)
    return np.stack([_sound(spectra * mask, len(mix)) for mask in masks])


def _spectra(mix: Array) -> Any:
    from librosa import stft

    return np.stack([stft(np.ascontiguousarray(mix[:, side]), n_fft=FFT, hop_length=HOP) for side in (0, 1)])


def _sound(spectra: Any, length: int) -> Array:
    from librosa import istft

    sides = [istft(side, hop_length=HOP, n_fft=FFT, length=length) for side in spectra]
    return np.stack(sides, axis=1).astype(np.float32)


def _struck(level: Array) -> Array:
    """The part of the magnitudes that is broad in frequency and short in time."""
    from scipy.ndimage import median_filter

    sustained = median_filter(level, size=(1, _SUSTAINED))
    struck = median_filter(level, size=(_STRUCK, 1))
    return np.asarray(level * struck**2 / (struck**2 + sustained**2 + 1e-12), np.float32)


def _sounding(mix: Array, frames: int) -> Line:
    """Which of the 88 notes may sound in each frame: (frames, 88)."""
    from scipy.ndimage import maximum_filter1d
    from scipy.signal import resample_poly

    mono = resample_poly(mix.mean(axis=1), notes.RATE // 150, RATE // 150).astype(np.float32)
    heard, _ = notes.activations(mono)
    nearest = np.round(np.arange(frames) * HOP / RATE * notes.FRAMES_PER_SECOND).astype(int)
    loud = heard[np.minimum(nearest, len(heard) - 1)] > notes.SOUNDS
    return np.asarray(maximum_filter1d(loud.astype(np.uint8), _RINGS, axis=0) > 0)


@dataclass(frozen=True)
class _Model:
    """Notes that explain magnitudes: spectra (bins, notes), gains (notes, frames) and which pitches they are."""

    spectra: Array
    gains: Array
    pitches: Any

    @property
    def whole(self) -> Array:
        return np.asarray(self.spectra @ self.gains, np.float32)

    @property
    def strength(self) -> Array:
        """How strong each of the 88 notes is, (frames, 88); the loudest moments lie around 1."""
        found = np.zeros((self.gains.shape[1], 88), np.float32)
        found[:, self.pitches] = np.sqrt(self.gains.T)
        return np.asarray(np.minimum(found / (np.percentile(found.max(axis=1), 90) + 1e-9), 1.2), np.float32)

    def of(self, line: Line) -> Array:
        """Magnitudes of the notes that are set in ``line``, (frames, 88)."""
        return np.asarray(self.spectra @ (self.gains * line[:, self.pitches].T), np.float32)


def _explain(level: Array, struck: Array, sounding: Line) -> _Model:
    """Learn the notes' spectra and gains; what is struck is taken as known."""
    pitches = np.nonzero(sounding.sum(axis=0) > _RINGS)[0]
    frequencies = np.arange(level.shape[0]) * RATE / FFT
    spectra = np.stack([_comb(frequencies, int(pitch) + _FIRST) for pitch in pitches] or [frequencies * 0], axis=1)
    spectra = (spectra / (np.linalg.norm(spectra, axis=0) + 1e-9)).astype(np.float32)
    gains = sounding[:, pitches].T.astype(np.float32) * level.max() * 0.3
    if not len(pitches):
        return _Model(spectra[:, :0], gains, pitches)
    known = struck + 1e-6
    for _ in range(ITERATIONS):
        gains *= (spectra.T @ (level / (spectra @ gains + known))) / (spectra.sum(axis=0)[:, None] + 1e-9)
        spectra *= ((level / (spectra @ gains + known)) @ gains.T) / (gains.sum(axis=1)[None] + 1e-9)
        size = np.linalg.norm(spectra, axis=0) + 1e-9
        spectra /= size
        gains *= size[:, None]
    return _Model(spectra, gains, pitches)


def _comb(frequencies: Any, pitch: int) -> Any:
    """Harmonics of a note (MIDI number), half a semitone wide but at least as wide as the transform resolves."""
    root = 440 * 2 ** ((pitch - 69) / 12)
    found = np.zeros_like(frequencies)
    for harmonic in range(1, min(30, int(frequencies[-1] / root)) + 1):
        centre = root * harmonic
        width = max(RATE / FFT * 1.6, centre * (2 ** (0.5 / 24) - 1) * 2) / 1.5
        found += np.exp(-0.5 * ((frequencies - centre) / width) ** 2) / np.sqrt(harmonic)
    return found


def bass_line(strength: Array) -> Line:
    """The lowest line of notes, (frames, 88)."""
    low, high = _BASS
    part = strength[:, low - _FIRST : high - _FIRST]
    below = np.cumsum(part, axis=1) - part
    score = part - 0.5 * np.minimum(below, 1.0) - 0.005 * np.arange(high - low)
    return _line(score, low, silence=0.15, pause=0.15)


def voice_line(strength: Array, bass: Line) -> Line:
    """The strongest line above the bass; of equally strong notes the higher one is the melody."""
    low, high = _VOICE
    part = np.where(bass, 0.0, strength)[:, low - _FIRST : high - _FIRST]
    score = part + 0.01 * np.arange(high - low) * (part > 0.1)
    return _line(score, low, silence=0.2, pause=0.2) & ~bass


def _line(score: Any, low: int, *, silence: float, pause: float, leap: float = 0.1) -> Line:
    """One note at a time, or none, by dynamic programming: leaps cost more the wider they are, pauses cost a little."""
    count, pitches = score.shape
    apart = np.abs(np.subtract.outer(np.arange(pitches), np.arange(pitches)))
    cost = np.full((pitches + 1, pitches + 1), pause)
    cost[:pitches, :pitches] = leap * np.sqrt(np.minimum(apart, 12))
    cost[pitches, pitches] = 0.0
    scores = np.concatenate([score, np.full((count, 1), silence)], axis=1)
    best, back = scores[0].copy(), np.zeros((count, pitches + 1), np.intp)
    for frame in range(1, count):
        ways = best[:, None] - cost
        back[frame] = ways.argmax(axis=0)
        best = ways[back[frame], np.arange(pitches + 1)] + scores[frame]
    found = np.zeros((count, 88), bool)
    place = int(best.argmax())
    for frame in range(count - 1, -1, -1):
        if place < pitches:
            # A frame to each side: notes begin and end between frames.
            found[max(0, frame - 1) : frame + 2, place + low - _FIRST] = True
        place = int(back[frame, place])
    return found

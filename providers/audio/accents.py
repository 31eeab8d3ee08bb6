"""How like each place of a bar every moment of a piece sounds.

A log-linear model of what is heard around a moment (onset strengths, in the whole and in the bass, of what is struck
and of notes; the change of harmony; how long the notes last that begin there) gives the likelihood of it being a first
beat, another, the middle one of four, or a half, a quarter or a third between two, each as against none of them.
``metrical.json`` holds its weights: a softmax fitted to rendered scores whose beats are known, every kind of music and
every class weighing alike (``tests/benchmark/rhythms.py``, the half that is not held out).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from providers.audio import note_events
from providers.audio.notes import FRAMES_PER_SECOND

CLASSES = ("first", "middle", "beat", "half", "quarter", "third")
_AROUND, _AROUND_CHANGE, _AROUND_LENGTH = 5, 13, 7
"""Frames over which the largest value counts, so that nobody has to play to the millisecond."""
_LOCAL = int(2.4 * FRAMES_PER_SECOND)
_LONGEST = 8.0
Array = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Onsets:
    """Strengths for each frame of :mod:`providers.audio.notes`, in units of their root mean square; ``change`` 0–1;
    ``sounding`` and ``beginning`` as :func:`providers.audio.notes.activations` gives them."""

    full: Array
    low: Array
    notes: Array
    low_notes: Array
    change: Array
    sounding: Array
    beginning: Array

    @property
    def together(self) -> Array:
        """All that begins, as one curve."""
        from scipy.ndimage import gaussian_filter1d

        return np.asarray(gaussian_filter1d(self.full + 0.7 * self.notes + 0.5 * self.low, 1.2), dtype=np.float32)


def likelihoods(onsets: Onsets) -> Array:
    """Log-likelihood ratios (frames, classes) of every class against no place of the bar, in nats."""
    weights, bias = _model()
    return np.asarray(_features(onsets) @ weights + bias, np.float32)


@cache
def _model() -> tuple[Array, Array]:
    stored = json.loads((Path(__file__).parent / "metrical.json").read_text())
    return np.asarray(stored["weights"], np.float32), np.asarray(stored["bias"], np.float32)


def _features(onsets: Onsets) -> Array:
    from scipy.ndimage import maximum_filter1d

    struck = [maximum_filter1d(x, _AROUND) for x in (onsets.full, onsets.low, onsets.notes, onsets.low_notes)]
    change = maximum_filter1d(onsets.change, _AROUND_CHANGE)
    lengths = maximum_filter1d(_lengths(onsets), _AROUND_LENGTH)
    columns: list[Array] = []
    for curve, floor in [*((x, 0.3) for x in struck), (change, 0.1), (lengths, 0.3)]:
        columns += [curve, np.log1p(3 * curve), curve / (maximum_filter1d(curve, _LOCAL) + floor)]
    columns += [struck[0] * change, struck[1] * change, struck[2] * lengths]
    return np.asarray(np.stack(columns, axis=1), np.float32)


def _lengths(onsets: Onsets) -> Array:
    """At each frame the longest note that begins there, in quarters of the usual time between beginnings: long notes
    begin where the metre is strong."""
    found = np.zeros(len(onsets.full), np.float32)
    heard = note_events.events(onsets.sounding, onsets.beginning)
    starts = np.unique([round(note.start, 2) for note in heard])
    usual = max(float(np.median(np.diff(starts))), 0.1) if len(starts) > 3 else 0.3
    for note in heard:
        at = min(len(found) - 1, round(note.start * FRAMES_PER_SECOND))
        found[at] = max(found[at], min((note.end - note.start) / usual, _LONGEST) / 4)
    return found

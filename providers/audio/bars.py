"""Pulses followed through a piece: beats, bars and tempo in one go, by a bar-pointer model.

A state is a place in a bar of two, three or four beats and how long a beat is now, in frames; time moves the pointer
on by one frame, and only from one beat to the next may the tempo change, the less likely the more it does (Krebs, Böck
and Widmer, "An efficient state-space model for joint tempo and meter tracking", 2015). What is heard counts where the
pointer passes a beat, a half, a quarter or a third between two. The likeliest path is found by Viterbi's algorithm, for
each bar and for each of four ranges of tempo, so that a pulse and its double stand to be compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from providers.audio.accents import CLASSES
from providers.audio.notes import FRAMES_PER_SECOND

METRES = (2, 3, 4)
RANGES_BPM = ((42.0, 72.0), (60.0, 105.0), (90.0, 155.0), (135.0, 222.0))
_SLOWEST_BPM, _FASTEST_BPM, _TEMPOS = 42.0, 220.0, 56
STEADINESS = 100.0
"""What a change of tempo costs, in nats for each unit of its logarithm."""
_FIRST, _MIDDLE, _BEAT, _HALF, _QUARTER, _THIRD = range(len(CLASSES))
_BEATS = {2: (_FIRST, _BEAT), 3: (_FIRST, _BEAT, _BEAT), 4: (_FIRST, _BEAT, _MIDDLE, _BEAT)}
_BETWEEN = ((1 / 2, _HALF), (1 / 4, _QUARTER), (3 / 4, _QUARTER), (1 / 3, _THIRD), (2 / 3, _THIRD))
Array = np.ndarray[Any, np.dtype[np.float32]]
Integers = np.ndarray[Any, np.dtype[np.int64]]

INTERVALS: Integers = np.unique(
    np.round(
        np.geomspace(60 * FRAMES_PER_SECOND / _FASTEST_BPM, 60 * FRAMES_PER_SECOND / _SLOWEST_BPM, _TEMPOS)
    ).astype(np.int64)
)
"""How many frames a beat may last."""


@dataclass(frozen=True)
class Pulse:
    """``frames`` of its beats, each one's ``places`` in the bar (0: the first), and the path's log-likelihood ratio."""

    beats_per_bar: int
    frames: Integers
    places: Integers
    likelihood: float


def follow(ratios: Array) -> Iterator[Pulse]:
    """The likeliest pulse of each metre and each range of tempo, from the ratios of
    :func:`providers.audio.accents.likelihoods`."""
    for slow, fast in RANGES_BPM:
        least, most = 60 * FRAMES_PER_SECOND / fast, 60 * FRAMES_PER_SECOND / slow
        intervals = INTERVALS[(least <= INTERVALS) & (most >= INTERVALS)]
        yield from _paths(ratios, intervals)


def _paths(ratios: Array, intervals: Integers) -> Iterator[Pulse]:
    """All metres at once: their beats are rows of one table, their states never mix."""
    rows = [(metre, beat) for metre in METRES for beat in range(metre)]
    before = np.array([rows.index((metre, (beat - 1) % metre)) for metre, beat in rows])
    ends = np.cumsum(intervals)
    starts = ends - intervals
    heard = np.full((len(rows), int(ends[-1])), -1)
    for part, kind in _BETWEEN:
        heard[:, starts + np.round(part * intervals).astype(int)] = kind
    for index, (metre, beat) in enumerate(rows):
        heard[index, starts] = _BEATS[metre][beat]
    places = np.flatnonzero(heard.ravel() >= 0)
    kinds = heard.ravel()[places]
    change = np.abs(np.log(intervals[:, None] / intervals[None, :]))
    cost = np.asarray(-STEADINESS * change, np.float32)

    best = np.zeros(heard.shape, np.float32)
    best.ravel()[places] += ratios[0, kinds]
    came_from = np.zeros((len(ratios), len(rows), len(intervals)), np.int8)
    for frame in range(1, len(ratios)):
        arriving = best[before][:, ends - 1, None] + cost
        chosen = arriving.argmax(axis=1)
        came_from[frame] = chosen
        moved = np.empty_like(best)
        moved[:, 1:] = best[:, :-1]
        moved[:, starts] = np.take_along_axis(arriving, chosen[:, None, :], axis=1)[:, 0, :]
        moved.ravel()[places] += ratios[frame, kinds]
        best = moved
    for metre in METRES:
        first = rows.index((metre, 0))
        of_metre = best[first : first + metre]
        row, place = np.unravel_index(int(of_metre.argmax()), of_metre.shape)
        frames, beats = _back(came_from, before, intervals, starts, first + int(row), int(place), len(ratios) - 1)
        likelihood = float(of_metre[row, place])
        yield Pulse(metre, frames, np.array([rows[one][1] for one in beats], np.int64), likelihood)


def _back(
    came_from: Any, before: Integers, intervals: Integers, starts: Integers, row: int, place: int, frame: int
) -> tuple[Integers, list[int]]:
    """The path that ends in a state: the frames its beats begin at, and their rows."""
    tempo = int(np.searchsorted(starts, place, side="right")) - 1
    at = frame - (place - int(starts[tempo]))
    frames, rows = [], []
    while at >= 0:
        frames.append(at)
        rows.append(row)
        if at == 0:
            break
        tempo, row = int(came_from[at, row, tempo]), int(before[row])
        at -= int(intervals[tempo])
    return np.array(frames[::-1], np.int64), rows[::-1]

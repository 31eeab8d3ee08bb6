"""Seconds to bars: notes and chords that were heard, put on a grid of sixteenths between the beats."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from core.music.keys import roman_numeral
from core.music.tabs.model import STEPS_IN_WHOLE
from core.music.tabs.shapes import NO_CHORD

FEWEST_BEATS = 4
OFF_BEAT, ON_BEAT = 0.6, 0.1
"""Shares of all notes: with more on one step between the beats and fewer on the beats, the beats are misplaced."""


@dataclass(frozen=True)
class Heard:
    """A note as it was heard: seconds, MIDI number, and how surely (0–1)."""

    start: float
    end: float
    pitch: int
    strength: float


@dataclass(frozen=True)
class Placed:
    """A note on the grid: ``start`` and ``length`` in steps."""

    start: int
    length: int
    pitch: int
    strength: float


@dataclass(frozen=True)
class PlacedChord:
    """A chord on the grid; ``chord`` is "N" where there is none."""

    start: int
    length: int
    chord: str
    roman: str


class NoBeat(ValueError):
    """Nothing to put bars on."""


class Grid:
    """The bars of a piece over its beats.

    Args:
        beats: seconds, at least four.
        downbeats: seconds, each of them a beat.
        signature: "4/4", "3/4", "2/4" or "6/8".
        measured_beats: beats from one downbeat to the next, where the signature is a correction by the user.
    """

    def __init__(self, beats: Sequence[float], downbeats: Sequence[float], signature: str) -> None:
        if len(beats) < FEWEST_BEATS:
            raise NoBeat
        self.beats_per_bar, self.beat_value = (int(part) for part in signature.split("/"))
        self.bar_steps = self.beats_per_bar * STEPS_IN_WHOLE // self.beat_value
        self._beats = list(beats)
        if self.beat_value == 8:
            # Beats of a 6/8 bar are felt as two; where three were heard in a bar they were its eighths.
            between = [sum(start <= beat < end for beat in beats) for start, end in pairwise(downbeats)] or [2]
            self.pulse = 2 if round(median(between)) == 3 else 6
        else:
            self.pulse = STEPS_IN_WHOLE // self.beat_value
        first = bisect_right(self._beats, downbeats[0] + 1e-6) - 1 if downbeats else 0
        beats_in_bar = self.bar_steps // self.pulse
        self._offset = (-first % beats_in_bar) * self.pulse
        self._early = 0
        gaps = [after - before for before, after in pairwise(self._beats)]
        self._first_gap, self._last_gap = gaps[0], gaps[-1]
        # What is written is a steady tempo in quarter notes (dotted quarters count as one and a half).
        self.bpm = 60.0 / median(gaps) * self.pulse / 4

    def step_at(self, seconds: float) -> float:
        """Where on the grid a moment lies; steps before the first bar are negative."""
        index = min(max(bisect_right(self._beats, seconds) - 1, 0), len(self._beats) - 2)
        before, after = self._beats[index], self._beats[index + 1]
        if seconds > self._beats[-1]:
            beat = len(self._beats) - 1 + (seconds - self._beats[-1]) / self._last_gap
        elif seconds < self._beats[0]:
            beat = (seconds - self._beats[0]) / self._first_gap
        else:
            beat = index + (seconds - before) / (after - before)
        return beat * self.pulse + self._offset - self._early

    def settle(self, heard: Sequence[Heard]) -> None:
        """Move the beats onto the notes where these lie off the beat almost without exception: then it is the beats
        that were found between the notes."""
        weights = [0.0] * self.pulse
        for note in heard:
            weights[round(self.step_at(note.start)) % self.pulse] += note.strength
        most = max(range(self.pulse), key=lambda step: weights[step])
        if weights[most] > OFF_BEAT * sum(weights) and weights[0] < ON_BEAT * sum(weights):
            self._early = most if most <= self.pulse // 2 else most - self.pulse

    def place(self, heard: Sequence[Heard]) -> list[Placed]:
        """Notes on the nearest steps, in order; of equal ones on a step the surest counts. What begins more than half
        a step before the first bar is left out."""
        spots = [self.step_at(note.start) for note in heard]
        late = _lateness(spots)
        found: dict[tuple[int, int], Placed] = {}
        for note, spot in zip(heard, spots, strict=True):
            start = round(spot - late)
            if start < 0:
                continue
            length = max(1, round(self.step_at(note.end) - late) - start)
            placed = Placed(start, length, note.pitch, note.strength)
            known = found.get((start, note.pitch))
            if known is None or known.strength < placed.strength:
                found[(start, note.pitch)] = placed
        return sorted(found.values(), key=lambda one: (one.start, one.pitch))

    def place_chords(self, chords: Sequence[Mapping[str, Any]], key: str | None) -> list[PlacedChord]:
        """Chords of an analysis (``{time, end, chord}``) on the nearest beats, without gaps from the first bar on;
        equal neighbours are one."""
        found: list[PlacedChord] = []
        ends = 0
        for row in chords:
            start = max(0, round(self.step_at(float(row["time"])) / self.pulse) * self.pulse)
            end = max(0, round(self.step_at(float(row["end"])) / self.pulse) * self.pulse)
            start = max(start, ends)
            if end <= start:
                continue
            if start > ends:
                found.append(PlacedChord(ends, start - ends, NO_CHORD, ""))
            name = str(row["chord"])
            if found and found[-1].chord == name:
                found[-1] = PlacedChord(found[-1].start, end - found[-1].start, name, found[-1].roman)
            else:
                found.append(PlacedChord(start, end - start, name, roman_numeral(name, key) if key else ""))
            ends = end
        return found


def _lateness(spots: Sequence[float]) -> float:
    """How far the notes lie behind the steps as a whole, −0.5 to 0.5: the mean of their places on a circle."""
    if not spots:
        return 0.0
    angles = [2 * math.pi * (spot - math.floor(spot)) for spot in spots]
    return math.atan2(sum(map(math.sin, angles)), sum(map(math.cos, angles))) / (2 * math.pi)


def at_tempo(
    beats: Sequence[float], downbeats: Sequence[float], measured: float | None, corrected: float | None
) -> list[float]:
    """The beats after the user has corrected the tempo: twice as many, every second one (the first downbeat among
    them), or even ones from the first downbeat on where the correction is another tempo altogether."""
    if not corrected or not measured or len(beats) < 2 or abs(corrected / measured - 1) < 0.04:
        return list(beats)
    ratio = corrected / measured
    if abs(ratio - 2) < 0.08:
        halves = [(before + after) / 2 for before, after in pairwise(beats)]
        return sorted([*beats, *halves])
    first = bisect_right(list(beats), downbeats[0] + 1e-6) - 1 if downbeats else 0
    if abs(ratio - 0.5) < 0.02:
        return list(beats[first % 2 :: 2])
    step = 60.0 / corrected
    return [beats[first] + index * step for index in range(int((beats[-1] - beats[first]) / step) + 1)]

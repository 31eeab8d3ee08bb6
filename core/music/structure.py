"""The form of a song: where its sections begin, which of them are alike, and what musicians call them.

Bars are compared in fours. A section begins where sound and harmony of the bars before and after differ most (the
checkerboard idea of Foote, "Automatic audio segmentation using a measure of audio novelty", 2000), and sections are
preferred to be a multiple of four bars long; which is best of all is found by dynamic programming. Alike sections
share a letter (average-link clustering), and letters get names by repetition, level and place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median
from typing import Literal

Name = Literal["intro", "verse", "chorus", "bridge", "outro"]

PHRASE = 4
LEAST_BARS = 8
LONGEST_BARS = 32
SHORTEST_BAR_SECONDS, LONGEST_BAR_SECONDS = 1.6, 3.5
# Chosen on songs of the studio's own composer, whose form is known (docs/benchmarks.md).
SPECTRUM_DB, HARMONY = 6.0, 1.5
SECTION_COST, ODD_LENGTH = 0.12, 0.3
ALIKE = 0.5


@dataclass(frozen=True)
class BarSound:
    """How one bar sounds: ``start`` in seconds, energy by pitch class (any scale), level by frequency band in dB."""

    start: float
    chroma: tuple[float, ...]
    spectrum: tuple[float, ...]

    @property
    def level(self) -> float:
        """Mean level in dB."""
        return fmean(self.spectrum)


@dataclass(frozen=True)
class Section:
    """Seconds ``start``–``end``; alike sections share the ``label`` ("A", "B" …)."""

    start: float
    end: float
    label: str
    name: Name


def bar_starts(downbeats: Sequence[float], duration: float) -> list[float]:
    """Bars from 0 to the end of the piece; too short ones (a doubled tempo) are joined, too long ones halved."""
    if len(downbeats) < LEAST_BARS:
        return []
    step = median(later - earlier for earlier, later in pairwise(downbeats))
    starts = [time for time in downbeats if time < duration - step / 2]
    while starts[0] > 0.7 * step:
        starts.insert(0, starts[0] - step)
    starts[0] = 0.0  # an upbeat belongs to the first bar
    if step > LONGEST_BAR_SECONDS:
        return [time for start, end in pairwise([*starts, duration]) for time in (start, (start + end) / 2)]
    return starts[::2] if step < SHORTEST_BAR_SECONDS else starts


def find_sections(bars: Sequence[BarSound], end: float) -> list[Section]:
    """The sections of a piece that ends at ``end`` seconds; none where it has no form to speak of.

    That is: fewer than eight bars, or no place where it changes.
    """
    if len(bars) < LEAST_BARS:
        return []
    bounds = _best_bounds(_changes(bars))
    if len(bounds) < 3:
        return []
    parts = [bars[first:last] for first, last in pairwise(bounds)]
    letters = _letters(parts)
    names = _names(letters, parts)
    times = [*(bars[bound].start for bound in bounds[:-1]), end]
    return [
        Section(round(start, 3), round(stop, 3), letter, name)
        for (start, stop), letter, name in zip(pairwise(times), letters, names, strict=True)
    ]


def _changes(bars: Sequence[BarSound]) -> list[float]:
    """How much changes at the beginning of each bar, more than at bars around it; 0 where it is no peak."""
    count = len(bars)
    raw = [0.0] * (count + 1)
    for at in range(PHRASE, count - PHRASE + 1):
        raw[at] = _distance(bars[at - PHRASE : at], bars[at : at + PHRASE])
    peaks = [0.0] * (count + 1)
    for at in range(1, count):
        if raw[at] >= max(raw[at - 1], raw[at + 1]):
            around = (raw[max(at - 3, 0)] + raw[min(at + 3, count)]) / 2
            peaks[at] = max(raw[at] - around, 0.0)
    return peaks


def _distance(left: Sequence[BarSound], right: Sequence[BarSound]) -> float:
    """How differently two stretches sound: mean spectrum, and harmony bar by bar."""
    differences = [a - b for a, b in zip(_mean_spectrum(left), _mean_spectrum(right), strict=True)]
    sound = math.sqrt(fmean(value * value for value in differences)) / SPECTRUM_DB
    harmony = fmean(1.0 - _cosine(a.chroma, b.chroma) for a, b in zip(left, right, strict=False))
    return sound + HARMONY * harmony


def _mean_spectrum(bars: Sequence[BarSound]) -> list[float]:
    return [fmean(band) for band in zip(*(bar.spectrum for bar in bars), strict=True)]


def _cosine(left: Sequence[float], right: Sequence[float]) -> float:
    size = math.sqrt(sum(a * a for a in left) * sum(b * b for b in right))
    return sum(a * b for a, b in zip(left, right, strict=True)) / size if size > 1e-12 else 0.0


def _best_bounds(changes: Sequence[float]) -> list[int]:
    """Bars at which sections begin and the last one ends: as much change as possible in as few sections as possible."""
    count = len(changes) - 1
    best = [0.0, *[-math.inf] * count]
    before = [0] * (count + 1)
    for end in range(1, count + 1):
        for start in range(max(0, end - LONGEST_BARS), end):
            # The first bar may be an upbeat and the last one rings out.
            at_edge = start == 0 or end == count
            if end - start < 3 and not at_edge:
                continue
            odd = 0.0 if (end - start) % PHRASE == 0 else ODD_LENGTH * (1.0 if (end - start) % 2 == 0 else 1.6)
            value = best[start] + (changes[end] - SECTION_COST if end < count else 0.0) - odd * (0.5 if at_edge else 1)
            if value > best[end]:
                best[end], before[end] = value, start
    bounds = [count]
    while bounds[-1] > 0:
        bounds.append(before[bounds[-1]])
    return bounds[::-1]


def _letters(parts: Sequence[Sequence[BarSound]]) -> list[str]:
    """A letter for each part, alike ones the same, in order of appearance."""
    apart = [[_distance(one, other) for other in parts] for one in parts]
    groups = [[index] for index in range(len(parts))]
    while len(groups) > 1:
        distance, first, second = min(
            (fmean(apart[a][b] for a in groups[i] for b in groups[j]), i, j)
            for i in range(len(groups))
            for j in range(i + 1, len(groups))
        )
        if distance > ALIKE:
            break
        groups[first] += groups.pop(second)
    letters = [""] * len(parts)
    for number, group in enumerate(sorted(groups, key=min)):
        for index in group:
            letters[index] = chr(ord("A") + number) if number < 26 else f"Z{number - 25}"
    return letters


def _names(letters: Sequence[str], parts: Sequence[Sequence[BarSound]]) -> list[Name]:
    """The chorus is what comes back loudest; what is heard once is intro, bridge or outro by its place."""
    level = {
        letter: fmean(bar.level for other, part in zip(letters, parts, strict=True) if other == letter for bar in part)
        for letter in letters
    }
    inner = [letter for letter in letters[1:-1] if letter != letters[0]] or list(letters)
    repeated = [letter for letter in inner if letters.count(letter) > 1]
    chorus = max(repeated or inner, key=lambda letter: level[letter])
    names: list[Name] = []
    last = len(letters) - 1
    for index, letter in enumerate(letters):
        elsewhere = {place for place, other in enumerate(letters) if other == letter} - {index}
        if letter == chorus:
            names.append("chorus")
        elif index == 0 and elsewhere <= {last}:
            names.append("intro")
        elif index == last and elsewhere <= {0}:
            names.append("outro")
        elif not elsewhere and "chorus" in names:
            names.append("bridge")
        else:
            names.append("verse")
    return names

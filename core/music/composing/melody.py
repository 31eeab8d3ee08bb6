"""Melody: a motif for each section, varied from bar to bar, on chord tones where it is heard most."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from core.music.arrange import Bar
from core.music.score import Note

REACH = 16
"""Semitones from the lowest to the highest note."""
_LONGEST_LEAP = 7
# Rhythms of a bar as (start, length) in beats, calm ones first; four quarters, three quarters, two dotted quarters.
_RHYTHMS: dict[int, tuple[tuple[tuple[float, float], ...], ...]] = {
    4: (
        ((0, 3.0),), ((0, 2.0), (2, 1.5)), ((0, 1.5), (1.5, 0.5), (2, 2.0)), ((0, 1), (1, 1), (2, 1.5)),
        ((0, 1), (1.5, 0.5), (2, 1), (3, 0.5)), ((0.5, 0.5), (1, 0.5), (1.5, 1), (2.5, 0.5), (3, 0.5)),
        ((0, 0.5), (0.5, 0.5), (1, 1), (2, 0.5), (2.5, 0.5), (3, 0.5)),
        ((0, 0.75), (0.75, 0.75), (1.5, 0.5), (2, 0.75), (2.75, 0.75), (3.5, 0.5)),
    ),
    3: (
        ((0, 2.5),), ((0, 2.0), (2, 1.0)), ((0, 1), (1, 1), (2, 0.8)), ((0, 1.5), (1.5, 0.5), (2, 1)),
        ((0, 1), (1, 0.5), (1.5, 0.5), (2, 0.5), (2.5, 0.5)),
    ),
    2: (
        ((0, 1.5),), ((0, 1), (1, 0.9)), ((0, 2 / 3), (2 / 3, 1 / 3), (1, 0.9)),
        ((0, 1 / 3), (1 / 3, 1 / 3), (2 / 3, 1 / 3), (1, 2 / 3), (5 / 3, 1 / 3)),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class _Motif:
    """A rhythm, and by how many scale steps each note lies above the one before it."""

    rhythm: tuple[tuple[float, float], ...]
    steps: tuple[int, ...]


def melody(bars: Sequence[Bar], low: int, *, seed: str, liveliness: float) -> list[Note]:
    """A line over ``bars`` (those in which it is heard), from ``low`` to :data:`REACH` semitones above.

    Each phrase is motif, variation, motif, ending (a a' a b); strong beats take chord tones, what is between moves by
    step. ``liveliness`` 0–1 chooses how much happens in a bar.
    """
    chance = random.Random(seed)
    notes: list[Note] = []
    motifs: dict[str, tuple[_Motif, _Motif]] = {}
    pitch = low + REACH // 2
    for bar in bars:
        if bar.section not in motifs:
            busier = liveliness + (0.15 if bar.section == "b" else 0.0)
            motifs[bar.section] = (_motif(chance, bar.metre, busier), _motif(chance, bar.metre, busier - 0.3))
        main, ending = motifs[bar.section]
        if bar.final:
            notes.append(Note(bar.start, bar.beats * 0.9, _nearest(bar.chord[:1], pitch, low), 84))
            continue
        closes = bar.phrase % 4 == 3 or bar.last
        motif = ending if closes else _varied(main, chance) if bar.phrase % 4 == 1 else main
        for index, (start, length) in enumerate(motif.rhythm):
            if start >= bar.beats:
                break
            strong = index == 0 or start % 1 == 0 or (closes and index == len(motif.rhythm) - 1)
            pitch = _moved(pitch, motif.steps[index], bar, low, strong=strong)
            held = min(length, bar.beats - start) * 0.94
            notes.append(Note(bar.start + start, held, pitch, 92 if start == 0 else 80 if strong else 74))
    return notes


def _motif(chance: random.Random, metre: int, liveliness: float) -> _Motif:
    rhythms = _RHYTHMS[metre]
    centre = min(max(liveliness, 0.0), 1.0) * (len(rhythms) - 1)
    rhythm = min(chance.sample(rhythms, min(3, len(rhythms))), key=lambda one: abs(rhythms.index(one) - centre))
    direction = chance.choice((-1, 1))
    steps = [0]
    for _ in rhythm[1:]:
        direction = -direction if chance.random() < 0.35 else direction
        steps.append(direction * chance.choice((1, 1, 1, 2, 2, 3)))
    return _Motif(rhythm, tuple(steps))


def _varied(motif: _Motif, chance: random.Random) -> _Motif:
    """A sequence (the same, moved), its inversion, or its second half drawn again."""
    how = chance.randrange(3)
    if how == 0:
        return _Motif(motif.rhythm, (chance.choice((-2, 1, 2)), *motif.steps[1:]))
    if how == 1:
        return _Motif(motif.rhythm, tuple(-step for step in motif.steps))
    half = len(motif.steps) // 2
    return _Motif(motif.rhythm, (*motif.steps[:half], *(chance.choice((-1, 1, 2)) for _ in motif.steps[half:])))


def _moved(pitch: int, steps: int, bar: Bar, low: int, *, strong: bool) -> int:
    ladder = [one for one in range(low, low + REACH + 1) if one % 12 in bar.scale]
    at = min(range(len(ladder)), key=lambda index: abs(ladder[index] - pitch))
    wished = at + steps
    if not 0 <= wished < len(ladder):  # turned back at the edge of the register
        wished = at - steps
    aim = ladder[min(max(wished, 0), len(ladder) - 1)]
    found = _nearest(bar.chord[:3], aim, low) if strong else aim
    return found if abs(found - pitch) <= _LONGEST_LEAP else _nearest(bar.chord[:3], pitch, low)


def _nearest(classes: Sequence[int], pitch: int, low: int) -> int:
    among = [one for one in range(low, low + REACH + 1) if one % 12 in classes]
    return min(among, key=lambda one: (abs(one - pitch), one))

"""What a left hand can hold, and the least effort of holding one thing after another.

A grip puts each note of a column on a string of its own. A sequence of grips is chosen by Viterbi over grip and
position of the hand, as in Sayegh, "Fingering for string instruments with the optimum path paradigm" (Computer Music
Journal, 1989): the cost is the hand's shift, the spread of its fingers, strings skipped, and height on the neck; open
strings cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from core.music.tabs.instruments import HIGHEST_FRET, Instrument

STRETCH = 3
"""Frets between the lowest and the highest finger: four frets are under the hand."""
WIDE_STRETCH = 4
"""The same in advanced tabs: five frets."""
FINGERS = 4
_MOST_GRIPS = 40

# Costs, in units of two frets' shift of the hand.
_SPREAD, _SKIP, _HEIGHT, _OPEN, _BARRE, _FINGER = 0.5, 0.35, 0.25, -0.25, 0.8, 0.1
_SHIFT, _FIRST_SHIFT = 0.5, 0.4
_NEAR_NUT = 5


@dataclass(frozen=True)
class Grip:
    """``frets``: (string, fret) pairs; strings count from 1, fret 0 is the open string."""

    frets: tuple[tuple[int, int], ...]

    @property
    def pressed(self) -> tuple[int, ...]:
        """The frets under fingers."""
        return tuple(fret for _, fret in self.frets if fret)

    @property
    def stretch(self) -> int:
        """Frets between the lowest and the highest finger."""
        return max(self.pressed) - min(self.pressed) if self.pressed else 0

    @property
    def barred(self) -> bool:
        """Whether one finger has to lie across several strings."""
        return len(self.pressed) > FINGERS

    @property
    def fingers(self) -> int | None:
        """How many fingers it takes, the first of them lying across if there are more notes than fingers; None where
        even that does not reach, or would stop a string that is to sound open."""
        if not self.barred:
            return len(self.pressed)
        lowest = min(self.pressed)
        across = [string for string, fret in self.frets if fret == lowest]
        held = dict(self.frets)
        if any(held.get(string) == 0 for string in range(min(across), max(across) + 1)):
            return None
        return 1 + sum(fret > lowest for fret in self.pressed)

    def pitches(self, instrument: Instrument) -> tuple[int, ...]:
        """What sounds, as MIDI numbers from low to high."""
        return tuple(sorted(instrument.strings[string - 1] + fret for string, fret in self.frets))


def is_playable(grip: Grip, stretch: int = STRETCH) -> bool:
    """One note a string, frets on the neck, fingers enough and not too far apart."""
    strings = [string for string, _ in grip.frets]
    fingers = grip.fingers
    return (
        len(set(strings)) == len(strings)
        and all(0 <= fret <= HIGHEST_FRET for _, fret in grip.frets)
        and grip.stretch <= stretch
        and fingers is not None
        and fingers <= FINGERS
    )


@lru_cache(maxsize=20_000)
def grips(instrument: Instrument, pitches: tuple[int, ...], stretch: int = STRETCH) -> tuple[Grip, ...]:
    """Every playable way to sound exactly these pitches together, the easiest first, forty at most."""
    found: list[Grip] = []
    places = [
        [(string, pitch - tuned) for string, tuned in enumerate(instrument.strings, 1) if 0 <= pitch - tuned <= 20]
        for pitch in sorted(pitches, reverse=True)
    ]

    def put(index: int, chosen: tuple[tuple[int, int], ...]) -> None:
        if index == len(places):
            grip = Grip(tuple(sorted(chosen)))
            if is_playable(grip, stretch):
                found.append(grip)
            return
        for string, fret in places[index]:
            if all(string != other for other, _ in chosen) and Grip((*chosen, (string, fret))).stretch <= stretch:
                put(index + 1, (*chosen, (string, fret)))

    if len(places) <= len(instrument.strings):
        put(0, ())
    return tuple(sorted(found, key=lambda grip: (effort(grip), grip.frets))[:_MOST_GRIPS])


def effort(grip: Grip) -> float:
    """What holding a grip costs by itself."""
    strings = [string for string, _ in grip.frets]
    skipped = max(strings) - min(strings) + 1 - len(strings) if strings else 0
    # An open string is a rest for the hand near the nut, and out of the way high up the neck.
    opened = _OPEN if min(grip.pressed, default=0) <= _NEAR_NUT else -_OPEN
    cost = _SPREAD * grip.stretch + _SKIP * skipped + opened * (len(strings) - len(grip.pressed))
    cost += _FINGER * len(grip.pressed) + (_BARRE if grip.barred else 0.0)
    return cost + (_HEIGHT * min(grip.pressed) if grip.pressed else 0.0)


def positions(grip: Grip, stretch: int) -> range:
    """Where the hand may be (the fret under its first finger) for a grip; anywhere when all strings are open."""
    if not grip.pressed:
        return range(1, HIGHEST_FRET - STRETCH + 1)
    return range(max(1, max(grip.pressed) - stretch), min(grip.pressed) + 1)


def easiest_path(choices: Sequence[Sequence[tuple[Grip, float]]], stretch: int = STRETCH) -> list[Grip]:
    """One grip of each column so that the whole takes the least effort.

    Args:
        choices: for each column the grips it may be played with, at least one, each with a cost of its own beyond
            :func:`effort` (negative where it is wanted).
    """
    spots = range(1, HIGHEST_FRET + 1)
    best: dict[int, float] = dict.fromkeys(spots, 0.0)
    first = True
    history: list[dict[int, tuple[Grip, int]]] = []
    for column in choices:
        # Where the hand comes from, for each place it may go to.
        came = {spot: min((cost + _shift(other, spot, first), other) for other, cost in best.items()) for spot in spots}
        first = False
        reached: dict[int, tuple[float, Grip, int]] = {}
        for grip, extra in column:
            held = effort(grip) + extra
            for spot in positions(grip, stretch):
                before, origin = came[spot]
                if spot not in reached or before + held < reached[spot][0]:
                    reached[spot] = (before + held, grip, origin)
        best = {spot: cost for spot, (cost, _, _) in reached.items()}
        history.append({spot: (grip, origin) for spot, (_, grip, origin) in reached.items()})
    path: list[Grip] = []
    spot = min(best, key=lambda one: best[one])
    for row in reversed(history):
        grip, spot = row[spot]
        path.append(grip)
    path.reverse()
    return path


def _shift(before: int, after: int, first: bool) -> float:
    """Moving the hand; where it begins is free."""
    if first or before == after:
        return 0.0
    return _FIRST_SHIFT + _SHIFT * abs(after - before)


def reduced(instrument: Instrument, wanted: Iterable[tuple[int, float]], stretch: int = STRETCH) -> tuple[int, ...]:
    """The pitches of a column that one hand can play together: the outer voices stay as long as possible, of the inner
    ones the weakest goes first.

    Args:
        wanted: (pitch, strength) pairs.
    """
    left = {pitch: strength for pitch, strength in wanted if grips(instrument, (pitch,), stretch)}
    while left:
        pitches = tuple(sorted(left))
        if grips(instrument, pitches, stretch):
            return pitches
        inner = pitches[1:-1] or pitches[:1]
        del left[min(inner, key=lambda pitch: left[pitch])]
    return ()

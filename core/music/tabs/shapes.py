"""Chord shapes: where the fingers go for a chord by name, and what a capo makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import product

from core.music.keys import NOTES, split_chord
from core.music.tabs.hand import FINGERS, STRETCH, Grip, is_playable
from core.music.tabs.instruments import Instrument

NO_CHORD = "N"
HIGHEST_POSITION = 9
"""The highest fret under the first finger of a shape."""
INTERVALS: Mapping[str, tuple[int, ...]] = {
    "": (0, 4, 7), "m": (0, 3, 7), "5": (0, 7), "dim": (0, 3, 6), "aug": (0, 4, 8), "sus2": (0, 2, 7),
    "sus4": (0, 5, 7), "6": (0, 4, 7, 9), "m6": (0, 3, 7, 9), "7": (0, 4, 7, 10), "maj7": (0, 4, 7, 11),
    "m7": (0, 3, 7, 10), "mmaj7": (0, 3, 7, 11), "7sus4": (0, 5, 7, 10), "dim7": (0, 3, 6, 9), "m7b5": (0, 3, 6, 10),
    "hdim7": (0, 3, 6, 10), "add9": (0, 4, 7, 2), "9": (0, 4, 7, 10, 2), "maj9": (0, 4, 7, 11, 2),
    "m9": (0, 3, 7, 10, 2),
}  # fmt: skip
"""Semitones above the root by a chord's suffix."""

# What is hard about a shape, in fingers: chosen so that the shapes every chord book shows come out (the tests name
# them).
_FINGER, _SPREAD, _POSITION, _BARRE, _CLOSED, _MUTE = 0.5, 0.3, 0.4, 1.5, 3.0, 1.0
_INNER_MUTE, _TREBLE_MUTE, _OTHER_BASS, _LONE_OPEN, _CROWDED, _MISSING = 6.0, 1.0, 4.0, 4.0, 1.0, 0.5
_FEWEST_STRINGS = 4


def tones(chord: str) -> tuple[int, ...]:
    """Pitch classes of a chord ("Am7", "D/F#"), its root first.

    Raises:
        ValueError: "N", or a chord of an unknown kind.
    """
    name = chord.partition("/")[0]
    if name == NO_CHORD:
        raise ValueError("no chord has no tones")
    root, suffix = split_chord(name)
    if suffix not in INTERVALS:
        raise ValueError(f"unknown kind of chord: {chord!r}")
    return tuple((root + interval) % 12 for interval in INTERVALS[suffix])


def transposed(chord: str, semitones: int) -> str:
    """The chord's name so many semitones higher."""
    if chord == NO_CHORD:
        return chord
    name, slash, bass = chord.partition("/")
    root, suffix = split_chord(name)
    moved = NOTES[(root + semitones) % 12] + suffix
    return moved + slash + (NOTES[(split_chord(bass)[0] + semitones) % 12] if slash else "")


@lru_cache(maxsize=2_000)
def shape(instrument: Instrument, chord: str) -> Grip:
    """The easiest shape of a chord with all its tones; of four tones the fifth may miss, of five on four strings the
    root too."""
    return min(shapes(instrument, chord), key=lambda grip: (difficulty(instrument, chord, grip), grip.frets))


@lru_cache(maxsize=2_000)
def shapes(
    instrument: Instrument, chord: str, stretch: int = STRETCH, fewest: int = _FEWEST_STRINGS
) -> tuple[Grip, ...]:
    """All playable shapes of a chord on so many strings or more in the first nine positions."""
    classes = tones(chord)
    needed = set(classes)
    if len(classes) > 3:
        needed.discard((classes[0] + 7) % 12)
    if len(classes) > len(instrument.strings):
        needed.discard(classes[0])
    enough = min(fewest, len(classes) + 1)
    found: set[Grip] = set()
    for position in range(1, HIGHEST_POSITION + 1):
        for frets in product(*_places(instrument, classes, position, stretch, fewest)):
            sounding = [tuned + fret for tuned, fret in zip(instrument.strings, frets, strict=True) if fret is not None]
            if len(sounding) >= enough and needed <= {pitch % 12 for pitch in sounding}:
                grip = Grip(tuple((string, fret) for string, fret in enumerate(frets, 1) if fret is not None))
                if is_playable(grip, stretch):
                    found.add(grip)
    return tuple(sorted(found, key=lambda grip: grip.frets))


def _places(
    instrument: Instrument, classes: Sequence[int], position: int, stretch: int, fewest: int
) -> Iterator[tuple[int | None, ...]]:
    """For each string: silent, open, or a fret under the hand, if that is a tone of the chord."""
    for tuned in instrument.strings:
        frets = [fret for fret in (0, *range(position, position + stretch + 1)) if (tuned + fret) % 12 in classes]
        # On a ukulele every strum meets every string; two tones do not always reach for all four.
        every = instrument.reentrant and min(fewest, len(classes) + 1) == len(instrument.strings)
        yield tuple(frets) if every else (None, *frets)


def difficulty(instrument: Instrument, chord: str, grip: Grip) -> float:
    """How hard a shape is for somebody who learns: barres, stretches, silent strings in the middle, another bass."""
    held = dict(grip.frets)
    silent = [string for string in range(1, len(instrument.strings) + 1) if string not in held]
    inside = [string for string in silent if min(held) < string < max(held)]
    cost = _MUTE * len(silent) + _INNER_MUTE * len(inside) + _SPREAD * grip.stretch**2
    cost += _TREBLE_MUTE * sum(string < min(held) for string in silent)
    if grip.pressed:
        cost += _POSITION * (min(grip.pressed) - 1)
    fingers = len(grip.pressed)
    if grip.barred:
        cost += _BARRE + _FINGER * (sum(fret > min(grip.pressed) for fret in grip.pressed))
    else:
        cost += _FINGER * fingers + (_CROWDED if fingers == FINGERS and grip.stretch > 1 else 0.0)
    cost += _open_strings(held)
    classes, sounding = tones(chord), grip.pitches(instrument)
    bass = split_chord(chord.partition("/")[2])[0] if "/" in chord else classes[0]
    if not instrument.reentrant and sounding[0] % 12 != bass:
        cost += _OTHER_BASS
    return cost + _MISSING * len(set(classes) - {pitch % 12 for pitch in sounding})


def _open_strings(held: Mapping[int, int]) -> float:
    """Open strings make a shape easy at the nut, and hard where fingers have to stand clear of them."""
    opened = [string for string, fret in held.items() if fret == 0]
    pressed = {string: fret for string, fret in held.items() if fret}
    if not opened:
        return _CLOSED
    if not pressed:
        return 0.0
    cost = _CLOSED if min(pressed.values()) > STRETCH else 0.0
    between = [string for string in opened if min(pressed) < string < max(pressed)]
    if len(opened) == 1 and between:
        cost += _LONE_OPEN if max(pressed.values()) - min(pressed.values()) > 1 else _LONE_OPEN / 4
    for string in between:
        beside = [pressed.get(string - 1), pressed.get(string + 1)]
        if None not in beside and abs((beside[0] or 0) - (beside[1] or 0)) > 1:
            cost += _LONE_OPEN
    return cost


def is_open(grip: Grip) -> bool:
    """A beginner's shape: an open string, no barre, near the nut."""
    return not grip.barred and len(grip.pressed) < len(grip.frets) and max(grip.pressed, default=0) <= FINGERS


def best_capo(instrument: Instrument, chords: Sequence[tuple[str, float]]) -> int:
    """The fret where a capo makes a piece easiest; 0 where none helps.

    Args:
        chords: (name as it sounds, how long it lasts) pairs.
    """
    lasting: dict[str, float] = {}
    for chord, length in chords:
        if chord != NO_CHORD:
            lasting[chord] = lasting.get(chord, 0.0) + length
    whole = sum(lasting.values())
    if whole <= 0:
        return 0

    def cost(capo: int) -> float:
        hard = 0.0
        for chord, length in lasting.items():
            played = transposed(chord, -capo)
            grip = shape(instrument, played)
            hard += length * (difficulty(instrument, played, grip) + (0.0 if is_open(grip) else 4.0))
        return hard / whole + 0.15 * capo + (0.35 if capo else 0.0)

    return min(range(instrument.highest_capo + 1), key=lambda capo: (cost(capo), capo))


def written(instrument: Instrument, grip: Grip) -> str:
    """The shape as players write it, the lowest string first: "x32010"."""
    held = dict(grip.frets)
    frets = [held.get(string) for string in range(len(instrument.strings), 0, -1)]
    parts = ["x" if fret is None else str(fret) for fret in frets]
    return ("" if all(len(part) == 1 for part in parts) else "-").join(parts)

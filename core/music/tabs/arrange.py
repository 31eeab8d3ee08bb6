"""What is heard becomes what one player plays, in three levels (SPEC M4.2).

- easy: chords in open shapes behind the capo that makes them easiest, strummed on the beats, and the melody thinned to
  one note a beat at most; on a bass the root at each change and every second beat;
- original: the notes as they were heard, without overtones and stray notes, as one hand can play them; on a bass the
  lowest line;
- advanced: the same with chords in full voicings under the melody, wider stretches allowed.

What the notes are thinned by is in music's terms; the numbers were chosen on rendered guitar, bass and ukulele parts
other than the ones the tests use.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from core.music.keys import split_chord
from core.music.tabs.grid import Placed, PlacedChord
from core.music.tabs.hand import STRETCH, WIDE_STRETCH, Grip, easiest_path, grips, is_playable, reduced
from core.music.tabs.instruments import INSTRUMENTS, Instrument
from core.music.tabs.model import ChordMark, ChordShape, Column, Difficulty, Part, TabNote
from core.music.tabs.shapes import NO_CHORD, best_capo, shape, shapes, tones, transposed

OVERTONES = (12, 19, 24, 28, 31)
"""Where a note's overtones sound with it, in semitones above."""
_OVERTONE_SHARE = 0.8
"""An overtone is weaker than this share of its note."""
_FAINT_SHARE = 0.45
"""A note weaker than this share of its neighbours' is a stray one."""
_VOICING_WISH = -1.2
"""What each further note of a full voicing is worth, in the units of :mod:`core.music.tabs.hand`."""
_MISSING_HEARD = 1.5
"""What leaving out a note that was heard costs."""
_FEWEST_VOICES = 3
_BASS_TOP = 55
"""Above the twelfth fret of its highest string hardly any bass accompanies: that is somebody else."""
_MOST_VOICINGS = 60


class NothingToPlay(ValueError):
    """Nothing that was heard can be played on the instrument."""


def arrange(
    instrument: Instrument, difficulty: Difficulty, notes: Sequence[Placed], chords: Sequence[PlacedChord], pulse: int
) -> tuple[tuple[Part, ...], int]:
    """The parts of a tab and the fret its capo is on.

    Raises:
        NothingToPlay: nothing that was heard can be played on the instrument.
    """
    clean = tidied(instrument, notes)
    capo = 0
    if instrument.name == "bass":
        parts = [Part(name="bass", columns=_bass(instrument, difficulty, clean, chords, pulse))]
    elif difficulty == "easy":
        capo = best_capo(instrument, [(chord.chord, chord.length) for chord in chords])
        behind = instrument.fretted_from(capo)
        melody = [note for note in _thinned(melody_line(clean), pulse) if note.pitch >= behind.low]
        parts = [
            Part(name="strumming", columns=_strummed(instrument, chords, capo, pulse)),
            Part(name="melody", columns=_fingered(behind, melody)),
        ]
    else:
        whole = unmasked(instrument, clean, chords)
        columns = _voiced(instrument, whole, chords) if difficulty == "advanced" else _fingered(instrument, whole)
        parts = [Part(name="arrangement", columns=columns)]
    played = tuple(part for part in parts if part.columns)
    if not played:
        raise NothingToPlay
    return played, capo


def _bass(
    instrument: Instrument, difficulty: Difficulty, notes: Sequence[Placed], chords: Sequence[PlacedChord], pulse: int
) -> tuple[Column, ...]:
    line = lowest_line([note for note in notes if note.pitch <= _BASS_TOP])
    if difficulty == "easy":
        return _fingered(instrument, _roots(line, chords, pulse))
    return _voiced(instrument, line, chords) if difficulty == "advanced" else _fingered(instrument, line)


def tidied(instrument: Instrument, notes: Sequence[Placed]) -> list[Placed]:
    """The notes on the instrument that were surely played: overtones and stray notes are gone."""
    at: dict[int, list[Placed]] = defaultdict(list)
    for note in notes:
        at[note.start].append(note)
    kept: list[Placed] = []
    for start in sorted(at):
        together = {note.pitch: note for note in at[start]}
        loudest = max(note.strength for note in together.values())
        for note in together.values():
            below = [together[note.pitch - up] for up in OVERTONES if note.pitch - up in together]
            overtone = any(note.strength < _OVERTONE_SHARE * other.strength for other in below)
            faint = note.strength < _FAINT_SHARE * loudest
            if instrument.low <= note.pitch <= instrument.high and not overtone and not faint:
                kept.append(note)
    return kept


def unmasked(instrument: Instrument, notes: Sequence[Placed], chords: Sequence[PlacedChord]) -> list[Placed]:
    """The notes, and those of a strummed chord that others hide: where everything that was heard belongs to the shape
    that players use for the chord, and half of it was heard, the strings between those that were heard are struck too,
    and the ones that sound on overtones of theirs."""
    at = _by_start(notes)
    added: list[Placed] = []
    for chord in chords:
        if chord.chord == NO_CHORD:
            continue
        frets = shape(instrument, chord.chord).frets
        held = {instrument.strings[string - 1] + fret: string for string, fret in frets}
        for start in range(chord.start, chord.start + chord.length):
            heard = {note.pitch: note for note in at.get(start, [])}
            if len(heard) < _FEWEST_VOICES or 2 * len(heard) < len(held) or not heard.keys() <= held.keys():
                continue
            struck = [held[pitch] for pitch in heard]
            faintest = min(heard.values(), key=lambda note: note.strength)
            for pitch, string in held.items():
                hidden = any(pitch - other in OVERTONES for other in heard)
                if pitch not in heard and (hidden or min(struck) < string < max(struck)):
                    added.append(replace(faintest, pitch=pitch))
    return sorted([*notes, *added], key=lambda note: (note.start, note.pitch))


def lowest_line(notes: Sequence[Placed]) -> list[Placed]:
    """One note at a time: the lowest of those that begin together, unless a lower one still sounds through it."""
    return _line(notes, highest=False)


def melody_line(notes: Sequence[Placed]) -> list[Placed]:
    """One note at a time: the highest."""
    return _line(notes, highest=True)


def _line(notes: Sequence[Placed], *, highest: bool) -> list[Placed]:
    chosen: dict[int, Placed] = {}
    for note in notes:
        known = chosen.get(note.start)
        if known is None or (note.pitch > known.pitch) == highest:
            chosen[note.start] = note
    line: list[Placed] = []
    for note in sorted(chosen.values(), key=lambda one: one.start):
        before = line[-1] if line else None
        covered = before is not None and before.start + before.length > note.start + note.length // 2
        # An inner voice that moves under (over) a held note is not the line.
        apart = before is not None and (before.pitch - note.pitch if highest else note.pitch - before.pitch) > 5
        if not (covered and apart):
            line.append(note)
    return line


def _thinned(line: Sequence[Placed], pulse: int) -> list[Placed]:
    """The notes that begin on a beat."""
    return [note for note in line if note.start % pulse == 0]


def _roots(line: Sequence[Placed], chords: Sequence[PlacedChord], pulse: int) -> list[Placed]:
    """Each chord's root near the nut at its change and every second beat after; where no chord is known, what was heard
    on the beats."""
    found = []
    for chord in chords:
        if chord.chord == NO_CHORD:
            inside = [note for note in line if chord.start <= note.start < chord.start + chord.length]
            found += _thinned(inside, pulse)
            continue
        pitch = _low_root(chord.chord)
        for start in range(chord.start, chord.start + chord.length, 2 * pulse):
            found.append(Placed(start, min(2 * pulse, chord.start + chord.length - start), pitch, 1.0))
    return found


def _root(chord: str) -> int:
    return split_chord(chord.partition("/")[0])[0]


def _low_root(chord: str) -> int:
    """The lowest root on a bass."""
    low = INSTRUMENTS["bass"].low
    return low + (_root(chord) - low) % 12


def _strummed(instrument: Instrument, chords: Sequence[PlacedChord], capo: int, pulse: int) -> tuple[Column, ...]:
    """Every chord's open shape, a stroke down on each beat and up between the last two of a chord of four or more."""
    columns = []
    for chord in chords:
        if chord.chord == NO_CHORD:
            continue
        grip = shape(instrument, transposed(chord.chord, -capo))
        beats = chord.length // pulse
        for beat in range(beats):
            start = chord.start + beat * pulse
            swing = pulse % 2 == 0 and beats >= 4 and beat % 4 == 2
            columns.append(_column(grip, start, pulse // 2 if swing else pulse, "down"))
            if swing:
                columns.append(_column(grip, start + pulse // 2, pulse // 2, "up"))
    return tuple(columns)


def _fingered(instrument: Instrument, notes: Sequence[Placed]) -> tuple[Column, ...]:
    """Notes as heard under the easiest fingering."""
    at = _by_start(notes)
    starts, choices = [], []
    for start in sorted(at):
        options = _options(instrument, at[start], STRETCH)
        if options:
            starts.append(start)
            choices.append(options)
    return _timed(starts, easiest_path(choices), at)


def _options(instrument: Instrument, notes: Sequence[Placed], stretch: int) -> list[tuple[Grip, float]]:
    """How notes can be played together: all that reach, or without the weakest of the inner voices where that spares
    the hand a contortion."""
    strengths = {note.pitch: note.strength for note in notes}
    pitches = reduced(instrument, strengths.items(), stretch)
    options = [(grip, 0.0) for grip in grips(instrument, pitches, stretch)] if pitches else []
    if len(pitches) > 2:
        weakest = min(pitches[1:-1], key=lambda pitch: strengths[pitch])
        fewer = tuple(pitch for pitch in pitches if pitch != weakest)
        options += [(grip, _MISSING_HEARD) for grip in grips(instrument, fewer, stretch)]
    return options


def _voiced(instrument: Instrument, notes: Sequence[Placed], chords: Sequence[PlacedChord]) -> tuple[Column, ...]:
    """Notes as heard, and at each change of chord as full a voicing of it as the hand reaches under the highest of
    them (above the lowest on a bass)."""
    at = _by_start(notes)
    changes = {chord.start: chord for chord in chords if chord.chord != NO_CHORD}
    for start, chord in changes.items():
        at.setdefault(start, [])
        if not at[start]:
            at[start] = [Placed(start, chord.length, -1, 0.0)]
    starts, choices = [], []
    for start in sorted(at):
        heard = [note for note in at[start] if note.pitch >= 0]
        options = _options(instrument, heard, WIDE_STRETCH)
        if start in changes:
            pitches = reduced(instrument, [(note.pitch, note.strength) for note in heard], WIDE_STRETCH)
            options += voicings(instrument, changes[start].chord, pitches)
        if options:
            starts.append(start)
            choices.append(options)
    return _timed(starts, easiest_path(choices, WIDE_STRETCH), at)


def voicings(instrument: Instrument, chord: str, heard: Sequence[int]) -> list[tuple[Grip, float]]:
    """Grips of a chord whose top note is the highest that was heard, of the chord or not (whose lowest is the lowest,
    on a bass), each with what it is worth; without anything heard, any. Below what was heard only the root is added."""
    if instrument.name == "bass":
        candidates = _dyads(instrument, chord, min(heard) if heard else _low_root(chord))
    elif heard:
        candidates = [
            grip
            for grip in _under(instrument, chord, max(heard))
            if _keeps_bass(instrument, grip, min(heard), _root(chord))
        ]
    else:
        candidates = list(shapes(instrument, chord, WIDE_STRETCH, _FEWEST_VOICES))
    found = []
    for grip in candidates:
        sounding = set(grip.pitches(instrument))
        missing = len(set(heard) - sounding)
        if instrument.reentrant or len(sounding) == len(grip.frets):
            found.append((grip, _VOICING_WISH * (len(sounding) - len(heard)) + _MISSING_HEARD * missing))
    return sorted(found, key=lambda pair: (pair[1], pair[0].frets))[:_MOST_VOICINGS]


@lru_cache(maxsize=2_000)
def _under(instrument: Instrument, chord: str, top: int) -> tuple[Grip, ...]:
    """The melody's note with tones of the chord on other strings, all of them lower; on a ukulele, whose four strings
    lie within an octave, anywhere."""
    places = [(string, top - tuned) for string, tuned in enumerate(instrument.strings, 1) if 0 <= top - tuned <= 20]
    found = set()
    for grip in shapes(instrument, chord, WIDE_STRETCH, _FEWEST_VOICES):
        for place in places:
            lower = tuple(
                (string, fret)
                for string, fret in grip.frets
                if string != place[0] and (instrument.reentrant or instrument.strings[string - 1] + fret < top)
            )
            joined = Grip(tuple(sorted((*lower, place))))
            classes = {(instrument.strings[string - 1] + fret) % 12 for string, fret in lower}
            if len(classes) > 1 and is_playable(joined, WIDE_STRETCH):
                found.add(joined)
    return tuple(found)


def _keeps_bass(instrument: Instrument, grip: Grip, lowest: int, root: int) -> bool:
    bass = grip.pitches(instrument)[0]
    return bass >= lowest or bass % 12 == root or instrument.reentrant


def _dyads(instrument: Instrument, chord: str, lowest: int) -> list[Grip]:
    """On a bass a chord is its lowest note with a fifth, seventh, octave or tenth above."""
    upper = [lowest + up for up in (7, 10, 12, 15, 16) if (lowest + up) % 12 in tones(chord)]
    return [grip for pitch in upper for grip in grips(instrument, (lowest, pitch), WIDE_STRETCH)]


def _by_start(notes: Sequence[Placed]) -> dict[int, list[Placed]]:
    at: dict[int, list[Placed]] = defaultdict(list)
    for note in notes:
        at[note.start].append(note)
    return at


def _timed(starts: Sequence[int], path: Sequence[Grip], at: dict[int, list[Placed]]) -> tuple[Column, ...]:
    """Columns one after another: each lasts as its longest note, up to the next one; a gap of less than a beat after it
    is no rest."""
    columns = []
    for index, (start, grip) in enumerate(zip(starts, path, strict=True)):
        longest = max(note.length for note in at[start])
        if index + 1 < len(starts):
            gap = starts[index + 1] - start
            longest = gap if longest + 4 > gap else longest
        columns.append(_column(grip, start, longest, ""))
    return tuple(columns)


def _column(grip: Grip, start: int, length: int, stroke: str) -> Column:
    notes = tuple(TabNote(string=string, fret=fret) for string, fret in grip.frets)
    return Column(start=start, length=length, notes=notes, stroke=stroke)


def marks(chords: Sequence[PlacedChord], capo: int) -> tuple[ChordMark, ...]:
    """The chords over the bars, as they sound and as their shapes are called behind a capo."""
    return tuple(
        ChordMark(
            start=chord.start, length=chord.length, chord=chord.chord, played=transposed(chord.chord, -capo),
            roman=chord.roman,
        )
        for chord in chords
    )  # fmt: skip


def chord_book(instrument: Instrument, chords: Sequence[ChordMark]) -> tuple[ChordShape, ...]:
    """A shape of each chord that is played, in the order they first come."""
    if instrument.name == "bass":
        return ()
    found = {}
    for mark in chords:
        if mark.played != NO_CHORD and mark.played not in found:
            held = dict(shape(instrument, mark.played).frets)
            frets = tuple(held.get(string) for string in range(len(instrument.strings), 0, -1))
            found[mark.played] = ChordShape(chord=mark.played, frets=frets)
    return tuple(found.values())

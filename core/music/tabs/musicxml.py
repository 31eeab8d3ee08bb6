"""Tabs as MusicXML 4.0 (W3C Community Group Report, 2021): a tablature staff for each part, with strings, frets and
harmony. Pitches are written as they sound, the capo's fret stands in the staff's details.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from core.music.keys import split_chord
from core.music.tabs.model import ChordMark, Column, Part, Tab, TabNote, pieces
from core.music.tabs.shapes import NO_CHORD

DIVISIONS = 4
_TYPES = {1: ("16th", 0), 2: ("eighth", 0), 3: ("eighth", 1), 4: ("quarter", 0), 6: ("quarter", 1), 8: ("half", 0),
          12: ("half", 1), 16: ("whole", 0)}  # fmt: skip
_SHARP = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_FLAT = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
_KINDS = {
    "": "major", "m": "minor", "5": "power", "dim": "diminished", "aug": "augmented", "sus2": "suspended-second",
    "sus4": "suspended-fourth", "6": "major-sixth", "m6": "minor-sixth", "7": "dominant", "maj7": "major-seventh",
    "m7": "minor-seventh", "mmaj7": "major-minor", "dim7": "diminished-seventh", "m7b5": "half-diminished",
    "hdim7": "half-diminished", "9": "dominant-ninth", "maj9": "major-ninth", "m9": "minor-ninth",
}  # fmt: skip
_PART_NAMES = {"strumming": "Strumming", "melody": "Melody", "arrangement": "", "bass": ""}
# Fifths above C major of each major key's signature.
_FIFTHS = {0: 0, 7: 1, 2: 2, 9: 3, 4: 4, 11: 5, 6: 6, 1: -5, 8: -4, 3: -3, 10: -2, 5: -1}


def fifths(key: str | None) -> int:
    """Sharps (positive) or flats (negative) in the signature of a key such as "A:min"; 0 where none is known."""
    if not key:
        return 0
    name, _, mode = key.partition(":")
    tonic = split_chord(name)[0]
    return _FIFTHS[(tonic + 3) % 12 if mode == "min" else tonic]


def as_musicxml(tab: Tab) -> bytes:
    """The tab as a MusicXML document in UTF-8."""
    score = Element("score-partwise", version="4.0")
    SubElement(SubElement(score, "work"), "work-title").text = "".join(one for one in tab.title if one.isprintable())
    SubElement(SubElement(SubElement(score, "identification"), "encoding"), "software").text = "Creator Studio"
    listed = SubElement(score, "part-list")
    for number, part in enumerate(tab.parts, 1):
        about = SubElement(listed, "score-part", id=f"P{number}")
        SubElement(about, "part-name").text = _PART_NAMES[part.name] or tab.instrument.capitalize()
        SubElement(SubElement(about, "score-instrument", id=f"P{number}-I1"), "instrument-name").text = tab.instrument
        midi = SubElement(about, "midi-instrument", id=f"P{number}-I1")
        SubElement(midi, "midi-channel").text = str(number)
        SubElement(midi, "midi-program").text = str(tab.tuning.program + 1)
    for number, part in enumerate(tab.parts, 1):
        _write_part(SubElement(score, "part", id=f"P{number}"), tab, part, with_chords=number == 1)
    indent(score)
    body: bytes = tostring(score, encoding="utf-8", xml_declaration=True)
    return body


def _write_part(where: Element, tab: Tab, part: Part, *, with_chords: bool) -> None:
    waiting = [mark for mark in tab.chords if mark.chord != NO_CHORD] if with_chords else []
    for number, bar in enumerate(note_values(tab, part), 1):
        measure = SubElement(where, "measure", number=str(number))
        if number == 1:
            _attributes(measure, tab)
            if with_chords:
                _tempo(measure, tab)
        for at, value, column, ties in bar:
            while waiting and waiting[0].start < at + value:
                mark = waiting.pop(0)
                _harmony(measure, mark, max(0, mark.start - at), fifths(tab.key))
            _beat(measure, tab, column, value, ties)


NoteValue = tuple[int, int, Column | None, tuple[bool, bool]]


def note_values(tab: Tab, part: Part) -> list[list[NoteValue]]:
    """The part bar by bar in note values: (start, length, column or None for a rest, whether it is tied to the one
    before and to the one after)."""
    bars: list[list[NoteValue]] = [[] for _ in range(tab.bars)]
    for start, length, column in _filled(part.columns, tab.bars * tab.bar_steps):
        for at, value in pieces(start, length, tab.bar_steps, tab.pulse):
            bars[at // tab.bar_steps].append((at, value, column, (at > start, at + value < start + length)))
    return bars


def _filled(columns: Sequence[Column], end: int) -> Iterator[tuple[int, int, Column | None]]:
    """All of the time from the beginning to ``end``: (start, length, column), None for a rest."""
    at = 0
    for column in columns:
        if column.start > at:
            yield at, column.start - at, None
        yield column.start, min(column.length, end - column.start), column
        at = column.start + column.length
    if at < end:
        yield at, end - at, None


def _attributes(measure: Element, tab: Tab) -> None:
    attributes = SubElement(measure, "attributes")
    SubElement(attributes, "divisions").text = str(DIVISIONS)
    key = SubElement(attributes, "key")
    SubElement(key, "fifths").text = str(fifths(tab.key))
    if tab.key:
        SubElement(key, "mode").text = "minor" if tab.key.endswith(":min") else "major"
    time = SubElement(attributes, "time")
    SubElement(time, "beats").text = str(tab.beats_per_bar)
    SubElement(time, "beat-type").text = str(tab.beat_value)
    clef = SubElement(attributes, "clef")
    SubElement(clef, "sign").text = "TAB"
    SubElement(clef, "line").text = str(len(tab.tuning.strings) // 2 + 2)
    details = SubElement(attributes, "staff-details")
    SubElement(details, "staff-lines").text = str(len(tab.tuning.strings))
    # Lines count from the bottom, where the last string is.
    for line, sounding in enumerate(reversed(tab.tuning.strings), 1):
        tuned = SubElement(details, "staff-tuning", line=str(line))
        step, alter, octave = _spelled(sounding - tab.capo, 0)
        SubElement(tuned, "tuning-step").text = step
        if alter:
            SubElement(tuned, "tuning-alter").text = str(alter)
        SubElement(tuned, "tuning-octave").text = str(octave)
    if tab.capo:
        SubElement(details, "capo").text = str(tab.capo)


def _tempo(measure: Element, tab: Tab) -> None:
    direction = SubElement(measure, "direction", placement="above")
    metronome = SubElement(SubElement(direction, "direction-type"), "metronome")
    SubElement(metronome, "beat-unit").text = "quarter"
    SubElement(metronome, "per-minute").text = f"{tab.bpm:g}"
    SubElement(direction, "sound", tempo=f"{tab.bpm:g}")


def _harmony(measure: Element, mark: ChordMark, offset: int, signature: int) -> None:
    name, _, bass = mark.chord.partition("/")
    root, suffix = split_chord(name)
    harmony = SubElement(measure, "harmony")
    _tone(SubElement(harmony, "root"), "root", root, signature)
    kind = SubElement(harmony, "kind", text=suffix)
    kind.text = _KINDS.get(suffix, "other")
    if bass:
        _tone(SubElement(harmony, "bass"), "bass", split_chord(bass)[0], signature)
    if offset:
        SubElement(harmony, "offset").text = str(offset)


def _tone(where: Element, prefix: str, pitch_class: int, signature: int) -> None:
    step, alter, _ = _spelled(pitch_class + 60, signature)
    SubElement(where, f"{prefix}-step").text = step
    if alter:
        SubElement(where, f"{prefix}-alter").text = str(alter)


def _spelled(pitch: int, signature: int) -> tuple[str, int, int]:
    """Step, alteration and octave of a MIDI number, with flats in keys of flats."""
    name = (_FLAT if signature < 0 else _SHARP)[pitch % 12]
    return name[0], {"#": 1, "b": -1}.get(name[1:], 0), pitch // 12 - 1


def _beat(measure: Element, tab: Tab, column: Column | None, value: int, ties: tuple[bool, bool]) -> None:
    """The notes of one note value, or its rest; ``ties``: whether it goes on from the one before, and into the next."""
    if column is None:
        note = SubElement(measure, "note")
        SubElement(note, "rest")
        SubElement(note, "duration").text = str(value)
        _value(note, value)
        return
    strings = tab.tuning.strings
    for index, played in enumerate(sorted(column.notes, key=lambda one: strings[one.string - 1] + one.fret)):
        _note(SubElement(measure, "note"), tab, played, value, ties, chord=index > 0)


def _note(note: Element, tab: Tab, played: TabNote, value: int, ties: tuple[bool, bool], *, chord: bool) -> None:
    if chord:
        SubElement(note, "chord")
    step, alter, octave = _spelled(tab.tuning.strings[played.string - 1] + played.fret, fifths(tab.key))
    pitch = SubElement(note, "pitch")
    SubElement(pitch, "step").text = step
    if alter:
        SubElement(pitch, "alter").text = str(alter)
    SubElement(pitch, "octave").text = str(octave)
    SubElement(note, "duration").text = str(value)
    tied = [kind for kind, there in zip(("stop", "start"), ties, strict=True) if there]
    for kind in tied:
        SubElement(note, "tie", type=kind)
    _value(note, value)
    notations = SubElement(note, "notations")
    for kind in tied:
        SubElement(notations, "tied", type=kind)
    technical = SubElement(notations, "technical")
    SubElement(technical, "string").text = str(played.string)
    SubElement(technical, "fret").text = str(played.fret)


def _value(note: Element, value: int) -> None:
    name, dots = _TYPES[value]
    SubElement(note, "voice").text = "1"
    SubElement(note, "type").text = name
    for _ in range(dots):
        SubElement(note, "dot")

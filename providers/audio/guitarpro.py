"""Tabs as Guitar Pro 5 files, written by PyGuitarPro (LGPL-3.0)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.music.keys import split_chord
from core.music.tabs.model import ChordMark, Column, Part, Tab
from core.music.tabs.musicxml import fifths, note_values
from core.music.tabs.shapes import NO_CHORD

# Guitar Pro keeps bytes and names no encoding. Readers of today (alphaTab, TuxGuitar) take them for UTF-8, and every
# title can be written in it.
ENCODING = "utf-8"
_TITLES = {"strumming": "Strumming", "melody": "Melody", "arrangement": "Guitar", "bass": "Bass"}
_VALUES = {1: (16, False), 2: (8, False), 3: (8, True), 4: (4, False), 6: (4, True), 8: (2, False), 12: (2, True),
           16: (1, False)}  # fmt: skip
_LONGEST_TITLE = 60


def write(tab: Tab, path: Path) -> None:
    """Write a tab as ``.gp5``; the capo is the track's, frets are counted from it."""
    import guitarpro

    song = guitarpro.Song(title=tab.title[:_LONGEST_TITLE], tempo=max(1, round(tab.bpm)), tempoName="")
    key = guitarpro.KeySignature((fifths(tab.key), int(bool(tab.key and tab.key.endswith(":min")))))
    song.key = key
    song.measureHeaders = []
    start = guitarpro.Duration.quarterTime
    for number in range(tab.bars):
        signature = guitarpro.TimeSignature(tab.beats_per_bar, guitarpro.Duration(value=tab.beat_value))
        header = guitarpro.MeasureHeader(number + 1, start, keySignature=key, timeSignature=signature)
        song.addMeasureHeader(header)
        start += header.length
    song.tracks = []
    for number, part in enumerate(tab.parts):
        song.tracks.append(_track(guitarpro, song, tab, part, number))
    with path.open("wb") as file:
        guitarpro.write(song, file, version=(5, 1, 0), encoding=ENCODING)


def _track(gp: Any, song: Any, tab: Tab, part: Part, number: int) -> Any:
    strings = [gp.GuitarString(place, pitch - tab.capo) for place, pitch in enumerate(tab.tuning.strings, 1)]
    channel = gp.MidiChannel(2 * number, 2 * number + 1, tab.tuning.program, volume=104 if number == 0 else 120)
    title = tab.instrument.capitalize() if part.name == "arrangement" else _TITLES[part.name]
    track = gp.Track(song, number + 1, name=title, strings=strings, channel=channel, offset=tab.capo)
    waiting = [mark for mark in tab.chords if mark.played != NO_CHORD] if number == 0 else []
    for bar, measure in zip(note_values(tab, part), track.measures, strict=True):
        voice = measure.voices[0]
        for at, value, column, (goes_on, _) in bar:
            beat = _beat(gp, voice, column, value, goes_on=goes_on)
            while len(waiting) > 1 and waiting[1].start <= at:
                waiting.pop(0)
            if waiting and waiting[0].start <= at:
                _name_chord(gp, beat, tab, waiting.pop(0))
            voice.beats.append(beat)
    return track


def _beat(gp: Any, voice: Any, column: Column | None, value: int, *, goes_on: bool) -> Any:
    length, dotted = _VALUES[value]
    beat = gp.Beat(voice, duration=gp.Duration(length, dotted))
    if column is None:
        beat.status = gp.BeatStatus.rest
        return beat
    beat.status = gp.BeatStatus.normal
    kind = gp.NoteType.tie if goes_on else gp.NoteType.normal
    beat.notes = [gp.Note(beat, note.fret, string=note.string, type=kind) for note in column.notes]
    if column.stroke and not goes_on:
        way = gp.BeatStrokeDirection.down if column.stroke == "down" else gp.BeatStrokeDirection.up
        beat.effect.stroke = gp.BeatStroke(way, gp.Duration.sixtyFourth)
    return beat


def _name_chord(gp: Any, beat: Any, tab: Tab, mark: ChordMark) -> None:
    """The chord's diagram over a beat; its name alone where there are no shapes (bass)."""
    frets = next((shape.frets for shape in tab.shapes if shape.chord == mark.played), None)
    if frets is None:
        beat.text = mark.played
        return
    root, suffix = split_chord(mark.played.partition("/")[0])
    held = [-1 if fret is None else fret for fret in reversed(frets)]
    pressed = [fret for fret in held if fret > 0]
    first = min(pressed) if pressed and max(pressed) > 4 else 1
    beat.effect.chord = gp.Chord(
        len(tab.tuning.strings), sharp=fifths(tab.key) >= 0, root=gp.PitchClass(root), bass=gp.PitchClass(root),
        type=gp.ChordType.minor if suffix.startswith("m") and not suffix.startswith("maj") else gp.ChordType.major,
        extension=gp.ChordExtension.none, tonality=gp.ChordAlteration.perfect, add=False, name=mark.played[:22],
        fifth=gp.ChordAlteration.perfect, ninth=gp.ChordAlteration.perfect, eleventh=gp.ChordAlteration.perfect,
        firstFret=first, strings=held, show=True, newFormat=True,
    )  # fmt: skip

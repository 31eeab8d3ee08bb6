"""Guitar Pro and MusicXML files read back by other programs' readers: the same notes on the same strings (M4.3)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import guitarpro as reader
import pytest
from defusedxml import ElementTree

from core.music.tabs.build import build
from core.music.tabs.model import Difficulty, InstrumentName, Part, Tab
from core.music.tabs.musicxml import as_musicxml
from providers.audio import guitarpro
from tests.unit.test_tabs_levels import LEVELS, analysis, song

CASES = [(instrument, level) for instrument in ("guitar", "bass", "ukulele") for level in LEVELS]
TITLE = "เพลงของฉัน & <café>"
Sounded = list[tuple[float, float, int, int, int]]


def written(instrument: InstrumentName, difficulty: Difficulty) -> Tab:
    return build(TITLE, instrument, difficulty, analysis(), {}, song())


def expected(tab: Tab, part: Part) -> Sounded:
    """(start in quarters, length, string, fret, pitch as it sounds) of every note."""
    strings = tab.tuning.strings
    return sorted(
        (column.start / 4, column.length / 4, note.string, note.fret, strings[note.string - 1] + note.fret)
        for column in part.columns
        for note in column.notes
    )


@pytest.mark.parametrize(("instrument", "level"), CASES)
def test_guitar_pro_reads_back(instrument: InstrumentName, level: Difficulty, tmp_path: Path) -> None:
    tab = written(instrument, level)
    guitarpro.write(tab, tmp_path / "tab.gp5")
    song_read = reader.parse(str(tmp_path / "tab.gp5"), encoding=guitarpro.ENCODING)
    assert (song_read.title, song_read.tempo) == (TITLE, 120)
    assert {header.keySignature.name for header in song_read.measureHeaders} == {"EMajorFlat"}
    assert [len(track.measures) for track in song_read.tracks] == [tab.bars] * len(tab.parts)
    for track, part in zip(song_read.tracks, tab.parts, strict=True):
        assert track.offset == tab.capo
        assert [string.value + tab.capo for string in track.strings] == list(tab.tuning.strings)
        assert _of_track(track) == expected(tab, part)
    named = [
        (beat.effect.chord.name if beat.effect.chord else beat.text)
        for measure in song_read.tracks[0].measures
        for beat in measure.voices[0].beats
        if beat.effect.chord or beat.text
    ]
    assert named == [mark.played for mark in tab.chords]


def _of_track(track: Any) -> Sounded:
    found: Sounded = []
    quarter = reader.Duration.quarterTime
    at = 0.0
    for measure in track.measures:
        beats = measure.voices[0].beats
        assert sum(beat.duration.time for beat in beats) == measure.header.length
        for beat in beats:
            length = beat.duration.time / quarter
            for note in beat.notes:
                if note.type == reader.NoteType.tie:
                    last = max(
                        index for index, one in enumerate(found) if one[2] == note.string and one[0] + one[1] == at
                    )
                    start, before, *rest = found[last]
                    found[last] = (start, before + length, *rest)
                else:
                    found.append((at, length, note.string, note.value, note.realValue + track.offset))
            at += length
    return sorted(found)


@pytest.mark.parametrize(("instrument", "level"), CASES)
def test_musicxml_reads_back(instrument: InstrumentName, level: Difficulty) -> None:
    from music21 import articulations, converter, harmony

    tab = written(instrument, level)
    document = as_musicxml(tab)
    assert ElementTree.fromstring(document).findtext("work/work-title") == TITLE
    score = converter.parseData(document, format="musicxml")
    assert [len(part.getElementsByClass("Measure")) for part in score.parts] == [tab.bars] * len(tab.parts)
    for read, part in zip(score.parts, tab.parts, strict=True):
        found: Sounded = []
        for item in read.stripTies().flatten().notes:
            if isinstance(item, harmony.Harmony):
                continue
            # music21 keeps the marks of a chord's notes at the chord, in their order.
            strings = [one.number for one in item.articulations if isinstance(one, articulations.StringIndication)]
            frets = [one.number for one in item.articulations if isinstance(one, articulations.FretIndication)]
            for pitch, string, fret in zip(item.pitches, strings, frets, strict=True):
                found.append((float(item.offset), float(item.quarterLength), string, fret, pitch.midi))
        assert sorted(found) == expected(tab, part)
    chords = [
        (float(item.offset), item.root().pitchClass) for item in score.parts[0].flatten().getElementsByClass("Harmony")
    ]
    assert chords == [(mark.start / 4, {"E": 3, "C": 0, "A": 8, "B": 10}[mark.chord[0]]) for mark in tab.chords]
    assert score.flatten().getElementsByClass("MetronomeMark")[0].number == 120
    assert score.flatten().getElementsByClass("KeySignature")[0].sharps == -3

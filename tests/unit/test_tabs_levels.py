"""From notes heard to a tab in three levels: the grid, what each level keeps, and what is written down of it (M4)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UnsupportedMedia
from core.music.tabs.arrange import unmasked
from core.music.tabs.build import build
from core.music.tabs.grid import Grid, Heard, Placed, PlacedChord, at_tempo
from core.music.tabs.hand import STRETCH, WIDE_STRETCH, Grip, is_playable
from core.music.tabs.instruments import INSTRUMENTS
from core.music.tabs.model import WRITABLE, Difficulty, InstrumentName, Part, Tab, pieces
from core.music.tabs.shapes import shape, tones, transposed
from core.music.tabs.text import WIDTH, as_text

BPM, BEAT = 120.0, 0.5
CHORDS = ("Eb", "Cm", "Ab", "Bb")
LEVELS: tuple[Difficulty, ...] = ("easy", "original", "advanced")


def analysis(bars: int = 8, *, pickup: float = 0.0) -> dict[str, Any]:
    """Eight bars in E flat, a chord each, the first bar beginning ``pickup`` seconds in."""
    beats = [pickup + index * BEAT for index in range(bars * 4)]
    chords = [
        {"time": pickup + bar * 2.0, "end": pickup + bar * 2.0 + 2.0, "chord": CHORDS[bar % 4]} for bar in range(bars)
    ]
    return {
        "bpm": BPM, "beats": beats, "downbeats": beats[::4], "time_signature": "4/4", "key": "Eb:maj", "chords": chords,
    }  # fmt: skip


def song(bars: int = 8) -> list[Heard]:
    """A melody in eighths over a bass and a middle voice, with overtones and a stray note as an ear for notes has."""
    found = []
    for bar in range(bars):
        low = min(pitch for pitch in range(40, 52) if pitch % 12 == tones(CHORDS[bar % 4])[0])
        start = bar * 2.0
        found += [Heard(start, start + 1.9, low, 0.9), Heard(start, start + 0.9, low + 12, 0.5)]
        found.append(Heard(start + 1.0, start + 1.9, low + 16 - (CHORDS[bar % 4] == "Cm"), 0.8))
        for step in range(8):
            at = start + step * 0.25
            found.append(Heard(at + 0.01, at + 0.24, 67 + (0, 3, 5, 3, 8, 7, 5, 3)[step], 0.9))
        found.append(Heard(start + 0.5, start + 0.6, 85, 0.2))
    return found


def written(instrument: InstrumentName, difficulty: Difficulty, **corrections: Any) -> Tab:
    return build("Song", instrument, difficulty, analysis(), corrections, song())


@pytest.mark.parametrize("difficulty", LEVELS)
@pytest.mark.parametrize("instrument", ["guitar", "bass", "ukulele"])
def test_every_column_of_every_tab_can_be_played(instrument: InstrumentName, difficulty: Difficulty) -> None:
    tab = written(instrument, difficulty)
    stretch = WIDE_STRETCH if difficulty == "advanced" else STRETCH
    for part in tab.parts:
        assert part.columns
        for column in part.columns:
            assert is_playable(Grip(tuple((note.string, note.fret) for note in column.notes)), stretch)
        for before, after in pairwise(part.columns):
            assert before.start + before.length <= after.start
        assert part.columns[-1].start + part.columns[-1].length <= tab.bars * tab.bar_steps


def test_original_is_as_heard_without_overtones_and_stray_notes() -> None:
    (part,) = written("guitar", "original").parts
    got = set(written("guitar", "original").pitches(part))
    grid = Grid(analysis()["beats"], analysis()["downbeats"], "4/4")
    surely = {(note.start, note.pitch) for note in grid.place(song()) if note.strength >= 0.8}
    assert len(got & surely) >= 0.95 * len(surely)
    assert not got - surely


def test_easy_is_open_chords_behind_a_capo_and_a_thinner_melody() -> None:
    tab = written("guitar", "easy")
    strumming, melody = tab.parts
    assert (strumming.name, melody.name) == ("strumming", "melody")
    assert tab.capo == tab.suggested_capo > 0
    guitar = INSTRUMENTS["guitar"]
    for mark in tab.chords:
        assert mark.played == transposed(mark.chord, -tab.capo)
        column = next(one for one in strumming.columns if one.start == mark.start)
        held = Grip(tuple((note.string, note.fret) for note in column.notes))
        assert held == shape(guitar, mark.played)
        assert {pitch % 12 for pitch in held.pitches(tab.tuning)} == set(tones(mark.chord))
    assert {column.stroke for column in strumming.columns} == {"down", "up"}
    assert all(column.start % 4 == 0 and len(column.notes) == 1 for column in melody.columns)
    heard_on_beats = [note for note in song() if note.strength == 0.9 and 0 < note.start % BEAT < 0.05]
    assert len(melody.columns) == len(heard_on_beats)


def test_advanced_has_full_chords_under_the_melody() -> None:
    original, advanced = written("guitar", "original"), written("guitar", "advanced")
    assert _notes(advanced.parts[0]) > _notes(original.parts[0])
    at = {column.start: column for column in advanced.parts[0].columns}
    tops = dict(original.pitches(original.parts[0]))
    for mark in advanced.chords:
        sounding = [pitch for start, pitch in advanced.pitches(advanced.parts[0]) if start == mark.start]
        assert len(at[mark.start].notes) >= 3
        assert len({pitch % 12 for pitch in sounding} & set(tones(mark.chord))) >= 2
        assert max(sounding) == tops[mark.start]


def test_advanced_chords_on_a_ukulele_hold_the_melody_anywhere() -> None:
    tab = written("ukulele", "advanced")
    heard = dict(written("ukulele", "original").pitches(written("ukulele", "original").parts[0]))
    for mark in tab.chords:
        sounding = [pitch for start, pitch in tab.pitches(tab.parts[0]) if start == mark.start]
        assert len(sounding) >= 3
        assert heard[mark.start] in sounding


def _notes(part: Part) -> int:
    return sum(len(column.notes) for column in part.columns)


def test_a_bass_plays_the_lowest_line_in_three_levels() -> None:
    easy, original, advanced = (written("bass", difficulty) for difficulty in LEVELS)
    assert all(len(column.notes) == 1 for tab in (easy, original) for column in tab.parts[0].columns)
    roots = {mark.start: tones(mark.chord)[0] for mark in easy.chords}
    assert {start: pitch % 12 for start, pitch in easy.pitches(easy.parts[0]) if start in roots} == roots
    lowest = [(start, pitch) for start, pitch in original.pitches(original.parts[0]) if start in roots]
    assert [pitch % 12 for _, pitch in lowest] == [roots[start] for start, _ in lowest]
    assert _notes(advanced.parts[0]) > _notes(original.parts[0])
    assert easy.shapes == ()


def test_corrections_of_the_user_win() -> None:
    tab = written("guitar", "original", key="C:min", time_signature="3/4", bpm=60.0)
    assert (tab.key, tab.beats_per_bar, tab.bpm) == ("C:min", 3, pytest.approx(60))
    assert [mark.roman for mark in tab.chords[:2]] == ["III", "i"]
    assert tab.bars == pytest.approx(16 / 3, abs=1)


def test_other_tempos_of_a_correction() -> None:
    beats = [index * 0.5 for index in range(16)]
    assert at_tempo(beats, beats[1::4], 120, None) == beats
    assert at_tempo(beats, beats[1::4], 120, 240)[:3] == [0.0, 0.25, 0.5]
    assert at_tempo(beats, beats[1::4], 120, 60) == beats[1::2]
    assert at_tempo(beats, beats[1::4], 120, 90)[:2] == [0.5, pytest.approx(0.5 + 60 / 90)]


def test_six_eighths_are_two_felt_beats_or_six_fast_ones() -> None:
    beats = [index * 0.5 for index in range(24)]
    two, six = Grid(beats, beats[::2], "6/8"), Grid(beats, beats[::3], "6/8")
    assert (two.pulse, two.bar_steps, two.bpm) == (6, 12, pytest.approx(180))
    assert (six.pulse, six.bar_steps, six.bpm) == (2, 12, pytest.approx(60))


def test_a_pickup_gets_a_bar_of_its_own() -> None:
    known = analysis(4, pickup=0.5)
    known["beats"] = [0.0, *known["beats"]]
    grid = Grid(known["beats"], known["downbeats"], "4/4")
    placed = grid.place([Heard(0.0, 0.4, 67, 0.9), Heard(0.5, 0.9, 69, 0.9)])
    assert [note.start for note in placed] == [12, 16]


def test_beats_that_were_found_between_the_notes_move_onto_them() -> None:
    late = {**analysis(), "beats": [beat + BEAT / 2 for beat in analysis()["beats"]]}
    late["downbeats"] = late["beats"][::4]
    quarters = [Heard(index * BEAT, index * BEAT + 0.4, 60 + index % 5, 0.9) for index in range(1, 31)]
    columns = build("Song", "guitar", "original", late, {}, quarters).parts[0].columns
    assert {column.start % 4 for column in columns} == {0}
    on_and_off = [*quarters, *(Heard(index * BEAT + 0.25, index * BEAT + 0.45, 50, 0.9) for index in range(1, 31))]
    assert {
        column.start % 4 for column in build("Song", "guitar", "original", late, {}, on_and_off).parts[0].columns
    } == {0, 2}


def test_without_a_beat_or_notes_a_sentence_says_so() -> None:
    with pytest.raises(UnsupportedMedia, match="No steady beat"):
        build("Song", "guitar", "easy", {"beats": [], "chords": []}, {}, song())
    without_chords = {**analysis(), "chords": []}
    with pytest.raises(UnsupportedMedia, match="No notes were heard"):
        build("Song", "guitar", "easy", without_chords, {}, [])
    with pytest.raises(UnsupportedMedia, match="No notes were heard"):
        build("Song", "bass", "original", analysis(), {}, [Heard(0, 1, 90, 0.9)])


@given(st.integers(0, 200), st.integers(1, 80), st.sampled_from(((16, 4), (12, 4), (8, 4), (12, 6), (12, 2))))
def test_lengths_are_written_with_note_values_inside_their_bars(start: int, length: int, bar: tuple[int, int]) -> None:
    steps, pulse = bar
    found = pieces(start, length, steps, pulse)
    assert sum(value for _, value in found) == length
    at = start
    for begin, value in found:
        assert begin == at
        assert value in WRITABLE
        assert begin // steps == (begin + value - 1) // steps
        at += value


@pytest.mark.parametrize("difficulty", LEVELS)
@pytest.mark.parametrize("instrument", ["guitar", "bass", "ukulele"])
def test_the_text_is_eighty_wide_and_reads_back(instrument: InstrumentName, difficulty: Difficulty) -> None:
    tab = written(instrument, difficulty)
    lines = as_text(tab).splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert lines[0] == "Song"
    assert any(line.startswith("Capo on fret") for line in lines) == bool(tab.capo)
    frets = [
        int(fret)
        for line in lines
        if "|-" in line
        for fret in line.partition("|")[2].replace("|", "-").split("-")
        if fret
    ]
    expected = [note.fret for part in tab.parts for column in part.columns for note in column.notes]
    assert sorted(frets) == sorted(expected)
    assert all(mark.played in " ".join(lines) for mark in tab.chords)
    assert all(mark.roman in " ".join(lines) for mark in tab.chords)


def test_a_strum_strikes_the_strings_that_others_hide() -> None:
    guitar = INSTRUMENTS["guitar"]
    chord = [PlacedChord(0, 16, "G", "I")]
    g_major = shape(guitar, "G").pitches(guitar)

    def sounding(*heard: int) -> tuple[int, ...]:
        notes = [Placed(0, 4, pitch, 0.9) for pitch in heard]
        return tuple(note.pitch for note in unmasked(guitar, notes, chord))

    assert sounding(*(pitch for pitch in g_major if pitch not in (55, 67))) == g_major
    assert sounding(55, 59, 67) == (55, 59, 67)
    assert sounding(43, 55) == (43, 55)
    assert sounding(43, 47, 50, 60) == (43, 47, 50, 60)

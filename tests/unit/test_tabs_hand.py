"""What a hand can hold: every grip is playable, the path of least effort is found, shapes are those of chord books."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.music import keys
from core.music.keys import NOTES
from core.music.tabs.hand import (
    STRETCH,
    WIDE_STRETCH,
    Grip,
    easiest_path,
    effort,
    grips,
    is_playable,
    positions,
    reduced,
)
from core.music.tabs.instruments import INSTRUMENTS, Instrument
from core.music.tabs.shapes import INTERVALS, best_capo, is_open, shape, tones, transposed, written

GUITAR, BASS, UKULELE = (INSTRUMENTS[name] for name in ("guitar", "bass", "ukulele"))
players = st.sampled_from(list(INSTRUMENTS.values()))
pitches = st.lists(st.integers(24, 92), min_size=1, max_size=9, unique=True)


@given(players, pitches, st.sampled_from((STRETCH, WIDE_STRETCH)))
@settings(max_examples=150)
def test_every_grip_sounds_what_was_asked_and_can_be_held(
    instrument: Instrument, wanted: list[int], stretch: int
) -> None:
    asked = reduced(instrument, [(pitch, 1.0) for pitch in wanted], stretch)
    assert set(asked) <= set(wanted)
    for grip in grips(instrument, asked, stretch) if asked else ():
        strings = [string for string, _ in grip.frets]
        frets = [fret for _, fret in grip.frets]
        assert grip.pitches(instrument) == asked
        assert len(set(strings)) == len(strings) <= len(instrument.strings)
        assert all(0 <= fret <= 20 for fret in frets)
        pressed = [fret for fret in frets if fret]
        assert not pressed or max(pressed) - min(pressed) <= stretch
        assert grip.fingers is not None
        assert grip.fingers <= 4


@given(players, st.lists(pitches, min_size=1, max_size=8))
@settings(max_examples=60)
def test_the_path_takes_one_offered_grip_of_each_column(instrument: Instrument, columns: list[list[int]]) -> None:
    kept = [reduced(instrument, [(pitch, 1.0) for pitch in column]) for column in columns]
    choices = [[(grip, 0.0) for grip in grips(instrument, column)] for column in kept if column]
    if choices:
        path = easiest_path(choices)
        assert all(grip in dict(column) for grip, column in zip(path, choices, strict=True))
        assert all(is_playable(grip) for grip in path)


def test_the_path_is_the_cheapest_of_all() -> None:
    """Against every combination of grips and positions, tried one by one."""
    columns = [(64,), (71, 55), (76,), (59, 62)]
    choices = [[(grip, 0.0) for grip in grips(GUITAR, tuple(sorted(column)))] for column in columns]

    def cheapest(grips_chosen: tuple[Grip, ...]) -> float:
        held = sum(effort(grip) for grip in grips_chosen)
        ways = product(*(positions(grip, STRETCH) for grip in grips_chosen))
        return held + min(sum(0.4 + 0.5 * abs(b - a) for a, b in pairwise(way) if a != b) for way in ways)

    combinations = list(product(*([grip for grip, _ in column] for column in choices)))
    assert cheapest(tuple(easiest_path(choices))) == pytest.approx(min(map(cheapest, combinations)))


def test_the_outer_voices_stay_when_a_column_is_too_much() -> None:
    cluster = [(40, 0.5), (41, 0.9), (42, 0.9), (64, 0.2), (76, 0.5)]
    kept = reduced(GUITAR, cluster)
    assert {40, 76} <= set(kept) or {min(kept), max(kept)} == {40, 64}
    assert reduced(BASS, [(90, 1.0)]) == ()


def test_a_barre_stops_no_open_string() -> None:
    assert is_playable(Grip(((1, 1), (2, 1), (3, 2), (4, 3), (5, 3), (6, 1))))
    assert not is_playable(Grip(((1, 1), (2, 0), (3, 2), (4, 3), (5, 3), (6, 1))))


BOOK = {
    "guitar": "C x32010 A x02220 G 320003 E 022100 D xx0232 Am x02210 Em 022000 Dm xx0231 F 133211 Bm x24432 "
    "Bb x13331 B x24442 F#m 244222 Fm 133111 Cm x35543 Ab 466544 B7 x21202 A7 x02020 E7 020100 D7 xx0212 G7 320001 "
    "C7 x32310 Cmaj7 x32000 Am7 x02010 Em7 020000 Dm7 xx0211 Dsus4 xx0233",
    "ukulele": "C 0003 G 0232 F 2010 Am 2000 D 2220 Dm 2210 Em 0432 A 2100 A7 0100 Bb 3211 E7 1202 Bm 4222 G7 0212 "
    "C7 0001 F#m 2120 Gm 0231 Cm 0333",
}


@pytest.mark.parametrize("name", BOOK)
def test_shapes_are_those_of_a_chord_book(name: str) -> None:
    words = BOOK[name].split()
    expected = dict(zip(words[::2], words[1::2], strict=True))
    assert {chord: written(INSTRUMENTS[name], shape(INSTRUMENTS[name], chord)) for chord in expected} == expected


def test_every_chord_that_an_analysis_names_has_a_shape() -> None:
    assert keys._QUALITIES.keys() <= INTERVALS.keys()
    for instrument in (GUITAR, UKULELE):
        for chord in (note + suffix for note in NOTES for suffix in ("", "m", "7", "maj7")):
            grip = shape(instrument, chord)
            sounding = {pitch % 12 for pitch in grip.pitches(instrument)}
            assert is_playable(grip)
            assert sounding <= set(tones(chord))


def test_chords_move_with_the_capo() -> None:
    assert [transposed(chord, -3) for chord in ("Eb", "Cm7", "N", "Bb/D")] == ["C", "Am7", "N", "G/B"]
    with pytest.raises(ValueError, match="unknown kind"):
        tones("Cweird")


@pytest.mark.parametrize("chords", [("C", "G", "Am"), ("Eb", "Bb", "Cm", "Ab"), ("F#", "B", "C#"), ("Bbm", "Gb")])
def test_the_capo_spares_barres(chords: tuple[str, ...]) -> None:
    found = best_capo(GUITAR, [(chord, 4.0) for chord in chords])
    barres = [sum(not is_open(shape(GUITAR, transposed(chord, -at))) for chord in chords) for at in range(8)]
    assert barres[found] == min(barres)
    assert (found == 0) == (barres[0] == 0)
    assert best_capo(BASS, [("F#", 4.0)]) == 0

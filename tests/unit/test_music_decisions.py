"""Keys, chords and bars are decided right from ideal measurements, in every transposition."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.music.keys import NOTES, Heard, chord_path, estimate_key, roman_numeral
from core.music.pulse import PREFERRED_BPM, Evidence, best, tempo_octaves

MAJOR_TRIADS = [(0, 4, 7), (5, 9, 0), (7, 11, 2), (9, 0, 4)]
MINOR_TRIADS = [(0, 3, 7), (5, 8, 0), (7, 10, 2), (8, 0, 3)]


def _chroma(pitches: tuple[int, ...], shift: int = 0) -> list[float]:
    return [1.0 if (pitch - shift) % 12 in pitches else 0.02 for pitch in range(12)]


@given(st.integers(0, 11), st.sampled_from([("maj", MAJOR_TRIADS), ("min", MINOR_TRIADS)]))
def test_the_key_of_four_chords_is_found_in_every_transposition(
    shift: int, case: tuple[str, list[tuple[int, ...]]]
) -> None:
    mode, triads = case
    rows = [_chroma(triad, shift) for triad in triads]
    home = rows[0]
    estimate = estimate_key(Heard([sum(column) for column in zip(*rows, strict=True)], home, home, home))
    assert estimate is not None
    assert estimate.key == f"{NOTES[shift]}:{mode}"
    assert 0 <= estimate.confidence <= 1


def test_where_music_starts_and_rests_tells_relative_keys_apart() -> None:
    notes = [1.0 if pitch in (0, 2, 4, 5, 7, 9, 11) else 0.05 for pitch in range(12)]
    for triad, key in ((MAJOR_TRIADS[0], "C:maj"), ((9, 0, 4), "A:min")):
        home = _chroma(triad)
        ground = [1.0 if pitch == triad[0] else 0.1 for pitch in range(12)]
        estimate = estimate_key(Heard(notes, opening=home, closing=home, bass=ground))
        assert estimate is not None
        assert estimate.key == key


def test_silence_has_no_key() -> None:
    assert estimate_key(Heard([0.0] * 12)) is None
    assert estimate_key(Heard([1.0] * 12)) is None


@given(st.lists(st.sampled_from([0, 1, 2, 3]), min_size=2, max_size=6), st.integers(0, 11))
def test_chords_held_for_four_beats_are_found(order: list[int], shift: int) -> None:
    names = [NOTES[(root + shift) % 12] + suffix for root, suffix in ((0, ""), (5, ""), (7, ""), (9, "m"))]
    beats = [_chroma(MAJOR_TRIADS[index], shift) for index in order for _ in range(4)]
    assert chord_path(beats) == [names[index] for index in order for _ in range(4)]


def test_a_passing_noise_does_not_change_the_chord() -> None:
    beats = [_chroma(MAJOR_TRIADS[0])] * 4 + [[0.4] * 12] + [_chroma(MAJOR_TRIADS[0])] * 3
    assert chord_path(beats) == ["C"] * 8


@pytest.mark.parametrize(
    ("chord", "key", "numeral"),
    [("Am", "C:maj", "vi"), ("G7", "C:maj", "V7"), ("C", "A:min", "III"), ("Bb", "C:maj", "bVII"), ("N", "C:maj", "")],
)
def test_roman_numerals(chord: str, key: str, numeral: str) -> None:
    assert roman_numeral(chord, key) == numeral


@given(st.floats(-1, 1))
def test_tempos_are_compared_in_octaves(octaves: float) -> None:
    assert tempo_octaves(PREFERRED_BPM * 2**octaves) == pytest.approx(octaves, abs=1e-9)


PULSE = Evidence(-0.5, 0.1, 0.8, 0.1, 0.4, 1.0, 0.0, 0.0)


@given(
    st.sampled_from(["behind", "periodicity", "harmony_contrast", "bar_contrast"]),
    st.floats(0.01, 2),
)
def test_what_is_better_explained_is_likelier(what: str, more: float) -> None:
    stronger = replace(PULSE, **{what: getattr(PULSE, what) + more})
    assert best([PULSE, stronger]) == 1


@given(st.sampled_from(["tempo_distance", "between", "in_two", "in_three"]), st.floats(0.01, 2))
def test_odd_tempos_and_rarer_bars_are_less_likely(what: str, more: float) -> None:
    assert best([PULSE, replace(PULSE, **{what: getattr(PULSE, what) + more})]) == 0


def test_no_pulse_is_chosen_from_none() -> None:
    assert best([]) is None

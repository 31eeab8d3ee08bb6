"""The form of a song and the scale it uses, decided from ideal measurements."""

from __future__ import annotations

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.music.keys import NOTES
from core.music.scales import SCALES, estimate_scale
from core.music.structure import BarSound, bar_starts, find_sections

LOOPS = {"i": (0, 5, 0, 5), "a": (0, 7, 9, 5), "b": (5, 7, 0, 9), "c": (2, 7, 4, 9), "o": (0, 0, 5, 0)}
LEVELS = {"i": -30.0, "a": -22.0, "b": -14.0, "c": -24.0, "o": -32.0}
BRIGHT = {"i": 0, "a": 3, "b": 6, "c": 9, "o": 1}


def song(form: str, bar_seconds: float = 2.0) -> tuple[list[BarSound], float]:
    """Four bars for each letter, each letter with chords, level and brightness of its own."""
    bars = []
    for block, letter in enumerate(form):
        for index, root in enumerate(LOOPS[letter]):
            chroma = tuple(1.0 if (pitch - root) % 12 in (0, 4, 7) else 0.05 for pitch in range(12))
            spectrum = tuple(LEVELS[letter] + (12.0 if band < BRIGHT[letter] else 0.0) for band in range(12))
            bars.append(BarSound((4 * block + index) * bar_seconds, chroma, spectrum))
    return bars, 4 * len(form) * bar_seconds


@given(st.sampled_from(["iaabbaabbcbbo", "iiaabbaabb", "aabbcaabb"]), st.floats(1.7, 3.0))
def test_sections_are_where_the_letters_change_and_alike_ones_share_a_letter(form: str, bar: float) -> None:
    bars, end = song(form, bar)
    found = find_sections(bars, end)
    runs = [(letter, len(list(group))) for letter, group in groupby(form)]
    assert [round((one.end - one.start) / bar / 4) for one in found] == [count for _, count in runs]
    assert (found[0].start, found[-1].end) == (0.0, pytest.approx(end, abs=0.001))
    pairs = list(zip(found, (letter for letter, _ in runs), strict=True))
    assert all((a.label == b.label) == (x == y) for a, x in pairs for b, y in pairs)


def test_sections_get_the_names_musicians_use() -> None:
    bars, end = song("iaabbaabbcbbo")
    names = [one.name for one in find_sections(bars, end)]
    assert names == ["intro", "verse", "chorus", "verse", "chorus", "bridge", "chorus", "outro"]


def test_what_is_short_or_never_changes_has_no_form() -> None:
    assert find_sections(*song("a")) == []
    assert find_sections(*song("aaaaaa")) == []
    assert find_sections([], 0.0) == []


def test_bars_reach_from_the_beginning_to_the_end_whatever_the_tempo_was_taken_for() -> None:
    assert bar_starts([5.0 + 2 * n for n in range(10)], 25.0) == [0.0, *(3.0 + 2 * n for n in range(11))]
    assert bar_starts([0.02 + 2 * n for n in range(10)], 20.1)[:3] == [0.0, 2.02, 4.02]
    assert len(bar_starts([float(n) for n in range(40)], 40.0)) == 20
    assert bar_starts([4.0 * n for n in range(10)], 40.0) == [2.0 * n for n in range(20)]
    assert bar_starts([0.0, 2.0], 4.0) == []


@given(st.sampled_from(sorted(SCALES)), st.integers(0, 11), st.floats(0.0, 0.06))
def test_a_scale_s_own_notes_tell_it(name: str, tonic: int, stray: float) -> None:
    steps = SCALES[name]
    chroma = [1.0 if (pitch - tonic) % 12 in steps else stray for pitch in range(12)]
    found = estimate_scale(chroma, f"{NOTES[tonic]}:{'maj' if 4 in steps else 'min'}")
    assert found.name == name
    assert 0 < found.confidence <= 1


def test_a_rare_leading_note_leaves_minor_minor() -> None:
    chroma = [
        {0: 2.0, 3: 1.4, 7: 1.6, 2: 1.0, 5: 1.0, 8: 0.9, 10: 0.8, 11: 0.3}.get(pitch, 0.05) for pitch in range(12)
    ]
    assert estimate_scale(chroma, "C:min").name == "minor"

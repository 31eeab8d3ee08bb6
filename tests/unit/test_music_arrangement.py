"""Scores as decisions: notes in the key, inside the piece, every bar filled as its form says."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.i18n.catalogue import has
from core.music.arrange import arrange, lead_voices
from core.music.presets import PRESETS, Preset
from core.music.score import DRUMS, MODES, PITCH_NAMES, degree_chord, parse_key, scale_pitches

every_preset = pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)


@every_preset
def test_a_preset_is_complete(preset: Preset) -> None:
    assert set(preset.form) == set(preset.harmony)
    assert all(len(degrees) == 4 for degrees in preset.harmony.values())
    assert has(preset.title_key)
    for layer in preset.layers:
        assert set(layer.sections) & set(preset.form)
        for pattern in [layer.pattern, *(pattern for _, pattern in layer.drums)]:
            assert len(pattern) == 16
            assert set(pattern) <= set("Xx-.")


@every_preset
def test_notes_are_in_the_key_and_inside_the_piece(preset: Preset) -> None:
    score = arrange(preset)
    assert 60 <= score.seconds <= 90
    scale = {pitch % 12 for pitch in scale_pitches(preset.key, 60, 71)}
    for part in score.parts:
        assert part.notes
        for note in part.notes:
            assert 0 <= note.start < score.beats
            assert note.length > 0
            assert 1 <= note.velocity <= 127
            assert part.program == DRUMS or note.pitch % 12 in scale
            assert 21 <= note.pitch <= 108


@every_preset
def test_every_bar_sounds_and_the_piece_grows(preset: Preset) -> None:
    score = arrange(preset)
    counts = [0] * score.bars
    for part in score.parts:
        for note in part.notes:
            counts[int(note.start // score.beats_per_bar)] += 1
    assert min(counts) > 0
    assert max(counts) > counts[0]


def test_the_same_preset_gives_the_same_score_and_another_another() -> None:
    assert arrange(PRESETS["lofi"]) == arrange(PRESETS["lofi"])
    scores = [arrange(preset) for preset in PRESETS.values()]
    assert len({score.parts for score in scores}) == len(scores)


@given(st.sampled_from(PITCH_NAMES), st.sampled_from(sorted(MODES)), st.integers(1, 7), st.integers(3, 5))
def test_chords_are_stacked_thirds_of_the_scale(name: str, mode: str, degree: int, size: int) -> None:
    key = f"{name}:{mode}"
    scale = {pitch % 12 for pitch in scale_pitches(key, 0, 11)}
    chord = degree_chord(key, degree, size)
    assert len(set(chord)) == size
    assert set(chord) <= scale
    assert all((after - before) % 12 in (3, 4) for before, after in itertools.pairwise(chord))


@given(
    st.lists(st.integers(48, 84), max_size=5), st.lists(st.integers(0, 11), min_size=3, max_size=5, unique=True),
    st.integers(30, 70),
)  # fmt: skip
def test_voices_keep_the_chord_and_its_register(before: list[int], chord: list[int], low: int) -> None:
    voiced = lead_voices(before, tuple(chord), low)
    assert sorted(pitch % 12 for pitch in voiced) == sorted(chord)
    assert voiced == sorted(set(voiced))
    assert voiced[0] >= low


@pytest.mark.parametrize("wrong", ["", "C", "H:maj", "C:dorian", "c:maj"])
def test_what_is_no_key_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError):
        parse_key(wrong)


def test_flats_are_the_sharps_they_sound_as() -> None:
    assert parse_key("Eb:maj") == parse_key("D#:maj") == (3, "maj")

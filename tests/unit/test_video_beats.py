"""Joints on the beats of a track with a set tempo, and words nobody cuts into (SPEC V2.7, V4.2)."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.video.beats import REST_SECONDS, BeatGrid, cut_on_beats, moved_to_beats
from core.video.cuts import Removal, build_pieces
from core.video.timeline import Timeline, Word
from core.video.timeline_edit import output_words
from core.video.transitions import joints
from tests.unit.test_filtergraph import timeline_of

RATES = st.sampled_from(["25", "30000/1001", "30", "60"])


def grid(bpm: float, seconds: float = 60.0) -> BeatGrid:
    return BeatGrid(tuple(index * 60 / bpm for index in range(int(seconds * bpm / 60))), seconds)


def off(timeline: Timeline, beats: list[float]) -> list[float]:
    """How many frames each joint is from the nearest beat."""
    exact = [Fraction(beat).limit_denominator(1_000_000) for beat in beats]
    return [min(abs(joint.at - beat * timeline.rate) for beat in exact) for joint in joints(timeline)]


def talk(fps: str, pauses: list[float], reason: str = "silence", padding: float = 0.12) -> Timeline:
    """Sentences of 1.3 s with these pauses between them, cut out to a padding."""
    words, removals, at = [], [], 0.0
    for pause in pauses:
        words += [Word(word="word", start=at + 0.05, end=at + 0.6), Word(word="more", start=at + 0.65, end=at + 1.3)]
        removals.append(Removal(at + 1.3 + padding, at + 1.3 + pause - padding, reason))  # type: ignore[arg-type]
        at += 1.3 + pause
    frames = round(at * Fraction(fps))
    return timeline_of([], frames, Fraction(fps)).model_copy(
        update={"pieces": build_pieces(frames, Fraction(fps), removals, words), "words": tuple(words)}
    )


def test_a_track_is_played_over_and_over() -> None:
    looped = BeatGrid((0.0, 0.5, 1.0, 1.5, 2.2), 2.0)
    assert looped.until(4.6) == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5]
    assert BeatGrid((), 3.0).until(9) == []


@pytest.mark.parametrize("fps", ["25", "30000/1001", "30"])
def test_joints_are_within_one_frame_of_the_beats(fps: str) -> None:
    timeline = talk(fps, [1.6, 2.0, 1.4, 2.4, 1.9, 3.0])
    beats = grid(120).until(30)
    assert max(off(timeline, beats)) > 2
    moved = moved_to_beats(timeline, beats)
    assert len(joints(moved)) == len(joints(timeline))
    assert max(off(moved, beats)) <= 1
    assert [piece.reason for piece in moved.kept[:-1]] == ["beat"] * (len(moved.kept) - 1)
    assert [word.word for word in output_words(moved)] == [word.word for word in output_words(timeline)]
    assert [piece.kept for piece in moved.pieces] == [piece.kept for piece in timeline.pieces]


def test_a_joint_that_reaches_no_beat_stays_and_says_so() -> None:
    timeline = talk("30", [0.5, 0.5, 0.5])
    beats = grid(20).until(30)
    moved = moved_to_beats(timeline, beats)
    assert [(piece.start_frame, piece.end_frame) for piece in moved.kept] == [
        (piece.start_frame, piece.end_frame) for piece in timeline.kept
    ]
    assert moved.kept[0].reason == "off_beat"


def test_what_was_taken_out_for_its_words_does_not_come_back() -> None:
    timeline = talk("30", [1.6, 2.0, 1.4], reason="filler")
    moved = moved_to_beats(timeline, grid(100).until(30))
    assert sum(p.end_frame - p.start_frame for p in moved.kept) <= timeline.kept_frames
    assert "off_beat" in {piece.reason for piece in moved.kept}


def test_a_short_does_not_become_longer_than_it_may() -> None:
    timeline = talk("30", [1.6, 2.0, 1.4, 2.4, 1.9, 3.0])
    limit = timeline.kept_frames + 8
    assert moved_to_beats(timeline, grid(90).until(30)).kept_frames > limit
    assert moved_to_beats(timeline, grid(90).until(30), most_frames=limit).kept_frames <= limit


def test_a_pace_of_its_own_lands_on_the_beats_too() -> None:
    timeline = talk("30", [1.6, 2.0, 1.4, 2.4])
    faster = [piece.model_copy(update={"speed": 1.25}) if piece.kept else piece for piece in timeline.pieces]
    moved = moved_to_beats(timeline.model_copy(update={"pieces": tuple(faster)}), grid(120).until(30))
    assert max(off(moved, grid(120).until(30))) <= 1
    assert {piece.speed for piece in moved.kept} == {1.25}


@settings(max_examples=60, deadline=None)
@given(
    RATES,
    st.lists(st.floats(0.3, 3.0), min_size=2, max_size=8),
    st.sampled_from(["silence", "filler", "user", "repeat"]),
    st.floats(40, 180),
    st.floats(0.0, 0.2),
)
def test_no_word_is_ever_cut_or_brought_back(
    fps: str, pauses: list[float], reason: str, bpm: float, padding: float
) -> None:
    timeline = talk(fps, pauses, reason, min(padding, min(pauses) / 3))
    beats = grid(bpm).until(60)
    moved = moved_to_beats(timeline, beats)
    rate = timeline.rate
    for piece in moved.pieces:
        for word in timeline.words:
            inside = piece.start_frame / rate < word.end - 1e-6 and piece.end_frame / rate > word.start + 1e-6
            assert piece.kept or not inside or piece in timeline.pieces
    distances = iter(off(moved, beats))
    for piece, distance in zip(moved.kept[:-1], distances, strict=False):
        assert piece.reason == "off_beat" or distance <= 1
    for before, after in zip(timeline.kept, moved.kept, strict=False):
        shortened = after.end_frame < before.end_frame
        last = max((word.end for word in timeline.words if word.start * rate < before.end_frame), default=0.0)
        assert not shortened or after.end_frame / rate >= last + REST_SECONDS - 1e-6


@pytest.mark.parametrize("fps", ["25", "30000/1001", "60"])
@pytest.mark.parametrize("every", [1, 2, 4])
def test_footage_without_words_changes_every_so_many_beats(fps: str, every: int) -> None:
    timeline = timeline_of([(0, 700), (900, 1500)], 1500, Fraction(fps))
    beats = grid(128).until(60)
    cut = cut_on_beats(timeline, beats, every)
    assert max(off(cut, beats)) <= 1
    places = [0, *(joint.at for joint in joints(cut))]
    steps = {after - before for before, after in pairwise(places)}
    wanted = every * 60 / 128 * float(Fraction(fps))
    assert all(abs(step - wanted) <= 1 for step in steps)
    assert len(places) >= 1300 / (wanted * (1 + 1 / every)) - 3
    assert {piece.reason for piece in cut.kept} == {"beat"}
    assert cut.pieces[-1].end_frame == 1500


def test_footage_shorter_than_a_cut_is_left_whole() -> None:
    timeline = timeline_of([(0, 30)], 30)
    cut = cut_on_beats(timeline, grid(60).until(1), 4)
    assert [(piece.start_frame, piece.end_frame, piece.kept) for piece in cut.pieces] == [(0, 30, True)]

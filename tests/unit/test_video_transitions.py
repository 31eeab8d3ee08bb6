"""Which joints there are, how long they last and what is seen and heard in them (SPEC V2.4)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.video.timeline import Piece, Timeline, Transition, Word
from core.video.transitions import joints, zoomed
from providers.video.transitions import Transitions
from tests.unit.test_filtergraph import ranges, timeline_of

KEPT = [(0, 60), (80, 140), (147, 200), (240, 300)]


def joined(style: str, kept: list[tuple[int, int]], total: int = 300, seconds: float = 0.4, **more: object) -> Timeline:
    transition = Transition.model_validate({"style": style, "duration_seconds": seconds})
    return timeline_of(kept, total, transition=transition, **more)


@pytest.mark.parametrize(
    ("style", "frames"), [("crossfade", [5, 5]), ("wipe", [5, 5]), ("dip", [5, 5]), ("zoom", [0, 0]), ("cut", [0, 0])]
)
def test_half_of_the_shorter_piece_is_the_most(style: str, frames: list[int]) -> None:
    timeline = joined(style, [(0, 40), (60, 70), (90, 120)], 120, 2.0)
    assert [joint.frames for joint in joints(timeline)] == frames


def test_pieces_that_follow_each_other_have_no_joint() -> None:
    pieces = tuple(Piece(start_frame=at, end_frame=at + 10, kept=True, reason="user") for at in (0, 10, 20))
    assert joints(joined("dip", [(0, 30)], 30).model_copy(update={"pieces": pieces})) == []


def test_a_handle_is_made_of_what_was_removed() -> None:
    found = joints(joined("crossfade", KEPT))
    assert [(joint.at, joint.frames) for joint in found] == [(60, 12), (120, 7), (173, 12)]
    handles = [joint.handle for joint in found if joint.handle]
    assert [(handle.start, handle.end) for handle in handles] == [(60, 72), (140, 147), (200, 212)]


def test_what_was_struck_is_not_to_be_heard_again() -> None:
    timeline = joined("crossfade", KEPT, words=[Word(word="um", start=2.1, end=2.4)])
    assert [joint.sounding for joint in joints(timeline)] == [2, 7, 12]
    pieces = [piece.model_copy(update={"reason": "filler"}) if not piece.kept else piece for piece in timeline.pieces]
    assert [joint.sounding for joint in joints(timeline.model_copy(update={"pieces": tuple(pieces)}))] == [0, 0, 0]


def test_every_other_piece_comes_closer_and_a_change_of_speed_does_not_count() -> None:
    timeline = joined("zoom", KEPT)
    fast = [piece.model_copy(update={"speed": 2.0}) if piece.start_frame == 80 else piece for piece in timeline.pieces]
    split = [
        *fast[:2], fast[2].model_copy(update={"end_frame": 100}),
        fast[2].model_copy(update={"start_frame": 100, "speed": 1.0}), *fast[3:],
    ]  # fmt: skip
    assert zoomed(timeline) == [False, True, False, True]
    assert zoomed(timeline.model_copy(update={"pieces": tuple(split)})) == [False, True, True, False, True]
    assert zoomed(joined("dip", KEPT)) == [False] * 4


@settings(max_examples=50, deadline=None)
@given(ranges(longest=600, most=8), st.sampled_from(["crossfade", "wipe"]), st.floats(0.1, 2.0))
def test_both_streams_are_as_long_as_the_result_and_differ_only_at_the_joints(
    kept: list[tuple[int, int]], style: str, seconds: float
) -> None:
    timeline = joined(style, kept or [(0, 10)], 601, seconds)
    made = Transitions.of(timeline)
    main = [item.shown(index) for item in made.stretches for index in range(item.frames)]
    other = {item.at + index: item.shown(index) for item in made.other for index in range(item.frames)}
    assert sorted(other) == list(range(timeline.kept_frames))
    inside = {joint.at + step for joint in made.joints for step in range(joint.frames)}
    assert all((other[position] == frame) == (position not in inside) for position, frame in enumerate(main))
    opened = [frame for item in made.opened for frame in range(item.start, item.end)]
    assert opened == sorted(set(opened))

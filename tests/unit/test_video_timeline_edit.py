"""Correcting an edit before it is rendered (SPEC V2.9)."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.video.cuts import Removal, build_pieces
from core.video.timeline import Timeline, Word
from core.video.timeline_edit import (
    TimeMap,
    clip,
    correct_words,
    output_words,
    piece_rows,
    restore_words,
    set_range,
    set_speed,
    split_at,
    strike_words,
    summary,
    toggle_piece,
    transcript_text,
    with_corrections,
    with_pieces,
)


def make(removals: list[Removal] | None = None, frames: int = 300, fps: str = "30", count: int = 15) -> Timeline:
    words = tuple(Word(word=f"w{i}", start=0.1 + i * 0.6, end=0.5 + i * 0.6) for i in range(count))
    return Timeline(
        source_asset_id=uuid4(), fps=fps, width=1280, height=720, duration_frames=frames,
        pieces=build_pieces(frames, Fraction(fps), removals or [], words), words=words,
    )  # fmt: skip


def test_striking_words_removes_them_and_restoring_brings_them_back() -> None:
    before = make()
    after = strike_words(before, 3, 5)
    heard = [word.word for word in output_words(after)]
    assert heard == [f"w{i}" for i in range(15) if i not in (3, 4)]
    assert [piece.text for piece in after.pieces if not piece.kept] == ["w3 w4"]
    assert [word.word for word in output_words(restore_words(after, 3, 4))] == [f"w{i}" for i in range(15) if i != 4]
    assert after.kept_frames < before.kept_frames


def test_toggling_twice_changes_nothing() -> None:
    timeline = make([Removal(2.52, 3.08, "silence")])
    removed = next(index for index, piece in enumerate(timeline.pieces) if not piece.kept)
    assert toggle_piece(timeline, removed).kept_frames == 300
    assert toggle_piece(toggle_piece(timeline, removed), removed) == timeline


def test_the_last_piece_cannot_be_removed() -> None:
    with pytest.raises(InvalidInput, match="Nothing"):
        toggle_piece(make(), 0)
    with pytest.raises(InvalidInput):
        toggle_piece(make(), 7)


def test_correcting_words_changes_captions_only() -> None:
    timeline = make()
    more = correct_words(timeline, 2, 3, "New  York\n{\\p1}")
    assert [word.word for word in more.words[2:5]] == ["New", "York", "{\\p1}"]
    assert more.words[2].start == timeline.words[2].start
    assert more.words[4].end == pytest.approx(timeline.words[2].end)
    assert more.pieces == timeline.pieces
    assert len(correct_words(timeline, 2, 3, "").words) == 14
    one = correct_words(timeline, 2, 4, "joined")
    assert (one.words[2].start, one.words[2].end) == (timeline.words[2].start, pytest.approx(timeline.words[3].end))


def test_an_editor_hands_back_pieces_and_words() -> None:
    timeline = make([Removal(4.32, 4.88, "silence")])
    edited = with_pieces(
        timeline, [(0, 100, True, "speech", 2.0), (100, 200, False, "user", 1.0), (200, 300, True, "speech", 1.0)]
    )
    assert edited.kept_frames == 150
    fixed = with_corrections(edited, [(1, "two words"), (3, "x")])
    assert [word.word for word in fixed.words[:5]] == ["w0", "two", "words", "w2", "x"]
    for rows in (
        [(0, 100, True, "speech", 1.0)],
        [(0, 300, False, "user", 1.0)],
        [(0, 300, True, "because", 1.0)],
        [(9, 2, True, "user", 1.0)],
        [(0, 300, True, "user", 17.0)],
        [(0, 100, False, "user", 2.0), (100, 300, True, "user", 1.0)],
    ):
        with pytest.raises(InvalidInput):
            with_pieces(timeline, rows)


def test_a_clip_keeps_the_decisions_inside() -> None:
    timeline = clip(make([Removal(4.32, 4.88, "silence")]), 3.0, 6.0)
    rows = piece_rows(timeline)
    assert [row["reason"] for row in rows] == ["clip", "speech", "silence", "speech", "clip"]
    assert rows[1]["start"] == 3.0
    assert rows[3]["end"] == 6.0


def test_summary_adds_up() -> None:
    result = summary(make([Removal(4.32, 4.88, "silence"), Removal(7.0, 8.0, "user")]))
    assert result["kept_seconds"] + result["removed_seconds"] == pytest.approx(result["source_seconds"])
    assert set(result["removed_by_reason"]) == {"silence", "user"}
    assert result["cuts"] == 2


def test_a_piece_at_twice_the_speed_takes_half_the_time_and_its_words_with_it() -> None:
    timeline = make([Removal(4.32, 4.88, "silence")])
    faster = set_speed(timeline, 0, 2.0)
    first = timeline.pieces[0].end_frame
    assert faster.kept_frames == timeline.kept_frames - first + round(first / 2)
    before, after = output_words(timeline), output_words(faster)
    assert [word.word for word in after] == [word.word for word in before]
    assert after[3].start == pytest.approx(before[3].start / 2, abs=0.02)
    assert after[-1].end - after[-1].start == pytest.approx(0.4)
    assert piece_rows(faster)[0]["speed"] == 2.0
    assert summary(faster)["speed_saved_seconds"] == pytest.approx(first / 60, abs=0.02)
    assert toggle_piece(toggle_piece(faster, 0), 0).kept_frames == timeline.kept_frames  # taken back at its own pace
    struck = strike_words(faster, 2, 3)
    assert [piece.speed for piece in struck.pieces if piece.kept] == [2.0, 2.0, 1.0]


def test_cutting_a_fast_piece_in_two_changes_nothing_of_the_result() -> None:
    timeline = set_speed(make(), 0, 1.7)
    assert split_at(timeline, 3.21).stretches == timeline.stretches


def test_a_word_over_a_change_of_speed_stays_whole() -> None:
    timeline = set_speed(split_at(make(), 1.5), 0, 2.0)  # w2 is said from 1.3 to 1.7
    word = output_words(timeline)[2]
    assert (word.start, word.end) == (pytest.approx(0.65, abs=0.02), pytest.approx(0.95, abs=0.04))


@pytest.mark.parametrize("speed", [0.2, 16.5, float("nan")])
def test_speeds_nobody_can_watch_are_refused(speed: float) -> None:
    with pytest.raises(InvalidInput):
        set_speed(make(), 0, speed)
    timeline = set_range(make(), 2, 3, kept=False)
    with pytest.raises(InvalidInput, match="removed"):
        set_speed(timeline, 1, 2.0)


def test_an_edit_stored_before_there_were_speeds_is_read() -> None:
    document = make([Removal(4.32, 4.88, "silence")]).model_dump(mode="json")
    for piece in document["pieces"]:
        del piece["speed"]
    assert Timeline.model_validate(document).kept_frames == make([Removal(4.32, 4.88, "silence")]).kept_frames


def test_json_round_trip() -> None:
    timeline = strike_words(make(), 1, 2)
    assert Timeline.model_validate_json(timeline.model_dump_json()) == timeline
    assert transcript_text(timeline).startswith("w0 w2")


edits = st.lists(
    st.one_of(
        st.tuples(st.just("strike"), st.integers(0, 14), st.integers(1, 4)),
        st.tuples(st.just("restore"), st.integers(0, 14), st.integers(1, 4)),
        st.tuples(st.just("toggle"), st.integers(0, 30), st.just(0)),
        st.tuples(st.just("split"), st.integers(0, 100), st.just(0)),
        st.tuples(st.just("remove"), st.integers(0, 99), st.integers(1, 30)),
        st.tuples(st.just("clip"), st.integers(0, 60), st.integers(20, 60)),
        st.tuples(st.just("speed"), st.integers(0, 8), st.sampled_from([1, 2, 3, 5, 8, 20])),
    ),
    max_size=12,
)


@settings(deadline=None)
@given(edits, st.sampled_from(["25", "30000/1001", "30"]))
def test_any_sequence_of_edits_leaves_a_timeline_that_covers_its_source(
    steps: list[tuple[str, int, int]], fps: str
) -> None:
    timeline = make([Removal(4.32, 4.88, "silence")], fps=fps)
    for kind, value, extra in steps:
        try:
            if kind == "strike":
                timeline = strike_words(timeline, value, value + extra)
                heard = {word.word for word in output_words(timeline)}
                assert not heard & {f"w{i}" for i in range(value, value + extra)}
            elif kind == "restore":
                timeline = restore_words(timeline, value, value + extra)
                heard = {word.word for word in output_words(timeline)}
                assert {f"w{i}" for i in range(value, value + extra)} <= heard
            elif kind == "toggle":
                timeline = toggle_piece(timeline, value)
            elif kind == "split":
                timeline = split_at(timeline, value / 10)
            elif kind == "speed":
                timeline = set_speed(timeline, value, extra / 4 + 0.25)
            elif kind == "remove":
                timeline = set_range(timeline, value / 10, (value + extra) / 10, kept=False)
            else:
                timeline = clip(timeline, value / 10, (value + extra) / 10)
        except InvalidInput:
            continue
    assert timeline.pieces[0].start_frame == 0
    assert timeline.pieces[-1].end_frame == 300
    assert all(first.end_frame == second.start_frame for first, second in pairwise(timeline.pieces))
    heard_words = output_words(timeline)
    assert all(0 <= word.start < word.end <= timeline.kept_frames / timeline.rate + 1e-6 for word in heard_words)
    times = TimeMap(timeline)
    for tenth in range(0, 100):
        output = times.to_output(tenth / 10)
        if output is not None:
            assert times.to_source(output) == pytest.approx(tenth / 10, abs=1e-6)

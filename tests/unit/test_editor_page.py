"""What the Video Editor page decides by itself: choices become operations, edits of the browser become a timeline."""

from __future__ import annotations

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.video.caption_styles import STYLES
from core.video.timeline import Piece, Timeline, Word
from pages.components.timeline import TimelineEdit
from pages.editor import operations
from pages.editor.project import Choices
from pages.editor.review import apply

TIMELINE = Timeline(
    source_asset_id=uuid4(),
    fps="25",
    width=1280,
    height=720,
    duration_frames=500,
    words=(Word(word="Hello", start=1.0, end=1.4), Word(word="word", start=1.5, end=2.0)),
    pieces=(
        Piece(start_frame=0, end_frame=20, kept=False, reason="silence", text="…"),
        Piece(start_frame=20, end_frame=400, kept=True, reason="speech"),
        Piece(start_frame=400, end_frame=500, kept=False, reason="silence"),
    ),
)


Row = tuple[int, int, bool, str, float]


def edit(pieces: list[Row], words: list[tuple[int, str]]) -> TimelineEdit:
    return TimelineEdit(version=1, pieces=pieces, words=words)


def as_sent(timeline: Timeline) -> list[Row]:
    return [(piece.start_frame, piece.end_frame, piece.kept, piece.reason, piece.speed) for piece in timeline.pieces]


def test_nothing_changed_is_the_same_timeline() -> None:
    assert apply(TIMELINE, edit(as_sent(TIMELINE), [])) == TIMELINE


def test_a_piece_taken_back_and_a_word_corrected() -> None:
    pieces = as_sent(TIMELINE)
    pieces[0] = (0, 20, True, "silence", 4.0)
    changed = apply(TIMELINE, edit(pieces, [(1, "world")]))
    assert changed.kept_frames == 385
    assert changed.pieces[0].text == "…"
    assert [word.word for word in changed.words] == ["Hello", "world"]
    assert changed.words[1].start == TIMELINE.words[1].start


def test_only_what_decides_about_cuts_asks_for_new_ones() -> None:
    found = Choices(language="en", music="", captions="tiktok")
    source = uuid4()

    def cuts(choices: Choices) -> object:
        return operations.decides_cuts(operations.plan_input(source, choices).model_dump(mode="json"))

    same = found.model_copy(
        update={"music": "preset:lofi", "captions": "clean", "transition": "wipe", "formats": ["1:1"]}
    )
    assert cuts(same) == cuts(found)
    for change in (
        {"min_silence_seconds": 1.0},
        {"cut_fillers": True},
        {"pauses": "speed"},
        {"pauses": "leave"},
        {"speed": 1.25},
        {"language": "th"},
    ):
        assert cuts(found.model_copy(update=change)) != cuts(found)
    on_beat = same.model_copy(update={"on_beat": True})
    assert cuts(on_beat) != cuts(found)
    assert cuts(on_beat.model_copy(update={"music": "preset:chill"})) != cuts(on_beat)
    assert cuts(on_beat.model_copy(update={"duck_db": 3})) == cuts(on_beat)


@pytest.mark.parametrize(
    "pieces",
    [
        [(0, 20, True, "speech", 1.0)],
        [(0, 300, True, "speech", 1.0), (250, 500, True, "speech", 1.0)],
        [(0, 500, True, "nonsense", 1.0)],
        [(0, 0, True, "speech", 1.0), (0, 500, True, "speech", 1.0)],
        [(0, 500, True, "speech", 99.0)],
        [],
    ],
)
def test_an_edit_that_does_not_cover_the_recording_is_refused(pieces: list[Row]) -> None:
    with pytest.raises(InvalidInput):
        apply(TIMELINE, edit(pieces, []))


def test_a_word_that_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidInput):
        apply(TIMELINE, edit(as_sent(TIMELINE), [(7, "ghost")]))


@given(st.lists(st.integers(1, 499), unique=True, max_size=20), st.data())
def test_any_covering_cut_is_accepted_as_it_is(cuts: list[int], data: st.DataObject) -> None:
    edges = [0, *sorted(cuts), 500]
    kept = data.draw(st.lists(st.booleans(), min_size=len(edges) - 1, max_size=len(edges) - 1))
    pieces = [(a, b, keep, "user", 1.0) for a, b, keep in zip(edges, edges[1:], kept, strict=False)]
    changed = apply(TIMELINE, edit(pieces, []))
    assert as_sent(changed) == pieces


@given(
    st.builds(
        Choices,
        language=st.sampled_from(["", "en", "th", "auto"]),
        pauses=st.sampled_from(["cut", "speed", "leave"]),
        pause_speed=st.sampled_from([2.0, 8.0]),
        speed=st.sampled_from([0.5, 1.0, 2.0]),
        transition=st.sampled_from(["cut", "crossfade", "zoom", "dip", "wipe"]),
        transition_seconds=st.sampled_from([0.1, 1.5]),
        min_silence_seconds=st.floats(0.2, 3.0),
        cut_fillers=st.booleans(),
        cut_repeats=st.booleans(),
        follow_face=st.booleans(),
        captions=st.sampled_from(["", *STYLES]),
        music=st.sampled_from(["", "preset:lofi", f"asset:{uuid4()}"]),
        duck_db=st.floats(0, 24),
        on_beat=st.booleans(),
        beats_per_cut=st.sampled_from([1, 16]),
        reduce_noise=st.booleans(),
        loudness=st.booleans(),
        formats=st.lists(st.sampled_from(["16:9", "9:16", "4:5", "1:1", "source"]), unique=True, min_size=1),
        resolution=st.sampled_from(["720p", "1080p"]),
        shorts=st.integers(1, 20),
        max_seconds=st.integers(10, 180),
    )
)
def test_whatever_is_ticked_makes_valid_jobs(choices: Choices) -> None:
    source, timeline = uuid4(), uuid4()
    planned = operations.plan_input(source, choices)
    rendered = operations.render_input(source, timeline, choices)
    clips = operations.shorts_input(source, choices)
    assert planned.dry_run
    assert not rendered.dry_run
    assert rendered.timeline_id == timeline
    assert [target.aspect_ratio for target in rendered.target_outputs] == choices.formats
    kinds = [operation.type for operation in planned.operations]
    assert ("auto_cut_silence" in kinds) == (choices.pauses != "leave")
    assert ("auto_speed" in kinds) == (choices.pauses == "speed" or choices.speed != 1.0)
    assert ("auto_transition" in kinds) == (choices.transition != "cut")
    assert ("add_subtitle" in kinds) == bool(choices.captions)
    assert ("add_music" in kinds) == bool(choices.music)
    assert ("cut_by_beat" in kinds) == bool(choices.music and choices.on_beat)
    assert clips.count == choices.shorts
    assert clips.style == (choices.captions or None)
    assert (clips.music is None) == (not choices.music)


def test_a_project_of_before_keeps_what_it_said_about_pauses() -> None:
    assert Choices.model_validate({"cut_silence": False}).pauses == "leave"
    assert Choices.model_validate({"cut_silence": True}).pauses == "cut"
    assert Choices.model_validate(Choices(pauses="speed").model_dump()).pauses == "speed"

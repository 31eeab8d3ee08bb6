"""Scenes of generated videos: what is shown and said when, cards, looks and graphs (SPEC V1)."""

from __future__ import annotations

import re
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.errors import InvalidInput
from core.narration import Line, lines_of
from core.video.caption_styles import STYLES
from core.video.generate.cards import Card, card_document
from core.video.generate.looks import LOOKS, Look, SceneTransition
from core.video.generate.payloads import GenerateInput
from core.video.generate.scenes import (
    FPS,
    LEAD_SECONDS,
    MAX_HASTE,
    REACH_SECONDS,
    SHORTEST_SECONDS,
    TAIL_SECONDS,
    Draft,
    drafts_of,
    haste,
    hurried,
    motion_of,
    phrases_of,
    plan,
)
from core.video.text import clean, em_width
from providers.video.looks import look_filters
from providers.video.scenes import scene_graph, shots_of

PICTURE = UUID("0190f3c0-7a5e-7c1a-9f0e-2b6d1c3a4e5f")
NATURAL = LOOKS["natural"]
TRANSITIONS: tuple[SceneTransition, ...] = ("cut", "crossfade", "dip", "wipe")


@st.composite
def storyboards(draw: st.DrawFn) -> tuple[list[Draft], list[list[float]]]:
    drafts, lengths = [], []
    for _ in range(draw(st.integers(1, 8))):
        count = draw(st.integers(0, 3))
        seconds = draw(st.floats(0.5, 20))
        drafts.append(
            Draft(None, "x", tuple(Line("a", 0.3) for _ in range(count)), seconds, draw(st.sampled_from(TRANSITIONS)))
        )
        lengths.append([draw(st.floats(0.2, 6)) for _ in range(count)])
    return drafts, lengths


@given(storyboards(), st.none() | st.floats(1, 200), st.floats(0.2, 1.5), st.sampled_from(list(LOOKS.values())))
def test_scenes_follow_each_other_and_hold_what_is_said(
    board: tuple[list[Draft], list[list[float]]], total: float | None, period: float, look: Look
) -> None:
    drafts, lengths = board
    try:
        speed = haste(drafts, lengths, total)
    except InvalidInput:
        assert total is not None
        return
    assert 1.0 <= speed <= MAX_HASTE * 1.01
    drafts = hurried(drafts, speed)
    lengths = [[one / speed for one in row] for row in lengths]
    beats = [index * period for index in range(2000)]
    scenes = plan(drafts, lengths, look, total=total, beats=lambda _: beats)
    assert scenes[0].start == 0
    for before, after in pairwise(scenes):
        assert before.end == after.start
    for scene in scenes:
        assert scene.frames >= int(SHORTEST_SECONDS * FPS) - 1
        assert scene.joint <= scene.frames / 2
        if scene.said:
            assert scene.said[0].start == pytest.approx(scene.start / FPS + LEAD_SECONDS)
            assert scene.said[-1].end <= scene.end / FPS - TAIL_SECONDS + 2 / FPS
    if total is not None:
        assert scenes[-1].end == pytest.approx(total * FPS, abs=1.5)
    graph = scene_graph(scenes, look, (64, 36), 1)
    painted = sum(shot.frames for shot in shots_of(scenes, [None] * len(scenes), look))
    overlaid = [scene.joint for scene in scenes if scene.draft.transition in ("crossfade", "wipe")]
    assert painted == scenes[-1].end + sum(overlaid)
    assert ("maskedmerge" in graph) == any(overlaid)


def test_silent_scenes_change_on_the_nearest_beat() -> None:
    drafts = [Draft(PICTURE, "", (), 4.0, "cut")] * 4
    scenes = plan(drafts, [[]] * 4, NATURAL, beats=lambda seconds: [0.7 * n for n in range(int(seconds / 0.7))])
    ends = [scene.end / FPS for scene in scenes[:-1]]
    assert [end / 0.7 for end in ends] == pytest.approx([6, 11, 17], abs=0.03)
    assert scenes[-1].end == 16 * FPS
    slow = plan(drafts, [[]] * 4, NATURAL, beats=lambda _: [1.0])
    assert [scene.end for scene in slow] == [4 * FPS * n for n in (1, 2, 3, 4)], f"no beat within {REACH_SECONDS} s"


def test_a_script_is_parted_by_sense_and_loses_no_word() -> None:
    paragraph = " ".join(f"Sentence number {n} tells of cameras, lamps and windows." for n in range(9))
    script = f"Light comes first.\n\n{paragraph}\n\nThe end."
    drafts = drafts_of(GenerateInput(script=script), NATURAL)
    assert [line for draft in drafts for line in draft.lines] == lines_of(script)
    assert 4 <= len(drafts) <= 6
    assert [line.text for line in drafts[0].lines] == ["Light comes first."]
    inner = [sum(len(line.text) for line in draft.lines) for draft in drafts[1:-1]]
    assert max(inner) < 2 * min(inner)
    assert all(draft.title[:1] == draft.title[:1].upper() for draft in drafts)


def test_a_prompt_becomes_phrases_broken_where_they_may() -> None:
    assert phrases_of("three habits for better videos, light, and a promise in the first sentence") == [
        "Three habits for better videos", "Light", "And a promise", "In the first sentence",
    ]  # fmt: skip
    assert phrases_of("ทำอาหารไทยง่ายๆ ที่บ้าน")[0].startswith("ทำอาหารไทย")
    with pytest.raises(InvalidInput, match="nothing to s"):
        phrases_of("!!! …")


def test_a_text_that_does_not_fit_is_refused_with_what_it_needs() -> None:
    drafts = [Draft(None, "", (Line("a", 0.0),), 0.0, "cut")]
    assert haste(drafts, [[10.0]], 10.0) == pytest.approx(10 / (10 - 0.9), rel=0.01)
    with pytest.raises(InvalidInput, match="need at least 8 seconds"):
        haste(drafts, [[10.0]], 5.0)


HOSTILE = st.text(
    alphabet=st.sampled_from("aB{}\\N,;:'\"[]%\n\r\u2028\u202eกำ ะ漢\x00&<>=|@"), min_size=1, max_size=200
)


@given(HOSTILE, st.sampled_from(list(LOOKS.values())), st.sampled_from([(640, 360), (360, 640), (90, 90)]))
def test_no_text_breaks_out_of_a_card(text: str, look: Look, size: tuple[int, int]) -> None:
    document = card_document([Card(text, 0.0, 2.0)], look.card, *size, "16:9")
    head, _, events = document.partition("Effect, Text\n")
    assert head.count("[") == 3
    for row in events.splitlines():
        match = re.fullmatch(r"Dialogue: 0,0:00:00\.00,0:00:02\.00,Card,,0,0,0,,\{(\\[a-z]+[(\d,)-]+)+\}(.*)", row)
        assert match, row
        assert not set(match[2]) & set("{}\\")
    if any(not char.isspace() for char in clean(text)):
        assert events


@given(st.text(alphabet=st.sampled_from("abc mW กขค"), min_size=1, max_size=300), st.sampled_from(list(LOOKS.values())))
def test_cards_stay_within_the_picture(text: str, look: Look) -> None:
    from core.video.generate.cards import MIN_SCALE, lines_of

    lines, scale = lines_of(text, 8.0, look.card.upper_case)
    longest_word = max((em_width(line) for line in lines if " " not in line), default=0.0)
    assert scale >= MIN_SCALE * 0.9
    for line in lines:
        assert em_width(line) * scale <= 8.01 or scale == MIN_SCALE or em_width(line) == longest_word


def test_there_are_styles_enough_and_each_has_its_own_filters() -> None:
    assert len(LOOKS) >= 8
    assert "cinematic" in LOOKS
    filters = {name: look_filters(look, (640, 360)) for name, look in LOOKS.items()}
    assert filters.pop("natural") == "null"
    assert len(set(filters.values())) == len(filters)
    assert all(look.captions in STYLES for look in LOOKS.values())
    assert len({motion_of(index, NATURAL) for index in range(4)}) == 4


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"prompt": "a", "script": "b"},
        {"prompt": "a", "source_assets": [str(PICTURE)]},
        {"source_assets": []},
        {"storyboard": {"scenes": []}},
        {"storyboard": {"scenes": [{"text": "a", "prompt": "b"}]}},
        {"storyboard": {"scenes": [{"narration": "a"}]}},
        {"storyboard": {"scenes": [{"text": "a", "transition": "zoom"}]}},
        {"prompt": "a", "style": "grunge"},
        {"prompt": "a", "captions": "grunge"},
        {"prompt": "a", "aspect_ratio": "16:9", "resolution": "1080x1920"},
        {"prompt": "a", "duration_seconds": float("nan")},
        {"prompt": "a", "audio_preset": "lofi", "music_asset_id": str(PICTURE)},
        {"prompt": "a", "mode": "edit"},
        {"prompt": "a", "colour": "red"},
    ],
)
def test_orders_that_make_no_sense_are_refused(order: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        GenerateInput.model_validate(order)

"""The filter graph as text: what is kept, where the crop stands, and that nothing foreign can get in."""

from __future__ import annotations

import re
import uuid
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.video.timeline import CropKeyframe, CropTrack, OutputTarget, Piece, Timeline, Word
from providers.video.filtergraph import (
    MAX_WINDOWS,
    MIN_SKIP_SECONDS,
    Picture,
    compile_video,
    crop_expression,
    crop_path,
    crop_window,
    keep_expression,
    kept_ranges,
    plan_windows,
    seek_arguments,
)

RATES = st.sampled_from([Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30), Fraction(60)])


def evaluate(expression: str, n: int) -> float:
    """FFmpeg's ``if``, ``lt`` and arithmetic, evaluated by Python."""
    text = re.sub(r"\bif\(", "choose(", expression)
    scope = {"choose": lambda test, yes, no: yes if test else no, "lt": lambda a, b: a < b, "n": n}
    return float(eval(text, {"__builtins__": {}}, scope))


@st.composite
def ranges(draw: st.DrawFn, longest: int = 4000, most: int = 60) -> list[tuple[int, int]]:
    """Ascending ranges of frames that neither touch nor overlap."""
    bounds = sorted(draw(st.sets(st.integers(0, longest), min_size=2, max_size=2 * most)))
    pairs = list(zip(bounds[::2], bounds[1::2], strict=False))
    return [(a, b) for a, b in pairs if b > a]


def timeline_of(kept: list[tuple[int, int]], total: int, rate: Fraction = Fraction(30), **more: object) -> Timeline:
    pieces: list[Piece] = []
    position = 0
    for start, end in kept:
        if start > position:
            pieces.append(Piece(start_frame=position, end_frame=start, kept=False, reason="silence"))
        pieces.append(Piece(start_frame=start, end_frame=end, kept=True, reason="speech"))
        position = end
    if position < total:
        pieces.append(Piece(start_frame=position, end_frame=total, kept=False, reason="silence"))
    document = {
        "source_asset_id": uuid.uuid4(), "fps": str(rate), "width": 1280, "height": 720, "duration_frames": total,
        "pieces": pieces, **more,
    }  # fmt: skip
    return Timeline.model_validate(document)


@given(ranges(most=20), st.integers(0, 4010))
def test_the_expression_keeps_exactly_the_ranges(kept: list[tuple[int, int]], n: int) -> None:
    assert evaluate(keep_expression(kept), n) == float(any(start <= n < end for start, end in kept))


def test_the_expression_of_an_hour_of_cuts_is_shallow() -> None:
    expression = keep_expression([(at, at + 3) for at in range(0, 108_000, 9)])
    depth = deepest = 0
    for letter in expression:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        deepest = max(deepest, depth)
    assert deepest < 40  # FFmpeg refuses a hundred


@given(ranges(longest=400_000), RATES)
def test_windows_hold_every_range_once_and_skip_only_long_gaps(kept: list[tuple[int, int]], rate: Fraction) -> None:
    windows = plan_windows(kept, rate)
    assert [item for window in windows for item in window.ranges] == kept
    assert len(windows) <= MAX_WINDOWS
    assert sum(window.kept for window in windows) == sum(end - start for start, end in kept)
    for window in windows:
        assert window.start <= window.ranges[0][0]
        assert window.end == window.ranges[-1][1]
        assert (window.start == 0) == (seek_arguments(window, rate) == [])
    for left, right in pairwise(windows):
        assert right.start - left.end >= MIN_SKIP_SECONDS * rate
    if len(windows) < MAX_WINDOWS:
        for window in windows:
            gaps = [b[0] - a[1] for a, b in pairwise(window.ranges)]
            assert all(gap < MIN_SKIP_SECONDS * rate for gap in gaps)


def test_pieces_that_touch_are_not_cut() -> None:
    pieces = tuple(Piece(start_frame=a, end_frame=a + 10, kept=True, reason="speech") for a in (0, 10, 20))
    timeline = timeline_of([], 30).model_copy(update={"pieces": pieces})
    assert kept_ranges(timeline) == [(0, 30)]
    with pytest.raises(InvalidInput):
        kept_ranges(timeline_of([], 30))


@given(
    st.lists(st.tuples(st.integers(0, 600), st.floats(0, 1)), max_size=12, unique_by=lambda key: key[0]),
    ranges(longest=600, most=6),
    st.data(),
)
def test_the_crop_stands_where_its_keyframes_say(
    keys: list[tuple[int, float]], kept: list[tuple[int, int]], data: st.DataObject
) -> None:
    track = [CropKeyframe(frame=frame, x=x, y=0.5) for frame, x in keys]
    expression = crop_expression(crop_path(track, kept, 1280, 404, "x"))
    source = [frame for start, end in kept for frame in range(start, end)]
    position = data.draw(st.integers(0, len(source) - 1))
    points = sorted(keys) or [(0, 0.5)]
    before = [key for key in points if key[0] <= source[position]] or points[:1]
    after = [key for key in points if key[0] > source[position]] or points[-1:]
    (f0, x0), (f1, x1) = before[-1], after[0]
    share = (source[position] - f0) / (f1 - f0) if f1 > f0 and source[position] >= f0 else 0.0
    assert abs(evaluate(expression, position) - ((x0 + (x1 - x0) * share) * 1280 - 202)) < 0.02


@given(st.integers(16, 4000), st.integers(16, 4000), st.sampled_from([(9, 16), (16, 9), (4, 5), (1, 1)]))
def test_the_crop_window_is_even_inside_and_of_the_shape(width: int, height: int, shape: tuple[int, int]) -> None:
    target = OutputTarget(aspect_ratio="source", width=shape[0] * 60, height=shape[1] * 60)
    inner = crop_window(Picture(width, height), target)
    assert inner[0] % 2 == inner[1] % 2 == 0
    assert inner[0] <= width
    assert inner[1] <= height
    assert inner[0] >= width - 1 or inner[1] >= height - 1
    assert abs(inner[0] * shape[1] - inner[1] * shape[0]) <= 2 * max(shape) + shape[0] + shape[1]


ALLOWED = re.compile(r"^[A-Za-z0-9_.,:;=()'\[\]+*/\n-]*$")


@given(st.text(), st.text(), st.text(max_size=30), st.floats(0, 1), st.floats(0, 1))
def test_no_text_of_a_user_reaches_the_graph(word: str, text: str, language: str, x: float, y: float) -> None:
    hostile = "';[0:v]movie=/etc/passwd[out0];" + text
    pieces = (Piece(start_frame=0, end_frame=90, kept=True, reason="user", text=hostile),)
    crops = {"9:16": CropTrack(keyframes=(CropKeyframe(frame=0, x=x, y=y), CropKeyframe(frame=50, x=y, y=x)))}
    timeline = timeline_of([], 90).model_copy(
        update={
            "pieces": pieces, "words": (Word(word=word + hostile, start=0, end=1),), "language": language + hostile,
            "crops": crops,
        }
    )  # fmt: skip
    targets = [OutputTarget(aspect_ratio="9:16", width=720, height=1280)]
    graph = compile_video(
        timeline, plan_windows([(0, 90)], Fraction(30)), Picture(1280, 720), targets, ["captions0.ass"]
    )
    assert ALLOWED.match(graph)
    assert "movie" not in graph
    assert "passwd" not in graph
    assert graph.count("ass=filename=captions0.ass:fontsdir=fonts") == 1

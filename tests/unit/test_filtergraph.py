"""The filter graph as text: what is kept, where the crop stands, and that nothing foreign can get in."""

from __future__ import annotations

import math
import re
import uuid
from fractions import Fraction
from itertools import accumulate, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.video.timeline import (
    CropKeyframe,
    CropTrack,
    OutputTarget,
    Piece,
    Stretch,
    Timeline,
    Word,
    result_frames,
)
from providers.video.expressions import choice_expression, place_expression
from providers.video.filtergraph import (
    MAX_WINDOWS,
    MIN_SKIP_SECONDS,
    Picture,
    compile_video,
    crop_expression,
    crop_path,
    crop_window,
    kept_ranges,
    plan_windows,
    seek_arguments,
)

RATES = st.sampled_from([Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30), Fraction(60)])


def evaluate(expression: str, n: int) -> float:
    """FFmpeg's ``if``, ``lt``, ``mod``, ``ceil`` and arithmetic in doubles, evaluated by Python."""
    text = re.sub(r"\bif\(", "choose(", expression)
    scope = {
        "choose": lambda test, yes, no: yes if test else no,
        "lt": lambda a, b: a < b,
        "mod": lambda a, b: a - math.floor(a / b) * b,
        "ceil": math.ceil,
        "n": n,
        "N": n,
    }
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


def plain(kept: list[tuple[int, int]]) -> list[Stretch]:
    """The ranges at normal speed."""
    at = [0, *accumulate(end - start for start, end in kept)]
    return [Stretch(start, end, first, end - start) for (start, end), first in zip(kept, at, strict=False)]


@st.composite
def paced(draw: st.DrawFn) -> list[Stretch]:
    """Ascending stretches at any speed, some of which touch."""
    found: list[Stretch] = []
    start = at = 0
    for _ in range(draw(st.integers(1, 12))):
        start += draw(st.sampled_from([0, 0, 1, 7, 40]))
        length = draw(st.integers(1, 60))
        speed = draw(st.sampled_from([1.0, 1.0, 0.25, 0.8, 1.25, 2.0, 3.7, 16.0]))
        frames = result_frames(length, speed)
        found.append(Stretch(start, start + length, at, frames, speed))
        start, at = start + length, at + frames
    return found


@given(ranges(most=20), st.integers(0, 4010))
def test_the_expression_keeps_exactly_the_ranges(kept: list[tuple[int, int]], n: int) -> None:
    assert evaluate(choice_expression(plain(kept)), n) == float(any(start <= n < end for start, end in kept))


@settings(max_examples=30, deadline=None)
@given(paced())
def test_the_expressions_choose_and_place_what_each_stretch_shows(stretches: list[Stretch]) -> None:
    shown = [item.shown(index) for item in stretches for index in range(item.frames)]
    chosen = [n for n in range(stretches[-1].end) if evaluate(choice_expression(stretches), n)]
    assert chosen == sorted(set(shown))
    places = [evaluate(place_expression(stretches), index) for index in range(len(chosen))]
    assert places == [shown.index(frame) for frame in chosen]


def test_the_expression_of_an_hour_of_cuts_is_shallow() -> None:
    expression = choice_expression(plain([(at, at + 3) for at in range(0, 108_000, 9)]))
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


PLAIN_CUT = """\
[0:V:0]fps=fps=30:start_time=0:round=near,tpad=stop_mode=clone:stop=-1,trim=end_frame=90,\
select='if(lt(n,50),if(lt(n,40),if(lt(n,10),0,1),0),if(lt(n,90),1,0))',settb=1/30,setpts=N[w0];
[1:V:0]fps=fps=30:start_time=1.000000:round=near,tpad=stop_mode=clone:stop=-1,trim=end_frame=30,settb=1/30,setpts=N[w1];
[w0][w1]concat=n=2:v=1:a=0[joined];
[joined]settb=1/30,setpts=N,setsar=1,split=2[b0][b1];
[b0]setsar=1,format=yuv420p[out0];
[b1]crop=w=404:h=720:x='if(lt(n,40),if(lt(n,30),352.6667+4.2666667*(n-0),523.3333+4.2666667*(n-30)),566.0000)':\
y='0.0000':exact=1,scale=720:1280,ass=filename=captions1.ass:fontsdir=fonts,setsar=1,format=yuv420p[out1]
"""


def test_a_plain_jump_cut_costs_nothing_for_what_it_does_not_use() -> None:
    keys = (CropKeyframe(frame=0, x=0.4, y=0.5), CropKeyframe(frame=60, x=0.6, y=0.5))
    timeline = timeline_of([(10, 40), (50, 90), (700, 730)], 800, crops={"9:16": CropTrack(keyframes=keys)})
    targets = [
        OutputTarget(aspect_ratio="source", width=1280, height=720),
        OutputTarget(aspect_ratio="9:16", width=720, height=1280),
    ]
    windows = plan_windows(kept_ranges(timeline), timeline.rate)
    assert compile_video(timeline, windows, Picture(1280, 720), targets, [None, "captions1.ass"]) == PLAIN_CUT


@settings(max_examples=30, deadline=None)
@given(paced(), st.lists(st.tuples(st.integers(0, 400), st.floats(0, 1)), max_size=9, unique_by=lambda key: key[0]))
def test_the_crop_keeps_its_place_on_the_source_at_any_speed(
    stretches: list[Stretch], keys: list[tuple[int, float]]
) -> None:
    track = sorted(keys) or [(0, 0.5)]
    path = crop_path([CropKeyframe(frame=frame, x=x, y=0.5) for frame, x in track], stretches, 1280, 404, "x")
    steepest = [0.0, *(abs(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(track) if b[0] - a[0] > 1)]
    for item in stretches:
        slack = max(steepest) * 1280 * max(1.0, item.length / item.frames) + 0.05
        for index in range(item.frames):
            wanted = np.interp(item.shown(index), [key[0] for key in track], [key[1] for key in track]) * 1280 - 202
            assert abs(evaluate(crop_expression(path), item.at + index) - wanted) <= slack


@given(
    st.lists(st.tuples(st.integers(0, 600), st.floats(0, 1)), max_size=12, unique_by=lambda key: key[0]),
    ranges(longest=600, most=6),
    st.data(),
)
def test_the_crop_stands_where_its_keyframes_say(
    keys: list[tuple[int, float]], kept: list[tuple[int, int]], data: st.DataObject
) -> None:
    track = [CropKeyframe(frame=frame, x=x, y=0.5) for frame, x in keys]
    expression = crop_expression(crop_path(track, plain(kept), 1280, 404, "x"))
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

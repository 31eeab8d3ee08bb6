"""The crop that follows a face, against known face paths (SPEC V2.5)."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.video.reframe import Box, FaceSample, crop_track, position, window
from core.video.timeline import CropTrack

RATE = Fraction(30)
Path = Callable[[float], tuple[float, float]]


def detect(path: Path, seconds: float, noise: float = 0.004, miss: float = 0.0, seed: int = 1) -> list[FaceSample]:
    """Detections five times a second along a path, with noise and misses."""
    dice = random.Random(seed)
    samples = []
    for index in range(int(seconds * 5)):
        x, y = path(index / 5)
        x, y = x + dice.gauss(0, noise), y + dice.gauss(0, noise)
        boxes = () if dice.random() < miss else (Box(x - 0.06, y - 0.1, 0.12, 0.2, 0.9),)
        samples.append(FaceSample(index / 5, boxes))
    return samples


def track(samples: list[FaceSample], seconds: float, cuts: tuple[float, ...] = (), ratio: str = "9:16") -> CropTrack:
    return crop_track(samples, cuts, 1280, 720, RATE, int(seconds * RATE), ratio)  # type: ignore[arg-type]


def share_in_middle_half(crop: CropTrack, path: Path, seconds: float) -> float:
    width, _ = window(1280, 720, "9:16")
    frames = int(seconds * RATE)
    good = 0
    for frame in range(frames):
        x, _ = path(frame / 30)
        reachable = min(max(x, width / 2), 1 - width / 2)  # at the picture's edge the window cannot follow
        good += abs(position(crop, frame)[0] - reachable) <= width / 4 + 1e-6
    return good / frames


def moves(crop: CropTrack, seconds: float) -> list[float]:
    places = [position(crop, frame)[0] for frame in range(int(seconds * 30))]
    return [second - first for first, second in pairwise(places)]


PATHS: dict[str, Path] = {
    "still": lambda t: (0.62, 0.4),
    "slow walk": lambda t: (0.25 + 0.02 * t, 0.4),
    "pacing": lambda t: (0.5 + 0.28 * math.sin(t / 3), 0.4),
    "swaying": lambda t: (0.4 + 0.03 * math.sin(2 * t), 0.4),
    "steps aside": lambda t: (0.3 if t < 10 else min(0.7, 0.3 + 0.2 * (t - 10)), 0.4),
    "at the edge": lambda t: (0.95, 0.4),
}


@pytest.mark.parametrize("name", sorted(PATHS))
def test_the_face_stays_in_the_middle_half(name: str) -> None:
    samples = detect(PATHS[name], 25, miss=0.1)
    assert share_in_middle_half(track(samples, 25), PATHS[name], 25) >= 0.98


@pytest.mark.parametrize("name", ["still", "swaying", "at the edge"])
def test_a_still_subject_gives_a_still_camera(name: str) -> None:
    crop = track(detect(PATHS[name], 25, noise=0.008, miss=0.1), 25)
    assert len({(key.x, key.y) for key in crop.keyframes}) == 1


def test_whoever_stands_still_stands_in_the_middle_also_after_a_walk() -> None:
    crop, path = track(detect(PATHS["steps aside"], 25), 25), PATHS["steps aside"]
    width, _ = window(1280, 720, "9:16")
    for frame in (60, 200, 500, 700):
        assert abs(position(crop, frame)[0] - path(frame / 30)[0]) < 0.04 * width


def test_a_walk_in_one_direction_never_turns_the_camera() -> None:
    steps = [step for step in moves(track(detect(PATHS["slow walk"], 25), 25), 25) if abs(step) > 1e-6]
    assert steps
    assert all(step > 0 for step in steps)


def test_pans_start_and_stop_softly() -> None:
    steps = moves(track(detect(PATHS["steps aside"], 25), 25), 25)
    jerk = max(abs(second - first) for first, second in pairwise(steps))
    assert jerk < 0.004  # a change of speed of less than 0.4 % of the width a frame


def test_one_false_face_changes_nothing() -> None:
    samples = detect(PATHS["still"], 25)
    clean = track(samples, 25)
    samples[60] = FaceSample(samples[60].time, (*samples[60].boxes, Box(0.05, 0.1, 0.3, 0.4, 0.99)))
    assert track(samples, 25) == clean
    empty = [FaceSample(index / 5) for index in range(125)]
    empty[50] = FaceSample(10.0, (Box(0.05, 0.1, 0.3, 0.4, 0.99),))
    assert {(key.x, key.y) for key in track(empty, 25).keyframes} == {(0.5, 0.5)}


def test_a_second_person_does_not_pull_the_camera_over() -> None:
    samples = [
        FaceSample(s.time, (*s.boxes, Box(0.1, 0.3, 0.08, 0.14, 0.9)) if i % 3 else s.boxes)
        for i, s in enumerate(detect(PATHS["still"], 25))
    ]
    crop = track(samples, 25)
    assert {round(key.x, 1) for key in crop.keyframes} == {0.6}


def test_two_people_beside_each_other_are_shown_together_where_the_window_holds_both() -> None:
    pair = [
        FaceSample(a.time, (*a.boxes, *b.boxes))
        for a, b in zip(
            detect(lambda t: (0.38, 0.4), 20, miss=0.1),
            detect(lambda t: (0.62, 0.42), 20, miss=0.1, seed=2),
            strict=True,
        )
    ]
    square = track(pair, 20, ratio="1:1")
    assert {round(key.x, 1) for key in square.keyframes} == {0.5}
    assert len({(key.x, key.y) for key in square.keyframes}) == 1
    upright = track(pair, 20, ratio="9:16")
    assert {round(key.x, 2) for key in upright.keyframes} <= {0.38, 0.62}


def test_the_camera_jumps_at_a_cut_and_not_before() -> None:
    def path(time: float) -> tuple[float, float]:
        return (0.3, 0.4) if time < 10 else (0.7, 0.4)

    crop = track(detect(path, 20), 20, cuts=(10.0,))
    assert position(crop, 299)[0] == pytest.approx(0.3, abs=0.02)
    assert position(crop, 300)[0] == pytest.approx(0.7, abs=0.02)
    assert share_in_middle_half(crop, path, 20) == 1.0


def test_no_face_means_the_middle_and_other_modes_need_no_path() -> None:
    assert [(key.x, key.y) for key in track([], 10).keyframes] == [(0.5, 0.5)]
    crop = crop_track(detect(PATHS["still"], 5), (), 1280, 720, RATE, 150, "9:16", mode="blur")
    assert (crop.mode, crop.keyframes) == ("blur", ())
    same = crop_track(detect(PATHS["still"], 5), (), 1280, 720, RATE, 150, "16:9")
    assert same.keyframes == ()


def test_an_upright_source_is_followed_up_and_down() -> None:
    samples = [FaceSample(i / 5, (Box(0.4, 0.1, 0.2, 0.1, 0.9),)) for i in range(50)]
    crop = crop_track(samples, (), 720, 1280, RATE, 300, "16:9")
    assert crop.keyframes[0].x == 0.5
    assert crop.keyframes[0].y == pytest.approx(window(720, 1280, "16:9")[1] / 2, abs=1e-4)


boxes = st.builds(
    Box, st.floats(-0.2, 1.0), st.floats(-0.2, 1.0), st.floats(0.01, 0.9), st.floats(0.01, 0.9), st.floats(0, 1)
)


@settings(deadline=None)
@given(
    faces=st.lists(st.lists(boxes, max_size=3), max_size=60),
    cuts=st.lists(st.floats(0, 14), max_size=5),
    ratio=st.sampled_from(["16:9", "9:16", "4:5", "1:1", "source"]),
    rate=st.sampled_from([Fraction(25), Fraction(30000, 1001)]),
)
def test_the_window_is_always_inside_the_picture(
    faces: list[list[Box]], cuts: list[float], ratio: str, rate: Fraction
) -> None:
    samples = [FaceSample(index / 5, tuple(seen)) for index, seen in enumerate(faces)]
    crop = crop_track(samples, cuts, 1280, 720, rate, 300, ratio)  # type: ignore[arg-type]
    width, height = window(1280, 720, ratio)  # type: ignore[arg-type]
    frames = [key.frame for key in crop.keyframes]
    assert frames == sorted(set(frames))
    for key in crop.keyframes:
        assert 0 <= key.frame < 300
        assert width / 2 - 1e-4 <= key.x <= 1 - width / 2 + 1e-4
        assert height / 2 - 1e-4 <= key.y <= 1 - height / 2 + 1e-4

"""Joints between pieces, read back: what is mixed with what, for how long, and what is heard meanwhile (SPEC V2.4)."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from core.video.timeline import CropKeyframe, CropTrack, OutputTarget, Timeline, Transition
from core.video.transitions import joints
from providers.video.renderer import RenderedOutput, RenderOutput, render
from tests.engine.coded_media import RATE, WIDTH, coded_video, numbers, pictures, sound_of
from tests.engine.test_render import SAME, edit, expected, gradient
from tests.engine.test_render_speed import paced, shown

KEPT = [(0, 60), (80, 140), (147, 200), (240, 300)]


def joined(source: Path, style: str, seconds: float = 0.4, **settings: object) -> Timeline:
    transition = Transition.model_validate({"style": style, "duration_seconds": seconds})
    return edit(source, KEPT, transition=transition, **settings)


def made(source: Path, timeline: Timeline, folder: Path, target: OutputTarget = SAME) -> RenderedOutput:
    return render(source, timeline, [RenderOutput(target, None, folder / "out.mp4")], preset="ultrafast")[0]


@pytest.fixture(scope="module")
def coded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 frames that say their number, with a pitch of its own for each kept piece and what follows it."""
    return coded_video(tmp_path_factory.mktemp("coded") / "source.mp4", 300, sound=tones(10), options=["-crf", "6"])


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 frames whose brightness is the place."""
    return gradient(tmp_path_factory.mktemp("graded") / "source.mp4", 300)


def test_a_cross_fade_lays_what_follows_the_outgoing_piece_over_the_incoming_one(coded: Path, tmp_path: Path) -> None:
    timeline = joined(coded, "crossfade")
    result = made(coded, timeline, tmp_path)
    frames, original = pictures(result.path).astype(float), pictures(coded).astype(float)
    wanted = expected(KEPT)
    assert result.frames == len(wanted)
    found = joints(timeline)
    assert [joint.frames for joint in found] == [12, 7, 12]  # of the second, seven frames were removed
    mixed = {joint.at + step: (joint, step) for joint in found for step in range(joint.frames)}
    for position, number in enumerate(wanted):
        picture = original[number]
        if position in mixed:
            joint, step = mixed[position]
            assert joint.handle is not None
            share = (joint.frames - step) / (joint.frames + 1)
            picture = share * original[joint.handle.shown(step)] + (1 - share) * picture
        assert np.abs(frames[position] - picture).mean() < 4, position
    clear = [position for position in range(len(wanted)) if position not in mixed]
    assert [numbers(frames)[position] for position in clear] == [wanted[position] for position in clear]


def test_a_wipe_moves_its_edge_over_the_picture(coded: Path, tmp_path: Path) -> None:
    timeline = joined(coded, "wipe")
    frames, original = pictures(made(coded, timeline, tmp_path).path).astype(float), pictures(coded).astype(float)
    joint = joints(timeline)[0]
    assert joint.handle is not None
    for step in range(joint.frames):
        edge = round(WIDTH * (step + 1) / (joint.frames + 1))
        soft = WIDTH // 32 + 2
        picture = frames[joint.at + step]
        incoming, outgoing = original[80 + step], original[joint.handle.shown(step)]
        if edge > soft:
            assert np.abs(picture - incoming)[:, : edge - soft].mean() < 4
        if edge + soft < WIDTH:
            assert np.abs(picture - outgoing)[:, edge + soft :].mean() < 4


def test_a_dip_goes_to_black_and_back(coded: Path, tmp_path: Path) -> None:
    timeline = joined(coded, "dip")
    frames = pictures(made(coded, timeline, tmp_path).path)
    level = frames[:, 40:, :80].astype(float).mean(axis=(1, 2))  # a field of constant grey
    for joint in joints(timeline):
        assert joint.frames == 12
        assert level[joint.at - 1] < 22
        assert level[joint.at] < 22
        assert np.all(np.diff(level[joint.at - 7 : joint.at]) < 0)
        assert np.all(np.diff(level[joint.at : joint.at + 7]) > 0)
    assert abs(level[30] - level[100]) < 1.5
    assert numbers(frames)[:54] == list(range(54))


def test_every_other_piece_is_closer(graded: Path, tmp_path: Path) -> None:
    timeline = joined(graded, "zoom")
    target = OutputTarget(aspect_ratio="source", width=640, height=360)
    square = RenderOutput(OutputTarget(aspect_ratio="1:1", width=360, height=360), None, tmp_path / "square.mp4")
    results = render(graded, timeline, [RenderOutput(target, None, tmp_path / "wide.mp4"), square], preset="ultrafast")
    frames = pictures(results[0].path, 640, 360)
    assert len(frames) == len(expected(KEPT))
    beside = pictures(results[1].path, 360, 360)
    bounds = [0, 60, 120, 173, 233]
    for index, (first, last) in enumerate(pairwise(bounds)):
        for position in (first, last - 1):
            left, right = frames[position][:, :4].mean(), frames[position][:, -4:].mean()
            wide = 190 if index % 2 == 0 else 190 / 1.12
            assert right - left == pytest.approx(wide, abs=4), (index, position)
            assert (left + right) / 2 == pytest.approx(125, abs=2)
            left, right = beside[position][:, :4].mean(), beside[position][:, -4:].mean()
            assert right - left == pytest.approx(wide * 360 / 640, abs=4), (index, position)
            assert (left + right) / 2 == pytest.approx(125, abs=2)


@pytest.mark.parametrize("style", ["crossfade", "zoom"])
def test_a_following_crop_stays_with_the_face_through_a_joint(graded: Path, tmp_path: Path, style: str) -> None:
    keys = [(0, 0.3), (79, 0.3), (80, 0.6), (300, 0.6)]
    track = CropTrack(keyframes=tuple(CropKeyframe(frame=frame, x=x, y=0.5) for frame, x in keys))
    timeline = joined(graded, style, crops={"9:16": track})
    result = made(graded, timeline, tmp_path, OutputTarget(aspect_ratio="9:16", width=202, height=360))
    frames = pictures(result.path, 202, 360)[:, 100:260].astype(float)
    middle = (frames[:, :, 96:106].mean(axis=(1, 2)) - 30) / 190
    if style == "zoom":
        assert middle[58] == pytest.approx(0.3, abs=0.01)
        assert middle[62] == pytest.approx(0.6, abs=0.01)
        closer, wide = (frames[at, :, -4:].mean() - frames[at, :, :4].mean() for at in (62, 125))
        assert closer / wide == pytest.approx(1 / 1.12, abs=0.03)
    else:
        share = (12 - np.arange(12)) / 13
        assert middle[60:72] == pytest.approx(share * 0.3 + (1 - share) * 0.6, abs=0.015)


def test_speeds_shapes_and_far_pieces_go_with_transitions(tmp_path: Path) -> None:
    source = coded_video(tmp_path / "source.mp4", 1000)
    plain = paced(source, [(3, 50, 0.5), (60, 120, 2.0), (900, 960, 1.0), (970, 999, 3.0)])
    timeline = plain.model_copy(update={"transition": Transition(style="crossfade", duration_seconds=0.3)})
    outputs = [
        RenderOutput(SAME, None, tmp_path / "a.mp4"),
        RenderOutput(OutputTarget(aspect_ratio="1:1", width=180, height=180), None, tmp_path / "b.mp4"),
    ]
    result = render(source, timeline, outputs, preset="ultrafast")
    assert result[0].frames == result[1].frames == timeline.kept_frames
    mixed = {joint.at + step for joint in joints(timeline) for step in range(joint.frames)}
    read, wanted = numbers(pictures(result[0].path)), shown(timeline)
    assert [(i, n) for i, n in enumerate(read) if i not in mixed] == [
        (i, n) for i, n in enumerate(wanted) if i not in mixed
    ]


def tones(seconds: float) -> np.ndarray:
    """Another pitch for each of the kept pieces and what follows it, until the next."""
    time = np.arange(round(seconds * RATE)) / RATE
    pitch = np.select([time < 80 / 30, time < 147 / 30, time < 240 / 30], [300, 500, 700], 900)
    return (0.3 * np.sin(2 * np.pi * np.cumsum(pitch) / RATE)).astype(np.float32)


def heard(sound: np.ndarray, pitch: float, start: float, end: float) -> float:
    part = sound[round(start * RATE) : round(end * RATE)]
    wave = np.exp(-2j * np.pi * pitch * np.arange(len(part)) / RATE)
    return float(2 * np.abs((part * np.hanning(len(part)) * 2 * wave).mean()))


def test_sound_is_cross_faded_over_the_same_frames_and_stays_in_place(coded: Path, tmp_path: Path) -> None:
    sound = sound_of(made(coded, joined(coded, "crossfade"), tmp_path).path)
    assert abs(len(sound) / RATE - 233 / 30) <= 1 / 30
    at = 2.0  # the first joint
    whole = heard(sound, 300, 0.5, 1.5)
    assert heard(sound, 300, at - 0.2, at) == pytest.approx(whole, rel=0.1)
    early, late = (at, at + 0.2), (at + 0.2, at + 0.4)
    assert heard(sound, 300, *early) > heard(sound, 300, *late) > 0.02
    assert heard(sound, 500, *late) > heard(sound, 500, *early) > 0.02
    assert heard(sound, 500, at + 0.42, at + 0.8) == pytest.approx(whole, rel=0.1)
    assert heard(sound, 300, at + 0.42, at + 0.8) < 0.01
    power = [np.square(sound[round(t * RATE) : round((t + 0.05) * RATE)]).mean() for t in np.arange(1.8, 2.5, 0.05)]
    assert min(power) > 0.5 * max(power)  # no hole


def test_what_was_struck_is_not_heard_under_a_cross_fade(coded: Path, tmp_path: Path) -> None:
    timeline = joined(coded, "crossfade")
    pieces = [piece.model_copy(update={"reason": "filler"}) if not piece.kept else piece for piece in timeline.pieces]
    spoken = timeline.model_copy(update={"pieces": tuple(pieces)})
    sound = sound_of(made(coded, spoken, tmp_path).path)
    assert heard(sound, 300, 2.02, 2.4) < 0.005

"""Pieces at other speeds, read back: which frames are shown, when what sounds and how high (SPEC V2.6)."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from core.video.timeline import CropKeyframe, CropTrack, OutputTarget, Piece, Timeline
from providers.video.renderer import RenderedOutput, RenderOutput, render
from tests.engine.coded_media import RATE, coded_video, numbers, pictures, sound_of
from tests.engine.test_render import SAME, edit, gradient

Row = tuple[int, int, float]


def paced(source: Path, rows: list[Row], **settings: object) -> Timeline:
    """The edit that keeps (start, end) at a speed each."""
    plain = edit(source, [(start, end) for start, end, _ in rows], **settings)
    speeds = {start: speed for start, _, speed in rows}
    pieces = [
        piece.model_copy(update={"speed": speeds[piece.start_frame]}) if piece.kept else piece for piece in plain.pieces
    ]
    return Timeline.model_validate({**plain.model_dump(), "pieces": [Piece.model_dump(piece) for piece in pieces]})


def made(source: Path, timeline: Timeline, target: OutputTarget = SAME) -> RenderedOutput:
    return render(source, timeline, [RenderOutput(target, None, source.with_name("out.mp4"))], preset="ultrafast")[0]


def shown(timeline: Timeline) -> list[int]:
    return [item.shown(index) for item in timeline.stretches for index in range(item.frames)]


@pytest.mark.parametrize("rate", [Fraction(30), Fraction(30000, 1001)])
def test_every_frame_of_a_faster_or_slower_piece_is_the_one_it_should_be(tmp_path: Path, rate: Fraction) -> None:
    source = coded_video(tmp_path / "source.mp4", 300, rate)
    rows = [(0, 40, 1.0), (40, 101, 2.0), (110, 130, 0.4), (130, 170, 1.37), (180, 181, 16.0), (200, 290, 8.0)]
    timeline = paced(source, [*rows, (290, 300, 0.25)])
    result = made(source, timeline)
    assert numbers(pictures(result.path)) == shown(timeline)
    assert result.frames == 40 + 30 + 50 + 29 + 1 + 11 + 40
    assert abs(len(sound_of(result.path)) / RATE - result.frames / rate) <= 1 / rate


def test_speeds_hold_behind_a_long_gap_that_is_skipped(tmp_path: Path) -> None:
    source = coded_video(tmp_path / "source.mp4", 1000)
    timeline = paced(source, [(3, 50, 0.5), (900, 960, 3.0), (970, 999, 0.7)])
    assert numbers(pictures(made(source, timeline).path)) == shown(timeline)


def bursts(seconds: float) -> np.ndarray:
    """A tone of 440 Hz for a third of every second."""
    time = np.arange(round(seconds * RATE)) / RATE
    return (0.4 * np.sin(2 * np.pi * 440 * time) * ((time % 1.0) < 1 / 3)).astype(np.float32)


def level(sound: np.ndarray, window: int = 480) -> np.ndarray:
    return np.sqrt(np.convolve(np.square(sound), np.ones(window) / window, "same"))


@pytest.mark.parametrize("speed", [0.4, 2.0])
def test_pitch_stays_and_sound_keeps_its_place(tmp_path: Path, speed: float) -> None:
    source = coded_video(tmp_path / "source.mp4", 300, sound=bursts(10))
    timeline = paced(source, [(0, 60, 1.0), (60, 210, speed), (210, 300, 1.0)])
    sound = sound_of(made(source, timeline).path)
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    assert np.argmax(spectrum) * RATE / len(sound) == pytest.approx(440, abs=2)
    loud = level(sound) > 0.1
    rises = np.flatnonzero(loud[1:] & ~loud[:-1]) / RATE
    fast = [2 + (second - 2) / speed for second in range(3, 7)]
    for second in [1.0, *fast, *[2 + 5 / speed + (second - 7) for second in range(8, 10)]]:
        assert np.abs(rises - second).min() < 1 / 30, (second, rises)


def test_joints_between_speeds_do_not_click_or_gape(tmp_path: Path) -> None:
    time = np.arange(10 * RATE) / RATE
    source = coded_video(tmp_path / "source.mp4", 300, sound=(0.4 * np.sin(2 * np.pi * 220 * time)).astype(np.float32))
    timeline = paced(source, [(0, 90, 1.0), (90, 180, 2.0), (180, 240, 1.5), (240, 300, 1.0)])
    sound = sound_of(made(source, timeline).path)
    steepest = 0.4 * 2 * np.pi * 220 / RATE
    assert np.abs(np.diff(sound[2000:-2000])).max() < 2 * steepest
    assert level(sound, 960)[2000:-2000].min() > 0.4 / np.sqrt(2) * 0.4  # a tone may meet itself out of phase


def test_what_is_too_fast_to_understand_is_quieter(tmp_path: Path) -> None:
    source = coded_video(tmp_path / "source.mp4", 600, sound=bursts(20))
    sound = sound_of(made(source, paced(source, [(0, 120, 1.0), (120, 600, 8.0)])).path)
    normal, fast = sound[: 4 * RATE], sound[round(4.1 * RATE) :]
    assert 10 * np.log10(np.square(fast).mean() / np.square(normal).mean()) == pytest.approx(-12, abs=1)


def test_a_crop_follows_its_keyframes_through_a_fast_piece(tmp_path: Path) -> None:
    source = gradient(tmp_path / "source.mp4")
    keys = [(0, 0.3), (90, 0.6), (119, 0.6), (120, 0.25)]
    track = CropTrack(keyframes=tuple(CropKeyframe(frame=frame, x=x, y=0.5) for frame, x in keys))
    timeline = paced(source, [(0, 40, 1.0), (60, 140, 2.0), (140, 150, 0.5)], crops={"9:16": track})
    result = made(source, timeline, OutputTarget(aspect_ratio="9:16", width=202, height=360))
    left = pictures(result.path, 202, 360)[:, 100:260, :8].mean(axis=(1, 2))
    at = (left - 30) / 190 * 640 - 3.5
    for position, frame in enumerate(shown(timeline)):
        centre = np.interp(frame, [key[0] for key in keys], [key[1] for key in keys]) * 640
        assert abs(at[position] - (centre - 101)) < 6, (position, frame)

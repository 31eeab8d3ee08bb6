"""Faces and shots on made recordings: a photographed face on a known path, hard cuts at known frames."""

from __future__ import annotations

import resource
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from core.errors import UnsupportedMedia
from providers.video.analysis import level_envelope, merged_spans, scene_cuts, small_size
from providers.video.faces import detect_faces, look
from tests.engine.coded_media import RATE, coded_video, ffmpeg

# The astronaut's face in her photograph of 512 × 512, set by hand: left, top, right, bottom.
FACE = (172, 65, 270, 195)


def walking_face(path: Path, seconds: float = 6.0, size: tuple[int, int] = (1280, 720)) -> Path:
    """The photograph, 500 pixels high, moves from left to right over a grey wall with grain."""
    photo = path.with_suffix(".png")
    Image.fromarray(data.astronaut()).resize((500, 500)).save(photo)
    width, height = size
    wall = f"color=0x708090:s={width}x{height}:r=30:d={seconds}"
    move = f"overlay=x='{width - 500}*t/{seconds}':y={height - 500}:shortest=1"
    ffmpeg(
        "-f", "lavfi", "-i", wall, "-loop", "1", "-r", "30", "-i", str(photo),
        "-filter_complex", f"[0][1]{move},noise=alls=6:allf=t,format=yuv420p[v]",
        "-map", "[v]", "-t", str(seconds), "-c:v", "libx264", "-preset", "veryfast", "-crf", "21",
        "-g", "60", str(path),
    )  # fmt: skip
    return path


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return walking_face(tmp_path_factory.mktemp("walk") / "walk.mp4")


def truth(time: float, seconds: float = 6.0) -> tuple[float, float]:
    """The face's middle in fractions of a 1280 × 720 picture."""
    scale = 500 / 512
    x = 780 * time / seconds + (FACE[0] + FACE[2]) / 2 * scale
    y = 220 + (FACE[1] + FACE[3]) / 2 * scale
    return x / 1280, y / 720


def test_the_face_is_found_where_it_is_all_along(walk: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN), resource.getrusage(resource.RUSAGE_SELF)
    seen = look(walk)
    after = resource.getrusage(resource.RUSAGE_CHILDREN), resource.getrusage(resource.RUSAGE_SELF)
    used = sum(b.ru_utime + b.ru_stime - a.ru_utime - a.ru_stime for a, b in zip(before, after, strict=True))
    assert len(seen.faces) == 30
    for sample in seen.faces:
        assert len(sample.boxes) == 1, sample.time
        x, y = sample.boxes[0].centre
        at = truth(sample.time)
        assert abs(x - at[0]) < 0.02
        assert abs(y - at[1]) < 0.05
        assert 0.04 < sample.boxes[0].width < 0.14
    assert [sample.time for sample in seen.faces] == pytest.approx([number / 5 for number in range(30)])
    assert seen.scene_cuts == ()
    assert used / 6 < 0.6  # the figure itself is measured by the benchmark; this catches a full-size detector


def test_only_the_asked_spans_are_looked_at(walk: Path) -> None:
    samples = detect_faces(walk, fps=10, spans=[(4.0, 5.0), (1.0, 1.5)])
    times = [sample.time for sample in samples]
    assert times == pytest.approx([1 + n / 10 for n in range(5)] + [4 + n / 10 for n in range(10)])
    for sample in samples:
        assert abs(sample.boxes[0].centre[0] - truth(sample.time)[0]) < 0.02


def test_an_upright_picture_turned_by_its_file(walk: Path, tmp_path: Path) -> None:
    """A phone stores the picture lying and says by how much to turn it."""
    lying = tmp_path / "lying.mp4"
    ffmpeg("-i", str(walk), "-vf", "crop=500:720:300:0,scale=360:520,transpose=1", "-t", "4", str(lying))
    turned = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", "90", "-i", str(lying), "-c", "copy", str(turned))
    seen = [sample for sample in detect_faces(turned) if 1.6 < sample.time < 3.0]
    assert all(len(sample.boxes) == 1 for sample in seen)
    assert all(sample.boxes[0].height > sample.boxes[0].width * 0.5 for sample in seen)


def test_no_face_is_found_where_there_is_none(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=640x360:d=3:r=30", str(tmp_path / "bars.mp4"))
    assert not any(sample.boxes for sample in detect_faces(tmp_path / "bars.mp4"))


def test_shots_begin_where_they_were_cut_and_nowhere_else(tmp_path: Path) -> None:
    parts = [
        "testsrc2=s=640x360:r=30",
        "smptehdbars=s=640x360:r=30",
        "mandelbrot=s=640x360:r=30",
        "rgbtestsrc=s=640x360:r=30",
    ]
    inputs = [word for part in parts for word in ("-f", "lavfi", "-t", "2", "-i", part)]
    path = tmp_path / "shots.mp4"
    ffmpeg(
        *inputs, "-filter_complex", "".join(f"[{n}]format=yuv420p,setsar=1[s{n}];" for n in range(4))
        + "[s0][s1][s2][s3]concat=n=4:v=1:a=0,noise=alls=8:allf=t,drawbox=enable='eq(n,135)':c=white:t=fill[v]",
        "-map", "[v]", "-c:v", "libx264", "-preset", "veryfast", str(path),
    )  # fmt: skip
    found = scene_cuts(path)
    assert [round(time * 30) for time in found] == pytest.approx([60, 120, 180], abs=1)


def test_sound_alone_has_no_faces(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "sine=d=2", str(tmp_path / "a.wav"))
    with pytest.raises(UnsupportedMedia):
        detect_faces(tmp_path / "a.wav")


def test_levels_follow_the_sound(tmp_path: Path) -> None:
    time = np.arange(4 * RATE) / RATE
    sound = (10 ** (-20 / 20) * np.sin(2 * np.pi * 440 * time) * ((time % 2) < 1)).astype(np.float32)
    path = coded_video(tmp_path / "a.mp4", 120, Fraction(30), sound=sound)
    envelope = level_envelope(path, hop_seconds=0.01)
    assert envelope.hop_seconds == 0.01
    assert len(envelope.levels_db) == pytest.approx(400, abs=4)
    levels = np.array(envelope.levels_db)
    assert np.median(levels[10:90]) == pytest.approx(-23, abs=0.4)  # the RMS of a sine is 3 dB under its peak
    assert levels[110:190].max() < -55
    edge = int(np.argmax(levels[150:] > -40)) + 150
    assert abs(edge - 200) <= 1


def test_spans_are_put_in_order() -> None:
    assert merged_spans([(5, 6), (0, 1), (2, 3), (9, 99)], 10) == [(0, 3), (5, 6), (9, 10)]
    assert merged_spans(None, 7.5) == [(0.0, 7.5)]
    assert merged_spans([], 7.5) == []
    assert small_size(1920, 1080) == (192, 108)
    assert small_size(1080, 1920) == (108, 192)

"""Probing real and hostile files."""

from __future__ import annotations

import random
import struct
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import JobCancelled, NotFound, UnsupportedMedia
from providers.video.probe import STANDARD_RATES, frame_rate, probe
from tests.engine.coded_media import coded_video, ffmpeg


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "ts", "avi"])
@pytest.mark.parametrize("rate", [Fraction(30), Fraction(30000, 1001), Fraction(24000, 1001), Fraction(25)])
def test_rate_and_frames_in_every_container(tmp_path: Path, suffix: str, rate: Fraction) -> None:
    info = probe(coded_video(tmp_path / f"a.{suffix}", 240, rate))
    assert info.kind == "video"
    assert info.fps == rate
    assert not info.variable_frame_rate
    # MPEG-TS starts its pictures after its sound, AVI counts the delay of B-frames: a frame or two more on the clock.
    assert 240 <= info.frames <= (240 if suffix in ("mp4", "mov", "mkv") else 242)
    assert (info.width, info.height, info.video_codec) == (320, 180, "h264")
    assert info.has_audio
    assert (info.sample_rate, info.channels) == (48000, 1)
    assert info.exact
    assert info.browser_playable == (suffix == "mp4")
    assert info.duration_seconds == pytest.approx(float(info.frames / rate))


def test_rotation_and_pixel_shape_are_applied(tmp_path: Path) -> None:
    source = coded_video(tmp_path / "a.mp4", 30)
    ffmpeg("-display_rotation", "90", "-i", str(source), "-c", "copy", str(tmp_path / "turned.mp4"))
    ffmpeg("-i", str(source), "-vf", "setsar=4/3", "-c:v", "libx264", str(tmp_path / "wide.mp4"))
    turned, wide = probe(tmp_path / "turned.mp4"), probe(tmp_path / "wide.mp4")
    assert (turned.width, turned.height) == (180, 320)
    assert (wide.width, wide.height, wide.square_pixels) == (426, 180, False)


def test_key_frames_decide_about_the_proxy(tmp_path: Path) -> None:
    short = coded_video(tmp_path / "short.mp4", 240)
    assert probe(short).keyframe_interval_seconds == pytest.approx(1.5)
    assert not probe(short).needs_proxy
    ffmpeg(
        "-i", str(short), "-c:v", "libx264", "-g", "9999", "-sc_threshold", "0", "-c:a", "copy", str(tmp_path / "l.mp4")
    )
    assert probe(tmp_path / "l.mp4").needs_proxy
    ffmpeg("-i", str(short), "-c:v", "libx265", "-preset", "ultrafast", "-t", "1", "-x265-params", "log-level=none",
           str(tmp_path / "h.mp4"))  # fmt: skip
    assert not probe(tmp_path / "h.mp4").browser_playable


def test_sound_alone_and_a_cover_picture(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "sine=d=3", "-f", "lavfi", "-i", "color=red:s=300x300:d=0.04", "-map", "0", "-map", "1",
           "-c:v", "mjpeg", "-disposition:v", "attached_pic", str(tmp_path / "song.mp3"))  # fmt: skip
    info = probe(tmp_path / "song.mp3")
    assert info.kind == "audio"
    assert info.duration_seconds == pytest.approx(3, abs=0.1)
    assert info.frames == 0


def set_mkv_duration(path: Path, milliseconds: float) -> None:
    """Overwrite the Duration element (0x4489, an 8-byte float) of a Matroska file."""
    data = bytearray(path.read_bytes())
    at = data.index(b"\x44\x89\x88")
    data[at + 3 : at + 11] = struct.pack(">d", milliseconds)
    path.write_bytes(data)


@pytest.mark.parametrize("claimed", [1e13, 1.0])
def test_packets_are_believed_and_not_the_declared_duration(tmp_path: Path, claimed: float) -> None:
    path = coded_video(tmp_path / "a.mkv", 120)
    set_mkv_duration(path, claimed)
    assert probe(path).frames == 120
    assert probe(path).duration_seconds == pytest.approx(4.0)


def test_large_files_are_measured_at_both_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = coded_video(tmp_path / "a.mp4", 1200)
    monkeypatch.setattr("providers.video.probe.HEAD_BYTES", 100_000)
    quick, exact = probe(path), probe(path, exact=True)
    assert (quick.exact, exact.exact) == (False, True)
    assert (quick.frames, quick.fps) == (exact.frames, exact.fps) == (1200, Fraction(30))
    lying = coded_video(tmp_path / "b.mkv", 1200)
    set_mkv_duration(lying, 1e13)
    assert probe(lying).frames == 1200


HOSTILE = {
    "empty.mp4": b"",
    "list.mp4": b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    "concat.mp4": b"ffconcat version 1.0\nfile '/etc/passwd'\n",
    "stream.mp4": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
    "dash.mp4": b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>',
    "drawing.mp4": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"></svg>',
    "words.mp4": b"Dear diary, today nothing was recorded.\n" * 50,
    "noise.mp4": random.Random(1).randbytes(200_000),
    "noise.mp3": random.Random(2).randbytes(200_000),
    "noise.ts": random.Random(3).randbytes(200_000),
    "subtitle.mkv": b"1\n00:00:00,000 --> 00:00:05,000\nHello\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_recording_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(HOSTILE[name])
    with pytest.raises(UnsupportedMedia) as refused:
        probe(tmp_path / name)
    sentence = f"{refused.value.title} {refused.value.detail}"
    assert sentence.strip()
    assert str(tmp_path) not in sentence
    if name in ("list.mp4", "concat.mp4", "stream.mp4", "dash.mp4"):
        assert "playlist" in sentence


def test_pictures_are_refused_under_any_name(tmp_path: Path) -> None:
    for suffix in ("png", "jpg", "gif", "webp"):
        ffmpeg("-f", "lavfi", "-i", "testsrc=d=1:s=64x64:r=2", "-frames:v", "2" if suffix == "gif" else "1",
               str(tmp_path / f"a.{suffix}"))  # fmt: skip
        (tmp_path / f"a.{suffix}").rename(tmp_path / f"{suffix}.mp4")
        with pytest.raises(UnsupportedMedia, match="picture"):
            probe(tmp_path / f"{suffix}.mp4")
    ffmpeg("-f", "lavfi", "-i", "color=d=0.04:r=25:s=64x64", "-frames:v", "1", str(tmp_path / "one.mp4"))
    with pytest.raises(UnsupportedMedia, match="picture"):
        probe(tmp_path / "one.mp4")


def test_absurd_sizes_are_refused(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "color=d=0.2:r=10:s=12000x64", "-c:v", "mjpeg", str(tmp_path / "wide.avi"))
    with pytest.raises(UnsupportedMedia, match="larger"):
        probe(tmp_path / "wide.avi")


def test_truncated_files(tmp_path: Path) -> None:
    whole = coded_video(tmp_path / "a.mp4", 300).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) * 2 // 3])  # the index at the end is missing
    with pytest.raises(UnsupportedMedia, match="not uploaded completely"):
        probe(tmp_path / "cut.mp4")
    fast = coded_video(tmp_path / "b.mp4", 300, options=["-movflags", "+faststart"]).read_bytes()
    (tmp_path / "half.mp4").write_bytes(fast[: len(fast) // 2])  # index in front: what is there can be used
    half = probe(tmp_path / "half.mp4")
    assert 60 < half.frames < 240
    assert half.missing_seconds == pytest.approx(10 - half.duration_seconds, abs=0.2)
    assert probe(tmp_path / "b.mp4").missing_seconds == 0


def test_a_missing_file_and_a_cancelled_probe(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        probe(tmp_path / "none.mp4")

    def stop(fraction: float, stage: str | None = None) -> None:
        raise JobCancelled

    with pytest.raises(JobCancelled):
        probe(coded_video(tmp_path / "a.mp4", 30), progress=stop)


@given(
    rate=st.sampled_from(STANDARD_RATES[:9]),
    count=st.integers(60, 400),
    start=st.floats(0, 5),
    unit=st.sampled_from([1000, 90000, 15360, 48000]),
)
@settings(max_examples=80, deadline=None)
def test_constant_rates_survive_rounded_clocks(rate: Fraction, count: int, start: float, unit: int) -> None:
    times = [round((start + float(number / rate)) * unit) / unit for number in range(count)]
    found, variable = frame_rate(times, [rate])
    assert not variable
    assert found == rate


@given(seed=st.integers(0, 10_000), rate=st.sampled_from([Fraction(24), Fraction(25), Fraction(30), Fraction(60)]))
@settings(max_examples=50, deadline=None)
def test_dropped_frames_make_a_variable_rate_on_the_same_grid(seed: int, rate: Fraction) -> None:
    chance = random.Random(seed)
    times = [round(float(number / rate), 3) for number in range(600) if chance.random() > 0.25]
    found, variable = frame_rate(times, [Fraction(round(len(times) / (times[-1] - times[0]) * 1000), 1000)])
    assert variable
    assert found == rate

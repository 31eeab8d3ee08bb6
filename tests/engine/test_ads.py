"""Advertising sets: every combination once, its frames those of its pieces, its sound in step, its texts in its
language (SPEC V6.3)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core import assets, database
from core.jobs import retry, submit
from core.models.assets import AssetLink
from core.models.jobs import Job, OutboxEvent
from core.security import Actor
from core.video.ad_payloads import AdsInput
from providers.video.probe import probe
from providers.video.process import output_argument, run_ffmpeg, source_arguments
from tests.engine.test_video_jobs import file_of, keep, result, run
from workers import runner
from workers.video import ads

__all__ = ["ads"]  # importing registers the task

COLOURS = {"red": (200, 20, 20), "blue": (20, 20, 200), "white": (235, 235, 235)}
TONES = {"red": 440, "blue": 1320, "white": 660}


def _clip(folder: Path, colour: str, *, rate: str = "25", seconds: float = 2.0, size: str = "320x180") -> Path:
    """One colour and one tone; its frames show by their brightness that none is missing at a joint."""
    path = folder / f"{colour}-{rate.replace('/', '-')}.mp4"
    red, green, blue = COLOURS[colour]
    run_ffmpeg(
        [
            "-f", "lavfi", "-i", f"color=c=0x{red:02x}{green:02x}{blue:02x}:s={size}:r={rate}:d={seconds}",
            "-f", "lavfi", "-i", f"sine=frequency={TONES[colour]}:sample_rate=48000:duration={seconds}",
            "-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast", "-c:a", "aac", output_argument(path),
        ]
    )  # fmt: skip
    return path


def _frames(path: Path, width: int, height: int) -> Any:
    blocks: list[bytes] = []
    run_ffmpeg(
        [*source_arguments(path, "-an"), "-map", "0:v:0", "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"],
        sink=blocks.append,
    )
    return np.frombuffer(b"".join(blocks), np.uint8).reshape(-1, height, width, 3)


def _sound(path: Path) -> Any:
    blocks: list[bytes] = []
    run_ffmpeg(
        [*source_arguments(path, "-vn"), "-map", "0:a:0", "-ac", "1", "-ar", "48000", "-f", "f32le", "pipe:1"],
        sink=blocks.append,
    )
    return np.frombuffer(b"".join(blocks), "<f4")


def _shown(frames: Any) -> list[str]:
    """The colour of each frame, by its lower half (texts stand in the upper)."""
    means = frames[:, frames.shape[1] // 2 :].mean(axis=(1, 2))
    names = list(COLOURS)
    distances = np.abs(means[:, None] - np.array([COLOURS[name] for name in names])[None]).sum(axis=2)
    return [names[index] for index in distances.argmin(axis=1)]


def _pitch(samples: Any, rate: int = 48000) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax() * rate / len(samples))


def test_every_combination_has_its_pieces_frame_by_frame_and_its_own_words(owner: Actor, tmp_path: Path) -> None:
    red, blue, white = (keep(owner, _clip(tmp_path, colour), tmp_path) for colour in COLOURS)
    order = {
        "name": "Sale",
        "hooks": [
            {"video_asset_id": red, "start": 0.2, "end": 1.0, "text": {"en": "Look", "th": "ดูนี่"}, "name": "Red"},
        ],
        "bodies": [{"video_asset_id": blue, "start": 0.4, "end": 1.6}],
        "calls_to_action": [{"video_asset_id": white, "end": 0.8}],
        "target_outputs": [
            {"aspect_ratio": "9:16", "resolution": "128p"},
            {"aspect_ratio": "1:1", "resolution": "128p"},
        ],
        "languages": ["en", "th"],
        "style": None,
    }  # fmt: skip
    found = result(run(owner, "video.ads", AdsInput.model_validate(order)))
    rows = found["outputs"]
    assert len(rows) == found["count"] == 4
    assert [row["combination"] for row in rows[::2]] == ["H1 B1 C1 en", "H1 B1 C1 th"]
    assert rows[0]["title"] == "Sale · H1 B1 C1 en · Red"
    assert {row["joined"] for row in rows} == {"copied"}
    pictures = {}
    for row in rows:
        path = file_of(owner, row["asset_id"])
        frames = _frames(path, row["width"], row["height"])
        assert _shown(frames) == [*["red"] * 20, *["blue"] * 30, *["white"] * 20]
        pictures[row["combination"], row["aspect_ratio"]] = frames
        assert row["loudness_lufs"] == pytest.approx(-14, abs=0.7)
        assert "episode_id" not in row
    # Same pieces, other words: only the hook differs between the languages, and only where its text stands.
    english, thai = pictures["H1 B1 C1 en", "9:16"], pictures["H1 B1 C1 th", "9:16"]
    assert np.array_equal(english[20:], thai[20:])
    assert (np.abs(english[10].astype(int) - thai[10]).max(axis=2) > 60).sum() > 20
    assert not (np.abs(english[10, 120:].astype(int) - thai[10, 120:]) > 60).any()
    sound = _sound(file_of(owner, rows[0]["asset_id"]))
    assert abs(len(sound) - 70 * 1920) <= 1024
    for colour, start, end in (("red", 0, 20), ("blue", 20, 50), ("white", 50, 70)):
        assert _pitch(sound[start * 1920 + 2400 : end * 1920 - 2400]) == pytest.approx(TONES[colour], abs=6)
    # The tone changes with the picture: 25 ms before and after the joint there is nothing of the other piece.
    joint = 20 * 1920
    assert _pitch(sound[joint - 3600 : joint - 1200]) == pytest.approx(TONES["red"], abs=25)
    assert _pitch(sound[joint + 1200 : joint + 3600]) == pytest.approx(TONES["blue"], abs=25)
    with database.session(owner) as session:
        links = session.query(AssetLink).filter(AssetLink.child_id == rows[0]["asset_id"]).all()
        assert {link.parent_id for link in links} == {red, blue, white}
        assert assets.get(session, rows[0]["asset_id"]).details["hook"] == 1
        assert not session.query(OutboxEvent).filter(OutboxEvent.kind == "VIDEO_GENERATED").all()


def test_pieces_of_other_rates_meet_and_a_broken_attempt_makes_no_video_twice(
    owner: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    red = keep(owner, _clip(tmp_path, "red", rate="30000/1001"), tmp_path)
    blue = keep(owner, _clip(tmp_path, "blue", rate="50", size="240x320"), tmp_path)
    order = AdsInput.model_validate(
        {
            "hooks": [{"video_asset_id": red, "end": 1.0}, {"video_asset_id": blue, "end": 1.0}],
            "bodies": [{"video_asset_id": blue, "start": 0.5, "end": 1.5}],
            "target_outputs": [{"aspect_ratio": "4:5", "resolution": "128p"}],
            "style": None,
            "drafts": True,
        }
    )
    real, joins = ads.join, list[str]()

    def broken(*args: Any, **kwargs: Any) -> Any:
        joins.append("once")
        if len(joins) == 2:
            raise OSError("the machine lost its power")
        return real(*args, **kwargs)

    monkeypatch.setattr(ads, "join", broken)
    with database.session(owner) as session:
        job = submit(session, owner, "video.ads", order)
    runner.run(str(job.id))
    with database.session(owner) as session:
        retry(session, owner, job.id)
    runner.run(str(job.id))
    with database.session(owner) as session:
        done = session.get_one(Job, job.id)
        session.expunge(done)
    rows = result(done)["outputs"]
    assert len(joins) == 3
    shown = [_shown(_frames(file_of(owner, row["asset_id"]), row["width"], row["height"])) for row in rows]
    assert shown == [["red"] * 30 + ["blue"] * 30, ["blue"] * 60]
    for row in rows:
        made = probe(file_of(owner, row["asset_id"]), exact=True)
        assert str(made.fps) == "30000/1001"
    with database.session(owner) as session:
        told = session.query(OutboxEvent).filter(OutboxEvent.kind == "VIDEO_GENERATED").all()
    assert {event.data["episode_id"] for event in told} == {row["episode_id"] for row in rows}


def test_a_piece_beyond_its_recording_is_refused(owner: Actor, tmp_path: Path) -> None:
    red = keep(owner, _clip(tmp_path, "red"), tmp_path)
    order = {
        "hooks": [{"video_asset_id": red}],
        "bodies": [{"video_asset_id": red, "start": 3}],
        "target_outputs": [{"aspect_ratio": "1:1", "resolution": "128p"}],
        "style": None,
    }
    job = run(owner, "video.ads", AdsInput.model_validate(order))
    assert job.status == "failed"
    assert job.error is not None
    assert "ends after the recording" in job.error["title"]

"""What is prepared for the pages: waveform, thumbnails, poster, loudness, proxy; and the job that stores it."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select

from core import assets, database
from core.jobs import submit
from core.models.assets import Asset, AssetLink, MediaAnalysis
from core.models.base import uuid7
from core.models.jobs import Job
from core.security import Actor
from core.storage import asset_key, sha256_of, storage
from core.video.payloads import IngestInput
from providers.video.ingest import MAX_PEAKS, prepare
from providers.video.probe import probe
from tests.engine.coded_media import RATE, coded_video, ffmpeg, lit, numbers, pictures, sound_of, sounding
from workers import runner
from workers.video import ingest

__all__ = ["ingest"]  # importing registers the task


def halves(seconds: int) -> np.ndarray:
    """A second at -20 dBFS, a second of silence, and so on."""
    time = np.arange(seconds * RATE) / RATE
    return (0.1 * np.sin(2 * np.pi * 997 * time) * ((time % 2) < 1)).astype(np.float32)


def test_what_a_browser_plays_gets_no_proxy(tmp_path: Path) -> None:
    source = coded_video(tmp_path / "a.mp4", 300, sound=halves(10))
    made = prepare(source, tmp_path)
    assert made.proxy is None
    assert made.info.exact
    assert made.peaks_per_second == 50
    assert len(made.peaks) == pytest.approx(500, abs=3)
    peaks = np.array(made.peaks)
    assert peaks[5:45].min() > 0.08
    assert peaks[5:45].max() < 0.12
    assert peaks[55:95].max() < 0.01
    # A sine of -20 dBFS heard from two speakers is -20 LUFS; half-silent blocks at its edges take up to 1.5 LU.
    assert -21.6 < (made.loudness.lufs or 0.0) < -19.9
    assert made.loudness.true_peak == pytest.approx(-20, abs=0.5)


def test_thumbnails_show_their_moment(tmp_path: Path) -> None:
    source = coded_video(tmp_path / "a.mp4", 750)  # a key frame every 1.5 s
    sheet = prepare(source, tmp_path).sheet
    assert sheet is not None
    assert (sheet.count, sheet.columns, sheet.interval_seconds) == (25, 10, 1.0)
    picture = np.array(Image.open(sheet.path).convert("L"))
    assert picture.shape == (3 * sheet.height, 10 * sheet.width)
    for index in range(sheet.count):
        top, left = index // 10 * sheet.height, index % 10 * sheet.width
        cell = picture[top : top + sheet.height, left : left + sheet.width]
        shown = numbers(cell.repeat(2, axis=0).repeat(2, axis=1)[None])[0]
        assert abs(shown / 30 - index * sheet.interval_seconds) <= 1.6


def test_a_few_seconds_with_one_key_frame_have_thumbnails(tmp_path: Path) -> None:
    source = coded_video(tmp_path / "a.mp4", 90, options=["-g", "90", "-keyint_min", "90", "-sc_threshold", "0"])
    made = prepare(source, tmp_path)
    assert made.proxy is None
    assert made.sheet is not None
    assert made.sheet.count == 3
    assert made.sheet.path.stat().st_size > 0


@pytest.mark.parametrize(("name", "options"), [
    ("phone.mov", ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none", "-tag:v", "hvc1"]),
    ("screen.mkv", ["-g", "9999"]),
])  # fmt: skip
def test_the_proxy_plays_seeks_and_keeps_the_clock(tmp_path: Path, name: str, options: list[str]) -> None:
    rate = Fraction(30000, 1001)
    source = coded_video(tmp_path / name, 240, rate, options=options)
    made = prepare(source, tmp_path)
    assert made.proxy is not None
    info = probe(made.proxy)
    assert info.browser_playable
    assert not info.needs_proxy
    assert info.keyframe_interval_seconds < 1.1
    assert (info.frames, info.fps) == (240, rate)
    frames = pictures(made.proxy)
    assert numbers(frames) == list(range(240))
    assert lit(frames) == sounding(sound_of(made.proxy), 240, rate)


def test_sound_without_picture(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "sine=d=4", "-c:a", "alac", str(tmp_path / "song.m4a"))
    made = prepare(tmp_path / "song.m4a", tmp_path)
    assert made.sheet is None
    assert made.poster is None
    assert made.proxy is not None
    assert probe(made.proxy).browser_playable
    assert len(made.peaks) == pytest.approx(200, abs=2)


def test_picture_without_sound(tmp_path: Path) -> None:
    made = prepare(coded_video(tmp_path / "a.mp4", 90, silent=True), tmp_path)
    assert made.peaks == ()
    assert made.loudness.lufs is None
    assert made.poster is not None
    assert Image.open(made.poster).size == (320, 180)


def test_a_short_clip_with_a_single_key_frame_and_no_sound_gets_its_sheet(tmp_path: Path) -> None:
    source = coded_video(tmp_path / "a.mp4", 90, silent=True, options=["-g", "250", "-keyint_min", "250"])
    made = prepare(source, tmp_path)
    assert len(made.info.key_times) == 1
    assert made.proxy is None
    assert made.sheet is not None
    assert Image.open(made.sheet.path).size == (10 * made.sheet.width, made.sheet.height)


def test_a_long_recording_has_a_bounded_waveform() -> None:
    from providers.video.ingest import _Peaks

    assert _Peaks(24 * 3600.0).per_second * 24 * 3600 <= MAX_PEAKS * 1.01


def ingested(owner: Actor, path: Path) -> UUID:
    """The recording as an asset, after its ingest job."""
    identifier = uuid7()
    staged = assets.StagedAsset(
        asset_id=str(identifier), kind="video", name=path.name, storage_key=asset_key(identifier, path.suffix),
        size_bytes=path.stat().st_size, sha256=sha256_of(path), mime_type="video/mp4", duration_seconds=1.0, fps="30",
        has_audio=True, metadata={"probe": {"container": "matroska"}},
    )  # fmt: skip
    storage().put(Path(shutil.copy2(path, path.with_name(f"copy{path.suffix}"))), staged.storage_key)
    with database.session() as session:
        assets.add(session, owner.owner_id, staged)
    with database.session(owner) as session:
        job = submit(session, owner, "ingest", IngestInput(asset_id=identifier))
    runner.run(str(job.id))
    with database.session(owner) as session:
        finished = session.get_one(Job, job.id)
        assert finished.status == "succeeded", finished.error
    return identifier


def test_the_job_keeps_it_beside_the_recording(owner: Actor, tmp_path: Path) -> None:
    path = coded_video(tmp_path / "Mein Gespräch.mkv", 120, options=["-g", "9999"])
    identifier, digest = ingested(owner, path), sha256_of(path)
    with database.session(owner) as session:
        asset = assets.get(session, identifier)
        assert asset.duration_seconds == pytest.approx(4.0)
        assert asset.loudness_lufs is not None
        assert asset.details["probe"] == {"container": "matroska"}
        assert asset.details["measured"]["frames"] == 120
        links = session.execute(
            select(AssetLink.role, Asset)
            .join(Asset, Asset.id == AssetLink.child_id)
            .where(AssetLink.parent_id == identifier)
        ).all()
        helpers = {row[0]: row[1] for row in links}
        assert set(helpers) == {"poster", "thumbnails", "proxy"}
        assert all(helper.hidden for helper in helpers.values())
        assert helpers["thumbnails"].details["count"] == 4
        assert (helpers["poster"].width, helpers["poster"].height) == (320, 180)
        assert assets.path_of(helpers["proxy"]).is_file()
        peaks = session.scalar(
            select(MediaAnalysis).where(MediaAnalysis.sha256 == digest, MediaAnalysis.kind == "peaks")
        )
        assert peaks is not None
        assert max(peaks.result["peaks"]) > 0.3


def test_a_recording_that_was_cut_off_says_how_much_is_missing(owner: Actor, tmp_path: Path) -> None:
    whole = coded_video(tmp_path / "whole.mp4", 300, options=["-movflags", "+faststart"])
    (tmp_path / "half.mp4").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with database.session(owner) as session:
        half = assets.get(session, ingested(owner, tmp_path / "half.mp4"))
        assert half.details["measured"]["missing_seconds"] == pytest.approx(10 - (half.duration_seconds or 0), abs=0.2)
        assert "missing_seconds" not in assets.get(session, ingested(owner, whole)).details["measured"]


def test_a_recording_deleted_while_its_job_waited_is_no_failure(owner: Actor) -> None:
    with database.session(owner) as session:
        job = submit(session, owner, "ingest", IngestInput(asset_id=uuid7()))
    runner.run(str(job.id))
    with database.session(owner) as session:
        assert session.get_one(Job, job.id).status == "succeeded"

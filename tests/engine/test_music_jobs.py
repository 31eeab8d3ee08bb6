"""Music jobs from order to row: a sound becomes a 48 kHz WAV, its analysis a row, and both are noted (M1, I3c)."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import soundfile
from sqlalchemy import select

from core import assets, database, events
from core.jobs import submit
from core.models.assets import Asset, AssetLink, AudioAnalysis
from core.models.base import uuid7
from core.models.jobs import Job, OutboxEvent
from core.models.publishing import ContentChannel, Episode
from core.music.payloads import AnalyzeInput, ImportAudioInput
from core.publishing import episodes
from core.publishing.payloads import EpisodeInput, EpisodeOut
from core.security import Actor
from core.storage import asset_key, sha256_of, storage
from providers.video.probe import probe
from tests.media import music_clip, silent_video, talking_video
from workers import runner
from workers.music import analyze, importing
from workers.subscribers import load_subscribers

__all__ = ["analyze", "importing"]  # importing registers the tasks


def keep(actor: Actor, path: Path, folder: Path) -> UUID:
    """Put a file into the library."""
    identifier, info = uuid7(), probe(path)
    copy = Path(shutil.copy2(path, folder / f"{identifier}{path.suffix}"))
    staged = assets.StagedAsset(
        asset_id=str(identifier), kind=info.kind, name=f"Song{path.suffix}", mime_type="application/octet-stream",
        storage_key=asset_key(identifier, path.suffix), size_bytes=path.stat().st_size, sha256=sha256_of(path),
        duration_seconds=info.duration_seconds, has_audio=info.has_audio, licence="CC BY 4.0",
    )  # fmt: skip
    storage().put(copy, staged.storage_key)
    with database.session(actor) as session:
        assets.add(session, actor.owner_id, staged)
    return identifier


def work(actor: Actor, kind: str, order: Any) -> Job:
    with database.session(actor) as session:
        job_id = submit(session, actor, kind, order).id
    runner.run(str(job_id))
    with database.session(actor) as session:
        job = session.get_one(Job, job_id)
        session.expunge(job)
        return job


def deliver_all() -> None:
    load_subscribers()
    while events.deliver_next(database.session):
        pass


def test_the_sound_of_a_video_becomes_a_48_khz_wav_that_is_prepared_too(owner: Actor, tmp_path: Path) -> None:
    video = talking_video()
    source = keep(owner, video.path, tmp_path)
    job = work(owner, "audio.import", ImportAudioInput(source_asset_id=source))
    assert job.status == "succeeded", job.error
    with database.session(owner) as session:
        asset = assets.get(session, job.result["audio_asset_id"])
        info = soundfile.info(assets.path_of(asset))
        assert (info.samplerate, info.channels, info.format[:3]) == (48_000, 2, "WAV")
        assert info.duration == pytest.approx(video.duration, abs=0.05)
        assert (asset.kind, asset.licence) == ("audio", "CC BY 4.0")
        assert [parent.id for parent, _ in assets.lineage(session, asset.id).parents] == [source]
    deliver_all()
    with database.session(owner) as session:
        prepared = list(session.scalars(select(Job).where(Job.kind == "ingest")))
        assert [job.payload["asset_id"] for job in prepared] == [str(asset.id)]


@pytest.mark.parametrize("channels", [1, 2])
def test_a_sound_is_imported_as_loud_as_it_is(channels: int, owner: Actor, tmp_path: Path) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(44_100) / 44_100)
    soundfile.write(tmp_path / "tone.wav", np.repeat(tone[:, None], channels, axis=1), 44_100)
    source = keep(owner, tmp_path / "tone.wav", tmp_path)
    job = work(owner, "audio.import", ImportAudioInput(source_asset_id=source))
    with database.session(owner) as session:
        heard, rate = soundfile.read(assets.path_of(assets.get(session, job.result["audio_asset_id"])))
    assert (rate, heard.shape[1]) == (48_000, 2)
    assert np.abs(heard).max(axis=0) == pytest.approx([0.5, 0.5], abs=0.005)


def test_a_video_without_sound_is_refused_and_leaves_nothing(owner: Actor, tmp_path: Path) -> None:
    source = keep(owner, silent_video(), tmp_path)
    job = work(owner, "audio.import", ImportAudioInput(source_asset_id=source))
    assert (job.status, job.error["type"]) == ("failed", "unsupported-media")
    with database.session(owner) as session:
        assert [asset.id for asset in session.scalars(select(Asset))] == [source]


def test_an_analysis_is_kept_announced_and_noted_at_song_and_episode(owner: Actor, tmp_path: Path) -> None:
    clip = music_clip(bpm=100.0, key="C:maj")
    song, video = keep(owner, clip.path, tmp_path), keep(owner, silent_video(), tmp_path)
    with database.session(owner) as session:
        channel = ContentChannel(owner_id=owner.owner_id, name="Channel")
        session.add_all([channel, AssetLink(child_id=video, parent_id=song, role="music")])
        session.flush()
        session.add(Episode(owner_id=owner.owner_id, channel_id=channel.id, title="With the song", asset_id=video))
    job = work(owner, "music.analyze", AnalyzeInput(audio_asset_id=song, tasks=("tempo", "beats", "key")))
    assert job.status == "succeeded", job.error
    deliver_all()
    with database.session(owner) as session:
        row = session.scalars(select(AudioAnalysis)).one()
        assert (row.audio_asset_id, row.key, row.time_signature) == (song, "C:maj", "4/4")
        assert row.bpm == pytest.approx(100.0, rel=0.04)
        event = session.scalars(select(OutboxEvent).where(OutboxEvent.kind == events.MUSIC_ANALYZED)).one()
        assert event.data["asset_id"] == str(song)
        for _ in range(2):  # a second delivery changes nothing
            assert assets.get(session, song).details["key"] == "C:maj"
            assert session.scalars(select(Episode)).one().details["music"]["key"] == "C:maj"
            events.deliver(session, event)
            session.flush()


def test_an_episode_that_is_drafted_later_knows_its_music_too(owner: Actor, tmp_path: Path) -> None:
    song, video = keep(owner, music_clip(bars=4).path, tmp_path), keep(owner, silent_video(), tmp_path)
    with database.session(owner) as session:
        assets.get(session, song).details = {"bpm": 100.0, "key": "C:maj"}
        session.add(AssetLink(child_id=video, parent_id=song, role="music"))
    with database.session(owner) as session:
        by_hand = episodes.create(session, owner, EpisodeInput(title="By hand", asset_id=video))
        alone = episodes.create(session, owner, EpisodeInput(title="The song", asset_id=song))
        known = {"asset_id": str(song), "bpm": 100.0, "key": "C:maj"}
        assert by_hand.music == alone.music == known
        events.emit(session, events.VIDEO_GENERATED, owner.owner_id, {"asset_id": str(video), "title": "By itself"})
    deliver_all()
    with database.session(owner) as session:
        drafted = session.scalars(select(Episode).where(Episode.title == "By itself")).one()
        assert EpisodeOut.model_validate(drafted).music == known


def test_analysing_again_measures_nothing_again(owner: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    song = keep(owner, music_clip(bars=4).path, tmp_path)
    first = work(owner, "music.analyze", AnalyzeInput(audio_asset_id=song, tasks=("energy", "loudness")))

    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("measured twice")

    monkeypatch.setattr(analyze.analysis, "analyze", fail)
    again = work(owner, "music.analyze", AnalyzeInput(audio_asset_id=song, tasks=("energy", "loudness")))
    assert again.status == "succeeded", again.error
    assert again.result["analysis"] == first.result["analysis"]

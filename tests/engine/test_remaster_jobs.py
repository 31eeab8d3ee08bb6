"""A remaster from order to library: over HTTP, its lineage and licence, what it can be compared with (M5, H3, I4)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import numpy as np
import pytest
import soundfile
from sqlalchemy import select

from core import assets, database
from core.models.assets import Asset
from core.models.jobs import Job
from core.music.remaster import BEFORE, ROLE
from core.security import Actor
from tests.engine.api_server import serve
from tests.engine.test_music_jobs import deliver_all, keep
from tests.engine.test_stem_jobs import tone, worked
from tests.media import music_clip, silent_video, talking_video
from workers.music import remaster

__all__ = ["remaster"]  # importing registers the task


@pytest.fixture
def client(owner: Actor) -> Iterator[httpx.Client]:
    with serve() as served, served.client(owner) as opened:
        yield opened


def helper(owner: Actor, asset_id: str) -> list[Asset]:
    """The hidden copy of the original that lies under a result."""
    with database.session(owner) as session:
        return [row for row, role in assets.lineage(session, asset_id).children if role == BEFORE]


def test_the_sound_of_a_video_is_remastered(client: httpx.Client, owner: Actor, tmp_path: Path) -> None:
    video = talking_video()
    source = str(keep(owner, video.path, tmp_path))
    order = {
        "audio_asset_id": source,
        "name": "Clear talk",
        "operations": [{"type": "normalize", "target_lufs": -18}, {"type": "reduce_noise", "strength": 0.4}],
    }
    job = worked(client, "remaster", order)
    assert job["status"] == "succeeded", job["error"]
    result = job["result"]
    assert result["asset_ids"] == [result["audio_asset_id"]], "the copy to compare with is not a result"
    made = client.get(f"/api/assets/{result['audio_asset_id']}").json()
    assert (made["kind"], made["name"], made["licence"]) == ("audio", "Clear talk.wav", "CC BY 4.0")
    assert made["parent_asset_ids"] == [source]
    assert made["loudness_lufs"] == pytest.approx(-18, abs=0.2)
    assert made["duration_seconds"] == pytest.approx(video.duration, abs=0.05)
    told = made["metadata"]["remaster"]
    assert (told["before"], told["after"]) == (result["before"], result["after"])
    assert [one["type"] for one in told["operations"]] == ["normalize", "reduce_noise"]
    with database.session(owner) as session:
        (parent,) = assets.lineage(session, made["id"]).parents
        assert parent[1] == ROLE
        after = assets.path_of(assets.get(session, made["id"]))
    (copy,) = helper(owner, made["id"])
    assert copy.hidden
    with database.session(owner) as session:
        before = assets.path_of(assets.get(session, copy.id))
    assert soundfile.info(before).frames == soundfile.info(after).frames, "they are compared sample beside sample"
    deliver_all()
    with database.session(owner) as session:
        prepared = session.scalars(select(Job.payload["asset_id"].astext).where(Job.kind == "ingest")).all()
    assert prepared == [made["id"]]
    # The copy goes with the result it belongs to.
    assert client.delete(f"/api/assets/{made['id']}").status_code == 204
    assert helper(owner, source) == []
    with database.session(owner) as session:
        assert session.get(Asset, copy.id) is None


def test_a_song_of_the_studio_is_compared_with_itself_and_matched(
    client: httpx.Client, owner: Actor, tmp_path: Path
) -> None:
    song = keep(owner, _studio_wav(tmp_path), tmp_path)
    reference = keep(owner, music_clip(drums=False).path, tmp_path)
    match = {"type": "match", "reference_asset_id": str(reference), "amount": 0.5}
    job = worked(client, "remaster", {"audio_asset_id": str(song), "operations": [match]})
    assert job["status"] == "succeeded", job["error"]
    made = client.get(f"/api/assets/{job['result']['audio_asset_id']}").json()
    assert made["name"] == "Song remastered.wav"
    assert made["parent_asset_ids"] == [str(song)], "a reference lends no sound"
    assert helper(owner, made["id"]) == []


def _studio_wav(folder: Path) -> Path:
    samples = 0.1 * np.random.default_rng(1).normal(0, 1, (48_000, 2))
    soundfile.write(folder / "studio.wav", samples, 48_000, subtype="PCM_24")
    return folder / "studio.wav"


def test_what_cannot_be_remastered_is_refused(client: httpx.Client, owner: Actor, tmp_path: Path) -> None:
    song = str(keep(owner, tone(tmp_path / "song.wav", 440, 0.5, 1.0), tmp_path))
    silent = str(keep(owner, silent_video(), tmp_path))
    gone = str(UUID(int=5))
    good: dict[str, Any] = {"type": "eq", "preset": "warm"}
    for asset, operations, status in (
        (gone, [good], 404),
        (silent, [good], 422),
        (song, [], 422),
        (song, [good, good], 422),
        (song, [{"type": "eq", "preset": "loud"}], 422),
        (song, [{"type": "match", "reference_asset_id": gone}], 404),
        (song, [{"type": "match", "reference_asset_id": silent}], 422),
    ):
        answer = client.post("/api/audio/remaster", json={"audio_asset_id": asset, "operations": operations})
        assert answer.status_code == status, (operations, answer.text)
        assert answer.json()["title"]
    with database.session(owner) as session:
        assert session.scalars(select(Job).where(Job.kind == "audio.remaster")).all() == []

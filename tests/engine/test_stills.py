"""One picture of a video as an image of the library: the very frame, in a size and type that platforms take (P2.1)."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path
from uuid import UUID

import httpx
import numpy as np
import pytest
from PIL import Image

from core import assets, database
from core.models.jobs import Job
from core.publishing.preflight import check_thumbnail
from core.publishing.rules import RULES
from core.security import Actor
from core.settings import Settings
from core.video.payloads import StillInput
from tests.engine.api_server import serve
from tests.engine.coded_media import HEIGHT, WIDTH, coded_video, numbers
from tests.engine.test_api_assets import store
from tests.engine.test_video_jobs import file_of, keep, result, run
from workers.video import still

__all__ = ["still"]  # importing registers the task
RATE = Fraction(30_000, 1001)


@pytest.fixture
def video(owner: Actor, tmp_path: Path) -> UUID:
    return keep(owner, coded_video(tmp_path / "coded.mp4", 60, RATE), tmp_path)


def test_the_still_is_the_frame_on_screen_at_that_moment(owner: Actor, video: UUID) -> None:
    assert shown_at(owner, video, 0.0) == 0
    assert shown_at(owner, video, float(17 / RATE)) == 17
    assert shown_at(owner, video, 2.0) == 59  # its end shows the last picture
    job = run(owner, "video.still", StillInput(video_asset_id=video, at_seconds=9.0))
    assert job.status == "failed"
    assert job.error is not None
    assert job.error["title"] == "The video ends before that."


def shown_at(owner: Actor, video: UUID, at: float) -> int:
    """The number of the frame in the picture that was taken, which must be one that can be a thumbnail."""
    found = result(run(owner, "video.still", StillInput(video_asset_id=video, at_seconds=at)))
    [identifier] = found["asset_ids"]
    with database.session(owner) as session:
        asset = assets.get(session, identifier)
        parents = [(parent.id, role) for parent, role in assets.lineage(session, asset.id).parents]
    assert (asset.kind, asset.mime_type, asset.width, asset.height) == ("image", "image/jpeg", WIDTH, HEIGHT)
    assert parents == [(video, "still")]
    assert check_thumbnail(RULES["youtube"], asset) == []
    picture = Image.open(io.BytesIO(file_of(owner, identifier).read_bytes())).convert("L")
    return numbers(np.asarray(picture)[None])[0]


def test_a_still_is_ordered_over_http_for_videos_alone(studio: Settings, owner: Actor, tmp_path: Path) -> None:
    video = store(owner, tmp_path, b"a", "a.mp4", "video/mp4")
    song = store(owner, tmp_path, b"b", "b.mp3", "audio/mpeg", kind="audio")

    def asked(client: httpx.Client, asset_id: str, at: float) -> httpx.Response:
        return client.post("/api/video/still", json={"video_asset_id": asset_id, "at_seconds": at})

    with serve() as served, served.client(owner) as client:
        answer = asked(client, video, 1.5)
        assert answer.status_code == 202, answer.text
        assert asked(client, song, 1.5).status_code == 422
        assert asked(client, video, -1).status_code == 422
    with database.session(owner) as session:
        job = session.query(Job).one()
    assert (str(job.id), job.kind) == (answer.json()["job_id"], "video.still")

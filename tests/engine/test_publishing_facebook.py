"""From a draft to a Reel or a page video on the (loopback) Graph, with the real client, database and worker code."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import imageio_ffmpeg
import pytest
from sqlalchemy import func, select, text, update

from core import database
from core.errors import InvalidInput
from core.models.business import PerformanceSnapshot
from core.models.publishing import PublicationAttempt, PublicationRecord
from core.publishing import publications
from core.publishing.payloads import RescheduleInput
from core.security import Actor
from core.storage import sha256_of
from tests.engine import publishing_studio as room
from tests.fakes.meta.client import FakeMeta
from workers.publishing import dispatch

REEL = {"width": 540, "height": 960, "fps": "24/1", "duration_seconds": 3.2}
WIDE = {"width": 320, "height": 240, "fps": "15/1", "duration_seconds": 2.0}


def _page(owner: Actor, meta: FakeMeta, page_id: str = "1001") -> UUID:
    return room.account(owner, meta.page(page_id), page_id, "facebook")


def test_an_upright_short_video_goes_out_as_a_reel(meta: FakeMeta, owner: Actor, upright: Path) -> None:
    meta.set(polls_until_ready=2)
    publication = room.planned(
        owner, room.stored(owner, upright, **REEL), _page(owner, meta), description="สวัสดี", tags=["street food"]
    )
    room.tick()
    record = room.record(publication)
    assert record.state == "published", record.reason
    (post,) = meta.logged("post")
    assert (post["media"], post["state"], post["sha256"]) == ("reel", "PUBLISHED", sha256_of(upright))
    assert (post["title"], post["description"]) == ("A talk", "สวัสดี\n\n#StreetFood"), "and no marker in sight"
    assert post["received"] == upright.stat().st_size
    assert (record.remote_id, record.remote_privacy) == (post["video_id"], "public")
    assert record.remote_url == f"https://www.facebook.com/reel/{post['video_id']}/"
    assert room.episode_of(publication).state == "published"


def test_any_other_video_goes_out_as_a_page_video_in_the_ranges_asked_for(
    meta: FakeMeta, owner: Actor, video: Path, tmp_path: Path
) -> None:
    picture, words = tmp_path / "t.png", tmp_path / "w.srt"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", "color=red:size=320x180:duration=1"]
    subprocess.run([*command, "-frames:v", "1", str(picture)], check=True)
    words.write_text("1\n00:00:00,000 --> 00:00:01,000\nสวัสดี\n")
    meta.set(range_bytes=20_011)
    publication = room.planned(
        owner,
        room.stored(owner, video, **WIDE),
        _page(owner, meta),
        thumbnail_asset_id=room.stored(owner, picture, "image"),
        options={"captions": [{"asset_id": str(room.stored(owner, words, "subtitle")), "language": "th"}]},
    )
    room.tick()
    record = room.record(publication)
    assert record.state == "published", (record.reason, record.warnings)
    (post,) = meta.posts()
    assert (post["kind"], post["sha256"], post["received"]) == ("video", sha256_of(video), video.stat().st_size)
    assert meta.calls()["video.transfer"] > 2
    assert (post["thumbnail"], list(post["captions"])) == (sha256_of(picture), ["th_TH"])


@pytest.mark.parametrize("kind", ["reel", "video"])
def test_facebook_keeps_the_time_and_it_is_moved_cancelled_and_planned_anew(
    meta: FakeMeta, owner: Actor, video: Path, upright: Path, kind: str
) -> None:
    asset = room.stored(owner, upright, **REEL) if kind == "reel" else room.stored(owner, video, **WIDE)
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=3)
    publication = room.planned(owner, asset, _page(owner, meta), scheduled_time=due.isoformat())
    room.tick()
    record = room.record(publication)
    assert (record.state, record.remote_privacy, record.remote_publish_at) == ("scheduled", "private", due)
    (post,) = meta.posts()
    assert (post["kind"], post["state"], post["scheduled"]) == (kind, "SCHEDULED", due.timestamp())
    later = due + timedelta(hours=1)
    with database.session(owner) as session:
        publications.reschedule(session, owner, publication, RescheduleInput(scheduled_time=later.isoformat()))
    room.tick()
    assert meta.posts()[0]["scheduled"] == later.timestamp()
    beyond = RescheduleInput(scheduled_time=(due + timedelta(days=40)).isoformat())
    with database.session(owner) as session, pytest.raises(InvalidInput, match="for so long"):
        publications.reschedule(session, owner, publication, beyond)
    with database.session(owner) as session:
        publications.cancel(session, owner, publication)
    room.tick()
    record = room.record(publication)
    assert (record.state, record.remote_id) == ("cancelled", None), record.reason
    assert [line["published"] for line in meta.logged("delete")] == [False]
    with database.session(owner) as session:
        publications.reschedule(session, owner, publication, RescheduleInput(scheduled_time=due.isoformat()))
    room.tick()
    record = room.record(publication)
    assert (record.state, record.remote_publish_at) == ("scheduled", due), record.reason
    assert len(meta.logged("post")) == 2
    with database.session() as session:
        session.execute(update(PublicationRecord).values(due_at=func.now(), remote_publish_at=func.now()))
    meta.set(clock_offset=3 * 3600.0 + 5)
    room.tick()
    assert room.record(publication).state == "published"
    assert len(meta.logged("public")) == 1


def test_outside_facebooks_window_the_studio_keeps_the_time(meta: FakeMeta, owner: Actor, upright: Path) -> None:
    asset, page = room.stored(owner, upright, **REEL), _page(owner, meta)
    far = datetime.now(UTC) + timedelta(days=40)
    held = room.planned(owner, asset, page, scheduled_time=far.isoformat(), title="far")
    near = datetime.now(UTC) + timedelta(minutes=7)
    soon = room.planned(owner, room.stored(owner, upright, **REEL), page, scheduled_time=near.isoformat(), title="soon")
    room.tick()
    assert {room.record(each).state for each in (held, soon)} == {"scheduled"}
    assert meta.calls() == {}, "neither is there yet"
    with database.session() as session:
        moved = update(PublicationRecord).where(PublicationRecord.id == held)
        session.execute(moved.values(due_at=func.now() + timedelta(days=28)))
        session.execute(update(PublicationRecord).where(PublicationRecord.id == soon).values(due_at=func.now()))
    room.tick()
    room.tick()
    assert room.record(soon).state == "published"
    assert room.record(held).remote_publish_at is not None
    # Moved to a time nearer than Facebook takes: it holds its nearest one, and our clock is there before.
    close = datetime.now(UTC) + timedelta(minutes=4)
    with database.session(owner) as session:
        publications.reschedule(session, owner, held, RescheduleInput(scheduled_time=close.isoformat()))
    room.tick()
    record = room.record(held)
    assert (record.state, record.remote_publish_at, record.not_before) == ("scheduled", None, record.due_at)
    (kept,) = (post for post in meta.posts() if post["state"] == "SCHEDULED")
    assert close.timestamp() < kept["scheduled"] < close.timestamp() + 600
    with database.session() as session:
        mine = update(PublicationRecord).where(PublicationRecord.id == held)
        session.execute(mine.values(due_at=func.now(), not_before=None))
    room.tick()
    assert room.record(held).state == "published"
    assert {post["state"] for post in meta.posts()} == {"PUBLISHED"}


def test_what_a_page_does_not_take_is_refused_when_planning(meta: FakeMeta, owner: Actor, video: Path) -> None:
    page = _page(owner, meta)
    with pytest.raises(InvalidInput, match="does not have that privacy"):
        room.planned(owner, room.stored(owner, video, **WIDE), page, privacy="private")
    options = {"facebook": {"surface": "reel"}}
    with pytest.raises(InvalidInput, match="Reel"):
        room.planned(owner, room.stored(owner, video, **WIDE), page, options=options)
    publication = room.planned(owner, room.stored(owner, video, **WIDE), page, privacy=None)
    assert room.record(publication).privacy == "public", "a Page has nothing else"
    assert meta.calls() == {}


def test_figures_by_kind_and_unknown_where_facebook_says_nothing(
    meta: FakeMeta, owner: Actor, video: Path, upright: Path
) -> None:
    page = _page(owner, meta)
    reel = room.planned(owner, room.stored(owner, upright, **REEL), page, title="reel")
    wide = room.planned(owner, room.stored(owner, video, **WIDE), page, title="wide")
    room.tick()
    ids = {each: room.record(each).remote_id for each in (reel, wide)}
    meta.set(
        video={"id": ids[reel], "insights": {"fb_reels_total_plays": 12, "post_video_view_time": 61_500}, "likes": 3}
    )
    meta.set(video={"id": ids[wide], "insights": {"total_video_views": 0}, "comments": None})
    assert dispatch.due_syncs() == 1, "a Page tells of no revenue, so nobody asks"
    room.run_jobs("publishing.sync")
    with database.session() as session:
        seen = {row.publication_id: row for row in session.scalars(select(PerformanceSnapshot))}
    assert (seen[reel].views, seen[reel].watch_time_seconds, seen[reel].likes) == (12, 62, 3)
    assert (seen[wide].views, seen[wide].watch_time_seconds, seen[wide].comments) == (0, None, None)
    assert {row.shares for row in seen.values()} == {None}


def test_no_token_is_readable_anywhere(meta: FakeMeta, owner: Actor, upright: Path) -> None:
    auth = meta.page("1001")
    page = room.account(owner, auth, "1001", "facebook")
    publication = room.planned(owner, room.stored(owner, upright, **REEL), page)
    room.tick()
    assert room.record(publication).state == "published"
    with database.session() as session:
        attempt = session.scalars(select(PublicationAttempt)).one()
        assert attempt.handle_sealed
        names = session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
        dump = "".join(str(session.execute(text(f'SELECT t::text FROM "{name}" t')).all()) for name in names)
    for secret in (auth["access_token"], meta.app_secret + '"', "/video-upload/"):
        assert secret not in dump

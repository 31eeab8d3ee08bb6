"""From a draft to an Instagram Reel on the (loopback) Graph: prepared before its time, published by our clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from core import database
from core.errors import InvalidInput
from core.models.business import PerformanceSnapshot
from core.models.publishing import PublicationAttempt, PublicationRecord
from core.publishing import publications
from core.publishing.payloads import RescheduleInput
from core.security import Actor
from core.storage import sha256_of
from providers.publishing.instagram import InstagramPublisher
from tests.engine import publishing_studio as room
from tests.fakes.meta.client import FakeMeta
from workers.publishing import dispatch

REEL = {"width": 540, "height": 960, "fps": "24/1", "duration_seconds": 3.2}


@pytest.fixture
def account(owner: Actor, meta: FakeMeta) -> UUID:
    return room.account(owner, meta.page("1001", instagram_id="2002", username="me"), "2002", "instagram")


@pytest.fixture
def asset(owner: Actor, upright: Path) -> UUID:
    return room.stored(owner, upright, **REEL)


def _due_in(publication: UUID, **time: float) -> None:
    with database.session() as session:
        mine = update(PublicationRecord).where(PublicationRecord.id == publication)
        session.execute(mine.values(due_at=func.now() + timedelta(**time), not_before=None))


def test_a_reel_with_its_caption_cover_and_place(
    meta: FakeMeta, owner: Actor, account: UUID, asset: UUID, upright: Path
) -> None:
    options = {"instagram": {"share_to_feed": False, "cover_at_seconds": 1.5}}
    publication = room.planned(owner, asset, account, description="สวัสดี", tags=["street food"], options=options)
    room.tick()
    record = room.record(publication)
    assert record.state == "published", record.reason
    (post,) = meta.logged("post")
    assert post["sha256"] == sha256_of(upright)
    assert post["params"] == {
        "media_type": "REELS",
        "caption": "A talk\n\nสวัสดี\n\n#StreetFood",
        "share_to_feed": "false",
        "thumb_offset": "1500",
    }
    assert (record.remote_id, record.remote_privacy) == (post["media_id"], "public")
    assert record.remote_url == f"https://www.instagram.com/reel/{post['media_id']}/"
    assert meta.calls()["ig.limit"] == 1, "asked before it was published"


def test_what_is_planned_is_prepared_an_hour_before_and_published_at_its_time(
    meta: FakeMeta, owner: Actor, account: UUID, asset: UUID
) -> None:
    far = datetime.now(UTC) + timedelta(hours=30)
    publication = room.planned(owner, asset, account, scheduled_time=far.isoformat())
    assert not room.record(publication).platform_keeps_time
    room.tick()
    assert meta.calls() == {}, "a container would not live until then"
    _due_in(publication, minutes=50)
    room.tick()
    record = room.record(publication)
    assert (record.state, record.not_before, record.remote_id) == ("scheduled", record.due_at, None)
    assert (meta.opened(), meta.logged("post")) == (1, [])
    with database.session(owner) as session:
        later = (datetime.now(UTC) + timedelta(minutes=55)).isoformat()
        publications.reschedule(session, owner, publication, RescheduleInput(scheduled_time=later))
    room.tick()
    assert (room.record(publication).state, meta.opened()) == ("scheduled", 1), "the same container serves"
    _due_in(publication, seconds=0)
    room.tick()
    record = room.record(publication)
    assert (record.state, meta.opened(), len(meta.logged("post"))) == ("published", 1, 1)
    with database.session() as session:
        steps = session.scalars(select(PublicationAttempt.outcome).order_by(PublicationAttempt.number)).all()
    assert steps[-1] == "succeeded"


def test_a_prepared_one_is_cancelled_and_one_that_expired_is_made_anew(
    meta: FakeMeta, owner: Actor, account: UUID, asset: UUID
) -> None:
    soon = (datetime.now(UTC) + timedelta(minutes=30)).isoformat()
    publication = room.planned(owner, asset, account, scheduled_time=soon)
    room.tick()
    assert meta.opened() == 1
    with database.session(owner) as session:
        publications.cancel(session, owner, publication)
    room.tick()
    assert (room.record(publication).state, meta.logged("post")) == ("cancelled", [])
    meta.set(clock_offset=86_401.0)
    with database.session(owner) as session:
        publications.retry(session, owner, publication)
    room.tick()
    assert (room.record(publication).state, meta.opened()) == ("published", 2)


def test_one_that_was_prepared_and_is_much_too_late_is_missed(
    meta: FakeMeta, owner: Actor, account: UUID, asset: UUID
) -> None:
    soon = (datetime.now(UTC) + timedelta(minutes=30)).isoformat()
    publication = room.planned(owner, asset, account, scheduled_time=soon)
    room.tick()
    _due_in(publication, hours=-7)
    room.tick()
    assert (room.record(publication).state, meta.logged("post")) == ("missed", [])


def test_slow_processing_is_waited_for_and_instagrams_own_error_is_shown(
    meta: FakeMeta, owner: Actor, account: UUID, asset: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(InstagramPublisher.__init__.__kwdefaults__, "pause", lambda seconds: None)
    meta.set(polls_until_ready=8)
    publication = room.planned(owner, asset, account)
    room.tick()
    record = room.record(publication)
    assert (record.state, record.reason) == ("submitting", "Instagram is still working on the video.")
    room.let_time_pass()
    room.tick()
    assert (room.record(publication).state, meta.opened()) == ("published", 1)
    meta.set(processing_error="2207026: unsupported video format")
    refused = room.planned(owner, asset, account, title="refused")
    room.tick()
    record = room.record(refused)
    assert record.state == "failed"
    assert record.reason == "Instagram did not take the video. Error: 2207026: unsupported video format"


def test_what_instagram_does_not_take_is_refused_when_planning(
    meta: FakeMeta, owner: Actor, account: UUID, asset: UUID, upright: Path
) -> None:
    for change in (
        {"description": "x" * 2200},
        {"tags": [f"tag{number}" for number in range(31)]},
        {"privacy": "private"},
    ):
        with pytest.raises(InvalidInput):
            room.planned(owner, asset, account, **change)
    for fields in ({"fps": "24/1", "duration_seconds": 901.0}, {"fps": "12/1", "duration_seconds": 9.0}):
        other = room.stored(owner, upright, width=540, height=960, **fields)
        with pytest.raises(InvalidInput):
            room.planned(owner, other, account)
    assert meta.calls() == {}


def test_figures_and_what_is_not_told(meta: FakeMeta, owner: Actor, account: UUID, asset: UUID, upright: Path) -> None:
    first = room.planned(owner, asset, account, title="first")
    second = room.planned(owner, room.stored(owner, upright, duration_seconds=3.2), account, title="second")
    room.tick()
    told, silent = room.record(first).remote_id, room.record(second).remote_id
    insights = {"views": 40, "likes": 0, "saved": 2, "ig_reels_video_view_total_time": 90_400}
    meta.set(media={"id": told, "insights": insights})
    meta.set(media={"id": silent, "refuses_insights": True})
    assert dispatch.due_syncs() == 1
    room.run_jobs("publishing.sync")
    with database.session() as session:
        seen = {row.publication_id: row for row in session.scalars(select(PerformanceSnapshot))}
    row = seen[first]
    assert (row.views, row.likes, row.saves, row.watch_time_seconds, row.shares) == (40, 0, 2, 90, None)
    assert seen.get(second) is None or seen[second].views is None, "too few viewers is not zero"
    assert room.account_row(account).status == "connected", "nor a lost account"
    meta.set(media={"id": told, "deleted": True})
    with database.session() as session:
        session.execute(update(PublicationRecord).values(next_metrics_at=func.now()))
    dispatch.due_syncs()
    room.run_jobs("publishing.sync")
    assert [each["code"] for each in room.record(first).warnings if each["level"] == "warning"][-1] == "gone"

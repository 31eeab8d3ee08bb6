"""Posts that YouTube publishes at its own clock, one upload at a time, late alarm, the day's allowance (P2.1, P2.2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from core import database
from core.errors import Conflict
from core.models.jobs import Job, OutboxEvent
from core.models.publishing import PublicationRecord
from core.publishing import limits, publications
from core.publishing.payloads import RescheduleInput
from core.publishing.plan import database_now
from core.security import Actor
from tests.engine import publishing_studio as room
from tests.fakes.youtube.client import FakeYouTube
from workers.publishing import dispatch


def _ahead(owner: Actor, fake: FakeYouTube, video: Path, hours: float = 5, **target: object) -> UUID:
    due = (datetime.now(UTC) + timedelta(hours=hours)).isoformat(timespec="seconds")
    account = room.account(owner, fake.account())
    return room.planned(owner, room.stored(owner, video), account, scheduled_time=due, **target)


def _its_time_comes(fake: FakeYouTube, key: UUID) -> None:
    """Both clocks pass the time: the platform's by its offset, ours by taking the record's times back."""
    with database.session() as session:
        record = session.get_one(PublicationRecord, key)
        assert record.due_at is not None
        back = record.due_at - datetime.now(UTC) + timedelta(seconds=5)
    fake.set(clock_offset=back.total_seconds())
    with database.session() as session:
        record = session.get_one(PublicationRecord, key)
        assert record.due_at is not None
        record.due_at -= back
        if record.remote_publish_at is not None:
            record.remote_publish_at -= back


def _move(owner: Actor, key: UUID, to: str) -> None:
    with database.session(owner) as session:
        publications.reschedule(session, owner, key, RescheduleInput(scheduled_time=to))


def test_it_is_sent_ahead_and_goes_out_while_the_machine_is_off(
    youtube: FakeYouTube, owner: Actor, video: Path
) -> None:
    key = _ahead(owner, youtube, video)
    room.tick()
    record = room.record(key)
    assert (record.state, record.remote_privacy) == ("scheduled", "private")
    assert record.remote_publish_at == record.due_at
    (post,) = youtube.posts()
    assert post["status"]["privacyStatus"] == "private"
    assert datetime.fromisoformat(post["status"]["publishAt"]) == record.due_at
    calls = youtube.calls()
    room.tick()
    assert youtube.calls() == calls, "nothing to do until its time"
    _its_time_comes(youtube, key)
    room.tick()
    record = room.record(key)
    assert record.state == "published", record.reason
    assert record.remote_privacy == "public"
    assert record.published_at == record.remote_publish_at, "when the platform published it, not when we looked"
    assert (len(youtube.logged("video")), len(youtube.logged("public"))) == (1, 1)
    assert youtube.logged("update") == [], "the platform did it alone"
    with database.session() as session:
        kinds = session.scalars(select(OutboxEvent.kind)).all()
    assert kinds.count("CONTENT_PUBLISHED") == 1


def test_moving_it_moves_it_on_the_platform(youtube: FakeYouTube, owner: Actor, video: Path) -> None:
    key = _ahead(owner, youtube, video, options={"made_for_kids": True, "synthetic_media": True})
    room.tick()
    later = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0)
    _move(owner, key, later.isoformat())
    youtube.fault("videos.update", "drop_after")
    room.tick()
    (post,) = youtube.posts()
    assert datetime.fromisoformat(post["status"]["publishAt"]) == later
    assert post["status"]["selfDeclaredMadeForKids"] is True, "an update keeps what it does not change"
    assert post["status"]["containsSyntheticMedia"] is True
    assert room.record(key).remote_publish_at == later
    assert len(youtube.logged("update")) == 1, "a lost answer is looked up, not repeated"
    _move(owner, key, "now")
    room.tick()
    assert room.record(key).state == "published"
    assert youtube.posts()[0]["status"]["privacyStatus"] == "public"
    assert len(youtube.logged("video")) == len(youtube.logged("public")) == 1


def test_a_cancelled_one_stays_private_and_can_be_set_on_its_way_again(
    youtube: FakeYouTube, owner: Actor, video: Path
) -> None:
    key = _ahead(owner, youtube, video)
    room.tick()
    youtube.fault("videos.update", "status", status=503)
    with database.session(owner) as session:
        publications.cancel(session, owner, key)
    assert room.record(key).state == "claimed", "cancelled only when the platform says so"
    for _ in range(3):
        room.tick()
        room.let_time_pass()
    assert room.record(key).state == "cancelled"
    (post,) = youtube.posts()
    assert post["status"]["privacyStatus"] == "private"
    assert "publishAt" not in post["status"]
    youtube.set(clock_offset=10 * 3600)
    room.tick()
    assert youtube.logged("public") == []
    youtube.set(clock_offset=0)
    _move(owner, key, (datetime.now(UTC) + timedelta(hours=7)).isoformat())
    room.tick()
    record = room.record(key)
    assert (record.state, record.remote_publish_at) == ("scheduled", record.due_at)
    assert len(youtube.logged("video")) == 1, "what is there is not sent again"


def test_too_late_to_cancel_is_told(youtube: FakeYouTube, owner: Actor, video: Path) -> None:
    key = _ahead(owner, youtube, video)
    room.tick()
    youtube.set(clock_offset=6 * 3600)
    with database.session(owner) as session:
        publications.cancel(session, owner, key)
    room.tick()
    record = room.record(key)
    assert record.state == "published_with_warnings"
    assert [each["code"] for each in record.warnings] == ["already_public"]
    with database.session(owner) as session, pytest.raises(Conflict):
        publications.cancel(session, owner, key)


def test_a_platform_that_does_not_keep_the_time_is_followed_up_by_our_clock(
    youtube: FakeYouTube, owner: Actor, video: Path
) -> None:
    youtube.set(audited=False)
    key = _ahead(owner, youtube, video)
    room.tick()
    assert room.record(key).state == "scheduled"
    _its_time_comes(youtube, key)
    for _ in range(3):
        room.tick()
        room.let_time_pass()
    record = room.record(key)
    assert record.state == "published_with_warnings"
    assert [each["code"] for each in record.warnings] == ["privacy_differs"]


def test_private_and_near_posts_wait_for_our_own_clock(youtube: FakeYouTube, owner: Actor, video: Path) -> None:
    keys = [
        _ahead(owner, youtube, video, privacy="unlisted"),
        _ahead(owner, youtube, video, hours=0.2),
        _ahead(owner, youtube, video, hours=24 * 200),
    ]
    room.tick()
    assert {room.record(key).state for key in keys} == {"scheduled"}
    assert youtube.calls() == {}


def test_one_account_never_uploads_two_at_once_and_the_page_says_who_is_late(
    youtube: FakeYouTube, owner: Actor, video: Path
) -> None:
    asset, first_account = room.stored(owner, video), room.account(owner, youtube.account())
    other_account = room.account(owner, youtube.account("UCtwo"), "UCtwo")
    ids = [room.planned(owner, asset, first_account, title=f"n {number}") for number in range(3)]
    other = room.planned(owner, asset, other_account)
    assert dispatch.dispatch_due() == 2
    assert [room.record(key).state for key in (*ids, other)] == ["claimed", "scheduled", "scheduled", "claimed"]
    with database.session() as session:
        session.execute(update(PublicationRecord).values(due_at=func.now() - timedelta(seconds=75)))
    with database.session(owner) as session:
        found = [publications.detail(session, key).late for key in ids]
    assert [each.code if each else None for each in found] == ["waiting_worker", "account_busy", "account_busy"]
    assert all(each is not None and 70 <= each.seconds < 100 for each in found)
    room.tick()
    assert {room.record(key).state for key in (*ids, other)} == {"published"}
    assert [line["open_beside"] for line in youtube.logged("session")] == [0] * 4
    order = [line["title"] for line in youtube.logged("video") if line["channel_id"] == "UCstudio"]
    assert order == ["n 0", "n 1", "n 2"], "in the order of their times"


def test_what_was_spent_today_is_counted_and_starts_anew(youtube: FakeYouTube, owner: Actor, video: Path) -> None:
    key = room.planned(owner, room.stored(owner, video), room.account(owner, youtube.account()))
    room.tick()
    assert room.record(key).state == "published"
    with database.session() as session:
        now = database_now(session)
        spent = {bucket.kind: bucket for bucket in limits.usage(session, "youtube", now)}
        assert (spent["videos.insert"].used, spent["videos.insert"].left) == (1, 99)
        assert spent["units"].used == youtube.calls()["videos.list"]
        assert spent["units"].resets_at > now
        tomorrow = limits.usage(session, "youtube", spent["units"].resets_at + timedelta(seconds=1))
        assert [bucket.used for bucket in tomorrow] == [0, 0]


def test_a_step_of_our_machines_clock_starts_nothing_early_or_twice(
    youtube: FakeYouTube, owner: Actor, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F13: the database's clock alone decides."""
    soon = (datetime.now(UTC) + timedelta(minutes=4)).isoformat()
    account = room.account(owner, youtube.account())
    waiting = room.planned(owner, room.stored(owner, video), account, scheduled_time=soon)
    due = room.planned(owner, room.stored(owner, video), account, title="Due")

    class Stepped(datetime):
        by = timedelta(minutes=5)

        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return datetime.now(UTC) + cls.by

    for module in ("workers.publishing.upload", "workers.publishing.ledger", "core.publishing.plan"):
        monkeypatch.setattr(f"{module}.datetime", Stepped)
    for step in (timedelta(minutes=5), timedelta(minutes=-5)):
        Stepped.by = step
        room.tick()
    assert (room.record(waiting).state, room.record(due).state) == ("scheduled", "published")
    assert len(youtube.logged("video")) == 1
    with database.session() as session:
        assert session.scalar(select(func.count()).select_from(Job).where(Job.kind == "publishing.upload")) == 1

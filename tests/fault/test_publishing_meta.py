"""Facebook and Instagram under faults: answers lost, uploads cut, tokens ended, limits reached; and worker processes
killed around every call. What counts is the loopback Graph's own durable log, written before it answers.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from core import database
from core.models.publishing import AccountLimit, PublicationRecord
from core.publishing import states
from core.publishing.rules import RULES
from core.security import Actor
from tests.engine import publishing_studio as room
from tests.fakes.meta.client import FakeMeta
from tests.fault.meta_worker import POINTS
from workers import dispatcher
from workers.publishing import dispatch, ledger

ROOT = Path(__file__).resolve().parents[2]
REEL = {"width": 540, "height": 960, "fps": "24/1", "duration_seconds": 3.2}
WIDE = {"width": 320, "height": 240, "fps": "15/1", "duration_seconds": 2.0}
KINDS = ("reel", "video", "instagram")


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "LEASE", timedelta(seconds=3))
    monkeypatch.setattr(dispatch, "LEASE", timedelta(seconds=3))


@pytest.fixture
def no_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was done is seen at once."""
    quick = {name: replace(RULES[name], listing_delay_seconds=0) for name in ("facebook", "instagram")}
    monkeypatch.setattr("core.publishing.rules.RULES", {**RULES, **quick})


class Place:
    """An account and a video for one kind of post."""

    def __init__(self, owner: Actor, meta: FakeMeta, kind: str, path: Path, number: int = 0) -> None:
        self.owner, self.kind = owner, kind
        page, own = f"10{number:02d}", f"20{number:02d}"
        token = meta.page(page, instagram_id=own, username=f"me{number}")
        platform = "instagram" if kind == "instagram" else "facebook"
        self.account = room.account(owner, token, own if kind == "instagram" else page, platform)
        self.path = path
        self.asset = room.stored(owner, path, **(WIDE if kind == "video" else REEL))

    def plan(self, title: str = "A talk", **target: Any) -> UUID:
        return room.planned(self.owner, self.asset, self.account, title=title, **target)


@pytest.fixture
def place(request: pytest.FixtureRequest, owner: Actor, meta: FakeMeta, video: Path, upright: Path) -> Place:
    return Place(owner, meta, request.param, video if request.param == "video" else upright)


def _published_once(meta: FakeMeta, ids: list[UUID]) -> None:
    """Every publication is exactly one post in the platform's log, with the bytes that were approved."""
    records = {key: room.record(key) for key in ids}
    assert {record.state for record in records.values()} == {"published"}, {
        record.title: (record.state, record.reason) for record in records.values() if record.state != "published"
    }
    posts = meta.logged("post")
    found = Counter(str(line.get("media_id") or line["video_id"]) for line in posts)
    assert found == Counter(record.remote_id for record in records.values())
    assert {line["sha256"] for line in posts} == {record.content_sha256 for record in records.values()}


def _go_on(publication: UUID, rounds: int = 4) -> None:
    for _ in range(rounds):
        room.tick()
        if room.record(publication).state == "published":
            return
        room.let_time_pass()


FINISH = {"reel": "reel.finish", "video": "video.finish", "instagram": "ig.publish"}
OPEN = {"reel": "reel.start", "video": "video.start", "instagram": "ig.container"}
SEND = {"reel": "reel.upload", "video": "video.transfer", "instagram": "ig.upload"}


LOST = {
    "reel": ((FINISH, "drop_after"), (FINISH, "drop_before"), (OPEN, "drop_after"), (SEND, "drop_after")),
    "video": ((FINISH, "drop_after"), (SEND, "drop_after"), (SEND, "drop_before")),
    "instagram": ((FINISH, "drop_after"), (FINISH, "drop_before"), (OPEN, "drop_after")),
}


@pytest.mark.parametrize("place", KINDS, indirect=True)
def test_f2_lost_answers_are_looked_up_not_repeated(meta: FakeMeta, place: Place, no_delay: None) -> None:
    ids = []
    for where, what in LOST[place.kind]:
        meta.fault(where[place.kind], what)
        ids.append(place.plan(f"lost {what} {where[place.kind]}"))
        _go_on(ids[-1])
    _published_once(meta, ids)


@pytest.mark.parametrize("place", ["video", "instagram"], indirect=True)
def test_f2_a_finish_nobody_answered_is_not_repeated_before_it_could_be_seen(meta: FakeMeta, place: Place) -> None:
    meta.fault(FINISH[place.kind], "drop_before")
    publication = place.plan()
    room.tick()
    assert room.record(publication).state == "submitting"
    room.let_time_pass()
    before = meta.calls()[FINISH[place.kind]]
    room.tick()
    assert (room.record(publication).state, meta.calls()[FINISH[place.kind]]) == ("submitting", before)
    assert meta.logged("post") == []


@pytest.mark.parametrize("place", ["reel", "video"], indirect=True)
def test_f3_trouble_in_mid_upload_goes_on_where_the_server_is(meta: FakeMeta, place: Place) -> None:
    meta.set(range_bytes=20_011)
    where = SEND[place.kind]
    meta.fault(where, "cut", bytes=7_000)
    meta.fault(where, "error", code=2, transient=True, status=500)
    meta.fault(where, "stall", seconds=0.2)
    publication = place.plan()
    room.tick()
    _published_once(meta, [publication])
    (line,) = meta.logged("post")
    assert line["received"] == line["size"] == place.path.stat().st_size, "no byte was kept twice"
    assert meta.opened() == 1


@pytest.mark.parametrize("place", ["reel"], indirect=True)
def test_f7_f9_a_token_that_ends_in_mid_upload_is_asked_for_and_the_upload_goes_on(
    meta: FakeMeta, place: Place, owner: Actor, no_delay: None
) -> None:
    meta.fault(SEND[place.kind], "cut", bytes=7_000)
    meta.fault("video.get", "error", code=190, subcode=463, status=401)
    first, second = place.plan("first"), place.plan("second")
    room.tick()
    assert {room.record(each).state for each in (first, second)} == {"needs_reconnect"}
    row = room.account_row(place.account)
    assert (row.status, row.status_reason) == ("needs_reconnect", "The connection to this account has run out.")
    before = meta.calls()
    room.tick()
    assert meta.calls() == before, "one attempt, then quiet"
    again = meta.page("1000", instagram_id="2000", username="me0")
    room.account(owner, again, row.external_id, "facebook")
    _go_on(first)
    _go_on(second)
    _published_once(meta, [first, second])
    assert meta.opened() == 2, "the upload that was begun went on"


@pytest.mark.parametrize("place", ["reel"], indirect=True)
def test_f10_no_call_is_made_before_a_limit_is_lifted(meta: FakeMeta, place: Place) -> None:
    meta.set(page_allowance=1)
    publication = place.plan()
    room.tick()
    record = room.record(publication)
    assert record.state in ("scheduled", "submitting")
    assert record.reason == f"{record.platform.capitalize()} asks for a pause."
    with database.session() as session:
        block = session.scalars(select(AccountLimit)).one()
        assert block.blocked_until is not None
        assert timedelta(minutes=24) < block.blocked_until - datetime.now(UTC) < timedelta(minutes=26)
    before = meta.calls()
    for _ in range(2):
        room.tick()
    assert meta.calls() == before
    meta.set(page_allowance=4800)
    with database.session() as session:
        session.execute(update(AccountLimit).values(blocked_until=func.now()))
    room.let_time_pass()
    _go_on(publication)
    _published_once(meta, [publication])


@pytest.mark.parametrize("place", ["reel", "instagram"], indirect=True)
def test_f10_the_caps_of_a_moving_day(meta: FakeMeta, place: Place) -> None:
    meta.set(reels_cap=1, instagram_cap=1)
    first, second = place.plan("first"), place.plan("second")
    room.tick()
    assert room.record(first).state == "published"
    held = room.record(second)
    assert held.state in ("scheduled", "submitting")
    assert held.reason
    assert len(meta.logged("post")) == 1
    before = meta.calls()
    room.tick()
    assert meta.calls() == before
    meta.set(clock_offset=86_400.0 if place.kind == "reel" else 0.0, instagram_cap=2)
    with database.session() as session:
        session.execute(update(AccountLimit).values(blocked_until=func.now()))
    room.let_time_pass()
    _go_on(second)
    _published_once(meta, [first, second])


@pytest.mark.parametrize("place", ["reel"], indirect=True)
def test_refusals_are_told_in_their_class(meta: FakeMeta, place: Place) -> None:
    meta.fault("reel.start", "error", code=100, status=400, message="Not this one.")
    refused = place.plan("refused")
    room.tick()
    record = room.record(refused)
    assert (record.state, "Not this one." in record.reason) == ("failed", True)
    meta.fault("reel.start", "error", code=368, subcode=1390008, status=400)
    blocked = place.plan("blocked")
    room.tick()
    record = room.record(blocked)
    assert record.state == "scheduled"
    assert record.not_before is not None
    assert record.not_before > datetime.now(UTC) + timedelta(hours=23)
    assert room.account_row(place.account).status == "connected"
    with database.session() as session:
        session.execute(update(AccountLimit).values(blocked_until=func.now()))
    room.let_time_pass()
    meta.fault("reel.start", "error", code=200, status=403)
    room.tick()
    assert room.record(blocked).state == "needs_reconnect", "a permission is missing"


@pytest.mark.parametrize("place", ["reel"], indirect=True)
def test_a_conversion_that_fails_says_why(meta: FakeMeta, place: Place) -> None:
    meta.set(polls_until_ready=10_000)
    publication = place.plan()
    patience, room.upload.PATIENCE = room.upload.PATIENCE, 0.2
    try:
        room.tick()
        record = room.record(publication)
        assert record.state == "processing"
        meta.set(video={"id": record.remote_id, "error": "The video has no picture."})
        room.let_time_pass()
        room.tick()
    finally:
        room.upload.PATIENCE = patience
    record = room.record(publication)
    assert record.state == "failed"
    assert record.reason == "Facebook could not process the video. The video has no picture."


@pytest.mark.parametrize("place", ["instagram"], indirect=True)
def test_an_error_that_instagram_gives_while_it_publishes_is_adopted(
    meta: FakeMeta, place: Place, no_delay: None
) -> None:
    """Code 4 with subcode 2207051 has been seen while the post went live; of two of the same words it is the newer."""
    before = place.plan("went live")
    room.tick()
    meta.fault("ig.publish", "error_after", code=4, subcode=2207051, status=403)
    meta.fault("ig.media", "error", code=2, transient=True)
    publication = place.plan("went live")
    _go_on(publication)
    _published_once(meta, [before, publication])
    assert meta.calls()["ig.publish"] == 2


def test_f1_killed_at_every_point_each_post_is_made_once(
    meta: FakeMeta, owner: Actor, video: Path, upright: Path, tmp_path: Path
) -> None:
    flags = tmp_path / "flags"
    flags.mkdir()
    meta.set(range_bytes=20_011)
    cases = [(kind, point) for kind, points in POINTS.items() for point in points]
    ids = [
        Place(owner, meta, kind, video if kind == "video" else upright, number).plan(f"kill {kind} {point}")
        for number, (kind, point) in enumerate(cases)
    ]
    workers = [
        subprocess.Popen([sys.executable, "-m", "tests.fault.meta_worker", str(flags)], cwd=ROOT) for _ in range(2)
    ]
    deadline = time.monotonic() + 120
    try:
        while True:
            with database.session() as session:
                left = set(session.scalars(select(PublicationRecord.state))) & (states.ACTIVE | {"scheduled"})
            if not left:
                break
            assert time.monotonic() < deadline, [(room.record(key).title, room.record(key).state) for key in ids]
            assert all(worker.poll() is None for worker in workers), "a worker ended by itself"
            dispatch.dispatch_due()
            dispatch.sweep_expired_leases()
            dispatcher.recover_abandoned()
            time.sleep(0.05)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    assert len(list(flags.iterdir())) == len(cases), "every point was reached"
    _published_once(meta, ids)

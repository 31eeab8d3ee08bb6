"""Publishing to TikTok under faults: workers killed at named points, answers lost, tokens gone, limits reached.

What counts is the loopback platform's own durable log, written before it answers: no publication twice, none missing,
and after the last byte never a second opening.
"""

from __future__ import annotations

import os
import threading
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
from core.publishing import states, tokens
from core.publishing.oauth import Token
from core.publishing.rules import RULES
from core.security import Actor
from core.storage import sha256_of
from providers.publishing.tiktok import LAG, TikTokPublisher
from tests.engine import publishing_studio as room
from tests.fakes.tiktok.client import FakeTikTok
from tests.fault.publishing_worker import TIKTOK, TIKTOK_CHUNK
from tests.fault.test_publishing import _drive, _worker
from workers.publishing import dispatch, ledger

OPTIONS = {"tiktok": {"consent": True}}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real MP4, less than a chunk."""
    return room.small_video(tmp_path_factory.mktemp("video") / "talk.mp4", 1.0)


@pytest.fixture(scope="module")
def video(small: Path) -> Path:
    """The same with a free box behind it: three chunks, the last one with a remainder."""
    path = small.with_name("long.mp4")
    padding = 3 * TIKTOK_CHUNK + 1000
    path.write_bytes(small.read_bytes() + (padding + 8).to_bytes(4, "big") + b"free" + os.urandom(padding))
    return path


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Smallest chunks and short leases, here as in the worker processes."""
    monkeypatch.setattr(ledger, "LEASE", timedelta(seconds=3))
    monkeypatch.setattr(dispatch, "LEASE", timedelta(seconds=3))
    monkeypatch.setitem(TikTokPublisher.__init__.__kwdefaults__, "chunk_bytes", TIKTOK_CHUNK)


@pytest.fixture(autouse=True)
def quick(tiktok: FakeTikTok) -> None:
    tiktok.set(processing_polls=0)


def _account(owner: Actor, fake: FakeTikTok, open_id: str = "creator", **extra: Any) -> UUID:
    return room.account(owner, fake.account(open_id, **extra), open_id, "tiktok")


def _planned(owner: Actor, asset: UUID, account: UUID, title: str = "A talk") -> UUID:
    return room.planned(owner, asset, account, title=title, privacy="private", options=OPTIONS)


def _published_once(fake: FakeTikTok, ids: list[UUID]) -> None:
    """Every publication is exactly one post in the platform's log, with the bytes that were approved."""
    records = {key: room.record(key) for key in ids}
    assert {record.state for record in records.values()} == {"published"}, {
        record.title: (record.state, record.reason) for record in records.values() if record.state != "published"
    }
    posts = fake.logged("post")
    assert Counter(line["publish_id"] for line in posts) == Counter(record.remote_id for record in records.values())
    assert Counter(line["title"] for line in posts) == Counter(record.title for record in records.values())
    assert {line["sha256"] for line in posts} == {record.content_sha256 for record in records.values()}


def test_f1_killed_at_every_point_each_post_is_made_once(
    tiktok: FakeTikTok, owner: Actor, video: Path, tmp_path: Path
) -> None:
    flags = tmp_path / "flags"
    flags.mkdir()
    asset = room.stored(owner, video)
    ids = [_planned(owner, asset, _account(owner, tiktok, point), f"kill {point}") for point in TIKTOK]
    workers = [_worker(flags), _worker(flags)]

    def done() -> bool:
        with database.session() as session:
            return not set(session.scalars(select(PublicationRecord.state))) & (states.ACTIVE | {"scheduled"})

    try:
        _drive(done, lambda: None, 120)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    assert len(list(flags.iterdir())) == len(TIKTOK), "every point was reached"
    _published_once(tiktok, ids)
    opened = Counter(line["open_id"] for line in tiktok.logged("init"))
    assert opened == {point: 2 if point.startswith("post opened") else 1 for point in TIKTOK}


def test_f2_lost_answers_are_looked_up_not_repeated(tiktok: FakeTikTok, owner: Actor, video: Path) -> None:
    asset = room.stored(owner, video)
    ids = []
    for on, do in (("last_chunk", "drop_after"), ("last_chunk", "drop_before"), ("init", "drop_after")):
        tiktok.fault(on, do)
        ids.append(_planned(owner, asset, _account(owner, tiktok, f"{on} {do}"), f"lost {on} {do}"))
        for _ in range(3):
            room.tick()
            if room.record(ids[-1]).state == "published":
                break
            room.let_time_pass()
    _published_once(tiktok, ids)
    opened = Counter(line["open_id"] for line in tiktok.logged("init"))
    assert opened == {"last_chunk drop_after": 1, "last_chunk drop_before": 1, "init drop_after": 2}


def test_f2_a_count_that_lags_behind_the_lost_last_chunk_leads_to_no_second_post(
    tiktok: FakeTikTok, owner: Actor, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TikTok has it all, says that it has not, and refuses the last chunk when it comes again."""
    waited: list[float] = []
    monkeypatch.setitem(TikTokPublisher.__init__.__kwdefaults__, "pause", waited.append)
    tiktok.set(count_lag=4)
    tiktok.fault("last_chunk", "drop_after")
    publication = _planned(owner, room.stored(owner, video), _account(owner, tiktok))
    room.tick()
    _published_once(tiktok, [publication])
    assert len(tiktok.logged("init")) == 1
    assert LAG in waited


def test_f3_trouble_in_mid_upload_goes_on_at_the_chunk_that_broke(
    tiktok: FakeTikTok, owner: Actor, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TikTokPublisher.__init__.__kwdefaults__, "timeout", 1.0)
    tiktok.fault("chunk", "status", status=503, skip=1, times=2)
    tiktok.fault("chunk", "cut", bytes=TIKTOK_CHUNK // 2, skip=1)
    tiktok.fault("chunk", "stall", seconds=2.0)
    publication = _planned(owner, room.stored(owner, video), _account(owner, tiktok))
    room.tick()
    _published_once(tiktok, [publication])
    (line,) = tiktok.logged("post")
    assert line["sha256"] == sha256_of(video)
    assert line["received"] - line["size"] <= 2 * TIKTOK_CHUNK, "at most one chunk again for each of the broken ones"
    assert len(tiktok.logged("init")) == 1


def test_f3_an_address_that_ended_is_looked_up_before_another_post_is_opened(
    tiktok: FakeTikTok, owner: Actor, video: Path
) -> None:
    tiktok.fault("chunk", "expire", skip=1)
    publication = _planned(owner, room.stored(owner, video), _account(owner, tiktok))
    room.tick()
    _published_once(tiktok, [publication])
    assert len(tiktok.logged("init")) == 2
    assert tiktok.calls()["status"] >= 2


def test_an_address_that_ends_under_the_last_chunk_is_looked_at_for_a_while(
    tiktok: FakeTikTok, owner: Actor, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was sent last may not be counted yet: nothing is opened anew before the delay has passed."""
    tiktok.fault("last_chunk", "expire")
    publication = _planned(owner, room.stored(owner, video), _account(owner, tiktok))
    for _ in range(2):
        room.tick()
        room.let_time_pass()
    record = room.record(publication)
    assert (record.state, len(tiktok.logged("init"))) == ("submitting", 1)
    assert record.reason == "Looking whether the video arrived before it is sent again."
    later = replace(RULES["tiktok"], listing_delay_seconds=0)
    monkeypatch.setattr("core.publishing.rules.RULES", {**RULES, "tiktok": later})
    room.tick()
    _published_once(tiktok, [publication])
    assert len(tiktok.logged("init")) == 2


def test_f7_f8_a_token_that_ends_on_the_way_is_renewed_once_and_the_rotated_one_is_kept(
    tiktok: FakeTikTok, owner: Actor, small: Path
) -> None:
    account = _account(owner, tiktok)
    tiktok.set(expire_tokens=True)
    publication = _planned(owner, room.stored(owner, small), account)
    room.tick()
    _published_once(tiktok, [publication])
    assert len(tiktok.logged("token")) == 1
    held = tokens.AccountCredentials(account).token()
    tiktok.fault("token", "stall", seconds=0.3)
    got: list[Token] = []
    threads = [
        threading.Thread(target=lambda: got.append(tokens.AccountCredentials(account).renew(held))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({token.value for token in got}) == 1
    assert len(tiktok.logged("token")) == 2, "one of the four asked, with the refresh token of the first renewal"
    assert room.account_row(account).status == "connected"


def test_f9_a_revoked_account_waits_for_its_user_and_the_others_go_on(
    tiktok: FakeTikTok, owner: Actor, small: Path
) -> None:
    asset = room.stored(owner, small)
    revoked, other = _account(owner, tiktok, "gone"), _account(owner, tiktok, "fine")
    tiktok.set(account={"open_id": "gone", "revoked": True})
    lost, fine = _planned(owner, asset, revoked, "waits"), _planned(owner, asset, other, "goes on")
    room.tick()
    assert (room.record(lost).state, room.record(fine).state) == ("needs_reconnect", "published")
    assert room.record(lost).reason
    assert tiktok.calls()["token"] == 1
    _account(owner, tiktok, "gone")
    room.tick()
    _published_once(tiktok, [lost, fine])


def test_f10_no_call_is_made_before_a_limit_is_lifted(tiktok: FakeTikTok, owner: Actor, small: Path) -> None:
    asset = room.stored(owner, small)
    full, fast = _account(owner, tiktok, "full", posts_allowed=0), _account(owner, tiktok, "fast")
    free = _account(owner, tiktok, "free")
    tiktok.fault("init", "status", status=429, code="rate_limit_exceeded", retry_after=40, account="fast")
    capped, paused = _planned(owner, asset, full, "capped"), _planned(owner, asset, fast, "paused")
    sent = _planned(owner, asset, free, "sent")
    room.tick()
    now = datetime.now(UTC)
    waits = {key: room.record(key).not_before for key in (capped, paused)}
    assert {room.record(key).state for key in waits} == {"scheduled"}
    assert room.record(capped).reason == "TikTok takes no more posts from this account today."
    assert room.record(paused).reason == "TikTok asks for a pause."
    capped_until, paused_until = waits[capped], waits[paused]
    assert capped_until is not None
    assert paused_until is not None
    assert capped_until > now + timedelta(hours=23)
    assert timedelta(seconds=20) < paused_until - now < timedelta(seconds=41)
    assert room.record(sent).state == "published"
    before = tiktok.calls()
    second = _planned(owner, asset, full, "capped too")
    for _ in range(2):
        room.tick()
    assert tiktok.calls() == before, "no call before the instant"
    tiktok.set(account={"open_id": "full", "posts_allowed": 15})
    with database.session() as session:
        session.execute(update(AccountLimit).values(blocked_until=func.now()))
    room.let_time_pass()
    room.tick()
    _published_once(tiktok, [capped, paused, sent, second])


def test_a_platform_that_will_not_say_is_left_to_the_user(tiktok: FakeTikTok, owner: Actor, small: Path) -> None:
    """The answer to the last byte is lost, and the question after it is refused: it may be there, so it stays."""
    publication = _planned(owner, room.stored(owner, small), _account(owner, tiktok))
    tiktok.fault("last_chunk", "drop_after")
    tiktok.fault("status", "status", status=400, code="invalid_publish_id", times=50)
    for _ in range(3):
        room.tick()
        room.let_time_pass()
    record = room.record(publication)
    assert record.state == "needs_review"
    assert "It may be on the platform already." in record.reason
    assert (len(tiktok.logged("post")), len(tiktok.logged("init"))) == (1, 1)


def test_an_ok_status_with_an_error_inside_is_no_success(tiktok: FakeTikTok, owner: Actor, small: Path) -> None:
    tiktok.fault("init", "status", status=200, code="internal_error")
    publication = _planned(owner, room.stored(owner, small), _account(owner, tiktok))
    room.tick()
    assert room.record(publication).state == "scheduled"
    assert tiktok.logged("init") == []
    room.let_time_pass()
    room.tick()
    _published_once(tiktok, [publication])

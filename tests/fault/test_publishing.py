"""Publishing under faults: worker processes killed at named points, answers lost, tokens gone, limits reached.

What counts is the loopback platform's own durable log, written before it answers: no publication twice, none missing.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from core import database
from core.business import rollups
from core.errors import Conflict
from core.jobs import queue
from core.models.business import ChannelDaily, PerformanceSnapshot, PublicationDaily
from core.models.jobs import Job
from core.models.publishing import AccountLimit, PublicationRecord
from core.models.simulated import SimulatedPost
from core.preferences import store_value
from core.publishing import accounts, publications, simulation, states, tokens
from core.publishing.oauth import Token
from core.publishing.payloads import AccountInput
from core.publishing.rules import RULES
from core.security import Actor
from core.storage import sha256_of
from providers.publishing.youtube import YouTubePublisher
from tests.engine import publishing_studio as room
from tests.fakes.youtube.client import FakeYouTube
from tests.fault.publishing_worker import CHUNK, FIGURES, POINTS, READS, SIMULATED
from workers import dispatcher
from workers.publishing import dispatch, ledger

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real MP4, padded with a free box to several chunks."""
    path = room.small_video(tmp_path_factory.mktemp("video") / "talk.mp4", 1.0)
    padding = 5 * CHUNK + 1000
    with path.open("ab") as file:
        file.write((padding + 8).to_bytes(4, "big") + b"free" + os.urandom(padding))
    return path


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small chunks and short leases, here as in the worker processes."""
    monkeypatch.setattr(ledger, "LEASE", timedelta(seconds=3))
    monkeypatch.setattr(dispatch, "LEASE", timedelta(seconds=3))
    monkeypatch.setitem(YouTubePublisher.__init__.__kwdefaults__, "chunk_bytes", CHUNK)


def _accounts(owner: Actor, fake: FakeYouTube, count: int) -> list[UUID]:
    return [room.account(owner, fake.account(f"UC{number}"), f"UC{number}") for number in range(count)]


def _worker(flags: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "tests.fault.publishing_worker", str(flags)], cwd=ROOT)


def _published_once(fake: FakeYouTube, ids: list[UUID]) -> None:
    """Every publication is exactly one video in the platform's log, with the bytes that were approved."""
    records = {key: room.record(key) for key in ids}
    assert {record.state for record in records.values()} == {"published"}, {
        record.title: (record.state, record.reason) for record in records.values() if record.state != "published"
    }
    videos = fake.logged("video")
    assert Counter(line["video_id"] for line in videos) == Counter(record.remote_id for record in records.values())
    owners = Counter(line["description"].rpartition("ref:")[2].partition("-")[0] for line in videos)
    assert owners == Counter(key.hex[-16:] for key in ids)
    assert {line["sha256"] for line in videos} == {record.content_sha256 for record in records.values()}


def _standing() -> str:
    with database.session() as session:
        rows = session.scalars(select(PublicationRecord).where(PublicationRecord.state != "published")).all()
        jobs = session.scalars(select(Job).where(Job.status != "succeeded")).all()
    found = [f"{row.title}: {row.state} {row.reason} {row.lease_owner} {row.lease_expires_at}" for row in rows]
    return "\n".join([*found, *(f"{job.id} {job.status} {job.attempts} {job.error}" for job in jobs)])


def _drive(until: Callable[[], bool], each: Callable[[], None], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, _standing()
        dispatch.dispatch_due()
        dispatch.sweep_expired_leases()
        dispatcher.recover_abandoned()
        dispatcher.deliver_events()
        each()
        time.sleep(0.05)


def test_f1_killed_at_every_point_each_post_is_made_once(
    youtube: FakeYouTube, owner: Actor, video: Path, tmp_path: Path
) -> None:
    flags = tmp_path / "flags"
    flags.mkdir()
    words = tmp_path / "words.srt"
    words.write_text("1\n00:00:00,000 --> 00:00:01,000\nhello\n")
    asset, several = room.stored(owner, video), _accounts(owner, youtube, len(POINTS))
    options = {"captions": [{"asset_id": str(room.stored(owner, words, "subtitle")), "language": "en"}]}
    ids = [
        room.planned(owner, asset, account, title=f"kill {point}", options=options)
        for point, account in zip(POINTS, several, strict=True)
    ]
    workers = [_worker(flags), _worker(flags)]

    def still_there() -> None:
        assert all(worker.poll() is None for worker in workers), "a worker ended by itself"

    def done() -> bool:
        with database.session() as session:
            rows = session.scalars(select(PublicationRecord.state)).all()
        return not set(rows) & (states.ACTIVE | {"scheduled"})

    try:
        _drive(done, still_there, 120)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    assert len(list(flags.iterdir())) == len(POINTS), "every point was reached"
    _published_once(youtube, ids)
    captions = Counter(line["video_id"] for line in youtube.logged("captions"))
    assert captions == Counter(line["video_id"] for line in youtube.logged("video")), "each step came through once"


def test_f1_on_the_simulated_platform_and_f15_in_mid_reading(owner: Actor, video: Path, tmp_path: Path) -> None:
    """Killed at each point there too; then once more while the figures of a simulated week are being stored."""
    flags = tmp_path / "flags"
    flags.mkdir()
    asset = room.stored(owner, video)
    ids = []
    for point in SIMULATED:
        with database.session(owner) as session:
            place = accounts.add(session, owner, AccountInput(platform="simulated", external_id=point, name=point))
        ids.append(room.planned(owner, asset, place.id, title=f"kill {point}"))
    workers = [_worker(flags), _worker(flags)]
    try:
        _drive(lambda: {room.record(key).state for key in ids} == {"published"}, lambda: None, 120)
        assert len(list(flags.iterdir())) == len(SIMULATED), "every point was reached"
        with database.session() as session:
            posts = session.execute(select(SimulatedPost.account_id, SimulatedPost.id)).all()
        assert Counter(post.account_id for post in posts) == Counter(room.record(key).account_id for key in ids)
        (flags / FIGURES).touch()
        (flags / READS).touch()
        with database.session(owner) as session:
            simulation.play_simulated_week(session, owner)
        _drive(lambda: _unfinished("publishing.sync_metrics") == 0, lambda: None, 120)
        assert not (flags / FIGURES).exists(), "a worker died with figures in its hands"
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    assert _figures() == _recomputed(ids)
    with database.session() as session:
        assert session.scalar(select(func.count()).select_from(PerformanceSnapshot)) == 7 * len(ids)
        session.execute(update(Job).where(Job.kind == "publishing.sync_metrics").values(status="queued", attempts=0))
    before = _figures()
    assert room.run_jobs("publishing.sync_metrics") == len(ids)
    assert _figures() == before == _recomputed(ids), "the same readings again change nothing"


def _unfinished(kind: str) -> int:
    with database.session() as session:
        running = Job.kind == kind, Job.status != "succeeded"
        return session.scalar(select(func.count()).select_from(Job).where(*running)) or 0


def _figures() -> list[tuple[object, ...]]:
    with database.session() as session:
        daily = select(PublicationDaily.__table__).order_by(PublicationDaily.publication_id, PublicationDaily.day)
        channels = select(ChannelDaily.__table__).order_by(ChannelDaily.channel_id, ChannelDaily.day)
        return [tuple(row) for statement in (daily, channels) for row in session.execute(statement)]


def _recomputed(ids: list[UUID]) -> list[tuple[object, ...]]:
    with database.session() as session:
        rollups.rebuild(session, ids)
    return _figures()


def test_f2_lost_answers_are_looked_up_not_repeated(youtube: FakeYouTube, owner: Actor, video: Path) -> None:
    asset, account = room.stored(owner, video), room.account(owner, youtube.account())
    ids = []
    for fault in ("last_chunk", "open", "chunk"):
        youtube.fault(fault, "drop_after" if fault != "chunk" else "drop_before")
        ids.append(room.planned(owner, asset, account, title=f"lost {fault}"))
        for _ in range(4):
            room.tick()
            if room.record(ids[-1]).state == "published":
                break
            room.let_time_pass()
    _published_once(youtube, ids)


def test_f3_trouble_in_mid_upload_goes_on_where_it_stopped(youtube: FakeYouTube, owner: Actor, video: Path) -> None:
    youtube.fault("chunk", "status", status=503, skip=1, times=2)
    youtube.fault("chunk", "cut", bytes=3 * CHUNK, skip=1)
    youtube.fault("chunk", "partial", bytes=CHUNK // 2, skip=0)
    youtube.fault("chunk", "stall", seconds=0.3)
    publication = room.planned(owner, room.stored(owner, video), room.account(owner, youtube.account()))
    room.tick()
    _published_once(youtube, [publication])
    (line,) = youtube.logged("video")
    assert line["sha256"] == sha256_of(video)
    assert line["received"] - line["size"] <= 2 * CHUNK, "at most one chunk again for each of the two broken ones"
    assert youtube.sessions() == 1


def test_f3_a_stalled_connection_is_left_and_a_session_that_ended_is_looked_up(
    youtube: FakeYouTube, owner: Actor, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Longer than we wait: the same session goes on. Ended (410): nothing is sent again before it was looked for."""
    monkeypatch.setitem(YouTubePublisher.__init__.__kwdefaults__, "timeout", 0.7)
    asset, account = room.stored(owner, video), room.account(owner, youtube.account())
    youtube.fault("chunk", "stall", seconds=2.0, skip=2)
    stalled = room.planned(owner, asset, account, title="stalled")
    room.tick()
    _published_once(youtube, [stalled])
    (line,) = youtube.logged("video")
    assert (line["sha256"], youtube.sessions()) == (sha256_of(video), 1)
    assert line["received"] - line["size"] <= CHUNK
    youtube.fault("chunk", "expire", status=410, skip=2)
    ended = room.planned(owner, asset, account, title="ended")
    room.tick()
    assert (room.record(ended).state, youtube.sessions()) == ("submitting", 2)
    monkeypatch.setattr(
        "core.publishing.rules.RULES", {**RULES, "youtube": replace(RULES["youtube"], listing_delay_seconds=0)}
    )
    room.let_time_pass()
    room.tick()
    _published_once(youtube, [stalled, ended])


def test_f4_an_emptied_queue_loses_and_doubles_nothing(youtube: FakeYouTube, owner: Actor, video: Path) -> None:
    asset, several = room.stored(owner, video), _accounts(owner, youtube, 6)
    ids = [room.planned(owner, asset, each, title=f"queued {number}") for number, each in enumerate(several)]
    assert dispatch.dispatch_due() == 6
    assert len(queue.carried({"publishing"})) == 6
    queue.connection().flushdb()
    with database.session() as session:
        session.execute(update(Job).values(enqueued_at=func.now() - timedelta(minutes=1)))
    assert dispatcher.enqueue_lost() == 6
    carried = queue.carried({"publishing"})
    assert len(carried) == 6
    room.run_jobs()
    room.run_jobs()
    _published_once(youtube, ids)


def test_many_dispatchers_start_one_upload_of_each_account(youtube: FakeYouTube, owner: Actor, video: Path) -> None:
    asset, several = room.stored(owner, video), _accounts(owner, youtube, 12)
    ids = [
        room.planned(owner, asset, account, title=f"due {round} {number}")
        for round in range(3)
        for number, account in enumerate(several)
    ]
    started: list[int] = []
    threads = [threading.Thread(target=lambda: started.append(dispatch.dispatch_due())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.session() as session:
        jobs = session.scalars(select(Job.payload)).all()
    assert sum(started) == len(jobs) == len(several)
    assert {payload["publication_id"] for payload in jobs} == {str(key) for key in ids[:12]}, "the first due of each"


def test_f7_a_token_that_ends_in_mid_upload_is_renewed_once(youtube: FakeYouTube, owner: Actor, video: Path) -> None:
    publication = room.planned(owner, room.stored(owner, video), room.account(owner, youtube.account()))
    saved = ledger.save_handle

    def expire_after_the_second(taken: ledger.Taken, handle: dict[str, object], total: int) -> None:
        saved(taken, handle, total)
        if handle.get("offset") == 2 * CHUNK:
            youtube.set(expire_tokens=True)

    ledger.save_handle = expire_after_the_second
    try:
        room.tick()
    finally:
        ledger.save_handle = saved
    _published_once(youtube, [publication])
    assert len(youtube.logged("token")) == 1
    assert youtube.sessions() == 1
    assert youtube.logged("video")[0]["received"] == video.stat().st_size, "no byte was stored twice"


def test_f8_two_renewals_at_once_ask_once_and_a_rotated_token_is_kept(youtube: FakeYouTube, owner: Actor) -> None:
    account = room.account(owner, youtube.account(rotates=True))
    first = tokens.AccountCredentials(account).token()
    youtube.fault("token", "stall", seconds=0.5)
    got: list[Token] = []
    threads = [
        threading.Thread(target=lambda: got.append(tokens.AccountCredentials(account).renew(first))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 4
    assert len({token.value for token in got}) == 1
    assert len(youtube.logged("token")) == 1
    again = tokens.AccountCredentials(account).renew(got[0])
    assert again.value != got[0].value, "the rotated refresh token was stored"
    assert room.account_row(account).status == "connected"


def test_f8_an_answer_without_refresh_token_keeps_the_stored_one(youtube: FakeYouTube, owner: Actor) -> None:
    auth = youtube.account()
    account = room.account(owner, auth)
    credentials = tokens.AccountCredentials(account)
    credentials.renew(credentials.renew(credentials.token()))
    assert tokens.opened(room.account_row(account))["refresh_token"] == auth["refresh_token"]


def test_a_network_fault_while_renewing_is_not_a_lost_account(youtube: FakeYouTube, owner: Actor, video: Path) -> None:
    auth = youtube.account()
    publication = room.planned(
        owner, room.stored(owner, video), room.account(owner, {**auth, "expires_at": time.time()})
    )
    youtube.fault("token", "drop_before", times=1)
    room.tick()
    record = room.record(publication)
    assert record.state == "scheduled"
    assert room.account_row(record.account_id).status == "connected"
    room.let_time_pass()
    room.tick()
    _published_once(youtube, [publication])


def test_f9_a_revoked_grant_pauses_one_account_until_it_is_connected_again(
    youtube: FakeYouTube, owner: Actor, video: Path
) -> None:
    asset = room.stored(owner, video)
    revoked = room.account(owner, youtube.account("UCgone"), "UCgone")
    other = room.account(owner, youtube.account("UCfine"), "UCfine")
    youtube.set(account={"channel_id": "UCgone", "revoked": True})
    lost = [room.planned(owner, asset, revoked, title=f"waits {number}") for number in range(3)]
    fine = room.planned(owner, asset, other, title="goes on")
    room.tick()
    room.tick()
    assert {room.record(key).state for key in lost} == {"needs_reconnect"}
    assert all(room.record(key).reason for key in lost)
    assert room.record(fine).state == "published"
    assert youtube.calls()["token"] <= 1, "one attempt, then quiet"
    assert youtube.sessions() == 1
    youtube.set(account={"channel_id": "UCgone", "revoked": False})
    room.account(owner, youtube.account("UCgone"), "UCgone")
    room.tick()
    _published_once(youtube, [*lost, fine])


def test_f10_no_call_is_made_before_a_limit_is_lifted(youtube: FakeYouTube, owner: Actor, video: Path) -> None:
    asset = room.stored(owner, video)
    full = room.account(owner, youtube.account("UCfull", upload_limit=0), "UCfull")
    free = room.account(owner, youtube.account("UCfree"), "UCfree")
    held = [room.planned(owner, asset, full, title=f"held {number}") for number in range(2)]
    room.tick()
    sent = room.planned(owner, asset, free, title="sent")
    before = youtube.calls()["open"]
    room.tick()
    assert [room.record(key).state for key in held] == ["scheduled", "scheduled"]
    assert all(room.record(key).not_before > datetime.now(UTC) + timedelta(hours=23) for key in held)
    assert all(room.record(key).reason for key in held)
    assert room.record(sent).state == "published"
    assert youtube.calls()["open"] == before + 1
    youtube.set(spent={"inserts": 100})
    later = room.planned(owner, asset, free, title="tomorrow")
    room.tick()
    opened = youtube.calls()["open"]
    for _ in range(3):
        room.tick()
    assert youtube.calls()["open"] == opened
    assert room.record(later).state == "scheduled"
    with database.session() as session:
        blocks = session.scalars(select(AccountLimit).where(AccountLimit.blocked_until > func.now())).all()
    assert {block.account_id for block in blocks} == {None, full}
    # The day turns: the limits are over, and what waited goes out.
    youtube.set(spent={"inserts": 0}, account={"channel_id": "UCfull", "upload_limit": None})
    with database.session() as session:
        session.execute(update(AccountLimit).values(blocked_until=func.now()))
    room.let_time_pass()
    room.tick()
    _published_once(youtube, [*held, sent, later])


def test_f10_a_limit_in_mid_upload_is_kept_to_and_the_same_session_goes_on(
    youtube: FakeYouTube, owner: Actor, video: Path
) -> None:
    asset, slow = room.stored(owner, video), room.account(owner, youtube.account("UCslow"), "UCslow")
    free = room.account(owner, youtube.account("UCfree"), "UCfree")
    youtube.fault("chunk", "status", status=429, code="rateLimitExceeded", retry_after=900, skip=2)
    held = room.planned(owner, asset, slow, title="asked to pause")
    room.tick()
    record = room.record(held)
    assert (record.state, record.reason) == ("submitting", "YouTube asks for a pause.")
    assert record.lease_expires_at is not None
    assert record.lease_expires_at > datetime.now(UTC) + timedelta(minutes=14)
    before = youtube.calls()
    for _ in range(2):
        room.tick()
    assert youtube.calls() == before, "no call before the instant"
    other = room.planned(owner, asset, free, title="others run")
    room.tick()
    assert room.record(other).state == "published"
    with database.session() as session:
        session.execute(update(AccountLimit).values(blocked_until=func.now()))
    room.let_time_pass()
    room.tick()
    _published_once(youtube, [held, other])
    assert youtube.sessions() == 2
    assert all(line["received"] - line["size"] <= CHUNK for line in youtube.logged("video"))


def test_a_platform_that_may_not_be_asked_is_left_to_the_user(youtube: FakeYouTube, owner: Actor, video: Path) -> None:
    """The answer to the last byte is lost, and the question after it is refused: it may be there, so it stays."""
    publication = room.planned(owner, room.stored(owner, video), room.account(owner, youtube.account()))
    youtube.fault("last_chunk", "drop_after")
    youtube.fault("probe", "status", status=403, code="forbidden", times=50)
    for _ in range(3):
        room.tick()
        room.let_time_pass()
    record = room.record(publication)
    assert record.state == "needs_review"
    assert "It may be on the platform already." in record.reason
    assert (len(youtube.logged("video")), youtube.sessions()) == (1, 1)


def test_a_client_google_does_not_know_is_our_fault_and_loses_nothing(
    youtube: FakeYouTube, owner: Actor, video: Path
) -> None:
    auth = youtube.account()
    account = room.account(owner, {**auth, "expires_at": time.time()})
    publication = room.planned(owner, room.stored(owner, video), account)
    youtube.set(client=["studio.apps", "hush"])
    for _ in range(3):
        room.tick()
    record = room.record(publication)
    assert record.state == "scheduled"
    assert "Google does not accept the studio's registration." in record.reason
    assert room.account_row(account).status == "connected"
    with database.session(owner) as session:
        store_value(session, owner, "GOOGLE_CLIENT_ID", "studio.apps", secret=False)
        store_value(session, owner, "GOOGLE_CLIENT_SECRET", "hush", secret=True)
    room.let_time_pass()
    room.tick()
    _published_once(youtube, [publication])


def test_f11_of_a_cancel_and_a_start_exactly_one_wins(youtube: FakeYouTube, owner: Actor, video: Path) -> None:
    asset, several = room.stored(owner, video), _accounts(owner, youtube, 8)
    ids = [
        room.planned(owner, asset, account, title=f"race {account} {number}")
        for number in range(2)
        for account in several
    ]
    refused: list[UUID] = []

    def cancel_all() -> None:
        for key in ids:
            try:
                with database.session(owner) as session:
                    publications.cancel(session, owner, key)
            except Conflict:
                refused.append(key)

    thread = threading.Thread(target=cancel_all)
    dispatch.dispatch_due()
    thread.start()
    room.run_jobs()
    thread.join()
    for _ in range(2):
        room.tick()
    state = {key: room.record(key).state for key in ids}
    assert set(state.values()) <= {"published", "cancelled"}
    assert {key for key in ids if state[key] == "published"} == set(refused)
    on_platform = {line["video_id"] for line in youtube.logged("video")}
    assert on_platform == {room.record(key).remote_id for key in refused}
    assert len(youtube.logged("video")) == len(refused)


def test_f12_a_failing_step_after_the_upload_never_uploads_again(
    youtube: FakeYouTube, owner: Actor, video: Path, tmp_path: Path
) -> None:
    words, picture = tmp_path / "w.srt", tmp_path / "t.png"
    words.write_text("1\n00:00:00,000 --> 00:00:01,000\nhello\n")
    picture.write_bytes(b"\x89PNG not looked into by the platform")
    youtube.fault("thumbnail", "status", status=400, code="invalidImage")
    youtube.fault("captions", "drop_after")
    youtube.fault("playlist", "drop_after")
    publication = room.planned(
        owner,
        room.stored(owner, video),
        room.account(owner, youtube.account()),
        thumbnail_asset_id=room.stored(owner, picture, "image"),
        options={
            "captions": [{"asset_id": str(room.stored(owner, words, "subtitle")), "language": "en"}],
            "playlist_id": "PLx",
        },
    )
    for _ in range(3):
        room.tick()
        room.let_time_pass()
    record = room.record(publication)
    assert record.state == "published_with_warnings"
    assert [each["code"] for each in record.warnings] == ["step_thumbnail"]
    assert len(youtube.logged("video")) == len(youtube.logged("captions")) == len(youtube.logged("playlist")) == 1
    with database.session(owner) as session:
        steps = {step.name: step.state for step in publications.detail(session, publication).steps}
    assert steps == {"thumbnail": "failed", "captions:en": "done", "playlist:PLx": "done"}

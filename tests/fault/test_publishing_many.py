"""Many posts at once, and a database that goes away in mid-run (F5, F6), at a size for every run of the suite."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import event, func, select, text, update
from sqlalchemy.exc import DBAPIError

from core import database
from core.jobs import lifecycle
from core.models.publishing import PublicationAttempt, PublicationRecord
from core.security import Actor
from core.settings import get_settings
from tests.engine import publishing_studio as room
from tests.fakes.youtube.client import FakeYouTube
from workers import dispatcher
from workers.publishing import dispatch, ledger

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return room.small_video(tmp_path / "talk.mp4", 1.0)


def _planned(owner: Actor, fake: FakeYouTube, video: Path, accounts: int, each: int) -> list[UUID]:
    asset = room.stored(owner, video)
    places = [room.account(owner, fake.account(f"UC{number}"), f"UC{number}") for number in range(accounts)]
    return [
        room.planned(owner, asset, place, title=f"{number} of {place}") for number in range(each) for place in places
    ]


def _states() -> Counter[str]:
    with database.session() as session:
        return Counter(session.scalars(select(PublicationRecord.state)))


def _each_once(fake: FakeYouTube, ids: list[UUID]) -> None:
    assert _states() == {"published": len(ids)}
    videos = fake.logged("video")
    owners = Counter(line["description"].rpartition("ref:")[2].partition("-")[0] for line in videos)
    assert owners == Counter(key.hex[-16:] for key in ids)


@contextmanager
def _dropped_every(statements: int, *, times: int) -> Iterator[list[int]]:
    """Every connection to the database ends before each so-many-th statement; yields how many ended at each drop.

    Counted in statements, so that a fast machine and a slow one drop equally often, and never at one place only.
    """
    drops: list[int] = []
    counted, lock = count(1), threading.Lock()
    address = get_settings().effective_database_url.replace("postgresql+psycopg", "postgresql")

    def drop(*_: object) -> None:
        with lock:
            if next(counted) % statements or len(drops) == times:
                return
            with psycopg.connect(address, autocommit=True) as connection:
                ended = connection.execute(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                ).fetchone()
            assert ended is not None
            drops.append(int(ended[0]))

    event.listen(database.engine(), "before_cursor_execute", drop)
    try:
        yield drops
    finally:
        event.remove(database.engine(), "before_cursor_execute", drop)


def test_f5_a_database_that_drops_everybody_again_and_again(
    youtube: FakeYouTube, owner: Actor, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a restart does to its clients: every connection ends, in the middle of whatever it does."""
    monkeypatch.setattr(lifecycle, "LEASE", timedelta(seconds=1.5))
    monkeypatch.setattr(ledger, "LEASE", timedelta(seconds=2))
    monkeypatch.setattr(dispatch, "LEASE", timedelta(seconds=2))
    ids = _planned(owner, youtube, video, 3, 3)
    with _dropped_every(40, times=10) as drops:
        deadline = time.monotonic() + 100
        while True:
            assert time.monotonic() < deadline, (_states(), drops)
            try:
                dispatch.dispatch_due()
                dispatch.sweep_expired_leases()
                dispatcher.recover_abandoned()
                room.run_jobs("publishing.upload")
                if set(_states()) == {"published"}:
                    break
            except DBAPIError:
                continue
    assert len(drops) == 10
    assert sum(drops) >= 10
    _each_once(youtube, ids)


def test_f6_many_due_in_the_same_second_by_several_dispatchers_and_workers(
    youtube: FakeYouTube, owner: Actor, video: Path, tmp_path: Path
) -> None:
    ids = _planned(owner, youtube, video, 12, 4)
    with database.session() as session:
        session.execute(update(PublicationRecord).values(due_at=func.now() + timedelta(seconds=6)))
    commands = [["workers.dispatcher"]] * 3 + [["tests.fault.publishing_worker", str(tmp_path)]] * 2
    processes = [subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT) for command in commands]
    try:
        deadline = time.monotonic() + 120
        while set(_states()) != {"published"}:
            assert time.monotonic() < deadline, _states()
            assert all(process.poll() is None for process in processes)
            time.sleep(0.3)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(20)
    _each_once(youtube, ids)
    assert {line["open_beside"] for line in youtube.logged("session")} == {0}, "one upload of an account at a time"
    with database.session() as session:
        waits = session.execute(
            select(
                PublicationRecord.account_id,
                func.min(func.extract("epoch", PublicationAttempt.started_at - PublicationRecord.due_at)),
            )
            .join(PublicationAttempt, PublicationAttempt.publication_id == PublicationRecord.id)
            .group_by(PublicationRecord.account_id)
        ).all()
        assert session.scalar(text("SELECT count(*) FROM publication_attempts")) == len(ids), "each tried once"
    late = sorted(float(row[1]) for row in waits)
    assert late[0] >= 0, "nothing before its time"
    assert late[-1] <= 20, "the first of each account starts soon"

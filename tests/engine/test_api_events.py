"""The event stream: what is live first, then every notice of the owner, nobody else's; survives a lost connection."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from collections.abc import Iterator
from queue import Empty, Queue
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import text

from api.application import api
from api.hub import MAXIMUM_PENDING, RESYNC, Watch, connection_arguments
from core import database, events, jobs, live
from core.jobs import lifecycle
from core.models.assets import Asset
from core.models.jobs import Job
from core.security import Actor
from core.settings import Settings
from core.video.payloads import IngestInput
from tests.engine.api_server import Served, serve


@pytest.fixture
def served(studio: Settings) -> Iterator[Served]:
    with serve() as found:
        yield found


class Listener:
    """One browser window."""

    def __init__(self, served: Served, actor: Actor) -> None:
        self.notices: Queue[dict[str, Any]] = Queue()
        self._client = served.client(actor)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            with self._client.stream("GET", "/api/events", timeout=None) as stream:
                assert stream.headers["content-type"].startswith("text/event-stream")
                for line in stream.iter_lines():
                    if line.startswith("data: "):
                        self.notices.put(json.loads(line.removeprefix("data: ")))
        except (httpx.TransportError, httpx.StreamError):
            return

    def next(self, kind: str, seconds: float = 10) -> dict[str, Any]:
        """The next notice of a type."""
        deadline = time.monotonic() + seconds
        while True:
            notice = self.notices.get(timeout=max(0.01, deadline - time.monotonic()))
            if notice["type"] == kind:
                return notice

    def silent(self, seconds: float) -> bool:
        try:
            notice = self.notices.get(timeout=seconds)
        except Empty:
            return True
        raise AssertionError(notice)

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def listen(served: Served) -> Iterator[Any]:
    opened: list[Listener] = []

    def start(actor: Actor) -> Listener:
        opened.append(Listener(served, actor))
        return opened[-1]

    yield start
    for listener in opened:
        listener.close()


def make_job(actor: Actor) -> Job:
    with database.session(actor) as session:
        asset = Asset(
            owner_id=actor.owner_id,
            kind="video",
            name="a",
            mime_type="video/mp4",
            size_bytes=1,
            sha256="0",
            storage_key=f"00/{time.monotonic_ns()}",
        )
        session.add(asset)
        session.flush()
        return jobs.submit(session, actor, "ingest", IngestInput(asset_id=asset.id))


def test_snapshot_then_notices(listen: Any, owner: Actor, other_owner: Actor) -> None:
    job = make_job(owner)
    mine, theirs = listen(owner), listen(other_owner)
    assert mine.next("snapshot")["jobs"] == [str(job.id)]
    assert mine.next("job")["status"] == "queued"
    assert theirs.next("snapshot")["jobs"] == []
    with database.session() as session:
        assert lifecycle.claim(session, job.id, worker="w", process_group=1, process_started=0.0)
    notice = mine.next("job")
    assert notice["status"] == "running"
    assert set(notice) == {"type", "job_id", "kind", "status", "progress", "stage", "eta_seconds"}
    assert theirs.silent(1.0)


def test_who_comes_back_is_told_what_happened_meanwhile(
    served: Served, listen: Any, owner: Actor, other_owner: Actor
) -> None:
    def happen(actor: Actor, what: str) -> int:
        with database.session(actor) as session:
            event = events.emit(session, "TEST_HAPPENED", actor.owner_id, {"what": what})
            events.deliver(session, event)
            return event.id

    first = happen(owner, "first")
    assert listen(owner).next("snapshot")["event_id"] == first
    happen(other_owner, "theirs")
    second = happen(owner, "second")
    with (
        served.client(owner) as client,
        client.stream("GET", "/api/events", headers={"Last-Event-ID": str(first)}) as stream,
    ):
        lines = (line for line in stream.iter_lines() if line.startswith(("id: ", "data: ")))
        assert next(lines) == f"id: {first}"
        assert json.loads(next(lines).removeprefix("data: "))["type"] == "snapshot"
        assert next(lines) == f"id: {second}"
        assert json.loads(next(lines).removeprefix("data: "))["what"] == "second"
    for strange in ("x", "-1", "9" * 30):
        with (
            served.client(owner) as client,
            client.stream("GET", "/api/events", headers={"Last-Event-ID": strange}) as stream,
        ):
            assert any('"snapshot"' in line for line in itertools.islice(stream.iter_lines(), 5))


def test_newest_notice_of_a_job_wins_and_nothing_is_sent_for_a_rollback(listen: Any, owner: Actor) -> None:
    listener = listen(owner)
    listener.next("snapshot")
    with database.session() as session:
        live.notify(session, owner.owner_id, {"type": "notice", "text": "never"})
        session.rollback()
    with database.session() as session:
        for step in range(50):
            live.notify(session, owner.owner_id, {"type": "job", "job_id": "a", "progress": step})
        live.notify(session, owner.owner_id, {"type": "notice", "text": "ธรรมดา"})
    assert listener.next("job")["progress"] == 49
    assert listener.next("notice")["text"] == "ธรรมดา"
    assert listener.silent(0.7)


def test_a_lost_database_connection_is_made_again_with_a_new_snapshot(listen: Any, owner: Actor) -> None:
    listener = listen(owner)
    listener.next("snapshot")
    with psycopg.connect(**connection_arguments(database.engine()), autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'studio live'")
    listener.next("snapshot")
    with database.session() as session:
        live.notify(session, owner.owner_id, {"type": "notice", "text": "after"})
    assert listener.next("notice")["text"] == "after"


def test_one_listening_connection_for_many_windows(listen: Any, owner: Actor) -> None:
    for listener in [listen(owner) for _ in range(8)]:
        listener.next("snapshot")
    with database.session() as session:
        count = session.scalar(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'studio live'"
                " AND datname = current_database()"
            )
        )
    assert count == 1


def test_twenty_watched_jobs_cost_little(listen: Any, owner: Actor) -> None:
    """Twenty jobs reporting four times a second to three windows: the stream itself takes under 5 % of a core."""
    listeners = [listen(owner) for _ in range(3)]
    for listener in listeners:
        listener.next("snapshot")
    seconds = 5.0
    notices = [
        json.dumps({"owner_id": str(owner.owner_id), "type": "job", "job_id": str(number), "progress": 0.5})
        for number in range(20)
    ]
    with psycopg.connect(**connection_arguments(database.engine()), autocommit=True) as connection:
        sender, ends = time.thread_time(), time.monotonic() + seconds
        used = time.process_time()
        while time.monotonic() < ends:
            with connection.pipeline():
                for notice in notices:
                    connection.execute("SELECT pg_notify('studio', %s)", (notice,))
            time.sleep(0.25)
        cost = (time.process_time() - used) - (time.thread_time() - sender)
    # The three listeners of this test parse JSON in the same process; half of the cost is theirs.
    assert cost / seconds < 0.10


def test_streams_end_when_the_server_is_asked_to_stop(served: Served, owner: Actor, listen: Any) -> None:
    listener = listen(owner)
    listener.next("snapshot")
    api.state.hub.closing.set()
    listener._thread.join(5)
    assert not listener._thread.is_alive()


def test_a_window_that_does_not_read_costs_bounded_memory() -> None:
    async def overflow() -> list[dict[str, Any]]:
        watch = Watch()
        for number in range(3 * MAXIMUM_PENDING):
            watch.put({"type": "notice", "number": number})
        return await watch.take()

    taken = asyncio.run(overflow())
    assert {"type": RESYNC} in taken
    assert len(taken) <= MAXIMUM_PENDING

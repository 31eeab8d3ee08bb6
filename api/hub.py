"""One PostgreSQL LISTEN for the whole process, handed on in memory to every browser window that watches.

Nothing polls: a notice costs one wake-up of the connection and one of each stream of its owner. Between two writes a
stream waits a moment and sends only the newest notice of each job, so twenty busy jobs are a few lines a second.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
from collections.abc import AsyncIterator
from types import FrameType
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Engine

from core import database
from core.live import CHANNEL

HEARTBEAT_SECONDS = 15.0
GATHER_SECONDS = 0.2
MAXIMUM_PENDING = 500
RESYNC = "resync"
_log = logging.getLogger(__name__)


class Watch:
    """One stream's unsent notices; of one job only the newest."""

    def __init__(self) -> None:
        self._pending: dict[str, dict[str, Any]] = {}
        self._filled = asyncio.Event()
        self._count = 0

    def put(self, notice: dict[str, Any]) -> None:
        """Keep a notice for the stream; too many unsent ones become the order to read everything anew."""
        self._count += 1
        key = f"job {notice['job_id']}" if notice.get("type") == "job" else str(self._count)
        self._pending.pop(key, None)
        self._pending[key] = notice
        if len(self._pending) > MAXIMUM_PENDING:
            self._pending = {RESYNC: {"type": RESYNC}}
        self._filled.set()

    async def take(self) -> list[dict[str, Any]]:
        """Wait for notices and take them all."""
        await self._filled.wait()
        taken = list(self._pending.values())
        self._pending.clear()
        self._filled.clear()
        return taken


class Hub:
    """Listens once, tells many. Used from one event loop; started by the first watcher."""

    def __init__(self) -> None:
        self._watches: dict[str, set[Watch]] = {}
        self._task: asyncio.Task[None] | None = None
        self.connected = asyncio.Event()
        self.closing = asyncio.Event()

    async def watch(self, owner_id: UUID) -> AsyncIterator[list[dict[str, Any]]]:
        """Notices of one owner in batches, an empty batch as heartbeat; ends when the server stops.

        The first batch is :data:`RESYNC`, sent when the listening has begun, as is one after each lost connection:
        whoever reads the present state then misses nothing.
        """
        self._start()
        watch = Watch()
        self._watches.setdefault(str(owner_id), set()).add(watch)
        try:
            await _first(self.connected.wait(), self.closing.wait(), timeout=HEARTBEAT_SECONDS)
            watch.put({"type": RESYNC})
            while not self.closing.is_set():
                batch = await _first(watch.take(), self.closing.wait(), timeout=HEARTBEAT_SECONDS)
                if self.closing.is_set():
                    return
                yield batch if isinstance(batch, list) else []
                await asyncio.sleep(GATHER_SECONDS)
        finally:
            watches = self._watches[str(owner_id)]
            watches.discard(watch)
            if not watches:
                del self._watches[str(owner_id)]

    def _start(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._listen(), name="live notices")

    async def _listen(self) -> None:
        pause = 0.1
        while not self.closing.is_set():
            try:
                async with await psycopg.AsyncConnection.connect(
                    **connection_arguments(database.engine()), autocommit=True, application_name="studio live"
                ) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    pause = 0.1
                    self.connected.set()
                    self._tell_everybody({"type": RESYNC})
                    async for notice in connection.notifies():
                        self._hand_on(notice.payload)
            except psycopg.OperationalError as error:
                _log.warning("live notices pause, the database cannot be reached: %s", str(error).strip())
            self.connected.clear()
            await asyncio.sleep(pause)
            pause = min(pause * 2, 3.0)

    def _hand_on(self, payload: str) -> None:
        notice = json.loads(payload)
        for watch in self._watches.get(notice.pop("owner_id", ""), ()):
            watch.put(notice)

    def _tell_everybody(self, notice: dict[str, Any]) -> None:
        for watches in self._watches.values():
            for watch in watches:
                watch.put(notice)

    def end_on_signals(self) -> None:
        """End all streams as soon as the server is asked to stop; it would wait for them for ever otherwise.

        uvicorn closes what is idle and waits for answers under way, before the lifespan ends.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            previous = signal.getsignal(number)

            def stop(received: int, frame: FrameType | None, previous: Any = previous) -> None:
                loop.call_soon_threadsafe(self.closing.set)
                if callable(previous):
                    previous(received, frame)

            if callable(previous):
                signal.signal(number, stop)

    async def close(self) -> None:
        """End all streams and the connection."""
        self.closing.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


def connection_arguments(engine: Engine) -> dict[str, Any]:
    """What psycopg needs to open a connection of its own to the engine's database."""
    _, arguments = engine.dialect.create_connect_args(engine.url)
    return dict(arguments)


async def _first(*waits: Any, timeout: float) -> Any:
    """The result of whichever ends first; None after ``timeout`` seconds. The others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        return next(task.result() for task in tasks if task in done) if done else None
    finally:
        for task in tasks:
            task.cancel()

"""Owns the embedded services and ends them with the app, however the app ends.

Started by :mod:`core.launch` with a pipe as its standard input; it ends in order (workers, dispatcher, Valkey,
PostgreSQL) at SIGTERM or when the pipe closes, which it also does when the app is killed. Until then it starts again
whatever ends by itself, the database included. Its own children carry a parent-death signal, so that nothing stays when
the guardian itself is killed, and hold on to its lock, so that the next one waits for them.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO

from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError

from core import log, migrate
from core.errors import sentence_of
from core.settings import Settings, get_settings
from workers import recovery, services
from workers.processes import end_with_parent

_log = logging.getLogger(__name__)
# RQ takes a second signal for an echo of the first unless a second has passed.
SECOND_SIGNAL_SECONDS = 1.1
STOP_WORKERS_SECONDS = 8.0
# The first page comes first: what the workers import at their start would keep both cores of a small machine busy.
START_WORKERS_AFTER = 2.0


@dataclass
class Child:
    """A process that is started again when it ends; ``backoff`` grows while it keeps ending at once."""

    name: str
    launch: Callable[[], subprocess.Popen[bytes]]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    backoff: float = 0.5
    wait_until: float = 0.0

    def start(self) -> None:
        self.process = self.launch()
        self.started = time.monotonic()

    def keep_alive(self) -> int | None:
        """Start the process when it is not there; returns the number of one that has ended since the last call."""
        if self.process is not None and self.process.poll() is None:
            return None
        now, ended = time.monotonic(), None
        if self.process is not None:
            lived, ended = now - self.started, self.process.pid
            _log.warning("%s ended with status %s after %.1f s", self.name, self.process.returncode, lived)
            self.backoff = 0.5 if lived > 30 else min(self.backoff * 2, 30.0)
            # What ran for a while is started at once: jobs under way can wait for a second, not for many.
            self.wait_until = now + (0.0 if lived > 30 else self.backoff)
            self.process = None
        if now >= self.wait_until:
            try:
                self.start()
            except (services.ServiceFailed, OSError, subprocess.SubprocessError) as error:
                _log.error("%s: %s", self.name, error)
                self.backoff = min(self.backoff * 2, 30.0)
                self.wait_until = time.monotonic() + self.backoff
        return ended


def module(*arguments: str) -> Callable[[], subprocess.Popen[bytes]]:
    """How to start one of our own modules as a child that does not outlive the guardian."""

    def launch() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=end_with_parent(signal.SIGKILL),
        )

    return launch


@dataclass
class Guardian:
    """The services of one data folder."""

    stop: threading.Event = field(default_factory=threading.Event)
    lock: IO[bytes] | None = None
    servers: list[Child] = field(default_factory=list)
    workers: list[Child] = field(default_factory=list)
    others: list[Child] = field(default_factory=list)

    def start(self, *, servers_only: bool) -> None:
        settings = get_settings()
        services.prepare_folders(settings)
        self.lock = services.take_over(settings)
        self._start_servers(settings, self.lock.fileno())
        migrate.upgrade()
        if servers_only:
            return
        recovery.recover_dead_workers()
        media = [
            Child(f"media worker {n + 1}", module("workers.worker", "media")) for n in range(settings.media_workers)
        ]
        self.workers = [
            *media,
            Child("general worker", module("workers.worker", "default", "models")),
            Child("publishing worker", module("workers.worker", "publishing")),
        ]
        self.others = [Child("dispatcher", module("workers.dispatcher"))]
        for child in (*self.workers, *self.others):
            child.wait_until = time.monotonic() + START_WORKERS_AFTER

    def _start_servers(self, settings: Settings, lock: int) -> None:
        wanted = []
        if settings.embedded_database:
            wanted.append(Child("PostgreSQL", lambda: services.start_postgres(settings, keep=lock)))
        if settings.embedded_redis:
            wanted.append(Child("Valkey", lambda: services.start_valkey(settings, keep=lock)))
        for server in wanted:
            server.start()
            self.servers.append(server)

    def watch(self) -> None:
        while not self.stop.wait(0.25):
            for child in (*self.servers, *self.others):
                child.keep_alive()
            for worker in self.workers:
                if (ended := worker.keep_alive()) is not None:
                    _about_jobs_of(ended, recovery.recover_worker)

    def close(self) -> None:
        """End everything in order. The job of a worker that is busy waits for the next start."""
        running = [child.process for child in (*self.workers, *self.others) if child.process is not None]
        for process in running:
            process.terminate()
        if not _all_ended(running, SECOND_SIGNAL_SECONDS):
            for process in running:
                process.terminate()
            _all_ended(running, STOP_WORKERS_SECONDS)
        for process in running:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        for worker in self.workers:
            if worker.process is not None:
                _about_jobs_of(worker.process.pid, recovery.give_back)
        for server in reversed(self.servers):
            if server.process is not None:
                # For both: what is under way ends, everything committed is on disk.
                services.stop_process(server.process, signal.SIGINT, 20.0)


def _all_ended(processes: list[subprocess.Popen[bytes]], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
    return True


def _about_jobs_of(pid: int, act: Callable[[str], int]) -> None:
    """Tell the database about the jobs of a worker that ended; where it cannot be told, the lease tells it later."""
    try:
        act(recovery.name_of_worker(pid))
    except (DBAPIError, RedisError) as error:
        _log.warning("jobs of worker %s wait for their lease to end: %s", pid, error)


def main(arguments: list[str]) -> int:
    """Run until told to stop; prints ``ready`` on standard output when everything is up.

    With the argument ``servers`` no worker and no dispatcher is started: for tools that need the database alone.
    """
    log.configure("guardian")
    guardian = Guardian()
    signal.signal(signal.SIGTERM, lambda *_: guardian.stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def wait_for_end_of_parent() -> None:
        # Not through sys.stdin: the interpreter cannot end while a thread waits in its buffer.
        while os.read(0, 4096):
            pass
        guardian.stop.set()

    threading.Thread(target=wait_for_end_of_parent, daemon=True).start()
    try:
        guardian.start(servers_only=arguments == ["servers"])
        _say("ready")
        guardian.watch()
    except (services.ServiceFailed, migrate.CannotMigrate) as error:
        _say(f"failed {error}")
        return 1
    except OSError as error:
        _log.exception("the services did not start")
        _say(f"failed {sentence_of(error)}")
        return 1
    finally:
        guardian.close()
    return 0


def _say(line: str) -> None:
    """One line to the app; where it is gone, nobody has to be told."""
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(" ".join(line.split()) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

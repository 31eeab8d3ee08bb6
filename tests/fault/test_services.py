"""The embedded services live and die with what started them, however it ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from redis import Redis
from rq import Worker

from core.settings import Settings

LAUNCH = "import sys, time; from core import launch; s = launch.start(); print('up', flush=True); time.sleep(600)"


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


def _processes_of(folder: Path) -> list[str]:
    """Command lines of every process that has the folder in its environment or its arguments."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            text = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in text and b"pytest" not in text.split(b"\0")[0]:
            found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode() if entry.exists() else "")
    return [line for line in found if line]


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


def test_nothing_survives_a_killed_guardian(folder: Path) -> None:
    app = _start(folder)
    guardian = next(
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit()
        and (entry / "cmdline").read_bytes().endswith(b"workers.guardian\0")
        and str(folder).encode() in (entry / "environ").read_bytes()
    )
    os.kill(guardian, signal.SIGKILL)
    app.kill()
    app.wait()
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

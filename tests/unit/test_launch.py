"""Whoever starts the studio where it cannot start reads a sentence, not a trace."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import launch
from core.settings import Settings, get_settings
from workers import services, worker


@pytest.fixture(autouse=True)
def _fresh_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("STUDIO_PORT", "eighty", "STUDIO_PORT: "),
        ("STUDIO_PORT", "70000", "STUDIO_PORT: "),
        ("STUDIO_STORAGE_URL", "s3://bucket/folder", "cannot use s3://"),
        ("STUDIO_LOG_LEVEL", "loud", "STUDIO_LOG_LEVEL: "),
        ("DATABASE_URL", "mysql://host/name", "DATABASE_URL: "),
    ],
)
def test_a_setting_that_cannot_be_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(launch.CannotStart, match=r"^A setting cannot be used\.") as refusal:
        launch.checked_settings()
    assert said in str(refusal.value)


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields.values():
        assert field.alias
        monkeypatch.setenv(field.alias, "")
    assert launch.checked_settings() == Settings()
    assert Settings().data_dir == Path("data")


@pytest.mark.parametrize(
    ("given", "folder"),
    [
        ("", "/data/assets"),
        ("/media/films", "/media/films"),
        ("file:///media/my%20films", "/media/my films"),
    ],
)
def test_files_lie_where_the_setting_says(given: str, folder: str) -> None:
    assert Settings(STUDIO_DATA=Path("/data"), STUDIO_STORAGE_URL=given).assets_dir == Path(folder)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_a_postgresql_address_is_taken(scheme: str) -> None:
    settings = Settings(DATABASE_URL=f"{scheme}://me:secret@host/name")
    assert settings.effective_database_url == "postgresql+psycopg://me:secret@host/name"


def test_a_taken_port_and_a_foreign_address_are_told_apart(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(launch.CannotStart, match=f"Port {port} is taken"):
            launch.check(Settings(STUDIO_DATA=tmp_path, STUDIO_PORT=port))
    with pytest.raises(launch.CannotStart, match="cannot listen on 192"):
        launch.check(Settings(STUDIO_DATA=tmp_path, STUDIO_BIND="192.0.2.1"))


def test_a_data_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(launch.CannotStart, match=r"data folder .*file"):
        launch.check(Settings(STUDIO_DATA=tmp_path / "file" / "data"))


def test_engines_keep_their_caches_in_the_data_folder_where_there_is_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    for home, expected in (("/tmp", {}), ("/nowhere", {"NUMBA_CACHE_DIR": "/data/cache"})):
        monkeypatch.setenv("HOME", home)
        environment: dict[str, str] = {}
        worker.place_for_caches(Path("/data"), environment)
        assert environment == expected


def test_a_killed_app_that_nobody_has_fetched_does_not_hold_the_folder() -> None:
    ended = subprocess.Popen(["true"])
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    assert not launch._lives(str(ended.pid))
    ended.wait()
    assert launch._lives(str(os.getpid()))
    assert not launch._lives("")


def test_a_lock_file_of_a_dead_postmaster_is_forgotten_when_its_number_is_another_program_s(tmp_path: Path) -> None:
    noted = tmp_path / "postmaster.pid"
    noted.write_text(f"{os.getpid()}\n/somewhere\n")
    services._forget_dead_postmaster(tmp_path)
    assert not noted.exists()
    services._forget_dead_postmaster(tmp_path)


@pytest.mark.parametrize(
    ("host", "hosts", "shown"),
    [
        ("127.0.0.1", "", "127.0.0.1"),
        ("::1", "", "[::1]"),
        ("0.0.0.0", "", "localhost"),
        ("0.0.0.0", "studio.example, other.example", "studio.example"),
    ],
)
def test_the_address_shown_can_be_opened(host: str, hosts: str, shown: str) -> None:
    assert launch.shown_name(Settings(STUDIO_BIND=host, STUDIO_HOSTS=hosts)) == shown

"""Shared fixtures: one real PostgreSQL and one real Valkey for the whole run, a fresh database for each test."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from core import database, migrate, security
from core.jobs import queue
from core.security import Actor
from core.settings import Settings, get_settings
from workers import services

# Speed is measured by `make bench`; on a shared machine a deadline fails by chance.
hypothesis_settings.register_profile("studio", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("studio")

SHORT_ROOT = Path("/tmp" if Path("/tmp").is_dir() else tempfile.gettempdir())


@pytest.fixture(scope="session")
def embedded_servers() -> Iterator[Settings]:
    """The embedded servers themselves, started by the code the guardian uses, in a folder of their own."""
    folder = Path(tempfile.mkdtemp(prefix="studio-test-", dir=SHORT_ROOT))
    settings = Settings(STUDIO_DATA=folder)
    services.prepare_folders(settings)
    postgres = services.start_postgres(settings)
    valkey = services.start_valkey(settings)
    _create_template(settings)
    yield settings
    services.stop_process(valkey, signal.SIGTERM, 5)
    services.stop_postgres(postgres)
    shutil.rmtree(folder, ignore_errors=True)


def _admin(settings: Settings) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(f"host='{settings.socket_dir}' user=postgres dbname=postgres", autocommit=True)


def _url(settings: Settings, name: str) -> str:
    return f"postgresql+psycopg://postgres:@/{name}?host={quote(str(settings.socket_dir))}"


def _create_template(settings: Settings) -> None:
    from sqlalchemy import create_engine

    with _admin(settings) as connection:
        connection.execute("CREATE DATABASE studio_template")
    engine = create_engine(_url(settings, "studio_template"))
    migrate.upgrade(engine)
    engine.dispose()


@pytest.fixture
def studio(
    embedded_servers: Settings, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Settings]:
    """A fresh studio: its own database, an empty queue, its own data folder. The process's settings point to it."""
    name = f"test_{os.getpid()}_{abs(hash(request.node.nodeid)) % 10**10}"
    with _admin(embedded_servers) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE studio_template')
    before = {key: os.environ.get(key) for key in ("STUDIO_DATA", "DATABASE_URL", "REDIS_URL")}
    os.environ["STUDIO_DATA"] = str(tmp_path_factory.mktemp("data"))
    os.environ["DATABASE_URL"] = _url(embedded_servers, name)
    os.environ["REDIS_URL"] = embedded_servers.effective_redis_url
    _forget()
    settings = get_settings()
    for folder in (settings.assets_dir, settings.uploads_dir, settings.jobs_dir):
        folder.mkdir(parents=True, exist_ok=True)
    queue.connection().flushdb()
    yield settings
    _forget()
    for key, value in before.items():
        if value is None:
            os.environ.pop(key, None)
        else:
            os.environ[key] = value
    with _admin(embedded_servers) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _forget() -> None:
    if database.engine.cache_info().currsize:
        database.engine().dispose()
    database.engine.cache_clear()
    database._factory.cache_clear()
    queue.connection.cache_clear()
    get_settings.cache_clear()


@pytest.fixture
def owner(studio: Settings) -> Actor:
    """The first owner."""
    with database.session() as session:
        return security.actor_of(security.ensure_owner(session))


@pytest.fixture
def other_owner(studio: Settings, owner: Actor) -> Actor:
    """Somebody else with a studio of their own in the same database."""
    from core.models.identity import User

    with database.session() as session:
        user = User(role="owner", name="other")
        session.add(user)
        session.flush()
        return security.actor_of(user)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process a test started."""
    services.stop_process(process, signal.SIGTERM, 10)

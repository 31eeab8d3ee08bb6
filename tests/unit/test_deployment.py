"""Dockerfile and docker-compose.yml against the code: no Docker engine is needed to find a wrong name in them."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.jobs.kinds import QUEUES
from core.settings import Settings
from core.tools.healthy import CHECKS

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = sorted(name for name, service in SERVICES.items() if service["image"] == "creator-studio")


def instructions() -> list[list[str]]:
    """The Dockerfile's instructions, continuation lines joined, comments left out."""
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#")).replace("\\\n", " ")
    return [shlex.split(line) for line in text.splitlines() if line.strip()]


def test_the_services_are_the_ones_the_design_names() -> None:
    assert {"postgres", "redis", "app", "dispatcher", "worker"} <= set(SERVICES)
    assert OURS == ["app", "dispatcher", "migrate", "publisher", "worker"]


@pytest.mark.parametrize("name", OURS)
def test_every_command_exists(name: str) -> None:
    command = SERVICES[name]["command"]
    assert command[0] == "python"
    if command[1] == "-m":
        assert importlib.util.find_spec(command[2]) is not None
    else:
        assert (ROOT / command[1]).is_file()
    check = SERVICES[name].get("healthcheck", {}).get("test")
    if check:
        assert check[:4] == ["CMD", "python", "-m", "core.tools.healthy"]
        assert check[4] in CHECKS


def test_the_workers_take_every_queue_once() -> None:
    taken = [queue for name in ("worker", "publisher") for queue in SERVICES[name]["command"][3:]]
    assert sorted(taken) == sorted(QUEUES)


def test_nothing_but_the_app_is_published_and_that_on_loopback_by_default() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if service.get("ports")}
    assert published == {"app": ["${STUDIO_PUBLISH:-127.0.0.1}:8501:8501"]}


def test_our_services_reach_postgres_and_redis_and_wait_for_the_schema() -> None:
    known = {field.alias for field in Settings.model_fields.values()}
    for name in OURS:
        environment = SERVICES[name]["environment"]
        assert "@postgres:5432/studio" in environment["DATABASE_URL"]
        assert environment["REDIS_URL"].startswith("redis://redis:")
        assert set(environment) <= known
        assert "data:/data" in SERVICES[name]["volumes"]
        waits = SERVICES[name]["depends_on"]
        assert waits["postgres"] == waits["redis"] == {"condition": "service_healthy"}
        if name != "migrate":
            assert waits["migrate"] == {"condition": "service_completed_successfully"}


def test_the_password_comes_from_the_env_file_alone() -> None:
    assert re.findall(r"PASSWORD[:=]\s*[A-Za-z0-9]+", (ROOT / "docker-compose.yml").read_text(encoding="utf-8")) == []
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert re.search(r"^POSTGRES_PASSWORD=$", example, re.MULTILINE)
    named = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text(encoding="utf-8")))
    assert named <= set(re.findall(r"^(\w+)=", example, re.MULTILINE))
    for file in (".gitignore", ".dockerignore"):
        assert ".env" in (ROOT / file).read_text(encoding="utf-8").splitlines()


def test_what_the_image_copies_is_there_and_all_code_is_copied() -> None:
    copied = {
        source
        for instruction in instructions()
        if instruction[0] == "COPY" and not instruction[1].startswith("--from")
        for source in instruction[1:-1]
    }
    for source in copied:
        assert (ROOT / source).exists(), source
    code = {file.parent.name for file in ROOT.glob("*/__init__.py")} - {"tests"}
    assert code <= copied
    ignored = set((ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines())
    assert not copied & ignored


def test_the_image_runs_as_an_ordinary_user_who_owns_only_the_data() -> None:
    last_stage = instructions()[max(i for i, line in enumerate(instructions()) if line[0] == "FROM") :]
    user = next(line[1] for line in last_stage if line[0] == "USER")
    assert user.isdigit()
    assert ["RUN", "useradd", "--uid", user] in [line[:4] for line in last_stage]
    assert not any("--chown" in word for line in last_stage if line[0] == "COPY" for word in line)
    environment = dict(word.split("=", 1) for line in last_stage if line[0] == "ENV" for word in line[1:])
    assert environment["STUDIO_DATA"] == "/data"
    assert ["VOLUME", "/data"] in last_stage

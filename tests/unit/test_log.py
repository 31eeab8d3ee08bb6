"""What the log says of an error, and what it must not say."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from uuid import UUID

import pytest
import structlog

from core import log
from core.settings import get_settings

JOB = UUID("01a21885-6c9a-7669-98e7-c06c0a987938")


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.contextvars.clear_contextvars()
    get_settings.cache_clear()


def _fail_with(secret: str) -> None:
    token = secret.removeprefix("x")
    raise ValueError(f"{len(token)} characters are too many")


@pytest.mark.parametrize("as_json", ["true", "false"])
def test_an_error_comes_with_its_trace_and_job_and_without_the_variables_of_its_frames(
    as_json: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STUDIO_LOG_JSON", as_json)
    get_settings.cache_clear()
    log.configure("test")
    with log.job_log(JOB, "video.edit"):
        try:
            _fail_with("xcanary" + "-1729")
        except ValueError:
            logging.getLogger("studio").exception("failed")
    said = capsys.readouterr().err
    assert "11 characters are too many" in said
    assert "_fail_with" in said
    assert str(JOB) in said
    assert "canary-1729" not in said
    if as_json == "true":
        line = json.loads(said)
        assert line["job_id"] == str(JOB)
        assert line["job_kind"] == "video.edit"
        assert line["level"] == "error"

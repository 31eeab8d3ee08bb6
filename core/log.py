"""Structured logs: one line an event, with the job's id where there is one; as JSON objects when asked for."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import structlog

from core.settings import get_settings


def configure(process: str) -> None:
    """Route the standard library's logging through structlog's formatter; ``process`` names the writer."""
    settings = get_settings()
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if settings.log_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            pad_event_to=0,
            # Never the variables of the frames, which the default shows: keys and tokens are among them.
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_tail(settings.log_json), renderer],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    structlog.contextvars.bind_contextvars(process=process)


def _tail(as_json: bool) -> list[structlog.types.Processor]:
    return [structlog.processors.format_exc_info] if as_json else []


@contextmanager
def job_log(job_id: UUID, kind: str) -> Iterator[None]:
    """Lines written inside carry the job's id and kind."""
    with structlog.contextvars.bound_contextvars(job_id=str(job_id), job_kind=kind):
        yield

"""Tasks by kind. A task takes the context and its validated payload and returns the job's result (JSON-safe)."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from core.errors import StudioError

Task = Callable[..., dict[str, Any]]
_tasks: dict[str, Task] = {}

# Where each kind's task lives. Imported by the worker's parent before it forks, so that a job starts in milliseconds.
TASK_MODULES = (
    "workers.video.ingest",
    "workers.video.sample",
    "workers.video.edit",
    "workers.video.render",
    "workers.video.shorts",
    "workers.video.chapters",
    "workers.video.ads",
    "workers.video.subtitle",
    "workers.video.multi_export",
    "workers.video.still",
    "workers.video.generate",
    "workers.music.importing",
    "workers.music.analyze",
    "workers.music.tab",
    "workers.music.builtin",
    "workers.music.stems",
    "workers.music.speech",
    "workers.music.remaster",
    "workers.music.generate",
    "workers.music.podcast",
    "workers.models",
    "workers.advisor.answer",
    "workers.publishing.upload",
    "workers.publishing.sync",
)


def task(kind: str) -> Callable[[Task], Task]:
    """Register the task of a kind."""

    def register(function: Task) -> Task:
        _tasks[kind] = function
        return function

    return register


def task_of(kind: str) -> Task:
    """The task of a kind.

    Raises:
        StudioError: no task is registered for it; a kind without a task is a defect of the studio.
    """
    if kind not in _tasks:
        raise StudioError("The studio cannot do this yet.", kind)
    return _tasks[kind]


def load_tasks() -> None:
    """Import every module with tasks."""
    for module in TASK_MODULES:
        import_module(module)

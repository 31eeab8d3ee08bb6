"""How an engine says how far it is, and learns that it should stop."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called by engines at least once a second.

    ``fraction`` is 0–1 of the engine's own work; ``stage`` (a message key of the catalogue, e.g. ``stage.render``)
    replaces the stage shown. Raises :class:`core.errors.JobCancelled` when the work should end; the engine must then
    end its child processes and let the exception pass.
    """

    def __call__(self, fraction: float, stage: str | None = None) -> None: ...


def no_progress(fraction: float, stage: str | None = None) -> None:
    """A listener for callers that do not care."""


def part(progress: Progress, start: float, end: float, stage: str | None = None) -> Progress:
    """A listener that maps an engine's 0–1 into ``start``–``end`` of a larger piece of work."""

    fixed = stage

    def report(fraction: float, stage: str | None = None) -> None:
        progress(start + (end - start) * min(max(fraction, 0.0), 1.0), stage or fixed)

    return report

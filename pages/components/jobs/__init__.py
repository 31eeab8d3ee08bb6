"""Job cards that move by themselves: stage, percentage and time left from the window's one event stream.

Python hears of a job only once, when it ends; until then no rerun is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypedDict

from pages.components import labels, nothing, register

_mount = register("jobs")


class JobCard(TypedDict):
    """What a card starts from: the row as it was when the page was drawn."""

    id: str
    title: str
    subtitle: str
    status: str
    progress: float
    stage: str
    eta_seconds: float | None


def job_cards(
    lang: str, jobs: Sequence[JobCard], *, key: str, can_cancel: bool = True, on_end: Callable[[], None] = nothing
) -> None:
    """Show the cards. When a job has ended (in whatever way) the page runs again, ``on_end`` first; its identifier is
    then ``st.session_state[key]["ended"]``."""
    data = {
        "jobs": list(jobs),
        "can_cancel": can_cancel,
        "words": labels("job", lang) | labels("format", lang),
        "stages": labels("stage", lang),
    }
    _mount(key=key, data=data, on_ended_change=on_end)

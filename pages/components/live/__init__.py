"""Draws the page again when something of these types happens; listens on the window's one event stream."""

from __future__ import annotations

from collections.abc import Sequence

from pages.components import nothing, register

_mount = register("live")


def live(types: Sequence[str], *, key: str) -> None:
    """Rerun, at most once a second, when a notice of one of ``types`` arrives (:func:`core.live.notify`)."""
    _mount(key=key, data={"types": list(types)}, on_news_change=nothing)

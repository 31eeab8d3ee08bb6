"""A tab to read and to hear: alphaTab draws the Guitar Pro file and plays it through the studio's soundfont."""

from __future__ import annotations

from pages.components import labels, register

_mount = register("tab")


def tab(lang: str, src: str, *, key: str, title: str) -> None:
    """Show the tab in the ``.gp5`` file at ``src`` (an address on our own origin)."""
    _mount(key=key, data={"src": src, "title": title, "words": labels("tab", lang)})

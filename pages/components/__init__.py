"""The interactive parts of the pages: Streamlit components v2, each a folder with its Python, JavaScript and CSS.

There is no build step: a component's script is ``shared.js`` (the event stream and small helpers, one copy per browser
window), ``deck.js`` where it plays sounds together, and its own ``component.js``. Everything a component shows arrives
as ``data``; it never builds markup from it, only text nodes and attributes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from core.i18n.catalogue import messages

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

_FOLDER = Path(__file__).parent


def register(name: str, *, deck: bool = False) -> ComponentRenderer:
    """Register the component in the folder ``name``; called once, when its module is imported. One that plays sounds
    together is given the ``deck``."""
    return st.components.v2.component(
        f"studio_{name}",
        html=f'<div class="studio studio-{name}{" studio-deck" if deck else ""}"></div>',
        css="".join(_read(path) for path in sources(name, "css", deck=deck)),
        js="".join(_read(path) for path in sources(name, "js", deck=deck)),
    )


def sources(name: str, suffix: str, *, deck: bool = False) -> list[Path]:
    """The files that a component's script or style is made of, in order."""
    common = ["shared", "deck"] if deck else ["shared"]
    return [*(_FOLDER / f"{each}.{suffix}" for each in common), _FOLDER / name / f"component.{suffix}"]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def labels(prefix: str, lang: str) -> dict[str, str]:
    """All messages below ``prefix`` without placeholders filled, keyed by the rest of their path: the words a script
    needs. Scripts fill ``{name}`` themselves."""
    return {
        key.removeprefix(prefix + "."): entry.get(lang) or entry["en"]
        for key, entry in messages().items()
        if key.startswith(prefix + ".")
    }


def nothing() -> None:
    """Callback of values that a page reads from the component's result."""

"""Buttons that open a form filled in by the advisor; what they open confirms it (A3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.i18n import t
from pages import shell

TABS = {"publish": "publishing.board", "recipe": "recipes.tab"}
"""The tab of the Publishing page that has the form."""


def buttons(viewer: shell.Viewer, actions: Sequence[Mapping[str, Any]], *, key: str) -> None:
    """One button for each action of an answer."""
    for index, action in enumerate(actions):
        if st.button(
            shell.plain(str(action["label"])),
            key=f"{key}-do-{index}",
            icon=shell.ICONS.get(str(action["page"]), ":material/arrow_forward:"),
        ):
            st.switch_page(shell.page_file(str(action["page"])), query_params=address(action, viewer.lang))


def address(action: Mapping[str, Any], lang: str) -> dict[str, str]:
    """What the page's address says, so that its form opens filled in."""
    values = {name: str(value) for name, value in action["values"].items()}
    tab = values.pop("tab", None)
    named = f"publishing.{tab}" if tab is not None else TABS.get(str(action["kind"]))
    if named is not None:
        values["tab"] = t(named, lang)
    return {"do": str(action["kind"]), **values}

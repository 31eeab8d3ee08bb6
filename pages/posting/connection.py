"""What came of connecting an account: the browser comes back to ``/publishing?connection=…&platform=…``."""

from __future__ import annotations

import streamlit as st

from core.i18n import t
from core.publishing.connections import FLOWS
from pages import shell

OUTCOMES = ("made", "declined", "expired", "no_channel", "no_client", "failed")
PARAMETER = "connection"


def show_outcome(viewer: shell.Viewer) -> None:
    """The sentence, until the user goes elsewhere; an unknown word in the address says nothing."""
    outcome = st.query_params.get(PARAMETER)
    if outcome not in OUTCOMES:
        return
    platform = st.query_params.get("platform", "")
    named = t(f"platform.{platform if platform in FLOWS else 'youtube'}", viewer.lang)
    words = t(f"publishing.connection.{outcome}", viewer.lang, platform=named)
    if outcome == "made":
        st.success(words, icon=":material/check_circle:")
    elif outcome == "declined":
        st.info(words, icon=":material/info:")
    else:
        st.error(words, icon=":material/error:")
    if outcome == "no_client" and viewer.actor.role == "owner":
        st.page_link(shell.page_file("settings"), label=t("page.settings.name", viewer.lang), icon=":material/key:")

"""Playing a week on the simulated platform."""

from __future__ import annotations

import streamlit as st

from core import database
from core.i18n import t
from core.models.publishing import PlatformAccount
from core.publishing.simulation import play_simulated_week
from pages import shell


def play_week(viewer: shell.Viewer, account: PlatformAccount) -> None:
    """The button that gives the simulated posts seven days of audience."""
    lang = viewer.lang
    if viewer.may_edit and st.button(
        t("publishing.play_week", lang), key=f"week-{account.id}", icon=":material/fast_forward:"
    ):
        with shell.errors(viewer):
            with database.session(viewer.actor) as session:
                play_simulated_week(session, viewer.actor)
            st.session_state["week_played"] = True
            st.rerun()
    if st.session_state.pop("week_played", False):
        st.success(t("publishing.week_played", lang))
        st.page_link(
            shell.page_file("business"), label=t("publishing.to_dashboard", lang), icon=":material/monitoring:"
        )

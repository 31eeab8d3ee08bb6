"""Opening a form of the Publishing page with what the advisor has filled in: ``?do=publish&episode_id=…`` (A3)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import streamlit as st

from core import database
from core.database import get_owned
from core.errors import InvalidInput
from core.i18n import t
from core.models.publishing import Episode, PlatformAccount, Series
from pages import shell
from pages.posting import recipe_form
from pages.posting.dialog import ask

NAMES = ("do", "episode_id", "platform_account_id", "scheduled_time", "timezone", "series_id", "make")


def take(viewer: shell.Viewer) -> None:
    """Open what the address asks for, once; it is then an ordinary address again."""
    asked = {name: st.query_params.pop(name) for name in NAMES if name in st.query_params}
    if not viewer.may_edit or asked.get("do") not in ("publish", "recipe"):
        return
    with shell.errors(viewer):
        if asked["do"] == "publish":
            _publish(viewer, asked)
        else:
            _recipe(viewer, asked)
        st.toast(t("advisor.do.prefilled", viewer.lang), icon=":material/edit_note:")


def _publish(viewer: shell.Viewer, asked: dict[str, str]) -> None:
    with database.session(viewer.actor) as session:
        episode = get_owned(session, Episode, asked.get("episode_id", ""))
        account = get_owned(session, PlatformAccount, asked.get("platform_account_id", ""))
    try:
        at = datetime.fromisoformat(asked.get("scheduled_time", ""))
    except ValueError:
        raise InvalidInput("That is not a time.") from None
    ask(episode.id)
    if account.status == "connected":
        st.session_state["publish_where"] = [account.id]
    for name, value in (("publish_when", "later"), ("publish-day", at.date()), ("publish-time", at.time())):
        st.session_state[name] = value


def _recipe(viewer: shell.Viewer, asked: dict[str, str]) -> None:
    series_id: UUID | None = None
    if "series_id" in asked:
        with database.session(viewer.actor) as session:
            series_id = get_owned(session, Series, asked["series_id"]).id
    recipe_form.open_new(series_id=series_id, kind="edit" if asked.get("make") == "edit" else "shorts")

"""The language model beside the analyst: set up on the Settings page, chosen and waited for in the chat (A4)."""

from __future__ import annotations

from typing import get_args

import streamlit as st
from sqlalchemy import select

from core import database
from core.advisor import chat, language
from core.i18n import t
from core.models.advisor import Message
from core.models.jobs import Job
from core.preferences import Answerer, preferences_of, set_answerer, store_value, stored_names
from pages import shell, work


def form(viewer: shell.Viewer) -> None:
    """Address, name and key of the model; only an owner sees them."""
    lang = viewer.lang
    if viewer.actor.role != "owner":
        return
    st.subheader(t("advisor.page.model_title", lang))
    st.caption(t("advisor.page.model_lead", lang))
    with database.session(viewer.actor) as session:
        found = language.located(session, viewer.actor.owner_id)
        stored = stored_names(session)
    base, name = found or ("", "")
    with st.form("language_model", border=True):
        base = st.text_input(
            t("advisor.page.model_base", lang), base, key="language_base", help=t("advisor.page.model_base_help", lang),
            placeholder="http://127.0.0.1:11434/v1",
        )  # fmt: skip
        name = st.text_input(
            t("advisor.page.model_name", lang), name, key="language_name", help=t("advisor.page.model_name_help", lang)
        )
        key = st.text_input(
            t("advisor.page.model_key", lang), type="password", key="language_key", autocomplete="off",
            help=t("advisor.page.model_key_kept", lang) if language.KEY in stored else None,
        )  # fmt: skip
        with st.container(horizontal=True):
            save = st.form_submit_button(t("common.save", lang), type="primary", key="language_save")
            remove = bool(stored.keys() & {language.BASE, language.MODEL, language.KEY}) and st.form_submit_button(
                t("advisor.page.model_remove", lang), key="language_remove"
            )
    if remove:
        _store(viewer, {language.BASE: "", language.MODEL: "", language.KEY: ""})
    elif save and base.strip() and name.strip():
        with shell.errors(viewer):
            values = {language.BASE: language.checked_address(base), language.MODEL: name.strip()}
            _store(viewer, values | ({language.KEY: key.strip()} if key.strip() else {}))


def _store(viewer: shell.Viewer, values: dict[str, str]) -> None:
    with database.session(viewer.actor) as session:
        for name, value in values.items():
            store_value(session, viewer.actor, name, value, secret=name == language.KEY)
    st.toast(t("common.saved", viewer.lang))
    st.rerun()


def answerer(viewer: shell.Viewer) -> Answerer:
    """Who answers: a choice where a model is set up, kept with the user; otherwise the analyst."""
    lang = viewer.lang
    with database.session(viewer.actor) as session:
        found = language.located(session, viewer.actor.owner_id)
        chosen = preferences_of(session, viewer.actor).advisor
    if found is None or not viewer.may_edit:
        return "analyst"
    names = {"analyst": t("advisor.page.analyst", lang), "model": shell.plain(found[1])}
    picked: Answerer = st.segmented_control(
        t("advisor.page.answered_by", lang), list(get_args(Answerer)), default=chosen, format_func=names.__getitem__,
        required=True, key="advisor_answerer",
    )  # fmt: skip
    if picked != chosen:
        with database.session(viewer.actor) as session:
            set_answerer(session, viewer.actor, picked)
    return picked


def pending(viewer: shell.Viewer, asked: Message) -> None:
    """What the model is doing about a question without an answer; where it failed, the analyst is offered instead."""
    with database.session(viewer.actor) as session:
        job = session.scalar(
            select(Job)
            .where(Job.kind == "advisor.answer", Job.payload["question_id"].astext == str(asked.id))
            .order_by(Job.created_at.desc())
            .limit(1)
        )
    if job is None:
        return
    with st.chat_message("assistant", avatar=":material/monitoring:"):
        work.wait_for(viewer, job, key=f"answer-{asked.id}", toast=False)
        if job.status not in work.LIVE and st.button(
            t("advisor.page.ask_analyst", viewer.lang), key=f"analyst-{asked.id}", icon=":material/monitoring:"
        ):
            with database.session(viewer.actor) as session:
                chat.reply(session, viewer.actor, database.get_owned(session, Message, asked.id))
            st.rerun()

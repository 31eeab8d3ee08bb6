"""The advisor: a chat whose every number opens its query, and advice nobody had to ask for."""

from __future__ import annotations

import time
from typing import Final
from uuid import UUID

import streamlit as st

from core import database
from core.advisor import answers, chat, language
from core.advisor.advice import Advice, advice
from core.advisor.text import escape_markdown
from core.errors import NotFound
from core.i18n import t
from core.models.advisor import BUILT_IN, Conversation, Message
from pages import shell
from pages.chat import doing, model, numbers

CHAT: Final = "chat"
SHOWN: Final = 40
ADVICE: Final = "advisor_advice"
ADVICE_SECONDS: Final = 120.0


def current(viewer: shell.Viewer) -> UUID | None:
    """The chat of the address, otherwise the last one used; ``new`` starts another."""
    named = st.query_params.get(CHAT)
    if named == "new":
        return None
    with database.session(viewer.actor) as session:
        if named:
            try:
                return database.get_owned(session, Conversation, named).id
            except NotFound:
                st.query_params.pop(CHAT)
        latest = chat.conversations(session, limit=1)
        return latest[0].id if latest else None


def ask(viewer: shell.Viewer, conversation_id: UUID | None, question: str) -> None:
    """Store the question, answer it or have it answered, and show the chat."""
    by_model = st.session_state.get("advisor_answerer") == "model"
    with shell.errors(viewer):
        with database.session(viewer.actor) as session:
            asked = chat.begin(session, viewer.actor, question, conversation_id=conversation_id, language=viewer.lang)
            if by_model:
                language.hand_over(session, viewer.actor, asked)
            else:
                chat.reply(session, viewer.actor, asked)
            st.query_params[CHAT] = str(asked.conversation_id)
        st.rerun()


def turn(viewer: shell.Viewer, message: Message) -> None:
    """One turn of the chat."""
    if message.role == "user":
        with st.chat_message("user", avatar=":material/person:"):
            st.markdown(escape_markdown(message.content))
        return
    with st.chat_message("assistant", avatar=":material/monitoring:"):
        st.markdown(numbers.marked(message.content, message.spans))
        numbers.buttons(viewer, message.content, message.spans, key=f"number-{message.id}")
        if message.author != BUILT_IN:
            st.caption(t("advisor.page.by", viewer.lang, model=shell.plain(message.author)))
        doing.buttons(viewer, message.actions, key=f"answer-{message.id}")


def suggestions(viewer: shell.Viewer, conversation_id: UUID | None, offered: list[str], *, title: str) -> None:
    """Questions to ask with one press."""
    st.caption(title)
    with st.container(horizontal=True, gap="small"):
        for index, question in enumerate(offered):
            if st.button(question, key=f"ask-{index}-{question}"):
                ask(viewer, conversation_id, question)


def _advice(viewer: shell.Viewer) -> list[Advice]:
    """Looked up once in two minutes for a browser, not on every press of a button."""
    now = time.monotonic()
    kept = st.session_state.get(ADVICE)
    if kept is not None and kept[0] == viewer.lang and now - kept[1] < ADVICE_SECONDS:
        return list(kept[2])
    with database.session(viewer.actor) as session:
        found = advice(session, viewer.actor, language=viewer.lang)
    st.session_state[ADVICE] = (viewer.lang, now, found)
    return found


def given(viewer: shell.Viewer, *, opened: bool) -> None:
    """Advice unasked; closed above a chat, so that the chat is what one sees."""
    lang = viewer.lang
    found = _advice(viewer)
    with st.expander(t("advisor.page.advice", lang), icon=":material/lightbulb:", expanded=opened and bool(found)):
        if not found:
            st.caption(t("advisor.page.no_advice", lang))
        for index, item in enumerate(found):
            with st.container(border=True):
                if item.simulated:
                    shell.chips((t("advisor.page.simulated", lang), "sim"))
                st.markdown(numbers.marked(item.text, item.spans))
                doing.buttons(viewer, [item.action.as_dict()], key=f"advice-{index}")
                numbers.buttons(viewer, item.text, item.spans, key=f"advice-{index}")


def earlier(viewer: shell.Viewer, conversation_id: UUID | None) -> None:
    """Other chats, and a new one."""
    lang = viewer.lang
    with database.session(viewer.actor) as session:
        chats = chat.conversations(session, limit=20)
    if not chats:
        return
    with st.container(horizontal=True):
        if st.button(t("advisor.page.new_chat", lang), icon=":material/add_comment:", key="chat_new"):
            st.query_params[CHAT] = "new"
            st.rerun()
        others = [row for row in chats if row.id != conversation_id]
        if others:
            with st.popover(t("advisor.page.chats", lang), icon=":material/history:"):
                for row in others:
                    if st.button(escape_markdown(row.title), key=f"chat-{row.id}", type="tertiary"):
                        st.query_params[CHAT] = str(row.id)
                        st.rerun()


def _question(lang: str) -> str | None:
    return st.chat_input(t("advisor.page.ask", lang), max_chars=chat.QUESTION_LIMIT, key="advisor_question")


def main() -> None:
    viewer = shell.open_page("advisor")
    lang = viewer.lang
    conversation_id = current(viewer)
    earlier(viewer, conversation_id)
    model.answerer(viewer)
    turns: list[Message] = []
    if conversation_id is not None:
        with database.session(viewer.actor) as session:
            turns = chat.messages(session, conversation_id, limit=SHOWN)
    if not turns:
        shell.empty(t("advisor.page.hello_title", lang), t("advisor.page.hello", lang))
        with st.container():  # inside the page, or the page would open scrolled down to it
            asked = _question(lang)
        offered = [t(f"advisor.ask.{name}", lang) for name in answers.ABLE]
        suggestions(viewer, conversation_id, offered, title=t("advisor.page.suggestions", lang))
        given(viewer, opened=True)
    else:
        given(viewer, opened=False)
        asked = _question(lang)
    for message in turns:
        turn(viewer, message)
    if turns and turns[-1].role == "user":
        model.pending(viewer, turns[-1])
    if turns and turns[-1].suggestions:
        suggestions(viewer, conversation_id, list(turns[-1].suggestions), title=t("advisor.page.next", lang))
    if asked:
        ask(viewer, conversation_id, asked)


main()

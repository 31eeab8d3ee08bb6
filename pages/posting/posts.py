"""Publications: their state in words, what was tried, and what the user can do about each."""

from __future__ import annotations

from uuid import UUID

import streamlit as st

from core import database
from core.i18n import duration, explain, file_size, moment, t
from core.i18n.catalogue import has
from core.models.publishing import PublicationRecord
from core.publishing import publications, states, waiting
from core.publishing.payloads import PublicationDetail, RescheduleInput, ReviewInput
from pages import shell
from pages.posting.dialog import ask_time

TONES = dict.fromkeys(states.PUBLISHED, "good") | dict.fromkeys(states.NEEDS_PERSON, "bad")


def state_chips(record: PublicationRecord, lang: str) -> None:
    """Platform and state, the simulated one always marked."""
    shell.chips(
        (t(f"platform.{record.platform}", lang), "sim" if record.is_simulated else ""),
        (t(f"publication_state.{record.state}", lang), TONES.get(record.state, "wait")),
    )


def show(viewer: shell.Viewer, record: PublicationRecord, *, place: str) -> None:
    """One publication with its actions; ``place`` tells apart the places of the page that show the same one."""
    lang = viewer.lang
    state_chips(record, lang)
    if record.published_at:
        shell.facts(t("publishing.went_out", lang, time=moment(record.published_at, lang, viewer.zone)))
    elif record.due_at and record.state in ("scheduled", *states.ACTIVE):
        shell.facts(t("publishing.due", lang, time=moment(record.due_at, lang, viewer.zone)))
    if record.platform == "tiktok" and record.state in states.PUBLISHED and not _has_own_id(record):
        st.caption(t("publishing.tiktok.in_moderation", lang))
    if record.time_note and has(f"publishing.note.{record.time_note}"):
        st.caption(t(f"publishing.note.{record.time_note}", lang))
    if record.platform_keeps_time and record.remote_publish_at and record.state == "scheduled":
        st.caption(t("publishing.platform_keeps", lang))
    if record.state in ("scheduled", "claimed"):
        _late(viewer, record)
    if record.state in states.ACTIVE:
        st.progress(min(max(record.progress or 0.0, 0.0), 1.0))
    if record.error:
        shell.tell(record.error, lang)
    elif record.reason:
        st.caption(shell.plain(spoken(record.reason, lang)))
    if record.state in states.PUBLISHED:
        for remark in record.warnings:
            _remark(remark, lang)
    with st.container(horizontal=True):
        with st.popover(t("publishing.details", lang), icon=":material/history:"):
            _history(viewer, record.id)
        if record.remote_url and record.remote_url.startswith("https://"):
            st.link_button(t("publishing.open_post", lang), record.remote_url, icon=":material/open_in_new:")
        if viewer.may_edit:
            _actions(viewer, record, place)


def _has_own_id(record: PublicationRecord) -> bool:
    """Only public posts ever get one; until TikTok has looked at them they go by the id of their upload."""
    return record.privacy != "public" or (record.remote_id or "").isdigit()


def spoken(reason: str, lang: str) -> str:
    """A stored reason in the reader's language, sentence by sentence where the catalogue has it."""
    return explain({"title": "", "detail": reason}, lang)[1]


def _remark(remark: dict[str, object], lang: str) -> None:
    """What is to be said of a published post: what the platform changed, which step failed."""
    code = f"publishing.issue.{remark.get('code')}"
    text = t(code, lang) if has(code) else str(remark.get("message", ""))
    detail = str(remark.get("detail") or "")
    st.caption(f":material/info: {shell.plain(text)}" + (f" {shell.plain(detail)}" if detail else ""))


def _late(viewer: shell.Viewer, record: PublicationRecord) -> None:
    """The alarm: its time is a minute past and it has not started; why."""
    with database.session(viewer.actor) as session:
        found = waiting.late(session, record)
    if found is None:
        return
    lang = viewer.lang
    until = moment(found.until, lang, viewer.zone) if found.until else ""
    why = t(f"publishing.late.{found.code}", lang, until=until)
    st.warning(
        f"**{t('publishing.late.since', lang, time=duration(found.seconds, lang))}** {why}", icon=":material/alarm:"
    )


def _history(viewer: shell.Viewer, publication_id: UUID) -> None:
    """The attempts as a line of time."""
    lang = viewer.lang
    with database.session(viewer.actor) as session:
        detail: PublicationDetail = publications.detail(session, publication_id)
    if not detail.history:
        st.caption(t("publishing.no_attempts", lang))
    rows = []
    for one in detail.history:
        outcome = t(f"attempt_outcome.{one.outcome}", lang)
        line = f"**{t('publishing.attempt', lang, number=one.number)}** — {outcome}"
        facts = [moment(one.started_at, lang, viewer.zone)]
        if one.bytes_total:
            sent, total = file_size(one.bytes_sent), file_size(one.bytes_total)
            facts.append(t("publishing.sent", lang, sent=sent, total=total))
        rows.append((line, facts, one.error))
    for line, facts, error in rows:
        st.markdown(line)
        shell.facts(*facts)
        if error:
            shell.tell(error, lang)
    for step in detail.steps:
        if step.error:
            shell.tell(step.error, lang)


def _actions(viewer: shell.Viewer, record: PublicationRecord, place: str) -> None:
    lang = viewer.lang
    if record.state == "needs_review":
        _review(viewer, record, place)
    if record.state in states.RETRYABLE and st.button(
        t("publishing.retry", lang), key=f"{place}-retry-{record.id}", icon=":material/refresh:"
    ):
        with shell.errors(viewer):
            with database.session(viewer.actor) as session:
                publications.retry(session, viewer.actor, record.id)
            st.rerun()
    if record.state in states.MOVABLE:
        with st.popover(t("publishing.move", lang), icon=":material/schedule:"):
            time = ask_time(lang, record.timezone, key=f"{place}-move-{record.id}")
            if st.button(t("common.save", lang), key=f"{place}-moved-{record.id}", type="primary"):
                with shell.errors(viewer):
                    wanted = RescheduleInput(scheduled_time=time, timezone=record.timezone, version=record.version)
                    with database.session(viewer.actor) as session:
                        publications.reschedule(session, viewer.actor, record.id, wanted)
                    st.rerun()
    if record.state in ("scheduled", "claimed", "draft") and st.button(
        t("publishing.cancel", lang), key=f"{place}-cancel-{record.id}", icon=":material/close:"
    ):
        with shell.errors(viewer):
            with database.session(viewer.actor) as session:
                publications.cancel(session, viewer.actor, record.id)
            st.rerun()


def _review(viewer: shell.Viewer, record: PublicationRecord, place: str) -> None:
    """Nobody knows whether the post went out: the user looks and says."""
    lang = viewer.lang
    st.caption(t("publishing.review_lead", lang))
    remote = st.text_input(t("publishing.is_there_id", lang), record.remote_id or "", key=f"{place}-there-{record.id}")
    answer: ReviewInput | None = None
    if st.button(t("publishing.is_there", lang), key=f"{place}-is-there-{record.id}"):
        answer = ReviewInput(answer="published", remote_id=remote.strip() or None)
    if st.button(t("publishing.post_again", lang), key=f"{place}-again-{record.id}"):
        answer = ReviewInput(answer="again")
    if answer is not None:
        with shell.errors(viewer):
            with database.session(viewer.actor) as session:
                publications.review(session, viewer.actor, record.id, answer)
            st.rerun()

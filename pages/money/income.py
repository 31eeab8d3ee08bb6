"""Income: files of AdSense and YouTube Studio looked at before they are taken; records corrected, with history (B4)."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any
from uuid import UUID

import streamlit as st
from sqlalchemy import select

from core import database
from core.business import exported, exports, money, revenue
from core.business.exported import Taken
from core.business.exports import Export
from core.business.scope import Scope
from core.business.targets import Target
from core.errors import InvalidInput
from core.i18n import formats, has, t
from core.models.business import RevenueRecord
from core.models.identity import User
from core.models.publishing import PublicationRecord
from core.publishing import channels
from pages import shell

SHOWN = 8
LINES = 200
DONE = "export_taken"


def bring_in(viewer: shell.Viewer) -> None:
    """A file, what would become of every line, and the button that takes it."""
    lang = viewer.lang
    st.caption(t("business.export.lead", lang))
    if DONE in st.session_state:
        st.success(t("business.export.taken", lang, count=st.session_state.pop(DONE)))
    file = st.file_uploader(t("business.export.file", lang), type=["csv", "zip", "tsv", "txt"], key="export_file")
    with database.session(viewer.actor) as session:
        places: dict[UUID | None, str] = {row.id: row.name for row in channels.channels(session)}
    names = {**places, None: t("business.export.nobody", lang)}
    channel = st.selectbox(
        t("business.export.channel", lang), list(names), format_func=names.__getitem__, key="export_channel"
    )
    if file is None:
        return
    with shell.errors(viewer):
        export = exports.read(file.getvalue())
        if export is None:
            raise InvalidInput(
                "That is no AdSense or YouTube Studio file.",
                "A column must name the money with its currency, such as “Estimated revenue (USD)”.",
            )
        with database.session(viewer.actor) as session:
            judged = exported.judge(session, export, channel_id=channel)
        _preview(viewer, export, judged)
        wanted = [one for one in judged if one.status in ("new", "changed")]
        if not wanted:
            st.info(t("business.export.nothing", lang), icon=":material/check:")
        elif st.button(
            t("business.export.take", lang, count=len(wanted)),
            type="primary",
            key="export_take",
            icon=":material/save:",
        ):
            with database.session(viewer.actor) as session:
                again = exported.judge(session, export, channel_id=channel)
                st.session_state[DONE] = exported.take(session, again, by=viewer.actor.user_id)
            st.rerun()


def _preview(viewer: shell.Viewer, export: Export, judged: list[Taken]) -> None:
    lang = viewer.lang
    counted = Counter(one.status for one in judged)
    states = ("new", "changed", "known", "left_out")
    st.write(t("business.export.counted", lang, **{name: counted[name] for name in states}))  # type: ignore[index]
    added = sum((one.amount or Decimal(0) for one in judged if one.status == "new"), Decimal(0))
    total = t("business.export.sum_of", lang, amount=formats.money(added, export.currency))
    shell.facts(t(f"business.export.{export.source}", lang), total)
    rows: list[dict[str, Any]] = []
    for one in judged[:LINES]:
        why = t(f"business.export.reason.{one.reason}", lang) if one.reason else ""
        what = t(f"business.export.status.{one.status}", lang)
        rows.append(
            {
                t("business.export.line", lang): one.line,
                t("business.export.day", lang): formats.moment(one.day, lang) if one.day else "",
                t("business.export.of", lang): one.belongs_to,
                t("business.export.amount", lang): formats.money(one.amount, export.currency)
                if one.amount is not None
                else "",
                t("business.export.what", lang): f"{what}: {why}" if why else what,
            }
        )
    st.dataframe(rows, hide_index=True)
    if len(judged) > LINES:
        st.caption(t("advisor.page.more_rows", lang, shown=LINES, rows=len(judged)))


def listed(viewer: shell.Viewer, scope: Scope, labels: dict[Target, str]) -> None:
    """What is in the books, each with a correction and its history."""
    lang = viewer.lang
    limit = SHOWN * int(st.session_state.get("income_pages", 1))
    with database.session(viewer.actor) as session:
        rows = revenue.current_revenue(session, simulated=scope.simulated, limit=limit + 1)
        posts = {row.publication_id for row in rows if row.publication_id is not None}
        named = select(PublicationRecord.id, PublicationRecord.title).where(PublicationRecord.id.in_(posts))
        titles = {row.id: row.title for row in session.execute(named)}
    if not rows:
        st.caption(t("business.income.empty", lang))
        return
    for row in rows[:limit]:
        with st.container(border=True):
            target = Target(row.channel_id, row.series_id, row.episode_id, row.publication_id)
            name = labels.get(target, "")
            if row.publication_id is not None:
                name = t("business.income.post", lang, name=titles.get(row.publication_id, ""))
            st.markdown(f"**{shell.plain(formats.money(row.amount, row.currency))}**")
            key = f"business.income.source_{row.source}"
            source = t(key if has(key) else "business.income.source_platform", lang)
            guess = t("business.income.estimated", lang) if row.kind == "estimated" else ""
            shell.facts(name, formats.moment(row.earned_on, lang), source, guess, row.note or "")
            with st.container(horizontal=True):
                if viewer.may_edit:
                    with st.popover(t("business.costs.correct", lang), icon=":material/edit:"):
                        _correct(viewer, row)
                with st.popover(t("business.costs.history", lang), icon=":material/history:"):
                    _history(viewer, row)
    if len(rows) > limit and st.button(t("common.more", lang), key="income_more"):
        st.session_state["income_pages"] = int(st.session_state.get("income_pages", 1)) + 1
        st.rerun()


def _correct(viewer: shell.Viewer, row: RevenueRecord) -> None:
    lang = viewer.lang
    with st.form(f"income-{row.id}", border=False):
        amount = st.text_input(
            t("business.costs.amount", lang), value=f"{row.amount.normalize():f}", key=f"income-amount-{row.id}"
        )
        note = st.text_input(t("business.costs.note", lang), value=row.note or "", key=f"income-note-{row.id}")
        saved = st.form_submit_button(t("business.costs.save", lang), type="primary")
        removed = st.form_submit_button(t("business.costs.remove", lang))
    if saved or removed:
        with shell.errors(viewer):
            with database.session(viewer.actor) as session:
                held = database.get_owned(session, RevenueRecord, row.id)
                wanted = money.exact(amount) if saved else None
                revenue.correct_revenue(
                    session, held, by=viewer.actor.user_id, amount=wanted, void=removed, note=note if saved else ""
                )
            st.rerun()


def _history(viewer: shell.Viewer, row: RevenueRecord) -> None:
    lang = viewer.lang
    with database.session(viewer.actor) as session:
        revisions = revenue.revenue_history(session, row)
        people = {one.created_by for one in revisions if one.created_by}
        names = {
            user.id: user.name or user.email or "" for user in session.scalars(select(User).where(User.id.in_(people)))
        }
    for one in revisions:
        amount = formats.money(one.amount, one.currency)
        who = names.get(one.created_by or UUID(int=0)) or t(
            "business.costs.somebody" if one.created_by else "business.income.source_platform", lang
        )
        st.caption(
            t(
                "business.costs.revision",
                lang,
                moment=formats.moment(one.created_at, lang, viewer.zone),
                amount=shell.plain(f"{amount} ({t('business.costs.removed', lang)})" if one.void else amount),
                who=shell.plain(who),
            )
        )

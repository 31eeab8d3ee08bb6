"""What people enter: costs and other income with corrections and history, tables, exchange rates (B4)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, InvalidOperation
from uuid import UUID

import streamlit as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import database
from core.business import costs, figures, fx, money, revenue, tables
from core.business.scope import Scope
from core.business.targets import Target
from core.errors import InvalidInput
from core.i18n import formats, t
from core.models.base import uuid7
from core.models.business import ALLOCATIONS, COST_CATEGORIES, CostEntry, FxRate
from core.models.identity import User
from pages import shell
from pages.money import income

SHOWN = 8
ENTRIES = "entries_made"
SHARE_LABELS = {"equal": "equal", "duration": "duration", "views": "by_views"}


def _targets(session: Session, scope: Scope, lang: str) -> dict[str, Target]:
    """Everything an amount may belong to, by its label; the same title twice gets its channel behind it."""
    channels, series = figures.names(session)
    found: dict[str, Target] = {}

    def add(key: str, name: str, behind: str, target: Target) -> None:
        label = t(f"business.costs.of_{key}", lang, name=name)
        label = f"{label} ({behind})" if label in found and behind else label
        while label in found:
            label += " ·"
        found[label] = target

    for item in sorted(figures.contents(session, scope), key=lambda one: one.title.casefold()):
        add("episode", item.title, item.channel, Target(episode_id=item.episode_id))
    for key, (name, channel) in series.items():
        add("series", name, channels[channel], Target(series_id=key))
    for key, name in channels.items():
        add("channel", name, "", Target(channel_id=key))
    return found


def _enter(viewer: shell.Viewer, scope: Scope, targets: dict[str, Target]) -> None:
    lang = viewer.lang
    kind = st.segmented_control(
        t("business.costs.kind", lang),
        ("cost", "income"),
        default="cost",
        required=True,
        format_func=lambda name: t(f"business.costs.kind_{name}", lang),
        key="entry_kind",
    )
    # A new form after each entry that was stored; one that was refused keeps what was typed.
    made = st.session_state.get(ENTRIES, 0)
    turn = f"-{made}" if made else ""
    with st.form(f"entry{turn}", border=True):
        label = st.selectbox(t("business.costs.target", lang), list(targets), key="entry_target")
        with st.container(horizontal=True):
            amount = st.text_input(t("business.costs.amount", lang), key=f"entry_amount{turn}", placeholder="1,250.00")
            currency = st.selectbox(
                t("business.currency", lang), _currencies(scope.currency), key="entry_currency", width=130
            )
            day = st.date_input(t("business.costs.day", lang), key="entry_day", width=170)
        category, months, share = "other", 1, "equal"
        if kind == "cost":
            with st.container(horizontal=True):
                category = st.selectbox(
                    t("business.costs.category", lang),
                    COST_CATEGORIES,
                    format_func=lambda name: t(f"business.category.{name}", lang),
                    key="entry_category",
                )
                months = int(st.number_input(t("business.costs.months", lang), 1, 120, 1, key=f"entry_months{turn}"))
                share = st.selectbox(
                    t("business.costs.share", lang),
                    ALLOCATIONS,
                    format_func=lambda name: t(f"business.costs.{SHARE_LABELS[name]}", lang),
                    key="entry_share",
                )
        note = st.text_input(t("business.costs.note", lang), key=f"entry_note{turn}")
        sent = st.form_submit_button(t("business.costs.save", lang), type="primary", icon=":material/save:")
    if not sent:
        return
    with shell.errors(viewer):
        with database.session(viewer.actor) as session:
            if kind == "cost":
                cost = costs.Cost(
                    target=targets[label],
                    category=category,
                    amount=money.exact(amount),
                    currency=currency,
                    incurred_on=day,
                    amortise_months=months,
                    allocation=share,
                    note=note or None,
                    simulated=scope.simulated,
                )
                costs.enter_cost(session, cost, by=viewer.actor.user_id)
            else:
                earning = revenue.Earning(
                    target=targets[label],
                    amount=money.exact(amount),
                    currency=currency,
                    earned_on=day,
                    source="manual",
                    external_ref=str(uuid7()),
                    kind="finalised",
                    category="other",
                    note=note or None,
                    simulated=scope.simulated,
                )
                revenue.record_revenue(session, earning, by=viewer.actor.user_id)
        st.session_state["entry_saved"] = True
        st.session_state[ENTRIES] = st.session_state.get(ENTRIES, 0) + 1
        st.rerun()


def _currencies(first: str) -> list[str]:
    common = ["THB", "USD", "EUR", "GBP", "JPY", "SGD"]
    rest = sorted(money.CURRENCIES - {first, *common})
    return [first, *(code for code in common if code != first), *rest]


def _history(viewer: shell.Viewer, entry: CostEntry) -> None:
    lang = viewer.lang
    with database.session(viewer.actor) as session:
        revisions = costs.cost_history(session, entry)
        people = {row.created_by for row in revisions if row.created_by}
        names = {
            user.id: user.name or user.email or "" for user in session.scalars(select(User).where(User.id.in_(people)))
        }
    for row in revisions:
        amount = formats.money(row.amount, row.currency)
        st.caption(
            t(
                "business.costs.revision",
                lang,
                moment=formats.moment(row.created_at, lang, viewer.zone),
                amount=shell.plain(f"{amount} ({t('business.costs.removed', lang)})" if row.void else amount),
                who=shell.plain(names.get(row.created_by or UUID(int=0)) or t("business.costs.somebody", lang)),
            )
        )


def _correct(viewer: shell.Viewer, entry: CostEntry) -> None:
    lang = viewer.lang
    with st.form(f"correct-{entry.id}", border=False):
        amount = st.text_input(
            t("business.costs.amount", lang), value=f"{entry.amount.normalize():f}", key=f"amount-{entry.id}"
        )
        note = st.text_input(t("business.costs.note", lang), value=entry.note or "", key=f"note-{entry.id}")
        saved = st.form_submit_button(t("business.costs.save", lang), type="primary")
        removed = st.form_submit_button(t("business.costs.remove", lang))
    if saved or removed:
        with shell.errors(viewer):
            with database.session(viewer.actor) as session:
                row = database.get_owned(session, CostEntry, entry.id)
                wanted = costs.cost_of(row)
                if saved:
                    wanted = replace(wanted, amount=money.exact(amount), note=note or None)
                costs.correct_cost(session, row, wanted, by=viewer.actor.user_id, void=removed)
            st.rerun()


def _list(viewer: shell.Viewer, scope: Scope, targets: dict[str, Target]) -> None:
    lang = viewer.lang
    limit = SHOWN * int(st.session_state.get("cost_pages", 1))
    with database.session(viewer.actor) as session:
        entries = costs.current_costs(session, simulated=scope.simulated, limit=limit + 1)
    if not entries:
        st.caption(t("business.costs.empty", lang))
        return
    labels = {target: label for label, target in targets.items()}
    for entry in entries[:limit]:
        with st.container(border=True):
            st.markdown(
                f"**{shell.plain(formats.money(entry.amount, entry.currency))}** · "
                f"{t(f'business.category.{entry.category}', lang)}"
            )
            shell.facts(
                labels.get(costs.cost_target(entry), ""), formats.moment(entry.incurred_on, lang), entry.note or ""
            )
            with st.container(horizontal=True):
                if viewer.may_edit:
                    with st.popover(t("business.costs.correct", lang), icon=":material/edit:"):
                        _correct(viewer, entry)
                with st.popover(t("business.costs.history", lang), icon=":material/history:"):
                    _history(viewer, entry)
    if len(entries) > limit and st.button(t("common.more", lang), key="cost_more"):
        st.session_state["cost_pages"] = int(st.session_state.get("cost_pages", 1)) + 1
        st.rerun()


def _import(viewer: shell.Viewer, scope: Scope) -> None:
    lang = viewer.lang
    file = st.file_uploader(
        t("business.costs.import_costs", lang),
        type=["csv"],
        help=t("business.costs.import_help", lang),
        key="cost_file",
    )
    if file is not None and st.button(t("business.costs.import_costs", lang), key="cost_import"):
        with shell.errors(viewer):
            with database.session(viewer.actor) as session:
                done = tables.import_costs(
                    session,
                    file.getvalue(),
                    by=viewer.actor.user_id,
                    currency=scope.currency,
                    simulated=scope.simulated,
                )
            st.success(t("business.costs.imported", lang, written=done.written, rows=done.rows))


def _rate(text: str) -> Decimal:
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation:
        raise InvalidInput("That is not a rate.", "Write it like 36.25.") from None


def _rates(viewer: shell.Viewer, scope: Scope) -> None:
    lang = viewer.lang
    if viewer.may_edit:
        with st.form("rate", clear_on_submit=True, border=False):
            with st.container(horizontal=True):
                other = "USD" if scope.currency != "USD" else "THB"
                base = st.selectbox(t("business.costs.rate_base", lang), _currencies(other), key="rate_base", width=150)
                quote = st.selectbox(
                    t("business.costs.rate_quote", lang), _currencies(scope.currency), key="rate_quote", width=150
                )
                rate = st.text_input(t("business.costs.rate", lang), key="rate_value", placeholder="36.25", width=150)
                day = st.date_input(t("business.costs.day", lang), key="rate_day", width=170)
            sent = st.form_submit_button(t("business.costs.save", lang))
        if sent:
            with shell.errors(viewer):
                with database.session(viewer.actor) as session:
                    fx.record_rate(session, base, quote, day, _rate(rate), by=viewer.actor.user_id)
                st.rerun()
    with database.session(viewer.actor) as session:
        rows = session.scalars(
            select(FxRate).order_by(FxRate.on_date.desc(), FxRate.revision.desc()).limit(SHOWN)
        ).all()
    for row in rows:
        st.caption(
            t(
                "business.costs.rate_line",
                lang,
                moment=formats.moment(row.on_date, lang),
                base=row.base,
                quote=row.quote,
                rate=f"{row.rate.normalize():f}",
            )
        )


def show(viewer: shell.Viewer, scope: Scope) -> None:
    """The whole section."""
    lang = viewer.lang
    st.subheader(t("business.costs.title", lang))
    if st.session_state.pop("entry_saved", False):
        st.success(t("common.saved", lang))
    with database.session(viewer.actor) as session:
        targets = _targets(session, Scope(scope.period, scope.currency, scope.simulated), lang)
    if not targets:
        st.caption(t("business.costs.nothing_to_pay_for", lang))
    elif viewer.may_edit:
        with st.expander(t("business.costs.enter", lang), icon=":material/add:"):
            _enter(viewer, scope, targets)
            _import(viewer, scope)
    else:
        st.caption(t("common.viewer_only", lang))
    _list(viewer, scope, targets)
    if viewer.may_edit and not scope.simulated:
        with st.expander(t("business.export.title", lang), icon=":material/upload_file:"):
            income.bring_in(viewer)
    with st.expander(t("business.income.title", lang), icon=":material/payments:"):
        income.listed(viewer, scope, {target: label for label, target in targets.items()})
    with st.expander(t("business.costs.rates", lang), icon=":material/currency_exchange:"):
        _rates(viewer, scope)

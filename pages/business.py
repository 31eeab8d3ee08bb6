"""The business dashboard: what came in, what went out, what pays off, and when."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from statistics import median
from typing import Any, Final
from uuid import UUID

import streamlit as st

from core import database
from core.business import dashboard, figures, performance
from core.business.fx import rate_table
from core.business.overview import Overview, Totals, has_figures, overview
from core.business.performance import Curve
from core.business.scope import Period, Scope
from core.errors import NotFound
from core.i18n import formats, t
from core.models.publishing import Episode
from pages import shell
from pages.money import cards, charts, entries, grid

RANGES: Final = ("last_30d", "last_7d", "last_90d", "this_month", "last_month", "this_year", "all", "custom")
LEVELS: Final = ("episode", "series", "channel", "platform")
LEVEL_LABELS: Final = {"episode": "episode", "series": "series", "channel": "channels", "platform": "platform"}
FOCUS: Final = "business_focus"
TURN: Final = "business_turn"


def _turn() -> int:
    """Grows when choices are cleared, so that chart and table start without a selection."""
    return int(st.session_state.setdefault(TURN, 0))


def _clear() -> None:
    st.session_state.pop(FOCUS, None)
    st.session_state[TURN] = _turn() + 1


def filters(viewer: shell.Viewer, *, real: bool, simulated: bool) -> Scope:
    """Period, channel, currency, real or simulated."""
    lang = viewer.lang
    with database.session(viewer.actor) as session:
        channels, _ = figures.names(session)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        range_name = st.selectbox(
            t("business.period", lang),
            RANGES,
            format_func=lambda name: t(f"business.range.{name}", lang),
            key="business_range",
            width=190,
            on_change=_clear,
        )
        channel = st.selectbox(
            t("business.channel", lang),
            [None, *channels],
            format_func=lambda key: channels[key] if key else t("business.all_channels", lang),
            key="business_channel",
            width=220,
            on_change=_clear,
        )
        known = [viewer.currency, *(code for code in ("THB", "USD", "EUR") if code != viewer.currency)]
        currency = st.selectbox(t("business.currency", lang), known, key="business_currency", width=130)
        pretend = False
        if simulated:
            pretend = st.toggle(
                t("business.simulated", lang),
                value=not real,
                help=t("business.simulated_help", lang),
                key="business_simulated",
                on_change=_clear,
            )
    start = end = None
    if range_name == "custom":
        chosen: Any = st.date_input(t("business.from_to", lang), value=[], key="business_days")
        if len(chosen) == 2:
            start, end = chosen
        else:
            range_name = "last_30d"
    with database.session(viewer.actor) as session:
        return dashboard.scope_of(
            session,
            viewer.actor,
            range_name,
            start=start,
            end=end,
            channel_id=channel,
            currency=currency,
            simulated=pretend,
        )


def sums(viewer: shell.Viewer, shown: Overview, past: Totals | None) -> None:
    """The five figures everybody looks for first, with the change since the period before where that had any."""
    lang, whole, currency = viewer.lang, shown.totals, shown.scope.currency
    known = past if past and (past.revenue or past.cost or past.views is not None) else None
    figures_shown: list[cards.Figure] = []
    for name in ("revenue", "cost", "profit"):
        amount = getattr(whole, name)
        change = amount - getattr(known, name) if known else None
        figures_shown.append(
            cards.Figure(
                t(f"business.{name}", lang),
                formats.money(amount, currency),
                formats.money(abs(change), currency) if change else "",
                0 if not change else (1 if change > 0 else -1),
                good=-1 if name == "cost" else 1,
            )
        )
    roi = formats.percent(whole.roi) if whole.roi is not None else "—"
    note = "" if whole.roi is not None else t("business.no_cost", lang)
    figures_shown.append(cards.Figure(t("business.roi", lang), roi, note=note))
    views, before = whole.views, known.views if known else None
    change = views - before if views is not None and before is not None else None
    figures_shown.append(
        cards.Figure(
            t("business.views", lang),
            formats.number(views, lang) if views is not None else t("business.not_reported", lang),
            formats.number(abs(change), lang) if change else "",
            0 if not change else (1 if change > 0 else -1),
        )
    )
    cards.show(figures_shown, t("business.before", lang))
    if shown.fx_missing:
        amounts = ", ".join(formats.money(amount, code) for code, amount in shown.fx_missing.items())
        st.warning(shell.plain(t("business.rates_missing", lang, amounts=amounts)), icon=":material/warning:")
    notes = []
    if whole.estimated_revenue:
        notes.append(t("business.estimated", lang, amount=formats.money(whole.estimated_revenue, currency)))
    if len(shown.native) > 1:
        parts = [formats.money(sides["revenue"] - sides["cost"], code) for code, sides in shown.native.items()]
        notes.append(t("business.native", lang, amounts=" + ".join(parts)))
    if shown.data_through is not None:
        notes.append(t("business.through", lang, moment=formats.moment(shown.data_through, lang, viewer.zone)))
    shell.facts(*notes)


def _chosen_bar(bars: list[charts.Bucket], *keys: str) -> charts.Bucket | None:
    """The bar that is selected in one of the charts."""
    for key in keys:
        state: Any = st.session_state.get(key)
        points = state["selection"]["points"] if state and state.get("selection") else []
        if points:
            day = date.fromisoformat(str(points[0]["x"])[:10])
            for bar in bars:
                if bar.start == day:
                    return bar
    return None


def focus_bar(viewer: shell.Viewer, names: list[str]) -> None:
    """What the page is limited to, and the way back."""
    lang = viewer.lang
    with st.container(horizontal=True, vertical_alignment="center"):
        shell.chips((t("business.only", lang, name=" · ".join(names)), "wait"))
        st.button(t("business.everything", lang), key="business_everything", icon=":material/close:", on_click=_clear)


def details(viewer: shell.Viewer, scope: Scope, totals: Totals, episode_id: UUID) -> None:
    """Reactions of one episode, and its views at the same age as the others' (B3)."""
    lang = viewer.lang
    counters = totals.counters
    shown = {
        "watch_time": formats.duration(counters["watch_time_seconds"], lang)
        if counters["watch_time_seconds"] is not None
        else None,
        **{
            name: formats.number(value, lang) if (value := counters[name]) is not None else None
            for name in ("likes", "comments", "shares")
        },
        "ctr": formats.percent(totals.ctr) if totals.ctr is not None else None,
        "engagement": formats.percent(totals.engagement_rate) if totals.engagement_rate is not None else None,
    }
    shell.facts(
        *(
            f"{t(f'business.{name}', lang)}: {value or t('business.not_reported', lang)}"
            for name, value in shown.items()
        )
    )
    with database.session(viewer.actor) as session:
        channel_id = database.get_owned(session, Episode, episode_id).channel_id
        grown = performance.growth(session, replace(scope, series_id=None, episode_id=None, channel_id=channel_id))
    own = grown.curves.get(episode_id)
    if own is None:
        return
    here = grown.content[episode_id]
    others = [
        curve for key, curve in grown.curves.items() if key != episode_id and grown.content[key].short == here.short
    ]
    st.markdown(f"**{t('business.same_age', lang)}**")
    st.plotly_chart(
        charts.age_chart(own, _median(others), lang),
        key=f"business_age_{_turn()}",
        config={"displayModeBar": False},
        alt=t("business.same_age", lang),
    )


def _median(curves: list[Curve]) -> Curve | None:
    """The median of several curves at the ages of the longest, as long as two of them (or the only one) go."""
    if not curves:
        return None
    longest = max(curves, key=lambda curve: curve.ages[-1])
    ages, values = [], []
    for age in longest.ages:
        there = [value for curve in curves if (value := _at(curve, age)) is not None]
        if len(there) < min(2, len(curves)):
            break
        ages.append(age)
        values.append(median(there))
    return Curve(tuple(ages), tuple(values))


def _at(curve: Curve, seconds: float) -> float | None:
    return curve.at(timedelta(seconds=seconds))


def sources(viewer: shell.Viewer, shown: Overview) -> None:
    """The queries behind the page."""
    lang = viewer.lang
    with st.expander(t("business.sources", lang), icon=":material/database:"):
        for ran in shown.queries:
            st.caption(t("business.source_rows", lang, rows=len(ran.rows)))
            st.code(ran.statement, language="sql", wrap_lines=True)
            st.caption(t("business.source_values", lang))
            st.code("\n".join(f"{name}: {str(value)[:120]}" for name, value in ran.parameters.items()), wrap_lines=True)


def _narrow(scope: Scope, focus: tuple[str, str] | None, bar: charts.Bucket | None) -> Scope:
    """The scope limited to the chosen row and the chosen time."""
    if focus is not None:
        level, key = focus
        if level == "platform":
            scope = replace(scope, platform=key)
        else:
            scope = replace(
                scope,
                channel_id=UUID(key) if level == "channel" else scope.channel_id,
                series_id=UUID(key) if level == "series" else None,
                episode_id=UUID(key) if level == "episode" else None,
            )
    return replace(scope, period=Period(bar.start, bar.end)) if bar is not None else scope


def _asked_for(viewer: shell.Viewer) -> None:
    """The advisor may send somebody here to look at one episode: ``?do=open&episode_id=…`` (A3)."""
    asked = st.query_params.pop("episode_id", None)
    if st.query_params.pop("do", None) is None or asked is None:
        return
    with suppress(NotFound):
        with database.session(viewer.actor) as session:
            st.session_state[FOCUS] = ("episode", str(database.get_owned(session, Episode, asked).id))
        st.session_state["business_range"] = "all"


def main() -> None:
    viewer = shell.open_page("business")
    lang = viewer.lang
    with database.session(viewer.actor) as session:
        real, pretend = has_figures(session, simulated=False), has_figures(session, simulated=True)
    _asked_for(viewer)
    scope = filters(viewer, real=real, simulated=pretend)
    if scope.simulated:
        shell.chips((t("business.simulated", lang), "sim"))
        st.caption(t("business.simulated_note", lang))
    focus: tuple[str, str] | None = st.session_state.get(FOCUS)

    with database.session(viewer.actor) as session:
        table = rate_table(session)
        whole = overview(session, scope, table=table)
        timed = overview(session, _narrow(scope, focus, None), table=table) if focus else whole
        bars = charts.buckets(timed.days, scope.period)
        money_key, views_key = f"business_money_{_turn()}", f"business_views_{_turn()}"
        bar = _chosen_bar(bars, money_key, views_key)
        shown = overview(session, _narrow(scope, focus, bar), table=table) if bar else timed
        listed = overview(session, _narrow(scope, None, bar), table=table) if bar else whole
        before = shown.scope.period.before()
        past = overview(session, shown.scope.within(before), table=table).totals if before else None

    lines = {
        "episode": listed.episodes,
        "series": listed.series,
        "channel": listed.channels,
        "platform": listed.platforms,
    }
    if not real and not pretend and not shown.days:
        shell.empty(t("business.nothing_title", lang), t("business.nothing", lang))
        st.page_link(
            shell.page_file("publishing"), label=t("business.to_publishing", lang), icon=shell.ICONS["publishing"]
        )
        entries.show(viewer, scope)
        return
    names = []
    if focus is not None:
        names += [
            grid.label(line, focus[0], lang) for line in lines[focus[0]] if grid.row_key(line, focus[0]) == focus[1]
        ]
    if bar is not None:
        names.append(charts.label(bar, lang))
    # Places that are always there: what comes and goes above the table would make it load again.
    with st.container():
        if focus is not None or bar is not None:
            focus_bar(viewer, names)
    sums(viewer, shown, past)
    if not bars or not timed.days:
        shell.empty(t("business.none_here_title", lang), t("business.none_here", lang))
    else:
        st.subheader(t("business.over_time", lang))
        st.caption(t("business.click_hint", lang))
        for figure, key, name in (
            (charts.money_chart(bars, scope.currency, lang), money_key, "profit"),
            (charts.views_chart(bars, lang), views_key, "views"),
        ):
            money = f"{t('business.money', lang)} ({scope.currency})"
            st.markdown(f"**{money if name == 'profit' else t('business.views', lang)}**")
            st.plotly_chart(
                figure,
                key=key,
                on_select="rerun",
                selection_mode="points",
                config={"displayModeBar": False},
                alt=t(f"business.{name}", lang),
            )
    about = st.container()
    if focus is not None and focus[0] == "episode":
        with about:
            details(viewer, scope, shown.totals, UUID(focus[1]))

    st.subheader(t("business.what_pays", lang))
    level = st.segmented_control(
        t("business.compare_by", lang),
        LEVELS,
        default="episode",
        required=True,
        format_func=lambda name: t(f"business.{LEVEL_LABELS[name]}", lang),
        key="business_level",
        on_change=_clear,
    )
    if lines[level]:
        chosen = grid.table(viewer, lines[level], level, key=f"business_grid_{level}_{_turn()}")
        wanted = (level, chosen) if chosen else None
        if wanted is not None and wanted != focus:
            st.session_state[FOCUS] = wanted
            st.rerun()
        grid.export_button(dashboard.export(listed, level), level, lang)
    else:
        st.caption(t("business.no_rows", lang))
    entries.show(viewer, scope)
    sources(viewer, shown)


main()

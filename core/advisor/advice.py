"""Advice nobody asked for: what the same queries show that a creator would want to know (A2), and what to do (A3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import delete
from sqlalchemy.orm import Session

from core.advisor import activity, outlook, queries, slots
from core.advisor.actions import Action, more_like, opening, publish_draft, recipe_for
from core.advisor.chat import default_scope, uses_simulated
from core.advisor.render import Draft
from core.advisor.results import Result
from core.advisor.store import keep
from core.advisor.text import quoted
from core.business.dashboard import today
from core.business.scope import owner_of
from core.i18n import has, t
from core.models.advisor import AdvisorQuery
from core.preferences import preferences_of
from core.security import Actor

_KEPT: Final = timedelta(days=1)


@dataclass(frozen=True)
class Advice:
    """One piece of advice. ``action`` opens the form to act on it, on ``page``; ``spans`` are its numbers."""

    kind: str
    text: str
    spans: list[dict[str, Any]]
    query_id: UUID
    page: str
    action: Action
    simulated: bool


def advice(
    session: Session,
    actor: Actor,
    *,
    language: str | None = None,
    simulated: bool | None = None,
    now: datetime | None = None,
) -> list[Advice]:
    """What stands out now, most urgent first; empty when there is nothing worth saying.

    Its queries are kept for a day, so that numbers shown on an open page can still be opened.
    """
    moment = now or datetime.now(UTC)
    preferences = preferences_of(session, actor)
    lang, zone = language or preferences.language, ZoneInfo(preferences.timezone)
    session.execute(
        delete(AdvisorQuery).where(
            AdvisorQuery.owner_id == owner_of(session),
            AdvisorQuery.conversation_id.is_(None),
            AdvisorQuery.generated_at < moment - _KEPT,
        )
    )
    scope = default_scope(
        session,
        currency=preferences.currency,
        zone=zone,
        now=moment,
        range_name="all",
        simulated=uses_simulated(session, simulated),
    )
    found: list[Advice] = []

    def give(kind: str, result: Result, action: Action, write: Callable[[Draft], None]) -> None:
        if result.query_id is None:
            keep(session, result)
        draft = Draft(lang, zone)
        write(draft)
        text, spans = draft.finish()
        if result.query_id is None:
            raise RuntimeError("a query that was kept has an identifier")
        found.append(
            Advice(
                kind,
                text,
                [span.as_dict() for span in spans],
                result.query_id,
                action.page,
                action,
                result.simulated,
            )
        )

    stuck = activity.attention(session, scope, now=moment)
    if stuck.rows:
        give("attention", stuck, opening("publishing", lang, tab="calendar"), lambda draft: _attention(draft, stuck))
    whole = queries.totals(session, scope)
    if whole.missing_rates:
        currencies = ", ".join(whole.missing_rates)
        give(
            "rates",
            whole,
            opening("business", lang),
            lambda draft: draft.say("advisor.advice.rates", currencies=currencies),
        )
    lost = queries.losses(session, scope)
    if lost.rows:
        give(
            "losses", lost, opening("business", lang, episode_id=lost.rows[0]["id"]), lambda draft: _losses(draft, lost)
        )
    elif whole.rows[0]["revenue"] and not whole.rows[0]["cost"]:
        give("no_costs", whole, opening("business", lang), lambda draft: _no_costs(draft, whole))
    odd = queries.against_baseline(session, scope, zone, shorts_only=False, outliers_only=True)
    if odd.rows and odd.rows[0]["z"] > 0:
        give("outlier", odd, more_like(session, lang, str(odd.rows[0]["id"])), lambda draft: _outlier(draft, odd))
    paying = queries.ranked(session, scope, "series")
    if paying.rows and paying.rows[0]["profit"] > 0:
        more = recipe_for(session, lang, str(paying.rows[0]["id"] or ""))
        if more is not None:
            give("series", paying, more, lambda draft: _series(draft, paying))
    planned = activity.scheduled(session, scope, now=moment, zone=zone)
    if not planned.rows:
        action = publish_draft(session, lang, moment)
        give("nothing_scheduled", planned, action, lambda draft: draft.say("advisor.advice.nothing_scheduled"))
    old = activity.freshness(session, scope, now=moment)
    if not scope.simulated and old.rows and old.derived["late"].value and old.rows[0]["observed"] is not None:
        give("stale", old, opening("publishing", lang, tab="accounts"), lambda draft: _stale(draft, old))
    best = slots.best_slot(session, scope)
    if best.derived["weekdays"].value and best.rows[0]["probability"] > slots.SURE:
        give("slot", best, publish_draft(session, lang, moment), lambda draft: _slot(draft, best))
    elif slots.part_is_sure(best):
        give("slot", best, publish_draft(session, lang, moment), lambda draft: _part(draft, best))
    titled = outlook.title_patterns(session, scope)
    for place in outlook.sure(titled)[:1]:
        board = opening("publishing", lang)
        give("titles", titled, board, lambda draft, row=place: _titles(draft, titled, row))  # type: ignore[misc]
    ahead = outlook.outlook(session, scope, today(session, zone, simulated=scope.simulated, now=moment))
    if ahead.rows:
        give("forecast", ahead, opening("business", lang), lambda draft: _forecast(draft, ahead))
    return found


def _platform(name: str, lang: str) -> str:
    return t(f"platform.{name}", lang) if has(f"platform.{name}") else quoted(name)


def _attention(draft: Draft, result: Result) -> None:
    draft.say("advisor.advice.attention", count=draft.number(result, "count"), title=quoted(result.rows[0]["title"]))


def _losses(draft: Draft, result: Result) -> None:
    title, profit = quoted(result.rows[0]["title"]), draft.number(result, "0.profit")
    if len(result.rows) == 1:
        draft.say("advisor.advice.losses", title=title, profit=profit)
        return
    draft.say(
        "advisor.advice.losses_more",
        count=draft.number(result, "count"),
        lost=draft.number(result, "lost"),
        title=title,
        profit=profit,
    )


def _no_costs(draft: Draft, result: Result) -> None:
    draft.say("advisor.advice.no_costs", revenue=draft.number(result, "0.revenue"))


def _outlier(draft: Draft, result: Result) -> None:
    draft.say(
        "advisor.advice.outlier",
        title=quoted(result.rows[0]["title"]),
        views=draft.number(result, "0.views"),
        baseline=draft.number(result, "0.baseline"),
    )


def _series(draft: Draft, result: Result) -> None:
    draft.say(
        "advisor.advice.series",
        title=quoted(result.rows[0]["title"]),
        profit=draft.number(result, "0.profit"),
        revenue=draft.number(result, "0.revenue"),
    )


def _stale(draft: Draft, result: Result) -> None:
    row = result.rows[0]
    draft.say(
        "advisor.advice.stale",
        account=quoted(row["account"]),
        platform=_platform(row["platform"], draft.lang),
        moment=draft.number(result, "0.observed"),
    )


def _part(draft: Draft, result: Result) -> None:
    draft.say(
        "advisor.advice.part",
        part=draft.number(result, "part"),
        uplift=draft.number(result, "part_uplift"),
        probability=draft.number(result, "part_probability"),
    )


def _titles(draft: Draft, result: Result, place: int) -> None:
    draft.say("advisor.titles.claim", **{name: draft.number(result, f"{place}.{name}") for name in outlook.TOLD})


def _forecast(draft: Draft, result: Result) -> None:
    draft.say(
        "advisor.advice.forecast",
        title=quoted(result.rows[0]["title"]),
        days=draft.number(result, "ahead"),
        views=draft.number(result, "0.views"),
        low=draft.number(result, "0.views_low"),
        high=draft.number(result, "0.views_high"),
    )


def _slot(draft: Draft, result: Result) -> None:
    draft.say(
        "advisor.advice.slot",
        day=draft.number(result, "0.weekday"),
        uplift=draft.number(result, "0.uplift"),
        probability=draft.number(result, "0.probability"),
    )

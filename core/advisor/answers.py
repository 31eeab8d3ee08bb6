"""From a question that was understood to an answer: which query runs, and what is said of its rows (A1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core.advisor import activity, outlook, queries, slots
from core.advisor.periods import CUSTOM, Ahead, Spoken
from core.advisor.render import Draft
from core.advisor.results import Result
from core.advisor.text import quoted
from core.advisor.understand import Understood
from core.business.dashboard import today
from core.business.performance import OUTLIER
from core.business.scope import Scope
from core.i18n import has, t

LISTED: Final = 5
FOLLOW_UPS: Final = {
    "top": ("losses", "best_short", "by_series"),
    "losses": ("costs", "top", "by_series"),
    "best_short": ("top", "best_slot", "outliers"),
    "scheduled": ("best_slot", "attention", "top"),
    "overview": ("top", "losses", "costs"),
    "by_series": ("top", "losses", "by_platform"),
    "by_channel": ("by_series", "top", "by_platform"),
    "by_platform": ("top", "by_series", "freshness"),
    "costs": ("losses", "top", "overview"),
    "outliers": ("best_short", "top", "best_slot"),
    "freshness": ("overview", "attention", "scheduled"),
    "attention": ("scheduled", "freshness", "overview"),
    "best_slot": ("scheduled", "best_short", "top"),
    "forecast": ("overview", "by_channel", "best_slot"),
    "titles": ("best_short", "best_slot", "top"),
}
ABLE: Final = ("top", "losses", "best_short", "scheduled", "overview", "costs", "by_series", "best_slot", "forecast")


@dataclass(frozen=True)
class Ask:
    """What a question was understood as, with all it takes to answer: scope, days gone by and to come, clock and zone.
    ``only`` is the name of the series or channel that the answer is limited to; ``all_platforms`` says that a platform
    was named and could not be kept to."""

    understood: Understood
    scope: Scope
    days: Spoken
    ahead: Ahead | None
    now: datetime
    zone: ZoneInfo
    only: str = ""
    all_platforms: bool = False


def run(session: Session, ask: Ask) -> Result:
    """Run the one query of the intent."""
    found, scope = ask.understood, ask.scope
    shorts = found.shorts_only
    runners: dict[str, Callable[[], Result]] = {
        "top": lambda: queries.top_episodes(
            session, scope, metric=found.metric, ascending=found.ascending, shorts_only=shorts, limit=found.limit
        ),
        "losses": lambda: queries.losses(session, scope, shorts_only=shorts),
        "best_short": lambda: queries.against_baseline(session, scope, ask.zone, shorts_only=shorts),
        "outliers": lambda: queries.against_baseline(session, scope, ask.zone, shorts_only=False, outliers_only=True),
        "overview": lambda: queries.totals(session, scope),
        "by_series": lambda: queries.ranked(session, scope, "series", metric=found.metric),
        "by_channel": lambda: queries.ranked(session, scope, "channel", metric=found.metric),
        "by_platform": lambda: queries.ranked(session, scope, "platform", metric=found.metric),
        "costs": lambda: queries.costs(session, scope),
        "scheduled": lambda: activity.scheduled(session, scope, now=ask.now, zone=ask.zone, days=ask.ahead),
        "attention": lambda: activity.attention(session, scope, now=ask.now),
        "freshness": lambda: activity.freshness(session, scope, now=ask.now),
        "best_slot": lambda: slots.best_slot(session, scope),
        "forecast": lambda: outlook.outlook(
            session, scope, today(session, ask.zone, simulated=scope.simulated, now=ask.now)
        ),
        "titles": lambda: outlook.title_patterns(session, scope),
    }
    return runners[str(found.intent)]()


def compose(draft: Draft, ask: Ask, result: Result) -> None:
    """Write the answer of the intent; every number in it is a cell of ``result``."""
    if result.simulated and ask.understood.intent not in ("scheduled", "attention"):
        draft.say("advisor.simulated")
    if ask.only and ask.understood.intent not in ("attention", "freshness"):
        draft.say("advisor.only", name=quoted(ask.only))
    if ask.scope.platform is not None and ask.understood.intent not in ("attention", "freshness"):
        draft.say("advisor.only", name=_platform(ask.scope.platform, draft.lang))
    if ask.all_platforms:
        draft.say("advisor.all_platforms")
    writers: dict[str, Callable[[Draft, Ask, Result], None]] = {
        "top": _top,
        "losses": _losses,
        "best_short": _best_short,
        "outliers": _outliers,
        "overview": _overview,
        "by_series": _ranked,
        "by_channel": _ranked,
        "by_platform": _ranked,
        "costs": _costs,
        "scheduled": _scheduled,
        "attention": _attention,
        "freshness": _freshness,
        "best_slot": _best_slot,
        "forecast": _forecast,
        "titles": _titles,
    }
    writers[str(ask.understood.intent)](draft, ask, result)
    caveats(draft, str(ask.understood.intent), result)


def caveats(draft: Draft, intent: str, result: Result) -> None:
    """What every answer from figures says at its end: what is left out of them, and how fresh they are."""
    if result.missing_rates:
        draft.say("advisor.rates_missing", currencies=", ".join(result.missing_rates))
    if result.data_through is not None and intent not in ("scheduled", "attention", "freshness"):
        draft.say("advisor.data_through", moment=draft.number(result, "data_through"))


def _period(draft: Draft, ask: Ask, result: Result) -> str:
    """The days in words; the numbers in them are cells."""
    key, days = f"advisor.period.{ask.days.name}", ask.days.period
    if has(key):
        return t(key, draft.lang)
    if ask.days.name == CUSTOM and days.start == days.end:
        return t("advisor.period.on", draft.lang, day=draft.number(result, "from"))
    if ask.days.name == CUSTOM:
        first, last = draft.number(result, "from"), draft.number(result, "to")
        return t("advisor.period.between", draft.lang, first=first, last=last)
    return t("advisor.period.days", draft.lang, count=draft.number(result, "days"))


def _top(draft: Draft, ask: Ask, result: Result) -> None:
    metric, when = ask.understood.metric, _period(draft, ask, result)
    kind = metric if metric in queries.MONEY_METRICS else "other"
    what = t(f"advisor.metric.{metric}", draft.lang) if kind == "other" else ""
    if not result.rows:
        draft.say(f"advisor.top.none_{kind}", when=when, what=what)
        return
    direction = "least" if ask.understood.ascending else "most"
    first = result.rows[0]
    draft.say(
        f"advisor.top.{direction}_{kind}",
        title=quoted(first["title"]),
        value=draft.number(result, f"0.{metric}"),
        when=when,
        what=what,
    )
    if "share" in result.derived and len(result.rows) > 1 and direction == "most":
        draft.say("advisor.top.share", share=draft.number(result, "share"), count=draft.number(result, "count"))
    if metric in ("revenue", "views") and first["cost"]:
        draft.say(
            "advisor.top.after_costs", profit=draft.number(result, "0.profit"), cost=draft.number(result, "0.cost")
        )
    for index, row in enumerate(result.rows[1 : ask.understood.limit], 1):
        draft.say("advisor.line", title=quoted(row["title"]), value=draft.number(result, f"{index}.{metric}"))


def _losses(draft: Draft, ask: Ask, result: Result) -> None:
    when = _period(draft, ask, result)
    if not result.rows:
        if not result.derived["cost"].value:
            draft.say("advisor.losses.no_costs", when=when)
        elif result.derived["unspread"].value:
            draft.say("advisor.losses.unspread", cost=draft.number(result, "unspread"), when=when)
        else:
            draft.say("advisor.losses.none", cost=draft.number(result, "cost"), when=when)
        return
    draft.say(
        "advisor.losses.some",
        count=draft.number(result, "count"),
        lost=draft.number(result, "lost"),
        when=when,
    )
    for index, row in enumerate(result.rows[:LISTED]):
        draft.say(
            "advisor.losses.line",
            title=quoted(row["title"]),
            profit=draft.number(result, f"{index}.profit"),
            revenue=draft.number(result, f"{index}.revenue"),
            cost=draft.number(result, f"{index}.cost"),
        )


def _best_short(draft: Draft, ask: Ask, result: Result) -> None:
    kind = "short" if ask.understood.shorts_only else "video"
    if ask.scope.period.start is not None:
        draft.say("advisor.best.published", when=_period(draft, ask, result))
    if not result.rows:
        known = result.derived["measured"].value
        draft.say(f"advisor.best.{'one' if known else 'none'}_{kind}")
        return
    best = result.rows[0]
    draft.say(
        f"advisor.best.{kind}",
        title=quoted(best["title"]),
        views=draft.number(result, "0.views"),
        age=draft.number(result, "age"),
    )
    draft.say(
        f"advisor.best.baseline_{kind}",
        baseline=draft.number(result, "0.baseline"),
        others=draft.number(result, "0.others"),
        age=draft.number(result, "age"),
    )
    if best["multiple"] is not None:
        draft.say("advisor.best.multiple", multiple=draft.number(result, "0.multiple"))
    if best["z"] is None:
        draft.say("advisor.best.too_few", others=draft.number(result, "0.others"))
    else:
        verdict = "outside" if best["z"] > OUTLIER else "inside"
        draft.say(f"advisor.best.{verdict}", z=draft.number(result, "0.z"))


def _outliers(draft: Draft, ask: Ask, result: Result) -> None:
    if not result.derived["measured"].value:
        draft.say("advisor.best.none_video")
        return
    if not result.rows:
        draft.say("advisor.outliers.none", measured=draft.number(result, "measured"))
        return
    if "age" in result.derived:
        draft.say("advisor.outliers.some", count=draft.number(result, "count"), age=draft.number(result, "age"))
    else:
        draft.say("advisor.outliers.some_ages", count=draft.number(result, "count"))
    for index, row in enumerate(result.rows[:LISTED]):
        draft.say(
            "advisor.outliers.line",
            title=quoted(row["title"]),
            views=draft.number(result, f"{index}.views"),
            baseline=draft.number(result, f"{index}.baseline"),
        )


def _overview(draft: Draft, ask: Ask, result: Result) -> None:
    row, when = result.rows[0], _period(draft, ask, result)
    if row["views"] is None and not row["revenue"] and not row["cost"]:
        draft.say("advisor.overview.nothing", when=when)
        return
    if ask.scope.platform is not None:
        draft.say("advisor.overview.earned", revenue=draft.number(result, "0.revenue"), when=when)
    else:
        draft.say(
            "advisor.overview.money",
            revenue=draft.number(result, "0.revenue"),
            cost=draft.number(result, "0.cost"),
            profit=draft.number(result, "0.profit"),
            when=when,
        )
    if ask.scope.platform is not None:
        draft.say("advisor.overview.no_platform_cost")
    elif row["roi"] is not None:
        draft.say("advisor.overview.roi", roi=draft.number(result, "0.roi"))
    else:
        draft.say("advisor.overview.no_cost")
    if row["views"] is not None:
        draft.say("advisor.overview.views", views=draft.number(result, "0.views"))
    if row["estimated_revenue"]:
        draft.say("advisor.overview.estimated", amount=draft.number(result, "0.estimated_revenue"))
    if "change" in result.derived:
        draft.say(
            "advisor.overview.change",
            before=draft.number(result, "revenue_before"),
            change=draft.number(result, "change"),
        )


def _ranked(draft: Draft, ask: Ask, result: Result) -> None:
    when, metric = _period(draft, ask, result), ask.understood.metric
    if not result.rows:
        draft.say("advisor.ranked.none", when=when)
        return
    draft.say(f"advisor.ranked.{ask.understood.intent}_{metric}", when=when)
    for index, row in enumerate(result.rows[:LISTED]):
        name = row["title"]
        title = _platform(name, draft.lang)
        if ask.understood.intent == "by_platform":
            earned, seen = draft.number(result, f"{index}.revenue"), draft.number(result, f"{index}.views")
            draft.say("advisor.ranked.platform_line", title=title, revenue=earned, views=seen)
            continue
        draft.say(
            "advisor.ranked.line",
            title=title,
            profit=draft.number(result, f"{index}.profit"),
            revenue=draft.number(result, f"{index}.revenue"),
            cost=draft.number(result, f"{index}.cost"),
            views=draft.number(result, f"{index}.views"),
        )
    if ask.understood.intent == "by_platform":
        draft.say("advisor.overview.no_platform_cost")


def _costs(draft: Draft, ask: Ask, result: Result) -> None:
    when = _period(draft, ask, result)
    if not result.rows:
        draft.say("advisor.costs.none", when=when)
        return
    draft.say("advisor.costs.total", total=draft.number(result, "total"), when=when)
    for index, row in enumerate(result.rows[:LISTED]):
        draft.say(
            "advisor.line",
            title=t(f"business.category.{row['category']}", draft.lang),
            value=draft.number(result, f"{index}.cost"),
        )


def _platform(name: str, lang: str) -> str:
    return t(f"platform.{name}", lang) if has(f"platform.{name}") else quoted(name)


def _scheduled(draft: Draft, ask: Ask, result: Result) -> None:
    if not result.rows:
        draft.say("advisor.scheduled.none" if ask.ahead is None else "advisor.scheduled.none_then")
        return
    draft.say("advisor.scheduled.some", count=draft.number(result, "count"))
    for index, row in enumerate(result.rows[:10]):
        title, platform = quoted(row["title"]), _platform(row["platform"], draft.lang)
        if row["state"] == "scheduled" and row["due_at"] is not None:
            draft.say(
                "advisor.scheduled.line", title=title, platform=platform, when=draft.number(result, f"{index}.due_at")
            )
        else:
            draft.say("advisor.scheduled.moving", title=title, platform=platform)


def _attention(draft: Draft, ask: Ask, result: Result) -> None:
    if not result.rows:
        draft.say("advisor.attention.none")
        return
    draft.say("advisor.attention.some", count=draft.number(result, "count"))
    for row in result.rows[:LISTED]:
        draft.say(
            "advisor.attention.line",
            title=quoted(row["title"]),
            platform=_platform(row["platform"], draft.lang),
            state=t(f"advisor.state.{row['state']}", draft.lang),
        )


def _freshness(draft: Draft, ask: Ask, result: Result) -> None:
    if not result.rows:
        draft.say("advisor.freshness.none")
        return
    for index, row in enumerate(result.rows[:LISTED]):
        draft.say(
            "advisor.freshness.line" if row["observed"] is not None else "advisor.freshness.never",
            account=quoted(row["account"]),
            platform=_platform(row["platform"], draft.lang),
            **({"moment": draft.number(result, f"{index}.observed")} if row["observed"] is not None else {}),
        )


def _best_slot(draft: Draft, ask: Ask, result: Result) -> None:
    if not result.rows:
        draft.say("advisor.slot.too_few", posts=draft.number(result, "posts"), needed=draft.number(result, "needed"))
        return
    known = 0
    if result.derived["weekdays"].value and result.rows[0]["probability"] > slots.SURE:
        known += 1
        draft.say(
            "advisor.slot.claim",
            day=draft.number(result, "0.weekday"),
            uplift=draft.number(result, "0.uplift"),
            probability=draft.number(result, "0.probability"),
            posts=draft.number(result, "posts"),
        )
    if slots.part_is_sure(result):
        known += 1
        draft.say(
            "advisor.slot.part",
            part=draft.number(result, "part"),
            uplift=draft.number(result, "part_uplift"),
            probability=draft.number(result, "part_probability"),
            posts=draft.number(result, "posts"),
        )
    if known:
        return
    draft.say("advisor.slot.no_evidence", posts=draft.number(result, "posts"))
    if result.derived["weekdays"].value > 1:
        draft.say(
            "advisor.slot.test", first=draft.number(result, "0.weekday"), second=draft.number(result, "1.weekday")
        )


def _forecast(draft: Draft, ask: Ask, result: Result) -> None:
    if not result.rows:
        history, needed = draft.number(result, "history"), draft.number(result, "days_needed")
        draft.say("advisor.forecast.too_few", history=history, needed=needed)
        return
    draft.say("advisor.forecast.ahead", days=draft.number(result, "ahead"))
    for index, row in enumerate(result.rows[:LISTED]):
        for what in ("views", "revenue"):
            if row[what] is not None:
                expected, low, high = (draft.number(result, f"{index}.{what}{end}") for end in ("", "_low", "_high"))
                title = quoted(row["title"])
                draft.say(f"advisor.forecast.{what}", title=title, expected=expected, low=low, high=high)
    error, tests = draft.number(result, "0.typical_error"), draft.number(result, "0.tests")
    draft.say("advisor.forecast.how", error=error, tests=tests)


def _titles(draft: Draft, ask: Ask, result: Result) -> None:
    if not result.rows:
        draft.say("advisor.titles.too_few", posts=draft.number(result, "posts"))
        return
    found = outlook.sure(result)
    if not found:
        draft.say("advisor.titles.none", posts=draft.number(result, "posts"))
    for place in found:
        say_title_pattern(draft, result, place, "advisor.titles.claim")


def say_title_pattern(draft: Draft, result: Result, place: int, key: str) -> None:
    """One pattern with its counts and what it is measured against."""
    values = {name: draft.number(result, f"{place}.{name}") for name in outlook.TOLD}
    draft.say(key, **values)

"""Forecasts and title patterns as queries whose numbers can be opened (A2)."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from statistics import fmean, median
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from core.advisor.results import Cell, Column, Result, joined
from core.advisor.slots import AGE, FEWEST, SURE, pooled
from core.advisor.text import plain
from core.business import figures, performance
from core.business.figures import Ran
from core.business.forecast import HORIZON, NEEDED, Forecast, forecast
from core.business.scope import Period, Scope

_COLUMNS: Final = (
    Column("title", "text"),
    Column("days", "count"),
    Column("views", "count"),
    Column("views_low", "count"),
    Column("views_high", "count"),
    Column("revenue", "money"),
    Column("revenue_low", "money"),
    Column("revenue_high", "money"),
    Column("typical_error", "percent"),
    Column("tests", "count"),
)


def outlook(session: Session, scope: Scope, today: date) -> Result:
    """Views and revenue of each channel in the thirty days that begin after its last whole day with figures.

    Only channels with :data:`core.business.forecast.NEEDED` days of views have a row; ``history`` is the longest that
    any has. Revenue is forecast where it has as many days and every amount could be converted.
    """
    channels, _ = figures.names(session)
    wanted = [key for key in channels if scope.channel_id in (None, key)]
    rows: list[dict[str, Any]] = []
    queries: list[Ran] = []
    longest = 0
    missing: set[str] = set()
    for key in wanted:
        whole = replace(scope, channel_id=key, period=Period(None, today - timedelta(days=1)))
        viewed = figures.views_by_day(session, whole)
        seen = _filled({row["day"]: float(row["views"] or 0) for row in viewed.rows})
        longest = max(longest, len(seen))
        views = forecast(seen)
        if views is None:
            continue
        earned = figures.money(session, whole, by_day=True, by_content=False)
        amounts: dict[date, float] = defaultdict(float)
        for row in earned.rows:
            if row["side"] == "revenue" and row["converted"] is None:
                missing.add(str(row["currency"]))
            elif row["side"] == "revenue":
                amounts[row["day"]] += float(row["converted"])
        money = forecast(_filled(amounts)) if amounts else None
        queries += [viewed, earned]
        rows.append(_row(key, channels[key], views, money))
    rows.sort(key=lambda row: (-row["views"], row["title"]))
    statement, parameters = joined(queries)
    result = Result(
        name="forecast",
        columns=_COLUMNS,
        rows=rows,
        statement=statement,
        parameters={"days ahead": HORIZON, "currency": scope.currency, "simulated": scope.simulated, **parameters},
        currency=scope.currency,
        simulated=scope.simulated,
        missing_rates=tuple(sorted(missing)),
    )
    result.derived["history"] = Cell(longest, "count", "days with figures of the channel that has most")
    result.derived["days_needed"] = Cell(NEEDED, "count", "fewest days of figures to forecast from")
    result.derived["ahead"] = Cell(HORIZON, "count", "days that are forecast")
    return result


def _filled(daily: dict[date, float]) -> list[float]:
    """Every day from the first to the last; a day without figures brought nothing, or its views came with the next."""
    if not daily:
        return []
    first, last = min(daily), max(daily)
    return [daily.get(first + timedelta(days=ahead), 0.0) for ahead in range((last - first).days + 1)]


def _row(key: UUID, name: str, views: Forecast, money: Forecast | None) -> dict[str, Any]:
    return {
        "id": key,
        "title": plain(name),
        "days": views.days,
        "views": round(views.expected),
        "views_low": round(views.low),
        "views_high": round(views.high),
        "revenue": None if money is None else round(money.expected, 2),
        "revenue_low": None if money is None else round(money.low, 2),
        "revenue_high": None if money is None else round(money.high, 2),
        "typical_error": round(math.expm1(views.error), 4),
        "tests": views.tests,
    }


_EMOJI: Final = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]")
_ASKS: Final = re.compile(r"[?？]|ไหม|หรือไม่|ทำไม|อะไร|อย่างไร|ยังไง|^(?:how|why|what|when|who|which)\b", re.IGNORECASE)
PATTERNS: Final[dict[str, Callable[[str], bool]]] = {
    "number": lambda title: any(letter.isdecimal() for letter in title),
    "question": lambda title: bool(_ASKS.search(title)),
    "short": lambda title: len(title) <= 40,
    "emoji": lambda title: bool(_EMOJI.search(title)),
    "brackets": lambda title: bool(re.search(r"[\[(【].+[\])】]", title)),
    "exclamation": lambda title: "!" in title,
}
"""What a title may be like; judged by figures alone, never by taste."""
TOLD: Final = ("pattern", "posts", "views", "baseline", "others", "probability")
"""What is told of a pattern: how many titles have it and how their views compare with how many others'."""
GROUP: Final = 6
"""Fewer titles with, or without, a pattern say nothing about it."""


def title_patterns(session: Session, scope: Scope) -> Result:
    """Patterns of titles with their pooled effect on views at two days of age, the surest first.

    Log views, less the mean of their series, with and without a pattern are pooled like weekdays
    (:mod:`core.advisor.slots`). Every pattern looked at is another chance to be fooled: the probability asked for rises
    with their number (Bonferroni). ``views`` and ``baseline`` are medians with and without the pattern.
    """
    grown = performance.growth(session, scope)
    by_series: dict[object, list[tuple[str, float]]] = defaultdict(list)
    for key, curve in grown.curves.items():
        item, views = grown.content[key], curve.at(AGE)
        if views is not None:
            by_series[item.series_id or item.channel_id].append((item.title, views))
    posts: list[tuple[str, float, float]] = []
    for pairs in by_series.values():
        middle = fmean(math.log1p(views) for _title, views in pairs)
        posts += [(title, views, math.log1p(views) - middle) for title, views in pairs]
    rows = [row for name, test in PATTERNS.items() if (row := _pattern(name, test, posts)) is not None]
    rows.sort(key=lambda row: (-row["probability"], -row["uplift"]))
    statement, parameters = joined([grown.query])
    result = Result(
        name="title_patterns",
        columns=(
            Column("pattern", "pattern"),
            Column("posts", "count"),
            Column("others", "count"),
            Column("views", "count"),
            Column("baseline", "count"),
            Column("uplift", "percent"),
            Column("probability", "percent"),
        ),
        rows=rows,
        statement=statement,
        parameters={"simulated": scope.simulated, **parameters},
        currency=scope.currency,
        simulated=scope.simulated,
        data_through=grown.data_through,
    )
    result.derived["posts"] = Cell(len(posts), "count", "posts observed for two days")
    result.derived["needed"] = Cell(FEWEST, "count", "fewest posts to look at")
    result.derived["asked"] = Cell(1 - (1 - SURE) / max(len(rows), 1), "percent", "probability a pattern must reach")
    return result


def _pattern(
    name: str, test: Callable[[str], bool], posts: Sequence[tuple[str, float, float]]
) -> dict[str, Any] | None:
    with_it = [post for post in posts if test(post[0])]
    without = [post for post in posts if not test(post[0])]
    if min(len(with_it), len(without)) < GROUP:
        return None
    effects = pooled({1: [post[2] for post in with_it], 0: [post[2] for post in without]})
    found = next((effect for effect in effects if effect.group == 1), None)
    if found is None:
        return None
    return {
        "pattern": name,
        "posts": len(with_it),
        "others": len(without),
        "views": round(median(post[1] for post in with_it)),
        "baseline": round(median(post[1] for post in without)),
        "uplift": round(math.expm1(found.effect), 4),
        "probability": round(found.probability, 4),
    }


def sure(result: Result) -> list[int]:
    """The rows of :func:`title_patterns` that the numbers carry."""
    asked = result.derived["asked"].value
    return [place for place, row in enumerate(result.rows) if row["probability"] > asked]

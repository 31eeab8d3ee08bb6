"""The advisor's named read-only queries about money and views. Owner and days come from the scope, never a text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core.advisor.results import Cell, Column, Result, joined
from core.advisor.text import plain
from core.business import performance
from core.business.figures import Content, contents
from core.business.overview import Line, Overview, Totals, overview
from core.business.scope import Scope
from core.errors import InvalidInput

ROW_LIMIT: Final = 200
MONEY_METRICS: Final = ("revenue", "views", "profit", "roi")
REACTIONS: Final[dict[str, tuple[str, Callable[[Totals], Any]]]] = {
    "likes": ("count", lambda totals: totals.counters["likes"]),
    "comments": ("count", lambda totals: totals.counters["comments"]),
    "shares": ("count", lambda totals: totals.counters["shares"]),
    "subscribers": ("count", lambda totals: totals.counters["subscribers_gained"]),
    "watch_time": ("hours", lambda totals: _hours(totals.counters["watch_time_seconds"])),
    "ctr": ("rate", lambda totals: totals.ctr),
    "engagement": ("rate", lambda totals: totals.engagement_rate),
}
"""What else episodes can be ranked by: the kind of its column, and where it comes from."""
METRICS: Final = (*MONEY_METRICS, *REACTIONS)

_MONEY_COLUMNS: Final = (
    Column("title", "text"),
    Column("parent", "text"),
    Column("views", "count"),
    Column("revenue", "money"),
    Column("cost", "money"),
    Column("profit", "money"),
    Column("roi", "percent"),
)


def _hours(seconds: int | None) -> Decimal | None:
    return None if seconds is None else Decimal(seconds) / 3600


def _line(line: Line) -> dict[str, Any]:
    totals = line.totals
    return {
        "id": line.identifier,
        "title": plain(line.name),
        "parent": plain(line.parent),
        "views": totals.views,
        "revenue": totals.revenue,
        "cost": totals.cost,
        "profit": totals.profit,
        "roi": totals.roi,
    }


def _result(name: str, shown: Overview, columns: tuple[Column, ...], rows: list[dict[str, Any]]) -> Result:
    statement, parameters = joined(shown.queries)
    scope = shown.scope
    result = Result(
        name=name,
        columns=columns,
        rows=rows[:ROW_LIMIT],
        statement=statement,
        parameters={
            "from": scope.period.start.isoformat() if scope.period.start else None,
            "to": scope.period.end.isoformat(),
            "currency": scope.currency,
            "simulated": scope.simulated,
            "platform": scope.platform,
            **parameters,
        },
        currency=scope.currency,
        simulated=scope.simulated,
        data_through=shown.data_through,
    )
    result.derived["count"] = Cell(len(rows), "count", "number of rows")
    result.missing_rates = tuple(sorted(shown.fx_missing))
    return result


def _shorts(session: Session, scope: Scope) -> set[Any]:
    return {item.episode_id for item in contents(session, scope) if item.short}


def top_episodes(
    session: Session,
    scope: Scope,
    *,
    metric: str = "revenue",
    ascending: bool = False,
    shorts_only: bool = False,
    limit: int = 5,
) -> Result:
    """Episodes by one of ``METRICS``. Those without it are left out."""
    if metric not in METRICS:
        raise InvalidInput("The advisor cannot rank by that.", ", ".join(METRICS))
    shown = overview(session, scope)
    value = _metric(metric)
    lines = [line for line in shown.episodes if line.identifier is not None and value(line) is not None]
    if shorts_only:
        kept = _shorts(session, scope)
        lines = [line for line in lines if line.identifier in kept]
    if metric not in ("profit", "roi") and not ascending:
        lines = [line for line in lines if (value(line) or 0) > 0]
    lines.sort(key=lambda line: (value(line), line.name), reverse=not ascending)
    rows = [_line(line) for line in lines]
    columns: tuple[Column, ...] = _MONEY_COLUMNS
    if metric in REACTIONS:
        rows = [{**row, metric: value(line)} for row, line in zip(rows, lines, strict=True)]
        columns = (*_MONEY_COLUMNS, Column(metric, REACTIONS[metric][0]))
    result = _result("top_episodes", shown, columns, rows[:limit])
    result.parameters |= {"rank by": metric, "ascending": ascending, "shorts only": shorts_only, "limit": limit}
    result.derived["count"] = Cell(len(rows), "count", "episodes with this figure")
    total = sum((line.totals.revenue for line in lines), Decimal(0))
    if lines and metric == "revenue" and total > 0:
        share = lines[0].totals.revenue / total
        result.derived["share"] = Cell(share, "percent", "revenue of the first row / revenue of all episodes")
    return result


def _metric(metric: str) -> Callable[[Line], Any]:
    if metric in REACTIONS:
        return lambda line: REACTIONS[metric][1](line.totals)
    return {
        "revenue": lambda line: line.totals.revenue,
        "views": lambda line: line.totals.views,
        "profit": lambda line: line.totals.profit,
        "roi": lambda line: line.totals.roi,
    }[metric]


def losses(session: Session, scope: Scope, *, shorts_only: bool = False) -> Result:
    """Episodes that cost more than they earned, and shared costs nothing could carry, worst first."""
    shown = overview(session, scope)
    kept = _shorts(session, scope) if shorts_only else None
    lines = [
        line
        for line in shown.episodes
        if line.totals.profit < 0 and line.identifier is not None and (kept is None or line.identifier in kept)
    ]
    lines.sort(key=lambda line: (line.totals.profit, line.name))
    result = _result("losses", shown, _MONEY_COLUMNS, [_line(line) for line in lines])
    lost = -sum((line.totals.profit for line in lines), Decimal(0))
    result.derived["lost"] = Cell(lost, "money", "sum of the negative profits of all rows")
    result.derived["cost"] = Cell(shown.totals.cost, "money", "all costs of these days")
    loose = [line for line in shown.episodes if line.identifier is None]
    unspread = sum((line.totals.cost for line in loose), Decimal(0))
    result.derived["unspread"] = Cell(unspread, "money", "costs of a channel or series without published episodes")
    return result


def totals(session: Session, scope: Scope) -> Result:
    """Views, revenue, cost, profit and ROI of all content, and revenue of the equally long time before."""
    shown = overview(session, scope)
    whole = shown.totals
    row = {
        "views": whole.views,
        "revenue": whole.revenue,
        "cost": whole.cost,
        "profit": whole.profit,
        "roi": whole.roi,
        "estimated_revenue": whole.estimated_revenue,
    }
    columns = (*_MONEY_COLUMNS[2:], Column("estimated_revenue", "money"))
    result = _result("overview", shown, columns, [row])
    before = scope.period.before()
    if before is not None:
        past = overview(session, scope.within(before)).totals
        result.derived["revenue_before"] = Cell(past.revenue, "money", "revenue of the equally long time before")
        if past.revenue > 0:
            change = (whole.revenue - past.revenue) / past.revenue
            result.derived["change"] = Cell(change, "percent", "(revenue − revenue before) / revenue before")
    return result


def ranked(session: Session, scope: Scope, level: str, *, metric: str = "profit", limit: int = 10) -> Result:
    """Series, channels or platforms by a metric."""
    shown = overview(session, scope)
    lines = {"series": shown.series, "channel": shown.channels, "platform": shown.platforms}[level]
    value = _metric(metric)
    named = [line for line in lines if line.name]
    named.sort(key=lambda line: (value(line) is not None, value(line) or 0, line.name), reverse=True)
    result = _result(f"by_{level}", shown, _MONEY_COLUMNS, [_line(line) for line in named[:limit]])
    result.parameters |= {"rank by": metric, "limit": limit}
    return result


def costs(session: Session, scope: Scope) -> Result:
    """Costs by category, largest first."""
    shown = overview(session, scope)
    ordered = sorted(shown.cost_categories.items(), key=lambda item: (-item[1], item[0]))
    columns = (Column("category", "text"), Column("cost", "money"))
    result = _result("costs", shown, columns, [{"category": name, "cost": amount} for name, amount in ordered])
    result.derived["total"] = Cell(shown.totals.cost, "money", "sum of all rows")
    return result


_AGE_COLUMNS: Final = (
    Column("title", "text"),
    Column("views", "count"),
    Column("baseline", "count"),
    Column("multiple", "multiple"),
    Column("z", "number"),
    Column("others", "count"),
    Column("age", "hours"),
)


def against_baseline(
    session: Session, scope: Scope, zone: ZoneInfo, *, shorts_only: bool = True, outliers_only: bool = False
) -> Result:
    """Contents against the median of the same channel's others of their kind (shorts or not) at the same age (see
    ``performance.compare``).

    The scope's days choose what is shown, by the day of publishing in ``zone``; the others count whenever published.

    Robust z is of log views (median, 1.4826 MAD); it is given only with at least five others.
    """
    grown = performance.growth(session, scope, shorts_only=shorts_only)
    found: list[performance.Comparison] = []
    groups: dict[tuple[UUID, bool], dict[UUID, performance.Curve]] = defaultdict(dict)
    for key, curve in grown.curves.items():
        groups[grown.content[key].channel_id, grown.content[key].short][key] = curve
    for group in sorted(groups):
        found += performance.compare(groups[group])
    if outliers_only:
        found = [item for item in found if item.z is not None and abs(item.z) > performance.OUTLIER]
    if scope.period.start is not None:
        found = [item for item in found if _published_within(scope, grown.content[item.episode_id], zone)]
    found.sort(key=lambda item: (item.z is not None, item.z or 0.0, item.multiple or 0.0), reverse=True)
    rows = [
        {
            "id": item.episode_id,
            "title": plain(grown.content[item.episode_id].title),
            "views": round(item.views),
            "baseline": round(item.baseline),
            "multiple": None if item.multiple is None else round(item.multiple, 2),
            "z": None if item.z is None else round(item.z, 1),
            "others": item.others,
            "age": item.age.total_seconds() / 3600,
        }
        for item in found
    ]
    statement, parameters = joined([grown.query])
    result = Result(
        name="outliers" if outliers_only else "best_short",
        columns=_AGE_COLUMNS,
        rows=rows[:ROW_LIMIT],
        statement=statement,
        parameters={"shorts only": shorts_only, "simulated": scope.simulated, "platform": scope.platform, **parameters},
        currency=scope.currency,
        simulated=scope.simulated,
        data_through=grown.data_through,
    )
    result.derived["count"] = Cell(len(rows), "count", "number of rows")
    result.derived["measured"] = Cell(len(grown.curves), "count", "contents with observed views")
    ages = {item.age for item in found}
    if found and (len(ages) == 1 or not outliers_only):
        hours = found[0].age.total_seconds() / 3600
        in_days = hours >= 48
        result.derived["age"] = Cell(
            hours / 24 if in_days else hours, "days" if in_days else "hours", "highest age that enough contents reached"
        )
    return result


def _published_within(scope: Scope, item: Content, zone: ZoneInfo) -> bool:
    if item.published_at is None:
        return False
    day = item.published_at.astimezone(zone).date()
    return (scope.period.start is None or scope.period.start <= day) and day <= scope.period.end

"""When to post: only what the channel's own figures support.

Log views at two days of age, less the series' mean, are grouped by weekday, and by four-hour part of the day, in the
channel's zone (with fewer posts than hours in a week, finer parts only find chance). The groups'
effects are pooled (normal-normal, half-normal(0.3) prior on their spread, integrated on a grid), so that the best of
seven noisy means is not taken for a discovery. A claim needs a probability over 0.9 that the best day is worth more
than +10 %.
Method: Gelman, "Prior distributions for variance parameters in hierarchical models", 2006.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import fmean, pvariance
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.advisor.results import Cell, Column, Result, joined
from core.business import performance
from core.business.scope import Scope
from core.models.publishing import ContentChannel

AGE: Final = timedelta(hours=48)
PART: Final = 4
"""Hours in a part of the day."""
FEWEST: Final = 10
UPLIFT: Final = math.log(1.10)
SURE: Final = 0.9
_PRIOR: Final = 0.3
_GRID: Final = 60


@dataclass(frozen=True)
class Effect:
    """A group's pooled effect on log views, and how likely it is over +10 %."""

    group: int
    posts: int
    effect: float
    probability: float


def pooled(groups: dict[int, Sequence[float]]) -> list[Effect]:
    """Partially pooled effects of groups of log values, best first; empty with too few values to say anything."""
    values = [value for group in groups.values() for value in group]
    filled = {key: list(group) for key, group in groups.items() if group}
    if len(values) < FEWEST or len(filled) < 2:
        return []
    grand = fmean(values)
    within = sum(pvariance(group) * len(group) for group in filled.values()) / max(len(values) - len(filled), 1)
    if within <= 0:
        return []
    means = {key: fmean(group) - grand for key, group in filled.items()}
    errors = {key: within / len(group) for key, group in filled.items()}
    taus = [1.2 * (step + 0.5) / _GRID for step in range(_GRID)]
    weights = []
    for tau in taus:
        log_weight = -0.5 * (tau / _PRIOR) ** 2
        for key, mean in means.items():
            spread = tau**2 + errors[key]
            log_weight += -0.5 * math.log(spread) - 0.5 * mean**2 / spread
        weights.append(log_weight)
    top = max(weights)
    shares = [math.exp(weight - top) for weight in weights]
    total = sum(shares)
    found = []
    for key, mean in means.items():
        effect = probability = 0.0
        for tau, share in zip(taus, shares, strict=True):
            pull = tau**2 / (tau**2 + errors[key])
            middle, deviation = pull * mean, math.sqrt(pull * errors[key])
            effect += share / total * middle
            probability += share / total * 0.5 * math.erfc((UPLIFT - middle) / (deviation * math.sqrt(2)))
        found.append(Effect(key, len(filled[key]), effect, probability))
    return sorted(found, key=lambda item: (-item.probability, -item.effect))


def best_slot(session: Session, scope: Scope) -> Result:
    """Weekdays and parts of the day with their pooled effect on views at two days of age; the weekdays come first.

    A part of the day is told by its first hour; the derived cells ``part``, ``part_uplift`` and ``part_probability``
    are those of the best one.
    """
    grown = performance.growth(session, scope)
    zones = {
        row.id: ZoneInfo(row.timezone)
        for row in session.execute(select(ContentChannel.id, ContentChannel.timezone)).all()
    }
    by_series: dict[object, list[tuple[int, int, float]]] = defaultdict(list)
    for key, curve in grown.curves.items():
        item, views = grown.content[key], curve.at(AGE)
        if views is None or item.published_at is None:
            continue
        local = item.published_at.astimezone(zones[item.channel_id])
        part = local.hour // PART * PART
        by_series[item.series_id or item.channel_id].append((local.weekday(), part, math.log1p(views)))
    groups: dict[int, list[float]] = defaultdict(list)
    parts: dict[int, list[float]] = defaultdict(list)
    for posts in by_series.values():
        middle = fmean(value for _day, _part, value in posts)
        for day, part, value in posts:
            groups[day].append(value - middle)
            parts[part].append(value - middle)
    effects, hours = pooled(dict(groups)), pooled(dict(parts))
    statement, parameters = joined([grown.query])
    result = Result(
        name="best_slot",
        columns=(
            Column("weekday", "weekday"),
            Column("part", "part"),
            Column("posts", "count"),
            Column("uplift", "percent"),
            Column("probability", "percent"),
        ),
        rows=[_row("weekday", item) for item in effects] + [_row("part", item) for item in hours],
        statement=statement,
        parameters={"simulated": scope.simulated, **parameters},
        currency=scope.currency,
        simulated=scope.simulated,
        data_through=grown.data_through,
    )
    result.derived["weekdays"] = Cell(len(effects), "count", "weekdays among the rows")
    if hours:
        best = _row("part", hours[0])
        result.derived["part"] = Cell(best["part"], "part", "the best part of the day among the rows")
        result.derived["part_uplift"] = Cell(best["uplift"], "percent", "its difference in views")
        result.derived["part_probability"] = Cell(best["probability"], "percent", "its probability")
    result.derived["posts"] = Cell(sum(len(group) for group in groups.values()), "count", "posts observed for two days")
    result.derived["needed"] = Cell(FEWEST, "count", "fewest posts to look at")
    return result


def _row(kind: str, item: Effect) -> dict[str, Any]:
    other = "part" if kind == "weekday" else "weekday"
    return {
        kind: item.group,
        other: None,
        "posts": item.posts,
        "uplift": round(math.expm1(item.effect), 4),
        "probability": round(item.probability, 4),
    }


def part_is_sure(result: Result) -> bool:
    """Whether the best part of the day of :func:`best_slot` may be told as one."""
    return "part" in result.derived and result.derived["part_probability"].value > SURE

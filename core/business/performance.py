"""Counters over time, and episodes compared at the same age (B3).

An older video has had more time to be watched. Two are comparable only at an age both have reached; the counter there
is read between the two nearest observations, in a straight line, from zero at the moment of publishing.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.business.figures import Content, Ran, contents, run
from core.business.scope import Scope, owner_of
from core.models.business import COUNTERS, PerformanceSnapshot
from core.models.publishing import PublicationRecord

AGES: Final = (
    timedelta(days=28),
    timedelta(days=14),
    timedelta(days=7),
    timedelta(days=3),
    timedelta(days=2),
    timedelta(days=1),
    timedelta(hours=12),
    timedelta(hours=6),
    timedelta(hours=1),
)
"""Ages at which contents are compared, oldest first."""

ENOUGH: Final = 5
"""Fewer others than this make no baseline that a robust z could rest on."""

OUTLIER: Final = 3.0
MAD_TO_SD: Final = 1.4826
"""Median absolute deviation to standard deviation, for normal data (Rousseeuw and Croux 1993)."""


@dataclass(frozen=True)
class Curve:
    """Cumulative views of one content by age in seconds, ascending; starts at zero when it was published."""

    ages: tuple[float, ...]
    views: tuple[float, ...]

    def at(self, age: timedelta) -> float | None:
        """Views at an age, or None when it was not observed that long."""
        wanted = age.total_seconds()
        place = bisect_left(self.ages, wanted)
        if place == len(self.ages):
            return None
        if self.ages[place] == wanted or place == 0:
            return self.views[place]
        left, right = self.ages[place - 1], self.ages[place]
        share = (wanted - left) / (right - left)
        return self.views[place - 1] + share * (self.views[place] - self.views[place - 1])


def curve(published_at: datetime, seen: Iterable[tuple[datetime, int]]) -> Curve:
    """A curve from (moment, cumulative views); observations from before it was published are left out."""
    points = {0.0: 0.0}
    for moment, views in seen:
        age = (moment - published_at).total_seconds()
        if age > 0:
            points[age] = float(views)
    ages = sorted(points)
    return Curve(tuple(ages), tuple(points[age] for age in ages))


@dataclass(frozen=True)
class Comparison:
    """One content against the others at an age: views, their median, the multiple, and a robust z of log views.

    ``z`` is None with fewer than five others, or when the others do not differ at all.
    """

    episode_id: UUID
    age: timedelta
    views: float
    others: int
    baseline: float
    multiple: float | None
    z: float | None


def robust_z(value: float, others: Sequence[float]) -> float | None:
    """How many robust standard deviations log views lie above the others' median (median and 1.4826 MAD)."""
    if len(others) < ENOUGH:
        return None
    logs = [math.log1p(max(item, 0.0)) for item in others]
    middle = median(logs)
    spread = MAD_TO_SD * median(abs(item - middle) for item in logs)
    if spread == 0:
        return None
    return (math.log1p(max(value, 0.0)) - middle) / spread


def compare(curves: dict[UUID, Curve], *, age: timedelta | None = None) -> list[Comparison]:
    """Each content against all the others at one common age, best first.

    Without ``age`` the highest age that at least six contents have reached is used; with fewer contents the highest age
    that most of them have reached, at least two.
    """
    at = age or common_age(curves)
    if at is None:
        return []
    reached = {key: views for key, item in curves.items() if (views := item.at(at)) is not None}
    found = []
    for key, views in reached.items():
        others = [value for other, value in reached.items() if other != key]
        if not others:
            continue
        baseline = median(others)
        multiple = views / baseline if baseline > 0 else None
        found.append(Comparison(key, at, views, len(others), baseline, multiple, robust_z(views, others)))
    return sorted(found, key=lambda item: (-item.views, item.episode_id))


def common_age(curves: dict[UUID, Curve]) -> timedelta | None:
    """The highest age of ``AGES`` that enough contents have reached."""
    most = max((sum(item.at(age) is not None for item in curves.values()) for age in AGES), default=0)
    needed = ENOUGH + 1 if most > ENOUGH else most
    if needed < 2:
        return None
    return next((age for age in AGES if sum(item.at(age) is not None for item in curves.values()) >= needed), None)


@dataclass(frozen=True)
class Growth:
    """The curves of contents, what they are, and the query they came from."""

    curves: dict[UUID, Curve]
    content: dict[UUID, Content]
    query: Ran
    data_through: datetime | None


def growth(session: Session, scope: Scope, *, shorts_only: bool = False) -> Growth:
    """The view curves of the scope's episodes by age, all posts of an episode added up.

    An episode on several platforms starts its age with its first post; its views at an age are the sum of what each
    post had by then.
    """
    content = {
        item.episode_id: item
        for item in contents(session, scope)
        if item.counts
        and (not shorts_only or item.short)
        and (scope.series_id is None or item.series_id == scope.series_id)
        and (scope.episode_id is None or item.episode_id == scope.episode_id)
    }
    statement: Any = (
        select(
            PublicationRecord.episode_id.label("episode_id"),
            PerformanceSnapshot.publication_id.label("publication_id"),
            PerformanceSnapshot.captured_at.label("captured_at"),
            PerformanceSnapshot.views.label("views"),
        )
        .join(PublicationRecord, PublicationRecord.id == PerformanceSnapshot.publication_id)
        .where(
            PublicationRecord.owner_id == owner_of(session),
            PublicationRecord.is_simulated.is_(scope.simulated),
            PublicationRecord.episode_id.in_(list(content)),
            PublicationRecord.published_at.is_not(None),
            PerformanceSnapshot.views.is_not(None),
            PerformanceSnapshot.captured_at <= PublicationRecord.published_at + timedelta(days=30),
        )
        .order_by(PerformanceSnapshot.captured_at)
    )
    if scope.platform is not None:
        statement = statement.where(PublicationRecord.platform == scope.platform)
    query = run(session, "views by age", statement)
    latest: dict[UUID, dict[UUID, int]] = defaultdict(dict)
    seen: dict[UUID, list[tuple[datetime, int]]] = defaultdict(list)
    for row in query.rows:
        latest[row["episode_id"]][row["publication_id"]] = row["views"]
        seen[row["episode_id"]].append((row["captured_at"], sum(latest[row["episode_id"]].values())))
    curves = {
        key: curve(item.published_at, seen[key])
        for key, item in content.items()
        if item.published_at is not None and seen[key]
    }
    through = [row["captured_at"] for row in query.rows]
    return Growth(curves, content, query, max(through) if through else None)


def counters_over_time(session: Session, episode_id: UUID, *, simulated: bool = False, limit: int = 2000) -> Ran:
    """Every observation of an episode's posts: ``publication_id, platform, captured_at, <counter>…``, oldest first."""
    statement: Any = (
        select(
            PerformanceSnapshot.publication_id.label("publication_id"),
            PublicationRecord.platform.label("platform"),
            PerformanceSnapshot.captured_at.label("captured_at"),
            *(getattr(PerformanceSnapshot, name).label(name) for name in COUNTERS),
        )
        .join(PublicationRecord, PublicationRecord.id == PerformanceSnapshot.publication_id)
        .where(
            PublicationRecord.owner_id == owner_of(session),
            PublicationRecord.episode_id == episode_id,
            PublicationRecord.is_simulated.is_(simulated),
        )
        .order_by(PerformanceSnapshot.captured_at.desc())
        .limit(limit)
    )
    ran = run(session, "observations", statement)
    return Ran(ran.name, ran.statement, ran.parameters, ran.columns, tuple(reversed(ran.rows)))

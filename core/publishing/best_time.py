"""When an account's posts did best: a suggestion for the publish dialog, only where its own figures carry one (P2.2).

Log views at two days of age, less their mean, by weekday and by four-hour part of the day in the channel's zone; the
pooling and the threshold are those of :mod:`core.advisor.slots`. With too few posts, or nothing that stands out, the
answer says so.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from statistics import fmean
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.advisor.slots import AGE, FEWEST, SURE, pooled
from core.advisor.slots import PART as PART
from core.business.performance import curve
from core.models.business import PerformanceSnapshot
from core.models.publishing import PublicationRecord
from core.publishing import states

POSTS = 500


@dataclass(frozen=True)
class BestTime:
    """``posts`` were watched for two days, ``needed`` is the fewest to judge by. ``weekday`` (0 is Monday) and ``hour``
    (the first of four) are None where none stands out."""

    posts: int
    needed: int
    weekday: int | None = None
    hour: int | None = None

    @property
    def enough(self) -> bool:
        return self.posts >= self.needed

    @property
    def known(self) -> bool:
        return self.weekday is not None or self.hour is not None

    def next_after(self, now: datetime, zone: tzinfo, usual: time) -> datetime:
        """The next such moment in ``zone``, an hour into the part of the day; what is not known is taken from
        ``usual`` and the next day it fits."""
        local = now.astimezone(zone)
        clock = time(self.hour + 1) if self.hour is not None else usual
        for ahead in range(15):
            day = local.date() + timedelta(days=ahead)
            moment = datetime.combine(day, clock, zone)
            if moment > now + timedelta(minutes=30) and self.weekday in (None, day.weekday()):
                return moment
        raise AssertionError("two weeks hold every weekday")


def judge(posts: Iterable[tuple[datetime, float]], zone: tzinfo) -> BestTime:
    """From (published at, views at two days). Pure."""
    values = [(moment.astimezone(zone), math.log1p(max(views, 0.0))) for moment, views in posts]
    if len(values) < FEWEST:
        return BestTime(len(values), FEWEST)
    middle = fmean(value for _, value in values)
    days: dict[int, list[float]] = defaultdict(list)
    parts: dict[int, list[float]] = defaultdict(list)
    for moment, value in values:
        days[moment.weekday()].append(value - middle)
        parts[moment.hour // PART * PART].append(value - middle)
    return BestTime(len(values), FEWEST, _standing_out(days), _standing_out(parts))


def _standing_out(groups: dict[int, list[float]]) -> int | None:
    effects = pooled(dict(groups))
    return effects[0].group if effects and effects[0].probability > SURE else None


def of_account(session: Session, account_id: UUID, zone: tzinfo) -> BestTime:
    """The account's newest posts that were public from the start and watched for two days."""
    record, snapshot = PublicationRecord, PerformanceSnapshot
    newest = (
        select(record.id, record.published_at)
        .where(
            record.account_id == account_id,
            record.state.in_(states.PUBLISHED),
            record.published_at.is_not(None),
            record.privacy == "public",
        )
        .order_by(record.published_at.desc())
        .limit(POSTS)
    )
    published = {row.id: row.published_at for row in session.execute(newest)}
    seen: dict[UUID, list[tuple[datetime, int]]] = defaultdict(list)
    rows = session.execute(
        select(snapshot.publication_id, snapshot.captured_at, snapshot.views)
        .join(record, record.id == snapshot.publication_id)
        .where(
            snapshot.publication_id.in_(list(published)),
            snapshot.views.is_not(None),
            snapshot.captured_at <= record.published_at + 2 * AGE,
        )
        .order_by(snapshot.captured_at)
    )
    for key, captured_at, views in rows:
        seen[key].append((captured_at, views or 0))
    reached = ((moment, curve(moment, seen[key]).at(AGE)) for key, moment in published.items() if seen[key])
    return judge([(moment, views) for moment, views in reached if views is not None], zone)

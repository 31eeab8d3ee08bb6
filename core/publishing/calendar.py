"""The publications of a month or a week, by the days of one time zone. Pure but for the one query."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.models.publishing import PublicationRecord

Span = Literal["month", "week"]
WEEK = 7


@dataclass(frozen=True)
class Sheet:
    """The days shown: whole weeks from Monday. ``first`` and ``last`` are the days that are meant."""

    first: date
    last: date
    days: tuple[date, ...]

    @property
    def weeks(self) -> list[tuple[date, ...]]:
        return [self.days[start : start + WEEK] for start in range(0, len(self.days), WEEK)]


def sheet(span: Span, day: date) -> Sheet:
    """The week or month that holds ``day``."""
    if span == "week":
        first = day - timedelta(days=day.weekday())
        last = first + timedelta(days=WEEK - 1)
    else:
        first = day.replace(day=1)
        last = moved(span, first, 1) - timedelta(days=1)
    start = first - timedelta(days=first.weekday())
    end = last + timedelta(days=WEEK - 1 - last.weekday())
    return Sheet(first, last, tuple(start + timedelta(days=offset) for offset in range((end - start).days + 1)))


def moved(span: Span, day: date, by: int) -> date:
    """The same place ``by`` weeks on, or the first day of the month ``by`` months on."""
    if span == "week":
        return day + timedelta(weeks=by)
    months = day.year * 12 + day.month - 1 + by
    return date(months // 12, months % 12 + 1, 1)


def of_days(session: Session, days: tuple[date, ...], zone: tzinfo) -> dict[date, list[PublicationRecord]]:
    """Publications in the session's scope by the day they are due or went out on, in ``zone``; cancelled ones apart."""
    begins = datetime.combine(days[0], time(), zone).astimezone(UTC)
    ends = datetime.combine(days[-1] + timedelta(days=1), time(), zone).astimezone(UTC)
    at = func.coalesce(PublicationRecord.published_at, PublicationRecord.due_at)
    rows = session.scalars(
        select(PublicationRecord)
        .where(at >= begins, at < ends, PublicationRecord.state.not_in(("cancelled", "draft")))
        .order_by(at, PublicationRecord.id)
        .limit(1000)
    )
    found: dict[date, list[PublicationRecord]] = defaultdict(list)
    for row in rows:
        moment = row.published_at or row.due_at
        if moment is not None:
            found[moment.astimezone(zone).date()].append(row)
    return dict(found)

"""Whose figures, of which days, and of what they are."""

from __future__ import annotations

import calendar
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from core.errors import InvalidInput

RANGES = ("today", "yesterday", "last_7d", "last_28d", "last_30d", "last_90d", "last_365d")
CALENDAR_RANGES = ("this_week", "last_week", "this_month", "last_month", "this_year", "last_year")


def owner_of(session: Session) -> UUID:
    """The owner a session is scoped to. Figures are never read without one."""
    owner_id = session.info.get("owner_id")
    if not isinstance(owner_id, UUID):
        raise RuntimeError("business figures need a session opened for an actor")
    return owner_id


@dataclass(frozen=True)
class Period:
    """Days ``start`` to ``end``, both included; ``start`` None is the beginning of the records."""

    start: date | None
    end: date

    @property
    def days(self) -> int | None:
        return (self.end - self.start).days + 1 if self.start else None

    def before(self) -> Period | None:
        """The equally long period just before, to compare with."""
        if self.start is None:
            return None
        length = self.end - self.start
        return Period(self.start - length - timedelta(days=1), self.start - timedelta(days=1))


def period(name: str, today: date, *, start: date | None = None, end: date | None = None) -> Period:
    """The days a range name means on ``today``: ``last_30d`` is today and the 29 days before.

    Names: ``today``, ``yesterday``, ``last_<n>d`` (1–3650), ``this_week`` and ``last_week`` (from Monday),
    ``this_month``, ``last_month``, ``this_year``, ``last_year``, ``all``, and ``custom`` with ``start`` and ``end``.

    Raises:
        InvalidInput: another name, or a custom range without days or the wrong way round.
    """
    if name == "custom":
        if start is None or end is None or end < start:
            raise InvalidInput("That period is not possible.", "Give a first and a last day, in this order.")
        return Period(start, end)
    if name == "all":
        return Period(None, today)
    if name == "today":
        return Period(today, today)
    if name == "yesterday":
        return Period(today - timedelta(days=1), today - timedelta(days=1))
    monday = today - timedelta(days=today.weekday())
    if name == "this_week":
        return Period(monday, today)
    if name == "last_week":
        return Period(monday - timedelta(days=7), monday - timedelta(days=1))
    first = today.replace(day=1)
    if name == "this_month":
        return Period(first, today)
    if name == "last_month":
        last = first - timedelta(days=1)
        return Period(last.replace(day=1), last)
    if name == "this_year":
        return Period(today.replace(month=1, day=1), today)
    if name == "last_year":
        return Period(date(today.year - 1, 1, 1), date(today.year - 1, 12, 31))
    count = name.removeprefix("last_").removesuffix("d")
    if name == f"last_{count}d" and count.isascii() and count.isdigit() and 1 <= int(count) <= 3650:
        return Period(today - timedelta(days=int(count) - 1), today)
    raise InvalidInput("That period is not known.", "Use last_7d, last_30d, this_month, all or custom.")


def add_months(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


@dataclass(frozen=True)
class Scope:
    """What figures are asked for: days, content, the currency to show, and real or simulated (never both)."""

    period: Period
    currency: str
    simulated: bool = False
    channel_id: UUID | None = None
    series_id: UUID | None = None
    episode_id: UUID | None = None
    platform: str | None = None

    def within(self, days: Period) -> Scope:
        """The same for other days."""
        return replace(self, period=days)

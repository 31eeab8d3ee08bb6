"""The days a question speaks of: those gone by that figures are asked for, and those to come that plans are asked for.

Times are read in parts (a date, a weekday, a month, a count of units) and what stands around them (``since``, ``ago``,
``last``, ``ตั้งแต่``, ``ที่แล้ว``), so that combinations nobody listed are understood too. Weeks begin on Monday. "Today" is
the caller's, in the user's zone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from core.advisor.calendar_words import COUNT_PAST, Line, months_back, read
from core.business.scope import Period, add_months, period

DEFAULT: Final = "all"
CUSTOM: Final = "custom"


@dataclass(frozen=True)
class Spoken:
    """``name`` is a range name of ``core.business.scope.period`` that has words of its own, or ``custom``."""

    name: str
    period: Period


@dataclass(frozen=True)
class Ahead:
    """Days to come, both included; ``first`` None takes in what is overdue or on its way."""

    first: date | None
    last: date


def spoken(question: str, today: date) -> Spoken:
    """The past days that are meant; all of them when no time is spoken of."""
    line = read(question, today)
    for rule in _PAST:
        found = rule(line, today)
        if found is not None:
            return _named(found, today)
    return Spoken(DEFAULT, period(DEFAULT, today))


def coming(question: str, today: date) -> Ahead | None:
    """The days to come that are meant; None for everything that is planned."""
    line = read(question, today)
    for rule in _FUTURE:
        found = rule(line, today)
        if found is not None:
            return found
    return None


def _named(found: str | Period, today: date) -> Spoken:
    if isinstance(found, str):
        return Spoken(found, period(found, today))
    return Spoken(CUSTOM, found)


Span = str | Period | None
_DAY = timedelta(days=1)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _month(day: date) -> Period:
    """The calendar month of a day."""
    first = day.replace(day=1)
    return Period(first, months_back(first, -1) - _DAY)


def _until(days: Period, today: date) -> Period:
    """The days as far as they have gone by."""
    return Period(days.start, max(min(days.end, today), days.start or days.end))


# -- gone by


def _between(line: Line, today: date) -> Span:
    """``from 1 March to 10 March``, ``ตั้งแต่ 1 ถึง 10 มีนาคม``: two dates."""
    if len(line.dates) < 2:
        return None
    (start, _), (end, _) = line.dates[0], line.dates[1]
    return Period(min(start, end), max(start, end))


def _since(line: Line, today: date) -> Span:
    if not line.since:
        return None
    if line.dates:
        start = line.dates[0][0]
    elif line.weekday is not None:
        start = _last_weekday(line.weekday, today, before_today=line.last)
    elif line.start_of:
        return {"week": "this_week", "month": "this_month", "year": "this_year"}[line.start_of]
    elif line.month is not None:
        start = _last_month_named(line.month, line.year, today).start or today
    elif line.year is not None:
        start = date(line.year, 1, 1)
    else:
        for rule in (_ago, _named_days):
            inner = rule(line, today)
            if inner is not None:
                inner = period(inner, today) if isinstance(inner, str) else inner
                return Period(inner.start, today)
        return None
    return Period(start, today) if start <= today else None


def _one_date(line: Line, today: date) -> Span:
    return Period(line.dates[0][0], line.dates[0][0]) if line.dates else None


def _ago(line: Line, today: date) -> Span:
    """``two weeks ago`` is that week, ``3 days ago`` that day: not the days since."""
    if line.before_last:
        if line.before_last == "day":
            return Period(today - 2 * _DAY, today - 2 * _DAY)
        if line.before_last == "week":
            monday = _monday(today) - timedelta(days=14)
            return Period(monday, monday + 6 * _DAY)
        return _month(months_back(today.replace(day=1), 2))
    if line.ago is None:
        return None
    count, unit = line.ago
    if unit == "day":
        return Period(today - count * _DAY, today - count * _DAY)
    if unit == "week":
        monday = _monday(today) - timedelta(days=7 * count)
        return Period(monday, monday + 6 * _DAY)
    if unit == "month":
        return _month(months_back(today.replace(day=1), count))
    return Period(date(today.year - count, 1, 1), date(today.year - count, 12, 31))


def _counted(line: Line, today: date) -> Span:
    """``the last 14 days``, ``สองอาทิตย์ที่ผ่านมา``."""
    if line.counted is None:
        return None
    count, unit = line.counted
    return f"last_{min(max(count * COUNT_PAST[unit], 1), 3650)}d"


def _weekend(line: Line, today: date) -> Span:
    if not line.weekend:
        return None
    saturday = _monday(today) + timedelta(days=5)
    if line.last or saturday > today:
        saturday -= timedelta(days=7)
    return _until(Period(saturday, saturday + _DAY), today)


def _weekday(line: Line, today: date) -> Span:
    if line.weekday is None:
        return None
    day = _last_weekday(line.weekday, today, before_today=line.last)
    return Period(day, day)


def _last_weekday(weekday: int, today: date, *, before_today: bool) -> date:
    back = (today.weekday() - weekday) % 7
    return today - timedelta(days=7 if back == 0 and before_today else back)


def _quarter(line: Line, today: date) -> Span:
    if line.quarter is None and not line.quarter_word:
        return None
    first = date(today.year, (today.month - 1) // 3 * 3 + 1, 1)
    if line.quarter is not None:
        first = date(line.year or today.year, line.quarter * 3 - 2, 1)
        if line.year is None and first > today:
            first = first.replace(year=today.year - 1)
    elif line.last:
        first = months_back(first, 3)
    return _until(Period(first, months_back(first, -3) - _DAY), today)


def _last_month_named(month: int, year: int | None, today: date) -> Period:
    first = date(year or today.year, month, 1)
    if year is None and first > today:
        first = first.replace(year=today.year - 1)
    return _until(_month(first), today)


def _month_named(line: Line, today: date) -> Span:
    return _last_month_named(line.month, line.year, today) if line.month is not None else None


def _named_days(line: Line, today: date) -> Span:
    """``this week``, ``เดือนที่แล้ว``, ``yesterday``."""
    return line.named


def _year(line: Line, today: date) -> Span:
    if line.year is None or line.year > today.year:
        return None
    return _until(Period(date(line.year, 1, 1), date(line.year, 12, 31)), today)


_PAST: Final[tuple[Callable[[Line, date], Span], ...]] = (
    _between,
    _since,
    _one_date,
    _ago,
    _counted,
    _weekend,
    _weekday,
    _quarter,
    _month_named,
    _named_days,
    _year,
)


# -- to come


def _date_ahead(line: Line, today: date) -> Ahead | None:
    if not line.dates:
        return None
    days = [_forward(day, stated, today) for day, stated in line.dates[:2]]
    return Ahead(min(days), max(days))


def _forward(day: date, year_stated: bool, today: date) -> date:
    """A date without a year, as one to come."""
    return day if year_stated or day >= today else add_months(day, 12)


def _near(line: Line, today: date) -> Ahead | None:
    if line.near is None:
        return None
    return Ahead(None if line.near == 0 else today + line.near * _DAY, today + line.near * _DAY)


def _within(line: Line, today: date) -> Ahead | None:
    if line.within is None:
        return None
    count, unit = line.within
    return Ahead(None, today + timedelta(days=count * COUNT_PAST[unit]))


def _weekend_ahead(line: Line, today: date) -> Ahead | None:
    if not line.weekend:
        return None
    saturday = _monday(today) + timedelta(days=12 if line.next else 5)
    return Ahead(max(saturday, today), saturday + _DAY)


def _weekday_ahead(line: Line, today: date) -> Ahead | None:
    if line.weekday is None:
        return None
    if line.next:
        day = _monday(today) + timedelta(days=7 + line.weekday)
    else:
        day = today + timedelta(days=(line.weekday - today.weekday()) % 7)
    if line.before:
        return Ahead(None, day - _DAY)
    return Ahead(None if line.until else day, day)


def _spans_ahead(line: Line, today: date) -> Ahead | None:
    monday = _monday(today)
    if line.next == "week":
        return Ahead(monday + timedelta(days=7), monday + timedelta(days=13))
    if line.next == "month":
        following = _month(months_back(today.replace(day=1), -1))
        return Ahead(following.start, following.end)
    if line.named == "this_week":
        return Ahead(None, monday + timedelta(days=6))
    if line.named == "this_month":
        return Ahead(None, _month(today).end)
    return None


def _month_ahead(line: Line, today: date) -> Ahead | None:
    if line.month is None:
        return None
    first = date(line.year or today.year, line.month, 1)
    if line.year is None and _month(first).end < today:
        first = first.replace(year=today.year + 1)
    days = _month(first)
    return Ahead(days.start, days.end)


_FUTURE: Final[tuple[Callable[[Line, date], Ahead | None], ...]] = (
    _date_ahead,
    _near,
    _within,
    _weekend_ahead,
    _weekday_ahead,
    _spans_ahead,
    _month_ahead,
)

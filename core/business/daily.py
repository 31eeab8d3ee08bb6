"""From observations of cumulative counters to what was gained each day. Pure.

A day is a day of the channel's time zone. What the platform's own daily report says of a day wins over the difference
of two observations, counter by counter. A gain may be negative (platforms take views back) and is kept so. The gain
over days without an observation belongs to the day it was observed on, which carries their number as ``gap_days``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from core.models.business import COUNTERS

Counters = tuple[int | None, ...]
NONE: Counters = (None,) * len(COUNTERS)


@dataclass(frozen=True)
class Observation:
    """Cumulative counters (in the order of ``COUNTERS``) as seen at one moment; None is not reported."""

    captured_at: datetime
    counters: Counters


@dataclass(frozen=True)
class Report:
    """Gains of one day as the platform itself reports them, in the days of ``report_tz``."""

    day: date
    captured_at: datetime
    counters: Counters
    report_tz: str
    is_final: bool


@dataclass(frozen=True)
class Carried:
    """Where the days before end: the last day with data and each counter as last known then."""

    day: date
    ends: Counters


@dataclass(frozen=True)
class Day:
    """One row of ``publication_daily``."""

    day: date
    ends: Counters
    gains: Counters
    gap_days: int
    method: str
    report_tz: str | None
    is_final: bool
    source_max_captured_at: datetime


def daily(
    observations: Iterable[Observation],
    reports: Iterable[Report],
    zone: tzinfo,
    *,
    carried: Carried | None = None,
    published_at: datetime | None = None,
) -> list[Day]:
    """The days that the observations and reports speak of, in order.

    ``carried`` is the state before the first of them; without it counting starts at zero when it was published.
    """
    seen: dict[date, list[Observation]] = defaultdict(list)
    for observation in observations:
        seen[observation.captured_at.astimezone(zone).date()].append(observation)
    told: dict[date, Report] = {}
    for report in reports:
        if report.day not in told or told[report.day].captured_at < report.captured_at:
            told[report.day] = report

    days = sorted(set(seen) | set(told))
    ends = carried.ends if carried else NONE
    if carried:
        before: date | None = carried.day
    else:
        before = published_at.astimezone(zone).date() if published_at else None
    rows: list[Day] = []
    for position, day in enumerate(days):
        todays, report_of_day = sorted(seen.get(day, ()), key=lambda item: item.captured_at), told.get(day)
        new_ends, gains = list(ends), list(NONE)
        for index in range(len(COUNTERS)):
            values = [item.counters[index] for item in todays if item.counters[index] is not None]
            reported = report_of_day.counters[index] if report_of_day else None
            known = ends[index] or 0
            if values and values[-1] is not None:
                new_ends[index], gains[index] = values[-1], values[-1] - known
            elif reported is not None:
                new_ends[index] = known + reported
            if reported is not None:
                gains[index] = reported
        ends = tuple(new_ends)
        captured = [item.captured_at for item in todays] + ([report_of_day.captured_at] if report_of_day else [])
        rows.append(
            Day(
                day=day,
                ends=ends,
                gains=tuple(gains),
                gap_days=_gap(before, day, first=carried is None and position == 0),
                method="reported" if report_of_day else "delta",
                report_tz=report_of_day.report_tz if report_of_day else None,
                is_final=report_of_day.is_final if report_of_day else position + 1 < len(days),
                source_max_captured_at=max(captured),
            )
        )
        before = day
    return rows


def _gap(before: date | None, day: date, *, first: bool) -> int:
    """Days strictly between the last day with data and this one; from the day of publishing on for the first."""
    if before is None:
        return 0
    return max((day - before).days - (0 if first else 1), 0)

"""The schedule rule: the next time at which an account has room for a post. Pure.

Of the times a rule allows it is the earliest that is still to come and at least the gap away from every time that is
taken. Local times are read by :func:`core.publishing.schedule.due_time`, so clock changes mean what they mean there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core.publishing.best_time import BestTime
from core.publishing.pipelines.recipe import Schedule
from core.publishing.schedule import DueTime, due_time, zone_of

LEAD = timedelta(minutes=5)
"""A time that is nearer could pass before somebody has approved it."""
BEST_UNKNOWN = "best_unknown"


@dataclass(frozen=True)
class Slot:
    """A free time. ``note`` is :data:`BEST_UNKNOWN` where an account's best time was asked for and its figures name
    none, so that the recipe's own times were taken."""

    due: DueTime
    note: str = ""


def next_free(
    schedule: Schedule, zone: str, now: datetime, taken: Iterable[datetime], best: BestTime | None = None
) -> Slot:
    """The next time with room. ``now`` and ``taken`` carry a zone; ``best`` serves rules for the best time only."""
    gap, busy = timedelta(minutes=schedule.gap_minutes), sorted(moment.astimezone(UTC) for moment in taken)
    if schedule.kind == "at_once":
        return Slot(due_time(_after_all(now.astimezone(UTC), busy, gap), zone))
    known = schedule.kind == "best_time" and best is not None and best.known
    candidates = _best(schedule, zone, now, best) if known and best is not None else _clock(schedule, zone, now)
    for due in candidates:
        if due.due_at >= now + LEAD and all(abs(due.due_at - moment) >= gap for moment in busy):
            note = BEST_UNKNOWN if schedule.kind == "best_time" and not known else ""
            return Slot(due, note)
    raise AssertionError("the candidates never end")


def _after_all(moment: datetime, busy: list[datetime], gap: timedelta) -> datetime:
    for other in busy:
        if abs(moment - other) < gap:
            moment = other + gap
    return moment


def _clock(schedule: Schedule, zone: str, now: datetime) -> Iterator[DueTime]:
    """The rule's own times, day after day."""
    day = now.astimezone(zone_of(zone)).date()
    while True:
        if not schedule.weekdays or day.weekday() in schedule.weekdays:
            dues = [due_time(datetime.combine(day, clock).isoformat(), zone) for clock in schedule.clocks]
            yield from sorted(dues, key=lambda due: due.due_at)
        day += timedelta(days=1)


def _best(schedule: Schedule, zone: str, now: datetime, best: BestTime) -> Iterator[DueTime]:
    """The best weekday and part of the day, again and again; what of the two is not known is the rule's own."""
    moment = now
    while True:
        moment = best.next_after(moment, zone_of(zone), schedule.clocks[0])
        yield due_time(moment.replace(tzinfo=None).isoformat(), zone)

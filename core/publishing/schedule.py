"""When a post is due: what the user said (local time and zone) and what it means (an instant), and what is too late.

A local time that a spring change skips is moved forward by the change, and said so; one that an autumn change repeats
means its first occurrence, and is said so (the rules of RFC 5545, section 3.3.5). The instant is recomputed from the
local time when the zone's rules change, so the local time stays the truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from core.errors import InvalidInput

NOTE_SHIFTED = "time_shifted_forward"
NOTE_FIRST = "time_repeated_first_used"
SYNC_STEPS = (
    (timedelta(hours=48), timedelta(hours=1)),
    (timedelta(days=14), timedelta(hours=6)),
    (timedelta(days=90), timedelta(days=1)),
)
SYNC_LAST = timedelta(days=7)


@dataclass(frozen=True)
class DueTime:
    """``due_at`` in UTC; ``local_time`` as wall-clock time of ``timezone`` (ISO 8601, no offset); ``note`` is empty,
    :data:`NOTE_SHIFTED` or :data:`NOTE_FIRST` (message keys under ``publishing.note``)."""

    due_at: datetime
    local_time: str
    timezone: str
    note: str = ""


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones())  # reads the whole zone database every time it is asked


def zone_of(name: str) -> ZoneInfo:
    """An IANA zone; raises :class:`InvalidInput` for an unknown name."""
    if name not in _names():
        raise InvalidInput("The studio does not know this time zone.", name[:80])
    return ZoneInfo(name)


def due_time(text: str | datetime, timezone: str) -> DueTime:
    """Read a time: without an offset it is wall-clock time in ``timezone``, with one it is that instant.

    Raises:
        InvalidInput: not an ISO 8601 time, or an unknown zone.
    """
    zone = zone_of(timezone)
    if isinstance(text, datetime):
        given = text
    else:
        try:
            given = datetime.fromisoformat(text.strip())
        except ValueError:
            raise InvalidInput("That is not a time.", f"{text[:40]!r}; write it like 2026-12-24T18:30.") from None
    if not 1970 <= given.year <= 9998:  # beyond lies no calendar that every zone can be reckoned in
        raise InvalidInput("That is not a time.", "The year must lie between 1970 and 9998.")
    if given.tzinfo is not None:
        instant = given.astimezone(UTC)
        return DueTime(instant, _wall(instant.astimezone(zone)), timezone)
    local = given.replace(tzinfo=zone, fold=0)
    instant = local.astimezone(UTC)
    back = instant.astimezone(zone)
    if back.replace(tzinfo=None) != given:
        return DueTime(instant, _wall(back), timezone, NOTE_SHIFTED)
    repeated = local.utcoffset() != local.replace(fold=1).utcoffset()
    return DueTime(instant, _wall(back), timezone, NOTE_FIRST if repeated else "")


def _wall(moment: datetime) -> str:
    return moment.replace(tzinfo=None, fold=0).isoformat(timespec="seconds")


AHEAD = timedelta(minutes=20)
"""A post due sooner is published by our own clock: it could still be uploading when its time comes."""
START_TOLERANCE = timedelta(seconds=60)
"""A post not started by then is late, and says why."""


def lateness(
    due_at: datetime, now: datetime, limit_minutes: int, not_before: datetime | None = None
) -> Literal["wait", "due", "missed"]:
    """What the clock says: not yet, publish, or too late by the publication's own policy."""
    if now < due_at or (not_before is not None and now < not_before):
        return "wait"
    return "missed" if now - due_at > timedelta(minutes=limit_minutes) else "due"


def next_sync(published_at: datetime, now: datetime) -> datetime:
    """When the counters of a post are read again: hourly to 48 h, six-hourly to 14 d, daily to 90 d, then weekly."""
    age = now - published_at
    for until, every in SYNC_STEPS:
        if age < until:
            return now + every
    return now + SYNC_LAST


def pacific_midnight(now: datetime) -> datetime:
    """The next 00:00 America/Los_Angeles in UTC: when YouTube's daily quota starts again."""
    zone = ZoneInfo("America/Los_Angeles")
    following = now.astimezone(zone).date() + timedelta(days=1)
    return datetime(following.year, following.month, following.day, tzinfo=zone).astimezone(UTC)

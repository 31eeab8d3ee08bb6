"""Local times, their instants, daylight saving, lateness and the cadence of readings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.publishing.schedule import NOTE_FIRST, NOTE_SHIFTED, due_time, lateness, next_sync, pacific_midnight

ZONES = ("Asia/Bangkok", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo", "UTC")


def test_bangkok_has_one_offset() -> None:
    due = due_time("2026-12-24T18:30", "Asia/Bangkok")
    assert (due.due_at, due.local_time, due.note) == (
        datetime(2026, 12, 24, 11, 30, tzinfo=UTC),
        "2026-12-24T18:30:00",
        "",
    )


def test_a_time_that_spring_skips_moves_forward_and_says_so() -> None:
    due = due_time("2027-03-14T02:30", "America/New_York")
    assert due.due_at == datetime(2027, 3, 14, 7, 30, tzinfo=UTC)
    assert (due.local_time, due.note) == ("2027-03-14T03:30:00", NOTE_SHIFTED)


def test_a_time_that_autumn_repeats_is_its_first_and_says_so() -> None:
    due = due_time("2026-11-01T01:30", "America/New_York")
    assert due.due_at == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert (due.local_time, due.note) == ("2026-11-01T01:30:00", NOTE_FIRST)


def test_an_offset_names_the_instant() -> None:
    due = due_time("2026-11-01T06:30:00+00:00", "America/New_York")
    assert due.due_at == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    assert (due.local_time, due.note) == ("2026-11-01T01:30:00", "")


@pytest.mark.parametrize(("text", "zone"), [("tomorrow", "UTC"), ("2026-13-01", "UTC"), ("2026-12-01", "Mars/Base")])
def test_nonsense_is_refused(text: str, zone: str) -> None:
    with pytest.raises(InvalidInput):
        due_time(text, zone)


@given(
    st.datetimes(min_value=datetime(2025, 1, 1), max_value=datetime(2035, 1, 1)).map(
        lambda moment: moment.replace(microsecond=0)
    ),
    st.sampled_from(ZONES),
)
def test_the_local_time_shown_always_means_the_instant_kept(moment: datetime, zone: str) -> None:
    due = due_time(moment, zone)
    assert due.due_at.astimezone(ZoneInfo(zone)).replace(tzinfo=None).isoformat() == due.local_time
    if due.note != NOTE_SHIFTED:
        assert due.local_time == moment.isoformat()
    else:
        assert due.local_time > moment.isoformat()
    again = due_time(due.local_time, zone)
    assert again.due_at <= due.due_at


@given(st.integers(-10_000, 10_000), st.integers(1, 2_000), st.one_of(st.none(), st.integers(-500, 500)))
def test_lateness(minutes: int, limit: int, wait: int | None) -> None:
    due = datetime(2026, 6, 1, tzinfo=UTC)
    now = due + timedelta(minutes=minutes)
    not_before = None if wait is None else now + timedelta(minutes=wait)
    said = lateness(due, now, limit, not_before)
    if minutes < 0 or (wait is not None and wait > 0):
        assert said == "wait"
    else:
        assert said == ("missed" if minutes > limit else "due")


@pytest.mark.parametrize(
    ("age", "every"),
    [
        (timedelta(0), timedelta(hours=1)),
        (timedelta(days=-7), timedelta(hours=1)),
        (timedelta(hours=49), timedelta(hours=6)),
        (timedelta(days=15), timedelta(days=1)),
        (timedelta(days=100), timedelta(days=7)),
    ],
)
def test_older_posts_are_read_more_rarely(age: timedelta, every: timedelta) -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    assert next_sync(now - age, now) - now == every


@given(st.datetimes(min_value=datetime(2025, 1, 1), max_value=datetime(2035, 1, 1), timezones=st.just(UTC)))
def test_quota_returns_at_the_next_midnight_in_los_angeles(now: datetime) -> None:
    reset = pacific_midnight(now)
    local = reset.astimezone(ZoneInfo("America/Los_Angeles"))
    assert (local.hour, local.minute) == (0, 0)
    assert timedelta(0) < reset - now <= timedelta(hours=25)

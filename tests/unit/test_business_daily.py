"""Counters to days: zones, gaps, losses, what is not reported, the platform's own reports (B3)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from core.business.daily import NONE, Carried, Counters, Observation, Report, daily

BANGKOK = ZoneInfo("Asia/Bangkok")
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def counters(views: int | None, likes: int | None = None) -> Counters:
    return (views, None, None, None, likes, None, None, None, None)


def test_the_day_is_the_channels() -> None:
    seen = Observation(datetime(2026, 3, 1, 18, tzinfo=UTC), counters(5))
    assert daily([seen], [], BANGKOK)[0].day == date(2026, 3, 2)
    assert daily([seen], [], UTC)[0].day == date(2026, 3, 1)


def test_a_loss_stays_a_loss() -> None:
    days = daily(
        [Observation(START, counters(100)), Observation(START + timedelta(days=1), counters(90))],
        [],
        UTC,
        published_at=START,
    )
    assert [day.gains[0] for day in days] == [100, -10]


def test_a_gap_belongs_to_the_day_it_was_seen_on() -> None:
    days = daily(
        [Observation(START, counters(10)), Observation(START + timedelta(days=4), counters(50))],
        [],
        UTC,
        published_at=START - timedelta(days=2),
    )
    assert [(day.gap_days, day.gains[0]) for day in days] == [(2, 10), (3, 40)]


def test_not_reported_is_not_zero() -> None:
    days = daily(
        [
            Observation(START, counters(10, 3)),
            Observation(START + timedelta(days=1), counters(20, None)),
            Observation(START + timedelta(days=2), counters(30, 9)),
        ],
        [],
        UTC,
    )
    assert [day.gains[4] for day in days] == [3, None, 6]
    assert [day.ends[4] for day in days] == [3, 3, 9]
    assert all(day.gains[1] is None and day.ends[1] is None for day in days)


def test_the_platforms_own_report_wins_and_nothing_counts_twice() -> None:
    second = START + timedelta(days=1)
    report = Report(second.date(), second + timedelta(days=1), counters(20), "America/Los_Angeles", False)
    days = daily(
        [Observation(START, counters(100)), Observation(START + timedelta(days=2), counters(150))], [report], UTC
    )
    assert [(day.method, day.gains[0]) for day in days] == [("delta", 100), ("reported", 20), ("delta", 30)]
    assert days[1].report_tz == "America/Los_Angeles"


def test_the_newest_report_of_a_day_counts() -> None:
    def told(views: int, after: int) -> Report:
        return Report(START.date(), START + timedelta(days=after), counters(views), "UTC", after > 2)

    for reports in ([told(5, 1), told(8, 3)], [told(8, 3), told(5, 1)]):
        (day,) = daily([], reports, UTC)
        assert (day.gains[0], day.is_final) == (8, True)


def test_days_become_final_when_a_later_one_was_seen() -> None:
    days = daily([Observation(START + timedelta(days=n), counters(n)) for n in range(3)], [], UTC)
    assert [day.is_final for day in days] == [True, True, False]


history = st.lists(
    st.tuples(
        st.integers(min_value=0, max_value=24 * 20),
        st.one_of(st.none(), st.integers(min_value=0, max_value=1000)),
        st.one_of(st.none(), st.integers(min_value=0, max_value=1000)),
    ),
    max_size=40,
    unique_by=lambda item: item[0],
)


@given(history, st.integers(min_value=0, max_value=20))
def test_going_on_from_a_carried_day_is_the_same_as_from_the_beginning(
    items: list[tuple[int, int | None, int | None]], cut: int
) -> None:
    seen = [Observation(START + timedelta(hours=hour), counters(views, likes)) for hour, views, likes in items]
    whole = daily(seen, [], BANGKOK, published_at=START)
    head = [day for day in whole if day.day <= START.date() + timedelta(days=cut)]
    if not head:
        return
    rest = [item for item in seen if item.captured_at.astimezone(BANGKOK).date() > head[-1].day]
    tail = daily(rest, [], BANGKOK, carried=Carried(head[-1].day, head[-1].ends), published_at=START)
    assert head + tail == whole


@given(history)
def test_gains_add_up_to_the_last_known_counter(items: list[tuple[int, int | None, int | None]]) -> None:
    seen = [Observation(START + timedelta(hours=hour), counters(views, likes)) for hour, views, likes in items]
    days = daily(seen, [], BANGKOK, published_at=START)
    for index in range(len(NONE)):
        gains = [day.gains[index] for day in days if day.gains[index] is not None]
        assert (days[-1].ends[index] if days else None) == (sum(gains) if gains else None)

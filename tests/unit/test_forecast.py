"""The forecast's interval keeps its promise on series whose truth is known; what it refuses (A2)."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.business.forecast import COVERAGE, HORIZON, NEEDED, _student, forecast

WEEK = (0.8, 0.9, 1.0, 1.0, 1.1, 1.4, 1.2)


def _series(kind: str, days: int, chance: random.Random) -> list[float]:
    """Daily views with weekdays and noise: a level that stays, wanders, grows, or is hit by videos that take off."""
    level, found = 500.0, []
    for day in range(days):
        if kind == "walk":
            level *= math.exp(chance.gauss(0, 0.02))
        elif kind == "growth":
            level *= math.exp(0.004 + chance.gauss(0, 0.01))
        elif kind == "bursts":
            level = 300 + (level - 300) * 0.85 + (chance.expovariate(1 / 800) if chance.random() < 0.08 else 0)
        found.append(level * WEEK[day % 7] * math.exp(chance.gauss(0, 0.25)))
    return found


@pytest.mark.parametrize("kind", ["stable", "walk", "growth", "bursts"])
@pytest.mark.parametrize("days", [NEEDED, 240])
def test_four_of_five_sums_lie_between_the_bounds(kind: str, days: int) -> None:
    """The promise is 80 %; with few past forecasts the bounds are wider than they need be rather than narrower."""
    chance, inside, runs = random.Random(f"{kind} {days}"), 0, 200
    for _ in range(runs):
        series = _series(kind, days + HORIZON, chance)
        found = forecast(series[:days])
        assert found is not None
        inside += found.low <= sum(series[days:]) <= found.high
    assert COVERAGE - 0.06 <= inside / runs <= 0.97


def test_what_repeats_exactly_is_forecast_exactly() -> None:
    series = [100 * WEEK[day % 7] for day in range(200)]
    found = forecast(series)
    assert found is not None
    assert found.expected == pytest.approx(HORIZON * 100 * sum(WEEK) / 7)
    assert found.high / found.low < 1.05
    assert (found.method, found.tests, found.days) == ("level", 200 - 56 - 30 + 1, 200)


def test_steady_growth_is_followed_half_way() -> None:
    found = forecast([math.exp(0.01 * day) for day in range(300)])
    assert found is not None
    assert found.method == "trend"
    assert found.errors["trend"] < found.errors["level"]
    assert found.low < sum(math.exp(0.01 * day) for day in range(300, 330)) < found.high


def test_too_little_history_is_refused() -> None:
    assert forecast([5.0] * (NEEDED - 1)) is None
    assert forecast([5.0] * NEEDED) is not None
    assert forecast([5.0] * 200 + [0.0] * 56) is None, "nothing came in for eight weeks"
    assert forecast([]) is None


@given(st.lists(st.floats(-50, 1e6), min_size=NEEDED, max_size=NEEDED + 40))
def test_bounds_enclose_what_is_expected(daily: list[float]) -> None:
    found = forecast(daily)
    if found is not None:
        assert 0 <= found.low <= found.expected + 1e-6 <= found.high + 1e-3


def test_students_percentiles() -> None:
    """Against printed tables (t at 0.90)."""
    for freedom, printed in ((2, 1.886), (3, 1.638), (5, 1.476), (10, 1.372), (30, 1.310)):
        assert _student(freedom) == pytest.approx(printed, abs=0.02)

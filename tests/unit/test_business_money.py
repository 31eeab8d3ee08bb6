"""Money, rates, periods: decisions without a database (B1, B4)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.business.fx import RateTable
from core.business.money import currency_code, exact, split
from core.business.scope import Period, add_months, period
from core.errors import InvalidInput

DAY = date(2026, 3, 15)


@given(
    st.decimals(min_value=-(10**9), max_value=10**9, places=6),
    st.lists(st.integers(min_value=0, max_value=10**9), min_size=1, max_size=40),
)
def test_parts_add_up_to_the_last_digit(amount: Decimal, weights: list[int]) -> None:
    parts = split(amount, weights)
    assert len(parts) == len(weights)
    if any(weights):
        assert sum(parts) == amount
        assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)
    else:
        assert not any(parts)


def test_parts_are_fair() -> None:
    assert split(Decimal("100"), [1, 1, 1]) == [Decimal("33.333334"), Decimal("33.333333"), Decimal("33.333333")]
    assert split(Decimal("90"), [1, 2]) == [Decimal("30"), Decimal("60")]


@pytest.mark.parametrize(
    ("text", "amount"), [("1,250.00", "1250"), ("-3.5", "-3.5"), ("−3.5", "-3.5"), ("0.000001", "0.000001")]
)
def test_amounts_are_read(text: str, amount: str) -> None:
    assert exact(text) == Decimal(amount)


@pytest.mark.parametrize("text", ["", "1,25", "1e5", "NaN", "inf", "12.5.1", "0.0000001", "1000000000000", "=1+1"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        exact(text)


def test_a_float_is_never_money() -> None:
    with pytest.raises(TypeError):
        exact(0.1)  # type: ignore[arg-type]


def test_currencies() -> None:
    assert currency_code(" thb ") == "THB"
    for text in ("", "THBB", "XXX", "฿"):
        with pytest.raises(InvalidInput):
            currency_code(text)


def test_the_rate_of_the_day_and_never_a_later_one() -> None:
    table = RateTable(
        [("USD", "THB", DAY, Decimal("36")), ("USD", "THB", DAY + timedelta(days=5), Decimal("99"))],
    )
    found = table.find("USD", "THB", DAY + timedelta(days=4))
    assert found is not None
    assert (found.rate, found.on_date) == (Decimal("36"), DAY)
    assert table.find("USD", "THB", DAY - timedelta(days=1)) is None


def test_a_rate_is_good_for_seven_days() -> None:
    table = RateTable([("USD", "THB", DAY, Decimal("36"))])
    assert table.find("USD", "THB", DAY + timedelta(days=7)) is not None
    assert table.find("USD", "THB", DAY + timedelta(days=8)) is None


def test_a_rate_is_inverted_and_crossed() -> None:
    table = RateTable([("USD", "THB", DAY, Decimal("40")), ("EUR", "USD", DAY, Decimal("1.25"))])
    inverse = table.find("THB", "USD", DAY)
    assert inverse is not None
    assert inverse.rate == Decimal("0.025")
    cross = table.find("EUR", "THB", DAY)
    assert cross is not None
    assert cross.rate == Decimal("50")
    assert cross.via == ("EUR/USD", "USD/THB")
    assert table.find("JPY", "THB", DAY) is None


def test_a_correction_of_a_rate_counts() -> None:
    table = RateTable([("USD", "THB", DAY, Decimal("40")), ("USD", "THB", DAY, Decimal("41"))])
    found = table.find("USD", "THB", DAY)
    assert found is not None
    assert found.rate == Decimal("41")


def test_periods() -> None:
    assert period("last_30d", DAY) == Period(date(2026, 2, 14), DAY)
    assert period("last_7d", DAY).days == 7
    assert period("all", DAY) == Period(None, DAY)
    assert period("this_month", DAY) == Period(date(2026, 3, 1), DAY)
    assert period("last_month", DAY) == Period(date(2026, 2, 1), date(2026, 2, 28))
    assert period("custom", DAY, start=date(2026, 1, 1), end=date(2026, 1, 31)).days == 31
    for name in ("last_0d", "last_d", "last_ten", "nonsense", "custom", "last_٣d"):
        with pytest.raises(InvalidInput):
            period(name, DAY)


def test_the_period_before_is_as_long() -> None:
    assert period("last_7d", DAY).before() == Period(date(2026, 3, 2), date(2026, 3, 8))
    assert period("all", DAY).before() is None


@given(st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 1, 1)), st.integers(min_value=0, max_value=240))
def test_a_month_later_is_the_same_day_or_the_last(day: date, months: int) -> None:
    later = add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later + timedelta(days=1)).day == 1

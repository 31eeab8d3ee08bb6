"""Exchange rates by date: an amount is converted at the rate of its own day, never at today's.

The last known rate at or before the day is used if it is at most seven days old (weekends, holidays). Without one the
amount is not converted; the figure that misses it says so.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.business.money import currency_code
from core.business.scope import owner_of
from core.errors import InvalidInput
from core.models.business import FxRate

MAX_AGE: Final = timedelta(days=7)
RATE_PLACES: Final = Decimal("0.000000000001")


@dataclass(frozen=True)
class Rate:
    """``rate`` units of the wanted currency for one unit, as known on ``on_date``; ``via`` lists the pairs used."""

    rate: Decimal
    on_date: date
    via: tuple[str, ...]


class RateTable:
    """All known rates of one owner: direct, inverted, or through one currency in between."""

    def __init__(self, rows: Iterable[tuple[str, str, date, Decimal]]) -> None:
        """``rows`` are (base, quote, day, rate); the last of equal (base, quote, day) wins."""
        found: dict[tuple[str, str], dict[date, Decimal]] = defaultdict(dict)
        for base, quote, on_date, rate in rows:
            found[base, quote][on_date] = rate
        self._days = {pair: sorted(rates) for pair, rates in found.items()}
        self._rates = dict(found)
        self._partners: dict[str, set[str]] = defaultdict(set)
        for base, quote in found:
            self._partners[base].add(quote)
            self._partners[quote].add(base)

    def _listed(self, base: str, quote: str, on: date) -> tuple[date, Decimal] | None:
        days = self._days.get((base, quote), [])
        at = bisect_right(days, on)
        if at == 0 or on - days[at - 1] > MAX_AGE:
            return None
        return days[at - 1], self._rates[base, quote][days[at - 1]]

    def _direct(self, base: str, quote: str, on: date) -> Rate | None:
        """The newer of the listed rate and the inverse of the opposite one; the listed one if equally new."""
        straight, opposite = self._listed(base, quote, on), self._listed(quote, base, on)
        if straight and (not opposite or straight[0] >= opposite[0]):
            return Rate(straight[1], straight[0], (f"{base}/{quote}",))
        if opposite:
            return Rate((1 / opposite[1]).quantize(RATE_PLACES), opposite[0], (f"{quote}/{base}",))
        return None

    def find(self, base: str, quote: str, on: date) -> Rate | None:
        """The rate from ``base`` to ``quote`` for a transaction of day ``on``, or None if it is missing or too old."""
        if base == quote:
            return Rate(Decimal(1), on, ())
        direct = self._direct(base, quote, on)
        if direct:
            return direct
        for middle in sorted(self._partners[base] & self._partners[quote]):
            first, second = self._direct(base, middle, on), self._direct(middle, quote, on)
            if first and second:
                rate = (first.rate * second.rate).quantize(RATE_PLACES)
                return Rate(rate, min(first.on_date, second.on_date), first.via + second.via)
        return None


def rate_table(session: Session) -> RateTable:
    """The owner's rates; of several revisions of a day the last one."""
    rows = session.execute(
        select(FxRate.base, FxRate.quote, FxRate.on_date, FxRate.rate)
        .where(FxRate.owner_id == owner_of(session))
        .order_by(FxRate.on_date, FxRate.revision)
    )
    return RateTable((base, quote, on_date, rate) for base, quote, on_date, rate in rows)


def record_rate(
    session: Session,
    base: str,
    quote: str,
    on_date: date,
    rate: Decimal,
    *,
    source: str = "manual",
    by: UUID | None = None,
) -> FxRate:
    """Enter or correct the rate of a day: the same value again changes nothing, another one is a new revision.

    Raises:
        InvalidInput: unknown or equal currencies, or a rate that is not positive.
    """
    base, quote = currency_code(base), currency_code(quote)
    if base == quote:
        raise InvalidInput("The two currencies are the same.")
    if not rate.is_finite() or rate <= 0 or rate >= Decimal(10) ** 12:
        raise InvalidInput("The rate must be a positive number.")
    owner_id = owner_of(session)
    last = session.scalar(
        select(FxRate)
        .where(FxRate.owner_id == owner_id, FxRate.base == base, FxRate.quote == quote, FxRate.on_date == on_date)
        .order_by(FxRate.revision.desc())
        .limit(1)
    )
    rounded = rate.quantize(RATE_PLACES)
    if rounded <= 0:
        raise InvalidInput("The rate must be a positive number.")
    if last is not None and last.rate == rounded:
        return last
    row = FxRate(
        owner_id=owner_id,
        base=base,
        quote=quote,
        on_date=on_date,
        rate=rounded,
        source=source,
        revision=last.revision + 1 if last else 1,
        created_by=by,
    )
    session.add(row)
    session.flush()
    return row

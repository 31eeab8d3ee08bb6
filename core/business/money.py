"""Amounts of money: decimals with an ISO 4217 currency, never floats."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from typing import Final

from core.errors import InvalidInput

PLACES: Final = Decimal("0.000001")
LIMIT: Final = Decimal(10) ** 12

_CODES: Final = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP
CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR
IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU
MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG
SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV
WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES: Final = frozenset(_CODES.split())
"""The active codes of ISO 4217 that money is kept in (no funds, metals or testing codes)."""

_PLAIN = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?|[+-]?\d+(\.\d+)?")


def currency_code(text: str) -> str:
    """The ISO 4217 code in upper case.

    Raises:
        InvalidInput: not a currency.
    """
    code = text.strip().upper()
    if code not in CURRENCIES:
        raise InvalidInput("That is not a currency.", "Use a three-letter code such as THB or USD.")
    return code


def exact(value: Decimal | int | str) -> Decimal:
    """An amount with six decimals. Text may have thousands separated by commas and a decimal point.

    Raises:
        InvalidInput: not a number, not finite, more than six decimals, or a trillion and more.
        TypeError: a float, which cannot hold money.
    """
    if isinstance(value, float | bool):
        raise TypeError("money is never a float")
    if isinstance(value, str):
        text = value.strip().replace("\u2212", "-")
        if not _PLAIN.fullmatch(text):
            raise InvalidInput("That is not an amount of money.", "Write it like 1,250.00.")
        value = text.replace(",", "")
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise InvalidInput("That is not an amount of money.", "Write it like 1,250.00.") from None
    if not amount.is_finite() or abs(amount) >= LIMIT:
        raise InvalidInput("That amount is too large.")
    rounded = amount.quantize(PLACES)
    if rounded != amount:
        raise InvalidInput("That amount has more than six decimals.")
    return rounded


def split(amount: Decimal, weights: Sequence[Decimal | int]) -> list[Decimal]:
    """``amount`` in parts proportional to ``weights``, with six decimals, whose sum is exactly ``amount``.

    Every part is cut to six decimals; what is left goes, in units of the last decimal, to the parts that lost most
    (largest remainder). All parts are zero when no weight is positive, and then nothing was split: see the caller.
    """
    total = sum((Decimal(weight) for weight in weights), Decimal(0))
    if any(weight < 0 for weight in weights):
        raise ValueError("weights must not be negative")
    if total == 0:
        return [Decimal(0)] * len(weights)
    shares = [amount * Decimal(weight) / total for weight in weights]
    parts = [share.quantize(PLACES, ROUND_DOWN) for share in shares]
    left = amount - sum(parts, Decimal(0))
    unit = PLACES if left > 0 else -PLACES
    order = sorted(
        (index for index, weight in enumerate(weights) if weight > 0),
        key=lambda index: -abs(shares[index] - parts[index]),
    )
    turn = 0
    while left != 0:
        step = unit if abs(left) >= PLACES else left
        parts[order[turn % len(order)]] += step
        left -= step
        turn += 1
    return parts

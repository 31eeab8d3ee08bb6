"""What the coming thirty days may bring, with an interval that past forecasts have earned (A2). Pure.

Two forecasts of the sum are tried: the last four weeks going on (whole weeks, so that weekdays weigh alike: a seasonal
naive forecast), and the same with half of the last change between two four-week spans (a damped trend; Gardner and
McKenzie, "Forecasting trends in time series", Management Science 31, 1985). Both are made from every day of the past on
which they could have been made, against what then came (rolling origin; Hyndman and Athanasopoulos, "Forecasting:
Principles and Practice", 3rd ed., sections 5.5 and 5.10). The one that erred less is used, its root mean square error
of log sums makes the interval, and Student's t for the few spans of thirty days that do not overlap keeps it honest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

HORIZON: Final = 30
SPAN: Final = 28
FIRST: Final = 2 * SPAN
"""Days that a forecast looks back on."""
NEEDED: Final = FIRST + 2 * HORIZON
"""With fewer days there are not two spans of the past to have been wrong about."""
COVERAGE: Final = 0.8
_DAMPING: Final = 0.5
_STEEPEST: Final = 2.0
_NORMAL: Final = 1.2815515655446004

Method = Literal["level", "trend"]


@dataclass(frozen=True)
class Forecast:
    """The sum of the coming days: expected, and between which bounds in four of five cases. ``error`` is the root mean
    square of past log errors, ``errors`` that of each method, ``tests`` how many past forecasts were made."""

    expected: float
    low: float
    high: float
    method: Method
    error: float
    errors: dict[Method, float]
    tests: int
    days: int


def forecast(daily: Sequence[float]) -> Forecast | None:
    """From daily sums, oldest first, without gaps; None with fewer than :data:`NEEDED` days, or where nothing came in
    during the last eight weeks."""
    count = len(daily)
    if count < NEEDED or sum(daily[-FIRST:]) <= 0:
        return None
    offset = 0.01 * HORIZON * sum(daily) / count  # a hundredth of a usual month: sums near zero have no logarithm
    origins = range(FIRST, count - HORIZON + 1)
    errors: dict[Method, float] = {}
    for name, method in _METHODS.items():
        logs = [
            math.log((max(sum(daily[at : at + HORIZON]), 0.0) + offset) / (max(method(daily, at), 0.0) + offset))
            for at in origins
        ]
        errors[name] = math.sqrt(sum(error * error for error in logs) / len(logs))
    chosen: Method = min(errors, key=lambda name: errors[name])
    spans = (count - FIRST) // HORIZON
    reach = _student(spans) * errors[chosen] * math.sqrt(1 + 1 / spans)
    expected = max(_METHODS[chosen](daily, count), 0.0)
    low = max((expected + offset) * math.exp(-reach) - offset, 0.0)
    high = (expected + offset) * math.exp(reach) - offset
    return Forecast(expected, low, high, chosen, errors[chosen], errors, len(origins), count)


def _level(daily: Sequence[float], at: int) -> float:
    return HORIZON * sum(daily[at - SPAN : at]) / SPAN


def _trend(daily: Sequence[float], at: int) -> float:
    last, before = sum(daily[at - SPAN : at]), sum(daily[at - FIRST : at - SPAN])
    ratio = min(max(last / before, 1 / _STEEPEST), _STEEPEST) if last > 0 and before > 0 else 1.0
    return _level(daily, at) * (1 + _DAMPING * (ratio - 1))


_METHODS: Final[dict[Method, Callable[[Sequence[float], int], float]]] = {"level": _level, "trend": _trend}


def _student(freedom: int) -> float:
    """The 90th percentile of Student's t (Abramowitz and Stegun, 26.7.5); right to 0.02 from two degrees on."""
    z = _NORMAL
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )

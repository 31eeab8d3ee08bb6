"""The days a question speaks of, as a range name of ``core.business.scope.period``."""

from __future__ import annotations

import re
from typing import Final

from core.advisor.text import fold_thai, words

DEFAULT: Final = "all"

_ENGLISH: Final = (
    (r"\byesterday\b", "yesterday"),
    (r"\b(today|so far today)\b", "today"),
    (r"\b(this|current) week\b", "this_week"),
    (r"\b(last|previous|past) week\b", "last_week"),
    (r"\b(this|current) month\b", "this_month"),
    (r"\b(last|previous|past) month\b", "last_month"),
    (r"\b(this|current) year\b|\byear to date\b", "this_year"),
    (r"\b(last|previous|past) year\b", "last_year"),
    (r"\bquarter\b", "last_90d"),
    (r"\bfortnight\b", "last_14d"),
    (r"\b(recently|lately)\b", "last_30d"),
)
_THAI: Final = (
    (r"เมื่อวาน", "yesterday"),
    (r"วันนี้", "today"),
    (r"(สัปดาห์|อาทิตย์)(ที่แล้ว|ก่อน|ที่ผ่านมา)", "last_week"),
    (r"(สัปดาห์|อาทิตย์)นี้", "this_week"),
    (r"เดือน(ที่แล้ว|ก่อน|ที่ผ่านมา)", "last_month"),
    (r"เดือนนี้", "this_month"),
    (r"ปี(ที่แล้ว|ก่อน|กลาย|ที่ผ่านมา)", "last_year"),
    (r"ปีนี้", "this_year"),
    (r"ไตรมาส", "last_90d"),
    (r"(ช่วงนี้|ระยะนี้|หมู่นี้)", "last_30d"),
)
_UNITS: Final = {"day": 1, "week": 7, "month": 30, "year": 365, "วัน": 1, "สัปดาห์": 7, "อาทิตย์": 7, "เดือน": 30, "ปี": 365}
_NUMBERS: Final = {
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "ten": 10,
    "twelve": 12,
    "couple of": 2,
}


def time_range(question: str) -> str:
    """A range name for the past days that are meant; ``all`` when no time is spoken of."""
    line = " ".join(words(question))
    counted = re.search(
        rf"\b(?:last|past|previous|recent)? ?(\d{{1,3}}|{'|'.join(_NUMBERS)}) (day|week|month|year)s?\b", line
    )
    if counted:
        return _days(counted.group(1), counted.group(2))
    thai = fold_thai(question)
    counted = re.search(r"(\d{1,3})\s*(วัน|สัปดาห|อาทิตย|เดือน|ปี)", thai)
    if counted:
        unit = next(unit for unit in _UNITS if fold_thai(unit) == counted.group(2))
        return _days(counted.group(1), unit)
    for pattern, name in _ENGLISH:
        if re.search(pattern, line):
            return name
    for pattern, name in _THAI:
        if re.search(fold_thai(pattern), thai):
            return name
    return DEFAULT


def _days(count: str, unit: str) -> str:
    number = _NUMBERS.get(count) or int(count)
    return f"last_{min(max(number * _UNITS[unit], 1), 3650)}d"


def coming(question: str) -> int | None:
    """How many days ahead a question about plans means: 0 today, 1 tomorrow, 7 a week …; None is everything."""
    line, thai = " ".join(words(question)), fold_thai(question)
    for english, other, days in (
        (r"\b(today|tonight)\b", "วันนี้", 0),
        (r"\btomorrow\b", "พรุ่งนี้", 1),
        (r"\b(this week|next few days|7 days|seven days)\b", "สัปดาห์นี้|อาทิตย์นี้", 7),
        (r"\bnext week\b", "สัปดาห์หน้า|อาทิตย์หน้า", 14),
        (r"\b(this month|30 days)\b", "เดือนนี้", 31),
    ):
        if re.search(english, line) or re.search(fold_thai(other), thai):
            return days
    return None

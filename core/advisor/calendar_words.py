"""The parts that times are spoken of in, English and Thai: dates, weekdays, months, counted units, and their setting.

Nothing here decides which days are meant (``periods.py`` does). Thai is matched without tone marks, because people
leave them out; Thai digits and years of the Buddhist era are read as what they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from core.advisor.text import fold, fold_thai

Unit = Literal["day", "week", "month", "year"]
COUNT_PAST: Final[dict[Unit, int]] = {"day": 1, "week": 7, "month": 30, "year": 365}

_MONTHS: Final = (
    ("jan(?:uary)?", "มกราคม|มกรา", "ม.ค."),
    ("feb(?:ruary)?", "กุมภาพันธ์|กุมภา", "ก.พ."),
    ("mar(?:ch)?", "มีนาคม|มีนา", "มี.ค."),
    ("apr(?:il)?", "เมษายน|เมษา", "เม.ย."),
    ("may", "พฤษภาคม|พฤษภา", "พ.ค."),
    ("june?", "มิถุนายน|มิถุนา", "มิ.ย."),
    ("july?", "กรกฎาคม|กรกฎา|กรกฏาคม|กรกฏา", "ก.ค."),
    ("aug(?:ust)?", "สิงหาคม|สิงหา", "ส.ค."),
    ("sept?(?:ember)?", "กันยายน|กันยา", "ก.ย."),
    ("oct(?:ober)?", "ตุลาคม|ตุลา", "ต.ค."),
    ("nov(?:ember)?", "พฤศจิกายน|พฤศจิกา", "พ.ย."),
    ("dec(?:ember)?", "ธันวาคม|ธันวา", "ธ.ค."),
)
"""English, Thai in full, and the Thai abbreviation."""
_WEEKDAYS: Final = (
    ("monday", "mon", "จันทร์"),
    ("tuesday", "tues?", "อังคาร"),
    ("wednesday", "wed", "พุธ"),
    ("thursday", "thu(?:rs?)?", "พฤหัส"),
    ("friday", "fri", "ศุกร์"),
    ("saturday", "sat", "เสาร์"),
    ("sunday", "sun", "อาทิตย์"),
)
_NUMBERS: Final = {
    "a": 1, "an": 1, "one": 1, "two": 2, "couple of": 2, "couple": 2, "three": 3, "few": 3, "four": 4, "five": 5,
    "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12, "fourteen": 14, "fifteen": 15,
    "twenty": 20, "thirty": 30, "sixty": 60, "ninety": 90, "hundred": 100,
}  # fmt: skip
_THAI_NUMBERS: Final = {
    "หนึ่ง": 1, "สอง": 2, "สาม": 3, "สี่": 4, "ห้า": 5, "หก": 6, "เจ็ด": 7, "แปด": 8, "เก้า": 9, "สิบ": 10, "สิบสี่": 14,
    "สิบห้า": 15, "ยี่สิบ": 20, "สามสิบ": 30, "เก้าสิบ": 90, "ไม่กี่": 3, "สองสาม": 3,
}  # fmt: skip
_NAMED: Final = (
    (r"yesterday|last night", "เมื่อวาน|เมื่อคืน", "yesterday"),
    (r"(?:this|current) week|week to date|wtd", "(?:สัปดาห์|อาทิตย์)นี้", "this_week"),
    (r"past week", "", "last_7d"),
    (r"past month", "", "last_30d"),
    (r"past year", "", "last_365d"),
    (r"(?:last|previous) week", "(?:สัปดาห์|อาทิตย์)(?:ที่แล้ว|ก่อน|ที่ผ่านมา|ที่ผ่าน)", "last_week"),
    (r"(?:this|current) month|month to date|mtd|rest of the month", "เดือนนี้|ต้นเดือน", "this_month"),
    (r"(?:last|previous) month", "เดือน(?:ที่แล้ว|ก่อน|ที่ผ่านมา|ที่ผ่าน)", "last_month"),
    (r"(?:this|current) year|year to date|ytd|so far this year", "ปีนี้|ต้นปี", "this_year"),
    (r"(?:last|previous) year", "ปี(?:ที่แล้ว|ก่อน|กลาย|ที่ผ่านมา|ที่ผ่าน)", "last_year"),
    (r"fortnight", "ครึ่งเดือน", "last_14d"),
    (r"half a year|half year", "ครึ่งปี(?!แรก|หลัง)", "last_182d"),
    (r"today|so far today", "วันนี้", "today"),
    (r"recently|lately|these days|nowadays|at the moment", "ช่วงนี้|ระยะนี้|หมู่นี้|พักนี้|เร็วๆนี้|เร็ว ๆ นี้", "last_30d"),
)


@dataclass(frozen=True)
class Line:
    """What a question says of time. ``dates`` are (day, whether its year was said); ``near`` counts days ahead;
    ``last`` and ``next`` are the words beside a weekday, weekend, quarter or (``next``) unit."""

    dates: tuple[tuple[date, bool], ...] = ()
    since: bool = False
    until: bool = False
    before: bool = False
    weekday: int | None = None
    weekend: bool = False
    month: int | None = None
    year: int | None = None
    quarter: int | None = None
    quarter_word: bool = False
    counted: tuple[int, Unit] | None = None
    ago: tuple[int, Unit] | None = None
    within: tuple[int, Unit] | None = None
    before_last: Unit | None = None
    start_of: Unit | None = None
    named: str | None = None
    near: int | None = None
    last: bool = False
    next: str = ""


def months_back(first: date, count: int) -> date:
    """The first day of the month ``count`` months before (after, if negative)."""
    index = first.year * 12 + first.month - 1 - count
    return date(index // 12, index % 12 + 1, 1)


class _Text:
    """A question in the two forms that are searched: English words, and Thai without tone marks."""

    def __init__(self, question: str) -> None:
        self.dated = fold(question)
        self.english = " ".join(re.findall(r"[^\W_\u0e00-\u0e7f]+", self.dated))
        self.thai = fold_thai(question)

    def has(self, english: str = "", thai: str = "") -> bool:
        return bool(
            (english and re.search(rf"\b(?:{english})\b", self.english)) or (thai and re.search(_thai(thai), self.thai))
        )


def _thai(pattern: str) -> str:
    """A Thai pattern as questions are folded."""
    return fold_thai(pattern)


def _thai_month(whole: str, brief: str) -> str:
    """A Thai month. Its abbreviation without dots is in many words (มีค in มีคลิป), so that it stands alone, after a
    number or after เดือน."""
    dotted = _thai(brief.removesuffix(".")).replace(".", r"\.\s?")
    bare = rf"(?:(?<=\d)|(?<=\d )|(?<=เดือน)|(?<=เดือน )){_thai(brief).replace('.', '')}(?![\u0e01-\u0e4e])"
    return rf"{_thai(whole)}|{dotted}|{bare}"


def read(question: str, today: date) -> Line:
    """The parts of time in a question. ``today`` completes dates that have no year."""
    text = _Text(question)
    weekday = _weekday(text)
    return Line(
        dates=_dates(text, today),
        since=text.has(r"since|starting|from \w+(?: \w+)? (?:on|onwards?)", "ตั้งแต่|นับจาก|นับแต่"),
        until=text.has(r"by|until|till", "ภายใน|ถึงวัน"),
        before=text.has(r"before", "ก่อนวัน|ก่อนถึง"),
        weekday=weekday,
        weekend=text.has(r"weekends?", "สุดสัปดาห์|เสาร์[- ]?อาทิตย์|เสาร์ ?- ?อาทิตย์"),
        month=_month(text),
        year=_year(text),
        quarter=_quarter(text),
        quarter_word=text.has("quarters?", "ไตรมาส"),
        counted=_counted(text),
        ago=_ago(text),
        within=_within(text),
        before_last=_before_last(text),
        start_of=_start_of(text),
        named=_named(text),
        near=_near(text),
        last=text.has(r"last|previous|past|over the", "ที่แล้ว|ที่ผ่านมา|ก่อน|ที่ผ่าน"),
        next=_next(text),
    )


_THAI_MONTH: Final = "|".join(
    f"(?P<t{index}>{_thai_month(whole, brief)})" for index, (_, whole, brief) in enumerate(_MONTHS, 1)
)
_ENGLISH_MONTH: Final = "|".join(f"(?P<e{index}>{english})" for index, (english, _, _) in enumerate(_MONTHS, 1))


def _month_of(match: re.Match[str]) -> int:
    return next(int(name[1:]) for name, value in match.groupdict().items() if value and name[1:].isdigit())


def _full_year(text: str | None) -> int | None:
    """A year of the common era, or of the Buddhist era (543 ahead) as Thai writes it."""
    if not text:
        return None
    value = int(text)
    value -= 543 if value > 2400 else 0
    return value if 2000 <= value <= 2100 else None


def _dates(text: _Text, today: date) -> tuple[tuple[date, bool], ...]:
    found: list[tuple[int, date, bool]] = []
    for match in re.finditer(r"\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\b", text.dated):
        _add(found, match.start(), _full_year(match[1]), int(match[2]), int(match[3]), today)
    for match in re.finditer(r"(?<!\d)(\d{1,2})/(\d{1,2})/(\d{4})\b", text.dated):
        _add(found, match.start(), _full_year(match[3]), int(match[2]), int(match[1]), today)
    english = rf"(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?:{_ENGLISH_MONTH})\b(?: (20\d\d|25\d\d))?"
    for match in re.finditer(rf"\b{english}", text.english):
        _add(found, match.start(), _full_year(match[match.re.groups]), _month_of(match), int(match[1]), today)
    other = rf"\b(?:{_ENGLISH_MONTH}) (\d{{1,2}})(?:st|nd|rd|th)?\b(?: (20\d\d|25\d\d))?"
    for match in re.finditer(other, text.english):
        day, year = match[match.re.groups - 1], match[match.re.groups]
        _add(found, match.start(), _full_year(year), _month_of(match), int(day), today)
    both = re.search(rf"(\d{{1,2}})\s*(?:-|ถึง|ถง)\s*(\d{{1,2}})\s*(?:{_THAI_MONTH})\s*(20\d\d|25\d\d)?", text.thai)
    if both is not None:
        for day in (both[1], both[2]):
            _add(found, both.start(), _full_year(both[both.re.groups]), _month_of(both), int(day), today)
    else:
        for match in re.finditer(rf"(\d{{1,2}})\s*(?:{_THAI_MONTH})\s*(20\d\d|25\d\d)?", text.thai):
            _add(found, match.start(), _full_year(match[match.re.groups]), _month_of(match), int(match[1]), today)
    return tuple((day, stated) for _, day, stated in sorted(found, key=lambda item: item[0]))


def _add(found: list[tuple[int, date, bool]], place: int, year: int | None, month: int, day: int, today: date) -> None:
    """Without a year it is the last such day up to today."""
    try:
        moment = date(year or today.year, month, day)
        if year is None and moment > today:
            moment = moment.replace(year=today.year - 1)
    except ValueError:
        return
    found.append((place, moment, year is not None))


def _month(text: _Text) -> int | None:
    """A month by its name. Short or ambiguous English ones (may, march, mar) need a word before or a year after."""
    before = "(?:in|of|during|since|for|from|last|until|between|through|(?:by|this|next|and|to|all)(?! may))"
    match = re.search(rf"\b{before} (?:{_ENGLISH_MONTH})\b(?! (?:have|be|not)\b)", text.english) or re.search(
        rf"\b(?:{_ENGLISH_MONTH}) (?:20\d\d|25\d\d)\b", text.english
    )
    if match is None:
        clear = re.search(rf"\b(?!may\b|mar\b|march\b|sep\b|dec\b|jan\b)(?:{_ENGLISH_MONTH})\b", text.english)
        match = clear or re.search(rf"(?:{_THAI_MONTH})", text.thai)
    return _month_of(match) if match is not None else None


def _year(text: _Text) -> int | None:
    match = re.search(r"(?<!\d)(20\d\d|25\d\d)(?!\d)", text.dated)
    if match is None or re.search(rf"{match[1]}\s*(?:views|baht|บาท|วิว|dollars|usd|thb)", text.dated):
        return None
    return _full_year(match[1])


def _quarter(text: _Text) -> int | None:
    match = re.search(r"\bq([1-4])\b", text.english) or re.search(r"ไตรมาส(?:ที่|ท)?\s*([1-4])", text.thai)
    return int(match[1]) if match else None


def _weekday(text: _Text) -> int | None:
    """English names in full, or short after a word of time. Thai ones after ``วัน``, or before ``นี้`` and the like; อาทิตย์
    alone is a week."""
    for index, (whole, brief, thai) in enumerate(_WEEKDAYS):
        if text.has(rf"{whole}s?|(?:since|on|last|next|this|by|until|before|from) {brief}"):
            return index
        beside = f"|{thai}(?:บดี)?(?:นี้|หน้า|ที่แล้ว|ที่ผ่านมา|ก่อน)" if whole != "sunday" else ""
        if text.has(thai=f"วัน{thai}{beside}"):
            return index
    return None


_COUNT = rf"(\d{{1,3}}|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})"
_THAI_COUNT = rf"(\d{{1,3}}|{'|'.join(sorted(map(_thai, _THAI_NUMBERS), key=len, reverse=True))})"
_THAI_UNIT = rf"(วัน|{_thai('สัปดาห์')}|{_thai('อาทิตย์')}|เดือน|ปี)"
_THAI_UNITS: Final[dict[str, Unit]] = {
    "วัน": "day",
    fold_thai("สัปดาห์"): "week",
    fold_thai("อาทิตย์"): "week",
    "เดือน": "month",
    "ปี": "year",
}


def _english_count(match: re.Match[str] | None) -> tuple[int, Unit] | None:
    if match is None:
        return None
    unit: Unit = match[2]  # type: ignore[assignment]
    return _NUMBERS.get(match[1]) or int(match[1]), unit


def _thai_count(match: re.Match[str] | None) -> tuple[int, Unit] | None:
    if match is None:
        return None
    numbers = {_thai(word): value for word, value in _THAI_NUMBERS.items()}
    return numbers.get(match[1]) or int(match[1]), _THAI_UNITS[match[2]]


_UNIT = "(day|week|month|year)s?"


def _ago(text: _Text) -> tuple[int, Unit] | None:
    return _english_count(re.search(rf"\b{_COUNT} {_UNIT} (?:ago|back|earlier)\b", text.english)) or _thai_count(
        re.search(rf"{_THAI_COUNT}\s*{_THAI_UNIT}\s*(?:{_thai('ก่อน')}|{_thai('ที่แล้ว')})", text.thai)
    )


_AHEAD: Final = "|".join(_thai(word) for word in ("ข้างหน้า", "ต่อจากนี้", "จากนี้", "ถัดไป", "หน้า"))


def _within(text: _Text) -> tuple[int, Unit] | None:
    if text.has("next few days|coming days"):
        return 7, "day"
    lead = "(?:in|within|over|for|next|coming|following)(?: the)?(?: next)?"
    thai = rf"(?:อีก|ภายใน|ใน)\s*{_THAI_COUNT}\s*{_THAI_UNIT}"
    after = rf"{_THAI_COUNT}\s*{_THAI_UNIT}\s*(?:{_AHEAD})"
    return _english_count(re.search(rf"\b{lead} {_COUNT} {_UNIT}\b", text.english)) or _thai_count(
        re.search(thai, text.thai) or re.search(after, text.thai)
    )


def _counted(text: _Text) -> tuple[int, Unit] | None:
    if _ago(text) is not None:
        return None
    lead = "(?:last|past|previous|recent|these|in|over|for|within)(?: the)?(?: last| past| previous)?(?: a)?"
    english = re.search(rf"\b{lead} {_COUNT} {_UNIT}\b", text.english) or re.search(
        rf"\b(\d{{1,3}}) {_UNIT}\b", text.english
    )
    return _english_count(english) or _thai_count(re.search(rf"{_THAI_COUNT}\s*{_THAI_UNIT}", text.thai))


def _before_last(text: _Text) -> Unit | None:
    if text.has("day before yesterday", "เมื่อวานซืน|เมื่อวานก่อน|วานซืน"):
        return "day"
    for unit in ("week", "month"):
        if text.has(f"{unit} before last"):
            return unit  # type: ignore[return-value]
    return None


def _start_of(text: _Text) -> Unit | None:
    match = re.search(r"\b(?:start|beginning|first day) of (?:the |this )?(week|month|year)\b", text.english)
    if match is not None:
        return match[1]  # type: ignore[return-value]
    for thai, unit in (("ต้นสัปดาห์|ต้นอาทิตย์", "week"), ("ต้นเดือน", "month"), ("ต้นปี", "year")):
        if text.has(thai=thai):
            return unit  # type: ignore[return-value]
    return None


def _named(text: _Text) -> str | None:
    for english, thai, name in _NAMED:
        guarded = f"(?<!วัน)(?:{thai})" if "อาทิตย์" in thai else thai
        if text.has(english, guarded):
            return name
    return None


def _near(text: _Text) -> int | None:
    if text.has("day after tomorrow", "มะรืน"):
        return 2
    if text.has("tomorrow|tmrw|tmr", "พรุ่งนี้|พรุ้งนี้"):
        return 1
    return 0 if text.has("today|tonight|this (?:evening|afternoon|morning)", "วันนี้|คืนนี้|เย็นนี้|บ่ายนี้") else None


def _next(text: _Text) -> str:
    match = re.search(r"\bnext (week|month)\b", text.english)
    if match is not None:
        return match[1]
    if text.has(thai="(?:สัปดาห์|อาทิตย์)หน้า") and not text.has(thai="วันอาทิตย์หน้า"):
        return "week"
    if text.has(thai="เดือนหน้า"):
        return "month"
    return "day" if text.has(r"next", "หน้า") else ""

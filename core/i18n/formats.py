"""Numbers, times, sizes and money as people read them, in both languages. Pure functions; no locale of the process."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from core.i18n.catalogue import t

_SYMBOLS = {"THB": "฿", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
_WITHOUT_MINOR = {"JPY", "KRW", "VND", "IDR"}


def clock(seconds: float) -> str:
    """A position on a timeline: ``0:07``, ``12:30``, ``1:02:03``. Seconds are cut, not rounded."""
    whole = max(int(seconds), 0)
    hours, rest = divmod(whole, 3600)
    minutes, secs = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{secs:02d}" if hours else f"{minutes}:{secs:02d}"


def duration(seconds: float, lang: str) -> str:
    """A length of time in words: ``8 s``, ``2 min 5 s``, ``1 h 3 min``. Under ten seconds with one decimal."""
    if seconds < 9.95:
        shown = f"{max(seconds, 0.0):.1f}".removesuffix(".0")
        return t("format.seconds", lang, seconds=shown)
    whole = round(seconds)
    if whole < 60:
        return t("format.seconds", lang, seconds=whole)
    if whole < 3600:
        minutes, secs = divmod(whole, 60)
        return (
            t("format.minutes_seconds", lang, minutes=minutes, seconds=secs)
            if secs
            else t("format.minutes", lang, minutes=minutes)
        )
    hours, minutes = divmod(round(whole / 60), 60)
    if not minutes:
        return t("format.hours", lang, hours=hours)
    return t("format.hours_minutes", lang, hours=hours, minutes=minutes)


def file_size(size_bytes: int) -> str:
    """A file's size in decimal units (SI, as disks are sold): ``812 kB``, ``1.4 GB``."""
    size = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 999.5:
            return f"{size:.0f} {unit}" if size >= 10 or unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def number(value: float | Decimal, lang: str = "en") -> str:
    """A count with thousands separated, at most two decimals: ``12,340``, ``3.5``. The same in both languages."""
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def percent(fraction: float | Decimal) -> str:
    """A fraction as per cent without decimals: ``0.423`` is ``42 %``."""
    return f"{float(fraction) * 100:.0f} %"


def money(amount: Decimal | int, currency: str) -> str:
    """An amount with its currency: ``฿1,250.00``, ``−$3.20``, ``1,000.00 SEK``."""
    value = Decimal(amount)
    places = 0 if currency in _WITHOUT_MINOR else 2
    digits = f"{abs(value):,.{places}f}"
    sign = "−" if value < 0 else ""
    symbol = _SYMBOLS.get(currency)
    return f"{sign}{symbol}{digits}" if symbol else f"{sign}{digits} {currency}"


def moment(value: datetime | date, lang: str, zone: str | ZoneInfo = "UTC") -> str:
    """A date, or a date and time in the reader's zone: ``22 Nov 2026, 18:05``; in Thai ``22 พ.ย. 2026 18:05 น.``.

    Years are Gregorian in Thai too, as the platforms the studio posts to show them.
    """
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        local = value.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone)
        day, time_text = local.date(), f"{local:%H:%M}"
    else:
        day, time_text = value, ""
    month = t(f"format.month.{day.month:02d}", lang)
    key = "format.date_time" if time_text else "format.date"
    return t(key, lang, day=day.day, month=month, year=day.year, time=time_text)

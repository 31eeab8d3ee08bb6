"""Answers as text whose every number is a reference: to a query that ran, and a cell of it.

Templates never write a number. ``Draft.number`` hands out a mark that survives the message catalogue; ``finish`` puts
the formatted value in its place and remembers where it stands, so that the page can open the query behind it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from core.advisor.results import Cell, Result
from core.advisor.slots import PART
from core.i18n import formats, t

_OPEN, _CLOSE = "\ue000", "\ue001"
_MARK: Final = re.compile(f"{_OPEN}(\\d+){_CLOSE}")


@dataclass(frozen=True)
class Span:
    """Characters ``start`` to ``end`` of the text are the value of ``cell`` of query ``query_id``."""

    start: int
    end: int
    query_id: UUID
    cell: str

    def as_dict(self) -> dict[str, Any]:
        return {"start": self.start, "end": self.end, "query_id": str(self.query_id), "cell": self.cell}


def shown(cell: Cell, currency: str, lang: str, zone: ZoneInfo) -> str:
    """A cell's value as people read it."""
    value = cell.value
    if value is None:
        return t("advisor.unknown_value", lang)
    if cell.kind == "money":
        return formats.money(Decimal(value), currency)
    if cell.kind == "percent":
        return formats.percent(value)
    if cell.kind == "rate":
        return f"{float(value) * 100:.1f} %"
    if cell.kind == "multiple":
        return f"{float(value):.1f}×"
    if cell.kind == "number":
        return f"{float(value):.1f}"
    if cell.kind == "moment":
        return formats.moment(value if isinstance(value, datetime) else datetime.fromisoformat(value), lang, zone)
    if cell.kind == "day":
        return formats.moment(value if isinstance(value, date) else date.fromisoformat(value), lang, zone)
    if cell.kind == "weekday":
        return t(f"advisor.weekday.{int(value)}", lang)
    if cell.kind == "part":
        return f"{int(value):02d}:00–{int(value) + PART:02d}:00"
    if cell.kind == "pattern":
        return t(f"advisor.titles.pattern.{value}", lang)
    if cell.kind in ("hours", "days"):
        rounded = round(float(value), 1)
        return t(f"advisor.{cell.kind}", lang, count=1 if rounded == 1 else formats.number(rounded, lang))
    if cell.kind == "count":
        return formats.number(Decimal(str(value)), lang)
    return str(value)


class Draft:
    """An answer being written in one language. Results must have been stored before (``query_id`` is set)."""

    def __init__(self, lang: str, zone: ZoneInfo) -> None:
        self.lang = lang
        self._zone = zone
        self._lines: list[str] = []
        self._quoted: list[tuple[Result, str]] = []

    def number(self, result: Result, cell: str) -> str:
        """A mark for a value of ``result``; raises KeyError for a cell that is not there."""
        result.cell(cell)
        self._quoted.append((result, cell))
        return f"{_OPEN}{len(self._quoted) - 1}{_CLOSE}"

    def say(self, key: str, **values: object) -> None:
        """A sentence of the catalogue, on a line of its own. Values are marks, quoted titles or catalogue words."""
        self._lines.append(t(key, self.lang, **values))

    def write(self, line: str) -> None:
        """A line in somebody else's words, with marks of :meth:`number` where its numbers belong."""
        self._lines.append(line)

    def finish(self) -> tuple[str, list[Span]]:
        """The text and where its numbers stand."""
        raw, text, spans = "\n".join(self._lines), "", list[Span]()
        last = 0
        for mark in _MARK.finditer(raw):
            text += raw[last : mark.start()]
            result, name = self._quoted[int(mark.group(1))]
            if result.query_id is None:
                raise RuntimeError(f"the query {result.name} was not stored")
            value = shown(result.cell(name), result.currency, self.lang, self._zone)
            spans.append(Span(len(text), len(text) + len(value), result.query_id, name))
            text += value
            last = mark.end()
        return text + raw[last:], spans

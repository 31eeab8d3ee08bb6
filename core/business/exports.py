"""Reading the files that AdSense and YouTube Studio export: which column is what, and what each line says (B4). Pure.

YouTube Studio (Analytics → advanced mode → export): a ZIP of "Table data.csv", "Chart data.csv" and "Totals.csv", with
"Date", "Content" (a video's id; "Video" before 2022), "Video title" and, of the money columns, "Your estimated revenue
(USD)" or "Estimated revenue (USD)"; a line "Total" comes first. AdSense (Reports → download): "Date", "Estimated
earnings (USD)"; the lines "Total" and "Average" come last; older ones are UTF-16 with tabs. The currency stands in the
column's name. Columns are found by their names in English, Thai and German, whatever their order and whatever stands
beside them; a money column in another language is found when it is the only one that names a currency.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal, Never

from core.business.money import CURRENCIES, exact
from core.business.tables import MAX_BYTES, MAX_ROWS
from core.errors import InvalidInput, TooLarge

Source = Literal["youtube_studio", "adsense"]
_DATE: Final = ("date", "day", "วันที่", "datum", "tag")
_VIDEO: Final = ("content", "video", "video id", "เนื้อหา", "วิดีโอ", "inhalte", "videoinhalte")
_TITLE: Final = ("video title", "ชื่อวิดีโอ", "videotitel")
_EARNED: Final = (
    *("your estimated revenue", "estimated partner revenue", "estimated revenue", "estimated earnings"),
    *("รายได้โดยประมาณของคุณ", "รายได้โดยประมาณ", "geschätzter umsatz", "geschätzte einnahmen", "earnings", "revenue"),
)
"""The names of all that was earned, the most telling first; parts of it (ads, Premium) are columns of their own."""
_ADSENSE: Final = ("estimated earnings", "earnings", "geschätzte einnahmen")
_NOT_MONEY: Final = ("rpm", "cpm", "cpc", "ecpm", "per 1,000", "playback-based")
_SUMS: Final = ("total", "totals", "average", "averages", "ผลรวม", "ยอดรวม", "รวม", "ค่าเฉลี่ย", "gesamt", "durchschnitt")
_CURRENCY: Final = re.compile(r"\(([A-Za-z]{3})\)\s*$")
_DAYS: Final = ("%Y-%m-%d", "%Y/%m/%d", "%b %d, %Y", "%B %d, %Y", "%d.%m.%Y", "%Y%m%d")
_TABLES: Final = ("chart data", "table data", "totals")
_MOST_FILES: Final = 20


@dataclass(frozen=True)
class Entry:
    """One line of money. ``video`` is the platform's id, empty where a line is about everything together."""

    line: int
    day: date
    amount: Decimal
    video: str = ""
    title: str = ""


@dataclass(frozen=True)
class Export:
    """What a file says. ``left_out`` are lines that say nothing new (sums), with their number."""

    source: Source
    currency: str
    entries: tuple[Entry, ...]
    left_out: tuple[int, ...] = ()


def read(content: bytes) -> Export | None:
    """Read an export; None when it is none (a table of the studio's own form, or something else).

    Raises:
        TooLarge: over 10 MB or 20,000 rows.
        InvalidInput: it is one, and a line or a needed column cannot be read; the sentence names the line.
    """
    if len(content) > MAX_BYTES:
        raise TooLarge("That table is too large.", "Split it into files under 10 MB.")
    if content[:4] == b"PK\x03\x04":
        return _from_archive(content)
    lines = _lines(content)
    if not lines:
        return None
    columns = _Columns.of(lines[0][1])
    if columns is None:
        return None
    return _export(columns, lines)


def _from_archive(content: bytes) -> Export:
    """Of the tables in a ZIP the one that says most: by video and day, then by day."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [item for item in archive.infolist() if item.filename.lower().endswith(".csv")]
            if len(names) > _MOST_FILES or sum(item.file_size for item in names) > 2 * MAX_BYTES:
                raise TooLarge("That table is too large.", "Export a shorter time.")
            names.sort(key=lambda item: _rank(item.filename))
            found = []
            for item in names:
                with archive.open(item) as file:
                    lines = _lines(file.read(MAX_BYTES + 1))
                columns = _Columns.of(lines[0][1]) if lines else None
                if columns is not None:
                    found.append((columns, lines))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError):
        raise InvalidInput("That file is not a table we can read.", "The archive is damaged.") from None
    found.sort(key=lambda item: (item[0].day is None, item[0].video is None))
    if not found:
        raise InvalidInput(
            "There is no revenue in that export.", "Add the column for estimated revenue and export again."
        )
    return _export(*found[0])


def _rank(name: str) -> int:
    base = name.rpartition("/")[2].lower()
    return next((place for place, known in enumerate(_TABLES) if base.startswith(known)), len(_TABLES))


def _lines(content: bytes) -> list[tuple[int, list[str]]]:
    """The filled lines of a table with their numbers, whatever encoding and separator it has."""
    for encoding in ("utf-16", "utf-8-sig") if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig",):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise InvalidInput("That file is not a table we can read.", "Save it as CSV in UTF-8.")
    head = text.partition("\n")[0]
    separator = max((",", ";", "\t"), key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    lines: list[tuple[int, list[str]]] = []
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                lines.append((reader.line_num, [cell.strip() for cell in cells]))
            if len(lines) > MAX_ROWS + 1:
                raise TooLarge("That table is too long.", "Split it into files of 20,000 rows.")
    except csv.Error as error:
        raise InvalidInput("That file is not a table we can read.", f"Line {reader.line_num}: {error}.") from None
    return lines


@dataclass(frozen=True)
class _Columns:
    """Where the columns stand."""

    day: int | None
    video: int | None
    title: int | None
    money: int
    currency: str
    source: Source

    @classmethod
    def of(cls, header: Sequence[str]) -> _Columns | None:
        """None where no column holds money with its currency: it is no export of the two."""
        names = [name.strip().lower() for name in header]
        money = [
            (place, _CURRENCY.sub("", name).strip(), match[1].upper())
            for place, name in enumerate(names)
            if (match := _CURRENCY.search(name))
            and match[1].upper() in CURRENCIES
            and not any(word in name for word in _NOT_MONEY)
        ]
        known = [item for wanted in _EARNED for item in money if item[1] == wanted]
        chosen = known[0] if known else (money[0] if len(money) == 1 else None)
        if chosen is None:
            return None
        day, video, title = (_place(names, wanted) for wanted in (_DATE, _VIDEO, _TITLE))
        adsense = video is None and title is None and chosen[1] in _ADSENSE
        return cls(day, video, title, chosen[0], chosen[2], "adsense" if adsense else "youtube_studio")


def _place(names: Sequence[str], wanted: Iterable[str]) -> int | None:
    return next((names.index(name) for name in wanted if name in names), None)


def _export(columns: _Columns, lines: Sequence[tuple[int, list[str]]]) -> Export:
    if columns.day is None:
        raise InvalidInput(
            "That export does not say on which days the money was earned.",
            "Choose “Date” as a second dimension, or take the file “Chart data”, and export again.",
        )
    entries, sums = [], []
    comma = _decimal_comma(_cell(cells, columns.money) for _line, cells in lines[1:])
    for line, cells in lines[1:]:
        if len(cells) < max(columns.day, columns.money) + 1 or any(cells[len(lines[0][1]) :]):
            _refuse(line, "It has more or fewer cells than the table has columns.")
        if any(cell.lower().rstrip(":") in _SUMS for cell in cells[: max(columns.day, columns.video or 0) + 1]):
            sums.append(line)
            continue
        amount = _cell(cells, columns.money)
        entries.append(
            Entry(
                line,
                _day(line, cells[columns.day]),
                _amount(line, amount, comma),
                _cell(cells, columns.video)[:200],
                _cell(cells, columns.title)[:300],
            )
        )
    return Export(columns.source, columns.currency, _added_up(entries), tuple(sums))


def _added_up(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """One entry for each day and video: a report by country or site has several lines of the same."""
    found: dict[tuple[date, str], Entry] = {}
    for entry in entries:
        key = entry.day, entry.video
        found[key] = replace(found[key], amount=found[key].amount + entry.amount) if key in found else entry
    return tuple(found.values())


def _cell(cells: Sequence[str], place: int | None) -> str:
    return cells[place] if place is not None and place < len(cells) else ""


def _decimal_comma(amounts: Iterable[str]) -> bool:
    """Whether the file writes 1.234,56: told by any amount that cannot be meant otherwise."""
    return any(re.search(r",\d{1,2}$|,\d{4,}$|\.\d{3},", amount) for amount in amounts)


def _amount(line: int, text: str, comma: bool) -> Decimal:
    plain = text.replace("\u00a0", "").replace(" ", "")
    if plain in ("", "-", "–", "—"):
        return Decimal(0)
    if comma:
        plain = plain.replace(".", "").replace(",", ".")
    try:
        return exact(plain)
    except InvalidInput as error:
        _refuse(line, f"“{text[:40]}”: {error.title}")


def _day(line: int, text: str) -> date:
    for form in _DAYS:
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    _refuse(line, f"“{text[:40]}” is not a day like 2026-03-31.")


def _refuse(line: int, why: str) -> Never:
    raise InvalidInput("A row of that table cannot be used. Nothing was imported.", f"Line {line}: {why}")

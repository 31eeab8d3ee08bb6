"""CSV in and out: what a spreadsheet shows and what people bring from one (B2, B4).

Cells that a spreadsheet would run as a formula are written with an apostrophe before them, and read back without it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, TypeVar
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.business.costs import Cost, enter_costs
from core.business.fx import record_rate
from core.business.money import exact
from core.business.revenue import Earning, record_earnings
from core.business.scope import owner_of
from core.business.targets import Target
from core.errors import InvalidInput, StudioError, TooLarge
from core.models.business import CostEntry, FxRate
from core.models.publishing import ContentChannel, Episode, PublicationRecord, Series

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
Item = TypeVar("Item")
MAX_ROWS: Final = 20_000
MAX_BYTES: Final = 10_000_000


def neutral(value: object) -> str:
    """A cell's text that no spreadsheet takes for a formula. Numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)
    text = str(value)
    return f"'{text}" if text.lstrip(" '").startswith(_FORMULA) else text


def write_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """UTF-8 with a byte-order mark (Excel then shows Thai), CRLF lines (RFC 4180), formulas neutralised."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([neutral(name) for name in columns])
    for row in rows:
        writer.writerow([neutral(value) for value in row])
    return ("\ufeff" + out.getvalue()).encode()


def read_csv(content: bytes, required: Iterable[str]) -> list[tuple[int, dict[str, str]]]:
    """The rows of a table with their line numbers; column names in lower case with underscores for blanks.

    Raises:
        TooLarge: over 10 MB or 20,000 rows.
        InvalidInput: not UTF-8, no header, or a required column is missing.
    """
    if len(content) > MAX_BYTES:
        raise TooLarge("That table is too large.", "Split it into files under 10 MB.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput("That file is not a table we can read.", "Save it as CSV in UTF-8.") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip().lower().replace(" ", "_") for name in next(reader, [])]
        missing = sorted(set(required) - set(header))
        if missing:
            raise InvalidInput("A column is missing in that table.", f"It needs: {', '.join(missing)}.")
        rows: list[tuple[int, dict[str, str]]] = []
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(rows) == MAX_ROWS:
                raise TooLarge("That table is too long.", "Split it into files of 20,000 rows.")
            with _naming(reader.line_num):
                rows.append((reader.line_num, _row(header, cells)))
    except csv.Error as error:
        raise InvalidInput("That file is not a table we can read.", f"Line {reader.line_num}: {error}.") from None
    return rows


def _row(header: list[str], cells: list[str]) -> dict[str, str]:
    """A row by its columns. One with more cells than columns was split at a comma inside a cell (1,250.00): every cell
    after it would stand in a wrong column."""
    values = [cell.strip()[1:] if _quoted(cell.strip()) else cell.strip() for cell in cells]
    if any(values[len(header) :]):
        raise InvalidInput(
            "The row has more cells than the table has columns.", "Put amounts with commas in quotation marks."
        )
    return dict(zip(header, values + [""] * (len(header) - len(values)), strict=False))


def _quoted(cell: str) -> bool:
    return len(cell) > 1 and cell[0] == "'" and cell[1:].lstrip(" '").startswith(_FORMULA)


@dataclass(frozen=True)
class Imported:
    """What an import did: rows read, rows that said something new."""

    rows: int
    written: int


def import_costs(
    session: Session, content: bytes, *, by: UUID | None, currency: str, simulated: bool = False
) -> Imported:
    """Costs from a table with ``date, amount, category`` and one of ``episode, series, channel`` (a title or an
    identifier), and optionally ``currency, months, share_by, note``. All rows or none; a row that is there already
    (same day, amount, kind, note and content) is not entered twice.
    """
    find = _Finder(session)

    def cost(row: dict[str, str]) -> Cost:
        return Cost(
            target=find.target(row),
            category=row["category"].lower().replace(" ", "_"),
            amount=exact(row["amount"]),
            currency=row.get("currency") or currency,
            incurred_on=_day(row["date"]),
            amortise_months=_whole(row.get("months") or "1"),
            allocation=row.get("share_by") or "equal",
            note=row.get("note") or None,
            simulated=simulated,
        ).checked()

    costs = _each(read_csv(content, ("date", "amount", "category")), cost)
    known = {
        (row.incurred_on, row.amount, row.currency, row.category, row.note, row.simulated, _key(row))
        for row in session.scalars(select(CostEntry).where(CostEntry.owner_id == owner_of(session)))
    }
    new = [
        item
        for item in costs
        if (
            *(item.incurred_on, item.amount, item.currency, item.category, item.note, item.simulated),
            item.target.key,
        )
        not in known
    ]
    enter_costs(session, new, by=by)
    return Imported(len(costs), len(new))


def import_revenue(
    session: Session, content: bytes, *, by: UUID | None, currency: str, simulated: bool = False
) -> Imported:
    """Revenue from a table with ``date, amount`` and one of ``post, episode, series, channel``, and optionally
    ``currency, kind, category, reference, source, note``. All rows or none. Without a ``reference`` the day, content
    and category name the record: the same table again writes nothing, a changed amount is a correction.
    """
    find = _Finder(session)

    def earning(row: dict[str, str]) -> Earning:
        target, day = find.target(row), _day(row["date"])
        category = row.get("category") or "platform"
        source = row.get("source") or "import"
        return Earning(
            target=target,
            amount=exact(row["amount"]),
            currency=row.get("currency") or currency,
            earned_on=day,
            source=source[:60],
            external_ref=_reference(row.get("reference", "")) or f"{day.isoformat()}:{target.key}:{category[:40]}",
            kind=(row.get("kind") or "finalised").lower(),
            category=category[:40],
            simulated=simulated,
            note=row.get("note") or None,
        ).checked()

    earnings = _each(read_csv(content, ("date", "amount")), earning)
    return Imported(len(earnings), record_earnings(session, earnings, by=by))


def import_rates(session: Session, content: bytes, *, by: UUID | None) -> Imported:
    """Exchange rates from a table with ``date, base, quote, rate``: one ``base`` is worth ``rate`` ``quote``."""
    rows = read_csv(content, ("date", "base", "quote", "rate"))
    before = _revisions(session)
    for line, row in rows:
        with _naming(line):
            record_rate(
                session, row["base"], row["quote"], _day(row["date"]), _rate(row["rate"]), source="import", by=by
            )
    return Imported(len(rows), _revisions(session) - before)


def _revisions(session: Session) -> int:
    return session.scalar(select(func.count(FxRate.id)).where(FxRate.owner_id == owner_of(session))) or 0


class _naming:
    """Says which line of a table an error is about."""

    def __init__(self, line: int) -> None:
        self._line = line

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, StudioError):
            detail = f"Line {self._line}: {error.title} {error.detail}".strip()
            raise InvalidInput("A row of that table cannot be used. Nothing was imported.", detail) from error


def _each(rows: list[tuple[int, dict[str, str]]], make: Callable[[dict[str, str]], Item]) -> list[Item]:
    made = []
    for line, row in rows:
        with _naming(line):
            made.append(make(row))
    return made


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput("That is not a day.", "Write it like 2026-03-31.") from None


def _reference(text: str) -> str:
    if len(text) > 200:
        raise InvalidInput("That reference is too long.", "Two hundred characters are enough.")
    return text


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 4:
        raise InvalidInput("That is not a number of months.")
    return int(text)


def _rate(text: str) -> Decimal:
    try:
        return Decimal(text)
    except ArithmeticError:
        raise InvalidInput("That is not a rate.", "Write it like 36.25.") from None


def _key(row: CostEntry) -> UUID:
    return Target(row.channel_id, row.series_id, row.episode_id, row.publication_id).key


class _Finder:
    """Finds content by identifier or by its exact name."""

    def __init__(self, session: Session) -> None:
        owner_id = owner_of(session)
        self._tables: dict[str, list[tuple[UUID, str]]] = {}
        for name, key, title, owner in (
            ("post", PublicationRecord.id, PublicationRecord.title, PublicationRecord.owner_id),
            ("episode", Episode.id, Episode.title, Episode.owner_id),
            ("series", Series.id, Series.name, Series.owner_id),
            ("channel", ContentChannel.id, ContentChannel.name, ContentChannel.owner_id),
        ):
            self._tables[name] = [
                (row[0], row[1]) for row in session.execute(select(key, title).where(owner == owner_id))
            ]

    def target(self, row: dict[str, str]) -> Target:
        """What the row's money belongs to: its first filled column of post, episode, series, channel."""
        name = next((name for name in self._tables if row.get(name)), None)
        if name is None:
            raise InvalidInput("The row does not say what it belongs to.", "Fill episode, series or channel.")
        wanted = row[name]
        found = [key for key, title in self._tables[name] if str(key) == wanted.lower() or title == wanted]
        if len(found) != 1:
            reason = "Several have that name." if found else "Nothing has that name."
            raise InvalidInput(f"The {name} “{wanted[:80]}” cannot be told.", reason)
        column = {"post": "publication_id"}.get(name, f"{name}_id")
        return Target(**{column: found[0]})

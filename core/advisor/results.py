"""The result of a named query: rows that can be shown, and cells that an answer may quote."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from core.business.figures import Ran


@dataclass(frozen=True)
class Column:
    """``kind`` is text, money, count, percent, rate (of one, with a decimal), multiple, number, moment, day, weekday (0
    is Monday), part (of the day, by its first hour), pattern (of titles), hours or days."""

    name: str
    kind: str


@dataclass(frozen=True)
class Cell:
    """A value an answer quotes; ``how`` says how it was derived when it is not in one row."""

    value: Any
    kind: str
    how: str = ""


@dataclass
class Result:
    """A query as it ran. Money is in ``currency``. A cell ``2.revenue`` is column ``revenue`` of the third row.

    ``missing_rates`` are currencies of amounts that could not be converted and are in no figure.
    """

    name: str
    columns: tuple[Column, ...]
    rows: list[dict[str, Any]]
    statement: str
    parameters: dict[str, Any]
    currency: str
    simulated: bool
    data_through: datetime | None = None
    derived: dict[str, Cell] = field(default_factory=dict)
    missing_rates: tuple[str, ...] = ()
    query_id: UUID | None = None

    def cell(self, name: str) -> Cell:
        """The named value.

        Raises:
            KeyError: the result has no such cell: a mistake of a template.
        """
        if name in self.derived:
            return self.derived[name]
        row, _, column = name.partition(".")
        kinds = {item.name: item.kind for item in self.columns}
        if not row.isdigit() or column not in kinds or int(row) >= len(self.rows):
            raise KeyError(name)
        return Cell(self.rows[int(row)][column], kinds[column])


def joined(ran: Iterable[Ran]) -> tuple[str, dict[str, Any]]:
    """The SQL of several queries in order, and their parameters by query."""
    several = list(ran)
    statement = ";\n\n".join(f"-- {item.name}\n{item.statement}" for item in several)
    parameters = {item.name: {name: _brief(value) for name, value in item.parameters.items()} for item in several}
    return statement, parameters


def _brief(value: Any) -> Any:
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) > 20:
        return [jsonable(item) for item in value[:20]] + [f"… {len(value)}"]
    return jsonable(value)


def jsonable(value: Any) -> Any:
    """A value as JSON keeps it: decimals, days, moments, lengths of time and identifiers as text."""
    if isinstance(value, dict):
        return {str(name): jsonable(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [jsonable(item) for item in value]
    if isinstance(value, Decimal | UUID | timedelta):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value

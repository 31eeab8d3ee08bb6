"""Keeping what ran: a query's row is written before an answer may quote it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from core.advisor.results import Cell, Result, jsonable
from core.business.scope import owner_of
from core.models.advisor import AdvisorQuery
from core.models.base import uuid7


def keep(session: Session, result: Result, *, conversation_id: UUID | None = None) -> AdvisorQuery:
    """Store a query with its SQL, parameters, rows and named cells, and give the result its ``query_id``."""
    row = row_of(owner_of(session), result, conversation_id=conversation_id)
    session.add(row)
    session.flush()
    return row


def row_of(owner_id: UUID, result: Result, *, conversation_id: UUID | None = None) -> AdvisorQuery:
    """The row of a query, to be stored before or with the answer that quotes it; the result gets its ``query_id``."""
    if result.data_through is not None:
        result.derived.setdefault("data_through", Cell(result.data_through, "moment", "newest observation in the rows"))
    row = AdvisorQuery(
        id=uuid7(),
        owner_id=owner_id,
        conversation_id=conversation_id,
        name=result.name,
        statement=result.statement,
        parameters=jsonable(result.parameters),
        columns=[{"name": item.name, "kind": item.kind, "currency": result.currency} for item in result.columns],
        rows=jsonable(result.rows),
        cells={
            name: {"value": jsonable(cell.value), "kind": cell.kind, "how": cell.how}
            for name, cell in result.derived.items()
        },
        row_count=len(result.rows),
        simulated=result.simulated,
        data_through=result.data_through,
    )
    result.query_id = row.id
    return row


def stored_cell(row: AdvisorQuery, name: str) -> Cell:
    """A cell of a stored query, to show where a number came from.

    Raises:
        KeyError: no such cell.
    """
    if name in row.cells:
        found = row.cells[name]
        value = (
            datetime.fromisoformat(found["value"]) if found["kind"] == "moment" and found["value"] else found["value"]
        )
        return Cell(value, found["kind"], found["how"])
    index, _, column = name.partition(".")
    kinds = {item["name"]: item["kind"] for item in row.columns}
    if not index.isdigit() or column not in kinds or int(index) >= len(row.rows):
        raise KeyError(name)
    return Cell(row.rows[int(index)][column], kinds[column])

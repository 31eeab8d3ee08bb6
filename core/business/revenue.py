"""Money earned: recorded once per reference of its source, corrected by newer rows, never by changing old ones (B4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from core.business import rollups
from core.business.money import currency_code, exact
from core.business.targets import Target, owner_of_target
from core.errors import Conflict, InvalidInput
from core.models.business import REVENUE_KINDS, RevenueRecord


@dataclass(frozen=True)
class Earning:
    """One amount of one day. ``external_ref`` names it at ``source`` and stays the same when the source revises it.

    A simulated source is named so, which keeps its references apart: no simulated figure can supersede a real one.
    """

    target: Target
    amount: Decimal
    currency: str
    earned_on: date
    source: str
    external_ref: str
    kind: str = "estimated"
    category: str = "platform"
    report_tz: str | None = None
    simulated: bool = False
    void: bool = False
    note: str | None = None

    def __post_init__(self) -> None:
        if self.simulated and not self.source.startswith("simulated"):
            object.__setattr__(self, "source", f"simulated:{self.source}")

    def checked(self) -> Earning:
        """The same with its amount and currency in the form they are stored in.

        Raises:
            InvalidInput: an unknown kind or currency, not an amount, or no source or reference.
        """
        if self.kind not in REVENUE_KINDS:
            raise InvalidInput("That kind of revenue is not known.", "It is estimated or finalised.")
        if not self.external_ref or not self.source:
            raise InvalidInput("Revenue needs its source and a reference.")
        return replace(self, amount=exact(self.amount), currency=currency_code(self.currency))


def record_earnings(session: Session, earnings: Iterable[Earning], *, by: UUID | None = None) -> int:
    """Store earnings; returns how many rows were written.

    The same statement again writes nothing. Another amount, day, currency or kind under a known reference is a new
    revision that supersedes the last one. A finalised figure is not replaced by an estimate that comes later, and a
    person's correction stays until the source says something new.

    Raises:
        NotFound: what it belongs to does not exist.
        InvalidInput: an unknown kind or currency, or not an amount.
    """
    given = list(earnings)
    written, touched = 0, dict[UUID, set[UUID]]()
    owners = {target: owner_of_target(session, target) for target in {item.target for item in given}}
    rollups.lock(session, "finance", owners.values())
    for item in given:
        owner_id = owners[item.target]
        last = _last(session, owner_id, item.source, item.external_ref)
        row = _row(item, owner_id, last, by)
        if last is not None and _same(last, row):
            continue
        if last is not None and last.kind == "finalised" and item.kind == "estimated":
            continue
        if last is not None and by is None and last.created_by is not None:
            reported = _last(session, owner_id, item.source, item.external_ref, by_source=True)
            if reported is not None and _same(reported, row):
                continue
        session.add(row)
        session.flush()
        written += 1
        scopes = touched.setdefault(owner_id, set())
        scopes.add(item.target.key)
        if last is not None:
            scopes.add(_scope(last))
    for owner_id, scopes in touched.items():
        rollups.refresh_finance(session, owner_id, scopes)
    return written


def record_revenue(session: Session, earning: Earning, *, by: UUID | None = None) -> bool:
    """Store one earning; returns whether it said anything new. See :func:`record_earnings`."""
    return record_earnings(session, [earning], by=by) == 1


def correct_revenue(
    session: Session, row: RevenueRecord, *, by: UUID, amount: Decimal | None = None, void: bool = False, note: str = ""
) -> RevenueRecord:
    """A person's correction of a record: a new revision with another amount, or one that says it does not count.

    Raises:
        Conflict: ``row`` was corrected already; only the newest revision can be.
    """
    rollups.lock(session, "finance", [row.owner_id])
    last = _last(session, row.owner_id, row.source, row.external_ref)
    if last is None or last.id != row.id:
        raise Conflict("This figure was corrected in the meantime.", "Open it again to see the newest one.")
    item = Earning(
        target=Target(row.channel_id, row.series_id, row.episode_id, row.publication_id),
        amount=row.amount if amount is None else amount,
        currency=row.currency,
        earned_on=row.earned_on,
        source=row.source,
        external_ref=row.external_ref,
        kind=row.kind,
        category=row.category,
        report_tz=row.report_tz,
        simulated=row.simulated,
        void=void,
        note=note or row.note,
    )
    corrected = _row(item, row.owner_id, row, by)
    session.add(corrected)
    session.flush()
    rollups.refresh_finance(session, row.owner_id, [_scope(row)])
    return corrected


def current_revenue(session: Session, *, simulated: bool = False, limit: int = 200) -> list[RevenueRecord]:
    """The newest revisions that count, newest day first."""
    newer = aliased(RevenueRecord)
    return list(
        session.scalars(
            select(RevenueRecord)
            .outerjoin(newer, newer.supersedes_id == RevenueRecord.id)
            .where(newer.id.is_(None), RevenueRecord.void.is_(False), RevenueRecord.simulated.is_(simulated))
            .order_by(RevenueRecord.earned_on.desc(), RevenueRecord.id.desc())
            .limit(limit)
        )
    )


def revenue_history(session: Session, row: RevenueRecord) -> list[RevenueRecord]:
    """All revisions of a record, oldest first."""
    return list(
        session.scalars(
            select(RevenueRecord)
            .where(
                RevenueRecord.owner_id == row.owner_id,
                RevenueRecord.source == row.source,
                RevenueRecord.external_ref == row.external_ref,
            )
            .order_by(RevenueRecord.revision)
        )
    )


def _last(
    session: Session, owner_id: UUID, source: str, external_ref: str, *, by_source: bool = False
) -> RevenueRecord | None:
    """The newest revision; with ``by_source`` the newest that no person wrote."""
    statement = (
        select(RevenueRecord)
        .where(
            RevenueRecord.owner_id == owner_id,
            RevenueRecord.source == source,
            RevenueRecord.external_ref == external_ref,
        )
        .order_by(RevenueRecord.revision.desc())
        .limit(1)
    )
    return session.scalar(statement.where(RevenueRecord.created_by.is_(None)) if by_source else statement)


def _row(item: Earning, owner_id: UUID, last: RevenueRecord | None, by: UUID | None) -> RevenueRecord:
    item = item.checked()
    return RevenueRecord(
        owner_id=owner_id,
        **item.target.columns(),
        source=item.source,
        external_ref=item.external_ref,
        revision=last.revision + 1 if last else 1,
        supersedes_id=last.id if last else None,
        kind=item.kind,
        category=item.category,
        amount=item.amount,
        currency=item.currency,
        earned_on=item.earned_on,
        report_tz=item.report_tz,
        void=item.void,
        simulated=item.simulated,
        note=item.note,
        created_by=by,
    )


_COMPARED = ("kind", "category", "amount", "currency", "earned_on", "report_tz", "void", "simulated", "note")


def _same(one: RevenueRecord, other: RevenueRecord) -> bool:
    return _scope(one) == _scope(other) and all(getattr(one, name) == getattr(other, name) for name in _COMPARED)


def _scope(row: RevenueRecord) -> UUID:
    return Target(row.channel_id, row.series_id, row.episode_id, row.publication_id).key

"""Money spent: entered by people, corrected by newer rows, with who did it (B4)."""

from __future__ import annotations

from collections import defaultdict
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
from core.database import get_owned
from core.errors import Conflict, InvalidInput
from core.models.assets import Asset
from core.models.base import uuid7
from core.models.business import ALLOCATIONS, COST_CATEGORIES, CostEntry


@dataclass(frozen=True)
class Cost:
    """One amount spent on one day. See :class:`core.models.business.CostEntry`."""

    target: Target
    category: str
    amount: Decimal
    currency: str
    incurred_on: date
    amortise_months: int = 1
    allocation: str = "equal"
    receipt_asset_id: UUID | None = None
    note: str | None = None
    simulated: bool = False

    def checked(self) -> Cost:
        """The same with its amount and currency in the form they are stored in.

        Raises:
            InvalidInput: an unknown category, currency or rule, a negative amount, or impossible months.
        """
        if self.category not in COST_CATEGORIES:
            raise InvalidInput("That kind of cost is not known.", f"It is one of: {', '.join(COST_CATEGORIES)}.")
        if self.allocation not in ALLOCATIONS:
            raise InvalidInput("That way to share a cost is not known.", f"It is one of: {', '.join(ALLOCATIONS)}.")
        if not 1 <= self.amortise_months <= 120:
            raise InvalidInput("A cost is spread over 1 to 120 months.")
        amount = exact(self.amount)
        if amount < 0:
            raise InvalidInput("A cost is not negative.", "Correct the entry instead of entering a refund.")
        return replace(self, amount=amount, currency=currency_code(self.currency))


def enter_costs(session: Session, costs: Iterable[Cost], *, by: UUID | None = None) -> list[CostEntry]:
    """Store new costs and bring the daily figures up to date.

    Raises:
        NotFound: what a cost belongs to, or its receipt, does not exist.
        InvalidInput: an unknown category, currency or rule, a negative amount, or impossible months.
    """
    rows: list[CostEntry] = []
    touched: dict[UUID, set[UUID]] = defaultdict(set)
    for cost in costs:
        owner_id = owner_of_target(session, cost.target)
        row = _row(session, cost, owner_id, by)
        row.entry_ref = uuid7()
        session.add(row)
        rows.append(row)
        touched[owner_id].add(cost.target.key)
    session.flush()
    for owner_id in sorted(touched):
        rollups.refresh_finance(session, owner_id, touched[owner_id])
    return rows


def enter_cost(session: Session, cost: Cost, *, by: UUID | None = None) -> CostEntry:
    """Store one new cost. See :func:`enter_costs`."""
    return enter_costs(session, [cost], by=by)[0]


def correct_cost(session: Session, row: CostEntry, cost: Cost, *, by: UUID, void: bool = False) -> CostEntry:
    """A new revision of a cost; with ``void`` the cost no longer counts (a deletion that stays visible).

    Raises:
        Conflict: ``row`` was corrected already; only the newest revision can be.
    """
    rollups.lock(session, "finance", [row.owner_id])
    newest = session.scalar(
        select(CostEntry).where(CostEntry.entry_ref == row.entry_ref).order_by(CostEntry.revision.desc()).limit(1)
    )
    if newest is None or newest.id != row.id:
        raise Conflict("This cost was corrected in the meantime.", "Open it again to see the newest one.")
    if owner_of_target(session, cost.target) != row.owner_id:
        raise Conflict("A cost cannot move to another studio.")
    corrected = _row(session, cost, row.owner_id, by)
    corrected.entry_ref = row.entry_ref
    corrected.revision = row.revision + 1
    corrected.supersedes_id = row.id
    corrected.void = void
    session.add(corrected)
    session.flush()
    rollups.refresh_finance(session, row.owner_id, [cost_target(row).key, cost.target.key])
    return corrected


def cost_of(row: CostEntry) -> Cost:
    """The cost a row states, to change a part of it."""
    return Cost(
        target=cost_target(row),
        category=row.category,
        amount=row.amount,
        currency=row.currency,
        incurred_on=row.incurred_on,
        amortise_months=row.amortise_months,
        allocation=row.allocation,
        receipt_asset_id=row.receipt_asset_id,
        note=row.note,
        simulated=row.simulated,
    )


def cost_target(row: CostEntry) -> Target:
    """What a cost belongs to."""
    return Target(row.channel_id, row.series_id, row.episode_id, row.publication_id)


def current_costs(
    session: Session, *, simulated: bool = False, episode_id: UUID | None = None, limit: int = 200
) -> list[CostEntry]:
    """The newest revisions that count, newest day first."""
    newer = aliased(CostEntry)
    statement = (
        select(CostEntry)
        .outerjoin(newer, newer.supersedes_id == CostEntry.id)
        .where(newer.id.is_(None), CostEntry.void.is_(False), CostEntry.simulated.is_(simulated))
        .order_by(CostEntry.incurred_on.desc(), CostEntry.id.desc())
        .limit(limit)
    )
    if episode_id is not None:
        statement = statement.where(CostEntry.episode_id == episode_id)
    return list(session.scalars(statement))


def cost_history(session: Session, row: CostEntry) -> list[CostEntry]:
    """All revisions of a cost, oldest first: who changed what, and when."""
    return list(
        session.scalars(select(CostEntry).where(CostEntry.entry_ref == row.entry_ref).order_by(CostEntry.revision))
    )


def _row(session: Session, cost: Cost, owner_id: UUID, by: UUID | None) -> CostEntry:
    cost = cost.checked()
    if cost.receipt_asset_id is not None:
        get_owned(session, Asset, cost.receipt_asset_id)
    return CostEntry(
        owner_id=owner_id,
        **cost.target.columns(),
        category=cost.category,
        amount=cost.amount,
        currency=cost.currency,
        incurred_on=cost.incurred_on,
        amortise_months=cost.amortise_months,
        allocation=cost.allocation,
        receipt_asset_id=cost.receipt_asset_id,
        note=cost.note,
        simulated=cost.simulated,
        created_by=by,
    )

"""What platforms told us not to do yet, stored so that every process waits: by account, or for our application."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.models.base import uuid7
from core.models.publishing import AccountLimit


@dataclass(frozen=True)
class Block:
    """No call of this kind before ``until``."""

    until: datetime
    reason: str


def blocked(session: Session, platform: str, account_id: UUID | None, kind: str) -> Block | None:
    """The longest block in force for calls of ``kind`` (or of all kinds, ``*``) by an account, or None."""
    row = session.scalar(
        select(AccountLimit)
        .where(
            AccountLimit.platform == platform,
            AccountLimit.kind.in_((kind, "*")),
            or_(AccountLimit.account_id.is_(None), AccountLimit.account_id == account_id),
            AccountLimit.blocked_until > func.clock_timestamp(),
        )
        .order_by(AccountLimit.blocked_until.desc())
        .limit(1)
    )
    return Block(row.blocked_until, row.reason) if row is not None and row.blocked_until is not None else None


def block(session: Session, platform: str, account_id: UUID | None, kind: str, until: datetime, reason: str) -> None:
    """Hold calls of ``kind`` back until an instant. An earlier, longer block stays."""
    statement = insert(AccountLimit).values(
        id=uuid7(), platform=platform, account_id=account_id, kind=kind, used=0, blocked_until=until, reason=reason
    )
    session.execute(
        statement.on_conflict_do_update(
            constraint="uq_account_limits_kind",
            set_={
                "blocked_until": func.greatest(AccountLimit.blocked_until, statement.excluded.blocked_until),
                "reason": statement.excluded.reason,
                "updated_at": func.now(),
            },
        )
    )


def spend(
    session: Session, platform: str, kind: str, units: int, allowance: int, resets_at: datetime, now: datetime
) -> int:
    """Count what a call costs in the window that ends at ``resets_at``; returns what has been spent in it so far."""
    row = session.scalar(
        select(AccountLimit)
        .where(AccountLimit.platform == platform, AccountLimit.account_id.is_(None), AccountLimit.kind == kind)
        .with_for_update()
    )
    if row is None:
        session.execute(
            insert(AccountLimit)
            .values(id=uuid7(), platform=platform, account_id=None, kind=kind, used=0, reason="")
            .on_conflict_do_nothing()
        )
        row = session.scalars(
            select(AccountLimit)
            .where(AccountLimit.platform == platform, AccountLimit.account_id.is_(None), AccountLimit.kind == kind)
            .with_for_update()
        ).one()
    if row.resets_at is None or row.resets_at <= now:
        row.used = 0
    row.used += units
    row.allowance = allowance
    row.resets_at = resets_at
    session.flush()
    return row.used


def standing(session: Session, platform: str, account_id: UUID | None) -> list[AccountLimit]:
    """Every counted allowance and block of an account and of the application on its platform."""
    return list(
        session.scalars(
            select(AccountLimit)
            .where(
                AccountLimit.platform == platform,
                or_(AccountLimit.account_id.is_(None), AccountLimit.account_id == account_id),
            )
            .order_by(AccountLimit.kind)
        )
    )

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

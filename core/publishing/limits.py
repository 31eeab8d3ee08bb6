"""What platforms told us not to do yet, stored so that every process waits: by account, or for our application."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import case, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.models.base import uuid7
from core.models.publishing import AccountLimit
from core.publishing.rules import rules_of
from core.publishing.schedule import pacific_midnight


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


@dataclass(frozen=True)
class Usage:
    """What the studio has spent of one of a platform's daily buckets until ``resets_at``."""

    kind: str
    used: int
    allowance: int
    resets_at: datetime

    @property
    def left(self) -> int:
        return max(self.allowance - self.used, 0)


def spend(session: Session, platform: str, call: str, now: datetime) -> None:
    """Count a call against our application's bucket of the day. Refused calls cost too (Data API, "Quota")."""
    rules = rules_of(platform)
    kind = call if call in rules.daily else "units"
    cost = 1 if call in rules.daily else rules.costs.get(call, 1)
    ends = pacific_midnight(now)
    statement = insert(AccountLimit).values(
        id=uuid7(),
        platform=platform,
        account_id=None,
        kind=kind,
        used=cost,
        allowance=rules.daily[kind],
        resets_at=ends,
    )
    session.execute(
        statement.on_conflict_do_update(
            constraint="uq_account_limits_kind",
            set_={
                "used": case(
                    (AccountLimit.resets_at == statement.excluded.resets_at, AccountLimit.used + cost), else_=cost
                ),
                "allowance": statement.excluded.allowance,
                "resets_at": statement.excluded.resets_at,
                "updated_at": func.now(),
            },
        )
    )


def usage(session: Session, platform: str, now: datetime) -> list[Usage]:
    """Today's buckets of a platform, as far as this studio has spent them itself; empty where it counts none."""
    ends = pacific_midnight(now)
    rows = session.scalars(
        select(AccountLimit).where(
            AccountLimit.platform == platform, AccountLimit.account_id.is_(None), AccountLimit.resets_at == ends
        )
    )
    used = {row.kind: row.used for row in rows}
    return [Usage(kind, used.get(kind, 0), allowance, ends) for kind, allowance in rules_of(platform).daily.items()]


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

"""Posts whose time has come and that have not started: whether that is late already, and why."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from core.models.jobs import Job
from core.models.publishing import PublicationRecord
from core.publishing.payloads import LateOut
from core.publishing.plan import database_now
from core.publishing.schedule import START_TOLERANCE

UPLOADING = ("claimed", "submitting")


Key = UUID | ColumnElement[UUID] | InstrumentedAttribute[UUID]


def account_is_busy(account_id: Key, but: Key) -> ColumnElement[bool]:
    """Whether another publication of an account is on its way up: one account never uploads two things at once."""
    other = aliased(PublicationRecord)
    return exists(
        select(other.id).where(
            and_(
                other.account_id == account_id,
                other.id != but,
                other.state.in_(UPLOADING),
                other.remote_id.is_(None),
            )
        )
    )


def late(session: Session, record: PublicationRecord) -> LateOut | None:
    """How late a publication is, with the reason; None while it is in time, under way, or settled."""
    if record.due_at is None or record.state not in ("scheduled", "claimed") or record.withdraw:
        return None
    behind: timedelta = database_now(session) - record.due_at
    if behind <= START_TOLERANCE:
        return None
    seconds = int(behind.total_seconds())
    if record.state == "claimed":
        job = session.get(Job, UUID(record.lease_owner.partition(":")[0])) if record.lease_owner else None
        if job is None or job.status == "queued":
            return LateOut(seconds=seconds, code="waiting_worker")
        return None
    if record.not_before is not None and record.not_before > record.due_at + behind:
        return LateOut(seconds=seconds, code="put_off", until=record.not_before)
    if record.remote_id is None and session.scalar(select(account_is_busy(record.account_id, record.id))):
        return LateOut(seconds=seconds, code="account_busy")
    return LateOut(seconds=seconds, code="not_dispatched")

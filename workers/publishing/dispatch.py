"""What the dispatcher does for publishing, any number of copies at once: due posts, lost leases, due readings.

Each function opens its own transactions, takes rows with SKIP LOCKED, and hands work over as jobs in the same
transaction that says so.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, not_, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from core import database, jobs
from core.models.jobs import Job
from core.models.publishing import PlatformAccount, PublicationAttempt, PublicationRecord
from core.publishing import episodes, limits, states
from core.publishing.payloads import PublishingUploadInput, SyncMetricsInput, SyncRevenueInput
from core.publishing.plan import announce, database_now
from core.publishing.rules import RULES, rules_of
from core.publishing.schedule import AHEAD, lateness, next_sync
from core.publishing.waiting import account_is_busy
from core.security import Actor
from workers.publishing.ledger import LEASE, MAXIMUM_ATTEMPTS, STAGED, UNRESOLVED, lease_name

BATCH = 20
SYNC_BATCH = 200
REVENUE_EVERY = timedelta(days=1)
_log = logging.getLogger(__name__)


def system_actor(owner_id: UUID) -> Actor:
    """The studio itself, acting for an owner."""
    return Actor(owner_id, owner_id, "owner")


def dispatch_due() -> int:
    """Start every publication whose time has come; returns how many. What is too late by its own policy is missed.

    Of one account one upload is started at a time, the one due first; what a platform publishes at its own clock is
    started ahead.
    """
    started = 0
    while True:
        with database.session() as session:
            rows = session.scalars(
                select(PublicationRecord)
                .where(PublicationRecord.state == "scheduled", PublicationRecord.id.in_(_next_of_each_account()))
                .order_by(PublicationRecord.due_at)
                .limit(BATCH)
                .with_for_update(skip_locked=True)
            ).all()
            mine = [record for record in rows if _account_is_free(session, record)]
            started += sum(_start(session, record) for record in mine)
        if not mine:
            return started


def _next_of_each_account() -> Select[UUID]:
    """Of every account that is not uploading the publication to upload next; and all that are there already and are
    only followed up or given another time."""
    record, now = aliased(PublicationRecord), func.clock_timestamp()
    ahead = and_(
        record.platform_keeps_time,
        or_(
            record.withdraw,
            and_(
                record.remote_id.is_(None),
                record.due_at > now + AHEAD / 2,
                record.due_at < now + _by_platform(record.platform, "clock_until"),
            ),
            and_(record.remote_id.is_not(None), record.remote_publish_at.is_distinct_from(record.due_at)),
        ),
    )
    early = and_(
        record.remote_id.is_(None),
        record.platform.in_([name for name, rules in RULES.items() if rules.prepared_before is not None]),
        record.due_at < now + _by_platform(record.platform, "prepared_before"),
    )
    there = record.remote_id.is_not(None)
    line = case((there, record.id), else_=record.account_id)
    return (
        select(record.id)
        .ext(distinct_on(line))
        .where(
            record.state == "scheduled",
            or_(record.due_at <= now, ahead, early),
            or_(record.not_before.is_(None), record.not_before <= now),
            or_(there, not_(account_is_busy(record.account_id, record.id))),
        )
        .order_by(line, record.due_at, record.id)
    )


def _by_platform(platform: InstrumentedAttribute[str], limit: str) -> ColumnElement[timedelta]:
    """A time span of the platforms' rules, chosen by a row's platform."""
    spans = {name: getattr(rules, limit) for name, rules in RULES.items()}
    known = {name: literal(span) for name, span in spans.items() if span is not None}
    return case(known, value=platform, else_=literal(timedelta(0)))


def _account_is_free(session: Session, record: PublicationRecord) -> bool:
    """Take the account for this transaction, and look once more: another dispatcher may have been at it."""
    if record.remote_id is not None:
        return True
    taken = session.scalar(select(func.pg_try_advisory_xact_lock(func.hashtextextended(str(record.account_id), 0))))
    return bool(taken) and not session.scalar(select(account_is_busy(record.account_id, record.id)))


def _start(session: Session, record: PublicationRecord) -> bool:
    now = database_now(session)
    account = session.get_one(PlatformAccount, record.account_id)
    record.version += 1
    if account.status != "connected":
        record.state = "needs_reconnect"
        record.reason = account.status_reason or "The account has to be connected again."
    elif _too_late(session, record, now):
        record.state = "missed"
        record.reason = "Its time passed while it could not be published. Choose another time, or publish now."
        episodes.refresh_state(session, record.episode_id)
    else:
        uploads = record.remote_id is None
        call = rules_of(record.platform).publish_call
        block = limits.blocked(session, record.platform, record.account_id, call) if uploads else None
        if block is not None:
            record.not_before = block.until
            record.reason = block.reason
        else:
            _hand_over(session, record)
    session.flush()
    announce(session, record)
    return record.state == "claimed"


def _too_late(session: Session, record: PublicationRecord, now: datetime) -> bool:
    """Whether its own policy says it is too late. What may have reached the platform is followed up however late."""
    if record.due_at is None or lateness(record.due_at, now, record.late_limit_minutes) != "missed":
        return False
    sent = session.scalar(
        select(PublicationAttempt.id)
        .where(
            PublicationAttempt.publication_id == record.id,
            PublicationAttempt.handle_sealed.is_not(None),
            PublicationAttempt.step != STAGED,
            PublicationAttempt.outcome.in_(UNRESOLVED),
        )
        .limit(1)
    )
    return record.remote_id is None and sent is None


def _hand_over(session: Session, record: PublicationRecord) -> None:
    job = jobs.submit(
        session,
        system_actor(record.owner_id),
        "publishing.upload",
        PublishingUploadInput(publication_id=record.id),
    )
    if record.state == "scheduled":
        record.state = "claimed"
    record.lease_owner = lease_name(job.id, 0)
    record.lease_expires_at = func.clock_timestamp() + LEASE


def sweep_expired_leases() -> int:
    """Take up again what a dead worker left, and what was put off until now; returns how many jobs were made."""
    with database.session() as session:
        rows = session.scalars(
            select(PublicationRecord)
            .where(
                PublicationRecord.state.in_(states.ACTIVE),
                or_(
                    PublicationRecord.lease_expires_at.is_(None),
                    PublicationRecord.lease_expires_at < func.clock_timestamp(),
                ),
            )
            .order_by(PublicationRecord.lease_expires_at)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        ).all()
        return sum(_take_up(session, record) for record in rows)


def _take_up(session: Session, record: PublicationRecord) -> bool:
    job = session.get(Job, UUID(record.lease_owner.partition(":")[0])) if record.lease_owner else None
    if job is not None and job.status in ("queued", "running"):
        record.lease_expires_at = func.clock_timestamp() + LEASE  # it waits for a worker, or its recovery does
        return False
    record.version += 1
    stopped = job is not None and job.status == "cancelled"
    if job is not None and job.status == "failed":
        record.attempts += 1  # it could not even be tried, or could not be followed up
        record.reason = str((job.error or {}).get("title", ""))
    if stopped and record.state == "claimed":
        _end(session, record, "cancelled", "Its job was cancelled.")
    elif stopped and record.state == "submitting":
        _end(session, record, "needs_review", "Its job was cancelled during the upload; it may be on the platform.")
    elif record.attempts >= MAXIMUM_ATTEMPTS:
        untried = record.state == "claimed"
        why = record.reason or "It was tried many times and the outcome is not known."
        _end(session, record, "failed" if untried else "needs_review", why)
    else:
        _hand_over(session, record)
        session.flush()
        return True
    return False


def _end(session: Session, record: PublicationRecord, state: str, reason: str) -> None:
    record.state = state
    record.reason = reason
    record.lease_owner = None
    record.lease_expires_at = None
    open_attempts = select(PublicationAttempt).where(
        PublicationAttempt.publication_id == record.id, PublicationAttempt.outcome == "open"
    )
    for attempt in session.scalars(open_attempts):
        attempt.outcome = "unknown" if state == "needs_review" else "failed"
        attempt.finished_at = func.clock_timestamp()
    session.flush()
    episodes.refresh_state(session, record.episode_id)
    announce(session, record)


def due_syncs() -> int:
    """Have due figures read: counters by the age of the post, revenue daily; returns how many jobs were made."""
    return _sync("metrics") + _sync("revenue")


def _sync(what: str) -> int:
    due = PublicationRecord.next_metrics_at if what == "metrics" else PublicationRecord.next_revenue_at
    made = 0
    with database.session() as session:
        now = database_now(session)
        rows = session.scalars(
            select(PublicationRecord)
            .join(PlatformAccount, PlatformAccount.id == PublicationRecord.account_id)
            .where(
                due <= now,
                PublicationRecord.state.in_(states.PUBLISHED),
                PlatformAccount.status == "connected",
            )
            .order_by(due)
            .limit(SYNC_BATCH)
            .with_for_update(skip_locked=True, of=PublicationRecord)
        ).all()
        by_account: dict[UUID, list[PublicationRecord]] = {}
        for record in rows:
            by_account.setdefault(record.account_id, []).append(record)
        for account_id, records in by_account.items():
            block = limits.blocked(session, records[0].platform, account_id, "units")
            for record in records:
                if what == "metrics":
                    following = next_sync(record.published_at or now, now)
                    record.next_metrics_at = max(following, block.until) if block else following
                else:
                    record.next_revenue_at = max(now + REVENUE_EVERY, block.until) if block else now + REVENUE_EVERY
            if block is not None:
                continue
            ids = [record.id for record in records]
            actor = system_actor(records[0].owner_id)
            if what == "metrics":
                jobs.submit(
                    session,
                    actor,
                    "publishing.sync_metrics",
                    SyncMetricsInput(account_id=account_id, publication_ids=ids),
                )
            else:
                jobs.submit(
                    session,
                    actor,
                    "publishing.sync_revenue",
                    SyncRevenueInput(account_id=account_id, publication_ids=ids),
                )
            made += 1
    return made

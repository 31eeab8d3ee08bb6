"""Every write a publishing worker makes about a publication. Each names the lease it holds; without it nothing changes.

Before a call that changes something on the platform, what is about to happen is committed here (marker, handle, step);
after it, what came of it. A worker may die between any two lines and the next one knows what to look for.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from core import database
from core.errors import JobCancelled
from core.models.publishing import PlatformAccount, PublicationAttempt, PublicationRecord, PublicationStep
from core.publishing import episodes, limits, publications, states, tokens
from core.publishing.failures import PlatformFailure
from core.publishing.plan import announce
from core.publishing.rules import rules_of
from core.security import seal, unseal
from providers.publishing.base import Checked, Handle

LEASE = timedelta(seconds=60)
RENEWAL = 15.0
UNRESOLVED = frozenset({"open", "unknown", "abandoned", "postponed"})
MAXIMUM_ATTEMPTS = 12
STAGED = "staged"
"""Step of an attempt that brought everything to the platform and made nothing of it visible."""


@dataclass
class Taken:
    """A publication in this worker's hands. ``handle`` is where an earlier attempt got to; ``in_doubt`` says that one
    may have come through."""

    publication_id: UUID
    account_id: UUID
    lease: str
    marker: str
    handle: Handle | None
    in_doubt: bool
    remote_id: str | None
    attempt_id: UUID


def lease_name(job_id: UUID, attempt: int) -> str:
    """Who holds a lease: a job, and which try of it."""
    return f"{job_id}:{attempt}"


def take(publication_id: UUID, job_id: UUID, attempt: int) -> Taken | str:
    """Take the lease, close what an earlier attempt left open and write down the intent of this one.

    Returns why not, when there is nothing to do or somebody else is at it.
    """
    mine = lease_name(job_id, attempt)
    with database.session() as session:
        record = session.scalar(
            select(PublicationRecord).where(PublicationRecord.id == publication_id).with_for_update()
        )
        if record is None or record.state not in states.ACTIVE:
            return record.state if record else "gone"
        same_job = (record.lease_owner or "").startswith(f"{job_id}:")
        now = session.execute(select(func.clock_timestamp())).scalar_one()
        if not same_job and record.lease_owner and record.lease_expires_at and record.lease_expires_at > now:
            return "held by another worker"
        earlier = session.scalar(
            select(PublicationAttempt)
            .where(PublicationAttempt.publication_id == record.id)
            .order_by(PublicationAttempt.number.desc())
            .limit(1)
        )
        unresolved = earlier is not None and earlier.outcome in UNRESOLVED
        if earlier is not None and record.remote_id is not None:
            made = earlier  # it is there: this run only follows it up
        else:
            made = _new_attempt(session, record, earlier, job_id, mine, now)
        record.lease_owner = mine
        record.lease_expires_at = now + LEASE
        record.state = "processing" if record.remote_id else "submitting"
        record.attempts = max(made.number, record.attempts)
        record.not_before = None
        record.reason = ""
        record.version += 1
        session.flush()
        announce(session, record)
        return Taken(
            publication_id=record.id,
            account_id=record.account_id,
            lease=mine,
            marker=made.marker,
            handle=json.loads(unseal(made.handle_sealed)) if made.handle_sealed else None,
            in_doubt=unresolved,
            remote_id=record.remote_id,
            attempt_id=made.id,
        )


def _new_attempt(
    session: Session,
    record: PublicationRecord,
    earlier: PublicationAttempt | None,
    job_id: UUID,
    mine: str,
    now: datetime,
) -> PublicationAttempt:
    """The row of a new attempt. What an earlier one left undecided is carried on: same marker, same handle."""
    if earlier is not None and earlier.outcome == "open":
        earlier.outcome, earlier.finished_at = "abandoned", now
    number = earlier.number + 1 if earlier is not None else 1
    carried = earlier if earlier is not None and earlier.outcome in UNRESOLVED else None
    made = PublicationAttempt(
        owner_id=record.owner_id,
        publication_id=record.id,
        job_id=job_id,
        number=number,
        marker=carried.marker if carried else f"ref:{record.id.hex[-16:]}-{number}",
        lease_owner=mine,
        handle_sealed=carried.handle_sealed if carried else None,
        bytes_sent=carried.bytes_sent if carried else 0,
        step=STAGED if carried is not None and carried.step == STAGED else "prepared",
    )
    session.add(made)
    return made


@contextmanager
def kept(taken: Taken) -> Iterator[None]:
    """Renew the lease in the background for as long as the block runs."""
    done = threading.Event()

    def renew() -> None:
        while not done.wait(RENEWAL):
            try:
                with database.session() as session:
                    _prolong(session, taken)
            except OperationalError:
                continue  # the database is away: the lease runs out by itself, which is what it is for

    thread = threading.Thread(target=renew, daemon=True, name="publication lease")
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _prolong(session: Session, taken: Taken) -> bool:
    held = session.scalar(
        update(PublicationRecord)
        .where(PublicationRecord.id == taken.publication_id, PublicationRecord.lease_owner == taken.lease)
        .values(lease_expires_at=func.clock_timestamp() + LEASE)
        .returning(PublicationRecord.id)
    )
    return held is not None


def _held(session: Session, taken: Taken) -> PublicationRecord:
    """The record, locked, while the lease is ours.

    Raises:
        JobCancelled: another worker has taken over.
    """
    record = session.scalar(
        select(PublicationRecord)
        .where(
            PublicationRecord.id == taken.publication_id,
            PublicationRecord.lease_owner == taken.lease,
            PublicationRecord.state.in_(states.ACTIVE),
        )
        .with_for_update()
    )
    if record is None:
        raise JobCancelled
    return record


def save_handle(taken: Taken, handle: Handle, total: int) -> None:
    """Where the upload stands, committed before the next call. The handle is sealed: it lets anybody send bytes."""
    with database.session() as session:
        record = _held(session, taken)
        sent = int(handle.get("offset", 0))
        session.execute(
            update(PublicationAttempt)
            .where(PublicationAttempt.id == taken.attempt_id)
            .values(handle_sealed=seal(json.dumps(handle)), bytes_sent=sent, bytes_total=total, step="uploading")
        )
        record.lease_expires_at = func.clock_timestamp() + LEASE
        record.progress = min(0.9 * sent / max(total, 1), 0.9)
        taken.handle = handle
        session.flush()
        announce(session, record)


def uploaded(taken: Taken, remote_id: str, *, adopted: bool) -> None:
    """It is on the platform: from here on nothing ever uploads it again."""
    with database.session() as session:
        record = _held(session, taken)
        record.remote_id = remote_id
        record.state = "processing"
        record.progress = 0.92
        record.version += 1
        session.execute(
            update(PublicationAttempt)
            .where(PublicationAttempt.id == taken.attempt_id)
            .values(
                outcome="adopted" if adopted else "succeeded",
                step="uploaded",
                finished_at=func.clock_timestamp(),
                bytes_sent=func.coalesce(PublicationAttempt.bytes_total, PublicationAttempt.bytes_sent),
            )
        )
        taken.remote_id = remote_id
        session.flush()
        announce(session, record)


def published(taken: Taken, seen: Checked, warnings: list[dict[str, str]]) -> str:
    """The final state, its event and the start of tracking, in one transaction; returns the state."""
    with database.session() as session:
        record = _held(session, taken)
        kept_warnings = [each for each in record.warnings if isinstance(each, dict) and each.get("level") == "warning"]
        if seen.privacy and seen.privacy != record.privacy:
            warnings = [
                *warnings,
                {
                    "level": "warning",
                    "code": "privacy_differs",
                    "message": f"The platform made it {seen.privacy} instead of {record.privacy}.",
                },
            ]
        record.state = "published_with_warnings" if warnings else "published"
        record.warnings = [*kept_warnings, *warnings]
        record.remote_privacy = seen.privacy
        record.remote_url = seen.url
        record.remote_id = seen.remote_id or record.remote_id
        now = datetime.now(UTC)
        kept = record.remote_publish_at if record.platform_keeps_time else None
        record.published_at = seen.published_at or (kept if kept is not None and kept <= now else now)
        record.progress = 1.0
        record.reason = ""
        record.error = None
        record.lease_owner = None
        record.lease_expires_at = None
        record.next_metrics_at = func.now()
        record.next_revenue_at = func.now() if rules_of(record.platform).reports_revenue else None
        record.version += 1
        _close(session, taken, "succeeded")
        session.flush()
        publications.published_event(session, record)
        episodes.refresh_state(session, record.episode_id)
        announce(session, record)
        return record.state


def waiting(taken: Taken, seen: Checked, warnings: list[dict[str, str]], *, kept: bool) -> str:
    """It is there, private, and the platform makes it public at its time (``kept``); or the platform would not take
    the time, and we say so then."""
    with database.session() as session:
        record = _held(session, taken)
        known = [each for each in record.warnings if isinstance(each, dict) and each.get("level") == "warning"]
        fresh = [each for each in warnings if each not in known]
        record.warnings = [*known, *fresh]
        record.state = "scheduled"
        record.remote_url = seen.url
        record.remote_privacy = seen.privacy
        record.remote_publish_at = record.due_at if kept else None
        record.not_before = None if kept else record.due_at
        record.progress = 1.0
        record.reason = ""
        record.error = None
        record.lease_owner = None
        record.lease_expires_at = None
        record.version += 1
        _close(session, taken, "succeeded")
        session.flush()
        episodes.refresh_state(session, record.episode_id)
        announce(session, record)
        return record.state


def _close(
    session: Session, taken: Taken, outcome: str, failure: PlatformFailure | None = None, error: Any = None
) -> None:
    """End the attempt unless it ended before; ``unknown`` may still become something else."""
    session.execute(
        update(PublicationAttempt)
        .where(
            PublicationAttempt.id == taken.attempt_id,
            or_(PublicationAttempt.outcome == "open", PublicationAttempt.outcome == "unknown"),
        )
        .values(
            outcome=outcome,
            finished_at=func.clock_timestamp(),
            error_class=failure.error_class if failure else ("preflight" if error else None),
            error=failure.as_dict() if failure else error,
        )
    )


def prepared(taken: Taken, due_at: datetime) -> None:
    """Everything is there and invisible; our clock publishes it. Until then it can be moved and cancelled."""
    with database.session() as session:
        record = _held(session, taken)
        record.state = "scheduled"
        record.not_before = due_at
        record.reason = ""
        record.error = None
        record.lease_owner = None
        record.lease_expires_at = None
        record.version += 1
        _close(session, taken, "postponed")
        session.execute(update(PublicationAttempt).where(PublicationAttempt.id == taken.attempt_id).values(step=STAGED))
        session.flush()
        announce(session, record)


def ended(
    taken: Taken,
    state: str,
    reason: str,
    outcome: str,
    failure: PlatformFailure | None = None,
    *,
    forget: bool = False,
) -> None:
    """Stop in a state that a person sees: failed, needs_review, needs_reconnect or cancelled. ``forget``: what was
    there is deleted, and its id means nothing any more."""
    with database.session() as session:
        record = _held(session, taken)
        record.state = state
        record.reason = reason
        record.error = failure.as_dict() if failure else None
        record.lease_owner = None
        record.lease_expires_at = None
        if state == "cancelled":
            record.withdraw = False
            record.remote_publish_at = None
        if forget:
            record.remote_id = record.remote_url = record.remote_privacy = None
        record.version += 1
        _close(session, taken, outcome, failure, None if failure else {"title": reason})
        if state == "needs_reconnect":
            account = session.scalar(
                select(PlatformAccount).where(PlatformAccount.id == record.account_id).with_for_update()
            )
            if account is not None and account.status == "connected":
                tokens.pause_account(session, account, reason)
        session.flush()
        episodes.refresh_state(session, record.episode_id)
        announce(session, record)


def put_off(taken: Taken, until: datetime, reason: str, failure: PlatformFailure | None = None) -> None:
    """Go on later. What has nothing on the platform and no upload under way goes back to scheduled; the rest stays as
    it is, and its lease runs out at the moment it should be taken up again."""
    with database.session() as session:
        record = _held(session, taken)
        record.reason = reason
        record.error = failure.as_dict() if failure else None
        record.version += 1
        if record.remote_id is None and taken.handle is None:
            record.state = "scheduled"
            record.not_before = until
            record.lease_owner = None
            record.lease_expires_at = None
        else:
            record.lease_expires_at = until
        if record.remote_id is None:
            unknown = failure is not None and failure.error_class == "unknown_outcome"
            _close(session, taken, "unknown" if unknown else "postponed", failure)
        if failure is not None and failure.retry_at is not None:
            limits.block(
                session,
                record.platform,
                None if failure.whole_application else record.account_id,
                failure.limit_kind,
                failure.retry_at,
                failure.title,
            )
        session.flush()
        announce(session, record)


def begin_step(taken: Taken, name: str) -> tuple[str, bool]:
    """Write down that a step starts; returns its state before and whether an earlier try may have come through."""
    with database.session() as session:
        record = _held(session, taken)
        step = session.scalar(
            select(PublicationStep).where(
                PublicationStep.publication_id == taken.publication_id, PublicationStep.name == name
            )
        )
        if step is None:
            step = PublicationStep(owner_id=record.owner_id, publication_id=record.id, name=name, tries=0)
            session.add(step)
            before = "pending"
        else:
            before = step.state
        if before not in ("done", "failed"):
            step.state = "started"
            step.tries += 1
        session.flush()
        return before, before == "started"


def end_step(taken: Taken, name: str, *, remote_id: str | None = None, failure: PlatformFailure | None = None) -> None:
    """What came of a step."""
    with database.session() as session:
        _held(session, taken)
        session.execute(
            update(PublicationStep)
            .where(PublicationStep.publication_id == taken.publication_id, PublicationStep.name == name)
            .values(
                state="failed" if failure else "done",
                remote_id=remote_id,
                error=failure.as_dict() if failure else None,
            )
        )

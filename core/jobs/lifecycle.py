"""The life of a job in PostgreSQL: submit, claim, renew, finish, fail, cancel, retry, and recovery after a crash.

States: queued → running → succeeded | failed | cancelled. A running attempt holds a fencing token and a lease; every
write of the attempt names the token, so a stale attempt writes nothing (Kleppmann, "How to do distributed locking").
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import event, func, select, update
from sqlalchemy.orm import Session

from core import events, live
from core.database import get_owned
from core.errors import Conflict, InvalidInput, StudioError
from core.jobs import queue
from core.jobs.kinds import kind_of
from core.models.base import uuid7
from core.models.jobs import Job, JobLogLine
from core.security import Actor

LEASE = timedelta(seconds=15)
FINAL = frozenset({"succeeded", "failed", "cancelled"})
_PENDING = "jobs to enqueue"
_REQUEST = "name of the request"


def name_request(session: Session, key: str | None) -> None:
    """Give the request that this transaction answers the name its client chose: repeated, it starts nothing new."""
    session.info[_REQUEST] = key


def submit(
    session: Session,
    actor: Actor,
    kind: str,
    payload: BaseModel,
    *,
    project_id: UUID | None = None,
    parent_id: UUID | None = None,
) -> Job:
    """Write a job in the caller's transaction; it is handed to the workers when that commits.

    A request with a name (:func:`name_request`) that was answered before gets the job it got then.

    Raises:
        Forbidden: the actor is a viewer.
        InvalidInput: no such kind; the name was given to another request.
    """
    actor.require("editor")
    definition = kind_of(kind)
    document = payload.model_dump(mode="json")
    key = session.info.get(_REQUEST)
    if key is not None and (earlier := _asked_before(session, actor, key)) is not None:
        if (earlier.kind, earlier.payload, earlier.project_id) != (kind, document, project_id):
            raise InvalidInput("This Idempotency-Key was sent with another request.", "Give each request its own key.")
        return earlier
    job = Job(
        id=uuid7(),
        owner_id=actor.owner_id,
        kind=kind,
        queue=getattr(payload, "queue", None) or definition.queue,
        payload=document,
        request_key=key,
        max_attempts=definition.max_attempts,
        project_id=project_id,
        parent_id=parent_id,
        enqueued_at=datetime.now(UTC),
    )
    session.add(job)
    session.flush()
    _enqueue_after_commit(session, job)
    live.notify(session, job.owner_id, job_notice(job))
    return job


def _asked_before(session: Session, actor: Actor, key: str) -> Job | None:
    # Two copies of a request may arrive together; the second waits here until the first has written its job.
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{actor.owner_id} {key}", 0))))
    return session.scalar(select(Job).where(Job.owner_id == actor.owner_id, Job.request_key == key))


def _enqueue_after_commit(session: Session, job: Job, *, first: bool = False) -> None:
    pending = session.info.setdefault(_PENDING, [])
    if not pending:
        event.listen(session, "after_commit", _hand_over, once=True)
    pending.append((job.queue, job.id, job.attempts, first))


def _hand_over(session: Session) -> None:
    for name, job_id, attempts, first in session.info.pop(_PENDING, []):
        queue.enqueue(name, job_id, attempts, first=first)


def job_notice(job: Job) -> dict[str, Any]:
    """What browsers are told about a job."""
    return {
        "type": "job",
        "job_id": str(job.id),
        "kind": job.kind,
        "status": job.status,
        "progress": round(job.progress or 0.0, 4),
        "stage": job.stage,
        "eta_seconds": remaining_seconds(job.started_at, job.progress, datetime.now(UTC)),
    }


def remaining_seconds(started_at: datetime | None, progress: float | None, now: datetime) -> float | None:
    """Time left by proportion; None while it cannot be told (under 3 % or under two seconds of work)."""
    if started_at is None or not progress or progress < 0.03:
        return None
    elapsed = (now - started_at).total_seconds()
    return round(elapsed * (1 - progress) / progress, 1) if elapsed >= 2 else None


def claim(session: Session, job_id: UUID, *, worker: str, process_group: int, process_started: float) -> Job | None:
    """Start an attempt. None when the job is not queued any more: carried twice, cancelled, or gone."""
    job = session.scalar(select(Job).where(Job.id == job_id, Job.status == "queued").with_for_update(skip_locked=True))
    if job is None:
        return None
    job.status = "running"
    job.attempts += 1
    job.attempt_token = uuid7()
    job.lease_expires_at = func.now() + LEASE
    job.worker = worker
    job.process_group = process_group
    job.process_started = process_started
    job.cancel_requested = False
    job.started_at = datetime.now(UTC)
    job.stage = "stage.start"
    job.error = None
    session.flush()
    live.notify(session, job.owner_id, job_notice(job))
    return job


def renew(session: Session, job_id: UUID, token: UUID) -> bool | None:
    """Prolong the lease; True when the user asked to cancel, None when this attempt is stale."""
    return session.scalar(
        update(Job)
        .where(Job.id == job_id, Job.attempt_token == token, Job.status == "running")
        .values(lease_expires_at=func.now() + LEASE)
        .returning(Job.cancel_requested)
    )


def report(session: Session, job_id: UUID, token: UUID, progress: float, stage: str) -> bool:
    """Store progress and tell the browsers; False when this attempt is stale."""
    job = session.scalar(
        update(Job)
        .where(Job.id == job_id, Job.attempt_token == token, Job.status == "running")
        .values(progress=min(max(progress, 0.0), 1.0), stage=stage)
        .returning(Job)
    )
    if job is None:
        return False
    live.notify(session, job.owner_id, job_notice(job))
    return True


def lock_attempt(session: Session, job_id: UUID, token: UUID) -> Job | None:
    """The job's row, locked, if the attempt still holds it: the first step of every final transaction."""
    return session.scalar(
        select(Job).where(Job.id == job_id, Job.attempt_token == token, Job.status == "running").with_for_update()
    )


def end(session: Session, job: Job, status: str, *, result: dict[str, Any] | None = None) -> None:
    """Final state of a locked job, with its notice; JOB_FAILED is emitted for failures."""
    job.status = status
    job.result = result
    job.lease_expires_at = None
    job.process_group = None
    job.attempt_token = None
    job.finished_at = datetime.now(UTC)
    if status == "succeeded":
        job.progress = 1.0
    job.stage = f"stage.{status}"
    session.flush()
    if status == "failed":
        events.emit(session, events.JOB_FAILED, job.owner_id, {"job_id": str(job.id), "job_kind": job.kind})
    live.notify(session, job.owner_id, job_notice(job))


def fail(session: Session, job: Job, error: StudioError) -> None:
    """Record a failure of a locked job."""
    job.error = error.as_dict()
    log(session, job.id, "error", f"{error.title} {error.detail}".strip())
    end(session, job, "failed")


def log(session: Session, job_id: UUID, level: str, message: str) -> None:
    """One line in the job's log."""
    session.add(JobLogLine(job_id=job_id, level=level, message=message[:4000]))


def cancel(session: Session, actor: Actor, job_id: UUID | str) -> Job:
    """Cancel a job: at once when it waits, within two seconds when it runs.

    Raises:
        NotFound: no such job of this owner.
        Conflict: it has ended already.
    """
    actor.require("editor")
    job = get_owned(session, Job, job_id, lock=True)
    if job.status in FINAL:
        raise Conflict("This job has ended already.")
    if job.status == "queued":
        end(session, job, "cancelled")
    else:
        job.cancel_requested = True
        session.flush()
        live.notify(session, job.owner_id, job_notice(job))
    return job


def retry(session: Session, actor: Actor, job_id: UUID | str) -> Job:
    """Run a failed or cancelled job again, from its last checkpoint.

    Raises:
        NotFound: no such job of this owner.
        Conflict: it is still waiting or running, or it succeeded.
    """
    actor.require("editor")
    job = get_owned(session, Job, job_id, lock=True)
    if job.status not in ("failed", "cancelled"):
        raise Conflict("Only a job that failed or was cancelled can be tried again.")
    _requeue(session, job)
    job.max_attempts = job.attempts + kind_of(job.kind).max_attempts
    return job


def _requeue(session: Session, job: Job, *, first: bool = False) -> None:
    job.status = "queued"
    job.stage = "stage.queued"
    job.error = None
    job.result = None
    job.attempt_token = None
    job.lease_expires_at = None
    job.process_group = None
    job.cancel_requested = False
    job.finished_at = None
    job.enqueued_at = datetime.now(UTC)
    session.flush()
    _enqueue_after_commit(session, job, first=first)
    live.notify(session, job.owner_id, job_notice(job))


def recover(session: Session, job: Job, reason: str) -> None:
    """A running job whose attempt is dead: cancelled if asked for, queued again, or failed at its limit."""
    log(session, job.id, "warning", reason)
    if job.cancel_requested:
        end(session, job, "cancelled")
    elif job.attempts >= job.max_attempts:
        fail(
            session,
            job,
            StudioError(
                "The work stopped several times before it was done.",
                "The machine may be short of memory. Try a shorter recording or a smaller output.",
                retryable=True,
            ),
        )
    else:
        # It had its turn already: it does not wait behind everything that came later.
        _requeue(session, job, first=True)


def interrupt(session: Session, job: Job, reason: str) -> None:
    """A running job whose attempt was ended in good order: it goes on later, and the attempt does not count."""
    if not job.cancel_requested:
        job.max_attempts += 1
    recover(session, job, reason)


def abandoned(session: Session, *, worker: str | None = None, limit: int = 20) -> list[Job]:
    """Running jobs whose lease ran out, or all that ``worker`` held, locked for recovery."""
    statement = select(Job).where(Job.status == "running")
    if worker is None:
        statement = statement.where(Job.lease_expires_at < func.now())
    else:
        statement = statement.where(Job.worker == worker)
    ordered = statement.order_by(Job.lease_expires_at).limit(limit)
    return list(session.scalars(ordered.with_for_update(skip_locked=True)))


def enqueue_lost(session: Session, *, older_than: timedelta = timedelta(seconds=3)) -> int:
    """Enqueue again every job that the database calls queued and the carrier does not know; returns how many."""
    rows = session.execute(
        select(Job.queue, Job.id, Job.attempts)
        .where(Job.status == "queued", Job.enqueued_at < func.now() - older_than)
        .order_by(Job.created_at)
        .limit(500)
    ).all()
    if not rows:
        return 0
    known = queue.carried({row.queue for row in rows})
    lost = [row for row in rows if queue.carrier_id(row.id, row.attempts) not in known]
    for row in lost:
        queue.drop(row.queue, row.id, row.attempts)
        queue.enqueue(row.queue, row.id, row.attempts)
    if lost:
        session.execute(update(Job).where(Job.id.in_([row.id for row in lost])).values(enqueued_at=func.now()))
    return len(lost)

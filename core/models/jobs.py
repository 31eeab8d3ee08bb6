"""Jobs and events: what was asked for, how far it is, what came of it. PostgreSQL is the truth about both."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Float, ForeignKey, Identity, Index, Numeric, func, text
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Base, Identified, Owned, Timestamped

JOB_STATES = ("queued", "running", "succeeded", "failed", "cancelled")


class Job(Identified, Owned, Timestamped, Base):
    """One piece of background work.

    ``attempt_token`` fences: it changes with every attempt, and only the attempt that holds the current one may write
    a result. ``lease_expires_at`` is renewed by the running attempt; past it, the attempt counts as dead.
    ``request_key`` is the client's own name of the request that asked for the job.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint(f"status IN {JOB_STATES!r}", name="status"),
        CheckConstraint("progress BETWEEN 0 AND 1", name="progress"),
        Index("ix_jobs_owner_created", "owner_id", "created_at"),
        Index(
            "uq_jobs_request", "owner_id", "request_key", unique=True, postgresql_where=text("request_key IS NOT NULL")
        ),
        Index("ix_jobs_live", "status", "lease_expires_at", postgresql_where=text("status IN ('queued', 'running')")),
    )

    kind: Mapped[str]
    queue: Mapped[str]
    status: Mapped[str] = mapped_column(default="queued")
    payload: Mapped[dict[str, Any]]
    request_key: Mapped[str | None]
    progress: Mapped[float] = mapped_column(Float, default=0.0)
    stage: Mapped[str] = mapped_column(default="stage.queued")
    attempts: Mapped[int] = mapped_column(default=0)
    max_attempts: Mapped[int] = mapped_column(default=3)
    attempt_token: Mapped[UUID | None]
    lease_expires_at: Mapped[datetime | None]
    enqueued_at: Mapped[datetime | None]
    worker: Mapped[str | None]
    process_group: Mapped[int | None]
    process_started: Mapped[float | None] = mapped_column(Float)
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    checkpoints: Mapped[dict[str, Any]] = mapped_column(default=dict)
    result: Mapped[dict[str, Any] | None]
    error: Mapped[dict[str, Any] | None]
    project_id: Mapped[UUID | None] = mapped_column(ForeignKey("projects.id", ondelete="SET NULL"), index=True)
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"), index=True)
    cost: Mapped[Decimal | None] = mapped_column(Numeric(18, 6))
    cost_currency: Mapped[str | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class JobLogLine(Base):
    """One line of a job's log, shown on the Jobs page."""

    __tablename__ = "job_log"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    level: Mapped[str] = mapped_column(default="info")
    message: Mapped[str]


class OutboxEvent(Owned, Base):
    """Something that happened, stored in the transaction that caused it, delivered at least once by the dispatcher."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_undelivered", "id", postgresql_where=text("delivered_at IS NULL")),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    kind: Mapped[str] = mapped_column(index=True)
    data: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    delivered_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(default="")
    next_attempt_at: Mapped[datetime | None]

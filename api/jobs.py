"""Seeing and steering background work (S4, H8)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import func, select

from api.dependencies import CurrentActor, Limit, Offset, Scoped
from api.problems import language_of
from api.shapes import JobLine, JobOut, job_out
from core import jobs
from core.database import get_owned
from core.jobs.kinds import kind_of
from core.models.jobs import JOB_STATES, Job, JobLogLine

router = APIRouter(prefix="/jobs", tags=["jobs"])
Status = Annotated[str | None, Query(pattern="^(" + "|".join(JOB_STATES) + ")$")]


@router.get("")
def list_jobs(
    request: Request,
    session: Scoped,
    response: Response,
    status: Status = None,
    kind: Annotated[str | None, Query(max_length=60)] = None,
    project_id: UUID | None = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> list[JobOut]:
    """Jobs, newest first; ``X-Total-Count`` is the number of all that match."""
    statement = select(Job)
    if status:
        statement = statement.where(Job.status == status)
    if kind:
        statement = statement.where(Job.kind == kind_of(kind).name)
    if project_id:
        statement = statement.where(Job.project_id == project_id)
    response.headers["X-Total-Count"] = str(session.scalar(statement.with_only_columns(func.count())) or 0)
    rows = session.scalars(statement.order_by(Job.created_at.desc(), Job.id.desc()).limit(limit).offset(offset))
    return [job_out(job, language_of(request)) for job in rows]


@router.get("/{job_id}")
def one_job(request: Request, session: Scoped, job_id: UUID) -> JobOut:
    """One job with its result or its error; the reasons in its result are told in the language the request prefers."""
    return job_out(get_owned(session, Job, job_id), language_of(request))


@router.post("/{job_id}/cancel")
def cancel_job(request: Request, session: Scoped, actor: CurrentActor, job_id: UUID) -> JobOut:
    """Stop a job: at once when it waits, within two seconds when it runs."""
    return job_out(jobs.cancel(session, actor, job_id), language_of(request))


@router.post("/{job_id}/retry")
def retry_job(request: Request, session: Scoped, actor: CurrentActor, job_id: UUID) -> JobOut:
    """Run a failed or cancelled job again, from its last finished part."""
    return job_out(jobs.retry(session, actor, job_id), language_of(request))


@router.get("/{job_id}/log")
def job_log(session: Scoped, job_id: UUID, limit: Annotated[int, Query(ge=1, le=2000)] = 500) -> list[JobLine]:
    """The newest lines of a job's log, oldest first."""
    job = get_owned(session, Job, job_id)
    lines = session.scalars(
        select(JobLogLine).where(JobLogLine.job_id == job.id).order_by(JobLogLine.id.desc()).limit(limit)
    ).all()
    return [JobLine(at=line.at, level=line.level, message=line.message) for line in reversed(lines)]

"""The dispatcher's part of recipes: every run whose next step is due takes it, each in a transaction of its own.

Any number of copies may do this at once: a run that another copy, or a person, holds is skipped.
"""

from __future__ import annotations

import logging
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import aliased

from core import database
from core.jobs.lifecycle import FINAL
from core.models.jobs import Job
from core.models.publishing import PipelineRun
from core.publishing.pipelines import runs
from workers.publishing.dispatch import system_actor

_log = logging.getLogger(__name__)


def advance_runs() -> int:
    """Take the next step of every run that has one; returns how many changed."""
    return sum(_advance(run_id) for run_id in _in_need())


def _in_need() -> list[UUID]:
    """Runs that wait to begin, whose job has ended, or whose posts have come to something else than the run says."""
    job = aliased(Job)
    with database.session() as session:
        found = list(
            session.scalars(
                select(PipelineRun.id)
                .outerjoin(job, job.id == PipelineRun.job_id)
                .where(
                    or_(
                        PipelineRun.state == "waiting",
                        and_(
                            PipelineRun.state == "running",
                            PipelineRun.step == runs.MAKE,
                            or_(job.id.is_(None), job.status.in_(FINAL)),
                        ),
                        and_(PipelineRun.state == "failed", PipelineRun.step == runs.MAKE, job.status == "succeeded"),
                    )
                )
                .order_by(PipelineRun.created_at)
            )
        )
        posting = select(PipelineRun).where(PipelineRun.step == runs.POST, PipelineRun.state.in_(("running", "failed")))
        found += [run.id for run in session.scalars(posting) if runs.followed(session, run) != run.state]
        return found


def _advance(run_id: UUID) -> bool:
    with database.session() as session:
        run = session.scalar(select(PipelineRun).where(PipelineRun.id == run_id).with_for_update(skip_locked=True))
        if run is None:
            return False
        session.info["owner_id"] = run.owner_id
        return runs.advance(session, system_actor(run.owner_id), run)

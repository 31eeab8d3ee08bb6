"""The dispatcher's part of recipes: every run whose next step is due takes it, each in a transaction of its own.

Any number of copies may do this at once: a run that another copy, or a person, holds is skipped.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, aliased

from core import database
from core.errors import EngineFailed
from core.jobs.lifecycle import FINAL
from core.models.jobs import Job
from core.models.publishing import PipelineRun, PublicationRecord
from core.publishing.pipelines import runs
from core.publishing.pipelines.document import outcome
from workers.publishing.dispatch import system_actor

REMEMBERED = timedelta(days=30)
"""How long a run whose posts failed is looked at again: they may be tried again one by one."""
_log = logging.getLogger(__name__)


def advance_runs() -> int:
    """Take the next step of every run that has one; returns how many changed. A run that cannot be gone on with for a
    reason nobody foresaw is given up, with its trace in the log; the others go on."""
    changed = 0
    for run_id in _in_need():
        try:
            changed += _advance(run_id)
        except DBAPIError:
            raise
        except Exception:  # noqa: BLE001 - recorded on the run, logged with its trace
            _log.exception("run %s of a recipe could not be gone on with", run_id)
            _give_up(run_id)
    return changed


def _in_need() -> list[UUID]:
    """Runs that wait to begin, whose job has ended, or whose posts have come to something else than the run says."""
    job = aliased(Job)
    ended = and_(PipelineRun.state == "running", or_(job.id.is_(None), job.status.in_(FINAL)))
    tried_again = and_(PipelineRun.state == "failed", job.status == "succeeded")
    with database.session() as session:
        making = session.scalars(
            select(PipelineRun.id)
            .outerjoin(job, job.id == PipelineRun.job_id)
            .where(
                PipelineRun.step == runs.MAKE,
                or_(PipelineRun.state == "waiting", ended, tried_again),
            )
            .order_by(PipelineRun.created_at)
        )
        return [*making, *_whose_posts_moved_on(session)]


def _whose_posts_moved_on(session: Session) -> list[UUID]:
    posting = session.scalars(
        select(PipelineRun).where(
            PipelineRun.step == runs.POST,
            PipelineRun.state.in_(("running", "failed")),
            or_(PipelineRun.state == "running", PipelineRun.updated_at > func.now() - REMEMBERED),
        )
    ).all()
    planned = {run.id: runs.document_of(run).publication_ids for run in posting}
    wanted = [key for keys in planned.values() for key in keys]
    rows = session.execute(
        select(PublicationRecord.id, PublicationRecord.state).where(PublicationRecord.id.in_(wanted))
    )
    states = {row.id: row.state for row in rows}
    return [run.id for run in posting if outcome(states[key] for key in planned[run.id] if key in states) != run.state]


def _advance(run_id: UUID) -> bool:
    with database.session() as session:
        run = session.scalar(select(PipelineRun).where(PipelineRun.id == run_id).with_for_update(skip_locked=True))
        if run is None:
            return False
        session.info["owner_id"] = run.owner_id
        return runs.advance(session, system_actor(run.owner_id), run)


def _give_up(run_id: UUID) -> None:
    with database.session() as session:
        run = session.get(PipelineRun, run_id, with_for_update=True)
        if run is not None:
            run.state, run.step = "failed", runs.APPROVE
            run.error = EngineFailed("Something went wrong in the studio.", "The log says why.").as_dict()
            runs.announce(session, run)

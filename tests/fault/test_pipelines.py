"""Recipes while dispatchers die and meet: every step happens once, and a run goes on from where it was (P2.3)."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import database
from core.models.jobs import Job
from core.models.publishing import Episode, PipelineRun, PublicationRecord
from core.publishing.pipelines import runs
from core.publishing.pipelines.approval import Chosen, approve
from core.security import Actor
from tests.engine import pipeline_studio as works
from tests.engine import publishing_studio as room
from workers import dispatcher
from workers.publishing import pipelines

POINTS = ("done, not stored", "stored")


def _killed(step: Callable[[], object], point: str) -> None:
    """Do ``step`` in a process that is killed around the commit of its first change to a run."""
    child = os.fork()
    if child == 0:  # pragma: no cover - ends by its own signal
        database.dispose()
        taken = runs.advance
        changed = False

        def advance(session: Session, actor: Actor, run: PipelineRun) -> bool:
            nonlocal changed
            changed = taken(session, actor, run)
            if changed and point == "done, not stored":
                os.kill(os.getpid(), signal.SIGKILL)
            return changed

        stored = pipelines._advance

        def after(run_id: UUID) -> bool:
            result = stored(run_id)
            if changed:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        runs.advance, pipelines._advance = advance, after  # type: ignore[assignment]
        step()
        os._exit(3)
    status = os.waitpid(child, 0)[1]
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, "there was nothing to do at this point"


@pytest.mark.parametrize("point", POINTS)
def test_a_dispatcher_killed_between_steps_makes_and_posts_nothing_twice(owner: Actor, video: Path, point: str) -> None:
    key = works.recipe(owner, room.simulated(owner), needs_approval=False, trigger={"kind": "recording"})
    works.imported(owner, works.recording(owner, video))
    dispatcher.deliver_events()
    walked = []
    _killed(pipelines.advance_runs, point)  # begin: the job of the video
    pipelines.advance_runs()
    walked.append(_stage(owner, key))
    works.run_videos()
    dispatcher.deliver_events()
    _killed(pipelines.advance_runs, point)  # made: drafts in place, posts planned
    pipelines.advance_runs()
    walked.append(_stage(owner, key))
    room.tick()
    _killed(pipelines.advance_runs, point)  # followed: the post is out
    pipelines.advance_runs()
    walked.append(_stage(owner, key))
    assert walked == ["queued", "scheduled", "done"]
    assert _counted() == {Job: 1, Episode: 1, PublicationRecord: 1}
    with database.session() as session:
        assert session.scalars(select(PublicationRecord.state)).all() == ["published"]
        assert session.scalar(select(func.count()).select_from(Job).where(Job.kind == "publishing.upload")) == 1


def _stage(owner: Actor, key: UUID) -> str:
    with database.session(owner) as session:
        (run,) = runs.listed(session, key)
        return runs.stage(session, run)


def _counted() -> dict[Any, int]:
    with database.session() as session:
        jobs = session.scalar(select(func.count()).select_from(Job).where(Job.kind == "video.edit")) or 0
        others = {
            kind: session.scalar(select(func.count()).select_from(kind)) or 0 for kind in (Episode, PublicationRecord)
        }
        return {Job: jobs, **others}


def test_dispatchers_that_meet_and_a_person_between_them_do_each_step_once(owner: Actor, video: Path) -> None:
    """All copies have seen the same runs in need before the first of them acts; two people approve at that moment."""
    account = room.simulated(owner)
    key = works.recipe(owner, account, trigger={"kind": "recording"})
    for _ in range(3):
        works.imported(owner, works.recording(owner, video))
    dispatcher.deliver_events()
    _all_at_once([pipelines._advance] * 3)
    works.run_videos()
    dispatcher.deliver_events()
    _all_at_once([pipelines._advance] * 3)
    with database.session(owner) as session:
        waiting = runs.listed(session, key)
        assert {run.state for run in waiting} == {"awaiting_approval"}
    refused = []

    def say_yes(run_id: UUID) -> None:
        try:
            with database.session(owner) as session:
                approve(session, owner, key, run_id, Chosen())
        except runs.Conflict:
            refused.append(run_id)

    _each([say_yes, say_yes, pipelines._advance], [run.id for run in waiting])
    assert sorted(refused) == sorted(run.id for run in waiting), "of two people who approve, one comes too late"
    assert _counted() == {Job: 3, Episode: 3, PublicationRecord: 3}
    with database.session() as session:
        dues = session.scalars(select(PublicationRecord.due_at).order_by(PublicationRecord.due_at)).all()
    assert all((later - earlier).total_seconds() >= 3600 for earlier, later in pairwise(dues))


def _all_at_once(copies: list[Callable[[UUID], object]]) -> None:
    _each(copies, pipelines._in_need())


def _each(copies: list[Callable[[UUID], object]], run_ids: list[UUID]) -> None:
    assert len(run_ids) == 3
    errors: list[BaseException] = []
    begin = threading.Barrier(len(copies))

    def work(copy: Callable[[UUID], object], order: list[UUID]) -> None:
        try:
            begin.wait(30)
            for run_id in order:
                copy(run_id)
        except BaseException as error:  # noqa: BLE001 - told by the test
            errors.append(error)

    threads = [
        threading.Thread(target=work, args=(copy, run_ids[number:] + run_ids[:number]))
        for number, copy in enumerate(copies)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors

"""The foundation on real servers: schema, owner scoping, jobs, events."""

from __future__ import annotations

import pytest
from alembic import command
from sqlalchemy import select

from core import database, events, migrate
from core.errors import Conflict, Forbidden, NotFound
from core.jobs import cancel, lifecycle, queue, retry, submit
from core.models.base import uuid7
from core.models.identity import Project
from core.models.jobs import Job, OutboxEvent
from core.security import Actor
from core.settings import Settings
from core.video.payloads import IngestInput


def _submit(actor: Actor) -> Job:
    with database.session(actor) as session:
        return submit(session, actor, "ingest", IngestInput(asset_id=uuid7()))


def _claim(job: Job) -> Job:
    with database.session() as session:
        claimed = lifecycle.claim(session, job.id, worker="test-1", process_group=0, process_started=0.0)
    assert claimed is not None
    return claimed


def test_migrations_make_exactly_the_schema_of_the_models(studio: Settings) -> None:
    with database.engine().connect() as connection:
        configuration = migrate.configuration()
        configuration.attributes["connection"] = connection
        command.check(configuration)


def test_a_session_of_an_actor_sees_only_rows_of_the_owner(owner: Actor, other_owner: Actor) -> None:
    with database.session(owner) as session:
        project = Project(owner_id=owner.owner_id, name="mine")
        session.add(project)
    with database.session(other_owner) as session:
        assert session.scalars(select(Project)).all() == []
        with pytest.raises(NotFound):
            database.get_owned(session, Project, project.id)
    with database.session(owner) as session:
        assert database.get_owned(session, Project, project.id).name == "mine"


def test_a_submitted_job_is_carried_once_and_claimed_once(owner: Actor) -> None:
    job = _submit(owner)
    assert queue.carried(["default"]) == {queue.carrier_id(job.id, 0)}
    assert _claim(job).attempts == 1
    with database.session() as session:
        assert lifecycle.claim(session, job.id, worker="test-2", process_group=0, process_started=0.0) is None


def test_a_rolled_back_submit_enqueues_nothing(owner: Actor) -> None:
    def submit_and_break() -> None:
        with database.session(owner) as session:
            submit(session, owner, "ingest", IngestInput(asset_id=uuid7()))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        submit_and_break()
    assert queue.carried(["default"]) == set()


def test_an_emptied_queue_is_filled_again_from_the_database(owner: Actor) -> None:
    job = _submit(owner)
    queue.connection().flushdb()
    with database.session() as session:
        session.get_one(Job, job.id).enqueued_at = job.created_at.replace(year=2020)
    with database.session() as session:
        assert lifecycle.enqueue_lost(session) == 1
    with database.session() as session:
        assert lifecycle.enqueue_lost(session) == 0
    assert queue.carried(["default"]) == {queue.carrier_id(job.id, 0)}


def test_a_stale_attempt_writes_nothing(owner: Actor) -> None:
    claimed = _claim(_submit(owner))
    assert claimed.attempt_token is not None
    stale = claimed.attempt_token
    with database.session() as session:
        lifecycle.recover(session, session.get_one(Job, claimed.id), "test")
    again = _claim(claimed)
    with database.session() as session:
        assert lifecycle.lock_attempt(session, claimed.id, stale) is None
        assert not lifecycle.report(session, claimed.id, stale, 0.5, "stage.render")
        assert lifecycle.renew(session, claimed.id, stale) is None
        assert again.attempt_token is not None
        assert lifecycle.renew(session, claimed.id, again.attempt_token) is False


def test_a_job_that_keeps_dying_fails_at_its_limit_with_a_sentence(owner: Actor) -> None:
    job = _submit(owner)
    for _ in range(3):
        _claim(job)
        with database.session() as session:
            lifecycle.recover(session, session.get_one(Job, job.id), "test")
    with database.session(owner) as session:
        failed = database.get_owned(session, Job, job.id)
        assert failed.status == "failed"
        assert failed.error is not None
        assert failed.error["title"]
        assert session.scalars(select(OutboxEvent.kind)).all() == [events.JOB_FAILED]
        retry(session, owner, job.id)
    assert _claim(job).attempts == 4


def test_cancel_ends_a_waiting_job_at_once_and_asks_a_running_one(owner: Actor) -> None:
    waiting, running = _submit(owner), _submit(owner)
    _claim(running)
    with database.session(owner) as session:
        assert cancel(session, owner, waiting.id).status == "cancelled"
        assert cancel(session, owner, running.id).cancel_requested
    with database.session(owner) as session, pytest.raises(Conflict):
        cancel(session, owner, waiting.id)


def test_a_viewer_may_not_start_work(owner: Actor) -> None:
    viewer = Actor(owner.user_id, owner.owner_id, "viewer")
    with pytest.raises(Forbidden), database.session(viewer) as session:
        submit(session, viewer, "ingest", IngestInput(asset_id=uuid7()))


def test_an_event_is_delivered_once_and_a_failing_subscriber_blocks_no_other(owner: Actor) -> None:
    seen: list[int] = []

    def note(_session: object, event: OutboxEvent) -> None:
        seen.append(event.id)

    def refuse(_session: object, event: OutboxEvent) -> None:
        raise ValueError("no")

    events.subscriber("TEST_GOOD")(note)
    events.subscriber("TEST_BAD")(refuse)
    with database.session() as session:
        events.emit(session, "TEST_BAD", owner.owner_id, {})
        good = events.emit(session, "TEST_GOOD", owner.owner_id, {})
    for _ in range(4):
        events.deliver_next(database.session)
    assert seen == [good.id]
    with database.session() as session:
        bad = session.scalars(select(OutboxEvent).where(OutboxEvent.kind == "TEST_BAD")).one()
        assert bad.delivered_at is None
        assert bad.failures == 1
        assert bad.last_error == "no"

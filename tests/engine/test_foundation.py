"""The foundation on real servers: schema, owner scoping, jobs, events."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from alembic import command
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import OperationalError

from core import database, events, migrate, security
from core.assets import StagedAsset
from core.errors import Conflict, Forbidden, JobCancelled, NotFound
from core.jobs import cancel, lifecycle, queue, retry, submit
from core.models.base import uuid7
from core.models.identity import Project
from core.models.jobs import Job, JobLogLine, OutboxEvent
from core.security import Actor
from core.settings import Settings
from core.storage import storage
from core.video.payloads import IngestInput
from workers import recovery, runner
from workers.context import JobContext
from workers.dispatcher import clean_job_folders


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


def test_an_unexpected_fault_is_a_sentence_for_people_and_a_line_in_the_log(
    owner: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("hop_seconds")

    job = _submit(owner)
    monkeypatch.setattr(runner.registry, "task_of", lambda _kind: broken)
    runner.run(str(job.id))
    with database.session(owner) as session:
        failed = database.get_owned(session, Job, job.id)
        assert failed.status == "failed"
        assert failed.error is not None
        assert "KeyError" not in str(failed.error)
        lines = session.scalars(select(JobLogLine.message).where(JobLogLine.job_id == job.id)).all()
        assert any("KeyError: 'hop_seconds'" in line for line in lines)


def test_a_recovered_job_does_not_wait_behind_later_ones(owner: Actor) -> None:
    first = _submit(owner)
    _claim(first)
    queue.connection().flushdb()
    later = _submit(owner)
    with database.session() as session:
        lifecycle.recover(session, session.get_one(Job, first.id), "test")
    waiting = queue.queue("default").get_job_ids()
    assert waiting == [queue.carrier_id(first.id, 1), queue.carrier_id(later.id, 0)]


def test_closing_the_studio_uses_up_no_attempt(owner: Actor) -> None:
    job = _submit(owner)
    for _ in range(5):
        with database.session() as session:
            assert lifecycle.claim(session, job.id, worker="test-1", process_group=0, process_started=0.0) is not None
        assert recovery.give_back("test-2") == 0
        assert recovery.give_back("test-1") == 1
    with database.session() as session:
        assert session.get_one(Job, job.id).status == "queued"
    _claim(job)
    with database.session(owner) as session:
        cancel(session, owner, job.id)
    recovery.give_back("test-1")
    with database.session() as session:
        assert session.get_one(Job, job.id).status == "cancelled"


def test_jobs_of_dead_workers_go_on_at_the_next_start_and_those_of_other_machines_are_left(owner: Actor) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    workers = {recovery.name_of_worker(gone.pid): "queued", "another-machine-7": "running"}
    ids = {}
    for worker in workers:
        job = _submit(owner)
        with database.session() as session:
            lifecycle.claim(session, job.id, worker=worker, process_group=0, process_started=0.0)
        ids[worker] = job.id
    assert recovery.recover_dead_workers() == 1
    with database.session() as session:
        assert {worker: session.get_one(Job, job_id).status for worker, job_id in ids.items()} == workers


def test_an_attempt_that_renews_its_lease_late_goes_on(owner: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a sleep of the machine every lease looks expired; the attempt that lives must not be ended for it."""
    monkeypatch.setattr(recovery, "CONFIRM_SECONDS", 0.0)
    awake, dead = _claim(_submit(owner)), _claim(_submit(owner))
    with database.session() as session:
        session.execute(update(Job).values(lease_expires_at=func.now() - timedelta(minutes=5)))
    expired = recovery.ExpiredLeases()
    monkeypatch.setattr(recovery, "CONFIRM_SECONDS", 60.0)
    assert expired.recover() == 0
    assert awake.attempt_token is not None
    with database.session() as session:
        assert lifecycle.renew(session, awake.id, awake.attempt_token) is False
    monkeypatch.setattr(recovery, "CONFIRM_SECONDS", 0.0)
    assert expired.recover() == 1
    with database.session() as session:
        assert session.get_one(Job, awake.id).status == "running"
        assert session.get_one(Job, dead.id).status == "queued"


def test_attempts_of_one_job_do_not_share_a_folder(owner: Actor, studio: Settings) -> None:
    first = JobContext(_claim(_submit(owner)))
    first.prepare()
    (first.folder / "half").touch()
    with database.session() as session:
        lifecycle.recover(session, session.get_one(Job, first.job_id), "test")
        job = session.get_one(Job, first.job_id)
    second = JobContext(_claim(job))
    second.prepare()
    assert list(studio.jobs_dir.iterdir()) == [second.folder]
    (second.folder / "result").touch()
    first.clean()
    assert (second.folder / "result").exists()


def test_what_a_killed_attempt_had_moved_into_the_store_for_nobody_goes(owner: Actor, studio: Settings) -> None:
    def stage(context: JobContext, name: str) -> StagedAsset:
        (context.folder / name).write_text(name)
        return context.stage_asset(context.folder / name, kind="document", name=name)

    killed = JobContext(_claim(_submit(owner)))
    killed.prepare()
    kept, lost = stage(killed, "kept.txt"), stage(killed, "lost.txt")
    killed.checkpoint("outputs", [kept.as_dict()])
    clean_job_folders()
    assert storage().local_path(lost.storage_key).is_file(), "it still runs"
    with database.session() as session:
        lifecycle.recover(session, session.get_one(Job, killed.job_id), "test")
        job = session.get_one(Job, killed.job_id)
    clean_job_folders()
    assert not killed.folder.exists()
    assert storage().local_path(kept.storage_key).read_text() == "kept.txt"
    with pytest.raises(NotFound):
        storage().local_path(lost.storage_key)
    failed = JobContext(_claim(job))
    failed.prepare()
    failed.adopt(kept.as_dict())
    unsaved = stage(failed, "unsaved.txt")
    failed.clean()
    assert [path.name for path in studio.assets_dir.rglob("*.txt")] == [Path(kept.storage_key).name]
    assert unsaved.storage_key != kept.storage_key


def test_an_unreachable_database_stops_neither_work_nor_heart(owner: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    context = JobContext(_claim(_submit(owner)))
    gone = OperationalError("UPDATE", None, psycopg.OperationalError("the database system is starting up"))

    def unreachable(*_: object) -> bool:
        raise gone

    with monkeypatch.context() as patch:
        patch.setattr(lifecycle, "report", unreachable)
        context.progress(0.5, "stage.render")
    with database.session() as session:
        lifecycle.recover(session, session.get_one(Job, context.job_id), "test")
    with pytest.raises(JobCancelled):
        context.progress(0.7, "stage.store")


def test_a_database_of_a_newer_studio_is_refused_and_the_lock_is_free_again(studio: Settings) -> None:
    with database.engine().connect() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.commit()
    for _ in range(2):
        with pytest.raises(migrate.CannotMigrate, match="newer version"):
            migrate.upgrade()


def test_the_owner_s_token_is_written_anew_when_the_database_does_not_know_it(owner: Actor, tmp_path: Path) -> None:
    path = tmp_path / "api-token"
    path.write_text("cs_of-another-database\n")
    with database.session() as session:
        security.write_owner_token(session, path)
    written = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    with database.session() as session:
        assert security.actor_for_bearer(session, written.strip()) == owner
        security.write_owner_token(session, path)
    assert path.read_text() == written


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

"""Runs one job: claim, heartbeat, task, and one final transaction. This is the function RQ calls, by its path."""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import threading
import time
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from rq.timeouts import JobTimeoutException
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from core import assets, database, events
from core.errors import EngineFailed, InvalidInput, JobCancelled, OutOfSpace, StudioError
from core.jobs import lifecycle
from core.jobs.kinds import kind_of
from core.log import job_log
from core.models.jobs import Job
from workers import registry
from workers.context import JobContext
from workers.processes import started_at

HEARTBEAT = 0.5
CANCEL_GRACE = 1.2
_log = logging.getLogger(__name__)


def run(job_id: str) -> None:
    """Run the job with this identifier, if it is still queued."""
    with database.session() as session:
        job = lifecycle.claim(
            session,
            UUID(job_id),
            worker=worker_name(),
            process_group=os.getpgrp(),
            process_started=started_at(os.getpid()),
        )
    if job is None:
        return
    context = JobContext(job)
    with job_log(job.id, job.kind):
        _run_claimed(job, context)


def worker_name() -> str:
    """Name of this worker: set by the worker's main process, inherited by the work-horse."""
    return os.environ.get("STUDIO_WORKER_NAME", f"{socket.gethostname()}-{os.getppid()}")


def _run_claimed(job: Job, context: JobContext) -> None:
    heart = threading.Thread(target=_beat, args=(context,), daemon=True, name="heartbeat")
    heart.start()
    started = time.monotonic()
    try:
        context.prepare()
        payload = kind_of(job.kind).payload_class().model_validate(job.payload)
        result = registry.task_of(job.kind)(context, payload)
        context.progress(0.999, "stage.store")
        _succeed(context, result)
        _log.info("succeeded after %.1f s", time.monotonic() - started)
    except JobCancelled:
        _end_cancelled(context)
    except StudioError as error:
        _log.warning("failed: %s", error, exc_info=True)
        _end_failed(context, error)
    except ValidationError as error:
        _end_failed(context, InvalidInput("The order for this job is not valid.", str(error.errors()[0]["msg"])))
    except JobTimeoutException:
        _log.warning("ended after %.0f s, the longest a job may run", time.monotonic() - started)
        _end_failed(
            context, EngineFailed("The work on this file took longer than allowed.", "Try a shorter recording.")
        )
    except OSError as error:
        _log.exception("failed")
        _end_failed(context, _as_disk_error(error))
    except OperationalError:
        # The database went away: nothing can be recorded, the lease runs out and the job is recovered.
        _log.exception("the database cannot be reached; the job will be recovered")
        raise
    except Exception as error:  # noqa: BLE001 - the last net: recorded on the job, logged with its trace
        _log.exception("failed unexpectedly")
        context.log(f"{type(error).__name__}: {error}", "error")
        _end_failed(context, EngineFailed("Something went wrong in the studio.", "The log says why."))
    finally:
        context.done.set()
        context.clean()


def _as_disk_error(error: OSError) -> StudioError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OutOfSpace("The disk is full.", "Delete something in the Library and try again.", retryable=True)
    name = Path(str(error.filename)).name if error.filename else ""  # a person is not shown the machine's folders
    detail = ": ".join(part for part in (error.strerror or type(error).__name__, name) if part)
    return EngineFailed("A file could not be read or written.", detail, retryable=True)


def _succeed(context: JobContext, result: dict[str, Any]) -> None:
    with database.session() as session:
        job = lifecycle.lock_attempt(session, context.job_id, context.token)
        if job is None:
            raise JobCancelled
        staged = context.staged()
        for asset in staged:
            assets.add(session, context.owner_id, asset, context.job_id)
        session.add_all(context.rows)
        for kind, data in context.events:
            events.emit(session, kind, context.owner_id, data)
        visible = [asset.asset_id for asset in staged if not asset.hidden]
        lifecycle.end(session, job, "succeeded", result={"asset_ids": visible, "outputs": [], **result})


def _end_cancelled(context: JobContext) -> None:
    with database.session() as session:
        job = lifecycle.lock_attempt(session, context.job_id, context.token)
        if job is not None:
            lifecycle.end(session, job, "cancelled")


def _end_failed(context: JobContext, error: StudioError) -> None:
    with database.session() as session:
        job = lifecycle.lock_attempt(session, context.job_id, context.token)
        if job is not None:
            lifecycle.fail(session, job, error)


def _beat(context: JobContext) -> None:
    """Renew the lease; on cancel or a lost lease, give the task a moment to stop, then end the process group."""
    while not context.done.wait(HEARTBEAT):
        try:
            with database.session() as session:
                cancel_requested = lifecycle.renew(session, context.job_id, context.token)
        except SQLAlchemyError as error:
            # A heart that stopped here would leave the attempt without a lease, and another would begin beside it.
            _log.warning("heartbeat: the database cannot be reached: %s", error)
            continue
        if cancel_requested is False:
            continue
        (context.stop_requested if cancel_requested else context.stale).set()
        if context.done.wait(CANCEL_GRACE):
            return
        if cancel_requested:
            _end_cancelled(context)
        if _alone_in_group():
            os.killpg(os.getpgrp(), signal.SIGKILL)
        return


def _alone_in_group() -> bool:
    """Whether the process group is a work-horse's own, so that ending it ends nothing else."""
    return os.getpgrp() == os.getpid()

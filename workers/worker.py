"""A worker process: ``python -m workers.worker QUEUE…``.

Media and model jobs run in a fork of a parent that has imported the engines and never computes with them (a used
OpenMP pool does not survive a fork); publishing runs in one long-lived process.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any
from uuid import UUID

from rq import Queue
from rq.job import Job as CarriedJob
from rq.worker import SimpleWorker, Worker
from sqlalchemy.orm import configure_mappers

from core import database, log
from core.jobs import lifecycle, queue
from core.jobs.kinds import QUEUES
from core.models.base import uuid7
from core.models.jobs import Job
from core.settings import get_settings
from workers.processes import die_with_parent
from workers.recovery import end_attempt, name_of_worker
from workers.registry import load_tasks

_log = logging.getLogger(__name__)


class ForkingWorker(Worker):
    """RQ's forking worker whose work-horse dies with it and opens connections of its own."""

    def main_work_horse(self, job: CarriedJob, queue: Queue) -> None:
        die_with_parent(parent=self.pid)
        database.dispose()
        super().main_work_horse(job, queue)


def _recover_killed(job: CarriedJob, _pid: int | None, status: int | None, _usage: Any) -> None:
    """The work-horse was killed (out of memory, by hand): start the job's next attempt now, not at the lease's end."""
    job_id, _, earlier_attempts = job.id.rpartition("-")
    with database.session() as session:
        row = session.get(Job, UUID(job_id), with_for_update=True)
        if row is not None and row.status == "running" and row.attempts == int(earlier_attempts) + 1:
            end_attempt(row)
            lifecycle.recover(session, row, f"the process of this attempt was killed (status {status})")


def _warm_up(name: str) -> None:
    """Map the tables and compile the statements that start every job once here, not in each work-horse."""
    configure_mappers()
    with database.session() as session:
        lifecycle.claim(session, uuid7(), worker=name, process_group=0, process_started=0.0)
        lifecycle.renew(session, uuid7(), uuid7())


def place_for_caches(data: Path, environment: MutableMapping[str, str]) -> None:
    """numba (librosa's) stores compiled functions beside the package or in the user's home, and fails where it may
    write to neither: an installation of somebody else's, a container. There the data folder has room for them."""
    try:
        has_home = os.access(Path.home(), os.W_OK)
    except RuntimeError:  # a user without a name and without HOME
        has_home = False
    if not has_home:
        environment.setdefault("NUMBA_CACHE_DIR", str(data / "cache"))


def main(queues: list[str]) -> int:
    """Work on the named queues until SIGTERM or SIGINT."""
    unknown = set(queues) - set(QUEUES)
    if unknown or not queues:
        sys.stderr.write(f"usage: python -m workers.worker QUEUE…  with queues of: {', '.join(QUEUES)}\n")
        return 2
    log.configure("worker")
    name = name_of_worker(os.getpid())
    os.environ["STUDIO_WORKER_NAME"] = name
    # One thread for each engine's pool: two cores are shared by a render and an analysis.
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 2))))
    get_settings().jobs_dir.mkdir(parents=True, exist_ok=True)
    place_for_caches(get_settings().root, os.environ)
    load_tasks()
    _warm_up(name)
    kind = SimpleWorker if queues == ["publishing"] else ForkingWorker
    worker = kind(
        [queue.queue(each) for each in queues],
        name=name,
        connection=queue.connection(),
        serializer="json",
        maintenance_interval=30,
        job_monitoring_interval=10,
        log_job_description=False,
        work_horse_killed_handler=_recover_killed,
    )
    _log.info("working on %s", ", ".join(queues))
    worker.work(logging_level=get_settings().log_level)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

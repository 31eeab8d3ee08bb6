"""What happens to a job when its attempt is dead: the rest of its processes ended, the job queued again.

The dispatcher finds attempts whose lease ran out, wherever they ran. The guardian knows more about its own workers: one
that ended by itself is recovered at once, and those it ends with the studio give their jobs back.
"""

from __future__ import annotations

import socket
import time
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from core import database
from core.jobs import lifecycle
from core.models.jobs import Job
from workers.processes import end_group

CONFIRM_SECONDS = 1.5


class ExpiredLeases:
    """Recovers attempts whose lease is over, the second time it sees them so.

    After a sleep of the machine or a pause of the database every lease looks expired at first; an attempt that lives
    renews it within half a second and goes on.
    """

    def __init__(self) -> None:
        self._seen: dict[UUID | None, float] = {}

    def recover(self) -> int:
        """End what is left of dead attempts and queue their jobs again; returns how many."""
        now = time.monotonic()
        recovered = 0
        with database.session() as session:
            expired = lifecycle.abandoned(session)
            first_seen = {job.attempt_token: self._seen.get(job.attempt_token, now) for job in expired}
            for job in expired:
                if now - first_seen[job.attempt_token] >= CONFIRM_SECONDS:
                    end_attempt(job)
                    lifecycle.recover(session, job, "the worker of this attempt stopped answering")
                    recovered += 1
        self._seen = first_seen
        return recovered


def recover_worker(worker: str) -> int:
    """A worker of this machine ended by itself: its attempt is dead, which counts as a failed one."""
    with database.session() as session:
        jobs = lifecycle.abandoned(session, worker=worker)
        for job in jobs:
            end_attempt(job)
            lifecycle.recover(session, job, "the worker of this attempt ended")
        return len(jobs)


def recover_dead_workers() -> int:
    """At the start of a guardian: jobs of workers of this machine that are gone need not wait for their lease to end.

    Before the first new worker starts, so that each goes on before what was queued behind it.
    """
    with database.session() as session:
        names = set(session.scalars(select(Job.worker).where(Job.status == "running", Job.worker.is_not(None))))
    return sum(recover_worker(name) for name in names if name and not _may_live(name))


def _may_live(worker: str) -> bool:
    host, _, pid = worker.rpartition("-")
    if host != socket.gethostname():
        return True
    try:
        return b"workers.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def give_back(worker: str) -> int:
    """A worker of this machine was ended with the studio: its job waits for the next start, no attempt is used up."""
    with database.session() as session:
        jobs = lifecycle.abandoned(session, worker=worker)
        for job in jobs:
            end_attempt(job)
            lifecycle.interrupt(session, job, "the studio was closed during this attempt")
        return len(jobs)


def end_attempt(job: Job) -> None:
    """Kill the attempt's process group when it ran on this machine and leads a group of its own."""
    host, _, pid = (job.worker or "-0").rpartition("-")
    group = job.process_group
    if host == socket.gethostname() and group and group != int(pid or 0):
        end_group(group, job.process_started or 0.0)


def name_of_worker(pid: int) -> str:
    """The name under which the worker process ``pid`` of this machine takes jobs."""
    return f"{socket.gethostname()}-{pid}"

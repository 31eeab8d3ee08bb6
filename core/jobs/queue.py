"""The carrier: RQ over Redis brings a job's identifier to a worker, nothing else, always as JSON.

A lost queue loses nothing (the sweep enqueues again what the database calls queued), and a job carried twice runs once
(the claim in :mod:`core.jobs.lifecycle` lets one through).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import lru_cache
from uuid import UUID

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import DuplicateJobError

from core.settings import get_settings

RUN = "workers.runner.run"
_log = logging.getLogger(__name__)


@lru_cache
def connection() -> Redis:
    """The process's connection to Redis."""
    return Redis.from_url(get_settings().effective_redis_url, socket_connect_timeout=3, health_check_interval=30)


def queue(name: str) -> Queue:
    return Queue(name, connection=connection(), serializer="json")


def carrier_id(job_id: UUID, attempts: int) -> str:
    """RQ's identifier: one for each attempt, so that a repeated enqueue of the same attempt is refused by RQ."""
    return f"{job_id}-{attempts}"


def enqueue(name: str, job_id: UUID, attempts: int, *, first: bool = False) -> bool:
    """Hand a job to the workers, before all others if ``first``.

    False when Redis cannot be reached (the sweep will do it again).
    """
    limit = get_settings().job_time_limit
    try:
        queue(name).enqueue(
            RUN,
            str(job_id),
            job_id=carrier_id(job_id, attempts),
            job_timeout=limit,
            result_ttl=60,
            failure_ttl=60,
            unique=True,
            at_front=first,
        )
    except DuplicateJobError:
        return True
    except RedisError as error:
        _log.warning("job %s waits for the sweep, the queue cannot be reached: %s", job_id, error)
        return False
    return True


def carried(names: Iterable[str]) -> set[str]:
    """RQ identifiers waiting in the named queues. Raises ``redis.RedisError`` when Redis cannot be reached."""
    return {identifier for name in names for identifier in queue(name).get_job_ids()}


def drop(name: str, job_id: UUID, attempts: int) -> None:
    """Forget RQ's record of one attempt, so that it can be enqueued again."""
    from rq.exceptions import NoSuchJobError
    from rq.job import Job as CarriedJob

    try:
        CarriedJob.fetch(carrier_id(job_id, attempts), connection=connection(), serializer="json").delete()
    except NoSuchJobError:
        return

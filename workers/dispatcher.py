"""The one process that owns time: ``python -m workers.dispatcher``. Any number of copies may run.

It delivers events, fires due publications and syncs, recovers jobs of dead workers, and enqueues again what a lost
queue forgot. Every step takes its rows with SKIP LOCKED, so copies share the work.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from core import database, events, log
from core.jobs import lifecycle
from core.models.jobs import Job
from core.publishing import tiktok_webhooks, webhooks, zones
from core.settings import get_settings
from workers import leftovers
from workers.context import attempt_folder
from workers.publishing import dispatch, pipelines
from workers.recovery import ExpiredLeases
from workers.subscribers import load_subscribers

_log = logging.getLogger(__name__)


@dataclass
class Chore:
    """Something done again every ``every`` seconds; ``aside`` while the others go on, because it waits for somebody
    else's server and no post may be late for that."""

    name: str
    every: float
    run: Callable[[], object]
    aside: bool = False
    due: float = field(default=0.0)
    beside: threading.Thread | None = field(default=None)


recover_abandoned = ExpiredLeases().recover


def enqueue_lost() -> int:
    with database.session() as session:
        return lifecycle.enqueue_lost(session)


def deliver_events() -> int:
    delivered = 0
    while delivered < 200 and events.deliver_next(database.session):
        delivered += 1
    return delivered


def clean_job_folders() -> None:
    """Remove private folders whose job does not run any more, and what their attempts left in the store."""
    folder = get_settings().jobs_dir
    if not folder.is_dir():
        return
    names = [path.name for path in folder.iterdir() if path.is_dir()]
    with database.session() as session:
        rows = session.execute(select(Job.id, Job.attempts).where(Job.status == "running")).all()
    running = {attempt_folder(row.id, row.attempts) for row in rows}
    for name in names:
        if name not in running:
            leftovers.remove_folder(folder / name)


def chores() -> list[Chore]:
    """Everything the dispatcher does, with its period in seconds."""
    return [
        Chore("events", 0.25, deliver_events),
        Chore("abandoned jobs", 2.0, recover_abandoned),
        Chore("lost queue entries", 2.0, enqueue_lost),
        Chore("due publications", 1.0, dispatch.dispatch_due),
        Chore("expired publication leases", 5.0, dispatch.sweep_expired_leases),
        Chore("due syncs", 10.0, dispatch.due_syncs),
        Chore("recipes", 1.0, pipelines.advance_runs),
        Chore("time zones", 3600.0, zones.follow),
        Chore("push subscriptions", 3600.0, webhooks.renew_due, aside=True),
        Chore("permissions taken back", 10.0, tiktok_webhooks.settle_removed, aside=True),
        Chore("job folders", 600.0, clean_job_folders),
    ]


def main() -> int:
    """Run the chores until SIGTERM or SIGINT. A failing chore is logged and tried again; the others go on."""
    log.configure("dispatcher")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    load_subscribers()
    planned = chores()
    _log.info("dispatching")
    while not stop.is_set():
        for chore in planned:
            if time.monotonic() < chore.due:
                continue
            turn(chore)
        stop.wait(0.1)
    return 0


def turn(chore: Chore) -> None:
    """Do a chore that is due; one that is done aside is started unless it still runs."""
    chore.due = time.monotonic() + chore.every
    if not chore.aside:
        _do(chore)
    elif chore.beside is None or not chore.beside.is_alive():
        chore.beside = threading.Thread(target=_do, args=(chore,), daemon=True, name=chore.name)
        chore.beside.start()


def _do(chore: Chore) -> None:
    try:
        chore.run()
    except (DBAPIError, RedisError) as error:
        _log.warning("%s: a service cannot be reached: %s", chore.name, error)
        chore.due = time.monotonic() + 2.0
    except Exception:  # noqa: BLE001 - one chore must not end the process that owns time
        _log.exception("%s failed", chore.name)
        chore.due = time.monotonic() + 10.0


if __name__ == "__main__":
    sys.exit(main())

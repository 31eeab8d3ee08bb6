"""A publishing worker to be killed: ``python -m tests.fault.publishing_worker FLAGS``.

A parent that has imported everything forks the worker, and forks another one whenever it was killed. The worker runs
the product's own runner on queued jobs. A publication whose title is ``kill <point>`` ends it with SIGKILL at that
point, once: the folder FLAGS remembers. Nothing in the product knows of the points; they are put around its functions
here, in the process that dies.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from core import database
from core.jobs import lifecycle
from core.models.jobs import Job
from core.models.publishing import PublicationRecord
from providers.publishing import simulated, tiktok, transport, youtube
from workers import runner
from workers.processes import die_with_parent
from workers.publishing import ledger, sync, upload

POINTS = (
    "before intent",
    "after intent",
    "session opened, handle not stored",
    "handle stored",
    "half of it sent",
    "last byte sent, answer not read",
    "answer read, id not stored",
    "id stored",
    "step begun",
    "step made, not stored",
    "before the end is stored",
)
TIKTOK = (
    "post opened, handle not stored",
    "handle stored",
    "half of it sent",
    "last byte sent, answer not read",
    "answer read, id not stored",
)
"""Those where platforms differ."""
SIMULATED = (
    "before intent",
    "after intent",
    "handle stored",
    "post made, answer not read",
    "id stored",
    "before the end is stored",
)
FIGURES = "kill-while-figures-are-stored"
"""A file of this name in FLAGS ends the worker once, after figures were written and before they are committed."""
READS = "figures-are-read-too"
"""Only with a file of this name do the workers take the jobs that read figures."""
CHUNK = 262_144
TIKTOK_CHUNK = 5_300_000


def main() -> int:
    die_with_parent()
    flags = Path(sys.argv[1])
    lifecycle.LEASE = timedelta(seconds=1.5)
    ledger.LEASE = timedelta(seconds=3)
    ledger.RENEWAL = 0.5
    youtube.YouTubePublisher.__init__.__kwdefaults__["chunk_bytes"] = CHUNK
    tiktok.TikTokPublisher.__init__.__kwdefaults__["chunk_bytes"] = TIKTOK_CHUNK
    _put_points(flags)
    while True:
        child = os.fork()
        if child == 0:
            die_with_parent()
            _work(flags)
        status = os.waitpid(child, 0)[1]
        if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
            return 1


def _work(flags: Path) -> None:
    while True:
        kinds = ["publishing.upload"] + ["publishing.sync_metrics"] * (flags / READS).exists()
        with database.session() as session:
            ids = session.scalars(
                select(Job.id).where(Job.status == "queued", Job.kind.in_(kinds)).order_by(Job.created_at).limit(5)
            ).all()
        for job_id in ids:
            runner.run(str(job_id))
        if not ids:
            time.sleep(0.05)


def _put_points(flags: Path) -> None:
    now: dict[str, Any] = {"title": "", "opened": False}

    def die(point: str) -> None:
        if now["title"] != f"kill {point}":
            return
        flag = flags / point.replace(" ", "-")
        if not flag.exists():
            flag.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    def around(module: Any, name: str, before: str = "", after: str = "") -> None:
        original: Callable[..., Any] = getattr(module, name)

        def wrapped(*args: Any, **options: Any) -> Any:
            if before:
                die(before)
            result = original(*args, **options)
            if after:
                die(after)
            return result

        setattr(module, name, wrapped)

    take = ledger.take

    def noted(publication_id: Any, job_id: Any, attempt: int) -> Any:
        with database.session() as session:
            now["title"] = session.get_one(PublicationRecord, publication_id).title
        die("before intent")
        result = take(publication_id, job_id, attempt)
        die("after intent")
        return result

    ledger.take = noted
    send = transport.SingleShot._send

    def sending(self: Any, uri: str, method: str, content: Any, headers: dict[str, str], token: Any) -> Any:
        answer = send(self, uri, method, content, headers, token)
        if method == "POST" and "uploadType=resumable" in uri:
            die("session opened, handle not stored")
        if method == "PUT" and content and answer.status_code == 308:
            die("half of it sent")
        if method == "PUT" and content and answer.status_code == 200:
            die("last byte sent, answer not read")
        return answer

    transport.SingleShot._send = sending
    put = tiktok.TikTokPublisher._put

    def putting(self: Any, *args: Any) -> Any:
        answer = put(self, *args)
        if answer.status_code == 206:
            die("half of it sent")
        if answer.status_code == 201:
            die("last byte sent, answer not read")
        return answer

    tiktok.TikTokPublisher._put = putting
    around(tiktok.TikTokPublisher, "_open", after="post opened, handle not stored")
    around(ledger, "save_handle", after="handle stored")
    around(ledger, "uploaded", before="answer read, id not stored", after="id stored")
    around(ledger, "published", before="before the end is stored")
    around(ledger, "begin_step", after="step begun")
    around(ledger, "end_step", before="step made, not stored")
    around(simulated.SimulatedPublisher, "submit", after="post made, answer not read")
    recorded = sync.record_snapshots

    def half_stored(*args: Any, **options: Any) -> Any:
        result = recorded(*args, **options)
        if (flags / FIGURES).exists():
            (flags / FIGURES).unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    sync.record_snapshots = half_stored  # type: ignore[assignment]
    assert upload.ledger is ledger


if __name__ == "__main__":
    sys.exit(main())

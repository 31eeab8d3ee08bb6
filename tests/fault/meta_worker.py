"""A publishing worker to be killed around the calls to Graph: ``python -m tests.fault.meta_worker FLAGS``.

Like ``tests.fault.publishing_worker``: a publication whose title is ``kill <kind> <point>`` ends the worker with
SIGKILL at that point, once. The points are put around the product's functions here, in the process that dies.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from core import database
from core.jobs import lifecycle
from core.models.jobs import Job
from core.models.publishing import PublicationRecord
from core.publishing import rules
from providers.publishing import meta_client
from workers import runner
from workers.processes import die_with_parent
from workers.publishing import ledger, upload

OPENED, HALF, SENT = "opened, handle not stored", "half of it sent", "bytes sent, not stored"
BEFORE, AFTER, STORED = "about to be finished", "finished, answer not read", "id stored"
POINTS = {
    "reel": (OPENED, HALF, AFTER),
    "video": (SENT, AFTER),
    "instagram": (BEFORE, AFTER, STORED),
}
_FINISH = ("/video_reels", "/videos", "/media_publish")


def main() -> int:
    die_with_parent()
    flags = Path(sys.argv[1])
    lifecycle.LEASE = timedelta(seconds=1.5)
    ledger.LEASE = timedelta(seconds=3)
    ledger.RENEWAL = 0.5
    for name in ("facebook", "instagram"):
        rules.RULES[name] = replace(rules.RULES[name], listing_delay_seconds=1)
    _put_points(flags)
    while True:
        child = os.fork()
        if child == 0:
            die_with_parent()
            _work()
        status = os.waitpid(child, 0)[1]
        if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
            return 1


def _work() -> None:
    while True:
        with database.session() as session:
            queued = select(Job.id).where(Job.status == "queued", Job.kind == "publishing.upload")
            ids = session.scalars(queued.order_by(Job.created_at).limit(5)).all()
        for job_id in ids:
            runner.run(str(job_id))
        if not ids:
            time.sleep(0.05)


def _put_points(flags: Path) -> None:
    now = {"title": ""}

    def die(point: str) -> None:
        kind = now["title"].removeprefix("kill ").partition(" ")[0]
        if now["title"] != f"kill {kind} {point}":
            return
        flag = flags / f"{kind}-{point}".replace(" ", "-")
        if not flag.exists():
            flag.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    take = ledger.take

    def noted(publication_id: Any, job_id: Any, attempt: int) -> Any:
        with database.session() as session:
            now["title"] = session.get_one(PublicationRecord, publication_id).title
        return take(publication_id, job_id, attempt)

    ledger.take = noted
    change = meta_client.GraphClient.change

    def changing(self: Any, path: str, form: dict[str, str], **options: Any) -> Any:
        phase = form.get("upload_phase", "")
        finishing = path.endswith(_FINISH) and phase in ("finish", "")
        if finishing:
            die(BEFORE)
        answer = change(self, path, form, **options)
        if phase == "start" or path.endswith("/media"):
            die(OPENED)
        if phase == "transfer":
            die(HALF if answer["start_offset"] != answer["end_offset"] else SENT)
        if finishing:
            die(AFTER)
        return answer

    meta_client.GraphClient.change = changing  # type: ignore[method-assign]
    rest = meta_client._rest
    send = meta_client.GraphClient.send

    def half(path: Path, offset: int, tell: Callable[[int], None]) -> Any:
        for piece in rest(path, offset, tell):
            yield piece[: len(piece) // 2]
            if now["title"].endswith(HALF):
                time.sleep(0.2)  # the platform has it
                die(HALF)
            yield piece[len(piece) // 2 :]

    def sending(self: Any, *args: Any) -> None:
        send(self, *args)
        die(SENT)

    meta_client._rest = half
    meta_client.GraphClient.send = sending  # type: ignore[method-assign]
    stored = ledger.uploaded

    def uploaded(*args: Any, **options: Any) -> None:
        stored(*args, **options)
        die(STORED)

    ledger.uploaded = uploaded
    assert upload.ledger is ledger


if __name__ == "__main__":
    sys.exit(main())

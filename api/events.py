"""The one server-sent stream of a browser window: everything its owner's jobs, assets and posts do (H8).

``data:`` lines are JSON objects with a ``type``: ``job`` (see :func:`core.jobs.lifecycle.job_notice`), ``event`` (the
event bus) and whatever else :func:`core.live.notify` sends; ``snapshot`` comes first and after every interruption and
holds the notices of all live jobs. ``id:`` is the number of an event; a client that comes back with it as
``Last-Event-ID`` is told what happened meanwhile.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import func, select
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from api.dependencies import CurrentActor
from api.hub import RESYNC, Hub
from core import database
from core.events import event_notice
from core.jobs.lifecycle import job_notice
from core.models.jobs import Job, OutboxEvent
from core.security import Actor

router = APIRouter(tags=["events"])
STREAM_SECONDS = 3600.0
RECONNECT_MILLISECONDS = 2000
MAXIMUM_MISSED = 200


@router.get("/events", response_class=StreamingResponse, responses={200: {"content": {"text/event-stream": {}}}})
async def events(request: Request, actor: CurrentActor) -> StreamingResponse:
    """Server-sent events (WHATWG HTML, 9.2). A stream begins with the jobs that wait or run; what happened since
    ``Last-Event-ID`` follows. It ends after an hour, so that a sign-out takes effect; browsers reconnect by
    themselves."""
    hub: Hub = request.app.state.hub
    last = request.headers.get("last-event-id", "")
    seen = int(last) if last.isascii() and last.isdigit() and len(last) < 19 else None
    lines = _lines(hub, actor, seen)
    return StreamingResponse(lines, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _lines(hub: Hub, actor: Actor, seen: int | None) -> AsyncIterator[str]:
    ends = time.monotonic() + STREAM_SECONDS
    yield f"retry: {RECONNECT_MILLISECONDS}\n\n"
    async for batch in hub.watch(actor.owner_id):
        notices = batch
        if any(notice["type"] == RESYNC for notice in batch):
            live = await run_in_threadpool(live_jobs, actor)
            newest, missed = await run_in_threadpool(_happened, actor, seen)
            # The snapshot's own number comes first, so that the missed ones count on after it.
            start = newest if seen is None else seen
            snapshot = {"type": "snapshot", "event_id": start, "jobs": [job["job_id"] for job in live]}
            notices = [snapshot, *live, *missed]
        for notice in notices:
            seen = max(seen or 0, notice.get("event_id") or 0) or seen
        yield "".join(_line(notice) for notice in notices) or ": alive\n\n"
        if time.monotonic() > ends:
            return


def _line(notice: dict[str, Any]) -> str:
    number = f"id: {notice['event_id']}\n" if notice.get("event_id") else ""
    return f"{number}data: {json.dumps(notice, ensure_ascii=False)}\n\n"


def _happened(actor: Actor, seen: int | None) -> tuple[int, list[dict[str, Any]]]:
    """The newest event's number, and the newest of those after ``seen``, in their order."""
    delivered = OutboxEvent.delivered_at.is_not(None)
    with database.session(actor) as session:
        newest = session.scalar(select(func.max(OutboxEvent.id)).where(delivered)) or 0
        if seen is None:
            return newest, []
        after = select(OutboxEvent).where(delivered, OutboxEvent.id > seen).order_by(OutboxEvent.id.desc())
        return newest, [event_notice(event) for event in reversed(session.scalars(after.limit(MAXIMUM_MISSED)).all())]


def live_jobs(actor: Actor) -> list[dict[str, Any]]:
    """Notices of all jobs of the owner that wait or run."""
    with database.session(actor) as session:
        jobs = session.scalars(select(Job).where(Job.status.in_(("queued", "running"))).order_by(Job.created_at))
        return [job_notice(job) for job in jobs]

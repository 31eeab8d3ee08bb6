"""The one server-sent stream of a browser window: everything its owner's jobs, assets and posts do (H8).

``data:`` lines are JSON objects with a ``type``: ``job`` (see :func:`core.jobs.lifecycle.job_notice`), ``event`` (the
event bus) and whatever else :func:`core.live.notify` sends; ``snapshot`` comes first and after every interruption and
holds the notices of all live jobs.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from api.dependencies import CurrentActor
from api.hub import RESYNC, Hub
from core import database
from core.jobs.lifecycle import job_notice
from core.models.jobs import Job
from core.security import Actor

router = APIRouter(tags=["events"])
STREAM_SECONDS = 3600.0
RECONNECT_MILLISECONDS = 2000


@router.get("/events", response_class=StreamingResponse, responses={200: {"content": {"text/event-stream": {}}}})
async def events(request: Request, actor: CurrentActor) -> StreamingResponse:
    """Server-sent events (WHATWG HTML, 9.2). A stream ends after an hour, so that a sign-out takes effect; browsers
    reconnect by themselves."""
    hub: Hub = request.app.state.hub
    return StreamingResponse(_lines(hub, actor), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _lines(hub: Hub, actor: Actor) -> AsyncIterator[str]:
    ends = time.monotonic() + STREAM_SECONDS
    yield f"retry: {RECONNECT_MILLISECONDS}\n\n"
    async for batch in hub.watch(actor.owner_id):
        notices = batch
        if any(notice["type"] == RESYNC for notice in batch):
            live = await run_in_threadpool(live_jobs, actor)
            notices = [{"type": "snapshot", "jobs": [job["job_id"] for job in live]}, *live]
        yield "".join(f"data: {json.dumps(notice, ensure_ascii=False)}\n\n" for notice in notices) or ": alive\n\n"
        if time.monotonic() > ends:
            return


def live_jobs(actor: Actor) -> list[dict[str, Any]]:
    """Notices of all jobs of the owner that wait or run."""
    with database.session(actor) as session:
        jobs = session.scalars(select(Job).where(Job.status.in_(("queued", "running"))).order_by(Job.created_at))
        return [job_notice(job) for job in jobs]

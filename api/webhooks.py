"""Where platforms send their notifications (P2.4, H5): raw bytes first, signature checked, answered at once."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.dependencies import StudioOwner
from core import database
from core.database import get_owned
from core.errors import NotFound
from core.models.publishing import PlatformAccount
from core.publishing import webhooks
from core.publishing.inbox import Room
from core.publishing.notifications import room_of

router = APIRouter(prefix="/publishing", tags=["publishing"])
Platform = Annotated[str, Path(pattern="^[a-z]{2,20}$")]


@router.post("/accounts/{account_id}/push", status_code=204)
def subscribe(request: Request, actor: StudioOwner, account_id: UUID) -> None:
    """Have YouTube tell this studio of changes on an account's channel. The studio must be reachable from the
    internet under the name this request came to."""
    with database.session(actor) as session:
        get_owned(session, PlatformAccount, account_id)
    callback = webhooks.callback_of(f"{request.url.scheme}://{request.url.netloc}", account_id)
    webhooks.subscribe(actor, account_id, callback)


@router.get("/webhook/{platform}", response_class=Response, openapi_extra={"security": []})
def verify(
    request: Request,
    platform: Platform,
    account: UUID | None = None,
    mode: Annotated[str, Query(alias="hub.mode", max_length=20)] = "",
    topic: Annotated[str, Query(alias="hub.topic", max_length=500)] = "",
    challenge: Annotated[str, Query(alias="hub.challenge", max_length=500)] = "",
    lease_seconds: Annotated[int, Query(alias="hub.lease_seconds", ge=0)] = 0,
    verify_token: Annotated[str, Query(alias="hub.verify_token", max_length=500)] = "",
) -> Response:
    """The platform asks whether notifications are wanted; its challenge is echoed only where the studio asked."""
    room = room_of(platform)
    with database.session() as session:
        answer = room.challenge(session, dict(request.query_params))
    if answer is None:
        raise NotFound("The studio did not ask for this.")
    return Response(answer, media_type="text/plain")


@router.post("/webhook/{platform}", status_code=204, response_class=Response, openapi_extra={"security": []})
async def deliver(request: Request, platform: Platform, account: UUID | None = None) -> Response:
    """A notification, answered in the way of its platform. What is not signed has no effect."""
    room = room_of(platform)
    body = await request.body()
    taken = await run_in_threadpool(_receive, room, dict(request.query_params), dict(request.headers), body)
    return Response(status_code=room.taken_status if taken else room.refused_status)


def _receive(room: Room, query: dict[str, str], headers: dict[str, str], body: bytes) -> bool:
    with database.session() as session:
        return room.receive(session, query, headers, body)

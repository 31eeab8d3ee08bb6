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

router = APIRouter(prefix="/publishing", tags=["publishing"])
Platform = Annotated[str, Path(pattern="^[a-z]{2,20}$")]


def _known(platform: str) -> None:
    if platform != "youtube":
        raise NotFound("This platform sends nothing here.")


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
    platform: Platform,
    account: UUID | None = None,
    mode: Annotated[str, Query(alias="hub.mode", max_length=20)] = "",
    topic: Annotated[str, Query(alias="hub.topic", max_length=500)] = "",
    challenge: Annotated[str, Query(alias="hub.challenge", max_length=500)] = "",
    lease_seconds: Annotated[int, Query(alias="hub.lease_seconds", ge=0)] = 0,
) -> Response:
    """The hub asks whether a subscription is wanted; the challenge is echoed only for one the studio asked for."""
    _known(platform)
    with database.session() as session:
        if account is None or not webhooks.confirm(session, account, mode, topic, lease_seconds):
            raise NotFound("The studio did not ask for this.")
    return Response(challenge, media_type="text/plain")


@router.post("/webhook/{platform}", status_code=204, response_class=Response, openapi_extra={"security": []})
async def deliver(request: Request, platform: Platform, account: UUID | None = None) -> Response:
    """A notification. What is not signed for the account is dropped and still answered 204, as the hub asks; a forger
    learns nothing."""
    _known(platform)
    body = await request.body()
    if account is not None:
        await run_in_threadpool(_receive, account, dict(request.headers), body)
    return Response(status_code=204)


def _receive(account: UUID, headers: dict[str, str], body: bytes) -> None:
    with database.session() as session:
        webhooks.receive(session, account, headers, body)

"""What routes ask for: who is asking, and a transaction limited to what they own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Header, Query, Request
from sqlalchemy.orm import Session

from core import database, jobs
from core.errors import Unauthenticated
from core.security import SESSION_COOKIE, Actor, actor_for_bearer, actor_for_session


def bearer_token(authorization: str | None) -> str | None:
    """The token of an ``Authorization: Bearer`` header (RFC 6750), or None."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def find_actor(session: Session, authorization: str | None, cookie: str | None) -> Actor | None:
    """The actor of a request. A bearer header decides alone: a wrong token is not rescued by a cookie."""
    if authorization:
        return actor_for_bearer(session, bearer_token(authorization))
    return actor_for_session(session, cookie)


def signed_in(request: Request) -> Actor:
    """The signed-in user.

    Raises:
        Unauthenticated: neither a valid token nor a valid session cookie.
    """
    with database.session() as session:
        actor = find_actor(session, request.headers.get("authorization"), request.cookies.get(SESSION_COOKIE))
    if actor is None:
        raise Unauthenticated("Sign in, or send an API token.", "Programs send Authorization: Bearer and the token.")
    return actor


CurrentActor = Annotated[Actor, Depends(signed_in)]


def editing(actor: CurrentActor) -> Actor:
    """The signed-in user, who may change things."""
    actor.require("editor")
    return actor


def owning(actor: CurrentActor) -> Actor:
    """The signed-in user, who owns the studio."""
    actor.require("owner")
    return actor


Editor = Annotated[Actor, Depends(editing)]
StudioOwner = Annotated[Actor, Depends(owning)]


def scoped_session(actor: CurrentActor) -> Iterator[Session]:
    """A transaction that sees only the actor's studio; it is committed before the answer is sent."""
    with database.session(actor) as session:
        yield session


# "function" ends the transaction when the route returns: a commit that fails must not follow a 2xx already sent.
# The limit lies below the pool's size: requests wait for a connection without holding a thread, which the requests
# that do hold one need to go on.
Scoped = Annotated[Session, Depends(scoped_session, scope="function", max_concurrency=6)]

_KEY = Header(
    min_length=1,
    max_length=200,
    description="A name of your choice for this request. Sent again with the same name, it starts nothing new and "
    "answers the job it started (IETF draft-ietf-httpapi-idempotency-key-header).",
)


def starting_session(session: Scoped, idempotency_key: Annotated[str | None, _KEY] = None) -> Session:
    """A transaction that starts work: a client that lost the answer may send its request again under the same name."""
    jobs.name_request(session, idempotency_key)
    return session


Starting = Annotated[Session, Depends(starting_session, scope="function")]

Limit = Annotated[int, Query(ge=1, le=200, description="rows on one page")]
Offset = Annotated[int, Query(ge=0, le=1_000_000, description="rows to skip")]

"""Signing in and out (S1), and who is signed in."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from api import sign_in_page
from api.dependencies import CurrentActor, StudioOwner
from api.guard import is_owner_at_home, session_cookie
from api.origin import safe_next
from core import database
from core.errors import BadRequest, Forbidden, InvalidInput, TooManyRequests, Unauthenticated
from core.i18n import t
from core.models.identity import User
from core.security import (
    SESSION_COOKIE,
    add_user,
    change_password,
    close_session,
    ensure_owner,
    open_session,
    sign_in,
    somebody_signed_up,
)
from core.settings import get_settings

router = APIRouter(tags=["sessions"])
FORM_BYTES = 8192
FAILURES = 10
FAILURE_WINDOW = 15 * 60.0


class Attempts:
    """Failed sign-ins of the last quarter of an hour by e-mail and by peer; in memory, a restart forgets them."""

    def __init__(self) -> None:
        self._failed: dict[str, deque[float]] = defaultdict(deque)

    def check(self, *keys: str) -> None:
        """Raise :class:`TooManyRequests` when any key has failed too often."""
        now = time.monotonic()
        for key in keys:
            failed = self._failed[key]
            while failed and failed[0] < now - FAILURE_WINDOW:
                failed.popleft()
            if len(failed) >= FAILURES:
                raise TooManyRequests("Too many wrong passwords.", "Try again in a quarter of an hour.")
            if not failed:
                del self._failed[key]

    def failed(self, *keys: str) -> None:
        now = time.monotonic()
        for key in keys:
            self._failed[key].append(now)

    def forget(self, *keys: str) -> None:
        for key in keys:
            self._failed.pop(key, None)


attempts = Attempts()


class Credentials(BaseModel):
    """What somebody signs in with."""

    email: str = Field(max_length=254)
    password: str = Field(max_length=1024)


class Person(BaseModel):
    """The signed-in user."""

    user_id: UUID
    name: str
    email: str | None
    role: str


class NewPassword(Credentials):
    """The signed-in user's own; ``current_password`` is needed once there is one."""

    current_password: str | None = Field(default=None, max_length=1024)


class NewPerson(BaseModel):
    """Somebody an owner lets in; without a password they sign in through the identity provider."""

    email: str = Field(max_length=254)
    password: str | None = Field(default=None, max_length=1024)
    role: str = "editor"


def _enter(credentials: Credentials, peer: str) -> str:
    keys = (f"email {credentials.email.strip().lower()}", f"peer {peer}")
    attempts.check(*keys)
    try:
        with database.session() as session:
            token = sign_in(session, credentials.email, credentials.password)
    except Unauthenticated:
        attempts.failed(*keys)
        raise
    attempts.forget(*keys)
    return token


def _enter_at_home(request: Request) -> str:
    with database.session() as session:
        if not is_owner_at_home(request.scope) or somebody_signed_up(session):
            raise Unauthenticated("Sign in with an e-mail and a password.")
        return open_session(session, ensure_owner(session))


def _signed_in(request: Request, token: str) -> Response:
    answer = Response(status_code=201)
    session_cookie(answer.headers, request.scope, token)
    return answer


def _peer(request: Request) -> str:
    return request.client.host if request.client else "unknown"


@router.post("/sessions", status_code=201, openapi_extra={"security": []})
async def open_a_session(request: Request) -> Response:
    """Sign in with ``{"email", "password"}`` as JSON or as a form; the answer sets the session cookie.

    Without a body it opens the owner's own studio, where that needs no password (over loopback, before anybody signed
    up). A form (the sign-in page) is answered by a redirect to its ``next``, a wrong password by the page again.
    """
    body = await request.body()
    if len(body) > FORM_BYTES:
        raise BadRequest("That is no e-mail and password.")
    if not body:
        token = await run_in_threadpool(_enter_at_home, request)
        return _signed_in(request, token)
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        try:
            credentials = Credentials.model_validate_json(body)
        except ValueError:
            raise InvalidInput("Send an e-mail and a password.") from None
        return _signed_in(request, await run_in_threadpool(_enter, credentials, _peer(request)))
    form = dict(parse_qsl(body.decode("utf-8", "replace")))
    target = safe_next(form.get("next", "/"))
    try:
        credentials = Credentials(email=form.get("email", ""), password=form.get("password", ""))
        token = await run_in_threadpool(_enter, credentials, _peer(request))
    except (Unauthenticated, TooManyRequests) as error:
        lang = sign_in_page.language(request, form.get("lang"))
        return sign_in_page.render(lang, target, error.status, _message(error, lang), form.get("email", ""))
    redirect = RedirectResponse(target, 303)
    session_cookie(redirect.headers, request.scope, token)
    return redirect


def _message(error: Unauthenticated | TooManyRequests, lang: str) -> str:
    return t("sign_in.too_many" if isinstance(error, TooManyRequests) else "sign_in.wrong", lang)


@router.get("/sessions")
def who(actor: CurrentActor) -> Person:
    """The signed-in user."""
    with database.session() as session:
        user = session.get_one(User, actor.user_id)
        return Person(user_id=user.id, name=user.name, email=user.email, role=user.role)


@router.delete("/sessions", status_code=204)
def sign_out(request: Request, actor: CurrentActor) -> Response:
    """Sign this browser out."""
    token = request.cookies.get(SESSION_COOKIE)
    if token:
        with database.session() as session:
            close_session(session, token)
    answer = Response(status_code=204)
    answer.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="lax")
    return answer


@router.put("/sessions/password", status_code=204)
def choose_password(request: Request, actor: CurrentActor, wanted: NewPassword) -> None:
    """Set the signed-in user's e-mail and password, and sign their other browsers out. After the first password,
    loopback needs a sign-in too."""
    keys = (f"user {actor.user_id}", f"peer {_peer(request)}")
    attempts.check(*keys)
    try:
        with database.session() as session:
            change_password(
                session,
                session.get_one(User, actor.user_id),
                wanted.email,
                wanted.password,
                current=wanted.current_password,
                keep=request.cookies.get(SESSION_COOKIE),
            )
    except Forbidden:
        attempts.failed(*keys)
        raise


@router.post("/sessions/people", status_code=201)
def let_in(actor: StudioOwner, person: NewPerson) -> Person:
    """An owner adds an editor or a viewer."""
    with database.session() as session:
        user = add_user(
            session, actor, person.email, person.password, person.role, by_provider=get_settings().has_identity_provider
        )
        return Person(user_id=user.id, name=user.name, email=user.email, role=user.role)

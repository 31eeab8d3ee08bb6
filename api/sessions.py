"""Signing in and out (S1), and who is signed in."""

from __future__ import annotations

import html
import time
from collections import defaultdict, deque
from typing import Annotated
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from api.dependencies import CurrentActor, StudioOwner
from api.guard import is_owner_at_home, session_cookie
from api.origin import safe_next
from api.problems import language_of
from core import database
from core.errors import BadRequest, Forbidden, InvalidInput, TooManyRequests, Unauthenticated
from core.i18n import LANGUAGES, t
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

router = APIRouter(tags=["sessions"])
FORM_POLICY = "default-src 'none'; style-src 'self' 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
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


class NewPerson(Credentials):
    """Somebody an owner lets in."""

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
        lang = _language(request, form.get("lang"))
        return _page(lang, target, error.status, _message(error, lang), form.get("email", ""))
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
        user = add_user(session, actor, person.email, person.password, person.role)
        return Person(user_id=user.id, name=user.name, email=user.email, role=user.role)


@router.get("/sign-in", response_class=HTMLResponse, include_in_schema=False)
def sign_in_page(
    request: Request, next: str = "/", lang: Annotated[str | None, Field(max_length=8)] = None
) -> Response:
    """The page that asks for e-mail and password; it needs no script."""
    return _page(_language(request, lang), safe_next(next), 200, "", "")


def _language(request: Request, chosen: str | None) -> str:
    if chosen in LANGUAGES:
        return str(chosen)
    return language_of(request)


def _page(lang: str, target: str, status: int, error: str, email: str) -> HTMLResponse:
    def word(key: str) -> str:
        return html.escape(t(f"sign_in.{key}", lang))

    told = f'<p class="error" role="alert">{html.escape(error)}</p>' if error else ""
    others = " · ".join(
        f'<a href="/api/sign-in?lang={code}&amp;next={html.escape(target, quote=True)}" lang="{code}">{name}</a>'
        for code, name in LANGUAGES.items()
        if code != lang
    )
    page = _TEMPLATE.format(
        lang=lang,
        title=word("title"),
        lead=word("lead"),
        told=told,
        next=html.escape(target, quote=True),
        email_word=word("email"),
        email=html.escape(email, quote=True),
        password_word=word("password"),
        button=word("button"),
        others=others,
    )
    return HTMLResponse(page, status, headers={"Content-Security-Policy": FORM_POLICY})


_TEMPLATE = """<!doctype html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --ink: #1d1b26; --paper: #fafafc; --line: #c9c7d4; --accent: #6847e0;
  --bad: #b3261e; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ink: #ece9f5; --paper: #15131c; --line: #4a4658; --accent: #a891ff; --bad: #ff8a80; }}
}}
* {{ box-sizing: border-box; }}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem;
  font: 1rem/1.5 system-ui, "IBM Plex Sans Thai", "Noto Sans Thai", sans-serif;
  color: var(--ink); background: var(--paper); }}
main {{ width: 100%; max-width: 24rem; }}
h1 {{ font-size: 1.5rem; margin: 0 0 .5rem; }}
label {{ display: block; margin: 1rem 0 .25rem; font-weight: 600; }}
input {{ width: 100%; padding: .65rem .75rem; font: inherit; color: inherit; background: transparent;
  border: 1px solid var(--line); border-radius: .5rem; }}
button {{ margin-top: 1.5rem; width: 100%; padding: .7rem; font: inherit; font-weight: 600; color: var(--paper);
  background: var(--accent); border: 0; border-radius: .5rem; cursor: pointer; }}
:focus-visible {{ outline: 3px solid var(--accent); outline-offset: 2px; }}
.error {{ color: var(--bad); font-weight: 600; }}
footer {{ margin-top: 1.5rem; text-align: center; }}
a {{ color: var(--accent); }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{lead}</p>
{told}
<form method="post" action="/api/sessions">
<input type="hidden" name="next" value="{next}">
<input type="hidden" name="lang" value="{lang}">
<label for="email">{email_word}</label>
<input id="email" name="email" type="email" autocomplete="username" required autofocus value="{email}">
<label for="password">{password_word}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button type="submit">{button}</button>
</form>
<footer>{others}</footer>
</main>
</body>
</html>
"""

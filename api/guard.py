"""The gate in front of everything, Streamlit's pages and web socket included, as one pure ASGI middleware.

It knows the Host (DNS rebinding), lets only requests of our own origin change anything (cross-site request forgery,
cross-site web sockets), sets the owner's session cookie on the first page over loopback, asks everybody else to sign
in, refuses bodies that are too large before they arrive, and adds the security headers. What a request may do is
decided by pure functions in :mod:`api.origin`.
"""

from __future__ import annotations

import logging
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote

from sqlalchemy.exc import OperationalError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import oidc
from api.dependencies import find_actor
from api.origin import (
    asks_for_page,
    body_limit,
    is_loopback,
    is_open_path,
    is_same_origin,
    is_webhook,
    needs_page_session,
    requested_host,
)
from api.problems import Problem
from core import database
from core.security import SESSION_COOKIE, SESSION_LIFETIME, ensure_owner, open_session, somebody_signed_up
from core.settings import get_settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SIGN_IN = "/api/sign-in"
PAGE_POLICY = "frame-ancestors 'self'; object-src 'none'; base-uri 'self'"
API_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_log = logging.getLogger(__name__)


class BodyTooLarge(HTTPException):
    """More bytes came than the studio accepts; an HTTP exception, because frameworks wrap all others while reading."""

    def __init__(self) -> None:
        super().__init__(413)


class Guard:
    """Wraps the whole application: ``st.App(..., middleware=[Middleware(Guard)])``."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        # No client of ours overrides methods, and an overridden GET would pass as harmless.
        scope["headers"] = [pair for pair in scope["headers"] if pair[0].lower() != b"x-http-method-override"]
        refusal = self._refusal(scope)
        if refusal is None:
            try:
                refusal, cookie = await run_in_threadpool(self._admission, scope)
            except OperationalError:
                _log.exception("the database cannot be reached")
                refusal = Problem(503, "The studio's database cannot be reached.", "Try again in a few seconds.")
        if refusal is not None:
            await _refuse(refusal, scope, receive, send)
            return
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        await self._serve(scope, receive, _with_headers(scope, send, cookie), cookie)

    def _refusal(self, scope: Scope) -> Response | None:
        """What headers alone decide."""
        headers = Headers(scope=scope)
        settings = get_settings()
        host = requested_host(headers.getlist("host"))
        if host is None or host not in settings.allowed_hosts:
            return Problem(
                421,
                "The studio does not answer under this name.",
                "Add the name to STUDIO_HOSTS to allow it.",
                type="misdirected",
                retryable=False,
            )
        method = "GET" if scope["type"] == "websocket" else scope["method"]
        changes = scope["type"] == "websocket" or method not in SAFE_METHODS
        if changes and not is_webhook(scope["path"]) and not is_same_origin(headers):
            return Problem(
                403,
                "This request comes from another site.",
                "Programs send an Authorization: Bearer header.",
                type="forbidden",
                retryable=False,
            )
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > body_limit(scope["path"], settings.max_upload_bytes):
            return _too_large()
        return None

    def _admission(self, scope: Scope) -> tuple[Response | None, str | None]:
        """Who may see the pages; answers a refusal, or the cookie of a session opened for the owner."""
        path = scope["path"]
        headers = Headers(scope=scope)
        if path in oidc.PATHS and get_settings().has_identity_provider:
            return None, None
        page = scope["type"] == "http" and scope["method"] == "GET" and asks_for_page(path, headers)
        if is_open_path(path) or not (page or needs_page_session(path)):
            return None, None
        with database.session() as session:
            cookie = _cookies(headers).get(SESSION_COOKIE)
            if find_actor(session, headers.get("authorization"), cookie) is not None:
                return None, None
            if page and is_owner_at_home(scope) and not somebody_signed_up(session):
                return None, open_session(session, ensure_owner(session))
        if page and oidc.identity(_cookies(headers)) is not None:
            return RedirectResponse(f"{SIGN_IN}/oidc", 303), None
        if page:
            return RedirectResponse(f"{SIGN_IN}?next={quote(path, safe='/')}", 303), None
        problem = Problem(
            401,
            "Sign in, or send an API token.",
            "Programs send Authorization: Bearer and the token.",
            type="unauthenticated",
            headers={"WWW-Authenticate": "Bearer"},
            retryable=False,
        )
        return problem, None

    async def _serve(self, scope: Scope, receive: Receive, send: Send, cookie: str | None) -> None:
        if cookie is not None:
            scope["headers"] = _with_cookie(scope["headers"], cookie)
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            limit = body_limit(scope["path"], get_settings().max_upload_bytes)
            await self._app(scope, _limited(receive, limit), watched)
        except BodyTooLarge:
            if not started:
                await _too_large()(scope, receive, watched)


def _too_large() -> Problem:
    detail = "Large recordings go through /api/uploads."
    return Problem(413, "That is larger than the studio accepts.", detail, type="too-large", retryable=False)


def is_owner_at_home(scope: Scope) -> bool:
    """Whether the request comes from this machine to a studio that only this machine can reach."""
    client = scope.get("client")
    return get_settings().loopback_only and client is not None and is_loopback(client[0])


def _cookies(headers: Headers) -> dict[str, str]:
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(headers.get("cookie", "")).items()}
    except CookieError:
        return {}


def _with_cookie(headers: list[tuple[bytes, bytes]], cookie: str) -> list[tuple[bytes, bytes]]:
    """The page that is served in the same request sees the session it was just given."""
    kept = [pair for pair in headers if pair[0].lower() != b"cookie"]
    others = [value for name, value in headers if name.lower() == b"cookie"]
    return [*kept, (b"cookie", b"; ".join([*others, f"{SESSION_COOKIE}={cookie}".encode()]))]


def session_cookie(response_headers: MutableHeaders, scope: Scope, token: str) -> None:
    """Add the session cookie to an answer: not readable by scripts, not sent from other sites' requests."""
    secure = "; Secure" if scope.get("scheme") == "https" else ""
    age = int(SESSION_LIFETIME.total_seconds())
    response_headers.append(
        "set-cookie", f"{SESSION_COOKIE}={token}; HttpOnly; Max-Age={age}; Path=/; SameSite=lax{secure}"
    )


def _with_headers(scope: Scope, send: Send, cookie: str | None) -> Send:
    ours = scope["path"].startswith("/api/")

    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["x-content-type-options"] = "nosniff"
            headers.setdefault("referrer-policy", "same-origin")
            headers.setdefault("content-security-policy", API_POLICY if ours else PAGE_POLICY)
            if ours:
                headers.setdefault("cache-control", "no-store")
                headers.setdefault("cross-origin-resource-policy", "same-origin")
            if cookie is not None:
                session_cookie(headers, scope, cookie)
                headers["cache-control"] = "no-store"
        await send(message)

    return answer


def _limited(receive: Receive, limit: int) -> Receive:
    arrived = 0

    async def counted() -> Message:
        nonlocal arrived
        message = await receive()
        arrived += len(message.get("body", b""))
        if arrived > limit:
            raise BodyTooLarge
        return message

    return counted


async def _refuse(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 4403})  # before accept: the handshake is answered 403
        return
    await response(scope, receive, _with_headers(scope, send, None))

"""Google's OAuth 2.0 for web server applications: consent URL with PKCE (RFC 7636), code exchange, refresh.

Every call is sent once and never repeated by the transport. An answer without a refresh token is the rule for a refresh
and never replaces the stored one.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import httpx

from core.errors import NotConfigured
from core.publishing.failures import PlatformFailure
from core.settings import get_settings

SCOPES = (
    "https://www.googleapis.com/auth/youtube.upload",
    "https://www.googleapis.com/auth/youtube.readonly",
    "https://www.googleapis.com/auth/youtube.force-ssl",
    "https://www.googleapis.com/auth/yt-analytics.readonly",
    "https://www.googleapis.com/auth/yt-analytics-monetary.readonly",
)
UPLOADING = frozenset(
    f"https://www.googleapis.com/auth/{name}" for name in ("youtube", "youtube.upload", "youtube.force-ssl")
)
"""Scopes of which one is needed to upload: a user may untick any on the consent page."""
TIMEOUT = httpx.Timeout(15.0, connect=5.0)


@dataclass(frozen=True)
class Client:
    """Our registration with Google."""

    client_id: str
    client_secret: str


@dataclass(frozen=True)
class Grant:
    """What the token endpoint gave; ``refresh_token`` is None when it gave none."""

    access_token: str
    expires_at: datetime
    refresh_token: str | None
    scopes: tuple[str, ...]


def consent_url(client: Client, redirect_uri: str, state: str, verifier: str) -> str:
    """The page where the user allows the studio to publish."""
    digest = hashlib.sha256(verifier.encode()).digest()
    query = {
        "client_id": client.client_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": " ".join(SCOPES),
        "access_type": "offline",
        "prompt": "consent",
        "include_granted_scopes": "true",
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    return f"{get_settings().google_auth_url}?{urlencode(query)}"


def exchange(client: Client, code: str, verifier: str, redirect_uri: str) -> Grant:
    """Turn the code of the callback into tokens."""
    return _ask(
        {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": redirect_uri,
            "client_id": client.client_id,
            "client_secret": client.client_secret,
        }
    )


def refresh(client: Client | None, refresh_token: str) -> Grant:
    """A new access token.

    Raises:
        PlatformFailure: ``auth`` when the grant is gone (invalid_grant), ``transient`` when Google cannot be reached.
        NotConfigured: Google does not know our client.
    """
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    if client is not None:
        form |= {"client_id": client.client_id, "client_secret": client.client_secret}
    return _ask(form)


def _ask(form: dict[str, str]) -> Grant:
    try:
        answer = httpx.post(get_settings().google_token_url, data=form, timeout=TIMEOUT, follow_redirects=False)
    except httpx.HTTPError as error:
        raise PlatformFailure(
            "Google could not be reached to renew the sign-in.", type(error).__name__, error_class="transient"
        ) from error
    try:
        body = answer.json()
    except ValueError:
        body = {}
    body = body if isinstance(body, dict) else {}
    code = str(body.get("error", ""))
    if answer.status_code >= 500 or answer.status_code == 429:
        raise PlatformFailure(
            "Google is busy and did not renew the sign-in.", error_class="transient", code=str(answer.status_code)
        )
    if code == "invalid_grant":
        raise PlatformFailure(
            "The connection to this account has ended.",
            "Connect it again; what is scheduled is kept.",
            error_class="auth",
            code=code,
        )
    if code in ("invalid_client", "unauthorized_client"):
        raise NotConfigured(
            "Google does not accept the studio's registration.",
            "Check the client id and secret on the Settings page.",
            setting="GOOGLE_CLIENT_ID",
        )
    if answer.status_code != 200 or not body.get("access_token"):
        raise PlatformFailure(
            "Google refused to renew the sign-in.", error_class="rejected", code=code or str(answer.status_code)
        )
    return Grant(
        access_token=str(body["access_token"]),
        expires_at=datetime.now(UTC) + timedelta(seconds=float(body.get("expires_in", 3600))),
        refresh_token=str(body["refresh_token"]) if body.get("refresh_token") else None,
        scopes=tuple(str(body.get("scope", "")).split()),
    )

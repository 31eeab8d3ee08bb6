"""Connecting accounts by OAuth 2.0 (RFC 6749): what every platform's flow is to the studio.

One flow a consent page. Its methods make the page's address, turn the code of the callback into tokens, renew them, and
name the accounts that the consent was about: it may be about several (the Pages of one Facebook user). Calls are sent
once and never repeated by the transport. An answer without a refresh token never replaces a stored one.
"""

from __future__ import annotations

import base64
import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import httpx

from core.errors import NotConfigured
from core.publishing.failures import PlatformFailure

TIMEOUT = httpx.Timeout(15.0, connect=5.0)
ENDED = "The connection to this account has ended."
KEPT = "Connect it again; what is scheduled is kept."


@dataclass(frozen=True)
class Client:
    """Our registration with a platform."""

    client_id: str
    client_secret: str


@dataclass(frozen=True)
class Grant:
    """What a token endpoint gave; ``refresh_token`` is None when it gave none, ``expires_at`` when it named no end."""

    access_token: str
    expires_at: datetime | None
    refresh_token: str | None = None
    scopes: tuple[str, ...] = ()
    more: dict[str, Any] = field(default_factory=dict)
    """What else is kept with the account's tokens (sealed), by the platform's own names."""

    def as_auth(self) -> dict[str, Any]:
        """The form in which an account keeps it."""
        auth: dict[str, Any] = {**self.more, "access_token": self.access_token}
        if self.scopes:
            auth["scopes"] = list(self.scopes)
        if self.expires_at is not None:
            auth |= {"expires_at": self.expires_at.isoformat(), "issued_at": datetime.now(UTC).isoformat()}
        if self.refresh_token:
            auth["refresh_token"] = self.refresh_token
        return auth


@dataclass(frozen=True)
class Found:
    """An account that a consent was about."""

    platform: str
    external_id: str
    name: str
    auth: dict[str, Any]
    details: dict[str, Any] = field(default_factory=dict)
    """What is not secret and worth keeping with the account."""


@dataclass(frozen=True)
class Token:
    """An access token and the version of the row it came from."""

    value: str
    version: int


class Credentials(Protocol):
    """What a provider needs of an account: a token, and another one when that is refused."""

    def token(self) -> Token: ...

    def renew(self, refused: Token) -> Token: ...


class OAuthFlow(ABC):
    """One platform's consent page and token endpoint."""

    platform: str
    title: str
    """The platform's own name."""
    id_setting: str
    secret_setting: str
    """Names of the stored settings that hold our registration (Settings → Services)."""

    def from_environment(self) -> Client | None:
        """Our registration where the process was started with one; what the settings page holds comes first."""
        return None

    def not_configured(self) -> NotConfigured:
        """What to say where there is no registration."""
        return NotConfigured(
            f"Connecting {self.title} needs the studio's registration there.",
            "Enter its id and secret on the Settings page.",
            setting=self.id_setting,
        )

    @abstractmethod
    def consent_url(self, client: Client, redirect_uri: str, state: str, verifier: str) -> str:
        """The page where the user allows the studio to publish. ``verifier`` is PKCE's (RFC 7636)."""

    @abstractmethod
    def exchange(self, client: Client, code: str, verifier: str, redirect_uri: str) -> Grant:
        """Turn the code of the callback into tokens."""

    @abstractmethod
    def accounts(self, client: Client, grant: Grant) -> list[Found]:
        """The accounts this consent was about, at least one.

        Raises:
            PlatformFailure: there is none, or a permission that publishing needs was not given.
        """

    def refresh(self, client: Client | None, refresh_token: str) -> Grant:
        """A new access token.

        Raises:
            PlatformFailure: ``auth`` when the grant is gone, ``transient`` when the platform cannot be reached.
            NotConfigured: the platform does not know our client.
        """
        raise PlatformFailure(ENDED, KEPT, error_class="auth", code="no-refresh")


def challenge(verifier: str) -> str:
    """PKCE's S256 challenge (RFC 7636, section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def in_seconds(seconds: float) -> datetime:
    """The instant a token of that life ends."""
    return datetime.now(UTC) + timedelta(seconds=seconds)


def ask(url: str, form: dict[str, str], title: str) -> tuple[int, dict[str, Any]]:
    """Send a form to a token endpoint, once; its status and the JSON object it answered (empty when it was none).

    Raises:
        PlatformFailure: ``transient`` when there is no answer, or one that only means "later".
    """
    try:
        answer = httpx.post(url, data=form, timeout=TIMEOUT, follow_redirects=False)
    except httpx.HTTPError as error:
        raise PlatformFailure(
            f"{title} could not be reached to renew the sign-in.", type(error).__name__, error_class="transient"
        ) from error
    if answer.status_code >= 500 or answer.status_code == 429:
        raise PlatformFailure(
            f"{title} is busy and did not renew the sign-in.", error_class="transient", code=str(answer.status_code)
        )
    try:
        body = answer.json()
    except ValueError:
        body = {}
    return answer.status_code, body if isinstance(body, dict) else {}

"""Google's OAuth 2.0 for web server applications, for YouTube: consent, code, refresh, the channel.

An answer without a refresh token is the rule for a refresh and never replaces the stored one.
"""

from __future__ import annotations

from urllib.parse import urlencode

import httpx

from core.errors import NotConfigured
from core.publishing.failures import PlatformFailure
from core.publishing.oauth import ENDED, KEPT, TIMEOUT, Client, Found, Grant, OAuthFlow, ask, challenge, in_seconds
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


class GoogleFlow(OAuthFlow):
    """Google's consent is about the one YouTube channel that the user picks there."""

    platform = "youtube"
    title = "YouTube"
    id_setting = "GOOGLE_CLIENT_ID"
    secret_setting = "GOOGLE_CLIENT_SECRET"

    def consent_url(self, client: Client, redirect_uri: str, state: str, verifier: str) -> str:
        query = {
            "client_id": client.client_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": " ".join(SCOPES),
            "access_type": "offline",
            "prompt": "consent",
            "include_granted_scopes": "true",
            "state": state,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        return f"{get_settings().google_auth_url}?{urlencode(query)}"

    def exchange(self, client: Client, code: str, verifier: str, redirect_uri: str) -> Grant:
        return self._ask(
            {
                "grant_type": "authorization_code",
                "code": code,
                "code_verifier": verifier,
                "redirect_uri": redirect_uri,
                "client_id": client.client_id,
                "client_secret": client.client_secret,
            }
        )

    def refresh(self, client: Client | None, refresh_token: str) -> Grant:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        if client is not None:
            form |= {"client_id": client.client_id, "client_secret": client.client_secret}
        return self._ask(form)

    def _ask(self, form: dict[str, str]) -> Grant:
        status, body = ask(get_settings().google_token_url, form, "Google")
        code = str(body.get("error", ""))
        if code == "invalid_grant":
            raise PlatformFailure(ENDED, KEPT, error_class="auth", code=code)
        if code in ("invalid_client", "unauthorized_client"):
            raise NotConfigured(
                "Google does not accept the studio's registration.",
                "Check the client id and secret on the Settings page.",
                setting=self.id_setting,
            )
        if status != 200 or not body.get("access_token"):
            raise PlatformFailure(
                "Google refused to renew the sign-in.", error_class="rejected", code=code or str(status)
            )
        return Grant(
            access_token=str(body["access_token"]),
            expires_at=in_seconds(float(body.get("expires_in", 3600))),
            refresh_token=str(body["refresh_token"]) if body.get("refresh_token") else None,
            scopes=tuple(str(body.get("scope", "")).split()),
        )

    def accounts(self, client: Client, grant: Grant) -> list[Found]:
        if grant.scopes and not UPLOADING & set(grant.scopes):
            raise PlatformFailure(
                "The permission to upload videos was not given.",
                "Connect again and leave every box ticked on Google's page.",
                error_class="rejected",
                code="insufficientPermissions",
            )
        channel_id, title = _own_channel(grant.access_token)
        return [Found(self.platform, channel_id, title, grant.as_auth())]


def _own_channel(access_token: str) -> tuple[str, str]:
    try:
        answer = httpx.get(
            f"{get_settings().youtube_api_base.rstrip('/')}/youtube/v3/channels",
            params={"part": "snippet", "mine": "true"},
            headers={"Authorization": f"Bearer {access_token}"},
            timeout=TIMEOUT,
        )
    except httpx.HTTPError as error:
        raise PlatformFailure("YouTube could not be reached.", type(error).__name__, error_class="transient") from error
    items = answer.json().get("items", []) if answer.status_code == 200 else []
    if not items:
        raise PlatformFailure(
            "This Google account has no YouTube channel.",
            "Create one on YouTube, then connect again.",
            error_class="rejected",
            code="youtubeSignupRequired",
        )
    return str(items[0]["id"]), str(items[0]["snippet"]["title"])

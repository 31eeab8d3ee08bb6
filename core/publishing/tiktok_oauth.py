"""TikTok's Login Kit: consent page, code, rotating refresh tokens (developers.tiktok.com, "Login Kit" and "Manage User
Access Tokens").

The challenge of PKCE is hexadecimal here and not base64url as in RFC 7636; Login Kit for Desktop, which is the one for
loopback addresses, asks for it, and Login Kit for Web takes no notice. A refresh may answer another refresh token; the
old one is spent then.
"""

from __future__ import annotations

import hashlib
from urllib.parse import urlencode

from core.errors import NotConfigured
from core.publishing.failures import PlatformFailure
from core.publishing.oauth import ENDED, KEPT, Client, Found, Grant, OAuthFlow, Token, ask, in_seconds
from core.publishing.tiktok import TikTokApi
from core.settings import get_settings

SCOPES = ("user.info.basic", "video.publish", "video.list")


class TikTokFlow(OAuthFlow):
    """The consent is about the one account that is signed in at TikTok."""

    platform = "tiktok"
    title = "TikTok"
    id_setting = "TIKTOK_CLIENT_KEY"
    secret_setting = "TIKTOK_CLIENT_SECRET"

    def from_environment(self) -> Client | None:
        settings = get_settings()
        if not settings.tiktok_client_key:
            return None
        return Client(settings.tiktok_client_key, settings.tiktok_client_secret)

    def consent_url(self, client: Client, redirect_uri: str, state: str, verifier: str) -> str:
        query = {
            "client_key": client.client_id,
            "response_type": "code",
            "scope": ",".join(SCOPES),
            "redirect_uri": redirect_uri,
            "state": state,
            "code_challenge": hashlib.sha256(verifier.encode()).hexdigest(),
            "code_challenge_method": "S256",
        }
        return f"{get_settings().tiktok_auth_url}?{urlencode(query)}"

    def exchange(self, client: Client, code: str, verifier: str, redirect_uri: str) -> Grant:
        return self._ask(
            client,
            {
                "grant_type": "authorization_code",
                "code": code,
                "code_verifier": verifier,
                "redirect_uri": redirect_uri,
            },
        )

    def refresh(self, client: Client | None, refresh_token: str) -> Grant:
        if client is None:  # TikTok renews nothing without our registration
            raise self.not_configured()
        return self._ask(client, {"grant_type": "refresh_token", "refresh_token": refresh_token})

    def _ask(self, client: Client, form: dict[str, str]) -> Grant:
        registered = {"client_key": client.client_id, "client_secret": client.client_secret}
        url = get_settings().tiktok_api_base.rstrip("/") + "/v2/oauth/token/"
        status, body = ask(url, {**registered, **form}, self.title)
        code = str(body.get("error") or "")
        if code == "invalid_grant":
            raise PlatformFailure(ENDED, KEPT, error_class="auth", code=code)
        if code in ("invalid_client", "unauthorized_client"):
            raise NotConfigured(
                "TikTok does not accept the studio's registration.",
                "Check the client id and secret on the Settings page.",
                setting=self.id_setting,
            )
        if code or not body.get("access_token"):
            raise PlatformFailure(
                "TikTok refused to renew the sign-in.", error_class="rejected", code=code or str(status)
            )
        more = {"open_id": str(body["open_id"])} if body.get("open_id") else {}
        if body.get("refresh_expires_in"):
            more["refresh_expires_at"] = in_seconds(float(body["refresh_expires_in"])).isoformat()
        return Grant(
            access_token=str(body["access_token"]),
            expires_at=in_seconds(float(body.get("expires_in", 86_400))),
            refresh_token=str(body["refresh_token"]) if body.get("refresh_token") else None,
            scopes=tuple(scope for scope in str(body.get("scope", "")).split(",") if scope),
            more=more,
        )

    def accounts(self, client: Client, grant: Grant) -> list[Found]:
        if grant.scopes and "video.publish" not in grant.scopes:
            raise PlatformFailure(
                "The permission to upload videos was not given.",
                "Connect again and allow everything on TikTok's page.",
                error_class="rejected",
                code="scope_not_authorized",
            )
        creator = TikTokApi(_Given(grant.access_token)).creator()
        name = creator.nickname or creator.username
        details = {"creator": creator.as_details()}
        return [Found(self.platform, str(grant.more.get("open_id", "")), name, grant.as_auth(), details)]


class _Given:
    """A token just granted; it is not renewed."""

    def __init__(self, value: str) -> None:
        self._token = Token(value, 0)

    def token(self) -> Token:
        return self._token

    def renew(self, refused: Token) -> Token:
        raise PlatformFailure(ENDED, KEPT, error_class="auth", code="access_token_invalid")

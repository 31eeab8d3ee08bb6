"""Facebook Login, for Pages and for the Instagram accounts behind them: dialog, code, long token, what was picked.

The person picks in Facebook's own dialog which Pages the studio may use; only those are listed afterwards. A short
token of the person becomes a long one (about sixty days); the tokens of Pages that the long one lists have no end of
their own ("Access Token Guide"). They cannot be renewed silently: one that is refused means connecting again. Requests
carry ``appsecret_proof``, the HMAC of the token under the app's secret ("Securing Graph API Requests").
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from urllib.parse import urlencode

import httpx

from core.publishing.failures import PlatformFailure
from core.publishing.oauth import TIMEOUT, Client, Found, Grant, OAuthFlow, in_seconds
from core.settings import get_settings

SCOPES = {
    "facebook": ("pages_show_list", "pages_read_engagement", "pages_manage_posts", "read_insights"),
    "instagram": (
        "pages_show_list",
        "pages_read_engagement",
        "instagram_basic",
        "instagram_content_publish",
        "instagram_manage_insights",
    ),
}
TASK = "CREATE_CONTENT"
"""What the person must be allowed on a Page for the studio to post there."""
LISTINGS = 20
"""How many pages of a person's list of Pages are read, a hundred each."""


class MetaFlow(OAuthFlow):
    """The login dialog for one of the two platforms; both are one app at Meta."""

    id_setting = "META_APP_ID"
    secret_setting = "META_APP_SECRET"

    def __init__(self, platform: str, title: str) -> None:
        self.platform, self.title = platform, title

    def from_environment(self) -> Client | None:
        settings = get_settings()
        if not settings.meta_app_id or not settings.meta_app_secret:
            return None
        return Client(settings.meta_app_id, settings.meta_app_secret)

    def consent_url(self, client: Client, redirect_uri: str, state: str, verifier: str) -> str:
        settings = get_settings()
        query = {
            "client_id": client.client_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": ",".join(SCOPES[self.platform]),
            "state": state,
        }
        return f"{settings.facebook_dialog_base}/{settings.meta_graph_version}/dialog/oauth?{urlencode(query)}"

    def exchange(self, client: Client, code: str, verifier: str, redirect_uri: str) -> Grant:
        """The code as a long token of the person."""
        ours = {"client_id": client.client_id, "client_secret": client.client_secret}
        short = self._ask("oauth/access_token", {**ours, "redirect_uri": redirect_uri, "code": code})
        exchange = {"grant_type": "fb_exchange_token", "fb_exchange_token": str(short["access_token"])}
        long = self._ask("oauth/access_token", {**ours, **exchange})
        return Grant(str(long["access_token"]), in_seconds(float(long.get("expires_in", 60 * 86_400))))

    def accounts(self, client: Client, grant: Grant) -> list[Found]:
        """The Pages that were picked, or the professional Instagram accounts of these Pages."""
        found = [place for row in self._pages(client, grant.access_token) if (place := self._place(row)) is not None]
        if not found:
            missing = "Page" if self.platform == "facebook" else "professional Instagram account"
            raise PlatformFailure(
                f"Facebook named no {missing} that the studio may post to.",
                "Pick at least one in Facebook's dialog, and leave every permission on.",
                error_class="rejected",
                code="nothing-picked",
            )
        return found

    def _place(self, row: dict[str, Any]) -> Found | None:
        token = row.get("access_token")
        if not token or TASK not in row.get("tasks", []):
            return None
        auth = {"access_token": str(token), "scopes": list(SCOPES[self.platform])}
        if self.platform == "facebook":
            return Found("facebook", str(row["id"]), str(row["name"]), auth)
        behind = row.get("instagram_business_account")
        if not behind:
            return None
        name = str(behind.get("username") or row["name"])
        return Found("instagram", str(behind["id"]), name, auth, {"page_id": str(row["id"])})

    def _pages(self, client: Client, token: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        query = {
            "fields": "id,name,access_token,tasks,instagram_business_account{id,username}",
            "limit": "100",
            **proof(client.client_secret, token),
        }
        for _ in range(LISTINGS):
            answer = self._ask("me/accounts", query, token)
            rows += answer.get("data", [])
            paging = answer.get("paging", {})
            if not paging.get("next"):
                break
            query["after"] = str(paging["cursors"]["after"])
        return rows

    def _ask(self, path: str, query: dict[str, str], token: str = "") -> dict[str, Any]:
        settings = get_settings()
        where = f"{settings.facebook_graph_base.rstrip('/')}/{settings.meta_graph_version}/{path}"
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            answer = httpx.get(where, params=query, headers=headers, timeout=TIMEOUT, follow_redirects=False)
            body = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise PlatformFailure(
                f"{self.title} did not answer.", type(error).__name__, error_class="transient"
            ) from error
        if answer.status_code != 200 or not isinstance(body, dict):
            told = body.get("error", {}) if isinstance(body, dict) else {}
            raise PlatformFailure(
                "Facebook did not complete the connection.",
                str(told.get("message", ""))[:300],
                error_class="rejected",
                code=str(told.get("code", answer.status_code)),
            )
        return body


def proof(app_secret: str, access_token: str) -> dict[str, str]:
    """The parameter that proves a request is the app's own; nothing without the app's secret."""
    if not app_secret:
        return {}
    digest = hmac.new(app_secret.encode(), access_token.encode(), hashlib.sha256).hexdigest()
    return {"appsecret_proof": digest}

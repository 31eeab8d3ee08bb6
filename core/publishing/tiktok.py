"""TikTok's API (v2): its envelope, its refusals by class, and what a creator allows ("Query Creator Info").

Success is ``error.code == "ok"``, whatever the HTTP status says. Every call is sent once; a refused token is renewed
once, because a 401 is proof that nothing was done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from core.publishing.failures import PlatformFailure
from core.publishing.oauth import Credentials
from core.settings import get_settings

TIMEOUT = httpx.Timeout(30.0, connect=10.0)
PUBLISH = "video.init"
"""The kind of calls that a limit on new posts is about."""
WINDOW = timedelta(seconds=60)
"""TikTok's rate limits are by the minute."""
DAY = timedelta(hours=24)
PRIVACIES = {
    "PUBLIC_TO_EVERYONE": "public",
    "MUTUAL_FOLLOW_FRIENDS": "friends",
    "FOLLOWER_OF_CREATOR": "followers",
    "SELF_ONLY": "private",
}
"""TikTok's words for who may see a post, and ours."""
LEVELS = {word: level for level, word in PRIVACIES.items()}

_AUTH = frozenset({"access_token_invalid", "scope_not_authorized", "scope_permission_missed"})
_DAILY = frozenset({"spam_risk_too_many_posts", "spam_risk_too_many_pending_share", "reached_active_user_cap"})
_TRANSIENT = frozenset({"internal_error", "internal", "server_error", "timeout"})
SENTENCES = {
    "access_token_invalid": "TikTok does not accept the sign-in any more.",
    "scope_not_authorized": "This TikTok account did not allow the studio to do that.",
    "scope_permission_missed": "This TikTok account did not allow the studio to do that.",
    "rate_limit_exceeded": "TikTok asks for a pause.",
    "spam_risk_too_many_posts": "TikTok takes no more posts from this account today.",
    "spam_risk_too_many_pending_share": "Too many posts wait in this account's TikTok inbox.",
    "reached_active_user_cap": "TikTok takes no more posts from this studio today.",
    "spam_risk_user_banned_from_posting": "TikTok does not let this account post at the moment.",
    "spam_risk_text": "TikTok does not accept the text.",
    "spam_risk": "TikTok takes the post for spam.",
    "privacy_level_option_mismatch": "TikTok does not offer this account that choice of who can see the post.",
    "unaudited_client_can_only_post_to_private_accounts": (
        "TikTok has not reviewed the studio's registration yet: it takes posts only for private accounts, "
        "visible to the creator alone."
    ),
    "invalid_publish_id": "TikTok does not know this post.",
    "token_not_authorized_for_specified_publish_id": "This post belongs to another TikTok account.",
    "url_ownership_unverified": "TikTok does not take videos from that address.",
}


@dataclass(frozen=True)
class Creator:
    """What TikTok lets a creator choose at the moment: ``privacies`` in our words, whether comments, duets and stitches
    can be switched on, and the longest video in seconds."""

    username: str
    nickname: str
    privacies: tuple[str, ...]
    comments: bool
    duets: bool
    stitches: bool
    longest_seconds: float

    def as_details(self) -> dict[str, Any]:
        """The form in which an account keeps it."""
        return {**asdict(self), "privacies": list(self.privacies), "asked_at": datetime.now(UTC).isoformat()}


class TikTokApi:
    """One account's calls."""

    def __init__(self, credentials: Credentials, *, timeout: httpx.Timeout = TIMEOUT) -> None:
        self._credentials = credentials
        self._http = httpx.Client(timeout=timeout, follow_redirects=False)

    def post(
        self, path: str, body: dict[str, Any], *, kind: str, query: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Call a method; its ``data``.

        Raises:
            PlatformFailure: refused, or no answer (``transient``: nothing that ``post`` calls makes anything public).
        """
        token = self._credentials.token()
        answer = self._send(path, body, query, token.value)
        if answer.status_code == 401 and error_of(answer)[0] == "access_token_invalid":
            answer = self._send(path, body, query, self._credentials.renew(token).value)
        code, message = error_of(answer)
        if code != "ok":
            raise classify(answer.status_code, code, message, kind=kind, retry_after=answer.headers.get("retry-after"))
        data = answer.json().get("data")
        return data if isinstance(data, dict) else {}

    def _send(self, path: str, body: dict[str, Any], query: Mapping[str, str] | None, token: str) -> httpx.Response:
        try:
            return self._http.post(
                get_settings().tiktok_api_base.rstrip("/") + path,
                params=dict(query or {}),
                json=body,
                headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json; charset=UTF-8"},
            )
        except httpx.HTTPError as error:
            raise unreachable(error) from error

    def creator(self) -> Creator:
        """What the creator may choose now."""
        data = self.post("/v2/post/publish/creator_info/query/", {}, kind=PUBLISH)
        return Creator(
            username=str(data.get("creator_username", "")),
            nickname=str(data.get("creator_nickname", "")),
            privacies=tuple(PRIVACIES[each] for each in data.get("privacy_level_options", []) if each in PRIVACIES),
            comments=not data.get("comment_disabled", False),
            duets=not data.get("duet_disabled", False),
            stitches=not data.get("stitch_disabled", False),
            longest_seconds=float(data.get("max_video_post_duration_sec", 0) or 0),
        )


def error_of(answer: httpx.Response) -> tuple[str, str]:
    """``(error.code, error.message)``; the HTTP status as code where the body is not the API's envelope."""
    try:
        error = answer.json()["error"]
        return str(error["code"]), str(error.get("message", ""))[:500]
    except (ValueError, KeyError, TypeError, AttributeError):
        return str(answer.status_code), ""


def classify(status: int, code: str, message: str, *, kind: str, retry_after: str | None = None) -> PlatformFailure:
    """The failure a refusal means; ``kind`` are the calls that a limit is about."""
    now = datetime.now(UTC)
    title = SENTENCES.get(code, "TikTok refused the request.")
    if code in _AUTH or status == 401:
        return PlatformFailure(title, message, error_class="auth", code=code)
    if code in _DAILY:
        return PlatformFailure(
            title,
            message,
            error_class="quota",
            code=code,
            retry_at=now + DAY,
            whole_application=code == "reached_active_user_cap",
            limit_kind=PUBLISH,
        )
    if code == "rate_limit_exceeded" or status == 429:
        seconds = retry_after if retry_after and retry_after.isascii() and retry_after.isdigit() else None
        wait = timedelta(seconds=min(int(seconds), 86_400)) if seconds else WINDOW
        return PlatformFailure(
            SENTENCES["rate_limit_exceeded"],
            message,
            error_class="throttled",
            code=code,
            retry_at=now + wait,
            limit_kind=kind,
        )
    if code in _TRANSIENT or status >= 500:
        return PlatformFailure("TikTok has a problem at the moment.", message, error_class="transient", code=code)
    return PlatformFailure(title, message, error_class="rejected", code=code)


def unreachable(error: Exception) -> PlatformFailure:
    """No answer."""
    return PlatformFailure("TikTok did not answer.", type(error).__name__, error_class="transient", code="no-answer")

"""YouTube's refusals, classed by status and ``errors[0].reason`` (Data API v3, "Errors" and "Quota" pages)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from core.publishing.failures import PlatformFailure
from core.publishing.schedule import pacific_midnight

QUOTA = frozenset({"quotaExceeded", "dailyLimitExceeded"})
THROTTLED = frozenset({"rateLimitExceeded", "userRateLimitExceeded"})
ACCOUNT = frozenset({"youtubeSignupRequired", "authError", "insufficientPermissions", "accountSuspended"})
SENTENCES = {
    "quotaExceeded": "YouTube's daily allowance for this studio is used up.",
    "dailyLimitExceeded": "YouTube's daily allowance for this studio is used up.",
    "uploadLimitExceeded": "YouTube takes no more videos from this channel today.",
    "invalidTitle": "YouTube does not accept the title.",
    "invalidDescription": "YouTube does not accept the description.",
    "invalidTags": "YouTube does not accept the tags.",
    "invalidPublishAt": "YouTube does not accept the time of publication.",
    "invalidCategoryId": "YouTube does not know this category.",
    "mediaBodyRequired": "YouTube received no video.",
    "invalidFilename": "YouTube does not accept the file's name.",
    "youtubeSignupRequired": "This Google account has no YouTube channel.",
    "insufficientPermissions": "This account did not allow the studio to do that.",
    "forbidden": "This account may not do that on YouTube.",
    "videoNotFound": "The video is not on YouTube any more.",
    "captionExists": "The video has captions of this language and name already.",
}


def reason_of(content: bytes) -> tuple[str, str]:
    """``(reason, message)`` of an answer; empty where it is not the API's shape."""
    try:
        error: Any = json.loads(content)["error"]
        first = (error.get("errors") or [{}])[0]
        return str(first.get("reason", "")), str(error.get("message", ""))[:500]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return "", ""


def classify(
    status: int, content: bytes, *, kind: str, retry_after: str | None = None, mutation: bool = False
) -> PlatformFailure:
    """The failure an answer means.

    Args:
        kind: the calls that a limit is about (``videos.insert`` has a bucket of its own).
        mutation: a 5xx of a non-resumable change leaves open whether it was done.
    """
    reason, message = reason_of(content)
    now = datetime.now(UTC)
    title = SENTENCES.get(reason, "YouTube refused the request.")
    code = reason or str(status)
    if reason in QUOTA:
        return PlatformFailure(
            title,
            message,
            error_class="quota",
            code=code,
            retry_at=pacific_midnight(now),
            whole_application=True,
            limit_kind=kind,
        )
    if reason == "uploadLimitExceeded":
        return PlatformFailure(
            title,
            message,
            error_class="quota",
            code=code,
            retry_at=now + timedelta(hours=24),
            limit_kind="videos.insert",
        )
    if reason in THROTTLED or status == 429:
        seconds = _seconds(retry_after, now)
        return PlatformFailure(
            "YouTube asks for a pause.",
            message,
            error_class="throttled",
            code=code,
            retry_at=now + timedelta(seconds=seconds),
        )
    if status == 401 or reason in ACCOUNT:
        return PlatformFailure(title, message, error_class="auth", code=code)
    if status >= 500:
        return PlatformFailure(
            "YouTube has a problem at the moment.",
            message,
            error_class="unknown_outcome" if mutation else "transient",
            code=code,
        )
    return PlatformFailure(title, message, error_class="rejected", code=code)


def unreachable(error: Exception, *, mutation: bool = False) -> PlatformFailure:
    """No answer: of a change, nobody knows whether it was done."""
    return PlatformFailure(
        "YouTube did not answer.",
        type(error).__name__,
        error_class="unknown_outcome" if mutation else "transient",
        code="no-answer",
    )


def _seconds(retry_after: str | None, now: datetime) -> int:
    """A ``Retry-After`` (RFC 9110, section 10.2.3) as seconds: a number or a date; half a minute without one."""
    if retry_after and retry_after.isascii() and retry_after.isdigit():
        return min(int(retry_after), 86_400)
    try:
        return max(int((parsedate_to_datetime(retry_after or "") - now).total_seconds()), 1)
    except (TypeError, ValueError):
        return 30

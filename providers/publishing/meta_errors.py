"""Refusals of the Graph API, classed by ``error.code`` and ``error_subcode`` ("Handle Errors", "Rate Limits").

The upload hosts answer in a form of their own (``debug_info``); it is classed here too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from core.publishing.failures import ErrorClass, PlatformFailure

UPLOADS = "publish"
"""The kind of calls that a cap on new posts is about (``publish_call`` of the platforms' rules)."""
TRANSIENT = frozenset({1, 2})
THROTTLED = frozenset({4, 17, 32, 341, 613, 80001, 80002})
WHOLE_APPLICATION = frozenset({4})
TOKEN = frozenset({102, 190})
PERMISSION = frozenset({3, 10, *range(200, 300)})
BLOCKED, DUPLICATE, CAP, NOT_READY = 368, 506, 9, 9007
OFFSETS, SESSION_GONE, MAY_BE_LIVE, UNKNOWN_OBJECT = 1363037, 1363041, 2207051, 33
"""Subcodes: go on where the answer says; the upload session is over; refused and yet seen published; not there."""
PAUSE = timedelta(minutes=15)
CAP_AGAIN = timedelta(hours=1)
"""A cap counts a moving day: a place may become free at any moment, so it is asked again, at leisure."""
BLOCK = timedelta(hours=24)
TOKEN_SENTENCES = {
    458: "The studio was removed from this Facebook account.",
    459: "Facebook asks the owner of this account to sign in on facebook.com first.",
    460: "The password of this Facebook account was changed.",
    463: "The connection to this account has run out.",
    467: "The connection to this account is not valid any more.",
}


class GraphFailure(PlatformFailure):
    """A refusal with Graph's own numbers; ``data`` is ``error_data`` where the answer says how to go on."""

    subcode: int = 0
    data: Mapping[str, Any] = {}


def error_of(content: bytes) -> dict[str, Any]:
    """The ``error`` of an answer (Graph), or ``debug_info`` (upload hosts); empty where it has neither shape."""
    try:
        body: Any = json.loads(content)
    except ValueError:
        return {}
    if not isinstance(body, dict):
        return {}
    found = body.get("error") or body.get("debug_info") or {}
    return found if isinstance(found, dict) else {}


def classify(
    status: int, content: bytes, headers: Mapping[str, str], *, name: str, mutation: bool = False
) -> GraphFailure:
    """The failure an answer means.

    Args:
        name: the platform as people call it, for the sentences.
        mutation: passing trouble of a change leaves open whether it was done.
    """
    error = error_of(content)
    code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
    if "retriable" in error:
        return _of_upload_host(status, error, name)
    detail = str(error.get("error_user_msg") or error.get("message") or "")[:500]
    label = f"{code}/{subcode}" if subcode else str(code or status)
    now = datetime.now(UTC)

    def failed(error_class: ErrorClass, title: str, **more: Any) -> GraphFailure:
        failure = GraphFailure(title, detail, error_class=error_class, code=label, **more)
        failure.subcode = subcode
        data = error.get("error_data")
        failure.data = data if isinstance(data, dict) else {}
        return failure

    if subcode == MAY_BE_LIVE or code == DUPLICATE:
        return failed("unknown_outcome", f"{name} refused the post, and may have published it all the same.")
    if code in TOKEN:
        return failed("auth", TOKEN_SENTENCES.get(subcode, "This account has to be connected again."))
    if code == BLOCKED:
        title = f"{name} has stopped this account from posting for now."
        return failed("quota", title, retry_at=now + BLOCK)
    if code == CAP:
        title = f"{name} takes no more posts from this account today."
        return failed("quota", title, retry_at=now + CAP_AGAIN, limit_kind=UPLOADS)
    if code in THROTTLED:
        until = now + regained(headers)
        title = f"{name} asks for a pause."
        return failed("throttled", title, retry_at=until, whole_application=code in WHOLE_APPLICATION)
    if code in PERMISSION:
        return failed("auth", f"{name} did not give the studio leave to do that.")
    if code in TRANSIENT or error.get("is_transient") is True or status >= 500 or not error:
        outcome: ErrorClass = "unknown_outcome" if mutation else "transient"
        return failed(outcome, f"{name} has a problem at the moment.")
    if code == NOT_READY:
        return failed("transient", f"{name} is still working on the video.")
    return failed("rejected", f"{name} refused the request.")


def _of_upload_host(status: int, error: dict[str, Any], name: str) -> GraphFailure:
    detail = str(error.get("message") or "")[:500]
    kind = str(error.get("type") or status)
    if status in (401, 403):
        return GraphFailure("This account has to be connected again.", detail, error_class="auth", code=kind)
    passing = status >= 500 or error.get("retriable") is True
    return GraphFailure(
        f"{name} has a problem at the moment." if passing else f"{name} did not take the video.",
        detail,
        error_class="transient" if passing else "rejected",
        code=kind,
    )


def unreachable(error: Exception, *, name: str, mutation: bool = False) -> PlatformFailure:
    """No answer: of a change, nobody knows whether it was done."""
    return PlatformFailure(
        f"{name} did not answer.",
        type(error).__name__,
        error_class="unknown_outcome" if mutation else "transient",
        code="no-answer",
    )


def regained(headers: Mapping[str, str]) -> timedelta:
    """How long until calls are taken again: ``estimated_time_to_regain_access`` (minutes) of the usage header, a
    quarter of an hour where it says nothing."""
    minutes = 0
    try:
        usage = json.loads(headers.get("x-business-use-case-usage", "{}"))
        rows = [row for rows in usage.values() for row in rows]
        minutes = max((int(row.get("estimated_time_to_regain_access", 0)) for row in rows), default=0)
    except (ValueError, TypeError, AttributeError):
        minutes = 0
    return timedelta(minutes=min(minutes, 1440)) if minutes > 0 else PAUSE


def used_up(headers: Mapping[str, str]) -> bool:
    """Whether the usage headers say that the next call would be refused."""
    try:
        app = json.loads(headers.get("x-app-usage", "{}"))
        cases = json.loads(headers.get("x-business-use-case-usage", "{}"))
        rows = [app, *(row for rows in cases.values() for row in rows)]
        names = ("call_count", "total_time", "total_cputime")
        return any(float(row.get(name, 0)) >= 100 for row in rows for name in names)
    except (ValueError, TypeError, AttributeError):
        return False


def _number(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0

"""What YouTube refuses of a new video's resource (Data API v3, videos.insert, "Errors")."""

from __future__ import annotations

from typing import Any

from tests.fakes.youtube.answers import Refused
from tests.fakes.youtube.state import moment_of


def check_insert(body: dict[str, Any], parts: set[str]) -> None:
    """Raise :class:`Refused` for a resource that ``videos.insert`` does not take."""
    snippet, status = body.get("snippet", {}), body.get("status", {})
    if not {"snippet", "status"} <= parts:
        raise Refused(400, "unexpectedPart")
    title = snippet.get("title", "")
    if not title or len(title) > 100 or set("<>") & set(title):
        raise Refused(400, "invalidTitle")
    description = snippet.get("description", "")
    if len(description.encode()) > 5000 or set("<>") & set(description):
        raise Refused(400, "invalidDescription")
    tags = snippet.get("tags", [])
    if sum(len(tag) + (2 if " " in tag else 0) for tag in tags) + max(len(tags) - 1, 0) > 500:
        raise Refused(400, "invalidTags")
    if not str(snippet.get("categoryId", "22")).isdigit():
        raise Refused(400, "invalidCategoryId")
    if status.get("privacyStatus", "public") not in ("public", "unlisted", "private"):
        raise Refused(400, "invalidVideoMetadata")
    private = status.get("privacyStatus") == "private"
    if "publishAt" in status and (moment_of(status["publishAt"]) is None or not private):
        raise Refused(400, "invalidPublishAt")

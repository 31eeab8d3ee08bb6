"""The identifier of a post, from what a person copies out of the browser. Pure."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from core.errors import InvalidInput

_YOUTUBE_ID: Final = re.compile(r"[A-Za-z0-9_-]{8,20}")
_TIKTOK_ID: Final = re.compile(r"[0-9]{10,20}")
_TIKTOK_PATH: Final = re.compile(r"^/@[^/]+/video/([0-9]{10,20})")
_YOUTUBE_PATHS: Final = re.compile(r"^/(?:shorts|live|embed|video)/([^/]+)")


def post_id(platform: str, text: str) -> str:
    """The identifier in an address of a post, or the identifier itself.

    Raises:
        InvalidInput: neither.
    """
    readers = {"youtube": _youtube, "tiktok": _tiktok}
    found = readers.get(platform, _simulated)(text.strip())
    if not found:
        raise InvalidInput("That is not the address of a post.", "Copy it from the browser, with the post open.")
    return found


def _youtube(text: str) -> str:
    if _YOUTUBE_ID.fullmatch(text):
        return text
    url = urlsplit(text if "//" in text else f"https://{text}")
    host = (url.hostname or "").removeprefix("www.").removeprefix("m.")
    if host == "youtu.be":
        found = url.path.strip("/")
    elif host in ("youtube.com", "studio.youtube.com", "music.youtube.com"):
        path = _YOUTUBE_PATHS.match(url.path)
        found = path[1] if path else parse_qs(url.query).get("v", [""])[0]
    else:
        return ""
    return found if _YOUTUBE_ID.fullmatch(found) else ""


def _tiktok(text: str) -> str:
    if _TIKTOK_ID.fullmatch(text):
        return text
    url = urlsplit(text if "//" in text else f"https://{text}")
    host = (url.hostname or "").removeprefix("www.").removeprefix("m.")
    path = _TIKTOK_PATH.match(url.path) if host == "tiktok.com" else None
    return path[1] if path else ""


def _simulated(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""

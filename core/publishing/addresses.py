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
_NUMBER: Final = re.compile(r"\d{8,25}", re.ASCII)
_FACEBOOK_PATHS: Final = re.compile(r"/(?:reel|videos)/(?:[^/]+/)?(\d+)/?$", re.ASCII)
_INSTAGRAM_PATHS: Final = re.compile(r"/(?:reel|reels|p|tv)/([A-Za-z0-9_-]{5,40})/?$")
_YOUTUBE_PATHS: Final = re.compile(r"^/(?:shorts|live|embed|video)/([^/]+)")


def post_id(platform: str, text: str) -> str:
    """The identifier in an address of a post, or the identifier itself.

    Raises:
        InvalidInput: neither.
    """
    readers = {"youtube": _youtube, "tiktok": _tiktok, "facebook": _facebook, "instagram": _instagram}
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


def _facebook(text: str) -> str:
    if _NUMBER.fullmatch(text):
        return text
    url = urlsplit(text if "//" in text else f"https://{text}")
    if not _of(url.hostname, "facebook.com"):
        return ""
    path = _FACEBOOK_PATHS.search(url.path)
    found = path[1] if path else parse_qs(url.query).get("v", [""])[0]
    return found if _NUMBER.fullmatch(found) else ""


def _instagram(text: str) -> str:
    """An address names the post by a code of its own; its id is looked up by it when the figures are read."""
    if _NUMBER.fullmatch(text):
        return text
    url = urlsplit(text if "//" in text else f"https://{text}")
    path = _INSTAGRAM_PATHS.search(url.path) if _of(url.hostname, "instagram.com") else None
    return path[1] if path else ""


def _of(host: str | None, site: str) -> bool:
    return host == site or (host or "").endswith(f".{site}")


def _simulated(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""

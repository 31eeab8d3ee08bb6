"""Decisions about where a request comes from and where it wants to go: pure, on headers and paths alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_address

from starlette.datastructures import Headers

MEBIBYTE = 1024 * 1024
FORM_ROOM = MEBIBYTE
JSON_LIMIT = 8 * MEBIBYTE
WEBHOOK_LIMIT = MEBIBYTE
STREAMLIT_LIMIT = 256 * MEBIBYTE

_HOST = re.compile(r"^(?P<name>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>\d{1,5}))?$")
_WEBHOOK = re.compile(r"^/api/publishing/webhook/[a-z]+$")
_CALLBACK = re.compile(r"^/api/publishing/accounts/[a-z]+/callback$")
# Of Streamlit: its own scripts and styles (the same for everybody), and whether it lives.
_OPEN_PREFIXES = ("/vendor/", "/static/", "/app/static/")
_OPEN_PATHS = frozenset({"/_stcore/health", "/_stcore/script-health-check", "/favicon.png", "/favicon.ico"})
# Of Streamlit: what carries a user's data.
_SESSION_PREFIXES = ("/_stcore/", "/media/", "/component/", "/_media/")


def requested_host(values: Sequence[str]) -> str | None:
    """The host name of a request without its port, in lower case; None unless there is exactly one sound one."""
    if len(values) != 1:
        return None
    match = _HOST.match(values[0].strip())
    return match["name"].lower() if match else None


def is_same_origin(headers: Headers) -> bool:
    """Whether a request that changes something comes from our own pages or from a program with a token.

    A page of another site can neither add an Authorization header (that takes a CORS permission we never give) nor
    forge Origin or Sec-Fetch-Site (Fetch standard, forbidden request-headers).
    """
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return True
    site = headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        return False
    origin = headers.get("origin")
    if origin is None:
        return site == "same-origin"
    # Behind a proxy that ends TLS the browser's scheme is https and ours http: both are the same site.
    host = headers.get("host", "").lower()
    return origin.lower() in (f"http://{host}", f"https://{host}")


def is_webhook(path: str) -> bool:
    """Platforms send these from their own servers and sign them."""
    return _WEBHOOK.match(path) is not None


def is_open_path(path: str) -> bool:
    """Paths that answer without a session here: the API's (it asks for itself) and files that are no secret."""
    return path == "/api" or path.startswith(("/api/", *_OPEN_PREFIXES)) or path in _OPEN_PATHS


def needs_page_session(path: str) -> bool:
    """Streamlit's paths that carry a user's data: its web socket, its media and its upload."""
    return path.startswith(_SESSION_PREFIXES)


def asks_for_page(path: str, headers: Headers) -> bool:
    """Whether a browser opens a page of the studio."""
    if path.startswith(_SESSION_PREFIXES):
        return False
    return "text/html" in headers.get("accept", "") or headers.get("sec-fetch-dest") == "document"


def is_loopback(address: str) -> bool:
    """Whether a peer's address is this machine's own."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_loopback


def is_local_name(host: str) -> bool:
    """Whether a host name means this machine to whoever asks for it."""
    return host == "localhost" or host.endswith(".localhost") or is_loopback(host.strip("[]"))


def body_limit(path: str, max_upload_bytes: int) -> int:
    """Largest body of a request to ``path`` in bytes."""
    if path.startswith("/api/uploads") or path == "/api/assets":
        return max_upload_bytes + FORM_ROOM
    if is_webhook(path):
        return WEBHOOK_LIMIT
    return JSON_LIMIT if path.startswith("/api/") else STREAMLIT_LIMIT


def safe_next(path: str) -> str:
    """Where to go after signing in: a path of ours, never another site (``//host`` and ``/\\host`` are others)."""
    if not path.startswith("/") or path[1:2] in ("/", "\\") or any(ord(char) < 0x20 for char in path):
        return "/"
    return path

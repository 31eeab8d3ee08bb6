"""A file with HTTP Range (RFC 9110, section 14): what the framework's own answer leaves to be said."""

from __future__ import annotations

import re

from fastapi.responses import FileResponse
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from api.problems import Problem

_PART = r"(?:\d{1,19}-\d{0,19}|-\d{1,19})"
_RANGES = re.compile(rf"bytes\s*=\s*{_PART}(?:\s*,\s*{_PART})*\s*", re.IGNORECASE)


class MediaFile(FileResponse):
    """A file in whole or in parts. A Range header that is none, or in a unit that is not known, is ignored, and so is
    any on HEAD; a part that lies behind the end is a problem document (416) with the file's length."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _means_a_part(scope):
            scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] != b"range"]}
        refused = False

        async def told(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and message["status"] == 416:
                refused = True
                length = Headers(raw=message["headers"])["content-range"]
                problem = Problem(
                    416,
                    "The file does not reach that far.",
                    f"It holds {length.rpartition('/')[2]} bytes.",
                    type="range",
                    headers={"Content-Range": length},
                    retryable=False,
                )
                await problem(scope, receive, send)
            elif not refused:
                await send(message)

        await super().__call__(scope, receive, told)


def _means_a_part(scope: Scope) -> bool:
    asked = Headers(scope=scope).get("range")
    if asked is None or scope["method"] != "GET" or not _RANGES.fullmatch(asked):
        return False
    pairs = (part.strip().split("-") for part in asked.partition("=")[2].split(","))
    return all(not first or not last or int(first) <= int(last) for first, last in pairs)

"""Values that no room of the studio can keep are refused at the door, with the place where they stand.

PostgreSQL keeps no NUL character in any text, UTF-8 has no lone surrogates, and JSON knows neither NaN nor Infinity,
though Python's parser takes them. One look at the query and at the body spares every model and every column the
question; what belongs into a field is still the models' business.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from fastapi import Request

from api.origin import JSON_LIMIT, body_limit
from api.problems import is_json
from core.errors import InvalidInput
from core.settings import get_settings

_CONTROL = {code for code in range(0x20) if chr(code) not in "\t\n\r"}


async def only_sound_values(request: Request) -> None:
    """Look through a request's query and JSON body.

    Raises:
        InvalidInput: a text that cannot be kept, or a number that is none.
    """
    for name, text in request.query_params.multi_items():
        _check(text, f"query/{name}")
    # Uploads are the one thing that is large; they are no JSON, whatever their header says.
    limited = body_limit(request.scope["path"], get_settings().max_upload_bytes) <= JSON_LIMIT
    if limited and is_json(request.headers.get("content-type", "")):
        try:
            body = json.loads(await request.body() or b"null")
        except (ValueError, RecursionError):
            return  # told by the framework, which reads it again
        for place, leaf in _leaves(body):
            _check(leaf, place)


def _leaves(body: Any) -> Iterator[tuple[str, object]]:
    """Every name and value of a JSON document with its place; without recursion, since depth is the sender's."""
    waiting = [("", body)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, dict):
            for name, inner in value.items():
                yield f"{place}/{name}", name
                waiting.append((f"{place}/{name}", inner))
        elif isinstance(value, list):
            waiting += [(f"{place}/{index}", inner) for index, inner in enumerate(value)]
        else:
            yield place, value


def _check(value: object, place: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidInput("A number in the request is not finite.", _shown(place))
    if isinstance(value, str) and any(ord(char) in _CONTROL or 0xD800 <= ord(char) <= 0xDFFF for char in value):
        raise InvalidInput("A text in the request holds a character that cannot be kept.", _shown(place))


def _shown(place: str) -> str:
    return place.strip("/").encode("ascii", "backslashreplace").decode()[:200] or "the body"

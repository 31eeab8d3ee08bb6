"""Errors as problem documents (RFC 9457): a sentence for the caller, never an internal; the trace goes to the log."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from starlette.exceptions import HTTPException

from core.errors import StudioError
from core.i18n import explain

MEDIA_TYPE = "application/problem+json"
_log = logging.getLogger(__name__)

SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "which kind of problem, e.g. not-found"},
        "title": {"type": "string", "description": "one sentence for a person"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "what happened exactly, or what to do next"},
        "retryable": {"type": "boolean", "description": "whether the same request may succeed later"},
    },
}
RESPONSE = {
    "description": "A problem (RFC 9457)",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}

# What frameworks refuse: the problem's type, a sentence, and what to do.
_KNOWN = {
    400: ("bad-request", "The request is malformed.", "It is not what HTTP, its form or its JSON should look like."),
    401: ("unauthenticated", "Sign in, or send an API token.", "Programs send Authorization: Bearer and the token."),
    404: ("not-found", "That does not exist.", "GET /api/openapi.json lists what there is."),
    405: ("not-allowed", "That cannot be done here.", "The answer's Allow header says what can."),
    409: ("conflict", "The upload stands at another position.", "Ask for it with HEAD, and continue from there."),
    410: ("gone", "This upload has expired.", "Upload the file again."),
    412: ("version", "This version of the upload protocol is not supported.", "Send Tus-Resumable: 1.0.0."),
    413: ("too-large", "That is larger than the studio accepts.", "Large recordings go through /api/uploads."),
    415: ("content-type", "The request's content type is not accepted here.", "The documentation says which one is."),
    423: ("conflict", "This upload is being written by another connection.", "Wait a moment, then ask for its offset."),
    507: ("out-of-space", "There is not enough room on the disk.", "Delete something in the Library, then go on."),
}
_AGAIN = frozenset({409, 423, 507})
_FINAL: dict[str, Any] = {"type": "bad-request", "retryable": False}


class Problem(JSONResponse):
    """One problem document; ``extra`` are members beyond the standard's (retryable, code, setting, errors)."""

    media_type = MEDIA_TYPE

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        *,
        type: str = "about:blank",
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        body = {"type": type, "title": title, "status": status, "detail": detail or title, **extra}
        super().__init__(body, status, headers=dict(headers or {}))


def language_of(request: Request) -> str:
    """The language a problem is told in: Thai where the request prefers it (RFC 9110, Accept-Language), or English."""
    first = request.headers.get("accept-language", "").partition(",")[0].strip().lower()
    return "th" if first == "th" or first.startswith(("th-", "th;")) else "en"


def from_error(error: StudioError, language: str = "en") -> Problem:
    """The document of an error of the studio's family. ``type`` is a relative reference, e.g. ``not-found``."""
    known = error.as_dict()
    title, detail = explain(error, language)
    extra = {name: value for name, value in known.items() if name not in ("type", "title", "detail")}
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
    headers["Content-Language"] = language
    return Problem(error.status, title, detail, type=error.type, headers=headers, **extra)


def _on_studio_error(request: Request, error: Exception) -> Problem:
    assert isinstance(error, StudioError)
    if error.status >= 500:  # a missing key or a full disk is told where it is met, and needs no trace
        trace = error if error.status == 500 else None
        _log.warning("%s %s: %s", request.method, request.url.path, error, exc_info=trace)
    return from_error(error, language_of(request))


def _on_http_error(_request: Request, error: Exception) -> Problem:
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    kind, title, detail = _KNOWN.get(error.status_code, ("about:blank", phrase, phrase))
    retryable = error.status_code in _AGAIN
    return Problem(error.status_code, title, detail, type=kind, headers=error.headers, retryable=retryable)


def _on_validation_error(request: Request, error: Exception) -> Problem:
    assert isinstance(error, RequestValidationError)
    items = error.errors()
    if any(item["loc"][0] == "path" for item in items):  # no such name can exist, whatever else is wrong
        return _on_http_error(request, HTTPException(404))
    if any(item["type"] == "json_invalid" for item in items):
        place = items[0]["loc"][-1]
        return Problem(422, "The request is not valid JSON.", f"It cannot be read at character {place}.", **_FINAL)
    if any(item["loc"] == ("body",) for item in items) and not is_json(request.headers.get("content-type", "")):
        return Problem(415, "Send the request as JSON.", "Its Content-Type is application/json.", **_FINAL)
    found = [{"pointer": "/" + "/".join(str(part) for part in item["loc"]), "detail": sentence(item)} for item in items]
    first = found[0] if found else {"pointer": "", "detail": ""}
    where = first["pointer"].removeprefix("/body").removeprefix("/")
    return Problem(
        422,
        "Something in the request is not valid.",
        f"{where}: {first['detail']}" if where else first["detail"],
        type="invalid-input",
        retryable=False,
        errors=found[:50],
    )


def is_json(content_type: str) -> bool:
    """Whether a Content-Type header says JSON, as the framework reads it."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def sentence(item: Mapping[str, Any]) -> str:
    """What one error of pydantic says, in words for somebody who does not know Python."""
    context = item.get("ctx", {})
    if item["type"] == "union_tag_invalid":
        return f"There is no “{str(context['tag'])[:80]}” here. There is: {context['expected_tags']}."
    if item["type"] == "union_tag_not_found":
        return f"It does not say what it is; {context['discriminator']} is missing."
    if item["type"] == "extra_forbidden":
        return "There is no setting of this name."
    words = {
        "missing": "It is missing.",
        "model_attributes_type": "It should be an object.",
        "dict_type": "It should be an object.",
        "tuple_type": "It should be a list.",
        "list_type": "It should be a list.",
        "finite_number": "It should be a number that is not infinite.",
    }
    return words.get(item["type"]) or str(item["msg"]).removeprefix("Value error, ")


def _cause(error: Exception) -> str:
    """The first line of what the database said: which rule was broken, without the values."""
    return str(getattr(error, "orig", error)).partition("\n")[0]


def _on_collision(request: Request, error: Exception) -> Problem:
    """Two requests wanted the same name or place at the same moment, and the database let one have it."""
    _log.warning("%s %s: another request was first: %s", request.method, request.url.path, _cause(error))
    return Problem(
        409,
        "Another request changed this at the same moment.",
        "Read it again, then repeat the request if it is still needed.",
        type="conflict",
        retryable=True,
    )


def _on_unstorable(request: Request, error: Exception) -> Problem:
    """A value no column can hold, e.g. a day before all calendars; what is sent is checked long before this."""
    _log.warning("%s %s: a value cannot be stored: %s", request.method, request.url.path, _cause(error))
    return Problem(
        422,
        "A value in the request cannot be stored.",
        "It is too large, too small, or holds a character that no text may hold.",
        type="invalid-input",
        retryable=False,
    )


def _on_lost_database(request: Request, error: Exception) -> Problem:
    _log.error("%s %s: the database cannot be reached", request.method, request.url.path, exc_info=error)
    return Problem(
        503,
        "The studio's database cannot be reached.",
        "It may be starting. Try again in a few seconds.",
        type="unavailable",
        headers={"Retry-After": "3"},
        retryable=True,
    )


def _on_any_error(request: Request, error: Exception) -> Problem:
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return Problem(500, "Something went wrong in the studio.", "The log says what.", type="internal", retryable=False)


def install(api: FastAPI) -> None:
    """Answer every error of ``api`` with a problem document."""
    api.add_exception_handler(StudioError, _on_studio_error)
    api.add_exception_handler(HTTPException, _on_http_error)
    api.add_exception_handler(RequestValidationError, _on_validation_error)
    api.add_exception_handler(OperationalError, _on_lost_database)
    api.add_exception_handler(DataError, _on_unstorable)
    api.add_exception_handler(IntegrityError, _on_collision)
    api.add_exception_handler(Exception, _on_any_error)

"""Errors as problem documents (RFC 9457): a sentence for the caller, never an internal; the trace goes to the log."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError
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

_TITLES = {
    400: "The request is malformed.",
    401: "Sign in, or send an API token.",
    404: "That does not exist.",
    405: "That cannot be done here.",
    409: "The upload stands at another position.",
    410: "This upload has expired.",
    412: "This version of the upload protocol is not supported.",
    413: "That is larger than the studio accepts.",
    415: "The request's content type is not accepted here.",
    423: "This upload is being written by another connection.",
}


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
        body = {"type": type, "title": title, "status": status, "detail": detail, **extra}
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
    if error.status >= 500:
        _log.error("%s %s: %s", request.method, request.url.path, error, exc_info=error)
    return from_error(error, language_of(request))


def _on_http_error(_request: Request, error: Exception) -> Problem:
    assert isinstance(error, HTTPException)
    title = _TITLES.get(error.status_code) or HTTPStatus(error.status_code).phrase
    return Problem(error.status_code, title, headers=error.headers)


def _on_validation_error(_request: Request, error: Exception) -> Problem:
    assert isinstance(error, RequestValidationError)
    found = [
        {"pointer": "/" + "/".join(str(part) for part in item["loc"]), "detail": str(item["msg"])}
        for item in error.errors()
    ]
    first = found[0] if found else {"pointer": "", "detail": ""}
    return Problem(
        422,
        "Something in the request is not valid.",
        f"{first['pointer'].removeprefix('/body/').removeprefix('/')}: {first['detail']}",
        type="invalid-input",
        retryable=False,
        errors=found[:50],
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
    api.add_exception_handler(Exception, _on_any_error)

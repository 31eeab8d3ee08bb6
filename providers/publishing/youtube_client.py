"""The YouTube APIs' clients for one account: built offline, one request at a time, reading repeated, changing never."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx
from googleapiclient import discovery_cache
from googleapiclient.discovery import build_from_document
from googleapiclient.errors import HttpError
from sqlalchemy.exc import OperationalError

from core import database
from core.publishing import limits
from core.publishing.oauth import Credentials
from core.settings import get_settings
from providers.publishing.transport import SingleShot
from providers.publishing.youtube_errors import classify, unreachable

TRIES = 5
ANALYTICS = "reports."
"""Calls of the Analytics API have an allowance of their own."""
_log = logging.getLogger(__name__)
Pause = Callable[[float], None]


@lru_cache
def _document(name: str) -> dict[str, Any]:
    path = Path(discovery_cache.__file__).parent / "documents" / f"{name}.json"
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


def _service(name: str, base: str, http: SingleShot) -> Any:
    root = base.rstrip("/") + "/"
    document = {**_document(name), "rootUrl": root, "baseUrl": root, "mtlsRootUrl": root}
    return build_from_document(document, http=http)


class YouTubeClient:
    """``api`` reads and changes, ``uploads`` takes media, ``analytics`` reports; ``http`` sends for all of them."""

    def __init__(self, credentials: Credentials, *, pause: Pause, timeout: float) -> None:
        settings = get_settings()
        self.http = SingleShot(credentials, timeout=timeout)
        self.api = _service("youtube.v3", settings.youtube_api_base, self.http)
        self.uploads = _service("youtube.v3", settings.youtube_upload_base, self.http)
        self.analytics = _service("youtubeAnalytics.v2", settings.youtube_analytics_base, self.http)
        self._pause = pause

    def count(self, kind: str) -> None:
        """Note a call against the day's allowance. Only a display depends on it: a call is not undone for it."""
        if not kind.startswith(ANALYTICS):
            try:
                with database.session() as session:
                    limits.spend(session, "youtube", kind, datetime.now(UTC))
            except OperationalError as error:
                _log.warning("a call of %s was not counted: %s", kind, error)

    def read(self, call: Any, kind: str) -> dict[str, Any]:
        """A reading call, repeated by us on passing trouble."""
        for attempt in range(TRIES):
            self.count(kind)
            try:
                answer: dict[str, Any] = call.execute(num_retries=0)
            except HttpError as error:
                failure = classify(
                    error.resp.status, error.content, kind=kind, retry_after=error.resp.get("retry-after")
                )
                if failure.error_class != "transient" or attempt == TRIES - 1:
                    raise failure from error
            except httpx.HTTPError as error:
                if attempt == TRIES - 1:
                    raise unreachable(error) from error
            else:
                return answer
            self._pause(back_off(attempt + 1))
        raise AssertionError("unreachable")

    def change(self, call: Any, kind: str) -> dict[str, Any]:
        """A changing call: sent once."""
        self.count(kind)
        try:
            answer: dict[str, Any] = call.execute(num_retries=0) or {}
        except HttpError as error:
            raise classify(
                error.resp.status,
                error.content,
                kind=kind,
                retry_after=error.resp.get("retry-after"),
                mutation=True,
            ) from error
        except httpx.HTTPError as error:
            raise unreachable(error, mutation=True) from error
        return answer


def back_off(failures: int) -> float:
    """Full jitter, 2^n tenths of a second, at most 8 s."""
    return random.uniform(0, min(0.1 * 2**failures, 8.0))

"""Runway: POST /v1/text_to_video, GET and DELETE /v1/tasks/{id} (https://docs.dev.runwayml.com/api, version 2024-11-06,
as its own client of July 2026 speaks it).

The model gen4.5 takes a prompt of up to 1000 UTF-16 units, whole seconds from 2 to 10, and 1280:720 or 720:1280. Asking
more often than every five seconds brings nothing new. Addresses of clips expire within 24 to 48 hours; asking for the
task again gives new ones.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, Field

from core.errors import InvalidInput
from providers.video.hosted.base import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    Order,
    State,
    Task,
    ask,
    read,
    read_order,
    send_order,
)

if TYPE_CHECKING:
    import httpx

VERSION = "2024-11-06"
MODEL = "gen4.5"
LONGEST_PROMPT = 1000
MIN_SECONDS, MAX_SECONDS = 2, 10
_CANCEL_SECONDS = 0.8
_STATES: dict[str, State] = {
    "PENDING": "waiting",
    "THROTTLED": "waiting",
    "RUNNING": "running",
    "SUCCEEDED": "succeeded",
    "FAILED": "failed",
    "CANCELLED": "cancelled",
}


class _Created(BaseModel):
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,80}$")]


class _Answer(BaseModel):
    status: Literal["PENDING", "THROTTLED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]
    progress: float = 0.0
    output: list[str] = []
    failure: str = ""
    failure_code: str | None = Field(default=None, alias="failureCode")


class Runway:
    """The service at ``base`` for the account of ``key``."""

    title = "Runway"
    poll_seconds = 5.0

    def __init__(self, base: str, key: str) -> None:
        self._base, self._key = base.rstrip("/"), key

    def submit(self, order: Order) -> str:
        prompt = order.prompt
        if len(prompt.encode("utf-16-le")) // 2 > LONGEST_PROMPT:
            raise InvalidInput("This prompt is too long.", f"Runway takes at most {LONGEST_PROMPT} letters.")
        body = {
            "model": MODEL,
            "promptText": prompt,
            "ratio": "1280:720" if order.shape in ("16:9", "1:1") else "720:1280",
            "duration": min(max(round(order.seconds), MIN_SECONDS), MAX_SECONDS),
        }
        with self._client() as client:
            answer = send_order(self.title, lambda: client.post(f"{self._base}/v1/text_to_video", json=body))
        return read_order(self.title, answer, _Created).id

    def check(self, handle: str) -> Task:
        with self._client() as client:
            answer = ask(self.title, lambda: client.get(f"{self._base}/v1/tasks/{handle}"))
        found = read(self.title, answer, _Answer)
        url = found.output[0] if found.output else ""
        if found.status == "SUCCEEDED" and not url:
            return Task("failed", code="no-output", failure="The finished order holds no clip.")
        return Task(
            _STATES[found.status], min(max(found.progress, 0.0), 1.0), url, found.failure_code or "", found.failure
        )

    def cancel(self, handle: str) -> None:
        import httpx

        with self._client(_CANCEL_SECONDS) as client, suppress(httpx.HTTPError):
            client.delete(f"{self._base}/v1/tasks/{handle}")

    def _client(self, seconds: float = ANSWER_SECONDS) -> httpx.Client:
        import httpx

        return httpx.Client(
            headers={"Authorization": f"Bearer {self._key}", "X-Runway-Version": VERSION},
            timeout=httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS)),
        )

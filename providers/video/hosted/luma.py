"""Luma's Dream Machine: POST /generations/video, GET and DELETE /generations/{id} (https://docs.lumalabs.ai/docs/api,
as its own client 1.21 speaks it).

The model ray-2 makes clips of 5 or 9 seconds; pictures it takes by public addresses only, which a studio on one's own
machine does not have. It tells no progress.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, Field

from core.errors import InvalidInput
from core.video.generate.payloads import Shape
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

MODEL, RESOLUTION = "ray-2", "720p"
LONGEST_PROMPT = 5000
_LENGTHS = (5, 9)
_SHAPES: dict[Shape, str] = {"16:9": "16:9", "9:16": "9:16", "1:1": "1:1", "4:5": "3:4"}
_CANCEL_SECONDS = 0.8
_STATES: dict[str, State] = {"queued": "waiting", "dreaming": "running", "completed": "succeeded", "failed": "failed"}


class _Created(BaseModel):
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,80}$")]


class _Assets(BaseModel):
    video: str | None = None


class _Generation(BaseModel):
    state: Literal["queued", "dreaming", "completed", "failed"]
    failure_reason: str | None = None
    assets: _Assets | None = None


class Luma:
    """The service at ``base`` for the account of ``key``."""

    title = "Luma"
    poll_seconds = 5.0

    def __init__(self, base: str, key: str) -> None:
        self._base, self._key = base.rstrip("/"), key

    def submit(self, order: Order) -> str:
        if len(order.prompt) > LONGEST_PROMPT:
            raise InvalidInput("This prompt is too long.", f"Luma takes at most {LONGEST_PROMPT} letters.")
        body = {
            "model": MODEL,
            "prompt": order.prompt,
            "aspect_ratio": _SHAPES[order.shape],
            "duration": f"{min(_LENGTHS, key=lambda length: abs(length - order.seconds))}s",
            "resolution": RESOLUTION,
        }
        with self._client() as client:
            answer = send_order(self.title, lambda: client.post(f"{self._base}/generations/video", json=body))
        return read_order(self.title, answer, _Created).id

    def check(self, handle: str) -> Task:
        with self._client() as client:
            answer = ask(self.title, lambda: client.get(f"{self._base}/generations/{handle}"))
        found = read(self.title, answer, _Generation)
        url = (found.assets.video if found.assets else None) or ""
        if found.state == "completed" and not url:
            return Task("failed", code="no-output", failure="The finished order holds no clip.")
        return Task(
            _STATES[found.state], url=url, code="failed" if found.state == "failed" else "",
            failure=found.failure_reason or "",
        )  # fmt: skip

    def cancel(self, handle: str) -> None:
        import httpx

        with self._client(_CANCEL_SECONDS) as client, suppress(httpx.HTTPError):
            client.delete(f"{self._base}/generations/{handle}")

    def _client(self, seconds: float = ANSWER_SECONDS) -> httpx.Client:
        import httpx

        return httpx.Client(
            headers={"Authorization": f"Bearer {self._key}"},
            timeout=httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS)),
        )

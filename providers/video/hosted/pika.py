"""Pika 2.2, whose own API is fal's queue (https://fal.ai/models/fal-ai/pika/v2.2/text-to-video/api and
https://docs.fal.ai/model-endpoints/queue): POST to the model, GET the request's status, GET its answer, PUT its cancel.

Clips are of 5 or 10 seconds. A request that failed is COMPLETED too: its answer is then an error, named by
``X-Fal-Error-Type`` or 422. The queue itself repeats what failed on its side; that costs nothing and is not seen here.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, Field

from providers.video.hosted.base import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    Order,
    Task,
    ask,
    message_of,
    read,
    read_order,
    refusal_of,
    send_order,
    unreachable,
)

if TYPE_CHECKING:
    import httpx

MODEL, APP = "fal-ai/pika/v2.2/text-to-video", "fal-ai/pika"
RESOLUTION = "720p"
_LENGTHS = (5, 10)
_CANCEL_SECONDS = 0.8


class _Created(BaseModel):
    request_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,80}$")]


class _Status(BaseModel):
    status: Literal["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]


class _Video(BaseModel):
    url: str


class _Result(BaseModel):
    video: _Video


class Pika:
    """The queue at ``base`` for the account of ``key``."""

    title = "Pika"
    poll_seconds = 5.0

    def __init__(self, base: str, key: str) -> None:
        self._base, self._key = base.rstrip("/"), key

    def submit(self, order: Order) -> str:
        body = {
            "prompt": order.prompt,
            "aspect_ratio": order.shape,
            "resolution": RESOLUTION,
            "duration": min(_LENGTHS, key=lambda length: abs(length - order.seconds)),
        }
        with self._client() as client:
            answer = send_order(self.title, lambda: client.post(f"{self._base}/{MODEL}", json=body))
        return read_order(self.title, answer, _Created).request_id

    def check(self, handle: str) -> Task:
        with self._client() as client:
            answer = ask(self.title, lambda: client.get(f"{self._address(handle)}/status"))
            status = read(self.title, answer, _Status).status
            if status != "COMPLETED":
                return Task("waiting" if status == "IN_QUEUE" else "running")
            return self._result(client, handle)

    def _result(self, client: httpx.Client, handle: str) -> Task:
        import httpx

        try:
            answer = client.get(self._address(handle))
        except httpx.TransportError as error:
            raise unreachable(self.title, error) from error
        code = answer.headers.get("x-fal-error-type", "")
        if answer.status_code == 422 or (answer.status_code >= 400 and code):
            return Task("failed", code=code or str(answer.status_code), failure=message_of(answer))
        if answer.status_code >= 400:
            raise refusal_of(self.title, answer)
        return Task("succeeded", 1.0, read(self.title, answer, _Result).video.url)

    def cancel(self, handle: str) -> None:
        import httpx

        with self._client(_CANCEL_SECONDS) as client, suppress(httpx.HTTPError):
            client.put(f"{self._address(handle)}/cancel")

    def _address(self, handle: str) -> str:
        """Of a request; the addresses that an answer tells are not followed, for the key would go with them."""
        return f"{self._base}/{APP}/requests/{handle}"

    def _client(self, seconds: float = ANSWER_SECONDS) -> httpx.Client:
        import httpx

        return httpx.Client(
            headers={"Authorization": f"Key {self._key}"},
            timeout=httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS)),
        )

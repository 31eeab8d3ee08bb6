"""Asking a hosted service over HTTP: again while it is busy, no longer than the work is wanted, and what its no means.

For services in the form of OpenAI's API, which many hosts and local servers share: a bearer key, JSON errors of the
form ``{"error": {"code", "message"}}`` (https://platform.openai.com/docs/guides/error-codes).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.errors import ProviderRefused, StudioError
from core.hosted import Service
from core.video.text import clean

if TYPE_CHECKING:
    import httpx

_ATTEMPTS = 5
_LONGEST_WAIT = 60.0
_CONNECT_SECONDS, _ANSWER_SECONDS = 15.0, 600.0


@dataclass(frozen=True)
class Wording:
    """What people call a service, which settings lead to it, and what it is sent; ``core/i18n`` has each sentence."""

    name: str
    settings: str
    sent: str


def ask(
    post: Callable[[httpx.AsyncClient], Awaitable[httpx.Response]], wording: Wording, tick: Callable[[], None]
) -> httpx.Response:
    """Send a request until the service has answered it (200) or said no for good.

    ``tick`` is called at least twice a second, also between two tries; when it raises, the connection is closed.

    Raises:
        ProviderRefused: the service says no or cannot be reached.
    """
    import httpx

    refusal: StudioError | None = None
    for attempt in range(_ATTEMPTS):
        wait = float(2**attempt)
        try:
            answer = asyncio.run(_send(post, tick))
        except httpx.TransportError as error:
            refusal = ProviderRefused(
                f"The {wording.name} cannot be reached.", str(error), code="unreachable", retryable=True
            )
        else:
            if answer.status_code == 200:
                return answer
            refused = refusal_of(answer, wording)
            if not refused.retryable:
                raise refused
            refusal = refused
            asked = answer.headers.get("retry-after", "")
            wait = float(asked) if asked.isdigit() else wait
        if attempt < _ATTEMPTS - 1:
            _rest(min(wait, _LONGEST_WAIT), tick)
    assert refusal is not None
    raise refusal


def ask_json(
    service: Service, path: str, order: dict[str, Any], wording: Wording, tick: Callable[[], None]
) -> httpx.Response:
    """:func:`ask` with a JSON body, at ``path`` below the service's address."""
    headers = {"Authorization": f"Bearer {service.key}"} if service.key else {}

    def post(client: httpx.AsyncClient) -> Awaitable[httpx.Response]:
        return client.post(f"{service.base.rstrip('/')}/{path}", headers=headers, json=order)

    return ask(post, wording, tick)


async def _send(
    post: Callable[[httpx.AsyncClient], Awaitable[httpx.Response]], tick: Callable[[], None]
) -> httpx.Response:
    import httpx

    async with httpx.AsyncClient(timeout=httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS)) as client:
        request = asyncio.ensure_future(post(client))
        try:
            while not request.done():
                tick()
                await asyncio.wait({request}, timeout=0.5)
            return request.result()
        finally:
            request.cancel()


def _rest(seconds: float, tick: Callable[[], None]) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        tick()
        time.sleep(min(left, 0.5))


def refusal_of(answer: httpx.Response, wording: Wording) -> ProviderRefused:
    """What to tell about an answer that is not a result."""
    status, code, message = answer.status_code, "", ""
    if answer.headers.get("content-type", "").startswith("application/json"):
        body = answer.json()
        error = body.get("error") if isinstance(body, dict) else None
        if isinstance(error, dict):
            code, message = str(error.get("code") or ""), clean(str(error.get("message") or ""))[:300]
    detail = message or f"HTTP {status}"
    code = code or str(status)
    if status in (401, 403):
        return ProviderRefused(f"The {wording.name} refused the key.", f"Check it under Settings. {detail}", code=code)
    if status == 402 or code == "insufficient_quota":
        return ProviderRefused(f"The account at the {wording.name} is used up.", detail, code=code)
    if status == 404:
        return ProviderRefused(
            f"The {wording.name} does not know this address or model.",
            f"Check {wording.settings}. {detail}",
            code=code,
        )
    if status == 429:
        return ProviderRefused(f"The {wording.name} is asked too often.", detail, code=code, retryable=True)
    if status in (408, 425) or status >= 500:
        return ProviderRefused(f"The {wording.name} is out of order.", detail, code=code, retryable=True)
    return ProviderRefused(f"The {wording.name} refused the {wording.sent}.", detail, code=code)

"""What a hosted video engine does, in steps that a job can be killed between: submit, check, fetch.

An order costs money. None of these services takes a key by which a repeated order would be recognised, so an order is
sent exactly once; where its answer is lost nobody knows whether the service took it, and :class:`AnswerLost` says so.
The vendors' own clients repeat such a request by themselves, which is why they are not used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from core.errors import ProviderRefused
from core.progress import Progress, no_progress
from core.video.generate.payloads import Shape
from core.video.text import clean

if TYPE_CHECKING:
    import httpx

State = Literal["waiting", "running", "succeeded", "failed", "cancelled"]
M = TypeVar("M", bound=BaseModel)
CONNECT_SECONDS, ANSWER_SECONDS = 15.0, 60.0
LARGEST_BYTES = 2 * 1024**3
_CHUNK = 256 * 1024


@dataclass(frozen=True)
class Order:
    """One clip: what it shows, about how long, in which shape (the nearest the service makes)."""

    prompt: str
    seconds: float
    shape: Shape


@dataclass(frozen=True)
class Task:
    """How an order stands: ``progress`` 0–1, ``url`` of the clip, ``code`` and ``failure`` in the service's words."""

    state: State
    progress: float = 0.0
    url: str = ""
    code: str = ""
    failure: str = ""


class AnswerLost(ProviderRefused):
    """The order was sent and its answer did not come: it may have been taken, and may cost."""

    def __init__(self, service: str, detail: str) -> None:
        super().__init__(
            f"It is not known whether {service} took the order.",
            "Look at your account there first: trying again orders, and may pay, once more. " + detail,
            code="answer-lost",
        )


class HostedVideo(Protocol):
    """One service."""

    title: str
    poll_seconds: float

    def submit(self, order: Order) -> str:
        """Order a clip, once; answers its handle.

        Raises:
            AnswerLost: nobody knows whether it was taken.
            ProviderRefused: it was not.
        """
        ...

    def check(self, handle: str) -> Task:
        """How it stands; raises :class:`ProviderRefused`, retryable where asking again may help."""
        ...

    def cancel(self, handle: str) -> None:
        """Tell the service that nobody waits any more; what it does then is its own affair."""
        ...


def send_order(service: str, send: Callable[[], httpx.Response]) -> httpx.Response:
    """Send a request that costs money, once.

    Raises:
        AnswerLost: it broke off after it had begun, or the service's gateway gave up on it (5xx).
        ProviderRefused: the service cannot be reached, or says no.
    """
    import httpx

    try:
        answer = send()
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise unreachable(service, error) from error
    except httpx.TransportError as error:
        raise AnswerLost(service, type(error).__name__) from error
    if answer.status_code >= 500:
        raise AnswerLost(service, f"HTTP {answer.status_code}")
    if answer.status_code >= 400:
        raise refusal_of(service, answer)
    return answer


def ask(service: str, send: Callable[[], httpx.Response]) -> httpx.Response:
    """Send a request that may be repeated; a refusal that can pass is retryable.

    Raises:
        ProviderRefused: as :func:`refusal_of` and :func:`unreachable` say.
    """
    import httpx

    try:
        answer = send()
    except httpx.TransportError as error:
        raise unreachable(service, error) from error
    if answer.status_code >= 400:
        raise refusal_of(service, answer)
    return answer


def read(service: str, answer: httpx.Response, form: type[M]) -> M:
    """An answer in the form that is expected; raises :class:`ProviderRefused` for another."""
    try:
        return form.model_validate_json(answer.content)
    except ValidationError as error:
        raise ProviderRefused(
            f"{service} answered in a form the studio does not know.", str(error)[:300], code="unknown-answer"
        ) from error


def read_order(service: str, answer: httpx.Response, form: type[M]) -> M:
    """What a service says of an order it took; raises :class:`AnswerLost` where it names none."""
    try:
        return form.model_validate_json(answer.content)
    except ValidationError as error:
        raise AnswerLost(service, "The answer named no order.") from error


def unreachable(service: str, error: Exception) -> ProviderRefused:
    return ProviderRefused(f"{service} cannot be reached.", str(error), code="unreachable", retryable=True)


def refusal_of(service: str, answer: httpx.Response) -> ProviderRefused:
    """What to tell about an answer that is a refusal."""
    status, message = answer.status_code, message_of(answer)
    code = str(status)
    if status in (401, 403):
        return ProviderRefused(f"{service} refused the key.", f"Check it under Settings. {message}", code=code)
    if status == 402 or "credit" in message.lower():
        return ProviderRefused(f"The account at {service} is used up.", message, code=code)
    if status == 404:
        return ProviderRefused(f"{service} does not know this order any more.", message, code=code)
    if status == 429:
        return ProviderRefused(f"{service} takes no more orders at the moment.", message, code=code, retryable=True)
    if status in (408, 425) or status >= 500:
        return ProviderRefused(f"{service} is out of order.", message, code=code, retryable=True)
    return ProviderRefused(f"{service} refused the order.", message, code=code)


def message_of(answer: httpx.Response) -> str:
    """The service's own words, cleaned and cut."""
    if not answer.headers.get("content-type", "").startswith("application/json"):
        return f"HTTP {answer.status_code}"
    body: Any = answer.json()
    found = (body.get("error") or body.get("detail") or body.get("message")) if isinstance(body, dict) else None
    if isinstance(found, list) and found and isinstance(found[0], dict):  # FastAPI's list of what is wrong
        found = found[0].get("msg")
    return clean(found)[:300] if isinstance(found, str) and found else f"HTTP {answer.status_code}"


def fetch(service: str, url: str, path: Path, *, progress: Progress = no_progress) -> None:
    """Download a finished clip; the address itself is the permission, no key goes along.

    Raises:
        ProviderRefused: retryable; addresses expire and are renewed by asking for the order again.
    """
    import httpx

    try:
        with (
            httpx.Client(
                follow_redirects=True, timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
            ) as client,
            client.stream("GET", url) as answer,
        ):
            if answer.status_code >= 400:
                raise ProviderRefused(
                    f"The finished clip could not be fetched from {service}.", f"HTTP {answer.status_code}",
                    code=str(answer.status_code), retryable=True,
                )  # fmt: skip
            size = int(answer.headers.get("content-length") or 0)
            received = 0
            with path.open("wb") as file:
                for chunk in answer.iter_bytes(_CHUNK):
                    received += len(chunk)
                    if received > LARGEST_BYTES:
                        raise ProviderRefused(f"{service} sent more than a clip can be.", code="too-large")
                    file.write(chunk)
                    progress(received / size if size else 0.5, "stage.download")
    except httpx.TransportError as error:
        raise unreachable(service, error) from error

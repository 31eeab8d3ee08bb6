"""A clip by a hosted engine: ordered once, waited for by its handle, fetched and finished (SPEC V1.5).

What is known of the order lies in the job's checkpoints: "order" is ``asked`` from before it is sent, its handle is
stored beside that. An attempt that finds ``asked`` without a handle follows one that was killed in between, and does
not order again. An order that came to nothing is forgotten, so that a person may order anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from core.errors import JobCancelled, NotConfigured, ProviderRefused, StudioError
from core.preferences import stored_value
from core.progress import Progress, part
from core.settings import get_settings
from core.video.generate.engines import KEYS
from core.video.generate.payloads import GenerateInput
from providers.video.hosted.base import AnswerLost, HostedVideo, Order, Task, fetch
from providers.video.hosted.luma import Luma
from providers.video.hosted.pika import Pika
from providers.video.hosted.runway import Runway
from workers.context import JobContext

CLIP_SECONDS = 5.0
MOST_FAILURES = 10
"""In a row, of asking how an order stands: some minutes without an answer."""
_LONGEST_WAIT = 60.0
_TICK = 0.25


def engine_of(context: JobContext, provider: str) -> HostedVideo:
    """The service with the key of the job's studio.

    Raises:
        NotConfigured: there is no key.
    """
    key = KEYS[provider]
    with context.session() as session:
        value = stored_value(session, context.owner_id, key)
    if not value:
        raise NotConfigured("This service has no key.", f"Store {key} under Settings.", setting=key)
    settings = get_settings()
    if provider == "luma":
        return Luma(settings.luma_api_base, value)
    if provider == "pika":
        return Pika(settings.pika_api_base, value)
    return Runway(settings.runway_api_base, value)


def made_clip(context: JobContext, payload: GenerateInput, progress: Progress) -> Path:
    """The clip of a prompt, as the service made it, in the job's folder.

    Raises:
        AnswerLost: an attempt ended while it ordered; a person has to look before it is ordered again.
        ProviderRefused: the service says no, or fails.
        JobCancelled: raised by ``progress``; the service has been told.
    """
    engine = engine_of(context, payload.provider)
    handle = _ordered(context, engine, payload)
    try:
        task = _finished(engine, handle, part(progress, 0.0, 0.9))
        if task.state != "succeeded":
            context.checkpoint("order", {})
            raise ProviderRefused(
                f"{engine.title} could not make this clip.",
                " ".join(word for word in (task.failure, task.code) if word)[:300] or task.state,
                code=task.code or task.state,
            )
        path = context.folder / "clip.mp4"
        for last in (False, True):
            try:
                fetch(engine.title, task.url, path, progress=part(progress, 0.9, 1.0))
                break
            except ProviderRefused:
                if last:
                    raise
                task = engine.check(handle)  # its address may have expired while nobody was here
    except JobCancelled:
        if context.stop_requested.is_set():
            engine.cancel(handle)
            context.checkpoint("order", {})
        raise
    return path


def _ordered(context: JobContext, engine: HostedVideo, payload: GenerateInput) -> str:
    """The handle of the job's order: stored by an earlier attempt, else of an order that is sent now."""
    known = context.checkpoints.get("order") or {}
    if known.get("handle"):
        return str(known["handle"])
    if known.get("asked"):
        context.checkpoint("order", {})
        raise AnswerLost(engine.title, "The studio was ended while it ordered.")
    assert payload.prompt is not None
    order = Order(payload.prompt, payload.duration_seconds or CLIP_SECONDS, payload.aspect_ratio)
    context.checkpoint("order", {"asked": True})
    try:
        handle = engine.submit(order)
    except StudioError:
        # Told to a person, who alone can start it again.
        context.checkpoint("order", {})
        raise
    context.checkpoint("order", {"asked": True, "handle": handle})
    context.log(f"{engine.title}: {handle}")
    return handle


def _finished(engine: HostedVideo, handle: str, progress: Progress) -> Task:
    """Ask until the order has come to an end."""
    failures = 0
    while True:
        wait = engine.poll_seconds
        try:
            task = engine.check(handle)
        except ProviderRefused as refusal:
            failures += 1
            if not refusal.retryable or failures >= MOST_FAILURES:
                raise
            wait = min(engine.poll_seconds * 2**failures, _LONGEST_WAIT)
        else:
            failures = 0
            if task.state not in ("waiting", "running"):
                return task
            progress(task.progress, "stage.hosted")
        pause(wait, lambda: progress(0.0, "stage.hosted"))


def pause(seconds: float, tick: Callable[[], None]) -> None:
    """Wait, and be told meanwhile to stop."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        tick()
        time.sleep(min(left, _TICK))

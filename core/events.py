"""The event bus: stored with what caused it, delivered at least once, to idempotent subscribers.

Writing an event is one more row of the caller's transaction (the transactional outbox). The dispatcher delivers; each
event is delivered in one transaction with everything its subscribers do, so a crash repeats the whole delivery.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from core import live
from core.models.jobs import OutboxEvent

Subscriber = Callable[[Session, OutboxEvent], None]

VIDEO_GENERATED = "VIDEO_GENERATED"
AUDIO_STEMS_CREATED = "AUDIO_STEMS_CREATED"
MUSIC_ANALYZED = "MUSIC_ANALYZED"
CONTENT_PUBLISHED = "CONTENT_PUBLISHED"
JOB_FAILED = "JOB_FAILED"
METRICS_SYNCED = "METRICS_SYNCED"
RESULT_DISCARDED = "RESULT_DISCARDED"
RECORDING_IMPORTED = "RECORDING_IMPORTED"
"""A video was uploaded by a person or a program; recordings that the studio made itself are told elsewhere."""

MAXIMUM_FAILURES = 12
_log = logging.getLogger(__name__)
_subscribers: dict[str, list[Subscriber]] = defaultdict(list)


def subscriber(kind: str) -> Callable[[Subscriber], Subscriber]:
    """Register a function for events of ``kind``. It must be idempotent: the same event may come again."""

    def register(function: Subscriber) -> Subscriber:
        if function not in _subscribers[kind]:
            _subscribers[kind].append(function)
        return function

    return register


def emit(session: Session, kind: str, owner_id: UUID, data: dict[str, Any]) -> OutboxEvent:
    """Store an event in the caller's transaction."""
    event = OutboxEvent(kind=kind, owner_id=owner_id, data=data)
    session.add(event)
    session.flush()
    return event


def event_notice(event: OutboxEvent) -> dict[str, Any]:
    """What the browsers of the event's owner are told."""
    return {"type": "event", "kind": event.kind, "event_id": event.id, **event.data}


def deliver(session: Session, event: OutboxEvent) -> None:
    """Run the subscribers of one event and mark it delivered, in the caller's transaction."""
    for function in _subscribers[event.kind]:
        function(session, event)
    event.delivered_at = func.now()
    live.notify(session, event.owner_id, event_notice(event))


def deliver_next(open_session: Callable[[], Any]) -> bool:
    """Deliver the oldest due event, if there is one; a failing subscriber delays its event and blocks no other.

    ``open_session`` gives a new transaction (:func:`core.database.session`).
    """
    failed: tuple[int, Exception] | None = None
    with open_session() as session:
        event = session.scalar(
            select(OutboxEvent)
            .where(
                OutboxEvent.delivered_at.is_(None),
                OutboxEvent.failures < MAXIMUM_FAILURES,
                or_(OutboxEvent.next_attempt_at.is_(None), OutboxEvent.next_attempt_at <= func.now()),
            )
            .order_by(OutboxEvent.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if event is None:
            return False
        try:
            with session.begin_nested():
                deliver(session, event)
        except Exception as error:  # noqa: BLE001 - recorded on the event, logged with its trace, tried again later
            _log.exception("event %s (%s) could not be delivered", event.id, event.kind)
            failed = (event.id, error)
    if failed:
        with open_session() as session:
            event = session.get(OutboxEvent, failed[0])
            event.failures += 1
            event.last_error = str(failed[1])[:2000]
            event.next_attempt_at = func.now() + timedelta(seconds=min(2**event.failures, 900))
    return True

"""Platforms' notifications (P2.4): what a room for them does, and what a notification may cause.

A room checks the signature on the raw bytes, keeps each delivery once, and takes it as a hint only: figures are read
earlier, a post in processing is looked at earlier. What is so is always asked of the platform itself.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.models.base import uuid7
from core.models.publishing import PublicationRecord, WebhookDelivery
from core.publishing import states


class Room(ABC):
    """Where one platform's notifications arrive. Sessions have no actor: the signature says who is speaking."""

    platform: str
    taken_status = 200
    refused_status = 403
    """What a delivery is answered that is not signed as it should be; it has no effect."""

    def challenge(self, session: Session, query: Mapping[str, str]) -> str | None:
        """What to answer where the platform asks whether notifications are wanted here; None for "not asked for"."""
        return None

    @abstractmethod
    def receive(self, session: Session, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> bool:
        """Take a delivery; False, and nothing stored, unless it is signed. The same delivery again changes nothing."""


def keep(
    session: Session,
    platform: str,
    key: str,
    body: bytes,
    headers: Mapping[str, str],
    note: str = "",
    pending: bool = False,
) -> bool:
    """Store a delivery byte for byte; False when it was stored before. ``key`` tells deliveries apart; ``pending`` ones
    are worked on later."""
    stored = session.scalar(
        insert(WebhookDelivery)
        .values(
            id=uuid7(),
            platform=platform,
            dedupe_key=key,
            body=body,
            headers=dict(headers),
            processed_at=None if pending else func.now(),
            note=note,
        )
        .on_conflict_do_nothing()
        .returning(WebhookDelivery.id)
    )
    return stored is not None


def hint(session: Session, account_id: UUID, remote_ids: Sequence[str]) -> None:
    """Something happened to these posts: read the figures of published ones, and look at those in processing, now."""
    mine = PublicationRecord.account_id == account_id, PublicationRecord.remote_id.in_(remote_ids)
    session.execute(
        update(PublicationRecord)
        .where(*mine, PublicationRecord.state.in_(states.PUBLISHED))
        .values(next_metrics_at=func.now())
    )
    session.execute(
        update(PublicationRecord)
        .where(*mine, PublicationRecord.state == "processing", PublicationRecord.lease_expires_at > func.now())
        .values(lease_expires_at=func.now())
    )

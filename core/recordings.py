"""Recordings that a job made (the sample talk, an imported sound) are prepared for the pages like uploaded ones."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import events, jobs
from core.models.assets import Asset
from core.models.jobs import Job, OutboxEvent
from core.security import Actor
from core.video.payloads import IngestInput

RECORDING_MADE = "RECORDING_MADE"


@events.subscriber(RECORDING_MADE)
def ingest(session: Session, event: OutboxEvent) -> None:
    """Have the recording prepared."""
    prepare(session, event.owner_id, UUID(event.data["asset_id"]))


def prepare(session: Session, owner_id: UUID, asset_id: UUID) -> None:
    """Submit the ingest job of a recording, unless it has one or is gone. Idempotent."""
    asset = session.get(Asset, asset_id)
    if asset is None or asset.owner_id != owner_id:
        return
    known = session.scalar(
        select(Job.id).where(Job.kind == "ingest", Job.payload["asset_id"].astext == str(asset.id)).limit(1)
    )
    if known is None:
        studio = Actor(user_id=owner_id, owner_id=owner_id, role="owner")
        jobs.submit(session, studio, "ingest", IngestInput(asset_id=asset.id))

"""What an analysis found goes where people look: to the song and to the episodes it is heard in."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core import events
from core.models.assets import Asset, AssetLink, AudioAnalysis
from core.models.jobs import OutboxEvent
from core.models.publishing import Episode


@events.subscriber(events.MUSIC_ANALYZED)
def note_music(session: Session, event: OutboxEvent) -> None:
    """Copy tempo, key and metre to the asset and to episodes of it or of videos with it as their music (SPEC I3c).

    Idempotent: the same values are written again. A built-in track keeps what its score says.
    """
    asset = session.get(Asset, UUID(event.data["asset_id"]))
    if asset is None or asset.owner_id != event.owner_id:
        return
    row = session.scalar(select(AudioAnalysis).where(AudioAnalysis.audio_asset_id == asset.id))
    if row is None:
        return
    measured = {"bpm": row.bpm, "key": row.key, "time_signature": row.time_signature}
    found = {name: value for name, value in measured.items() if value is not None}
    if not asset.details.get("builtin"):
        asset.details = {**asset.details, **found}
    heard_in = select(AssetLink.child_id).where(AssetLink.parent_id == asset.id, AssetLink.role == "music")
    episodes = session.scalars(
        select(Episode).where(
            Episode.owner_id == event.owner_id, or_(Episode.asset_id == asset.id, Episode.asset_id.in_(heard_in))
        )
    )
    for episode in episodes:
        episode.details = {**episode.details, "music": {"asset_id": str(asset.id), **found}}

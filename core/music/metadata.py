"""What is known of a song goes where people look: to the song and the episodes it is heard in, whichever came first."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core import events
from core.models.assets import Asset, AssetLink, AudioAnalysis
from core.models.jobs import OutboxEvent
from core.models.publishing import Episode

_KNOWN = ("bpm", "key", "time_signature")


def music_of(session: Session, asset: Asset) -> dict[str, Any]:
    """``{"music": {asset_id, bpm, key, time_signature}}`` of a song, or of the music under a video, as far as they are
    known; empty where nothing is."""
    under = select(Asset).join(AssetLink, AssetLink.parent_id == Asset.id)
    under = under.where(AssetLink.child_id == asset.id, AssetLink.role == "music").limit(1)
    song = asset if asset.kind == "audio" else session.scalar(under)
    if song is None:
        return {}
    found = {name: song.details[name] for name in _KNOWN if song.details.get(name) is not None}
    return {"music": {"asset_id": str(song.id), **found}} if found else {}


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
    measured = {name: getattr(row, name) for name in _KNOWN}
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

"""A small studio with channels, series, episodes and posts, made through the models (not a test file)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from core.models.assets import Asset
from core.models.base import uuid7
from core.models.publishing import ContentChannel, Episode, PlatformAccount, PublicationRecord, Series

PUBLISHED = datetime(2026, 3, 1, 5, tzinfo=UTC)


@dataclass
class World:
    """Keys of what was made. Publications are in the order of their episodes."""

    owner_id: UUID
    channel_id: UUID
    series_id: UUID
    episode_ids: list[UUID]
    publication_ids: list[UUID]


def short_asset(session: Session, owner_id: UUID, name: str, *, upright: bool = True, seconds: float = 30.0) -> UUID:
    """A row for a video file; the file itself is not needed here."""
    identifier = uuid7()
    session.add(
        Asset(
            id=identifier,
            owner_id=owner_id,
            kind="video",
            name=name,
            mime_type="video/mp4",
            size_bytes=1,
            sha256=identifier.hex * 2,
            storage_key=f"test/{identifier}",
            duration_seconds=seconds,
            width=720 if upright else 1280,
            height=1280 if upright else 720,
            fps="30",
        )
    )
    session.flush()
    return identifier


def build(
    session: Session,
    owner_id: UUID,
    titles: list[str],
    *,
    name: str = "Kitchen",
    zone: str = "Asia/Bangkok",
    simulated: bool = False,
    published_at: datetime = PUBLISHED,
    shorts: bool = True,
) -> World:
    """One channel with one series and a published episode for each title."""
    platform = "simulated" if simulated else "youtube"
    account = PlatformAccount(
        owner_id=owner_id, platform=platform, external_id=uuid7().hex, name="Account", is_simulated=simulated
    )
    channel = ContentChannel(owner_id=owner_id, name=name, timezone=zone)
    session.add_all([account, channel])
    session.flush()
    series = Series(owner_id=owner_id, channel_id=channel.id, name=f"{name} shorts")
    session.add(series)
    session.flush()
    world = World(owner_id, channel.id, series.id, [], [])
    for index, title in enumerate(titles):
        episode = Episode(
            owner_id=owner_id,
            channel_id=channel.id,
            series_id=series.id,
            title=title,
            state="published",
            asset_id=short_asset(session, owner_id, title, upright=shorts),
            published_at=published_at,
        )
        session.add(episode)
        session.flush()
        publication = PublicationRecord(
            owner_id=owner_id,
            episode_id=episode.id,
            account_id=account.id,
            platform=platform,
            is_simulated=simulated,
            state="published",
            title=title,
            remote_id=uuid7().hex,
            published_at=published_at + timedelta(minutes=index),
        )
        session.add(publication)
        session.flush()
        world.episode_ids.append(episode.id)
        world.publication_ids.append(publication.id)
    return world

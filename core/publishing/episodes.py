"""Episodes: drafts made of finished videos by the event bus, changed, discarded (I2, I3a)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import events, live
from core.database import get_owned
from core.errors import InvalidInput
from core.models.assets import Asset
from core.models.base import uuid7
from core.models.jobs import OutboxEvent
from core.models.publishing import ContentChannel, Episode, PublicationRecord, Series
from core.music.metadata import music_of
from core.publishing import dependants, states
from core.publishing.channels import default_place, default_series
from core.publishing.payloads import EpisodeChange, EpisodeInput
from core.security import Actor


def create(session: Session, actor: Actor, wanted: EpisodeInput) -> Episode:
    """A new draft.

    Raises:
        NotFound: the channel, series or asset does not exist in the session's scope.
        InvalidInput: the series belongs to another channel.
    """
    actor.require("editor")
    if wanted.channel_id is not None:
        channel = get_owned(session, ContentChannel, wanted.channel_id)
    elif wanted.series_id is not None:
        channel = get_owned(session, ContentChannel, get_owned(session, Series, wanted.series_id).channel_id)
    else:
        channel = default_place(session, actor.owner_id)[0]
    series = (
        get_owned(session, Series, wanted.series_id)
        if wanted.series_id is not None
        else default_series(session, channel)
    )
    if series.channel_id != channel.id:
        raise InvalidInput("This series belongs to another channel.")
    for asset_id in (wanted.asset_id, wanted.thumbnail_asset_id):
        if asset_id is not None:
            get_owned(session, Asset, asset_id)
    episode = Episode(
        owner_id=actor.owner_id,
        channel_id=channel.id,
        series_id=series.id,
        title=wanted.title.strip(),
        description=wanted.description,
        tags=wanted.tags,
        language=wanted.language,
        asset_id=wanted.asset_id,
        thumbnail_asset_id=wanted.thumbnail_asset_id,
        details=music_of(session, get_owned(session, Asset, wanted.asset_id)) if wanted.asset_id else {},
    )
    session.add(episode)
    session.flush()
    return episode


def listed(
    session: Session,
    *,
    channel_id: UUID | None = None,
    series_id: UUID | None = None,
    state: str | None = None,
    limit: int = 100,
    offset: int = 0,
) -> list[Episode]:
    """Episodes in the session's scope, newest first; discarded ones only when asked for."""
    statement = select(Episode).order_by(Episode.created_at.desc(), Episode.id.desc())
    statement = statement.where(Episode.state == state) if state else statement.where(Episode.state != "discarded")
    if channel_id is not None:
        statement = statement.where(Episode.channel_id == channel_id)
    if series_id is not None:
        statement = statement.where(Episode.series_id == series_id)
    return list(session.scalars(statement.limit(min(limit, 500)).offset(offset)))


def change(session: Session, actor: Actor, episode_id: UUID | str, wanted: EpisodeChange) -> Episode:
    """Change the fields that were sent. Publications already planned keep their own title and text."""
    actor.require("editor")
    episode = get_owned(session, Episode, episode_id, lock=True)
    sent: dict[str, Any] = {name: getattr(wanted, name) for name in wanted.model_fields_set}
    if sent.get("series_id") is not None:
        series = get_owned(session, Series, sent["series_id"])
        if series.channel_id != episode.channel_id:
            raise InvalidInput("This series belongs to another channel.")
        episode.number = None
    for name in ("asset_id", "thumbnail_asset_id"):
        if sent.get(name) is not None:
            get_owned(session, Asset, sent[name])
    for name in ("title", "description", "tags"):
        if name in sent and sent[name] is None:
            raise InvalidInput("An episode needs a title, a text and tags; leave out what should stay.", name)
    for name, value in sent.items():
        setattr(episode, name, value)
    session.flush()
    return episode


def discard(session: Session, actor: Actor, episode_id: UUID | str) -> Episode:
    """Take a draft off the board. Its row stays, so that a replayed event does not bring it back.

    Raises:
        Conflict: it is scheduled or published, or money is recorded for it.
    """
    actor.require("editor")
    episode = get_owned(session, Episode, episode_id, lock=True)
    if episode.state != "discarded":
        dependants.refuse_discard(session, episode)
        _discard(session, episode)
    return episode


def _discard(session: Session, episode: Episode) -> None:
    session.execute(
        update(PublicationRecord)
        .where(PublicationRecord.episode_id == episode.id, PublicationRecord.state.in_(states.MOVABLE))
        .values(state="cancelled", version=PublicationRecord.version + 1)
    )
    episode.state = "discarded"
    episode.discarded_at = func.now()
    session.flush()
    live.notify(session, episode.owner_id, {"type": "episode", "episode_id": str(episode.id), "state": "discarded"})


def refresh_state(session: Session, episode_id: UUID) -> None:
    """Bring an episode's state in line with its publications."""
    episode = session.get(Episode, episode_id, with_for_update=True)
    if episode is None or episode.state == "discarded":
        return
    rows = session.execute(
        select(PublicationRecord.state, PublicationRecord.published_at).where(
            PublicationRecord.episode_id == episode_id
        )
    ).all()
    episode.state = states.episode_state([row.state for row in rows])
    times = [row.published_at for row in rows if row.published_at is not None]
    episode.published_at = min(times) if times else None
    session.flush()


_KEPT = ("kind", "score", "reasons", "start", "end", "outputs")
"""What an episode remembers of how its video was made."""


def _outputs(event: OutboxEvent) -> list[dict[str, Any]]:
    """The contents an event tells of. Renderings of the same content in other shapes are one episode, not several."""
    contents = event.data.get("episodes") or event.data.get("contents")
    if contents:
        return [dict(each) for each in contents if each.get("asset_id")]
    if event.data.get("asset_id"):
        return [dict(event.data)]
    outputs = [dict(each) for each in event.data.get("outputs", []) if each.get("asset_id")]
    return outputs[:1]


@events.subscriber(events.VIDEO_GENERATED)
def draft_from_video(session: Session, event: OutboxEvent) -> None:
    """A finished video becomes a draft episode, once for each event and content however often the event comes."""
    for content in _outputs(event):
        asset = session.scalar(
            select(Asset).where(Asset.id == UUID(str(content["asset_id"])), Asset.owner_id == event.owner_id)
        )
        if asset is None:
            continue
        channel, series = default_place(session, event.owner_id)
        title = str(content.get("title") or event.data.get("title") or _title_of(asset)).strip()[:300]
        details = {name: content[name] for name in _KEPT if name in content} | music_of(session, asset)
        made = session.execute(
            insert(Episode)
            .values(
                id=UUID(str(content["episode_id"])) if content.get("episode_id") else uuid7(),
                owner_id=event.owner_id,
                channel_id=channel.id,
                series_id=series.id,
                title=title or "Untitled",
                description=str(content.get("description") or ""),
                tags=[str(tag) for tag in content.get("tags", [])],
                language=content.get("language"),
                state="draft",
                asset_id=asset.id,
                thumbnail_asset_id=_thumbnail(session, event.owner_id, content),
                source_event_id=event.id,
                details=details,
            )
            .on_conflict_do_nothing()
            .returning(Episode.id)
        ).first()
        if made is not None:
            live.notify(session, event.owner_id, {"type": "episode", "episode_id": str(made.id), "state": "draft"})


def _title_of(asset: Asset) -> str:
    return str(asset.details.get("title") or asset.name.rsplit(".", 1)[0])


def _thumbnail(session: Session, owner_id: UUID, content: dict[str, Any]) -> UUID | None:
    wanted = content.get("thumbnail_asset_id") or content.get("poster_asset_id")
    if not wanted:
        return None
    return session.scalar(select(Asset.id).where(Asset.id == UUID(str(wanted)), Asset.owner_id == owner_id))


@events.subscriber(events.RESULT_DISCARDED)
def discard_of_result(session: Session, event: OutboxEvent) -> None:
    """A discarded result takes its draft with it; what is scheduled or published, or has money recorded, stays."""
    asset_ids = [UUID(str(each)) for each in event.data.get("asset_ids", [event.data.get("asset_id")]) if each]
    for episode in session.scalars(
        select(Episode)
        .where(Episode.owner_id == event.owner_id, Episode.asset_id.in_(asset_ids), Episode.state == "draft")
        .with_for_update()
    ):
        held = dependants.of_episode(session, episode.id)
        if not held.costs and not held.earnings:
            _discard(session, episode)

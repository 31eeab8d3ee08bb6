"""Channels, series and episodes over HTTP (H4): thin routes over :mod:`core.publishing`."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from api.dependencies import CurrentActor, Limit, Offset, Scoped
from core.database import get_owned
from core.models.publishing import ContentChannel, Episode, Series
from core.publishing import channels, episodes
from core.publishing.payloads import (
    AccountOut,
    ChannelInput,
    ChannelOut,
    EpisodeChange,
    EpisodeInput,
    EpisodeOut,
    LinkInput,
    SeriesInput,
    SeriesOut,
)

router = APIRouter(prefix="/dashboard", tags=["channels"])
EpisodeState = Literal["draft", "scheduled", "published", "discarded"]


class LinkOut(BaseModel):
    """An account a channel publishes to."""

    role: str
    account: AccountOut


class ChannelDetail(ChannelOut):
    """A channel with its series and accounts."""

    series: list[SeriesOut]
    accounts: list[LinkOut]


@router.get("/channels")
def list_channels(session: Scoped) -> list[ChannelOut]:
    """All channels, the default one first."""
    return [ChannelOut.model_validate(row) for row in channels.channels(session)]


@router.post("/channels", status_code=201)
def add_channel(session: Scoped, actor: CurrentActor, wanted: ChannelInput) -> ChannelOut:
    """A new channel."""
    return ChannelOut.model_validate(channels.create_channel(session, actor, wanted))


@router.get("/channels/{channel_id}")
def one_channel(session: Scoped, channel_id: UUID) -> ChannelDetail:
    """A channel with its series and accounts."""
    channel = ChannelOut.model_validate(get_owned(session, ContentChannel, channel_id))
    return ChannelDetail(
        **channel.model_dump(), series=list_series(session, channel_id), accounts=list_links(session, channel_id)
    )


@router.get("/channels/{channel_id}/series")
def list_series(session: Scoped, channel_id: UUID) -> list[SeriesOut]:
    """Series of a channel."""
    return [SeriesOut.model_validate(row) for row in channels.series_of(session, channel_id)]


@router.post("/channels/{channel_id}/series", status_code=201)
def add_series(session: Scoped, actor: CurrentActor, channel_id: UUID, wanted: SeriesInput) -> SeriesOut:
    """A new series."""
    return SeriesOut.model_validate(channels.create_series(session, actor, channel_id, wanted))


@router.get("/channels/{channel_id}/accounts")
def list_links(session: Scoped, channel_id: UUID) -> list[LinkOut]:
    """Accounts a channel publishes to, the primary one first."""
    found = channels.links_of(session, channel_id)
    return [LinkOut(role=link.role, account=AccountOut.model_validate(account)) for link, account in found]


@router.post("/channels/{channel_id}/accounts", status_code=201)
def link_account(session: Scoped, actor: CurrentActor, channel_id: UUID, wanted: LinkInput) -> list[LinkOut]:
    """Let a channel publish to an account."""
    channels.link_account(session, actor, channel_id, wanted)
    return list_links(session, channel_id)


@router.delete("/channels/{channel_id}/accounts", status_code=204)
def unlink_named(session: Scoped, actor: CurrentActor, channel_id: UUID, platform_account_id: UUID) -> None:
    """Take an account off a channel, the account named by the query."""
    channels.unlink_account(session, actor, channel_id, platform_account_id)


@router.delete("/channels/{channel_id}/accounts/{account_id}", status_code=204)
def unlink_account(session: Scoped, actor: CurrentActor, channel_id: UUID, account_id: UUID) -> None:
    """Take an account off a channel."""
    channels.unlink_account(session, actor, channel_id, account_id)


@router.get("/episodes")
def list_episodes(
    session: Scoped,
    channel_id: UUID | None = None,
    series_id: UUID | None = None,
    state: EpisodeState | None = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> list[EpisodeOut]:
    """Episodes, newest first; discarded ones only when asked for."""
    found = episodes.listed(
        session, channel_id=channel_id, series_id=series_id, state=state, limit=limit, offset=offset
    )
    return [EpisodeOut.model_validate(row) for row in found]


@router.post("/episodes", status_code=201)
def add_episode(session: Scoped, actor: CurrentActor, wanted: EpisodeInput) -> EpisodeOut:
    """A new draft."""
    return EpisodeOut.model_validate(episodes.create(session, actor, wanted))


@router.get("/episodes/{episode_id}")
def one_episode(session: Scoped, episode_id: UUID) -> EpisodeOut:
    """An episode."""
    return EpisodeOut.model_validate(get_owned(session, Episode, episode_id))


@router.patch("/episodes/{episode_id}")
def change_episode(session: Scoped, actor: CurrentActor, episode_id: UUID, wanted: EpisodeChange) -> EpisodeOut:
    """Change the fields that are sent."""
    return EpisodeOut.model_validate(episodes.change(session, actor, episode_id, wanted))


@router.delete("/episodes/{episode_id}", status_code=204)
def discard_episode(session: Scoped, actor: CurrentActor, episode_id: UUID) -> None:
    """Take a draft off the board."""
    episodes.discard(session, actor, episode_id)


@router.get("/series/{series_id}/episodes")
def episodes_of_series(session: Scoped, series_id: UUID, limit: Limit = 100, offset: Offset = 0) -> list[EpisodeOut]:
    """Episodes of a series, newest first."""
    series = get_owned(session, Series, series_id)
    found = episodes.listed(session, series_id=series.id, limit=limit, offset=offset)
    return [EpisodeOut.model_validate(row) for row in found]

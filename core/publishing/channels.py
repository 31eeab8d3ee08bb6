"""Channels, the accounts they publish to, and their series (P1.1, P1.2)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.database import get_owned
from core.errors import Conflict, InvalidInput
from core.models.base import uuid7
from core.models.identity import User
from core.models.publishing import ContentChannel, ContentChannelPlatformLink, PlatformAccount, Series
from core.preferences import preferences_of
from core.publishing.payloads import ChannelInput, LinkInput, SeriesInput
from core.publishing.schedule import zone_of
from core.security import Actor

DEFAULT_NAMES = {"en": ("My channel", "Episodes"), "th": ("ช่องของฉัน", "ตอนทั้งหมด")}


def channels(session: Session) -> list[ContentChannel]:
    """Channels in the session's scope, the default one first."""
    return list(session.scalars(select(ContentChannel).order_by(ContentChannel.is_default.desc(), ContentChannel.name)))


def series_of(session: Session, channel_id: UUID | str) -> list[Series]:
    """Series of a channel in the session's scope; raises :class:`core.errors.NotFound` for no such channel."""
    channel = get_owned(session, ContentChannel, channel_id)
    return list(
        session.scalars(
            select(Series).where(Series.channel_id == channel.id).order_by(Series.is_default.desc(), Series.name)
        )
    )


def create_channel(session: Session, actor: Actor, wanted: ChannelInput) -> ContentChannel:
    """A new channel; what is left out comes from the user's preferences. The first channel becomes the default one.

    Raises:
        Conflict: there is one of that name.
        InvalidInput: an unknown time zone.
    """
    actor.require("editor")
    preferences = preferences_of(session, actor)
    timezone = wanted.timezone or preferences.timezone
    zone_of(timezone)
    name = wanted.name.strip()
    if not name:
        raise InvalidInput("A channel needs a name.")
    mine = select(ContentChannel).where(ContentChannel.owner_id == actor.owner_id)
    if session.scalar(mine.where(ContentChannel.name == name)):
        raise Conflict("There is a channel with this name already.", name)
    first = session.scalar(mine.where(ContentChannel.is_default)) is None
    if wanted.is_default:
        _clear_default(session, actor.owner_id)
    channel = ContentChannel(
        owner_id=actor.owner_id,
        name=name,
        description=wanted.description,
        timezone=timezone,
        currency=wanted.currency or preferences.currency,
        language=wanted.language or preferences.language,
        is_default=wanted.is_default or first,
    )
    session.add(channel)
    session.flush()
    return channel


def _clear_default(session: Session, owner_id: UUID) -> None:
    session.execute(update(ContentChannel).where(ContentChannel.owner_id == owner_id).values(is_default=False))


def create_series(session: Session, actor: Actor, channel_id: UUID | str, wanted: SeriesInput) -> Series:
    """A new series; raises :class:`Conflict` when the channel has one of that name."""
    actor.require("editor")
    channel = get_owned(session, ContentChannel, channel_id)
    name = wanted.name.strip()
    if not name:
        raise InvalidInput("A series needs a name.")
    inside = select(Series).where(Series.channel_id == channel.id)
    if session.scalar(inside.where(Series.name == name)):
        raise Conflict("The channel has a series with this name already.", name)
    if wanted.is_default:
        session.execute(update(Series).where(Series.channel_id == channel.id).values(is_default=False))
    first = session.scalar(inside.where(Series.is_default)) is None
    series = Series(
        owner_id=actor.owner_id,
        channel_id=channel.id,
        name=name,
        description=wanted.description,
        is_default=wanted.is_default or first,
    )
    session.add(series)
    session.flush()
    return series


def default_place(session: Session, owner_id: UUID) -> tuple[ContentChannel, Series]:
    """The default channel of an owner and its default series, made on first use. Safe when two processes meet here."""
    channel = _default_channel(session, owner_id)
    if channel is None:
        user = session.get(User, owner_id)
        stored = user.preferences if user is not None else {}
        language = str(stored.get("language", "en"))
        session.execute(
            insert(ContentChannel)
            .values(
                id=uuid7(),
                owner_id=owner_id,
                name=DEFAULT_NAMES.get(language, DEFAULT_NAMES["en"])[0],
                description="",
                timezone=str(stored.get("timezone", "UTC")),
                currency=str(stored.get("currency", "USD")),
                language=language,
                is_default=True,
            )
            .on_conflict_do_nothing()
        )
        channel = _default_channel(session, owner_id)
        if channel is None:
            raise Conflict("There is no default channel.", "Choose one on the Publishing page.")
    return channel, default_series(session, channel)


def _default_channel(session: Session, owner_id: UUID) -> ContentChannel | None:
    return session.scalar(
        select(ContentChannel).where(ContentChannel.owner_id == owner_id, ContentChannel.is_default.is_(True))
    )


def default_series(session: Session, channel: ContentChannel) -> Series:
    """The default series of a channel, made on first use."""
    inside = select(Series).where(Series.channel_id == channel.id, Series.is_default.is_(True))
    series = session.scalar(inside)
    if series is None:
        session.execute(
            insert(Series)
            .values(
                id=uuid7(),
                owner_id=channel.owner_id,
                channel_id=channel.id,
                name=DEFAULT_NAMES.get(channel.language, DEFAULT_NAMES["en"])[1],
                description="",
                is_default=True,
            )
            .on_conflict_do_nothing()
        )
        series = session.scalar(inside)
        if series is None:
            raise Conflict("The channel has no default series.", "Choose one on the Publishing page.")
    return series


def links_of(session: Session, channel_id: UUID | str) -> list[tuple[ContentChannelPlatformLink, PlatformAccount]]:
    """The accounts a channel publishes to, the primary one first."""
    channel = get_owned(session, ContentChannel, channel_id)
    rows = session.execute(
        select(ContentChannelPlatformLink, PlatformAccount)
        .join(PlatformAccount, PlatformAccount.id == ContentChannelPlatformLink.account_id)
        .where(ContentChannelPlatformLink.channel_id == channel.id)
        .order_by(ContentChannelPlatformLink.role, PlatformAccount.name)
    )
    return [(row[0], row[1]) for row in rows]


def link_account(
    session: Session, actor: Actor, channel_id: UUID | str, wanted: LinkInput
) -> ContentChannelPlatformLink:
    """Let a channel publish to an account. The first link is primary; a new primary one makes the old one secondary."""
    actor.require("editor")
    channel = get_owned(session, ContentChannel, channel_id)
    account = get_owned(session, PlatformAccount, wanted.account_id)
    inside = select(ContentChannelPlatformLink).where(ContentChannelPlatformLink.channel_id == channel.id)
    existing = session.scalars(inside.with_for_update()).all()
    role = wanted.role if existing else "primary"
    if role == "primary":
        for link in existing:
            link.role = "secondary"
        session.flush()
    found = [each for each in existing if each.account_id == account.id]
    if found:
        link = found[0]
    else:
        link = ContentChannelPlatformLink(owner_id=actor.owner_id, channel_id=channel.id, account_id=account.id)
        session.add(link)
    link.role = role
    session.flush()
    return link


def unlink_account(session: Session, actor: Actor, channel_id: UUID | str, account_id: UUID | str) -> None:
    """Take an account off a channel; what was published there stays."""
    actor.require("editor")
    channel = get_owned(session, ContentChannel, channel_id)
    account = get_owned(session, PlatformAccount, account_id)
    link = session.scalar(
        select(ContentChannelPlatformLink).where(
            ContentChannelPlatformLink.channel_id == channel.id, ContentChannelPlatformLink.account_id == account.id
        )
    )
    if link is not None:
        session.delete(link)
        session.flush()

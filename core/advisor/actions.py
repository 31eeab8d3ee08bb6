"""What can be done about an answer or a piece of advice: a page whose form opens filled in (A3).

An action is data: ``kind``, the ``page`` that has the form, and the ``values`` it opens with. Nothing happens before
the user confirms there. Kinds: ``publish`` (an episode, an account and a time), ``recipe`` (a series and what to make),
``shorts`` (a recording with settings), ``open`` (a page, with what to look at).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime, time
from typing import Any, Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.advisor.results import Result
from core.advisor.text import plain
from core.i18n import moment, t
from core.models.assets import Asset, AssetLink
from core.models.jobs import Job
from core.models.publishing import (
    ContentChannel,
    ContentChannelPlatformLink,
    Episode,
    Pipeline,
    PlatformAccount,
    Series,
)
from core.publishing import best_time

Kind = Literal["publish", "recipe", "shorts", "open"]
USUAL: Final = time(18)
SHORTS: Final = {"shorts": 5, "max_seconds": 45}


@dataclass(frozen=True)
class Action:
    """``values`` are JSON: identifiers and local times as text."""

    kind: Kind
    page: str
    label: str
    values: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def opening(page: str, lang: str, **values: Any) -> Action:
    """A page to look at."""
    given = {name: str(value) for name, value in values.items() if value is not None}
    return Action("open", page, t(f"advisor.action.{page}", lang), given)


def publish_draft(session: Session, lang: str, now: datetime) -> Action:
    """The newest draft that has a video, on its channel's account, at that account's best time (at 18:00 where its
    figures name none); where there is no draft, the page to make one."""
    episode = session.scalar(
        select(Episode)
        .where(Episode.state == "draft", Episode.asset_id.is_not(None))
        .order_by(Episode.created_at.desc())
        .limit(1)
    )
    if episode is None:
        return opening("video", lang)
    channel = session.get_one(ContentChannel, episode.channel_id)
    account = _account(session, channel.id)
    if account is None:
        return opening("publishing", lang)
    zone = ZoneInfo(channel.timezone)
    at = best_time.of_account(session, account.id, zone).next_after(now, zone, USUAL)
    label = t("advisor.do.publish", lang, title=plain(episode.title, 60), time=moment(at, lang, channel.timezone))
    values = {
        "episode_id": str(episode.id),
        "platform_account_id": str(account.id),
        "scheduled_time": at.replace(tzinfo=None).isoformat(timespec="minutes"),
        "timezone": channel.timezone,
    }
    return Action("publish", "publishing", label, values)


def _account(session: Session, channel_id: UUID) -> PlatformAccount | None:
    """The channel's primary account, otherwise any that is connected."""
    link = ContentChannelPlatformLink
    linked = (
        select(PlatformAccount)
        .join(link, link.account_id == PlatformAccount.id)
        .where(link.channel_id == channel_id, PlatformAccount.status == "connected")
        .order_by(link.role)
        .limit(1)
    )
    usable = (
        select(PlatformAccount)
        .where(PlatformAccount.status == "connected")
        .order_by(PlatformAccount.is_simulated, PlatformAccount.created_at)
        .limit(1)
    )
    return session.scalar(linked) or session.scalar(usable)


def recipe_for(session: Session, lang: str, series_id: str | None) -> Action | None:
    """A recipe that makes more of a series; None where one does already."""
    series = session.get(Series, UUID(series_id)) if series_id else None
    if series is None or session.scalar(select(Pipeline.id).where(Pipeline.series_id == series.id).limit(1)):
        return None
    label = t("advisor.do.recipe", lang, series=plain(series.name, 60))
    return Action("recipe", "publishing", label, {"series_id": str(series.id), "make": "shorts"})


def more_like(session: Session, lang: str, episode_id: str | None) -> Action:
    """Shorts of the recording that an episode was cut from; where it is gone, the page to start with another one."""
    episode = session.get(Episode, UUID(episode_id)) if episode_id else None
    source = _recording(session, episode.asset_id) if episode is not None else None
    if source is None:
        return opening("video", lang)
    label = t("advisor.do.shorts", lang, name=plain(source.name, 60))
    return Action("shorts", "video", label, {"asset_id": str(source.id), **SHORTS})


def _recording(session: Session, asset_id: UUID | None) -> Asset | None:
    """The recording at the beginning of a video's lineage: the video itself where nobody made it from another."""
    asset = session.get(Asset, asset_id) if asset_id is not None else None
    for _ in range(10):
        if asset is None:
            return None
        parent = session.scalar(
            select(Asset)
            .join(AssetLink, AssetLink.parent_id == Asset.id)
            .where(AssetLink.child_id == asset.id, AssetLink.role == "source", Asset.kind == "video")
            .limit(1)
        )
        if parent is None:
            made = session.get(Job, asset.job_id) if asset.job_id is not None else None
            return asset if made is None or made.kind == "sample.create" else None
        asset = parent
    return None


def of_answer(session: Session, intent: str, result: Result, lang: str, now: datetime) -> list[Action]:
    """What an answer suggests doing; empty where it only informs."""
    first = str(result.rows[0].get("id") or "") if result.rows else ""
    found: list[Action | None] = []
    if (intent == "top" and first and not result.parameters.get("ascending")) or (
        intent in ("best_short", "outliers") and first
    ):
        found = [more_like(session, lang, first)]
    elif intent == "by_series" and first and result.rows[0]["profit"] > 0:
        found = [recipe_for(session, lang, first)]
    elif intent == "best_slot" or (intent == "scheduled" and not result.rows):
        found = [publish_draft(session, lang, now)]
    elif intent == "attention" and result.rows:
        found = [opening("publishing", lang, tab="calendar")]
    elif intent == "losses" and first:
        found = [opening("business", lang, episode_id=first)]
    return [action for action in found if action is not None]

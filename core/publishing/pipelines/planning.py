"""From finished videos to posts: words by template, free times by the rule, publications by the plan.

Times of one account are given out by one transaction at a time (an advisory lock held to its end), and count what is
planned, what is published, and what other runs have suggested and nobody has approved yet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.database import get_owned
from core.errors import StudioError
from core.i18n import moment
from core.models.assets import Asset
from core.models.publishing import (
    ContentChannel,
    Episode,
    PipelineRun,
    PlatformAccount,
    PublicationRecord,
    Series,
)
from core.publishing import best_time, plan, provenance, states
from core.publishing.payloads import PublicationPlanInput, PublicationTarget
from core.publishing.pipelines.document import Item, Post, RunDocument, stops
from core.publishing.pipelines.recipe import ASKS_A_PERSON, RecipeTarget, Schedule, shape_for
from core.publishing.pipelines.templates import fill, fill_tags
from core.publishing.pipelines.times import LEAD, Slot, next_free
from core.publishing.preflight import Issue
from core.publishing.rules import rules_of
from core.publishing.schedule import zone_of
from core.security import Actor

HOLDS = states.PUBLISHED | states.ACTIVE | {"scheduled", "needs_review", "needs_reconnect"}
"""States of publications whose time is taken."""


class Calendar:
    """The times of accounts that are taken, read once under the lock and kept up while posts are given theirs."""

    def __init__(self, session: Session, accounts: Iterable[UUID], schedule: Schedule, but: UUID) -> None:
        self._session, self._schedule = session, schedule
        self._now = plan.database_now(session)
        self._taken: dict[UUID, list[datetime]] = defaultdict(list)
        self._best: dict[UUID, best_time.BestTime] = {}
        wanted = sorted(set(accounts))
        for account in wanted:
            session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"times:{account}", 0))))
        gap = timedelta(minutes=schedule.gap_minutes)
        at = func.coalesce(PublicationRecord.published_at, PublicationRecord.due_at)
        rows = session.execute(
            select(PublicationRecord.account_id, at).where(
                PublicationRecord.account_id.in_(wanted), PublicationRecord.state.in_(HOLDS), at > self._now - gap
            )
        )
        for account_id, taken in rows:
            self._taken[account_id].append(taken)
        others = session.scalars(
            select(PipelineRun.result).where(PipelineRun.state == "awaiting_approval", PipelineRun.id != but)
        )
        for result in others:
            for post in RunDocument.model_validate(result).posts:
                if post.state == "waiting" and post.platform_account_id in wanted:
                    self._taken[post.platform_account_id].append(post.due_at)

    def take(self, account_id: UUID, zone: str) -> Slot:
        """The account's next free time, which is taken from now on."""
        if self._schedule.kind == "best_time" and account_id not in self._best:
            self._best[account_id] = best_time.of_account(self._session, account_id, ZoneInfo(zone))
        slot = next_free(self._schedule, zone, self._now, self._taken[account_id], self._best.get(account_id))
        self._taken[account_id].append(slot.due.due_at)
        return slot

    def keep(self, account_id: UUID, due_at: datetime) -> None:
        """A person chose this time."""
        self._taken[account_id].append(due_at)

    def still_free(self, account_id: UUID, due_at: datetime) -> bool:
        """Whether a time that was suggested earlier can be had: it has not passed, and nobody has come near it."""
        gap = timedelta(minutes=self._schedule.gap_minutes)
        return due_at >= self._now + LEAD / 5 and all(abs(due_at - other) >= gap for other in self._taken[account_id])


def suggest(
    session: Session, run: PipelineRun, document: RunDocument, contents: Sequence[tuple[UUID, list[dict[str, Any]]]]
) -> list[Item]:
    """The posts of every content, with words and times; nothing is planned yet. ``contents`` are the draft episodes
    with their renderings."""
    recipe = document.recipe
    channel = get_owned(session, ContentChannel, document.channel_id)
    series = session.get(Series, document.series_id) if document.series_id is not None else None
    zone = recipe.schedule.timezone or channel.timezone
    source = session.get(Asset, run.source_asset_id) if run.source_asset_id is not None else None
    accounts = {each.platform_account_id: each for each in recipe.targets}
    known = {key: get_owned(session, PlatformAccount, key) for key in accounts}
    calendar = Calendar(session, accounts, recipe.schedule, run.id)
    items = []
    for number, (episode_id, outputs) in enumerate(contents, 1):
        episode = get_owned(session, Episode, episode_id)
        posts = []
        for target in recipe.targets:
            account = known[target.platform_account_id]
            asset = get_owned(session, Asset, UUID(str(shape_for(target, outputs)["asset_id"])))
            slot = calendar.take(account.id, zone)
            values = {
                "title": episode.title,
                "description": episode.description,
                "tags": ", ".join(episode.tags),
                "series": series.name if series is not None else "",
                "channel": channel.name,
                "recording": source.name.rpartition(".")[0] or source.name if source is not None else "",
                "number": str(number),
                "count": str(len(contents)),
                "date": moment(slot.due.due_at.astimezone(zone_of(zone)).date(), channel.language),
                "credits": provenance.of_asset(session, asset).credits(),
            }
            posts.append(_post(target, account, asset, slot, values, episode.tags))
        items.append(Item(episode_id=episode.id, asset_id=UUID(str(outputs[0]["asset_id"])), posts=posts))
    return items


def _post(
    target: RecipeTarget,
    account: PlatformAccount,
    asset: Asset,
    slot: Slot,
    values: dict[str, str],
    tags: Sequence[str],
) -> Post:
    return Post(
        platform_account_id=account.id,
        platform=account.platform,
        asset_id=asset.id,
        title=fill(target.title, values)[:300],
        description=fill(target.description, values)[:20_000],
        tags=fill_tags(target.tags, values, tags),
        privacy=target.privacy or rules_of(account.platform).privacy_default,  # type: ignore[arg-type]
        options=target.options,
        due_at=slot.due.due_at,
        timezone=slot.due.timezone,
        time_note=slot.note,
        needs_person=account.platform in ASKS_A_PERSON,
    )


def retime(calendar: Calendar, posts: Iterable[Post]) -> None:
    """Give posts another time where the one the rule suggested has passed or was taken meanwhile."""
    for post in posts:
        if post.chosen_time or calendar.still_free(post.platform_account_id, post.due_at):
            calendar.keep(post.platform_account_id, post.due_at)
            continue
        slot = calendar.take(post.platform_account_id, post.timezone)
        post.due_at, post.time_note = slot.due.due_at, slot.note


def target_of(post: Post) -> PublicationTarget:
    """The post as a target of a plan."""
    return PublicationTarget(
        platform_account_id=post.platform_account_id,
        scheduled_time=post.due_at.isoformat(),
        timezone=post.timezone,
        title=post.title or None,
        description=post.description,
        tags=post.tags,
        privacy=post.privacy,
        asset_id=post.asset_id,
        options=post.options,
    )


def make_plan(session: Session, actor: Actor, item: Item, posts: Sequence[Post]) -> None:
    """Plan some posts of a content, all or none; raises what :func:`core.publishing.plan.plan` raises."""
    wanted = PublicationPlanInput(episode_id=item.episode_id, targets=[target_of(post) for post in posts])
    for post, record in zip(posts, plan.plan(session, actor, wanted), strict=True):
        post.state, post.publication_id, post.issues = "planned", record.id, []


def plan_unseen(session: Session, actor: Actor, item: Item) -> None:
    """Plan what may go out without a person; what may not waits with the reason."""
    for post in item.waiting:
        if post.needs_person:
            continue
        try:
            wanted = PublicationPlanInput(episode_id=item.episode_id, targets=[target_of(post)])
            found = plan.check(session, actor, wanted)[post.platform_account_id]
            post.issues = [issue.as_dict() for issue in stops(found)]
            if not post.issues:
                with session.begin_nested():
                    make_plan(session, actor, item, [post])
        except StudioError as error:
            post.issues = [Issue("error", "refused", error.title, error.detail).as_dict()]

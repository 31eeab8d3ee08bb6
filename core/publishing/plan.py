"""Planning: an episode and its targets become publication records (POST /publishing/plan, P2.1, P2.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import live
from core.database import get_owned
from core.errors import Conflict, InvalidInput
from core.models.assets import Asset
from core.models.publishing import PLATFORMS, ContentChannel, Episode, PlatformAccount, PublicationRecord
from core.publishing import creators, episodes, preflight, provenance, states
from core.publishing.payloads import PublicationOptions, PublicationPlanInput, PublicationTarget
from core.publishing.preflight import Issue
from core.publishing.rules import PlatformRules, rules_of
from core.publishing.schedule import AHEAD, DueTime, due_time
from core.security import Actor

NOW = "now"


def plan(session: Session, actor: Actor, wanted: PublicationPlanInput) -> list[PublicationRecord]:
    """Make one publication for each target, all or none.

    A target whose ``scheduled_time`` is None stays a draft and may still have errors, which are stored with it as
    warnings; every other target must pass the preflight.

    Raises:
        NotFound: the episode, an account or an asset does not exist in the session's scope.
        InvalidInput: a target breaks a rule of its platform; the sentence names it.
        Conflict: the episode was discarded, or is on this account already or on its way there.
    """
    actor.require("editor")
    hold_plans(session, wanted.episode_id)
    episode = get_owned(session, Episode, wanted.episode_id, lock=True)
    if episode.state == "discarded":
        raise Conflict("This episode was discarded.")
    channel = get_owned(session, ContentChannel, episode.channel_id)
    records = [_record(session, actor, episode, channel, target) for target in wanted.targets]
    episodes.refresh_state(session, episode.id)
    for record in records:
        announce(session, record)
    return records


@dataclass(frozen=True)
class _Prepared:
    """A target with what the episode supplies filled in, and what the preflight found."""

    account: PlatformAccount
    asset: Asset | None
    thumbnail: Asset | None
    due: DueTime | None
    timezone: str
    title: str
    description: str
    tags: list[str]
    privacy: str
    issues: list[Issue]


def _prepare(session: Session, episode: Episode, channel: ContentChannel, target: PublicationTarget) -> _Prepared:
    account = get_owned(session, PlatformAccount, target.platform_account_id)
    asset_id = target.asset_id or episode.asset_id
    asset = get_owned(session, Asset, asset_id) if asset_id is not None else None
    thumbnail_id = target.thumbnail_asset_id or episode.thumbnail_asset_id
    thumbnail = get_owned(session, Asset, thumbnail_id) if thumbnail_id is not None else None
    timezone = target.timezone or channel.timezone
    due = when(session, target.scheduled_time, timezone)
    rules = rules_of(account.platform)
    title = (target.title or episode.title).strip()
    description = episode.description if target.description is None else target.description
    tags = list(episode.tags if target.tags is None else target.tags)
    privacy = target.privacy or rules.privacy_default or ""
    made_of = provenance.of_asset(session, asset)
    marked = made_of.ai_generated if target.options.synthetic_media is None else target.options.synthetic_media
    issues = [
        *preflight.check_text(rules, title, description, tags, privacy),
        *preflight.check_asset(rules, asset),
        *(preflight.check_reel(asset, target.options) if rules.platform == "facebook" else []),
        *preflight.check_licences(made_of, description),
        *preflight.check_ai_mark(rules, marked),
        *preflight.check_thumbnail(rules, thumbnail),
        *preflight.check_account(account),
        *(creators.check(account, privacy, target.options.tiktok, asset) if account.platform == "tiktok" else ()),
        *_captions(session, rules, target.options),
        *preflight.check_duplicates(session, account, asset.sha256 if asset else "", due.due_at if due else None),
    ]
    return _Prepared(account, asset, thumbnail, due, timezone, title, description, tags, privacy, issues)


def _record(
    session: Session, actor: Actor, episode: Episode, channel: ContentChannel, target: PublicationTarget
) -> PublicationRecord:
    ready = _prepare(session, episode, channel, target)
    if not ready.privacy:  # not even a draft has a privacy that nobody chose
        refuse([issue for issue in ready.issues if issue.code == "privacy_open"])
    if ready.due is not None:
        refuse(ready.issues)
        refuse_second(session, episode.id, ready.account.id, ready.asset.id if ready.asset else None)
    record = PublicationRecord(
        owner_id=actor.owner_id,
        episode_id=episode.id,
        account_id=ready.account.id,
        asset_id=ready.asset.id if ready.asset else None,
        thumbnail_asset_id=ready.thumbnail.id if ready.thumbnail else None,
        platform=ready.account.platform,
        is_simulated=ready.account.is_simulated,
        state="draft" if ready.due is None else "scheduled",
        warnings=[issue.as_dict() for issue in ready.issues],
        due_at=ready.due.due_at if ready.due else None,
        local_time=ready.due.local_time if ready.due else None,
        timezone=ready.timezone,
        time_note=ready.due.note if ready.due else "",
        title=ready.title,
        description=ready.description,
        tags=ready.tags,
        privacy=ready.privacy,
        options=_options(session, target.options, ready.asset, ready.account.platform),
        content_sha256=ready.asset.sha256 if ready.asset else "",
    )
    record.platform_keeps_time = keeps_time(session, record, record.due_at)
    if target.options.late_limit_minutes is not None:
        record.late_limit_minutes = target.options.late_limit_minutes
    session.add(record)
    session.flush()
    return record


def _options(session: Session, options: PublicationOptions, asset: Asset | None, platform: str) -> dict[str, Any]:
    """The options as stored, without those of other platforms. An AI mark nobody chose is the lineage's: what the user
    sees is what will be sent."""
    chosen = options.model_dump(mode="json", exclude=set(PLATFORMS) - {platform})
    if options.synthetic_media is None:
        chosen["synthetic_media"] = provenance.of_asset(session, asset).ai_generated
    return chosen


def keeps_time(session: Session, record: PublicationRecord, due_at: datetime | None) -> bool:
    """Whether the platform can publish this one at its own clock: it has one, the post becomes public, and its time is
    far enough ahead to be there before."""
    return (
        rules_of(record.platform).own_clock
        and record.privacy == "public"
        and bool(record.options.get("platform_clock", True))
        and due_at is not None
        and due_at - database_now(session) >= AHEAD
    )


def material(session: Session, episode_id: UUID | str, asset_id: UUID | None = None) -> provenance.Provenance:
    """What an episode's video (or another one) is made of: AI mark and credits the dialog offers."""
    wanted = asset_id or get_owned(session, Episode, episode_id).asset_id
    return provenance.of_asset(session, get_owned(session, Asset, wanted) if wanted is not None else None)


def refuse(issues: list[Issue]) -> None:
    """Raise :class:`InvalidInput` with every error among the issues."""
    errors = [issue.message for issue in issues if issue.level == "error"]
    if errors:
        raise InvalidInput(errors[0], " ".join(errors[1:]))


def hold_plans(session: Session, episode_id: UUID) -> None:
    """Until the transaction ends nobody else plans this episode's posts. Taken before any row lock, because workers
    lock a publication first and its episode after it."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"plans:{episode_id}", 0))))


def refuse_second(
    session: Session, episode_id: UUID, account_id: UUID, asset_id: UUID | None, but: UUID | None = None
) -> None:
    """The same file of one episode goes to one account once; a planned repeat is another episode.

    The caller holds the episode's plans (:func:`hold_plans`). ``but`` is the publication that is asked about.
    """
    existing = session.scalar(
        select(PublicationRecord.state)
        .where(
            PublicationRecord.episode_id == episode_id,
            PublicationRecord.account_id == account_id,
            PublicationRecord.asset_id == asset_id,
            PublicationRecord.id.is_distinct_from(but),
            PublicationRecord.state.in_(
                states.PUBLISHED | states.ACTIVE | {"scheduled", "needs_review", "needs_reconnect"}
            ),
        )
        .limit(1)
    )
    if existing is not None:
        raise Conflict(
            "This episode is on this account already, or is on its way there.", existing.replace("_", " ").capitalize()
        )


def _captions(session: Session, rules: PlatformRules, options: PublicationOptions) -> list[Issue]:
    found = []
    if options.captions and not rules.takes_captions:
        return [Issue("warning", "captions_unused", "This platform takes no caption files; burn them in to show them.")]
    for caption in options.captions:
        file = get_owned(session, Asset, caption.asset_id)
        if file.kind != "subtitle":
            found.append(Issue("error", "caption_kind", "Captions must be a subtitle file."))
        elif file.size_bytes > rules.caption_bytes:
            found.append(Issue("error", "caption_large", "The captions are larger than this platform takes."))
    return found


def when(session: Session, text: str | None, timezone: str) -> DueTime | None:
    """Read a target's time. "now" is the database's now; a time long past is refused.

    Raises:
        InvalidInput: not a time, or more than a day ago.
    """
    if text is None:
        return None
    now = database_now(session)
    if text.strip().lower() == NOW:
        return due_time(now, timezone)
    due = due_time(text, timezone)
    if (now - due.due_at).total_seconds() > 86_400:
        raise InvalidInput("This time has passed.", "Choose a time to come, or publish now.")
    return due


def database_now(session: Session) -> datetime:
    """The one clock that counts."""
    moment: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    return moment.astimezone(UTC)


def check(session: Session, actor: Actor, wanted: PublicationPlanInput) -> dict[UUID, list[Issue]]:
    """The preflight alone, by account, for the page's list before "Schedule". Changes nothing."""
    episode = get_owned(session, Episode, wanted.episode_id)
    channel = get_owned(session, ContentChannel, episode.channel_id)
    return {target.platform_account_id: _prepare(session, episode, channel, target).issues for target in wanted.targets}


def announce(session: Session, record: PublicationRecord) -> None:
    """Tell the owner's browsers how a publication stands."""
    live.notify(
        session,
        record.owner_id,
        {
            "type": "publication",
            "publication_id": str(record.id),
            "episode_id": str(record.episode_id),
            "state": record.state,
            "progress": round(record.progress or 0.0, 4),
            "simulated": record.is_simulated,
        },
    )

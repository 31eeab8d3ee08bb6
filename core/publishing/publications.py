"""What a user does with a publication: look, move, cancel, try again, settle a doubt.

Each change is one conditional update that names the states it may start from and the version it saw, so that of a
user's cancel and a worker's start exactly one wins.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core import events
from core.database import get_owned
from core.errors import Conflict, InvalidInput
from core.models.assets import Asset
from core.models.publishing import (
    ContentChannel,
    Episode,
    PlatformAccount,
    PublicationAttempt,
    PublicationRecord,
    PublicationStep,
)
from core.publishing import creators, episodes, preflight, states, waiting
from core.publishing.addresses import post_id
from core.publishing.payloads import (
    AttemptOut,
    PublicationDetail,
    PublicationOptions,
    PublicationOut,
    RescheduleInput,
    ReviewInput,
    StepOut,
)
from core.publishing.plan import announce, database_now, hold_plans, keeps_time, refuse, refuse_second, when
from core.publishing.rules import rules_of
from core.security import Actor


def of_episode(session: Session, episode_id: UUID | str) -> list[PublicationRecord]:
    """Publications of an episode in the session's scope, by time."""
    episode = get_owned(session, Episode, episode_id)
    return list(
        session.scalars(
            select(PublicationRecord)
            .where(PublicationRecord.episode_id == episode.id)
            .order_by(PublicationRecord.due_at.nulls_last(), PublicationRecord.created_at)
        )
    )


def listed(
    session: Session, *, state: list[str] | None = None, limit: int = 200, offset: int = 0
) -> list[PublicationRecord]:
    """Publications in the session's scope for board and calendar, by time."""
    statement = select(PublicationRecord).order_by(
        PublicationRecord.due_at.nulls_last(), PublicationRecord.created_at.desc()
    )
    if state:
        statement = statement.where(PublicationRecord.state.in_(state))
    return list(session.scalars(statement.limit(min(limit, 1000)).offset(offset)))


def detail(session: Session, publication_id: UUID | str) -> PublicationDetail:
    """A publication with its attempts and steps; raises :class:`core.errors.NotFound`."""
    record = get_owned(session, PublicationRecord, publication_id)
    attempts = session.scalars(
        select(PublicationAttempt)
        .where(PublicationAttempt.publication_id == record.id)
        .order_by(PublicationAttempt.number)
    )
    steps = session.scalars(
        select(PublicationStep).where(PublicationStep.publication_id == record.id).order_by(PublicationStep.created_at)
    )
    return PublicationDetail(
        **PublicationOut.model_validate(record).model_dump(),
        late=waiting.late(session, record),
        history=[AttemptOut.model_validate(each) for each in attempts],
        steps=[StepOut.model_validate(each) for each in steps],
    )


def _change(
    session: Session, record: PublicationRecord, allowed: frozenset[str], refusal: str, **values: Any
) -> PublicationRecord:
    changed = session.scalar(
        update(PublicationRecord)
        .where(
            PublicationRecord.id == record.id,
            PublicationRecord.state.in_(allowed),
            PublicationRecord.version == record.version,
        )
        .values(version=PublicationRecord.version + 1, **values)
        .returning(PublicationRecord)
        .execution_options(populate_existing=True)
    )
    if changed is None:
        session.refresh(record)
        raise Conflict(refusal, f"It is {record.state.replace('_', ' ')}.")
    episodes.refresh_state(session, changed.episode_id)
    announce(session, changed)
    return changed


def reschedule(
    session: Session, actor: Actor, publication_id: UUID | str, wanted: RescheduleInput
) -> PublicationRecord:
    """Give a publication another time; also sets a draft, failed, missed or cancelled one on its way.

    Raises:
        Conflict: it is being published, is published, or somebody changed it meanwhile.
        InvalidInput: the time or the content is not acceptable.
    """
    actor.require("editor")
    record = get_owned(session, PublicationRecord, publication_id)
    if wanted.version is not None and wanted.version != record.version:
        raise Conflict("Somebody changed this publication meanwhile.", "Look at it again.")
    hold_plans(session, record.episode_id)
    episode = get_owned(session, Episode, record.episode_id)
    channel = get_owned(session, ContentChannel, episode.channel_id)
    due = when(session, wanted.scheduled_time, wanted.timezone or record.timezone or channel.timezone)
    if due is None:
        raise InvalidInput("A time is needed.")
    _check_again(session, record)
    refuse_second(session, episode.id, record.account_id, record.asset_id, but=record.id)
    kept = record.platform_keeps_time and record.remote_id is not None and record.state != "failed"
    rules = rules_of(record.platform)
    if kept and rules.clock_firm and due.due_at > database_now(session) + rules.clock_until:
        raise InvalidInput("This platform does not keep a post for so long.", "Cancel it, then give it another time.")
    return _change(
        session,
        record,
        states.MOVABLE,
        "This publication can no longer be moved.",
        state="scheduled",
        due_at=due.due_at,
        local_time=due.local_time,
        timezone=due.timezone,
        time_note=due.note,
        not_before=None,
        reason="",
        error=None,
        lease_owner=None,
        lease_expires_at=None,
        progress=0.0,
        withdraw=False,
        platform_keeps_time=kept or keeps_time(session, record, due.due_at),
        # What a platform declared failed is given up; anything else that is there is gone on with, not sent again.
        **({"remote_id": None, "remote_url": None, "remote_publish_at": None} if record.state == "failed" else {}),
    )


def _check_again(session: Session, record: PublicationRecord) -> None:
    rules = rules_of(record.platform)
    asset = session.get(Asset, record.asset_id) if record.asset_id else None
    account = get_owned(session, PlatformAccount, record.account_id)
    refuse(
        [
            *preflight.check_text(rules, record.title, record.description, record.tags, record.privacy),
            *preflight.check_asset(rules, asset, record.content_sha256),
            *preflight.check_account(account),
            *_asked_of_the_creator(record, account, asset),
        ]
    )


def _asked_of_the_creator(
    record: PublicationRecord, account: PlatformAccount, asset: Asset | None
) -> list[preflight.Issue]:
    if record.platform != "tiktok":
        return []
    options = PublicationOptions.model_validate(record.options)
    return creators.check(account, record.privacy, options.tiktok, asset)


def cancel(session: Session, actor: Actor, publication_id: UUID | str) -> PublicationRecord:
    """Take a publication back before it starts. One that waits on the platform for its time is cancelled when the
    platform has confirmed that it stays private.

    Raises:
        Conflict: it is on its way already; what is published must be deleted on the platform.
    """
    actor.require("editor")
    record = get_owned(session, PublicationRecord, publication_id)
    if record.state == "cancelled" or (record.withdraw and record.state in states.ACTIVE):
        return record
    if record.state == "scheduled" and record.platform_keeps_time and record.remote_id:
        return _change(
            session,
            record,
            frozenset({"scheduled"}),
            "It is too late to cancel; delete it on the platform when it is there.",
            state="claimed",
            withdraw=True,
            reason="It is being taken back on the platform.",
            not_before=None,
            lease_owner=None,
            lease_expires_at=None,
        )
    last = session.scalar(
        select(PublicationAttempt.outcome)
        .where(PublicationAttempt.publication_id == record.id)
        .order_by(PublicationAttempt.number.desc())
        .limit(1)
    )
    if (last == "unknown" or record.remote_id) and record.state not in ("needs_review", "failed"):
        raise Conflict(
            "It may be on the platform already.", "Connect the account or try again; the studio looks there first."
        )
    return _change(
        session,
        record,
        states.CANCELLABLE,
        "It is too late to cancel; delete it on the platform when it is there.",
        state="cancelled",
        reason="",
        lease_owner=None,
        lease_expires_at=None,
    )


def retry(session: Session, actor: Actor, publication_id: UUID | str) -> PublicationRecord:
    """Try a failed, missed, cancelled or waiting publication again, now.

    An earlier attempt whose outcome is unknown is looked for on the platform first; it is never blindly repeated.
    """
    actor.require("editor")
    record = get_owned(session, PublicationRecord, publication_id)
    if record.state not in states.RETRYABLE:
        raise Conflict("There is nothing to try again.", f"It is {record.state.replace('_', ' ')}.")
    return reschedule(session, actor, record.id, RescheduleInput(scheduled_time="now"))


def review(session: Session, actor: Actor, publication_id: UUID | str, answer: ReviewInput) -> PublicationRecord:
    """The user looked on the platform: it is there (with its id), or it is not and may be posted again."""
    actor.require("editor")
    record = get_owned(session, PublicationRecord, publication_id)
    if answer.answer == "published":
        if not answer.remote_id and not record.remote_id:
            raise InvalidInput("Give the id or the address of the post.")
        remote_id = post_id(record.platform, answer.remote_id) if answer.remote_id else record.remote_id
        changed = _change(
            session,
            record,
            frozenset({"needs_review"}),
            "There is nothing to settle.",
            state="published",
            remote_id=remote_id,
            published_at=func.now(),
            next_metrics_at=func.now(),
            next_revenue_at=func.now() if rules_of(record.platform).reports_revenue else None,
            reason="",
            error=None,
        )
        published_event(session, changed)
        return changed
    session.execute(
        update(PublicationAttempt)
        .where(PublicationAttempt.publication_id == record.id, PublicationAttempt.outcome.in_(("open", "unknown")))
        .values(outcome="failed", finished_at=func.now())
    )
    return _change(
        session,
        record,
        frozenset({"needs_review"}),
        "There is nothing to settle.",
        state="scheduled",
        due_at=func.now(),
        not_before=None,
        reason="",
        error=None,
        remote_id=None,
        remote_url=None,
        remote_publish_at=None,
        withdraw=False,
        lease_owner=None,
        lease_expires_at=None,
        progress=0.0,
    )


def published_event(session: Session, record: PublicationRecord) -> None:
    """CONTENT_PUBLISHED, in the transaction that makes it so."""
    events.emit(
        session,
        events.CONTENT_PUBLISHED,
        record.owner_id,
        {
            "publication_id": str(record.id),
            "episode_id": str(record.episode_id),
            "platform": record.platform,
            "remote_id": record.remote_id,
            "simulated": record.is_simulated,
        },
    )

"""What a TikTok creator may choose: asked when a post is put together, kept with the account, checked before planning.

The publisher asks again right before it posts: what is kept here is for the dialog and for ``POST /publishing/check``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import database
from core.errors import NotConfigured
from core.models.assets import Asset
from core.models.publishing import PlatformAccount
from core.publishing.failures import PlatformFailure
from core.publishing.payloads import TikTokOptions
from core.publishing.preflight import Issue
from core.publishing.tiktok import Creator, TikTokApi
from core.publishing.tokens import AccountCredentials
from core.security import Actor

FRESH = timedelta(minutes=2)
"""How long an answer serves: the dialog is drawn anew at every click, and 20 questions a minute are allowed."""
PATIENCE = httpx.Timeout(6.0, connect=3.0)
"""A person waits for it."""
_log = logging.getLogger(__name__)


def kept(account: PlatformAccount) -> Creator | None:
    """What TikTok said last, however long ago."""
    stored = account.details.get("creator")
    if not stored:
        return None
    fields = {name: value for name, value in stored.items() if name != "asked_at"}
    return Creator(**{**fields, "privacies": tuple(fields["privacies"])})


def of_account(session: Session, account_id: UUID) -> Creator | None:
    """The same for an account in the session's scope; None for other platforms' accounts."""
    return kept(database.get_owned(session, PlatformAccount, account_id))


def ask(actor: Actor, account_id: UUID) -> Creator:
    """What the creator may choose now, at most :data:`FRESH` old; opens transactions of its own.

    Raises:
        PlatformFailure: TikTok refuses, or does not answer.
        NotConfigured: TikTok does not know our client.
    """
    with database.session(actor) as session:
        account = database.get_owned(session, PlatformAccount, account_id)
        known = kept(account)
        if known is not None and datetime.now(UTC) - _asked_at(account.details) < FRESH:
            return known
    found = TikTokApi(AccountCredentials(account_id), timeout=PATIENCE).creator()
    with database.session(actor) as session:
        account = database.get_owned(session, PlatformAccount, account_id, lock=True)
        account.details = {**account.details, "creator": found.as_details()}
    return found


def _asked_at(details: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(details["creator"]["asked_at"])


def ask_all(actor: Actor, account_ids: Iterable[UUID]) -> None:
    """Ask for every TikTok account among these. One that cannot be asked is left to the preflight, which says so."""
    with database.session(actor) as session:
        statement = select(PlatformAccount.id).where(
            PlatformAccount.id.in_(list(account_ids)),
            PlatformAccount.platform == "tiktok",
            PlatformAccount.status == "connected",
        )
        wanted = session.scalars(statement).all()
    for account_id in wanted:
        try:
            ask(actor, account_id)
        except (PlatformFailure, NotConfigured) as error:
            _log.warning("TikTok could not be asked what account %s allows: %s", account_id, error)


def check(account: PlatformAccount, privacy: str, options: TikTokOptions, asset: Asset | None) -> list[Issue]:
    """TikTok's rules for apps ("Content Sharing Guidelines") and what the creator allows."""
    found = []
    if not options.consent:
        found.append(Issue("error", "tiktok_consent", "Agree to TikTok's Music Usage Confirmation first."))
    if options.discloses_commercial and not (options.your_brand or options.branded_content):
        message = "Say whether the video promotes your own business, somebody else's, or both."
        found.append(Issue("error", "tiktok_commercial", message))
    if options.discloses_commercial and options.branded_content and privacy == "private":
        found.append(Issue("error", "tiktok_branded_private", "Branded content cannot be visible to you alone."))
    creator = kept(account)
    if creator is None:
        message = "TikTok could not be asked what this account allows; it is asked again before the post goes out."
        return [*found, Issue("warning", "tiktok_unasked", message)]
    seconds = (asset.duration_seconds if asset else None) or 0.0
    if options.cover_at_seconds is not None and seconds and options.cover_at_seconds >= seconds:
        found.append(Issue("error", "tiktok_cover", "The cover lies behind the end of the video."))
    return [*found, *against(creator, privacy, options, seconds)]


def against(creator: Creator, privacy: str, options: TikTokOptions, seconds: float) -> list[Issue]:
    """What of a post goes beyond what the creator allows: who sees it, the switches, its length. Pure."""
    found = []
    if privacy and privacy not in creator.privacies:
        message = "TikTok does not offer this account that choice of who can see the post."
        found.append(Issue("error", "tiktok_privacy", message))
    for wanted, allowed, code, what in (
        (options.allow_comments, creator.comments, "tiktok_comments", "comments"),
        (options.allow_duet, creator.duets, "tiktok_duets", "duets"),
        (options.allow_stitch, creator.stitches, "tiktok_stitches", "stitches"),
    ):
        if wanted and not allowed:
            found.append(Issue("error", code, f"The creator has switched {what} off on TikTok."))
    if creator.longest_seconds and seconds > creator.longest_seconds:
        message = f"TikTok takes at most {creator.longest_seconds:g} seconds from this account."
        found.append(Issue("error", "tiktok_duration", message))
    return found

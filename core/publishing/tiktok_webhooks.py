"""TikTok's notifications (P2.4): signed over the raw body, at least once, in any order; only ever taken as hints.

Header ``TikTok-Signature: t=<unix>,s=<hex HMAC-SHA256(client_secret, "<t>." + body)>``; the address is entered once at
TikTok for Developers and serves every account. There is no id of an event: the same event of the same user, post and
time is the same delivery.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import database
from core.errors import NotConfigured
from core.models.publishing import PlatformAccount, WebhookDelivery
from core.publishing import inbox, tokens
from core.publishing.connections import flow_of
from core.publishing.failures import PlatformFailure
from core.publishing.tiktok import TikTokApi
from core.settings import get_settings

PLATFORM = "tiktok"
POSTS = frozenset(
    {
        "post.publish.failed",
        "post.publish.complete",
        "post.publish.inbox_delivered",
        "post.publish.publicly_available",
        "post.publish.no_longer_publicaly_available",  # TikTok's own spelling
        "video.upload.failed",
        "video.publish.completed",
    }
)
REMOVED = "authorization.removed"
BATCH = 50
_KEPT_HEADERS = ("content-type", "user-agent", "tiktok-signature")
_log = logging.getLogger(__name__)


class TikTokRoom(inbox.Room):
    """TikTok repeats a delivery for up to three days until it is answered 200."""

    platform = PLATFORM

    def receive(self, session: Session, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> bool:
        told = _told(body)
        accounts = _accounts(session, str(told.get("user_openid") or ""))
        at, signature = _parts(headers.get("tiktok-signature", ""))
        if at is None or abs(time.time() - at) > get_settings().tiktok_webhook_seconds:
            return False
        secrets = {secret for account in accounts for secret in _secrets(session, account)}
        if not any(_signed(secret, at, body, signature) for secret in secrets):
            return False
        event, content = str(told.get("event") or ""), _content(told)
        names = [str(content[name]) for name in ("publish_id", "share_id", "post_id") if content.get(name)]
        key = json.dumps([event, told.get("user_openid"), names, told.get("create_time")])
        kept = {name: headers[name] for name in _KEPT_HEADERS if name in headers}
        note = "" if event in POSTS or event == REMOVED else "nothing to do"
        fresh = inbox.keep(
            session, PLATFORM, hashlib.sha256(key.encode()).hexdigest(), body, kept, note, pending=event == REMOVED
        )
        if fresh and event in POSTS:
            for account in accounts:
                inbox.hint(session, account.id, names)
        return True


def _told(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _content(told: dict[str, Any]) -> dict[str, Any]:
    """``content`` is JSON in a string."""
    return _told(str(told.get("content") or "").encode())


def _accounts(session: Session, open_id: str) -> list[PlatformAccount]:
    statement = select(PlatformAccount).where(
        PlatformAccount.platform == PLATFORM, PlatformAccount.external_id == open_id
    )
    return list(session.scalars(statement))


def _secrets(session: Session, account: PlatformAccount) -> Iterator[str]:
    client = tokens.client_of(session, account.owner_id, flow_of(PLATFORM), tokens.opened(account))
    if client is not None and client.client_secret:
        yield client.client_secret


def _parts(header: str) -> tuple[int | None, str]:
    fields = dict(part.strip().partition("=")[::2] for part in header.split(","))
    at = fields.get("t", "")
    return (int(at) if at.isascii() and at.isdigit() and len(at) < 12 else None), fields.get("s", "")


def _signed(secret: str, at: int, body: bytes, signature: str) -> bool:
    expected = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode())


def settle_removed() -> int:
    """Ask TikTok whether the accounts that are said to have taken back their permission did; returns how many
    deliveries were settled. A chore of the dispatcher; an account that did is paused. What TikTok does not answer is
    asked again at the next round."""
    with database.session() as session:
        rows = session.scalars(
            select(WebhookDelivery)
            .where(WebhookDelivery.platform == PLATFORM, WebhookDelivery.processed_at.is_(None))
            .order_by(WebhookDelivery.received_at)
            .limit(BATCH)
        ).all()
        doubted = {
            row.id: [account.id for account in _accounts(session, str(_told(row.body).get("user_openid") or ""))]
            for row in rows
        }
    settled = 0
    for delivery_id, account_ids in doubted.items():
        notes = [_still_allowed(account_id) for account_id in account_ids]
        if None in notes:
            continue
        with database.session() as session:
            delivery = session.get_one(WebhookDelivery, delivery_id)
            delivery.processed_at, delivery.note = datetime.now(UTC), " ".join(note for note in notes if note)
        settled += 1
    return settled


def _still_allowed(account_id: UUID) -> str | None:
    """What TikTok says; None when it says nothing now."""
    try:
        TikTokApi(tokens.AccountCredentials(account_id)).creator()
    except PlatformFailure as failure:
        _log.warning("TikTok account %s: %s", account_id, failure)
        if failure.error_class == "auth":
            with database.session() as session:
                account = session.get(PlatformAccount, account_id, with_for_update=True)
                if account is not None and account.status == "connected":
                    tokens.pause_account(session, account, failure.title)
        return failure.title if failure.error_class in ("auth", "rejected") else None
    except NotConfigured as error:
        _log.warning("TikTok account %s: %s", account_id, error)
        return None
    return "still allowed"

"""Push notifications of YouTube (P2.4): asked for by account, confirmed, received once, and only ever taken as hints.

WebSub (W3C Recommendation, 2018) as Google's hub speaks it: the hub confirms a subscription by a GET that we echo only
for what we asked; deliveries are Atom, signed ``X-Hub-Signature: sha1=<HMAC of the raw body>`` with the secret we gave.
A delivery carries no figures. A known post's figures are read earlier because of it; nothing else happens.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

import httpx
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import database
from core.database import get_owned
from core.errors import InvalidInput
from core.models.publishing import PlatformAccount
from core.publishing import inbox
from core.publishing.failures import PlatformFailure
from core.security import Actor, seal, unseal
from core.settings import get_settings

TOPIC = "https://www.youtube.com/xml/feeds/videos.xml?channel_id={channel_id}"
LEASE = timedelta(days=5)
RENEW_AFTER = 0.8
TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_VIDEO_ID = "{http://www.youtube.com/xml/schemas/2015}videoId"
_KEPT_HEADERS = ("content-type", "user-agent", "link", "x-hub-signature")
_log = logging.getLogger(__name__)


def subscribe(actor: Actor, account_id: UUID | str, callback: str) -> None:
    """Ask YouTube's hub to tell ``callback`` of changes on an account's channel.

    Raises:
        NotFound: no such account of this studio.
        InvalidInput: not a YouTube account.
        PlatformFailure: the hub cannot be reached or refuses.
    """
    actor.require("owner")
    with database.session(actor) as session:
        account = get_owned(session, PlatformAccount, account_id, lock=True)
        if account.platform != "youtube":
            raise InvalidInput("Only YouTube accounts have push notifications.")
        form = _prepare(account, callback)
    _ask(form)


def callback_of(origin: str, account_id: UUID | str) -> str:
    """Where the hub reaches this studio, from the origin (``https://name``) it was opened under.

    Raises:
        InvalidInput: that name means a machine of its own to whoever asks for it.
    """
    address = address_of(origin, "youtube")
    if address is None:
        raise InvalidInput(
            "YouTube cannot reach this studio.", "Open it under its public name (STUDIO_HOSTS), then try again."
        )
    return f"{address}?account={account_id}"


def address_of(origin: str, platform: str) -> str | None:
    """Where a platform's notifications reach this studio; None under a name that nobody else can use."""
    scheme, netloc = urlsplit(origin)[:2]
    if _is_local((urlsplit(origin).hostname or "").lower()):
        return None
    return f"{scheme}://{netloc}/api/publishing/webhook/{platform}"


def _is_local(host: str) -> bool:
    if not host or host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return not ip_address(host).is_global
    except ValueError:
        return False


def push_of(account: PlatformAccount) -> Literal["none", "asked", "confirmed"]:
    """Whether YouTube tells this studio of changes on the account's channel."""
    push = account.details.get("push")
    if not push:
        return "none"
    ends = push.get("expires_at")
    return "confirmed" if ends and datetime.fromisoformat(ends) > datetime.now(UTC) else "asked"


def _prepare(account: PlatformAccount, callback: str) -> dict[str, str]:
    """What to ask of the hub. Stored before it is asked, because the hub may confirm before it answers. Until it has
    confirmed, deliveries of the subscription before are signed with the secret of that one."""
    before = account.details.get("push") or {}
    secret = secrets.token_urlsafe(32)
    topic = TOPIC.format(channel_id=account.external_id)
    account.details = {
        **account.details,
        "push": {
            "topic": topic,
            "callback": callback,
            "secret_sealed": seal(secret),
            "asked_at": datetime.now(UTC).isoformat(),
            "before": {name: before[name] for name in before if name != "before"} or None,
        },
    }
    return {
        "hub.mode": "subscribe",
        "hub.topic": topic,
        "hub.callback": callback,
        "hub.verify": "async",
        "hub.secret": secret,
        "hub.lease_seconds": str(int(LEASE.total_seconds())),
    }


def _ask(form: dict[str, str]) -> None:
    try:
        answer = httpx.post(get_settings().youtube_hub_url, data=form, timeout=TIMEOUT)
    except httpx.HTTPError as error:
        raise PlatformFailure(
            "YouTube's notification service could not be reached.", type(error).__name__, error_class="transient"
        ) from error
    if answer.status_code >= 300:
        raise PlatformFailure(
            "YouTube's notification service refused the subscription.",
            error_class="rejected",
            code=str(answer.status_code),
        )


def _push_of(session: Session, account_id: UUID) -> tuple[PlatformAccount, dict[str, Any]] | None:
    account = session.scalar(select(PlatformAccount).where(PlatformAccount.id == account_id))
    push = account.details.get("push") if account is not None else None
    return (account, push) if account is not None and push else None


def confirm(session: Session, account_id: UUID, mode: str, topic: str, lease_seconds: int) -> bool:
    """Whether the hub's question is about a subscription we asked for; remembers how long it lasts.

    In a session without actor: the hub signs nothing here, but it can only confirm what we asked it.
    """
    found = _push_of(session, account_id)
    if found is None or mode != "subscribe" or not hmac.compare_digest(found[1]["topic"], topic):
        return False
    account, push = found
    ends = datetime.now(UTC) + timedelta(seconds=min(max(lease_seconds, 60), 30 * 86_400))
    account.details = {**account.details, "push": {**push, "expires_at": ends.isoformat(), "before": None}}
    return True


def receive(session: Session, account_id: UUID, headers: Mapping[str, str], body: bytes) -> bool:
    """Take a delivery: False (and nothing stored) unless it is signed with the account's secret.

    The same delivery again changes nothing. In a session without actor.
    """
    found = _push_of(session, account_id)
    if found is None:
        return False
    known = [found[1], found[1].get("before")]
    signature = headers.get("x-hub-signature", "")
    if not any(_signed(unseal(push["secret_sealed"]), signature, body) for push in known if push):
        return False
    videos = _videos(body)
    key = hashlib.sha256(account_id.bytes + body).hexdigest()
    kept = {name: headers[name] for name in _KEPT_HEADERS if name in headers}
    if inbox.keep(session, "youtube", key, body, kept, "" if videos else "names no video") and videos:
        inbox.hint(session, account_id, videos)
    return True


class YouTubeRoom(inbox.Room):
    """The hub's deliveries, by account: the address we gave it names one. What is not signed is dropped and still
    answered 204, as the hub asks; a forger learns nothing."""

    platform = "youtube"
    taken_status = refused_status = 204

    def challenge(self, session: Session, query: Mapping[str, str]) -> str | None:
        account = _uuid(query.get("account", ""))
        try:
            lease = int(query.get("hub.lease_seconds", 0))
        except ValueError:
            return None
        wanted = account is not None and confirm(
            session, account, query.get("hub.mode", ""), query.get("hub.topic", ""), lease
        )
        return query.get("hub.challenge", "") if wanted else None

    def receive(self, session: Session, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> bool:
        account = _uuid(query.get("account", ""))
        return account is not None and receive(session, account, headers, body)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _signed(secret: str, signature: str, body: bytes) -> bool:
    method, _, digest = signature.partition("=")
    expected = hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()
    return method == "sha1" and hmac.compare_digest(expected.encode(), digest.encode())


def _videos(body: bytes) -> list[str]:
    try:
        feed = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException) as error:
        _log.warning("a signed notification could not be read: %s", type(error).__name__)
        return []
    return [element.text for element in feed.iter(_VIDEO_ID) if element.text]


def renew_due() -> int:
    """Ask again for every subscription past four fifths of its lease; returns how many. A chore of the dispatcher."""
    now = datetime.now(UTC)
    with database.session() as session:
        rows = session.scalars(
            select(PlatformAccount)
            .where(PlatformAccount.details.has_key("push"), PlatformAccount.status == "connected")
            .with_for_update(skip_locked=True)
        )
        due = [row for row in rows if _is_due(row.details["push"], now)]
        forms = {row.id: _prepare(row, row.details["push"]["callback"]) for row in due}
    renewed = 0
    for account_id, form in forms.items():
        try:
            _ask(form)
            renewed += 1
        except PlatformFailure as error:
            _log.warning("push notifications of %s could not be renewed: %s", form["hub.topic"], error)
            _restore(account_id, form)
    return renewed


def _restore(account_id: UUID, form: dict[str, str]) -> None:
    """The hub was not asked after all: the subscription before goes on until its own end, and is due again."""
    with database.session() as session:
        account = session.get(PlatformAccount, account_id, with_for_update=True)
        push = account.details.get("push") if account is not None else None
        if account is not None and push and push.get("before") and unseal(push["secret_sealed"]) == form["hub.secret"]:
            account.details = {**account.details, "push": push["before"]}


def _is_due(push: dict[str, Any], now: datetime) -> bool:
    asked = datetime.fromisoformat(push["asked_at"])
    ends = datetime.fromisoformat(push["expires_at"]) if "expires_at" in push else asked + LEASE
    return now >= asked + (ends - asked) * RENEW_AFTER

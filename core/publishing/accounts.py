"""Platform accounts: ready tokens, connecting through a consent page, reconnecting, leaving (H5)."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core import live
from core.database import get_owned
from core.errors import BadRequest, Conflict, InvalidInput
from core.models.publishing import OAuthState, PlatformAccount, PublicationRecord
from core.publishing import states, tokens
from core.publishing.connections import flow_of
from core.publishing.payloads import AccountInput
from core.publishing.rules import rules_of
from core.security import Actor, seal, unseal

STATE_LIFETIME = timedelta(minutes=15)
SIMULATED_ID = "simulated"


def listed(session: Session) -> list[PlatformAccount]:
    """Accounts in the session's scope."""
    return list(session.scalars(select(PlatformAccount).order_by(PlatformAccount.platform, PlatformAccount.name)))


def add(session: Session, actor: Actor, wanted: AccountInput) -> PlatformAccount:
    """Add an account with ready tokens, or give new ones to an account that is known already.

    Raises:
        InvalidInput: the studio cannot publish to this platform yet, or there is no token at all.
    """
    actor.require("owner")
    rules_of(wanted.platform)
    auth = _plain(wanted)
    if wanted.platform != "simulated" and not (auth.get("access_token") or auth.get("refresh_token")):
        raise InvalidInput("An account needs an access token or a refresh token.")
    return _upsert(session, actor.owner_id, wanted.platform, wanted.external_id, wanted.name, auth)


def add_simulated(session: Session, actor: Actor, name: str = "Simulated platform") -> PlatformAccount:
    """The owner's account on the simulated platform; the same one every time."""
    return add(session, actor, AccountInput(platform="simulated", external_id=SIMULATED_ID, name=name))


def _plain(wanted: AccountInput) -> dict[str, Any]:
    config = wanted.auth_config
    plain: dict[str, Any] = {}
    for name in ("access_token", "refresh_token", "client_id", "client_secret"):
        value = getattr(config, name)
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if text:
            plain[name] = text
    expires_at = tokens.moment(config.expires_at)
    if expires_at is not None:
        plain["expires_at"] = expires_at.isoformat()
    if config.scopes:
        plain["scopes"] = config.scopes
    return plain


def _upsert(
    session: Session,
    owner_id: UUID,
    platform: str,
    external_id: str,
    name: str,
    auth: dict[str, Any],
    details: dict[str, Any] | None = None,
) -> PlatformAccount:
    account = session.scalar(
        select(PlatformAccount)
        .where(
            PlatformAccount.owner_id == owner_id,
            PlatformAccount.platform == platform,
            PlatformAccount.external_id == external_id,
        )
        .with_for_update()
    )
    if account is None:
        account = PlatformAccount(
            owner_id=owner_id, platform=platform, external_id=external_id, is_simulated=platform == "simulated"
        )
        session.add(account)
        stored: dict[str, Any] = {}
        account.token_version = 0
    else:
        stored = tokens.opened(account)
    merged = {**stored, **auth}
    if "access_token" in auth and "expires_at" not in auth:
        merged.pop("expires_at", None)
    if "access_token" in auth and "issued_at" not in auth:
        merged.pop("issued_at", None)
    account.name = name
    account.details = {**(account.details or {}), **(details or {})}
    account.scopes = list(auth.get("scopes", account.scopes or []))
    account.auth_sealed = tokens.sealed(merged) if merged else None
    account.token_expires_at = tokens.moment(merged.get("expires_at"))
    account.token_version += 1
    account.status = "connected"
    account.status_reason = ""
    session.flush()
    drain(session, account)
    return account


def drain(session: Session, account: PlatformAccount) -> int:
    """After a reconnect, put back on their way the publications that waited for it; returns how many."""
    waiting = session.scalars(
        update(PublicationRecord)
        .where(PublicationRecord.account_id == account.id, PublicationRecord.state == "needs_reconnect")
        .values(
            state="scheduled",
            reason="",
            error=None,
            due_at=func.coalesce(PublicationRecord.due_at, func.now()),
            version=PublicationRecord.version + 1,
        )
        .returning(PublicationRecord.id)
    ).all()
    live.notify(session, account.owner_id, {"type": "account", "account_id": str(account.id), "status": account.status})
    return len(waiting)


def disconnect(session: Session, actor: Actor, account_id: UUID | str) -> None:
    """Forget an account's tokens; an account that never published anything goes altogether.

    Raises:
        Conflict: something is on its way to the platform right now.
    """
    actor.require("owner")
    account = get_owned(session, PlatformAccount, account_id, lock=True)
    records = select(PublicationRecord).where(PublicationRecord.account_id == account.id)
    if session.scalar(records.where(PublicationRecord.state.in_(states.ACTIVE)).limit(1)) is not None:
        raise Conflict("Something is being published to this account right now.", "Try again when it is done.")
    if session.scalar(records.limit(1)) is None:
        session.delete(account)
        session.flush()
        return
    account.auth_sealed = None
    account.token_expires_at = None
    account.token_version += 1
    tokens.pause_account(session, account, "The account was disconnected.")
    account.status = "disconnected"
    session.flush()


def connect_url(session: Session, actor: Actor, platform: str, redirect_uri: str) -> str:
    """Start connecting an account; the browser goes to the URL returned.

    Raises:
        InvalidInput: this platform cannot be connected.
        NotConfigured: the studio has no registration with the platform yet.
    """
    actor.require("owner")
    flow = flow_of(platform)
    client = tokens.client_of(session, actor.owner_id, flow)
    if client is None:
        raise flow.not_configured()
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
    session.add(
        OAuthState(
            owner_id=actor.owner_id,
            state_sha256=hashlib.sha256(state.encode()).hexdigest(),
            platform=platform,
            verifier_sealed=seal(verifier),
            redirect_uri=redirect_uri,
            expires_at=datetime.now(UTC) + STATE_LIFETIME,
        )
    )
    session.flush()
    return flow.consent_url(client, redirect_uri, state, verifier)


def complete_connection(session: Session, platform: str, state: str, code: str) -> list[PlatformAccount]:
    """The callback of the consent page, in a session without actor: the state says whose connection it is. Returns the
    accounts that the consent was about.

    Raises:
        BadRequest: the state is unknown, used, expired or of another platform.
        PlatformFailure: the platform refused the code, or gave no account that can be published to.
    """
    pending = session.scalar(
        select(OAuthState)
        .where(
            OAuthState.state_sha256 == hashlib.sha256(state.encode()).hexdigest(),
            OAuthState.platform == platform,
            OAuthState.used_at.is_(None),
            OAuthState.expires_at > func.now(),
        )
        .with_for_update()
    )
    if pending is None:
        raise BadRequest("This connection has expired.", "Start it again on the Publishing page.")
    pending.used_at = datetime.now(UTC)
    flow = flow_of(platform)
    client = tokens.client_of(session, pending.owner_id, flow)
    if client is None:
        raise flow.not_configured()
    grant = flow.exchange(client, code, unseal(pending.verifier_sealed), pending.redirect_uri)
    return [
        _upsert(session, pending.owner_id, found.platform, found.external_id, found.name, found.auth, found.details)
        for found in flow.accounts(client, grant)
    ]

"""An account's tokens: sealed at rest, renewed by one worker at a time, never overwritten by a missing one.

Renewal holds the account's row lock and compares ``token_version``: whoever comes second finds a newer version and uses
it instead of asking again, because some platforms answer a second use of a refresh token by revoking both.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core import database, live
from core.errors import NotFound
from core.models.identity import StoredSetting
from core.models.publishing import PlatformAccount, PublicationRecord
from core.publishing.connections import flow_of
from core.publishing.failures import PlatformFailure
from core.publishing.oauth import Client, Grant, OAuthFlow, Token
from core.security import seal, unseal

MARGIN = timedelta(seconds=30)


def sealed(auth: dict[str, Any]) -> str:
    """The sealed form of an account's tokens."""
    return seal(json.dumps(auth, default=str))


def opened(account: PlatformAccount) -> dict[str, Any]:
    """An account's tokens in the clear; empty when it has none."""
    if not account.auth_sealed:
        return {}
    loaded: dict[str, Any] = json.loads(unseal(account.auth_sealed))
    return loaded


def client_of(session: Session, owner_id: UUID, flow: OAuthFlow, auth: dict[str, Any] | None = None) -> Client | None:
    """Our registration: the account's own, the one on the settings page, or the environment's; None without any."""
    if auth and auth.get("client_id"):
        return Client(str(auth["client_id"]), str(auth.get("client_secret") or ""))
    rows = session.scalars(
        select(StoredSetting).where(
            StoredSetting.owner_id == owner_id, StoredSetting.name.in_((flow.id_setting, flow.secret_setting))
        )
    )
    stored = {row.name: unseal(row.value) if row.secret else row.value for row in rows}
    if flow.id_setting not in stored:
        return flow.from_environment()
    return Client(stored[flow.id_setting], stored.get(flow.secret_setting, ""))


def app_secret(account_id: UUID) -> str:
    """The secret of our registration that an account belongs to; empty where the studio has none."""
    with database.session() as session:
        account = _account(session, account_id)
        client = client_of(session, account.owner_id, flow_of(account.platform), opened(account))
    return client.client_secret if client is not None else ""


def moment(value: Any) -> datetime | None:
    """A time as accounts store it: ISO 8601, or seconds since 1970."""
    if value in (None, ""):
        return None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    parsed = datetime.fromisoformat(str(value))
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def stale(auth: dict[str, Any], now: datetime) -> bool:
    """Whether a token should be renewed before use: past 80 % of its life, or within the margin of its end."""
    expires_at = moment(auth.get("expires_at"))
    if not auth.get("access_token"):
        return True
    if expires_at is None:
        return False
    issued_at = moment(auth.get("issued_at"))
    if issued_at is None:
        return now >= expires_at - MARGIN
    return now >= issued_at + (expires_at - issued_at) * 0.8


class AccountCredentials:
    """The tokens of one stored account."""

    def __init__(self, account_id: UUID) -> None:
        self._account_id = account_id

    def token(self) -> Token:
        """A usable access token, renewed first when it is near its end.

        Raises:
            PlatformFailure: ``auth`` when the account has to be connected again.
        """
        with database.session() as session:
            account = _account(session, self._account_id)
            auth, version = opened(account), account.token_version
            if account.status in ("needs_reconnect", "disconnected"):
                raise _gone(account.status_reason)
        if not stale(auth, datetime.now(UTC)):
            return Token(str(auth["access_token"]), version)
        try:
            return self.renew(Token(str(auth.get("access_token", "")), version))
        except PlatformFailure as error:
            expires_at = moment(auth.get("expires_at"))
            unexpired = auth.get("access_token") and expires_at and datetime.now(UTC) < expires_at
            if error.error_class == "transient" and unexpired:
                return Token(str(auth["access_token"]), version)
            raise

    def renew(self, refused: Token) -> Token:
        """A newer token than the one refused: another worker's, or one we ask for under the row lock."""
        failure: PlatformFailure
        with database.session() as session:
            account = session.scalar(
                select(PlatformAccount).where(PlatformAccount.id == self._account_id).with_for_update()
            )
            if account is None:
                raise NotFound("This account does not exist any more.")
            auth = opened(account)
            if account.status in ("needs_reconnect", "disconnected"):
                raise _gone(account.status_reason)
            if account.token_version != refused.version and auth.get("access_token"):
                return Token(str(auth["access_token"]), account.token_version)
            if not auth.get("refresh_token"):
                failure = _gone("The platform gave no way to renew the sign-in.")
            else:
                flow = flow_of(account.platform)
                client = client_of(session, account.owner_id, flow, auth)
                try:
                    grant = flow.refresh(client, str(auth["refresh_token"]))
                except PlatformFailure as error:
                    if error.error_class != "auth":
                        raise
                    failure = error
                else:
                    store_grant(account, auth, grant)
                    session.flush()
                    return Token(grant.access_token, account.token_version)
            pause_account(session, account, failure.title)
        raise failure


def store_grant(account: PlatformAccount, auth: dict[str, Any], grant: Grant) -> None:
    """Write new tokens into a locked account row; a missing refresh token keeps the stored one."""
    kept = {name: value for name, value in auth.items() if name not in ("expires_at", "issued_at")}
    account.auth_sealed = sealed(
        {**kept, **grant.as_auth(), "refresh_token": grant.refresh_token or auth.get("refresh_token")}
    )
    account.token_expires_at = grant.expires_at
    account.token_version += 1
    if grant.scopes:
        account.scopes = list(grant.scopes)


def pause_account(session: Session, account: PlatformAccount, reason: str) -> None:
    """The account has to be connected again: say so, and hold back what is scheduled on it."""
    account.status = "needs_reconnect"
    account.status_reason = reason
    session.execute(
        update(PublicationRecord)
        .where(PublicationRecord.account_id == account.id, PublicationRecord.state == "scheduled")
        .values(state="needs_reconnect", reason=reason, version=PublicationRecord.version + 1)
    )
    session.flush()
    live.notify(session, account.owner_id, {"type": "account", "account_id": str(account.id), "status": account.status})


def _account(session: Session, account_id: UUID) -> PlatformAccount:
    account = session.get(PlatformAccount, account_id)
    if account is None:
        raise NotFound("This account does not exist any more.")
    return account


def _gone(reason: str) -> PlatformFailure:
    return PlatformFailure(
        "The connection to this account has ended.",
        reason or "Connect it again; what is scheduled is kept.",
        error_class="auth",
        code="needs_reconnect",
    )

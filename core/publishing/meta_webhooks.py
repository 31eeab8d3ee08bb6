"""Notifications of Facebook Pages and Instagram (P2.4): handshake, signature over the raw bytes, once, only a hint.

"Webhooks from Meta": the handshake repeats the word that was entered in the app's dashboard; deliveries are signed
``X-Hub-Signature-256: sha256=<HMAC of the raw body under the app's secret>``. The bytes that are signed hold escaped
characters, so nothing is written anew before it is checked. Entries have no id of their own and are told apart by what
they say.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Forbidden
from core.models.identity import StoredSetting
from core.models.publishing import PlatformAccount
from core.publishing import inbox, tokens
from core.security import unseal
from core.settings import get_settings

OBJECTS = {"facebook": "page", "instagram": "instagram"}
_NAMES_A_POST = ("video_id", "media_id", "post_id", "id")
_KEPT_HEADERS = ("content-type", "user-agent", "x-hub-signature-256")
_log = logging.getLogger(__name__)


class MetaRoom(inbox.Room):
    """Where one of the two platforms delivers."""

    def __init__(self, platform: str) -> None:
        self.platform = platform

    def challenge(self, session: Session, query: Mapping[str, str]) -> str:
        """The challenge, where the word is the one that the studio was given.

        Raises:
            Forbidden: another word, or the studio was given none.
        """
        given = query.get("hub.verify_token", "").encode()
        known = [value for _, value in _stored(session, "META_VERIFY_TOKEN", get_settings().meta_verify_token)]
        if query.get("hub.mode") != "subscribe" or not any(hmac.compare_digest(given, each.encode()) for each in known):
            raise Forbidden("The studio did not ask for this.")
        return query.get("hub.challenge", "")

    def receive(self, session: Session, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> bool:
        """Keep each entry once, and have the posts it names looked at."""
        signers = self._signers(session, headers.get("x-hub-signature-256", ""), body)
        if not signers:
            return False
        kept = {name: headers[name] for name in _KEPT_HEADERS if name in headers}
        for entry in self._entries(body):
            told = json.dumps(entry, sort_keys=True, separators=(",", ":")).encode()
            place = str(entry.get("id", ""))
            key = hashlib.sha256(told).hexdigest()
            if not inbox.keep(session, self.platform, key, body, kept, f"about {place}"[:200]):
                continue
            for account in self._accounts(session, place):
                if None in signers or account.owner_id in signers:
                    inbox.hint(session, account.id, sorted(set(_posts(entry))))
        return True

    def _signers(self, session: Session, signature: str, body: bytes) -> set[UUID | None]:
        """Whose app signed it: owners of studios, None for the process's own app; empty when nobody's did."""
        method, _, digest = signature.partition("=")
        if method != "sha256":
            return set()
        known = _stored(session, "META_APP_SECRET", get_settings().meta_app_secret)
        for account in session.scalars(select(PlatformAccount).where(PlatformAccount.platform == self.platform)):
            own = tokens.opened(account).get("client_secret")
            known += [(account.owner_id, str(own))] if own else []
        return {
            owner
            for owner, secret in known
            if hmac.compare_digest(
                hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode(), digest.encode()
            )
        }

    def _entries(self, body: bytes) -> list[dict[str, Any]]:
        try:
            told = json.loads(body)
        except (ValueError, RecursionError) as error:
            _log.warning("a signed notification could not be read: %s", type(error).__name__)
            return []
        if not isinstance(told, dict) or told.get("object") != OBJECTS[self.platform]:
            return []
        entries = told.get("entry")
        return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []

    def _accounts(self, session: Session, place: str) -> list[PlatformAccount]:
        mine = PlatformAccount.platform == self.platform, PlatformAccount.external_id == place
        return list(session.scalars(select(PlatformAccount).where(*mine)))


def _stored(session: Session, name: str, environment: str) -> list[tuple[UUID | None, str]]:
    """A setting as the studios of this process hold it, and as the process was started with it."""
    rows = session.scalars(select(StoredSetting).where(StoredSetting.name == name))
    found: list[tuple[UUID | None, str]] = [
        (row.owner_id, unseal(row.value) if row.secret else row.value) for row in rows
    ]
    return found + ([(None, environment)] if environment else [])


def _posts(entry: dict[str, Any]) -> Iterator[str]:
    """Identifiers of posts in an entry's changes; a Page's post is called ``<page>_<post>``."""
    changes = entry.get("changes")
    for change in changes if isinstance(changes, list) else []:
        value = change.get("value") if isinstance(change, dict) else None
        if not isinstance(value, dict):
            continue
        media = value.get("media")
        for held in (value, media if isinstance(media, dict) else {}):
            for name in _NAMES_A_POST:
                if isinstance(held.get(name), str | int):
                    yield str(held[name])
                    yield str(held[name]).rpartition("_")[2]

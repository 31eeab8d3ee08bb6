"""What a user set on the pages: their language, time zone and currency, and the studio's sealed keys.

Preferences belong to the user (two editors of one studio may read different languages); keys and studio-wide settings
belong to the owner and lie in ``settings``, secrets sealed (:func:`core.security.seal`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from uuid import UUID
from zoneinfo import available_timezones

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.business.money import currency_code
from core.errors import InvalidInput, NotFound
from core.models.identity import StoredSetting, User
from core.security import Actor, seal, unseal

LANGUAGES = ("en", "th")
Answerer = Literal["analyst", "model"]
"""Who answers in the advisor's chat: the built-in analyst, or the language model that was set up."""
CURRENCIES = ("THB", "USD", "EUR", "GBP", "JPY", "SGD", "AUD", "KRW", "VND", "INR")
_NAME = re.compile(r"^[A-Z][A-Z0-9_]{1,80}$")


@dataclass(frozen=True)
class Preferences:
    """``language`` en or th, ``timezone`` an IANA name, ``currency`` ISO 4217, ``advisor`` who answers in the chat.
    ``chosen`` is false until the user has answered the first page's three questions."""

    language: str = "en"
    timezone: str = "UTC"
    currency: str = "USD"
    advisor: Answerer = "analyst"
    chosen: bool = False


def _user(session: Session, actor: Actor) -> User:
    user = session.get(User, actor.user_id)
    if user is None:
        raise NotFound("This user does not exist any more.")
    return user


def preferences_of(session: Session, actor: Actor) -> Preferences:
    """The preferences of the signed-in user; unanswered ones have their default."""
    stored = _user(session, actor).preferences
    known = {name: stored[name] for name in ("language", "timezone", "currency", "advisor", "chosen") if name in stored}
    return Preferences(**known)


def set_preferences(
    session: Session,
    actor: Actor,
    *,
    language: str | None = None,
    timezone: str | None = None,
    currency: str | None = None,
) -> Preferences:
    """Change some preferences; naming all three answers the first page's questions.

    Raises:
        InvalidInput: an unknown language or time zone, or something that is not a currency code.
    """
    if language is not None and language not in LANGUAGES:
        raise InvalidInput("The studio speaks English and Thai.")
    if timezone is not None and timezone not in available_timezones():
        raise InvalidInput("The studio does not know this time zone.", timezone[:80])
    if currency is not None:
        currency = currency_code(currency)
    user = _user(session, actor)
    change = {"language": language, "timezone": timezone, "currency": currency}
    given = {name: value for name, value in change.items() if value is not None}
    user.preferences = {**user.preferences, **given, **({"chosen": True} if len(given) == 3 else {})}
    session.flush()
    return preferences_of(session, actor)


def set_answerer(session: Session, actor: Actor, answerer: Answerer) -> None:
    """Who answers this user's questions from now on."""
    user = _user(session, actor)
    user.preferences = {**user.preferences, "advisor": answerer}
    session.flush()


def stored_names(session: Session) -> dict[str, bool]:
    """Names of the studio's stored settings within the session's scope, and whether each is a secret."""
    return {row.name: row.secret for row in session.scalars(select(StoredSetting))}


def stored_value(session: Session, owner_id: UUID, name: str) -> str | None:
    """A studio's stored setting in the clear, for the code that uses it; pages and API never show secrets."""
    row = session.scalar(select(StoredSetting).where(StoredSetting.name == name, StoredSetting.owner_id == owner_id))
    if row is None:
        return None
    return unseal(row.value) if row.secret else row.value


def store_value(session: Session, actor: Actor, name: str, value: str, *, secret: bool) -> None:
    """Store or replace a setting of the owner's studio; an empty value removes it.

    Raises:
        Forbidden: the actor is not an owner.
        InvalidInput: the name is not one (upper case, digits, underscores).
    """
    actor.require("owner")
    if not _NAME.match(name):
        raise InvalidInput("That is not the name of a setting.", name[:80])
    row = session.scalar(
        select(StoredSetting).where(StoredSetting.name == name, StoredSetting.owner_id == actor.owner_id)
    )
    if not value:
        if row is not None:
            session.delete(row)
        return
    kept = seal(value) if secret else value
    if row is None:
        session.add(StoredSetting(owner_id=actor.owner_id, name=name, value=kept, secret=secret))
    else:
        row.value, row.secret = kept, secret
    session.flush()

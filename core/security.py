"""Who is asking, and how secrets are kept.

Session cookies and API tokens are random and stored only as SHA-256; passwords as Argon2id (RFC 9106); secrets are
sealed with AES-256-GCM under a key that lies in a 0600 file beside the database, with its identifier in each sealed
text so that keys can be rotated (``python -m core.tools.rotate_key``).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from core.errors import Conflict, Forbidden, InvalidInput, NotConfigured, Unauthenticated
from core.models.identity import ApiToken, User, UserSession
from core.settings import get_settings

SESSION_COOKIE = "studio_session"
SESSION_LIFETIME = timedelta(days=30)
MINIMUM_PASSWORD_LENGTH = 10
_RANK = {"viewer": 0, "editor": 1, "owner": 2}


@dataclass(frozen=True)
class Actor:
    """The signed-in user and whose studio they act in."""

    user_id: UUID
    owner_id: UUID
    role: str

    def require(self, role: str) -> None:
        """Raise :class:`Forbidden` unless the actor's role is ``role`` or a higher one."""
        if _RANK[self.role] < _RANK[role]:
            raise Forbidden("Your role does not allow this.", f"It needs the role {role}.")


def actor_of(user: User) -> Actor:
    return Actor(user.id, user.studio_owner_id or user.id, user.role)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def open_session(session: Session, user: User) -> str:
    """Sign a browser in; returns the cookie's value."""
    token = secrets.token_urlsafe(32)
    session.add(
        UserSession(user_id=user.id, token_sha256=_digest(token), expires_at=datetime.now(UTC) + SESSION_LIFETIME)
    )
    return token


def close_session(session: Session, token: str) -> None:
    """Sign a browser out."""
    row = session.scalar(select(UserSession).where(UserSession.token_sha256 == _digest(token)))
    if row is not None:
        session.delete(row)


def actor_for_session(session: Session, token: str | None) -> Actor | None:
    """The actor of a session cookie, or None for an unknown or expired one."""
    if not token:
        return None
    user = session.scalar(
        select(User)
        .join(UserSession, UserSession.user_id == User.id)
        .where(UserSession.token_sha256 == _digest(token), UserSession.expires_at > func.now())
    )
    return actor_of(user) if user else None


def actor_for_bearer(session: Session, token: str | None) -> Actor | None:
    """The actor of an API token, or None."""
    if not token:
        return None
    user = session.scalar(
        select(User).join(ApiToken, ApiToken.user_id == User.id).where(ApiToken.token_sha256 == _digest(token))
    )
    return actor_of(user) if user else None


def issue_api_token(session: Session, user: User, name: str) -> str:
    """A new bearer token; it can be read only now."""
    token = "cs_" + secrets.token_urlsafe(32)
    session.add(ApiToken(user_id=user.id, name=name, token_sha256=_digest(token)))
    return token


def somebody_signed_up(session: Session) -> bool:
    """Whether any owner has set a password; from then on loopback needs a sign-in too."""
    return session.scalar(select(User.id).where(User.password_hash.is_not(None)).limit(1)) is not None


def ensure_owner(session: Session) -> User:
    """The studio's first owner, made when there is none (embedded mode, before anybody signed up)."""
    owner = session.scalar(select(User).where(User.role == "owner").order_by(User.created_at).limit(1))
    if owner is None:
        owner = User(role="owner", name="")
        session.add(owner)
        session.flush()
    return owner


def write_owner_token(session: Session, path: Path) -> None:
    """Write the owner's bearer token to ``path`` (mode 0600), unless there is one that this database knows.

    One it does not know was left by another database, or by a start that was killed between file and commit.
    """
    if path.exists() and actor_for_bearer(session, path.read_text().strip()) is not None:
        return
    token = issue_api_token(session, ensure_owner(session), "embedded")
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    _write_private(temporary, token + "\n")
    temporary.replace(path)


def _write_private(path: Path, content: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def set_password(user: User, email: str, password: str) -> None:
    """Sign a user up with e-mail and password.

    Raises:
        InvalidInput: the password is too short or the e-mail is not one.
    """
    email = _checked_email(email)
    if len(password) < MINIMUM_PASSWORD_LENGTH:
        raise InvalidInput(f"Choose a password of at least {MINIMUM_PASSWORD_LENGTH} characters.")
    user.email = email
    user.password_hash = PasswordHasher().hash(password)


def _checked_email(email: str) -> str:
    if "@" not in email or len(email) > 254:
        raise InvalidInput("That is not an e-mail address.")
    return email.strip().lower()


def sign_in(session: Session, email: str, password: str) -> str:
    """Check e-mail and password; returns the new session's cookie value.

    Raises:
        Unauthenticated: the pair is wrong. Unknown e-mails take as long as wrong passwords.
    """
    user = session.scalar(select(User).where(User.email == email.strip().lower()))
    if not _is_password(user, password) or user is None:
        raise Unauthenticated("E-mail or password is wrong.")
    return open_session(session, user)


def sign_in_by_email(session: Session, email: str) -> str:
    """Open a session for somebody whose e-mail an identity provider vouches for; returns its cookie value.

    Raises:
        Forbidden: nobody with this e-mail was let into the studio.
    """
    user = session.scalar(select(User).where(User.email == email.strip().lower()))
    if user is None:
        raise Forbidden("Nobody with this e-mail was let into this studio.", "Ask its owner to add you.")
    return open_session(session, user)


def _is_password(user: User | None, password: str) -> bool:
    try:
        return PasswordHasher().verify((user and user.password_hash) or _nobodys_hash(), password) and user is not None
    except (VerifyMismatchError, InvalidHashError):
        return False


@lru_cache
def _nobodys_hash() -> str:
    """What the password of somebody unknown is compared with, so that it takes as long."""
    return PasswordHasher().hash(secrets.token_hex(16))


def change_password(
    session: Session, user: User, email: str, password: str, *, current: str | None, keep: str | None = None
) -> None:
    """Set a user's own e-mail and password, and sign their other browsers out (``keep`` is this one's cookie).

    Raises:
        Forbidden: there is a password already and ``current`` is not it.
        Conflict: somebody else has this e-mail.
        InvalidInput: the password is too short or the e-mail is not one.
    """
    if user.password_hash and not _is_password(user, current or ""):
        raise Forbidden("The current password is wrong.")
    if session.scalar(select(User.id).where(User.email == email.strip().lower(), User.id != user.id)):
        raise Conflict("Somebody with this e-mail is here already.")
    set_password(user, email, password)
    others = delete(UserSession).where(UserSession.user_id == user.id)
    session.execute(others.where(UserSession.token_sha256 != _digest(keep)) if keep else others)


def add_user(
    session: Session, owner: Actor, email: str, password: str | None, role: str, *, by_provider: bool = False
) -> User:
    """An owner adds an editor or viewer to their studio, without a password where an identity provider vouches.

    Raises:
        InvalidInput: no such role, no e-mail, a password too short, or none where no provider is set up.
        Conflict: the e-mail is somebody's already.
    """
    owner.require("owner")
    if role not in ("editor", "viewer"):
        raise InvalidInput("The role must be editor or viewer.")
    if session.scalar(select(User.id).where(User.email == email.strip().lower())):
        raise Conflict("Somebody with this e-mail is here already.")
    user = User(role=role, studio_owner_id=owner.owner_id)
    if password or not by_provider:
        set_password(user, email, password or "")
    else:
        user.email = _checked_email(email)
    session.add(user)
    session.flush()
    return user


def _create_whole(path: Path, content: str) -> None:
    """Create a private file that is never seen half written; whoever comes second leaves the first one's file."""
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    _write_private(temporary, content)
    try:
        os.link(temporary, path)
    except FileExistsError:
        return
    finally:
        temporary.unlink()


class Keyring:
    """The sealing keys of one data folder: ``{"current": id, "keys": {id: base64}}`` in a 0600 file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            key_id = secrets.token_hex(4)
            document = {"current": key_id, "keys": {key_id: _encode(AESGCM.generate_key(256))}}
            _create_whole(path, json.dumps(document))
        self._document: dict[str, Any] = json.loads(path.read_text())

    def seal(self, text: str) -> str:
        """Encrypt; the result names its key: ``v1:<key id>:<base64 of nonce and ciphertext>``."""
        key_id = self._document["current"]
        nonce = secrets.token_bytes(12)
        sealed = AESGCM(_decode(self._document["keys"][key_id])).encrypt(nonce, text.encode(), key_id.encode())
        return f"v1:{key_id}:{_encode(nonce + sealed)}"

    def unseal(self, sealed: str) -> str:
        """Decrypt.

        Raises:
            NotConfigured: the key that sealed this text is not in the key file, or the text was tampered with.
        """
        version, key_id, body = sealed.split(":", 2)
        key = self._document["keys"].get(key_id)
        if version != "v1" or key is None:
            raise NotConfigured("A stored secret cannot be read.", "Its key is missing.", setting=str(self._path.name))
        raw = _decode(body)
        try:
            return AESGCM(_decode(key)).decrypt(raw[:12], raw[12:], key_id.encode()).decode()
        except InvalidTag:
            raise NotConfigured("A stored secret was damaged.", "Enter it again.", setting="secret") from None

    def derive(self, purpose: str) -> str:
        """A further secret made from the current key (HMAC-SHA-256, hexadecimal), so that it is stored nowhere."""
        key = _decode(self._document["keys"][self._document["current"]])
        return hmac.new(key, purpose.encode(), hashlib.sha256).hexdigest()

    def rotate(self) -> None:
        """Make a new current key and keep the old ones for what they sealed."""
        key_id = secrets.token_hex(4)
        self._document["keys"][key_id] = _encode(AESGCM.generate_key(256))
        self._document["current"] = key_id
        temporary = self._path.with_suffix(".new")
        temporary.unlink(missing_ok=True)
        _write_private(temporary, json.dumps(self._document))
        temporary.replace(self._path)


def _encode(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text)


def keyring() -> Keyring:
    return Keyring(get_settings().root / "secret.key")


def seal(text: str) -> str:
    """Seal with the studio's key."""
    return keyring().seal(text)


def unseal(sealed: str) -> str:
    """Open what :func:`seal` made."""
    return keyring().unseal(sealed)

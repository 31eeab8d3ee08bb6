"""Who uses the studio: users with roles, their sessions, API tokens, projects and settings."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Base, Identified, Owned, Timestamped

ROLES = ("owner", "editor", "viewer")


class User(Identified, Timestamped, Base):
    """A person. Editors and viewers belong to an owner (``studio_owner_id``) and see that owner's studio."""

    __tablename__ = "users"
    __table_args__ = (CheckConstraint("role IN ('owner', 'editor', 'viewer')", name="role"),)

    email: Mapped[str | None] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(default="")
    role: Mapped[str] = mapped_column(default="owner")
    password_hash: Mapped[str | None]
    studio_owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    preferences: Mapped[dict[str, Any]] = mapped_column(default=dict)


class UserSession(Identified, Timestamped, Base):
    """One signed-in browser. Only the SHA-256 of the cookie's token is stored."""

    __tablename__ = "sessions"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    token_sha256: Mapped[str] = mapped_column(unique=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class ApiToken(Identified, Timestamped, Base):
    """A bearer token of a program, stored as its SHA-256."""

    __tablename__ = "api_tokens"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    token_sha256: Mapped[str] = mapped_column(unique=True)
    last_used_at: Mapped[datetime | None]


class Project(Identified, Owned, Timestamped, Base):
    """One sitting with a recording: what was chosen on the page, so that it survives a reload and a restart."""

    __tablename__ = "projects"

    name: Mapped[str]
    # assets → jobs → projects → assets is a circle of keys: this one is added when all three tables stand.
    source_asset_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("assets.id", ondelete="SET NULL", use_alter=True), index=True
    )
    state: Mapped[dict[str, Any]] = mapped_column(default=dict)


class StoredSetting(Identified, Owned, Timestamped, Base):
    """A setting the user changed on the page. Secrets are sealed before they reach this table."""

    __tablename__ = "settings"
    __table_args__ = (UniqueConstraint("owner_id", "name"),)

    name: Mapped[str]
    value: Mapped[str]
    secret: Mapped[bool] = mapped_column(default=False)

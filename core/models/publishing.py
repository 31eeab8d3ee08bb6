"""Tables of publishing: accounts, channels, series, episodes, publications and everything recorded about them.

``publication_records`` is the state machine of DESIGN "Data": PostgreSQL owns time, state and truth; a queue only ever
carries a publication's id. States and their allowed transitions are decided in ``core/publishing/states.py``; the CHECK
constraints here keep anything else out.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.models.base import Base, Identified, Owned, Timestamped

PLATFORMS = ("youtube", "tiktok", "facebook", "instagram", "simulated")
ACCOUNT_STATES = ("connected", "needs_reconnect", "paused", "disconnected")
LINK_ROLES = ("primary", "secondary")
EPISODE_STATES = ("draft", "scheduled", "published", "discarded")
PRIVACIES = ("private", "unlisted", "public", "friends", "followers")
"""``friends`` follow each other; which of these a platform has says :mod:`core.publishing.rules`."""
PUBLICATION_STATES = (
    "draft",
    "scheduled",
    "claimed",
    "submitting",
    "processing",
    "published",
    "published_with_warnings",
    "failed",
    "needs_review",
    "needs_reconnect",
    "cancelled",
    "missed",
)
ATTEMPT_OUTCOMES = ("open", "succeeded", "adopted", "failed", "postponed", "unknown", "abandoned")
ERROR_CLASSES = ("transient", "throttled", "auth", "rejected", "unknown_outcome", "quota", "preflight")
STEP_STATES = ("pending", "started", "done", "failed", "skipped")
RUN_STATES = ("waiting", "awaiting_approval", "running", "succeeded", "failed", "cancelled")


def one_of(column: str, values: tuple[str, ...], name: str) -> CheckConstraint:
    """A CHECK that keeps a text column inside its listed values (easier to extend by migration than an enum type)."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=name)


def _reference(target: str, *, ondelete: str = "CASCADE", index: bool = True) -> Any:
    return mapped_column(Uuid(), ForeignKey(target, ondelete=ondelete), index=index)


class PlatformAccount(Identified, Owned, Timestamped, Base):
    """One account on one platform. ``auth_sealed`` is the sealed JSON of its tokens, never shown, never logged."""

    __tablename__ = "platform_accounts"
    __table_args__ = (
        UniqueConstraint("owner_id", "platform", "external_id", name="uq_platform_accounts_external"),
        one_of("platform", PLATFORMS, "platform"),
        one_of("status", ACCOUNT_STATES, "status"),
        CheckConstraint("is_simulated = (platform = 'simulated')", name="simulated"),
    )

    platform: Mapped[str] = mapped_column(String(20))
    external_id: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(200))
    auth_sealed: Mapped[str | None]
    token_version: Mapped[int] = mapped_column(default=1)
    token_expires_at: Mapped[datetime | None]
    scopes: Mapped[list[str]] = mapped_column(default=list)
    status: Mapped[str] = mapped_column(String(20), default="connected")
    status_reason: Mapped[str] = mapped_column(default="")
    is_simulated: Mapped[bool] = mapped_column(default=False)
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)


class OAuthState(Identified, Owned, Base):
    """A connection in progress: the hashed ``state`` we sent, and the sealed PKCE verifier that answers it."""

    __tablename__ = "oauth_states"

    state_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    platform: Mapped[str] = mapped_column(String(20))
    verifier_sealed: Mapped[str]
    redirect_uri: Mapped[str]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]


class AccountLimit(Identified, Timestamped, Base):
    """What a platform told us not to do yet: by account, or (``account_id`` NULL) for our application as a whole.

    ``used`` counts what we spent of ``allowance`` in the window that ends at ``resets_at``; ``blocked_until`` holds
    every call of that kind back until then.
    """

    __tablename__ = "account_limits"
    __table_args__ = (
        UniqueConstraint(
            "platform", "account_id", "kind", name="uq_account_limits_kind", postgresql_nulls_not_distinct=True
        ),
    )

    platform: Mapped[str] = mapped_column(String(20))
    account_id: Mapped[uuid.UUID | None] = _reference("platform_accounts.id")
    kind: Mapped[str] = mapped_column(String(40))
    used: Mapped[int] = mapped_column(default=0)
    allowance: Mapped[int | None]
    resets_at: Mapped[datetime | None]
    blocked_until: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")


class ContentChannel(Identified, Owned, Timestamped, Base):
    """A brand: what the creator calls a channel. Its ``timezone`` (IANA) says where its days begin."""

    __tablename__ = "content_channels"
    __table_args__ = (
        UniqueConstraint("owner_id", "name", name="uq_content_channels_name"),
        Index("uq_content_channels_default", "owner_id", unique=True, postgresql_where=text("is_default")),
    )

    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(default="")
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")
    currency: Mapped[str] = mapped_column(String(3), default="USD")
    language: Mapped[str] = mapped_column(String(16), default="en")
    is_default: Mapped[bool] = mapped_column(default=False)

    links: Mapped[list[ContentChannelPlatformLink]] = relationship(
        back_populates="channel", cascade="all, delete-orphan", passive_deletes=True
    )


class ContentChannelPlatformLink(Identified, Owned, Timestamped, Base):
    """An account a channel publishes to; at most one of them is its primary one."""

    __tablename__ = "content_channel_platform_links"
    __table_args__ = (
        UniqueConstraint("channel_id", "account_id", name="uq_channel_links_account"),
        Index("uq_channel_links_primary", "channel_id", unique=True, postgresql_where=text("role = 'primary'")),
        one_of("role", LINK_ROLES, "role"),
    )

    channel_id: Mapped[uuid.UUID] = _reference("content_channels.id")
    account_id: Mapped[uuid.UUID] = _reference("platform_accounts.id")
    role: Mapped[str] = mapped_column(String(20), default="secondary")

    channel: Mapped[ContentChannel] = relationship(back_populates="links")
    account: Mapped[PlatformAccount] = relationship()


class Series(Identified, Owned, Timestamped, Base):
    """Episodes that belong together inside one channel."""

    __tablename__ = "series"
    __table_args__ = (
        UniqueConstraint("channel_id", "name", name="uq_series_name"),
        Index("uq_series_default", "channel_id", unique=True, postgresql_where=text("is_default")),
    )

    channel_id: Mapped[uuid.UUID] = _reference("content_channels.id")
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(default="")
    is_default: Mapped[bool] = mapped_column(default=False)

    channel: Mapped[ContentChannel] = relationship()


class Episode(Identified, Owned, Timestamped, Base):
    """One piece of content, whatever platforms it goes to. (source_event_id, asset_id) is unique: a replayed event
    makes no second draft. A discarded draft stays as a row for the same reason."""

    __tablename__ = "episodes"
    __table_args__ = (
        UniqueConstraint("source_event_id", "asset_id", name="uq_episodes_source"),
        UniqueConstraint("series_id", "number", name="uq_episodes_number"),
        Index("ix_episodes_board", "owner_id", "state", "created_at"),
        one_of("state", EPISODE_STATES, "state"),
    )

    channel_id: Mapped[uuid.UUID] = _reference("content_channels.id")
    series_id: Mapped[uuid.UUID | None] = _reference("series.id", ondelete="SET NULL")
    number: Mapped[int | None]
    title: Mapped[str] = mapped_column(String(300))
    description: Mapped[str] = mapped_column(default="")
    tags: Mapped[list[str]] = mapped_column(default=list)
    language: Mapped[str | None] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(20), default="draft")
    asset_id: Mapped[uuid.UUID | None] = _reference("assets.id", ondelete="SET NULL")
    thumbnail_asset_id: Mapped[uuid.UUID | None] = _reference("assets.id", ondelete="SET NULL")
    source_event_id: Mapped[int | None] = mapped_column(BigInteger())
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    published_at: Mapped[datetime | None]
    discarded_at: Mapped[datetime | None]

    channel: Mapped[ContentChannel] = relationship()
    series: Mapped[Series | None] = relationship()
    publications: Mapped[list[PublicationRecord]] = relationship(
        back_populates="episode", cascade="all, delete-orphan", passive_deletes=True
    )

    @property
    def music(self) -> dict[str, Any] | None:
        """The song it is, or has under it, with what is known of that (:mod:`core.music.metadata`)."""
        return self.details.get("music")


class PublicationRecord(Identified, Owned, Timestamped, Base):
    """One episode on one account: the state machine of publishing.

    ``local_time`` + ``timezone`` are what the user said, ``due_at`` what it means; ``version`` grows with every change
    and every conditional update names it. ``content_sha256`` is the file the user approved.
    """

    __tablename__ = "publication_records"
    __table_args__ = (
        Index("ix_publications_due", "due_at", postgresql_where=text("state = 'scheduled'")),
        Index(
            "ix_publications_lease",
            "lease_expires_at",
            postgresql_where=text("state IN ('claimed', 'submitting', 'processing')"),
        ),
        Index("ix_publications_metrics", "next_metrics_at", postgresql_where=text("next_metrics_at IS NOT NULL")),
        Index("ix_publications_revenue", "next_revenue_at", postgresql_where=text("next_revenue_at IS NOT NULL")),
        Index("ix_publications_board", "owner_id", "state", "due_at"),
        Index(
            "uq_publications_remote",
            "account_id",
            "remote_id",
            unique=True,
            postgresql_where=text("remote_id IS NOT NULL"),
        ),
        one_of("state", PUBLICATION_STATES, "state"),
        one_of("privacy", PRIVACIES, "privacy"),
        CheckConstraint("state <> 'scheduled' OR due_at IS NOT NULL", name="due"),
        CheckConstraint(
            "state NOT IN ('published', 'published_with_warnings') OR remote_id IS NOT NULL",
            name="remote",
        ),
    )

    episode_id: Mapped[uuid.UUID] = _reference("episodes.id")
    account_id: Mapped[uuid.UUID] = _reference("platform_accounts.id")
    asset_id: Mapped[uuid.UUID | None] = _reference("assets.id", ondelete="SET NULL")
    thumbnail_asset_id: Mapped[uuid.UUID | None] = _reference("assets.id", ondelete="SET NULL")
    platform: Mapped[str] = mapped_column(String(20))
    is_simulated: Mapped[bool] = mapped_column(default=False)

    state: Mapped[str] = mapped_column(String(30), default="draft")
    reason: Mapped[str] = mapped_column(default="")
    error: Mapped[dict[str, Any] | None]
    warnings: Mapped[list[Any]] = mapped_column(default=list)
    version: Mapped[int] = mapped_column(default=1)

    due_at: Mapped[datetime | None]
    local_time: Mapped[str | None] = mapped_column(String(32))
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")
    time_note: Mapped[str] = mapped_column(String(40), default="")
    late_limit_minutes: Mapped[int] = mapped_column(default=360)
    not_before: Mapped[datetime | None]
    platform_keeps_time: Mapped[bool] = mapped_column(default=False)
    """It is sent ahead and held private there; the platform's own clock makes it public."""
    remote_publish_at: Mapped[datetime | None]
    """The time the platform has confirmed that it keeps."""
    withdraw: Mapped[bool] = mapped_column(default=False)
    """The user took it back and the platform has not confirmed that yet."""

    title: Mapped[str] = mapped_column(String(300))
    description: Mapped[str] = mapped_column(default="")
    tags: Mapped[list[str]] = mapped_column(default=list)
    privacy: Mapped[str] = mapped_column(String(20), default="private")
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    content_sha256: Mapped[str] = mapped_column(String(64), default="")

    lease_owner: Mapped[str | None] = mapped_column(String(80))
    lease_expires_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    progress: Mapped[float] = mapped_column(default=0.0)

    remote_id: Mapped[str | None] = mapped_column(String(200))
    remote_url: Mapped[str | None]
    remote_privacy: Mapped[str | None] = mapped_column(String(20))
    published_at: Mapped[datetime | None]

    next_metrics_at: Mapped[datetime | None]
    next_revenue_at: Mapped[datetime | None]
    last_checked_at: Mapped[datetime | None]

    episode: Mapped[Episode] = relationship(back_populates="publications")
    account: Mapped[PlatformAccount] = relationship()


class PublicationAttempt(Identified, Owned, Timestamped, Base):
    """One try: the marker written before the call, the sealed resume handle, how far the bytes got, how it ended."""

    __tablename__ = "publication_attempts"
    __table_args__ = (
        UniqueConstraint("publication_id", "number", name="uq_publication_attempts_number"),
        one_of("outcome", ATTEMPT_OUTCOMES, "outcome"),
        CheckConstraint(
            "error_class IS NULL OR error_class IN (" + ", ".join(f"'{name}'" for name in ERROR_CLASSES) + ")",
            name="error",
        ),
    )

    publication_id: Mapped[uuid.UUID] = _reference("publication_records.id")
    job_id: Mapped[uuid.UUID | None] = _reference("jobs.id", ondelete="SET NULL")
    number: Mapped[int]
    marker: Mapped[str] = mapped_column(String(80), index=True)
    lease_owner: Mapped[str] = mapped_column(String(80))
    handle_sealed: Mapped[str | None]
    step: Mapped[str] = mapped_column(String(30), default="prepared")
    bytes_sent: Mapped[int] = mapped_column(BigInteger(), default=0)
    bytes_total: Mapped[int | None] = mapped_column(BigInteger())
    outcome: Mapped[str] = mapped_column(String(20), default="open")
    error_class: Mapped[str | None] = mapped_column(String(30))
    error: Mapped[dict[str, Any] | None]
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    finished_at: Mapped[datetime | None]


class PublicationStep(Identified, Owned, Timestamped, Base):
    """A step after the upload (thumbnail, captions:th, playlist:…), recorded apart: its failure never re-uploads."""

    __tablename__ = "publication_steps"
    __table_args__ = (
        UniqueConstraint("publication_id", "name", name="uq_publication_steps_name"),
        one_of("state", STEP_STATES, "state"),
    )

    publication_id: Mapped[uuid.UUID] = _reference("publication_records.id")
    name: Mapped[str] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(20), default="pending")
    remote_id: Mapped[str | None] = mapped_column(String(200))
    tries: Mapped[int] = mapped_column(default=0)
    error: Mapped[dict[str, Any] | None]


class WebhookDelivery(Identified, Base):
    """A platform's message as it came, byte for byte; a hint to be confirmed, never proof."""

    __tablename__ = "webhook_inbox"
    __table_args__ = (
        UniqueConstraint("platform", "dedupe_key", name="uq_webhook_inbox_key"),
        Index("ix_webhook_inbox_open", "received_at", postgresql_where=text("processed_at IS NULL")),
    )

    platform: Mapped[str] = mapped_column(String(20))
    dedupe_key: Mapped[str] = mapped_column(String(128))
    body: Mapped[bytes] = mapped_column(LargeBinary())
    headers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())
    processed_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(default="")


class Pipeline(Identified, Owned, Timestamped, Base):
    """A saved recipe from a new recording to scheduled posts (P2.3)."""

    __tablename__ = "pipelines"
    __table_args__ = (UniqueConstraint("owner_id", "name", name="uq_pipelines_name"),)

    name: Mapped[str] = mapped_column(String(200))
    channel_id: Mapped[uuid.UUID] = _reference("content_channels.id")
    series_id: Mapped[uuid.UUID | None] = _reference("series.id", ondelete="SET NULL")
    recipe: Mapped[dict[str, Any]] = mapped_column(default=dict)
    needs_approval: Mapped[bool] = mapped_column(default=True)
    enabled: Mapped[bool] = mapped_column(default=True)


class PipelineRun(Identified, Owned, Timestamped, Base):
    """One recording going through a recipe."""

    __tablename__ = "pipeline_runs"
    __table_args__ = (one_of("state", RUN_STATES, "state"),)

    pipeline_id: Mapped[uuid.UUID] = _reference("pipelines.id")
    source_asset_id: Mapped[uuid.UUID | None] = _reference("assets.id", ondelete="SET NULL")
    job_id: Mapped[uuid.UUID | None] = _reference("jobs.id", ondelete="SET NULL")
    state: Mapped[str] = mapped_column(String(30), default="waiting")
    step: Mapped[str] = mapped_column(String(60), default="")
    result: Mapped[dict[str, Any]] = mapped_column(default=dict)
    error: Mapped[dict[str, Any] | None]

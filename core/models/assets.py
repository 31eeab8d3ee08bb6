"""Files the studio knows, what was measured on them, and the edits made of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Float, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Base, Identified, Owned, Timestamped

ASSET_KINDS = ("video", "audio", "image", "subtitle", "midi", "tab", "document")


class Asset(Identified, Owned, Timestamped, Base):
    """One stored file. ``metadata`` in the API is ``details`` here (SQLAlchemy keeps the other name for itself)."""

    __tablename__ = "assets"
    __table_args__ = (
        CheckConstraint(f"kind IN {ASSET_KINDS!r}", name="kind"),
        CheckConstraint("size_bytes >= 0", name="size"),
        Index("ix_assets_owner_created", "owner_id", "created_at"),
    )

    kind: Mapped[str]
    name: Mapped[str]
    mime_type: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(index=True)
    storage_key: Mapped[str] = mapped_column(unique=True)
    duration_seconds: Mapped[float | None] = mapped_column(Float)
    width: Mapped[int | None]
    height: Mapped[int | None]
    fps: Mapped[str | None]
    has_audio: Mapped[bool] = mapped_column(default=False)
    loudness_lufs: Mapped[float | None] = mapped_column(Float)
    job_id: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"), index=True)
    licence: Mapped[str] = mapped_column(default="own")
    ai_generated: Mapped[bool] = mapped_column(default=False)
    hidden: Mapped[bool] = mapped_column(default=False)
    details: Mapped[dict[str, Any]] = mapped_column("metadata", default=dict)


class AssetLink(Base):
    """Lineage: ``child`` was made from ``parent``; ``role`` says as what (source, music, proxy, poster, captions …)."""

    __tablename__ = "asset_links"

    child_id: Mapped[UUID] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"), primary_key=True)
    parent_id: Mapped[UUID] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"), primary_key=True, index=True)
    role: Mapped[str] = mapped_column(default="source")


class MediaAnalysis(Identified, Timestamped, Base):
    """A measurement (words, level envelope, faces, scenes …), kept once for equal content and equal parameters."""

    __tablename__ = "media_analyses"
    __table_args__ = (UniqueConstraint("owner_id", "sha256", "kind", "parameters"),)

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    sha256: Mapped[str]
    kind: Mapped[str]
    parameters: Mapped[str] = mapped_column(default="")
    result: Mapped[dict[str, Any]]


class TimelineRow(Identified, Owned, Timestamped, Base):
    """A stored edit; ``document`` is a :class:`core.video.timeline.Timeline`. ``version`` grows with each change."""

    __tablename__ = "timelines"

    source_asset_id: Mapped[UUID] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"), index=True)
    project_id: Mapped[UUID | None] = mapped_column(ForeignKey("projects.id", ondelete="SET NULL"), index=True)
    job_id: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"), index=True)
    name: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)
    document: Mapped[dict[str, Any]]


class AudioAnalysis(Identified, Owned, Timestamped, Base):
    """Tempo, beats, key and the like of one audio asset; corrections by the user are kept beside the measurement."""

    __tablename__ = "audio_analysis"

    audio_asset_id: Mapped[UUID] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"), unique=True)
    job_id: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"), index=True)
    bpm: Mapped[float | None] = mapped_column(Float)
    key: Mapped[str | None]
    key_confidence: Mapped[float | None] = mapped_column(Float)
    scale: Mapped[str | None]
    time_signature: Mapped[str | None]
    result: Mapped[dict[str, Any]]
    corrections: Mapped[dict[str, Any]] = mapped_column(default=dict)


class StemGroup(Identified, Owned, Timestamped, Base):
    """The stems separated from one song, by name."""

    __tablename__ = "stem_groups"

    audio_asset_id: Mapped[UUID] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"), index=True)
    provider: Mapped[str]
    stems: Mapped[dict[str, Any]]


class TabRecord(Identified, Owned, Timestamped, Base):
    """A tab written for one song, instrument and difficulty."""

    __tablename__ = "tab_records"

    audio_asset_id: Mapped[UUID] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"), index=True)
    instrument: Mapped[str]
    difficulty: Mapped[str]
    document: Mapped[dict[str, Any]]


class Upload(Owned, Timestamped, Base):
    """A resumable upload under way; the bytes lie in the upload folder under the same identifier."""

    __tablename__ = "uploads"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    asset_id: Mapped[UUID | None] = mapped_column(ForeignKey("assets.id", ondelete="SET NULL"), index=True)
    finished_at: Mapped[datetime | None]
    error: Mapped[dict[str, Any] | None]

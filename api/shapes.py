"""What the API answers (SPEC H, "Shapes that callers rely on"), and how rows become that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from core import assets
from core.i18n import has, t
from core.models.assets import Asset
from core.models.jobs import Job


class Accepted(BaseModel):
    """Work was started."""

    job_id: UUID


class AssetOut(BaseModel):
    """One file of the library. Seconds, pixels, LUFS; ``fps`` is frames per second."""

    id: UUID
    kind: str
    name: str
    mime_type: str
    size_bytes: int
    sha256: str
    duration_seconds: float | None
    width: int | None
    height: int | None
    fps: float | None
    has_audio: bool
    loudness_lufs: float | None
    parent_asset_ids: list[UUID]
    job_id: UUID | None
    licence: str
    ai_generated: bool
    metadata: dict[str, Any]
    created_at: datetime


class JobError(BaseModel):
    """Why a job failed."""

    type: str
    title: str
    detail: str
    retryable: bool


class JobOut(BaseModel):
    """One piece of background work; ``stage`` says in words what it does; ``result`` is empty until it succeeded."""

    id: UUID
    kind: str
    status: str
    progress: float = Field(ge=0, le=1)
    stage: str
    attempts: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    project_id: UUID | None
    parent_id: UUID | None
    error: JobError | None
    result: dict[str, Any]


class JobLine(BaseModel):
    """One line of a job's log."""

    at: datetime
    level: str
    message: str


def rate(text: str | None) -> float | None:
    """Frames per second as a number, from ``"30000/1001"`` or ``"25"``."""
    if not text:
        return None
    top, _, bottom = text.partition("/")
    return round(float(top) / float(bottom or 1), 6)


def asset_out(asset: Asset, parents: Sequence[UUID]) -> AssetOut:
    """The API's view of an asset's row."""
    return AssetOut(
        id=asset.id,
        kind=asset.kind,
        name=asset.name,
        mime_type=asset.mime_type,
        size_bytes=asset.size_bytes,
        sha256=asset.sha256,
        duration_seconds=asset.duration_seconds,
        width=asset.width,
        height=asset.height,
        fps=rate(asset.fps),
        has_audio=asset.has_audio,
        loudness_lufs=asset.loudness_lufs,
        parent_asset_ids=list(parents),
        job_id=asset.job_id,
        licence=asset.licence,
        ai_generated=asset.ai_generated,
        metadata=asset.details,
        created_at=asset.created_at,
    )


def assets_out(session: Session, rows: Sequence[Asset]) -> list[AssetOut]:
    """Several assets with their parents, in two queries."""
    parents = assets.parent_ids(session, [row.id for row in rows])
    return [asset_out(row, parents.get(row.id, [])) for row in rows]


_PROPOSED = ("candidates", "chapters", "borders")


def in_words(result: dict[str, Any], language: str) -> dict[str, Any]:
    """A job's result with the reasons of its rows as sentences; the store keeps the keys of messages."""

    def told(row: Any) -> Any:
        if not isinstance(row, dict) or not isinstance(row.get("reasons"), list):
            return row
        return {**row, "reasons": [t(key, language) if has(key) else key for key in row["reasons"]]}

    lists = {name: result.get(name) or [] for name in ("outputs", *_PROPOSED) if name == "outputs" or name in result}
    return {**result, **{name: [told(row) for row in rows] for name, rows in lists.items()}}


def job_out(job: Job, language: str = "en") -> JobOut:
    """The API's view of a job's row."""
    return JobOut(
        id=job.id,
        kind=job.kind,
        status=job.status,
        progress=job.progress,
        stage=t(job.stage, language) if has(job.stage) else job.stage,
        attempts=job.attempts,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        project_id=job.project_id,
        parent_id=job.parent_id,
        error=JobError.model_validate(job.error) if job.error else None,
        result=in_words(job.result or {"asset_ids": [], "outputs": []}, language),
    )

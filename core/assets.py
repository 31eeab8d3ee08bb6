"""The library's rows: adding a finished file, finding, renaming and deleting assets, and where each came from."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Select, String, cast, func, or_, select
from sqlalchemy import delete as delete_rows
from sqlalchemy.orm import Session

from core.database import get_owned
from core.errors import Conflict, InvalidInput
from core.models.assets import Asset, AssetLink, MediaAnalysis
from core.models.jobs import Job
from core.security import Actor
from core.storage import safe_name, storage


@dataclass(frozen=True)
class StagedAsset:
    """A file already moved into the store whose row is not written yet. JSON-safe through :meth:`as_dict`."""

    asset_id: str
    kind: str
    name: str
    storage_key: str
    size_bytes: int
    sha256: str
    mime_type: str
    parents: dict[str, str] = field(default_factory=dict)
    duration_seconds: float | None = None
    width: int | None = None
    height: int | None = None
    fps: str | None = None
    has_audio: bool = False
    loudness_lufs: float | None = None
    licence: str = "own"
    ai_generated: bool = False
    hidden: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def mime_type_of(name: str) -> str:
    """MIME type by file name; ``application/octet-stream`` when unknown."""
    known = {".srt": "application/x-subrip", ".vtt": "text/vtt", ".ass": "text/x-ssa", ".m4a": "audio/mp4"}
    known |= {".gp5": "application/x-guitar-pro", ".musicxml": "application/vnd.recordare.musicxml+xml"}
    known |= {".mid": "audio/midi"}
    return known.get(Path(name).suffix.lower()) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def add(session: Session, owner_id: UUID, staged: StagedAsset, job_id: UUID | None = None) -> Asset:
    """Insert the row of a staged file and its lineage. Idempotent: a row that exists already is returned."""
    existing = session.get(Asset, UUID(staged.asset_id))
    if existing is not None:
        return existing
    asset = Asset(
        id=UUID(staged.asset_id),
        owner_id=owner_id,
        kind=staged.kind,
        name=staged.name,
        mime_type=staged.mime_type,
        size_bytes=staged.size_bytes,
        sha256=staged.sha256,
        storage_key=staged.storage_key,
        duration_seconds=staged.duration_seconds,
        width=staged.width,
        height=staged.height,
        fps=staged.fps,
        has_audio=staged.has_audio,
        loudness_lufs=staged.loudness_lufs,
        job_id=job_id,
        licence=staged.licence,
        ai_generated=staged.ai_generated,
        hidden=staged.hidden,
        details=staged.metadata,
    )
    session.add(asset)
    session.flush()
    for parent_id, role in staged.parents.items():
        if session.get(Asset, UUID(parent_id)) is not None:
            session.add(AssetLink(child_id=asset.id, parent_id=UUID(parent_id), role=role))
    session.flush()
    return asset


def get(session: Session, asset_id: UUID | str) -> Asset:
    """One asset in the session's scope; raises :class:`core.errors.NotFound`."""
    return get_owned(session, Asset, asset_id)


def path_of(asset: Asset) -> Path:
    """The asset's local file."""
    return storage().local_path(asset.storage_key)


def search(
    session: Session,
    *,
    text: str = "",
    kind: str | None = None,
    include_hidden: bool = False,
    with_stems: bool = True,
    limit: int = 50,
    offset: int = 0,
) -> list[Asset]:
    """Assets of the session's owner, newest first; ``text`` is looked for in the names, case-insensitively. Pages that
    show stems with their song leave them out here."""
    matching = _matching(text, kind, include_hidden)
    if not with_stems:
        matching = matching.where(Asset.details["stem"].astext.is_(None))
    statement = matching.order_by(Asset.created_at.desc(), Asset.id.desc())
    return list(session.scalars(statement.limit(min(limit, 500)).offset(offset)))


def count(session: Session, *, text: str = "", kind: str | None = None, include_hidden: bool = False) -> int:
    """How many assets :func:`search` finds on all its pages."""
    matching = _matching(text, kind, include_hidden)
    return session.scalar(matching.with_only_columns(func.count())) or 0


def _matching(text: str, kind: str | None, include_hidden: bool) -> Select[Asset]:
    statement = select(Asset)
    if text:
        escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        statement = statement.where(Asset.name.ilike(f"%{escaped}%"))
    if kind:
        statement = statement.where(Asset.kind == kind)
    if not include_hidden:
        statement = statement.where(Asset.hidden.is_(False))
    return statement


def rename(session: Session, actor: Actor, asset_id: UUID | str, name: str) -> Asset:
    """Give an asset another name."""
    actor.require("editor")
    if not name.strip():
        raise InvalidInput("A name must not be empty.")
    asset = get(session, asset_id)
    asset.name = safe_name(name)
    return asset


@dataclass(frozen=True)
class Lineage:
    """What an asset was made from, and what was made from it."""

    parents: Sequence[tuple[Asset, str]]
    children: Sequence[tuple[Asset, str]]


def lineage(session: Session, asset_id: UUID | str) -> Lineage:
    """Both directions of one step; the caller walks on from there."""
    asset = get(session, asset_id)
    parents = session.execute(
        select(Asset, AssetLink.role)
        .join(AssetLink, AssetLink.parent_id == Asset.id)
        .where(AssetLink.child_id == asset.id)
    ).all()
    children = session.execute(
        select(Asset, AssetLink.role)
        .join(AssetLink, AssetLink.child_id == Asset.id)
        .where(AssetLink.parent_id == asset.id)
    ).all()
    return Lineage([(row[0], row[1]) for row in parents], [(row[0], row[1]) for row in children])


def waveform(session: Session, asset: Asset) -> dict[str, Any] | None:
    """``{per_second, peaks}`` as the ingest job measured them last; None before that, and for what has no sound."""
    return session.scalar(
        select(MediaAnalysis.result)
        .where(
            MediaAnalysis.owner_id == asset.owner_id,
            MediaAnalysis.sha256 == asset.sha256,
            MediaAnalysis.kind == "peaks",
        )
        .order_by(MediaAnalysis.created_at.desc())
        .limit(1)
    )


def parent_ids(session: Session, asset_ids: Iterable[UUID]) -> dict[UUID, list[UUID]]:
    """Parents of several assets at once."""
    found: dict[UUID, list[UUID]] = {}
    for child_id, parent_id in session.execute(
        select(AssetLink.child_id, AssetLink.parent_id).where(AssetLink.child_id.in_(list(asset_ids)))
    ):
        found.setdefault(child_id, []).append(parent_id)
    return found


def delete(session: Session, actor: Actor, asset_id: UUID | str, *, with_dependants: bool = False) -> list[str]:
    """Delete an asset and its derived helper files; returns the storage keys to remove once the change is committed.

    Raises:
        Conflict: visible assets were made from it and ``with_dependants`` is false.
    """
    actor.require("editor")
    asset = get(session, asset_id)
    children = [child for child, _role in lineage(session, asset.id).children]
    visible = [child for child in children if not child.hidden]
    if visible and not with_dependants:
        names = ", ".join(child.name for child in visible[:3])
        raise Conflict(f"{len(visible)} results were made from this file.", f"Delete them too, or keep it: {names}")
    keys = [asset.storage_key]
    for child in children:
        if session.get(Asset, child.id) is not None:
            keys += delete(session, actor, child.id, with_dependants=with_dependants)
    session.execute(delete_rows(AssetLink).where(or_(AssetLink.child_id == asset.id, AssetLink.parent_id == asset.id)))
    session.delete(asset)
    session.flush()
    return keys


def unowned(session: Session, keys: Sequence[str]) -> list[str]:
    """Which of these files of the store belong to no asset, nor to a job that could still go on from where it was."""
    known = set(session.scalars(select(Asset.storage_key).where(Asset.storage_key.in_(keys))))
    unknown = [key for key in keys if key not in known]
    if not unknown:
        return []
    waiting = " ".join(
        session.scalars(select(cast(Job.checkpoints, String)).where(Job.status != "succeeded", Job.checkpoints != {}))
    )
    return [key for key in unknown if key not in waiting]


def remove_files(keys: Iterable[str]) -> None:
    """Remove files whose rows are gone (after the commit)."""
    for key in keys:
        storage().delete(key)


def disk_used(session: Session) -> int:
    """Bytes of all assets in the session's scope."""
    return session.scalar(select(func.coalesce(func.sum(Asset.size_bytes), 0))) or 0

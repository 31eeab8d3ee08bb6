"""What a task works with: its payload's job, a private folder, progress that can cancel, staged assets, checkpoints."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from core import assets, database
from core.assets import StagedAsset, mime_type_of
from core.errors import JobCancelled
from core.jobs import lifecycle
from core.models.assets import Asset, MediaAnalysis
from core.models.base import Base, uuid7
from core.models.jobs import Job
from core.settings import get_settings
from core.storage import asset_key, require_space, safe_name, sha256_of, storage
from workers import leftovers

REPORT_INTERVAL = 0.25
_log = logging.getLogger(__name__)


def attempt_folder(job_id: UUID, attempt: int | str) -> str:
    """Name of an attempt's private folder."""
    return f"{job_id}-{attempt}"


def _pixels(path: Path) -> dict[str, int]:
    from PIL import Image

    with Image.open(path) as picture:  # reads the header alone
        return {"width": picture.width, "height": picture.height}


class JobContext:
    """One attempt of one job."""

    def __init__(self, job: Job) -> None:
        assert job.attempt_token is not None
        self.job_id: UUID = job.id
        self.owner_id: UUID = job.owner_id
        self.kind: str = job.kind
        self.project_id: UUID | None = job.project_id
        self.token: UUID = job.attempt_token
        self.attempt: int = job.attempts
        self.checkpoints: dict[str, Any] = dict(job.checkpoints)
        # Of this attempt alone: one that was taken for dead and wakes up must not write among its successor's files.
        self.folder: Path = get_settings().jobs_dir / attempt_folder(job.id, job.attempts)
        self.stop_requested = threading.Event()
        self.stale = threading.Event()
        self.done = threading.Event()
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.rows: list[Base] = []  # of the final transaction, beside the assets
        self._staged: dict[str, StagedAsset] = {}
        self._fraction = 0.0
        self._stage = job.stage
        self._reported_at = 0.0

    def prepare(self) -> None:
        """An empty private folder; those of earlier attempts go."""
        for left in self.folder.parent.glob(attempt_folder(self.job_id, "*")):
            leftovers.remove_folder(left)
        self.folder.mkdir(parents=True)
        require_space(0)

    def clean(self) -> None:
        """Remove the private folder with whatever the attempt left in it; without a database it is the dispatcher's."""
        with suppress(OperationalError):
            leftovers.remove_folder(self.folder)

    def progress(self, fraction: float, stage: str | None = None) -> None:
        """Report progress (a :class:`core.progress.Progress`); stored and shown at most four times a second.

        Raises:
            JobCancelled: the user cancelled, or another attempt has taken over.
        """
        if self.stop_requested.is_set() or self.stale.is_set():
            raise JobCancelled
        now = time.monotonic()
        changed_stage = stage is not None and stage != self._stage
        self._fraction = max(self._fraction, min(fraction, 0.999))
        self._stage = stage or self._stage
        if not changed_stage and now - self._reported_at < REPORT_INTERVAL:
            return
        self._reported_at = now
        try:
            with self.session() as session:
                if not lifecycle.report(session, self.job_id, self.token, self._fraction, self._stage):
                    self.stale.set()
        except OperationalError as error:
            # Only what is shown is lost; whether the attempt goes on is the heartbeat's to find out.
            _log.warning("progress could not be stored: %s", error)
        if self.stale.is_set():
            raise JobCancelled

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction limited to the rows of the job's owner."""
        with database.session() as session:
            session.info["owner_id"] = self.owner_id
            yield session

    def log(self, message: str, level: str = "info") -> None:
        """A line in the job's log on the Jobs page."""
        with self.session() as session:
            lifecycle.log(session, self.job_id, level, message)

    def asset(self, asset_id: UUID | str) -> Asset:
        """An asset of the job's owner; raises :class:`NotFound`."""
        with self.session() as session:
            return assets.get(session, asset_id)

    def asset_path(self, asset_id: UUID | str) -> Path:
        """The local file of an asset."""
        return assets.path_of(self.asset(asset_id))

    def stage_asset(
        self,
        path: Path,
        *,
        kind: str,
        name: str,
        parents: Mapping[UUID | str, str] | None = None,
        metadata: dict[str, Any] | None = None,
        **fields: Any,
    ) -> StagedAsset:
        """Move a finished file from the job's folder into the store; its row is written with the job's result.

        ``parents`` maps parent asset ids to their role (source, music, captions …). ``fields`` are those of
        :class:`core.assets.StagedAsset` (duration_seconds, width, height, fps, has_audio, loudness_lufs, licence …).
        """
        asset_id = uuid7()
        clean_name = safe_name(name)
        key = asset_key(asset_id, path.suffix)
        size, digest = path.stat().st_size, sha256_of(path)
        if kind == "image":
            fields = {**_pixels(path), **fields}
        leftovers.note_key(self.folder, key)
        storage().put(path, key)
        staged = StagedAsset(
            asset_id=str(asset_id),
            kind=kind,
            name=clean_name,
            storage_key=key,
            size_bytes=size,
            sha256=digest,
            mime_type=mime_type_of(str(path)),
            parents={str(parent): role for parent, role in (parents or {}).items()},
            metadata=metadata or {},
            **fields,
        )
        self._staged[staged.asset_id] = staged
        return staged

    def adopt(self, stored: Mapping[str, Any]) -> StagedAsset:
        """Take over an asset that an earlier attempt staged and checkpointed (:meth:`StagedAsset.as_dict`)."""
        staged = StagedAsset(**stored)
        storage().local_path(staged.storage_key)
        self._staged[staged.asset_id] = staged
        return staged

    def checkpoint(self, key: str, value: Any) -> None:
        """Store a JSON value that the next attempt finds in :attr:`checkpoints`.

        Raises:
            JobCancelled: another attempt has taken over.
        """
        with self.session() as session:
            job = lifecycle.lock_attempt(session, self.job_id, self.token)
            if job is None:
                self.stale.set()
                raise JobCancelled
            self.checkpoints = {**job.checkpoints, key: value}
            job.checkpoints = self.checkpoints

    def emit(self, kind: str, data: dict[str, Any]) -> None:
        """An event of the final transaction; the job's id is added."""
        self.events.append((kind, {"job_id": str(self.job_id), **data}))

    def staged(self) -> list[StagedAsset]:
        """What this attempt has staged or adopted, in order."""
        return list(self._staged.values())

    def analysis(self, sha256: str, kind: str, parameters: str = "") -> dict[str, Any] | None:
        """A stored measurement of equal content and parameters."""
        with self.session() as session:
            return session.scalar(
                select(MediaAnalysis.result).where(
                    MediaAnalysis.owner_id == self.owner_id,
                    MediaAnalysis.sha256 == sha256,
                    MediaAnalysis.kind == kind,
                    MediaAnalysis.parameters == parameters,
                )
            )

    def store_analysis(self, sha256: str, kind: str, result: dict[str, Any], parameters: str = "") -> None:
        """Keep a measurement; an equal one that another job stored meanwhile stays."""
        with self.session() as session:
            session.execute(
                insert(MediaAnalysis)
                .values(
                    owner_id=self.owner_id, sha256=sha256, kind=kind, parameters=parameters, result=result, id=uuid7()
                )
                .on_conflict_do_nothing()
            )

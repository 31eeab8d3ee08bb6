"""A file that arrived completely becomes an asset: examined, hashed, moved into the store, then told to ``ingest``.

The API must not import an engine, so the file is examined by ``python -m workers.probe``, a process of its own; what
the studio cannot work on is refused with a sentence before it is ever visible. The upload's identifier becomes the
asset's, so that finishing twice (a lost answer, a killed server) makes one asset.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from api.shapes import AssetOut, assets_out
from core import assets, database, events, jobs
from core.assets import StagedAsset
from core.errors import EngineFailed, NotFound, StudioError
from core.models.assets import Upload
from core.security import Actor
from core.settings import get_settings
from core.storage import asset_key, safe_name, sha256_of, storage
from core.video.payloads import IngestInput

EXAMINE_SECONDS = 660
_ROOT = Path(__file__).resolve().parent.parent
# Names that say more than the container does.
_KNOWN_NAMES = {(".mkv", ".webm"): (".webm", "video/webm"), (".mp4", ".mov"): (".mov", "video/mp4")}
_log = logging.getLogger(__name__)
_under_way: dict[UUID, asyncio.Task[AssetOut]] = {}


@dataclass(frozen=True)
class Arrival:
    """A complete file at ``path``. ``asset_id`` is the identifier it will have, ``name`` what its user calls it."""

    asset_id: UUID
    path: Path
    name: str


class Refused(StudioError):
    """A file the studio refused, with the sentence it was refused with."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(str(error["title"]), str(error["detail"]), retryable=bool(error["retryable"]))
        self.type = str(error["type"])
        self.status = {"unsupported-media": 422, "out-of-space": 507}.get(self.type, 500)


async def take_in(actor: Actor, arrival: Arrival) -> AssetOut:
    """Make the asset; callers for the same file share one run, which goes on when a caller goes away.

    Raises:
        Refused: the studio does not work on this file; it is gone, and the sentence is kept with the upload.
        NotFound: there is no such file.
    """
    task = _under_way.get(arrival.asset_id)
    if task is None:
        task = asyncio.create_task(_take_in(actor, arrival), name=f"arrival {arrival.asset_id}")
        _under_way[arrival.asset_id] = task
        task.add_done_callback(lambda done: _forget(arrival.asset_id, done))
    return await asyncio.shield(task)


def _forget(asset_id: UUID, task: asyncio.Task[AssetOut]) -> None:
    _under_way.pop(asset_id, None)
    if not task.cancelled() and task.exception() is not None:  # seen here even when no caller is left to see it
        _log.info("the file %s was not taken in: %s", asset_id, task.exception())


async def _take_in(actor: Actor, arrival: Arrival) -> AssetOut:
    known = await asyncio.to_thread(_existing, actor, arrival.asset_id)
    if known is not None:
        return known
    if not arrival.path.is_file():
        raise NotFound("That upload does not exist.", "Upload the file again.")
    examined = await _examine(arrival.path)
    if "error" in examined:
        refusal = Refused(examined["error"])
        if refusal.status < 500:
            await asyncio.to_thread(_refuse, actor, arrival, examined["error"])
        raise refusal
    return await asyncio.to_thread(_store, actor, arrival, examined)


async def _examine(path: Path) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "workers.probe", str(path), cwd=_ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), EXAMINE_SECONDS)
    except (TimeoutError, asyncio.CancelledError):
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        raise EngineFailed("The file could not be examined.", "The log says why.", retryable=True)
    answer: dict[str, Any] = json.loads(output)
    return answer


def _existing(actor: Actor, asset_id: UUID) -> AssetOut | None:
    with database.session(actor) as session:
        try:
            return assets_out(session, [assets.get(session, asset_id)])[0]
        except NotFound:
            return None


def _refuse(actor: Actor, arrival: Arrival, error: dict[str, Any]) -> None:
    with database.session(actor) as session:
        upload = session.get(Upload, arrival.asset_id.hex)
        if upload is not None:
            upload.error = error
            upload.finished_at = datetime.now(UTC)
    remove_upload(arrival.path)


def remove_upload(path: Path) -> None:
    """Remove an upload's bytes and what the client said about it."""
    path.unlink(missing_ok=True)
    path.with_suffix(".info").unlink(missing_ok=True)


def _store(actor: Actor, arrival: Arrival, examined: dict[str, Any]) -> AssetOut:
    name = safe_name(arrival.name)
    said = Path(name).suffix.lower()
    suffix, mime_type = _KNOWN_NAMES.get((examined["suffix"], said), (examined["suffix"], examined["mime_type"]))
    key = asset_key(arrival.asset_id, suffix)
    size, digest = arrival.path.stat().st_size, sha256_of(arrival.path)
    # A second name for the bytes: the upload keeps its own until the row is committed, so a crash loses nothing.
    linked = arrival.path.with_suffix(".done")
    linked.unlink(missing_ok=True)
    os.link(arrival.path, linked)
    storage().put(linked, key)
    staged = StagedAsset(
        asset_id=str(arrival.asset_id),
        kind=examined["kind"],
        name=name,
        storage_key=key,
        size_bytes=size,
        sha256=digest,
        mime_type=mime_type,
        metadata={"probe": examined["details"]},
        **examined["fields"],
    )
    try:
        row = _commit(actor, staged)
    except IntegrityError:  # another server finished the same upload a moment earlier
        found = _existing(actor, arrival.asset_id)
        if found is None:
            raise
        row = found
    remove_upload(arrival.path)
    return row


def _commit(actor: Actor, staged: StagedAsset) -> AssetOut:
    with database.session(actor) as session:
        asset = assets.add(session, actor.owner_id, staged)
        upload = session.get(Upload, UUID(staged.asset_id).hex)
        if upload is not None:
            upload.asset_id = asset.id
            upload.finished_at = datetime.now(UTC)
        if staged.kind in ("video", "audio"):
            jobs.submit(session, actor, "ingest", IngestInput(asset_id=asset.id))
        if staged.kind == "video":
            events.emit(session, events.RECORDING_IMPORTED, actor.owner_id, {"asset_id": str(asset.id)})
        session.refresh(asset)
        return assets_out(session, [asset])[0]


def refused_error(actor: Actor, upload_id: str) -> Refused | None:
    """The sentence an earlier upload was refused with."""
    with database.session(actor) as session:
        upload = session.get(Upload, upload_id)
        return Refused(upload.error) if upload is not None and upload.error else None


def uploads_folder() -> Path:
    """Where uploads lie until they are assets."""
    folder = get_settings().uploads_dir
    folder.mkdir(parents=True, exist_ok=True)
    return folder

"""The library over HTTP (P1.3, H8): search, rename, delete, play, download, lineage, small files in one request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from zipstream import ZIP_STORED, ZipStream

from api.arrival import Arrival, remove_upload, take_in, uploads_folder
from api.dependencies import CurrentActor, Editor, Limit, Offset, Scoped
from api.media import MediaFile
from api.multipart import receive_file
from api.shapes import AssetOut, assets_out
from core import assets, database
from core.errors import InvalidInput, NotFound
from core.models.assets import Asset
from core.models.base import uuid7
from core.publishing.library import delete_asset as delete_asset_row

router = APIRouter(prefix="/assets", tags=["assets"])
Kind = Literal["video", "audio", "image", "subtitle", "midi", "tab", "document"]
MAXIMUM_IN_ZIP = 200
# Shown in the page; everything else is only ever a download. None of these runs script.
_INLINE = ("video/", "audio/", "image/png", "image/jpeg", "image/webp", "image/gif", "text/vtt")
_CONTENT_POLICY = "default-src 'none'; media-src 'self'; img-src 'self'; style-src 'unsafe-inline'; sandbox"


class Rename(BaseModel):
    """What can be changed on an asset."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=300)


class Relative(BaseModel):
    """An asset one step away, and as what it was used (source, music, captions …)."""

    role: str
    asset: AssetOut


class PeaksOut(BaseModel):
    """The loudest sample (0–1) of each of ``per_second`` equal parts of a second."""

    per_second: float
    peaks: list[float]


class LineageOut(BaseModel):
    """What an asset was made from, and what was made from it."""

    parents: list[Relative]
    children: list[Relative]


@router.post(
    "",
    status_code=201,
    openapi_extra={
        "requestBody": {
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["file"],
                        "properties": {"file": {"type": "string", "format": "binary"}},
                    }
                }
            }
        }
    },
)
async def add_asset(request: Request, actor: Editor) -> AssetOut:
    """Take a small file (multipart field ``file``) and answer the asset, probed.

    The file is examined in a process of its own before there is an asset, so a refusal is the answer (422); peaks,
    thumbnails, loudness and a proxy follow from an ``ingest`` job. Large files go through ``/uploads``.
    """
    asset_id = uuid7()
    path = uploads_folder() / asset_id.hex
    try:
        name = await receive_file(request, path)
        return await take_in(actor, Arrival(asset_id, path, name))
    finally:
        remove_upload(path)


@router.get("")
def list_assets(
    session: Scoped,
    response: Response,
    search: Annotated[str, Query(max_length=200, description="part of the name")] = "",
    kind: Kind | None = None,
    include_hidden: Annotated[bool, Query(description="helper files too: posters, proxies, built-in tracks")] = False,
    limit: Limit = 50,
    offset: Offset = 0,
) -> list[AssetOut]:
    """Assets, newest first; ``X-Total-Count`` is the number of all that match."""
    rows = assets.search(session, text=search, kind=kind, include_hidden=include_hidden, limit=limit, offset=offset)
    response.headers["X-Total-Count"] = str(
        assets.count(session, text=search, kind=kind, include_hidden=include_hidden)
    )
    return assets_out(session, rows)


@router.get("/zip", response_class=StreamingResponse, responses={200: {"content": {"application/zip": {}}}})
def zip_of(actor: CurrentActor, ids: Annotated[list[str], Query(max_length=MAXIMUM_IN_ZIP)]) -> StreamingResponse:
    """Several assets as one ZIP, streamed; ``ids`` may be repeated or separated by commas."""
    wanted = list(dict.fromkeys(part for item in ids for part in item.split(",") if part))
    if not 0 < len(wanted) <= MAXIMUM_IN_ZIP:
        raise InvalidInput(f"Choose between 1 and {MAXIMUM_IN_ZIP} files.")
    with database.session(actor) as session:
        rows = [assets.get(session, asset_id) for asset_id in wanted]
    archive = ZipStream(compress_type=ZIP_STORED, sized=True)
    for row, name in zip(rows, distinct_names([row.name for row in rows]), strict=True):
        archive.add_path(str(assets.path_of(row)), name)
    headers = {
        "Content-Length": str(len(archive)),
        "Content-Disposition": 'attachment; filename="creator-studio.zip"',
    }
    return StreamingResponse(iter(archive), media_type="application/zip", headers=headers)


def distinct_names(names: Sequence[str]) -> list[str]:
    """Names made different by a number where they repeat (without regard to case)."""
    taken: set[str] = set()
    repeats: Counter[str] = Counter()
    distinct = []
    for name in names:
        candidate = name
        while candidate.lower() in taken:
            repeats[name.lower()] += 1
            parts = PurePath(name)
            candidate = f"{parts.stem} ({repeats[name.lower()] + 1}){parts.suffix}"
        taken.add(candidate.lower())
        distinct.append(candidate)
    return distinct


@router.get("/{asset_id}")
def one_asset(session: Scoped, asset_id: UUID) -> AssetOut:
    """One asset."""
    return assets_out(session, [assets.get(session, asset_id)])[0]


@router.patch("/{asset_id}")
def rename_asset(session: Scoped, actor: CurrentActor, asset_id: UUID, change: Rename) -> AssetOut:
    """Give an asset another name."""
    return assets_out(session, [assets.rename(session, actor, asset_id, change.name)])[0]


@router.delete("/{asset_id}", status_code=204)
def delete_asset(actor: CurrentActor, asset_id: UUID, with_dependants: bool = False) -> None:
    """Delete an asset, its helper files and its drafts. Answers 409 while results made from it exist, unless those go
    too, and while a publication needs the file."""
    with database.session(actor) as session:
        keys = delete_asset_row(session, actor, asset_id, with_dependants=with_dependants)
    assets.remove_files(keys)


@router.head("/{asset_id}/content", include_in_schema=False)
@router.get("/{asset_id}/content", response_class=MediaFile)
def content(request: Request, actor: CurrentActor, asset_id: UUID, download: bool = False) -> Response:
    """The file itself, with HTTP Range. Media a browser plays are shown in place; everything else, and everything
    with ``download=1``, is a download. No file can run script in the studio's origin (nosniff, sandbox)."""
    with database.session(actor) as session:
        asset = assets.get(session, asset_id)
    tag = f'"{asset.sha256}"'
    headers = {
        "ETag": tag,
        "Cache-Control": "private, max-age=3600",
        "Content-Security-Policy": _CONTENT_POLICY,
    }
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    inline = asset.mime_type.startswith(_INLINE) and not download
    return MediaFile(
        assets.path_of(asset),
        media_type=asset.mime_type if asset.mime_type.startswith(_INLINE) else "application/octet-stream",
        filename=asset.name,
        content_disposition_type="inline" if inline else "attachment",
        headers=headers,
    )


@router.get("/{asset_id}/lineage")
def lineage(session: Scoped, asset_id: UUID) -> LineageOut:
    """One step in both directions; walk on from there."""
    found = assets.lineage(session, asset_id)
    return LineageOut(parents=_relatives(session, found.parents), children=_relatives(session, found.children))


@router.get("/{asset_id}/peaks")
def peaks(session: Scoped, asset_id: UUID) -> PeaksOut:
    """The waveform of an uploaded sound; 404 before its ingest job has measured it, and for what has no sound."""
    measured = assets.waveform(session, assets.get(session, asset_id))
    if measured is None:
        raise NotFound("This file has no waveform.", "The ingest job of an upload measures it, where there is sound.")
    return PeaksOut.model_validate(measured)


def _relatives(session: Scoped, related: Sequence[tuple[Asset, str]]) -> list[Relative]:
    shown = assets_out(session, [asset for asset, _role in related])
    return [Relative(role=role, asset=out) for out, (_asset, role) in zip(shown, related, strict=True)]

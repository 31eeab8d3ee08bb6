"""Resumable uploads: tus 1.0 (core, creation, termination, expiration) by tuspyserver, guarded and completed by us.

The library speaks the protocol; around it lie: whose upload it is (another owner's is 404), limits and free disk
before the first byte, metadata made harmless, no bodies held in memory, and the step from a complete file to an asset.
An upload's identifier is also its asset's: ``GET /uploads/{id}/asset`` answers the asset as soon as it is one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Path, Request, Response
from pydantic import BaseModel
from sqlalchemy import delete, select
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from tuspyserver import create_tus_router

from api.arrival import Arrival, refused_error, take_in, uploads_folder
from api.dependencies import CurrentActor, Editor, Scoped
from api.shapes import AssetOut
from api.upload_storage import UploadStorage
from core import database
from core.errors import BadRequest, Conflict, InvalidInput, NotFound, TooLarge
from core.models.assets import Upload
from core.models.base import uuid7
from core.security import Actor
from core.settings import get_settings
from core.storage import require_space, safe_name

KEEP = timedelta(days=7)
MAXIMUM_UNFINISHED = 100
ANSWER_SECONDS = 20.0
IDLE_SECONDS = 30.0
EXTENSIONS = "creation,expiration,termination"
TUS_VERSION = "1.0.0"
_TUS = {"Tus-Resumable": TUS_VERSION, "Tus-Version": TUS_VERSION, "Tus-Extension": EXTENSIONS}

router = APIRouter(tags=["uploads"])
storage = UploadStorage()
UploadId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


class UploadOut(BaseModel):
    """An upload that has not arrived completely. ``offset`` bytes of ``size_bytes`` are here."""

    id: str
    name: str
    size_bytes: int
    offset: int
    created_at: datetime


async def new_upload_id() -> str:
    """The identifier of the upload about to be made, and of the asset it will become."""
    return uuid7().hex


NewUploadId = Annotated[str, Depends(new_upload_id)]


def _own_upload(actor: Actor, upload_id: str) -> Upload:
    with database.session(actor) as session:
        upload = session.scalar(select(Upload).where(Upload.id == upload_id))
    if upload is None:
        raise NotFound("That upload does not exist.", "It may have expired. Upload the file again.")
    return upload


def checked(request: Request, actor: CurrentActor) -> None:
    """Before the library sees a request: whose upload it is, and nothing that we do not offer. The library looks at a
    PATCH's version and content type only after it has written the body, so those are decided here.

    Raises:
        NotFound: somebody else's upload.
        HTTPException: 412 for another version of the protocol, or none (tus 1.0, "Tus-Resumable"); 415 for a PATCH
            that carries something else than an upload's bytes.
        BadRequest: a body with the creation, deferred length or concatenation; the library would hold the body of a
            creation in memory, and joined parts could exceed every limit. A length that is no number.
    """
    headers = request.headers
    version = headers.get("tus-resumable", "" if request.method in ("POST", "PATCH", "DELETE") else TUS_VERSION)
    if request.method != "OPTIONS" and version != TUS_VERSION:
        raise HTTPException(412, headers={"Tus-Version": TUS_VERSION})
    upload_id = request.path_params.get("uuid")
    if upload_id is not None:
        _own_upload(actor, str(upload_id))
    if request.method in ("PATCH", "DELETE", "POST"):
        actor.require("editor")
    if "upload-concat" in headers or "upload-defer-length" in headers:
        raise BadRequest("The studio takes each file as one upload of a known size.", f"It offers {EXTENSIONS}.")
    if request.method == "POST":
        if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
            raise BadRequest("Make the upload first, then send its bytes with PATCH.")
        if "upload-length" not in headers:
            raise BadRequest("The upload does not say how long it is.", "Send Upload-Length, the number of its bytes.")
    if request.method == "PATCH":
        if headers.get("content-type") != "application/offset+octet-stream":
            raise HTTPException(415)
        if not headers.get("upload-offset", "").isdecimal():
            raise BadRequest("The request does not say where its bytes go.", "Send Upload-Offset, as HEAD answers it.")
        if "upload-length" in headers:
            raise BadRequest("An upload's length is said when it is made.")


def before_creation(
    actor: Editor, upload_id: NewUploadId
) -> Callable[[dict[str, str], dict[str, Any]], Awaitable[None]]:
    """The library's hook before it makes a file."""

    async def check(metadata: dict[str, str], info: dict[str, Any]) -> None:
        size = info["size"]
        if size is None or size < 1:
            raise InvalidInput("This file is empty.", "Choose a file that holds something.")
        name = safe_name(metadata.get("filename") or metadata.get("name") or "", "upload")
        metadata.clear()
        metadata.update(filename=name, filetype="application/octet-stream")
        await run_in_threadpool(_register, actor, upload_id, name, size)

    return check


def _register(actor: Actor, upload_id: str, name: str, size: int) -> None:
    limit = get_settings().max_upload_bytes
    if size > limit:
        raise TooLarge("This file is larger than the studio accepts.", f"The limit is {limit / 1e9:.1f} GB.")
    with database.session(actor) as session:
        unfinished = list(session.scalars(select(Upload).where(Upload.finished_at.is_(None))))
        if len(unfinished) >= MAXIMUM_UNFINISHED:
            raise Conflict("Too many uploads are unfinished.", "Finish or cancel some of them.")
        promised = sum(max(0, upload.size_bytes - arrived(upload.id)) for upload in unfinished)
        require_space(size + promised)
        session.add(Upload(id=upload_id, owner_id=actor.owner_id, name=name, size_bytes=size))


def arrived(upload_id: str) -> int:
    """Bytes of an upload that are on disk."""
    path = storage.path(upload_id)
    return path.stat().st_size if path.is_file() else 0


async def identified(upload_id: NewUploadId) -> Callable[[dict[str, str]], dict[str, str]]:
    """The library's hook for where a file goes: under the identifier that was registered."""
    return lambda _metadata: {"uid": upload_id, "files_dir": str(uploads_folder())}


def after_arrival(actor: CurrentActor) -> Callable[[str, dict[str, str]], Awaitable[None]]:
    """The library's hook after the last byte. A refusal is the answer to that PATCH; what takes longer than
    :data:`ANSWER_SECONDS` goes on and is answered by ``/uploads/{id}/asset``."""

    async def arrive(path: str, metadata: dict[str, str]) -> None:
        upload_id = path.rpartition("/")[2]
        try:
            await asyncio.wait_for(_asset(actor, upload_id, metadata["filename"]), ANSWER_SECONDS)
        except TimeoutError:
            return

    return arrive


async def _asset(actor: Actor, upload_id: str, name: str) -> AssetOut:
    return await take_in(actor, Arrival(UUID(upload_id), storage.path(upload_id), name))


@router.options("/uploads", status_code=204, dependencies=[Depends(checked)])
@router.options("/uploads/", status_code=204, include_in_schema=False, dependencies=[Depends(checked)])
def offer() -> Response:
    """What the server offers (tus: OPTIONS)."""
    return Response(status_code=204, headers={**_TUS, "Tus-Max-Size": str(get_settings().max_upload_bytes)})


@router.get("/uploads")
def unfinished_uploads(session: Scoped) -> list[UploadOut]:
    """Uploads that can be continued, oldest first."""
    rows = session.scalars(select(Upload).where(Upload.finished_at.is_(None)).order_by(Upload.created_at))
    return [
        UploadOut(
            id=row.id, name=row.name, size_bytes=row.size_bytes, offset=arrived(row.id), created_at=row.created_at
        )
        for row in rows
    ]


@router.head("/uploads/{upload_id}", dependencies=[Depends(checked)])
def offset_of(actor: CurrentActor, upload_id: UploadId) -> Response:
    """Where an upload stands (tus: HEAD). One that became an asset stands at its end, so that a client whose last
    answer was lost does not begin anew; one that was refused does not exist any more.

    Answered here and not by the library, which forgets an upload with its file and announces the file's length as the
    length of an empty answer.
    """
    upload = _own_upload(actor, upload_id)
    if upload.error is not None:
        raise NotFound("That upload was refused.", "Upload another file.")
    offset = upload.size_bytes if upload.finished_at else arrived(upload_id)
    ends = format_datetime(upload.created_at.astimezone(UTC) + KEEP, usegmt=True)
    headers = {"Upload-Offset": str(offset), "Upload-Length": str(upload.size_bytes), "Upload-Expires": ends}
    return Response(headers={**_TUS, **headers, "Cache-Control": "no-store"})


@router.get("/uploads/{upload_id}/asset")
async def asset_of_upload(actor: CurrentActor, upload_id: UploadId) -> AssetOut:
    """The asset an upload became, as soon as the file is examined (waits up to a minute).

    Answers 404 for an upload that does not exist, 409 while bytes are missing or the examination still runs
    (``retryable``), and the refusal (422) when the studio cannot work on the file.
    """
    upload = await run_in_threadpool(_own_upload, actor, upload_id)
    refusal = await run_in_threadpool(refused_error, actor, upload_id)
    if refusal is not None:
        raise refusal
    if upload.finished_at is None and arrived(upload_id) != upload.size_bytes:
        raise Conflict("This file has not arrived completely.", "Continue the upload.")
    try:
        return await asyncio.wait_for(_asset(actor, upload_id, upload.name), 60.0)
    except TimeoutError:
        raise Conflict("This file is still being checked.", "Ask again in a moment.", retryable=True) from None


router.include_router(
    create_tus_router(
        prefix="uploads",
        max_size=1 << 62,  # ours is checked at creation, by the settings of the moment
        days_to_keep=KEEP.days,
        pre_create_dep=before_creation,
        upload_complete_dep=after_arrival,
        file_dep=identified,
        storage=storage,
    ),
    dependencies=[Depends(checked)],
)


def document(paths: dict[str, Any]) -> None:
    """Put the library's routes into the OpenAPI document under our own words, and its doubles out of it."""
    made = paths["/uploads"]["post"]
    of_library = paths.pop("/uploads/{uuid}")
    paths.pop("/uploads/", None)
    ours = paths["/uploads/{upload_id}"]
    where = next(item for item in ours["head"]["parameters"] if item["name"] == "upload_id")
    ours |= {"patch": of_library["patch"], "delete": of_library["delete"]}
    bytes_of_file = {"schema": {"type": "string", "format": "binary"}}
    ours["patch"]["requestBody"] = {"required": True, "content": {"application/offset+octet-stream": bytes_of_file}}
    for operation, summary, description, headers in (
        (made, "New upload", _NEW, {"Upload-Length": "integer", "Upload-Metadata": "string"}),
        (ours["patch"], "Send bytes", _SEND, {"Upload-Offset": "integer"}),
        (ours["delete"], "Give an upload up", "Forget an upload and its bytes (tus: termination).", {}),
    ):
        operation |= {"summary": summary, "description": description, "tags": ["uploads"]}
        named = [
            {"name": name, "in": "header", "required": name != "Upload-Metadata", "schema": {"type": kind}}
            for name, kind in {"Tus-Resumable": "string", **headers}.items()
        ]
        operation["parameters"] = named if operation is made else [where, *named]
        for status in ("201", "204"):
            if status in operation["responses"]:
                operation["responses"][status].pop("content", None)


_NEW = """Announce a file (tus: creation). `Upload-Length` is its size in bytes, `Upload-Metadata` may say `filename`
and its base64. The answer's `Location` is where its bytes go."""
_SEND = """Append bytes (tus: core). `Upload-Offset` is where they begin, as HEAD answers it; another one is 409. With
the last byte the file is examined: what the studio cannot work on is refused here (422)."""


class PatientUploads:
    """Around every request of an upload: answers name the protocol's version, and a request in which no byte came for
    :data:`IDLE_SECONDS` ends, so that a dead connection frees the file for the one that continues it (the library
    keeps what arrived). A body sent in chunks has no Content-Length, which the library asks for and does not need."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or "/uploads" not in scope["path"]:
            await self._app(scope, receive, send)
            return
        if scope["method"] == "PATCH" and not any(name == b"content-length" for name, _ in scope["headers"]):
            scope["headers"] = [*scope["headers"], (b"content-length", b"0")]

        async def versioned(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).setdefault("Tus-Resumable", TUS_VERSION)
            await send(message)

        async def next_chunk() -> Message:
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    return await receive()
            except TimeoutError:
                return {"type": "http.disconnect"}

        await self._app(scope, next_chunk if scope["method"] == "PATCH" else receive, versioned)


def sweep(now: datetime) -> int:
    """Remove uploads that nobody continued for a week, and records of those that became assets; returns how many."""
    with database.session() as session:
        old = list(session.scalars(select(Upload.id).where(Upload.updated_at < now - KEEP)))
        session.execute(delete(Upload).where(Upload.id.in_(old)))
        known = set(session.scalars(select(Upload.id)))
    for path in uploads_folder().iterdir():
        strange = path.stem not in known and now.timestamp() - path.stat().st_mtime > timedelta(days=1).total_seconds()
        if path.stem in old or strange:
            path.unlink(missing_ok=True)
    return len(old)

"""Stored edits over HTTP (H2): read, correct with a version check, render, take elsewhere."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from api import references
from api.dependencies import CurrentActor, Editor, Limit, Offset, Scoped, Starting
from api.shapes import Accepted
from core import assets, jobs
from core.database import get_owned
from core.errors import Conflict, InvalidInput
from core.models.assets import TimelineRow
from core.preferences import preferences_of
from core.video import exchange
from core.video.payloads import RenderTimelineInput
from core.video.sizes import TargetOutput
from core.video.timeline import AspectRatio, Timeline
from core.video.timeline_edit import piece_rows, summary

router = APIRouter(prefix="/video/timelines", tags=["timelines"])
Name = Annotated[str, Field(max_length=200)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewTimeline(_Body):
    """An edit made elsewhere, or a changed copy."""

    timeline: Timeline
    name: Name = ""
    project_id: UUID | None = None


class TimelineChange(_Body):
    """``version`` is the one that was read; a newer one in the store answers 409."""

    version: int
    timeline: Timeline | None = None
    name: Name | None = None


class RenderOrder(_Body):
    """Which files to render."""

    target_outputs: Annotated[tuple[TargetOutput, ...], Field(min_length=1, max_length=12)]


class TimelineOut(BaseModel):
    """A stored edit. ``pieces`` repeats the timeline's in seconds of the source; ``summary`` counts them."""

    id: UUID
    name: str
    version: int
    source_asset_id: UUID
    project_id: UUID | None
    job_id: UUID | None
    created_at: datetime
    updated_at: datetime
    timeline: Timeline
    pieces: list[dict[str, Any]]
    summary: dict[str, Any]


class TimelineRowOut(BaseModel):
    """A stored edit in a list."""

    id: UUID
    name: str
    version: int
    source_asset_id: UUID
    project_id: UUID | None
    created_at: datetime
    updated_at: datetime


def _out(row: TimelineRow) -> TimelineOut:
    timeline = Timeline.model_validate(row.document)
    return TimelineOut(
        id=row.id,
        name=row.name,
        version=row.version,
        source_asset_id=row.source_asset_id,
        project_id=row.project_id,
        job_id=row.job_id,
        created_at=row.created_at,
        updated_at=row.updated_at,
        timeline=timeline,
        pieces=piece_rows(timeline),
        summary=summary(timeline),
    )


def _check(session: Scoped, timeline: Timeline) -> None:
    references.video(session, timeline.source_asset_id)
    if timeline.music is not None:
        references.sound(session, timeline.music.asset_id)


@router.get("")
def list_timelines(
    session: Scoped, source_asset_id: UUID | None = None, limit: Limit = 50, offset: Offset = 0
) -> list[TimelineRowOut]:
    """Stored edits, the last changed first."""
    statement = select(TimelineRow).order_by(TimelineRow.updated_at.desc(), TimelineRow.id.desc())
    if source_asset_id is not None:
        statement = statement.where(TimelineRow.source_asset_id == source_asset_id)
    rows = session.scalars(statement.limit(limit).offset(offset))
    return [TimelineRowOut.model_validate(row, from_attributes=True) for row in rows]


@router.post("", status_code=201)
def add_timeline(session: Scoped, actor: Editor, new: NewTimeline) -> TimelineOut:
    """Store an edit."""
    _check(session, new.timeline)
    row = TimelineRow(
        owner_id=actor.owner_id,
        source_asset_id=new.timeline.source_asset_id,
        project_id=references.project(session, new.project_id),
        name=new.name,
        document=new.timeline.model_dump(mode="json"),
    )
    session.add(row)
    session.flush()
    return _out(row)


@router.get("/{timeline_id}")
def one_timeline(session: Scoped, timeline_id: UUID) -> TimelineOut:
    """A stored edit."""
    return _out(get_owned(session, TimelineRow, timeline_id))


@router.put("/{timeline_id}")
def change_timeline(session: Scoped, _actor: Editor, timeline_id: UUID, change: TimelineChange) -> TimelineOut:
    """Correct an edit: pieces, caption words, crops, captions, music, loudness."""
    row = get_owned(session, TimelineRow, timeline_id, lock=True)
    if row.version != change.version:
        raise Conflict("Somebody changed this edit meanwhile.", f"It is at version {row.version}. Read it again.")
    if change.timeline is not None:
        _check(session, change.timeline)
        stored = Timeline.model_validate(row.document)
        frame = ("source_asset_id", "fps", "width", "height", "duration_frames")
        if any(getattr(stored, name) != getattr(change.timeline, name) for name in frame):
            raise InvalidInput("An edit stays with its recording.", f"These do not change: {', '.join(frame)}.")
        row.document = change.timeline.model_dump(mode="json")
    if change.name is not None:
        row.name = change.name
    row.version += 1
    session.flush()
    return _out(row)


@router.delete("/{timeline_id}", status_code=204)
def delete_timeline(session: Scoped, _actor: Editor, timeline_id: UUID) -> None:
    """Forget an edit; what was rendered from it stays."""
    session.delete(get_owned(session, TimelineRow, timeline_id))


@router.get(
    "/{timeline_id}/export",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}, "application/zip": {}}}},
)
def export_timeline(
    session: Scoped,
    actor: CurrentActor,
    timeline_id: UUID,
    format: Annotated[
        str, Query(max_length=100, description=f"one of {', '.join(exchange.FORMATS)}, or several with commas")
    ] = "otio",
    aspect_ratio: Annotated[AspectRatio, Query(description="the shape whose crop goes along")] = "source",
    language: Annotated[Literal["en", "th"] | None, Query(description="of the markers' words")] = None,
) -> Response:
    """An edit for another editing program (V2.10): one format is answered as that file, several as a ZIP with the
    subtitles beside them. The file names the recording; it does not hold it."""
    formats = exchange.wanted_formats(format)
    row = references.timeline(session, timeline_id)
    made = exchange.export(
        Timeline.model_validate(row.document),
        exchange.source_file(assets.get(session, row.source_asset_id)),
        formats,
        name=row.name,
        ratio=aspect_ratio,
        lang=language or preferences_of(session, actor).language,
    )
    disposition = f"attachment; filename*=UTF-8''{quote(made.name, safe='')}"
    return Response(made.content, media_type=made.mime_type, headers={"Content-Disposition": disposition})


@router.post("/{timeline_id}/render", status_code=202)
def render(session: Starting, actor: CurrentActor, timeline_id: UUID, order: RenderOrder) -> Accepted:
    """Render an edit as its user left it."""
    row = references.timeline(session, timeline_id)
    payload = RenderTimelineInput(timeline_id=row.id, target_outputs=order.target_outputs)
    return Accepted(job_id=jobs.submit(session, actor, "video.render", payload, project_id=row.project_id).id)

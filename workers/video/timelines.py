"""Timelines as rows: stored when they are decided, read back as their user left them."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from core.database import get_owned
from core.models.assets import TimelineRow
from core.video.timeline import Timeline
from core.video.timeline_edit import piece_rows, summary
from workers.context import JobContext


def store(context: JobContext, timeline: Timeline, *, name: str, key: str, in_project: bool = True) -> UUID:
    """Store a timeline once for this job and ``key``, however often the job is run; answers its identifier.

    A row that its user has changed since is left as it is.
    """
    identifier = uuid5(context.job_id, key)
    with context.session() as session:
        row = session.get(TimelineRow, identifier)
        if row is None:
            session.add(
                TimelineRow(
                    id=identifier,
                    owner_id=context.owner_id,
                    source_asset_id=timeline.source_asset_id,
                    project_id=context.project_id if in_project else None,
                    job_id=context.job_id,
                    name=name,
                    document=timeline.model_dump(mode="json"),
                )
            )
        elif row.version == 1:
            row.document = timeline.model_dump(mode="json")
    return identifier


def load(context: JobContext, timeline_id: UUID) -> tuple[Timeline, str]:
    """A stored timeline and its name; raises NotFound."""
    with context.session() as session:
        row = get_owned(session, TimelineRow, timeline_id)
        return Timeline.model_validate(row.document), row.name


def result_of(timeline: Timeline, timeline_id: UUID) -> dict[str, Any]:
    """The timeline as a job's result shows it."""
    return {
        "id": str(timeline_id),
        "pieces": piece_rows(timeline),
        "summary": summary(timeline),
        "language": timeline.language,
    }

"""What is said in a video whose words the studio knows already, as its user corrected them (SPEC V3.5).

A video that an edit made needs no second hearing: its words are the edit's, in the time of what was rendered. An edit
goes on changing after a rendering, so its words are laid over the pieces that were rendered then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models.assets import Asset, TimelineRow
from core.models.jobs import Job
from core.video.timeline import Timeline, Word
from core.video.timeline_edit import output_words, with_pieces

_SAME_CLOCK = {"video.multi_export": "source_video_id", "video.subtitle": "video_asset_id"}
"""Jobs that cut nothing, and which of their settings names the video they showed again."""
_GENERATIONS = 5


@dataclass(frozen=True)
class Spoken:
    """The words of a video in its own seconds."""

    words: tuple[Word, ...]
    language: str


def words_of(session: Session, asset: Asset) -> Spoken | None:
    """The words of the edit that ``asset`` came from, else those of the newest edit of this recording; None where
    nobody has listened yet."""
    for _ in range(_GENERATIONS):
        job = session.get(Job, asset.job_id) if asset.job_id else None
        if job is None or job.kind not in _SAME_CLOCK:
            break
        original = session.get(Asset, UUID(str(job.payload[_SAME_CLOCK[job.kind]])))
        if original is None:
            return None
        asset = original
    return _of_result(session, asset) or _of_recording(session, asset)


def _of_result(session: Session, asset: Asset) -> Spoken | None:
    job = session.get(Job, asset.job_id) if asset.job_id else None
    result: dict[str, Any] = (job.result if job else None) or {}
    row = next((row for row in result.get("outputs") or [] if row.get("asset_id") == str(asset.id)), None)
    if row is None:
        return None
    identifier = row.get("timeline_id") or result.get("timeline_id")
    stored = session.get(TimelineRow, UUID(str(identifier))) if identifier else None
    if stored is None or stored.owner_id != asset.owner_id:
        return None
    timeline = Timeline.model_validate(stored.document)
    pieces = (_part_with(result, str(identifier)).get("timeline") or {}).get("pieces")
    if pieces:
        timeline = _as_rendered(timeline, pieces)
    if timeline.kept_frames != row.get("frames"):  # the edit has other pieces now, and those rendered are not told
        return None
    return _spoken(output_words(timeline), timeline.language)


def _part_with(result: dict[str, Any], timeline_id: str) -> dict[str, Any]:
    """Of a result in several versions the one with this timeline, else the result itself."""
    versions: list[dict[str, Any]] = result.get("versions") or []
    return next((version for version in versions if version.get("timeline_id") == timeline_id), result)


def _as_rendered(timeline: Timeline, pieces: list[dict[str, Any]]) -> Timeline:
    """The edit with the pieces it was rendered with; a job's result tells them in seconds."""
    frames = [(round(row["start"] * timeline.rate), round(row["end"] * timeline.rate)) for row in pieces]
    rows = zip(frames, pieces, strict=True)
    return with_pieces(
        timeline, [(start, end, row["kept"], row["reason"], row.get("speed", 1.0)) for (start, end), row in rows]
    )


def _of_recording(session: Session, asset: Asset) -> Spoken | None:
    row = session.scalar(
        select(TimelineRow)
        .where(TimelineRow.source_asset_id == asset.id, TimelineRow.project_id.is_not(None))
        .order_by(TimelineRow.updated_at.desc())
        .limit(1)
    )
    if row is None:
        return None
    timeline = Timeline.model_validate(row.document)
    return _spoken(timeline.words, timeline.language)


def _spoken(words: tuple[Word, ...], language: str) -> Spoken | None:
    return Spoken(words, language) if words and language else None

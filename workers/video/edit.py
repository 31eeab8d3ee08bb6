"""video.edit: measure what the operations ask for, decide the timeline, render every wanted shape from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core import events
from core.errors import InvalidInput
from core.models.base import uuid7
from core.progress import Progress, part
from core.video.payloads import AddMusic, AddSubtitle, AutoReframe, Operation, VideoEditInput
from core.video.plan import (
    SourceFacts,
    cropped_ratios,
    find,
    music_bed,
    needs,
    on_beats,
    plan,
    replan,
    spoken_language,
    with_crops,
)
from core.video.sizes import resolve_targets
from core.video.timeline import OutputTarget, Timeline
from workers.context import JobContext
from workers.registry import task
from workers.video import timelines
from workers.video.music import asked_grid, find_music
from workers.video.outputs import Finished, render_outputs
from workers.video.source import Source

CENTRED = AutoReframe(subject="center")


@task("video.edit")
def edit(context: JobContext, payload: VideoEditInput) -> dict[str, Any]:
    """Cut, caption, reframe, score and render one recording (SPEC V2, V3.4, V4, V5).

    The result holds ``timeline`` (pieces with times and reasons), ``timeline_id`` and one row of ``outputs`` a target.
    """
    source = Source(context, payload.source_video_id, payload.speech_provider)
    name = source.asset.name.rsplit(".", 1)[0]
    facts = source.facts(part(context.progress, 0.0, 0.02))
    targets = resolve_targets(payload.target_outputs, facts.width, facts.height)
    timeline = _decide(context, payload, source, facts)
    music = find_music(context, find(payload.operations, AddMusic), part(context.progress, 0.34, 0.36))
    choice = find(payload.operations, AddMusic)
    if payload.timeline_id is None:
        grid = asked_grid(context, payload.operations, music, part(context.progress, 0.35, 0.36))
        timeline = on_beats(timeline, payload.operations, grid) if grid else timeline
    if music is not None and choice is not None:
        timeline = timeline.model_copy(update={"music": music_bed(music.asset_id, choice, seamless=music.seamless)})
    elif timeline.music is not None:
        timeline = timeline.model_copy(update={"music": None})
    timeline = reframed(
        source, facts, timeline, targets, payload.operations, CENTRED, part(context.progress, 0.36, 0.45)
    )
    if payload.timeline_id is not None:
        timeline_id = payload.timeline_id
    else:
        timeline_id = timelines.store(context, timeline, name=name, key="timeline")
    result: dict[str, Any] = {
        "timeline": timelines.result_of(timeline, timeline_id),
        "timeline_id": str(timeline_id),
        "outputs": [],
    }
    if payload.dry_run:
        return result
    finished = render_outputs(
        context, source, timeline, targets, music, name=name, progress=part(context.progress, 0.45, 0.98)
    )
    result["outputs"] = announce(context, finished, title=name, language=timeline.language)
    return result


def _decide(context: JobContext, payload: VideoEditInput, source: Source, facts: SourceFacts) -> Timeline:
    captions = find(payload.operations, AddSubtitle)
    language = spoken_language(payload.operations, payload.language)
    listening = part(context.progress, 0.02, 0.34)
    if payload.timeline_id is None:
        needed = needs(payload.operations, has_audio=source.asset.has_audio)
        measured = source.measure(needed, language, listening)
        return plan(facts, payload.operations, measured)
    stored, _ = timelines.load(context, payload.timeline_id)
    if stored.source_asset_id != facts.asset_id:
        raise InvalidInput("This edit was made for another recording.", "Open the recording it belongs to.")
    if captions and not stored.words:
        words, spoken = source.transcript(language, listening)
        stored = stored.model_copy(update={"words": words, "language": spoken})
    return replan(stored, payload.operations)


def reframed(
    source: Source,
    facts: SourceFacts,
    timeline: Timeline,
    targets: Sequence[OutputTarget],
    operations: Sequence[Operation],
    default: AutoReframe,
    progress: Progress,
) -> Timeline:
    """The timeline with its crops; faces are looked for in the kept parts only, and only if a shape follows them."""
    if not cropped_ratios(facts, targets, operations, default):
        return with_crops(timeline, targets, operations, default)
    faces, cuts = source.faces(timeline, progress)
    return with_crops(timeline, targets, operations, default, faces, cuts)


def announce(context: JobContext, finished: list[Finished], *, title: str, language: str) -> list[dict[str, Any]]:
    """One VIDEO_GENERATED for one content in however many shapes; answers the result's rows."""
    episode_id = uuid7()
    rows = [{**output.row, "title": title, "episode_id": str(episode_id)} for output in finished]
    context.emit(
        events.VIDEO_GENERATED,
        {
            "asset_id": finished[0].video.asset_id,
            "title": title,
            "kind": "long",
            "language": language or None,
            "episode_id": str(episode_id),
            "poster_asset_id": finished[0].row["poster_asset_id"],
            "outputs": [{"asset_id": row["asset_id"], "aspect_ratio": row["aspect_ratio"]} for row in rows],
        },
    )
    return rows

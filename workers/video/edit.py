"""video.edit: measure what the operations ask for, decide the timeline, render every wanted shape from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from core import events
from core.errors import InvalidInput
from core.models.base import uuid7
from core.progress import Progress, part
from core.video.payloads import AddMusic, AddSubtitle, AutoReframe, EditVersion, Highlight, Operation, VideoEditInput
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
from workers.video.music import Music, asked_grid, find_music
from workers.video.outputs import Finished, render_outputs
from workers.video.source import Source

CENTRED = AutoReframe(subject="center")


@dataclass(frozen=True)
class _Decided:
    """One edit of the job before it is rendered. ``key`` names its checkpoint; empty ``label`` is the plain form."""

    label: str
    key: str
    timeline: Timeline
    timeline_id: UUID
    targets: tuple[OutputTarget, ...]
    music: Music | None


@task("video.edit")
def edit(context: JobContext, payload: VideoEditInput) -> dict[str, Any]:
    """Cut, caption, reframe, score and render one recording (SPEC V2, V3.4, V4, V5), in several versions if wanted
    (V2.8).

    The result holds ``timeline`` (pieces with times and reasons), ``timeline_id`` and one row of ``outputs`` a target;
    with versions, ``versions`` holds these for each by its ``name``, and ``outputs`` all of them. Everything is decided
    before anything is rendered; a rendered version survives a killed worker.
    """
    source = Source(context, payload.source_video_id, payload.speech_provider)
    name = source.asset.name.rsplit(".", 1)[0]
    facts = source.facts(part(context.progress, 0.0, 0.02))
    deciding, rendering = part(context.progress, 0.02, 0.45), part(context.progress, 0.45, 0.98)
    count = len(payload.edits)
    find_track = _Tracks(context)
    decided = [
        _decide(context, payload, wanted, index, source, facts, find_track, _share(deciding, index, count))
        for index, wanted in enumerate(payload.edits)
    ]
    results: list[dict[str, Any]] = []
    for index, one in enumerate(decided):
        rows: list[dict[str, Any]] = []
        if not payload.dry_run:
            rows = _rendered(context, source, one, name, _share(rendering, index, count))
        shown = {
            "timeline": timelines.result_of(one.timeline, one.timeline_id),
            "timeline_id": str(one.timeline_id),
            "outputs": rows,
        }
        results.append({"name": one.label, **shown} if one.label else shown)
    if not payload.versions:
        return results[0]
    return {"versions": results, "outputs": [row for found in results for row in found["outputs"]]}


def _share(progress: Progress, index: int, count: int) -> Progress:
    return part(progress, index / count, (index + 1) / count)


class _Tracks:
    """Music by its choice, found once in a job: two versions may ask for one built-in track not yet in the library."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._found: dict[tuple[UUID | None, str | None], Music | None] = {}

    def __call__(self, choice: AddMusic | None, progress: Progress) -> Music | None:
        if choice is None:
            return None
        key = (choice.music_asset_id, choice.audio_preset)
        if key not in self._found:
            self._found[key] = find_music(self._context, choice, progress)
        return self._found[key]


def _decide(
    context: JobContext,
    payload: VideoEditInput,
    wanted: VideoEditInput | EditVersion,
    index: int,
    source: Source,
    facts: SourceFacts,
    find_track: _Tracks,
    progress: Progress,
) -> _Decided:
    label = wanted.name.strip() if isinstance(wanted, EditVersion) else ""
    operations = wanted.operations
    targets = resolve_targets(wanted.target_outputs, facts.width, facts.height)
    language = spoken_language(operations, payload.language)
    timeline = _pieces(context, wanted, language, source, facts, part(progress, 0.0, 0.75))
    choice = find(operations, AddMusic)
    music = find_track(choice, part(progress, 0.75, 0.8))
    if wanted.timeline_id is None:
        grid = asked_grid(context, operations, music, part(progress, 0.78, 0.8))
        best = find(operations, Highlight)
        most = int(best.max_seconds * facts.fps) if best else None
        timeline = on_beats(timeline, operations, grid, most_frames=most) if grid else timeline
    if music is not None and choice is not None:
        timeline = timeline.model_copy(update={"music": music_bed(music.asset_id, choice, seamless=music.seamless)})
    elif timeline.music is not None:
        timeline = timeline.model_copy(update={"music": None})
    timeline = reframed(source, facts, timeline, targets, operations, CENTRED, part(progress, 0.8, 1.0))
    key = f"version-{index}" if label else "version"
    timeline_id = wanted.timeline_id
    if timeline_id is None:
        name = label or source.asset.name.rsplit(".", 1)[0]
        # Several timelines at once are no edit that the project's page goes on with.
        stored_as = f"timeline-{index}" if label else "timeline"
        timeline_id = timelines.store(context, timeline, name=name, key=stored_as, in_project=not label)
    return _Decided(label, key, timeline, timeline_id, tuple(targets), music)


def _rendered(
    context: JobContext, source: Source, one: _Decided, name: str, progress: Progress
) -> list[dict[str, Any]]:
    """The rows of one edit's outputs: what an earlier attempt rendered of the same timeline, else rendered now."""
    title = f"{name} · {one.label}" if one.label else name
    key = f"{one.key}-{sha256(one.timeline.model_dump_json().encode()).hexdigest()[:16]}"
    stored = context.checkpoints.get(key)
    if stored is None:
        finished = render_outputs(
            context, source, one.timeline, one.targets, one.music,
            name=title, progress=progress, folder=context.folder / one.key,
        )  # fmt: skip
        rows = content_rows(finished, title=title)
        if one.label:
            rows = [{**row, "version": one.label, "timeline_id": str(one.timeline_id)} for row in rows]
        staged = [asset.as_dict() for output in finished for asset in output.everything]
        stored = {"assets": staged, "rows": rows}
        context.checkpoint(key, stored)
    else:
        for asset in stored["assets"]:
            context.adopt(asset)
        progress(1.0)
    tell(context, stored["rows"], title=title, language=one.timeline.language)
    return list(stored["rows"])


def _pieces(
    context: JobContext,
    wanted: VideoEditInput | EditVersion,
    language: str,
    source: Source,
    facts: SourceFacts,
    progress: Progress,
) -> Timeline:
    """What stays of the recording: decided anew, or as its user left it."""
    if wanted.timeline_id is None:
        needed = needs(wanted.operations, has_audio=source.asset.has_audio)
        return plan(facts, wanted.operations, source.measure(needed, language, progress))
    stored, _ = timelines.load(context, wanted.timeline_id)
    if stored.source_asset_id != facts.asset_id:
        raise InvalidInput("This edit was made for another recording.", "Open the recording it belongs to.")
    if find(wanted.operations, AddSubtitle) and not stored.words:
        words, spoken = source.transcript(language, progress)
        stored = stored.model_copy(update={"words": words, "language": spoken})
    return replan(stored, wanted.operations)


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
    rows = content_rows(finished, title=title)
    tell(context, rows, title=title, language=language)
    return rows


def content_rows(finished: list[Finished], *, title: str) -> list[dict[str, Any]]:
    """The result's rows of one content in several shapes, with the one draft that it becomes."""
    episode_id = uuid7()
    return [{**output.row, "title": title, "episode_id": str(episode_id)} for output in finished]


def tell(context: JobContext, rows: list[dict[str, Any]], *, title: str, language: str) -> None:
    """The event of :func:`content_rows`."""
    context.emit(
        events.VIDEO_GENERATED,
        {
            "asset_id": rows[0]["asset_id"],
            "title": title,
            "kind": "long",
            "language": language or None,
            "episode_id": rows[0]["episode_id"],
            "poster_asset_id": rows[0]["poster_asset_id"],
            "outputs": [{"asset_id": row["asset_id"], "aspect_ratio": row["aspect_ratio"]} for row in rows],
        },
    )

"""video.shorts: the best clips of a long recording, each rendered as it would be posted, each a checkpoint."""

from __future__ import annotations

from typing import Any

from core import events
from core.errors import InvalidInput
from core.progress import Progress, part
from core.video.payloads import AddMusic, AddSubtitle, NormalizeLoudness, Operation, ShortsInput
from core.video.plan import Measured, SourceFacts, find, music_bed, needs, plan, spoken_language
from core.video.shorts import Short, find_shorts
from core.video.timeline import Timeline
from core.video.timeline_edit import TimeMap
from workers.context import JobContext
from workers.registry import task
from workers.video.clips import Clip, ClipWork
from workers.video.music import asked_grid, find_music
from workers.video.source import HOP_SECONDS, Source

LOUDNESS_LUFS = -14.0  # what TikTok, Reels and Shorts play at
RENDERING_FROM = 0.4


@task("video.shorts")
def shorts(context: JobContext, payload: ShortsInput) -> dict[str, Any]:
    """Find, cut, reframe, caption, score and render the clips (SPEC V6.2).

    The recording is measured once for all of them; a finished clip survives a killed worker. ``outputs`` holds one
    row a clip, best first, each with the draft episode it becomes.
    """
    source = Source(context, payload.source_video_id, payload.speech_provider)
    facts = source.facts(part(context.progress, 0.0, 0.02))
    operations = _operations(payload)
    measured = source.measure(
        needs(operations, captions=True),
        spoken_language(operations, payload.language),
        part(context.progress, 0.02, RENDERING_FROM - 0.05),
    )
    base = plan(facts, operations, measured)
    found = _candidates(payload, source, facts, base, measured, context.progress)
    if payload.dry_run:
        return {"outputs": [], "candidates": [_row(short) for short in found]}
    choice = find(operations, AddMusic) or payload.music
    music = find_music(context, choice, part(context.progress, RENDERING_FROM - 0.04, RENDERING_FROM - 0.02))
    if music is not None and choice is not None:
        base = base.model_copy(update={"music": music_bed(music.asset_id, choice, seamless=music.seamless)})
    target = payload.target.pixels(facts.width, facts.height)
    grid = asked_grid(context, operations, music, part(context.progress, RENDERING_FROM - 0.02, RENDERING_FROM))
    most_frames = int(payload.max_seconds * facts.fps)
    clips = [Clip(short.start, short.end, short.title, _row(short)) for short in found]
    work = ClipWork(context, source, facts, base, target, music, operations, grid, most_frames)
    rows = work.all(clips, part(context.progress, RENDERING_FROM, 0.98))
    for row in rows:
        context.emit(events.VIDEO_GENERATED, {**row, "kind": "short", "language": measured.language or None})
    return {"outputs": rows, "language": measured.language}


def _operations(payload: ShortsInput) -> tuple[Operation, ...]:
    """What holds for every clip: the request's own settings first, its operations over them."""
    operations: list[Operation] = [NormalizeLoudness(target_lufs=LOUDNESS_LUFS)]
    if payload.style is not None:
        operations.append(AddSubtitle(style=payload.style, language=payload.language))
    return (*operations, *payload.operations)


def _candidates(
    payload: ShortsInput,
    source: Source,
    facts: SourceFacts,
    base: Timeline,
    measured: Measured,
    progress: Progress,
) -> list[Short]:
    times = TimeMap(base)
    heard = [word for word in measured.words if times.span(word.start, max(word.end, word.start + 0.001))]
    if not heard:
        raise InvalidInput("Nobody speaks in this recording, so no clips could be chosen.", "Choose a talk.")
    levels = measured.levels_db or source.levels(part(progress, RENDERING_FROM - 0.05, RENDERING_FROM - 0.04))
    frames = 2 / float(facts.fps)
    narrow = payload.max_seconds - payload.min_seconds < 8 * frames
    found = find_shorts(
        heard,
        facts.seconds,
        count=payload.count,
        min_seconds=payload.min_seconds + (0 if narrow else frames),
        max_seconds=payload.max_seconds - (0 if narrow else frames),
        levels_db=levels,
        hop_seconds=HOP_SECONDS,
        kept_seconds=times.kept,
    )
    if not found:
        raise InvalidInput(
            "No part of this recording makes a clip of the wanted length.",
            f"Speech of {payload.min_seconds:.0f} to {payload.max_seconds:.0f} seconds on whole sentences is needed: "
            "choose a shorter least length, or a longer recording.",
        )
    return found


def _row(short: Short) -> dict[str, Any]:
    return {
        "title": short.title,
        "start": round(short.start, 3),
        "end": round(short.end, 3),
        "score": short.score,
        "reasons": [f"shorts.reason.{reason}" for reason in short.reasons],
    }

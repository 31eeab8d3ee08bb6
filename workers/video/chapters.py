"""video.chapters: a long recording in sub-clips, proposed by topic, scene, energy and speech, rendered as wanted."""

from __future__ import annotations

from typing import Any

from core import events
from core.errors import InvalidInput
from core.progress import Progress, part
from core.video.chapter_payloads import ChaptersInput
from core.video.chapters import Border, Chapter, Signals, find_chapters, find_parts, moments_to_watch
from core.video.payloads import AddMusic, AddSubtitle, NormalizeLoudness, Operation
from core.video.plan import Needs, SourceFacts, find, music_bed, needs, plan, spoken_language
from core.video.sentences import sentences
from workers.context import JobContext
from workers.registry import task
from workers.video.clips import Clip, ClipWork
from workers.video.music import asked_grid, find_music
from workers.video.source import HOP_SECONDS, Source

LOUDNESS_LUFS = -14.0
LISTENED = 0.5
MOST_LOOKS = 240  # gaps whose pictures are looked at; each costs the decoding of a few seconds
LOOK_SECONDS = 4.0


@task("video.chapters")
def chapters(context: JobContext, payload: ChaptersInput) -> dict[str, Any]:
    """Propose the sub-clips, or render them (SPEC V6.1).

    The result holds ``chapters`` (title, start, end, score, reasons) and ``borders`` (where they can be split) unless
    the request named its own, and one row of ``outputs`` a rendered clip, each with the draft it becomes. Speech is
    written down piece by piece, pictures are looked at only where something may begin: memory does not grow with the
    picture's length.
    """
    source = Source(context, payload.source_video_id, payload.speech_provider)
    facts = source.facts(part(context.progress, 0.0, 0.02))
    result: dict[str, Any] = {"outputs": []}
    rendering_from = 0.02
    if payload.chapters:
        clips = [
            Clip(cut.start, cut.end, cut.title, _cut_row(cut.title, cut.start, cut.end)) for cut in payload.chapters
        ]
        if max(cut.end for cut in payload.chapters) > facts.seconds + 0.5:
            raise InvalidInput("A clip ends after the recording does.", f"It lasts {facts.seconds:.1f} seconds.")
    else:
        rendering_from = LISTENED
        deciding = part(context.progress, 0.02, 0.98 if payload.dry_run else LISTENED)
        found, borders = _decide(payload, source, facts, deciding)
        result["chapters"] = [_row(chapter) for chapter in found]
        result["borders"] = [_border(border) for border in borders]
        clips = [
            Clip(each.start, each.end, each.title, row) for each, row in zip(found, result["chapters"], strict=True)
        ]
    if payload.dry_run:
        return result
    rows, language = _render(context, payload, source, facts, clips, part(context.progress, rendering_from, 0.98))
    for row in rows:
        context.emit(events.VIDEO_GENERATED, {**row, "kind": "chapter", "language": language or None})
    return {**result, "outputs": rows, "language": language}


def _decide(
    payload: ChaptersInput, source: Source, facts: SourceFacts, progress: Progress
) -> tuple[list[Chapter], list[Border]]:
    limits = {
        "min_seconds": payload.min_seconds,
        "max_seconds": payload.max_seconds,
        "idle_seconds": payload.idle_seconds,
    }
    spoken = []
    levels = source.levels(part(progress, 0.0, 0.1))
    if source.asset.has_audio:
        measured = source.measure(Needs(words=True), payload.language, part(progress, 0.1, 0.7))
        spoken = sentences(measured.words)
    if len(spoken) > 1:
        looks = moments_to_watch(spoken, MOST_LOOKS)
        cuts = source.shots(looks, LOOK_SECONDS, part(progress, 0.7, 1.0))
        return find_chapters(spoken, Signals(facts.seconds, levels, HOP_SECONDS, cuts), **limits)
    cuts = source.shots(None, 0.0, part(progress, 0.7, 1.0))
    name = "ส่วนที่" if payload.language.startswith("th") else "Part"
    signals = Signals(facts.seconds, levels, HOP_SECONDS, cuts)
    return find_parts(signals, **limits, title=lambda number: f"{name} {number}")


def _render(
    context: JobContext,
    payload: ChaptersInput,
    source: Source,
    facts: SourceFacts,
    clips: list[Clip],
    progress: Progress,
) -> tuple[list[dict[str, Any]], str]:
    operations: list[Operation] = [NormalizeLoudness(target_lufs=LOUDNESS_LUFS)] if source.asset.has_audio else []
    if payload.style is not None:
        operations.append(AddSubtitle(style=payload.style, language=payload.language))
    operations += payload.operations
    needed = needs(operations, has_audio=source.asset.has_audio)
    measured = source.measure(needed, spoken_language(operations, payload.language), part(progress, 0.0, 0.3))
    base = plan(facts, operations, measured)
    choice = find(operations, AddMusic) or payload.music
    music = find_music(context, choice, part(progress, 0.3, 0.32))
    if music is not None and choice is not None:
        base = base.model_copy(update={"music": music_bed(music.asset_id, choice, seamless=music.seamless)})
    grid = asked_grid(context, operations, music, part(progress, 0.32, 0.34))
    target = payload.target.pixels(facts.width, facts.height)
    work = ClipWork(context, source, facts, base, target, music, operations, grid, None)
    return work.all(clips, part(progress, 0.34, 1.0)), measured.language


def _cut_row(title: str, start: float, end: float) -> dict[str, Any]:
    return {"title": title, "start": round(start, 3), "end": round(end, 3)}


def _row(chapter: Chapter) -> dict[str, Any]:
    return {
        **_cut_row(chapter.title, chapter.start, chapter.end),
        "score": chapter.score,
        "reasons": [f"chapters.reason.{reason}" for reason in chapter.reasons],
    }


def _border(border: Border) -> dict[str, Any]:
    return {
        "time": round(border.time, 3),
        "strength": border.strength,
        "reasons": [f"chapters.reason.{reason}" for reason in border.reasons],
        "text": border.text,
    }

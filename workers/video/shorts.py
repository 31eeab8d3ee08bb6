"""video.shorts: the best clips of a long recording, each rendered as it would be posted, each a checkpoint."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from threading import Event
from typing import Any

from core import events
from core.errors import InvalidInput, JobCancelled
from core.models.base import uuid7
from core.progress import Progress, part
from core.video.beats import BeatGrid
from core.video.payloads import AddMusic, AddSubtitle, AutoReframe, NormalizeLoudness, Operation, ShortsInput
from core.video.plan import Measured, SourceFacts, find, music_bed, needs, on_beats, plan, spoken_language
from core.video.shorts import Short, find_shorts
from core.video.timeline import OutputTarget, Timeline
from core.video.timeline_edit import TimeMap, clip
from workers.context import JobContext
from workers.registry import task
from workers.video import timelines
from workers.video.edit import reframed
from workers.video.music import Music, asked_grid, find_music
from workers.video.outputs import render_outputs
from workers.video.source import HOP_SECONDS, Source

LOUDNESS_LUFS = -14.0  # what TikTok, Reels and Shorts play at
RENDERING_FROM = 0.4
AT_ONCE = 2


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
    work = _Work(context, source, facts, base, target, music, operations, grid, most_frames)
    rows = work.all(found)
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


class _Work:
    """Rendering of all clips, two beside each other: while one is encoded the next one's sound and faces are made."""

    def __init__(
        self,
        context: JobContext,
        source: Source,
        facts: SourceFacts,
        base: Timeline,
        target: OutputTarget,
        music: Music | None,
        operations: Sequence[Operation],
        grid: BeatGrid | None,
        most_frames: int,
    ) -> None:
        self._grid = grid
        self._most_frames = most_frames
        self._context = context
        self._source = source
        self._facts = facts
        self._base = base
        self._target = target
        self._music = music
        self._operations = tuple(operations)
        self._failed = Event()
        self._fractions: list[float] = []

    def all(self, found: Sequence[Short]) -> list[dict[str, Any]]:
        """The rows of all clips, in their order."""
        self._fractions = [0.0] * len(found)
        workers = min(AT_ONCE, len(os.sched_getaffinity(0)), len(found))
        with ThreadPoolExecutor(workers, thread_name_prefix="short") as pool:
            futures = [pool.submit(self._one, index, short) for index, short in enumerate(found)]
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            broken = next((future for future in done if future.exception()), None)
            if broken is not None:
                self._failed.set()
                pool.shutdown(wait=True, cancel_futures=True)
                broken.result()
            return [future.result() for future in futures]

    def _progress(self, index: int) -> Progress:
        def report(fraction: float, stage: str | None = None) -> None:
            if self._failed.is_set():
                raise JobCancelled
            self._fractions[index] = max(self._fractions[index], min(fraction, 1.0))
            mean = sum(self._fractions) / len(self._fractions)
            self._context.progress(RENDERING_FROM + (0.98 - RENDERING_FROM) * mean, stage)

        return report

    def _one(self, index: int, short: Short) -> dict[str, Any]:
        progress = self._progress(index)
        key = f"short-{index}-{short.start:.3f}-{short.end:.3f}"
        stored = self._context.checkpoints.get(key)
        if stored is not None:
            for asset in stored["assets"]:
                self._context.adopt(asset)
            progress(1.0)
            return dict(stored["row"])
        timeline = clip(self._base, short.start, short.end)
        if self._grid is not None:
            timeline = on_beats(timeline, self._operations, self._grid, most_frames=self._most_frames)
        timeline = reframed(
            self._source, self._facts, timeline, [self._target], self._operations, AutoReframe(),
            part(progress, 0.0, 0.2),
        )  # fmt: skip
        timeline_id = timelines.store(
            self._context, timeline, name=short.title, key=f"timeline-{key}", in_project=False
        )
        finished = render_outputs(
            self._context,
            self._source,
            timeline,
            [self._target],
            self._music,
            name=short.title,
            progress=part(progress, 0.2, 1.0),
            metadata={"title": short.title, "start": short.start, "end": short.end},
            folder=self._context.folder / f"short-{index}",
        )[0]
        row = {
            **_row(short),
            **finished.row,
            "episode_id": str(uuid7()),
            "timeline_id": str(timeline_id),
        }
        self._context.checkpoint(key, {"assets": [asset.as_dict() for asset in finished.everything], "row": row})
        return row

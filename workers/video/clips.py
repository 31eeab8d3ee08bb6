"""Several clips of one recording, each rendered as it would be posted, each a checkpoint: shorts and chapters."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Event
from typing import Any

from core.errors import JobCancelled
from core.models.base import uuid7
from core.progress import Progress, no_progress, part
from core.video.beats import BeatGrid
from core.video.payloads import AutoReframe, Operation
from core.video.plan import SourceFacts, on_beats
from core.video.timeline import OutputTarget, Timeline
from core.video.timeline_edit import clip
from workers.context import JobContext
from workers.video import timelines
from workers.video.edit import reframed
from workers.video.music import Music
from workers.video.outputs import render_outputs
from workers.video.source import Source

AT_ONCE = 2


@dataclass(frozen=True)
class Clip:
    """``start`` to ``end`` seconds of the source, and what the result's row says of it besides its file."""

    start: float
    end: float
    title: str
    row: dict[str, Any]


class ClipWork:
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
        most_frames: int | None,
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
        self._report: Progress = no_progress

    def all(self, found: Sequence[Clip], progress: Progress) -> list[dict[str, Any]]:
        """The rows of all clips, in their order."""
        self._fractions, self._report = [0.0] * len(found), progress
        workers = min(AT_ONCE, len(os.sched_getaffinity(0)), len(found))
        with ThreadPoolExecutor(workers, thread_name_prefix="clip") as pool:
            futures = [pool.submit(self._one, index, each) for index, each in enumerate(found)]
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
            self._report(mean, stage)

        return report

    def _one(self, index: int, wanted: Clip) -> dict[str, Any]:
        progress = self._progress(index)
        key = f"clip-{index}-{wanted.start:.3f}-{wanted.end:.3f}"
        stored = self._context.checkpoints.get(key)
        if stored is not None:
            for asset in stored["assets"]:
                self._context.adopt(asset)
            progress(1.0)
            return dict(stored["row"])
        timeline = clip(self._base, wanted.start, wanted.end)
        if self._grid is not None:
            timeline = on_beats(timeline, self._operations, self._grid, most_frames=self._most_frames)
        timeline = reframed(
            self._source, self._facts, timeline, [self._target], self._operations, AutoReframe(),
            part(progress, 0.0, 0.2),
        )  # fmt: skip
        timeline_id = timelines.store(
            self._context, timeline, name=wanted.title, key=f"timeline-{key}", in_project=False
        )
        finished = render_outputs(
            self._context,
            self._source,
            timeline,
            [self._target],
            self._music,
            name=wanted.title,
            progress=part(progress, 0.2, 1.0),
            metadata={"title": wanted.title, "start": wanted.start, "end": wanted.end},
            folder=self._context.folder / f"clip-{index}",
        )[0]
        row = {
            **wanted.row,
            **finished.row,
            "episode_id": str(uuid7()),
            "timeline_id": str(timeline_id),
        }
        self._context.checkpoint(key, {"assets": [asset.as_dict() for asset in finished.everything], "row": row})
        return row

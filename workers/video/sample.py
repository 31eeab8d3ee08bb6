"""The sample recording of the first page: a talk spoken by Piper over drawn pictures (issue 2, step 1)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.progress import Progress, no_progress, part
from core.recordings import RECORDING_MADE
from core.video.payloads import SampleInput
from providers.speech import piper
from providers.speech.piper import SpokenSentence
from providers.video.probe import probe
from workers.context import JobContext
from workers.registry import task
from workers.video.moving_picture import Scene, compose
from workers.video.sample_talk import LOOK, TALK, Chapter

NAME = "Sample recording.mp4"
SIZE = (1280, 720)
FPS = 30
LICENCE = f"MIT (text and pictures); voice {piper.VOICE_LICENCE}"
_LEAD_SECONDS = 0.8


@task("sample.create")
def create(context: JobContext, payload: SampleInput) -> dict[str, Any]:
    """Make the talk and put it into the library like an upload."""
    path = make(context.folder, progress=context.progress)
    info = probe(path)
    staged = context.stage_asset(
        path,
        kind="video",
        name=NAME,
        metadata={"sample": True, "language": "en"},
        duration_seconds=info.duration_seconds,
        width=info.width,
        height=info.height,
        fps=str(info.fps),
        has_audio=info.has_audio,
        licence=LICENCE,
        ai_generated=True,
    )
    context.emit(RECORDING_MADE, {"asset_id": staged.asset_id})
    return {"asset_id": staged.asset_id}


def make(folder: Path, *, progress: Progress = no_progress) -> Path:
    """The sample recording as an MP4 in ``folder``, 1280×720 at 30 frames a second, about two minutes."""
    lines = [line for chapter in TALK for line in chapter.lines]
    voice = folder / "voice.wav"
    spoken = piper.synthesize(
        [line.text for line in lines],
        [line.pause for line in lines],
        voice,
        lead=_LEAD_SECONDS,
        length_scale=1.12,
        progress=part(progress, 0.0, 0.3),
    )
    path = folder / "sample.mp4"
    compose(folder, voice, scenes_of(TALK, spoken), path, size=SIZE, fps=FPS, progress=part(progress, 0.3, 1.0))
    return path


def scenes_of(chapters: Sequence[Chapter], spoken: Sequence[SpokenSentence]) -> list[Scene]:
    """One shot a chapter; a shot begins in the middle of the pause before its first sentence, on a frame."""
    scenes: list[Scene] = []
    first = 0
    start = 0.0
    for chapter in chapters:
        last = first + len(chapter.lines) - 1
        if last + 1 < len(spoken):
            end = (spoken[last].end + spoken[last + 1].start) / 2
        else:
            end = spoken[last].end + chapter.lines[-1].pause
        end = round(end * FPS) / FPS
        times = np.linspace(start, end, len(chapter.places))
        path = tuple((float(time), place) for time, place in zip(times, chapter.places, strict=True))
        scenes.append(Scene(start, end, chapter.palette, path, chapter.face_height, LOOK))
        first, start = last + 1, end
    return scenes

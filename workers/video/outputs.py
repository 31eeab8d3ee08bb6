"""Finished files of a render as assets: video, poster, captions beside it, with their lineage and licences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from core.assets import StagedAsset
from core.progress import Progress
from core.video.ass import ass_document, check_drawable
from core.video.caption_styles import STYLES, CaptionRules
from core.video.captions import build_captions, srt, vtt
from core.video.timeline import OutputTarget, Timeline, Word
from core.video.timeline_edit import output_words
from providers.translation.base import TranslatorBase
from providers.video.process import output_argument, run_ffmpeg, source_arguments
from providers.video.renderer import RenderedOutput, RenderOutput, render
from workers.context import JobContext
from workers.video.music import Music
from workers.video.source import Source

POSTER_HEIGHT = 640
SHAPE_NAMES = {"16:9": "16x9", "9:16": "9x16", "4:5": "4x5", "1:1": "1x1", "source": "edit"}


@dataclass(frozen=True)
class Finished:
    """One rendered output in the store: the video, its row in the job's result, the assets that belong to it."""

    video: StagedAsset
    row: dict[str, Any]
    belongings: tuple[StagedAsset, ...]

    @property
    def everything(self) -> list[StagedAsset]:
        """The video and what belongs to it."""
        return [self.video, *self.belongings]


@dataclass(frozen=True)
class Translated:
    """Where translated captions come from."""

    source_language: str
    engine: TranslatorBase

    @property
    def metadata(self) -> dict[str, str]:
        return {"translated_from": self.source_language, "translated_by": self.engine.name}


def render_outputs(
    context: JobContext,
    source: Source,
    timeline: Timeline,
    targets: Sequence[OutputTarget],
    music: Music | None,
    *,
    name: str,
    progress: Progress,
    metadata: dict[str, Any] | None = None,
    folder: Path | None = None,
) -> list[Finished]:
    """Render a timeline for all targets in one decode and stage the results.

    ``name`` is what the assets are called, without an ending; ``folder`` a private place for this render.
    """
    place = folder or context.folder
    place.mkdir(parents=True, exist_ok=True)
    words = output_words(timeline) if timeline.captions else ()
    outputs = [
        RenderOutput(target, _burnt_in(timeline, words, target), place / f"output-{index}.mp4")
        for index, target in enumerate(targets)
    ]
    made = render(
        source.path, timeline, outputs, info=source.info, music=music.path if music else None, progress=progress
    )
    several = len(targets) > 1
    return [
        _stage(context, source, timeline, target, result, music, _named(name, target, several), metadata or {}, words)
        for target, result in zip(targets, made, strict=True)
    ]


def _burnt_in(timeline: Timeline, words: Sequence[Word], target: OutputTarget) -> str | None:
    if timeline.captions is None or not timeline.captions.burn_in or not words:
        return None
    check_drawable(words)
    return ass_document(words, timeline.captions.style, target.width, target.height, target.aspect_ratio)


def _named(name: str, target: OutputTarget, several: bool) -> str:
    return f"{name} {SHAPE_NAMES[target.aspect_ratio]}" if several else name


def _stage(
    context: JobContext,
    source: Source,
    timeline: Timeline,
    target: OutputTarget,
    made: RenderedOutput,
    music: Music | None,
    name: str,
    metadata: dict[str, Any],
    words: Sequence[Word],
) -> Finished:
    parents: dict[UUID | str, str] = {source.asset.id: "source"}
    licences = [source.asset.licence]
    ai_generated = source.asset.ai_generated
    if music is not None:
        parents[music.asset_id] = "music"
        licences.append(music.licence)
        ai_generated = ai_generated or music.ai_generated
    poster = poster_of(made.path, made.duration_seconds, made.width, made.height)
    video = context.stage_asset(
        made.path,
        kind="video",
        name=f"{name}.mp4",
        parents=parents,
        metadata={**metadata, "aspect_ratio": target.aspect_ratio, "language": timeline.language},
        duration_seconds=made.duration_seconds,
        width=made.width,
        height=made.height,
        fps=timeline.fps,
        has_audio=True,
        loudness_lufs=made.loudness.lufs,
        licence="; ".join(dict.fromkeys(licences)),
        ai_generated=ai_generated,
    )
    beside = timeline.captions is not None and not timeline.captions.burn_in
    said = words if beside else ()
    return with_belongings(context, video, made, poster, target, said, timeline.language, name=name)


def with_belongings(
    context: JobContext,
    video: StagedAsset,
    made: RenderedOutput,
    poster: Path,
    target: OutputTarget,
    words: Sequence[Word],
    language: str,
    *,
    name: str,
) -> Finished:
    """A staged video with its poster, and where there are ``words``, its captions as files beside it."""
    belongings = [
        context.stage_asset(poster, kind="image", name=f"{name}.jpg", parents={video.asset_id: "poster"}, hidden=True)
    ]
    if words:
        belongings += caption_files(
            context, words, language, ("srt", "vtt"), poster.parent, name=name, parent=video.asset_id
        )
    row = {
        "asset_id": video.asset_id,
        "aspect_ratio": target.aspect_ratio,
        "width": made.width,
        "height": made.height,
        "duration_seconds": round(made.duration_seconds, 3),
        "frames": made.frames,
        "loudness_lufs": made.loudness.lufs,
        "poster_asset_id": belongings[0].asset_id,
    }
    return Finished(video, row, tuple(belongings))


def caption_files(
    context: JobContext,
    words: Sequence[Word],
    language: str,
    formats: Sequence[str],
    folder: Path,
    *,
    name: str,
    parent: UUID | str,
    style: str = "clean",
    size: tuple[int, int] = (1920, 1080),
    translated: Translated | None = None,
) -> list[StagedAsset]:
    """Captions as files beside a video (``words`` in that video's time), one asset for each of ``formats``; translated
    ones carry who translated them, that engine's licence and that a machine made them."""
    captions = build_captions(words, CaptionRules())
    texts = {
        "srt": lambda: srt(captions),
        "vtt": lambda: vtt(captions, language),
        "ass": lambda: ass_document(words, style if style in STYLES else "clean", *size),
    }
    staged = []
    for kind in dict.fromkeys(formats):
        path = folder / f"captions-{parent}-{language or 'und'}.{kind}"
        path.write_text(texts[kind](), encoding="utf-8")
        staged.append(
            context.stage_asset(
                path,
                kind="subtitle",
                name=f"{name}.{language or 'und'}.{kind}",
                parents={parent: "captions"},
                metadata={"language": language, "format": kind, **(translated.metadata if translated else {})},
                **({"licence": translated.engine.licence, "ai_generated": True} if translated else {}),
            )
        )
    return staged


def poster_of(video: Path, seconds: float, width: int, height: int) -> Path:
    """A picture a third into the video, beside it."""
    path = video.with_suffix(".jpg")
    tall = min(POSTER_HEIGHT, height)
    run_ffmpeg(
        [
            *source_arguments(video, "-ss", f"{seconds / 3:.3f}", "-an"), "-frames:v", "1",
            "-vf", f"scale={round(width * tall / height / 2) * 2}:{tall // 2 * 2}", "-q:v", "4", "-f", "image2",
            "-update", "1", output_argument(path),
        ],
    )  # fmt: skip
    return path

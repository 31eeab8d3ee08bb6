"""From what the user ticked to the operations of a job: pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from core import translation
from core.video.ad_payloads import AdOperation, AdPiece, AdsInput, Role
from core.video.chapter_payloads import ChapterCut, ChaptersInput
from core.video.payloads import (
    AddMusic,
    AddSubtitle,
    AutoCutFillers,
    AutoCutRepeats,
    AutoCutSilence,
    AutoReframe,
    AutoSpeed,
    AutoTransition,
    CutByBeat,
    EditVersion,
    Highlight,
    MusicChoice,
    NormalizeLoudness,
    Operation,
    ReduceNoise,
    ShortsInput,
    VideoEditInput,
)
from core.video.sizes import TargetOutput
from core.video.timeline import AspectRatio
from pages.editor.project import AdDraft, ChapterDraft, Choices


def _music(choices: Choices) -> dict[str, object] | None:
    if not choices.music:
        return None
    kind, _, name = choices.music.partition(":")
    named = {"music_asset_id": UUID(name)} if kind == "asset" else {"audio_preset": name}
    return {**named, "duck_db": choices.duck_db}


def _beats(choices: Choices) -> list[Operation]:
    """Cuts on the beats of the chosen music, if there is one."""
    return [CutByBeat(beats_per_cut=choices.beats_per_cut)] if choices.music and choices.on_beat else []


def cuts_and_sound(choices: Choices) -> list[Operation]:
    """The operations that hold for the long version and for every short."""
    operations: list[Operation] = []
    if choices.pauses != "leave":
        operations.append(AutoCutSilence(min_silence_seconds=choices.min_silence_seconds))
    pace = choices.speed if choices.speed != 1.0 else None
    passing = choices.pause_speed if choices.pauses == "speed" else None
    if pace or passing:
        operations.append(AutoSpeed(factor=pace, silence_factor=passing))
    if choices.cut_fillers:
        operations.append(AutoCutFillers())
    if choices.cut_repeats:
        operations.append(AutoCutRepeats())
    if choices.transition != "cut":
        seconds = choices.transition_seconds
        operations.append(AutoTransition(style=choices.transition, duration_seconds=seconds))
    if choices.reduce_noise:
        operations.append(ReduceNoise())
    if choices.loudness:
        operations.append(NormalizeLoudness())
    return operations


def edit_operations(choices: Choices) -> tuple[Operation, ...]:
    """Everything the long version gets."""
    operations = cuts_and_sound(choices)
    if choices.highlight_seconds:
        operations.append(Highlight(max_seconds=choices.highlight_seconds))
    operations.append(AutoReframe(subject="auto" if choices.follow_face else "center"))
    if choices.captions:
        operations.append(AddSubtitle(style=choices.captions, language=choices.language or "auto"))
    music = _music(choices)
    if music:
        operations.append(AddMusic.model_validate({**music, "sync_to_beat": choices.on_beat}))
    return (*operations, *_beats(choices))


def decides_cuts(payload: Mapping[str, Any]) -> tuple[object, list[object]]:
    """Of a job's payload, what the cuts depend on: the language and the cutting operations."""
    deciding = ("auto_cut_", "auto_speed", "cut_by_beat", "highlight")
    operations = payload.get("operations") or []
    cutting = [one for one in operations if str(one.get("type")).startswith(deciding)]
    # Another track has other beats; how loud it is decides nothing.
    cutting += [(one.get("music_asset_id"), one.get("audio_preset")) for one in operations if one.get("sync_to_beat")]
    return payload.get("language"), cutting


def plan_input(source: UUID, choices: Choices) -> VideoEditInput:
    """Find the cuts: decide everything, render nothing."""
    return VideoEditInput(
        source_video_id=source,
        operations=edit_operations(choices),
        target_outputs=targets(choices),
        language=choices.language or "auto",
        speech_provider=choices.speech_provider,
        dry_run=True,
    )


def render_input(source: UUID, timeline_id: UUID, choices: Choices) -> VideoEditInput:
    """Render the corrected timeline in every chosen shape, in one job."""
    return VideoEditInput(
        source_video_id=source,
        operations=edit_operations(choices),
        target_outputs=targets(choices),
        language=choices.language or "auto",
        speech_provider=choices.speech_provider,
        timeline_id=timeline_id,
    )


def versions_input(source: UUID, versions: Sequence[tuple[str, UUID, Choices]]) -> VideoEditInput:
    """Render several corrected timelines in one job; each is its name, its timeline and its choices."""
    first = versions[0][2]
    return VideoEditInput(
        source_video_id=source,
        versions=tuple(
            EditVersion(
                name=name, operations=edit_operations(choices), target_outputs=targets(choices), timeline_id=timeline_id
            )
            for name, timeline_id, choices in versions
        ),
        language=first.language or "auto",
        speech_provider=first.speech_provider,
    )


def shorts_input(source: UUID, choices: Choices) -> ShortsInput:
    """The best clips, upright, with the same captions and music."""
    music = _music(choices)
    reframe = AutoReframe(subject="auto" if choices.follow_face else "center")
    return ShortsInput(
        source_video_id=source,
        count=choices.shorts,
        min_seconds=min(15.0, choices.max_seconds / 2),
        max_seconds=float(choices.max_seconds),
        resolution=choices.resolution,
        style=choices.captions or None,
        music=MusicChoice.model_validate(music) if music else None,
        operations=(*cuts_and_sound(choices), reframe, *_beats(choices)),
        language=choices.language or "auto",
        speech_provider=choices.speech_provider,
    )


def chapters_input(source: UUID, choices: Choices) -> ChaptersInput:
    """Look for the sub-clips of a long recording."""
    shortest, longest = choices.chapter_minutes
    return ChaptersInput(
        source_video_id=source,
        min_seconds=60.0 * shortest,
        max_seconds=60.0 * max(longest, 2 * shortest),
        language=choices.language or "auto",
        speech_provider=choices.speech_provider,
        dry_run=True,
    )


def chapters_render(source: UUID, choices: Choices, kept: Sequence[ChapterDraft], ratio: AspectRatio) -> ChaptersInput:
    """Render the kept sub-clips in one shape, with the cuts, captions and music of the long version."""
    music = _music(choices)
    return ChaptersInput(
        source_video_id=source,
        chapters=tuple(ChapterCut(start=each.start, end=each.end, title=each.title) for each in kept),
        aspect_ratio=ratio,
        resolution=choices.resolution,
        style=choices.captions or None,
        music=MusicChoice.model_validate(music) if music else None,
        operations=(
            *cuts_and_sound(choices),
            AutoReframe(subject="auto" if choices.follow_face else "center"),
            *_beats(choices),
        ),
        language=choices.language or "auto",
        speech_provider=choices.speech_provider,
    )


def ads_input(draft: AdDraft, choices: Choices, translation_provider: translation.Provider) -> AdsInput:
    """Every combination of an advertising set, with the captions, music and cuts of the project."""
    music = _music(choices)
    pieces: dict[Role, list[AdPiece]] = {"hook": [], "body": [], "call": []}
    for each in draft.pieces:
        pieces[each.role].append(
            AdPiece(video_asset_id=each.asset_id, start=each.start, end=each.end, name=each.name, text=each.text)
        )
    return AdsInput(
        name=draft.name or "Ad",
        hooks=tuple(pieces["hook"]),
        bodies=tuple(pieces["body"]),
        calls_to_action=tuple(pieces["call"]),
        target_outputs=tuple(
            TargetOutput(aspect_ratio=ratio, resolution=choices.resolution) for ratio in draft.formats
        ),
        languages=tuple(draft.languages),
        style=choices.captions or None,
        music=MusicChoice.model_validate(music) if music else None,
        operations=TypeAdapter(tuple[AdOperation, ...]).validate_python(
            (*cuts_and_sound(choices), AutoReframe(subject="auto" if choices.follow_face else "center"))
        ),
        source_language=choices.language or "auto",
        speech_provider=choices.speech_provider,
        translation_provider=translation_provider,
    )


def targets(choices: Choices) -> tuple[TargetOutput, ...]:
    return tuple(TargetOutput(aspect_ratio=ratio, resolution=choices.resolution) for ratio in choices.formats)

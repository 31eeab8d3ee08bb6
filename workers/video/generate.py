"""video.generate: a video from a prompt, a storyboard, a script or pictures (SPEC V1)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from core import voices
from core.errors import InvalidInput
from core.models.assets import Asset
from core.narration import words_of
from core.preferences import stored_names
from core.progress import Progress, part
from core.video.ass import ass_document
from core.video.generate.cards import Card, card_document
from core.video.generate.engines import BUILTIN, require_ready
from core.video.generate.looks import LOOKS, Look
from core.video.generate.payloads import GenerateInput
from core.video.generate.scenes import FPS, Draft, Scene, drafts_of, haste, hurried, plan
from core.video.sizes import resolve_targets
from core.video.timeline import MusicBed, OutputTarget, Word
from providers.speech import voice_over
from providers.video.hosted.finish import finish
from providers.video.renderer import RenderedOutput
from providers.video.scenes import Sound, render_scenes
from workers.context import JobContext
from workers.music.speech import chosen_voice, speaker
from workers.registry import task
from workers.video.edit import announce
from workers.video.hosted import made_clip
from workers.video.music import Music, beat_grid, find_music
from workers.video.outputs import Finished, poster_of, with_belongings

NAME_LETTERS = 60


@task("video.generate")
def generate(context: JobContext, payload: GenerateInput) -> dict[str, Any]:
    """Make the video; it becomes a draft episode like every finished video.

    The result holds ``scenes`` (seconds, what each shows and says) and one row of ``outputs``.
    """
    with context.session() as session:
        require_ready(payload, stored_names(session))
    look = LOOKS[payload.style]
    if payload.provider != BUILTIN:
        return _hosted(context, payload, look)
    drafts = drafts_of(payload, look)
    pictures = {one: _picture(context, one) for one in payload.pictures}
    voice = chosen_voice(context, payload.spoken, payload.language, payload.voice) if payload.spoken else ""
    music = find_music(context, payload.music, part(context.progress, 0.0, 0.05))
    recordings = _recorded(context, drafts, voice, part(context.progress, 0.05, 0.25))
    speed = haste(drafts, _lengths(drafts, recordings, 1.0), payload.duration_seconds)
    drafts = hurried(drafts, speed)
    beats = None
    if music is not None and payload.beat_cuts and len(drafts) > 1:
        beats = beat_grid(context, music, part(context.progress, 0.25, 0.27)).until
    scenes = plan(
        drafts, _lengths(drafts, recordings, speed), look, total=payload.duration_seconds, beats=beats
    )  # fmt: skip
    (target,) = resolve_targets([payload.target], 1920, 1080)
    narration = context.folder / "narration.wav" if recordings else None
    if narration is not None:
        starts = [line.start for scene in scenes for line in scene.said]
        voice_over.place(
            recordings, starts, scenes[-1].end / FPS, narration, speed=speed,
            progress=part(context.progress, 0.27, 0.3),
        )  # fmt: skip
    words = [word for scene in scenes for line in scene.said for word in words_of(line)]
    language = voices.language_of(payload.spoken, payload.language) if payload.spoken else ""
    path = context.folder / "video.mp4"
    made = render_scenes(
        scenes,
        [_path(context, pictures, scene.draft) for scene in scenes],
        look,
        target,
        Sound(narration, music.path if music else None, _bed(music)),
        path,
        letters=letters_of(scenes, words, look, payload.captions or look.captions, target),
        progress=part(context.progress, 0.3, 0.97),
    )
    name = payload.name or name_of(payload, drafts, list(pictures.values()))
    finished = _staged(
        context, payload, made, target, list(pictures.values()), music, voice, words, language, name
    )  # fmt: skip
    return {
        "scenes": [_told(scene) for scene in scenes],
        "outputs": announce(context, [finished], title=name, language=language),
    }


def _hosted(context: JobContext, payload: GenerateInput, look: Look) -> dict[str, Any]:
    """One clip of a prompt by a service, in the order's size and style, with its music."""
    clip = made_clip(context, payload, part(context.progress, 0.0, 0.7))
    music = find_music(context, payload.music, part(context.progress, 0.7, 0.75))
    (target,) = resolve_targets([payload.target], 1920, 1080)
    sound = Sound(None, music.path if music else None, _bed(music))
    made = finish(clip, look, target, sound, context.folder / "video.mp4", progress=part(context.progress, 0.75, 0.97))
    name = payload.name or name_of(payload, (), ())
    finished = _staged(context, payload, made, target, [], music, "", (), "", name)
    return {"scenes": [], "outputs": announce(context, [finished], title=name, language="")}


def letters_of(
    scenes: Sequence[Scene], words: Sequence[Word], look: Look, captions: str, target: OutputTarget
) -> list[str]:
    """The cards, and over them the captions of what is narrated."""
    captioned = captions != "none" and bool(words)
    cards = [
        Card(
            scene.draft.title, (scene.start + scene.joint / 2) / FPS, scene.end / FPS,
            raised=captioned and bool(scene.said),
        )
        for scene in scenes
        if scene.draft.title
    ]  # fmt: skip
    documents = []
    if cards:
        documents.append(card_document(cards, look.card, target.width, target.height, target.aspect_ratio))
    if captioned:
        documents.append(ass_document(words, captions, target.width, target.height, target.aspect_ratio))
    return documents


def name_of(payload: GenerateInput, drafts: Sequence[Draft], pictures: Sequence[Asset]) -> str:
    """What the video is called: the beginning of its words, else its first picture's name."""
    words = payload.prompt or next((draft.title for draft in drafts if draft.title), "")
    words = words or next((line.text for draft in drafts for line in draft.lines), "")
    if not words and pictures:
        words = pictures[0].name.rsplit(".", 1)[0]
    words = " ".join(words.split())
    return words if len(words) <= NAME_LETTERS else words[:NAME_LETTERS].rsplit(" ", 1)[0] + "…"


def _picture(context: JobContext, asset_id: UUID) -> Asset:
    asset = context.asset(asset_id)
    if asset.kind != "image":
        raise InvalidInput(f"“{asset.name}” is not a picture.", "Choose pictures; recordings are edited instead.")
    return asset


def _path(context: JobContext, pictures: dict[UUID, Asset], draft: Draft) -> Path | None:
    return context.asset_path(pictures[draft.picture].id) if draft.picture else None


def _recorded(
    context: JobContext, drafts: Sequence[Draft], voice: str, progress: Progress
) -> list[voice_over.Recording]:
    texts = [line.text for draft in drafts for line in draft.lines]
    return voice_over.record(texts, speaker(context, voice), context.folder, progress=progress) if texts else []


def _lengths(drafts: Sequence[Draft], recordings: Sequence[voice_over.Recording], speed: float) -> list[list[float]]:
    """Seconds of each scene's lines as they will be heard."""
    left = iter(recordings)
    return [[one.seconds / speed for one in islice(left, len(draft.lines))] for draft in drafts]


def _bed(music: Music | None) -> MusicBed | None:
    return MusicBed(asset_id=music.asset_id, seamless=music.seamless) if music else None


def _told(scene: Scene) -> dict[str, Any]:
    return {
        "start": round(scene.start / FPS, 3),
        "end": round(scene.end / FPS, 3),
        "title": scene.draft.title,
        "image_asset_id": str(scene.draft.picture) if scene.draft.picture else None,
        "transition": scene.draft.transition if scene.joint else "cut",
        "narration": " ".join(line.text for line in scene.said),
    }


def _staged(
    context: JobContext,
    payload: GenerateInput,
    made: RenderedOutput,
    target: OutputTarget,
    pictures: Sequence[Asset],
    music: Music | None,
    voice: str,
    words: Sequence[Word],
    language: str,
    name: str,
) -> Finished:
    """The video with its poster and its captions as files; what it was made of, and under which licences."""
    parents: dict[UUID | str, str] = {picture.id: "source" for picture in pictures}
    licences = [picture.licence for picture in pictures]
    by_ai = payload.provider != BUILTIN or bool(voice) or any(picture.ai_generated for picture in pictures)
    if voice:
        licences.append(voices.licence_of(voice))
    if payload.provider != BUILTIN:
        licences.append(f"{payload.provider.title()}'s terms")
    if music is not None:
        parents[music.asset_id] = "music"
        licences.append(music.licence)
        by_ai = by_ai or music.ai_generated
    still = poster_of(made.path, made.duration_seconds, made.width, made.height)
    video = context.stage_asset(
        made.path,
        kind="video",
        name=f"{name}.mp4",
        parents=parents,
        metadata={
            "aspect_ratio": target.aspect_ratio,
            "language": language,
            "style": payload.style,
            "provider": payload.provider,
            "voice_over": voice,
        },
        duration_seconds=made.duration_seconds,
        width=made.width,
        height=made.height,
        fps=f"{FPS}/1",
        has_audio=True,
        loudness_lufs=made.loudness.lufs,
        licence="; ".join(dict.fromkeys(licences)) or "own",
        ai_generated=by_ai,
    )
    return with_belongings(context, video, made, still, target, words, language, name=name)

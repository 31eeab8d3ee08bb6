"""Make music from words: the song, its MIDI and its stems, all or nothing (SPEC M6)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core import events
from core.assets import StagedAsset
from core.models.assets import AudioAnalysis, StemGroup
from core.models.base import uuid7
from core.music import stems
from core.music.composing import plan as plans
from core.music.composing import song as songs
from core.music.generate_payloads import GenerateMusicInput
from core.music.generation import MUSICGEN_SMALL, require_ready
from core.music.midi import as_midi
from core.progress import part
from core.recordings import RECORDING_MADE
from core.storage import require_space
from providers.audio import composer, decode, musicgen, performance
from providers.video.ingest import prepare
from workers.context import JobContext
from workers.registry import task

# A second of 48 kHz stereo: four bytes a sample while it is worked on, three as it is kept.
_BYTES_PER_SECOND = 48_000 * 2 * 7
_TITLE = 60


@task("music.generate")
def generate(context: JobContext, payload: GenerateMusicInput) -> dict[str, Any]:
    """One provider makes it, as ordered. Without a seed the job's identifier is one, so that an attempt that runs again
    makes the same song."""
    seed = payload.seed if payload.seed is not None else context.job_id.int % 2**31
    plan = plans.plan(payload.wishes, seed)
    require_ready(payload.provider, plan.seconds)
    title = payload.name or title_of(payload, plan)
    require_space(round(plan.seconds * _BYTES_PER_SECOND * (len(plan.instruments) + 2)))
    made = _network if payload.provider == "musicgen" else _composed
    result = made(context, payload, plan, title)
    return {**result, "provider": payload.provider, "seed": seed, "understood": plan.as_dict()}


def title_of(payload: GenerateMusicInput, plan: plans.Plan) -> str:
    """A name for what has none: the beginning of the prompt, else mood and style."""
    words = " ".join(payload.prompt.split())
    if len(words) > _TITLE:
        words = words[:_TITLE].rpartition(" ")[0] or words[:_TITLE]
    return (words[:1].upper() + words[1:]).rstrip(" .,;:") or f"{plan.mood} {plan.style}".capitalize()


def _composed(context: JobContext, payload: GenerateMusicInput, plan: plans.Plan, title: str) -> dict[str, Any]:
    song = songs.compose(plan)
    share = part(context.progress, 0.0, 0.95, "stage.music")
    played = performance.perform(song, plan.style, plan.seed, context.folder, progress=share)
    group_id = uuid7()
    about = {
        "bpm": song.score.bpm,
        "key": song.score.key,
        "time_signature": song.metre,
        "loopable": plan.loop,
        "edition": performance.EDITION,
        "stem_group_id": str(group_id),
    }
    staged = _stage_song(
        context, payload, plan, title, about, path=played.song, loudness_lufs=played.loudness_lufs,
        licence=composer.LICENCE, ai_generated=False,
    )  # fmt: skip
    score = context.folder / "song.mid"
    score.write_bytes(as_midi(song.score, song.metre, title))
    midi = context.stage_asset(
        score, kind="midi", name=f"{title}.mid", parents={staged.asset_id: "midi"},
        duration_seconds=plan.seconds, licence="MIT (score)",
    )  # fmt: skip
    made: dict[str, str] = {}
    for name, path in played.stems.items():
        made[name] = context.stage_asset(
            path,
            kind="audio",
            name=f"{title} {name.replace('_', ' ')}.wav",
            parents={staged.asset_id: stems.ROLE},
            duration_seconds=plan.seconds,
            has_audio=True,
            licence=composer.LICENCE,
            metadata={
                "stem": name,
                "stem_group_id": str(group_id),
                "provider": stems.COMPOSER,
                "edition": performance.EDITION,
                "sample_rate": decode.STUDIO_RATE,
                "channels": 2,
            },
        ).asset_id
    found = song.as_analysis()
    columns = {name: found[name] for name in ("bpm", "key", "scale", "time_signature")}
    context.rows += [
        StemGroup(
            id=group_id,
            owner_id=context.owner_id,
            audio_asset_id=staged.asset_id,
            provider=stems.COMPOSER,
            stems=dict(made),
        ),
        AudioAnalysis(
            owner_id=context.owner_id, audio_asset_id=staged.asset_id, job_id=context.job_id, result=found, **columns
        ),
    ]
    context.emit(RECORDING_MADE, {"asset_id": staged.asset_id})
    context.emit(
        events.AUDIO_STEMS_CREATED,
        {"asset_id": staged.asset_id, "stem_group_id": str(group_id), "stems": made, "provider": stems.COMPOSER},
    )
    context.emit(events.MUSIC_ANALYZED, {"asset_id": staged.asset_id, "bpm": found["bpm"], "key": found["key"]})
    return {
        "audio_asset_id": staged.asset_id,
        "midi_asset_id": midi.asset_id,
        "stem_group_id": str(group_id),
        "stems": made,
    }


def _network(context: JobContext, payload: GenerateMusicInput, plan: plans.Plan, title: str) -> dict[str, Any]:
    """A network makes sound alone: there is no score to write down, and no stems before somebody separates them."""
    made = musicgen.generate(
        musicgen.describe(payload.prompt, plan, payload.wishes), plan.seconds, plan.seed, context.folder,
        loop=plan.loop, progress=part(context.progress, 0.0, 0.95, "stage.music"),
    )  # fmt: skip
    about = {"loopable": plan.loop, "edition": MUSICGEN_SMALL.name}
    staged = _stage_song(
        context, payload, plan, title, about, path=made.path, loudness_lufs=made.loudness_lufs,
        licence=MUSICGEN_SMALL.licence, ai_generated=True,
    )  # fmt: skip
    context.emit(RECORDING_MADE, {"asset_id": staged.asset_id})
    return {"audio_asset_id": staged.asset_id, "midi_asset_id": None, "stem_group_id": None, "stems": {}}


def _stage_song(
    context: JobContext, payload: GenerateMusicInput, plan: plans.Plan, title: str, about: dict[str, Any], *,
    path: Path, **fields: Any,
) -> StagedAsset:  # fmt: skip
    drawn = prepare(path, context.folder)
    staged = context.stage_asset(
        path,
        kind="audio",
        name=f"{title}.wav",
        duration_seconds=plan.seconds,
        has_audio=True,
        metadata={
            "generated": {"provider": payload.provider, "prompt": payload.prompt, **plan.as_dict()},
            "sample_rate": decode.STUDIO_RATE,
            "channels": 2,
            **about,
        },
        **fields,
    )
    # The song's page opens with its waveform, before the job that prepares recordings has run.
    context.store_analysis(staged.sha256, "peaks", {"peaks": list(drawn.peaks), "per_second": drawn.peaks_per_second})
    return staged

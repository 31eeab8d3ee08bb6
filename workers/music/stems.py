"""Separate a song into stems and mix them again (SPEC M2)."""

from __future__ import annotations

from typing import Any

from core import events
from core.errors import UnsupportedMedia
from core.models.assets import StemGroup
from core.models.base import uuid7
from core.music import stems
from core.music.stem_payloads import MixInput, StemsInput
from core.progress import part
from core.recordings import RECORDING_MADE
from core.storage import require_space
from providers.audio import decode
from providers.audio import mix as mixing
from providers.audio.stems import provider_of
from workers.context import JobContext
from workers.registry import task

# A second of 48 kHz stereo of 24 bits; a separation has up to nine such files at once (Demucs writes twice).
_BYTES_PER_SECOND = 48_000 * 6
_FILES = 9


@task("audio.stems")
def separate(context: JobContext, payload: StemsInput) -> dict[str, Any]:
    """Each stem becomes an asset beside its song; together they are one group."""
    song = context.asset(payload.audio_asset_id)
    if not song.has_audio:
        raise UnsupportedMedia(f"“{song.name}” has no sound.")
    provider = provider_of(payload.provider)
    seconds = song.duration_seconds or 0.0
    require_space(round(seconds * _BYTES_PER_SECOND * _FILES))
    paths = provider.separate_stems(
        context.asset_path(song.id), context.folder, duration_seconds=seconds,
        progress=part(context.progress, 0.0, 0.95, "stage.separate"),
    )  # fmt: skip
    context.asset(song.id)  # deleted meanwhile: nothing to put stems beside
    group_id = uuid7()
    made: dict[str, str] = {}
    for stem in payload.stems:
        made[stem] = context.stage_asset(
            paths[stem],
            kind="audio",
            name=f"{song.name.rsplit('.', 1)[0]} {stem}.wav",
            parents={song.id: stems.ROLE},
            duration_seconds=seconds or None,
            has_audio=True,
            licence=song.licence,
            ai_generated=song.ai_generated,
            metadata={
                "stem": stem,
                "stem_group_id": str(group_id),
                "provider": provider.name,
                "edition": provider.edition,
                "sample_rate": decode.STUDIO_RATE,
                "channels": 2,
            },
        ).asset_id
    context.rows.append(
        StemGroup(
            id=group_id, owner_id=context.owner_id, audio_asset_id=song.id, provider=provider.name, stems=dict(made)
        )
    )
    context.emit(
        events.AUDIO_STEMS_CREATED,
        {"asset_id": str(song.id), "stem_group_id": str(group_id), "stems": made, "provider": provider.name},
    )
    return {
        "audio_asset_id": str(song.id),
        "stem_group_id": str(group_id),
        "stems": made,
        "provider": provider.name,
        "edition": provider.edition,
    }


@task("audio.mix")
def mix(context: JobContext, payload: MixInput) -> dict[str, Any]:
    """A new sound out of others; it may be used like any song of the Music Lab."""
    with context.session() as session:
        tracks = stems.tracks_of(session, payload)
    sources = [
        mixing.Source(context.asset_path(asset.id), track.gain_db, stem=stems.is_stem(asset)) for track, asset in tracks
    ]
    longest = max((asset.duration_seconds or 0.0) for _, asset in tracks)
    require_space(round(longest * _BYTES_PER_SECOND * (len(tracks) + 2)))
    made = mixing.mix(sources, context.folder, payload.format, progress=part(context.progress, 0.0, 0.95))
    name = payload.name or f"{tracks[0][1].name.rsplit('.', 1)[0]} mix"
    staged = context.stage_asset(
        made.path,
        kind="audio",
        name=f"{name}.{payload.format}",
        parents={asset.id: "track" for _, asset in tracks},
        duration_seconds=round(made.duration_seconds, 6),
        has_audio=True,
        licence="; ".join(dict.fromkeys(asset.licence for _, asset in tracks)),
        ai_generated=any(asset.ai_generated for _, asset in tracks),
        metadata={
            "mix": [{"asset_id": str(asset.id), "gain_db": track.gain_db} for track, asset in tracks],
            "lowered_db": made.lowered_db,
        },
    )
    context.emit(RECORDING_MADE, {"asset_id": staged.asset_id})
    return {"audio_asset_id": staged.asset_id, "lowered_db": made.lowered_db}

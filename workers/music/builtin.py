"""The built-in background tracks as assets of the library, each made once (SPEC V4.1)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from core.assets import StagedAsset
from core.models.assets import Asset
from core.music.payloads import BuiltinTracksInput
from core.music.presets import PRESETS
from core.progress import Progress, part
from core.recordings import RECORDING_MADE
from providers.audio import composer
from workers.context import JobContext
from workers.registry import task


@task("music.builtin")
def record(context: JobContext, payload: BuiltinTracksInput) -> dict[str, Any]:
    """Play the asked tracks (all of them by default) that are not in the library yet."""
    names = [composer.preset_of(name).name for name in dict.fromkeys(payload.presets or PRESETS)]
    tracks: dict[str, str] = {}
    for index, name in enumerate(names):
        share = part(context.progress, index / len(names), (index + 1) / len(names))
        known = find(context, name)
        tracks[name] = str(known.id) if known else stage(context, name, share).asset_id
    return {"tracks": tracks}


def find(context: JobContext, name: str) -> Asset | None:
    """The owner's asset of a built-in track in its present edition, the oldest if there are several."""
    with context.session() as session:
        return session.scalar(
            select(Asset)
            .where(
                Asset.owner_id == context.owner_id,
                Asset.kind == "audio",
                Asset.details["audio_preset"].astext == name,
                Asset.details["edition"].astext == composer.EDITION,
            )
            .order_by(Asset.created_at)
            .limit(1)
        )


def stage(context: JobContext, name: str, progress: Progress) -> StagedAsset:
    """Play a built-in track and stage it as an asset of the job; raises :class:`InvalidInput` for an unknown one."""
    path = composer.ensure_track(context.folder, name, progress=progress)
    preset = composer.preset_of(name)
    staged = context.stage_asset(
        path,
        kind="audio",
        name=f"{name}.wav",
        metadata=composer.describe(name),
        duration_seconds=round(preset.bars * 4 * 60.0 / preset.bpm, 3),
        has_audio=True,
        loudness_lufs=composer.TARGET_LUFS,
        licence=composer.LICENCE,
    )
    context.emit(RECORDING_MADE, {"asset_id": staged.asset_id})
    return staged

"""Remaster a sound (SPEC M5)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.errors import UnsupportedMedia
from core.music import remaster as decisions
from core.music.remaster_payloads import Match, RemasterInput
from core.progress import part
from core.recordings import RECORDING_MADE
from core.storage import require_space
from providers.audio import decode, raw
from providers.audio import remaster as mastering
from workers.context import JobContext
from workers.registry import task

# Raw sound before and after a step, its peaks, the WAV, the copy to compare with, the reference.
_FILES = 5


@task("audio.remaster")
def remaster(context: JobContext, payload: RemasterInput) -> dict[str, Any]:
    """The sound of an asset, remastered, becomes a new sound. The reference of a match lends no sound, so it is told
    of in the metadata and is no parent."""
    source = context.asset(payload.audio_asset_id)
    if not source.has_audio:
        raise UnsupportedMedia(f"“{source.name}” has no sound.")
    reference = _reference(context, payload)
    seconds = source.duration_seconds or 0.0
    require_space(round(seconds * raw.BYTES_PER_SECOND * _FILES))
    original, copied = context.asset_path(source.id), context.folder / "before.wav"
    if not raw.is_studio_wav(original):
        # What the player compares with has to lie sample beside sample.
        decode.to_wav(original, copied, duration_seconds=seconds, progress=part(context.progress, 0.0, 0.05))
    made = mastering.remaster(
        copied if copied.exists() else original, payload.operations, context.folder, reference=reference,
        duration_seconds=seconds, progress=part(context.progress, 0.05, 0.97),
    )  # fmt: skip
    context.asset(source.id)  # deleted meanwhile: nothing to be compared with
    name = payload.name or f"{source.name.rsplit('.', 1)[0]} remastered"
    told = {
        "before": made.before_lufs if made.before_lufs is None else round(made.before_lufs, 2),
        "after": made.after.lufs,
        "true_peak_dbtp": made.after.true_peak,
        "decay_seconds": made.decay_seconds if made.decay_seconds is None else round(made.decay_seconds, 2),
    }
    staged = context.stage_asset(
        made.path,
        kind="audio",
        name=f"{name}.wav",
        parents={source.id: decisions.ROLE},
        duration_seconds=round(made.duration_seconds, 6),
        has_audio=True,
        loudness_lufs=made.after.lufs,
        licence=source.licence,
        ai_generated=source.ai_generated,
        metadata={
            "sample_rate": decode.STUDIO_RATE,
            "channels": 2,
            "remaster": {**told, "operations": [one.model_dump(mode="json") for one in payload.operations]},
        },
    )
    result = {"audio_asset_id": staged.asset_id, "source_asset_id": str(source.id), **told}
    if copied.exists():
        context.stage_asset(
            copied,
            kind="audio",
            name=f"{source.name.rsplit('.', 1)[0]} before.wav",
            parents={staged.asset_id: decisions.BEFORE},
            duration_seconds=round(made.duration_seconds, 6),
            has_audio=True,
            hidden=True,
            licence=source.licence,
            ai_generated=source.ai_generated,
        )
    context.emit(RECORDING_MADE, {"asset_id": staged.asset_id})
    return result


def _reference(context: JobContext, payload: RemasterInput) -> Path | None:
    for operation in payload.operations:
        if isinstance(operation, Match):
            asset = context.asset(operation.reference_asset_id)
            if not asset.has_audio:
                raise UnsupportedMedia(f"“{asset.name}” has no sound.")
            return context.asset_path(asset.id)
    return None

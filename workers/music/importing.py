"""Take any sound into the library as 48 kHz WAV (SPEC M1)."""

from __future__ import annotations

from typing import Any

from core.errors import UnsupportedMedia
from core.music.payloads import ImportAudioInput
from core.progress import part
from core.recordings import RECORDING_MADE
from providers.audio import decode
from providers.video.probe import probe
from workers.context import JobContext
from workers.registry import task


@task("audio.import")
def import_audio(context: JobContext, payload: ImportAudioInput) -> dict[str, Any]:
    """The sound of an audio or video asset becomes a new audio asset."""
    source = context.asset(payload.source_asset_id)
    if not source.has_audio:
        raise UnsupportedMedia(f"“{source.name}” has no sound.")
    path = context.folder / "sound.wav"
    decode.to_wav(
        context.asset_path(source.id),
        path,
        duration_seconds=source.duration_seconds or 0.0,
        progress=part(context.progress, 0.0, 0.95, "stage.import"),
    )
    staged = context.stage_asset(
        path,
        kind="audio",
        name=payload.name or f"{source.name.rsplit('.', 1)[0]}.wav",
        parents={source.id: "source"},
        duration_seconds=probe(path).duration_seconds,
        has_audio=True,
        licence=source.licence,
        ai_generated=source.ai_generated,
        metadata={"sample_rate": decode.STUDIO_RATE, "channels": 2},
    )
    context.emit(RECORDING_MADE, {"asset_id": staged.asset_id})
    return {"audio_asset_id": staged.asset_id}

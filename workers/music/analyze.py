"""Analyse a piece of music and keep the result with its asset (SPEC M3, I3c)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from core import events
from core.errors import UnsupportedMedia
from core.models.assets import Asset, AudioAnalysis
from core.music.payloads import AnalyzeInput
from core.progress import Progress, part
from providers.audio import analysis
from workers.context import JobContext
from workers.registry import task

RECIPE = "3"  # grows when the analysis changes, so that kept measurements of older recipes are not reused


@task("music.analyze")
def analyze(context: JobContext, payload: AnalyzeInput) -> dict[str, Any]:
    """Measure once for equal content; the page and the dashboard read the row of ``audio_analysis``."""
    result = measure(context, context.asset(payload.audio_asset_id), payload.tasks, part(context.progress, 0.0, 0.97))
    return {"audio_asset_id": str(payload.audio_asset_id), "analysis": result}


def measure(context: JobContext, asset: Asset, tasks: Sequence[str], progress: Progress) -> dict[str, Any]:
    """What an analysis finds, kept in the asset's row of ``audio_analysis`` and announced.

    Raises:
        UnsupportedMedia: the asset has no sound, or nothing that could be analysed.
    """
    if not asset.has_audio:
        raise UnsupportedMedia(f"“{asset.name}” has no sound.")
    parameters = f"{RECIPE}:{','.join(sorted(tasks))}"
    result = context.analysis(asset.sha256, "music", parameters)
    if result is None:
        result = analysis.analyze(context.asset_path(asset.id), tasks, progress=progress)
        context.store_analysis(asset.sha256, "music", result, parameters)
    with context.session() as session:
        row = session.scalar(select(AudioAnalysis).where(AudioAnalysis.audio_asset_id == asset.id))
        if row is None:
            row = AudioAnalysis(owner_id=context.owner_id, audio_asset_id=asset.id, result={})
            session.add(row)
        row.result = {**row.result, **result}
        for column in ("bpm", "key", "key_confidence", "scale", "time_signature"):
            if column in result:
                setattr(row, column, result[column])
    context.emit(
        events.MUSIC_ANALYZED,
        {"asset_id": str(asset.id), "bpm": result.get("bpm"), "key": result.get("key")},
    )
    return result

"""Prepare a new recording for the pages (SPEC H8): exact measures, waveform, thumbnails, poster, loudness, proxy."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from core import assets
from core.errors import NotFound
from core.models.assets import Asset
from core.progress import part
from core.video.payloads import IngestInput
from providers.video.ingest import Prepared, Sheet, prepare
from workers.context import JobContext
from workers.registry import task


@task("ingest")
def ingest(context: JobContext, payload: IngestInput) -> dict[str, Any]:
    """Measure the asset whole; keep its peaks as an analysis and its helpers as hidden assets beside it. An asset that
    was deleted while the job waited needs nothing, which is no failure to tell anybody of."""
    try:
        source = context.asset(payload.asset_id)
    except NotFound:
        return {}
    made = prepare(context.asset_path(source.id), context.folder, progress=part(context.progress, 0.0, 0.97))
    result: dict[str, Any] = {}
    if made.peaks:
        peaks = {"peaks": list(made.peaks), "per_second": made.peaks_per_second}
        context.store_analysis(source.sha256, "peaks", peaks)
    stem = source.name.rsplit(".", 1)[0]
    if made.poster is not None:
        result["poster_asset_id"] = context.stage_asset(
            made.poster, kind="image", name=f"{stem} poster.jpg", parents={source.id: "poster"}, hidden=True,
            licence=source.licence, ai_generated=source.ai_generated,
        ).asset_id  # fmt: skip
    if made.sheet is not None:
        result["thumbnails_asset_id"] = context.stage_asset(
            made.sheet.path, kind="image", name=f"{stem} thumbnails.jpg", parents={source.id: "thumbnails"},
            metadata=_layout(made.sheet), hidden=True, licence=source.licence, ai_generated=source.ai_generated,
        ).asset_id  # fmt: skip
    if made.proxy is not None:
        result["proxy_asset_id"] = context.stage_asset(
            made.proxy, kind=made.info.kind, name=f"{stem} proxy{made.proxy.suffix}", parents={source.id: "proxy"},
            duration_seconds=made.info.duration_seconds, has_audio=made.info.has_audio, hidden=True,
            licence=source.licence, ai_generated=source.ai_generated,
        ).asset_id  # fmt: skip
    with context.session() as session:
        _describe(assets.get(session, source.id), made)
    return {**result, "loudness_lufs": made.loudness.lufs}


def _layout(sheet: Sheet) -> dict[str, Any]:
    return {key: value for key, value in asdict(sheet).items() if key != "path"}


def _describe(asset: Asset, made: Prepared) -> None:
    """Replace what the quick look at the upload guessed by what reading every packet showed."""
    info = made.info
    asset.duration_seconds = round(info.duration_seconds, 6)
    asset.loudness_lufs = made.loudness.lufs
    measured: dict[str, Any] = {"true_peak_dbtp": made.loudness.true_peak, "needs_proxy": info.needs_proxy}
    if info.missing_seconds:
        measured["missing_seconds"] = info.missing_seconds
    if info.has_audio:
        measured |= {"channels": info.channels, "sample_rate": info.sample_rate}
    if info.kind == "video":
        asset.fps = str(info.fps)
        measured |= {
            "frames": info.frames,
            "variable_frame_rate": info.variable_frame_rate,
            "rotation": info.rotation,
            "hdr": info.hdr,
            "keyframe_interval_seconds": round(info.keyframe_interval_seconds, 3),
        }
    asset.details = {**asset.details, "measured": measured}

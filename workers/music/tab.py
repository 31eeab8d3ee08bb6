"""Write a tab of a sound: text, Guitar Pro and MusicXML, each an asset beside the tab's row (SPEC M4)."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import select

from core.models.assets import Asset, AudioAnalysis, TabRecord
from core.music.payloads import TabFormat, TabInput
from core.music.tabs.build import build
from core.music.tabs.grid import Heard
from core.music.tabs.model import Tab
from core.music.tabs.musicxml import as_musicxml
from core.music.tabs.text import as_text
from core.progress import Progress, part
from providers.audio import guitarpro, note_events
from workers.context import JobContext
from workers.music.analyze import measure
from workers.registry import task

TASKS = ("tempo", "beats", "key", "chords")
_SUFFIXES: dict[TabFormat, str] = {"text": ".txt", "gp5": ".gp5", "musicxml": ".musicxml"}


@task("music.tab")
def write_tab(context: JobContext, payload: TabInput) -> dict[str, Any]:
    """The tab's row carries the job's identifier, so that an attempt that runs again writes the same one; what it
    shows are the assets made with it (``metadata.tab_id``)."""
    asset = context.asset(payload.audio_asset_id)
    measured, corrections = _known(context, asset, part(context.progress, 0.0, 0.5))
    heard = _heard(context, asset, part(context.progress, 0.5, 0.9))
    title = asset.name.rsplit(".", 1)[0]
    tab = build(title, payload.instrument, payload.difficulty, measured, corrections, heard)
    context.progress(0.92, "stage.tab")
    about = {
        "tab_id": str(context.job_id), "audio_asset_id": str(asset.id), "instrument": tab.instrument,
        "difficulty": tab.difficulty,
    }  # fmt: skip
    outputs = []
    for wanted in dict.fromkeys(payload.formats):
        staged = context.stage_asset(
            _file(context.folder, tab, wanted),
            kind="tab",
            name=f"{title} - {tab.instrument}, {tab.difficulty}{_SUFFIXES[wanted]}",
            parents={asset.id: "source"},
            licence=asset.licence,
            ai_generated=asset.ai_generated,
            metadata={**about, "format": wanted},
        )
        outputs.append({"asset_id": staged.asset_id, "format": wanted, "name": staged.name})
    with context.session() as session:
        session.merge(
            TabRecord(
                id=context.job_id, owner_id=context.owner_id, audio_asset_id=asset.id, instrument=tab.instrument,
                difficulty=tab.difficulty, document=tab.model_dump(mode="json"),
            )
        )  # fmt: skip
    return {**about, "outputs": outputs}


def _known(context: JobContext, asset: Asset, progress: Progress) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was measured, now if it was not before, and what the user has corrected."""
    with context.session() as session:
        row = session.scalar(select(AudioAnalysis).where(AudioAnalysis.audio_asset_id == asset.id))
    if row is not None and {"beats", "chords", "key"} <= row.result.keys():
        return row.result, row.corrections
    return measure(context, asset, TASKS, progress), row.corrections if row is not None else {}


def _heard(context: JobContext, asset: Asset, progress: Progress) -> list[Heard]:
    """The notes of a sound, listened to once for equal content."""
    stored = context.analysis(asset.sha256, "notes", note_events.RECIPE)
    if stored is not None:
        return [Heard(**row) for row in stored["notes"]]
    heard = note_events.listen(context.asset_path(asset.id), progress=progress)
    context.store_analysis(asset.sha256, "notes", {"notes": [asdict(note) for note in heard]}, note_events.RECIPE)
    return heard


def _file(folder: Path, tab: Tab, wanted: TabFormat) -> Path:
    path = folder / f"tab{_SUFFIXES[wanted]}"
    if wanted == "gp5":
        guitarpro.write(tab, path)
    elif wanted == "musicxml":
        path.write_bytes(as_musicxml(tab))
    else:
        path.write_text(as_text(tab), encoding="utf-8")
    return path

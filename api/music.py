"""Music over HTTP (H3): take a sound into the library, analyse it, correct that, write tabs, render built-in tracks."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from api import references
from api.dependencies import CurrentActor, Editor, Scoped, Starting
from api.shapes import Accepted
from core import assets, jobs
from core.errors import InvalidInput, NotFound
from core.models.assets import AudioAnalysis
from core.music.generate_payloads import GenerateMusicInput
from core.music.generation import require_ready
from core.music.keys import roman_numeral, scale_of
from core.music.payloads import AnalysisCorrection, AnalyzeInput, BuiltinTracksInput, ImportAudioInput, TabInput
from core.music.presets import PRESETS
from core.music.tabs.library import tabs_of
from core.music.tabs.model import Tab

router = APIRouter(tags=["music"])


class AnalysisOut(BaseModel):
    """What is known of a piece of music, the user's corrections over the measurement. Times in seconds, ``key`` as
    "A:min"; the long lists (beats, chords, energy_curve …) are there when they were measured."""

    audio_asset_id: UUID
    bpm: float | None
    beats: list[float] = []
    downbeats: list[float] = []
    time_signature: str | None
    key: str | None
    key_confidence: float | None
    scale: str | None
    scale_confidence: float | None = None
    chords: list[dict[str, Any]] = []
    sections: list[dict[str, Any]] = []
    energy_curve: Any = None
    measured: dict[str, Any]
    corrections: dict[str, Any]
    updated_at: datetime


class TabOut(BaseModel):
    """One tab of a sound; ``assets`` are its files by format. ``tab`` counts time in sixteenths from the first bar."""

    tab_id: UUID
    audio_asset_id: UUID
    instrument: str
    difficulty: str
    assets: dict[str, UUID]
    tab: Tab
    created_at: datetime


@router.post("/audio/import", status_code=202)
def import_audio(session: Starting, actor: CurrentActor, order: ImportAudioInput) -> Accepted:
    """The sound of any audio or video asset as a 48 kHz WAV of its own (M1)."""
    references.sound(session, order.source_asset_id)
    return Accepted(job_id=jobs.submit(session, actor, "audio.import", order).id)


@router.post("/music/analyze", status_code=202)
def analyze(session: Starting, actor: CurrentActor, order: AnalyzeInput) -> Accepted:
    """Measure tempo, beats, key and the like (M3)."""
    references.sound(session, order.audio_asset_id)
    return Accepted(job_id=jobs.submit(session, actor, "music.analyze", order).id)


@router.post("/music/builtin", status_code=202)
def builtin_tracks(session: Starting, actor: CurrentActor, order: BuiltinTracksInput) -> Accepted:
    """Render built-in background tracks into the library."""
    unknown = sorted(set(order.presets) - set(PRESETS))
    if unknown:
        raise InvalidInput("The studio has no music of this name.", f"It has {', '.join(sorted(PRESETS))}.")
    return Accepted(job_id=jobs.submit(session, actor, "music.builtin", order).id)


@router.post("/music/generate", status_code=202)
def generate(session: Starting, actor: CurrentActor, order: GenerateMusicInput) -> Accepted:
    """Make music from words (M6). The job's result is `audio_asset_id` and, of a composed song, `midi_asset_id`,
    `stem_group_id` and `stems`, an asset for each instrument; `understood` is what the words were taken to mean, `seed`
    what makes the same again. A provider that cannot work is refused (503) with what it lacks."""
    require_ready(order.provider, order.seconds)
    return Accepted(job_id=jobs.submit(session, actor, "music.generate", order).id)


@router.post("/music/tab", status_code=202)
def write_tab(session: Starting, actor: CurrentActor, order: TabInput) -> Accepted:
    """Write a tab and chord sheet for guitar, bass or ukulele in one of three levels (M4)."""
    references.sound(session, order.audio_asset_id)
    return Accepted(job_id=jobs.submit(session, actor, "music.tab", order).id)


@router.get("/music/tab/{audio_asset_id}")
def tabs(session: Scoped, audio_asset_id: UUID) -> list[TabOut]:
    """The tabs that were written of a sound, the newest first."""
    asset = assets.get(session, audio_asset_id)
    return [
        TabOut(
            tab_id=stored.id,
            audio_asset_id=asset.id,
            instrument=stored.tab.instrument,
            difficulty=stored.tab.difficulty,
            assets={name: file.id for name, file in sorted(stored.files.items())},
            tab=stored.tab,
            created_at=stored.record.created_at,
        )
        for stored in tabs_of(session, asset.id)
    ]


@router.get("/music/analysis/{audio_asset_id}")
def analysis(session: Scoped, audio_asset_id: UUID) -> AnalysisOut:
    """What is known of a piece of music; 404 before it was analysed."""
    return _out(_row(session, audio_asset_id))


@router.patch("/music/analysis/{audio_asset_id}")
def correct(session: Scoped, _actor: Editor, audio_asset_id: UUID, change: AnalysisCorrection) -> AnalysisOut:
    """Put the measurement right; a value sent as null goes back to what was measured."""
    row = _row(session, audio_asset_id)
    corrections = {**row.corrections, **change.model_dump(mode="json", exclude_unset=True)}
    row.corrections = {name: value for name, value in corrections.items() if value is not None}
    session.flush()
    session.refresh(row)
    return _out(row)


def _row(session: Session, audio_asset_id: UUID) -> AudioAnalysis:
    asset = assets.get(session, audio_asset_id)
    row = session.scalar(select(AudioAnalysis).where(AudioAnalysis.audio_asset_id == asset.id))
    if row is None:
        raise NotFound("This sound was not analysed yet.", "POST /music/analyze starts it.")
    return row


def _out(row: AudioAnalysis) -> AnalysisOut:
    columns = {name: getattr(row, name) for name in ("bpm", "key", "key_confidence", "scale", "time_signature")}
    known = {**columns, **row.result, **row.corrections}
    if "key" in row.corrections:  # what follows from the key follows it
        key = str(row.corrections["key"])
        known |= {"key_confidence": None, "scale": scale_of(key), "scale_confidence": None}
        known["chords"] = [{**item, "roman": roman_numeral(item["chord"], key)} for item in known.get("chords", [])]
    names = AnalysisOut.model_fields.keys() - {"audio_asset_id", "measured", "corrections", "updated_at"}
    return AnalysisOut(
        audio_asset_id=row.audio_asset_id,
        measured=row.result,
        corrections=row.corrections,
        updated_at=row.updated_at,
        **{name: known[name] for name in names if name in known},
    )

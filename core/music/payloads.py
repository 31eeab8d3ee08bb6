"""What the music jobs take: the shapes of the HTTP API and of the stored payloads."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator

from core.music.tabs.model import Difficulty, InstrumentName

TabFormat = Literal["text", "gp5", "musicxml"]
TAB_FORMATS: tuple[TabFormat, ...] = ("text", "gp5", "musicxml")
AnalysisTask = Literal["tempo", "beats", "key", "chords", "sections", "energy", "loudness"]
ALL_TASKS: tuple[AnalysisTask, ...] = ("tempo", "beats", "key", "chords", "sections", "energy", "loudness")


_MEANT: dict[str, AnalysisTask] = {
    "bpm": "tempo",
    "downbeats": "beats",
    "time_signature": "beats",
    "scale": "key",
    "energy_curve": "energy",
    "loudness_lufs": "loudness",
}


class _Payload(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ImportAudioInput(_Payload):
    """Take the sound of any audio or video asset into the library as a 48 kHz WAV."""

    source_asset_id: UUID
    name: str | None = Field(default=None, max_length=120)


class AnalyzeInput(_Payload):
    """Analyse one audio asset (SPEC M3). A task may also be named by what it finds: ``bpm``, ``downbeats``,
    ``time_signature``, ``scale``, ``energy_curve``, ``loudness_lufs``."""

    audio_asset_id: UUID
    tasks: tuple[AnalysisTask, ...] = Field(default=ALL_TASKS, min_length=1)

    @field_validator("tasks", mode="before")
    @classmethod
    def _by_result(cls, tasks: Any) -> Any:
        if not isinstance(tasks, list | tuple):
            return tasks
        meant = [_MEANT.get(task, task) if isinstance(task, str) else task for task in tasks[:50]]
        return [task for index, task in enumerate(meant) if task not in meant[:index]]


class TabInput(_Payload):
    """Write a tab of one audio asset (SPEC M4): for which instrument, how hard it may be, as which files."""

    audio_asset_id: UUID
    instrument: InstrumentName = "guitar"
    difficulty: Difficulty = "original"
    formats: tuple[TabFormat, ...] = Field(default=TAB_FORMATS, min_length=1, max_length=20)


class BuiltinTracksInput(_Payload):
    """Render built-in background tracks into the library; ``presets`` empty means every one."""

    presets: tuple[str, ...] = ()


class ModelDownloadInput(_Payload):
    """Download one speech model (:mod:`core.speech`), a voice (:mod:`core.voices`), the translation model
    (:mod:`core.translation`), or the weights of Demucs or MusicGen."""

    name: str = Field(min_length=1, max_length=60)


class AnalysisCorrection(_Payload):
    """What the user knows better than the measurement; None leaves a value as measured."""

    bpm: float | None = Field(default=None, ge=20, le=400)
    key: str | None = Field(default=None, pattern=r"^([CDFGA]#|[DEGAB]b|[A-G]):(maj|min)$")
    time_signature: Literal["2/4", "3/4", "4/4", "6/8"] | None = None

"""What the separation and the mixing of stems take: the shapes of the HTTP API and of the stored payloads."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from core.music.separation import STEMS, Stem, StemProvider

MixFormat = Literal["wav", "mp3", "m4a"]
MixPreset = Literal["all", "karaoke", "acapella"]


class _Payload(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StemsInput(_Payload):
    """Separate one sound into stems (SPEC M2). ``stems`` says which to keep; "vocals" means "vocal". ``provider`` does
    it or says what it lacks, no other takes its place."""

    audio_asset_id: UUID
    stems: tuple[Stem, ...] = Field(default=STEMS, min_length=1)
    provider: StemProvider = "builtin"

    @field_validator("stems", mode="before")
    @classmethod
    def _once_each(cls, stems: Any) -> Any:
        if not isinstance(stems, list | tuple):
            return stems
        meant = ["vocal" if stem == "vocals" else stem for stem in stems[:50]]
        return [stem for index, stem in enumerate(meant) if stem not in meant[:index]]


class MixTrack(_Payload):
    """One sound of a mix; all begin together."""

    asset_id: UUID
    gain_db: float = Field(default=0.0, ge=-60, le=24, allow_inf_nan=False)
    muted: bool = False


class MixInput(_Payload):
    """Mix sounds into a new one: all stems of a group, without the voice (``karaoke``) or the voice alone
    (``acapella``); or ``tracks``, each with its level. Exactly one of ``stem_group_id`` and ``tracks``."""

    stem_group_id: UUID | None = None
    preset: MixPreset = "all"
    tracks: tuple[MixTrack, ...] = Field(default=(), max_length=32)
    format: MixFormat = "wav"
    name: str | None = Field(default=None, min_length=1, max_length=120)

    @model_validator(mode="after")
    def _one_source(self) -> MixInput:
        if (self.stem_group_id is None) == (not self.tracks):
            raise ValueError("give either stem_group_id or tracks")
        if self.tracks and all(track.muted for track in self.tracks):
            raise ValueError("every track is muted")
        if self.tracks and self.preset != "all":
            raise ValueError("a preset belongs to a stem group")
        return self

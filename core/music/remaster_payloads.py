"""What a remaster takes: the shapes of the HTTP API and of the stored payload (SPEC M5)."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator

Amount = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Loudness = Annotated[float, Field(ge=-40, le=-8, allow_inf_nan=False)]
Material = Literal["speech", "music"]
EqPreset = Literal["warm", "bright", "vocal_boost"]
StereoMode = Literal["widen", "mono"]


class _Payload(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReduceNoise(_Payload):
    """Take steady noise out. For ``speech`` the noise is followed as it changes; for ``music`` it is taken as the same
    from beginning to end, and less is taken away."""

    type: Literal["reduce_noise"] = "reduce_noise"
    strength: Amount = 0.5
    material: Material = "speech"


class Dereverb(_Payload):
    """Make the room quieter: what still sounds after the voice or the note is turned down."""

    type: Literal["dereverb"] = "dereverb"
    strength: Amount = 0.5


class Match(_Payload):
    """Bring the colour of the sound towards a reference track's, by ``amount``, and its loudness to that track's."""

    type: Literal["match"] = "match"
    reference_asset_id: UUID
    amount: Amount = 1.0


class Equalize(_Payload):
    """Change the colour: warmer, brighter, or the voice further in front."""

    type: Literal["eq"] = "eq"
    preset: EqPreset
    amount: Amount = 0.5


class Stereo(_Payload):
    """Make the stereo image wider (its mono sum stays the same), or the same on both sides."""

    type: Literal["stereo"] = "stereo"
    mode: StereoMode = "widen"
    amount: Amount = 0.5


class Normalize(_Payload):
    """Bring the whole to ``target_lufs`` integrated loudness (EBU R 128), true peak at most ``true_peak_dbtp``."""

    type: Literal["normalize"] = "normalize"
    target_lufs: Loudness = -14.0
    true_peak_dbtp: Annotated[float, Field(ge=-9, le=-1, allow_inf_nan=False)] = -1.0


RemasterOperation = Annotated[
    ReduceNoise | Dereverb | Match | Equalize | Stereo | Normalize, Field(discriminator="type")
]


class RemasterInput(_Payload):
    """Remaster one sound, or the sound of a video, into a new 48 kHz WAV. Each operation stands at most once; they are
    done in the order of :func:`core.music.remaster.in_order`, whatever their order here. Without ``normalize`` and
    ``match`` the loudness is what the operations leave; the true peak never passes −1 dBTP."""

    audio_asset_id: UUID
    operations: tuple[RemasterOperation, ...] = Field(min_length=1, max_length=6)
    name: str | None = Field(default=None, min_length=1, max_length=120)

    @field_validator("operations")
    @classmethod
    def _once_each(cls, operations: tuple[RemasterOperation, ...]) -> tuple[RemasterOperation, ...]:
        if len({one.type for one in operations}) < len(operations):
            raise ValueError("each type of operation may stand once")
        return operations

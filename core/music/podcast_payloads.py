"""What a podcast episode takes: the shapes of the HTTP API and of the stored payload (SPEC M7)."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from core.music.remaster_payloads import Dereverb, Equalize, Normalize, ReduceNoise
from core.speech import Provider
from core.video.payloads import AutoCutFillers, AutoCutRepeats, AutoCutSilence, Language

Role = Literal["voice", "music", "ad"]
Placement = Literal["under", "intro", "outro"]
EpisodeFormat = Literal["mp3", "m4a"]
Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
Line = Annotated[str, Field(max_length=300)]


class _Payload(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Range(_Payload):
    """``start`` to ``end`` seconds of a track's own sound."""

    start: Seconds
    end: Seconds

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        if self.end <= self.start:
            raise ValueError("end must be later than start")
        return self


class PodcastTrack(_Payload):
    """One sound of the episode.

    ``start`` is where it begins in the episode, in seconds. Without it, a voice or an ad follows the one before; music
    goes where ``placement`` says: ``under`` the whole episode, repeated as long as it lasts, as its ``intro`` or its
    ``outro``. ``trim`` keeps a part of the sound, ``cuts`` take parts out of it. ``gain_db`` is relative to the level
    that all voices are brought to. ``title`` names an ad's chapter.
    """

    asset_id: UUID
    role: Role = "voice"
    start: Seconds | None = None
    gain_db: float = Field(default=0.0, ge=-60, le=24, allow_inf_nan=False)
    trim: Range | None = None
    cuts: tuple[Range, ...] = Field(default=(), max_length=200)
    placement: Placement = "under"
    title: str | None = Field(default=None, min_length=1, max_length=120)


class Duck(_Payload):
    """How far music goes down while somebody speaks."""

    type: Literal["duck"] = "duck"
    duck_db: float = Field(default=14.0, ge=0, le=40, allow_inf_nan=False)


class Crossfade(_Payload):
    """How long neighbouring recordings, intro and outro sound together."""

    type: Literal["crossfade"] = "crossfade"
    seconds: float = Field(default=0.5, ge=0, le=10, allow_inf_nan=False)


PodcastOperation = Annotated[
    ReduceNoise | Dereverb | Equalize | AutoCutSilence | AutoCutFillers | AutoCutRepeats | Duck | Crossfade | Normalize,
    Field(discriminator="type"),
]


class Chapter(_Payload):
    """A chapter from ``start`` seconds of the finished episode on."""

    start: Seconds
    title: Annotated[str, Field(min_length=1, max_length=120)]


class PodcastInput(_Payload):
    """Put an episode together and write it with its tags, chapters, cover, and the item of its feed.

    Noise reduction, room, colour and the cuts work on every ``voice``; music and ads stay as they are. The loudness is
    −16 LUFS for stereo and −19 for mono unless ``normalize`` says another. ``media_base_url`` is where the file will
    lie for the feed; without it the feed names the file alone. ``guid`` tells the episode apart in the feed for ever:
    one that is made again keeps what it was published with; without it the new file's identifier is one.
    """

    tracks: tuple[PodcastTrack, ...] = Field(min_length=1, max_length=60)
    operations: tuple[PodcastOperation, ...] = Field(default=(), max_length=9)
    chapters: Literal["auto"] | Annotated[tuple[Chapter, ...], Field(max_length=200)] = ()
    format: EpisodeFormat = "mp3"
    channels: Literal["stereo", "mono"] = "stereo"
    title: str = Field(min_length=1, max_length=200)
    show_notes: str = Field(default="", max_length=20_000)
    author: Line = ""
    show: Line = ""
    number: int | None = Field(default=None, ge=1, le=100_000)
    season: int | None = Field(default=None, ge=1, le=10_000)
    explicit: bool = False
    cover_asset_id: UUID | None = None
    media_base_url: str | None = Field(default=None, max_length=1000)
    published_at: datetime | None = None
    guid: str | None = Field(default=None, min_length=1, max_length=300)
    language: Language = "auto"
    speech_provider: Provider = "local"

    @field_validator("operations")
    @classmethod
    def _once_each(cls, operations: tuple[Any, ...]) -> tuple[Any, ...]:
        if len({one.type for one in operations}) < len(operations):
            raise ValueError("each type of operation may stand once")
        return operations

    @field_validator("chapters")
    @classmethod
    def _in_order(cls, chapters: Any) -> Any:
        if chapters != "auto" and any(b.start - a.start < 1 for a, b in pairwise(chapters)):
            raise ValueError("chapters must follow each other by at least a second")
        return chapters

    @field_validator("title")
    @classmethod
    def _has_a_title(cls, title: str) -> str:
        if not title.strip():
            raise ValueError("an episode needs a title")
        return title.strip()

    @field_validator("media_base_url")
    @classmethod
    def _is_an_address(cls, address: str | None) -> str | None:
        if address is not None and (urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).netloc):
            raise ValueError("the address must begin with http:// or https://")
        return address

    @field_validator("published_at")
    @classmethod
    def _has_a_zone(cls, moment: datetime | None) -> datetime | None:
        if moment is not None and moment.tzinfo is None:
            raise ValueError("the time needs a time zone")
        return moment

    @model_validator(mode="after")
    def _somebody_speaks(self) -> PodcastInput:
        if all(track.role == "music" for track in self.tracks):
            raise ValueError("an episode needs a voice")
        return self

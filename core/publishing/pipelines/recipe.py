"""A recipe: which recordings it takes, what it makes of them, where that is posted and when (P2.3). Pure.

What to make is said with the fields of the video jobs' own payloads (:mod:`core.video.payloads`), without the source.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from core.errors import InvalidInput
from core.publishing.payloads import Privacy, PublicationOptions
from core.publishing.pipelines.templates import FIELDS, unknown_fields
from core.publishing.rules import rules_of
from core.publishing.schedule import zone_of
from core.speech import Provider
from core.video.payloads import (
    AddMusic,
    CaptionStyleName,
    CutByBeat,
    Language,
    MusicChoice,
    Operation,
    Operations,
    ShortsInput,
    Targets,
    VideoEditInput,
    music_by_name,
)
from core.video.sizes import TargetOutput
from core.video.timeline import AspectRatio

ASKS_A_PERSON = frozenset({"tiktok"})
"""Platforms whose rules for apps want the creator's own answers for each post; they always wait for approval."""
_NOBODY = UUID(int=0)
Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Trigger(_Shape):
    """When a run starts: by hand alone, or for every new recording whose name contains ``name_contains`` and that is at
    least ``min_seconds`` long."""

    kind: Literal["hand", "recording"] = "hand"
    name_contains: str = Field("", max_length=200)
    min_seconds: float = Field(0, ge=0, le=86_400)

    def takes(self, name: str, seconds: float | None) -> bool:
        """Whether a new recording starts a run."""
        named = self.name_contains.strip().casefold() in name.casefold()
        return self.kind == "recording" and named and (seconds or 0.0) >= self.min_seconds


class MakeEdit(_Shape):
    """One video in one or several shapes: the fields of ``POST /video/edit``."""

    kind: Literal["edit"] = "edit"
    operations: Operations = ()
    target_outputs: Targets = (TargetOutput(aspect_ratio="source"),)
    language: Language = "auto"
    speech_provider: Provider = "local"

    @model_validator(mode="after")
    def _can_be_ordered(self) -> MakeEdit:
        self.order(_NOBODY)
        return self

    def order(self, source_id: UUID) -> VideoEditInput:
        """The order for one recording."""
        return VideoEditInput(source_video_id=source_id, **self.model_dump(exclude={"kind"}))

    @property
    def job_kind(self) -> str:
        return "video.edit"

    @property
    def shapes(self) -> tuple[AspectRatio, ...]:
        """The aspect ratios that come out."""
        return tuple(dict.fromkeys(target.ratio for target in self.target_outputs))


class MakeShorts(_Shape):
    """The best clips of the recording: the fields of ``POST /video/shorts``."""

    kind: Literal["shorts"]
    count: int = Field(default=5, ge=1, le=20)
    min_seconds: float = Field(default=15.0, ge=3.0, le=600.0)
    max_seconds: float = Field(default=60.0, ge=3.0, le=900.0)
    aspect_ratio: AspectRatio = "9:16"
    resolution: str | None = Field(default=None, max_length=20)
    style: CaptionStyleName | None = "tiktok"
    music: MusicChoice | None = None
    operations: Operations = ()
    language: Language = "auto"
    speech_provider: Provider = "local"

    _named_music = field_validator("music", mode="before")(music_by_name)

    @model_validator(mode="after")
    def _can_be_ordered(self) -> MakeShorts:
        self.order(_NOBODY)
        return self

    def order(self, source_id: UUID) -> ShortsInput:
        """The order for one recording."""
        return ShortsInput(source_video_id=source_id, **self.model_dump(exclude={"kind"}))

    @property
    def job_kind(self) -> str:
        return "video.shorts"

    @property
    def shapes(self) -> tuple[AspectRatio, ...]:
        return (self.aspect_ratio,)


Make = Annotated[MakeEdit | MakeShorts, Field(discriminator="kind")]


def music_of(make: MakeEdit | MakeShorts) -> tuple[list[UUID], list[str]]:
    """The tracks it names: assets and presets."""
    named: list[Operation | MusicChoice] = [*make.operations]
    if isinstance(make, MakeShorts) and make.music is not None:
        named.append(make.music)
    with_music = [one for one in named if isinstance(one, AddMusic | CutByBeat | MusicChoice)]
    presets = [one.audio_preset for one in with_music if not isinstance(one, CutByBeat) and one.audio_preset]
    return [one.music_asset_id for one in with_music if one.music_asset_id is not None], presets


class Schedule(_Shape):
    """When posts go out: ``at_once``; at ``times`` of a day, every day or on ``weekdays`` (0 is Monday); or at each
    account's ``best_time``, and at ``times`` while its figures name none. Two posts of one account are ``gap_minutes``
    apart at least. ``timezone`` None is the channel's."""

    kind: Literal["at_once", "best_time", "times"] = "best_time"
    times: tuple[Clock, ...] = Field(("18:00",), min_length=1, max_length=24)
    weekdays: tuple[Annotated[int, Field(ge=0, le=6)], ...] = Field((), max_length=7)
    timezone: str | None = Field(None, max_length=64)
    gap_minutes: int = Field(60, ge=15, le=10_080)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        try:
            return None if name is None else zone_of(name).key
        except InvalidInput as error:
            raise ValueError(error.title) from None

    @property
    def clocks(self) -> tuple[time, ...]:
        """The times of a day, in order, each once."""
        return tuple(sorted({time.fromisoformat(text) for text in self.times}))


class RecipeTarget(_Shape):
    """One account the results go to, with templates for its words (:mod:`core.publishing.pipelines.templates`).

    ``aspect_ratio`` chooses among the shapes that are made; None takes the first. A privacy left out is the platform's
    default. What a platform asks of the creator for each post (TikTok's consent) is not kept here.
    """

    platform_account_id: UUID
    title: Annotated[str, Field(min_length=1, max_length=300)] = "{title}"
    description: str = Field("{description}\n\n{credits}", max_length=20_000)
    tags: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = Field(("{tags}",), max_length=100)
    privacy: Privacy | None = None
    aspect_ratio: AspectRatio | None = None
    options: PublicationOptions = Field(default_factory=PublicationOptions)

    @model_validator(mode="after")
    def _a_recipe_gives_no_consent(self) -> RecipeTarget:
        unknown = unknown_fields(self.title, self.description, *self.tags)
        if unknown:
            raise ValueError(f"there is no field {{{unknown[0]}}}; the fields are {', '.join(FIELDS)}")
        if self.options.tiktok.consent:
            raise ValueError("consent is given for each post, not in a recipe")
        if self.options.captions:
            raise ValueError("caption files belong to one video, not to a recipe")
        return self


class Recipe(_Shape):
    """What becomes of a recording."""

    trigger: Trigger = Field(default_factory=Trigger)
    make: Make = Field(default_factory=MakeEdit)
    targets: tuple[RecipeTarget, ...] = Field(min_length=1, max_length=20)
    schedule: Schedule = Field(default_factory=Schedule)

    @model_validator(mode="after")
    def _each_account_once(self) -> Recipe:
        ids = [target.platform_account_id for target in self.targets]
        if len(set(ids)) != len(ids):
            raise ValueError("each account is named once")
        for target in self.targets:
            if target.aspect_ratio is not None and target.aspect_ratio not in self.make.shapes:
                raise ValueError(f"nothing is made in the shape {target.aspect_ratio}")
        return self


def check_privacy(platform: str, target: RecipeTarget) -> None:
    """Raise :class:`InvalidInput` for a privacy that the platform does not have."""
    if target.privacy is not None and target.privacy not in rules_of(platform).privacies:
        raise InvalidInput("This platform does not have that privacy.")


def shape_for(target: RecipeTarget, outputs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The rendering of a content that goes to an account: the one in its shape, otherwise the first."""
    fitting = [row for row in outputs if row.get("aspect_ratio") == target.aspect_ratio]
    return fitting[0] if fitting else outputs[0]

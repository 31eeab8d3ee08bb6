"""POST /video/chapters: a long recording (a livestream of hours) in sub-clips (SPEC V6.1)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from core.speech import Provider
from core.video.payloads import (
    CaptionStyleName,
    Highlight,
    Language,
    MusicChoice,
    Operations,
    check_beats,
    check_style,
    music_by_name,
)
from core.video.sizes import TargetOutput
from core.video.timeline import AspectRatio

MOST_CHAPTERS = 200


class ChapterCut(BaseModel):
    """One clip to render: ``start`` to ``end`` seconds of the recording."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: float = Field(ge=0.0)
    end: float = Field(gt=0.0)
    title: Annotated[str, Field(min_length=1, max_length=100, pattern=r"\S")]

    @model_validator(mode="after")
    def _ordered(self) -> ChapterCut:
        if self.end - self.start < 0.5:
            raise ValueError("end must be at least half a second later than start")
        return self


class ChaptersInput(BaseModel):
    """The sub-clips of a recording, by topic, scene, energy and speech.

    With ``dry_run`` the job ends with proposals. ``chapters`` renders exactly the clips given, as a person left them;
    without it the studio's own proposals are rendered. A stretch in which nobody speaks for ``idle_seconds`` is in no
    clip. ``music`` may be a preset's name or an asset's id; ``operations`` hold for every clip.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source_video_id: UUID
    min_seconds: float = Field(default=60.0, ge=5.0, le=7200.0)
    max_seconds: float = Field(default=900.0, ge=10.0, le=14_400.0)
    idle_seconds: float = Field(default=15.0, ge=3.0, le=600.0)
    chapters: Annotated[tuple[ChapterCut, ...], Field(max_length=MOST_CHAPTERS)] = ()
    aspect_ratio: AspectRatio = "source"
    resolution: str | None = Field(default=None, max_length=20)
    style: CaptionStyleName | None = None
    music: MusicChoice | None = None
    operations: Operations = ()
    language: Language = "auto"
    speech_provider: Provider = "local"
    dry_run: bool = False

    _music_by_name = field_validator("music", mode="before")(music_by_name)

    @field_validator("style")
    @classmethod
    def _style(cls, name: str | None) -> str | None:
        return None if name is None else check_style(name)

    @model_validator(mode="after")
    def _possible(self) -> ChaptersInput:
        if self.max_seconds < 1.5 * self.min_seconds:
            raise ValueError("max_seconds must be at least one and a half times min_seconds")
        if self.dry_run and self.chapters:
            raise ValueError("give either dry_run or chapters")
        if any(isinstance(operation, Highlight) for operation in self.operations):
            raise ValueError("highlight is for an edit; leave it out here")
        TargetOutput(aspect_ratio=self.aspect_ratio, resolution=self.resolution)
        check_beats(self.operations, music=self.music is not None)
        return self

    @property
    def target(self) -> TargetOutput:
        """The one output of every clip."""
        return TargetOutput(aspect_ratio=self.aspect_ratio, resolution=self.resolution)

"""POST /video/generate (the plan's VideoJobInput): a video from a prompt, a storyboard, a script or pictures."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from core.video.generate.looks import LOOKS, SceneTransition
from core.video.payloads import CaptionStyleName, Language, MusicChoice, check_style
from core.video.sizes import TargetOutput

VideoProvider = Literal["internal_ffmpeg", "runway", "pika", "luma"]
Shape = Literal["16:9", "9:16", "4:5", "1:1"]
LONGEST_SECONDS = 600.0
MOST_SCENES, MOST_PICTURES = 60, 100


class _Payload(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SceneInput(_Payload):
    """One scene of a storyboard: words to show (``text``; ``prompt`` for what an engine is to imagine), or a picture.

    ``transition`` leads into it. It lasts ``duration_seconds``, and longer where its ``narration`` does.
    """

    text: str | None = Field(default=None, min_length=1, max_length=400)
    prompt: str | None = Field(default=None, min_length=1, max_length=1000)
    image_asset_id: UUID | None = None
    duration_seconds: float | None = Field(default=None, ge=0.5, le=120.0, allow_inf_nan=False)
    transition: SceneTransition | None = None
    narration: str | None = Field(default=None, max_length=4000)

    @model_validator(mode="after")
    def _shows_one_thing(self) -> SceneInput:
        if sum(value is not None for value in (self.text, self.prompt, self.image_asset_id)) != 1:
            raise ValueError("a scene shows exactly one of text, prompt and image_asset_id")
        return self


class Storyboard(_Payload):
    """Scenes in their order."""

    scenes: Annotated[tuple[SceneInput, ...], Field(min_length=1, max_length=MOST_SCENES)]


class GenerateInput(_Payload):
    """Exactly one of ``prompt``, ``script``, ``storyboard`` and ``source_assets`` (pictures, in their order).

    ``style`` names one of :data:`core.video.generate.looks.LOOKS`; ``captions`` a caption style for what is narrated
    ("none": no captions; empty: the style's own). ``beat_cuts`` lets scenes change on the beats of the music.
    ``voice`` as in POST /audio/speech. A script is always narrated, a storyboard where it says so.
    """

    mode: Literal["generate"] = "generate"
    provider: VideoProvider = "internal_ffmpeg"
    prompt: str | None = Field(default=None, min_length=1, max_length=1000)
    script: str | None = Field(default=None, min_length=1, max_length=10_000)
    storyboard: Storyboard | None = None
    source_assets: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=MOST_PICTURES)] | None = None
    duration_seconds: float | None = Field(default=None, ge=1.0, le=LONGEST_SECONDS, allow_inf_nan=False)
    aspect_ratio: Shape = "16:9"
    resolution: str | None = Field(default=None, max_length=20)
    style: str = Field(default="natural", max_length=40)
    audio_preset: str | None = Field(default=None, min_length=1, max_length=40)
    music_asset_id: UUID | None = None
    beat_cuts: bool = True
    language: Language = "auto"
    voice: str | None = Field(default=None, min_length=1, max_length=60)
    captions: CaptionStyleName | None = None
    name: str | None = Field(default=None, min_length=1, max_length=120)

    @field_validator("style")
    @classmethod
    def _known_style(cls, name: str) -> str:
        if name not in LOOKS:
            raise ValueError(f"unknown style {name[:40]!r}; choose one of {', '.join(LOOKS)}")
        return name

    @field_validator("captions")
    @classmethod
    def _known_captions(cls, name: str | None) -> str | None:
        return name if name in (None, "none") else check_style(name)

    @model_validator(mode="after")
    def _one_source(self) -> GenerateInput:
        sources = (self.prompt, self.script, self.storyboard, self.source_assets)
        if sum(source is not None for source in sources) != 1:
            raise ValueError("give exactly one of prompt, script, storyboard and source_assets")
        if self.audio_preset is not None and self.music_asset_id is not None:
            raise ValueError("give either audio_preset or music_asset_id")
        if self.resolution == "source":
            raise ValueError('resolution is "720p" or "1080x1920"')
        TargetOutput(aspect_ratio=self.aspect_ratio, resolution=self.resolution)
        return self

    @property
    def target(self) -> TargetOutput:
        """Size and shape of the result."""
        return TargetOutput(aspect_ratio=self.aspect_ratio, resolution=self.resolution)

    @property
    def music(self) -> MusicChoice | None:
        """The chosen music."""
        if self.audio_preset is None and self.music_asset_id is None:
            return None
        return MusicChoice(audio_preset=self.audio_preset, music_asset_id=self.music_asset_id)

    @property
    def pictures(self) -> tuple[UUID, ...]:
        """The pictures that are shown, each once."""
        if self.source_assets is not None:
            return tuple(dict.fromkeys(self.source_assets))
        scenes = self.storyboard.scenes if self.storyboard else ()
        return tuple(dict.fromkeys(one.image_asset_id for one in scenes if one.image_asset_id is not None))

    @property
    def spoken(self) -> str:
        """All that is narrated."""
        if self.script is not None:
            return self.script
        scenes = self.storyboard.scenes if self.storyboard else ()
        return "\n\n".join(one.narration for one in scenes if one.narration and one.narration.strip())

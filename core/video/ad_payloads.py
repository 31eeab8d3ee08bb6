"""POST /video/ads: an advertising set, hooks × bodies × calls to action × shapes × languages (SPEC V6.3)."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from core import translation
from core.speech import Provider
from core.video.payloads import (
    AutoCutFillers,
    AutoCutRepeats,
    AutoCutSilence,
    AutoReframe,
    AutoSpeed,
    AutoTransition,
    CaptionStyleName,
    Language,
    MusicChoice,
    NormalizeLoudness,
    ReduceNoise,
    check_style,
    music_by_name,
)
from core.video.sizes import TargetOutput

MOST_ADS = 96
"""Videos of one set. A person can look through as many; one more shape or language doubles them quickly."""

Role = Literal["hook", "body", "call"]
_NamedLanguage = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
AdOperation = Annotated[
    AutoCutSilence
    | AutoCutFillers
    | AutoCutRepeats
    | AutoSpeed
    | AutoTransition
    | AutoReframe
    | ReduceNoise
    | NormalizeLoudness,
    Field(discriminator="type"),
]


class AdPiece(BaseModel):
    """A range of a video, in its seconds; without ``end`` to its end. ``text`` stands over the picture, by language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    video_asset_id: UUID
    start: float = Field(default=0.0, ge=0.0)
    end: float | None = Field(default=None, gt=0.0)
    name: str = Field(default="", max_length=40)
    text: dict[_NamedLanguage, Annotated[str, Field(max_length=120)]] = Field(default_factory=dict, max_length=12)

    @model_validator(mode="after")
    def _long_enough(self) -> AdPiece:
        if self.end is not None and self.end - self.start < 0.5:
            raise ValueError("end must be at least half a second later than start")
        return self


class AdsInput(BaseModel):
    """One video for every combination of a hook, a body, a call to action, a shape and a language.

    ``languages`` are those of the captions (``style``; none without one) and of the pieces' texts; empty means what is
    spoken. Operations hold for every piece, loudness and ``music`` for each finished video. With ``drafts`` every
    combination becomes a draft episode; otherwise the videos lie in the library alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(default="Ad", min_length=1, max_length=60, pattern=r"\S")
    hooks: Annotated[tuple[AdPiece, ...], Field(min_length=1, max_length=12)]
    bodies: Annotated[tuple[AdPiece, ...], Field(min_length=1, max_length=12)]
    calls_to_action: Annotated[tuple[AdPiece, ...], Field(max_length=12)] = ()
    target_outputs: Annotated[tuple[TargetOutput, ...], Field(min_length=1, max_length=6)]
    languages: Annotated[tuple[_NamedLanguage, ...], Field(max_length=8)] = ()
    style: CaptionStyleName | None = "tiktok"
    music: MusicChoice | None = None
    operations: Annotated[tuple[AdOperation, ...], Field(max_length=20)] = ()
    source_language: Language = "auto"
    speech_provider: Provider = "local"
    translation_provider: translation.Provider = "local"
    drafts: bool = False

    _music_by_name = field_validator("music", mode="before")(music_by_name)

    @field_validator("style")
    @classmethod
    def _style(cls, name: str | None) -> str | None:
        return None if name is None else check_style(name)

    @model_validator(mode="after")
    def _possible(self) -> AdsInput:
        if any(target.ratio == "source" for target in self.target_outputs):
            raise ValueError("target_outputs of a set need a platform or an aspect ratio: its pieces differ in shape")
        if len(set(self.languages)) < len(self.languages):
            raise ValueError("each language once")
        undrawn = [language for language in self.languages if not translation.drawn(language)]
        if undrawn:
            raise ValueError(f"the caption font has no letters for {', '.join(undrawn)}")
        for piece in (*self.hooks, *self.bodies, *self.calls_to_action):
            missing = [language for language in self.languages if language not in piece.text]
            if piece.text and missing:
                raise ValueError(f"a piece with text needs it in every language; {', '.join(missing)} is missing")
            if piece.text and not self.languages:
                raise ValueError("name the languages of the pieces' texts in languages")
        if self.count > MOST_ADS:
            raise ValueError(f"this makes {self.count} videos; a set has at most {MOST_ADS}")
        return self

    @property
    def count(self) -> int:
        """How many videos the set has."""
        pieces = len(self.hooks) * len(self.bodies) * max(1, len(self.calls_to_action))
        return pieces * len(self.target_outputs) * max(1, len(self.languages))

    def pieces(self, role: Role) -> tuple[AdPiece, ...]:
        """The pieces of one role."""
        return {"hook": self.hooks, "body": self.bodies, "call": self.calls_to_action}[role]

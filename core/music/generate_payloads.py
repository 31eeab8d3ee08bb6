"""What the making of music takes: the shape of ``POST /music/generate`` and of the stored payload (SPEC M6)."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from core.music.composing.instruments import INSTRUMENTS
from core.music.composing.plan import LONGEST_SECONDS, MOST_INSTRUMENTS, SHORTEST_SECONDS, Wishes
from core.music.composing.prompt import (
    FASTEST_BPM,
    LONGEST_PROMPT,
    SLOWEST_BPM,
    Metre,
    meaning,
    parse_any_key,
    understand,
)
from core.music.composing.styles import MOODS, STYLES
from core.music.generation import GenerateProvider


class GenerateMusicInput(BaseModel):
    """Make music from words. What is left out is read from ``prompt``, or follows from mood and style. Names are
    understood in English and Thai ("relaxing" is the mood calm); ``key`` as "D:min" or "D minor". ``provider`` does it
    or says what it lacks, no other takes its place. The same order with the same ``seed`` gives the same file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: str = Field(default="", max_length=LONGEST_PROMPT)
    duration_seconds: float | None = Field(default=None, ge=SHORTEST_SECONDS, le=LONGEST_SECONDS)
    mood: str | None = Field(default=None, max_length=60)
    style: str | None = Field(default=None, max_length=60)
    instruments: tuple[str, ...] = Field(default=(), max_length=MOST_INSTRUMENTS)
    tempo_bpm: float | None = Field(default=None, ge=SLOWEST_BPM, le=FASTEST_BPM)
    key: str | None = Field(default=None, max_length=40)
    time_signature: Metre | None = None
    loop: bool | None = None
    seed: int | None = Field(default=None, ge=0, le=2**31 - 1)
    provider: GenerateProvider = "builtin"
    name: str | None = Field(default=None, min_length=1, max_length=120)

    @field_validator("mood", "style")
    @classmethod
    def _known(cls, text: str | None, about: Any) -> str | None:
        if text is None or not text.strip():
            return None
        found = meaning(about.field_name, text)
        if found is None:
            raise ValueError(
                f"unknown {about.field_name}; there are: {', '.join(MOODS if about.field_name == 'mood' else STYLES)}"
            )
        return found

    @field_validator("instruments", mode="before")
    @classmethod
    def _players(cls, names: Any) -> Any:
        if not isinstance(names, list | tuple):
            return names
        found = []
        for name in names[:50]:
            known = meaning("instrument", name[:60]) if isinstance(name, str) else None
            if isinstance(name, str) and known is None:
                raise ValueError(f"unknown instrument; there are: {', '.join(INSTRUMENTS)}")
            found.append(known if known is not None else name)
        return list(dict.fromkeys(found)) if all(isinstance(name, str) for name in found) else names

    @field_validator("key")
    @classmethod
    def _key(cls, text: str | None) -> str | None:
        if text is None or not text.strip():
            return None
        found = parse_any_key(text)
        if found is None:
            raise ValueError('not a key; write it as "D:min" or "D minor"')
        return found

    @model_validator(mode="after")
    def _something(self) -> GenerateMusicInput:
        if not (self.prompt.strip() or self.mood or self.style or self.instruments):
            raise ValueError("say what it shall sound like: a prompt, a mood, a style or instruments")
        return self

    @property
    def queue(self) -> str | None:
        """Networks work where other heavy models do; the composer needs a second or two."""
        return "models" if self.provider == "musicgen" else None

    @property
    def seconds(self) -> float | None:
        """The length asked for, by name or in the prompt."""
        return self.duration_seconds or understand(self.prompt).seconds

    @property
    def wishes(self) -> Wishes:
        return Wishes(
            prompt=self.prompt,
            mood=self.mood,
            style=self.style,
            key=self.key,
            bpm=self.tempo_bpm,
            metre=self.time_signature,
            instruments=self.instruments,
            seconds=self.duration_seconds,
            loop=self.loop,
        )

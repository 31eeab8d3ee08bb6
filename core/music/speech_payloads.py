"""What speaking a text takes (SPEC M8): the shape of the HTTP API and of the stored payload."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from core.video.payloads import Language

LONGEST_TEXT = 20_000
MIN_PACE, MAX_PACE = 0.5, 2.0


class SpeechInput(BaseModel):
    """Speak ``text`` with ``voice`` (empty: the first on this machine that knows the language), as an audio asset.

    ``speed`` 2 is twice as fast. ``language`` "auto" is told by the letters: Thai, else English. A voice that does not
    know the language is refused, never replaced.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = Field(min_length=1, max_length=LONGEST_TEXT)
    voice: str | None = Field(default=None, min_length=1, max_length=60)
    language: Language = "auto"
    speed: float = Field(default=1.0, ge=MIN_PACE, le=MAX_PACE)
    name: str | None = Field(default=None, min_length=1, max_length=120)

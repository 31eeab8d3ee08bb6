"""From what a user names (a platform, a shape, "720p") to the pixels of an output file.

Platform sizes: YouTube 1920×1080, TikTok, Reels and YouTube Shorts 1080×1920, Facebook feed 1080×1350, square
1080×1080. All sizes are even, as 4:2:0 video needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.errors import InvalidInput
from core.video.timeline import AspectRatio, OutputTarget

Platform = Literal["youtube", "youtube_shorts", "tiktok", "reels", "instagram", "facebook", "square"]
PLATFORM_RATIOS: dict[Platform, AspectRatio] = {
    "youtube": "16:9",
    "youtube_shorts": "9:16",
    "tiktok": "9:16",
    "reels": "9:16",
    "instagram": "9:16",
    "facebook": "4:5",
    "square": "1:1",
}
RATIOS: dict[AspectRatio, Fraction] = {
    "16:9": Fraction(16, 9),
    "9:16": Fraction(9, 16),
    "4:5": Fraction(4, 5),
    "1:1": Fraction(1),
}
DEFAULT_SHORT_SIDE = 1080
MIN_SIDE, MAX_SIDE = 64, 4320
_SHORT_SIDE = re.compile(r"^(\d{3,4})p$")
_PIXELS = re.compile(r"^(\d{2,4})x(\d{2,4})$")


class TargetOutput(BaseModel):
    """One wanted output: a platform or an aspect ratio, and how large.

    ``resolution`` is ``"720p"`` (the short side), ``"1080x1920"``, ``"source"`` (no enlargement of the source) or
    empty: the platforms' own size, the source's size for the ratio ``source``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    platform: Platform | None = None
    aspect_ratio: AspectRatio | None = None
    resolution: str | None = Field(default=None, max_length=20)

    @model_validator(mode="after")
    def _consistent(self) -> TargetOutput:
        if self.platform and self.aspect_ratio and PLATFORM_RATIOS[self.platform] != self.aspect_ratio:
            raise ValueError(f"{self.platform} takes {PLATFORM_RATIOS[self.platform]}, not {self.aspect_ratio}")
        pixels = self._pixels()
        if pixels:
            if not all(MIN_SIDE <= side <= MAX_SIDE for side in pixels):
                raise ValueError(f"each side must be {MIN_SIDE} to {MAX_SIDE} pixels")
            ratio = RATIOS.get(self.ratio)
            if ratio and abs(Fraction(*pixels) / ratio - 1) > Fraction(2, 100):
                raise ValueError(f"{self.resolution} is not {self.ratio}")
        elif not (self.platform or self.aspect_ratio):
            raise ValueError("give a platform or an aspect_ratio")
        if self.resolution and self.resolution != "source" and not pixels:
            match = _SHORT_SIDE.match(self.resolution)
            if not match or not MIN_SIDE <= int(match[1]) <= MAX_SIDE:
                raise ValueError('resolution is "720p", "1080x1920" or "source"')
        return self

    @property
    def ratio(self) -> AspectRatio:
        """The aspect ratio, also where only a platform or the pixels were given."""
        if self.aspect_ratio:
            return self.aspect_ratio
        if self.platform:
            return PLATFORM_RATIOS[self.platform]
        pixels = self._pixels()
        if pixels:
            for name, ratio in RATIOS.items():
                if abs(Fraction(*pixels) / ratio - 1) <= Fraction(2, 100):
                    return name
        return "source"

    def _pixels(self) -> tuple[int, int] | None:
        match = _PIXELS.match(self.resolution or "")
        return (int(match[1]), int(match[2])) if match else None

    def pixels(self, source_width: int, source_height: int) -> OutputTarget:
        """The output's size for a source of the given size (as displayed, rotation applied)."""
        if source_width < 2 or source_height < 2:
            raise InvalidInput("This file has no picture to work on.")
        ratio = self.ratio
        shape = RATIOS.get(ratio, Fraction(source_width, source_height))
        explicit = self._pixels()
        if explicit:
            width, height = explicit
            if ratio == "source" and abs(Fraction(width, height) / shape - 1) > Fraction(2, 100):
                raise InvalidInput(
                    f"{self.resolution} has another shape than the recording.", "Choose an aspect ratio as well."
                )
            return OutputTarget(aspect_ratio=ratio, width=_even(width), height=_even(height))
        native = min(Fraction(source_width), source_height * shape)  # width of the largest window of that shape
        native_short = min(native, native / shape)
        if self.resolution == "source" or (self.resolution is None and ratio == "source"):
            short = native_short
        elif self.resolution is None:
            short = Fraction(DEFAULT_SHORT_SIDE)
        else:
            short = Fraction(int(self.resolution[:-1]))
            if ratio == "source":
                short = min(short, native_short)
        width_exact = short if shape <= 1 else short * shape
        return OutputTarget(aspect_ratio=ratio, width=_even(width_exact), height=_even(width_exact / shape))


def _even(value: Fraction | int) -> int:
    return max(2, 2 * round(Fraction(value) / 2))


def resolve_targets(targets: Iterable[TargetOutput], source_width: int, source_height: int) -> list[OutputTarget]:
    """The sizes to render, in order, without doubles (TikTok and Reels share one file)."""
    return list(dict.fromkeys(target.pixels(source_width, source_height) for target in targets))

"""What goes out as a Facebook Reel, and what as a page video. Pure."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from core.publishing.rules import REELS

Surface = Literal["reel", "video"]


def fits_a_reel(width: int | None, height: int | None, fps: str | None, seconds: float | None) -> bool:
    """Whether Facebook takes a video as a Reel; ``fps`` as probed ("30000/1001"). What is not known does not fit."""
    if not width or not height or not seconds:
        return False
    try:
        rate = float(Fraction(fps or "0"))
    except (ValueError, ZeroDivisionError):
        return False
    upright = abs(width / height - REELS.ratio) <= REELS.ratio_slack
    large = width >= REELS.width and height >= REELS.height
    return upright and large and REELS.slowest <= rate <= REELS.fastest and REELS.shortest <= seconds <= REELS.longest


def surface_of(
    chosen: Surface | None, width: int | None, height: int | None, fps: str | None, seconds: float | None
) -> Surface:
    """Where a video goes out: as chosen, otherwise as a Reel where it fits one."""
    return chosen or ("reel" if fits_a_reel(width, height, fps, seconds) else "video")

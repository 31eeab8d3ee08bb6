"""What each platform allows, in one table: lengths, sizes, and how long its listings lag.

Numbers come from the vendors' public documentation (YouTube Data API v3: videos, thumbnails and captions pages)
and change there; nothing outside this table repeats them.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import InvalidInput


@dataclass(frozen=True)
class PlatformRules:
    """Limits of one platform. ``listing_delay_seconds`` is how long a new post may be missing from listings: an attempt
    whose outcome is unknown is not repeated before that has passed."""

    platform: str
    title_characters: int
    description_bytes: int
    tags_characters: int
    forbidden_characters: str = ""
    video_bytes: int = 274_877_906_944
    thumbnail_bytes: int = 52_428_800
    thumbnail_types: tuple[str, ...] = ("image/jpeg", "image/png")
    caption_bytes: int = 104_857_600
    privacies: tuple[str, ...] = ("private", "unlisted", "public")
    listing_delay_seconds: int = 0


RULES = {
    "youtube": PlatformRules(
        "youtube",
        title_characters=100,
        description_bytes=5000,
        tags_characters=500,
        forbidden_characters="<>",
        listing_delay_seconds=30,
    ),
    "simulated": PlatformRules("simulated", title_characters=100, description_bytes=5000, tags_characters=500),
}
NOT_READY = {
    "tiktok": "Publishing to TikTok is not built yet.",
    "facebook": "Publishing to Facebook is not built yet.",
    "instagram": "Publishing to Instagram is not built yet.",
}
"""Platforms the studio knows and cannot publish to, with the reason it shows."""


def rules_of(platform: str) -> PlatformRules:
    """Rules of a platform; raises :class:`InvalidInput` where the studio cannot publish to it yet."""
    if platform not in RULES:
        raise InvalidInput(NOT_READY.get(platform, "The studio does not know this platform."))
    return RULES[platform]


def tags_length(tags: list[str]) -> int:
    """Length as YouTube counts it: separated by commas, quotation marks around tags with a space."""
    return sum(len(tag) + (2 if " " in tag else 0) for tag in tags) + max(len(tags) - 1, 0)

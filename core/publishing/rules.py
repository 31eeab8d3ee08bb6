"""What each platform allows, in one table: lengths, sizes, and how long its listings lag.

Numbers come from the vendors' public documentation (YouTube Data API v3: videos, thumbnails and captions pages;
Meta: "Reels Publishing API", "Video API", "Content Publishing") and change there; nothing outside this table repeats
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from core.errors import InvalidInput


@dataclass(frozen=True)
class PlatformRules:
    """Limits of one platform. ``listing_delay_seconds`` is how long a new post may be missing from listings: an attempt
    whose outcome is unknown is not repeated before that has passed."""

    platform: str
    title_characters: int
    description_bytes: int = 20_000
    tags_characters: int = 10_000
    forbidden_characters: str = ""
    marker_bytes: int = 0
    """Kept free at the end of the description for the line that identifies the post, where posts are found by it."""
    caption_units: int | None = None
    """The platform shows one text instead of title, description and tags (:mod:`core.publishing.captions`), of at most
    so many UTF-16 code units."""
    hashtags: int | None = None
    """How many a caption may hold."""
    video_bytes: int = 274_877_906_944
    video_types: tuple[str, ...] = ()
    """MIME types it takes; any video where empty."""
    shortest_seconds: float = 0.0
    longest_seconds: float | None = None
    frames_per_second: tuple[float, float] | None = None
    side_pixels: tuple[int, int] | None = None
    """Least and most pixels of each side of the picture."""
    thumbnail_bytes: int = 52_428_800
    thumbnail_types: tuple[str, ...] = ("image/jpeg", "image/png")
    takes_thumbnail: bool = True
    takes_captions: bool = True
    takes_ai_mark: bool = True
    """Programs can tell it that something was made by AI."""
    caption_bytes: int = 104_857_600
    privacies: tuple[str, ...] = ("private", "unlisted", "public")
    privacy_default: str | None = "private"
    """What a privacy left out means; None where the user has to choose."""
    listing_delay_seconds: int = 0
    own_clock: bool = False
    """The platform takes a post ahead of its time and makes it public by itself."""
    clock_until: timedelta = timedelta(days=90)
    """How far ahead of its time such a platform takes a post; before that it waits here, where it can be changed."""
    clock_firm: bool = False
    """It refuses later times outright, also for what it holds already."""
    prepared_before: timedelta | None = None
    """The platform keeps no times, but takes the video beforehand without showing it: how long before."""
    publish_call: str = "publish"
    """The kind of calls that a limit on new posts is about."""
    reports_revenue: bool = True
    daily: Mapping[str, int] = field(default_factory=dict)
    """Calls a project may make in a day, by bucket."""
    costs: Mapping[str, int] = field(default_factory=dict)
    """What a call takes from the bucket ``units``, where it is not one."""


RULES = {
    "youtube": PlatformRules(
        "youtube",
        title_characters=100,
        description_bytes=5000,
        tags_characters=500,
        forbidden_characters="<>",
        marker_bytes=40,
        listing_delay_seconds=30,
        own_clock=True,
        publish_call="videos.insert",
        daily={"videos.insert": 100, "units": 10_000},
        costs={
            "videos.update": 50,
            "thumbnails.set": 50,
            "playlistItems.insert": 50,
            "captions.insert": 400,
        },
    ),
    # Content Posting API, "Media Transfer Guide" (video restrictions) and "Direct Post" (caption).
    "tiktok": PlatformRules(
        "tiktok",
        title_characters=300,
        caption_units=2200,
        video_bytes=4_000_000_000,
        video_types=("video/mp4", "video/quicktime", "video/webm"),
        longest_seconds=600,
        frames_per_second=(23, 60),
        side_pixels=(360, 4096),
        takes_thumbnail=False,
        takes_captions=False,
        privacies=("public", "friends", "followers", "private"),
        privacy_default=None,
        listing_delay_seconds=60,
        publish_call="video.init",
        reports_revenue=False,
    ),
    "facebook": PlatformRules(
        "facebook",
        title_characters=255,
        description_bytes=60_000,
        video_bytes=10 * 1024**3,
        shortest_seconds=1.0,
        longest_seconds=14_400.0,
        thumbnail_bytes=10 * 1024**2,
        privacies=("public",),
        privacy_default="public",
        listing_delay_seconds=30,
        takes_ai_mark=False,
        own_clock=True,
        clock_until=timedelta(days=29),
        clock_firm=True,
        reports_revenue=False,
    ),
    "instagram": PlatformRules(
        "instagram",
        title_characters=300,
        caption_units=2200,
        hashtags=30,
        video_bytes=300_000_000,
        video_types=("video/mp4", "video/quicktime"),
        shortest_seconds=3.0,
        longest_seconds=900.0,
        frames_per_second=(23.0, 60.0),
        takes_thumbnail=False,
        takes_captions=False,
        takes_ai_mark=False,
        privacies=("public",),
        privacy_default="public",
        listing_delay_seconds=30,
        prepared_before=timedelta(hours=1),
        reports_revenue=False,
    ),
    "simulated": PlatformRules(
        "simulated",
        title_characters=100,
        description_bytes=5000,
        tags_characters=500,
        marker_bytes=40,
        privacy_default="public",
    ),
}


@dataclass(frozen=True)
class ReelRules:
    """What Facebook takes as a Reel ("Reels Publishing API", requirements); anything else is a page video."""

    ratio: float = 9 / 16
    ratio_slack: float = 0.01
    width: int = 540
    height: int = 960
    slowest: float = 23.9
    fastest: float = 60.0
    shortest: float = 3.0
    longest: float = 90.0


REELS = ReelRules()


def rules_of(platform: str) -> PlatformRules:
    """Rules of a platform; raises :class:`InvalidInput` for one that the studio does not know."""
    if platform not in RULES:
        raise InvalidInput("The studio does not know this platform.")
    return RULES[platform]


def tags_length(tags: list[str]) -> int:
    """Length as YouTube counts it: separated by commas, quotation marks around tags with a space."""
    return sum(len(tag) + (2 if " " in tag else 0) for tag in tags) + max(len(tags) - 1, 0)

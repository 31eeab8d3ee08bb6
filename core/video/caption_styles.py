"""The looks of captions, and where on a picture they may stand.

Sizes are fractions of the picture's shorter side, so that one preset fits every output. All presets use Sarabun (SIL
Open Font License, Thai and Latin in one family, static weights), whose files come with the package ``fontpkg-sarabun``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.video.timeline import AspectRatio

FONT_FAMILY = "Sarabun"
FONT_LICENCE = "OFL-1.1"

_WEIGHTS = {400: "", 500: "Medium", 600: "SemiBold", 700: "", 800: "ExtraBold"}

Motion = Literal["static", "word", "karaoke", "pop"]


@dataclass(frozen=True)
class CaptionRules:
    """How words are grouped. ``max_cells`` are display cells a line (a Thai vowel above a letter takes none)."""

    max_cells: int = 38
    max_lines: int = 2
    max_words: int | None = None
    max_cells_per_second: float = 20.0
    min_seconds: float = 0.9
    max_seconds: float = 6.0
    pause_seconds: float = 0.7
    linger_seconds: float = 0.6


@dataclass(frozen=True)
class CaptionStyle:
    """One preset. Colours are ``RRGGBB``; ``motion`` says what moves:

    ``static`` nothing, ``word`` the word being spoken takes ``highlight``, ``karaoke`` the line fills with
    ``highlight``, ``pop`` one group at a time comes up with a short growth. ``box`` puts ``outline_colour`` behind the
    text with ``box_opacity`` instead of an outline around the letters.
    """

    name: str
    motion: Motion
    rules: CaptionRules
    size: float
    weight: int = 700
    colour: str = "FFFFFF"
    highlight: str = "FFFFFF"
    outline_colour: str = "000000"
    outline: float = 0.0
    shadow: float = 0.0
    box: bool = False
    box_opacity: float = 1.0
    upper_case: bool = False
    place: Literal["bottom", "middle"] = "bottom"

    @property
    def font_name(self) -> str:
        """The family by which font systems know this weight; 700 is the bold of the plain family."""
        return f"{FONT_FAMILY} {_WEIGHTS[self.weight]}".strip()

    @property
    def label_key(self) -> str:
        """Message key of the preset's name."""
        return f"caption_style.{self.name}"


_SUBTITLE = CaptionRules()
_SHORT_GROUP = CaptionRules(
    max_cells=18, max_lines=2, max_words=4, min_seconds=0.3, max_seconds=2.5, pause_seconds=0.35, linger_seconds=0.25
)

STYLES: dict[str, CaptionStyle] = {
    style.name: style
    for style in (
        CaptionStyle(
            "tiktok", "word", _SHORT_GROUP, size=0.095, weight=800, highlight="FFE500", outline=0.0085, shadow=0.003,
            upper_case=True, place="middle",
        ),
        CaptionStyle("clean", "static", _SUBTITLE, size=0.052, weight=600, outline=0.0035, shadow=0.0015),
        CaptionStyle(
            "karaoke", "karaoke", CaptionRules(max_cells=28, max_lines=2, max_words=8, pause_seconds=0.5), size=0.068,
            weight=700, highlight="38E0FF", outline=0.006,
        ),
        CaptionStyle(
            "box", "static", CaptionRules(max_cells=24, max_lines=2, max_words=7, pause_seconds=0.5), size=0.062,
            weight=800, colour="111111", outline_colour="FFD400", outline=0.012, box=True,
        ),
        CaptionStyle(
            "pop", "pop",
            CaptionRules(
                max_cells=12, max_lines=1, max_words=2, min_seconds=0.2, max_seconds=1.5, pause_seconds=0.3,
                linger_seconds=0.2,
            ),
            size=0.11, weight=800, colour="FFFFFF", outline_colour="5B21B6", outline=0.011, upper_case=True,
            place="middle",
        ),
        CaptionStyle(
            "minimal", "static", _SUBTITLE, size=0.046, weight=500, outline_colour="000000", outline=0.006, box=True,
            box_opacity=0.55,
        ),
    )
}  # fmt: skip


@dataclass(frozen=True)
class SafeArea:
    """Margins as fractions of the picture's width (left, right) and height (top, bottom)."""

    left: float
    right: float
    top: float
    bottom: float


# What the apps lay over a vertical video (caption, buttons, progress bar), a little generous.
SAFE_AREAS: dict[str, SafeArea] = {
    "tiktok": SafeArea(left=0.06, right=0.13, top=0.08, bottom=0.22),
    "reels": SafeArea(left=0.06, right=0.13, top=0.12, bottom=0.22),
    "youtube_shorts": SafeArea(left=0.06, right=0.13, top=0.10, bottom=0.20),
    "facebook": SafeArea(left=0.06, right=0.06, top=0.06, bottom=0.10),
    "square": SafeArea(left=0.06, right=0.06, top=0.06, bottom=0.08),
    "youtube": SafeArea(left=0.05, right=0.05, top=0.05, bottom=0.07),
}
_BY_RATIO: dict[AspectRatio, tuple[str, ...]] = {
    "9:16": ("tiktok", "reels", "youtube_shorts"),
    "4:5": ("facebook",),
    "1:1": ("square",),
    "16:9": ("youtube",),
    "source": ("youtube",),
}


def safe_area(ratio: AspectRatio, width: int, height: int) -> SafeArea:
    """What is free on every platform that shows this shape; an upright "source" counts as 9:16."""
    names = _BY_RATIO["9:16" if ratio == "source" and height > width * 1.4 else ratio]
    areas = [SAFE_AREAS[name] for name in names]
    return SafeArea(
        left=max(area.left for area in areas),
        right=max(area.right for area in areas),
        top=max(area.top for area in areas),
        bottom=max(area.bottom for area in areas),
    )

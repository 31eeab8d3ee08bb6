"""The styles of generated videos: what each does to the picture, how it moves, and how its type looks.

The numbers are the executing engine's (:mod:`providers.video.looks` says how): contrast, saturation and gamma are
factors about 1; ``warmth`` moves from blue (−1) to orange (1), ``split`` pushes shadows to teal and lights to orange,
``fade`` lifts black; ``grain`` is the noise's strength in steps of 255, ``vignette`` how dark the corners become,
``glow`` how much light bleeds, each from 0.
``drift`` is how far a still moves while it is shown, as a fraction of its size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.video.caption_styles import FONT_FAMILY

SceneTransition = Literal["cut", "crossfade", "dip", "wipe"]
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class CardType:
    """Type of the words on cards: its weight, size as a fraction of the shorter side, case, colour and outline."""

    weight: Literal["Light", "Medium", "SemiBold", "Bold", "ExtraBold"] = "ExtraBold"
    size: float = 0.13
    upper_case: bool = False
    colour: str = "FFFFFF"
    outline: float = 0.0
    shadow: float = 0.003
    centred: bool = True

    @property
    def font_name(self) -> str:
        """The name that font systems know; the bold is the plain family's own."""
        return FONT_FAMILY if self.weight == "Bold" else f"{FONT_FAMILY} {self.weight}"


@dataclass(frozen=True)
class Look:
    """One style."""

    name: str
    palette: tuple[Colour, Colour, Colour]
    contrast: float = 1.0
    saturation: float = 1.0
    gamma: float = 1.0
    warmth: float = 0.0
    split: float = 0.0
    fade: float = 0.0
    grain: int = 0
    vignette: float = 0.0
    glow: float = 0.0
    drift: float = 0.1
    transition: SceneTransition = "crossfade"
    transition_seconds: float = 0.5
    captions: str = "clean"
    card: CardType = CardType()

    @property
    def title_key(self) -> str:
        """Message key of the style's name."""
        return f"look.{self.name}"


LOOKS: dict[str, Look] = {
    look.name: look
    for look in (
        Look("natural", ((28, 44, 74), (88, 130, 170), (12, 20, 40))),
        Look(
            "cinematic", ((34, 84, 104), (224, 150, 92), (22, 48, 66)), contrast=1.12, saturation=0.92, split=0.6,
            grain=7, vignette=0.5, drift=0.08, transition="dip", transition_seconds=0.8,
            card=CardType("SemiBold", 0.105, upper_case=True),
        ),
        Look(
            "documentary", ((84, 86, 78), (150, 146, 128), (48, 52, 48)), contrast=1.05, saturation=0.62, gamma=0.97,
            grain=4, drift=0.05, captions="minimal", card=CardType("Medium", 0.095, centred=False),
        ),
        Look(
            "vintage", ((92, 62, 36), (196, 158, 104), (48, 30, 20)), contrast=0.86, saturation=0.55, warmth=0.6,
            fade=0.12, grain=16, vignette=0.6, drift=0.06, transition_seconds=0.9,
            card=CardType("Medium", 0.125, colour="FFF1D6"),
        ),
        Look(
            "noir", ((92, 92, 92), (214, 214, 214), (58, 58, 58)), contrast=1.38, saturation=0.0, gamma=0.92, grain=12,
            vignette=0.75, drift=0.07, transition="dip", transition_seconds=0.7, card=CardType("Light", 0.13),
        ),
        Look(
            "vivid", ((220, 38, 90), (250, 160, 20), (70, 20, 120)), contrast=1.1, saturation=1.5, drift=0.16,
            transition="wipe", transition_seconds=0.35, captions="tiktok",
            card=CardType("ExtraBold", 0.15, upper_case=True, outline=0.006),
        ),
        Look(
            "dreamy", ((150, 104, 176), (232, 170, 200), (92, 100, 176)), contrast=0.9, saturation=0.9, gamma=1.08,
            fade=0.05, glow=0.55, drift=0.07, transition_seconds=1.2, card=CardType("SemiBold", 0.125),
        ),
        Look(
            "neon", ((30, 6, 70), (240, 20, 150), (0, 120, 200)), contrast=1.2, saturation=1.35, gamma=0.9,
            warmth=-0.55, vignette=0.4, glow=0.3, drift=0.14, transition="wipe", transition_seconds=0.3, captions="pop",
            card=CardType("ExtraBold", 0.14, upper_case=True, colour="7CF5FF", shadow=0.0),
        ),
        Look(
            "golden", ((120, 58, 20), (250, 190, 90), (60, 24, 20)), contrast=1.04, saturation=1.12, gamma=1.05,
            warmth=0.75, glow=0.2, vignette=0.25, drift=0.1, captions="karaoke",
            card=CardType("SemiBold", 0.13, colour="FFF6E0"),
        ),
        Look(
            "pastel", ((176, 206, 220), (246, 214, 204), (208, 224, 196)), contrast=0.8, saturation=0.7, gamma=1.15,
            fade=0.14, drift=0.06, captions="box", card=CardType("SemiBold", 0.125, colour="2E3440", shadow=0.0),
        ),
    )
}  # fmt: skip

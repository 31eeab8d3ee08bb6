"""Which videos an advertising set has, and what they are called (SPEC V6.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from core.video.ad_payloads import AdsInput, Role
from core.video.sizes import RATIOS
from core.video.timeline import OutputTarget

PieceKey = tuple[Role, int]


@dataclass(frozen=True)
class Advert:
    """One content of a set: which hook, body and call to action (indexes; no call is None) in which language ("" is
    what is spoken)."""

    hook: int
    body: int
    call: int | None
    language: str

    @property
    def pieces(self) -> tuple[PieceKey, ...]:
        """Its pieces in the order they are shown."""
        shown: list[PieceKey] = [("hook", self.hook), ("body", self.body)]
        return (*shown, ("call", self.call)) if self.call is not None else tuple(shown)

    @property
    def code(self) -> str:
        """The combination in short: "H1 B2 C1", with its language "H1 B2 C1 th"."""
        parts = [f"H{self.hook + 1}", f"B{self.body + 1}"]
        if self.call is not None:
            parts.append(f"C{self.call + 1}")
        return " ".join([*parts, *([self.language] if self.language else [])])


def adverts(order: AdsInput) -> list[Advert]:
    """Every combination once, hooks changing slowest and languages fastest."""
    calls: Sequence[int | None] = range(len(order.calls_to_action)) or (None,)
    languages = order.languages or ("",)
    return [
        Advert(hook, body, call, language)
        for hook, body, call, language in product(range(len(order.hooks)), range(len(order.bodies)), calls, languages)
    ]


def title_of(order: AdsInput, advert: Advert) -> str:
    """A name that tells the combination: "Summer sale · H1 B2 C1 th"; named pieces add their names."""
    names = [order.pieces(role)[index].name.strip() for role, index in advert.pieces]
    told = " + ".join(name for name in names if name)
    return " · ".join(part for part in (order.name.strip(), advert.code, told) if part)


def file_name(order: AdsInput, advert: Advert, target: OutputTarget) -> str:
    """The name of one file without its ending: the content's title with the shape, "… 9x16"."""
    shape = (
        target.aspect_ratio.replace(":", "x") if target.aspect_ratio in RATIOS else f"{target.width}x{target.height}"
    )
    return f"{title_of(order, advert)} · {shape}"

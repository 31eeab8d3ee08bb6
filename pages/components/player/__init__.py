"""A video or audio element fed by HTTP Range from the API, with poster and captions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from pages.components import register

_mount = register("player")


class CaptionTrack(TypedDict):
    """A WebVTT file of the studio: address, BCP 47 language and what the menu calls it."""

    src: str
    language: str
    label: str


def player(
    src: str,
    *,
    key: str,
    title: str,
    audio: bool = False,
    poster: str = "",
    captions: Sequence[CaptionTrack] = (),
    aspect: str = "",
    small: bool = False,
    error_text: str = "",
) -> None:
    """Play ``src`` (an address on our own origin). ``aspect`` such as ``9 / 16`` reserves the room before it loads; a
    small player is at most 260 pixels high."""
    _mount(
        key=key,
        data={
            "src": src,
            "title": title,
            "audio": audio,
            "poster": poster,
            "captions": list(captions),
            "aspect": aspect,
            "tall": 260 if small else 480,
            "error": error_text,
        },
    )

"""Stems played together in step, each with mute, solo and volume; what is heard comes back to the page.

The browser asks the API for four seconds of each stem at a time (48 kHz WAV is read by HTTP Range) and lays them on one
clock, so that a stem never runs ahead of another and an hour needs no more memory than a minute.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

from pages.components import labels, nothing, register

_mount = register("mixer", deck=True)


class Strip(TypedDict):
    """One stem: its name in the group, what it is called, and the address of its WAV."""

    stem: str
    label: str
    src: str


class Level(TypedDict):
    """What is heard of a stem: dB, or muted (by its own button or by another's solo)."""

    gain_db: float
    muted: bool


def mixer(
    lang: str, strips: Sequence[Strip], *, key: str, title: str, duration: float, peaks: Sequence[float] = ()
) -> dict[str, Level]:
    """Show the mixer; answers the level of each stem by name, all at 0 dB before anything was touched. ``peaks`` are
    0–1 over equal parts of the whole song."""
    found: Any = _mount(
        key=key,
        data={
            "strips": list(strips),
            "title": title,
            "duration": duration,
            "peaks": [round(float(value), 3) for value in peaks],
            "words": labels("mixer", lang),
        },
        default={"levels": {}},
        on_levels_change=nothing,
    )
    told = found.levels or {}
    return {
        strip["stem"]: Level(
            gain_db=min(6.0, max(-40.0, float((told.get(strip["stem"]) or {}).get("gain_db", 0.0)))),
            muted=bool((told.get(strip["stem"]) or {}).get("muted", False)),
        )
        for strip in strips
    }

"""A song's sound drawn with its beats, bars, sections and chords; playing it moves the cursor, a click seeks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from pages.components import labels, register

_mount = register("waveform")


class ChordMark(TypedDict):
    """A chord from ``start`` seconds on; ``roman`` is its degree in the key."""

    start: float
    chord: str
    roman: str


class SectionMark(TypedDict):
    """A section in seconds by its name for people; alike ones have one ``tone``."""

    start: float
    end: float
    name: str
    tone: int


def waveform(
    lang: str,
    src: str,
    *,
    key: str,
    title: str,
    duration: float,
    peaks: Sequence[float] = (),
    beats: Sequence[float] = (),
    downbeats: Sequence[float] = (),
    badges: Sequence[str] = (),
    chords: Sequence[ChordMark] = (),
    sections: Sequence[SectionMark] = (),
) -> None:
    """Draw and play ``src``. ``peaks`` are 0–1 over equal parts of the sound; ``beats`` and ``downbeats`` in seconds;
    ``badges`` are short facts shown above (tempo, key). Chords and sections can be jumped to."""
    _mount(
        key=key,
        data={
            "src": src,
            "title": title,
            "duration": duration,
            "peaks": [round(float(value), 3) for value in peaks],
            "beats": [round(float(value), 3) for value in beats],
            "downbeats": [round(float(value), 3) for value in downbeats],
            "badges": list(badges),
            "chords": list(chords),
            "sections": list(sections),
            "words": labels("waveform", lang),
        },
    )

"""A song's sound drawn with its beats and bars; playing it moves the cursor, a click seeks."""

from __future__ import annotations

from collections.abc import Sequence

from pages.components import labels, register

_mount = register("waveform")


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
) -> None:
    """Draw and play ``src``. ``peaks`` are 0–1 over equal parts of the sound; ``beats`` and ``downbeats`` in seconds;
    ``badges`` are short facts shown above (tempo, key)."""
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
            "words": labels("waveform", lang),
        },
    )

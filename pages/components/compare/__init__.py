"""A sound before and after, played in step at equal loudness; the listener changes over without losing the place."""

from __future__ import annotations

from collections.abc import Sequence

from pages.components import labels, register

_mount = register("compare", deck=True)


def compare(
    lang: str,
    before: str,
    after: str,
    *,
    key: str,
    title: str,
    duration: float,
    loudness: tuple[float | None, float | None],
    peaks: Sequence[float] = (),
) -> None:
    """Show the comparison of two WAVs of the studio by their addresses. ``loudness`` (LUFS) of both: the louder one is
    turned down to the other, since the louder of two always seems the better. ``peaks`` are the result's, 0–1."""
    known = [one for one in loudness if one is not None]
    quieter = min(known) if len(known) == 2 else None
    sides = [
        {
            "name": name,
            "src": src,
            "gain_db": round(quieter - own, 2) if quieter is not None and own is not None else 0.0,
        }
        for name, src, own in zip(("before", "after"), (before, after), loudness, strict=True)
    ]
    _mount(
        key=key,
        data={
            "sides": sides,
            "title": title,
            "duration": duration,
            "peaks": [round(float(value), 3) for value in peaks],
            "words": labels("mixer", lang) | labels("compare", lang),
        },
    )

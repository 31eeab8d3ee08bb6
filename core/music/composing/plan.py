"""The plan of a song: everything its composer has to know, from what was asked for and what a prompt says.

What was asked for by name wins over the prompt, the prompt over the mood's and the style's usual way.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.music.composing.instruments import HARMONY, INSTRUMENTS
from core.music.composing.prompt import FASTEST_BPM, SLOWEST_BPM, Metre, Understood, understand
from core.music.composing.styles import MOODS, PACES, STYLES, Style
from core.music.keys import NOTES

SHORTEST_SECONDS, USUAL_SECONDS, LONGEST_SECONDS = 5.0, 30.0, 300.0
MOST_INSTRUMENTS = 8
USUAL_PLAYERS = 5
# What a style that nobody named is told from: the mood's own, or the instruments' where they are of one kind.
_TELLING = {
    "ukulele": "folk", "acoustic_guitar": "folk", "banjo": "folk", "fiddle": "folk", "distorted_guitar": "rock",
    "saxophone": "jazz", "synth": "house", "synth_pad": "ambient", "strings": "cinematic", "choir": "cinematic",
    "harpsichord": "classical", "violin": "classical", "cello": "classical",
}  # fmt: skip
_COMPOUND = 0.62
"""Dotted quarters are felt as slower beats than quarters of the same music."""


@dataclass(frozen=True)
class Plan:
    """``bpm`` counts beats: quarters, or the dotted quarters of 6/8. ``key`` as "D:min"."""

    mood: str
    style: str
    key: str
    bpm: float
    metre: Metre
    instruments: tuple[str, ...]
    seconds: float
    loop: bool
    seed: int

    def as_dict(self) -> dict[str, Any]:
        """JSON-safe, in the names of ``POST /music/generate``."""
        return {
            "mood": self.mood,
            "style": self.style,
            "key": self.key,
            "tempo_bpm": self.bpm,
            "time_signature": self.metre,
            "instruments": list(self.instruments),
            "duration_seconds": self.seconds,
            "loop": self.loop,
            "seed": self.seed,
        }


@dataclass(frozen=True)
class Wishes:
    """What was asked for by name; None (or empty) leaves it to the prompt."""

    prompt: str = ""
    mood: str | None = None
    style: str | None = None
    key: str | None = None
    bpm: float | None = None
    metre: Metre | None = None
    instruments: tuple[str, ...] = ()
    seconds: float | None = None
    loop: bool | None = None


def plan(wishes: Wishes, seed: int) -> Plan:
    """Fill in everything that was left open; the same wishes and seed give the same plan."""
    said = understand(wishes.prompt)
    named = wishes.instruments or said.instruments
    mood, style = _character(wishes.mood or said.mood, wishes.style or said.style, named)
    key = wishes.key or said.key or _some_key(said.mode or MOODS[mood].mode, seed)
    metre = wishes.metre or said.metre or STYLES[style].metre
    bpm = wishes.bpm or said.bpm or _usual_bpm(STYLES[style], mood, said, metre)
    seconds = wishes.seconds or said.seconds or USUAL_SECONDS
    return Plan(
        mood=mood,
        style=style,
        key=key,
        bpm=min(max(bpm, SLOWEST_BPM), FASTEST_BPM),
        metre=metre,
        instruments=wishes.instruments or _players(STYLES[style], mood, said),
        seconds=min(max(seconds, SHORTEST_SECONDS), LONGEST_SECONDS),
        loop=said.loop if wishes.loop is None else wishes.loop,
        seed=seed,
    )


def _character(mood: str | None, style: str | None, named: Sequence[str]) -> tuple[str, str]:
    if style is None:
        telling = [_TELLING[name] for name in named if name in _TELLING]
        style = telling[0] if telling else MOODS[mood].style if mood else "pop"
    return mood or STYLES[style].mood, style


def _some_key(mode: str, seed: int) -> str:
    return f"{NOTES[random.Random(f'key {seed}').choice((0, 2, 4, 5, 7, 9, 10, 3))]}:{mode}"


def _usual_bpm(style: Style, mood: str, said: Understood, metre: Metre) -> float:
    slow, usual, fast = style.bpm
    if said.pace is None:
        found = min(max(usual * MOODS[mood].faster, slow), fast)
    else:
        found = min(max(usual * PACES[said.pace], slow * 0.85), fast * 1.1)
    return float(round(found * (_COMPOUND if metre == "6/8" else 1.0)))


def _players(style: Style, mood: str, said: Understood) -> tuple[str, ...]:
    """Who was named, and of the style's own players those whose part nobody has taken yet."""
    if said.only:
        return said.instruments[:MOST_INSTRUMENTS]
    chosen = list(said.instruments)
    quiet = MOODS[mood].energy < 0.3 and style.name in ("classical", "ambient", "cinematic")
    for name in style.players:
        duty = INSTRUMENTS[name].duties[0]
        taken = {INSTRUMENTS[one].duties[0] for one in chosen}
        harmony = duty in HARMONY and bool(taken & set(HARMONY)) and bool(said.instruments)
        if name in chosen or name in said.without or duty in taken or harmony or (quiet and duty == "drums"):
            continue
        if len(chosen) < max(USUAL_PLAYERS, len(said.instruments)):
            chosen.append(name)
    if not chosen:  # everybody was sent away but somebody has to play
        chosen = [next(name for name in (*style.players, "piano", "harp") if name not in said.without)]
    return tuple(chosen[:MOST_INSTRUMENTS])

"""Styles and moods as data: who plays, how fast, which grooves; and what a mood makes of them.

A pattern is a bar as text, as in :mod:`core.music.presets`: sixteen signs for four quarters, twelve for three quarters
or for the two dotted quarters of 6/8.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from core.music.composing.prompt import Metre, Pace
from core.music.presets import CLAP, CRASH, HAT, KICK, OPEN_HAT, RIM, SHAKER, SNARE, TAMBOURINE, TOM

RIDE, HIGH_TOM, LOW_TOM = 51, 50, 41
Drums = tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Style:
    """``bpm`` is slow, usual and fast for this music; ``players`` who plays if nobody says otherwise, in order of
    importance. ``light`` and ``full`` are drums of quiet and of full sections in 4/4; ``chords``, ``strum``,
    ``arpeggio`` and ``bass`` what accompaniment plays there. ``bass_steps`` are scale steps from the root."""

    name: str
    bpm: tuple[float, float, float]
    mood: str
    players: tuple[str, ...]
    light: Drums
    full: Drums
    chords: str = "X.......X......."
    strum: str = "X.x.xxx.X.x.xxx."
    arpeggio: str = "X.x.x.x.X.x.x.x."
    bass: str = "X.......X......."
    bass_steps: tuple[int, ...] = (0, 0, 4)
    metre: Metre = "4/4"
    sevenths: bool = False
    swing: float = 0.0
    reverb_seconds: float = 1.2
    reverb_db: float = -17.0
    cutoff_hz: float = 18_000.0

    @property
    def title_key(self) -> str:
        return f"music_style.{self.name}"


_ROCK_FULL = ((KICK, "X.....x.X.x....."), (SNARE, "....X.......X..."), (HAT, "x.x.x.x.x.x.x.x."))
_ALL = (
    Style(
        "pop", (84, 112, 132), "happy", ("piano", "acoustic_guitar", "bass", "drums", "glockenspiel"),
        ((KICK, "X.......X......."), (RIM, "....x.......x..."), (SHAKER, "x.-.x.-.x.-.x.-.")),
        ((KICK, "X.....x.X......."), (CLAP, "....X.......X..."), (HAT, "x.x.x.x.x.x.x.x.")),
        chords="X.....X.....X...", bass="X.....x.X.....x.", reverb_seconds=0.9, reverb_db=-19.0,
    ),
    Style(
        "lofi", (64, 78, 90), "calm", ("electric_piano", "bass", "drums", "vibraphone"),
        ((KICK, "X.........X....."), (HAT, "x.-.x.-.x.-.x.-.")),
        ((KICK, "X.....x...X....."), (SNARE, "....X.......X..-"), (HAT, "x.-.x.-.x.-.x.-.")),
        chords="X.....x...x.....", bass="X.....x.X.......", bass_steps=(0, 4, 0), sevenths=True, swing=0.3,
        reverb_seconds=1.0, reverb_db=-18.0, cutoff_hz=7_500.0,
    ),
    Style(
        "cinematic", (66, 90, 128), "epic", ("strings", "piano", "cello", "horn", "choir", "drums", "double_bass"),
        ((TOM, "X.......x......."),),
        ((TOM, "X.....x.X...x.x."), (KICK, "X.......X......."), (LOW_TOM, "X..x..x.........")),
        chords="X...............", arpeggio="X.x.x.x.X.x.x.x.", bass="X.......X.......", bass_steps=(0,),
        reverb_seconds=2.6, reverb_db=-11.0,
    ),
    Style(
        "ambient", (56, 68, 84), "dreamy", ("synth_pad", "harp", "bells"),
        ((SHAKER, "-...-...-...-..."),), ((SHAKER, "x.-.-.-.x.-.-.-."),),
        arpeggio="X...x...X...x...", bass="X...............", bass_steps=(0,), sevenths=True,
        reverb_seconds=3.4, reverb_db=-9.0, cutoff_hz=12_000.0,
    ),
    Style(
        "corporate", (96, 112, 126), "hopeful", ("piano", "electric_guitar", "strings", "bass", "drums", "marimba"),
        ((KICK, "X.......X......."), (RIM, "....X.......X..."), (SHAKER, "x-x-x-x-x-x-x-x-")),
        ((KICK, "X...X...X...X..."), (SNARE, "....X.......X..."), (HAT, "x.x.x.x.x.x.x.x.")),
        arpeggio="X.x.x.x.x.x.x.x.", bass="X..x..x.X..x..x.", reverb_db=-18.0,
    ),
    Style(
        "folk", (78, 100, 124), "hopeful", ("acoustic_guitar", "double_bass", "drums", "fiddle", "harmonica"),
        ((KICK, "X.......X......."), (SHAKER, "X-x-X-x-X-x-X-x-")),
        (
            (KICK, "X.......X......."), (SHAKER, "X-x-X-x-X-x-X-x-"), (RIM, "....x.......x..."),
            (TAMBOURINE, "....x.......x..."),
        ),
        strum="X...x.x.X...x.x.", bass="X.......X.......", bass_steps=(0, 4), reverb_seconds=1.0,
    ),
    Style(
        "hiphop", (70, 88, 100), "dark", ("electric_piano", "synth_bass", "drums", "strings", "pan_flute"),
        ((KICK, "X..x......x....."), (HAT, "x.x.x.x.x.x.x.x.")),
        ((KICK, "X..x....x.X....."), (SNARE, "....X.......X..."), (HAT, "x.x.x.xxx.x.x-x-")),
        chords="X..x......x.....", bass="X..x....X.x.....", bass_steps=(0, 0, 0, 4), sevenths=True, swing=0.16,
        reverb_seconds=0.7, reverb_db=-20.0, cutoff_hz=14_000.0,
    ),
    Style(
        "house", (110, 126, 140), "energetic", ("pluck", "synth_pad", "synth_bass", "drums", "synth"),
        ((KICK, "X...X...X...X..."), (HAT, "..x...x...x...x.")),
        (
            (KICK, "X...X...X...X..."), (CLAP, "....X.......X..."), (OPEN_HAT, "..x...x...x...x."),
            (HAT, "x-.-x-.-x-.-x-.-"),
        ),
        chords="..x...x...x...x.", arpeggio="x.xx.xx.x.xx.xx.", bass="..X...X...X...X.", bass_steps=(0,),
        reverb_seconds=1.4, reverb_db=-17.0,
    ),
    Style(
        "rock", (92, 120, 150), "energetic", ("electric_guitar", "distorted_guitar", "bass", "drums"),
        ((KICK, "X.......X......."), (SNARE, "....X.......X..."), (HAT, "x...x...x...x...")), _ROCK_FULL,
        chords="X.x.x.x.X.x.x.x.", bass="X.x.x.x.X.x.x.x.", bass_steps=(0, 0, 0, 0, 0, 0, 4, 4),
        reverb_seconds=0.8, reverb_db=-20.0,
    ),
    Style(
        "jazz", (84, 116, 170), "romantic", ("piano", "double_bass", "drums", "saxophone"),
        ((RIDE, "x...x.x.x...x.x."), (RIM, "............-...")),
        ((RIDE, "X...x.x.X...x.x."), (HAT, "....x.......x..."), (KICK, "-.......-.......")),
        chords="X.....x.........", bass="X...x...x...x...", bass_steps=(0, 2, 4, 5), sevenths=True, swing=0.32,
        reverb_seconds=0.9, reverb_db=-18.0,
    ),
    Style(
        "classical", (66, 96, 132), "hopeful", ("strings", "piano", "cello", "violin"),
        ((TOM, "-..............."),), ((TOM, "x.......-......."),),
        chords="X.......X.......", arpeggio="X.x.x.x.X.x.x.x.", bass="X.......x.......", bass_steps=(0, 4),
        reverb_seconds=2.0, reverb_db=-13.0,
    ),
    Style(
        "bossa", (104, 126, 146), "romantic", ("classical_guitar", "double_bass", "drums", "flute", "piano"),
        ((RIM, "x..x..x...x..x.."), (SHAKER, "x-x-x-x-x-x-x-x-")),
        ((KICK, "X..xX..xX..xX..x"), (RIM, "X..x..x...x..x.."), (HAT, "x.x.x.x.x.x.x.x.")),
        chords="X..x..x...x..x..", strum="X..x..x...x..x..", arpeggio="X..x..x.x..x..x.", bass="X..xX..xX..xX..x",
        bass_steps=(0, 4, 4, 0), sevenths=True,
    ),
    Style(
        "reggae", (68, 76, 88), "happy", ("organ", "electric_guitar", "bass", "drums", "trumpet"),
        ((KICK, "........X......."), (HAT, "x.x.x.x.x.x.x.x.")),
        ((KICK, "........X......."), (RIM, "........X......."), (HAT, "x.x.x.x.x.x.x.xx")),
        chords="....X.......X...", strum="....X.......X...", bass="X..x..x.....x.x.", bass_steps=(0, 2, 4, 4, 2),
    ),
    Style(
        "funk", (92, 106, 118), "energetic", ("electric_guitar", "electric_piano", "bass", "drums", "brass"),
        ((KICK, "X.....x.......x."), (SNARE, "....X.......X..."), (HAT, "x.x.x.x.x.x.x.x.")),
        ((KICK, "X..x..x...x..x.."), (SNARE, "....X..-.-..X..-"), (HAT, "xxxxxxxxxxxxxxxx")),
        chords="..x.x..x..x.x...", bass="X..x..x.X..x.xx.", bass_steps=(0, 0, 4, 7, 0, 4, 6), sevenths=True,
        reverb_seconds=0.7, reverb_db=-21.0,
    ),
    Style(
        "blues", (66, 88, 120), "sad", ("electric_guitar", "piano", "bass", "drums", "harmonica"),
        ((RIDE, "x...x.x.x...x.x."), (KICK, "X.......X.......")),
        ((KICK, "X.....x.X......."), (SNARE, "....X.......X..."), (RIDE, "X...x.x.X...x.x.")),
        chords="X.....x.....x...", bass="X...x...x...x...", bass_steps=(0, 2, 4, 5), sevenths=True, swing=0.32,
    ),
)  # fmt: skip
STYLES: dict[str, Style] = {one.name: one for one in _ALL}

# In three quarters or in 6/8 every style plays these, quieter or fuller.
OTHER_METRES: dict[Metre, dict[str, str]] = {
    "3/4": {"chords": "....x...x...", "strum": "X...x...x.x.", "arpeggio": "X.x.x.x.x.x.", "bass": "X..........."},
    "6/8": {"chords": "X.....x.....", "strum": "X...x.X...x.", "arpeggio": "X.x.x.X.x.x.", "bass": "X.....X....."},
}
OTHER_DRUMS: dict[Metre, tuple[Drums, Drums]] = {
    "3/4": (
        ((KICK, "X..........."), (RIM, "....x...x...")),
        ((KICK, "X..........."), (SNARE, "....x...x..."), (HAT, "x.x.x.x.x.x.")),
    ),
    "6/8": (
        ((KICK, "X..........."), (HAT, "x.x.x.x.x.x.")),
        ((KICK, "X.........x."), (SNARE, "......X....."), (HAT, "x.x.x.x.x.x.")),
    ),
}
# What drums play in the last bar before a section, after the first half of their pattern.
FILLS: tuple[Drums, ...] = (
    ((SNARE, "xxxX"), (TOM, "....xxxX")),
    ((SNARE, "x.x.xxxX"),),
    ((HIGH_TOM, "xx"), (TOM, "..xx"), (LOW_TOM, "....xxX.")),
    ((SNARE, "..x...xX"), (KICK, "x...x...")),
)
CALM_FILLS: tuple[Drums, ...] = (((RIM, "....x.x."),), ((TOM, "....-.x."),))
OPENING: Drums = ((CRASH, "x"),)


@dataclass(frozen=True)
class Mood:
    """``energy`` 0–1 chooses how full sections are; ``faster`` moves the style's tempo; ``colours`` makes chords on
    scale degrees more or less likely; ``higher`` moves the melody by semitones."""

    name: str
    mode: Literal["maj", "min"]
    energy: float
    faster: float = 1.0
    colours: dict[int, float] = field(default_factory=dict)
    higher: int = 0
    style: str = "pop"

    @property
    def title_key(self) -> str:
        return f"mood.{self.name}"


_MOODS = (
    Mood("happy", "maj", 0.75, 1.05, {1: 1.4, 4: 1.3, 5: 1.3, 6: 0.7}, 2),
    Mood("sad", "min", 0.25, 0.8, {6: 1.3, 4: 1.4, 7: 0.8}, -2, "classical"),
    Mood("calm", "maj", 0.2, 0.85, {1: 1.3, 4: 1.6, 6: 1.1, 5: 0.7}, 0, "ambient"),
    Mood("energetic", "maj", 0.95, 1.1, {6: 1.3, 4: 1.2}, 2, "house"),
    Mood("dark", "min", 0.45, 0.9, {6: 1.4, 5: 1.4, 3: 0.6, 7: 0.6}, -5, "cinematic"),
    Mood("romantic", "maj", 0.35, 0.9, {6: 1.4, 2: 1.6, 3: 1.3}, 0, "jazz"),
    Mood("epic", "min", 0.9, 1.05, {6: 1.6, 7: 1.5, 3: 1.2}, 0, "cinematic"),
    Mood("mysterious", "min", 0.35, 0.9, {4: 1.4, 6: 1.4, 5: 1.3, 3: 0.7}, -3, "cinematic"),
    Mood("hopeful", "maj", 0.6, 1.0, {4: 1.5, 6: 1.2, 1: 1.1}, 0, "corporate"),
    Mood("playful", "maj", 0.6, 1.05, {5: 1.3, 2: 1.3}, 4, "folk"),
    Mood("tense", "min", 0.7, 1.1, {5: 1.6, 2: 0.5, 6: 1.2, 3: 0.5}, -2, "cinematic"),
    Mood("dreamy", "maj", 0.3, 0.9, {4: 1.6, 6: 1.3, 3: 1.3, 5: 0.6}, 2, "ambient"),
    Mood("angry", "min", 1.0, 1.15, {7: 1.3, 6: 1.3, 5: 1.2}, -3, "rock"),
)
MOODS: dict[str, Mood] = {one.name: one for one in _MOODS}
PACES: dict[Pace, float] = {"very_slow": 0.66, "slow": 0.8, "medium": 1.0, "fast": 1.25, "very_fast": 1.45}

"""The built-in background tracks as data: for each preset tempo, key, form, harmony and what every instrument plays.

A pattern is a bar as text, one character a sixteenth: ``X`` accented, ``x`` played, ``-`` soft, ``.`` silent. Chords
are scale degrees of the key, one a bar. The scores are our own; :mod:`core.music.arrange` turns them into notes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.music.score import DRUMS

# The General MIDI soundfont that ``make vendor`` fetches.
SOUNDFONT = Path(__file__).resolve().parents[2] / "vendor" / "alphatab" / "sonivox.sf2"
Role = Literal["chords", "arpeggio", "bass", "melody", "lead", "pad", "strum", "drums"]
KICK, RIM, SNARE, CLAP, HAT, OPEN_HAT, SHAKER, TOM, CRASH, TAMBOURINE = 36, 37, 38, 39, 42, 46, 82, 45, 49, 54


@dataclass(frozen=True)
class Layer:
    """One instrument. ``sections`` are the letters of the form in which it plays; ``low`` is the lowest pitch of its
    register; ``drums`` maps a drum to its pattern; ``steps`` are chord tones (arpeggio) or scale steps from the root
    (bass), taken in turn. ``fills`` take the second half of the bar before a section; an ``opening`` layer plays in the
    first bar of a section alone."""

    name: str
    role: Role
    program: int
    sections: str
    pattern: str = "X..............."
    low: int = 60
    gain_db: float = 0.0
    pan: float = 0.0
    steps: tuple[int, ...] = (0,)
    length: float = 1.0
    drums: tuple[tuple[int, str], ...] = ()
    fills: tuple[tuple[tuple[int, str], ...], ...] = ()
    opening: bool = False


@dataclass(frozen=True)
class Preset:
    """One track: ``form`` names a section for every four bars, ``harmony`` the degrees of each section's bars."""

    name: str
    bpm: float
    key: str
    form: str
    harmony: dict[str, tuple[int, ...]]
    layers: tuple[Layer, ...]
    seed: int
    chord_size: int = 3
    swing: float = 0.0
    reverb_seconds: float = 1.2
    reverb_db: float = -16.0
    cutoff_hz: float = 18_000.0

    @property
    def bars(self) -> int:
        return 4 * len(self.form)

    @property
    def title_key(self) -> str:
        """Message key of the track's name."""
        return f"track.{self.name}"


def _kit(sections: str, gain_db: float, *drums: tuple[int, str]) -> Layer:
    return Layer(f"drums {sections}", "drums", DRUMS, sections, gain_db=gain_db, drums=drums)


_LOFI = Preset(
    "lofi", 78, "F:maj", "iababc", {"i": (1, 6, 2, 5), "a": (1, 6, 2, 5), "b": (4, 5, 3, 6), "c": (1, 4, 5, 1)},
    (
        Layer("electric piano", "chords", 4, "iabc", "X.....x...x.....", 55, 0.0, -0.15, length=0.9),
        Layer("bass", "bass", 33, "abc", "X.....x.X.......", 36, -1.0, steps=(0, 4, 0), length=0.8),
        Layer("vibraphone", "melody", 11, "bc", "X..x..x...x.x...", 67, -8.0, 0.25),
        _kit("abc", -5.0, (KICK, "X.....x...X....."), (SNARE, "....X.......X..-"), (HAT, "x.-.x.-.x.-.x.-.")),
    ),
    seed=11, chord_size=4, swing=0.34, reverb_seconds=1.0, reverb_db=-18.0, cutoff_hz=7_500.0,
)  # fmt: skip

_CINEMATIC = Preset(
    "cinematic", 90, "D:min", "iaabbcc", {"i": (1, 1, 6, 6), "a": (1, 6, 3, 7), "b": (6, 7, 1, 3), "c": (1, 6, 4, 5)},
    (
        Layer("strings", "pad", 48, "iabc", low=55, gain_db=-4.0),
        Layer("ostinato", "arpeggio", 0, "iabc", "X.x.x.x.X.x.x.x.", 62, -3.0, -0.2, (0, 1, 2, 1), 0.5),
        Layer("cellos", "bass", 43, "abc", "X.......X.......", 36, 0.0, steps=(0,), length=1.9),
        Layer("short strings", "arpeggio", 45, "bc", "X.xxX.xxX.xxX.xx", 57, -6.0, 0.25, (0, 0, 2), 0.25),
        Layer("horns", "melody", 60, "bc", "X.......x...x...", 60, -5.0, 0.1),
        Layer("choir", "pad", 52, "c", low=60, gain_db=-9.0),
        _kit("bc", -1.0, (TOM, "X.....x.X...x.x."), (KICK, "X.......X.......")),
        _kit("c", -12.0, (CRASH, "X...............")),
    ),
    seed=23, reverb_seconds=2.8, reverb_db=-11.0,
)  # fmt: skip

_UPBEAT = Preset(
    "upbeat", 124, "G:maj", "iaabbacbbc",
    {"i": (1, 5, 6, 4), "a": (1, 5, 6, 4), "b": (4, 1, 5, 6), "c": (4, 5, 1, 1)},
    (
        Layer("guitar", "strum", 25, "iabc", "X.x.xxx.X.x.xxx.", 55, -3.0, -0.3, length=0.4),
        Layer("piano", "chords", 0, "abc", "X.....X.....X...", 60, -5.0, 0.2, length=0.7),
        Layer("bass", "bass", 34, "abc", "X.x.x.x.X.x.x.x.", 36, -1.0, steps=(0, 0, 0, 0, 0, 0, 4, 4), length=0.45),
        Layer("bells", "melody", 9, "bc", "X.x.x...x.x.x...", 79, -11.0, 0.3),
        _kit("abc", -4.0, (KICK, "X...X...X...X..."), (CLAP, "....X.......X..."), (HAT, "..X...X...X...X.")),
        _kit("bc", -12.0, (TAMBOURINE, "x-x-x-x-x-x-x-x-")),
    ),
    seed=31, reverb_seconds=0.8, reverb_db=-20.0,
)  # fmt: skip

_AMBIENT = Preset(
    "ambient", 72, "C:maj", "iababi", {"i": (1, 1, 4, 4), "a": (1, 6, 4, 5), "b": (6, 4, 1, 5)},
    (
        Layer("warm pad", "pad", 89, "iab", low=55, gain_db=-2.0),
        Layer("halo", "pad", 94, "b", low=67, gain_db=-10.0),
        Layer("harp", "arpeggio", 46, "iab", "X...x...X...x...", 60, -2.0, 0.25, (0, 1, 2, 3, 2, 1), 1.0),
        Layer("low", "bass", 89, "ab", "X...............", 36, -4.0, steps=(0,), length=3.8),
        Layer("bell", "melody", 14, "b", "X.......x.......", 72, -14.0, -0.3),
    ),
    seed=41, chord_size=4, reverb_seconds=3.6, reverb_db=-9.0, cutoff_hz=12_000.0,
)  # fmt: skip

_CORPORATE = Preset(
    "corporate", 112, "D:maj", "iaabbabbc",
    {"i": (1, 1, 4, 4), "a": (1, 5, 6, 4), "b": (4, 6, 1, 5), "c": (4, 5, 1, 1)},
    (
        Layer("muted guitar", "arpeggio", 28, "iabc", "X.x.x.x.x.x.x.x.", 57, -2.0, -0.3, (0, 2, 1, 2), 0.45),
        Layer("piano", "chords", 0, "iabc", "X.......X.......", 60, -3.0, 0.15, length=1.8),
        Layer("strings", "pad", 50, "bc", low=62, gain_db=-10.0),
        Layer("bass", "bass", 33, "abc", "X..x..x.X..x..x.", 36, -1.0, steps=(0, 0, 4), length=0.6),
        Layer("lead", "melody", 10, "bc", "X...x.x.x...x...", 74, -9.0, 0.2),
        _kit("ab", -7.0, (KICK, "X.......X......."), (RIM, "....X.......X..."), (SHAKER, "x-x-x-x-x-x-x-x-")),
        _kit("bc", -5.0, (KICK, "X...X...X...X..."), (SNARE, "....X.......X..."), (HAT, "x.x.x.x.x.x.x.x.")),
    ),
    seed=53, reverb_seconds=1.2, reverb_db=-17.0,
)  # fmt: skip

_ACOUSTIC = Preset(
    "acoustic", 100, "A:maj", "iaabbaab", {"i": (1, 1, 4, 4), "a": (1, 4, 1, 5), "b": (6, 4, 1, 5)},
    (
        Layer("picked guitar", "arpeggio", 24, "iab", "X.x.x.x.x.x.x.x.", 52, 0.0, -0.25, (0, 2, 1, 3, 2, 1), 0.9),
        Layer("second guitar", "strum", 25, "b", "X...x.x.X...x.x.", 57, -6.0, 0.35, length=0.6),
        Layer("bass", "bass", 32, "ab", "X.......X...x...", 33, 0.0, steps=(0, 4, 0), length=1.4),
        Layer("flute", "melody", 73, "b", "X...x...x.x.x...", 69, -10.0, 0.1),
        _kit("ab", -9.0, (KICK, "X.......X......."), (SHAKER, "X-x-X-x-X-x-X-x-"), (RIM, "....x.......x...")),
    ),
    seed=61, chord_size=3, reverb_seconds=1.0, reverb_db=-17.0,
)  # fmt: skip

_HIPHOP = Preset(
    "hiphop", 88, "C:min", "iaababb", {"i": (1, 1, 6, 5), "a": (1, 1, 6, 5), "b": (4, 6, 1, 5)},
    (
        Layer("piano", "chords", 5, "iab", "X..x......x.....", 58, -2.0, -0.1, length=0.8),
        Layer("strings", "chords", 51, "b", "........X.......", 65, -9.0, 0.25, length=1.6),
        Layer("bass", "bass", 38, "ab", "X..x....X.x.....", 31, 2.0, steps=(0, 0, 0, 4), length=0.7),
        Layer("flute", "melody", 75, "b", "..x...x.X...x...", 67, -10.0, 0.2),
        _kit("ab", -2.0, (KICK, "X..x....x.X....."), (SNARE, "....X.......X..."), (HAT, "x.x.x.xxx.x.x-x-")),
        _kit("b", -12.0, (OPEN_HAT, "......x.......x.")),
    ),
    seed=71, chord_size=4, swing=0.18, reverb_seconds=0.7, reverb_db=-20.0, cutoff_hz=14_000.0,
)  # fmt: skip

_ELECTRONIC = Preset(
    "electronic", 128, "A:min", "iaabbcabbc",
    {"i": (1, 1, 6, 6), "a": (1, 6, 3, 7), "b": (6, 7, 1, 1), "c": (6, 3, 7, 1)},
    (
        Layer("pluck", "arpeggio", 81, "iabc", "x.xx.xx.x.xx.xx.", 64, -8.0, -0.25, (0, 1, 2, 3, 1, 2), 0.3),
        Layer("pad", "pad", 90, "iabc", low=57, gain_db=-9.0),
        Layer("bass", "bass", 39, "abc", "..X...X...X...X.", 33, 0.0, steps=(0,), length=0.4),
        Layer("lead", "melody", 80, "bc", "X..x..x.x..x..x.", 72, -16.0, 0.2),
        _kit("abc", -1.0, (KICK, "X...X...X...X...")),
        _kit("abc", -7.0, (OPEN_HAT, "..x...x...x...x."), (HAT, "x-.-x-.-x-.-x-.-")),
        _kit("bc", -6.0, (CLAP, "....X.......X...")),
    ),
    seed=83, reverb_seconds=1.4, reverb_db=-17.0,
)  # fmt: skip

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (_LOFI, _CINEMATIC, _UPBEAT, _AMBIENT, _CORPORATE, _ACOUSTIC, _HIPHOP, _ELECTRONIC)
}

"""Music as data: notes in beats on parts with General MIDI programs."""

from __future__ import annotations

from dataclasses import dataclass

PITCH_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
MODES = {
    "maj": (0, 2, 4, 5, 7, 9, 11),
    "min": (0, 2, 3, 5, 7, 8, 10),
}
DRUMS = -1


@dataclass(frozen=True)
class Note:
    """``start`` and ``length`` in beats from the beginning, ``pitch`` a MIDI number, ``velocity`` 1–127."""

    start: float
    length: float
    pitch: int
    velocity: int = 90


@dataclass(frozen=True)
class Part:
    """One instrument: a General MIDI program (0–127, or :data:`DRUMS`), its level in dB, its place (−1 left … 1)."""

    name: str
    program: int
    notes: tuple[Note, ...]
    gain_db: float = 0.0
    pan: float = 0.0


@dataclass(frozen=True)
class Score:
    """A piece whose length is a whole number of bars, so that it can be looped there."""

    bpm: float
    key: str
    beats_per_bar: int
    bars: int
    parts: tuple[Part, ...]

    @property
    def beats(self) -> int:
        return self.bars * self.beats_per_bar

    @property
    def seconds(self) -> float:
        """Length of one pass."""
        return self.beats * 60.0 / self.bpm


def parse_key(key: str) -> tuple[int, str]:
    """Pitch class of the tonic and mode (``maj`` or ``min``) of a key such as "A:min" or "Eb:maj".

    Raises:
        ValueError: not a key.
    """
    name, _, mode = key.partition(":")
    flats = {"Db": "C#", "Eb": "D#", "Gb": "F#", "Ab": "G#", "Bb": "A#", "Cb": "B", "Fb": "E", "E#": "F", "B#": "C"}
    if mode not in MODES or flats.get(name, name) not in PITCH_NAMES:
        raise ValueError(f"not a key: {key!r}")
    return PITCH_NAMES.index(flats.get(name, name)), mode


def scale_pitches(key: str, low: int, high: int) -> list[int]:
    """MIDI numbers of the key's scale from ``low`` to ``high`` (inclusive)."""
    tonic, mode = parse_key(key)
    members = {(tonic + step) % 12 for step in MODES[mode]}
    return [pitch for pitch in range(low, high + 1) if pitch % 12 in members]


def degree_chord(key: str, degree: int, size: int = 3) -> list[int]:
    """Pitch classes of the chord on a scale degree (1–7), stacked in thirds: 3, 4 or 5 notes."""
    tonic, mode = parse_key(key)
    steps = MODES[mode]
    return [(tonic + steps[(degree - 1 + 2 * index) % 7]) % 12 for index in range(size)]

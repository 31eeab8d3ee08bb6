"""The instruments the built-in composer can play, by General MIDI program, and what each is good for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.music.score import DRUMS

Duty = Literal["drums", "bass", "lead", "pad", "chords", "strum", "arpeggio"]
HARMONY: tuple[Duty, ...] = ("pad", "chords", "strum", "arpeggio")


@dataclass(frozen=True)
class Instrument:
    """``duties`` from the most to the least fitting; ``low`` is where its accompaniment begins, ``lead`` its melody
    (MIDI numbers); ``gain_db`` levels the soundfont's instruments against each other."""

    name: str
    program: int
    duties: tuple[Duty, ...]
    low: int = 55
    lead: int = 67
    gain_db: float = 0.0
    pan: float = 0.0

    @property
    def title_key(self) -> str:
        """Message key of what a person calls it."""
        return f"instrument.{self.name}"

    @property
    def plays_chords(self) -> bool:
        """Whether one player can sound several notes at once."""
        return any(duty in HARMONY for duty in self.duties)


_ALL = (
    Instrument("drums", DRUMS, ("drums",), gain_db=-5.0),
    Instrument("bass", 33, ("bass",), low=33, gain_db=-1.0),
    Instrument("double_bass", 32, ("bass",), low=33),
    Instrument("synth_bass", 38, ("bass",), low=31),
    Instrument("piano", 0, ("chords", "arpeggio", "lead"), 55, 69, -2.0, -0.1),
    Instrument("electric_piano", 4, ("chords", "arpeggio", "lead"), 55, 67, -1.0, -0.15),
    Instrument("organ", 16, ("pad", "chords", "lead"), 55, 67, -9.0, 0.15),
    Instrument("accordion", 21, ("chords", "lead"), 55, 67, -7.0, 0.15),
    Instrument("harpsichord", 6, ("arpeggio", "chords", "lead"), 55, 67, -4.0, -0.15),
    Instrument("acoustic_guitar", 25, ("strum", "arpeggio", "lead"), 52, 64, -3.0, -0.25),
    Instrument("classical_guitar", 24, ("arpeggio", "strum", "lead"), 52, 64, -1.0, -0.25),
    Instrument("electric_guitar", 27, ("chords", "arpeggio", "lead"), 52, 64, -3.0, -0.25),
    Instrument("distorted_guitar", 29, ("chords", "lead"), 45, 64, -9.0, -0.25),
    Instrument("ukulele", 24, ("strum", "arpeggio", "lead"), 64, 72, -2.0, -0.2),
    Instrument("banjo", 105, ("arpeggio", "lead"), 57, 67, -4.0, 0.25),
    Instrument("harp", 46, ("arpeggio", "chords", "lead"), 57, 69, -1.0, 0.25),
    Instrument("strings", 48, ("pad", "chords", "lead"), 55, 67, -7.0, 0.1),
    Instrument("violin", 40, ("lead", "pad"), 62, 69, -8.0, 0.15),
    Instrument("cello", 42, ("lead", "pad"), 48, 52, -6.0, 0.2),
    Instrument("choir", 52, ("pad", "lead"), 57, 64, -8.0),
    Instrument("brass", 61, ("chords", "pad", "lead"), 53, 62, -9.0, 0.2),
    Instrument("trumpet", 56, ("lead",), lead=65, gain_db=-9.0, pan=0.15),
    Instrument("trombone", 57, ("lead",), lead=53, gain_db=-8.0, pan=0.2),
    Instrument("horn", 60, ("lead", "pad"), 50, 57, -6.0, 0.1),
    Instrument("saxophone", 65, ("lead",), lead=60, gain_db=-8.0, pan=0.1),
    Instrument("clarinet", 71, ("lead",), lead=62, gain_db=-7.0, pan=0.15),
    Instrument("oboe", 68, ("lead",), lead=65, gain_db=-9.0, pan=0.1),
    Instrument("flute", 73, ("lead",), lead=72, gain_db=-8.0, pan=0.1),
    Instrument("pan_flute", 75, ("lead",), lead=69, gain_db=-8.0, pan=0.15),
    Instrument("whistle", 78, ("lead",), lead=74, gain_db=-11.0, pan=0.1),
    Instrument("harmonica", 22, ("lead", "chords"), 60, 65, -9.0, 0.15),
    Instrument("synth", 80, ("lead", "arpeggio", "chords"), 57, 69, -15.0, 0.2),
    Instrument("pluck", 81, ("arpeggio", "chords", "lead"), 60, 69, -12.0, -0.25),
    Instrument("synth_pad", 89, ("pad",), low=55, gain_db=-5.0),
    Instrument("bells", 14, ("lead", "arpeggio"), 67, 72, -11.0, -0.25),
    Instrument("glockenspiel", 9, ("lead", "arpeggio"), 72, 79, -11.0, 0.25),
    Instrument("vibraphone", 11, ("lead", "chords", "arpeggio"), 60, 67, -7.0, 0.25),
    Instrument("marimba", 12, ("arpeggio", "lead", "chords"), 55, 67, -3.0, 0.25),
    Instrument("xylophone", 13, ("lead", "arpeggio"), 67, 72, -7.0, 0.25),
    Instrument("music_box", 10, ("arpeggio", "lead"), 72, 76, -8.0, 0.2),
    Instrument("kalimba", 108, ("arpeggio", "lead"), 62, 69, -4.0, 0.2),
    Instrument("sitar", 104, ("lead", "arpeggio"), 57, 62, -6.0, 0.2),
    Instrument("koto", 107, ("arpeggio", "lead"), 57, 67, -4.0, 0.2),
    Instrument("fiddle", 110, ("lead",), lead=67, gain_db=-9.0, pan=0.15),
)
INSTRUMENTS: dict[str, Instrument] = {one.name: one for one in _ALL}

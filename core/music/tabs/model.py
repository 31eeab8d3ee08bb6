"""A tab as data: what is stored, shown, exported, and read back.

Time is counted in steps of a sixteenth note from the beginning of the first bar.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from core.music.tabs.instruments import INSTRUMENTS, Instrument

InstrumentName = Literal["guitar", "bass", "ukulele"]
Difficulty = Literal["easy", "original", "advanced"]
STEPS_IN_WHOLE = 16


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TabNote(_Frozen):
    """``string`` counts from 1, the first being the one at the bottom of the player's view; ``fret`` from the capo."""

    string: int = Field(ge=1)
    fret: int = Field(ge=0)


class Column(_Frozen):
    """Notes that begin together; ``stroke`` is the strumming hand's way."""

    start: int = Field(ge=0)
    length: int = Field(ge=1)
    notes: tuple[TabNote, ...] = Field(min_length=1)
    stroke: Literal["", "down", "up"] = ""


class ChordMark(_Frozen):
    """A chord over the bars: ``chord`` as it sounds, ``played`` as its shape is called behind the capo; "N" is none."""

    start: int = Field(ge=0)
    length: int = Field(ge=1)
    chord: str
    played: str
    roman: str


class ChordShape(_Frozen):
    """``frets`` from the lowest string up, counted from the capo, None for a string that stays silent."""

    chord: str
    frets: tuple[int | None, ...]


class Part(_Frozen):
    """What one player reads from beginning to end, in order, nothing overlapping."""

    name: Literal["strumming", "melody", "arrangement", "bass"]
    columns: tuple[Column, ...]


class Tab(_Frozen):
    """A whole tab. ``beats_per_bar`` and ``beat_value`` are the time signature; ``key`` as "A:min" or None;
    ``suggested_capo`` makes the chords easiest, ``capo`` is where these frets are counted from."""

    title: str
    instrument: InstrumentName
    difficulty: Difficulty
    bpm: float = Field(gt=0)
    beats_per_bar: int = Field(ge=1, le=16)
    beat_value: Literal[4, 8]
    pulse: int = Field(ge=1, description="steps in a felt beat")
    key: str | None
    capo: int = Field(ge=0)
    suggested_capo: int = Field(ge=0)
    bars: int = Field(ge=1)
    chords: tuple[ChordMark, ...]
    shapes: tuple[ChordShape, ...]
    parts: tuple[Part, ...] = Field(min_length=1)

    @property
    def bar_steps(self) -> int:
        return self.beats_per_bar * STEPS_IN_WHOLE // self.beat_value

    @property
    def tuning(self) -> Instrument:
        """The instrument as it sounds, its capo on."""
        return INSTRUMENTS[self.instrument].fretted_from(self.capo)

    def pitches(self, part: Part) -> list[tuple[int, int]]:
        """(start, MIDI number) of every note of a part, in order."""
        strings = self.tuning.strings
        return sorted(
            (column.start, strings[note.string - 1] + note.fret) for column in part.columns for note in column.notes
        )


WRITABLE = (1, 2, 3, 4, 6, 8, 12, 16)
"""Lengths in sixteenths that one note value, dotted or not, can have."""


def pieces(start: int, length: int, bar_steps: int, pulse: int) -> list[tuple[int, int]]:
    """A stretch of time as note values that can be written: (start, length) in steps, tied to one another.

    They end at bar lines, and none but the quarter note after an eighth hides a beat.
    """
    found: list[tuple[int, int]] = []
    at, left = start, length
    while left:
        inside = at % bar_steps
        room, off = min(left, bar_steps - inside), inside % pulse
        if off and not (pulse == 4 and off == 2 and room >= pulse):
            room = min(room, pulse - off)
        elif off:
            room = pulse
        value = max(one for one in WRITABLE if one <= room and (pulse != 6 or one <= pulse or one % pulse == 0))
        found.append((at, value))
        at, left = at + value, left - value
    return found

"""The fretted instruments that tabs are written for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

HIGHEST_FRET = 20


@dataclass(frozen=True)
class Instrument:
    """``strings``: MIDI numbers of the open strings, the first string (the one at the bottom of the player's view)
    first; ``program``: General MIDI; ``highest_capo``: 0 where nobody plays with a capo."""

    name: str
    strings: tuple[int, ...]
    program: int
    highest_capo: int

    @property
    def low(self) -> int:
        """The lowest pitch it has, as a MIDI number."""
        return min(self.strings)

    @property
    def high(self) -> int:
        """The highest pitch."""
        return max(self.strings) + HIGHEST_FRET

    @property
    def reentrant(self) -> bool:
        """Whether the last string is not the lowest, as on a ukulele: then no string has the bass."""
        return self.strings[-1] != self.low

    def fretted_from(self, capo: int) -> Instrument:
        """The instrument as it is tuned with a capo on this fret."""
        return Instrument(self.name, tuple(pitch + capo for pitch in self.strings), self.program, self.highest_capo)


INSTRUMENTS: Mapping[str, Instrument] = {
    "guitar": Instrument("guitar", (64, 59, 55, 50, 45, 40), 25, 7),
    "bass": Instrument("bass", (43, 38, 33, 28), 33, 0),
    "ukulele": Instrument("ukulele", (69, 64, 60, 67), 24, 5),
}

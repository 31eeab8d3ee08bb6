"""Frame rates and timecode as editing programs know them (SMPTE ST 12-1).

A recording may run at any rate; a timeline of an editing program may not. :func:`edit_rate` answers the rate that the
programs take, which is the recording's own for every rate that cameras and phones record at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

_NTSC = Fraction(1000, 1001)
STANDARD = (24 * _NTSC, Fraction(24), Fraction(25), 30 * _NTSC, Fraction(30), Fraction(50), 60 * _NTSC, Fraction(60))


@dataclass(frozen=True)
class EditRate:
    """Frames per second of an edit, exactly."""

    exact: Fraction

    @property
    def timebase(self) -> int:
        """Frames that timecode counts in a second: 30 for 30000/1001."""
        return round(self.exact)

    @property
    def ntsc(self) -> bool:
        """Whether the edit runs a thousandth slower than its timecode counts."""
        return self.exact.denominator != 1

    @property
    def drop_frame(self) -> bool:
        """Whether timecode leaves out numbers to stay with the clock: at 29.97 and 59.94, never at 23.976."""
        return self.ntsc and self.timebase % 30 == 0

    def seconds(self, frames: int) -> Fraction:
        """The time of so many frames, exactly."""
        return frames / self.exact

    def timecode(self, frame: int) -> str:
        """``HH:MM:SS:FF`` of a frame, after a day from zero again; drop-frame (``HH:MM:SS;FF``) leaves out the first
        two numbers (four at 59.94) of every minute that is not a tenth one."""
        base, mark = self.timebase, ":"
        if self.drop_frame:
            mark = ";"
            dropped = base // 15
            tens, rest = divmod(frame, 600 * base - 9 * dropped)
            minutes = max(0, rest - dropped) // (60 * base - dropped)
            frame += dropped * (9 * tens + minutes)
        seconds, frames = divmod(frame, base)
        return f"{seconds // 3600 % 24:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{mark}{frames:02d}"

    def hour(self) -> int:
        """The frame whose timecode is one hour, where an edit begins by custom."""
        dropped = self.timebase // 15 if self.drop_frame else 0
        return 3600 * self.timebase - 54 * dropped


def edit_rate(fps: Fraction) -> EditRate:
    """The rate an edit of a recording with ``fps`` gets: the same where programs take it, else the smallest one that
    shows every frame an equal number of times (15 becomes 30), else the nearest."""
    if fps in STANDARD:
        return EditRate(fps)
    for rate in STANDARD:
        if rate > fps and (rate / fps).denominator == 1:
            return EditRate(rate)
    return EditRate(min(STANDARD, key=lambda rate: abs(math.log(rate / fps))))

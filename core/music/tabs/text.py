"""Tabs as plain text, 80 columns wide: the chord sheet first, then every part on its strings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import gcd

from core.music.tabs.model import ChordMark, Column, Part, Tab
from core.music.tabs.shapes import NO_CHORD

WIDTH = 80
BARS_IN_LINE = 4
_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_PART_TITLES = {"strumming": "Chords, strummed", "melody": "Melody", "arrangement": "Tab", "bass": "Bass line"}


def as_text(tab: Tab) -> str:
    """The whole tab as text that any editor shows rightly in a fixed-width face."""
    sections = ["\n".join(_heading(tab)), chord_sheet(tab)]
    sections += [f"{_PART_TITLES[part.name]}\n\n{_staves(tab, part)}" for part in tab.parts]
    return "\n\n".join(section for section in sections if section) + "\n"


def _heading(tab: Tab) -> Iterator[str]:
    yield tab.title[:WIDTH]
    tuned = " ".join(_NAMES[(pitch - tab.capo) % 12] for pitch in reversed(tab.tuning.strings))
    yield f"{tab.instrument.capitalize()}, {tab.difficulty} · tuning {tuned} (low string first)"
    facts = [f"{tab.bpm:.0f} BPM", f"{tab.beats_per_bar}/{tab.beat_value}"]
    if tab.key:
        note, _, mode = tab.key.partition(":")
        facts.append(f"{note} {'minor' if mode == 'min' else 'major'}")
    yield " · ".join(facts)
    if tab.capo:
        yield f"Capo on fret {tab.capo}; frets and chord names below are counted from it."
    elif tab.suggested_capo:
        yield f"Easier with a capo on fret {tab.suggested_capo} (see the easy tab)."


def chord_sheet(tab: Tab) -> str:
    """Bars with their chords on the beats and the degrees below, then how each chord is held; empty without chords."""
    if all(mark.played == NO_CHORD for mark in tab.chords):
        return ""
    beats = tab.bar_steps // tab.pulse
    # A change on every beat needs room for every name; most bars have one or two.
    cell = max(len(mark.played) for mark in tab.chords) + 1
    cell = max(cell, *(len(mark.roman) + 1 for mark in tab.chords), 3)
    in_line = max(1, min(BARS_IN_LINE, (WIDTH - 1) // (beats * cell + 3)))
    lines = ["Chords", ""]
    for first in range(0, tab.bars, in_line):
        bars = range(first, min(first + in_line, tab.bars))
        lines.append("|" + "|".join(_bar(tab, bar, beats, cell, roman=False) for bar in bars) + "|")
        degrees = " " + " ".join(_bar(tab, bar, beats, cell, roman=True) for bar in bars)
        if degrees.strip():
            lines.append(degrees.rstrip())
        lines.append("")
    widest = max((len(one.chord) for one in tab.shapes), default=0)
    lines += [f"{one.chord:<{widest}}  {_frets(one.frets)}" for one in tab.shapes]
    return "\n".join(lines).rstrip()


def _bar(tab: Tab, bar: int, beats: int, cell: int, *, roman: bool) -> str:
    starts = {mark.start: mark for mark in tab.chords}
    cells = []
    for beat in range(beats):
        step = bar * tab.bar_steps + beat * tab.pulse
        mark = starts.get(step) or (_sounding(tab.chords, step) if beat == 0 else None)
        name = "" if mark is None else (mark.roman if roman else mark.played)
        cells.append(f"{('-' if name == NO_CHORD else name) or ('' if roman else '.'):<{cell}}")
    return " " + "".join(cells) + " "


def _sounding(chords: Sequence[ChordMark], step: int) -> ChordMark | None:
    return next((mark for mark in chords if mark.start <= step < mark.start + mark.length), None)


def _frets(frets: Sequence[int | None]) -> str:
    parts = ["x" if fret is None else str(fret) for fret in frets]
    return ("" if all(len(part) == 1 for part in parts) else "-").join(parts)


def _staves(tab: Tab, part: Part) -> str:
    """The strings with their frets, as many bars to a line as fit."""
    unit = gcd(tab.bar_steps, *(column.start % tab.bar_steps for column in part.columns))
    at = {column.start: column for column in part.columns}
    cell = 3 if any(_crowded(column, at.get(column.start + unit)) for column in part.columns) else 2
    cells = tab.bar_steps // unit
    # Chord names stand over their columns and want room too.
    while cells * (cell + 1) + 2 <= (WIDTH - 3) // BARS_IN_LINE and cell < 4:
        cell += 1
    in_line = max(1, (WIDTH - 3) // (cells * cell + 2))
    names = [_NAMES[pitch % 12] for pitch in (pitch - tab.capo for pitch in tab.tuning.strings)]
    if len(names) == 6:
        names[0] = names[0].lower()
    label = max(map(len, names))
    lines = []
    for first in range(0, tab.bars, in_line):
        bars = range(first, min(first + in_line, tab.bars))
        above = _chord_line(tab, bars, cells, unit, cell, label)
        lines += [above] if above.strip() else []
        for string, name in enumerate(names, 1):
            drawn = "|".join("-" + _string(at, string, bar * tab.bar_steps, cells, unit, cell) for bar in bars)
            lines.append(f"{name:<{label}}|{drawn}|")
        below = "  ".join(_strokes(at, bar * tab.bar_steps, cells, unit, cell) for bar in bars)
        lines += [" " * (label + 2) + below.rstrip()] if below.strip() else []
        lines.append("")
    return "\n".join(lines).rstrip()


def _crowded(column: Column, after: Column | None) -> bool:
    """Whether a fret of two digits is followed at once by another on its string."""
    following = {note.string for note in after.notes} if after else set()
    return any(note.fret > 9 and note.string in following for note in column.notes)


def _string(at: dict[int, Column], string: int, start: int, cells: int, unit: int, cell: int) -> str:
    drawn = ""
    for index in range(cells):
        column = at.get(start + index * unit)
        fret = next((note.fret for note in column.notes if note.string == string), None) if column else None
        drawn += f"{'' if fret is None else fret:-<{cell}}"
    return drawn


def _strokes(at: dict[int, Column], start: int, cells: int, unit: int, cell: int) -> str:
    """D and U under strummed columns: the hand goes down or up."""
    columns = (at.get(start + index * unit) for index in range(cells))
    return "".join(f"{column.stroke[:1].upper() if column else '':<{cell}}" for column in columns)


def _chord_line(tab: Tab, bars: range, cells: int, unit: int, cell: int, label: int) -> str:
    line = [" "] * (WIDTH + 8)
    for mark in tab.chords:
        bar, inside = divmod(mark.start, tab.bar_steps)
        if bar in bars and mark.played != NO_CHORD:
            place = label + 2 + (bar - bars.start) * (cells * cell + 2) + inside // unit * cell
            free = place == 0 or line[place - 1] == " "
            if free and place + len(mark.played) <= WIDTH:
                line[place : place + len(mark.played)] = list(mark.played)
    return "".join(line).rstrip()

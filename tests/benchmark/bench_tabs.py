"""Tabs against ten rendered parts whose every note is known: none of them is among the tests' parts."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from core.music.score import DRUMS, Note, Part, Score, scale_pitches
from core.music.tabs.build import build
from core.music.tabs.instruments import INSTRUMENTS
from core.music.tabs.model import InstrumentName
from core.music.tabs.shapes import shape
from providers.audio import note_events
from providers.audio.analysis import analyze
from tests.engine.plucked import agreement, render

TITLE = "Tabs"
TASKS = ("tempo", "beats", "key", "chords")
BARS = 8


def parts() -> Iterator[tuple[str, InstrumentName, Score]]:
    """Strummed, picked and single notes on guitars, a ukulele and basses; the last with drums."""
    quarters = (0.0, 1.0, 2.0, 3.0)
    yield "strummed, steel", "guitar", _strummed(100, "G:maj", "G D Em C", 25, "guitar", (0, 1, 2, 2.5, 3), 1)
    yield "strummed, nylon", "guitar", _strummed(84, "A:min", "Am F C G", 24, "guitar", (0, 1, 1.5, 2, 3, 3.5), 2)
    yield "picked, steel", "guitar", _picked(92, "C:maj", "C Am F G", 25, 3)
    yield "picked, nylon", "guitar", _picked(110, "E:min", "Em C G D", 24, 4)
    yield "melody, steel", "guitar", _line(120, "D:maj", scale_pitches("D:maj", 55, 79), 25, 5)
    yield "melody over a bass, nylon", "guitar", _line(96, "A:maj", scale_pitches("A:maj", 60, 77), 24, 6, (40, 45, 50))
    yield "fingered bass", "bass", _line(104, "F:maj", scale_pitches("F:maj", 29, 45), 33, 7)
    yield "picked bass", "bass", _line(132, "E:min", scale_pitches("E:min", 28, 43), 34, 8)
    yield "strummed ukulele", "ukulele", _strummed(112, "C:maj", "C Am F G7", 24, "ukulele", (*quarters, 3.5), 9)
    with_drums = _strummed(118, "E:maj", "E A B7 E", 25, "guitar", quarters, 10)
    kit = [Note(beat / 2, 0.1, 42, 60) for beat in range(BARS * 8)]
    kit += [Note(beat, 0.1, 38 if beat % 2 else 36, 100) for beat in range(BARS * 4)]
    drums = Part("drums", DRUMS, tuple(kit), gain_db=-6)
    yield "strummed, with drums", "guitar", Score(118, "E:maj", 4, BARS, (*with_drums.parts, drums))


def _strummed(bpm: float, key: str, chords: str, program: int, name: str, pattern: Sequence[float], seed: int) -> Score:
    """Every string a little after the one before it."""
    chance, names = random.Random(seed), chords.split()
    notes = [
        Note(bar * 4 + at + index * 0.00015 * bpm, 0.85, pitch, chance.randint(70, 100))
        for bar in range(BARS)
        for at in pattern
        for index, pitch in enumerate(shape(INSTRUMENTS[name], names[bar % 4]).pitches(INSTRUMENTS[name]))
    ]
    return Score(bpm, key, 4, BARS, (Part(name, program, tuple(notes)),))


def _picked(bpm: float, key: str, chords: str, program: int, seed: int) -> Score:
    chance, names, guitar = random.Random(seed), chords.split(), INSTRUMENTS["guitar"]
    notes = []
    for bar in range(BARS):
        held = shape(guitar, names[bar % 4]).pitches(guitar)
        for step, index in enumerate((0, 2, 3, 1, len(held) - 1, 2, 3, 1)):
            pitch = held[min(index, len(held) - 1)]
            notes.append(Note(bar * 4 + step / 2, 0.9 if step else 3.5, pitch, chance.randint(70, 100)))
    return Score(bpm, key, 4, BARS, (Part("guitar", program, tuple(notes)),))


def _line(bpm: float, key: str, scale: Sequence[int], program: int, seed: int, under: Sequence[int] = ()) -> Score:
    """Eighths, quarters and halves that wander up and down a scale, a long note under each bar where wanted."""
    chance, notes, place, at = random.Random(seed), [], len(scale) // 2, 0.0
    while at < BARS * 4:
        length = chance.choice((0.5, 0.5, 1.0, 1.0, 1.0, 2.0))
        place = max(0, min(len(scale) - 1, place + chance.choice((-2, -1, -1, 1, 1, 2))))
        notes.append(Note(at, length * 0.95, scale[place], chance.randint(75, 105)))
        if under and at % 4 == 0:
            notes.append(Note(at, 3.5, chance.choice(under), 85))
        at += length
    return Score(bpm, key, 4, BARS, (Part("line", program, tuple(notes)),))


def run(quick: bool) -> str:
    rows, recalls, precisions = [], [], []
    for name, instrument, score in list(parts())[:: 4 if quick else 1]:
        with tempfile.TemporaryDirectory() as folder:
            part = render(Path(folder), score)
            known, heard = analyze(part.path, TASKS), note_events.listen(part.path)
        tab = build(name, instrument, "original", known, {}, heard)
        recall, precision = agreement(part.notes, tab, known, heard)
        recalls.append(recall)
        precisions.append(precision)
        rows.append(f"| {name} | {recall:.2f} | {precision:.2f} |")
    return "\n".join(
        [
            "Level original. A note agrees if it has the pitch and begins at most a tenth of a second away; a pitch on "
            "two strings counts once. Rendered by a General MIDI soundfont: on records every method does worse.",
            "",
            "| part | of the notes played are in the tab | of the notes in the tab were played |",
            "|---|---|---|",
            *rows,
            f"| median | {median(recalls):.2f} | {median(precisions):.2f} |",
        ]
    )

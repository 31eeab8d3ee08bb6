"""Guitar, bass and ukulele parts rendered by the soundfont, each note of them known."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from core.music.score import Note, Part, Score
from core.music.tabs.grid import Grid, Heard
from core.music.tabs.instruments import INSTRUMENTS
from core.music.tabs.model import Tab
from core.music.tabs.shapes import shape
from providers.audio import soundfont

LATE_SECONDS, UNISON_SECONDS = 0.1, 0.06


@dataclass(frozen=True)
class Plucked:
    """A WAV and the notes in it as (seconds, MIDI number)."""

    path: Path
    notes: tuple[tuple[float, int], ...]


def fingerpicked(folder: Path) -> Plucked:
    """Four bars in D on a steel guitar: the chord's bass on the beats one and three, its upper strings between."""
    notes = []
    for bar, chord in enumerate(("D", "A", "Bm", "G")):
        held = shape(INSTRUMENTS["guitar"], chord).pitches(INSTRUMENTS["guitar"])
        for step, index in enumerate((0, -2, -3, -1, 0, -3, -2, -1)):
            notes.append(Note(bar * 4 + step / 2, 1.9 if index == 0 else 0.9, held[index], 96 if index == 0 else 84))
    return render(folder, Score(104.0, "D:maj", 4, 4, (Part("guitar", 25, tuple(notes)),)))


def bass_line(folder: Path) -> Plucked:
    """Four bars in A minor on a picked bass, roots and fifths in quarter notes."""
    notes = [
        Note(bar * 4 + beat, 0.9, root + up, 100)
        for bar, root in enumerate((33, 29, 36, 31))
        for beat, up in enumerate((0, 0, 7, 0))
    ]
    return render(folder, Score(116.0, "A:min", 4, 4, (Part("bass", 34, tuple(notes)),)))


def render(folder: Path, score: Score) -> Plucked:
    """A score by the soundfont; the truth is its first part."""
    sound = soundfont.render(score, tail_seconds=1.0)
    path = folder / f"{score.parts[0].name}.wav"
    soundfile.write(path, sound / np.max(np.abs(sound)) * 0.8, soundfont.RATE, subtype="PCM_16")
    beat = 60.0 / score.bpm
    return Plucked(path, tuple(sorted((note.start * beat, note.pitch) for note in score.parts[0].notes)))


def agreement(
    truth: Sequence[tuple[float, int]], tab: Tab, analysis: dict[str, Any], heard: Sequence[Heard] = ()
) -> tuple[float, float]:
    """Recall and precision of a tab: a note agrees if it has the pitch and is at most a tenth of a second away. The
    same pitch on two strings counts once. ``heard`` is what the tab was written from, where beats may have moved."""
    grid = Grid(analysis["beats"], analysis["downbeats"], analysis["time_signature"])
    grid.settle(heard)
    times = np.arange(0.0, truth[-1][0] + 3.0, 0.005)
    steps = [grid.step_at(float(time)) for time in times]
    written = [
        (float(times[min(bisect_left(steps, step), times.size - 1)]), pitch)
        for part in tab.parts
        for step, pitch in tab.pitches(part)
    ]
    played: list[tuple[float, int]] = []
    for time, pitch in truth:
        if not any(pitch == other and time - at < UNISON_SECONDS for at, other in played[-8:]):
            played.append((time, pitch))
    free, hits = set(range(len(written))), 0
    for time, pitch in played:
        near = [at for at in free if written[at][1] == pitch and abs(written[at][0] - time) <= LATE_SECONDS]
        if near:
            hits += 1
            free.remove(min(near, key=lambda at: abs(written[at][0] - time)))
    return hits / len(played), hits / len(written)

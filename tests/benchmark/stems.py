"""Bands whose parts are rendered one by one, so that what a separation should find is known; and how near it came.

SI-SDR: Le Roux et al., "SDR – half-baked or well done?" (ICASSP 2019). SDR is BSS Eval's of museval without its filter:
the energy of the truth over that of the error.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.music.score import DRUMS, Note, Score
from providers.audio.soundfont import RATE, render
from tests.benchmark.songs import band_score

# Choir, voice "ooh", synthetic voice, flute, violin, saxophone: what sings where nobody does.
SINGERS = (52, 53, 54, 73, 40, 65)
STEM_OF = {"chords": "other", "bass": "bass", "melody": "vocal", "drums": "drums"}
Sound = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Band:
    """A mix of shape (frames, 2) at 48 kHz and the stems it is the sum of."""

    name: str
    mix: Sound
    stems: dict[str, Sound]


def band(number: int, seconds: float = 24.0) -> Band:
    """The band of :func:`tests.benchmark.songs.band_score` with a singer, its chords to the left and the right."""
    score, _ = band_score(number if number % 2 else number + 1)
    last = seconds * score.bpm / 60
    parts = []
    for part in score.parts:
        notes = tuple(note for note in part.notes if note.start < last)
        if part.name == "melody":
            notes = _sung(notes)
            part = replace(part, program=SINGERS[number % len(SINGERS)], gain_db=1.0)
        elif part.name == "chords":
            part = replace(part, pan=(-0.4, 0.4, 0.0)[number % 3], gain_db=-4.0)
        parts.append(replace(part, notes=notes))
    length = round(seconds * RATE)
    sounds = {
        STEM_OF[part.name]: render(Score(score.bpm, score.key, score.beats_per_bar, score.bars, (part,)))
        for part in parts
    }
    fitted = {name: _fit(sound, length) for name, sound in sounds.items()}
    mix = np.sum([*fitted.values()], axis=0)
    factor = np.float32(0.8 / np.max(np.abs(mix)))
    assert any(part.program == DRUMS for part in parts)
    return Band(f"band {number}", mix * factor, {name: sound * factor for name, sound in fitted.items()})


def _sung(notes: tuple[Note, ...]) -> tuple[Note, ...]:
    """Each note held until the next, one at a time."""
    ordered = sorted(notes, key=lambda note: note.start)
    kept: list[Note] = []
    for note in ordered:
        if not kept or note.start - kept[-1].start > 0.2:
            kept.append(note)
    ends = [note.start for note in kept[1:]] + [kept[-1].start + 1.0]
    return tuple(
        replace(note, length=max(0.2, min(end - note.start - 0.05, 2.0))) for note, end in zip(kept, ends, strict=True)
    )


def _fit(sound: Sound, length: int) -> Sound:
    return np.pad(sound, ((0, max(0, length - len(sound))), (0, 0)))[:length]


def sdr(truth: Sound, found: Sound) -> float:
    """Energy of the truth over that of the error, dB."""
    return _db(float(np.sum(truth**2)), float(np.sum((truth - found) ** 2)))


def si_sdr(truth: Sound, found: Sound) -> float:
    """The same when the estimate's level does not count."""
    factor = float(np.sum(truth * found)) / float(np.sum(truth**2))
    return _db(factor**2 * float(np.sum(truth**2)), float(np.sum((factor * truth - found) ** 2)))


def _db(wanted: float, error: float) -> float:
    return 10 * float(np.log10((wanted + 1e-12) / (error + 1e-12)))

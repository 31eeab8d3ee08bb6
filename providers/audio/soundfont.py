"""Scores to sound: TinySoundFont plays the Sonivox General MIDI soundfont (Apache-2.0) that ``make vendor`` fetches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from core.errors import NotConfigured
from core.music.presets import SOUNDFONT
from core.music.score import DRUMS, Part, Score

SOUNDFONT_LICENCE = "Apache-2.0 (Sonivox soundfont, © Sonic Network Inc.)"
RATE = 48_000
_DRUM_BANK, _DRUM_CHANNEL = 128, 9

Audio = np.ndarray[Any, np.dtype[np.float32]]


def soundfont_path() -> Path:
    """The soundfont's file.

    Raises:
        NotConfigured: ``make`` has not fetched it.
    """
    if not SOUNDFONT.is_file():
        raise NotConfigured("The instruments are not installed.", "Run “make vendor” once.", setting="soundfont")
    return SOUNDFONT


def render(score: Score, *, tail_seconds: float = 4.0) -> Audio:
    """The score as float32 samples of shape (frames, 2) at 48 kHz, ``tail_seconds`` longer than one pass so that the
    last notes can ring out. Levels are as the instruments give them."""
    total = round((score.seconds + tail_seconds) * RATE)
    mixed = np.zeros((total, 2), np.float32)
    for part in score.parts:
        mixed += _render_part(part, score.bpm, total)
    return mixed


def _render_part(part: Part, bpm: float, total: int) -> Audio:
    import tinysoundfont

    synth = tinysoundfont.Synth(gain=part.gain_db, samplerate=RATE)
    font = synth.sfload(str(soundfont_path()))
    channel = _DRUM_CHANNEL if part.program == DRUMS else 0
    if part.program == DRUMS:
        synth.program_select(channel, font, _DRUM_BANK, 0, True)
    else:
        synth.program_select(channel, font, 0, part.program)
    synth.control_change(channel, 10, round(64 + 63 * part.pan))
    samples_per_beat = 60.0 / bpm * RATE
    events = [(round(note.start * samples_per_beat), 1, note.pitch, note.velocity) for note in part.notes]
    events += [(round((note.start + note.length) * samples_per_beat), 0, note.pitch, 0) for note in part.notes]
    pieces: list[Audio] = []
    position = 0
    # At one instant notes end before others begin, so that a repeated pitch sounds again.
    for moment, begins, pitch, velocity in sorted(events):
        if min(moment, total) > position:
            pieces.append(_generate(synth, min(moment, total) - position))
            position = min(moment, total)
        if begins:
            synth.noteon(channel, pitch, velocity)
        else:
            synth.noteoff(channel, pitch)
    if total > position:
        pieces.append(_generate(synth, total - position))
    return np.concatenate(pieces)


def _generate(synth: Any, frames: int) -> Audio:
    return np.frombuffer(bytes(synth.generate(frames)), np.float32).reshape(-1, 2)

"""Notes with a beginning and an end, from what Basic Pitch's network says of every frame.

Follows section 2.3 of Bittner et al., "A lightweight instrument-agnostic model for polyphonic note transcription and
multipitch estimation" (ICASSP 2022): a note begins at a peak of the onsets and lasts while its pitch sounds. The pass
of the paper that adds notes without an onset is left out: a tab is better without notes that nobody hears begin. For
the same reason a beginning counts only where it is about as clear as others of its register in the piece: every pluck
makes the strings that still ring seem to begin again, more faintly.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from core.errors import UnsupportedMedia
from core.music.tabs.arrange import OVERTONES
from core.music.tabs.grid import Heard
from core.progress import Progress, no_progress, part
from providers.audio import decode, notes
from providers.audio.notes import FRAMES_PER_SECOND, LOWEST, Array

RECIPE = "1"  # grows when the hearing changes, so that notes kept by older recipes are not reused
LONGEST_SECONDS = 20 * 60.0
BEGINS, SOUNDS = 0.45, 0.3
"""How sure the network must be that a note begins, and that it still sounds."""
PAUSE_FRAMES = 11
"""A note has ended when it was not heard for so long (0.13 s)."""
CLEAR_SHARE, CLEAR_PERCENTILE, REGISTER = 0.7, 90, 7
"""A beginning is clear from this share of the 90th percentile of those within seven semitones."""
FAINT_REGISTER = 0.75
"""… and a register that is fainter than this share of the whole piece's is measured by that."""
TOGETHER_SECONDS, FEW, WOKEN_SHARE = 0.04, 3, 0.85
"""Of three notes or fewer that begin together one of this share of the strongest may be a string that rings on."""
SHORTEST_FRAMES = 5
"""Shorter than 58 ms is no note."""
REPEAT_SECONDS = 0.11
"""Nobody plucks the same pitch again so soon: it is one attack, heard twice."""


def listen(path: Path, *, progress: Progress = no_progress) -> list[Heard]:
    """The notes of the first twenty minutes of a file, in order.

    Raises:
        UnsupportedMedia: there is no sound in it.
    """
    samples = decode.mono(path, notes.RATE, limit_seconds=LONGEST_SECONDS, progress=part(progress, 0.0, 0.2))
    if not samples.size:
        raise UnsupportedMedia("There is no sound in this file.")
    sounding, beginning = notes.activations(samples, progress=part(progress, 0.2, 1.0))
    return events(sounding, beginning)


def events(sounding: Array, beginning: Array) -> list[Heard]:
    """Notes from the two arrays of :func:`providers.audio.notes.activations`."""
    left = sounding.copy()
    before = np.vstack([np.zeros_like(beginning[:1]), beginning[:-1]])
    after = np.vstack([beginning[1:], np.zeros_like(beginning[:1])])
    frames, rows = np.nonzero((beginning >= BEGINS) & (beginning > before) & (beginning >= after))
    found = []
    # The latest first: a note ends where the next of its pitch begins, because that one's frames are taken.
    for frame, row in sorted(zip(frames.tolist(), rows.tolist(), strict=True), reverse=True):
        end, silent = frame + 1, 0
        while end < len(left) and silent < PAUSE_FRAMES:
            silent = 0 if left[end, row] >= SOUNDS else silent + 1
            end += 1
        end -= silent
        if end - frame < SHORTEST_FRAMES:
            continue
        strength = float(beginning[frame, row])
        # The network smears a note over its neighbours; what was taken is theirs too.
        left[frame:end, max(0, row - 1) : row + 2] = 0.0
        found.append(Heard(frame / FRAMES_PER_SECOND, end / FRAMES_PER_SECOND, row + LOWEST, round(strength, 3)))
    return _clear(sorted(found, key=lambda note: (note.start, note.pitch)))


def _clear(found: list[Heard]) -> list[Heard]:
    """The notes that begin clearly; what does not is the ringing of the note of its pitch before it."""
    if not found:
        return []
    pitches = np.array([note.pitch for note in found])
    strengths = np.array([note.strength for note in found])
    starts = np.array([note.start for note in found])
    everywhere = float(np.percentile(strengths, CLEAR_PERCENTILE))
    usual = {
        pitch: max(
            float(np.percentile(strengths[np.abs(pitches - pitch) <= REGISTER], CLEAR_PERCENTILE)),
            FAINT_REGISTER * everywhere,
        )
        for pitch in {note.pitch for note in found}
    }
    kept: list[Heard] = []
    latest: dict[int, int] = {}
    for note in found:
        before = kept[latest[note.pitch]] if note.pitch in latest else None
        rings = before is not None and note.start - before.end < PAUSE_FRAMES / FRAMES_PER_SECOND
        again = before is not None and note.start - before.start < REPEAT_SECONDS
        together = np.abs(starts - note.start) < TOGETHER_SECONDS
        others = strengths[together & ~np.isin(pitches - note.pitch, OVERTONES)]
        # A single string that is plucked wakes the ringing ones; a strum really strikes them all again.
        woken = rings and np.count_nonzero(together) <= FEW and note.strength < WOKEN_SHARE * float(others.max())
        if note.strength >= CLEAR_SHARE * usual[note.pitch] and not again and not woken:
            latest[note.pitch] = len(kept)
            kept.append(note)
        elif before is not None and (again or rings):
            kept[latest[note.pitch]] = replace(before, end=note.end)
    return kept

"""A tab from what is known of a sound: its analysis with the user's corrections, and the notes that were heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.errors import UnsupportedMedia
from core.music.tabs.arrange import NothingToPlay, arrange, chord_book, marks
from core.music.tabs.grid import Grid, Heard, NoBeat, at_tempo
from core.music.tabs.instruments import INSTRUMENTS
from core.music.tabs.model import Difficulty, InstrumentName, Part, Tab
from core.music.tabs.shapes import best_capo

LEAST_SOUNDING = 0.25
"""Notes that last less than this share of the time together are drums, consonants, noise: nothing to read."""


def build(
    title: str,
    instrument: InstrumentName,
    difficulty: Difficulty,
    measured: Mapping[str, Any],
    corrections: Mapping[str, Any],
    heard: Sequence[Heard],
) -> Tab:
    """Write a tab.

    Args:
        measured: ``{bpm, beats, downbeats, time_signature, key, chords}`` as an analysis has them (SPEC H3).
        corrections: what the user knows better: ``bpm``, ``key``, ``time_signature``.

    Raises:
        UnsupportedMedia: there is no beat to put bars on, or nothing that the instrument could play.
    """
    known = {**measured, **{name: value for name, value in corrections.items() if value is not None}}
    beats, downbeats = measured.get("beats") or [], measured.get("downbeats") or []
    try:
        grid = Grid(
            at_tempo(beats, downbeats, measured.get("bpm"), corrections.get("bpm")),
            downbeats,
            str(known.get("time_signature") or "4/4"),
        )
    except NoBeat:
        raise UnsupportedMedia(
            "No steady beat was found in this sound, so its notes cannot be put into bars.",
            "Tabs are written of music with a pulse.",
        ) from None
    key = known.get("key")
    grid.settle(heard)
    notes = grid.place(heard)
    chords = grid.place_chords(measured.get("chords") or [], key)
    # Music ends with the bar in which its last note begins; what rings on needs no bars of its own.
    bars = max((note.start // grid.bar_steps + 1 for note in notes), default=1)
    end = bars * grid.bar_steps
    chords = [replace(chord, length=min(chord.length, end - chord.start)) for chord in chords if chord.start < end]
    player = INSTRUMENTS[instrument]
    try:
        if sum(note.end - note.start for note in heard) < LEAST_SOUNDING * (beats[-1] - beats[0]):
            raise NothingToPlay
        parts, capo = arrange(player, difficulty, notes, chords, grid.pulse)
    except NothingToPlay:
        raise UnsupportedMedia(
            "No notes were heard that this instrument could play.",
            "Choose another instrument, or a sound with clearer notes.",
        ) from None
    shown = marks(chords, capo)
    return Tab(
        title=title,
        instrument=instrument,
        difficulty=difficulty,
        bpm=round(grid.bpm, 2),
        beats_per_bar=grid.beats_per_bar,
        beat_value=4 if grid.beat_value == 4 else 8,
        pulse=grid.pulse,
        key=key,
        capo=capo,
        suggested_capo=best_capo(player, [(chord.chord, chord.length) for chord in chords]),
        bars=bars,
        chords=shown,
        shapes=chord_book(player, shown),
        parts=tuple(_ending(part, end) for part in parts),
    )


def _ending(part: Part, end: int) -> Part:
    """The part with its last notes no longer than the piece."""
    columns = (column.model_copy(update={"length": min(column.length, end - column.start)}) for column in part.columns)
    return part.model_copy(update={"columns": tuple(columns)})

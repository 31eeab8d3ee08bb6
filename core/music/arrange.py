"""A preset's patterns to notes: chords led by the shortest way, motifs with variation, swing and a human touch."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.music.presets import Layer, Preset
from core.music.score import Note, Part, Score, degree_chord, scale_pitches

BEATS_PER_BAR = 4
_SIXTEENTHS = 4
_VELOCITY = {"X": 104, "x": 84, "-": 56}
_STRUM_SECONDS = 0.012
_UNEVEN_BEATS = 0.012


@dataclass(frozen=True)
class Bar:
    """One bar: where it begins and how many beats of its ``metre`` it has (the last may be cut short, or held), its
    chord and scale as pitch classes, its place in the phrase. ``fill``: drums lead on to the next section; ``opening``
    and ``last`` are a section's first and last bar, ``final`` is the one chord a piece ends on."""

    index: int
    section: str
    chord: tuple[int, ...]
    scale: frozenset[int]
    start: float
    beats: float
    phrase: int
    metre: int = BEATS_PER_BAR
    fill: bool = False
    opening: bool = False
    last: bool = False
    final: bool = False


@dataclass(frozen=True)
class Feel:
    """How notes are played: the piece's seed and tempo, how late off-beats come (0–1 of a sixteenth)."""

    seed: int
    bpm: float
    swing: float = 0.0


def arrange(preset: Preset) -> Score:
    """The preset's score; the same every time."""
    scale = frozenset(pitch % 12 for pitch in scale_pitches(preset.key, 60, 71))
    bars = []
    for block, section in enumerate(preset.form):
        for place, degree in enumerate(preset.harmony[section]):
            index = 4 * block + place
            chord = tuple(degree_chord(preset.key, degree, preset.chord_size))
            fill = index % 8 == 7 and index + 1 < preset.bars
            start = float(index * BEATS_PER_BAR)
            bars.append(Bar(index, section, chord, scale, start, BEATS_PER_BAR, index % 4, fill=fill))
    feel = Feel(preset.seed, preset.bpm, preset.swing)
    parts = [
        Part(layer.name, layer.program, tuple(play(layer, feel, bars)), layer.gain_db, layer.pan)
        for layer in preset.layers
    ]
    return Score(preset.bpm, preset.key, BEATS_PER_BAR, preset.bars, tuple(parts))


def play(layer: Layer, feel: Feel, bars: Sequence[Bar]) -> list[Note]:
    """What one layer plays in the bars of its sections. Notes past the end of a bar that is cut short are left out."""
    source = random.Random(f"{feel.seed} {layer.name}")
    notes: list[Note] = []
    voicing: list[int] = []
    for bar in bars:
        if bar.section not in layer.sections or (layer.opening and not bar.opening):
            continue
        voicing = lead_voices(voicing, bar.chord, layer.low)
        if layer.role == "drums":
            bar_notes = _drums_bar(layer, feel, bar)
        elif layer.role == "pad":
            bar_notes = [Note(bar.start, bar.beats * 0.98, pitch, 72) for pitch in voicing]
        elif layer.role == "chords":
            bar_notes = _chord_bar(layer, bar, voicing)
        elif layer.role == "strum":
            bar_notes = _strum_bar(layer, feel, bar, voicing)
        elif layer.role == "arpeggio":
            bar_notes = _arpeggio_bar(layer, bar, voicing)
        elif layer.role == "bass":
            bar_notes = _bass_bar(layer, bar)
        else:
            bar_notes = _melody_bar(layer, feel, bar)
        notes += bar_notes if bar.beats >= bar.metre else _cut(bar_notes, bar.start + bar.beats)
    return [played(note, feel, source) for note in notes]


def _cut(notes: Sequence[Note], end: float) -> list[Note]:
    return [replace(note, length=min(note.length, end - note.start)) for note in notes if note.start < end - 1e-9]


def lead_voices(before: list[int], chord: tuple[int, ...], low: int) -> list[int]:
    """The chord's notes from ``low`` upwards, each as near as possible to the voicing before it, sorted."""
    centre = sum(before) / len(before) if before else low + 7.0
    inversions = []
    for turn in range(len(chord)):
        pitches: list[int] = []
        for pitch_class in (*chord[turn:], *chord[:turn]):
            floor = pitches[-1] + 1 if pitches else low
            pitches.append(floor + (pitch_class - floor) % 12)
        inversions.append(pitches)
    return min(inversions, key=lambda pitches: abs(sum(pitches) / len(pitches) - centre))


def _hits(pattern: str, metre: int = BEATS_PER_BAR) -> list[tuple[float, int, float]]:
    """Beat within the bar, velocity and beats until the next hit (or the bar's end)."""
    step = metre / len(pattern)
    places = [index for index, sign in enumerate(pattern) if sign != "."]
    ends = [*places[1:], len(pattern)]
    return [
        (place * step, _VELOCITY[pattern[place]], (end - place) * step) for place, end in zip(places, ends, strict=True)
    ]


def _drums_bar(layer: Layer, feel: Feel, bar: Bar) -> list[Note]:
    if bar.fill and layer.fills:
        return _with_fill(layer, feel, bar)
    drums = [(drum, _filled(pattern) if bar.fill else pattern) for drum, pattern in layer.drums]
    return [note for drum, pattern in drums for note in _drum_bar(drum, pattern, bar)]


def _drum_bar(drum: int, pattern: str, bar: Bar) -> list[Note]:
    return [Note(bar.start + beat, 0.2, drum, velocity) for beat, velocity, _ in _hits(pattern, bar.metre)]


def _with_fill(layer: Layer, feel: Feel, bar: Bar) -> list[Note]:
    """The first half of the bar as ever, in the second one of the fills; which one is the section's chance."""
    half = bar.metre / 2
    usual = [note for drum, pattern in layer.drums for note in _drum_bar(drum, pattern, bar)]
    chosen = random.Random(f"{feel.seed} fill {bar.index}").choice(layer.fills)
    fill = [
        Note(bar.start + half + beat / 2, 0.2, drum, velocity)
        for drum, pattern in chosen
        for beat, velocity, _ in _hits(pattern.ljust(8, "."), bar.metre)
    ]
    return [note for note in usual if note.start < bar.start + half - 1e-9] + fill


def _filled(pattern: str) -> str:
    """The last beat of a pattern doubled where it plays at all: a short fill at the end of eight bars of four beats."""
    if len(pattern) != 16:
        return pattern
    return pattern[:12] + ("xxxX" if pattern[12] in "Xx" and "x" not in pattern[:4] else pattern[12:])


def _chord_bar(layer: Layer, bar: Bar, voicing: list[int]) -> list[Note]:
    return [
        Note(bar.start + beat, gap * layer.length, pitch, velocity - 4 * index)
        for beat, velocity, gap in _hits(layer.pattern, bar.metre)
        for index, pitch in enumerate(voicing)
    ]


def _strum_bar(layer: Layer, feel: Feel, bar: Bar, voicing: list[int]) -> list[Note]:
    delay = _STRUM_SECONDS * feel.bpm / 60.0
    strings = [*voicing, voicing[0] + 12]
    notes = []
    for beat, velocity, gap in _hits(layer.pattern, bar.metre):
        upwards = (beat * _SIXTEENTHS) % 4 == 2
        for index, pitch in enumerate(reversed(strings) if upwards else strings):
            notes.append(Note(bar.start + beat + index * delay, max(gap * layer.length, 0.1), pitch, velocity - 6))
    return notes


def _arpeggio_bar(layer: Layer, bar: Bar, voicing: list[int]) -> list[Note]:
    tones = [*voicing, voicing[0] + 12, *(pitch + 12 for pitch in voicing[1:])]
    return [
        Note(bar.start + beat, max(gap * layer.length, 0.12), tones[layer.steps[index % len(layer.steps)]], velocity)
        for index, (beat, velocity, gap) in enumerate(_hits(layer.pattern, bar.metre))
    ]


def _bass_bar(layer: Layer, bar: Bar) -> list[Note]:
    root = layer.low + (bar.chord[0] - layer.low) % 12
    scale = _scale(bar, root, root + 12)
    return [
        Note(bar.start + beat, gap * layer.length, scale[layer.steps[index % len(layer.steps)]], velocity)
        for index, (beat, velocity, gap) in enumerate(_hits(layer.pattern, bar.metre))
    ]


def _scale(bar: Bar, low: int, high: int) -> list[int]:
    return [pitch for pitch in range(low, high + 1) if pitch % 12 in bar.scale]


def _melody_bar(layer: Layer, feel: Feel, bar: Bar) -> list[Note]:
    """A motif of the section: chord tones on the beat, neighbours between; its answer (bars 2 and 4) is varied and
    rests at the end of the phrase."""
    phrase_bar = bar.phrase
    source = random.Random(f"{feel.seed} {bar.section} {layer.name} {phrase_bar // 2}")
    scale = _scale(bar, layer.low - 5, layer.low + 14)
    chord_tones = [pitch for pitch in scale if pitch % 12 in bar.chord[:3]]
    hits = _hits(layer.pattern, bar.metre)
    hits = hits[: max(len(hits) // 2, 1)] if phrase_bar == 3 else hits
    notes: list[Note] = []
    place = source.randrange(len(chord_tones) // 3, 2 * len(chord_tones) // 3 + 1)
    for index, (beat, velocity, gap) in enumerate(hits):
        if index == 0 or beat % 1.0 == 0.0:
            place = min(max(place + source.choice((-1, 0, 1)), 0), len(chord_tones) - 1)
            pitch = chord_tones[place]
        else:
            near = scale.index(notes[-1].pitch)
            pitch = scale[min(max(near + source.choice((-1, 1)), 0), len(scale) - 1)]
        length = gap if index < len(hits) - 1 else min(gap, 2.0)
        notes.append(Note(bar.start + beat, length * 0.92, pitch, velocity - 10))
    return notes


def played(note: Note, feel: Feel, source: random.Random) -> Note:
    """The note with swing on the off-beats and a human's small unevenness; nothing starts before the piece."""
    start = note.start
    between = abs(start % 0.5 - 0.25) < 1e-6 or (feel.swing > 0.25 and abs(start % 1.0 - 0.5) < 1e-6)
    start += feel.swing * 0.25 if between else 0.0
    start = max(start + source.gauss(0.0, 0.4) * _UNEVEN_BEATS, 0.0)
    velocity = min(max(note.velocity + round(source.gauss(0.0, 4.0)), 20), 127)
    return Note(start, note.length, note.pitch, velocity)

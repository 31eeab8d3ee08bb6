"""A preset's patterns to notes: chords led by the shortest way, motifs with variation, swing and a human touch."""

from __future__ import annotations

import random
from dataclasses import dataclass

from core.music.presets import Layer, Preset
from core.music.score import Note, Part, Score, degree_chord, scale_pitches

BEATS_PER_BAR = 4
_STEP = 0.25
_VELOCITY = {"X": 104, "x": 84, "-": 56}
_STRUM_SECONDS = 0.012
_UNEVEN_BEATS = 0.012


@dataclass(frozen=True)
class _Bar:
    index: int
    section: str
    degree: int
    chord: tuple[int, ...]

    @property
    def start(self) -> float:
        return float(self.index * BEATS_PER_BAR)


def arrange(preset: Preset) -> Score:
    """The preset's score; the same every time."""
    bars = [
        _Bar(4 * block + bar, section, degree, tuple(degree_chord(preset.key, degree, preset.chord_size)))
        for block, section in enumerate(preset.form)
        for bar, degree in enumerate(preset.harmony[section])
    ]
    parts = [
        Part(layer.name, layer.program, tuple(_play(layer, preset, bars)), layer.gain_db, layer.pan)
        for layer in preset.layers
    ]
    return Score(preset.bpm, preset.key, BEATS_PER_BAR, preset.bars, tuple(parts))


def _play(layer: Layer, preset: Preset, bars: list[_Bar]) -> list[Note]:
    source = random.Random(f"{preset.seed} {layer.name}")
    notes: list[Note] = []
    voicing: list[int] = []
    for bar in bars:
        if bar.section not in layer.sections:
            continue
        voicing = lead_voices(voicing, bar.chord, layer.low)
        if layer.role == "drums":
            fill = bar.index % 8 == 7 and bar.index + 1 < preset.bars
            for drum, pattern in layer.drums:
                notes += _drum_bar(drum, _filled(pattern) if fill else pattern, bar)
        elif layer.role == "pad":
            notes += [Note(bar.start, BEATS_PER_BAR * 0.98, pitch, 72) for pitch in voicing]
        elif layer.role == "chords":
            notes += _chord_bar(layer, bar, voicing)
        elif layer.role == "strum":
            notes += _strum_bar(layer, preset, bar, voicing)
        elif layer.role == "arpeggio":
            notes += _arpeggio_bar(layer, bar, voicing)
        elif layer.role == "bass":
            notes += _bass_bar(layer, preset, bar)
        else:
            notes += _melody_bar(layer, preset, bar)
    return [_played(note, preset, source) for note in notes]


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


def _hits(pattern: str) -> list[tuple[float, int, float]]:
    """Beat within the bar, velocity and beats until the next hit (or the bar's end)."""
    places = [index for index, sign in enumerate(pattern) if sign != "."]
    ends = [*places[1:], len(pattern)]
    return [
        (place * _STEP, _VELOCITY[pattern[place]], (end - place) * _STEP)
        for place, end in zip(places, ends, strict=True)
    ]


def _drum_bar(drum: int, pattern: str, bar: _Bar) -> list[Note]:
    return [Note(bar.start + beat, 0.2, drum, velocity) for beat, velocity, _ in _hits(pattern)]


def _filled(pattern: str) -> str:
    """The last beat of a pattern doubled where it plays at all: a short fill at the end of eight bars."""
    return pattern[:12] + ("xxxX" if pattern[12] in "Xx" and "x" not in pattern[:4] else pattern[12:])


def _chord_bar(layer: Layer, bar: _Bar, voicing: list[int]) -> list[Note]:
    return [
        Note(bar.start + beat, gap * layer.length, pitch, velocity - 4 * index)
        for beat, velocity, gap in _hits(layer.pattern)
        for index, pitch in enumerate(voicing)
    ]


def _strum_bar(layer: Layer, preset: Preset, bar: _Bar, voicing: list[int]) -> list[Note]:
    delay = _STRUM_SECONDS * preset.bpm / 60.0
    strings = [*voicing, voicing[0] + 12]
    notes = []
    for beat, velocity, gap in _hits(layer.pattern):
        upwards = (beat / _STEP) % 4 == 2
        for index, pitch in enumerate(reversed(strings) if upwards else strings):
            notes.append(Note(bar.start + beat + index * delay, max(gap * layer.length, 0.1), pitch, velocity - 6))
    return notes


def _arpeggio_bar(layer: Layer, bar: _Bar, voicing: list[int]) -> list[Note]:
    tones = [*voicing, voicing[0] + 12, *(pitch + 12 for pitch in voicing[1:])]
    return [
        Note(bar.start + beat, max(gap * layer.length, 0.12), tones[layer.steps[index % len(layer.steps)]], velocity)
        for index, (beat, velocity, gap) in enumerate(_hits(layer.pattern))
    ]


def _bass_bar(layer: Layer, preset: Preset, bar: _Bar) -> list[Note]:
    root = layer.low + (bar.chord[0] - layer.low) % 12
    scale = scale_pitches(preset.key, root, root + 12)
    return [
        Note(bar.start + beat, gap * layer.length, scale[layer.steps[index % len(layer.steps)]], velocity)
        for index, (beat, velocity, gap) in enumerate(_hits(layer.pattern))
    ]


def _melody_bar(layer: Layer, preset: Preset, bar: _Bar) -> list[Note]:
    """A motif of the section: chord tones on the beat, neighbours between; its answer (bars 2 and 4) is varied and
    rests at the end of the phrase."""
    phrase_bar = bar.index % 4
    source = random.Random(f"{preset.seed} {bar.section} {layer.name} {phrase_bar // 2}")
    scale = scale_pitches(preset.key, layer.low - 5, layer.low + 14)
    chord_tones = [pitch for pitch in scale if pitch % 12 in bar.chord[:3]]
    hits = _hits(layer.pattern)
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


def _played(note: Note, preset: Preset, source: random.Random) -> Note:
    """The note with swing on the off-beats and a human's small unevenness; nothing starts before the piece."""
    start = note.start
    between = abs(start % 0.5 - 0.25) < 1e-6 or (preset.swing > 0.25 and abs(start % 1.0 - 0.5) < 1e-6)
    start += preset.swing * 0.25 if between else 0.0
    start = max(start + source.gauss(0.0, 0.4) * _UNEVEN_BEATS, 0.0)
    velocity = min(max(note.velocity + round(source.gauss(0.0, 4.0)), 20), 127)
    return Note(start, note.length, note.pitch, velocity)

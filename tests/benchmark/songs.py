"""Forty-six pieces of music whose beats, metre, key and chords are known, rendered through the soundfont.

Bands are composed here from a seed; chorales, dance tunes and pieces come from music21's corpus (BSD-3-Clause; public
domain works). Notes are played up to a few hundredths of a second early or late and not equally loud, as people do.
Results on rendered scores rank methods and catch regressions; on records every method does worse.
"""

from __future__ import annotations

import hashlib
import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from core.music.score import DRUMS, Note, Part, Score, degree_chord
from providers.audio.soundfont import RATE, render

LONGEST = 32.0
LATE_SECONDS = 0.012
KEYS = ("C", "G", "D", "A", "E", "F", "Bb", "Eb", "Ab", "F#", "C#", "B")
CHORALES = ("bwv66.6", "bwv269", "bwv277", "bwv281", "bwv17.7", "bwv40.8", "bwv153.1", "bwv256", "bwv302", "bwv347")
PIECES = (
    "mozart/k458/movement1", "mozart/k155/movement1", "mozart/k156/movement1", "haydn/opus74no1/movement3",
    "haydn/opus1no1/movement1", "beethoven/opus18no1/movement1", "joplin/maple_leaf_rag", "corelli/opus3no1/1grave",
    "schubert/lindenbaum", "chopin/mazurka06-2",
)  # fmt: skip
TUNES = 10
BANDS = 16


@dataclass(frozen=True)
class Song:
    """A rendered piece: its kind, beats and downbeats in seconds, beats a bar, key; chords as (start, end, root, third)
    with the third 3 or 4 semitones, where they are known."""

    name: str
    kind: str
    path: Path
    bpm: float
    beats: tuple[float, ...]
    downbeats: tuple[float, ...]
    beats_per_bar: int
    key: str
    chords: tuple[tuple[float, float, int, int], ...] = ()


def songs(few: bool = False) -> Iterator[Song]:
    """The whole set, or every fourth of it."""
    made = [*(lambda n=n: band(n) for n in range(BANDS)), *(lambda n=n: chorale(n) for n in range(len(CHORALES)))]
    made += [*(lambda n=n: tune(n) for n in range(TUNES)), *(lambda n=n: piece(n) for n in range(len(PIECES)))]
    for make in made[:: 4 if few else 1]:
        yield make()


def band(number: int) -> Song:
    """Comping, bass, drums and, in every second, a melody; triads in one key, one or two a bar."""
    score, truth = band_score(number)
    return _song(f"band {number}", "band", score, 60 / score.bpm, truth)


def band_score(number: int) -> tuple[Score, tuple[tuple[float, float, int, int], ...]]:
    """What a band plays, and its chords as (start, end, root, third) in beats."""
    chance = random.Random(1000 + number)
    minor = number % 3 == 1
    key = f"{KEYS[number * 5 % 12]}:{'min' if minor else 'maj'}"
    beats = 3 if number % 4 == 3 else 4
    bpm = (72, 84, 92, 100, 108, 116, 124, 132, 140, 152, 168, 78, 96, 120, 112, 88)[number % 16]
    bars = max(8, round(26 * bpm / 60 / beats))
    loop = chance.choice(((1, 5, 6, 4), (1, 6, 4, 5), (6, 4, 1, 5), (1, 4, 1, 5), (2, 5, 1, 6), (1, 3, 4, 5)))
    if minor:
        loop = chance.choice(((1, 6, 3, 7), (1, 4, 6, 7), (1, 7, 6, 7), (1, 4, 1, 7), (6, 7, 1, 1)))
    half_bars = number % 5 == 2 and beats == 4
    comping = chance.choice(("blocks", "strums", "arpeggio", "offbeat"))
    chords, bass, kit, melody, truth = [], [], [], [], []
    place = 64.0
    for bar in range(bars):
        parts = ((0, 2), (2, 4)) if half_bars else ((0, beats),)
        for index, (first, last) in enumerate(parts):
            degree = loop[(bar * len(parts) + index) % len(loop)]
            classes = degree_chord(key, degree)
            start = float(bar * beats + first)
            truth.append((start, float(bar * beats + last), classes[0], (classes[1] - classes[0]) % 12))
            chords += _comp(comping, start, last - first, classes, chance)
            bass += _bass(start, last - first, classes, chance)
            for step in range(last - first):
                if number % 2 and chance.random() < 0.75:
                    wished = place + chance.uniform(-5, 5)
                    near = sorted(
                        (60 + pitch + up for pitch in classes for up in (0, 12)), key=lambda one: abs(one - wished)
                    )
                    place = float(near[0])
                    begin = start + step + chance.choice((0, 0, 0.5))
                    melody.append(Note(begin, 0.8, near[0], chance.randint(80, 110)))
        kit += _drums(float(bar * beats), beats, number, chance)
    programs = chance.choice(((0, 33), (25, 32), (4, 33), (27, 34), (48, 43)))
    made = [Part("chords", programs[0], tuple(chords)), Part("bass", programs[1], tuple(bass), gain_db=-1.0)]
    made += [Part("melody", chance.choice((73, 40, 80, 65)), tuple(melody), gain_db=-3.0)] if melody else []
    made += [Part("drums", DRUMS, tuple(kit), gain_db=chance.uniform(-8, -2))] if number != 6 else []
    return Score(bpm, key, beats, bars, tuple(_played(part, bpm, chance) for part in made)), tuple(truth)


def _comp(how: str, start: float, length: int, classes: Sequence[int], chance: random.Random) -> list[Note]:
    pitches = [60 + pitch for pitch in classes]
    if how == "arpeggio":
        order = [pitches[0], pitches[2], pitches[1] + 12, pitches[2]]
        return [Note(start + step / 2, 0.6, order[step % 4], 78) for step in range(length * 2)]
    if how == "offbeat":
        return [Note(start + step + 0.5, 0.3, pitch, 84) for step in range(length) for pitch in pitches]
    if how == "strums":
        pattern = (0, 1, 1.5, 2.5, 3, 3.5)
        times = [start + at for at in pattern if at < length]
        return [Note(at, 0.4, pitch, chance.randint(66, 92)) for at in times for pitch in pitches]
    return [Note(start + step, 0.9, pitch, 92 if step == 0 else 78) for step in range(length) for pitch in pitches]


def _bass(start: float, length: int, classes: Sequence[int], chance: random.Random) -> list[Note]:
    root = 36 + classes[0]
    found = [Note(start, 0.9, root, 100)]
    for step in range(1, length):
        if chance.random() < 0.6:
            found.append(Note(start + step, 0.8, 36 + chance.choice(classes), 88))
        if chance.random() < 0.2:
            found.append(Note(start + step - 0.5, 0.4, root, 80))
    return found


def _drums(start: float, beats: int, number: int, chance: random.Random) -> list[Note]:
    kit = [Note(start + step / 2, 0.1, 42, chance.randint(45, 75)) for step in range(beats * 2)]
    if beats == 3:
        return [*kit, Note(start, 0.1, 36, 110), Note(start + 1, 0.1, 38, 70), Note(start + 2, 0.1, 38, 76)]
    kicks = ((0, 2), (0, 1.5, 2.5), (0, 0.5, 2), (0, 1, 2, 3))[number % 4]
    kit += [Note(start + at, 0.1, 36, 108) for at in kicks]
    return [*kit, Note(start + 1, 0.1, 38, 104), Note(start + 3, 0.1, 38, 104)]


def _played(part: Part, bpm: float, chance: random.Random) -> Part:
    """As people play it: not all of one mind about when and how loud."""
    late = LATE_SECONDS * bpm / 60
    notes = tuple(
        Note(max(0.0, note.start + chance.gauss(0, late / 2)), note.length, note.pitch,
             max(20, min(127, note.velocity + chance.randint(-8, 8))))
        for note in part.notes
    )  # fmt: skip
    return Part(part.name, part.program, notes, part.gain_db, part.pan)


def chorale(number: int) -> Song:
    """Four voices by Bach without any drum."""
    programs = ((0,) * 4, (19,) * 4, (48,) * 4, (52,) * 4, (60, 60, 57, 58), (68, 71, 71, 70))
    return _from_corpus(f"bach/{CHORALES[number]}", "chorale", 62 + 6 * number, programs[number % len(programs)])


def tune(number: int) -> Song:
    """A fiddle tune alone."""
    wanted = tune_names()
    return _from_corpus(wanted[number * 37 % len(wanted)], "tune", 96 + 7 * number, ((40, 73, 22, 105)[number % 4],))


def tune_names() -> list[str]:
    """The dances of the corpus, in order."""
    from music21 import corpus

    names = sorted(str(path) for path in corpus.getPaths() if path.parent.name == "ryansMammoth")
    return [name for name in names if any(word in name for word in ("Reel", "Hornpipe", "Waltz", "March", "Polka"))]


def piece(number: int) -> Song:
    """The opening of a classical piece or a rag."""
    programs = ((40, 40, 41, 42), (0,) * 4)[number >= 6]
    return _from_corpus(PIECES[number], "piece", (132, 120, 108, 138, 126, 144, 84, 60, 72, 120)[number], programs)


def _from_corpus(name: str, kind: str, quarters_a_minute: float, programs: Sequence[int]) -> Song:
    from music21 import corpus, meter

    score: Any = corpus.parse(name)
    signature = next(iter(score.recurse().getElementsByClass(meter.TimeSignature)))
    unit = float(signature.beatDuration.quarterLength)
    chance = random.Random(hashlib.sha256(name.encode()).hexdigest())
    parts = []
    for index, voice in enumerate(score.parts):
        notes = []
        for item in voice.flatten().notes:
            if item.duration.isGrace:
                continue
            for pitch in item.pitches:
                notes.append(Note(float(item.offset), float(item.quarterLength) * 0.95, int(pitch.midi), 88))
        parts.append(Part(voice.partName or str(index), programs[index % len(programs)], tuple(notes)))
    bars = list(score.parts[0].getElementsByClass("Measure"))
    first = float(bars[0].offset) - float(bars[0].paddingLeft)
    starts = [first if index == 0 else float(bar.offset) for index, bar in enumerate(bars)]
    last = LONGEST * quarters_a_minute / 60
    if float(bars[0].paddingLeft):
        starts = starts[1:]
    parts = [
        Part(part.name, part.program, tuple(note for note in part.notes if note.start < last), part.gain_db)
        for part in parts
    ]
    played = tuple(_played(part, quarters_a_minute, chance) for part in parts if part.notes)
    key = score.analyze("key")
    tonic = key.tonic.name.replace("-", "b")
    made = Score(quarters_a_minute, f"{tonic}:{'min' if key.mode == 'minor' else 'maj'}", 4, 1, played)
    end = min(last, max(note.start + note.length for part in played for note in part.notes))
    grid = np.arange(starts[0] % unit, end, unit)
    return _stored(
        f"{kind} {Path(name).stem if Path(name).is_absolute() else name}", kind, made, end * 60 / quarters_a_minute,
        tuple(float(at) * 60 / quarters_a_minute for at in grid),
        tuple(at * 60 / quarters_a_minute for at in starts if at < end),
        round(float(signature.barDuration.quarterLength) / unit), 60 / quarters_a_minute * unit,
    )  # fmt: skip


def _song(name: str, kind: str, score: Score, beat: float, chords: Sequence[tuple[float, float, int, int]]) -> Song:
    beats = tuple(index * beat for index in range(score.beats))
    timed = tuple((start * beat, end * beat, root % 12, third) for start, end, root, third in chords)
    bars = beats[:: score.beats_per_bar]
    return _stored(name, kind, score, score.seconds, beats, bars, score.beats_per_bar, beat, timed)


def _stored(
    name: str, kind: str, score: Score, seconds: float, beats: tuple[float, ...], downbeats: tuple[float, ...],
    beats_per_bar: int, beat: float, chords: tuple[tuple[float, float, int, int], ...] = (),
) -> Song:  # fmt: skip
    digest = hashlib.sha256(repr(score).encode()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / "creator-studio-songs"
    folder.mkdir(exist_ok=True)
    path = folder / f"{kind}-{digest}.wav"
    if not path.exists():
        sound = render(score, tail_seconds=max(0.0, seconds - score.seconds) + 1.0)[: round((seconds + 1) * RATE)]
        partial = path.with_suffix(".part")
        soundfile.write(partial, sound / np.max(np.abs(sound)) * 0.8, RATE, subtype="PCM_16", format="WAV")
        partial.rename(path)
    return Song(name, kind, path, 60 / beat, beats, downbeats, beats_per_bar, score.key, chords)


@dataclass(frozen=True)
class FormedSong:
    """A song of the built-in composer: sections as (start, end, letter) in seconds, and how long a bar is."""

    path: Path
    bar_seconds: float
    sections: tuple[tuple[float, float, str], ...]


# None of these is among the songs that the constants of core/music/structure.py were chosen on.
FORMS = ("iiaabbaabb", "iaabbaabbcbb", "aabbaabbccbb", "iaaabbaaabb")
FORM_KEYS = ("Eb", "A", "F#", "C")


def formed_songs(few: bool = False) -> Iterator[FormedSong]:
    """Each built-in arrangement in another form, key and tempo than its own; ``few``: every fourth."""
    from core.music.presets import PRESETS
    from providers.audio.composer import compose

    folder = Path(tempfile.gettempdir()) / "creator-studio-bench-forms"
    folder.mkdir(exist_ok=True)
    for number, preset in enumerate(list(PRESETS.values())[:: 4 if few else 1]):
        form = next(one for one in (*FORMS[number % 4 :], *FORMS) if set(one) <= set(preset.harmony))
        key = f"{FORM_KEYS[number % 4]}:{preset.key.partition(':')[2]}"
        song = replace(preset, form=form, key=key, bpm=round(preset.bpm * (0.94, 1.05)[number % 2], 1))
        bar = 240 / song.bpm
        path = folder / f"{hashlib.sha256(repr(song).encode()).hexdigest()[:16]}.wav"
        if not path.exists():
            soundfile.write(path, compose(song), RATE)
        sections: list[tuple[float, float, str]] = []
        for block, letter in enumerate(form):
            start = sections.pop()[0] if sections and sections[-1][2] == letter else block * 4 * bar
            sections.append((start, (block + 1) * 4 * bar, letter))
        yield FormedSong(path, bar, tuple(sections))

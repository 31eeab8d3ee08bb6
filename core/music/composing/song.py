"""A plan to a finished score: form, chords, who plays what in which section, and the notes."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.music.arrange import Bar, Feel, play, played
from core.music.composing.harmony import FINAL, PHRASE, SECTIONS, Chord, form, phrases
from core.music.composing.instruments import HARMONY, INSTRUMENTS, Duty, Instrument
from core.music.composing.melody import melody
from core.music.composing.plan import Plan
from core.music.composing.prompt import Metre
from core.music.composing.styles import (
    CALM_FILLS,
    FILLS,
    MOODS,
    OPENING,
    OTHER_DRUMS,
    OTHER_METRES,
    STYLES,
    Drums,
    Mood,
    Style,
)
from core.music.keys import roman_numeral
from core.music.presets import CRASH, KICK, Layer
from core.music.score import Note, Part, Score, scale_pitches

BEATS: dict[Metre, int] = {"4/4": 4, "3/4": 3, "6/8": 2}
RING_SECONDS = 1.0
"""How long the last chord rings at least, beyond its own bar."""
_TOLERATED, _TOLERATED_HALF = 0.02, 0.035
_CALM = 0.35
_FULL = 0.8


@dataclass(frozen=True)
class Song:
    """``score`` with one part for each instrument; its tempo may differ a little from the plan's where a loop has to
    close. ``bars`` lie in order; ``seconds`` is how long the file is to be; ``levels`` how loud each part is to be
    heard where it plays, in LU beside each other."""

    score: Score
    metre: Metre
    bars: tuple[Bar, ...]
    chords: tuple[Chord, ...]
    sections: tuple[tuple[str, int], ...]
    seconds: float
    loop: bool
    levels: Mapping[str, float]

    def as_analysis(self) -> dict[str, Any]:
        """What the score says of itself, in the shape of ``POST /music/analyze``: nothing has to be measured."""
        beat = 60.0 / self.score.bpm
        every = [bar.start + at for bar in self.bars for at in range(math.ceil(bar.beats)) if at < bar.metre]
        return {
            "duration_seconds": round(self.seconds, 3),
            "bpm": round(self.score.bpm, 2),
            "beats": [round(at * beat, 3) for at in every],
            "downbeats": [round(bar.start * beat, 3) for bar in self.bars],
            "time_signature": self.metre,
            "key": self.score.key,
            "scale": "major" if self.score.key.endswith(":maj") else "minor",
            "chords": self._chords(beat),
            "sections": self._sections(beat),
        }

    def _chords(self, beat: float) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for bar, chord in zip(self.bars, self.chords, strict=True):
            start, end = round(bar.start * beat, 3), round(min((bar.start + bar.beats) * beat, self.seconds), 3)
            if found and found[-1]["chord"] == chord.name:
                found[-1]["end"] = end
            else:
                roman = roman_numeral(chord.name, self.score.key)
                found.append({"time": start, "end": end, "chord": chord.name, "roman": roman})
        return found

    def _sections(self, beat: float) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        at = 0
        for letter, count in self.sections:
            start, at = self.bars[at].start * beat, at + count
            end = self.bars[at].start * beat if at < len(self.bars) else self.seconds
            name = SECTIONS[letter]
            if letter == FINAL and found:
                found[-1]["end"] = round(end, 3)
            else:
                found.append({"name": name, "label": letter.upper(), "start": round(start, 3), "end": round(end, 3)})
        return found


def compose(plan: Plan) -> Song:
    """Write the song of a plan; the same plan gives the same song."""
    mood, style = MOODS[plan.mood], STYLES[plan.style]
    metre = BEATS[plan.metre]
    bpm, count, extra = fit(plan.seconds, plan.bpm, metre, loop=plan.loop)
    sections = _sections(count, extra, loop=plan.loop)
    chance = random.Random(f"{plan.seed} {plan.key} {plan.mood} {plan.style}")
    written = phrases(chance, plan.key, mood.colours, sections, loop=plan.loop, sevenths=style.sevenths)
    chords = [chord for section in written for chord in section]
    bars = _bars(sections, chords, plan, metre, extra, plan.seconds * bpm / 60)
    swing = style.swing if plan.metre != "6/8" else 0.0
    feel = Feel(plan.seed, bpm, swing)
    layers = _layers(plan, mood, style, "".join(letter for letter, _ in sections))
    parts = []
    for instrument, theirs in layers.items():
        notes = [note for layer in theirs for note in _notes(layer, feel, bars, mood)]
        notes = sorted(notes, key=lambda note: (note.start, note.pitch))
        one = INSTRUMENTS[instrument]
        parts.append(Part(instrument, one.program, tuple(_free(notes)), one.gain_db, one.pan))
    score = Score(bpm, plan.key, metre, len(bars), tuple(part for part in parts if part.notes))
    who = duties(plan.instruments)
    levels = {part.name: max(_level(duty, mood) for duty in who[part.name]) for part in score.parts}
    return Song(score, plan.metre, tuple(bars), tuple(chords), tuple(sections), plan.seconds, plan.loop, levels)


def _level(duty: Duty, mood: Mood) -> float:
    quiet = -7.0 + 7.0 * mood.energy  # drums
    return {"lead": -2.0, "drums": quiet, "bass": -4.0, "pad": -7.0}.get(duty, -4.0)


def fit(seconds: float, bpm: float, metre: int, *, loop: bool) -> tuple[float, int, int]:
    """Tempo, whole bars and beats of a cut last bar that fill ``seconds``.

    A piece that ends keeps its tempo: its last chord rings. A loop has to close on a beat: the tempo gives way by at
    most half a beat over its length, and only where whole bars would change it by more than 2 % is the last bar cut.
    """
    beats = seconds * bpm / 60
    if not loop:
        return bpm, max(1, math.floor((beats - RING_SECONDS * bpm / 60) / metre + 1e-9)), 0
    for unit, tolerated in ((metre, _TOLERATED), (2 if metre == 4 else metre, _TOLERATED_HALF), (1, math.inf)):
        total = max(1, round(beats / unit)) * unit
        if abs(total / beats - 1) <= tolerated:
            break
    return round(total * 60 / seconds, 6), total // metre, total % metre


def _sections(bars: int, extra: int, *, loop: bool) -> list[tuple[str, int]]:
    if loop:
        found = form(bars, loop=True) or [("a", 0)]
        return [*found[:-1], (found[-1][0], found[-1][1] + (1 if extra else 0))]
    return [*form(bars - 1, loop=False), (FINAL, 1)]


def _bars(
    sections: Sequence[tuple[str, int]], chords: Sequence[Chord], plan: Plan, metre: int, extra: int, beats: float
) -> list[Bar]:
    """``beats`` is how many fit into the whole file: the last bar of a piece that ends is held until then."""
    scale = {pitch % 12 for pitch in scale_pitches(plan.key, 60, 71)}
    total = sum(count for _, count in sections)
    bars: list[Bar] = []
    for place, (letter, count) in enumerate(sections):
        for at in range(count):
            chord = chords[len(bars)]
            # A chord's own notes replace the scale's that lie a semitone beside them (the leading tone in minor).
            own = set(chord.tones) - scale
            notes = {one for one in scale if (one + 1) % 12 not in own} | set(chord.tones)
            index, last_of_all = len(bars), len(bars) == total - 1
            final = letter == FINAL
            length = beats - index * metre if final else extra if last_of_all and extra else metre
            new_next = at == count - 1 and place + 1 < len(sections)
            around = plan.loop and last_of_all
            bars.append(
                Bar(
                    index, letter, chord.tones, frozenset(notes), float(index * metre), float(length), at % PHRASE,
                    metre, fill=(new_next or around) and not final and length >= metre, opening=at == 0,
                    last=at == count - 1, final=final,
                )
            )  # fmt: skip
    return bars


def _notes(layer: Layer, feel: Feel, bars: Sequence[Bar], mood: Mood) -> list[Note]:
    if layer.role != "lead":
        return play(layer, feel, bars)
    source = random.Random(f"{feel.seed} {layer.name}")
    heard = [bar for bar in bars if bar.section in layer.sections]
    line = melody(heard, layer.low + mood.higher, seed=f"{feel.seed} {layer.name} line", liveliness=mood.energy)
    return [played(note, feel, source) for note in line]


def _free(notes: Sequence[Note]) -> list[Note]:
    """A key that sounds is let go before it is struck again; struck twice at once it is struck once."""
    after: dict[int, Note] = {}
    kept: list[Note] = []
    for note in reversed(notes):
        following = after.get(note.pitch)
        if following is not None and following.start - note.start < 0.02:
            continue
        if following is not None and note.start + note.length > following.start:
            note = replace(note, length=following.start - note.start)
        after[note.pitch] = note
        kept.append(note)
    return kept[::-1]


def duties(names: Sequence[str]) -> dict[str, list[Duty]]:
    """Who does what. The first that leads best has the melody; one player of chords alone has the melody too."""
    players = [INSTRUMENTS[name] for name in dict.fromkeys(names)]
    found: dict[str, list[Duty]] = {one.name: [] for one in players}
    rhythm = [one for one in players if one.duties[0] in ("drums", "bass")]
    for one in rhythm:
        found[one.name].append(one.duties[0])
    pitched = [one for one in players if one not in rhythm]
    leads = [one for one in pitched if one.duties[0] == "lead"]
    chordal = [one for one in pitched if one.plays_chords and one not in leads]
    if not leads and chordal:
        leads = [next((one for one in reversed(chordal) if "lead" in one.duties), chordal[-1])]
    taken: set[Duty] = set()
    for one in chordal:
        if one in leads and len(chordal) > 1:
            continue
        free = [duty for duty in one.duties if duty in HARMONY]
        duty = next((duty for duty in free if duty not in taken), free[0])
        taken.add(duty)
        found[one.name].append(duty)
    if not chordal:
        accompanists = [one for one in leads[1:] if one.plays_chords]
        for one in accompanists[:1]:
            found[one.name].append(next(duty for duty in one.duties if duty in HARMONY))
            leads.remove(one)
    for one in leads:
        if "lead" in one.duties:
            found[one.name].append("lead")
    return found


def _layers(plan: Plan, mood: Mood, style: Style, letters: str) -> dict[str, list[Layer]]:
    """The layers of each instrument. Quiet sections have fewer; everybody plays somewhere, however short the song."""
    who = duties(plan.instruments)
    fullest = "b" if "b" in letters else "a" if "a" in letters else letters[0]
    lively = mood.energy >= _FULL
    layers: dict[str, list[Layer]] = {}
    leading = [name for name, theirs in who.items() if "lead" in theirs]
    supports = [name for name, theirs in who.items() if any(duty in HARMONY for duty in theirs)]
    has_bass = any("bass" in theirs for theirs in who.values())
    for name, theirs in who.items():
        one = INSTRUMENTS[name]
        made: list[Layer] = []
        for duty in theirs:
            if duty == "drums":
                made += _drums(plan, mood, style, fullest, lively)
            elif duty == "bass":
                made += _bass(one, plan, style, lively)
            elif duty == "lead":
                made += _lead(one, leading, bool(supports), fullest, letters)
            else:
                made += _harmony(one, duty, plan, style, supports.index(name), mood)
        if not has_bass and supports[:1] == [name]:  # the left hand
            low = replace(INSTRUMENTS["bass"], name=f"{name} left", program=one.program)
            made += _bass(low, plan, style, lively)
        layers[name] = [layer for layer in made if set(layer.sections) & set(letters)]
        if not layers[name]:
            layers[name] = [replace(layer, sections=fullest) for layer in made[:1]]
    return layers


def _pattern(plan: Plan, style: Style, kind: str) -> str:
    if plan.metre != "4/4":
        return OTHER_METRES[plan.metre][kind]
    return str(getattr(style, kind))


def _drums(plan: Plan, mood: Mood, style: Style, fullest: str, lively: bool) -> list[Layer]:
    light, full = (style.light, style.full) if plan.metre == "4/4" else OTHER_DRUMS[plan.metre]
    busy = "".join(dict.fromkeys(fullest + ("ab" if lively else "b")))
    quiet = "".join(letter for letter in ("aco" if mood.energy > _CALM else "ao") if letter not in busy)
    quiet += "i" if lively else ""
    kit = Layer("drums", "drums", INSTRUMENTS["drums"].program, "")
    fills = FILLS if mood.energy > _CALM else CALM_FILLS
    made = [replace(kit, sections=busy, drums=full, fills=fills)]
    if quiet:
        made.append(replace(kit, name="drums light", sections=quiet, drums=light, fills=CALM_FILLS))
    if mood.energy > 0.5:
        made.append(replace(kit, name="crash", sections=busy, drums=_long(OPENING, plan), opening=True))
    end: Drums = ((KICK, "X"), (CRASH, "x")) if mood.energy > _CALM else ((KICK, "x"),)
    return [*made, replace(kit, name="drums end", sections=FINAL, drums=_long(end, plan))]


def _long(drums: Drums, plan: Plan) -> Drums:
    signs = 16 if plan.metre == "4/4" else 12
    return tuple((drum, pattern.ljust(signs, ".")) for drum, pattern in drums)


def _bass(one: Instrument, plan: Plan, style: Style, lively: bool) -> list[Layer]:
    base = Layer(
        one.name, "bass", one.program, "abc" + ("i" if lively else ""), _pattern(plan, style, "bass"), one.low,
        steps=style.bass_steps if plan.metre == "4/4" else (0, 4), length=0.85,
    )  # fmt: skip
    long = "X..............." if plan.metre == "4/4" else "X..........."
    return [base, replace(base, name=f"{one.name} long", sections="o" + FINAL, pattern=long, steps=(0,), length=0.98)]


def _lead(one: Instrument, leading: Sequence[str], supported: bool, fullest: str, letters: str) -> list[Layer]:
    """Several leads take turns; a lead without chords under it plays throughout."""
    place, count = leading.index(one.name), len(leading)
    if count == 1:
        sections = "ab" if supported else "iabco"
        sections = sections if set(sections) & set(letters) else fullest
    else:
        turns = "abcabc"
        sections = "".join(letter for index, letter in enumerate(turns) if index % count == place)
        if not set(sections) & set(letters):
            sections = fullest
    return [Layer(f"{one.name} lead", "lead", one.program, sections + FINAL, low=one.lead - 5)]


def _harmony(one: Instrument, duty: Duty, plan: Plan, style: Style, place: int, mood: Mood) -> list[Layer]:
    """The first to accompany plays throughout, those after it where the song is fuller."""
    sections = "iabco" if place == 0 else "abc" if place == 1 else "bc" if mood.energy < _FULL else "abc"
    length = {"chords": 0.85, "strum": 0.6, "arpeggio": 0.9}.get(duty, 1.0)
    base = Layer(f"{one.name} {duty}", "pad", one.program, sections, low=one.low)
    if duty != "pad":
        steps = (
            (0, 1, 2, 3, 2, 1) if plan.metre == "6/8" else (0, 2, 1, 2, 3, 2, 1, 2) if place % 2 == 0 else (0, 1, 2, 1)
        )
        pattern = _pattern(plan, style, duty)
        base = replace(base, role=duty, pattern=pattern, steps=steps, length=length)
    return [base, Layer(f"{one.name} end", "pad", one.program, FINAL, low=one.low)]

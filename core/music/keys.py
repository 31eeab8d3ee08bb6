"""Key and chords from chromas: which notes sound decides, by key profiles and a Viterbi path.

A chroma is a vector or a sequence of vectors of twelve non-negative energies, C first. Keys are written "A:min",
chords "C", "Am", "G7".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.music.score import MODES

NOTES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_NOTE_NUMBERS = {name: index for index, name in enumerate(NOTES)} | {"Db": 1, "D#": 3, "Gb": 6, "G#": 8, "A#": 10}

# Krumhansl and Kessler, "Tracing the dynamic changes in perceived tonal organization" (1982): how well each note was
# felt to fit after a key had been set.
MAJOR_PROFILE = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR_PROFILE = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)

# How much each further cue weighs beside the profile. Relative keys share their notes; what tells them apart is where
# the music starts, where it comes to rest and what the bass dwells on.
OPENING, CLOSING, BASS = 0.3, 0.2, 0.2

# How likely a chord goes on to the next beat rather than change; between changes of the profiles below.
STAY = 0.8
MATCH = 12.0
_QUALITIES: dict[str, tuple[int, ...]] = {"": (0, 4, 7), "m": (0, 3, 7), "7": (0, 4, 7, 10)}
_NUMERALS = ("I", "II", "III", "IV", "V", "VI", "VII")


@dataclass(frozen=True)
class KeyEstimate:
    """``key`` as "C:maj"; ``confidence`` 0–1: how far the best key stands above the second best."""

    key: str
    confidence: float


@dataclass(frozen=True)
class Heard:
    """What tells a key, as chromas: all notes of a piece, its first and last seconds, and its lowest notes."""

    whole: Sequence[float]
    opening: Sequence[float] | None = None
    closing: Sequence[float] | None = None
    bass: Sequence[float] | None = None


def estimate_key(heard: Heard) -> KeyEstimate | None:
    """The key whose profile and tonic triad correlate best with what was heard; None for silence or a flat chroma."""
    cues = [
        (weight, cue)
        for weight, cue in ((OPENING, heard.opening), (CLOSING, heard.closing))
        if cue is not None and sum(cue) > 1e-9
    ]
    bass = heard.bass if heard.bass is not None and sum(heard.bass) > 1e-9 else None
    scores = []
    for tonic in range(12):
        for mode, profile, third in (("maj", MAJOR_PROFILE, 4), ("min", MINOR_PROFILE, 3)):
            fit = _correlation(heard.whole, [profile[(pitch - tonic) % 12] for pitch in range(12)])
            triad = [1.0 if (pitch - tonic) % 12 in (0, third, 7) else 0.0 for pitch in range(12)]
            fit += sum(weight * _correlation(cue, triad) for weight, cue in cues)
            if bass is not None:
                ground = [{0: 1.0, 7: 0.5}.get((pitch - tonic) % 12, 0.0) for pitch in range(12)]
                fit += BASS * _correlation(bass, ground)
            scores.append((fit, f"{NOTES[tonic]}:{mode}"))
    scores.sort(reverse=True)
    best, second = scores[0], scores[1]
    if not math.isfinite(best[0]) or best[0] <= 0:
        return None
    return KeyEstimate(best[1], round(min(1.0, max(0.0, (best[0] - second[0]) / best[0] * 4)), 3))


def _correlation(left: Sequence[float], right: Sequence[float]) -> float:
    if len(left) != 12:
        raise ValueError("a chroma has twelve values")
    mean_left, mean_right = sum(left) / len(left), sum(right) / len(right)
    above = sum((a - mean_left) * (b - mean_right) for a, b in zip(left, right, strict=True))
    below = math.sqrt(sum((a - mean_left) ** 2 for a in left) * sum((b - mean_right) ** 2 for b in right))
    return above / below if below > 1e-12 else float("-inf")


def scale_of(key: str) -> str:
    """Name of the scale a key implies."""
    return "major" if key.endswith(":maj") else "minor"


def chord_path(chromas: Sequence[Sequence[float]], key: str | None = None) -> list[str]:
    """The most likely chord of every beat: triads and dominant sevenths matched by cosine, smoothed by Viterbi.

    ``key`` makes its own chords a little more likely. "N" stands for no chord (silence).
    """
    names, templates = _vocabulary()
    bonus = [_in_key_bonus(name, key) for name in names]
    change = math.log((1 - STAY) / (len(names) - 1))
    stay = math.log(STAY)
    score: list[float] = [0.0] * len(names)
    history: list[list[int]] = []
    for chroma in chromas:
        norm = math.sqrt(sum(value * value for value in chroma))
        best_before = max(range(len(names)), key=lambda index: score[index])
        row, current = [], []
        for index, template in enumerate(templates):
            move = score[best_before] + change
            keep = score[index] + stay
            row.append(index if keep >= move else best_before)
            match = sum(a * b for a, b in zip(chroma, template, strict=True)) / norm if norm > 1e-9 else 0.0
            current.append(max(keep, move) + MATCH * match + bonus[index])
        history.append(row)
        score = current
    path: list[int] = []
    state = max(range(len(names)), key=lambda index: score[index])
    for row in reversed(history):
        path.append(state)
        state = row[state]
    path.reverse()
    return [names[state] if sum(chroma) > 1e-6 else "N" for state, chroma in zip(path, chromas, strict=True)]


def _vocabulary() -> tuple[list[str], list[list[float]]]:
    names, templates = [], []
    for root in range(12):
        for suffix, intervals in _QUALITIES.items():
            names.append(NOTES[root] + suffix)
            weights = [0.0] * 12
            for interval in intervals:
                weights[(root + interval) % 12] = 1.0 if interval in (0, 7) else 0.9
            # A seventh must be heard clearly to win over its triad.
            weights = [value * (0.97 if suffix == "7" else 1.0) for value in weights]
            norm = math.sqrt(sum(1.0 for value in weights if value))
            templates.append([value / norm for value in weights])
    return names, templates


def _in_key_bonus(chord: str, key: str | None) -> float:
    if key is None:
        return 0.0
    tonic, mode = key.split(":")
    scale = {(_NOTE_NUMBERS[tonic] + step) % 12 for step in MODES[mode]}
    root, suffix = split_chord(chord)
    tones = {(root + interval) % 12 for interval in _QUALITIES[suffix]}
    return 0.25 if tones <= scale else 0.0


def note_number(name: str) -> int:
    """Pitch class (0–11, C is 0) of a note's name such as "Eb" or "D#"."""
    return _NOTE_NUMBERS[name]


def split_chord(chord: str) -> tuple[int, str]:
    """Root (0–11) and suffix of a chord's name."""
    length = 2 if len(chord) > 1 and chord[1] in "#b" else 1
    return _NOTE_NUMBERS[chord[:length]], chord[length:]


def roman_numeral(chord: str, key: str) -> str:
    """The chord's degree in the key: "vi", "V7", "bVII", "Imaj7"; empty for "N"."""
    if chord == "N":
        return ""
    tonic, mode = key.split(":")
    root, suffix = split_chord(chord)
    interval = (root - _NOTE_NUMBERS[tonic]) % 12
    scale = MODES[mode]
    if interval in scale:
        accidental, degree = "", scale.index(interval)
    else:
        accidental, degree = "b", scale.index((interval + 1) % 12) if (interval + 1) % 12 in scale else 0
    numeral = _NUMERALS[degree]
    minor = suffix.startswith("m") and not suffix.startswith("maj")
    return accidental + (numeral.lower() + suffix[1:] if minor else numeral + suffix)

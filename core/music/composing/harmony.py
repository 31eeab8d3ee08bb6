"""Form and chords: which sections a song has, and a progression for each, walked through a grammar by chance.

The grammar gives for each degree what it likes to move to (tonic, predominant and dominant functions, as in
Rohrmeier, "Towards a generative syntax of tonal harmony", 2011, without its recursion); a mood colours it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from core.music.keys import NOTES
from core.music.score import degree_chord, parse_key

PHRASE = 4
"""Bars of a phrase."""
FINAL = "z"
SECTIONS = {"i": "intro", "a": "verse", "b": "chorus", "c": "bridge", "o": "outro", FINAL: "outro"}
_MOVES: dict[str, dict[int, dict[int, float]]] = {
    "maj": {
        1: {4: 3, 5: 3, 6: 3, 2: 1.5, 3: 1}, 2: {5: 5, 4: 1}, 3: {6: 4, 4: 3}, 4: {5: 4, 1: 2, 2: 1, 6: 1},
        5: {6: 3, 1: 3, 4: 2}, 6: {4: 4, 2: 2, 5: 2, 3: 1},
    },
    "min": {
        1: {6: 3, 4: 3, 7: 3, 5: 1.5, 3: 1.5}, 3: {7: 3, 6: 3, 4: 1}, 4: {5: 2, 7: 2, 1: 2, 6: 1}, 5: {1: 4, 6: 2},
        6: {7: 4, 3: 3, 4: 2, 5: 1}, 7: {1: 3, 3: 3, 6: 2},
    },
}  # fmt: skip
_QUALITIES = {
    (4, 7): "", (3, 7): "m", (3, 6): "dim", (4, 8): "aug", (4, 7, 11): "maj7", (4, 7, 10): "7", (3, 7, 10): "m7",
    (3, 6, 10): "m7b5", (3, 7, 11): "mmaj7",
}  # fmt: skip


@dataclass(frozen=True)
class Chord:
    """Pitch classes, the root first, and the name ("F#m7")."""

    degree: int
    tones: tuple[int, ...]
    name: str


def form(bars: int, *, loop: bool) -> list[tuple[str, int]]:
    """The sections of ``bars`` bars as (letter, bars), in order. A loop has no introduction and no end."""
    phrases, rest = divmod(bars, PHRASE)
    if phrases == 0:
        return [("a", rest)] if rest else []
    letters = _loop_letters(phrases) if loop else _letters(phrases)
    found: list[tuple[str, int]] = []
    for letter in letters:
        if found and found[-1][0] == letter and found[-1][1] < 2 * PHRASE:
            found[-1] = (letter, found[-1][1] + PHRASE)
        else:
            found.append((letter, PHRASE))
    if rest and (loop or found[-1][0] == "o"):
        found[-1] = (found[-1][0], found[-1][1] + rest)
    elif rest:
        found.append(("o", rest))
    return found


def _letters(phrases: int) -> str:
    short = {1: "a", 2: "ab", 3: "iab", 4: "iabb", 5: "iaabb", 6: "iaabbo", 7: "iaabbcb", 8: "iaabbcbb"}
    if phrases in short:
        return short[phrases]
    middle = phrases - len("icbbo")
    return "i" + "".join("aabb"[index % 4] for index in range(middle)) + "cbbo"


def _loop_letters(phrases: int) -> str:
    short = {1: "a", 2: "ab", 3: "aab", 4: "aabb", 5: "aabcb", 6: "aabbcb"}
    return short.get(phrases) or "".join("aabbaacb"[index % 8] for index in range(phrases))


def progression(
    chance: random.Random, mode: str, colours: Mapping[int, float], length: int, *, first: int, last: int
) -> list[int]:
    """``length`` degrees from ``first`` to ``last``, neighbours different, each step one the grammar knows."""
    moves = _MOVES[mode]
    # reach[n] are the degrees from which ``last`` can be reached in n steps.
    reach = [{last}]
    for _ in range(length - 1):
        reach.append({degree for degree, after in moves.items() if reach[-1] & after.keys()})
    if length == 1:
        return [first]
    path = [first] if first in reach[length - 1] else [min(reach[length - 1], key=lambda degree: abs(degree - first))]
    for steps in range(length - 2, -1, -1):
        after = {degree: weight for degree, weight in moves[path[-1]].items() if degree in reach[steps]}
        weights = [
            weight * colours.get(degree, 1.0) * (0.4 if degree in path else 1.0) for degree, weight in after.items()
        ]
        path.append(chance.choices(list(after), weights)[0])
    return path


def chord(key: str, degree: int, size: int = 3) -> Chord:
    """The chord on a degree. In minor the fifth has its leading tone (harmonic minor), and the tonic stays a triad:
    with its seventh it would be heard as the relative major."""
    minor = parse_key(key)[1] == "min"
    tones = degree_chord(key, degree, 3 if minor and degree == 1 else size)
    if minor and degree == 5:
        tones[1] = (tones[0] + 4) % 12
    intervals = tuple((tone - tones[0]) % 12 for tone in tones[1:4])
    return Chord(degree, tuple(tones), NOTES[tones[0]] + _QUALITIES.get(intervals, _QUALITIES[intervals[:2]]))


def phrases(
    chance: random.Random, key: str, colours: Mapping[int, float], sections: list[tuple[str, int]], *, loop: bool,
    sevenths: bool,
) -> list[list[Chord]]:  # fmt: skip
    """The chords of each section, one a bar. Sections of one letter share their progression; the last phrase of a
    section leads on to what follows, and the last of a piece comes home."""
    mode = parse_key(key)[1]
    half_close = 5
    drawn: dict[str, list[int]] = {}
    starts = {"i": 1, "a": 1, "b": chance.choice((1, 6, 4) if mode == "maj" else (1, 6)), "c": chance.choice((4, 6))}
    found = []
    for place, (letter, bars) in enumerate(sections):
        ends = not loop and all(after in ("o", FINAL) for after, _ in sections[place + 1 :])
        degrees: list[int] = []
        while len(degrees) < bars:
            size = min(PHRASE, bars - len(degrees))
            finished = len(degrees) + size == bars
            if letter not in drawn:
                last = chance.choice((4, 5, 5) if mode == "maj" else (5, 7, 4))
                drawn[letter] = progression(chance, mode, colours, PHRASE, first=starts.get(letter, 1), last=last)
            phrase = drawn[letter][:size]
            if finished and size > 1 and (bars > PHRASE or ends or (loop and place == len(sections) - 1)):
                phrase = progression(chance, mode, colours, size, first=phrase[0], last=half_close)
            degrees += phrase
        found.append([chord(key, degree, 4 if sevenths else 3) for degree in degrees])
    return found

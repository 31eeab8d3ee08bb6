"""Rhythms to develop the beat tracker on: songs of the built-in composer in all styles, scores of music21's corpus.

None is in the set that the benchmark reports (``songs.py``). The first of each two was used to choose constants, the
second is held out.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from core.music.composing.plan import Wishes, plan
from core.music.composing.song import BEATS, compose
from core.music.composing.styles import MOODS, STYLES
from tests.benchmark.songs import Song, _from_corpus, _stored, tune_names

COMPOSED = 48
SECONDS = 26.0
CHORALES = ("bwv10.7", "bwv101.7", "bwv104.6", "bwv110.7", "bwv119.9", "bwv121.6", "bwv127.5", "bwv133.6", "bwv144.3",
            "bwv155.5", "bwv165.6", "bwv187.7")  # fmt: skip
PIECES = (
    "mozart/k458/movement2", "mozart/k458/movement3", "mozart/k155/movement2", "mozart/k155/movement3",
    "haydn/opus74no1/movement1", "haydn/opus74no1/movement4", "haydn/opus1no1/movement2", "haydn/opus1no1/movement4",
    "beethoven/opus18no1/movement2", "beethoven/opus18no1/movement3", "beethoven/opus18no1/movement4",
    "schumann_robert/opus41no1/movement1",
)  # fmt: skip
TUNES = 16


def rhythms(*, held_out: bool) -> Iterator[Song]:
    """One half of the set."""
    first = int(held_out)
    for number in range(first, COMPOSED, 2):
        yield composed(number)
    for number in range(first, len(CHORALES), 2):
        programs = ((0,) * 4, (19,) * 4, (48,) * 4, (68, 71, 71, 70))[number % 4]
        yield _from_corpus(f"bach/{CHORALES[number]}", "chorale", 60 + 5 * number, programs)
    for number in range(first, len(PIECES), 2):
        yield _from_corpus(PIECES[number], "piece", 84 + 7 * (number * 5 % 12), (40, 40, 41, 42))
    names = tune_names()
    for number in range(first, TUNES, 2):
        name = names[(number * 41 + 11) % len(names)]
        yield _from_corpus(name, "tune", 92 + 6 * number, ((40, 73, 22, 105)[number % 4],))


def composed(number: int) -> Song:
    """A song of the built-in composer: all styles, moods and metres over the tempos people use."""
    chance = random.Random(7000 + number)
    style = list(STYLES.values())[number % len(STYLES)]
    slow, usual, fast = style.bpm
    metre = ("4/4", "4/4", "3/4", "4/4", "6/8")[number // 2 % 5]
    bpm = round(chance.triangular(slow * 0.9, fast * 1.1, usual) * (0.62 if metre == "6/8" else 1.0))
    wishes = Wishes(style=style.name, mood=chance.choice(list(MOODS)), bpm=float(bpm), metre=metre, seconds=SECONDS)  # type: ignore[arg-type]
    song = compose(plan(wishes, number))
    found = song.as_analysis()
    return _stored(
        f"{style.name} {metre} {bpm}", "composed", song.score, song.seconds, tuple(found["beats"]),
        tuple(found["downbeats"]), BEATS[song.metre], 60 / song.score.bpm,
    )  # fmt: skip

"""Word times moved onto the sound: a recogniser's attention blurs where a word begins by a tenth of a second."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from core.video.timeline import Word
from providers.speech.pcm import HOP_SECONDS

Floats = np.ndarray[Any, np.dtype[np.float32]]
Span = tuple[float, float]

# A sound counts when it is this far above the quiet and not further than the second below the loud (dB).
_ABOVE_QUIET, _BELOW_LOUD = 10.0, 34.0
_SHORTEST_SOUND, _SHORTEST_SILENCE = 0.04, 0.12
# In a noisy room a word's first breath and last fading letters lie below that: a sound begins and ends where it rises
# out of the quiet (dB), but at most so many steps of 10 ms away.
_RISING, _GROWN_BEFORE, _GROWN_AFTER = 4.0, 8, 20
_CLOSES = re.compile(r"[.,;:!?…。！？][\"'”’)\]]*$")
# No word is said faster than this; a shorter one has lost its time to the word beside it (seconds a letter).
_FASTEST, _SLOWEST = 0.022, 0.09
# How far a word's edge may be from the edge of the sound that carries it (seconds).
_REACH = 0.4
_SHORTEST_WORD = 0.05


def sounding_spans(levels: Floats) -> list[Span]:
    """Seconds from–to in which something sounds, from levels (dBFS) every 10 ms, against the quiet around.

    Empty when loud and quiet are too close to tell apart (music under the voice, heavy noise)."""
    if levels.size == 0:
        return []
    quiet, loud = (float(value) for value in np.percentile(levels, (10, 95)))
    threshold = max(quiet + _ABOVE_QUIET, loud - _BELOW_LOUD)
    if threshold > loud - 6.0:
        return []
    padded = np.concatenate(([0], (levels > threshold).astype(np.int8), [0]))
    edges = np.flatnonzero(np.diff(padded))
    spans: list[Span] = []
    for first, last in _grown(edges.reshape(-1, 2), levels, quiet + _RISING):
        start, end = first * HOP_SECONDS, last * HOP_SECONDS
        if spans and start - spans[-1][1] < _SHORTEST_SILENCE:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return [span for span in spans if span[1] - span[0] >= _SHORTEST_SOUND]


def _grown(runs: Any, levels: Floats, floor: float) -> list[tuple[int, int]]:
    """Runs of loud steps, each widened while the mean of three steps stays above ``floor``; runs stay apart."""
    smooth = np.convolve(np.pad(levels, 1, mode="edge"), np.full(3, 1 / 3, np.float32), mode="valid")
    grown: list[tuple[int, int]] = []
    for index, (first, last) in enumerate(runs):
        lowest = max(int(first) - _GROWN_BEFORE, grown[-1][1] if grown else 0)
        highest = min(int(last) + _GROWN_AFTER, int(runs[index + 1][0]) if index + 1 < len(runs) else levels.size)
        start, end = max(int(first), lowest), int(last)
        while start > lowest and smooth[start - 1] > floor:
            start -= 1
        while end < highest and smooth[end] > floor:
            end += 1
        grown.append((start, end))
    return grown


def snap_words(words: Sequence[Word], spans: Sequence[Span]) -> list[Word]:
    """Words whose edges at a pause lie where the sound begins and ends.

    A word that reaches into a silence is cut back to the sound that holds more of it; the first word after a silence
    starts with the sound and the last before one ends with it, if they are within 0.4 s of it. Times stay in order.
    """
    if not spans:
        return list(words)
    words = _with_fair_shares(words)
    owner = [_owning_span(word, words[index - 1] if index else None, spans) for index, word in enumerate(words)]
    snapped: list[Word] = []
    for index, word in enumerate(words):
        start, end = word.start, word.end
        span = spans[owner[index]]
        first = index == 0 or owner[index - 1] != owner[index]
        last = index == len(words) - 1 or owner[index + 1] != owner[index]
        if first and abs(start - span[0]) <= _REACH:
            start = span[0]
        if last and abs(end - span[1]) <= _REACH:
            end = span[1]
        if start < span[0] < end:
            start = span[0]
        if start < span[1] < end:
            end = span[1]
        floor = snapped[-1].end if snapped else 0.0
        start = max(start, floor)
        end = max(end, start + _SHORTEST_WORD)
        snapped.append(word.model_copy(update={"start": round(start, 3), "end": round(end, 3)}))
    return snapped


def _with_fair_shares(words: Sequence[Word]) -> list[Word]:
    """Words, those shorter than anybody speaks given their part of the long word beside them, by letters."""
    shared = list(words)
    for index in range(1, len(shared)):
        left, right = shared[index - 1], shared[index]
        if right.start - left.end > 0.03 or _CLOSES.search(left.word):
            continue
        long, short = (left, right) if left.end - left.start > right.end - right.start else (right, left)
        starved = short.end - short.start < _FASTEST * len(short.word)
        if not starved or long.end - long.start < _SLOWEST * (len(long.word) + 1):
            continue
        edge = left.start + (right.end - left.start) * (len(left.word) + 1) / (len(left.word) + len(right.word) + 2)
        shared[index - 1] = left.model_copy(update={"end": round(edge, 3)})
        shared[index] = right.model_copy(update={"start": round(edge, 3)})
    return shared


def _owning_span(word: Word, before: Word | None, spans: Sequence[Span]) -> int:
    """Index of the span that holds most of the word, or the nearest one.

    Of a word that reaches over a pause a recogniser cannot say on which side it is; punctuation can: what closes a
    phrase was said before the pause, what opens one after it.
    """

    def held(index: int) -> tuple[float, float]:
        start, end = spans[index]
        overlap = min(word.end, end) - max(word.start, start)
        middle = (word.start + word.end) / 2
        return max(overlap, 0.0), -max(start - middle, middle - end, 0.0)

    low = int(np.searchsorted([end for _, end in spans], word.start - _REACH)) if len(spans) > 64 else 0
    candidates = range(max(low - 1, 0), min(low + 64, len(spans)))
    over = [index for index in candidates if spans[index][1] > word.start and spans[index][0] < word.end]
    if len(over) == 2 and spans[over[1]][0] - spans[over[0]][1] >= _SHORTEST_SILENCE:
        if _CLOSES.search(word.word):
            return over[0]
        if before is None or _CLOSES.search(before.word):
            return over[1]
    return max(candidates, key=held)

"""Word times moved onto the sound: a recogniser's attention blurs where a word begins by a tenth of a second."""

from __future__ import annotations

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
    for first, last in edges.reshape(-1, 2):
        start, end = float(first) * HOP_SECONDS, float(last) * HOP_SECONDS
        if spans and start - spans[-1][1] < _SHORTEST_SILENCE:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return [span for span in spans if span[1] - span[0] >= _SHORTEST_SOUND]


def snap_words(words: Sequence[Word], spans: Sequence[Span]) -> list[Word]:
    """Words whose edges at a pause lie where the sound begins and ends.

    A word that reaches into a silence is cut back to the sound that holds more of it; the first word after a silence
    starts with the sound and the last before one ends with it, if they are within 0.4 s of it. Times stay in order.
    """
    if not spans:
        return list(words)
    owner = [_owning_span(word, spans) for word in words]
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


def _owning_span(word: Word, spans: Sequence[Span]) -> int:
    """Index of the span that holds most of the word, or the nearest one."""

    def held(index: int) -> tuple[float, float]:
        start, end = spans[index]
        overlap = min(word.end, end) - max(word.start, start)
        middle = (word.start + word.end) / 2
        return max(overlap, 0.0), -max(start - middle, middle - end, 0.0)

    low = int(np.searchsorted([end for _, end in spans], word.start - _REACH)) if len(spans) > 64 else 0
    candidates = range(max(low - 1, 0), min(low + 64, len(spans)))
    return max(candidates, key=held)

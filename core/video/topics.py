"""Where a long recording turns to another subject: lexical cohesion over its sentences (TextTiling, Hearst 1997).

Words that both sides of a gap share hold it together; where the sides share little, and more on both ways from there,
a subject ends. Sentences take the place of Hearst's token sequences, since a cut may fall between sentences only.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean, pstdev

from core.video.keyphrases import is_stopword
from core.video.sentences import Sentence, tokens

BLOCK_WORDS = 30  # content words on each side of a gap, about half a minute of talk
_LEAST_BLOCK = 6


def shifts(spoken: Sequence[Sentence]) -> list[float]:
    """For each gap between two sentences, from the first on, how clearly the subject changes there: 0–1.

    It is the depth of the valley of cohesion, 0 at the mean depth of the talk and 1 from two standard deviations above;
    a gap beside a deeper one counts half.
    """
    bags = [[_stem(token) for token in tokens(each.text) if not is_stopword(token)] for each in spoken]
    spread = Counter(word for bag in bags for word in set(bag))
    weights = {word: math.log((1 + len(bags)) / (0.5 + count)) for word, count in spread.items()}
    cohesion = [_cohesion(bags, gap, weights) for gap in range(1, len(bags))]
    found = _depths(_smoothed(_filled(cohesion)))
    if len(found) < 2 or (deviation := pstdev(found)) < 1e-6:
        return [0.0] * len(found)
    mean = fmean(found)
    return [
        min(1.0, max(0.0, (depth - mean) / (2 * deviation)))
        * (0.5 if depth < max(found[max(0, at - 2) : at + 3]) else 1.0)
        for at, depth in enumerate(found)
    ]


def _stem(token: str) -> str:
    """English endings that change no subject: "lenses" and "lens", "cooking" and "cook"."""
    for ending in ("ing", "es", "ed", "s"):
        if token.endswith(ending) and len(token) - len(ending) >= 4:
            return token[: -len(ending)]
    return token


def _cohesion(bags: Sequence[Sequence[str]], gap: int, weights: dict[str, float]) -> float | None:
    """Cosine of the words before and after a gap, rare words counting more; None with too few on one side."""
    before, after = _block(bags, range(gap - 1, -1, -1)), _block(bags, range(gap, len(bags)))
    if min(before.total(), after.total()) < _LEAST_BLOCK:
        return None
    shared = sum(before[word] * after[word] * weights[word] ** 2 for word in before.keys() & after.keys())
    sizes = math.prod(sum((count * weights[word]) ** 2 for word, count in side.items()) for side in (before, after))
    return shared / sizes**0.5 if sizes else 0.0


def _block(bags: Sequence[Sequence[str]], order: range) -> Counter[str]:
    block: Counter[str] = Counter()
    for index in order:
        block.update(bags[index])
        if block.total() >= BLOCK_WORDS:
            break
    return block


def _filled(values: Sequence[float | None]) -> list[float]:
    """Gaps of which nothing can be said are as cohesive as the nearest of which something can."""
    known = [index for index, value in enumerate(values) if value is not None]
    if not known:
        return [0.0] * len(values)
    nearest = [min(known, key=lambda each, index=index: abs(each - index)) for index in range(len(values))]  # type: ignore[misc]
    return [values[index] or 0.0 for index in nearest]


def _smoothed(values: Sequence[float]) -> list[float]:
    """Each value averaged with its neighbours."""
    return [fmean(values[max(0, index - 1) : index + 2]) for index in range(len(values))]


def _depths(cohesion: Sequence[float]) -> list[float]:
    """How far cohesion rises on both sides of each gap, as far as it goes on rising (Hearst's depth score)."""
    left, right = list(cohesion), list(cohesion)
    for before, index in pairwise(range(len(cohesion))):
        left[index] = left[before] if cohesion[before] >= cohesion[index] else cohesion[index]
    for after, index in pairwise(range(len(cohesion) - 1, -1, -1)):
        right[index] = right[after] if cohesion[after] >= cohesion[index] else cohesion[index]
    return [(high - low) + (peak - low) for high, peak, low in zip(left, right, cohesion, strict=True)]

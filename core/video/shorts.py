"""The clips of a long recording worth showing alone: found on sentence boundaries, scored with reasons, titled (V6.2).

A candidate is a run of whole sentences whose kept length lies between the limits. Of all sets of clips that do not
overlap, the one with the highest sum of scores is chosen (weighted interval scheduling).
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, pstdev

from core.video.headlines import headline
from core.video.keyphrases import TalkPhrases
from core.video.sentences import Sentence, sentences, tokens
from core.video.text import has_thai, join
from core.video.thoughts import borders, is_housekeeping
from core.video.timeline import Word

LEAD, TAIL = 0.15, 0.35  # seconds kept before the first and after the last word, half of a shorter pause
_DANGLING = {
    "and", "so", "but", "because", "then", "also", "or", "which", "however", "therefore", "though", "it", "he", "she",
    "they", "this", "that", "these", "those", "him", "her", "them", "there", "anyway", "plus", "yet", "too",
    "um", "uh", "er", "hmm", "sorry",
}  # fmt: skip
_THAI_DANGLING = ("และ", "แต่", "เพราะ", "ก็", "แล้วก็", "ซึ่ง", "ดังนั้น", "หรือ", "มัน", "เขา", "นั่น", "อันนี้")
_LISTED = re.compile(r"^(?:and |so )?(?:the )?(?:second|third|fourth|fifth|next|other)\b", re.IGNORECASE)
_HOOKS = re.compile(
    r"\b(secret|mistake|mistakes|never|nobody|everybody|truth|surprising|wrong|free|stop|worst|best|why|how to|imagine|"
    r"the reason|most people|you need|you should)\b|ความลับ|ผิดพลาด|ห้าม|ทำไม|วิธี|เคล็ดลับ|อย่า",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"\d|\b(two|three|four|five|six|seven|eight|nine|ten|hundred|thousand|million|percent|half|twice|double)\b|"
    r"เปอร์เซ็นต์|ล้าน|หมื่น|แสน",
    re.IGNORECASE,
)
_WEIGHTS = {
    "hook_question": 16.0,
    "hook_claim": 11.0,
    "clean_start": 14.0,
    "complete": 16.0,
    "one_thought": 20.0,
    "keywords": 18.0,
    "numbers": 8.0,
    "energy": 12.0,
    "pace": 8.0,
    "length": 8.0,
}
REASON_FROM = 0.55  # a feature at least this strong is named
MOST_REASONS = 4


@dataclass(frozen=True)
class Short:
    """One clip: ``start``–``end`` seconds of the source, sentences ``first`` until ``last``, score 0–100.

    ``reasons``, the strongest first and at most four, are message keys below ``shorts.reason``: hook_question,
    hook_claim, clean_start, complete, one_thought, keywords, numbers, energy, pace, length.
    """

    start: float
    end: float
    first: int
    last: int
    score: float
    reasons: tuple[str, ...]
    title: str
    text: str


def find_shorts(
    words: Sequence[Word],
    duration: float,
    *,
    count: int,
    min_seconds: float,
    max_seconds: float,
    levels_db: Sequence[float] = (),
    hop_seconds: float = 0.05,
    kept_seconds: Callable[[float, float], float] | None = None,
) -> list[Short]:
    """At most ``count`` clips that do not overlap, best first.

    Args:
        words: the whole talk in seconds of the source.
        duration: of the source.
        levels_db: level envelope (dBFS every ``hop_seconds``); without it energy counts nothing.
        kept_seconds: how long a stretch of the source is in the result, when pauses or mistakes are cut; the limits
            hold for that length.
    """
    measure = kept_seconds or (lambda start, end: end - start)
    spoken = _at_most(sentences(words), words, max_seconds)
    if not spoken:
        return []
    phrases = TalkPhrases([sentence.text for sentence in spoken])
    judge = _Judge(spoken, words, phrases, levels_db, hop_seconds, min_seconds, max_seconds)
    starts = [_lead(spoken, index) for index in range(len(spoken))]
    ends = [_tail(spoken, index, duration) for index in range(len(spoken))]
    found: list[Short] = []
    for first in range(len(spoken)):
        for last in range(first + 1, len(spoken) + 1):
            length = measure(starts[first], ends[last - 1])
            if length > max_seconds:
                break
            if length >= min_seconds:
                found.append(judge.short(first, last, starts[first], ends[last - 1], length))
    chosen = sorted(_best_set(found, count), key=lambda short: -short.score)
    titled: list[Short] = []
    for short in chosen:
        title = headline(spoken, short.first, short.last, phrases, [other.title for other in titled])
        text = join(sentence.text for sentence in spoken[short.first : short.last])
        titled.append(replace(short, title=title, text=text))
    return titled


class _Judge:
    def __init__(
        self,
        spoken: Sequence[Sentence],
        words: Sequence[Word],
        phrases: TalkPhrases,
        levels_db: Sequence[float],
        hop_seconds: float,
        min_seconds: float,
        max_seconds: float,
    ) -> None:
        self._spoken = spoken
        self._limits = (min_seconds, max_seconds)
        self._weight = _sums([phrases.sentence_weight(index) for index in range(len(spoken))])
        self._voiced = _sums([max(0.0, word.end - word.start) for word in words])
        self._numbers = _sums([float(bool(_NUMBER.search(sentence.text))) for sentence in spoken])
        self._borders = borders(spoken)
        self._idle = _sums([float(is_housekeeping(sentence.text)) for sentence in spoken])
        self._hop = hop_seconds
        audible = [max(level, -60.0) for level in levels_db]
        self._levels = _sums(audible)
        self._mean, self._spread = (fmean(audible), pstdev(audible)) if audible else (0.0, 0.0)
        length = sum(sentence.end - sentence.start for sentence in spoken)
        self._density = self._weight[-1] / length if length else 0.0
        self._pace = self._voiced[-1] / max(1e-6, spoken[-1].end - spoken[0].start)

    def short(self, first: int, last: int, start: float, end: float, length: float) -> Short:
        features = self._features(first, last, start, end, length)
        total = sum(_WEIGHTS.values()) - _WEIGHTS["hook_claim"] - (0.0 if self._spread else _WEIGHTS["energy"])
        points = sum(_WEIGHTS[name] * value for name, value in features.items())
        named = sorted(
            (name for name, value in features.items() if value >= REASON_FROM and name != "length"),
            key=lambda name: -_WEIGHTS[name] * features[name],
        )
        if "one_thought" in named and "complete" in named:
            named.remove("complete")  # the same said twice
        score = round(min(100.0, max(1.0, 100.0 * points / total)), 1)
        return Short(start, end, first, last, score, tuple(named[:MOST_REASONS]) or ("length",), "", "")

    def _features(self, first: int, last: int, start: float, end: float, length: float) -> dict[str, float]:
        opening, closing = self._spoken[first], self._spoken[last - 1]
        hook = opening.text + " " + (self._spoken[first + 1].text if first + 1 < last else "")
        asks = opening.text.rstrip().endswith("?") and last - first > 1
        low, high = self._limits
        middle = (low + high) / 2
        seconds = max(end - start, 1e-6)
        density = (self._weight[last] - self._weight[first]) / seconds / self._density if self._density else 0.0
        voiced = (self._voiced[closing.last] - self._voiced[opening.first]) / seconds
        features = {
            "hook_question": 1.0 if asks else 0.0,
            "hook_claim": 0.0 if asks else float(bool(_HOOKS.search(hook))),
            "clean_start": 0.0 if _dangles(opening.text) or self._listed(first) else 1.0,
            "complete": (0.75 if closing.complete else 0.2) + (0.25 if self._pause_after(last - 1) >= 0.3 else 0.0),
            "one_thought": self._one_thought(first, last),
            "keywords": _ramp(density, 0.6, 1.5),
            "numbers": _ramp((self._numbers[last] - self._numbers[first]) / (last - first), 0.0, 0.4),
            "pace": _ramp(voiced / self._pace if self._pace else 0.0, 0.8, 1.15),
            "length": 1.0 - min(1.0, abs(length - middle) / max(high - low, 1e-6)),
        }
        if closing.text.rstrip().endswith("?"):
            features["complete"] *= 0.4  # a question left without its answer
        if self._spread:
            a, b = int(start / self._hop), min(len(self._levels) - 1, int(end / self._hop))
            mean = (self._levels[b] - self._levels[a]) / max(1, b - a)
            features["energy"] = _ramp((mean - self._mean) / self._spread, -0.4, 0.5)
        return features

    def _listed(self, first: int) -> bool:
        """Whether a clip would begin in the middle of a list ("the second mistake …" without the first)."""
        return bool(_LISTED.match(self._spoken[first].text)) and self._borders[first] < 0.6

    def _one_thought(self, first: int, last: int) -> float:
        """1 for a clip that begins and ends where thoughts do and holds no such border, 0 for one across two or with a
        greeting, a farewell or the like in it."""
        if self._idle[last] > self._idle[first]:
            return 0.0
        edges = (_ramp(self._borders[first], 0.1, 0.6) + _ramp(self._borders[last], 0.1, 0.6)) / 2
        inside = max(self._borders[first + 1 : last], default=0.0)
        return edges * (1.0 - _ramp(inside, 0.35, 0.75))

    def _pause_after(self, index: int) -> float:
        if index + 1 >= len(self._spoken):
            return float("inf")
        return self._spoken[index + 1].start - self._spoken[index].end


def _dangles(text: str) -> bool:
    said = tokens(text)
    if not said:
        return True
    if said[0] == "there" and said[1:2] in (["is"], ["are"]):
        return False
    return said[0] in _DANGLING or (has_thai(text) and text.startswith(_THAI_DANGLING))


def _ramp(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))


def _sums(values: Sequence[float]) -> list[float]:
    sums = [0.0]
    for value in values:
        sums.append(sums[-1] + value)
    return sums


def _lead(spoken: Sequence[Sentence], index: int) -> float:
    before = spoken[index - 1].end if index else 0.0
    return max(0.0, spoken[index].start - min(LEAD, max(0.0, spoken[index].start - before) / 2))


def _tail(spoken: Sequence[Sentence], index: int, duration: float) -> float:
    after = spoken[index + 1].start if index + 1 < len(spoken) else max(duration, spoken[index].end)
    return min(duration, spoken[index].end + min(TAIL, max(0.0, after - spoken[index].end) / 2))


def _at_most(spoken: Sequence[Sentence], words: Sequence[Word], longest: float) -> list[Sentence]:
    """Sentences of at most ``longest`` seconds: longer ones (speech without marks) are cut at their widest pauses."""
    result: list[Sentence] = []
    for sentence in spoken:
        if sentence.end - sentence.start <= longest or sentence.last - sentence.first < 2:
            result.append(sentence)
            continue
        middle = (sentence.start + sentence.end) / 2
        reach = (sentence.end - sentence.start) / 2
        cut = max(
            range(sentence.first + 1, sentence.last),
            key=lambda index: (
                words[index].start - words[index - 1].end
                + (0.3 if words[index - 1].word.endswith((",", ";", ":")) else 0.0)
                - 0.5 * abs(words[index].start - middle) / reach
            ),
        )  # fmt: skip
        for first, last in ((sentence.first, cut), (cut, sentence.last)):
            part = Sentence(
                first, last, words[first].start, words[last - 1].end, join(word.word for word in words[first:last])
            )
            result.extend(_at_most([part], words, longest))
    return result


def _best_set(found: Sequence[Short], count: int) -> list[Short]:
    """The clips without overlap, as many as wanted where possible, with the highest sum of scores."""
    ordered = sorted(found, key=lambda short: (short.end, short.start))
    ends = [short.end for short in ordered]
    before = [bisect_right(ends, short.start + 1e-9, 0, index) for index, short in enumerate(ordered)]
    total = len(ordered)
    layers: list[list[float]] = [[0.0] * (total + 1)]
    for _ in range(count):
        previous, layer = layers[-1], [float("-inf")] * (total + 1)
        for index, short in enumerate(ordered):
            layer[index + 1] = max(layer[index], previous[before[index]] + short.score)
        if layer[total] == float("-inf"):
            break
        layers.append(layer)
    chosen: list[Short] = []
    position = total
    for depth in range(len(layers) - 1, 0, -1):
        position = bisect_left(layers[depth], layers[depth][position], 1, position + 1)
        chosen.append(ordered[position - 1])
        position = before[position - 1]
    return chosen

"""A long recording in sub-clips: where they part, how good each is, what it is about (SPEC V6.1).

Every gap between two sentences has a strength: a new subject, a pause, a change of picture, an announcement ("let us
move on"), a jump in loudness. A stretch in which nobody speaks for long ("be right back") is part of no clip. Of all
ways to part what is between such breaks the one with the strongest borders is chosen, the wanted lengths kept.
Without speech the shots take the place of the sentences.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from statistics import fmean, median, pstdev

from core.video.headlines import headline
from core.video.keyphrases import TalkPhrases
from core.video.sentences import Sentence
from core.video.thoughts import announces
from core.video.topics import shifts

LEAD, TAIL = 0.3, 0.6  # seconds kept before the first and after the last word, half of a shorter pause
BORDER_FROM = 0.35  # a gap at least this strong parts two clips where the lengths allow it
SCENE_SECONDS = 2.0  # a change of picture this near to a gap belongs to it
AROUND_SECONDS = 10.0  # loudness is compared over so much before and after
MOST_BORDERS = 400
_WEIGHTS = {"topic": 0.55, "pause": 0.2, "announced": 0.15, "scene": 0.2, "energy": 0.1}
_REASON_FROM = 0.5
_TOO_LONG, _TOO_SHORT = 6.0, 3.0


@dataclass(frozen=True)
class Border:
    """A moment at which a clip may begin, 0–1 how good that is, why (:data:`_WEIGHTS`), and what is said then."""

    time: float
    strength: float
    reasons: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Chapter:
    """One sub-clip in seconds of the source, score 0–100. ``reasons`` are message keys below ``chapters.reason``:
    topic, pause, announced, scene (why it begins there), break (after a break), energy, speech (what it is like)."""

    start: float
    end: float
    title: str
    score: float
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Signals:
    """What was measured besides the words: levels in dBFS every ``hop_seconds``, changes of picture in seconds."""

    duration: float
    levels_db: Sequence[float] = ()
    hop_seconds: float = 0.01
    scene_cuts: Sequence[float] = ()


def moments_to_watch(spoken: Sequence[Sentence], most: int) -> list[float]:
    """The gaps at which a look at the picture may decide, at most ``most`` of them: the strongest by what is said."""
    strengths = _strengths(spoken, Signals(0.0))
    gaps = sorted(range(len(strengths)), key=lambda gap: -strengths[gap][0])[:most]
    return sorted((spoken[gap].end + spoken[gap + 1].start) / 2 for gap in gaps)


def find_chapters(
    spoken: Sequence[Sentence],
    signals: Signals,
    *,
    min_seconds: float,
    max_seconds: float,
    idle_seconds: float,
) -> tuple[list[Chapter], list[Border]]:
    """The proposed clips in order, and the borders at which they can be split further.

    Lengths are kept where breaks and sentences allow. A run between two breaks that is shorter than ``min_seconds``
    stands alone.
    """
    if not spoken:
        return [], []
    strengths = _strengths(spoken, signals)
    phrases = TalkPhrases([sentence.text for sentence in spoken])
    loudness = _Loudness(signals)
    chapters: list[Chapter] = []
    for first, last in _runs(spoken, idle_seconds):
        spans = [(sentence.start, sentence.end) for sentence in spoken[first:last]]
        inner = [strength for strength, _ in strengths[first : last - 1]]
        for begin, end in best_partition(spans, inner, min_seconds, max_seconds):
            why = strengths[first + begin - 1][1] if begin else (("break",) if first else ())
            taken = [chapter.title for chapter in chapters]
            chapters.append(_chapter(spoken, first + begin, first + end, why, phrases, loudness, signals, taken))
    rows = [
        Border(_lead(spoken, gap + 1), round(strength, 3), reasons, spoken[gap + 1].text[:80])
        for gap, (strength, reasons) in enumerate(strengths)
    ]
    best = sorted(rows, key=lambda row: -row.strength)[:MOST_BORDERS]
    return chapters, sorted(best, key=lambda row: row.time)


def find_parts(
    signals: Signals, *, min_seconds: float, max_seconds: float, idle_seconds: float, title: Callable[[int], str]
) -> tuple[list[Chapter], list[Border]]:
    """The same for a recording in which nobody speaks: parts of whole shots, parted where the picture changes and the
    sound with it. ``title`` names the n-th."""
    edges = [0.0, *(cut for cut in signals.scene_cuts if 0.5 < cut < signals.duration - 0.5), signals.duration]
    shots = list(pairwise(edges))
    loudness = _Loudness(signals)
    quiet = loudness.quiet_stretches(idle_seconds)
    heard = [shot for shot in shots if not any(low <= shot[0] and shot[1] <= high for low, high in quiet)]
    inner = [0.3 + 0.7 * loudness.jump(after[0]) for after in heard[1:]]
    broken = [index for index in range(1, len(heard)) if heard[index][0] - heard[index - 1][1] >= idle_seconds]
    chapters: list[Chapter] = []
    for first, last in zip([0, *broken], [*broken, len(heard)], strict=True):
        for begin, end in best_partition(heard[first:last], inner[first : last - 1], min_seconds, max_seconds):
            low, high = heard[first + begin][0], heard[first + end - 1][1]
            energy = loudness.energy(low, high)
            reasons: tuple[str, ...] = ("scene",) if begin or first else ()
            reasons += ("energy",) if energy >= 0.6 else ()
            chapters.append(
                Chapter(low, high, title(len(chapters) + 1), round(30 + 70 * energy, 1), reasons or ("scene",))
            )
    rows = [
        Border(shot[0], round(strength, 3), ("scene",), "") for shot, strength in zip(heard[1:], inner, strict=True)
    ]
    return chapters, sorted(sorted(rows, key=lambda row: -row.strength)[:MOST_BORDERS], key=lambda row: row.time)


def best_partition(
    spans: Sequence[tuple[float, float]], strengths: Sequence[float], min_seconds: float, max_seconds: float
) -> list[tuple[int, int]]:
    """``spans`` (seconds, in order) cut into runs, as indexes from–until, at the gaps with the highest ``strengths``.

    Every border counts as far as it is stronger than :data:`BORDER_FROM`; a run shorter or longer than wanted costs
    more than any border brings. Least cost by dynamic programming.
    """
    count = len(spans)
    best = [0.0] + [float("inf")] * count
    back = [0] * (count + 1)
    for last in range(1, count + 1):
        for first in range(last - 1, -1, -1):
            length = spans[last - 1][1] - spans[first][0]
            if length > 2 * max_seconds and last - first > 1:
                break
            over, under = length / max_seconds - 1, 1 - length / min_seconds
            cost = best[first] + _TOO_LONG * max(0.0, over) + _TOO_SHORT * max(0.0, under)
            cost -= strengths[last - 1] - BORDER_FROM if last < count else 0.0
            if cost < best[last]:
                best[last], back[last] = cost, first
    runs: list[tuple[int, int]] = []
    last = count
    while last:
        runs.append((back[last], last))
        last = back[last]
    return runs[::-1]


def _runs(spoken: Sequence[Sentence], idle_seconds: float) -> list[tuple[int, int]]:
    """Sentences from–until between breaks in which nobody speaks for ``idle_seconds``."""
    edges = [
        index
        for index in range(1, len(spoken))
        if spoken[index].start - spoken[index - 1].end >= idle_seconds
    ]  # fmt: skip
    return list(zip([0, *edges], [*edges, len(spoken)], strict=True))


def _strengths(spoken: Sequence[Sentence], signals: Signals) -> list[tuple[float, tuple[str, ...]]]:
    """Strength and reasons of each gap between two sentences."""
    if len(spoken) < 2:
        return []
    pauses = [max(0.0, after.start - before.end) for before, after in pairwise(spoken)]
    usual = max(median(pauses), 0.2)
    loudness = _Loudness(signals)
    heard = []
    for gap, pause in enumerate(pauses):
        before, after = spoken[gap], spoken[gap + 1]
        heard.append(
            {
                "pause": _ramp(pause / usual, 1.3, 3.0),
                "announced": float(announces(after.text)),
                "scene": float(
                    _any_between(signals.scene_cuts, before.end - SCENE_SECONDS, after.start + SCENE_SECONDS)
                ),
                "energy": loudness.jump((before.end + after.start) / 2),
            }
        )
    topics = _snapped(shifts(spoken), [_weighed(signs) for signs in heard])
    found = []
    for topic, signs in zip(topics, heard, strict=True):
        every = {"topic": topic, **signs}
        named = sorted(
            (name for name, value in every.items() if value >= _REASON_FROM), key=lambda name: -_WEIGHTS[name]
        )
        found.append((min(1.0, _weighed(every)), tuple(named)))
    return found


def _weighed(signs: Mapping[str, float]) -> float:
    return sum(_WEIGHTS[name] * value for name, value in signs.items())


def _snapped(topics: Sequence[float], others: Sequence[float]) -> list[float]:
    """Words tell a new subject's beginning to a sentence or two only: it is where another sign stands near by."""
    snapped = list(topics)
    for gap, other in enumerate(others):
        for near in range(max(0, gap - 2), min(len(topics), gap + 3)):
            if other > others[near] + 0.05:
                snapped[gap] = max(snapped[gap], topics[near] * (1 - 0.1 * abs(near - gap)))
    return snapped


def _chapter(
    spoken: Sequence[Sentence],
    first: int,
    last: int,
    why: tuple[str, ...],
    phrases: TalkPhrases,
    loudness: _Loudness,
    signals: Signals,
    taken: Sequence[str],
) -> Chapter:
    start, end = _lead(spoken, first), _tail(spoken, last - 1, signals.duration)
    energy = loudness.energy(start, end)
    talking = sum(sentence.end - sentence.start for sentence in spoken[first:last]) / max(end - start, 1e-6)
    subject = sum(phrases.sentence_weight(index) for index in range(first, last)) / max(end - start, 1e-6)
    usual = sum(phrases.sentence_weight(index) for index in range(len(spoken))) / max(
        sum(sentence.end - sentence.start for sentence in spoken), 1e-6
    )
    score = 40 * _ramp(subject / usual if usual else 0.0, 0.4, 1.2) + 30 * energy + 30 * _ramp(talking, 0.3, 0.9)
    like = [name for name, strong in (("energy", energy >= 0.6), ("speech", talking >= 0.85)) if strong]
    title = headline(spoken, first, last, phrases, taken)
    return Chapter(start, end, title, round(max(1.0, score), 1), (*why[:3], *like)[:4])


class _Loudness:
    """Mean levels of stretches, against the recording as a whole."""

    def __init__(self, signals: Signals) -> None:
        audible = [max(level, -60.0) for level in signals.levels_db]
        self._hop = signals.hop_seconds
        self._sums = list(accumulate(audible, initial=0.0))
        self._mean, self._spread = (fmean(audible), pstdev(audible)) if audible else (0.0, 0.0)

    def _level(self, start: float, end: float) -> float | None:
        count = len(self._sums) - 1
        low, high = (min(max(round(moment / self._hop), 0), count) for moment in (start, end))
        return (self._sums[high] - self._sums[low]) / (high - low) if high > low else None

    def energy(self, start: float, end: float) -> float:
        """0–1, one half where it is as loud as the recording; 0 without sound."""
        level = self._level(start, end)
        return 0.0 if level is None or not self._spread else _ramp((level - self._mean) / self._spread, -0.5, 0.5)

    def jump(self, moment: float) -> float:
        """0–1: how far loudness before and after a moment differ, 0 up to 3 dB and 1 from 9 dB."""
        before = self._level(moment - AROUND_SECONDS, moment)
        after = self._level(moment, moment + AROUND_SECONDS)
        return 0.0 if before is None or after is None else _ramp(abs(after - before), 3.0, 9.0)

    def quiet_stretches(self, least: float) -> list[tuple[float, float]]:
        """Stretches of at least ``least`` seconds that stay at −55 dBFS or below, judged by the second."""
        found: list[tuple[float, float]] = []
        for second in range(int((len(self._sums) - 1) * self._hop)):
            level = self._level(second, second + 1)
            if level is None or level > -55.0:
                continue
            if found and found[-1][1] == second:
                found[-1] = (found[-1][0], second + 1.0)
            else:
                found.append((float(second), second + 1.0))
        return [(low, high) for low, high in found if high - low >= least]


def _any_between(moments: Sequence[float], low: float, high: float) -> bool:
    index = bisect_left(moments, low)
    return index < len(moments) and moments[index] <= high


def _ramp(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))


def _lead(spoken: Sequence[Sentence], index: int) -> float:
    before = spoken[index - 1].end if index else 0.0
    return max(0.0, spoken[index].start - min(LEAD, max(0.0, spoken[index].start - before) / 2))


def _tail(spoken: Sequence[Sentence], index: int, duration: float) -> float:
    after = spoken[index + 1].start if index + 1 < len(spoken) else max(duration, spoken[index].end)
    return min(duration, spoken[index].end + min(TAIL, max(0.0, after - spoken[index].end) / 2))

"""Captions out of words: grouped by pause and sense, broken into lines, timed for reading, written as SRT and VTT.

Words are the truth; lines are made anew from them every time. Limits follow the usual subtitling guides (two lines,
about 38 letters a line, at most 20 letters a second), counted in display cells so that Thai fares equally.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.video.caption_styles import CaptionRules
from core.video.sentences import ends_sentence
from core.video.text import cells, clean, join, regroup_words
from core.video.timeline import Word

SHORTEST = 0.02  # seconds a word is shown at least
GAP = 0.04  # seconds between two subtitles, about one frame
_CLINGS = {
    "a", "an", "the", "of", "to", "in", "on", "at", "by", "for", "with", "from", "and", "or", "but", "is", "are", "was",
    "were", "my", "your", "our", "his", "her", "its", "their", "this", "that", "these", "those", "i", "we", "you",
    "not", "very", "no", "every", "each", "i'm", "it's", "we're", "you're", "don't", "can", "will", "would", "mr.",
    "dr.", "as", "than", "if", "because", "when", "who", "which",
}  # fmt: skip
_OPENS = {"and", "but", "or", "so", "because", "when", "if", "that", "which", "who", "while", "then", "than", "where"}
_THAI_OPENS = {"และ", "แต่", "หรือ", "เพราะ", "เมื่อ", "ถ้า", "ซึ่ง", "ที่", "แล้ว", "โดย", "ดังนั้น"}
_THAI_CLINGS = {"ที่", "ของ", "ใน", "และ", "การ", "ความ", "จะ", "ให้", "กับ", "เป็น", "ไม่", "ได้"}


@dataclass(frozen=True)
class Caption:
    """One text on the screen from ``start`` to ``end`` seconds; ``lines`` hold its words."""

    start: float
    end: float
    lines: tuple[tuple[Word, ...], ...]

    @property
    def words(self) -> tuple[Word, ...]:
        """All words in order."""
        return tuple(word for line in self.lines for word in line)

    @property
    def texts(self) -> list[str]:
        """The lines as text."""
        return [join(word.word for word in line) for line in self.lines]


def build_captions(words: Sequence[Word], rules: CaptionRules) -> list[Caption]:
    """Captions that keep ``rules`` as far as the speech allows; times as those of the words.

    A word longer than a line stands alone on it. Reading speed is met by letting a text stay into the pause after it;
    where someone speaks faster than people read, the words still appear when they are said.
    """
    prepared = _in_order(regroup_words(words))
    captions: list[Caption] = []
    for block in _blocks(prepared, rules.pause_seconds):
        for group in _groups(block, rules):
            captions.append(Caption(group[0].start, group[-1].end, _lines(group, rules)))
    return _timed(captions, rules)


def _in_order(words: Sequence[Word]) -> list[Word]:
    """The words one after the other, each at least ``SHORTEST`` long and none into the next."""
    result: list[Word] = []
    floor = 0.0
    for word in sorted(words, key=lambda item: item.start):
        start = max(word.start, floor)
        if result and result[-1].end > start:
            result[-1] = result[-1].model_copy(update={"end": start})
        result.append(word.model_copy(update={"start": start, "end": max(word.end, start + SHORTEST)}))
        floor = start + SHORTEST
    return result


def _blocks(words: Sequence[Word], pause_seconds: float) -> list[list[Word]]:
    blocks: list[list[Word]] = []
    for index, word in enumerate(words):
        before = words[index - 1] if index else None
        if before is None or ends_sentence(before.word) or word.start - before.end >= pause_seconds:
            blocks.append([])
        blocks[-1].append(word)
    return blocks


def _break_cost(left: Word, right: Word) -> float:
    """How bad it is to break between two words: 0 after a mark, 1 as usual, more inside a phrase."""
    tail, head = left.word.lower(), right.word.lower().strip("\"'“‘(")
    pause = max(0.0, right.start - left.end)
    if ends_sentence(left.word):
        return 0.0
    if re.search(r"[,;:—–]$", tail):
        return 0.1
    cost = 1.0 - min(pause, 0.5)
    if head in _OPENS or head in _THAI_OPENS:
        cost -= 0.5
    if tail in _CLINGS or tail in _THAI_CLINGS:
        cost += 1.5
    return max(cost, 0.05)


def _groups(block: Sequence[Word], rules: CaptionRules) -> list[list[Word]]:
    """The block cut into captions, as even as possible and at good places (least cost, dynamic programming)."""

    def cost(first: int, last: int) -> float | None:
        group = block[first:last]
        if last - first > 1:
            if rules.max_words and last - first > rules.max_words:
                return None
            if group[-1].end - group[0].start > rules.max_seconds or not _fits(group, rules):
                return None
        room = rules.max_cells * rules.max_lines
        fill = cells(join(word.word for word in group)) / room
        if rules.max_words:
            fill = max(fill, (last - first) / rules.max_words)
        edge = 0.0 if last == len(block) else _break_cost(block[last - 1], block[last])
        return 1.0 + (1 - min(fill, 1.0)) ** 2 + edge

    reach = rules.max_words or rules.max_cells * rules.max_lines
    return _cheapest(block, cost, reach)


def _fits(group: Sequence[Word], rules: CaptionRules) -> bool:
    lines, room = 1, 0
    line: list[str] = []
    for word in group:
        room = cells(join([*line, word.word]))
        if line and room > rules.max_cells:
            lines += 1
            line = []
        line.append(word.word)
        if lines > rules.max_lines:
            return False
    return True


def _lines(group: Sequence[Word], rules: CaptionRules) -> tuple[tuple[Word, ...], ...]:
    if cells(join(word.word for word in group)) <= rules.max_cells or rules.max_lines == 1:
        return (tuple(group),)
    total = cells(join(word.word for word in group))

    def cost(first: int, last: int) -> float | None:
        width = cells(join(word.word for word in group[first:last]))
        if last - first > 1 and width > rules.max_cells:
            return None
        edge = 0.0 if last == len(group) else _break_cost(group[last - 1], group[last])
        return 3 * ((width - total / rules.max_lines) / rules.max_cells) ** 2 + 0.5 * edge + 0.2

    return tuple(tuple(line) for line in _cheapest(group, cost, len(group), rules.max_lines))


def _cheapest(
    words: Sequence[Word],
    cost: Callable[[int, int], float | None],
    reach: int,
    most_parts: int | None = None,
) -> list[list[Word]]:
    """The cut of ``words`` with the least total cost; a part of one word is always allowed."""
    count = len(words)
    layers = most_parts or 1
    limited = most_parts is not None
    infinite = float("inf")
    best = [[infinite] * (count + 1) for _ in range(layers + 1)]
    back = [[0] * (count + 1) for _ in range(layers + 1)]
    best[0][0] = 0.0
    for last in range(1, count + 1):
        for first in range(last - 1, max(-1, last - 1 - reach), -1):
            price = cost(first, last)
            if price is None:
                break
            if limited:
                for layer in range(1, layers + 1):
                    total = best[layer - 1][first] + price
                    if total < best[layer][last]:
                        best[layer][last], back[layer][last] = total, first
            else:
                total = best[0][first] + price
                if total < best[0][last]:
                    best[0][last], back[0][last] = total, first
    layer = min(range(1, layers + 1), key=lambda index: best[index][count]) if limited else 0
    if best[layer][count] == infinite:
        return [list(words)]
    parts: list[list[Word]] = []
    last = count
    while last > 0:
        first = back[layer][last]
        parts.append(list(words[first:last]))
        last, layer = first, layer - 1 if limited else 0
    return parts[::-1]


def _timed(captions: Sequence[Caption], rules: CaptionRules) -> list[Caption]:
    timed: list[Caption] = []
    gap = 0.0 if rules.max_words else GAP  # groups that follow the voice must not blink
    for index, caption in enumerate(captions):
        latest = captions[index + 1].start - gap if index + 1 < len(captions) else float("inf")
        letters = cells(join(caption.texts))
        needed = max(rules.min_seconds, letters / rules.max_cells_per_second)
        wanted = max(caption.end, min(caption.start + needed, caption.end + max(rules.linger_seconds, 1.5)))
        if latest - caption.end <= rules.linger_seconds:
            wanted = max(wanted, latest)  # a short pause is no reason to blink
        end = max(min(wanted, latest), min(caption.start + 0.05, latest + gap))
        timed.append(Caption(caption.start, end, caption.lines))
    return timed


def srt(captions: Sequence[Caption]) -> str:
    """SubRip text. What could end a cue early (an arrow, a line break) is taken out of the words."""
    cues = []
    for number, caption in enumerate(captions, start=1):
        lines = "\n".join(clean(line).replace("-->", "→") for line in caption.texts)
        cues.append(f"{number}\n{_clock(caption.start, ',')} --> {_clock(caption.end, ',')}\n{lines}\n")
    return "\n".join(cues)


def vtt(captions: Sequence[Caption], language: str = "") -> str:
    """WebVTT text (W3C), with the characters that mean something there escaped."""
    cues = ["WEBVTT\n"] if not language else [f"WEBVTT\nLanguage: {language}\n"]
    for caption in captions:
        lines = "\n".join(_escape_vtt(clean(line)) for line in caption.texts)
        cues.append(f"{_clock(caption.start, '.')} --> {_clock(caption.end, '.')}\n{lines}\n")
    return "\n".join(cues)


def _escape_vtt(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clock(seconds: float, mark: str) -> str:
    total = max(0, round(seconds * 1000))
    return f"{total // 3_600_000:02d}:{total // 60_000 % 60:02d}:{total // 1000 % 60:02d}{mark}{total % 1000:03d}"

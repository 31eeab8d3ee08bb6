"""Sentences out of words with times, for cutting, captions and clips."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.video.text import has_thai, join
from core.video.timeline import Word

_FINAL = re.compile(r"[.!?。！？…]+[\"'”’)\]]*$")
_ABBREVIATION = re.compile(r"^(mr|mrs|ms|dr|st|vs|e\.g|i\.e|etc|prof|no|approx|[a-z])\.$", re.IGNORECASE)
_THAI_FINAL = ("ครับ", "ค่ะ", "คะ", "นะครับ", "นะคะ", "จ้ะ", "จ้า")
_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*", re.UNICODE)


@dataclass(frozen=True)
class Sentence:
    """Words ``first`` (inclusive) to ``last`` (exclusive) and their times in seconds."""

    first: int
    last: int
    start: float
    end: float
    text: str

    @property
    def complete(self) -> bool:
        """Whether it ends as sentences end (a mark, or a Thai closing particle)."""
        return ends_sentence(self.text)


def ends_sentence(text: str) -> bool:
    """Whether ``text`` closes a sentence."""
    tail = text.rsplit(" ", 1)[-1]
    if _FINAL.search(text):
        return not _ABBREVIATION.match(tail)
    return has_thai(tail) and tail.endswith(_THAI_FINAL)


def tokens(text: str) -> list[str]:
    """The words of ``text`` in lower case without punctuation."""
    from core.video.text import thai_words

    words = thai_words(text) if has_thai(text) else [text]
    found: list[str] = []
    for word in words:
        if has_thai(word):
            found.append(word.strip("ๆ.,!?\"'()“”‘’"))
        else:
            found.extend(match.replace("’", "'") for match in _TOKEN.findall(word.lower()))
    return [token for token in found if token]


def sentences(words: Sequence[Word], pause_seconds: float = 0.9) -> list[Sentence]:
    """Words grouped at closing marks, at pauses of at least ``pause_seconds`` and at Thai closing particles.

    A Thai particle closes only before a pause of 0.15 s or more; it also stands inside sentences.
    """
    result: list[Sentence] = []
    first = 0
    for index, word in enumerate(words):
        gap = words[index + 1].start - word.end if index + 1 < len(words) else float("inf")
        closes = bool(_FINAL.search(word.word)) and not _ABBREVIATION.match(word.word)
        particle = has_thai(word.word) and word.word.endswith(_THAI_FINAL) and gap >= 0.15
        if closes or particle or gap >= pause_seconds:
            result.append(
                Sentence(
                    first=first,
                    last=index + 1,
                    start=words[first].start,
                    end=max(item.end for item in words[first : index + 1]),
                    text=join(item.word for item in words[first : index + 1]),
                )
            )
            first = index + 1
    return result

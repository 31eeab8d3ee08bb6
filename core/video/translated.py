"""Translated sentences as words with times, so that captions are made of them as of spoken ones (SPEC V3.3).

A sentence is shown while it is said: its words share the time of the original's words by their length, so that a pause
in the middle of a sentence stays one. Lines are broken anew by the rules of the new language afterwards.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from core.video.sentences import Sentence
from core.video.text import cells, clean, has_thai, thai_words, unspaced
from core.video.timeline import Word

_NO_LINE_START = set("、。，．・：；？！」』）】〉》〕］｝”’ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ,.!?:;)]}%…")
_NO_LINE_END = set("「『（【〈《〔［｛“‘([{")


def translated_words(spoken: Sequence[Sentence], words: Sequence[Word], texts: Sequence[str]) -> tuple[Word, ...]:
    """The words of ``texts``, one text for each sentence of ``words``, in the time of the sentences."""
    result: list[Word] = []
    for sentence, text in zip(spoken, texts, strict=True):
        result += _in_time(words[sentence.first : sentence.last], split_words(text))
    return tuple(result)


def split_words(text: str) -> list[str]:
    """A text cut where a line may be broken: at spaces, in Thai between words, in Chinese and Japanese between
    characters that may begin or end a line (the usual kinsoku rules)."""
    parts: list[str] = []
    for chunk in thai_words(clean(text)) if has_thai(text) else clean(text).split():
        parts += _characters(chunk) if any(_east_asian(char) for char in chunk) else [chunk]
    return parts


def _east_asian(char: str) -> bool:
    return unicodedata.east_asian_width(char) in ("W", "F") and unspaced(char)


def _characters(chunk: str) -> list[str]:
    parts: list[str] = []
    for char in chunk:
        before = parts[-1] if parts else ""
        joins = before and (
            char in _NO_LINE_START
            or before[-1] in _NO_LINE_END
            or unicodedata.category(char) in ("Mn", "Me")
            or (not _east_asian(char) and not _east_asian(before[-1]) and before[-1] not in _NO_LINE_START)
        )
        if joins:
            parts[-1] += char
        else:
            parts.append(char)
    return parts


def _in_time(original: Sequence[Word], texts: Sequence[str]) -> list[Word]:
    """``texts`` over the time in which ``original`` is said: the n-th part of the letters in the n-th part of the
    original's letters."""
    if not original or not texts:
        return []
    lengths = [max(1, cells(word.word)) for word in original]
    total, wanted = sum(lengths), [max(1, cells(text)) for text in texts]
    whole = sum(wanted)
    placed: list[Word] = []
    position = 0
    for text, length in zip(texts, wanted, strict=True):
        start = _moment(original, lengths, total * position / whole, late=True)
        position += length
        end = _moment(original, lengths, total * position / whole, late=False)
        placed.append(Word(word=text, start=start, end=max(end, start)))
    return placed


def _moment(original: Sequence[Word], lengths: Sequence[int], letters: float, *, late: bool) -> float:
    """When so many letters of the original have been said; between two words the end of one or the start of the other
    (``late``)."""
    before = 0.0
    for word, length in zip(original, lengths, strict=True):
        inside = letters - before
        if inside < length - 1e-9 or (not late and inside <= length + 1e-9):
            return word.start + (word.end - word.start) * min(1.0, max(0.0, inside / length))
        before += length
    return original[-1].end

"""Hesitations, false starts and repeated takes in a transcript (SPEC V2.2, V2.3).

Precision before recall: a word that carries meaning anywhere is never on the lists, and parallel sentences ("the first
step …", "the second step …") are not takes of one sentence.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from core.video.cuts import Removal, cut_words
from core.video.sentences import Sentence, tokens
from core.video.text import has_thai, join
from core.video.timeline import Word

_ENGLISH_FILLER = re.compile(r"^(u+h*m+|u+h+|e+r+m*|a+h*m+|h+m+|m+h*m+|eh+)$")
_THAI_FILLERS = {"เอ่อ", "เอ้อ", "เอิ่ม", "เอิ่มม", "อ่า", "อ้า", "อืม", "อืมม", "อึม", "อื้ม", "เออ่"}
_STUTTERED = {
    "i", "a", "an", "the", "and", "to", "of", "in", "it", "is", "we", "you", "he", "she", "they", "my", "our", "your",
    "but", "if", "for", "with", "this", "so", "or", "on", "at", "what", "when", "it's", "i'm", "we're", "there's",
}  # fmt: skip
_RETAKE = {
    "again", "sorry", "let me try again", "let me try that again", "let me do that again", "one more time", "take two",
    "take three", "let me start over", "start over", "scratch that", "let me rephrase", "no wait", "wait", "oops",
    "let me say that again", "i'll say that again", "try again", "ok again", "okay again", "once more",
}  # fmt: skip
_THAI_RETAKE = ("ขอใหม่", "เอาใหม่", "พูดใหม่", "อีกที", "อีกครั้ง", "ขอโทษ", "เริ่มใหม่")
_EMPTY_WORDS = _STUTTERED | {
    "that", "these", "those", "be", "are", "was", "were", "do", "does", "did", "have", "has", "had", "as", "by", "just",
    "really", "very", "well", "now", "then", "will", "would", "can", "could", "should", "going", "gonna", "me", "us",
    "them", "him", "her", "his", "their", "its", "from", "about", "let's", "we'll", "i'll", "you'll", "that's", "okay",
    "ok", "not", "no", "yes",
}  # fmt: skip
MAX_TAKE_DISTANCE = 5
MAX_TAKE_SECONDS = 45.0


def find_fillers(words: Sequence[Word], extra: Iterable[str] = ()) -> list[Removal]:
    """Hesitation sounds (English and Thai), the phrases in ``extra``, and false starts, as removals.

    A false start is a broken-off word ("recor-"), a little word said twice ("the the"), or two to five words said
    twice in a row ("and then we and then we go"); the earlier one goes.
    """
    plain = [_plain(word.word) for word in words]
    phrases = [phrase for phrase in (tuple(tokens(text)) for text in extra) if phrase]
    struck: set[int] = set()
    for index, token in enumerate(plain):
        if _ENGLISH_FILLER.match(token) or token in _THAI_FILLERS:
            struck.add(index)
        if re.search(r"\w[-–—]$", words[index].word.strip()) and _broken_off(plain, index):
            struck.add(index)
        for phrase in phrases:
            if tuple(plain[index : index + len(phrase)]) == phrase:
                struck.update(range(index, index + len(phrase)))
    struck |= _said_twice(words, plain, struck)
    return [cut_words(words, first, last, "filler") for first, last in _runs(sorted(struck))]


def hesitation_cuts(words: Sequence[Word], sounds: Sequence[tuple[float, float]], rest: float = 0.15) -> list[Removal]:
    """Removals of hesitations that were heard but not written down (``sounds``, seconds from–to between the words),
    with the pauses around them, of which ``rest`` seconds stay beside the words."""
    starts, ends = [word.start for word in words], [word.end for word in words]
    removals: list[Removal] = []
    for start, end in sounds:
        after = bisect_left(starts, end)
        before = ends[after - 1] if after else None
        text = "เอ่อ…" if has_thai("".join(word.word for word in words[max(after - 3, 0) : after + 3])) else "um…"
        first = start - rest if before is None else min(start, before + rest)
        last = max(end, starts[after] - rest) if after < len(words) else end + rest
        if removals and removals[-1].end >= first:
            removals[-1] = replace(removals[-1], end=last)
        else:
            removals.append(Removal(max(first, 0.0), last, "filler", text))
    return removals


def _plain(text: str) -> str:
    return "".join(tokens(text)) or text.strip().lower()


def _broken_off(plain: Sequence[str], index: int) -> bool:
    """Whether the next word starts with what was broken off ("recor-" "recording")."""
    stem = plain[index]
    return any(later.startswith(stem) for later in plain[index + 1 : index + 3])


def _said_twice(words: Sequence[Word], plain: Sequence[str], struck: set[int]) -> set[int]:
    indexes = [index for index in range(len(plain)) if index not in struck]
    found: set[int] = set()
    position = 0
    while position < len(indexes):
        for length in (5, 4, 3, 2, 1):
            first = indexes[position : position + length]
            second = indexes[position + length : position + 2 * length]
            if len(second) < length or [plain[i] for i in first] != [plain[i] for i in second]:
                continue
            if length == 1 and plain[first[0]] not in _STUTTERED:
                continue
            if re.search(r"[.!?]$", words[first[-1]].word) or words[second[0]].start - words[first[-1]].end > 2.0:
                continue
            if length > 1 and all(plain[i] == plain[first[0]] for i in first):
                continue  # "very very very very" is emphasis
            found.update(first)
            position += length - 1
            break
        position += 1
    return found


def _runs(indexes: Sequence[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for index in indexes:
        if runs and runs[-1][1] == index:
            runs[-1] = (runs[-1][0], index + 1)
        else:
            runs.append((index, index + 1))
    return runs


def find_repeats(words: Sequence[Word], spoken: Sequence[Sentence]) -> list[Removal]:
    """Earlier takes of a sentence said again within the next few sentences; the last complete take stays.

    What lies between two takes must belong to the retake: remarks ("sorry, let me try that again"), which go too, or
    sentences that are said again as well. Otherwise a repetition is taken for intended.
    """
    spoken = _remarks_apart(words, spoken)
    said = [tokens(sentence.text) for sentence in spoken]
    remarks = {index for index, sentence in enumerate(spoken) if _remark(said[index], sentence.text)}
    removed: set[int] = set()
    taken: set[int] = set()

    def belongs(index: int, late: int) -> bool:
        if index in removed or index in taken or index in remarks:
            return True
        return any(same(index, later, False) for later in _window(spoken, late, MAX_TAKE_DISTANCE))

    def same(early: int, late: int, marked: bool) -> bool:
        if len(said[late]) < 3:
            return False
        broken = marked or not spoken[early].complete or spoken[early].text.endswith(("...", "…"))
        if marked and _same_beginning(said[early], said[late]):
            return True
        return _take_of(said[early], said[late], marked) or (broken and _began(said[early], said[late]))

    for early in range(len(spoken)):
        if early in removed or early in remarks or len(said[early]) < 3:
            continue
        for late in _window(spoken, early, MAX_TAKE_DISTANCE):
            between = range(early + 1, late)
            if spoken[late].start - spoken[early].end > MAX_TAKE_SECONDS:
                break
            marked = any(index in remarks for index in between)
            if late in remarks or not same(early, late, marked):
                continue
            if not all(belongs(index, late) for index in between):
                break
            aborted = len(said[late]) < 0.7 * len(said[early]) and not spoken[late].complete
            removed.add(late if aborted else early)
            taken.add(early if aborted else late)
            removed.update(index for index in between if index in remarks)
            if not aborted:
                break
    return [
        cut_words(words, spoken[first].first, spoken[last - 1].last, "repeat") for first, last in _runs(sorted(removed))
    ]


def _remarks_apart(words: Sequence[Word], spoken: Sequence[Sentence]) -> list[Sentence]:
    """The sentences with announcements of a retake as sentences of their own: recognisers write "… about the, sorry,
    let me say that again." in one go."""
    result: list[Sentence] = []
    for sentence in spoken:
        edges = [
            index
            for index in range(sentence.first + 1, sentence.last)
            if re.search(r"[,;:…—-]$", words[index - 1].word) or words[index].start - words[index - 1].end >= 0.3
        ]
        tail = next((edge for edge in edges if _is_remark(words, edge, sentence.last)), None)
        head = None if tail else next((edge for edge in edges[::-1] if _is_remark(words, sentence.first, edge)), None)
        cut = tail or head
        bounds = [(sentence.first, sentence.last)] if cut is None else [(sentence.first, cut), (cut, sentence.last)]
        for first, last in bounds:
            text = join(word.word for word in words[first:last])
            end = max(word.end for word in words[first:last])
            result.append(Sentence(first, last, words[first].start, end, text))
    return result


def _is_remark(words: Sequence[Word], first: int, last: int) -> bool:
    text = join(word.word for word in words[first:last])
    return last - first > 1 and _remark(tokens(text), text)


def _same_beginning(early: Sequence[str], late: Sequence[str]) -> bool:
    """Whether an announced retake begins as the broken take did, however that one went on before it broke."""
    pairs = list(zip(early, late, strict=False))
    same = next((index for index, (one, other) in enumerate(pairs) if one != other), len(pairs))
    return same >= max(3, math.ceil(0.6 * len(early))) and any(token not in _EMPTY_WORDS for token in early[:same])


def _window(spoken: Sequence[Sentence], index: int, size: int) -> range:
    return range(index + 1, min(len(spoken), index + 1 + size))


def _remark(said: Sequence[str], text: str) -> bool:
    if len(said) > 8:
        return False
    if any(mark in text for mark in _THAI_RETAKE):
        return True
    phrase = " ".join(token for token in said if token not in {"okay", "ok", "um", "uh", "no", "i'm", "so"})
    return phrase in _RETAKE or any(phrase.startswith(mark + " ") or phrase.endswith(" " + mark) for mark in _RETAKE
                                    if " " in mark)  # fmt: skip


def _take_of(early: Sequence[str], late: Sequence[str], marked: bool) -> bool:
    """Whether ``late`` says again what ``early`` said; ``marked`` when the speaker announced it.

    Small words may come, go and change; a word with meaning may only be heard a little differently.
    """
    if sum(token not in _EMPTY_WORDS for token in early) == 0:
        return False
    if len(early) < 4 and not marked:
        return list(early) == list(late) and sum(token not in _EMPTY_WORDS for token in early) >= 2
    same = 0
    for tag, a0, a1, b0, b1 in SequenceMatcher(None, early, late, autojunk=False).get_opcodes():
        if tag == "equal":
            same += a1 - a0
        elif tag == "replace":
            for left, right in zip(early[a0:a1], late[b0:b1], strict=False):
                if SequenceMatcher(None, left, right).ratio() >= 0.75 and not (left.isdigit() or right.isdigit()):
                    same += 1
                elif not marked and left not in _EMPTY_WORDS and right not in _EMPTY_WORDS:
                    return False
    return 2 * same / (len(early) + len(late)) >= (0.7 if marked else 0.82)


def _began(early: Sequence[str], late: Sequence[str]) -> bool:
    """Whether ``early`` broke off: its words are how ``late`` begins, the last one perhaps cut short."""
    if len(early) < 3 or len(early) >= len(late) or all(token in _EMPTY_WORDS for token in early):
        return False
    head, last = list(early[:-1]), early[-1]
    return head == list(late[: len(head)]) and late[len(head)].startswith(last)

"""Where a talk turns to its next thought: how strong the border before each sentence is, 0–1.

Three signs add up: a pause longer than this speaker's usual one, words that announce something new ("the second habit",
"next", "สุดท้าย"), and a change of vocabulary between the sentences on either side (TextTiling, Hearst 1997).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from core.video.keyphrases import is_stopword
from core.video.sentences import Sentence, tokens

_WINDOW = 3
_ORDINAL = r"(?:one|two|three|four|five|six|seven|eight|nine|ten|\d{1,2})"
_ANNOUNCES = re.compile(
    rf"^(?:(?:so|and|now|okay|ok|well|alright|um|uh)[ ,]+)*(?:"
    rf"(?:(?:the|my|our|your) )?(?:first|second|third|fourth|fifth|sixth|seventh|next|last|final|other) [a-z]+ "
    rf"|(?:\w+ )?number {_ORDINAL}\b|(?:step|tip|rule|part|lesson|chapter|point|reason|mistake) {_ORDINAL}\b"
    r"|next\b|finally\b|another \w+|moving on\b|let(?: u|')s (?:talk|move|look)|here (?:is|are)\b|here's\b"
    r"|first,|second,|third,|secondly\b|thirdly\b|lastly\b"
    rf"|(?:there are|i have|here come) {_ORDINAL} )",
    re.IGNORECASE,
)
_COUNTS = re.compile(rf"\b{_ORDINAL} (?:[\w'-]+ ){{0,2}}\w+s\b", re.IGNORECASE)
_FIRST = re.compile(r"^(?:the )?first\b", re.IGNORECASE)
_HOUSEKEEPING = re.compile(
    r"\b(?:welcome (?:back|to)|that(?: i|')s all\b|that was that|see you (?:next|in|soon|later)|good ?bye|subscribe|"
    r"thank(?:s| you) for (?:watching|listening|being)|let(?: u|')s move on|moving on)\b|"
    r"^(?:and so on|okay|ok|alright|thank you|thanks)[.!]*$|สวัสดี|กดติดตาม|กดไลก์|ลาไปก่อน|เจอกันใหม่|ขอบคุณที่",
    re.IGNORECASE,
)
_THAI_ANNOUNCES = ("ข้อแรก", "ข้อที่", "ข้อต่อไป", "อันดับ", "ต่อไป", "สุดท้าย", "ทีนี้", "อย่างแรก", "อย่างที่", "เรื่องต่อไป", "มาดู")


def borders(spoken: Sequence[Sentence]) -> list[float]:
    """For each sentence how strongly a new thought begins with it; the first and the end (one more) count 1."""
    if not spoken:
        return [1.0]
    pauses = [max(0.0, after.start - before.end) for before, after in pairwise(spoken)]
    usual = max(median(pauses), 0.2) if pauses else 0.5
    said = [Counter(token for token in tokens(sentence.text) if not is_stopword(token)) for sentence in spoken]
    strengths = [1.0]
    for index, pause in enumerate(pauses, start=1):
        longer = min(max((pause / usual - 1.3) / 2.0, 0.0), 1.0)
        text = spoken[index].text
        announced = float(announces(text))
        if announced and _FIRST.match(text) and _COUNTS.search(spoken[index - 1].text):
            announced = 0.0  # "There are three mistakes. The first mistake is …"
        change = 1.0 - _likeness(said[max(0, index - _WINDOW) : index], said[index : index + _WINDOW])
        # An announcement alone may be the next item of a list: with a pause it is the next chapter.
        strengths.append(min(1.0, 0.6 * longer + (0.2 + 0.2 * longer) * announced + 0.2 * change))
    return [*strengths, 1.0]


def announces(text: str) -> bool:
    """Whether a sentence says that something new begins ("the next mistake is", "let us look at", "ข้อต่อไป")."""
    return bool(_ANNOUNCES.match(text)) or text.startswith(_THAI_ANNOUNCES)


def is_housekeeping(text: str) -> bool:
    """Whether a sentence greets, takes leave or leads over: nothing that a clip should show."""
    return bool(_HOUSEKEEPING.search(text))


def _likeness(before: Sequence[Counter[str]], after: Sequence[Counter[str]]) -> float:
    """Cosine of the words of two passages."""
    left, right = sum(before, Counter[str]()), sum(after, Counter[str]())
    shared = sum(left[word] * right[word] for word in left.keys() & right.keys())
    sizes = sum(value**2 for value in left.values()) * sum(value**2 for value in right.values())
    return float(shared / sizes**0.5) if sizes else 0.0

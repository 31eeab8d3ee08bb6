"""What of a language model's words may be shown: cells it names become values, numbers of its own end it (A4)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from typing import Final

from core.advisor.render import Draft
from core.advisor.results import Result
from core.advisor.text import plain
from core.video.text import thai_words

LINES, LINE_LIMIT = 40, 1000
_CELL: Final = re.compile(r"\[\[\s*(q\d{1,2})\s*:\s*([\w.]{1,60})\s*\]\]")
_WORDS: Final = re.compile(
    r"\b(zero|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
    r"|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundreds?|thousands?|millions?|billions?|dozens?"
    r"|doubled?|tripled?|quadrupled?|twice|thrice|half|halved)\b",
    re.IGNORECASE,
)
_THAI_WORDS: Final = frozenset(
    (
        *("ศูนย์", "สอง", "สาม", "สี่", "ห้า", "หก", "เจ็ด", "แปด", "เก้า", "สิบ", "ยี่สิบ", "ร้อย", "พัน", "หมื่น", "แสน", "ล้าน"),
        *("ครึ่ง", "ครึ่งหนึ่ง", "เท่าตัว", "ร้อยละ"),
    )
)


class Ungrounded(ValueError):
    """Words that may not be shown; the message says what is wrong with them, for the model to do better."""


def write(draft: Draft, words: str, looked_up: Mapping[str, Result], names: Collection[str]) -> None:
    """Put a model's words into a draft, with the values of the cells it names.

    ``names`` are titles and names that may hold digits.

    Raises:
        Ungrounded: nothing was said, too much was, or there are numbers that no query gave.
    """
    lines = [line for raw in words.splitlines() if (line := plain(raw, LINE_LIMIT))]
    if not lines:
        raise Ungrounded("The answer is empty.")
    if len(lines) > LINES:
        raise Ungrounded("The answer is too long.")
    text = "\n".join(lines)
    unknown = [f"{alias}:{cell}" for alias, cell in _CELL.findall(text) if not _there(looked_up, alias, cell)]
    if unknown:
        raise Ungrounded(f"These cells do not exist: {', '.join(unknown[:5])}.")
    if own := own_numbers(_CELL.sub(" ", text), names):
        raise Ungrounded(f"These numbers are not from a cell: {', '.join(own[:5])}. Write cells in their place.")
    for line in lines:
        draft.write(_CELL.sub(lambda found: draft.number(looked_up[found[1]], found[2]), line))


def _there(looked_up: Mapping[str, Result], alias: str, cell: str) -> bool:
    try:
        return alias in looked_up and looked_up[alias].cell(cell) is not None
    except KeyError:
        return False


def own_numbers(text: str, names: Collection[str] = ()) -> list[str]:
    """The numbers in a text, in digits of any script or in English or Thai words; a name in quotation marks may hold
    some."""
    for name in sorted(filter(None, names), key=len, reverse=True):
        text = re.sub(f"[“\"‘']{re.escape(name)}[”\"’']", " ", text, flags=re.IGNORECASE)
    found = [
        word for word in re.split(r"\s+", text) if any(unicodedata.category(character)[0] == "N" for character in word)
    ]
    found += [match.group(0) for match in _WORDS.finditer(text)]
    return found + [word for word in thai_words(text) if word.removesuffix("เท่า") in _THAI_WORDS]

"""Which series or channel a question speaks of by its name (A1).

A name made of ordinary words ("Episodes", "My channel", "Shorts") is no mention by itself: such words are in every
question. It is one in quotation marks, or beside the word series or channel.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from core.advisor import lexicon
from core.advisor.text import fold, fold_thai, is_thai, words
from core.business import figures

SHORTEST: Final = 3
_PLAIN_ENGLISH: Final = frozenset(
    ("a", "all", "and", "best", "daily", "for", "in", "me", "my", "new", "of", "on", "our", "the", "to", "with", "your")
)
_PLAIN_THAI: Final = ("ของฉัน", "ของเรา", "ของผม", "ทั้งหมด", "ใหม่", "แรก", "รวม")
_KIND_ENGLISH: Final = {"series_id": "series|playlist", "channel_id": "channel|brand"}
_KIND_THAI: Final = {"series_id": "ซีรีส์|ซีรี่ส์|รายการ|เพลย์ลิสต์", "channel_id": "ช่อง|แชนแนล"}


@dataclass(frozen=True)
class Limit:
    """One of the two is set."""

    name: str
    series_id: UUID | None = None
    channel_id: UUID | None = None


def named(session: Session, question: str) -> Limit | None:
    """The series or channel that the question mentions; the longest name wins. A name that several have tells none."""
    channels, series = figures.names(session)
    candidates = [(name, "series_id", key) for key, (name, _) in series.items()]
    candidates += [(name, "channel_id", key) for key, name in channels.items()]
    found = [item for item in candidates if mentioned(question, item[0], item[1])]
    if not found:
        return None
    name, column, key = max(found, key=lambda item: len(item[0]))
    if sum(fold(item[0]) == fold(name) for item in found) > 1:
        return None
    return Limit(name, **{column: key})


def mentioned(question: str, name: str, column: str) -> bool:
    """Whether a question names this series (``series_id``) or channel (``channel_id``)."""
    asked, called = fold(question), fold(name)
    if len(called) < SHORTEST:
        return False
    pattern = re.escape(called) if is_thai(called) else rf"(?<!\w){re.escape(called)}(?!\w)"
    if not re.search(pattern, asked):
        return False
    if not ordinary(name):
        return True
    kind = f"(?:{_KIND_ENGLISH[column]}|{_KIND_THAI[column]})"
    quotes = '["“”«»‘’]'
    beside = rf"{quotes}{pattern}{quotes}|{kind}\s*{quotes}?{pattern}|{pattern}{quotes}?\s*{kind}"
    return bool(re.search(beside, asked))


def ordinary(name: str) -> bool:
    """Whether a name says nothing that a question without it would not say too."""
    for word in words(name):
        if word not in _PLAIN_ENGLISH and not any(pattern.fullmatch(word) for pattern in lexicon.english().values()):
            return False
    rest = fold_thai(name)
    pieces = [piece for listed in lexicon.thai().values() for piece in listed if not piece.startswith("=")]
    for piece in sorted([*pieces, *map(fold_thai, _PLAIN_THAI)], key=len, reverse=True):
        rest = rest.replace(piece, "")
    return not is_thai(rest)

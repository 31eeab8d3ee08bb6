"""A question that leans on the one before: "and last month?", "แล้วเดือนที่แล้วล่ะ" (A1). Deterministic."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from core.advisor.text import fold, fold_thai
from core.advisor.understand import Understood, understand

_ENGLISH: Final = re.compile(r"(?:ok(?:ay)?,? |so,? )?(?:and|but|what about|how about|what of|only|just|the same)\b")
_THAI_FIRST: Final = ("แล้ว", "ส่วน", "และ", "แต่", "เฉพาะ", "ถ้าเป็น")
_THAI_LAST: Final = ("ล่ะ", "ละ")
_METRICS: Final = frozenset(("earn", "earner", "views", "profit", "roi", "reaction"))
_USUAL_LIMIT: Final = 5


def leans(question: str) -> bool:
    """Whether a question sounds as if it went on with another one."""
    text, thai = fold(question).rstrip(" ?"), fold_thai(question).rstrip(" ?")
    return bool(
        _ENGLISH.match(text)
        or thai.startswith(tuple(map(fold_thai, _THAI_FIRST)))
        or thai.endswith(tuple(map(fold_thai, _THAI_LAST)))
    )


def follow(asked: str, earlier: Sequence[str]) -> tuple[Understood, tuple[str, ...]]:
    """What a question asks for after ``earlier`` ones (oldest first), and the texts its days and names are read from,
    the newest first: it takes over what it does not say itself. A question that is understood alone stands alone."""
    found = understand(asked)
    if found.intent is not None or not leans(asked):
        return found, (asked,)
    texts = [asked]
    for before in reversed(earlier):
        base = understand(before)
        if base.intent is not None:
            for later in reversed(texts):
                base = _changed(base, understand(later))
            return (found, (asked,)) if base.intent == "help" else (base, (*texts, before))
        if not leans(before):
            break
        texts.append(before)
    return found, (asked,)


def _changed(base: Understood, later: Understood) -> Understood:
    """The earlier question with what the later one says otherwise."""
    said = later.concepts
    return replace(
        base,
        metric=later.metric if said & _METRICS else base.metric,
        ascending="worst" in said if said & {"worst", "most"} else base.ascending,
        shorts_only=base.shorts_only or "short" in said,
        limit=later.limit if later.limit != _USUAL_LIMIT else base.limit,
        platform=later.platform or base.platform,
    )

"""What a question asks for: which concepts meet in it, which intent they add up to, and its slots. Deterministic.

A question is turned into concepts (``lexicon.py``); unknown words are first brought to the nearest known one by their
characters, so that a typing mistake does not hide a concept. Each intent adds the weights of the concepts present; the
highest sum wins if it reaches the threshold. Negations turn "profit" and "worth it" into a loss, and a cost that
exceeds what came in is one too.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from core.advisor import lexicon
from core.advisor.text import fold, fold_thai, is_thai, words

THRESHOLD: Final = 1.4
_NEAR: Final = 0.84

WEIGHTS: Final[dict[str, dict[str, float]]] = {
    "top": {
        "earn": 1.1, "earner": 2.4, "views": 1.0, "profit": 1.0, "roi": 0.7, "most": 1.2, "worst": 0.7, "which": 0.3,
        "loss": -2.0, "schedule": -1.2, "slot": -2.0, "baseline": -0.9, "cost": -0.5, "series": -0.3, "platform": -0.3,
        "howmuch": -0.8, "channel": -0.2, "negated": -2.0, "overspent": -2.0, "content": 0.3, "elsewhere": -2.0,
        "reaction": 1.1, "forecast": -3.0,
    },
    "losses": {
        "loss": 2.3, "negated": 2.5, "overspent": 2.5, "bad_money": 2.2, "which": 0.2, "schedule": -1.0,
        "slot": -1.0, "baseline": -0.2, "cost": 0.2,
    },
    "best_short": {
        "short": 1.1, "clip": 0.7, "perform": 1.0, "baseline": 1.3, "most": 0.7, "worst": 0.4, "views": 0.3,
        "which": 0.2,
        "earn": -0.7, "earner": -1.0, "profit": -0.7, "schedule": -1.0, "loss": -1.2, "slot": -2.0, "cost": -0.8,
        "howmuch": -0.3, "outlier": 0.1,
        "odd_short": 1.4, "negated": -1.0, "platform": -0.6, "series": -0.4, "overspent": -2.0,
        "any_length": -1.0, "reaction": -1.5,
    },
    "scheduled": {
        "schedule": 2.0, "posting": 0.6, "when": 0.6, "next": 0.5, "which": 0.2, "earn": -0.9, "slot": -1.6,
        "loss": -0.8,
        "most": -0.6, "baseline": -0.8, "cost": -0.5, "fresh": -0.5, "attention": -0.3, "views": -0.5, "forecast": -3.0,
    },
    "best_slot": {"slot": 3.0, "posting": 0.5, "when": 0.2, "most": 0.2, "views": 0.2},
    "overview": {
        "overview": 1.9, "howmuch": 1.4, "earn": 0.5, "cost": 0.1, "profit": 0.6, "views": 0.5, "most": -0.7,
        "series": -0.6, "channel": -0.3, "platform": -0.8, "loss": -0.4, "schedule": -0.6, "which": -0.1,
        "baseline": -0.5, "reaction": -1.5, "forecast": -3.0,
    },
    "by_series": {"series": 1.5, "roi": 0.9, "profit": 0.6, "earn": 0.4, "most": 0.4, "views": 0.2, "schedule": -1.0},
    "by_channel": {"channel": 1.3, "roi": 0.7, "profit": 0.6, "earn": 0.4, "most": 0.5, "schedule": -1.0, "short": -0.8,
                   "clip": -0.4, "baseline": -0.8, "slot": -1.0, "loss": -0.5},
    "by_platform": {"platform": 1.7, "earn": 0.5, "views": 0.5, "most": 0.4, "schedule": -1.0, "slot": -1.0},
    "costs": {
        "cost": 1.8, "howmuch": 0.5, "which": 0.3, "earn": -0.6, "than": -0.4, "loss": -0.6, "overspent": -2.0,
        "negated": -1.0, "most": 0.1, "roi": -0.3, "baseline": -0.4,
    },
    "outliers": {"outlier": 2.2, "views": 0.3, "baseline": 0.1, "which": 0.2, "short": -0.4},
    "forecast": {"forecast": 2.4, "views": 0.3, "earn": 0.3, "howmuch": 0.2, "schedule": -0.3, "attention": -0.5},
    "titles": {"titled": 2.3, "perform": 0.3, "most": 0.2, "which": 0.2, "views": 0.2, "earn": -0.3, "schedule": -1.0},
    "freshness": {"fresh": 2.4, "when": 0.2},
    "attention": {"attention": 1.6, "posting": 0.7, "which": 0.2, "schedule": -0.6, "loss": -0.6, "earn": -1.2,
                  "profit": -1.2, "cost": -0.8, "negated": -1.0},
    "help": {"help": 2.6},
}  # fmt: skip

_OURS: Final = frozenset(
    (
        "earn",
        "earner",
        "views",
        "profit",
        "roi",
        "cost",
        "content",
        "short",
        "perform",
        "loss",
        "series",
        "channel",
        "platform",
        "reaction",
    )
)
REACTIONS: Final = ("watch_time", "ctr", "engagement", "subscribers", "likes", "comments", "shares")
_STRONG: Final = {"earn": {"earn", "earner"}, "views": {"views"}, "profit": {"profit"}, "roi": {"roi"}}
_PLATFORMS: Final = {
    "youtube": ("youtube", "yt", "ยูทูบ", "ยูทูป", "ยูธูป"),
    "tiktok": ("tiktok", "tik tok", "ติ๊กต็อก", "ติกต๊อก", "ติกตอก"),
    "facebook": ("facebook", "fb", "เฟซบุ๊ก", "เฟสบุ๊ค", "เฟซ", "เฟส"),
    "instagram": ("instagram", "ig", "insta", "ไอจี", "อินสตาแกรม"),
}
_RANKING: Final = re.compile(r"\bby how (?:much|many) (?=(?:they|it|each|we|i|you|he|she|\w+ views)\b)")
"""What to sort by ("by how much they earned"), not how far one is ahead of another ("by how much?")."""
_NEGATABLE: Final = ("profit", "cover", "earn", "roi")


@dataclass(frozen=True)
class Understood:
    """An intent with its slots. ``intent`` is None when the question is not understood.

    ``metric`` is revenue, views, profit or roi, or of episodes one of ``REACTIONS``; ``ascending`` asks for the least;
    ``limit`` is how many rows.
    """

    intent: str | None
    metric: str = "revenue"
    ascending: bool = False
    shorts_only: bool = False
    limit: int = 5
    platform: str | None = None
    concepts: frozenset[str] = frozenset()
    score: float = 0.0


@cache
def _known(word: str) -> bool:
    return any(pattern.search(word) for pattern in lexicon.english().values())


def _repaired(tokens: list[str]) -> list[str]:
    """Unknown words of five letters and more replaced by the vocabulary's nearest, if one is near."""
    out = []
    for token in tokens:
        if len(token) >= 5 and token.isalpha() and not _known(token):
            near = difflib.get_close_matches(token, lexicon.vocabulary(), n=1, cutoff=_NEAR)
            out.append(near[0] if near and near[0][0] == token[0] else token)
        else:
            out.append(token)
    return out


def concepts(question: str) -> set[str]:
    """The concepts that meet in a question, with the derived ones ``negated``, ``overspent`` and ``bad_money``."""
    english = _RANKING.sub("by what ", " ".join(_repaired(words(question))))
    thai = fold_thai(question)
    found = {concept for concept, pattern in lexicon.english().items() if pattern.search(english)}
    exact = fold(question)
    found |= {
        concept
        for concept, pieces in lexicon.thai().items()
        if any(piece[1:] in exact if piece[0] == "=" else piece in thai for piece in pieces)
    }
    if _negated_english(english) or _negated_thai(thai):
        found.add("negated")
    back = found & {"earn", "roi"} or {"made", "make", "makes", "less", "lower"} & set(english.split()) or "ได" in thai
    if "than" in found and "cost" in found and back:
        found.add("overspent")
    if "attention" in found and found & {"earn", "roi", "profit"}:
        found.add("bad_money")
    if "worst" in found and (found & {"roi", "profit"} or {"perform", "earn"} <= found):
        found.add("bad_money")
    if found & set(REACTIONS):
        found.add("reaction")
    if {"short", "outlier"} <= found:
        found.add("odd_short")
    if not found & _OURS:
        found.add("elsewhere")
    if not found & {"short", "clip", "baseline"}:
        found.add("any_length")
    return found


def _negated_english(text: str) -> bool:
    """Whether something good is denied within the next five words: "did not even cover", "isn't profitable"."""
    for match in lexicon.english()["not"].finditer(text):
        after = " ".join(text[match.end() :].split()[:5])
        if after[:1].isdigit():
            continue
        if any(lexicon.english()[concept].search(after) for concept in _NEGATABLE):
            return True
        if re.search(r"\b(mak\w*|made) (any|a|enough|us|me|back)\b", after):
            return True
    return False


def _negated_thai(text: str) -> bool:
    good = [piece for concept in _NEGATABLE for piece in lexicon.thai()[concept]]
    for match in re.finditer("ไม|มิได", text):
        after = text[match.end() : match.end() + 14]
        if any(piece in after for piece in good):
            return True
    late = [piece for concept in ("profit", "cover") for piece in lexicon.thai()[concept]]
    return any(re.search(f"{re.escape(piece)}.{{0,3}}ไม", text) for piece in late)


def understand(question: str) -> Understood:
    """The intent and slots of a question in English, Thai or both."""
    found = concepts(question)
    scores = {
        intent: sum(weight for concept, weight in weights.items() if concept in found)
        for intent, weights in WEIGHTS.items()
    }
    intent, score = max(scores.items(), key=lambda item: item[1])
    if "beyond" in found and intent != "help":
        score = 0.0  # about something the studio has no figures of, or asks to do something: no figure is an answer
    shorts = bool(found & {"short", "clip"}) if intent == "best_short" else "short" in found
    return Understood(
        intent=intent if score >= THRESHOLD else None,
        metric=_metric(found, intent),
        ascending="worst" in found and not found & {"loss", "negated", "overspent"},
        shorts_only=shorts,
        limit=_limit(question),
        platform=_platform(question),
        concepts=frozenset(found),
        score=score,
    )


def _metric(found: set[str], intent: str) -> str:
    reacted = next((name for name in REACTIONS if name in found), None)
    if reacted is not None and intent == "top":
        return reacted
    if "roi" in found:
        return "roi"
    if "profit" in found:
        return "profit"
    if found & _STRONG["earn"]:
        return "revenue"
    if "views" in found:
        return "views"
    return "profit" if intent in ("by_series", "by_channel") else "revenue"


def _limit(question: str) -> int:
    """``top 3``, ``3 best``, ``3 อันดับ``: between 1 and 20; five unless said."""
    match = re.search(
        r"(?:top|best|first|bottom|worst|อันดับ|ท็อป)\s*(\d{1,2})\b|\b(\d{1,2})\s*(?:best|top|worst|อันดับ|คลิป|ตอน)",
        question.casefold(),
    )
    if match is None:
        return 5
    return min(max(int(match.group(1) or match.group(2)), 1), 20)


def _platform(question: str) -> str | None:
    tokens, thai = " ".join(words(question)), fold_thai(question)
    for platform, named in _PLATFORMS.items():
        for name in named:
            if fold_thai(name) in thai if is_thai(name) else re.search(rf"\b{name}\b", tokens):
                return platform
    return None

"""The words of ``lexicon.toml`` as patterns: concept → what it looks like in a question."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

from core.advisor.text import fold_thai


@cache
def _tables() -> dict[str, dict[str, list[str]]]:
    content = tomllib.loads((Path(__file__).parent / "lexicon.toml").read_text(encoding="utf-8"))
    return {
        language: {
            concept: [" ".join(item.split()) for item in listed.split(",") if item.strip()]
            for concept, listed in table.items()
        }
        for language, table in content.items()
    }


def _pattern(entry: str) -> str:
    """``bring _ in`` as an expression over words with single blanks between them."""
    parts = []
    for word in entry.split():
        parts.append(r"(?:\w+ ){0,3}" if word == "_" else re.escape(word).replace(r"\*", r"\w*") + " ")
    return "".join(parts).strip()


@cache
def english() -> dict[str, re.Pattern[str]]:
    """Concept → expression over a line of English words."""
    return {
        concept: re.compile(rf"\b(?:{'|'.join(_pattern(entry) for entry in entries)})\b")
        for concept, entries in _tables()["english"].items()
    }


@cache
def thai() -> dict[str, tuple[str, ...]]:
    """Concept → pieces of Thai text, folded; those that start with ``=`` keep their tone marks."""
    return {
        concept: tuple(entry if entry.startswith("=") else fold_thai(entry) for entry in entries)
        for concept, entries in _tables()["thai"].items()
    }


@cache
def vocabulary() -> tuple[str, ...]:
    """Single English words, long enough that a near miss is a typing mistake and not another word."""
    found: set[str] = set()
    for entries in _tables()["english"].values():
        for entry in entries:
            found.update(word.strip("*") for word in entry.split() if len(word.strip("*")) >= 5)
    return tuple(sorted(found))

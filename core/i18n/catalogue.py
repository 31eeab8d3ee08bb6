"""The message catalogue: one TOML file per room, each message beside its translations.

A message is a table with one string per language, found by its dotted path::

    [video]
    find_cuts = { en = "Find the cuts", th = "หาจุดตัด" }

``t("video.find_cuts", "th")`` answers the Thai sentence. ``{placeholders}`` are filled by keyword; values are never
parsed again, so a file name with braces is only text. Where English needs a singular, ``en_one`` is used when the
keyword ``count`` is 1 (Thai nouns do not change with number).
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Final

from core.errors import StudioError

LANGUAGES: Final = {"en": "English", "th": "ไทย"}
_FOLDER = Path(__file__).parent / "messages"


class UnknownMessage(KeyError):
    """A message key that no catalogue file defines: a mistake of the caller, found by tests."""


def _flatten(table: dict[str, Any], prefix: str, found: dict[str, dict[str, str]]) -> None:
    for name, value in table.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict) and value and all(isinstance(text, str) for text in value.values()):
            if key in found:
                raise ValueError(f"message {key} is defined twice")
            found[key] = value
        elif isinstance(value, dict):
            _flatten(value, f"{key}.", found)
        else:
            raise ValueError(f"message {key} must be a table of languages")


@cache
def messages() -> dict[str, dict[str, str]]:
    """All messages: dotted key → language → text."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(_FOLDER.glob("*.toml")):
        _flatten(tomllib.loads(path.read_text(encoding="utf-8")), "", found)
    return found


def has(key: str) -> bool:
    """Whether the catalogue knows ``key``."""
    return key in messages()


def t(key: str, lang: str, **values: object) -> str:
    """The message ``key`` in ``lang`` with its placeholders filled.

    Raises:
        UnknownMessage: no file defines ``key``.
        KeyError: a placeholder of the message has no value.
    """
    try:
        entry = messages()[key]
    except KeyError:
        raise UnknownMessage(key) from None
    text = entry.get(lang) or entry["en"]
    if values.get("count") == 1:
        text = entry.get(f"{lang}_one", text)
    return text.format_map(values) if values else text


def stage(key: str | None, lang: str) -> str:
    """What a job is doing, in words. Engines report keys such as ``stage.render``; a job that has said nothing yet is
    ``job.working``, and so is a stage of a plug-in that brings no words of its own."""
    return t(key if key and has(key) else "job.working", lang)


@cache
def _sentences() -> tuple[tuple[re.Pattern[str], dict[str, str]], ...]:
    """Error sentences as patterns of their English form, so that stored errors can be read in another language."""
    found = []
    for key, entry in messages().items():
        if key.startswith("sentence."):
            pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(entry["en"]))
            found.append((re.compile(pattern + r"\Z", re.DOTALL), entry))
    return tuple(found)


def _translated(sentence: str, lang: str) -> str | None:
    if lang == "en" or not sentence:
        return sentence
    for pattern, entry in _sentences():
        match = pattern.match(sentence)
        if match and lang in entry:
            return entry[lang].format_map(match.groupdict())
    return None


def _sentence_by_sentence(text: str, lang: str) -> str:
    """Every sentence that has a translation translated, the others as they are."""
    whole = _translated(text, lang)
    if whole is not None:
        return whole
    parts = re.split(r"(?<=[.!?])\s+", text)
    return " ".join(_translated(part, lang) or part for part in parts)


def explain(error: StudioError | dict[str, object], lang: str) -> tuple[str, str]:
    """An error's title and detail in ``lang``; ``error`` is a :class:`StudioError` or its stored ``as_dict()``.

    The family's sentences are written in English where they are raised. A sentence listed under ``[sentence]`` is
    answered in the reader's language; for any other, the title is the sentence of the error's type and the original
    words become the detail, so that nothing is hidden.
    """
    shape = error.as_dict() if isinstance(error, StudioError) else error
    title, detail = str(shape.get("title") or ""), str(shape.get("detail") or "")
    told_title, told_detail = _translated(title, lang), _sentence_by_sentence(detail, lang)
    if told_title is not None:
        return told_title, told_detail
    kind = f"error.{str(shape.get('type') or 'internal').replace('-', '_')}"
    general = t(kind if has(kind) else "error.internal", lang)
    return general, " ".join(part for part in (title, told_detail) if part)

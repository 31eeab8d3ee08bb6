"""What a prompt asks of the composer, by its words in English and Thai: mood, style, instruments, tempo, key, metre.

Nothing is guessed here: what a prompt does not say stays None, and :mod:`core.music.composing.plan` fills it in.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from core.music.keys import NOTES, note_number

Pace = Literal["very_slow", "slow", "medium", "fast", "very_fast"]
Metre = Literal["4/4", "3/4", "6/8"]
SLOWEST_BPM, FASTEST_BPM = 40.0, 220.0
_METRES: dict[str, Metre] = {"three": "3/4", "six": "6/8", "four": "4/4"}
_NUMBER = r"(\d{2,3}(?:\.\d{1,2})?)"
_BPM = re.compile(
    rf"{_NUMBER}\s*-?\s*(?:b\.?p\.?m\b|beats? (?:per|a) minute|บีพีเอ็ม)|"
    rf"(?:\b(?:bpm|tempo)(?: of| is)?|ความเร็ว|จังหวะ|เทมโป้?)\s*[:=]?\s*{_NUMBER}(?![\d/])"
)
# "in D minor", "key of F#", "Bbm". A bare letter is a key only after "in" or "key", and as a capital.
_KEY = re.compile(
    r"(?<![A-Za-z])(?P<lead>(?i:in|key(?: of)?)[\s:]+(?i:the key of )?)?(?P<note>[A-Ga-g])"
    r"(?P<sign>\s?(?:#|♯|♭|[- ]?(?i:sharp|flat))|b(?=[\s:-]|m\b|maj|min|M|$))?"
    r"(?:[\s:-]*(?P<mode>(?i:major|minor|maj|min)\b)|(?P<small>m)\b|(?P<bare>(?![A-Za-z\d'])))"
)
_THAI_KEY = re.compile(
    r"(?P<lead>คีย์\s*)?(?P<note>เอฟ|ซี|ดี|อี|จี|เอ|บี)\s*(?P<sign>ชาร์ป|แฟล็ต|แฟลต)?\s*(?P<mode>เมเจอร์|ไมเนอร์)?"
)
_THAI_NOTES = {"ซี": "C", "ดี": "D", "อี": "E", "เอฟ": "F", "จี": "G", "เอ": "A", "บี": "B"}
_LENGTH = re.compile(
    r"(\d{1,3}(?:\.\d+)?)\s*-?\s*(?:(seconds?|secs?|s\b|วินาที|วิ)|(minutes?|mins?|นาที))(?! *(?:per|a minute))"
)
_WITHOUT = re.compile(
    r"\b(?:no|not|without|minus|except|don't|never)\b.*?(?=\b(?:but|with|only|just)\b|[.;,!]|$)|"
    r"(?:ไม่มี|ไม่เอา|ไม่ใส่|ไม่ใช้|ไม่ต้อง|ยกเว้น)\S*"
)
LONGEST_PROMPT = 1000


@dataclass(frozen=True)
class Understood:
    """What a prompt says; None (or empty) is what it leaves open. ``key`` as "D:min"; ``mode`` is told without a tonic
    by words such as "minor"; ``only`` that nobody else than the named instruments shall play."""

    mood: str | None = None
    style: str | None = None
    instruments: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    only: bool = False
    bpm: float | None = None
    pace: Pace | None = None
    key: str | None = None
    mode: Literal["maj", "min"] | None = None
    metre: Metre | None = None
    seconds: float | None = None
    loop: bool = False


@dataclass(frozen=True)
class _Found:
    kind: str
    name: str
    start: int
    end: int


def understand(prompt: str) -> Understood:
    """Read a prompt; anything may be written in it."""
    prompt = prompt[:LONGEST_PROMPT]
    line = prompt.lower().replace("_", " ")
    if len(line) != len(prompt):  # some capitals become two letters; places must stay comparable
        prompt = line
    left_out = [match.span() for match in _WITHOUT.finditer(line)]

    def wanted(found: _Found) -> bool:
        return not any(start <= found.start < end for start, end in left_out)

    words = _words_in(line)
    named = [one for one in words if wanted(one)]

    def first(kind: str) -> str | None:
        return next((one.name for one in named if one.kind == kind), None)

    def all_of(kind: str, among: list[_Found]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one.name for one in among if one.kind == kind))

    key = _key_in(prompt)
    metre, mode = first("metre"), first("mode")
    instruments = all_of("instrument", named)
    return Understood(
        mood=first("mood"),
        style=first("style"),
        instruments=instruments,
        without=tuple(one for one in all_of("instrument", words) if one not in instruments),
        only=bool(instruments) and first_manner(named, "only"),
        bpm=_bpm_in(line),
        pace=first("tempo"),  # type: ignore[arg-type]
        key=key,
        mode=None if key else mode,  # type: ignore[arg-type]
        metre=_METRES[metre] if metre else None,
        seconds=_seconds_in(line),
        loop=first_manner(named, "loop"),
    )


def first_manner(found: list[_Found], name: str) -> bool:
    """Whether a manner ("only", "loop") is among the words."""
    return any((one.kind, one.name) == ("manner", name) for one in found)


def meaning(kind: Literal["mood", "style", "instrument"], text: str) -> str | None:
    """The mood, style or instrument that a name means, in either language: "Relaxing" is calm; None for nothing."""
    line = " ".join(text.lower().replace("_", " ").replace("-", " ").split())
    if line.replace(" ", "_") in tables()[kind]:
        return line.replace(" ", "_")
    found = [one for one in _words_in(line) if one.kind == kind]
    return max(found, key=lambda one: one.end - one.start).name if found else None


def parse_any_key(text: str) -> str | None:
    """ "A:min" from what people write: "A minor", "am", "F sharp major", "ดีไมเนอร์"; None for what is no key."""
    stripped = text.strip()
    line = f"key {stripped[:1].upper()}{stripped[1:]}"
    if len(stripped) > 40 or not (_KEY.fullmatch(line) or _THAI_KEY.fullmatch(stripped)):
        return None
    return _key_in(line) or _key_in(f"คีย์{stripped}")


@cache
def tables() -> dict[str, dict[str, list[str]]]:
    """Kind → meaning → the entries of ``words.toml``."""
    content = tomllib.loads((Path(__file__).parent / "words.toml").read_text(encoding="utf-8"))
    return {
        kind: {name: [word.strip() for word in listed.split(",") if word.strip()] for name, listed in table.items()}
        for kind, table in content.items()
    }


@cache
def _patterns() -> list[tuple[str, str, re.Pattern[str]]]:
    found = []
    for kind, table in tables().items():
        for name, entries in table.items():
            thai = [re.escape(entry) for entry in entries if _is_thai(entry)]
            words = [
                r"[ -]?".join(re.escape(part).replace(r"\*", r"\w*") for part in entry.split())
                for entry in entries
                if not _is_thai(entry)
            ]
            edges = rf"(?<![\w/])(?:{'|'.join(sorted(words, key=len, reverse=True))})(?![\w/])"
            found.append((kind, name, re.compile("|".join([edges, *sorted(thai, key=len, reverse=True)]))))
    return found


def _is_thai(text: str) -> bool:
    return any("฀" <= char <= "๿" for char in text)


def _words_in(line: str) -> list[_Found]:
    """The words that mean something, in order. Of two that overlap the longer counts; one that means several things
    (a waltz is a style and a metre) means all of them."""
    found = [
        _Found(kind, name, *match.span())
        for kind, name, pattern in _patterns()
        for match in pattern.finditer(line)
        if match.end() > match.start()
    ]
    kept: list[_Found] = []
    for one in sorted(found, key=lambda one: (one.start - one.end, one.start)):
        same = [other for other in kept if one.start < other.end and other.start < one.end]
        if all((other.start, other.end) == (one.start, one.end) for other in same):
            kept.append(one)
    return sorted(kept, key=lambda one: (one.start, one.end))


def _bpm_in(line: str) -> float | None:
    for match in _BPM.finditer(line):
        value = float(match[1] or match[2])
        if SLOWEST_BPM <= value <= FASTEST_BPM:
            return value
    return None


def _seconds_in(line: str) -> float | None:
    match = _LENGTH.search(line)
    return float(match[1]) * (60.0 if match[3] else 1.0) if match else None


def _key_in(prompt: str) -> str | None:
    for match in _KEY.finditer(prompt):
        told = match["mode"] or match["small"]
        if not told and not (match["lead"] and match["note"].isupper()):
            continue
        if match["small"] and not match["note"].isupper():
            continue
        if match["note"] == "a" and prompt[match.end() :].lstrip().lower().startswith("key"):
            continue  # "a minor key" names no tonic
        sign = (match["sign"] or "").strip().lower().strip("-")
        shift = 1 if sign in ("#", "♯", "sharp") else -1 if sign in ("b", "♭", "flat") else 0
        minor = bool(match["small"]) or (match["mode"] or "").lower().startswith("min")
        return _named(match["note"].upper(), shift, minor)
    for match in _THAI_KEY.finditer(prompt):
        if match["lead"] or match["mode"]:
            shift = {"ชาร์ป": 1, "แฟล็ต": -1, "แฟลต": -1}.get(match["sign"] or "", 0)
            return _named(_THAI_NOTES[match["note"]], shift, match["mode"] == "ไมเนอร์")
    return None


def _named(note: str, shift: int, minor: bool) -> str:
    return f"{NOTES[(note_number(note) + shift) % 12]}:{'min' if minor else 'maj'}"

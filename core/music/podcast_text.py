"""Times as people write them beside a recording: ranges to leave out, chapters line by line."""

from __future__ import annotations

import re

from core.errors import InvalidInput
from core.music.feed import stamp
from core.music.podcast_payloads import Chapter, Range

_TIME = r"(?:(\d{1,2}):)?(\d{1,3}):(\d{1,2}(?:[.,]\d{1,3})?)|(\d{1,6}(?:[.,]\d{1,3})?)"
_ONLY = re.compile(rf"\s*(?:{_TIME})\s*\Z")
_CHAPTER = re.compile(rf"\s*[\[(]?(?:{_TIME})[\])]?\s*[-–—:]?\s+(.+?)\s*\Z")
_BETWEEN = re.compile(r"\s*(?:-|–|—|\bto\b|ถึง)\s*")


def seconds_of(text: str) -> float:
    """ "1:02:03", "2:30", "95.5" or "95" as seconds.

    Raises:
        InvalidInput: it is none of these.
    """
    match = _ONLY.match(text)
    if match is None:
        raise InvalidInput(f"“{text.strip()[:40]}” is not a time.", "Write 1:30 for one minute and a half.")
    return _value(match)


def written(seconds: float) -> str:
    """A time as :func:`seconds_of` reads it, to the millisecond: "02:30", "1:02:03.25"."""
    whole, rest = divmod(round(seconds * 1000), 1000)
    return stamp(whole) + (f".{rest:03}".rstrip("0") if rest else "")


def ranges_of(text: str) -> tuple[Range, ...]:
    """ "1:05-1:20, 3:00-3:30" as ranges.

    Raises:
        InvalidInput: a part of it is no range, or ends before it begins.
    """
    found = []
    for part in re.split(r"[,;\n]+", text):
        if not part.strip():
            continue
        edges = _BETWEEN.split(part.strip())
        if len(edges) != 2:
            raise InvalidInput(f"“{part.strip()[:40]}” is not a range.", "Write 1:05-1:20.")
        start, end = (seconds_of(edge) for edge in edges)
        if end <= start:
            raise InvalidInput(f"“{part.strip()[:40]}” ends before it begins.", "Write 1:05-1:20.")
        found.append(Range(start=start, end=end))
    return tuple(found)


def chapters_of(text: str) -> tuple[Chapter, ...]:
    """Lines such as "2:30 The market" as chapters, in order of their times.

    Raises:
        InvalidInput: a line has no time before its title.
    """
    found = []
    for line in text.splitlines():
        if not line.strip():
            continue
        match = _CHAPTER.match(line)
        if match is None:
            raise InvalidInput(f"“{line.strip()[:40]}” is not a chapter.", "Write a time and a title: 2:30 The market")
        found.append(Chapter(start=_value(match), title=match[5][:120]))
    return tuple(sorted(found, key=lambda chapter: chapter.start))


def _value(match: re.Match[str]) -> float:
    hours, minutes, seconds, alone = match.groups()[:4]
    if alone is not None:
        return float(alone.replace(",", "."))
    return int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds.replace(",", "."))

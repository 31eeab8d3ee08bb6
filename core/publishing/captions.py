"""One text for platforms that show no title: title, description and tags as a caption. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_HASHTAG = re.compile(r"(?:^|(?<=\s))#(\S+)")


def caption_of(title: str, description: str, tags: Sequence[str]) -> str:
    """The title, the description below it, the tags as hashtags in the last line.

    A description that starts with the title keeps it once, and a tag that stands in the text already is not repeated.
    """
    title, description = title.strip(), description.strip()
    parts = [description] if description.startswith(title) else [title, description]
    text = "\n\n".join(part for part in parts if part)
    known = {f"#{found}".lower() for found in _HASHTAG.findall(text)}
    fresh = []
    for tag in map(hashtag, tags):
        if tag and tag.lower() not in known:
            known.add(tag.lower())
            fresh.append(tag)
    return "\n\n".join(part for part in (text, " ".join(fresh)) if part)


def hashtag(tag: str) -> str:
    """``#StreetFood`` for "street food"; empty where no letter or digit is left. Marks (Thai vowel signs) stay."""
    words = "".join(each if _in_word(each) else " " for each in tag).split()
    if len(words) > 1:
        words = [word[:1].upper() + word[1:] for word in words]
    return "#" + "".join(words) if words else ""


def _in_word(character: str) -> bool:
    return character == "_" or unicodedata.category(character)[0] in "LMN"


def units(text: str) -> int:
    """Length in UTF-16 code units, as TikTok and Instagram count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def hashtags_in(text: str) -> int:
    """How many hashtags a text holds."""
    return len(_HASHTAG.findall(text))

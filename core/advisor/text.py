"""Text from outside made harmless, and questions brought into one form."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

TITLE_LIMIT: Final = 120
_TONES: Final = dict.fromkeys(map(ord, "\u0e48\u0e49\u0e4a\u0e4b\u0e4c\u0e4d"))
_HARMLESS: Final = {
    "Lu",
    "Ll",
    "Lt",
    "Lm",
    "Lo",
    "Mn",
    "Mc",
    "Nd",
    "Nl",
    "No",
    "Pc",
    "Pd",
    "Ps",
    "Pe",
    "Pi",
    "Pf",
    "Po",
}
_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:^=&])")


def plain(untrusted: str, limit: int = TITLE_LIMIT) -> str:
    """A title, name or platform's message as one line of ordinary characters, at most ``limit`` of them.

    Controls, zero-width and direction marks, private-use characters and line breaks are dropped; nothing in it is ever
    read as an instruction.
    """
    kept = []
    for character in unicodedata.normalize("NFC", untrusted):
        kind = unicodedata.category(character)
        if kind in _HARMLESS or kind in ("Sm", "Sc", "Sk", "So"):
            kept.append(character)
        elif kind in ("Zs", "Zl", "Zp") or character in "\t\r\n":
            kept.append(" ")
    text = " ".join("".join(kept).split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def quoted(untrusted: str) -> str:
    """A title in quotation marks of which the title itself has none."""
    return f"“{plain(untrusted).replace('“', '').replace('”', '') or '…'}”"


def escape_markdown(text: str) -> str:
    """Text that a Markdown renderer shows as it is: no links, images, emphasis, HTML or mathematics."""
    return _MARKDOWN.sub(r"\\\1", text)


def fold(question: str) -> str:
    """A question in lower case, compatible characters unified, apostrophes gone, blanks single."""
    text = unicodedata.normalize("NFKC", question).casefold()
    text = text.replace("\u0e4d\u0e32", "\u0e33").replace("’", "").replace("'", "")
    text = "".join(" " if unicodedata.category(mark)[0] in "CZ" and mark not in "\u200b" else mark for mark in text)
    return " ".join(text.replace("\u200b", "").split())


def fold_thai(text: str) -> str:
    """Thai without tone marks, silencers and repetition marks, which people often leave out or mistype; two short
    vowels typed for the long one (เเ) are the long one (แ)."""
    folded = unicodedata.normalize("NFKC", text).replace("\u0e4d\u0e32", "\u0e33").replace("เเ", "แ")
    folded = folded.casefold().translate(_TONES)
    return re.sub(r"\s+", " ", folded.replace("ๆ", "")).strip()


def words(question: str) -> list[str]:
    """The words of other scripts than Thai, numbers among them."""
    return re.findall(r"[^\W_\u0e00-\u0e7f]+", fold(question))


def is_thai(text: str) -> bool:
    """Whether any letter is Thai."""
    return any("\u0e01" <= character <= "\u0e5b" for character in text)

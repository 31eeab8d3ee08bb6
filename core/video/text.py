"""Text as it stands on a screen: cleaned, measured in cells and ems, joined and cut where its script allows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from core.video.timeline import Word

_SPACES = re.compile(r"\s+")
_KEPT_FORMAT = {"\u200c", "\u200d"}  # joiners that shape letters; all other format characters are invisible
_NARROW, _BROAD = set("ijlIft.,'!:;|`()[] "), set("mwMW@%&")


def clean(text: str) -> str:
    """``text`` on one line without control, bidirectional or other invisible characters, spaces single, NFC."""
    kept = []
    for char in unicodedata.normalize("NFC", text):
        category = unicodedata.category(char)
        if char.isspace() or category in ("Cc", "Zl", "Zp"):
            kept.append(" ")
        elif category in ("Cf", "Cs", "Co", "Cn") and char not in _KEPT_FORMAT:
            continue
        else:
            kept.append(char)
    return _SPACES.sub(" ", "".join(kept)).strip()


def is_thai(char: str) -> bool:
    """Whether ``char`` belongs to the Thai script."""
    return "\u0e00" <= char <= "\u0e7f"


def has_thai(text: str) -> bool:
    """Whether any letter of ``text`` is Thai."""
    return any(is_thai(char) for char in text)


def drawable(text: str) -> bool:
    """Whether the caption font (Sarabun: Latin and Thai letters) shows a text; a few other letters are let pass."""
    letters = [char for char in text if unicodedata.category(char).startswith("L")]
    lacking = sum(not (is_thai(char) or char < "\u0250" or "\u1e00" <= char <= "\u1eff") for char in letters)
    return lacking <= 0.2 * len(letters)


def unspaced(char: str) -> bool:
    """Whether words of this script are written without spaces between them."""
    return (
        "\u0e00" <= char <= "\u0eff"  # Thai, Lao
        or "\u1000" <= char <= "\u109f"  # Burmese
        or "\u1780" <= char <= "\u17ff"  # Khmer
        or "\u3040" <= char <= "\u30ff"  # Japanese syllables
        or "\u3400" <= char <= "\u9fff"  # Chinese characters
    )


def cells(text: str) -> int:
    """Columns the text takes: marks above and below take none, wide East Asian characters two."""
    total = 0
    for char in text:
        if unicodedata.category(char) in ("Mn", "Me", "Cf"):
            continue
        total += 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1
    return total


def em_width(text: str) -> float:
    """Width in ems of the caption font, measured on Sarabun ExtraBold and rounded up, by class of character."""
    total = 0.0
    for char in text:
        category = unicodedata.category(char)
        if category in ("Mn", "Me", "Cf"):
            continue
        if char in _NARROW:
            total += 0.44 if char in "ft()" else 0.34
        elif char in _BROAD:
            total += 0.89
        elif unicodedata.east_asian_width(char) in ("W", "F"):
            total += 1.05
        elif is_thai(char):
            total += 0.66
        elif category == "Lu":
            total += 0.74
        else:
            total += 0.6
    return total


def join(parts: Iterable[str]) -> str:
    """Words as a line of text: a space between them, none where both neighbours are of a script without spaces."""
    line = ""
    for part in parts:
        if not part:
            continue
        if line and not (unspaced(line[-1]) and unspaced(part[0])):
            line += " "
        line += part
    return line


def thai_words(text: str) -> list[str]:
    """``text`` cut into words where Thai allows (dictionary method newmm); spaces are dropped, nothing else is."""
    if not has_thai(text):
        return text.split()
    from pythainlp.tokenize import word_tokenize

    words: list[str] = []
    for chunk in text.split():
        if not has_thai(chunk):
            words.append(chunk)
            continue
        for token in word_tokenize(chunk, engine="newmm", keep_whitespace=False):
            mark_only = not any(unicodedata.category(char)[0] in "LN" for char in token)
            starts_with_mark = unicodedata.category(token[0]) in ("Mn", "Me")
            if words and (mark_only or starts_with_mark or token == "ๆ"):
                words[-1] += token
            else:
                words.append(token)
    return words


def regroup_words(words: Sequence[Word], pause_seconds: float = 0.3) -> tuple[Word, ...]:
    """Words as a person counts them, from a recogniser's pieces.

    Recognisers hand out Thai in fragments of syllables. Neighbouring Thai pieces without a pause are joined and cut
    again at word boundaries; times are shared among the pieces' letters. Words in other scripts are cleaned only.
    """
    result: list[Word] = []
    run: list[Word] = []

    def flush() -> None:
        if run:
            result.extend(_recut(run))
            run.clear()

    for word in words:
        text = clean(word.word)
        if not text:
            continue
        cleaned = word.model_copy(update={"word": text})
        if not has_thai(text):
            flush()
            result.append(cleaned)
            continue
        if run and (word.word[:1].isspace() or cleaned.start - run[-1].end > pause_seconds):
            flush()
        run.append(cleaned)
    flush()
    return tuple(result)


def _recut(run: Sequence[Word]) -> list[Word]:
    starts: list[float] = []
    ends: list[float] = []
    probabilities: list[float] = []
    text = ""
    for word in run:
        step = (word.end - word.start) / len(word.word)
        starts.extend(word.start + step * index for index in range(len(word.word)))
        ends.extend(word.start + step * (index + 1) for index in range(len(word.word)))
        probabilities.extend([word.probability] * len(word.word))
        text += word.word
    result: list[Word] = []
    position = 0
    for token in thai_words(text):
        while text[position].isspace():
            position += 1
        begin, letters = position, 0
        while letters < len(token):  # the tokeniser dropped spaces
            letters += not text[position].isspace()
            position += 1
        result.append(
            Word(
                word=token,
                start=starts[begin],
                end=max(ends[position - 1], starts[begin]),
                probability=min(probabilities[begin:position]),
            )
        )
    return result

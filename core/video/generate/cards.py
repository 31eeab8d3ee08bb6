"""Cards: big words on the screen while their scene is, as an ASS document for libass.

Words are data of strangers and go through :func:`core.video.ass.plain`, as captions do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.video.ass import DESCENT, LINE_HEIGHT, document_head, plain
from core.video.caption_styles import safe_area
from core.video.generate.looks import CardType
from core.video.text import em_width, has_thai, thai_words, unspaced
from core.video.timeline import AspectRatio

FADE_IN_MS, FADE_OUT_MS = 350, 250
RISE = 0.03
MIN_SCALE = 0.3
MOST_LINES = 6


@dataclass(frozen=True)
class Card:
    """A text on the screen from ``start`` to ``end`` seconds. ``raised`` leaves room for captions below it."""

    text: str
    start: float
    end: float
    raised: bool = False


def lines_of(text: str, room: float, upper_case: bool) -> tuple[list[str], float]:
    """The text in at most :data:`MOST_LINES` lines of at most ``room`` ems at a scale of its type, and that scale."""
    words = [plain(word.upper() if upper_case else word) for word in thai_words(text)]
    words = [word for word in words if word]
    scale = 1.0
    while True:
        lines = _broken(words, room / scale)
        fits = max((em_width(line) for line in lines), default=0.0) <= room / scale
        if (fits and len(lines) <= MOST_LINES) or scale <= MIN_SCALE:
            return lines, scale
        scale = max(MIN_SCALE, scale * 0.92)


def _broken(words: Sequence[str], room: float) -> list[str]:
    """Lines as even as they can be without becoming more."""
    count = len(_filled(words, room))
    width = room
    while width > 1 and len(_filled(words, width * 0.95)) == count:
        width *= 0.95
    return _filled(words, width)


def _filled(words: Sequence[str], room: float) -> list[str]:
    lines: list[str] = []
    for word in words:
        longer = _with(lines[-1], word) if lines else word
        if lines and em_width(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _with(line: str, word: str) -> str:
    return line + word if unspaced(line[-1]) and unspaced(word[0]) else f"{line} {word}"


def card_document(cards: Sequence[Card], kind: CardType, width: int, height: int, ratio: AspectRatio) -> str:
    """An ASS document of cards, each in the middle of what every platform leaves free."""
    short = min(width, height)
    em = kind.size * short
    area = safe_area(ratio, width, height)
    side = max(area.left, area.right, 0.08)
    room = width * (1 - 2 * side) / em
    head = document_head(
        width,
        height,
        f"Card,{kind.font_name},{round(em * LINE_HEIGHT)},{_colour(kind.colour)},{_colour(kind.colour)},"
        f"&H00000000,&H80000000,{-1 if kind.weight == 'Bold' else 0},0,0,0,100,100,0,0,1,{kind.outline * short:.1f},"
        f"{kind.shadow * short:.1f},{2 if kind.centred else 1},0,0,0,1",
    )
    x = width // 2 if kind.centred else round(width * side)
    rows = []
    for card in cards:
        lines, scale = lines_of(card.text, room, kind.upper_case)
        if not lines or round(card.end * 100) <= round(card.start * 100):
            continue
        pitch, below = (1.5, 0.42) if any(has_thai(line) for line in lines) else (1.15, 0.25)
        middle = height * (0.42 if card.raised else 0.5)
        for number, line in enumerate(lines):
            # The letters' own block is centred; libass places a line by the bottom of its font's much taller box.
            bottom = middle + em * scale * (pitch * (number + 1 - len(lines) / 2) - (pitch - 1) / 2 + DESCENT - below)
            rise = RISE * short
            times = f"{FADE_IN_MS + 120 * number},{FADE_OUT_MS}"
            tags = f"\\move({x},{bottom + rise:.0f},{x},{bottom:.0f},0,{FADE_IN_MS + 120 * number})\\fad({times})"
            if scale < 1.0:
                tags += f"\\fscx{scale * 100:.0f}\\fscy{scale * 100:.0f}"
            rows.append(f"Dialogue: 0,{_clock(card.start)},{_clock(card.end)},Card,,0,0,0,,{{{tags}}}{line}")
    return "\n".join([*head, *rows]) + "\n"


def _colour(rgb: str) -> str:
    return f"&H00{rgb[4:6]}{rgb[2:4]}{rgb[0:2]}"


def _clock(seconds: float) -> str:
    total = max(0, round(seconds * 100))
    return f"{total // 360_000}:{total // 6000 % 60:02d}:{total // 100 % 60:02d}.{total % 100:02d}"

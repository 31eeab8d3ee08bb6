"""Advanced SubStation (ASS) documents for one picture size, to be burnt in by libass or taken elsewhere (SPEC V3.4).

Words are data of strangers: :func:`plain` leaves nothing of them that ASS reads as an override block, a line break or a
new event. Times are centiseconds, colours ``&HAABBGGRR`` with alpha 00 for opaque, as the format has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.errors import InvalidInput
from core.video.caption_styles import STYLES, CaptionStyle, SafeArea, safe_area
from core.video.captions import Caption, build_captions
from core.video.text import clean, drawable, em_width, has_thai, thai_words, unspaced
from core.video.timeline import AspectRatio, Word

LONGEST_WORD = 60
LINE_HEIGHT = 1.853  # usWinAscent + usWinDescent of Sarabun in ems: an ASS font size is this height, not the em
DESCENT = 0.567  # usWinDescent in ems: so far below the letters' line is the bottom of a line for libass
MIN_SCALE = 0.35
TITLE_SCALE = 0.75
SMALL_TYPE, UPRIGHT_GROWTH = 0.065, 1.25
_STAND_INS = str.maketrans({"{": "(", "}": ")", "\\": "/"})


def plain(text: str) -> str:
    """One word or line as ASS shows it literally: no braces, no backslash, no line breaks, not endless."""
    cleaned = clean(text).translate(_STAND_INS)
    return cleaned if len(cleaned) <= LONGEST_WORD else cleaned[: LONGEST_WORD - 1] + "…"


def document_head(width: int, height: int, style: str) -> list[str]:
    """The lines of an ASS document before its events: the size of the picture in pixels and one style, its fields as
    ``Format`` names them (Advanced SubStation Alpha, as libass reads it)."""
    return [
        "[Script Info]",
        "ScriptType: v4.00+",
        f"PlayResX: {width}",
        f"PlayResY: {height}",
        "WrapStyle: 2",
        "ScaledBorderAndShadow: yes",
        "YCbCr Matrix: TV.709",
        "",
        "[V4+ Styles]",
        "Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, "
        "Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, "
        "MarginR, MarginV, Encoding",
        f"Style: {style}",
        "",
        "[Events]",
        "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text",
    ]


def ass_document(
    words: Sequence[Word],
    style_name: str,
    width: int,
    height: int,
    aspect_ratio: AspectRatio = "source",
    *,
    title: str = "",
    seconds: float = 0.0,
) -> str:
    """The captions of a result (words in its own time) in one preset for a picture of ``width`` × ``height`` pixels,
    under a ``title`` that stands at its top for ``seconds``.

    Where the picture is too narrow for the preset's lines they are broken earlier rather than made smaller.
    """
    style = STYLES[style_name]
    area = safe_area(aspect_ratio, width, height)
    thai = any(has_thai(word.word) for word in words)
    cell = 0.7 if style.upper_case else 0.58  # ems of an average letter
    # Thai letters are all of one width: broken too late, lines would have to shrink, each by another factor.
    cell = max(cell, em_width("ก")) if thai else cell
    fitting = max(8, int(_room(style, width, height, area) / cell))
    rules = replace(style.rules, max_cells=min(style.rules.max_cells, fitting))
    made = document(build_captions(words, rules), style, width, height, area)
    return made + _title_events(title, seconds, style, width, height, area) if title.strip() else made


def check_drawable(words: Sequence[Word], title: str = "") -> None:
    """Refuse captions that would be burnt in as nothing.

    Raises:
        InvalidInput: the caption font lacks their letters.
    """
    if not drawable("".join(word.word for word in words) + title):
        raise InvalidInput(
            "The caption font has Latin and Thai letters only, so these captions cannot be shown in the picture.",
            "Take them as files, or choose another language to burn in.",
        )


def _title_events(title: str, seconds: float, style: CaptionStyle, width: int, height: int, area: SafeArea) -> str:
    """The title's lines from the top of the safe area down, each an event; broken between words as they fit. Smaller
    than the captions: it stays, and faces are below it."""
    room = _room(style, width, height, area) / TITLE_SCALE
    lines: list[list[str]] = [[]]
    for word in thai_words(clean(title)):
        if lines[-1] and em_width(_laid([*lines[-1], plain(word)])) > room:
            lines.append([])
        lines[-1].append(plain(word))
    shown = [_laid([text.upper() if style.upper_case else text for text in line]) for line in lines]
    scale = TITLE_SCALE * max(MIN_SCALE, min(1.0, room / max(em_width(line) for line in shown)))
    em = _em(style, width, height) * scale
    pitch = 1.55 if has_thai(title) else 1.2
    top = area.top * height - (LINE_HEIGHT - DESCENT - 1.0) * em  # what a line has above its letters
    tags = _scaled(scale)
    return "".join(
        f"Dialogue: 1,{_clock(0.0)},{_clock(seconds)},Default,,0,0,0,,"
        f"{{\\an8\\pos({width // 2},{top + index * pitch * em:.0f}){tags}}}{line}\n"
        for index, line in enumerate(shown)
    )


def _room(style: CaptionStyle, width: int, height: int, area: SafeArea) -> float:
    """Width of a line in ems."""
    short = min(width, height)
    free = width * (1 - 2 * max(area.left, area.right)) - 2 * style.outline * short
    return free / _em(style, width, height)


def _em(style: CaptionStyle, width: int, height: int) -> float:
    """The em in pixels. Small type grows on an upright picture: it is watched on a phone, not on a desk."""
    upright = UPRIGHT_GROWTH if height > width * 1.4 and style.size < SMALL_TYPE else 1.0
    return style.size * upright * min(width, height)


def document(captions: Sequence[Caption], style: CaptionStyle, width: int, height: int, area: SafeArea) -> str:
    """An ASS document of ready captions; every text stays inside the safe area, smaller type if it must."""
    short = min(width, height)
    em = _em(style, width, height)
    size = round(em * LINE_HEIGHT)
    outline = style.outline * short
    left, right = round(area.left * width), round(area.right * width)
    # On a wide picture faces are low and large type high: a little above the edge is enough.
    raised = 0.14 if height >= width else 0.09
    vertical = round((area.bottom if style.place == "bottom" else max(area.bottom, raised)) * height)
    back = _colour(style.outline_colour, 1.0 - style.box_opacity)
    fields = [
        "Default", style.font_name, str(size), _colour(style.colour), _colour(style.colour),
        back if style.box else _colour(style.outline_colour), back if style.box else _colour("000000", 0.5),
        "-1" if style.weight == 700 else "0", "0", "0", "0", "100", "100", "0", "0", "3" if style.box else "1",
        f"{outline:.1f}", "0" if style.box else f"{style.shadow * short:.1f}", "2",
        str(max(left, right)), str(max(left, right)), str(vertical), "1",
    ]  # fmt: skip
    head = document_head(width, height, ",".join(fields))
    layout = _Layout(_room(style, width, height, area), em, width // 2, height - vertical)
    events = [
        f"Dialogue: 0,{_clock(start)},{_clock(end)},Default,,0,0,0,,{text}"
        for caption in captions
        for start, end, text in _events(caption, style, layout)
        if round(end * 100) > round(start * 100)
    ]
    return "\n".join([*head, *events]) + "\n"


@dataclass(frozen=True)
class _Layout:
    """Width of a line in ems, an em in pixels, the middle of the lines and the lowest pixel their letters reach."""

    room: float
    em: float
    middle: int
    bottom: int

    def at(self, line: int, count: int, scale: float, thai: bool) -> str:
        """Where one of ``count`` lines stands. Placed line by line: the font's own line distance has room for Thai
        marks twice over and would tear two lines apart."""
        pitch, below = (1.55, 0.42) if thai else (1.2, 0.25)
        bottom = self.bottom + (DESCENT - below - pitch * (count - 1 - line)) * self.em * scale
        return f"\\pos({self.middle},{bottom:.0f})"


_Event = tuple[float, float, str]


def _events(caption: Caption, style: CaptionStyle, layout: _Layout) -> list[_Event]:
    """Start, end and text of the events that show one caption."""
    lines = [[_shown(word.word, style) for word in line] for line in caption.lines]
    widest = max(em_width(_laid(line)) for line in lines)
    scale = max(MIN_SCALE, min(1.0, layout.room / widest)) if widest else 1.0
    tags = ""
    if style.motion == "pop":
        tags += f"{_scaled(scale * 0.8)}\\t(0,90,{_scaled(scale)})"
    elif scale < 1.0:
        tags += _scaled(scale)
    if style.box:
        start = f"{{{tags}}}" if tags else ""
        return [(caption.start, caption.end, start + "\\N".join(_laid(line) for line in lines if line))]
    rows: list[_Event] = []
    thai = any(has_thai(text) for line in lines for text in line)
    for number, (line, shown) in enumerate(zip(caption.lines, lines, strict=True)):
        start = f"{{{layout.at(number, len(lines), scale, thai)}{tags}}}"
        if style.motion == "karaoke":
            rows.append((caption.start, caption.end, start + _karaoke(caption, line, shown, style)))
        elif style.motion == "word":
            rows += [(begin, end, start + text) for begin, end, text in _spoken(caption, line, shown, style)]
        else:
            rows.append((caption.start, caption.end, start + _laid(shown)))
    return rows


def _karaoke(caption: Caption, line: Sequence[Word], shown: Sequence[str], style: CaptionStyle) -> str:
    """A line that fills while it is spoken; it waits for the lines before it."""
    position = round(line[0].start * 100)
    wait = position - round(caption.start * 100)
    marks = []
    for index, word in enumerate(line):
        until = line[index + 1].start if index + 1 < len(line) else word.end
        step = max(0, round(until * 100) - position)
        position += step
        marks.append((f"{{\\kf{step}}}", ""))
    colours = f"{{\\1c{_inline(style.highlight)}\\2c{_inline(style.colour)}}}"
    return colours + (f"{{\\k{wait}}}" if wait > 0 else "") + _laid(shown, marks)


def _spoken(caption: Caption, line: Sequence[Word], shown: Sequence[str], style: CaptionStyle) -> list[_Event]:
    """A line once for each of its words, that word lit, and plain before and after."""
    words = caption.words
    first = next(index for index, word in enumerate(words) if word is line[0])
    active = (f"{{\\1c{_inline(style.highlight)}}}", f"{{\\1c{_inline(style.colour)}}}")
    rows: list[_Event] = []
    begin = caption.start if first == 0 else line[0].start
    rows.append((caption.start, begin, _laid(shown)))
    for index in range(len(line)):
        following = first + index + 1
        end = words[following].start if following < len(words) else caption.end
        marks = [active if other == index else ("", "") for other in range(len(line))]
        rows.append((begin, end, _laid(shown, marks)))
        begin = end
    rows.append((begin, caption.end, _laid(shown)))
    return rows


def _scaled(scale: float) -> str:
    return f"\\fscx{scale * 100:.0f}\\fscy{scale * 100:.0f}"


def _shown(text: str, style: CaptionStyle) -> str:
    return plain(text.upper() if style.upper_case else text)


def _laid(shown: Sequence[str], marks: Sequence[tuple[str, str]] = ()) -> str:
    """A line's words with what stands before and after each; spaces as the scripts want them."""
    row, before = "", ""
    for index, text in enumerate(shown):
        opening, closing = marks[index] if marks else ("", "")
        row += _space(before, text) + opening + text + closing
        before = text or before
    return row


def _space(left: str, right: str) -> str:
    if not left or not right or (unspaced(left[-1]) and unspaced(right[0])):
        return ""
    return " "


def _colour(rgb: str, transparency: float = 0.0) -> str:
    return f"&H{round(transparency * 255):02X}{rgb[4:6]}{rgb[2:4]}{rgb[0:2]}"


def _inline(rgb: str) -> str:
    return f"&H{rgb[4:6]}{rgb[2:4]}{rgb[0:2]}&"


def _clock(seconds: float) -> str:
    total = max(0, round(seconds * 100))
    return f"{total // 360_000}:{total // 6000 % 60:02d}:{total // 100 % 60:02d}.{total % 100:02d}"

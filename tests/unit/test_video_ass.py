"""ASS documents: right times and sizes, and no word can break out of its event (SPEC V3.4, media safety)."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.video.ass import DESCENT, LINE_HEIGHT, ass_document, check_drawable, plain
from core.video.caption_styles import STYLES, safe_area
from core.video.text import em_width
from core.video.timeline import Word

SIZES = [(720, 1280, "9:16"), (1920, 1080, "16:9"), (1080, 1080, "1:1"), (1080, 1350, "4:5"), (320, 180, "source")]
OUR_TAGS = re.compile(
    r"^\{(?:\\(?:pos\(\d+,\d+\)|k\d+|fsc[xy]\d{1,3}|1c&H[0-9A-F]{6}&|2c&H[0-9A-F]{6}&|kf\d+|t\(0,90,\\fscx\d{1,3}\\fscy\d{1,3}\)))+\}$"
)
HOSTILE = [
    "{\\p1}m 0 0 l 9 9{\\p0}", "\\N\\N\\h", "{", "}", "\\", "a\nDialogue: 0,0:00:00.00,9:59:59.99,Default,,0,0,0,,x",
    "\r\n[Fonts]\r\nfontname: x", "\u202eevil\u202c", "x" * 5000, "\x00\x1b[31m", "{\\fscx9999}", "{\\an8}top", "\\{",
    "\u2028", "ทดสอบ{\\pos(0,0)}",
]  # fmt: skip


def speak(text: str, pace: float = 0.3) -> list[Word]:
    return [Word(word=word, start=i * pace, end=(i + 1) * pace - 0.05) for i, word in enumerate(text.split())]


def events(document: str) -> list[tuple[float, float, str]]:
    """The Dialogue lines, read the way ASS readers do: nine commas, then text."""
    body = document.split("[Events]\n")[1].splitlines()[1:]
    rows = []
    for line in body:
        assert line.startswith("Dialogue: "), line
        fields = line.removeprefix("Dialogue: ").split(",", 9)
        rows.append((seconds(fields[1]), seconds(fields[2]), fields[9]))
    return rows


def seconds(clock: str) -> float:
    hours, minutes, rest = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def shown(text: str) -> str:
    """What a reader draws: override blocks taken out, \\N as a line break."""
    return re.sub(r"\{[^}]*\}", "", text).replace("\\N", "\n")


words_of_strangers = st.lists(
    st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40), st.text(alphabet="{}\\Nhpn,\n\r:&H0", max_size=15)),
    min_size=1,
    max_size=12,
)


@settings(deadline=None, max_examples=200)
@given(words_of_strangers, st.sampled_from(sorted(STYLES)), st.sampled_from(SIZES))
def test_no_word_becomes_a_tag_a_line_or_an_event(texts: list[str], style: str, size: tuple[int, int, str]) -> None:
    words = [Word(word=text, start=i * 0.4, end=i * 0.4 + 0.3) for i, text in enumerate(texts)]
    document = ass_document(words, style, *size)  # type: ignore[arg-type]
    sections = [line for line in document.splitlines() if line.startswith("[")]
    assert sections == ["[Script Info]", "[V4+ Styles]", "[Events]"]
    for _, _, text in events(document):
        for block in re.findall(r"\{[^}]*\}", text):
            assert OUR_TAGS.match(block), block
        visible = re.sub(r"\{[^}]*\}", "", text)
        assert "{" not in visible
        assert "}" not in visible
        assert "\\" not in visible.replace("\\N", "")
        assert visible.count("\\N") <= 1
        assert not any(unicodedata.category(char) in ("Cc", "Zl", "Zp") for char in visible)
        assert not any("\u202a" <= char <= "\u202e" or "\u2066" <= char <= "\u2069" for char in visible)


@given(st.text(max_size=200))
def test_plain_text_is_short_and_harmless(text: str) -> None:
    result = plain(text)
    assert not set(result) & set("{}\\\r\n")
    assert len(result) <= 60


def test_word_by_word_highlight_follows_the_voice() -> None:
    words = speak("one two three four five six")
    rows = events(ass_document(words, "tiktok", 720, 1280, "9:16"))
    lit = [
        (start, end, match[1]) for start, end, text in rows if (match := re.search(r"\{\\1c&H00E5FF&\}([^{]*)", text))
    ]
    assert [text for _, _, text in lit] == [word.word.upper() for word in words]
    assert [start for start, _, _ in lit] == pytest.approx([word.start for word in words], abs=0.006)
    assert all(first[1] <= second[0] + 1e-9 for first, second in pairwise(lit))
    for hundredth in range(2, 170, 7):  # at any moment every line of a caption is there once
        now = [shown(text) for start, end, text in rows if start <= hundredth / 100 < end]
        assert len(now) == len(set(now))
        assert 1 <= len(now) <= 2


def test_karaoke_marks_add_up_to_the_words_times() -> None:
    words = speak("one two three four")
    rows = events(ass_document(words, "karaoke", 1280, 720, "16:9"))
    for start, _, text in rows:
        durations = [int(value) for value in re.findall(r"\\kf?(\d+)", text)]
        last = shown(text).split()[-1]
        end = next(word.end for word in words if word.word == last)
        assert start + sum(durations) / 100 == pytest.approx(end, abs=0.02)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("style", sorted(STYLES))
def test_lines_stay_inside_the_safe_area(style: str, size: tuple[int, int, str]) -> None:
    width, height, ratio = size
    text = "Extraordinarily uncharacteristic internationalisation of everything we say. สวัสดีครับวันนี้เราจะตัดต่อวิดีโอ"
    document = ass_document(speak(text), style, *size)  # type: ignore[arg-type]
    fields = next(line for line in document.splitlines() if line.startswith("Style:")).split(",")
    em = int(fields[2]) / LINE_HEIGHT
    area = safe_area(ratio, width, height)  # type: ignore[arg-type]
    assert int(fields[-2]) >= round(area.bottom * height) - 1
    for _, _, row in events(document):
        if placed := re.search(r"\\pos\((\d+),(\d+)\)", row):
            assert int(placed[1]) == width // 2
            assert int(placed[2]) - (DESCENT - 0.25) * em <= height * (1 - area.bottom) + 2
        scale = max((int(value) for value in re.findall(r"\\fscx(\d+)", row)), default=100) / 100
        for line in shown(row).split("\n"):
            assert em_width(line) * em * scale <= width * (1 - 2 * max(area.left, area.right)) + 2


def test_the_document_has_the_pictures_size_and_a_font_we_ship() -> None:
    fontpkg = pytest.importorskip("fontpkg_sarabun")
    for style in STYLES.values():
        document = ass_document(speak("hello"), style.name, 1080, 1920, "9:16")
        assert "PlayResX: 1080\nPlayResY: 1920" in document
        assert f"Style: Default,{style.font_name}," in document
        face = style.font_name.removeprefix("Sarabun").strip() or ("Bold" if style.weight == 700 else "Regular")
        assert (fontpkg.ROOT / "files" / f"Sarabun-{face}.ttf").exists()


@pytest.mark.parametrize(("width", "height", "ratio"), SIZES[:4])
def test_thai_type_does_not_change_its_size_from_caption_to_caption(width: int, height: int, ratio: str) -> None:
    spoken = (
        "วิธี ทำ วิดีโอ ให้ คน ดู จน จบ ต้อง เริ่ม ด้วย ประโยค ที่ น่า สนใจ ที่สุด อย่า เพิ่ง แนะนำ ตัวเอง เพราะ ไม่ มี ใคร รอ ฟัง ชื่อ ของ คุณ"
    )
    for style in ("clean", "minimal", "tiktok", "karaoke"):
        assert "\\fscx" not in ass_document(speak(spoken), style, width, height, ratio)  # type: ignore[arg-type]


def test_small_type_grows_on_an_upright_picture() -> None:
    def em(style: str, width: int, height: int, ratio: str) -> float:
        document = ass_document(speak("One two three."), style, width, height, ratio)  # type: ignore[arg-type]
        return int(document.split("Style: Default,")[1].split(",")[1]) / LINE_HEIGHT

    for style in ("clean", "minimal"):
        assert em(style, 1080, 1920, "9:16") > 1.2 * em(style, 1920, 1080, "16:9")
    assert em("tiktok", 1080, 1920, "9:16") == em("tiktok", 1920, 1080, "16:9")


def test_captions_whose_letters_the_font_lacks_are_refused() -> None:
    for text in ("Grüße an ł and ế", "สวัสดี", "5 × 3 = 15", "the letter α in English"):
        check_drawable([Word(word=text, start=0, end=1)])
    for text in ("こんにちは", "Привет", "สวัสดี مرحبا بك"):
        with pytest.raises(InvalidInput, match="caption font"):
            check_drawable([Word(word=text, start=0, end=1)])

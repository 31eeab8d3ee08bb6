"""Cleaning, measuring and cutting text, Thai above all (SPEC V3.2)."""

from __future__ import annotations

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.video.text import cells, clean, em_width, join, regroup_words, thai_words
from core.video.timeline import Word


@given(st.text(max_size=80))
def test_clean_text_is_one_line_without_invisible_characters(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert not any(unicodedata.category(char) in ("Cc", "Zl", "Zp", "Cs") for char in cleaned)
    assert not any("\u202a" <= char <= "\u202e" or "\u2066" <= char <= "\u2069" for char in cleaned)
    assert "  " not in cleaned


def test_cells_ignore_marks() -> None:
    assert cells("ที่นี่") == 2
    assert cells("abc") == 3
    assert cells("字幕") == 4


def test_thai_is_cut_at_words_and_nothing_is_lost() -> None:
    text = "สวัสดีครับวันนี้เราจะพูดถึงการตัดต่อวิดีโอ with Python 3 ๆ ครับ"
    words = thai_words(text)
    assert "วันนี้" in words
    assert "".join(words) == text.replace(" ", "")
    assert not any(unicodedata.category(word[0]) in ("Mn", "Me") for word in words)


@given(st.text(alphabet="กขคงจทนมสอาิีุู่้์เแไำ abc1", max_size=60))
def test_no_letter_is_lost_in_any_thai_text(text: str) -> None:
    assert "".join(thai_words(text)) == "".join(text.split())


def test_join_knows_which_scripts_take_spaces() -> None:
    assert join(["สวัสดี", "ครับ", "hello", "world", "ครับ"]) == "สวัสดีครับ hello world ครับ"


def test_fragments_of_a_recogniser_become_words_with_times() -> None:
    fragments = [
        Word(word=piece, start=1 + index * 0.1, end=1.1 + index * 0.1, probability=0.9 - index * 0.01)
        for index, piece in enumerate(["สวั", "สดี", "คร", "ับ", "วัน", "นี้"])
    ]
    words = regroup_words([*fragments, Word(word=" OK\n", start=2.0, end=2.4)])
    assert [word.word for word in words] == ["สวัสดี", "ครับ", "วันนี้", "OK"]
    assert words[0].start == pytest.approx(1.0)
    assert words[0].end == pytest.approx(1.2)
    assert words[2].end == pytest.approx(1.6)
    assert all(first.end <= second.start + 1e-9 for first, second in itertools.pairwise(words))


@given(st.lists(st.text(alphabet="กขคทนมาิี่้ ab", min_size=1, max_size=6), max_size=15))
def test_regrouping_keeps_letters_and_order(pieces: list[str]) -> None:
    words = [Word(word=piece, start=index * 0.2, end=index * 0.2 + 0.2) for index, piece in enumerate(pieces)]
    grouped = regroup_words(words)
    wanted = "".join("".join(clean(piece).split()) for piece in pieces)
    assert "".join("".join(word.word.split()) for word in grouped) == wanted
    assert all(word.end >= word.start for word in grouped)
    assert all(first.start <= second.start + 1e-9 for first, second in itertools.pairwise(grouped))


def test_estimated_widths_do_not_fall_short_of_the_font() -> None:
    fontpkg = pytest.importorskip("fontpkg_sarabun")
    font_module = pytest.importorskip("PIL.ImageFont")
    font = font_module.truetype(str(fontpkg.ROOT / "files" / "Sarabun-ExtraBold.ttf"), 200)
    for text in ("EVERY MORNING", "what makes a good video?", "สวัสดีครับวันนี้เราจะ", "2026: 100% MORE WOW", "กรุงเทพมหานคร"):
        measured = font.getlength(text) / 200
        assert measured <= em_width(text) * 1.02, text
        assert em_width(text) <= measured * 1.35, text

"""Translated sentences in the time of the spoken ones, broken by their own language's rules (SPEC V3.3)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.translation import M2M100, others
from core.video.caption_styles import CaptionRules
from core.video.captions import build_captions
from core.video.sentences import sentences
from core.video.text import cells, join, thai_words
from core.video.timeline import Word
from core.video.translated import split_words, translated_words
from tests.unit.test_video_shorts import speak

ENGLISH = "Put the microphone close to your mouth. Why does nobody talk about the window?"
THAI = (
    "วางไมโครโฟนไว้ใกล้ปากของคุณให้มากที่สุดเพื่อให้เสียงพูดชัดเจนทุกคำ",
    "ทำไมไม่มีใครพูดถึงหน้าต่างเลย",
)


@given(
    st.lists(st.tuples(st.floats(0.05, 0.8), st.floats(0.0, 2.0), st.integers(1, 12)), min_size=1, max_size=20),
    st.lists(st.text("abcdeกขคงดまの漢字.", min_size=1, max_size=14), min_size=1, max_size=25),
)
def test_words_stay_inside_what_is_said_in_order_and_whole(
    rows: list[tuple[float, float, int]], text: list[str]
) -> None:
    words: list[Word] = []
    for length, pause, letters in rows:
        start = (words[-1].end + pause) if words else pause
        words.append(Word(word="w" * letters, start=start, end=start + length))
    words[-1] = words[-1].model_copy(update={"word": words[-1].word + "."})
    spoken = sentences(words, pause_seconds=1e9)
    made = translated_words(spoken, words, [" ".join(text)])
    assert "".join(word.word for word in made) == "".join(" ".join(text).split())
    assert made[0].start >= words[0].start
    assert made[-1].end <= words[-1].end + 1e-9
    assert all(word.end >= word.start - 1e-9 for word in made)
    assert all(before.end <= after.start + 1e-6 for before, after in pairwise(made))


def test_a_pause_inside_a_sentence_stays_a_pause() -> None:
    words = [Word(word="Wait", start=0.0, end=0.5), Word(word="here.", start=3.0, end=3.6)]
    made = translated_words(sentences(words, pause_seconds=9), words, ["Wart hier."])
    assert [(word.start, word.end) for word in made] == [(0.0, 0.5), (3.0, 3.6)]


def test_thai_lines_break_between_words_and_can_be_read() -> None:
    words = speak(ENGLISH, pace=0.5)
    spoken = sentences(words)
    captions = build_captions(translated_words(spoken, words, THAI), CaptionRules())
    allowed = {"".join(thai_words(text)[:count]) for text in THAI for count in range(1, 60)}
    for sentence, text in zip(spoken, THAI, strict=True):
        mine = [caption for caption in captions if sentence.start <= caption.start < sentence.end]
        assert mine[0].start == pytest.approx(sentence.start, abs=0.01)
        assert join(line for caption in mine for line in caption.texts) == text
        position = ""
        for line in (line for caption in mine for line in caption.texts):
            position += line
            assert position in allowed
            assert cells(line) <= CaptionRules().max_cells
    for caption in captions:
        letters = cells(join(caption.texts))
        assert letters / (caption.end - caption.start) <= CaptionRules().max_cells_per_second + 0.5


def test_japanese_lines_neither_begin_with_a_full_stop_nor_end_with_a_bracket() -> None:
    assert split_words("「はい」、そうです。OK?") == ["「は", "い」、", "そ", "う", "で", "す。", "OK?"]
    assert split_words("plain words, here") == ["plain", "words,", "here"]


def test_only_other_languages_are_translated_each_once() -> None:
    assert others("en", ("auto", "en-GB", "th", "th", "pt-BR")) == ["th", "pt-BR"]
    assert others("th", ()) == []
    assert len(M2M100.languages) == 100

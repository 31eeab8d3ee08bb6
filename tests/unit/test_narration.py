"""How a text is spoken: sentences, pauses, times of words; and which voice may speak it (SPEC M8)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import voices
from core.errors import InvalidInput, NotConfigured
from core.narration import (
    BREATH_PAUSE,
    LONGEST_LINE,
    PARAGRAPH_PAUSE,
    SENTENCE_PAUSE,
    Line,
    SpokenLine,
    laid,
    lines_of,
    paragraphs_of,
    words_of,
)
from core.video.text import clean

THAI = "สวัสดีครับ วันนี้เราจะทำอาหารไทย"


def test_sentences_lists_and_paragraphs() -> None:
    text = "Dr. Who said 3.5 is enough. Is it?\n- buy milk\n- buy rice\n\n\nThe end!"
    assert lines_of(text) == [
        Line("Dr. Who said 3.5 is enough.", SENTENCE_PAUSE),
        Line("Is it?", SENTENCE_PAUSE),
        Line("- buy milk", SENTENCE_PAUSE),
        Line("- buy rice", PARAGRAPH_PAUSE),
        Line("The end!", PARAGRAPH_PAUSE),
    ]
    assert paragraphs_of(text)[1] == "The end!"


def test_a_long_sentence_is_breathed_at_its_marks() -> None:
    long = "we went along the river, " * 30 + "and home."
    lines = lines_of(long)
    assert all(len(line.text) <= LONGEST_LINE for line in lines)
    assert all(line.text.endswith(",") for line in lines[:-1])
    assert [line.pause for line in lines[:-1]] == [BREATH_PAUSE] * (len(lines) - 1)
    assert " ".join(line.text for line in lines) == long


@given(st.text(alphabet=st.sampled_from("ab .,!?\n กาคน…\u202e{}\\"), max_size=900))
def test_nothing_that_can_be_said_is_lost_and_no_line_is_too_long(text: str) -> None:
    if not any(char.isalnum() for char in clean(text)):
        with pytest.raises(InvalidInput):
            lines_of(text)
        return
    lines = lines_of(text)
    assert all(0 < len(line.text) <= LONGEST_LINE + 20 for line in lines)

    def letters(value: str) -> str:
        return "".join(char for char in clean(value) if char.isalnum())

    assert letters("".join(line.text for line in lines)) == letters(text)


@given(st.lists(st.sampled_from(["hello,", "world.", "a", "2026", "ครับ", "!"]), min_size=1, max_size=30))
def test_words_stand_in_order_within_their_line(words: list[str]) -> None:
    line = SpokenLine(" ".join(words), 3.0, 7.5)
    timed = words_of(line)
    assert timed[0].start == pytest.approx(3.0)
    assert timed[-1].end == pytest.approx(7.5, abs=0.002)
    for before, after in pairwise(timed):
        assert before.start <= before.end <= after.start + 0.001


def test_lines_are_laid_with_their_pauses() -> None:
    spoken = laid([Line("a", 0.5), Line("b", 1.0)], [2.0, 3.0], lead=0.25)
    assert [(line.start, line.end) for line in spoken] == [(0.25, 2.25), (2.75, 5.75)]


def test_thai_is_never_spoken_by_an_english_voice() -> None:
    for voice in (None, voices.BUNDLED, "en_GB-alba-medium"):
        for language in ("auto", "en", "th"):
            with pytest.raises(NotConfigured, match="not Thai"):
                voices.choose(THAI, language, voice, hosted=True)
    with pytest.raises(NotConfigured, match="not Thai"):
        voices.choose("Hello ครับ", "en", voices.BUNDLED, hosted=True)
    with pytest.raises(NotConfigured, match="not Thai"):
        voices.choose("Plain letters", "th", None, hosted=False)
    assert voices.choose(THAI, "auto", "hosted:alloy", hosted=True) == "hosted:alloy"
    with pytest.raises(NotConfigured) as keyless:
        voices.choose(THAI, "auto", "hosted:alloy", hosted=False)
    assert keyless.value.setting == "SPEECH_API_KEY"


def test_a_voice_is_chosen_or_refused_by_name_and_letters() -> None:
    assert voices.choose("Good morning.", "auto", None, hosted=False) == voices.BUNDLED
    assert voices.choose("Café at 9?", "en-GB", voices.BUNDLED, hosted=False) == voices.BUNDLED
    for unknown in ("nobody", "hosted:nobody"):
        with pytest.raises(InvalidInput, match="does not know this voice"):
            voices.choose("Hello.", "en", unknown, hosted=True)
    with pytest.raises(InvalidInput, match="letters"):
        voices.choose("Привет, как дела", "en", None, hosted=False)
    with pytest.raises(NotConfigured, match="this language"):
        voices.choose("Guten Morgen.", "de", None, hosted=False)
    assert voices.PIPER["en_GB-alba-medium"].files[0] == "en/en_GB/alba/medium/en_GB-alba-medium.onnx"

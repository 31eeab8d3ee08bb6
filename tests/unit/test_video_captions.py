"""Captions rebuilt from words: limits, sense, reading speed, Thai, file formats (SPEC V3.2, V3.5)."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.video.caption_styles import STYLES, CaptionRules
from core.video.captions import build_captions, srt, vtt
from core.video.text import cells, clean, thai_words
from core.video.timeline import Word

TALK = (
    "The most important thing about light is that it comes from a window, because a lamp above you makes dark eyes. "
    "So turn your chair and look at the window! Why does nobody tell you this? It costs nothing, and it takes a minute "
    "of your time every single morning."
)
THAI_TALK = "วันนี้เราจะมาพูดถึงการตัดต่อวิดีโอสำหรับผู้เริ่มต้นและวิธีเลือกไมโครโฟนที่เหมาะกับห้องของคุณครับ"


def speak(text: str, pace: float = 0.28, gap: float = 0.04, pause: float = 0.6) -> list[Word]:
    words: list[Word] = []
    position = 0.5
    for token in text.split():
        words.append(Word(word=token, start=position, end=position + pace))
        position += pace + (pause if token[-1] in ".?!" else gap)
    return words


def test_subtitles_keep_two_lines_of_38_cells_and_break_by_sense() -> None:
    rules = CaptionRules()
    captions = build_captions(speak(TALK), rules)
    assert all(len(caption.lines) <= 2 for caption in captions)
    assert all(cells(line) <= rules.max_cells for caption in captions for line in caption.texts)
    ends = [caption.texts[-1].split()[-1].lower() for caption in captions]
    assert not set(ends) & {"the", "a", "of", "and", "because", "every"}
    assert any(text.endswith("window!") for text in ends)
    assert any(text.endswith("this?") for text in ends)


def test_reading_speed_is_kept_where_the_speech_allows() -> None:
    rules = CaptionRules()
    for caption in build_captions(speak(TALK), rules):
        assert cells(" ".join(caption.texts)) / (caption.end - caption.start) <= rules.max_cells_per_second


def test_short_groups_for_vertical_video() -> None:
    captions = build_captions(speak(TALK), STYLES["tiktok"].rules)
    sizes = [len(caption.words) for caption in captions]
    assert max(sizes) <= 4
    assert sum(sizes) / len(sizes) >= 2.5
    assert all(len(caption.lines) <= 2 for caption in captions)


def test_a_pause_ends_a_caption() -> None:
    words = [Word(word="before", start=0, end=0.4), Word(word="after", start=2.0, end=2.4)]
    captions = build_captions(words, CaptionRules())
    assert [caption.texts for caption in captions] == [["before"], ["after"]]
    assert captions[0].end < 2.0


def test_thai_breaks_only_between_words() -> None:
    pieces = [THAI_TALK[index : index + 2] for index in range(0, len(THAI_TALK), 2)]  # as a recogniser hands them out
    words = [Word(word=piece, start=index * 0.09, end=index * 0.09 + 0.09) for index, piece in enumerate(pieces)]
    whole = set(thai_words(THAI_TALK))
    for rules in (CaptionRules(max_cells=20), STYLES["tiktok"].rules):
        captions = build_captions(words, rules)
        assert len(captions) > 1
        assert "".join("".join(caption.texts) for caption in captions) == THAI_TALK
        assert all(cells(line) <= rules.max_cells for caption in captions for line in caption.texts)
        assert {word.word for caption in captions for word in caption.words} <= whole


word_lists = st.lists(
    st.tuples(
        st.text(alphabet=st.characters(codec="utf-8"), max_size=30) | st.sampled_from(["the", "end.", "and", "x,"]),
        st.floats(0, 1.5),
        st.floats(0, 1.2),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(word_lists, st.sampled_from([style.rules for style in STYLES.values()]))
def test_any_words_become_captions_in_order_with_nothing_lost(
    raw: list[tuple[str, float, float]], rules: CaptionRules
) -> None:
    words: list[Word] = []
    position = 0.0
    for text, gap, length in raw:
        words.append(Word(word=text, start=position + gap, end=position + gap + length))
        position += gap + length * 0.9  # recognisers overlap words a little
    captions = build_captions(words, rules)
    shown = "".join("".join("".join(caption.texts).split()) for caption in captions)
    assert shown == "".join("".join(clean(word.word).split()) for word in words)
    assert all(caption.start < caption.end for caption in captions)
    assert all(first.end <= second.start + 1e-6 for first, second in pairwise(captions))
    for caption in captions:
        assert len(caption.lines) <= rules.max_lines
        for line in caption.lines:
            assert len(line) == 1 or cells(" ".join(word.word for word in line)) <= rules.max_cells + 1 * len(line)


@settings(deadline=None)
@given(word_lists)
def test_subtitle_files_hold_exactly_the_cues_whatever_the_words(raw: list[tuple[str, float, float]]) -> None:
    words = [Word(word=text, start=index * 1.0, end=index * 1.0 + 0.5) for index, (text, _, _) in enumerate(raw)]
    captions = build_captions(words, CaptionRules())
    for text, arrow in ((srt(captions), ","), (vtt(captions, "en"), ".")):
        clock = rf"\d\d:\d\d:\d\d[{arrow}]\d\d\d"
        assert len(re.findall(rf"^{clock} --> {clock}$", text, re.MULTILINE)) == len(captions)
        assert text.count("-->") == len(captions)
    cues = [cue for cue in vtt(captions).split("\n\n")[1:] if cue.strip()]
    assert len(cues) == len(captions)
    assert all("<" not in cue.split("\n", 1)[1] for cue in cues)


def test_times_are_written_as_the_formats_want() -> None:
    words = [Word(word="A", start=3661.2345, end=3662.0), Word(word="<b>&", start=3663, end=3664)]
    captions = build_captions(words, CaptionRules(linger_seconds=0.0, min_seconds=0.5))
    assert "01:01:01,234 --> 01:01:02,000" in srt(captions)
    assert "01:01:01.234 --> 01:01:02.000" in vtt(captions)
    assert "&lt;b&gt;&amp;" in vtt(captions)


@pytest.mark.parametrize("name", sorted(STYLES))
def test_every_style_has_sane_limits(name: str) -> None:
    style = STYLES[name]
    assert 0.03 <= style.size <= 0.15
    assert re.fullmatch(r"[0-9A-F]{6}", style.colour)
    assert re.fullmatch(r"[0-9A-F]{6}", style.highlight)
    assert style.rules.max_lines <= 2

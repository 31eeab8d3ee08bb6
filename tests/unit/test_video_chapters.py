"""A long recording parted by what it is about: topics, breaks, lengths (SPEC V6.1)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.video.chapters import Signals, best_partition, find_chapters, find_parts, moments_to_watch
from core.video.sentences import sentences
from core.video.timeline import Word
from core.video.topics import shifts
from tests.unit.test_video_shorts import speak

GARDEN = """
A compost heap needs brown leaves and green kitchen scraps. The worms in the compost turn the scraps into dark soil.
Turn the heap every week so that the worms get air. If the compost smells, add more dry leaves to the heap.
Wet soil drowns the worms, so cover the heap when it rains. Good soil crumbles in your hand.
Spread the compost around your tomato plants in spring.
"""
CAMERA = """
A lens with a wide aperture makes the background soft. Set the aperture of the lens first, then the shutter.
A slow shutter blurs the picture when the camera shakes. Put the camera on a tripod and the shutter can stay slow.
Clean the lens with a soft cloth. The sensor behind the lens collects dust.
A cheap lens with a small aperture is sharp enough for a picture in daylight.
"""
TAX = """
Every freelancer has to save for tax. Put a third of each invoice into a savings account.
The tax office asks for every invoice you wrote this year. Keep the receipts, because receipts lower your tax.
Send the invoice on the day the work is done. An accountant costs less than a fine.
Pay the tax in four parts and keep the account for savings alone.
"""
TOPICS = (GARDEN, CAMERA, TAX)


def spoken(*texts: str, gap: float = 0.0) -> tuple[list[Word], list[int]]:
    """All texts after each other, ``gap`` more seconds between two; the indexes at which the later ones begin."""
    words: list[Word] = []
    begins: list[int] = []
    for text in texts:
        offset = words[-1].end + gap + 0.2 if words else 0.0
        begins.append(len(words))
        words += [
            word.model_copy(update={"start": word.start + offset, "end": word.end + offset}) for word in speak(text)
        ]
    return words, begins[1:]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_the_subject_changes_where_it_does(order: tuple[int, ...]) -> None:
    words, begins = spoken(*(TOPICS[index] for index in order))
    found = shifts(sentences(words))
    truth = [index for index, sentence in enumerate(sentences(words)) if sentence.first in begins]
    strongest = sorted(range(len(found)), key=lambda gap: -found[gap])[: len(truth)]
    assert all(min(abs(gap + 1 - true) for true in truth) <= 1 for gap in strongest)
    assert len({min(truth, key=lambda true, gap=gap: abs(gap + 1 - true)) for gap in strongest}) == len(truth)


def test_one_subject_has_no_border_as_strong_as_two_have() -> None:
    assert shifts(sentences(speak("Yes. " * 30))) == [0.0] * 29
    assert shifts([]) == []
    assert shifts(sentences(speak("One sentence alone."))) == []


def test_chapters_are_named_and_begin_and_end_with_sentences() -> None:
    words, begins = spoken(*TOPICS, gap=1.5)
    chapters, borders = find_chapters(
        sentences(words), Signals(words[-1].end + 1), min_seconds=15, max_seconds=120, idle_seconds=15
    )
    assert len(chapters) == 3
    for chapter, first in zip(chapters[1:], begins, strict=True):
        assert words[first - 1].end <= chapter.start <= words[first].start
        assert "topic" in chapter.reasons or "pause" in chapter.reasons
    assert len({chapter.title for chapter in chapters}) == 3
    assert all(before.end <= after.start for before, after in pairwise(chapters))
    assert {border.time for border in borders} >= {chapter.start for chapter in chapters[1:]}
    looks = moments_to_watch(sentences(words), 2)
    assert all(words[first - 1].end <= look <= words[first].start for look, first in zip(looks, begins, strict=True))


def test_a_break_is_in_no_chapter_and_a_change_of_picture_helps() -> None:
    words, begins = spoken(GARDEN, GARDEN, gap=20)
    both = sentences(words)
    chapters, _ = find_chapters(both, Signals(words[-1].end), min_seconds=15, max_seconds=120, idle_seconds=15)
    assert len(chapters) == 2
    assert chapters[0].end <= words[begins[0] - 1].end + 1
    assert chapters[1].start >= words[begins[0]].start - 1
    assert chapters[1].reasons[0] == "break"
    one = sentences(speak(GARDEN))
    middle = one[4].start
    plain = find_chapters(one, Signals(60.0), min_seconds=5, max_seconds=60, idle_seconds=15)[1]
    seen = find_chapters(one, Signals(60.0, scene_cuts=(middle,)), min_seconds=5, max_seconds=60, idle_seconds=15)[1]
    gained = [b.strength - a.strength for a, b in zip(plain, seen, strict=True) if "scene" in b.reasons]
    assert gained
    assert min(gained) > 0.19
    assert [abs(border.time - middle) < 4 for border in seen if "scene" in border.reasons]


def test_where_nobody_speaks_parts_follow_the_picture_and_its_sound() -> None:
    levels = [-20.0] * 3000 + [-80.0] * 2000 + [-35.0] * 3000 + [-20.0] * 2000  # 30 s, 20 s of nothing, 30 s, 20 s
    cuts = (12.0, 30.0, 50.0, 65.0, 80.0)
    signals = Signals(100.0, levels, 0.01, cuts)
    parts, borders = find_parts(signals, min_seconds=15, max_seconds=60, idle_seconds=15, title="Part {}".format)
    assert [(part.start, part.end) for part in parts] == [(0.0, 30.0), (50.0, 80.0), (80.0, 100.0)]
    assert [part.title for part in parts] == ["Part 1", "Part 2", "Part 3"]
    assert "energy" in parts[2].reasons
    assert "energy" not in parts[1].reasons
    assert {border.time for border in borders} <= set(cuts)
    silent, _ = find_parts(Signals(10.0), min_seconds=5, max_seconds=20, idle_seconds=15, title=str)
    assert [(part.start, part.end) for part in silent] == [(0.0, 10.0)]


@given(
    st.lists(st.tuples(st.floats(0.0, 3.0), st.floats(0.5, 20.0)), min_size=1, max_size=40),
    st.data(),
    st.floats(5, 40),
    st.floats(1.5, 6),
)
def test_every_span_is_in_one_run_and_lengths_are_kept_where_they_can_be(
    rows: list[tuple[float, float]], data: st.DataObject, shortest: float, times: float
) -> None:
    spans: list[tuple[float, float]] = []
    for pause, length in rows:
        start = (spans[-1][1] if spans else 0.0) + pause
        spans.append((start, start + length))
    strengths = data.draw(st.lists(st.floats(0, 1), min_size=len(spans) - 1, max_size=len(spans) - 1))
    longest = shortest * times
    runs = best_partition(spans, strengths, shortest, longest)
    assert [first for first, _ in runs] == [0, *(last for _, last in runs[:-1])]
    assert runs[-1][1] == len(spans)
    assert all(last > first for first, last in runs)
    for first, last in runs:
        # Nothing is longer than twice what is wanted unless it is one span, which cannot be cut.
        assert last - first == 1 or spans[last - 1][1] - spans[first][0] <= 2 * longest
    assert best_partition(spans, strengths, 0.01, 1e9) == best_partition(spans, strengths, 0.01, 1e8)


def test_the_strongest_borders_win_and_weak_ones_part_nothing() -> None:
    spans = [(float(index * 10), index * 10 + 9.0) for index in range(6)]
    assert best_partition(spans, [0.1, 0.2, 0.9, 0.2, 0.1], 10, 60) == [(0, 3), (3, 6)]
    assert best_partition(spans, [0.3] * 5, 10, 60) == [(0, 6)]
    assert best_partition(spans, [0.1, 0.3, 0.1, 0.3, 0.1], 10, 20) == [(0, 2), (2, 4), (4, 6)]

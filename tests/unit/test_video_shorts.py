"""Clips worth showing alone: boundaries, limits, no overlap, order, reasons, titles (SPEC V6.2)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.video.headlines import LONGEST
from core.video.sentences import sentences, tokens
from core.video.shorts import Short, find_shorts
from core.video.thoughts import borders
from core.video.timeline import Word

TALK = """
Welcome back to the channel, it is good to have you here. Today I am going to talk about light and sound at home.
Why does your video look grey? Most people think it is the camera. It is not the camera, it is the lamp above you.
A lamp above you makes dark eyes and a shiny forehead. Turn your chair and look at the window instead.
A window costs nothing, and it makes skin look soft. I measured it, and the picture had three times the contrast.
And so on. Then we went out for lunch and nothing happened. It was raining the whole afternoon.
Here is how to record clean sound in a small room. Put the microphone one hand away from your mouth.
Hang a blanket behind the microphone, because bare walls throw the echo back. I tried five blankets,
and the thickest won. The difference was eleven decibels, which is more than a new microphone gives you.
There are three mistakes that ruin every interview. The first mistake is asking two questions at once.
The second mistake is filling the silence. The third mistake is looking at your notes while your guest is talking.
Wait two seconds after every answer, and your guest will give you the best sentence of the day.
So that was that, more or less. Let us move on now. I had some coffee in between.
The reason nobody watches the second minute is the slow beginning. Cut the greeting and begin with the result.
When we did that, forty percent more viewers stayed until the end. Never explain what you are going to explain.
Do you need an expensive lens? No, a used lens for ninety dollars is sharp enough for every phone screen.
Spend the money on a tripod, because a shaking picture tires the eyes. That is all for today, thank you and goodbye.
"""


def speak(text: str, pace: float = 0.3, pause: float = 0.7) -> list[Word]:
    words: list[Word] = []
    position = 0.5
    for token in text.split():
        words.append(Word(word=token, start=round(position, 3), end=round(position + pace, 3)))
        position += pace + (pause if token[-1] in ".?!" else 0.05)
    return words


def run(count: int = 5, low: float = 12.0, high: float = 30.0, text: str = TALK) -> tuple[list[Word], list[Short]]:
    words = speak(text)
    shorts = find_shorts(words, words[-1].end + 1.0, count=count, min_seconds=low, max_seconds=high)
    return words, shorts


def test_as_many_as_asked_best_first_without_overlap_on_sentence_boundaries() -> None:
    words, shorts = run()
    assert len(shorts) == 5
    assert [short.score for short in shorts] == sorted((short.score for short in shorts), reverse=True)
    ordered = sorted(shorts, key=lambda short: short.start)
    assert all(first.end <= second.start for first, second in pairwise(ordered))
    spoken = sentences(words)
    for short in shorts:
        assert 12.0 <= short.end - short.start <= 30.0
        assert any(abs(sentence.start - short.start) <= 0.2 for sentence in spoken)
        assert any(abs(sentence.end - short.end) <= 0.4 for sentence in spoken)
        assert short.reasons


def test_titles_say_what_the_clip_claims_and_are_not_its_first_words() -> None:
    _words, shorts = run()
    titles = [short.title for short in shorts]
    assert len(set(titles)) == len(titles)
    for short in shorts:
        assert 5 <= len(short.title) <= LONGEST
        said = tokens(short.title)
        opening = tokens(short.text)
        assert opening[: len(said)] != said
        assert opening[:3] != said[:3]
        assert set(said) & set(opening)
    joined = " | ".join(titles)
    assert "Record Clean Sound" in joined or "Microphone" in joined
    assert "Mistakes" in joined


def test_strong_clips_come_before_idle_talk() -> None:
    _, shorts = run(count=3)
    texts = " ".join(short.text for short in shorts)
    assert "more or less" not in texts
    assert "raining the whole afternoon" not in texts
    assert "goodbye" not in texts


def test_reasons_name_what_is_there() -> None:
    _, shorts = run(count=8, low=8, high=25)
    by_text = {short.text: short for short in shorts}
    asking = [short for text, short in by_text.items() if text.startswith(("Why", "Do you"))]
    assert all("hook_question" in short.reasons for short in asking)
    assert all("clean_start" not in short.reasons for text, short in by_text.items() if text.startswith(("And", "So")))


def test_loud_passages_are_preferred_when_levels_are_known() -> None:
    sentence = "The garden needs water and some light in the morning every day of the week."
    words = speak(" ".join([sentence] * 8))
    duration = words[-1].end + 1
    levels = [-30.0 if index * 0.05 < duration / 2 else -15.0 for index in range(int(duration / 0.05))]
    best = find_shorts(words, duration, count=1, min_seconds=5, max_seconds=11, levels_db=levels)[0]
    assert best.start > duration / 2 - 6
    assert "energy" in best.reasons


def test_limits_hold_for_what_is_kept() -> None:
    words = speak(TALK)
    shorts = find_shorts(
        words, words[-1].end, count=4, min_seconds=10, max_seconds=20, kept_seconds=lambda start, end: (end - start) / 2
    )
    assert shorts
    assert all(20 <= short.end - short.start <= 40 for short in shorts)


def test_a_talk_too_short_has_no_clips_and_speech_without_marks_has() -> None:
    assert run(text="Hello there. Goodbye now.")[1] == []
    endless = " ".join(f"word{i % 17}" for i in range(400))
    _words, shorts = run(count=3, text=endless)
    assert len(shorts) == 3
    assert all(12 <= short.end - short.start <= 30 for short in shorts)


def test_thai_talks_get_thai_titles() -> None:
    text = (
        "วันนี้เราจะพูดเรื่องไมโครโฟน ครับ | วิธีเลือกไมโครโฟนสำหรับห้องเล็กคือดูทิศทางรับเสียง ครับ | "
        "ไมโครโฟนราคาแพงไม่ช่วยถ้าห้องมีเสียงสะท้อน ครับ | ผ้าห่มหนาช่วยลดเสียงสะท้อนได้มาก ครับ |"
    )
    from core.video.text import thai_words

    words: list[Word] = []
    position = 0.0
    for token in text.split():
        if token == "|":
            position += 1.0
            continue
        for piece in thai_words(token):
            words.append(Word(word=piece, start=position, end=position + 0.3))
            position += 0.3
    shorts = find_shorts(words, position, count=2, min_seconds=4, max_seconds=9)
    assert shorts
    assert all(any("\u0e00" <= char <= "\u0e7f" for char in short.title) for short in shorts)
    assert all(not short.text.startswith(short.title) for short in shorts)


@settings(deadline=None, max_examples=60)
@given(
    lengths=st.lists(st.tuples(st.integers(1, 18), st.floats(0.0, 3.0), st.booleans()), min_size=1, max_size=40),
    count=st.integers(1, 12),
    low=st.floats(3, 20),
    span=st.floats(0, 40),
)
def test_any_talk_gives_valid_clips(
    lengths: list[tuple[int, float, bool]], count: int, low: float, span: float
) -> None:
    words: list[Word] = []
    position = 0.0
    vocabulary = ["camera", "light", "sound", "window", "and", "the", "so", "why", "money", "people", "three", "is"]
    for number, (size, pause, marked) in enumerate(lengths):
        for index in range(size):
            text = vocabulary[(number * 7 + index * 3) % len(vocabulary)]
            last = index == size - 1
            words.append(Word(word=text + ("." if last and marked else ""), start=position, end=position + 0.3))
            position += 0.35
        position += pause
    shorts = find_shorts(words, position, count=count, min_seconds=low, max_seconds=low + span)
    assert len(shorts) <= count
    ordered = sorted(shorts, key=lambda short: short.start)
    assert all(first.end <= second.start + 1e-9 for first, second in pairwise(ordered))
    for short in shorts:
        assert low <= short.end - short.start <= low + span + 1e-9
        assert 0 <= short.start < short.end <= position + 1e-9
        assert 1 <= short.score <= 100
        assert short.title.strip()
        assert len(short.title) <= LONGEST
    assert len({short.title.casefold() for short in shorts}) == len(shorts)


def test_an_hour_is_judged_in_seconds() -> None:
    import time

    words = speak(TALK * 24)
    assert words[-1].end > 3000
    begun = time.process_time()
    shorts = find_shorts(words, words[-1].end, count=20, min_seconds=20, max_seconds=40)
    assert len(shorts) == 20
    assert time.process_time() - begun < 10


@pytest.mark.parametrize("count", [1, 3])
def test_the_set_is_the_best_there_is(count: int) -> None:
    words, shorts = run(count=count, low=10, high=16)
    every = find_shorts(words, words[-1].end, count=1, min_seconds=10, max_seconds=16)
    assert shorts[0].score == pytest.approx(every[0].score) if count == 1 else len(shorts) == 3


CHAPTERS = """
What if your best video is already on your computer? You recorded it last month and nobody has ever seen it.
Today I will show you five small habits that turn one long recording into a week of posts. |
Habit number one is the promise. Say in the very first sentence what the viewer will get.
Never open with your name because nobody is waiting for your name. I changed one sentence and people stayed longer. |
The second habit is about silence, and how to take it away. Every pause feels endless to the person who watches.
Cut the silence, and the same talk suddenly has energy. People stayed until the end of the talk after that. |
Here is a question for you. Where do people watch your videos? They hold a phone in one hand, often without any sound.
Keep your face in the middle and let every word light up as you say it. Big captions double who understands you. |
The last habit is the one that everybody forgets. Look at your numbers every Friday and ask which clip earned its place.
Make more of what worked and quietly stop the rest. You do not need luck, you need a little patience.
"""


def chapters() -> tuple[list[Word], list[tuple[float, float]]]:
    """The talk with 1.6 s between chapters and 0.45 s between sentences, and where each chapter begins and ends."""
    words: list[Word] = []
    bounds = []
    position = 0.5
    for chapter in CHAPTERS.split("|"):
        first = len(words)
        words += [
            word.model_copy(update={"start": word.start + position - 0.5, "end": word.end + position - 0.5})
            for word in speak(chapter, pace=0.28, pause=0.45)
        ]
        bounds.append((words[first].start, words[-1].end))
        position = words[-1].end + 1.6
    return words, bounds


def test_a_clip_tells_one_thought_and_does_not_run_into_the_next() -> None:
    words, bounds = chapters()
    shorts = find_shorts(words, words[-1].end + 1, count=5, min_seconds=8.0, max_seconds=45.0)
    assert len(shorts) == 5
    for short in shorts:
        assert sum(short.start < end - 0.5 and short.end > start + 0.5 for start, end in bounds) == 1, short.text
    assert "one_thought" in shorts[0].reasons
    assert all(1 <= len(short.reasons) <= 4 for short in shorts)
    spoken = sentences(words)
    strengths = borders(spoken)
    turns = {index for index, sentence in enumerate(spoken) for start, _ in bounds if sentence.start == start}
    assert min(strengths[index] for index in turns) > max(
        strength for index, strength in enumerate(strengths[:-1]) if index not in turns
    )


def test_titles_are_whole_statements_not_scraps() -> None:
    words, _bounds = chapters()
    shorts = find_shorts(words, words[-1].end + 1, count=5, min_seconds=8.0, max_seconds=45.0)
    titles = {short.title for short in shorts}
    assert "Five Small Habits That Turn One Long Recording into a Week of Posts" in titles
    assert "Never Open with Your Name" in titles
    assert "Keep Your Face in the Middle" in titles
    assert "Which Clip Earned Its Place" in titles
    assert not any("Take It Away" in title or title.startswith("Often") for title in titles)


@pytest.mark.parametrize(
    ("talk", "title"),
    [
        ("We are back. Why do most people get thumbnails wrong? Nobody plans them. Faces win.",
         "Why Most People Get Thumbnails Wrong"),
        ("It is late. How do you light a small room? One lamp behind the chair does it.", "How to Light a Small Room"),
        ("We began with gear. You do not need expensive gear for good music. A phone is enough.",
         "You Do Not Need Expensive Gear for Good Music"),
    ],
)  # fmt: skip
def test_questions_and_claims_become_titles(talk: str, title: str) -> None:
    words = speak(talk)
    found = find_shorts(words, words[-1].end, count=1, min_seconds=3.0, max_seconds=60.0)
    assert [short.title for short in found] == [title]

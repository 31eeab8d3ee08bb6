"""Questions that lean on the one before (A1)."""

from __future__ import annotations

import pytest

from core.advisor.following import follow, leans
from core.advisor.understand import understand

FIRST = "Which video earned the most?"


@pytest.mark.parametrize(
    "question",
    [
        *("And last month?", "what about TikTok?", "How about the worst?", "ok, and in baht?"),
        *("แล้วเดือนที่แล้วล่ะ", "ส่วน TikTok", "ติ๊กต็อกล่ะ"),
    ],
)
def test_a_fragment_takes_over_what_was_asked(question: str) -> None:
    assert leans(question)
    found, texts = follow(question, [FIRST])
    assert (found.intent, found.metric) == ("top", "revenue")
    assert texts == (question, FIRST)


def test_it_changes_what_it_says() -> None:
    found, _ = follow("And the worst?", ["Which short had the most views?"])
    assert (found.metric, found.ascending) == ("views", True)
    assert follow("what about TikTok?", [FIRST])[0].platform == "tiktok"


def test_fragments_follow_each_other() -> None:
    found, texts = follow("And on TikTok?", [FIRST, "And last month?"])
    assert (found.intent, found.platform) == ("top", "tiktok")
    assert texts == ("And on TikTok?", "And last month?", FIRST)


@pytest.mark.parametrize("question", ["And what lost money?", "What did I spend?", "What is scheduled?"])
def test_a_question_that_is_understood_stands_alone(question: str) -> None:
    assert follow(question, [FIRST]) == (understand(question), (question,))


@pytest.mark.parametrize(
    ("question", "earlier"), [("And last month?", []), ("And last month?", ["Tell me a joke"]), ("Last month", [FIRST])]
)
def test_nothing_to_lean_on_is_not_guessed(question: str, earlier: list[str]) -> None:
    assert follow(question, earlier)[0].intent is None

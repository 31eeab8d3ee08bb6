"""What goes and what stays (SPEC V2.1–V2.3): silences, fillers, repeated takes, and the pieces that come of them."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.video.cuts import (
    Removal,
    build_pieces,
    check_something_stays,
    quiet_threshold,
    silences_from_levels,
    silences_from_speech,
    soft_threshold,
)
from core.video.mistakes import find_fillers, find_repeats
from core.video.sentences import sentences
from core.video.timeline import Word

RATES = [Fraction(25), Fraction(30), Fraction(30000, 1001), Fraction(24000, 1001), Fraction(60)]


def speak(text: str, start: float = 0.0, pace: float = 0.3, gap: float = 0.05, pause: float = 0.5) -> list[Word]:
    """Words at an even pace, with ``pause`` after closing marks and " | " for a second of silence."""
    words: list[Word] = []
    position = start
    for token in text.split():
        if token == "|":
            position += 1.0
            continue
        words.append(Word(word=token, start=round(position, 3), end=round(position + pace, 3)))
        position += pace + (pause if token[-1] in ".?!" else gap)
    return words


def struck(text: str, extra: tuple[str, ...] = ()) -> list[str]:
    return [removal.text for removal in find_fillers(speak(text), extra)]


def retaken(text: str) -> list[str]:
    words = speak(text)
    return [removal.text for removal in find_repeats(words, sentences(words))]


def test_pauses_of_a_level_envelope_with_padding() -> None:
    levels = [-20.0] * 100 + [-60.0] * 200 + [-20.0] * 100 + [-60.0] * 30 + [-20.0] * 70
    removals = silences_from_levels(levels, 0.01, min_silence_seconds=0.6, padding_seconds=0.1)
    assert [(round(r.start, 3), round(r.end, 3)) for r in removals] == [(1.1, 2.9)]


def test_a_click_does_not_end_a_pause() -> None:
    levels = [-20.0] * 100 + [-60.0] * 100 + [-5.0] + [-60.0] * 100 + [-20.0] * 100
    assert len(silences_from_levels(levels, 0.01, padding_seconds=0.0)) == 1


def test_silence_at_both_ends_needs_no_padding_at_the_edge() -> None:
    removals = silences_from_speech([(2.0, 3.0)], 6.0, padding_seconds=0.2)
    assert [(r.start, r.end) for r in removals] == [(0.0, 1.8), (3.2, 6.0)]


def test_nothing_but_silence_is_refused_with_a_sentence() -> None:
    with pytest.raises(InvalidInput, match="whole recording"):
        check_something_stays(build_pieces(300, Fraction(30), silences_from_levels([-80.0] * 1000, 0.01)))


def test_a_quiet_first_letter_and_a_fading_last_one_stay_with_their_word() -> None:
    word = [-49.0] * 8 + [-15.0] * 40 + [-45.0] * 10
    levels = [*[-55.0, -54.5] * 50, *word, *[-54.5, -55.0] * 50]
    soft = soft_threshold(levels)
    assert -53 < soft < -49
    hard, kept = (
        silences_from_levels(levels, 0.01, threshold_db=-30, padding_seconds=0.0, soft_db=value)
        for value in (None, soft)
    )
    assert [(round(r.start, 2), round(r.end, 2)) for r in hard] == [(0.0, 1.08), (1.48, 2.58)]
    assert [(round(r.start, 2), round(r.end, 2)) for r in kept] == [(0.0, 1.01), (1.57, 2.58)]


@pytest.mark.parametrize(("speech", "room"), [(-12.0, -90.0), (-40.0, -75.0), (-15.0, -40.0)])
def test_the_threshold_is_found_between_speech_and_room(speech: float, room: float) -> None:
    levels = [speech, speech - 3, speech - 9] * 100 + [room, room + 1] * 50
    assert room + 2 < quiet_threshold(levels) < speech - 9
    pauses = silences_from_levels(levels, 0.01, threshold_db=quiet_threshold(levels), padding_seconds=0.0)
    assert [(round(r.start, 2), round(r.end, 2)) for r in pauses] == [(3.0, 4.0)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("So um this is uh the plan.", ["um", "uh"]),
        ("Well, umm, uhh, I mean it.", ["umm, uhh,"]),
        ("We want the the best.", ["the"]),
        ("And then we and then we went home.", ["And then we"]),
        ("My recor- recording is long.", ["recor-"]),
        ("วันนี้ เอ่อ เราจะ อ่า เริ่ม", ["เอ่อ", "อ่า"]),
        ("This is very very good.", []),
        ("It had had an effect, no no.", []),
        ("He humbly ate ham.", []),
        ("Well- known facts.", []),
    ],
)
def test_fillers_and_false_starts(text: str, wanted: list[str]) -> None:
    assert struck(text) == wanted


def test_the_rest_of_a_pause_beside_a_mistake_is_no_cut_of_its_own() -> None:
    removals = [Removal(1.0, 2.0, "silence"), Removal(1.1, 1.9, "filler", "um"), Removal(3.0, 4.0, "silence")]
    pieces = build_pieces(150, Fraction(30), removals)
    assert [(piece.start_frame, piece.end_frame, piece.reason) for piece in pieces if not piece.kept] == [
        (30, 60, "filler"),
        (90, 120, "silence"),
    ]
    assert pieces[1].text == "um"


def test_own_filler_words() -> None:
    assert struck("It is you know like a plan.", ("you know", "like")) == ["you know like"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "Today we look at three cameras. Today we look at three cameras. The first is small.",
            ["Today we look at three cameras."],
        ),
        (
            "The most important thing is light. Sorry, let me try that again. The most important thing is the light.",
            ["The most important thing is light. Sorry, let me try that again."],
        ),
        (
            "The second habit is about silence, and about the, | sorry, let me say that again. "
            "The second habit is about silence, and how to take it away. Every pause feels short.",
            ["The second habit is about silence, and about the, sorry, let me say that again."],
        ),
        (
            "We sell three cameras here. Sorry, let me try again, we sell three cameras in here. They are small.",
            ["We sell three cameras here. Sorry, let me try again,"],
        ),
        (
            "I said sorry, and she smiled. I said sorry to him too.",
            [],
        ),
        (
            "The reason we | The reason we chose this lens is the price. Now the next one.",
            ["The reason we"],
        ),
        (
            "We start with sound. It needs a quiet room. We start with sound. It needs a quiet room. Then light.",
            ["We start with sound. It needs a quiet room."],
        ),
        ("Thank you very much. Thank you.", []),
        ("The first step is to open the file. The second step is to save the file.", []),
        ("In 2024 we sold ten cameras a day. In 2025 we sold ten cameras a day.", []),
        ("We tested it in the morning with a tripod. We tested it in the evening with a tripod.", []),
        ("Yes. Yes. No. No.", []),
        ("I like big dogs a lot. Cats are great. Birds are loud. I like big dogs a lot.", []),
    ],
)
def test_repeated_takes(text: str, wanted: list[str]) -> None:
    assert retaken(text) == wanted


def test_three_takes_leave_the_last() -> None:
    take = "This lens costs a hundred dollars."
    words = speak(f"Hello there. {take} {take} {take} Goodbye now.")
    removals = find_repeats(words, sentences(words))
    gone = {index for removal in removals for index in range(*(removal.words or (0, 0)))}
    assert gone == set(range(2, 14))


def test_an_aborted_last_take_loses() -> None:
    assert retaken("This lens costs a hundred dollars in Bangkok. This lens costs | Anyway we go on now.") in (
        ["This lens costs"],
        [],
    )


def test_pieces_have_reasons_and_the_text_of_what_went() -> None:
    words = speak("Good um morning everyone.")
    pieces = build_pieces(120, Fraction(30), [*find_fillers(words), Removal(2.5, 4.0, "silence")], words)
    assert [(piece.kept, piece.reason, piece.text) for piece in pieces] == [
        (True, "speech", ""),
        (False, "filler", "um"),
        (True, "speech", ""),
        (False, "silence", ""),
    ]


spans = st.tuples(st.floats(0, 60), st.floats(0.01, 8)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@settings(deadline=None)
@given(
    duration=st.integers(30, 1800),
    rate=st.sampled_from(RATES),
    raw=st.lists(st.tuples(spans, st.sampled_from(["silence", "filler", "repeat", "user"])), max_size=12),
    gaps=st.lists(st.tuples(st.floats(0.0, 2.0), st.floats(0.05, 0.9)), max_size=25),
)
def test_pieces_cover_the_source_and_never_cut_into_a_word(
    duration: int, rate: Fraction, raw: list[tuple[tuple[float, float], str]], gaps: list[tuple[float, float]]
) -> None:
    words: list[Word] = []
    position = 0.0
    for gap, length in gaps:
        words.append(Word(word="word", start=position + gap, end=position + gap + length))
        position += gap + length
    removals = [Removal(span[0], span[1], reason) for span, reason in raw]  # type: ignore[arg-type]
    users = [removal for removal in removals if removal.reason == "user"]
    pieces = build_pieces(duration, rate, removals, words)
    assert pieces[0].start_frame == 0
    assert pieces[-1].end_frame == duration
    assert all(first.end_frame == second.start_frame for first, second in pairwise(pieces))
    for piece in pieces:
        if piece.kept or piece.reason == "user":
            continue
        start, end = piece.start_frame / rate, piece.end_frame / rate
        for word in words:
            if any(user.start < word.end and user.end > word.start for user in users):
                continue
            overlap = min(float(end), word.end) - max(float(start), word.start)
            assert overlap <= 1e-5, (piece, word)


@given(st.lists(st.floats(-90, 0), min_size=10, max_size=400), st.floats(0.0, 0.4), st.floats(0.2, 1.0))
def test_silences_are_long_enough_disjoint_and_inside(levels: list[float], padding: float, shortest: float) -> None:
    removals = silences_from_levels(levels, 0.02, padding_seconds=padding, min_silence_seconds=shortest)
    assert all(0 <= r.start < r.end <= len(levels) * 0.02 + 1e-9 for r in removals)
    assert all(first.end < second.start for first, second in pairwise(removals))
    for removal in removals:
        middle = levels[int(removal.start / 0.02) + 1 : int(removal.end / 0.02) - 1]
        assert sum(level >= -35.0 for level in middle) <= len(middle) / 2 + 1

"""Hesitations that no recogniser wrote down, found by their sound and cut with their pauses (SPEC V2.2)."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
import soundfile

from core.video.payloads import AutoCutFillers
from core.video.plan import Measured, SourceFacts, needs, plan
from core.video.timeline import Word
from providers.speech.hesitations import hesitations, hesitations_in_file
from providers.speech.pcm import RATE
from tests.media import SpokenClip, spoken_clip

SENTENCES = (
    "Every video begins with one clear idea.",
    "Write that idea down before you touch the camera.",
    "Half of the people who visit leave in four seconds.",
    "Fish swim fast when the sharks show up.",
    "Stop.",
    "Here is what happens next.",
    "People stay when the first sentence makes a promise.",
)
FILLERS = {1: "Um,", 2: "Uh,", 3: "Er,", 5: "Ah,", 6: "Umm,"}


@pytest.fixture(scope="module")
def talk() -> SpokenClip:
    return spoken_clip(SENTENCES, 0.6, fillers=FILLERS, filler_pause=0.35)


def written(talk: SpokenClip) -> list[Word]:
    """What Whisper writes of it: the sentences alone, one word each for what matters here."""
    return [Word(word=part.text, start=part.start, end=part.end) for part in talk.sentences]


@pytest.mark.parametrize("hiss_db", [None, -42.0])
def test_held_vowels_between_pauses_are_found_and_words_are_not(
    talk: SpokenClip, tmp_path: Path, hiss_db: float | None
) -> None:
    sound, rate = soundfile.read(talk.path)
    if hiss_db is not None:
        sound = sound * 0.7 + np.random.default_rng(3).standard_normal(sound.size) * 10 ** (hiss_db / 20)
    path = tmp_path / "talk.wav"
    soundfile.write(path, np.clip(sound, -1, 1), rate)
    found = hesitations_in_file(path, written(talk), tmp_path)
    assert len(found) == len(talk.fillers)
    for span, truth in zip(found, talk.fillers, strict=True):
        assert span == pytest.approx((truth.start, truth.end), abs=0.08)


def test_they_are_cut_and_no_word_is_touched(talk: SpokenClip, tmp_path: Path) -> None:
    operations = (AutoCutFillers(),)
    assert needs(operations).hesitations
    words = written(talk)
    found = hesitations_in_file(talk.path, words, tmp_path)
    facts = SourceFacts(uuid4(), Fraction(30), 640, 360, int(talk.duration * 30), True)
    timeline = plan(facts, operations, Measured(tuple(words), "en", hesitations=found))
    removed = [(piece.start_frame / 30, piece.end_frame / 30) for piece in timeline.pieces if not piece.kept]
    assert len(removed) == len(talk.fillers)
    for (start, end), truth in zip(removed, talk.fillers, strict=True):
        assert start <= truth.start
        assert end >= truth.end
        assert all(end <= word.start - 0.1 or start >= word.end + 0.1 for word in words)
    assert {piece.text for piece in timeline.pieces if not piece.kept} == {"um…"}


def test_breaths_laughter_and_tones_are_no_hesitations() -> None:
    source = np.random.default_rng(7)
    time = np.arange(round(0.35 * RATE)) / RATE
    noise = source.standard_normal(time.size)
    sounds = (
        0.08 * noise * np.hanning(time.size),
        0.3 * np.sin(2 * np.pi * 200 * time) * (np.sin(2 * np.pi * 12 * time) > 0) + 0.08 * noise,
        0.3 * np.sin(2 * np.pi * 500 * time),
    )
    pause = 0.0001 * source.standard_normal(RATE // 2)
    track = np.concatenate([pause, *(part for sound in sounds for part in (sound, pause))])
    assert hesitations((track * 32767).astype(np.int16), []) == []

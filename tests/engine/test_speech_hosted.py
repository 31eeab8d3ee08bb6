"""Speech written down by a service: what is sent, what comes back, what is said when it refuses (V3.1)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import database, speech
from core.errors import InvalidInput, JobCancelled, ProviderRefused
from core.hosted import Service
from core.preferences import store_value
from core.security import Actor
from core.settings import Settings, get_settings
from core.video.payloads import SubtitleInput
from providers.speech.hosted import plan_parts, punctuated, transcribe
from tests import media
from tests.engine.test_video_jobs import keep, run
from tests.fakes.speech import KEY, MODEL, FakeSpeech
from workers.video import subtitle

__all__ = ["subtitle"]  # importing registers the task
SENTENCES = ("Put the microphone close to your mouth.", "Why does nobody talk about the window?")


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeSpeech]:
    service = FakeSpeech()
    yield service
    service.stop()


@pytest.fixture(scope="module")
def talk() -> media.SpokenClip:
    return media.spoken_clip(SENTENCES, (0.8, 0.5))


def service(fake: FakeSpeech, **changed: str) -> Service:
    return Service(**{"base": fake.base, "model": MODEL, "key": KEY, **changed})


def test_english_comes_back_with_words_signs_and_times(fake: FakeSpeech, talk: media.SpokenClip) -> None:
    heard = transcribe(talk.path, service(fake), language="en")
    assert [segment.text for segment in heard.segments] == list(SENTENCES)
    for said, segment in zip(talk.sentences, heard.segments, strict=True):
        assert abs(segment.start - said.start) < 0.1
    fields = fake.asked()[-1]["fields"]
    assert fields["language"] == ["en"]
    assert fields["timestamp_granularities[]"] == ["word", "segment"]


def test_long_sound_goes_in_parts_and_comes_back_on_one_clock(
    fake: FakeSpeech, talk: media.SpokenClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.speech.hosted.PART_SECONDS", 4.0)
    monkeypatch.setattr(plan_parts, "__defaults__", (4.0,))
    before = len(fake.asked())
    heard = transcribe(talk.path, service(fake), language="en")
    assert len(fake.asked()) - before == 2
    assert heard.text == " ".join(SENTENCES)
    assert abs(heard.segments[1].start - talk.sentences[1].start) < 0.1


def test_a_busy_service_is_asked_again(fake: FakeSpeech, talk: media.SpokenClip) -> None:
    fake.answer_first({"status": 429, "headers": {"Retry-After": "0"}}, {"status": 503})
    assert transcribe(talk.path, service(fake), language="en").text == " ".join(SENTENCES)


@pytest.mark.parametrize(
    ("changed", "planned", "sentence"),
    [
        ({"key": "wrong"}, [], "refused the key"),
        ({"model": "gpt-none"}, [], "does not know this address or model"),
        ({}, [{"status": 429, "code": "insufficient_quota"}], "used up"),
        ({}, [{"status": 400}], "refused the request"),
        ({}, [{"status": 500}] * 5, "out of order"),
    ],
)
def test_refusals_are_sentences(
    fake: FakeSpeech, talk: media.SpokenClip, changed: dict[str, str], planned: list[dict[str, Any]], sentence: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("providers.service._LONGEST_WAIT", 0.05)
    fake.answer_first(*planned)
    with pytest.raises(ProviderRefused, match=sentence) as refused:
        transcribe(talk.path, service(fake, **changed), language="en")
    assert refused.value.retryable == (sentence == "out of order")


def test_a_service_that_is_not_there(talk: media.SpokenClip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.service._LONGEST_WAIT", 0.05)
    with pytest.raises(ProviderRefused, match="cannot be reached"):
        transcribe(talk.path, Service("http://127.0.0.1:9/v1", MODEL, KEY), language="en")


def test_the_language_must_be_named(fake: FakeSpeech, talk: media.SpokenClip) -> None:
    with pytest.raises(InvalidInput, match="Which language"):
        transcribe(talk.path, service(fake), language="auto")


def test_cancelling_does_not_wait_for_the_service(fake: FakeSpeech, talk: media.SpokenClip) -> None:
    def cancelled(fraction: float, stage: str | None = None) -> None:
        if stage == "stage.transcribe":
            raise JobCancelled

    with pytest.raises(JobCancelled):
        transcribe(talk.path, service(fake), language="en", progress=cancelled)


@pytest.fixture
def pointed(fake: FakeSpeech, studio: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SPEECH_API_BASE", fake.base)
    get_settings.cache_clear()
    yield
    monkeypatch.undo()
    get_settings.cache_clear()


@pytest.mark.usefixtures("pointed")
def test_thai_is_written_down_by_the_service_that_was_chosen(owner: Actor, tmp_path: Path) -> None:
    asset = keep(owner, media.talking_video(media.spoken_clip(SENTENCES, (0.8, 0.5)), size=(640, 360)).path, tmp_path)
    here = SubtitleInput(video_asset_id=asset, source_language="th", formats=("srt",))
    hosted = here.model_copy(update={"speech_provider": "hosted"})

    refused = run(owner, "video.subtitle", here)
    assert (refused.status, refused.error["type"]) == ("failed", "not-configured")
    keyless = run(owner, "video.subtitle", hosted)
    assert (keyless.status, keyless.error["setting"]) == ("failed", speech.HOSTED_KEY)

    with database.session(owner) as session:
        store_value(session, owner, speech.HOSTED_KEY, KEY, secret=True)
    done = run(owner, "video.subtitle", hosted)
    assert done.status == "succeeded", done.error
    transcript = done.result["transcript"]
    assert transcript["language"] == "th"
    # Scraps of words become Thai words.
    assert [word["word"] for word in transcript["words"]][:3] == ["สวัสดี", "ครับ", "วันนี้"]
    assert "".join(word["word"] for word in transcript["words"]) == "สวัสดีครับวันนี้เราจะทำอาหารไทย"

    named = run(owner, "video.subtitle", hosted.model_copy(update={"source_language": "auto"}))
    assert (named.status, named.error["type"]) == ("failed", "invalid-input")


@given(st.lists(st.floats(-90, 0), max_size=400), st.floats(0.2, 3))
def test_parts_cover_the_sound_and_fit(levels: list[float], longest: float) -> None:
    parts = plan_parts(np.array(levels, dtype=np.float32), longest)
    edges = [0.0, *(end for _, end in parts)]
    assert [start for start, _ in parts] == edges[:-1]
    assert edges[-1] == pytest.approx(len(levels) * 0.01)
    assert all(0 < end - start <= longest + 0.011 for start, end in parts)


def test_parts_end_in_the_pause() -> None:
    levels = np.full(1000, -20.0, dtype=np.float32)
    levels[430:490] = -70
    assert plan_parts(levels, 6.0)[0][1] == pytest.approx(4.6, abs=0.2)


@given(st.lists(st.sampled_from(["I", "don't", "know", "so", "what", "2026"]), max_size=30))
def test_signs_come_back_to_their_words(words: list[str]) -> None:
    dressed = [word + sign for word, sign in zip(words, [",", ".", "", "?", "!"] * 6, strict=False)]
    assert punctuated(words, " ".join(dressed)) == dressed


def test_a_word_that_the_text_lacks_stays_as_it_is() -> None:
    assert punctuated(["hello", "uh", "world"], "Hello, world.") == ["Hello,", "uh", "world."]

"""Subtitles in several languages: by a service, by a model on this machine, and refused without either (SPEC V3.3)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core import assets, database, translation
from core.errors import JobCancelled, ProviderRefused
from core.hosted import Service
from core.music.payloads import ModelDownloadInput
from core.preferences import store_value
from core.security import Actor
from core.settings import get_settings
from core.translation import M2M100
from core.video.ad_payloads import AdsInput
from core.video.payloads import SubtitleInput
from providers.translation.chat import GROUP, ChatTranslator
from providers.translation.m2m100 import M2M100Translator
from providers.video.process import run_ffmpeg, source_arguments
from tests import media
from tests.engine import tiny_translation
from tests.engine.test_speech_hosted import SENTENCES
from tests.engine.test_video_jobs import analyses, file_of, keep, result, run
from tests.fakes.translation import KEY, KNOWN, MODEL, FakeTranslation
from workers import models
from workers.video import ads, subtitle

__all__ = ["ads", "models", "subtitle"]  # importing registers the tasks


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeTranslation]:
    service = FakeTranslation.start(tmp_path_factory.mktemp("translation") / "log")
    yield service
    service.stop()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hub") / M2M100.repository / "resolve" / "main"
    tiny_translation.make(folder)
    return folder


@pytest.fixture(scope="module")
def talk() -> media.TalkingVideo:
    return media.talking_video(media.spoken_clip(SENTENCES, (0.8, 0.5)), size=(320, 180), fps=25)


def translator(fake: FakeTranslation, **changed: str) -> ChatTranslator:
    return ChatTranslator(Service(**{"base": fake.base, "model": MODEL, "key": KEY, **changed}))


def test_sentences_come_back_in_order_in_groups(fake: FakeTranslation) -> None:
    sentences = [f"Sentence {number}." for number in range(GROUP + 3)]
    before = len(fake.asked())
    assert translator(fake).translate(sentences, "en", "de") == [f"de:{text}" for text in sentences]
    assert len(fake.asked()) - before == 2


def test_a_busy_service_is_asked_again_and_so_is_one_that_answers_nonsense_once(fake: FakeTranslation) -> None:
    fake.answer_first({"status": 429, "headers": {"Retry-After": "0"}}, {"content": '{"translations": []}'})
    assert translator(fake).translate(["Hello."], "en", "de") == ["de:Hello."]


@pytest.mark.parametrize(
    ("changed", "planned", "sentence"),
    [
        ({"key": "wrong"}, [], "refused the key"),
        ({"model": "none"}, [], "does not know this address or model"),
        ({}, [{"status": 429, "code": "insufficient_quota"}], "used up"),
        ({}, [{"status": 400}], "refused the text"),
        ({}, [{"content": "Sure! Here you are."}, {"content": '{"translations": ["", "b"]}'}], "something else"),
        ({"base": "http://127.0.0.1:9/v1"}, [], "cannot be reached"),
    ],
)
def test_refusals_say_what_to_do(
    fake: FakeTranslation,
    changed: dict[str, str],
    planned: list[dict[str, Any]],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("providers.service._LONGEST_WAIT", 0.0)
    fake.answer_first(*planned)
    with pytest.raises(ProviderRefused, match=sentence):
        translator(fake, **changed).translate(["One.", "Two."], "en", "de")


def test_cancelling_closes_the_connection(fake: FakeTranslation) -> None:
    def stop(fraction: float, stage: str | None = None) -> None:
        raise JobCancelled

    with pytest.raises(JobCancelled):
        translator(fake).translate(["Hello."], "en", "de", stop)


def _cues(path: Path) -> list[tuple[float, str]]:
    """Start and text of each cue of an SRT file, its lines joined."""
    cues = []
    for block in path.read_text().strip().split("\n\n"):
        _number, times, *lines = block.split("\n")
        hours, minutes, seconds = times.split(" --> ")[0].replace(",", ".").split(":")
        cues.append((int(hours) * 3600 + int(minutes) * 60 + float(seconds), "\n".join(lines)))
    return cues


def test_two_languages_by_the_service_and_one_burnt_in(
    fake: FakeTranslation, owner: Actor, talk: media.TalkingVideo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSLATION_API_BASE", fake.base)
    get_settings.cache_clear()
    source = keep(owner, talk.path, tmp_path)
    order = SubtitleInput(
        video_asset_id=source,
        source_language="en",
        target_languages=("en", "th", "ja"),
        translation_provider="hosted",
        formats=("srt", "vtt"),
        burn_in=True,
        burn_in_language="th",
    )
    refused = run(owner, "video.subtitle", order)
    assert refused.error is not None
    assert refused.error["type"] == "not-configured"
    assert translation.HOSTED_KEY in refused.error["detail"]
    with database.session(owner) as session:
        store_value(session, owner, translation.HOSTED_KEY, KEY, secret=True)
    before = len(fake.asked())
    found = result(run(owner, "video.subtitle", order))
    assert {language: set(files) for language, files in found["subtitles"].items()} == {
        language: {"srt", "vtt"} for language in ("en", "th", "ja")
    }
    said = found["transcript"]["segments"]
    for language, between in (("th", ""), ("ja", "")):
        cues = _cues(file_of(owner, found["subtitles"][language]["srt"]))
        for segment in said:
            mine = [text for start, text in cues if segment["start"] - 0.05 <= start < segment["end"]]
            assert between.join("".join(text.split("\n")) for text in mine) == KNOWN[language, segment["text"]]
            first = min(start for start, _ in cues if start >= segment["start"] - 0.05)
            assert first == pytest.approx(segment["start"], abs=0.05)
    assert file_of(owner, found["subtitles"]["th"]["vtt"]).read_text().startswith("WEBVTT\nLanguage: th\n")
    with database.session(owner) as session:
        thai = assets.get(session, found["subtitles"]["th"]["srt"])
        assert (thai.details["translated_from"], thai.details["translated_by"]) == ("en", f"hosted:{MODEL}")
        assert thai.ai_generated
        assert not assets.get(session, found["subtitles"]["en"]["srt"]).ai_generated
    row = found["outputs"][0]
    blocks: list[bytes] = []
    at = (said[0]["start"] + said[0]["end"]) / 2
    for path in (talk.path, file_of(owner, row["asset_id"])):
        run_ffmpeg(
            [*source_arguments(path, "-ss", f"{at:.2f}", "-an"), "-frames:v", "1", "-f", "rawvideo",
             "-pix_fmt", "gray", "pipe:1"], sink=blocks.append,
        )  # fmt: skip
    plain, burnt = np.frombuffer(b"".join(blocks), np.uint8).reshape(2, 180, 320).astype(int)
    changed = np.abs(burnt - plain) > 90
    assert changed[120:].sum() > 100
    assert changed[:90].sum() == 0
    again = result(
        run(owner, "video.subtitle", order.model_copy(update={"burn_in": False, "burn_in_language": "auto"}))
    )
    assert set(again["subtitles"]) == {"en", "th", "ja"}
    assert len(fake.asked()) - before == 2  # each language was asked for once, the second job not at all
    assert len(analyses("translation")) == 2


def test_the_model_is_downloaded_and_translates_here(
    tiny: Path, owner: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = keep(owner, media.silent_video(seconds=2.0), tmp_path)
    lone = run(owner, "video.subtitle", SubtitleInput(video_asset_id=source, target_languages=("th",)))
    assert lone.status == "failed"
    handler = partial(SimpleHTTPRequestHandler, directory=str(tiny.parents[len(M2M100.repository.split("/")) + 1]))
    handler.func.log_message = lambda *_: None  # type: ignore[method-assign]
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("STUDIO_MODEL_BASE", f"http://127.0.0.1:{server.server_address[1]}")
    get_settings.cache_clear()
    assert translation.state_of("local", has_key=False) == "download"
    result(run(owner, "models.download", ModelDownloadInput(name=M2M100.name)))
    server.shutdown()
    server.server_close()
    assert translation.state_of("local", has_key=False) == "ready"
    engine = M2M100Translator(translation.model_folder())
    words = [*tiny_translation.WORDS] * 10
    for language in ("th", "ja", "de"):
        expected = [tiny_translation.WORDS[word][language] for word in words]
        assert engine.translate(words, "en", language) == expected


def test_speech_is_translated_by_the_model_and_an_unknown_language_is_refused(
    tiny: Path, owner: Actor, talk: media.TalkingVideo, tmp_path: Path
) -> None:
    source = keep(owner, talk.path, tmp_path)
    order = SubtitleInput(video_asset_id=source, source_language="en", target_languages=("th",), formats=("srt",))
    refused = run(owner, "video.subtitle", order)
    assert refused.error is not None
    assert refused.error["type"] == "not-configured"
    assert "no translation model" in refused.error["title"]
    translation.model_folder().parent.mkdir(parents=True, exist_ok=True)
    translation.model_folder().symlink_to(tiny, target_is_directory=True)
    found = result(run(owner, "video.subtitle", order))
    text = "".join(text for _, text in _cues(file_of(owner, found["subtitles"]["th"]["srt"])))
    known = {row["th"] for row in tiny_translation.WORDS.values()}
    assert any(word in text for word in known)
    with database.session(owner) as session:
        assert assets.get(session, found["subtitles"]["th"]["srt"]).licence == M2M100.licence
    unknown = run(owner, "video.subtitle", order.model_copy(update={"target_languages": ("eo",)}))
    assert unknown.error is not None
    assert "does not know eo" in unknown.error["title"]


def test_an_advertising_set_is_captioned_in_the_language_of_each_version(
    fake: FakeTranslation, owner: Actor, talk: media.TalkingVideo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSLATION_API_BASE", fake.base)
    get_settings.cache_clear()
    source = keep(owner, talk.path, tmp_path)
    end = talk.speech.sentences[0].end + 0.2
    order = {
        "hooks": [{"video_asset_id": source, "end": end}],
        "bodies": [{"video_asset_id": source, "start": end}],
        "target_outputs": [{"aspect_ratio": "16:9", "resolution": "180p"}],
        "languages": ["en", "th"],
        "style": "clean",
        "operations": [{"type": "auto_reframe", "subject": "center"}],
        "source_language": "en",
        "translation_provider": "hosted",
    }
    refused = run(owner, "video.ads", AdsInput.model_validate(order))
    assert refused.error is not None
    assert refused.error["type"] == "not-configured"
    with database.session(owner) as session:
        store_value(session, owner, translation.HOSTED_KEY, KEY, secret=True)
    rows = result(run(owner, "video.ads", AdsInput.model_validate(order)))["outputs"]
    assert [row["language"] for row in rows] == ["en", "th"]
    blocks: list[bytes] = []
    for row in rows:
        run_ffmpeg(
            [*source_arguments(file_of(owner, row["asset_id"]), "-ss", "1.2", "-an"), "-frames:v", "1",
             "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"], sink=blocks.append,
        )  # fmt: skip
    english, thai = np.frombuffer(b"".join(blocks), np.uint8).reshape(2, 180, 320).astype(int)
    assert (np.abs(english - thai) > 90)[120:].sum() > 60
    with database.session(owner) as session:
        assert "service's terms" in assets.get(session, rows[1]["asset_id"]).licence
        assert "service's terms" not in assets.get(session, rows[0]["asset_id"]).licence

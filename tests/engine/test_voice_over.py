"""A voice-over from order to asset: what it says, where, how loud, by whom; and what is refused (SPEC M8, H3)."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
from sqlalchemy import select

from core import assets, database, voices
from core.models.jobs import Job
from core.narration import SpokenLine, words_of
from core.preferences import store_value
from core.security import Actor
from core.settings import Settings, get_settings
from core.speech import BUNDLED, HOSTED_KEY
from core.video.sentences import tokens
from providers.speech import piper
from providers.speech.whisper import transcribe
from providers.video.probe import probe
from providers.video.process import source_arguments
from providers.video.soundtrack import measure_loudness
from tests.engine.api_server import serve
from tests.fakes.speech import EDGE_SECONDS, KEY, LETTER_SECONDS, FakeSpeech
from workers import models, runner
from workers.music import speech

__all__ = ["models", "speech"]  # importing registers the tasks
TEXT = "Turn your chair to the window. Nobody tells you how much that helps.\n\nThen press record."
THAI = "สวัสดีครับ วันนี้เราจะทำอาหารไทย"


@pytest.fixture
def client(owner: Actor) -> Iterator[httpx.Client]:
    with serve() as served, served.client(owner) as opened:
        yield opened


def spoken(client: httpx.Client, order: dict[str, Any]) -> dict[str, Any]:
    answer = client.post("/api/audio/speech", json=order)
    assert answer.status_code == 202, answer.text
    runner.run(answer.json()["job_id"])
    job: dict[str, Any] = client.get(f"/api/jobs/{answer.json()['job_id']}").json()
    return job


def found(client: httpx.Client, owner: Actor, job: dict[str, Any]) -> tuple[dict[str, Any], Path]:
    assert job["status"] == "succeeded", job["error"]
    (identifier,) = job["result"]["asset_ids"]
    with database.session(owner) as session:
        path = assets.path_of(assets.get(session, identifier))
    asset: dict[str, Any] = client.get(f"/api/assets/{identifier}").json()
    return asset, path


def sounding(path: Path) -> list[tuple[float, float]]:
    """Where a file is louder than −46 dBFS, gaps under 0.1 s closed."""
    samples, rate = soundfile.read(path, always_2d=True)
    loud = np.flatnonzero(np.abs(samples[:, 0]) > 0.005) / rate
    edges = np.flatnonzero(np.diff(loud) > 0.1)
    starts, ends = [loud[0], *loud[edges + 1]], [*loud[edges], loud[-1]]
    return list(zip(starts, ends, strict=True))


def test_the_text_is_said_where_the_metadata_tell(client: httpx.Client, owner: Actor) -> None:
    asset, path = found(client, owner, spoken(client, {"text": TEXT, "language": "en"}))
    transcript = transcribe(path, language="en", model=BUNDLED)
    assert tokens(transcript.text) == tokens(TEXT.replace("\n", " "))
    info = soundfile.info(path)
    assert (info.samplerate, info.channels, info.subtype) == (48_000, 2, "PCM_24")
    assert asset["duration_seconds"] == pytest.approx(info.duration, abs=1e-3)
    heard = measure_loudness(source_arguments(path), progress=lambda *_: None)
    assert heard.lufs == pytest.approx(-16.0, abs=0.7)
    assert asset["loudness_lufs"] == heard.lufs
    assert heard.true_peak is not None
    assert heard.true_peak <= -1.0
    told = asset["metadata"]["sentences"]
    assert [row["text"] for row in told] == [
        "Turn your chair to the window.", "Nobody tells you how much that helps.", "Then press record.",
    ]  # fmt: skip
    words = [word for row in told for word in words_of(SpokenLine(**row))]
    off = [abs(mine.start - heard.start) for mine, heard in zip(words, transcript.words, strict=True)]
    assert np.median(off) < 0.12, "words are placed by their letters"
    spans = sounding(path)
    for row in told:
        assert min(abs(start - row["start"]) for start, _ in spans) < 0.03
        assert min(abs(end - row["end"]) for _, end in spans) < 0.05
    assert told[2]["start"] - told[1]["end"] == pytest.approx(0.8, abs=0.01)
    assert (asset["ai_generated"], asset["licence"]) == (True, voices.PIPER[voices.BUNDLED].licence)
    assert asset["name"] == "Turn your chair to the window.wav"


def test_what_cannot_be_spoken_is_refused_before_a_job_exists(client: httpx.Client, owner: Actor) -> None:
    refused: list[tuple[dict[str, Any], int, str]] = [
        ({"text": THAI}, 503, "not Thai"),
        ({"text": THAI, "voice": voices.BUNDLED, "language": "en"}, 503, "not Thai"),
        ({"text": "Hello.", "voice": "en_GB-alba-medium"}, 503, "not on this machine"),
        ({"text": "Hello.", "voice": "nobody"}, 422, "does not know this voice"),
        ({"text": "Hello.", "voice": "hosted:alloy"}, 503, "has no key"),
        ({"text": "…!"}, 422, "nothing to say"),
        ({"text": "a" * 20_001}, 422, ""),
        ({"text": "Hello.", "speed": 9}, 422, ""),
    ]
    for order, status, sentence in refused:
        answer = client.post("/api/audio/speech", json=order)
        assert answer.status_code == status, answer.text
        assert sentence in answer.json()["title"]
    with database.session(owner) as session:
        assert session.scalars(select(Job.id)).all() == []


@pytest.fixture
def service(studio: Settings, owner: Actor, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSpeech]:
    fake = FakeSpeech()
    monkeypatch.setenv("SPEECH_API_BASE", fake.base)
    monkeypatch.setenv("SPEECH_API_VOICES", "alloy,coral,missing")
    get_settings.cache_clear()
    with database.session(owner) as session:
        store_value(session, owner, HOSTED_KEY, KEY, secret=True)
    yield fake
    fake.stop()
    monkeypatch.undo()
    get_settings.cache_clear()


def test_thai_is_spoken_by_the_service_line_by_line(
    client: httpx.Client, owner: Actor, service: FakeSpeech, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.service._LONGEST_WAIT", 0.05)
    service.answer_first({"status": 429}, {"status": 503})
    first, second = THAI.split()  # "khrap" ends a sentence
    order = {"text": f"{THAI}\nHello.", "voice": "hosted:coral", "speed": 2.0}
    asset, path = found(client, owner, spoken(client, order))
    said = [one["speech"] for one in service.asked()]
    assert [one["input"] for one in said] == [first, first, first, second, "Hello."]
    assert {(one["voice"], one["model"]) for one in said} == {("coral", "tts-1")}
    told = asset["metadata"]["sentences"]
    lengths = [row["end"] - row["start"] for row in told]
    assert lengths == pytest.approx([len(text) * LETTER_SECONDS / 2 for text in (first, second, "Hello.")], abs=0.02)
    spans = sounding(path)
    assert [start for start, _ in spans] == pytest.approx([row["start"] for row in told], abs=0.02)
    assert spans[0][0] < EDGE_SECONDS / 4, "the service's own silence is cut"
    samples, rate = soundfile.read(path)
    middle = samples[rate // 2 : rate, 0]
    assert np.argmax(np.abs(np.fft.rfft(middle))) * rate / len(middle) == pytest.approx(440, abs=3)
    assert (asset["metadata"]["language"], asset["ai_generated"]) == ("th", True)
    refused = spoken(client, {"text": "Hello.", "voice": "hosted:missing"})
    assert (refused["status"], refused["error"]["type"]) == ("failed", "provider-refused")


def test_a_voice_is_downloaded_and_speaks(
    client: httpx.Client, owner: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bundled voice under another name, from a server that has the repository's folders."""
    voice = voices.PIPER["en_GB-alba-medium"]
    model = piper.voice_model()
    goods = {f"/{voice.repository}/resolve/main/{file}": model for file in voice.files[:1]}
    goods[f"/{voice.repository}/resolve/main/{voice.files[1]}"] = model.with_name(f"{model.name}.json")

    class Shop(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET(head=True)

        def do_GET(self, *, head: bool = False) -> None:
            if self.path not in goods:
                self.send_error(404)
                return
            data = goods[self.path].read_bytes()
            self.send_response(200)
            self.send_header("X-Linked-Size", str(len(data)))
            self.send_header("X-Linked-ETag", f'"{hashlib.sha256(data).hexdigest()}"')
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if not head:
                self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("STUDIO_MODEL_BASE", f"http://127.0.0.1:{server.server_address[1]}")
    get_settings.cache_clear()
    try:
        before = {one["name"]: one for one in client.get("/api/providers").json()}[f"piper-{voice.name}"]
        assert (before["ready"], before["details"]["size_bytes"]) == (False, voice.size_bytes)
        answer = client.post("/api/settings/models", json={"name": voice.name})
        assert answer.status_code == 202, answer.text
        runner.run(answer.json()["job_id"])
    finally:
        server.shutdown()
        server.server_close()
        monkeypatch.undo()
    assert voices.installed() == [voices.BUNDLED, voice.name]
    asset, path = found(client, owner, spoken(client, {"text": "Press record.", "voice": voice.name}))
    assert (asset["licence"], asset["metadata"]["voice"]) == (voice.licence, voice.name)
    assert probe(path).has_audio

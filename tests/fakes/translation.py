"""A loopback translation service in a process of its own: ``python -m tests.fakes.translation`` prints its address.

It takes what OpenAI's ``/chat/completions`` takes and refuses what that refuses: no key, another model, no JSON asked
for, messages without a system one. Known sentences it translates from :data:`KNOWN`, others become "<language>:<text>".
``POST /_admin/answers`` queues what to answer first: a refusal (status, code, headers) or a wrong content.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from tests.fakes import loopback

KEY, MODEL = "sk-loopback", "gpt-4o-mini"
KNOWN = {
    ("th", "Put the microphone close to your mouth."): "วางไมโครโฟนไว้ใกล้ปากของคุณให้มากที่สุดเพื่อให้เสียงพูดชัดเจนทุกคำ",
    ("th", "Why does nobody talk about the window?"): "ทำไมไม่มีใครพูดถึงหน้าต่างเลย",
    ("ja", "Put the microphone close to your mouth."): "マイクを口の近くに置いてください。",
    ("ja", "Why does nobody talk about the window?"): "なぜ誰も窓の話をしないのですか。",
}


class State:
    """The switches and the log of what was asked."""

    def __init__(self) -> None:
        self.planned: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []


class Handler(loopback.Handler):
    """Routes."""

    def route(self, path: str) -> None:
        if path == "/_admin/asked":
            return self.answer(200, {"asked": self.state.asked})
        order = json.loads(self.body())
        if path == "/_admin/answers":
            self.state.planned += order["answers"]
            return self.answer(200, {})
        if path != "/v1/chat/completions":
            return self._refuse(404, "unknown_url", f"Unknown request URL: POST {path}.")
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            return self._refuse(401, "invalid_api_key", "Incorrect API key provided.")
        self.state.asked.append(order)
        planned = self.state.planned.pop(0) if self.state.planned else {}
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
        self.answer(200, {"object": "chat.completion", "model": MODEL, "choices": [message]})

    def _refuse(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        self.answer(status, {"error": {"message": message, "code": code or None}}, headers)


class FakeTranslation(loopback.Running):
    """How a test starts the service and works its switches."""

    @classmethod
    def start(cls, log: Path) -> FakeTranslation:
        return cls.start_module("tests.fakes.translation", log)

    @property
    def base(self) -> str:
        return f"{self.url}/v1"

    def answer_first(self, *answers: dict[str, Any]) -> None:
        """What to answer before anything is translated: a refusal, or a content that is no translation."""
        self.admin("POST", "answers", {"answers": list(answers)})

    def asked(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.admin("GET", "asked")["asked"]
        return found


def make(port: int, _log: Path | None) -> loopback.Server:
    return loopback.Server(port, Handler, State())


if __name__ == "__main__":
    sys.exit(loopback.serve(make))

"""A language model in a process of its own: ``python -m tests.fakes.language`` prints its address and serves.

It takes what OpenAI's ``/chat/completions`` takes and refuses what that refuses: a wrong key or model, tools without a
schema, and messages out of order (every call of an assistant's turn has to be answered, by its identifier, before
anything else is said). What it says is read from a script (``POST /_script``): words, calls, or a refusal. A call that
it is told to make is checked against the schema it was given, as services with strict functions do.
"""

from __future__ import annotations

import ctypes
import json
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator, SchemaError

KEY, MODEL = "sk-language", "small-talker"


class Service(ThreadingHTTPServer):
    """The script and the log of what was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.calls = 0


class Refused(Exception):
    """Answered with this status, code and message."""


class Handler(BaseHTTPRequestHandler):
    server: Service
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        self._answer(200, {"asked": self.server.asked})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/_script":
            self.server.script, self.server.asked = list(body), []
            return self._answer(200, {})
        try:
            return self._answer(200, self._complete(body))
        except Refused as refused:
            status, code, message = refused.args
            return self._answer(status, {"error": {"message": message, "type": "error", "code": code}})

    def _complete(self, body: dict[str, Any]) -> dict[str, Any]:
        if self.path != "/v1/chat/completions":
            raise Refused(404, "unknown_url", f"Unknown request URL: POST {self.path}.")
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            raise Refused(401, "invalid_api_key", "Incorrect API key provided.")
        if body.get("model") != MODEL:
            raise Refused(404, "model_not_found", f"The model {body.get('model')} does not exist.")
        if unknown := body.keys() - {"model", "messages", "tools", "tool_choice"}:
            raise Refused(400, "unknown_parameter", f"Unrecognized request argument supplied: {sorted(unknown)}")
        schemas = {one["function"]["name"]: _schema(one) for one in body.get("tools", [])}
        _in_order(body.get("messages") or [])
        self.server.asked.append(body)
        if not self.server.script:
            raise Refused(500, "", "The script has ended.")
        line = self.server.script.pop(0)
        if "status" in line:
            raise Refused(line["status"], line.get("code", ""), "As scripted.")
        time.sleep(line.get("seconds", 0))
        message: dict[str, Any] = {"role": "assistant", "content": line.get("words"), "refusal": None}
        if "calls" in line:
            message["tool_calls"] = [self._call(schemas, one) for one in line["calls"]]
        reason = "tool_calls" if "calls" in line else "stop"
        return {
            "id": "chatcmpl-loopback",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": MODEL,
            "choices": [{"index": 0, "message": message, "finish_reason": reason}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }

    def _call(self, schemas: dict[str, Draft202012Validator], wanted: dict[str, Any]) -> dict[str, Any]:
        name, arguments = wanted.get("name", "look_up"), wanted["arguments"]
        if not wanted.get("wrong"):
            schemas[name].validate(arguments)
        self.server.calls += 1
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        return {"id": f"call_{self.server.calls}", "type": "function", "function": {"name": name, "arguments": text}}

    def _answer(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _schema(tool: dict[str, Any]) -> Draft202012Validator:
    schema = tool["function"]["parameters"]
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise Refused(400, "invalid_function_parameters", str(error)) from error
    if tool.get("type") != "function" or schema.get("type") != "object":
        raise Refused(400, "invalid_function_parameters", "A function takes an object.")
    return Draft202012Validator(schema)


def _in_order(messages: list[dict[str, Any]]) -> None:
    open_calls: set[str] = set()
    if not messages:
        raise Refused(400, "", "[] is too short - 'messages'")
    for message in messages:
        role = message.get("role")
        if role == "tool":
            if message.get("tool_call_id") not in open_calls:
                raise Refused(400, "", "messages with role 'tool' must answer a preceding 'tool_calls'.")
            open_calls.discard(message["tool_call_id"])
        elif open_calls:
            raise Refused(400, "", f"tool_call_ids did not have response messages: {sorted(open_calls)}")
        if role not in ("system", "user", "assistant", "tool") or not isinstance(message.get("content"), str | None):
            raise Refused(400, "", f"Invalid message of role {role!r}.")
        if role == "assistant":
            open_calls = {one["id"] for one in message.get("tool_calls", [])}
    if open_calls or messages[-1]["role"] == "assistant":
        raise Refused(400, "", "There is nothing to answer.")


class FakeLanguage:
    """How a test starts the model, tells it what to say, and reads what it was asked."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.language"],
            stdout=subprocess.PIPE, text=True, cwd=Path(__file__).resolve().parents[2],
        )  # fmt: skip
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    @property
    def base(self) -> str:
        return f"{self.url}/v1"

    def says(self, *lines: dict[str, Any]) -> None:
        """The turns to come; each has ``words``, ``calls`` or the ``status`` of a refusal."""
        httpx.post(f"{self.url}/_script", json=list(lines)).raise_for_status()

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

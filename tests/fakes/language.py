"""A language model in a process of its own: ``python -m tests.fakes.language`` prints its address and serves.

It takes what OpenAI's ``/chat/completions`` takes and refuses what that refuses: a wrong key or model, tools without a
schema, and messages out of order (every call of an assistant's turn has to be answered, by its identifier, before
anything else is said). What it says is read from a script (``POST /_script``): words, calls, or a refusal. A call that
it is told to make is checked against the schema it was given, as services with strict functions do.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, SchemaError

from tests.fakes import loopback

KEY, MODEL = "sk-language", "small-talker"


class State:
    """The script and the log of what was asked."""

    def __init__(self) -> None:
        self.script: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.calls = 0


class Refused(Exception):
    """Answered with this status, code and message."""


class Handler(loopback.Handler):
    """Routes."""

    def route(self, path: str) -> None:
        if path == "/_admin/asked":
            return self.answer(200, {"asked": self.state.asked})
        body = json.loads(self.body())
        if path == "/_admin/script":
            self.state.script, self.state.asked = body["lines"], []
            return self.answer(200, {})
        try:
            return self.answer(200, self._complete(path, body))
        except Refused as refused:
            status, code, message = refused.args
            return self.answer(status, {"error": {"message": message, "type": "error", "code": code}})

    def _complete(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if path != "/v1/chat/completions":
            raise Refused(404, "unknown_url", f"Unknown request URL: POST {self.path}.")
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            raise Refused(401, "invalid_api_key", "Incorrect API key provided.")
        if body.get("model") != MODEL:
            raise Refused(404, "model_not_found", f"The model {body.get('model')} does not exist.")
        if unknown := body.keys() - {"model", "messages", "tools", "tool_choice"}:
            raise Refused(400, "unknown_parameter", f"Unrecognized request argument supplied: {sorted(unknown)}")
        schemas = {one["function"]["name"]: _schema(one) for one in body.get("tools", [])}
        _in_order(body.get("messages") or [])
        self.state.asked.append(body)
        if not self.state.script:
            raise Refused(500, "", "The script has ended.")
        line = self.state.script.pop(0)
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
        self.state.calls += 1
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        return {"id": f"call_{self.state.calls}", "type": "function", "function": {"name": name, "arguments": text}}


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


class FakeLanguage(loopback.Running):
    """How a test starts the model, tells it what to say, and reads what it was asked."""

    @classmethod
    def start(cls, log: Path) -> FakeLanguage:
        return cls.start_module("tests.fakes.language", log)

    @property
    def base(self) -> str:
        return f"{self.url}/v1"

    def says(self, *lines: dict[str, Any]) -> None:
        """The turns to come; each has ``words``, ``calls`` or the ``status`` of a refusal."""
        self.admin("POST", "script", {"lines": list(lines)})

    def asked(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.admin("GET", "asked")["asked"]
        return found


def make(port: int, _log: Path | None) -> loopback.Server:
    return loopback.Server(port, Handler, State())


if __name__ == "__main__":
    sys.exit(loopback.serve(make))

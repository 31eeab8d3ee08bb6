"""A language model over HTTP, in the form of OpenAI's chat completions with functions.

Hosted services and servers on one's own machine (Ollama, llama.cpp, LM Studio, vLLM) share this form:
https://platform.openai.com/docs/api-reference/chat/create, https://platform.openai.com/docs/guides/function-calling.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from core.advisor.language import BASE, MODEL
from core.errors import ProviderRefused
from core.hosted import Service
from providers.service import Wording, ask_json

WORDING = Wording("language model", f"{BASE} and {MODEL}", "question")


@dataclass(frozen=True)
class Call:
    """A function the model wants called; ``arguments`` is JSON text as the model wrote it, right or wrong."""

    identifier: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Reply:
    """What the model said: words, or calls to answer first. ``message`` goes back to it with their results."""

    words: str
    calls: tuple[Call, ...]
    message: dict[str, Any]


class _Function(BaseModel):
    name: str
    arguments: str = "{}"


class _ToolCall(BaseModel):
    id: str
    type: Literal["function"] = "function"
    function: _Function


class _Message(BaseModel):
    content: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Choice(BaseModel):
    message: _Message


class _Completion(BaseModel):
    choices: list[_Choice]


def complete(
    service: Service, messages: Sequence[dict[str, Any]], tools: Sequence[dict[str, Any]], tick: Callable[[], None]
) -> Reply:
    """The model's next turn. ``tick`` is called twice a second and may raise to stop.

    Raises:
        ProviderRefused: the service says no, cannot be reached, or answers in another form.
    """
    order = {"model": service.model, "messages": list(messages), "tools": list(tools), "tool_choice": "auto"}
    answer = ask_json(service, "chat/completions", order, WORDING, tick)
    try:
        said = _Completion.model_validate_json(answer.content).choices[0].message
    except (ValidationError, IndexError) as error:
        raise ProviderRefused(
            "The language model answered in a form the studio does not know.", str(error)[:300], code="unknown-answer"
        ) from error
    calls = tuple(Call(one.id, one.function.name, one.function.arguments) for one in said.tool_calls or ())
    message: dict[str, Any] = {"role": "assistant", "content": said.content}
    if said.tool_calls:
        message["tool_calls"] = [one.model_dump() for one in said.tool_calls]
    return Reply(said.content or "", calls, message)


def answered(call: Call, result: str) -> dict[str, Any]:
    """The message that brings a call's result back."""
    return {"role": "tool", "tool_call_id": call.identifier, "content": result}

"""The advisor over HTTP (H7): answers as server-sent events, or whole with ``Accept: application/json``."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response, StreamingResponse

from api.dependencies import CurrentActor, Limit, Scoped, Starting
from api.shapes import Accepted
from core import database
from core.advisor import chat, language
from core.advisor.advice import advice
from core.advisor.payloads import AdviceOut, AnswerOut, AskIn, ConversationOut, MessageOut, QueryOut
from core.database import get_owned
from core.jobs.lifecycle import FINAL
from core.models.advisor import AdvisorQuery, Message
from core.models.jobs import Job
from core.preferences import preferences_of
from core.security import Actor

POLL_SECONDS = 0.3

router = APIRouter(prefix="/advisor", tags=["advisor"])


def _event(name: str, data: object) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def _stream(answer: AnswerOut) -> Iterator[str]:
    """``start`` with the chat's key, ``delta`` for each piece of text, ``answer`` with everything."""
    yield _event("start", {"conversation_id": str(answer.conversation_id)})
    yield from _deltas(answer)


def _deltas(answer: AnswerOut) -> Iterator[str]:
    for piece in re.findall(r"\S+\s*|\s+", answer.message.content):
        yield _event("delta", {"text": piece})
    yield _event("answer", answer.model_dump(mode="json"))


async def _stream_of_model(actor: Actor, conversation_id: UUID, job_id: UUID) -> AsyncIterator[str]:
    """The same while a model works: ``start`` also names the job, a comment keeps the line open, and instead of the
    answer there may be an ``error``, a problem document."""
    yield _event("start", {"conversation_id": str(conversation_id), "job_id": str(job_id)})
    while (ended := await run_in_threadpool(_outcome, actor, job_id)) is None:
        yield ": still at it\n\n"
        await asyncio.sleep(POLL_SECONDS)
    if isinstance(ended, dict):
        yield _event("error", ended)
        return
    for piece in _deltas(ended):
        yield piece


def _outcome(actor: Actor, job_id: UUID) -> AnswerOut | dict[str, Any] | None:
    """What became of the job of a question; None while it is under way."""
    with database.session(actor) as session:
        job = get_owned(session, Job, job_id)
        if job.status not in FINAL:
            return None
        if job.status != "succeeded" or job.result is None:
            return dict(job.error or {"type": "cancelled", "title": "The question was withdrawn.", "detail": ""})
        message = get_owned(session, Message, job.result["message_id"])
        queries = [get_owned(session, AdvisorQuery, key) for key in job.result["query_ids"]]
        return AnswerOut(
            conversation_id=message.conversation_id,
            message=MessageOut.of(message),
            queries=[QueryOut.of(row) for row in queries],
        )


@router.post(
    "/ask",
    response_model=AnswerOut,
    responses={
        200: {"content": {"text/event-stream": {}}, "description": "events start, delta …, answer"},
        202: {"model": Accepted, "description": "a model answers, and the caller wants no stream: poll the job"},
    },
)
def ask(
    session: Starting, actor: CurrentActor, asked: AskIn, accept: Annotated[str, Header()] = "text/event-stream"
) -> Response:
    """Ask in English or Thai. Every number of the answer names the query and the cell it comes from.

    With ``answered_by: "model"`` the language model that was set up answers, with figures the studio looks up for it.
    """
    question = chat.begin(
        session, actor, asked.question, conversation_id=asked.conversation_id, language=asked.language
    )
    whole = "application/json" in accept and "text/event-stream" not in accept
    if (asked.answered_by or preferences_of(session, actor).advisor) == "model":
        job = language.hand_over(session, actor, question, simulated=asked.simulated)
        if whole:
            return JSONResponse(Accepted(job_id=job.id).model_dump(mode="json"), 202)
        return _streamed(_stream_of_model(actor, question.conversation_id, job.id))
    answer = AnswerOut.of(chat.reply(session, actor, question, simulated=asked.simulated))
    return JSONResponse(answer.model_dump(mode="json")) if whole else _streamed(_stream(answer))


def _streamed(events: Iterator[str] | AsyncIterator[str]) -> StreamingResponse:
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


@router.get("/advice")
def list_advice(session: Scoped, actor: CurrentActor, simulated: bool | None = None) -> list[AdviceOut]:
    """What stands out now, most urgent first."""
    return [AdviceOut.of(item) for item in advice(session, actor, simulated=simulated)]


@router.get("/queries/{query_id}")
def one_query(session: Scoped, query_id: UUID) -> QueryOut:
    """The query behind a number: its SQL, parameters and rows."""
    return QueryOut.of(get_owned(session, AdvisorQuery, query_id))


@router.get("/conversations")
def list_conversations(session: Scoped, limit: Limit = 50) -> list[ConversationOut]:
    """Chats, the last used first."""
    return [ConversationOut.of(row) for row in chat.conversations(session, limit=limit)]


@router.get("/conversations/{conversation_id}")
def one_conversation(session: Scoped, conversation_id: UUID, limit: Limit = 200) -> list[MessageOut]:
    """The turns of a chat, oldest first."""
    return [MessageOut.of(row) for row in chat.messages(session, conversation_id, limit=limit)]

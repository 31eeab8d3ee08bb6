"""The advisor over HTTP (H7): answers as server-sent events, or whole with ``Accept: application/json``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header
from starlette.responses import JSONResponse, Response, StreamingResponse

from api.dependencies import CurrentActor, Limit, Scoped
from core.advisor import chat
from core.advisor.advice import advice
from core.advisor.payloads import AdviceOut, AnswerOut, AskIn, ConversationOut, MessageOut, QueryOut
from core.database import get_owned
from core.models.advisor import AdvisorQuery

router = APIRouter(prefix="/advisor", tags=["advisor"])


def _event(name: str, data: object) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def _stream(answer: AnswerOut) -> Iterator[str]:
    """``start`` with the chat's key, ``delta`` for each piece of text, ``answer`` with everything."""
    yield _event("start", {"conversation_id": str(answer.conversation_id)})
    for piece in re.findall(r"\S+\s*|\s+", answer.message.content):
        yield _event("delta", {"text": piece})
    yield _event("answer", answer.model_dump(mode="json"))


@router.post(
    "/ask",
    response_model=AnswerOut,
    responses={200: {"content": {"text/event-stream": {}}, "description": "events start, delta …, answer"}},
)
def ask(
    session: Scoped, actor: CurrentActor, asked: AskIn, accept: Annotated[str, Header()] = "text/event-stream"
) -> Response:
    """Ask in English or Thai. Every number of the answer names the query and the cell it comes from."""
    found = chat.ask(
        session,
        actor,
        asked.question,
        conversation_id=asked.conversation_id,
        language=asked.language,
        simulated=asked.simulated,
    )
    answer = AnswerOut.of(found)
    if "application/json" in accept and "text/event-stream" not in accept:
        return JSONResponse(answer.model_dump(mode="json"))
    return StreamingResponse(
        _stream(answer),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


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

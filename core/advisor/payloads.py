"""The shapes of SPEC H7."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from core.advisor.advice import Advice
from core.advisor.chat import QUESTION_LIMIT, Answered
from core.models.advisor import AdvisorQuery, Conversation, Message
from core.preferences import Answerer


class AskIn(BaseModel):
    """POST /advisor/ask. Without ``simulated``, simulated figures are used only while there are no real ones."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: str = Field(min_length=1, max_length=QUESTION_LIMIT)
    conversation_id: UUID | None = None
    language: str | None = Field(default=None, pattern="^(en|th)$")
    simulated: bool | None = None
    answered_by: Answerer | None = Field(None, description="without it, as chosen on the advisor's page")


class AnswerInput(BaseModel):
    """The job that lets a language model answer a stored question, for a reader in this zone and currency."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question_id: UUID
    timezone: str
    currency: str
    simulated: bool | None = None


class SpanOut(BaseModel):
    """Characters ``start`` to ``end`` of the text are a number from ``cell`` of query ``query_id``."""

    start: int
    end: int
    query_id: UUID
    cell: str


class QueryOut(BaseModel):
    """GET /advisor/queries/{id}: what ran, with which parameters, and what came back."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    statement: str
    parameters: dict[str, Any]
    columns: list[dict[str, Any]]
    rows: list[dict[str, Any]]
    cells: dict[str, Any]
    row_count: int
    simulated: bool
    generated_at: datetime
    data_through: datetime | None

    @classmethod
    def of(cls, row: AdvisorQuery) -> QueryOut:
        return cls.model_validate(row)


class ActionOut(BaseModel):
    """What can be done: ``page`` has the form, ``values`` are what it opens with. Nothing happens before the user
    confirms there."""

    model_config = ConfigDict(from_attributes=True)

    kind: Literal["publish", "recipe", "shorts", "open"]
    page: str
    label: str
    values: dict[str, Any]


class MessageOut(BaseModel):
    """One turn of a chat."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    role: str
    content: str
    language: str
    intent: str | None
    spans: list[SpanOut]
    suggestions: list[str]
    actions: list[ActionOut]
    author: str
    created_at: datetime

    @classmethod
    def of(cls, row: Message) -> MessageOut:
        return cls.model_validate(row)


class AnswerOut(BaseModel):
    """The whole answer: the last event of the stream."""

    conversation_id: UUID
    message: MessageOut
    queries: list[QueryOut]

    @classmethod
    def of(cls, found: Answered) -> AnswerOut:
        return cls(
            conversation_id=found.conversation.id,
            message=MessageOut.of(found.answer),
            queries=[QueryOut.of(row) for row in found.queries],
        )


class ConversationOut(BaseModel):
    """One chat."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    title: str
    updated_at: datetime

    @classmethod
    def of(cls, row: Conversation) -> ConversationOut:
        return cls.model_validate(row)


class AdviceOut(BaseModel):
    """GET /advisor/advice: one piece of advice, its numbers, and the form that acts on it."""

    model_config = ConfigDict(from_attributes=True)

    kind: str
    text: str
    spans: list[SpanOut]
    query_id: UUID
    page: str
    action: ActionOut
    simulated: bool

    @classmethod
    def of(cls, item: Advice) -> AdviceOut:
        return cls.model_validate(item)

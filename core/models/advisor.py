"""What was asked and answered, and the query behind every number of an answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Base, Identified, Owned, Timestamped

BUILT_IN = "built-in"
"""The author of what the studio's own analyst says; what a language model says has its name."""


class Conversation(Identified, Owned, Timestamped, Base):
    """One chat with the advisor."""

    __tablename__ = "advisor_conversations"

    title: Mapped[str] = mapped_column(String(200), default="")


class Message(Identified, Owned, Base):
    """One turn of a chat.

    ``spans`` lists the numbers of an answer: ``{start, end, query_id, cell}``, offsets in characters of ``content``;
    ``actions`` what can be done about it (:class:`core.advisor.actions.Action`).
    """

    __tablename__ = "advisor_messages"

    conversation_id: Mapped[UUID] = mapped_column(ForeignKey("advisor_conversations.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(String(10))
    content: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(8))
    intent: Mapped[str | None] = mapped_column(String(60))
    spans: Mapped[list[Any]] = mapped_column(default=list)
    suggestions: Mapped[list[Any]] = mapped_column(default=list)
    actions: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))
    author: Mapped[str] = mapped_column(String(60), default=BUILT_IN)
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())

    __table_args__ = (
        CheckConstraint("role IN ('user', 'assistant')", name="role"),
        Index("ix_advisor_messages_conversation_id_created_at", "conversation_id", "created_at"),
    )


class AdvisorQuery(Identified, Owned, Base):
    """A read-only query as it ran: its name, SQL, parameters and rows.

    ``cells`` names the values an answer may quote: name → ``{row, column}`` or ``{value}`` for a figure derived from
    several rows, with how it was derived. ``data_through`` is the newest observation the rows rest on.
    """

    __tablename__ = "advisor_queries"

    conversation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("advisor_conversations.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(String(60))
    statement: Mapped[str] = mapped_column(Text)
    parameters: Mapped[dict[str, Any]] = mapped_column(default=dict)
    columns: Mapped[list[Any]] = mapped_column(default=list)
    rows: Mapped[list[Any]] = mapped_column(default=list)
    cells: Mapped[dict[str, Any]] = mapped_column(default=dict)
    row_count: Mapped[int] = mapped_column(default=0)
    simulated: Mapped[bool] = mapped_column(default=False)
    generated_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    data_through: Mapped[datetime | None]

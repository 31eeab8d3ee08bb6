"""The way to PostgreSQL, and the one place where rows are scoped to their owner."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from sqlalchemy import Engine, create_engine, event, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import ORMExecuteState, Session, sessionmaker, with_loader_criteria

from core.errors import NotFound
from core.models.base import Base, Owned
from core.settings import get_settings

if TYPE_CHECKING:
    from core.security import Actor

T = TypeVar("T")

__all__ = ["Base", "dispose", "engine", "get_owned", "session"]


@lru_cache
def engine() -> Engine:
    """The process's connection pool. Pool size × processes stays far below PostgreSQL's 100 connections."""
    return create_engine(
        get_settings().effective_database_url,
        pool_size=5,
        max_overflow=5,
        pool_pre_ping=True,
        pool_recycle=1800,
        hide_parameters=True,  # an error names the statement, not the values: passwords' hashes and sealed keys
    )


@lru_cache
def _factory() -> sessionmaker[Session]:
    return sessionmaker(engine(), expire_on_commit=False)


def dispose() -> None:
    """Forget the pool's connections without closing a parent's sockets; a forked child calls it before its first query.

    The engine stays, with the statements it has compiled.
    """
    if engine.cache_info().currsize:
        engine().dispose(close=False)


@contextmanager
def session(actor: Actor | None = None) -> Iterator[Session]:
    """One transaction: committed at the end, rolled back on an error.

    With an ``actor``, every ORM statement on an :class:`Owned` table is limited to the rows of the actor's owner.
    Without one it is the system's session (workers, dispatcher), which sees everything.
    """
    with _factory()() as opened, opened.begin():
        if actor is not None:
            opened.info["owner_id"] = actor.owner_id
        yield opened


@event.listens_for(Session, "do_orm_execute")
def _scope_to_owner(state: ORMExecuteState) -> None:
    owner_id: UUID | None = state.session.info.get("owner_id")
    if owner_id is None or state.is_column_load or state.is_relationship_load:
        return
    state.statement = state.statement.options(
        with_loader_criteria(Owned, lambda cls: cls.owner_id == owner_id, include_aliases=True)
    )


def get_owned(scoped: Session, model: type[T], identifier: UUID | str, *, lock: bool = False) -> T:
    """One row by its key within the session's scope.

    Raises:
        NotFound: no such row, somebody else's row, or not an identifier at all.
    """
    try:
        key = identifier if isinstance(identifier, UUID) else UUID(str(identifier))
    except ValueError:
        raise NotFound("That does not exist.") from None
    table: Any = model

    statement = select(model).where(table.id == key)
    if lock:
        statement = statement.with_for_update()
    row = scoped.scalars(statement).one_or_none()
    if row is None:
        raise NotFound("That does not exist.", "It may have been deleted.")
    return row


def answers() -> bool:
    """Whether the database can be reached and asked."""
    try:
        with session() as opened:
            opened.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return False
    return True

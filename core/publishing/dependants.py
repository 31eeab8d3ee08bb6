"""What hangs on an episode: money and posts. Counted before anything is taken off the board, so that nothing is lost.

An episode that was discarded counts nowhere, so money entered for it would leave every sum without a word.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from core.errors import Conflict
from core.models.business import CostEntry, RevenueRecord
from core.models.publishing import Episode, PublicationRecord
from core.publishing import states

WAITING = states.ACTIVE | {"scheduled", "needs_review", "needs_reconnect"}


@dataclass(frozen=True)
class Dependants:
    """How many costs and earnings count for an episode, how many of its posts are out and how many on their way."""

    costs: int
    earnings: int
    published: int
    waiting: int


def of_episode(session: Session, episode_id: UUID) -> Dependants:
    """Counted from the newest revisions of costs and earnings that are not void."""
    posts = select(PublicationRecord.id).where(PublicationRecord.episode_id == episode_id)

    def money(table: type[CostEntry] | type[RevenueRecord]) -> int:
        newer = aliased(table)
        return (
            session.scalar(
                select(func.count())
                .select_from(table)
                .outerjoin(newer, newer.supersedes_id == table.id)
                .where(
                    newer.id.is_(None),
                    table.void.is_(False),
                    or_(table.episode_id == episode_id, table.publication_id.in_(posts)),
                )
            )
            or 0
        )

    def posted(among: frozenset[str]) -> int:
        counted = select(func.count()).select_from(PublicationRecord)
        return (
            session.scalar(
                counted.where(PublicationRecord.episode_id == episode_id, PublicationRecord.state.in_(among))
            )
            or 0
        )

    return Dependants(money(CostEntry), money(RevenueRecord), posted(states.PUBLISHED), posted(WAITING))


def refuse_discard(session: Session, episode: Episode) -> None:
    """Raise :class:`Conflict`, naming what depends on the episode, unless nothing does."""
    held = of_episode(session, episode.id)
    name = episode.title
    if held.published:
        raise Conflict(
            f"“{name}” is published; its figures belong to it.", "Delete the post on the platform; the episode stays."
        )
    if held.waiting or episode.state == "scheduled":
        raise Conflict(f"“{name}” is on its way to a platform.", "Cancel its publications first.")
    if held.costs or held.earnings:
        raise Conflict(
            f"Money is recorded for “{name}”: {held.costs} costs, {held.earnings} earnings.",
            "Take these back on the Business page first, or keep the episode.",
        )

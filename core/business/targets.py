"""What an amount of money belongs to: exactly one channel, series, episode or publication of the owner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import InvalidInput, NotFound
from core.models.publishing import ContentChannel, Episode, PublicationRecord, Series


@dataclass(frozen=True)
class Target:
    """Exactly one of the four is set."""

    channel_id: UUID | None = None
    series_id: UUID | None = None
    episode_id: UUID | None = None
    publication_id: UUID | None = None

    def __post_init__(self) -> None:
        if sum(value is not None for value in self.columns().values()) != 1:
            raise InvalidInput(
                "Money belongs to exactly one thing.", "Choose a channel, a series, an episode or a single post."
            )

    def columns(self) -> dict[str, UUID | None]:
        """The four columns as the tables name them."""
        return {
            "channel_id": self.channel_id,
            "series_id": self.series_id,
            "episode_id": self.episode_id,
            "publication_id": self.publication_id,
        }

    @property
    def key(self) -> UUID:
        """The identifier that is set."""
        return next(value for value in self.columns().values() if value is not None)


def owner_of_target(session: Session, target: Target) -> UUID:
    """Who owns it.

    Raises:
        NotFound: it does not exist within the session's scope.
    """
    tables: dict[str, Any] = {
        "channel_id": ContentChannel,
        "series_id": Series,
        "episode_id": Episode,
        "publication_id": PublicationRecord,
    }
    name = next(name for name, value in target.columns().items() if value is not None)
    table = tables[name]
    owner_id: UUID | None = session.scalar(select(table.owner_id).where(table.id == target.key))
    if owner_id is None:
        raise NotFound("That does not exist.", "It may have been deleted.")
    return owner_id

"""The instant of a scheduled post follows its local time when the rules of its zone change (tzdata)."""

from __future__ import annotations

from datetime import UTC, timedelta

from sqlalchemy import select

from core import database
from core.models.publishing import PublicationRecord
from core.publishing.plan import announce, database_now
from core.publishing.schedule import NOTE_FIRST, due_time

CHANGE = timedelta(minutes=1)
"""Zones change by minutes; what is less is the fraction of a second that a local time does not keep."""


def follow() -> int:
    """Recompute what is still to come; returns how many moved. A time that comes twice is left as it was chosen."""
    moved = 0
    with database.session() as session:
        now = database_now(session)
        rows = session.scalars(
            select(PublicationRecord)
            .where(
                PublicationRecord.state == "scheduled",
                PublicationRecord.due_at > now,
                PublicationRecord.local_time.is_not(None),
            )
            .with_for_update(skip_locked=True)
        )
        for record in rows:
            if record.local_time is None or record.due_at is None:
                continue
            meant = due_time(record.local_time, record.timezone)
            if meant.note == NOTE_FIRST or abs(meant.due_at - record.due_at.astimezone(UTC)) < CHANGE:
                continue
            record.due_at, record.time_note = meant.due_at, meant.note
            record.version += 1
            moved += 1
            session.flush()
            announce(session, record)
    return moved

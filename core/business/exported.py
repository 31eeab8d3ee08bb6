"""Taking an export into the books: whose money each line is, what is known already, what would count twice (B4).

A line names its record by the export's kind, its day and its video, so the same file again changes nothing; another
amount is a correction, a new row beside the old one. What a person corrected stays as they left it until the file says
something it has not said before. Money that the platform's own reports have brought for the same post and day is not
taken again; of a day's sum for a whole channel only what its posts do not have already.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from core.business.exports import Entry, Export
from core.business.revenue import Earning, record_earnings
from core.business.scope import owner_of
from core.business.targets import Target
from core.models.business import RevenueRecord
from core.models.publishing import ContentChannel, Episode, PublicationRecord

Status = Literal["new", "changed", "known", "left_out"]
Reason = Literal["", "sum", "zero", "no_channel", "synced", "whole_day", "covered", "rest", "other_currency"]
PACIFIC = "America/Los_Angeles"
"""Days of YouTube's and AdSense's reports."""


@dataclass(frozen=True)
class Taken:
    """What becomes of one line: ``status``, and why it is left out or only partly taken (a message key under
    ``business.export.reason``). ``belongs_to`` is the post or channel by name."""

    line: int
    status: Status
    reason: Reason = ""
    day: date | None = None
    amount: Decimal | None = None
    belongs_to: str = ""
    earning: Earning | None = None


def judge(session: Session, export: Export, *, channel_id: UUID | None) -> list[Taken]:
    """What would become of every line, in the file's order; writes nothing.

    Videos that are posts of the studio go to these; all others, and lines about a whole day, to ``channel_id``, and
    are left out without one.
    """
    books = _Books(session, export, channel_id)
    return sorted(
        [
            *(Taken(line, "left_out", "sum") for line in export.left_out),
            *(books.judge(entry) for entry in export.entries),
        ],
        key=lambda taken: taken.line,
    )


def take(session: Session, judged: Sequence[Taken], *, by: UUID | None) -> int:
    """Write what is new or changed; returns how many rows."""
    earnings = [one.earning for one in judged if one.status in ("new", "changed") and one.earning is not None]
    return record_earnings(session, earnings, by=by)


class _Books:
    """What is known: the studio's posts by their id, the records of the days of the file."""

    def __init__(self, session: Session, export: Export, channel_id: UUID | None) -> None:
        self._export = export
        owner = owner_of(session)
        channel = session.get(ContentChannel, channel_id) if channel_id is not None else None
        self._channel = channel if channel is not None and channel.owner_id == owner else None
        ids = {entry.video for entry in export.entries if entry.video}
        posts = session.execute(
            select(PublicationRecord.remote_id, PublicationRecord.id, PublicationRecord.title, Episode.channel_id)
            .join(Episode, Episode.id == PublicationRecord.episode_id)
            .where(
                PublicationRecord.owner_id == owner,
                PublicationRecord.platform == "youtube",
                PublicationRecord.remote_id.in_(ids),
            )
        )
        self._posts = {row.remote_id: row for row in posts}
        self._revisions: dict[str, list[RevenueRecord]] = defaultdict(list)
        self._of_posts: dict[tuple[UUID, date], list[RevenueRecord]] = defaultdict(list)
        self._of_channel: dict[tuple[UUID, date], list[RevenueRecord]] = defaultdict(list)
        self._read(session, owner)

    def _read(self, session: Session, owner: UUID) -> None:
        days = [entry.day for entry in self._export.entries]
        if not days:
            return
        within = select(RevenueRecord).where(
            RevenueRecord.owner_id == owner,
            RevenueRecord.simulated.is_(False),
            RevenueRecord.earned_on.between(min(days), max(days)),
        )
        for row in session.scalars(within.order_by(RevenueRecord.revision)):
            if row.source == self._export.source:
                self._revisions[row.external_ref].append(row)
        newer = aliased(RevenueRecord)
        counting = (
            within.add_columns(Episode.channel_id)
            .outerjoin(newer, newer.supersedes_id == RevenueRecord.id)
            .outerjoin(PublicationRecord, PublicationRecord.id == RevenueRecord.publication_id)
            .outerjoin(Episode, Episode.id == PublicationRecord.episode_id)
            .where(newer.id.is_(None), RevenueRecord.void.is_(False), RevenueRecord.category == "platform")
        )
        for row, channel_id in session.execute(counting):
            if row.publication_id is not None:
                self._of_posts[row.publication_id, row.earned_on].append(row)
                self._of_channel[channel_id, row.earned_on].append(row)
            elif row.channel_id is not None:
                self._of_channel[row.channel_id, row.earned_on].append(row)

    def judge(self, entry: Entry) -> Taken:
        post = self._posts.get(entry.video) if entry.video else None
        if post is not None:
            return self._of_post(entry, post.id, post.title, post.channel_id)
        if self._channel is None:
            return self._left(entry, "no_channel", entry.title or entry.video)
        return self._of_whole(entry, self._channel)

    def _left(self, entry: Entry, reason: Reason, belongs_to: str) -> Taken:
        return Taken(entry.line, "left_out", reason, entry.day, entry.amount, belongs_to)

    def _of_post(self, entry: Entry, key: UUID, title: str, channel_id: UUID) -> Taken:
        others = [row for row in self._of_posts[key, entry.day] if row.source != self._export.source]
        if others:
            return self._left(entry, "synced", title)
        whole = [row for row in self._of_channel[channel_id, entry.day] if _is_a_whole_day(row)]
        if whole:
            return self._left(entry, "whole_day", title)
        return self._entered(entry, Target(publication_id=key), title, entry.amount)

    def _of_whole(self, entry: Entry, channel: ContentChannel) -> Taken:
        """Money of a channel: of one video that is no post here, or of everything on a day."""
        if entry.video:
            return self._entered(entry, Target(channel_id=channel.id), entry.title or entry.video, entry.amount)
        mine = _reference(entry)
        known = [
            row
            for row in self._of_channel[channel.id, entry.day]
            if (row.source, row.external_ref) != (self._export.source, mine)
        ]
        if any(row.currency != self._export.currency for row in known):
            return self._left(entry, "other_currency", channel.name)
        rest = entry.amount - sum((row.amount for row in known), Decimal(0))
        if known and rest <= 0:
            return self._left(entry, "covered", channel.name)
        return self._entered(entry, Target(channel_id=channel.id), channel.name, rest, "rest" if known else "")

    def _entered(self, entry: Entry, target: Target, belongs_to: str, amount: Decimal, reason: Reason = "") -> Taken:
        reference = _reference(entry)
        before = self._revisions[reference]
        if any((row.amount, row.currency) == (amount, self._export.currency) for row in before):
            return Taken(entry.line, "known", "", entry.day, amount, belongs_to)
        if amount == 0 and not before:
            return self._left(entry, "zero", belongs_to)
        earning = Earning(
            target=target,
            amount=amount,
            currency=self._export.currency,
            earned_on=entry.day,
            source=self._export.source,
            external_ref=reference,
            kind="estimated",
            report_tz=PACIFIC if self._export.source == "youtube_studio" else None,
        ).checked()
        status: Status = "changed" if before else "new"
        return Taken(entry.line, status, reason, entry.day, amount, belongs_to, earning)


def _reference(entry: Entry) -> str:
    return f"{entry.day.isoformat()}:{entry.video or 'all'}"[:200]


def _is_a_whole_day(row: RevenueRecord) -> bool:
    return row.publication_id is None and row.external_ref.endswith(":all")

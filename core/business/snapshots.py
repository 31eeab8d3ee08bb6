"""Writing down what a platform says of a publication, once, and keeping the daily figures in step (B3, I3d)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.business import rollups
from core.business.money import currency_code, exact
from core.errors import InvalidInput, NotFound
from core.models.business import COUNTERS, PerformanceSnapshot, ReportedDay
from core.models.publishing import ContentChannel, Episode, PublicationRecord

CLOCK_TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True)
class Snapshot:
    """One observation of a publication's cumulative counters (names of ``COUNTERS``; a missing one is not reported)."""

    publication_id: UUID
    captured_at: datetime
    counters: Mapping[str, int | None]
    source: str
    estimated_revenue: Decimal | None = None
    currency: str | None = None
    api_revision: str | None = None
    sync_run_id: UUID | None = None


@dataclass(frozen=True)
class DayReport:
    """Gains of one day as the platform's own daily report has them; ``day`` is a day of ``report_tz``."""

    publication_id: UUID
    day: date
    captured_at: datetime
    counters: Mapping[str, int | None]
    source: str
    report_tz: str
    is_final: bool = False
    sync_run_id: UUID | None = None


@dataclass(frozen=True)
class Recorded:
    """What a round of recording did."""

    written: int
    skipped: int
    days_changed: int
    unchanged: frozenset[UUID] = field(default_factory=frozenset)


def _counters(given: Mapping[str, int | None], *, cumulative: bool) -> dict[str, int | None]:
    unknown = set(given) - set(COUNTERS)
    if unknown:
        raise InvalidInput("That counter is not known.", ", ".join(sorted(unknown)))
    for name, value in given.items():
        if value is not None and (value >= 2**63 or value < (0 if cumulative else -(2**63))):
            raise InvalidInput("A counter is out of range.", name)
    return {name: given.get(name) for name in COUNTERS}


def record_snapshots(session: Session, snapshots: Iterable[Snapshot]) -> Recorded:
    """Store observations and bring the daily figures of what they touch up to date, all in the caller's transaction.

    An observation at a moment that is already stored changes nothing, so a repeated or replayed round is harmless. One
    that equals the last stored observation of the same local day is left out: it adds nothing to any figure, while the
    first one of each day is always kept, because "nothing was gained today" is knowledge.

    Raises:
        NotFound: a publication that does not exist (in the session's scope).
        InvalidInput: an unknown or impossible counter, a moment without a zone, or one in the future (simulated
            publications live by the simulated clock and may be ahead).
    """
    given = sorted(snapshots, key=lambda item: (item.captured_at, item.publication_id))
    facts = _facts(session, {item.publication_id for item in given})
    rollups.lock(session, "performance", [row.channel_id for row in facts.values()])
    written, touched = 0, dict[UUID, datetime]()
    unchanged: set[UUID] = set()
    for item in given:
        row = facts[item.publication_id]
        _check_moment(item.captured_at, row.is_simulated)
        values = _counters(item.counters, cumulative=True)
        estimated = exact(item.estimated_revenue) if item.estimated_revenue is not None else None
        if _same_as_last(session, item, values, estimated, ZoneInfo(row.timezone)):
            unchanged.add(item.publication_id)
            continue
        stored = session.execute(
            insert(PerformanceSnapshot)
            .values(
                publication_id=item.publication_id,
                captured_at=item.captured_at,
                estimated_revenue=estimated,
                currency=currency_code(item.currency) if item.currency else None,
                source=item.source,
                api_revision=item.api_revision,
                sync_run_id=item.sync_run_id,
                **values,
            )
            .on_conflict_do_nothing()
            .returning(PerformanceSnapshot.publication_id)
        ).first()
        if stored is not None:
            written += 1
            touched[item.publication_id] = min(item.captured_at, touched.get(item.publication_id, item.captured_at))
    changed = rollups.refresh_publications(session, touched) if touched else 0
    return Recorded(written, len(given) - written, changed, frozenset(unchanged - set(touched)))


def record_snapshot(
    session: Session,
    publication_id: UUID,
    captured_at: datetime,
    counters: Mapping[str, int | None],
    *,
    source: str,
    estimated_revenue: Decimal | None = None,
    currency: str | None = None,
    api_revision: str | None = None,
    sync_run_id: UUID | None = None,
) -> bool:
    """Store one observation; returns whether it said anything new. See :func:`record_snapshots`."""
    one = Snapshot(
        publication_id, captured_at, counters, source, estimated_revenue, currency, api_revision, sync_run_id
    )
    return record_snapshots(session, [one]).written == 1


def record_day_reports(session: Session, reports: Iterable[DayReport]) -> Recorded:
    """Store rows of a platform's daily report. A revised figure of a day is a new row; an equal one changes nothing."""
    given = sorted(reports, key=lambda item: (item.captured_at, item.publication_id, item.day))
    facts = _facts(session, {item.publication_id for item in given})
    rollups.lock(session, "performance", [row.channel_id for row in facts.values()])
    written, touched = 0, dict[UUID, datetime]()
    for item in given:
        row = facts[item.publication_id]
        _check_moment(item.captured_at, row.is_simulated)
        values = _counters(item.counters, cumulative=False)
        last = session.scalar(
            select(ReportedDay)
            .where(ReportedDay.publication_id == item.publication_id, ReportedDay.day == item.day)
            .order_by(ReportedDay.captured_at.desc())
            .limit(1)
        )
        same = last is not None and all(getattr(last, name) == value for name, value in values.items())
        if last is not None and same and last.is_final == item.is_final and last.captured_at <= item.captured_at:
            continue
        stored = session.execute(
            insert(ReportedDay)
            .values(
                publication_id=item.publication_id,
                day=item.day,
                captured_at=item.captured_at,
                report_tz=item.report_tz,
                is_final=item.is_final,
                source=item.source,
                sync_run_id=item.sync_run_id,
                **values,
            )
            .on_conflict_do_nothing()
            .returning(ReportedDay.publication_id)
        ).first()
        if stored is not None:
            written += 1
            local_noon = datetime(item.day.year, item.day.month, item.day.day, 12, tzinfo=ZoneInfo(row.timezone))
            touched[item.publication_id] = min(local_noon, touched.get(item.publication_id, local_noon))
    changed = rollups.refresh_publications(session, touched) if touched else 0
    return Recorded(written, len(given) - written, changed)


@dataclass(frozen=True)
class _Facts:
    channel_id: UUID
    timezone: str
    is_simulated: bool


def _facts(session: Session, publication_ids: set[UUID]) -> dict[UUID, _Facts]:
    rows = session.execute(
        select(PublicationRecord.id, Episode.channel_id, ContentChannel.timezone, PublicationRecord.is_simulated)
        .join(Episode, Episode.id == PublicationRecord.episode_id)
        .join(ContentChannel, ContentChannel.id == Episode.channel_id)
        .where(PublicationRecord.id.in_(publication_ids))
    )
    found = {key: _Facts(channel, zone, simulated) for key, channel, zone, simulated in rows}
    if len(found) != len(publication_ids):
        raise NotFound("That publication does not exist.", "It may have been deleted.")
    return found


def _check_moment(captured_at: datetime, simulated: bool) -> None:
    if captured_at.tzinfo is None:
        raise InvalidInput("A moment needs a time zone.")
    if not simulated and captured_at > datetime.now(UTC) + CLOCK_TOLERANCE:
        raise InvalidInput("An observation cannot lie in the future.")


def _same_as_last(
    session: Session, item: Snapshot, values: Mapping[str, int | None], estimated: Decimal | None, zone: ZoneInfo
) -> bool:
    last = session.scalar(
        select(PerformanceSnapshot)
        .where(
            PerformanceSnapshot.publication_id == item.publication_id,
            PerformanceSnapshot.captured_at <= item.captured_at,
        )
        .order_by(PerformanceSnapshot.captured_at.desc())
        .limit(1)
    )
    return (
        last is not None
        and last.captured_at.astimezone(zone).date() == item.captured_at.astimezone(zone).date()
        and last.estimated_revenue == estimated
        and all(getattr(last, name) == value for name, value in values.items())
    )

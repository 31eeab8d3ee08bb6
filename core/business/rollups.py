"""Daily sums kept beside the raw rows, in the transaction that changes those.

Only the keys that were touched are computed again, always from the raw rows, so that a replay, a late arrival or a
correction ends in the same rows as a computation from nothing (:func:`rebuild`). Writers of one channel's figures, and
writers of one owner's money, wait for each other (advisory locks held to the end of the transaction): each then sees
what the one before it wrote.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ARRAY, Date, DateTime, String, Uuid, bindparam, cast, delete, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.business.daily import Carried, Day, Observation, Report, daily
from core.models.business import (
    COUNTERS,
    ChannelDaily,
    FinanceDaily,
    PerformanceSnapshot,
    PublicationDaily,
    ReportedDay,
)
from core.models.publishing import ContentChannel, Episode, PublicationRecord

_BATCH = 1000


def lock(session: Session, purpose: str, keys: Iterable[UUID]) -> None:
    """Hold the writers' lock of each key until the transaction ends; always taken in the same order."""
    for key in sorted(set(keys)):
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{purpose}:{key}", 0))))


def channels_of(session: Session, publication_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Publication → content channel."""
    rows = session.execute(
        select(PublicationRecord.id, Episode.channel_id)
        .join(Episode, Episode.id == PublicationRecord.episode_id)
        .where(PublicationRecord.id.in_(set(publication_ids)))
    )
    return {row.id: row.channel_id for row in rows}


def refresh_publications(session: Session, touched: Mapping[UUID, datetime]) -> int:
    """Bring ``publication_daily`` and ``channel_daily`` up to date from the given moment on, per publication.

    The caller holds the channels' lock. Returns how many day rows changed.
    """
    facts = {
        row.id: row
        for row in session.execute(
            select(
                PublicationRecord.id,
                PublicationRecord.owner_id,
                PublicationRecord.platform,
                PublicationRecord.is_simulated,
                PublicationRecord.published_at,
                Episode.channel_id,
                ContentChannel.timezone,
            )
            .join(Episode, Episode.id == PublicationRecord.episode_id)
            .join(ContentChannel, ContentChannel.id == Episode.channel_id)
            .where(PublicationRecord.id.in_(list(touched)))
        )
    }
    first_days = {key: touched[key].astimezone(ZoneInfo(row.timezone)).date() for key, row in facts.items()}
    carried = _carried(session, first_days)
    observations, reports = _raw(session, facts, first_days, carried)
    rows: list[dict[str, Any]] = []
    for key, row in facts.items():
        start = carried.get(key)
        days = daily(
            observations[key],
            reports[key],
            ZoneInfo(row.timezone),
            carried=start,
            published_at=row.published_at,
        )
        rows += [_day_row(row, day) for day in days]
    changed = _store_days(session, rows)
    refresh_channels(session, {(row["channel_id"], row["day"]) for row in rows})
    return changed


def _carried(session: Session, first_days: Mapping[UUID, date]) -> dict[UUID, Carried]:
    """The state two day rows before the touched day: the row before it may have become final by this change."""
    found: dict[UUID, Carried] = {}
    ends = [getattr(PublicationDaily, f"{name}_end") for name in COUNTERS]
    keys = (
        func.unnest(
            bindparam("ids", list(first_days), ARRAY(Uuid())),
            bindparam("days", list(first_days.values()), ARRAY(Date())),
        )
        .table_valued("publication_id", "day", name="keys")
        .render_derived()
    )
    before = (
        select(PublicationDaily.day, *ends)
        .where(PublicationDaily.publication_id == keys.c.publication_id, PublicationDaily.day < keys.c.day)
        .order_by(PublicationDaily.day.desc())
        .offset(1)
        .limit(1)
        .lateral("before")
    )
    for row in session.execute(select(keys.c.publication_id, before).select_from(keys).join(before, text("true"))):
        found[row[0]] = Carried(row[1], tuple(row[2:]))
    return found


def _raw(
    session: Session, facts: Mapping[UUID, Any], first_days: Mapping[UUID, date], carried: Mapping[UUID, Carried]
) -> tuple[dict[UUID, list[Observation]], dict[UUID, list[Report]]]:
    """Everything observed and reported after the carried day, per publication."""
    observations: dict[UUID, list[Observation]] = defaultdict(list)
    reports: dict[UUID, list[Report]] = defaultdict(list)
    after = {key: (carried[key].day if key in carried else date.min) for key in first_days}
    keys = (
        func.unnest(
            bindparam("ids", list(after), ARRAY(Uuid())),
            bindparam("days", list(after.values()), ARRAY(Date())),
            bindparam("zones", [facts[key].timezone for key in after], ARRAY(String())),
        )
        .table_valued("publication_id", "after", "zone", name="keys")
        .render_derived()
    )
    counters = [getattr(PerformanceSnapshot, name) for name in COUNTERS]
    next_day = cast(func.greatest(keys.c.after + 1, cast("1970-01-01", Date)), DateTime)
    starts = func.timezone(keys.c.zone, next_day)
    seen = (
        select(keys.c.publication_id, PerformanceSnapshot.captured_at, *counters)
        .select_from(keys)
        .join(PerformanceSnapshot, PerformanceSnapshot.publication_id == keys.c.publication_id)
        .where(PerformanceSnapshot.captured_at >= starts)
    )
    for row in session.execute(seen):
        observations[row[0]].append(Observation(row[1], tuple(row[2:])))
    told = (
        select(
            keys.c.publication_id,
            ReportedDay.day,
            ReportedDay.captured_at,
            ReportedDay.report_tz,
            ReportedDay.is_final,
            *(getattr(ReportedDay, name) for name in COUNTERS),
        )
        .select_from(keys)
        .join(ReportedDay, (ReportedDay.publication_id == keys.c.publication_id) & (ReportedDay.day > keys.c.after))
    )
    for row in session.execute(told):
        reports[row[0]].append(Report(row[1], row[2], tuple(row[5:]), row[3], row[4]))
    return observations, reports


def _day_row(facts: Any, day: Day) -> dict[str, Any]:
    return {
        "publication_id": facts.id,
        "day": day.day,
        "owner_id": facts.owner_id,
        "channel_id": facts.channel_id,
        "platform": facts.platform,
        "simulated": facts.is_simulated,
        "gap_days": day.gap_days,
        "method": day.method,
        "report_tz": day.report_tz,
        "is_final": day.is_final,
        "source_max_captured_at": day.source_max_captured_at,
        **{f"{name}_end": value for name, value in zip(COUNTERS, day.ends, strict=True)},
        **{f"{name}_gain": value for name, value in zip(COUNTERS, day.gains, strict=True)},
    }


def _store_days(session: Session, rows: list[dict[str, Any]]) -> int:
    """Write day rows; a row that says the same already stays untouched, one that knows more is never set back."""
    changed = 0
    for start in range(0, len(rows), _BATCH):
        statement = insert(PublicationDaily).values(rows[start : start + _BATCH])
        columns = [name for name in rows[0] if name not in ("publication_id", "day")]
        current = [getattr(PublicationDaily, name) for name in columns]
        offered = [statement.excluded[name] for name in columns]
        result = session.execute(
            statement.on_conflict_do_update(
                index_elements=["publication_id", "day"],
                set_={name: statement.excluded[name] for name in columns},
                where=tuple_(*current).is_distinct_from(tuple_(*offered))
                & (PublicationDaily.source_max_captured_at <= statement.excluded.source_max_captured_at),
            ).returning(PublicationDaily.day)
        )
        changed += len(result.all())
    return changed


def refresh_channels(session: Session, keys: Iterable[tuple[UUID, date]]) -> None:
    """Sum ``channel_daily`` again for the given (channel, day) pairs."""
    pairs = sorted(set(keys))
    if not pairs:
        return
    touched = tuple_(ChannelDaily.channel_id, ChannelDaily.day).in_(pairs)
    session.execute(delete(ChannelDaily).where(touched).execution_options(synchronize_session=False))
    gains = [f"{name}_gain" for name in COUNTERS]
    grouped = (
        select(
            PublicationDaily.owner_id,
            PublicationDaily.channel_id,
            PublicationDaily.day,
            PublicationDaily.platform,
            PublicationDaily.simulated,
            func.count(),
            func.max(PublicationDaily.source_max_captured_at),
            *(func.sum(getattr(PublicationDaily, name)) for name in gains),
        )
        .where(tuple_(PublicationDaily.channel_id, PublicationDaily.day).in_(pairs))
        .group_by(
            PublicationDaily.owner_id,
            PublicationDaily.channel_id,
            PublicationDaily.day,
            PublicationDaily.platform,
            PublicationDaily.simulated,
        )
    )
    names = ["owner_id", "channel_id", "day", "platform", "simulated", "publications", "source_max_captured_at", *gains]
    session.execute(insert(ChannelDaily).from_select(names, grouped))


def rebuild(session: Session, publication_ids: Iterable[UUID]) -> None:
    """Compute everything of these publications again from the raw rows.

    Needed when what the days depend on changed: a channel's zone, an episode's channel, a date of publishing.
    """
    ids = set(publication_ids)
    lock(session, "performance", channels_of(session, ids).values())
    old = session.execute(
        delete(PublicationDaily)
        .where(PublicationDaily.publication_id.in_(ids))
        .returning(PublicationDaily.channel_id, PublicationDaily.day)
        .execution_options(synchronize_session=False)
    ).all()
    beginning = datetime.fromisoformat("1971-01-01T00:00:00+00:00")
    refresh_publications(session, dict.fromkeys(ids, beginning))
    refresh_channels(session, {(channel, day) for channel, day in old})


_EFFECTIVE_MONEY = """
SELECT r.owner_id, r.earned_on AS day, r.earned_on AS fx_on, 'revenue' AS side, r.category, r.kind, r.currency,
       r.simulated, 'none' AS allocation, r.channel_id, r.series_id, r.episode_id, r.publication_id, r.amount
FROM revenue_records r
WHERE NOT r.void AND NOT EXISTS (SELECT 1 FROM revenue_records newer WHERE newer.supersedes_id = r.id)
UNION ALL
SELECT c.owner_id, (c.incurred_on + make_interval(months => part))::date, c.incurred_on, 'cost', c.category, 'entered',
       c.currency, c.simulated,
       CASE WHEN c.channel_id IS NULL AND c.series_id IS NULL THEN 'none' ELSE c.allocation END,
       c.channel_id, c.series_id, c.episode_id, c.publication_id,
       CASE WHEN part < c.amortise_months - 1 THEN round(c.amount / c.amortise_months, 6)
            ELSE c.amount - (c.amortise_months - 1) * round(c.amount / c.amortise_months, 6) END
FROM cost_entries c CROSS JOIN LATERAL generate_series(0, c.amortise_months - 1) AS part
WHERE NOT c.void AND NOT EXISTS (SELECT 1 FROM cost_entries newer WHERE newer.supersedes_id = c.id)
"""
_KEY = (
    "owner_id, day, fx_on, side, category, kind, currency, simulated, allocation, "
    "channel_id, series_id, episode_id, publication_id"
)


def refresh_finance(session: Session, owner_id: UUID, scopes: Iterable[UUID]) -> None:
    """Compute ``finance_daily`` again for what the touched money belongs to.

    ``scopes`` are keys of channels, series, episodes or publications, as the raw rows name them.
    """
    wanted = sorted(set(scopes))
    if not wanted:
        return
    lock(session, "finance", [owner_id])
    session.flush()
    scope = func.coalesce(
        FinanceDaily.publication_id, FinanceDaily.episode_id, FinanceDaily.series_id, FinanceDaily.channel_id
    )
    session.execute(
        delete(FinanceDaily)
        .where(FinanceDaily.owner_id == owner_id, scope.in_(wanted))
        .execution_options(synchronize_session=False)
    )
    session.execute(
        text(
            f"INSERT INTO finance_daily ({_KEY}, amount, entries) "
            f"SELECT {_KEY}, sum(amount), count(*) FROM ({_EFFECTIVE_MONEY}) AS money "
            "WHERE owner_id = :owner "
            "AND (publication_id = ANY(:scopes) OR episode_id = ANY(:scopes) OR series_id = ANY(:scopes) "
            f"OR channel_id = ANY(:scopes)) GROUP BY {_KEY}"
        ).bindparams(bindparam("owner", owner_id, Uuid()), bindparam("scopes", wanted, ARRAY(Uuid())))
    )


def rebuild_finance(session: Session, owner_id: UUID) -> None:
    """Compute all of an owner's ``finance_daily`` again from the raw rows."""
    lock(session, "finance", [owner_id])
    session.flush()
    session.execute(
        delete(FinanceDaily).where(FinanceDaily.owner_id == owner_id).execution_options(synchronize_session=False)
    )
    session.execute(
        text(
            f"INSERT INTO finance_daily ({_KEY}, amount, entries) "
            f"SELECT {_KEY}, sum(amount), count(*) FROM ({_EFFECTIVE_MONEY}) AS money WHERE owner_id = :owner "
            f"GROUP BY {_KEY}"
        ).bindparams(bindparam("owner", owner_id, Uuid()))
    )

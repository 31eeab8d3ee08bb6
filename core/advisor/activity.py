"""The advisor's named read-only queries about posts: what is planned, what is stuck, how fresh the figures are."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.advisor.periods import Ahead
from core.advisor.results import Cell, Column, Result, joined
from core.advisor.text import plain
from core.business.figures import Ran, run
from core.business.scope import Scope, owner_of
from core.models.business import PublicationDaily
from core.models.publishing import Episode, PlatformAccount, PublicationRecord

WAITING: Final = ("scheduled", "claimed", "submitting", "processing")
STUCK: Final = ("failed", "needs_review", "needs_reconnect", "missed")
STALE: Final = timedelta(hours=36)


def _result(name: str, ran: Ran, columns: tuple[Column, ...], rows: list[dict[str, Any]], scope: Scope) -> Result:
    statement, parameters = joined([ran])
    result = Result(
        name=name,
        columns=columns,
        rows=rows,
        statement=statement,
        parameters=parameters,
        currency=scope.currency,
        simulated=scope.simulated,
    )
    result.derived["count"] = Cell(len(rows), "count", "number of rows")
    return result


def scheduled(session: Session, scope: Scope, *, zone: ZoneInfo, now: datetime, days: Ahead | None = None) -> Result:
    """Posts that wait for their time or are on their way, soonest first; ``days`` are days of ``zone``."""
    statement: Any = (
        select(
            PublicationRecord.title.label("title"),
            PublicationRecord.platform.label("platform"),
            PlatformAccount.name.label("account"),
            PublicationRecord.due_at.label("due_at"),
            PublicationRecord.state.label("state"),
        )
        .join(PlatformAccount, PlatformAccount.id == PublicationRecord.account_id)
        .where(PublicationRecord.owner_id == owner_of(session), PublicationRecord.state.in_(WAITING))
        .order_by(PublicationRecord.due_at.asc().nulls_first(), PublicationRecord.id)
        .limit(200)
    )
    if scope.platform is not None:
        statement = statement.where(PublicationRecord.platform == scope.platform)
    if scope.channel_id is not None or scope.series_id is not None:
        statement = statement.join(Episode, Episode.id == PublicationRecord.episode_id)
    if scope.channel_id is not None:
        statement = statement.where(Episode.channel_id == scope.channel_id)
    if scope.series_id is not None:
        statement = statement.where(Episode.series_id == scope.series_id)
    if days is not None:
        end = datetime.combine(days.last + timedelta(days=1), datetime.min.time(), zone)
        statement = statement.where(PublicationRecord.due_at < end)
        if days.first is not None:
            begin = datetime.combine(days.first, datetime.min.time(), zone)
            statement = statement.where(PublicationRecord.due_at >= begin)
    ran = run(session, "scheduled posts", statement)
    columns = (
        Column("title", "text"),
        Column("platform", "text"),
        Column("account", "text"),
        Column("due_at", "moment"),
        Column("state", "text"),
    )
    rows = [{**row, "title": plain(row["title"]), "account": plain(row["account"])} for row in ran.rows]
    result = _result("scheduled", ran, columns, rows, scope)
    result.data_through = now
    return result


def attention(session: Session, scope: Scope, *, now: datetime) -> Result:
    """Posts that failed or wait for a decision, newest first, with the platform's reason."""
    statement: Any = (
        select(
            PublicationRecord.title.label("title"),
            PublicationRecord.platform.label("platform"),
            PublicationRecord.state.label("state"),
            PublicationRecord.reason.label("reason"),
            PublicationRecord.updated_at.label("since"),
        )
        .where(PublicationRecord.owner_id == owner_of(session), PublicationRecord.state.in_(STUCK))
        .order_by(PublicationRecord.updated_at.desc())
        .limit(200)
    )
    ran = run(session, "posts that need a person", statement)
    columns = (
        Column("title", "text"),
        Column("platform", "text"),
        Column("state", "text"),
        Column("reason", "text"),
        Column("since", "moment"),
    )
    rows = [{**row, "title": plain(row["title"]), "reason": plain(row["reason"])} for row in ran.rows]
    result = _result("attention", ran, columns, rows, scope)
    result.data_through = now
    return result


def freshness(session: Session, scope: Scope, *, now: datetime) -> Result:
    """Per account with published posts: when its figures were last observed, oldest first."""
    statement: Any = (
        select(
            PlatformAccount.name.label("account"),
            PlatformAccount.platform.label("platform"),
            func.count(func.distinct(PublicationRecord.id)).label("posts"),
            func.max(PublicationDaily.source_max_captured_at).label("observed"),
            func.max(PublicationRecord.last_checked_at).label("checked"),
        )
        .join(PublicationRecord, PublicationRecord.account_id == PlatformAccount.id)
        .outerjoin(PublicationDaily, PublicationDaily.publication_id == PublicationRecord.id)
        .where(
            PlatformAccount.owner_id == owner_of(session),
            PublicationRecord.is_simulated.is_(scope.simulated),
            PublicationRecord.published_at.is_not(None),
        )
        .group_by(PlatformAccount.id, PlatformAccount.name, PlatformAccount.platform)
    )
    ran = run(session, "freshness", statement)
    columns = (
        Column("account", "text"),
        Column("platform", "text"),
        Column("posts", "count"),
        Column("observed", "moment"),
        Column("hours", "count"),
    )
    rows = []
    for row in ran.rows:
        seen = max((at for at in (row["observed"], row["checked"]) if at is not None), default=None)
        hours = None if seen is None else max(int((now - seen).total_seconds() // 3600), 0)
        rows.append(
            {
                "account": plain(row["account"]),
                "platform": row["platform"],
                "posts": row["posts"],
                "observed": seen,
                "hours": hours,
            }
        )
    rows.sort(key=lambda row: (row["hours"] is not None, -(row["hours"] or 0)))
    result = _result("freshness", ran, columns, rows, scope)
    seen = [row["observed"] for row in rows if row["observed"] is not None]
    result.data_through = max(seen) if seen else None
    late = [row for row in rows if row["hours"] is None or timedelta(hours=row["hours"]) > STALE]
    result.derived["late"] = Cell(len(late), "count", "accounts without a look in the last 36 hours")
    return result

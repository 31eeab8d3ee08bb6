"""The queries under the dashboard: sums of the roll-ups, converted at each transaction's own rate.

Every query is bounded to the owner, the days, and either real or simulated figures. What ran is kept beside its rows,
so that any figure can show where it came from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Date, Numeric, Select, String, func, or_, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import TypeEngine

from core.business.fx import RateTable, rate_table
from core.business.scope import Scope, owner_of
from core.models.assets import Asset
from core.models.business import COUNTERS, ChannelDaily, FinanceDaily, PublicationDaily
from core.models.publishing import ContentChannel, Episode, PublicationRecord, Series


@dataclass(frozen=True)
class Ran:
    """A query as it ran: its SQL, its parameters, its rows."""

    name: str
    statement: str
    parameters: dict[str, Any]
    columns: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]


def run(session: Session, name: str, statement: Select[Any]) -> Ran:
    """Execute a SELECT and keep what was asked with what was answered."""
    compiled = statement.compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]
    result = session.execute(statement)
    columns = tuple(result.keys())
    rows = tuple(dict(zip(columns, row, strict=True)) for row in result)
    return Ran(name, str(compiled), dict(compiled.params), columns, rows)


def _days(column: InstrumentedAttribute[date], scope: Scope) -> list[ColumnElement[bool]]:
    bounds = [column <= scope.period.end]
    if scope.period.start is not None:
        bounds.append(column >= scope.period.start)
    return bounds


def _array(values: Iterable[Any], kind: TypeEngine[Any]) -> ColumnElement[Any]:
    from sqlalchemy import cast, literal

    array: TypeEngine[Any] = ARRAY(kind)
    return cast(literal(list(values), array), array)


_RAW_SCOPE = ("publication_id", "own_episode_id", "own_series_id", "own_channel_id")


def money(session: Session, scope: Scope, *, by_day: bool, by_content: bool, table: RateTable | None = None) -> Ran:
    """Revenue and cost summed by side and category, and by day or content as asked.

    Rows: ``side, category, kind, allocation, currency, amount`` (native), ``converted`` (in the scope's currency, NULL
    where no rate is known), ``entries``; with ``by_day`` ``day``; with ``by_content`` ``channel_id, series_id,
    episode_id, platform``, NULL where the money belongs to more than one. Of a series or an episode come its own money
    and all shared costs, because these are spread first.
    """
    owner_id = owner_of(session)
    conditions = [FinanceDaily.owner_id == owner_id, FinanceDaily.simulated.is_(scope.simulated)]
    conditions += _days(FinanceDaily.day, scope)
    if scope.series_id is not None or scope.episode_id is not None:
        conditions.append(_own_or_shared(scope))
    table = table or rate_table(session)
    pairs = session.execute(select(FinanceDaily.currency, FinanceDaily.fx_on).where(*conditions).distinct()).all()
    known = [
        (currency, on, found.rate) for currency, on in pairs if (found := table.find(currency, scope.currency, on))
    ]
    rates = (
        func.unnest(
            _array((item[0] for item in known), String()),
            _array((item[1] for item in known), Date()),
            _array((item[2] for item in known), Numeric()),
        )
        .table_valued("currency", "fx_on", "rate", name="rates")
        .render_derived()
    )

    by_content = by_content or scope.channel_id is not None or scope.platform is not None
    keys: list[ColumnElement[Any]] = []
    if by_content:
        keys += [
            FinanceDaily.publication_id.label("publication_id"),
            FinanceDaily.episode_id.label("own_episode_id"),
            FinanceDaily.series_id.label("own_series_id"),
            FinanceDaily.channel_id.label("own_channel_id"),
        ]
    if by_day:
        keys.append(FinanceDaily.day.label("day"))
    keys += [
        FinanceDaily.side.label("side"),
        FinanceDaily.category.label("category"),
        FinanceDaily.kind.label("kind"),
        FinanceDaily.allocation.label("allocation"),
        FinanceDaily.currency.label("currency"),
        rates.c.rate.is_(None).label("rate_missing"),
    ]
    sums = (
        select(
            *keys,
            func.sum(FinanceDaily.amount).label("amount"),
            func.sum(FinanceDaily.amount * rates.c.rate).label("converted"),
            func.sum(FinanceDaily.entries).label("entries"),
        )
        .select_from(FinanceDaily)
        .outerjoin(rates, (rates.c.currency == FinanceDaily.currency) & (rates.c.fx_on == FinanceDaily.fx_on))
        .where(*conditions)
        .group_by(*keys)
    )
    if not by_content:
        return run(session, "money", sums)
    part = sums.subquery("sums")
    channel = func.coalesce(part.c.own_channel_id, Series.channel_id, Episode.channel_id)
    statement = (
        select(
            channel.label("channel_id"),
            func.coalesce(part.c.own_series_id, Episode.series_id).label("series_id"),
            Episode.id.label("episode_id"),
            PublicationRecord.platform.label("platform"),
            *(column for column in part.c if column.name not in _RAW_SCOPE),
        )
        .select_from(part)
        .outerjoin(PublicationRecord, PublicationRecord.id == part.c.publication_id)
        .outerjoin(Episode, Episode.id == func.coalesce(part.c.own_episode_id, PublicationRecord.episode_id))
        .outerjoin(Series, Series.id == part.c.own_series_id)
    )
    if scope.channel_id is not None:
        statement = statement.where(channel == scope.channel_id)
    if scope.platform is not None:
        statement = statement.where(PublicationRecord.platform == scope.platform)
    return run(session, "money", statement)


def _own_or_shared(scope: Scope) -> ColumnElement[bool]:
    """Money of the scope's episodes, their posts and their series, and costs that several share."""
    episodes = select(Episode.id)
    if scope.series_id is not None:
        episodes = episodes.where(Episode.series_id == scope.series_id)
    if scope.episode_id is not None:
        episodes = episodes.where(Episode.id == scope.episode_id)
    posts = select(PublicationRecord.id).where(PublicationRecord.episode_id.in_(episodes))
    own = [
        FinanceDaily.allocation != "none",
        FinanceDaily.episode_id.in_(episodes),
        FinanceDaily.publication_id.in_(posts),
    ]
    return or_(*own, FinanceDaily.series_id == scope.series_id) if scope.series_id is not None else or_(*own)


def views_by_day(session: Session, scope: Scope) -> Ran:
    """Gains of all counters per day: ``day, <counter>…, through``."""
    table: Any = ChannelDaily
    narrow = scope.series_id is not None or scope.episode_id is not None
    if narrow:
        table = PublicationDaily
    statement = (
        select(
            table.day.label("day"),
            *(func.sum(getattr(table, f"{name}_gain")).label(name) for name in COUNTERS),
            func.max(table.source_max_captured_at).label("through"),
        )
        .where(table.owner_id == owner_of(session), table.simulated.is_(scope.simulated), *_days(table.day, scope))
        .group_by(table.day)
        .order_by(table.day)
    )
    if scope.channel_id is not None:
        statement = statement.where(table.channel_id == scope.channel_id)
    if scope.platform is not None:
        statement = statement.where(table.platform == scope.platform)
    if narrow:
        statement = statement.join(PublicationRecord, PublicationRecord.id == table.publication_id).join(
            Episode, Episode.id == PublicationRecord.episode_id
        )
        if scope.series_id is not None:
            statement = statement.where(Episode.series_id == scope.series_id)
        if scope.episode_id is not None:
            statement = statement.where(Episode.id == scope.episode_id)
    return run(session, "views by day", statement)


def views_by_content(session: Session, scope: Scope) -> Ran:
    """Gains of all counters per episode and platform: ``episode_id, platform, <counter>…, through``."""
    statement = (
        select(
            PublicationRecord.episode_id.label("episode_id"),
            PublicationDaily.platform.label("platform"),
            *(func.sum(getattr(PublicationDaily, f"{name}_gain")).label(name) for name in COUNTERS),
            func.max(PublicationDaily.source_max_captured_at).label("through"),
        )
        .join(PublicationRecord, PublicationRecord.id == PublicationDaily.publication_id)
        .where(
            PublicationDaily.owner_id == owner_of(session),
            PublicationDaily.simulated.is_(scope.simulated),
            *_days(PublicationDaily.day, scope),
        )
        .group_by(PublicationRecord.episode_id, PublicationDaily.platform)
    )
    if scope.channel_id is not None:
        statement = statement.where(PublicationDaily.channel_id == scope.channel_id)
    if scope.platform is not None:
        statement = statement.where(PublicationDaily.platform == scope.platform)
    return run(session, "views by content", statement)


@dataclass(frozen=True)
class Content:
    """An episode with what it belongs to; ``counts`` says whether it takes a share of shared costs."""

    episode_id: UUID
    title: str
    channel_id: UUID
    channel: str
    series_id: UUID | None
    series: str | None
    duration_seconds: float | None
    published_at: datetime | None
    short: bool
    counts: bool


SHORT_SECONDS = 180.0


def contents(session: Session, scope: Scope) -> list[Content]:
    """All episodes of the owner (of the channel, if one is chosen).

    An episode takes a share of its series' and channel's costs when it is on a platform (really or simulated, as
    asked); drafts and discarded ones take none. A short is upright and at most three minutes long.
    """
    live = (
        select(PublicationRecord.id)
        .where(
            PublicationRecord.episode_id == Episode.id,
            PublicationRecord.is_simulated.is_(scope.simulated),
            PublicationRecord.published_at.is_not(None),
        )
        .correlate(Episode)
    )
    first = (
        select(func.min(PublicationRecord.published_at))
        .where(PublicationRecord.episode_id == Episode.id, PublicationRecord.is_simulated.is_(scope.simulated))
        .correlate(Episode)
        .scalar_subquery()
    )
    statement = (
        select(
            Episode.id,
            Episode.title,
            Episode.channel_id,
            ContentChannel.name,
            Episode.series_id,
            Series.name,
            Asset.duration_seconds,
            first,
            (Asset.height > Asset.width) & (Asset.duration_seconds <= SHORT_SECONDS),
            live.exists() & (Episode.state != "discarded"),
        )
        .join(ContentChannel, ContentChannel.id == Episode.channel_id)
        .outerjoin(Series, Series.id == Episode.series_id)
        .outerjoin(Asset, Asset.id == Episode.asset_id)
        .where(Episode.owner_id == owner_of(session))
        .order_by(Episode.id)
    )
    if scope.channel_id is not None:
        statement = statement.where(Episode.channel_id == scope.channel_id)
    return [Content(*row[:8], short=bool(row[8]), counts=bool(row[9])) for row in session.execute(statement)]


def names(session: Session) -> tuple[dict[UUID, str], dict[UUID, tuple[str, UUID]]]:
    """Channel → name; series → (name, channel)."""
    owner_id = owner_of(session)
    channels = session.execute(
        select(ContentChannel.id, ContentChannel.name).where(ContentChannel.owner_id == owner_id)
    ).all()
    series = session.execute(select(Series.id, Series.name, Series.channel_id).where(Series.owner_id == owner_id)).all()
    return {row.id: row.name for row in channels}, {row.id: (row.name, row.channel_id) for row in series}


def channel_of(session: Session, scope: Scope) -> UUID | None:
    """The one channel that a scope of a series or an episode is about; costs are shared within it."""
    if scope.channel_id is not None:
        return scope.channel_id
    if scope.episode_id is not None:
        return session.scalar(select(Episode.channel_id).where(Episode.id == scope.episode_id))
    return session.scalar(select(Series.channel_id).where(Series.id == scope.series_id))


def last_day(session: Session, *, simulated: bool) -> date | None:
    """The newest day with any figure of that kind."""
    owner_id = owner_of(session)
    seen = session.scalar(
        select(func.max(ChannelDaily.day)).where(
            ChannelDaily.owner_id == owner_id, ChannelDaily.simulated.is_(simulated)
        )
    )
    earned = session.scalar(
        select(func.max(FinanceDaily.day)).where(
            FinanceDaily.owner_id == owner_id,
            FinanceDaily.simulated.is_(simulated),
            FinanceDaily.side == "revenue",
        )
    )
    found: Sequence[date] = [day for day in (seen, earned) if day is not None]
    return max(found) if found else None


def roi(revenue: Decimal, cost: Decimal) -> Decimal | None:
    """(revenue − cost) / cost with four decimals, or None where no cost is recorded."""
    if cost == 0:
        return None
    return ((revenue - cost) / cost).quantize(Decimal("0.0001"))

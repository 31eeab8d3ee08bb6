"""What was observed, what was earned, what was spent, and the daily sums made of them.

Raw tables only grow: a correction is a new row that supersedes the old one. The roll-ups (``publication_daily``,
``channel_daily``, ``finance_daily``) hold nothing that cannot be computed again from the raw tables
(``core.business.rollups.rebuild``). A counter is NULL where the platform does not report it; zero is a reported zero.
Money is NUMERIC(18, 6) with an ISO 4217 currency.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    String,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from core.models.base import Base, Identified, Owned

COUNTERS = (
    "views",
    "impressions",
    "impression_clicks",
    "watch_time_seconds",
    "likes",
    "comments",
    "shares",
    "saves",
    "subscribers_gained",
)
"""Cumulative counters of a publication, in the order of every table below."""

COST_CATEGORIES = ("labour", "editing", "music_licence", "advertising", "ai_compute", "gear", "fee", "other")
REVENUE_KINDS = ("estimated", "finalised")
ALLOCATIONS = ("equal", "duration", "views")
"""How a cost of a series or channel is spread over its episodes."""

_ONE_SCOPE = "num_nonnulls(channel_id, series_id, episode_id, publication_id) = 1"


def _listed(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


class _Counters:
    """The counters as nullable BIGINT columns."""

    views: Mapped[int | None] = mapped_column(BigInteger)
    impressions: Mapped[int | None] = mapped_column(BigInteger)
    impression_clicks: Mapped[int | None] = mapped_column(BigInteger)
    watch_time_seconds: Mapped[int | None] = mapped_column(BigInteger)
    likes: Mapped[int | None] = mapped_column(BigInteger)
    comments: Mapped[int | None] = mapped_column(BigInteger)
    shares: Mapped[int | None] = mapped_column(BigInteger)
    saves: Mapped[int | None] = mapped_column(BigInteger)
    subscribers_gained: Mapped[int | None] = mapped_column(BigInteger)


class _Gains:
    """What each counter gained over a day; negative where the platform took some back."""

    views_gain: Mapped[int | None] = mapped_column(BigInteger)
    impressions_gain: Mapped[int | None] = mapped_column(BigInteger)
    impression_clicks_gain: Mapped[int | None] = mapped_column(BigInteger)
    watch_time_seconds_gain: Mapped[int | None] = mapped_column(BigInteger)
    likes_gain: Mapped[int | None] = mapped_column(BigInteger)
    comments_gain: Mapped[int | None] = mapped_column(BigInteger)
    shares_gain: Mapped[int | None] = mapped_column(BigInteger)
    saves_gain: Mapped[int | None] = mapped_column(BigInteger)
    subscribers_gained_gain: Mapped[int | None] = mapped_column(BigInteger)


class _Ends:
    """Each counter as last known at the end of a day; NULL only while it was never reported."""

    views_end: Mapped[int | None] = mapped_column(BigInteger)
    impressions_end: Mapped[int | None] = mapped_column(BigInteger)
    impression_clicks_end: Mapped[int | None] = mapped_column(BigInteger)
    watch_time_seconds_end: Mapped[int | None] = mapped_column(BigInteger)
    likes_end: Mapped[int | None] = mapped_column(BigInteger)
    comments_end: Mapped[int | None] = mapped_column(BigInteger)
    shares_end: Mapped[int | None] = mapped_column(BigInteger)
    saves_end: Mapped[int | None] = mapped_column(BigInteger)
    subscribers_gained_end: Mapped[int | None] = mapped_column(BigInteger)


class PerformanceSnapshot(_Counters, Base):
    """One observation of a publication's cumulative counters; never changed after it was written.

    ``estimated_revenue`` is what the platform showed at that moment. It stays an observation: money that counts is in
    ``revenue_records``.
    """

    __tablename__ = "performance_snapshots"

    publication_id: Mapped[UUID] = mapped_column(ForeignKey("publication_records.id", ondelete="CASCADE"))
    captured_at: Mapped[datetime]
    estimated_revenue: Mapped[Decimal | None] = mapped_column(Numeric(18, 6))
    currency: Mapped[str | None] = mapped_column(String(3))
    source: Mapped[str] = mapped_column(String(60))
    api_revision: Mapped[str | None] = mapped_column(String(60))
    sync_run_id: Mapped[UUID | None]

    __table_args__ = (
        PrimaryKeyConstraint("publication_id", "captured_at"),
        CheckConstraint("estimated_revenue IS NULL OR currency IS NOT NULL", name="revenue_has_currency"),
        Index("ix_performance_snapshots_captured_at", "captured_at", postgresql_using="brin"),
    )


class ReportedDay(_Counters, Base):
    """What a platform's own daily report says a publication gained on one of the platform's days.

    ``day`` is a day of ``report_tz`` (YouTube: America/Los_Angeles) and is not shifted. A later report of the same day
    is a new row; the last one counts.
    """

    __tablename__ = "reported_days"

    publication_id: Mapped[UUID] = mapped_column(ForeignKey("publication_records.id", ondelete="CASCADE"))
    day: Mapped[date]
    captured_at: Mapped[datetime]
    report_tz: Mapped[str] = mapped_column(String(60))
    is_final: Mapped[bool] = mapped_column(default=False)
    source: Mapped[str] = mapped_column(String(60))
    sync_run_id: Mapped[UUID | None]

    __table_args__ = (PrimaryKeyConstraint("publication_id", "day", "captured_at"),)


class PublicationDaily(Owned, _Ends, _Gains, Base):
    """One publication on one day of its channel's zone. Roll-up of ``performance_snapshots`` and ``reported_days``.

    ``gap_days`` counts the days without an observation whose gain arrived on this one.
    """

    __tablename__ = "publication_daily"

    publication_id: Mapped[UUID] = mapped_column(ForeignKey("publication_records.id", ondelete="CASCADE"))
    day: Mapped[date]
    channel_id: Mapped[UUID] = mapped_column(ForeignKey("content_channels.id", ondelete="CASCADE"))
    platform: Mapped[str] = mapped_column(String(40))
    simulated: Mapped[bool]
    gap_days: Mapped[int] = mapped_column(Integer, default=0)
    method: Mapped[str] = mapped_column(String(10))
    report_tz: Mapped[str | None] = mapped_column(String(60))
    is_final: Mapped[bool] = mapped_column(default=False)
    source_max_captured_at: Mapped[datetime]

    __table_args__ = (
        PrimaryKeyConstraint("publication_id", "day"),
        CheckConstraint(_listed("method", ("delta", "reported")), name="method"),
        Index("ix_publication_daily_channel_id_day", "channel_id", "day"),
        Index("ix_publication_daily_owner_id_day", "owner_id", "day"),
    )


class ChannelDaily(Owned, _Gains, Base):
    """A channel's gains of one day on one platform: the sum of its ``publication_daily`` rows."""

    __tablename__ = "channel_daily"

    channel_id: Mapped[UUID] = mapped_column(ForeignKey("content_channels.id", ondelete="CASCADE"))
    day: Mapped[date]
    platform: Mapped[str] = mapped_column(String(40))
    simulated: Mapped[bool]
    publications: Mapped[int]
    source_max_captured_at: Mapped[datetime]

    __table_args__ = (
        PrimaryKeyConstraint("channel_id", "day", "platform", "simulated"),
        Index("ix_channel_daily_owner_id_day", "owner_id", "day"),
    )


class _MoneyScope:
    """Exactly one of channel, series, episode or publication that an amount belongs to."""

    @declared_attr
    def channel_id(cls) -> Mapped[UUID | None]:
        return mapped_column(ForeignKey("content_channels.id"), index=True)

    @declared_attr
    def series_id(cls) -> Mapped[UUID | None]:
        return mapped_column(ForeignKey("series.id"), index=True)

    @declared_attr
    def episode_id(cls) -> Mapped[UUID | None]:
        return mapped_column(ForeignKey("episodes.id"), index=True)

    @declared_attr
    def publication_id(cls) -> Mapped[UUID | None]:
        return mapped_column(ForeignKey("publication_records.id"), index=True)


class RevenueRecord(Identified, Owned, _MoneyScope, Base):
    """Money earned on one day, as a platform or the user reports it.

    ``external_ref`` names it at its source; another report of it is a new row with the next ``revision`` that
    supersedes this one. Rows nobody supersedes and which are not ``void`` count.
    """

    __tablename__ = "revenue_records"

    source: Mapped[str] = mapped_column(String(60))
    external_ref: Mapped[str] = mapped_column(String(200))
    revision: Mapped[int] = mapped_column(default=1)
    supersedes_id: Mapped[UUID | None] = mapped_column(ForeignKey("revenue_records.id"), unique=True)
    kind: Mapped[str] = mapped_column(String(12))
    category: Mapped[str] = mapped_column(String(40), default="platform")
    amount: Mapped[Decimal] = mapped_column(Numeric(18, 6))
    currency: Mapped[str] = mapped_column(String(3))
    earned_on: Mapped[date]
    report_tz: Mapped[str | None] = mapped_column(String(60))
    void: Mapped[bool] = mapped_column(default=False)
    simulated: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str | None] = mapped_column(Text)
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        UniqueConstraint("owner_id", "source", "external_ref", "revision"),
        CheckConstraint(_ONE_SCOPE, name="one_scope"),
        CheckConstraint(_listed("kind", REVENUE_KINDS), name="kind"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        Index("ix_revenue_records_owner_id_earned_on", "owner_id", "earned_on"),
    )


class CostEntry(Identified, Owned, _MoneyScope, Base):
    """Money spent, entered or imported by a person.

    ``entry_ref`` is the same for all revisions of one cost. ``allocation`` says how a cost of a channel or series is
    spread over its episodes; ``amortise_months`` spreads it over time, in equal parts from ``incurred_on`` on.
    """

    __tablename__ = "cost_entries"

    entry_ref: Mapped[UUID]
    revision: Mapped[int] = mapped_column(default=1)
    supersedes_id: Mapped[UUID | None] = mapped_column(ForeignKey("cost_entries.id"), unique=True)
    category: Mapped[str] = mapped_column(String(20))
    amount: Mapped[Decimal] = mapped_column(Numeric(18, 6))
    currency: Mapped[str] = mapped_column(String(3))
    incurred_on: Mapped[date]
    amortise_months: Mapped[int] = mapped_column(default=1)
    allocation: Mapped[str] = mapped_column(String(10), default="equal")
    receipt_asset_id: Mapped[UUID | None] = mapped_column(ForeignKey("assets.id", ondelete="SET NULL"), index=True)
    note: Mapped[str | None] = mapped_column(Text)
    void: Mapped[bool] = mapped_column(default=False)
    simulated: Mapped[bool] = mapped_column(default=False)
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        UniqueConstraint("entry_ref", "revision"),
        CheckConstraint(_ONE_SCOPE, name="one_scope"),
        CheckConstraint(_listed("category", COST_CATEGORIES), name="category"),
        CheckConstraint(_listed("allocation", ALLOCATIONS), name="allocation"),
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        CheckConstraint("amortise_months BETWEEN 1 AND 120", name="amortise_months"),
        Index("ix_cost_entries_owner_id_incurred_on", "owner_id", "incurred_on"),
    )


class FxRate(Identified, Owned, Base):
    """One unit of ``base`` in ``quote`` on a day. The highest revision of a day counts."""

    __tablename__ = "fx_rates"

    base: Mapped[str] = mapped_column(String(3))
    quote: Mapped[str] = mapped_column(String(3))
    on_date: Mapped[date]
    rate: Mapped[Decimal] = mapped_column(Numeric(24, 12))
    source: Mapped[str] = mapped_column(String(60))
    revision: Mapped[int] = mapped_column(default=1)
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        UniqueConstraint("owner_id", "base", "quote", "on_date", "revision"),
        CheckConstraint("rate > 0", name="rate"),
        CheckConstraint("base <> quote", name="pair"),
        CheckConstraint("base ~ '^[A-Z]{3}$' AND quote ~ '^[A-Z]{3}$'", name="currency"),
    )


class FinanceDaily(Owned, _MoneyScope, Base):
    """Revenue or cost of one day, scope, category and currency: the sum of the rows that count, amortisation spread.

    The scope is the raw rows' own (exactly one of the four), so that an episode may move to another series without a
    recomputation. ``fx_on`` is the transaction's date, at whose rate the amount is converted (of an instalment: when it
    was bought).
    """

    __tablename__ = "finance_daily"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    day: Mapped[date]
    fx_on: Mapped[date]
    side: Mapped[str] = mapped_column(String(7))
    category: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(12))
    currency: Mapped[str] = mapped_column(String(3))
    simulated: Mapped[bool]
    allocation: Mapped[str] = mapped_column(String(10))
    amount: Mapped[Decimal] = mapped_column(Numeric(24, 6))
    entries: Mapped[int]

    __table_args__ = (
        CheckConstraint(_ONE_SCOPE, name="one_scope"),
        CheckConstraint(_listed("side", ("revenue", "cost")), name="side"),
        Index(
            "uq_finance_daily_key",
            *("owner_id", "day", "fx_on", "side", "category", "kind", "currency", "simulated", "allocation"),
            *("channel_id", "series_id", "episode_id", "publication_id"),
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
    )


PERFORMANCE_VIEW = """
CREATE OR REPLACE VIEW performance AS
SELECT publication_id,
       captured_at,
       views,
       watch_time_seconds,
       likes,
       comments,
       shares,
       impression_clicks::numeric / NULLIF(impressions, 0) AS ctr,
       (COALESCE(likes, 0) + COALESCE(comments, 0) + COALESCE(shares, 0) + COALESCE(saves, 0))::numeric
           / NULLIF(CASE WHEN num_nonnulls(likes, comments, shares, saves) > 0 THEN views END, 0) AS engagement_rate,
       estimated_revenue,
       currency
FROM performance_snapshots
"""
"""Ratios of single observations, from their numerators and denominators. Sums over several come from the counters."""

VIEWS: dict[str, str] = {"performance": PERFORMANCE_VIEW}
"""View name → statement that creates it, for the migration and for test schemas."""

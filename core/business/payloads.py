"""The shapes of SPEC H6: what goes in and out over HTTP. Money is a JSON number beside its currency."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, field_validator

from core.business import money
from core.business.costs import Cost
from core.business.overview import Line, Overview, Totals
from core.business.revenue import Earning
from core.business.targets import Target
from core.models.business import CostEntry, FxRate, RevenueRecord

Amount = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]
Rate = Annotated[Decimal, Field(gt=0, lt=10**12), PlainSerializer(float, return_type=float, when_used="json")]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Scoped(_In):
    channel_id: UUID | None = None
    series_id: UUID | None = None
    episode_id: UUID | None = None
    publication_id: UUID | None = None

    def target(self) -> Target:
        """What the amount belongs to; raises ``InvalidInput`` unless exactly one is given."""
        return Target(self.channel_id, self.series_id, self.episode_id, self.publication_id)


def _no_float(value: object) -> object:
    """JSON numbers arrive as floats; their shortest text is what was written."""
    return str(value) if isinstance(value, float) else value


class CostIn(_Scoped):
    """POST /dashboard/costs."""

    category: Literal["labour", "editing", "music_licence", "advertising", "ai_compute", "gear", "fee", "other"]
    amount: Amount
    currency: str
    incurred_on: date
    amortise_months: int = Field(default=1, ge=1, le=120)
    allocation: Literal["equal", "duration", "views"] = "equal"
    receipt_asset_id: UUID | None = None
    note: str | None = Field(default=None, max_length=2000)
    simulated: bool = False

    _amount = field_validator("amount", mode="before")(_no_float)

    def cost(self) -> Cost:
        return Cost(
            target=self.target(),
            category=self.category,
            amount=money.exact(self.amount),
            currency=self.currency,
            incurred_on=self.incurred_on,
            amortise_months=self.amortise_months,
            allocation=self.allocation,
            receipt_asset_id=self.receipt_asset_id,
            note=self.note,
            simulated=self.simulated,
        )


class CostPatch(_In):
    """PATCH /dashboard/costs/{id}: a correction (a new revision). ``void`` takes the cost out of every sum."""

    category: (
        Literal["labour", "editing", "music_licence", "advertising", "ai_compute", "gear", "fee", "other"] | None
    ) = None
    amount: Amount | None = None
    currency: str | None = None
    incurred_on: date | None = None
    amortise_months: int | None = Field(default=None, ge=1, le=120)
    allocation: Literal["equal", "duration", "views"] | None = None
    note: str | None = Field(default=None, max_length=2000)
    void: bool = False

    _amount = field_validator("amount", mode="before")(_no_float)

    def changes(self) -> dict[str, Any]:
        """The fields that are given, as :class:`core.business.costs.Cost` names them."""
        return {name: value for name, value in self if name != "void" and value is not None}


class RevenueIn(_Scoped):
    """POST /dashboard/revenue. ``external_ref`` makes a repeated call harmless."""

    amount: Amount
    currency: str
    earned_on: date
    kind: Literal["estimated", "finalised"] = "finalised"
    category: str = Field(default="other", min_length=1, max_length=40)
    source: str = Field(default="manual", min_length=1, max_length=60)
    external_ref: str | None = Field(default=None, min_length=1, max_length=200)
    note: str | None = Field(default=None, max_length=2000)
    simulated: bool = False

    _amount = field_validator("amount", mode="before")(_no_float)

    def earning(self, reference: str) -> Earning:
        return Earning(
            target=self.target(),
            amount=money.exact(self.amount),
            currency=self.currency,
            earned_on=self.earned_on,
            source=self.source,
            external_ref=self.external_ref or reference,
            kind=self.kind,
            category=self.category,
            note=self.note,
            simulated=self.simulated,
        )


class RevenuePatch(_In):
    """PATCH /dashboard/revenue/{id}: a correction (a new revision)."""

    amount: Amount | None = None
    note: str = Field(default="", max_length=2000)
    void: bool = False

    _amount = field_validator("amount", mode="before")(_no_float)


class FxRateIn(_In):
    """POST /dashboard/fx-rates: one ``base`` is worth ``rate`` ``quote`` on a day."""

    base: str
    quote: str
    on_date: date
    rate: Rate
    source: str = Field(default="manual", min_length=1, max_length=60)

    _rate = field_validator("rate", mode="before")(_no_float)


class FxRatePatch(_In):
    """PATCH /dashboard/fx-rates/{id}: another rate for the same day and pair (a new revision)."""

    rate: Rate

    _rate = field_validator("rate", mode="before")(_no_float)


class CostOut(BaseModel):
    """A revision of a cost."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    entry_ref: UUID
    revision: int
    supersedes_id: UUID | None
    channel_id: UUID | None
    series_id: UUID | None
    episode_id: UUID | None
    publication_id: UUID | None
    category: str
    amount: Amount
    currency: str
    incurred_on: date
    amortise_months: int
    allocation: str
    receipt_asset_id: UUID | None
    note: str | None
    void: bool
    simulated: bool
    created_by: UUID | None
    created_at: datetime

    @classmethod
    def of(cls, row: CostEntry) -> CostOut:
        return cls.model_validate(row)


class RevenueOut(BaseModel):
    """A revision of a revenue record."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    source: str
    external_ref: str
    revision: int
    supersedes_id: UUID | None
    channel_id: UUID | None
    series_id: UUID | None
    episode_id: UUID | None
    publication_id: UUID | None
    kind: str
    category: str
    amount: Amount
    currency: str
    earned_on: date
    report_tz: str | None
    note: str | None
    void: bool
    simulated: bool
    created_by: UUID | None
    created_at: datetime

    @classmethod
    def of(cls, row: RevenueRecord) -> RevenueOut:
        return cls.model_validate(row)


class FxRateOut(BaseModel):
    """A revision of a rate."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    base: str
    quote: str
    on_date: date
    rate: Rate
    source: str
    revision: int
    created_by: UUID | None
    created_at: datetime

    @classmethod
    def of(cls, row: FxRate) -> FxRateOut:
        return cls.model_validate(row)


class TotalsOut(BaseModel):
    """Sums. A counter is null where no platform reports it; ``roi`` is null where no cost is recorded."""

    views: int | None
    watch_time_seconds: int | None
    likes: int | None
    comments: int | None
    shares: int | None
    impressions: int | None
    ctr: Amount | None
    engagement_rate: Amount | None
    revenue: Amount
    estimated_revenue: Amount
    cost: Amount
    shared_cost: Amount
    profit: Amount
    roi: Amount | None
    roi_note: Literal["no cost recorded"] | None
    fx_missing: bool

    @classmethod
    def fields_of(cls, totals: Totals) -> dict[str, Any]:
        counted = ("views", "watch_time_seconds", "likes", "comments", "shares", "impressions")
        return {
            **{name: totals.counters[name] for name in counted},
            "ctr": totals.ctr,
            "engagement_rate": totals.engagement_rate,
            "revenue": totals.revenue,
            "estimated_revenue": totals.estimated_revenue,
            "cost": totals.cost,
            "shared_cost": totals.shared_cost,
            "profit": totals.profit,
            "roi": totals.roi,
            "roi_note": "no cost recorded" if totals.cost == 0 else None,
            "fx_missing": totals.fx_missing,
        }


class DayOut(TotalsOut):
    """The sums of one day."""

    day: date


class LineOut(TotalsOut):
    """The sums of one channel, series, episode or platform; ``id`` is null for what is not one single thing."""

    id: UUID | None
    name: str
    parent: str
    published_at: datetime | None

    @classmethod
    def of(cls, line: Line) -> LineOut:
        return cls(
            id=line.identifier,
            name=line.name,
            parent=line.parent,
            published_at=line.published_at,
            **cls.fields_of(line.totals),
        )


class QueryOut(BaseModel):
    """A query behind the figures."""

    name: str
    statement: str
    parameters: dict[str, str]
    row_count: int


class OverviewOut(BaseModel):
    """GET /dashboard/overview and the finance of one channel, series or episode."""

    start: date | None
    end: date
    currency: str
    simulated: bool
    totals: TotalsOut
    previous: TotalsOut | None
    by_day: list[DayOut]
    by_episode: list[LineOut]
    by_series: list[LineOut]
    by_channel: list[LineOut]
    by_platform: list[LineOut]
    cost_by_category: dict[str, Amount]
    native: dict[str, dict[str, Amount]]
    fx_missing: dict[str, Amount]
    data_through: datetime | None
    has_real: bool
    has_simulated: bool
    queries: list[QueryOut]

    @classmethod
    def of(cls, shown: Overview, previous: Totals | None, *, has_real: bool, has_simulated: bool) -> OverviewOut:
        return cls(
            start=shown.scope.period.start,
            end=shown.scope.period.end,
            currency=shown.scope.currency,
            simulated=shown.scope.simulated,
            totals=TotalsOut(**TotalsOut.fields_of(shown.totals)),
            previous=TotalsOut(**TotalsOut.fields_of(previous)) if previous else None,
            by_day=[DayOut(day=day, **DayOut.fields_of(totals)) for day, totals in shown.days.items()],
            by_episode=[LineOut.of(line) for line in shown.episodes],
            by_series=[LineOut.of(line) for line in shown.series],
            by_channel=[LineOut.of(line) for line in shown.channels],
            by_platform=[LineOut.of(line) for line in shown.platforms],
            cost_by_category=shown.cost_categories,
            native=shown.native,
            fx_missing=shown.fx_missing,
            data_through=shown.data_through,
            has_real=has_real,
            has_simulated=has_simulated,
            queries=[
                QueryOut(
                    name=ran.name,
                    statement=ran.statement,
                    parameters={name: str(value)[:500] for name, value in ran.parameters.items()},
                    row_count=len(ran.rows),
                )
                for ran in shown.queries
            ],
        )


class ObservationOut(BaseModel):
    """One observation of one post."""

    publication_id: UUID
    platform: str
    captured_at: datetime
    views: int | None
    impressions: int | None
    impression_clicks: int | None
    watch_time_seconds: int | None
    likes: int | None
    comments: int | None
    shares: int | None
    saves: int | None
    subscribers_gained: int | None


class EqualAgeOut(BaseModel):
    """The episode against the channel's other episodes at the same age."""

    age_hours: float
    views: float
    others: int
    baseline_views: float
    multiple: float | None
    z: float | None


class PerformanceOut(BaseModel):
    """GET /dashboard/episodes/{id}/performance."""

    episode_id: UUID
    simulated: bool
    observations: list[ObservationOut]
    totals: TotalsOut
    by_day: list[DayOut]
    equal_age: EqualAgeOut | None
    data_through: datetime | None

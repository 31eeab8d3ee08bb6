"""The dashboard over HTTP (H6): overview, finance, performance; costs, revenue and exchange rates with corrections."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, File, Query, Response, UploadFile
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from api.dependencies import CurrentActor, Editor, Limit, Scoped
from core.business import costs, dashboard, exported, exports, fx, money, payloads, revenue, tables
from core.business.overview import overview as figures_of
from core.database import get_owned
from core.errors import InvalidInput, NotFound
from core.models.base import uuid7
from core.models.business import CostEntry, FxRate, RevenueRecord
from core.models.publishing import ContentChannel
from core.preferences import preferences_of

router = APIRouter(prefix="/dashboard", tags=["dashboard"])

Range = Annotated[str, Query(alias="range", max_length=20, description="last_7d, last_30d, this_month, all, custom …")]
Day = Annotated[date | None, Query(description="first and last day of range=custom, which need not be said then")]
Platform = Literal["youtube", "tiktok", "facebook", "instagram", "simulated"]
LAST_MONTH = "last_30d"
Currency = Annotated[str | None, Query(max_length=3, description="ISO 4217; the user's own unless given")]
Simulated = Annotated[bool, Query(description="simulated figures instead of real ones; never both")]


class ImportOut(BaseModel):
    """What an import did: rows read, and rows that said something new."""

    rows: int
    written: int


class TakenOut(BaseModel):
    """What becomes of one line of an export: taken as ``new`` or ``changed``, ``known`` already, or ``left_out``, with
    the reason (``sum``, ``zero``, ``no_channel``, ``synced``, ``whole_day``, ``covered``, ``other_currency``; ``rest``
    where only what its posts do not have already is taken)."""

    model_config = ConfigDict(from_attributes=True)

    line: int
    status: Literal["new", "changed", "known", "left_out"]
    reason: str
    day: date | None
    amount: payloads.Amount | None
    belongs_to: str


class RevenueImportOut(ImportOut):
    """``kind`` is what the file was: the studio's own ``table``, or an export of ``youtube_studio`` or ``adsense``,
    whose ``lines`` are told one by one (the first 1,000)."""

    kind: Literal["table", "youtube_studio", "adsense"] = "table"
    preview: bool = False
    currency: str | None = None
    ignored: int = 0
    lines: list[TakenOut] = []


def _read(file: UploadFile) -> bytes:
    return file.file.read(tables.MAX_BYTES + 1)


def _range(name: str, start: date | None, end: date | None) -> str:
    """The range that is meant: days say ``custom`` by themselves, and are never ignored beside another name."""
    if start is None and end is None:
        return name or LAST_MONTH
    if name not in ("", "custom"):
        raise InvalidInput("A period is either a name or two days.", "Leave out range, or start and end.")
    return "custom"


@router.get("/overview")
def overview(
    session: Scoped,
    actor: CurrentActor,
    range_name: Range = "",
    start: Day = None,
    end: Day = None,
    channel_id: UUID | None = None,
    series_id: UUID | None = None,
    episode_id: UUID | None = None,
    platform: Platform | None = None,
    currency: Currency = None,
    simulated: Simulated = False,
) -> payloads.OverviewOut:
    """Views, revenue, cost, profit and ROI by day, episode, series, channel and platform."""
    scope = dashboard.scope_of(
        session,
        actor,
        _range(range_name, start, end),
        start=start,
        end=end,
        channel_id=channel_id,
        series_id=series_id,
        episode_id=episode_id,
        platform=platform,
        currency=currency,
        simulated=simulated,
    )
    return dashboard.overview_out(session, scope)


@router.get("/overview/export")
def export(
    session: Scoped,
    actor: CurrentActor,
    level: Annotated[str, Query(max_length=20)] = "episode",
    range_name: Range = "",
    start: Day = None,
    end: Day = None,
    channel_id: UUID | None = None,
    series_id: UUID | None = None,
    episode_id: UUID | None = None,
    currency: Currency = None,
    simulated: Simulated = False,
) -> Response:
    """One level of the overview (episode, series, channel, platform, day) as CSV."""
    scope = dashboard.scope_of(
        session,
        actor,
        _range(range_name, start, end),
        start=start,
        end=end,
        channel_id=channel_id,
        series_id=series_id,
        episode_id=episode_id,
        currency=currency,
        simulated=simulated,
    )
    return Response(
        dashboard.export(figures_of(session, scope), level),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{level}.csv"'},
    )


@router.get("/channels/{channel_id}/finance")
def channel_finance(
    session: Scoped,
    actor: CurrentActor,
    channel_id: UUID,
    range_name: Range = "all",
    currency: Currency = None,
    simulated: Simulated = False,
) -> payloads.OverviewOut:
    """The money of one channel."""
    return dashboard.overview_out(
        session,
        dashboard.scope_of(session, actor, range_name, channel_id=channel_id, currency=currency, simulated=simulated),
    )


@router.get("/series/{series_id}/finance")
def series_finance(
    session: Scoped,
    actor: CurrentActor,
    series_id: UUID,
    range_name: Range = "all",
    currency: Currency = None,
    simulated: Simulated = False,
) -> payloads.OverviewOut:
    """The money of one series, with its share of the channel's costs."""
    return dashboard.overview_out(
        session,
        dashboard.scope_of(session, actor, range_name, series_id=series_id, currency=currency, simulated=simulated),
    )


@router.get("/episodes/{episode_id}/finance")
def episode_finance(
    session: Scoped,
    actor: CurrentActor,
    episode_id: UUID,
    range_name: Range = "all",
    currency: Currency = None,
    simulated: Simulated = False,
) -> payloads.OverviewOut:
    """The money of one episode, with its share of its series' and channel's costs."""
    return dashboard.overview_out(
        session,
        dashboard.scope_of(session, actor, range_name, episode_id=episode_id, currency=currency, simulated=simulated),
    )


@router.get("/episodes/{episode_id}/performance")
def episode_performance(
    session: Scoped, actor: CurrentActor, episode_id: UUID, simulated: Simulated = False
) -> payloads.PerformanceOut:
    """Every observation of an episode, its days, and how it compares at the same age."""
    return dashboard.performance_out(session, actor, episode_id, simulated=simulated)


@router.get("/costs")
def list_costs(
    session: Scoped, simulated: Simulated = False, episode_id: UUID | None = None, limit: Limit = 100
) -> list[payloads.CostOut]:
    """Costs that count, newest day first."""
    rows = costs.current_costs(session, simulated=simulated, episode_id=episode_id, limit=limit)
    return [payloads.CostOut.of(row) for row in rows]


@router.post("/costs", status_code=201)
def enter_cost(session: Scoped, actor: Editor, wanted: payloads.CostIn) -> payloads.CostOut:
    """Enter a cost of exactly one channel, series, episode or publication."""
    return payloads.CostOut.of(costs.enter_cost(session, wanted.cost(), by=actor.user_id))


@router.post("/costs/import")
def import_costs(
    session: Scoped,
    actor: Editor,
    file: Annotated[UploadFile, File()],
    currency: Currency = None,
    simulated: Simulated = False,
) -> ImportOut:
    """Costs from a CSV table (date, amount, category, episode | series | channel …): all rows or none."""
    done = tables.import_costs(
        session,
        _read(file),
        by=actor.user_id,
        currency=currency or preferences_of(session, actor).currency,
        simulated=simulated,
    )
    return ImportOut(rows=done.rows, written=done.written)


@router.patch("/costs/{cost_id}")
def correct_cost(session: Scoped, actor: Editor, cost_id: UUID, change: payloads.CostPatch) -> payloads.CostOut:
    """Correct a cost: a new revision; the old one stays in its history."""
    row = get_owned(session, CostEntry, cost_id)
    corrected = costs.correct_cost(
        session, row, replace(costs.cost_of(row), **change.changes()), by=actor.user_id, void=change.void
    )
    return payloads.CostOut.of(corrected)


@router.get("/costs/{cost_id}/history")
def cost_history(session: Scoped, cost_id: UUID) -> list[payloads.CostOut]:
    """All revisions of a cost: who changed what, and when."""
    return [payloads.CostOut.of(row) for row in costs.cost_history(session, get_owned(session, CostEntry, cost_id))]


@router.get("/revenue")
def list_revenue(session: Scoped, simulated: Simulated = False, limit: Limit = 100) -> list[payloads.RevenueOut]:
    """Revenue that counts, newest day first."""
    return [payloads.RevenueOut.of(row) for row in revenue.current_revenue(session, simulated=simulated, limit=limit)]


@router.post("/revenue", status_code=201)
def enter_revenue(session: Scoped, actor: Editor, wanted: payloads.RevenueIn) -> payloads.RevenueOut:
    """Enter revenue; with an ``external_ref`` a repeated call changes nothing and another amount corrects it."""
    earning = wanted.earning(str(uuid7()))
    revenue.record_revenue(session, earning, by=actor.user_id)
    row = session.scalar(
        select(RevenueRecord)
        .where(RevenueRecord.source == earning.source, RevenueRecord.external_ref == earning.external_ref)
        .order_by(RevenueRecord.revision.desc())
        .limit(1)
    )
    if row is None:
        raise NotFound("That does not exist.")
    return payloads.RevenueOut.of(row)


@router.post("/revenue/import")
def import_revenue(
    session: Scoped,
    actor: Editor,
    file: Annotated[UploadFile, File()],
    currency: Currency = None,
    simulated: Simulated = False,
    channel_id: UUID | None = None,
    preview: Annotated[bool, Query(description="say what would be taken, and take nothing")] = False,
) -> RevenueImportOut:
    """Revenue from an export of AdSense or YouTube Studio, or from a CSV table (date, amount, episode | series |
    channel …): all rows or none. ``channel_id`` is whose money an export's lines are that belong to no post here."""
    content = _read(file)
    export = exports.read(content)
    if export is None:
        with session.begin_nested() as attempt:
            done = tables.import_revenue(
                session,
                content,
                by=actor.user_id,
                currency=currency or preferences_of(session, actor).currency,
                simulated=simulated,
            )
            if preview:
                attempt.rollback()
        return RevenueImportOut(rows=done.rows, written=done.written, preview=preview)
    if simulated:
        raise InvalidInput("Exports of the platforms hold real money.", "Take them without the simulated figures.")
    if channel_id is not None:
        get_owned(session, ContentChannel, channel_id)
    judged = exported.judge(session, export, channel_id=channel_id)
    wanted = sum(one.status in ("new", "changed") for one in judged)
    return RevenueImportOut(
        rows=len(judged),
        written=wanted if preview else exported.take(session, judged, by=actor.user_id),
        kind=export.source,
        preview=preview,
        currency=export.currency,
        ignored=sum(one.status == "left_out" for one in judged),
        lines=[TakenOut.model_validate(one) for one in judged[:1000]],
    )


@router.patch("/revenue/{revenue_id}")
def correct_revenue(
    session: Scoped, actor: Editor, revenue_id: UUID, change: payloads.RevenuePatch
) -> payloads.RevenueOut:
    """Correct revenue: a new revision; the old one stays in its history."""
    row = get_owned(session, RevenueRecord, revenue_id)
    amount = None if change.amount is None else money.exact(change.amount)
    return payloads.RevenueOut.of(
        revenue.correct_revenue(session, row, by=actor.user_id, amount=amount, void=change.void, note=change.note)
    )


@router.get("/revenue/{revenue_id}/history")
def revenue_history(session: Scoped, revenue_id: UUID) -> list[payloads.RevenueOut]:
    """All revisions of a record: who changed what, and when."""
    rows = revenue.revenue_history(session, get_owned(session, RevenueRecord, revenue_id))
    return [payloads.RevenueOut.of(row) for row in rows]


@router.get("/fx-rates")
def list_rates(session: Scoped, limit: Limit = 100) -> list[payloads.FxRateOut]:
    """Exchange rates, newest day first, all revisions."""
    rows = session.scalars(select(FxRate).order_by(FxRate.on_date.desc(), FxRate.revision.desc()).limit(limit))
    return [payloads.FxRateOut.of(row) for row in rows]


@router.post("/fx-rates", status_code=201)
def enter_rate(session: Scoped, actor: Editor, wanted: payloads.FxRateIn) -> payloads.FxRateOut:
    """Enter the rate of a day."""
    row = fx.record_rate(
        session, wanted.base, wanted.quote, wanted.on_date, wanted.rate, source=wanted.source, by=actor.user_id
    )
    return payloads.FxRateOut.of(row)


@router.post("/fx-rates/import")
def import_rates(session: Scoped, actor: Editor, file: Annotated[UploadFile, File()]) -> ImportOut:
    """Rates from a CSV table (date, base, quote, rate): all rows or none."""
    done = tables.import_rates(session, _read(file), by=actor.user_id)
    return ImportOut(rows=done.rows, written=done.written)


@router.patch("/fx-rates/{rate_id}")
def correct_rate(session: Scoped, actor: Editor, rate_id: UUID, change: payloads.FxRatePatch) -> payloads.FxRateOut:
    """Another rate for the same day and pair: a new revision."""
    row = get_owned(session, FxRate, rate_id)
    return payloads.FxRateOut.of(
        fx.record_rate(session, row.base, row.quote, row.on_date, change.rate, by=actor.user_id)
    )

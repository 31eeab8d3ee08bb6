"""The dashboard's answers as pages and API ask for them: by range name, channel, currency, real or simulated (H6)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core.business import figures, performance
from core.business.fx import rate_table
from core.business.money import currency_code
from core.business.overview import Overview, Totals, has_figures, overview
from core.business.payloads import (
    DayOut,
    EqualAgeOut,
    ObservationOut,
    OverviewOut,
    PerformanceOut,
    TotalsOut,
)
from core.business.scope import Period, Scope, period
from core.business.tables import write_csv
from core.database import get_owned
from core.errors import InvalidInput
from core.models.publishing import ContentChannel, Episode, Series
from core.preferences import preferences_of
from core.security import Actor

LEVELS = ("episode", "series", "channel", "platform", "day")


def today(session: Session, zone: ZoneInfo, *, simulated: bool, now: datetime | None = None) -> date:
    """Today in a zone; the last simulated day where that is later, because the simulated clock may be ahead of ours."""
    here = (now or datetime.now(UTC)).astimezone(zone).date()
    last = figures.last_day(session, simulated=True) if simulated else None
    return max(here, last) if last else here


def scope_of(
    session: Session,
    actor: Actor,
    range_name: str = "last_30d",
    *,
    start: date | None = None,
    end: date | None = None,
    channel_id: UUID | None = None,
    series_id: UUID | None = None,
    episode_id: UUID | None = None,
    platform: str | None = None,
    currency: str | None = None,
    simulated: bool = False,
) -> Scope:
    """A scope from what a caller names; days and currency are the user's own unless said.

    Raises:
        NotFound: a channel, series or episode that is not the owner's.
        InvalidInput: an unknown range or currency.
    """
    for table, key in ((ContentChannel, channel_id), (Series, series_id), (Episode, episode_id)):
        if key is not None:
            get_owned(session, table, key)
    preferences = preferences_of(session, actor)
    days = period(
        range_name,
        today(session, ZoneInfo(preferences.timezone), simulated=simulated),
        start=start,
        end=end,
    )
    return Scope(
        days,
        currency_code(currency or preferences.currency),
        simulated,
        channel_id=channel_id,
        series_id=series_id,
        episode_id=episode_id,
        platform=platform,
    )


def with_previous(session: Session, scope: Scope) -> tuple[Overview, Totals | None]:
    """The figures of a scope and the sums of the equally long period before it."""
    table = rate_table(session)
    before: Period | None = scope.period.before()
    past = overview(session, scope.within(before), table=table).totals if before else None
    return overview(session, scope, table=table), past


def overview_out(session: Session, scope: Scope) -> OverviewOut:
    """GET /dashboard/overview and …/finance."""
    shown, past = with_previous(session, scope)
    return OverviewOut.of(
        shown,
        past,
        has_real=has_figures(session, simulated=False),
        has_simulated=has_figures(session, simulated=True),
    )


def performance_out(session: Session, actor: Actor, episode_id: UUID, *, simulated: bool = False) -> PerformanceOut:
    """GET /dashboard/episodes/{id}/performance: observations, days, and the comparison at equal age in its channel."""
    scope = scope_of(session, actor, "all", episode_id=episode_id, simulated=simulated)
    episode = get_owned(session, Episode, episode_id)
    seen = performance.counters_over_time(session, episode_id, simulated=simulated)
    shown = overview(session, scope)
    peers = performance.growth(session, Scope(scope.period, scope.currency, simulated, channel_id=episode.channel_id))
    own = peers.content.get(episode_id)
    curves = {key: item for key, item in peers.curves.items() if own is None or peers.content[key].short == own.short}
    found = next((item for item in performance.compare(curves) if item.episode_id == episode_id), None)
    return PerformanceOut(
        episode_id=episode_id,
        simulated=simulated,
        observations=[ObservationOut(**row) for row in seen.rows],
        totals=TotalsOut(**TotalsOut.fields_of(shown.totals)),
        by_day=[DayOut(day=day, **DayOut.fields_of(totals)) for day, totals in shown.days.items()],
        equal_age=EqualAgeOut(
            age_hours=found.age.total_seconds() / 3600,
            views=found.views,
            others=found.others,
            baseline_views=found.baseline,
            multiple=found.multiple,
            z=found.z,
        )
        if found
        else None,
        data_through=shown.data_through,
    )


def export(shown: Overview, level: str) -> bytes:
    """The figures of one level as CSV. Each row says whether it is real or simulated: a file outlives its page.

    Raises:
        InvalidInput: a level that is not one of ``LEVELS``.
    """
    if level not in LEVELS:
        raise InvalidInput("That table does not exist.", f"It is one of: {', '.join(LEVELS)}.")
    scope = shown.scope
    head = ("views", "revenue", "cost", "profit", "roi", "currency", "figures")
    kind = "simulated" if scope.simulated else "real"

    def cells(totals: Totals) -> list[object]:
        return [totals.views, totals.revenue, totals.cost, totals.profit, totals.roi, scope.currency, kind]

    if level == "day":
        return write_csv(("day", *head), [[day, *cells(totals)] for day, totals in shown.days.items()])
    lines = {
        "episode": shown.episodes,
        "series": shown.series,
        "channel": shown.channels,
        "platform": shown.platforms,
    }[level]
    return write_csv(("name", "belongs_to", *head), [[line.name, line.parent, *cells(line.totals)] for line in lines])

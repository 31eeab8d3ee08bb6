"""Views, revenue, cost, profit and ROI of any part of the business over any days (B1, B2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Context, Decimal, localcontext
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.business import figures
from core.business.figures import Content, Ran
from core.business.fx import RateTable, rate_table
from core.business.money import split
from core.business.scope import Scope
from core.models.business import COUNTERS

_ZERO = Decimal(0)


@dataclass
class Totals:
    """Sums over some days of some content. Counters are None where no platform reports them."""

    revenue: Decimal = _ZERO
    cost: Decimal = _ZERO
    shared_cost: Decimal = _ZERO
    estimated_revenue: Decimal = _ZERO
    fx_missing: bool = False
    counters: dict[str, int | None] = field(default_factory=lambda: dict.fromkeys(COUNTERS))

    @property
    def profit(self) -> Decimal:
        return self.revenue - self.cost

    @property
    def roi(self) -> Decimal | None:
        return figures.roi(self.revenue, self.cost)

    @property
    def views(self) -> int | None:
        return self.counters["views"]

    @property
    def ctr(self) -> Decimal | None:
        """Clicks per impression, 0–1."""
        clicks, shown = self.counters["impression_clicks"], self.counters["impressions"]
        return None if clicks is None or not shown else (Decimal(clicks) / shown).quantize(Decimal("0.0001"))

    @property
    def engagement_rate(self) -> Decimal | None:
        """Likes, comments, shares and saves per view, 0–1."""
        acts = [self.counters[name] for name in ("likes", "comments", "shares", "saves")]
        known = [value for value in acts if value is not None]
        return Decimal(sum(known)).__truediv__(self.views).quantize(Decimal("0.0001")) if known and self.views else None

    def count(self, row: dict[str, Any]) -> None:
        """Add the counters of a views row."""
        for name in COUNTERS:
            if row[name] is not None:
                self.counters[name] = (self.counters[name] or 0) + int(row[name])

    def book(self, side: str, amount: Decimal | None, *, estimated: bool = False, shared: bool = False) -> None:
        """Add converted money; None is an amount without a rate."""
        if amount is None:
            self.fx_missing = True
        elif side == "revenue":
            self.revenue += amount
            self.estimated_revenue += amount if estimated else _ZERO
        else:
            self.cost += amount
            self.shared_cost += amount if shared else _ZERO


@dataclass(frozen=True)
class Line:
    """One row of a table: a channel, series, episode or platform with its sums.

    ``identifier`` is None for what belongs to no single one: money of a whole channel or series that was not spread.
    """

    identifier: UUID | None
    name: str
    parent: str
    totals: Totals
    published_at: datetime | None = None


@dataclass(frozen=True)
class Overview:
    """Everything the first page of the dashboard shows, and the queries behind it."""

    scope: Scope
    totals: Totals
    days: dict[date, Totals]
    episodes: list[Line]
    series: list[Line]
    channels: list[Line]
    platforms: list[Line]
    cost_categories: dict[str, Decimal]
    native: dict[str, dict[str, Decimal]]
    fx_missing: dict[str, Decimal]
    data_through: datetime | None
    queries: tuple[Ran, ...]


Piece = tuple[UUID | None, UUID | None, UUID | None, str | None]
"""Channel, series, episode, platform."""


class _Spread:
    """Who takes which part of a cost that several episodes share."""

    def __init__(self, content: Iterable[Content], views: dict[UUID, int]) -> None:
        self._by_channel: dict[UUID, list[Content]] = defaultdict(list)
        self._by_series: dict[UUID, list[Content]] = defaultdict(list)
        self._views = views
        for item in content:
            if item.counts:
                self._by_channel[item.channel_id].append(item)
                if item.series_id is not None:
                    self._by_series[item.series_id].append(item)

    def _weight(self, rule: str, item: Content) -> Decimal:
        if rule == "duration":
            return Decimal(str(item.duration_seconds or 0))
        if rule == "views":
            return Decimal(max(self._views.get(item.episode_id, 0), 0))
        return Decimal(1)

    def parts(self, row: dict[str, Any]) -> list[tuple[Piece, Decimal | None]]:
        """The row's money by the content that carries it; unspread where nobody can take a share."""
        own: Piece = (row["channel_id"], row["series_id"], row["episode_id"], row["platform"])
        amount: Decimal | None = row["converted"]
        if row["allocation"] == "none" or row["episode_id"] is not None or amount is None:
            return [(own, amount)]
        takers = (
            self._by_series[row["series_id"]] if row["series_id"] is not None else self._by_channel[row["channel_id"]]
        )
        weights = [self._weight(row["allocation"], item) for item in takers]
        if not any(weights):
            return [(own, amount)]
        shares = split(amount, weights)
        return [
            ((item.channel_id, item.series_id, item.episode_id, None), share)
            for item, share in zip(takers, shares, strict=True)
        ]


def overview(session: Session, scope: Scope, *, table: RateTable | None = None) -> Overview:
    """The figures of ``scope``. Sums over channels, series and episodes agree to the last digit.

    A cost of a channel or series is spread over its published episodes by the rule entered with it; what cannot be
    spread (nothing is published, no views yet) stays with the channel or series.
    """
    with localcontext(Context(prec=60)):
        table = table or rate_table(session)
        narrow = scope.series_id is not None or scope.episode_id is not None
        read = replace(scope, channel_id=figures.channel_of(session, scope)) if narrow else scope
        content = {item.episode_id: item for item in figures.contents(session, read)}
        channels, series = figures.names(session)
        viewed = figures.views_by_content(session, read)
        by_day = figures.views_by_day(session, read)
        earned = figures.money(session, read, by_day=False, by_content=True, table=table)
        dated = figures.money(session, read, by_day=True, by_content=narrow, table=table)

        views: dict[UUID, int] = defaultdict(int)
        for row in viewed.rows:
            views[row["episode_id"]] += int(row["views"] or 0)
        spread = _Spread(content.values(), views)
        kept = _filter(scope)
        pieces: dict[Piece, Totals] = defaultdict(Totals)
        categories: dict[str, Decimal] = defaultdict(lambda: _ZERO)
        native: dict[str, dict[str, Decimal]] = defaultdict(lambda: {"revenue": _ZERO, "cost": _ZERO})
        missing: dict[str, Decimal] = defaultdict(lambda: _ZERO)
        for row in viewed.rows:
            item = content[row["episode_id"]]
            piece: Piece = (item.channel_id, item.series_id, item.episode_id, row["platform"])
            if kept(piece):
                pieces[piece].count(row)
        for row in earned.rows:
            for piece, amount in spread.parts(row):
                if not kept(piece):
                    continue
                pieces[piece].book(
                    row["side"], amount, estimated=row["kind"] == "estimated", shared=row["allocation"] != "none"
                )
                if amount is None:
                    missing[row["currency"]] += row["amount"]
                elif row["side"] == "cost":
                    categories[row["category"]] += amount
            if not narrow:
                native[row["currency"]][row["side"]] += row["amount"]

        days: dict[date, Totals] = defaultdict(Totals)
        for row in by_day.rows:
            days[row["day"]].count(row)
        for row in dated.rows:
            parts = spread.parts(row) if narrow else [((None, None, None, None), row["converted"])]
            for piece, amount in parts:
                if not narrow or kept(piece):
                    days[row["day"]].book(row["side"], amount, estimated=row["kind"] == "estimated")

        through = [row["through"] for row in viewed.rows]
        return Overview(
            scope=scope,
            totals=_sum(pieces.values()),
            days=dict(sorted(days.items())),
            episodes=_lines(pieces, 2, lambda key: _episode_name(content.get(key) if key else None)),
            series=_lines(pieces, 1, lambda key: (series[key][0], channels[series[key][1]], None) if key else None),
            channels=_lines(pieces, 0, lambda key: (channels[key], "", None) if key else None),
            platforms=_lines(pieces, 3, lambda key: (str(key), "", None) if key else None),
            cost_categories=dict(sorted(categories.items())),
            native=dict(sorted(native.items())),
            fx_missing=dict(missing),
            data_through=max(through) if through else None,
            queries=(earned, dated, viewed, by_day),
        )


def _filter(scope: Scope) -> Callable[[Piece], bool]:
    def kept(piece: Piece) -> bool:
        if scope.series_id is not None and piece[1] != scope.series_id:
            return False
        return scope.episode_id is None or piece[2] == scope.episode_id

    return kept


def _sum(parts: Iterable[Totals]) -> Totals:
    whole = Totals()
    for part in parts:
        whole.revenue += part.revenue
        whole.cost += part.cost
        whole.shared_cost += part.shared_cost
        whole.estimated_revenue += part.estimated_revenue
        whole.fx_missing = whole.fx_missing or part.fx_missing
        whole.count(part.counters)
    return whole


def _episode_name(item: Content | None) -> tuple[str, str, datetime | None] | None:
    return (item.title, item.series or item.channel, item.published_at) if item else None


def _lines(
    pieces: dict[Piece, Totals], place: int, named: Callable[[Any], tuple[str, str, datetime | None] | None]
) -> list[Line]:
    """The pieces summed by one of their four places, most profitable first."""
    grouped: dict[Any, list[Totals]] = defaultdict(list)
    for piece, totals in pieces.items():
        grouped[piece[place]].append(totals)
    lines = []
    for key, parts in grouped.items():
        name, parent, published_at = named(key) or ("", "", None)
        identifier = key if isinstance(key, UUID) else None
        lines.append(Line(identifier, name, parent, _sum(parts), published_at))
    return sorted(lines, key=lambda line: (-line.totals.profit, -(line.totals.views or 0), line.name))


def has_figures(session: Session, *, simulated: bool) -> bool:
    """Whether the owner has any revenue or observed views of that kind."""
    return figures.last_day(session, simulated=simulated) is not None

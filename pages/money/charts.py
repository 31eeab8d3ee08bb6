"""Plotly figures of the dashboard. Pure: figures in, figure out; a trace has at most two thousand points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import plotly.graph_objects as go

from core.business.overview import Totals
from core.business.performance import Curve
from core.business.scope import Period
from core.i18n import formats, t

COLOURS = {"revenue": "#0B9C83", "cost": "#C98A1B", "profit": "#5B6FB5", "views": "#0B766C", "others": "#8A8F8C"}
POINTS = 2000


@dataclass
class Bucket:
    """Some days drawn as one bar: ``start`` to ``end``, both included."""

    start: date
    end: date
    totals: Totals


def _width(days: int) -> str:
    return "day" if days <= 62 else "week" if days <= 400 else "month"


def _first(day: date, width: str) -> date:
    if width == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if width == "month" else day


def _last(start: date, width: str) -> date:
    if width == "week":
        return start + timedelta(days=6)
    if width == "month":
        return (start.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return start


def buckets(days: Mapping[date, Totals], shown: Period) -> list[Bucket]:
    """The days of a period as bars: by day up to two months, by week up to a year, then by month. Gaps are kept."""
    if not days:
        return []
    start = shown.start or min(days)
    end = min(shown.end, max(max(days), start)) if shown.start is None else shown.end
    width = _width((end - start).days + 1)
    found: dict[date, Bucket] = {}
    day = _first(start, width)
    while day <= end:
        found[day] = Bucket(max(day, start), min(_last(day, width), end), Totals())
        day = _last(day, width) + timedelta(days=1)
    for at, totals in days.items():
        place = found.get(_first(at, width))
        if place is not None:
            place.totals.revenue += totals.revenue
            place.totals.cost += totals.cost
            place.totals.fx_missing |= totals.fx_missing
            place.totals.count(totals.counters)
    return list(found.values())[-POINTS:]


def label(bucket: Bucket, lang: str) -> str:
    """The days of a bar in words."""
    first = formats.moment(bucket.start, lang)
    return first if bucket.start == bucket.end else f"{first} – {formats.moment(bucket.end, lang)}"


def _name_days(figure: go.Figure, bars: list[Bucket], lang: str) -> None:
    """At most six days written below the axis, in the reader's words; Plotly itself knows English months only."""
    step = max(1, -(-len(bars) // 6))
    shown = [bucket.start for bucket in reversed(bars[::-1][::step])]
    years: set[int] = set()
    words = []
    for day in shown:
        month = t(f"format.month.{day.month:02d}", lang)
        words.append(f"{day.day} {month}" + ("" if day.year in years else f"<br>{day.year}"))
        years.add(day.year)
    figure.update_xaxes(tickmode="array", tickvals=shown, ticktext=words)


def _layout(figure: go.Figure, height: int) -> go.Figure:
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        hovermode="closest",
        dragmode=False,
        bargap=0.25,
        barmode="group",
        clickmode="event+select",
    )
    figure.update_xaxes(fixedrange=True, title=None)
    figure.update_yaxes(fixedrange=True, title=None, rangemode="tozero", automargin=True)
    return figure


def money_chart(bars: list[Bucket], currency: str, lang: str) -> go.Figure:
    """Revenue and cost as bars, profit as a line, over time."""
    figure = go.Figure()
    at = [bucket.start for bucket in bars]

    def texts(value: Callable[[Totals], Any]) -> list[str]:
        return [f"{label(item, lang)}<br>{formats.money(value(item.totals), currency)}" for item in bars]

    series: tuple[tuple[str, Callable[[Totals], Any]], ...] = (
        ("revenue", lambda totals: totals.revenue),
        ("cost", lambda totals: totals.cost),
    )
    for name, value in series:
        figure.add_bar(
            x=at,
            y=[float(value(bucket.totals)) for bucket in bars],
            name=t(f"business.{name}", lang),
            marker_color=COLOURS[name],
            hovertext=texts(value),
            hoverinfo="text+name",
        )
    figure.add_scatter(
        x=at,
        y=[float(bucket.totals.profit) for bucket in bars],
        name=t("business.profit", lang),
        mode="lines+markers",
        line={"color": COLOURS["profit"], "width": 2},
        hovertext=texts(lambda totals: totals.profit),
        hoverinfo="text+name",
    )
    _name_days(figure, bars, lang)
    return _layout(figure, 340)


def views_chart(bars: list[Bucket], lang: str) -> go.Figure:
    """Views gained over time; days that nobody reported stay empty."""
    shown = [bucket.totals.views for bucket in bars]
    figure = go.Figure()
    figure.add_bar(
        x=[bucket.start for bucket in bars],
        y=shown,
        name=t("business.views", lang),
        marker_color=COLOURS["views"],
        hovertext=[
            f"{label(bucket, lang)}<br>"
            + (t("business.not_reported", lang) if count is None else formats.number(count, lang))
            for bucket, count in zip(bars, shown, strict=True)
        ],
        hoverinfo="text",
    )
    _name_days(figure, bars, lang)
    return _layout(figure, 240)


def age_chart(own: Curve, median: Curve | None, lang: str) -> go.Figure:
    """Cumulative views by age of one episode, and the median of the others."""
    figure = go.Figure()
    for line, name, colour in (
        (own, "this_one", COLOURS["views"]),
        (median, "others_median", COLOURS["others"]),
    ):
        if line is None:
            continue
        figure.add_scatter(
            x=[age / 86400 for age in line.ages[-POINTS:]],
            y=list(line.views[-POINTS:]),
            name=t(f"business.{name}", lang),
            mode="lines",
            line={"color": colour, "width": 2.5 if name == "this_one" else 2},
        )
    _layout(figure, 280)
    figure.update_xaxes(title=t("business.age_days", lang))
    return figure

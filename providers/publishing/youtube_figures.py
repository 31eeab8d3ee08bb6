"""YouTube's figures: counters from the Data API, daily gains and revenue from Analytics."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from core.publishing.failures import PlatformFailure
from providers.publishing.base import CURRENCY, DayRow, MetricsReport, MetricsRow, RevenueRow
from providers.publishing.youtube_client import YouTubeClient

REPORT_ZONE = "America/Los_Angeles"
FINAL_AFTER = timedelta(days=7)
"""Daily figures are revised for some days; older ones are taken as final."""
REVENUE_FINAL_AFTER = timedelta(days=35)
SCOPE_MISSING = frozenset({"forbidden", "insufficientPermissions"})
"""The account gave no leave to read Analytics; its counters can still be read."""
_COUNTERS = {"viewCount": "views", "likeCount": "likes", "commentCount": "comments"}
_DAY_METRICS = {
    "views": "views",
    "likes": "likes",
    "comments": "comments",
    "shares": "shares",
    "estimatedMinutesWatched": "watch_time_seconds",
    "subscribersGained": "subscribers_gained",
}


def metrics(client: YouTubeClient, remote_ids: Sequence[str], since: date | None = None) -> MetricsReport:
    """Counters of up to 50 videos a call, and the daily report of Analytics where the account allows it."""
    totals, seen = [], set()
    for start in range(0, len(remote_ids), 50):
        part = list(remote_ids[start : start + 50])
        answer = client.read(
            client.api.videos().list(part="statistics", id=",".join(part), maxResults=50), "videos.list"
        )
        now = datetime.now(UTC)
        for item in answer.get("items", []):
            seen.add(item["id"])
            held = item.get("statistics", {})
            totals.append(
                MetricsRow(
                    item["id"],
                    now,
                    {name: int(held[key]) if key in held else None for key, name in _COUNTERS.items()},
                )
            )
    days: list[DayRow] = []
    refused = ""
    if since is not None and seen:
        try:
            days = _days(client, sorted(seen), since)
        except PlatformFailure as failure:
            if failure.code not in SCOPE_MISSING:
                raise
            refused = failure.code
    return MetricsReport(totals, days, [each for each in remote_ids if each not in seen], refused)


def _days(client: YouTubeClient, remote_ids: Sequence[str], since: date) -> list[DayRow]:
    today = datetime.now(ZoneInfo(REPORT_ZONE)).date()
    found = []
    for row in _rows(client, remote_ids, since, today, ",".join(_DAY_METRICS)):
        counters: dict[str, int | None] = {}
        for metric, name in _DAY_METRICS.items():
            value = row.get(metric)
            factor = 60 if metric == "estimatedMinutesWatched" else 1
            counters[name] = None if value is None else int(value) * factor
        day = date.fromisoformat(row["day"])
        found.append(DayRow(row["video"], day, counters, REPORT_ZONE, today - day > FINAL_AFTER))
    return found


def revenue(
    client: YouTubeClient, remote_ids: Sequence[str], start: date, end: date, currency: str = "USD"
) -> list[RevenueRow]:
    """Estimated revenue by video and Pacific day, converted by YouTube at its own daily rates (``reports.query``,
    parameter ``currency``)."""
    today = datetime.now(ZoneInfo(REPORT_ZONE)).date()
    found = []
    try:
        rows = _rows(client, remote_ids, start, end, "estimatedRevenue", currency=currency)
    except PlatformFailure as failure:
        if failure.error_class != "rejected" or failure.code in SCOPE_MISSING or currency == "USD":
            raise
        raise PlatformFailure(
            "YouTube does not report in this currency.", currency, error_class="rejected", code=CURRENCY
        ) from failure
    for row in rows:
        day = date.fromisoformat(row["day"])
        found.append(
            RevenueRow(
                remote_id=row["video"],
                day=day,
                amount=Decimal(str(row["estimatedRevenue"])),
                currency=currency,
                kind="finalised" if today - day > REVENUE_FINAL_AFTER else "estimated",
                external_ref=f"{row['video']}:{day.isoformat()}",
                report_tz=REPORT_ZONE,
            )
        )
    return found


def _rows(
    client: YouTubeClient, remote_ids: Sequence[str], start: date, end: date, metrics: str, currency: str | None = None
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for first in range(0, len(remote_ids), 200):
        query = {
            "ids": "channel==MINE",
            "startDate": start.isoformat(),
            "endDate": end.isoformat(),
            "metrics": metrics,
            "dimensions": "day,video",
            "filters": "video==" + ",".join(remote_ids[first : first + 200]),
        }
        if currency:
            query["currency"] = currency
        answer = client.read(client.analytics.reports().query(**query), "reports.query")
        names = [header["name"] for header in answer.get("columnHeaders", [])]
        found += [dict(zip(names, row, strict=True)) for row in answer.get("rows", [])]
    return found

"""Figures of Facebook and Instagram posts: which metrics there are depends on the kind of post.

What the platform does not know it leaves out: an empty set is stored as unknown, never as zero ("Insights", both
platforms). Names that a version does not know any more are refused as a whole list, and then asked for one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from core.publishing.failures import PlatformFailure
from providers.publishing.base import MetricsReport, MetricsRow
from providers.publishing.meta_client import GraphClient
from providers.publishing.meta_errors import UNKNOWN_OBJECT, GraphFailure

MILLISECONDS = 1000
REEL = {"fb_reels_total_plays": "views", "post_video_view_time": "watch_time_seconds"}
PAGE_VIDEO = {"total_video_views": "views", "total_video_view_total_time": "watch_time_seconds"}
INSTAGRAM = {
    "views": "views",
    "likes": "likes",
    "comments": "comments",
    "shares": "shares",
    "saved": "saves",
    "ig_reels_video_view_total_time": "watch_time_seconds",
}
_SUMMARY = "likes.summary(true).limit(0),comments.summary(true).limit(0)"
NO_INSIGHTS = frozenset({"auth", "rejected"})
"""The account did not allow them, or the post has too few viewers: its other counters can still be read."""


def of_page(client: GraphClient, remote_ids: Sequence[str]) -> MetricsReport:
    """Plays and time watched of Reels, views and time watched of page videos; likes and comments of both."""
    report = MetricsReport()
    refused = ""
    for video_id in remote_ids:
        try:
            seen = client.read(video_id, fields=f"permalink_url,{_SUMMARY}")
        except GraphFailure as failure:
            if failure.subcode != UNKNOWN_OBJECT:
                raise
            report.missing.append(video_id)
            continue
        counters: dict[str, int | None] = {
            name: _count(seen.get(name, {}).get("summary", {}).get("total_count")) for name in ("likes", "comments")
        }
        wanted = REEL if "/reel/" in str(seen.get("permalink_url", "")) else PAGE_VIDEO
        found, why = _insights(client, f"{video_id}/video_insights", wanted)
        refused = refused or why
        report.totals.append(MetricsRow(video_id, datetime.now(UTC), counters | found))
    return MetricsReport(report.totals, [], report.missing, refused)


def of_instagram(client: GraphClient, own: str, remote_ids: Sequence[str]) -> MetricsReport:
    """What Instagram tells of a Reel; figures come up to 48 hours late. A post that is known by the code in its address
    alone (a person copied it) is looked up among the newest of the account ``own``."""
    report = MetricsReport()
    refused = ""
    codes = [each for each in remote_ids if not each.isdigit()]
    report.identified.update(_by_code(client, own, codes) if codes else {})
    for asked in remote_ids:
        media_id = report.identified[asked][0] if asked in report.identified else asked
        if not media_id.isdigit() or not _is_there(client, media_id):
            report.missing.append(asked)
            continue
        found, why = _insights(client, f"{media_id}/insights", INSTAGRAM)
        refused = refused or why
        report.totals.append(MetricsRow(media_id, datetime.now(UTC), found))
    return MetricsReport(report.totals, [], report.missing, refused, report.identified)


def _is_there(client: GraphClient, media_id: str) -> bool:
    try:
        client.read(media_id, fields="id")
    except GraphFailure as failure:
        if failure.subcode != UNKNOWN_OBJECT:
            raise
        return False
    return True


def _by_code(client: GraphClient, own: str, codes: Sequence[str]) -> dict[str, tuple[str, str | None]]:
    found: dict[str, tuple[str, str | None]] = {}
    for row in client.read(f"{own}/media", fields="id,permalink", limit="100").get("data", []):
        link = str(row.get("permalink", ""))
        code = link.rstrip("/").rpartition("/")[2]
        if code in codes:
            found[code] = (str(row["id"]), link)
    return found


def _insights(client: GraphClient, path: str, wanted: Mapping[str, str]) -> tuple[dict[str, int | None], str]:
    """Counters by our names, each None where it is not told; and the platform's word where it refuses them."""
    try:
        rows = client.read(path, metric=",".join(wanted)).get("data", [])
    except PlatformFailure as failure:
        if failure.error_class not in NO_INSIGHTS or _ends_the_token(failure):
            raise
        rows, refused = _one_by_one(client, path, wanted, failure)
        return _by_name(rows, wanted), refused
    return _by_name(rows, wanted), ""


def _one_by_one(
    client: GraphClient, path: str, wanted: Mapping[str, str], first: PlatformFailure
) -> tuple[list[Any], str]:
    if first.error_class == "auth":
        return [], first.code
    rows: list[Any] = []
    for name in wanted:
        try:
            rows += client.read(path, metric=name).get("data", [])
        except PlatformFailure as failure:
            if failure.error_class not in NO_INSIGHTS or _ends_the_token(failure):
                raise
    return rows, "" if rows else first.code


def _ends_the_token(failure: PlatformFailure) -> bool:
    return failure.error_class == "auth" and failure.code.partition("/")[0] in ("190", "102", "needs_reconnect")


def _by_name(rows: Sequence[Any], wanted: Mapping[str, str]) -> dict[str, int | None]:
    found: dict[str, int | None] = dict.fromkeys(wanted.values())
    for row in rows:
        name = row.get("name")
        values = row.get("values") or [row.get("total_value") or {}]
        value = _count(values[-1].get("value"))
        if name in wanted and value is not None:
            time_watched = wanted[name] == "watch_time_seconds"
            found[wanted[name]] = round(value / MILLISECONDS) if time_watched else value
    return found


def _count(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

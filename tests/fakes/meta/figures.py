"""Insights by media type. What is not known is an empty set, never a zero."""

from __future__ import annotations

from typing import Any

from tests.fakes.meta.answers import Refused

METRICS = {
    "reel": frozenset(
        (
            "fb_reels_total_plays", "blue_reels_play_count", "fb_reels_replay_count", "post_video_view_time",
            "post_video_avg_time_watched", "post_video_followers",
        )
    ),
    "video": frozenset(("total_video_views", "total_video_view_total_time", "total_video_avg_time_watched")),
    "instagram": frozenset(
        (
            "views", "reach", "saved", "likes", "comments", "shares", "total_interactions",
            "ig_reels_avg_watch_time", "ig_reels_video_view_total_time",
        )
    ),
}  # fmt: skip


class Figures:
    """Part of the handler."""

    params: dict[str, str]
    _answer: Any
    _misbehave: Any
    _own_page: Any

    def _insights(self, media: Any, kind: str, page_id: str) -> None:
        self._own_page("instagram_manage_insights" if kind == "instagram" else "read_insights")
        self._misbehave("insights", page_id)
        names = [name for name in self.params.get("metric", "").split(",") if name]
        wrong = [name for name in names if name not in METRICS[kind]]
        if wrong or not names:
            raise Refused(100, f"The value must be a valid insights metric: {wrong}")
        if getattr(media, "refuses_insights", False):
            raise Refused(10, "Not enough viewers for the media to show insights", subcode=2207020)
        rows = [
            {"name": name, "period": "lifetime", "values": [{"value": media.insights[name]}], "id": f"x/{name}"}
            for name in names
            if name in media.insights
        ]
        self._answer(200, {"data": rows})

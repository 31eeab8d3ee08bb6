"""What the loopback YouTube remembers: accounts, tokens, sessions, videos, quota, faults, and a durable log."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.fakes.loopback import Fault, Faults, Log
from tests.fakes.youtube.answers import Refused

PACIFIC = ZoneInfo("America/Los_Angeles")
COSTS = {"videos.update": 50, "thumbnails.set": 50, "playlistItems.insert": 50, "captions.insert": 400}
_GOOGLE = "https://www.googleapis.com/auth/"
_WRITE = frozenset({"youtube", "youtube.force-ssl"})
SCOPES = {
    "videos.insert": _WRITE | {"youtube.upload"},
    "thumbnails.set": _WRITE | {"youtube.upload"},
    "videos.update": _WRITE,
    "playlistItems.insert": _WRITE,
    "captions.insert": frozenset({"youtube.force-ssl"}),
    "videos.list": _WRITE | {"youtube.readonly"},
    "channels.list": _WRITE | {"youtube.readonly"},
    "playlistItems.list": _WRITE | {"youtube.readonly"},
    "reports.query": frozenset({"yt-analytics.readonly", "yt-analytics-monetary.readonly"}),
    "reports.query money": frozenset({"yt-analytics-monetary.readonly"}),
}
"""Method to the scopes of which one is needed (discovery documents; Analytics: "Metrics", revenue)."""
ALL_SCOPES = (
    "youtube.upload",
    "youtube.readonly",
    "youtube.force-ssl",
    "yt-analytics.readonly",
    "yt-analytics-monetary.readonly",
)
METRICS = frozenset(
    (
        "views", "engagedViews", "likes", "comments", "shares", "estimatedMinutesWatched", "averageViewDuration",
        "averageViewPercentage", "subscribersGained", "subscribersLost", "estimatedRevenue", "cardClickRate",
    )
)  # fmt: skip
DIMENSIONS = frozenset({"day", "month", "video"})


RATES = {"USD": 1.0, "THB": 34.0, "EUR": 0.9}
"""What a dollar of revenue is in the currencies the reports know."""
MUTABLE = (
    "privacyStatus",
    "publishAt",
    "embeddable",
    "license",
    "publicStatsViewable",
    "selfDeclaredMadeForKids",
    "containsSyntheticMedia",
)
"""What ``videos.update`` may change of the part ``status``."""


def moment_of(text: Any) -> datetime | None:
    """An RFC 3339 time with its offset, or None."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


@dataclass
class Account:
    """A Google account with one channel."""

    channel_id: str
    title: str
    refresh_token: str
    revoked: bool = False
    rotates: bool = False
    upload_limit: int | None = None
    uploads_today: int = 0
    scopes: tuple[str, ...] = ALL_SCOPES
    """Those the user left ticked on the consent page."""

    @property
    def scope(self) -> str:
        return " ".join(_GOOGLE + name for name in self.scopes)

    @property
    def uploads_playlist(self) -> str:
        return "UU" + self.channel_id.removeprefix("UC")


@dataclass
class Session:
    """A resumable upload. ``digest`` covers exactly the bytes kept."""

    upload_id: str
    channel_id: str
    total: int
    body: dict[str, Any]
    mime_type: str
    kept: int = 0
    digest: Any = field(default_factory=hashlib.sha256)
    received: int = 0
    video_id: str | None = None
    expired: bool = False
    opened: float = field(default_factory=time.time)
    lock: Any = field(default_factory=threading.Lock)


@dataclass
class Video:
    """A stored video."""

    video_id: str
    channel_id: str
    upload_id: str
    snippet: dict[str, Any]
    status: dict[str, Any]
    sha256: str
    size: int
    created: float
    polls: int = 0
    statistics: dict[str, str] = field(default_factory=dict)
    thumbnail: str | None = None
    captions: list[dict[str, Any]] = field(default_factory=list)
    deleted: bool = False
    was_public: bool = False


class State:
    """Everything, behind one lock."""

    def __init__(self, log_path: Path | None) -> None:
        self.lock = threading.RLock()
        self.accounts: dict[str, Account] = {}
        self.access: dict[str, tuple[str, float]] = {}
        self.codes: dict[str, tuple[str, str, str]] = {}
        self.sessions: dict[str, Session] = {}
        self.videos: dict[str, Video] = {}
        self.playlists: dict[str, list[str]] = {}
        self.faults = Faults()
        self.units = 0
        self.inserts = 0
        self.quota_day = ""
        self.units_allowed = 10_000
        self.inserts_allowed = 100
        self.listing_delay = 0.0
        self.polls_until_processed = 1
        self.audited = True
        self.clock_offset = 0.0
        self.days: list[dict[str, Any]] = []
        self.token_life = 3600.0
        self.session_life = 7 * 86_400.0
        self.client: tuple[str, str] | None = None
        self.log = Log(log_path)

    def record(self, kind: str, **values: Any) -> None:
        """One line of the durable log: on disk before anybody is answered."""
        self.log.record(kind, **values)

    def fault(self, on: str, channel_id: str | None = None) -> Fault | None:
        """The fault due at this point, counted down; beside the common ones ``partial`` (keep only ``bytes`` of a
        chunk) and ``expire`` (the session is gone, answered with ``status`` 404 or 410)."""
        return self.faults.due(on, channel_id)

    def issue(self, channel_id: str, life: float | None = None) -> str:
        """A new access token."""
        token = "ya29." + secrets.token_urlsafe(24)
        self.access[token] = (channel_id, time.time() + (self.token_life if life is None else life))
        return token

    def account_of(self, token: str) -> Account | None:
        """The account of a valid bearer token."""
        found = self.access.get(token)
        if found is None or found[1] <= time.time():
            return None
        account = self.accounts[found[0]]
        return None if account.revoked else account

    def reset_quota(self) -> None:
        """Start counting anew at midnight in Los Angeles."""
        today = self.now().astimezone(PACIFIC).date().isoformat()
        if today != self.quota_day:
            self.quota_day, self.units, self.inserts = today, 0, 0

    def spend(self, method: str) -> str | None:
        """Count a call; the reason of the refusal when its bucket is empty."""
        with self.lock:
            self.reset_quota()
            if method == "videos.insert":
                if self.inserts >= self.inserts_allowed:
                    return "quotaExceeded"
                self.inserts += 1
                return None
            cost = COSTS.get(method, 1)
            if self.units + cost > self.units_allowed:
                return "quotaExceeded"
            self.units += cost
            return None

    def finish(self, session: Session) -> Video:
        """A completed session becomes exactly one video."""
        account = self.accounts[session.channel_id]
        video_id = secrets.token_urlsafe(8)
        status = {"privacyStatus": "public", **session.body.get("status", {})}
        if not self.audited:
            status["privacyStatus"] = "private"
        status["uploadStatus"] = "uploaded"
        snippet = {"channelId": account.channel_id, "title": "unknown", "description": "", **session.body["snippet"]}
        video = Video(
            video_id=video_id,
            channel_id=account.channel_id,
            upload_id=session.upload_id,
            snippet={**snippet, "publishedAt": datetime.now(UTC).isoformat()},
            status=status,
            sha256=session.digest.hexdigest(),
            size=session.kept,
            created=time.time(),
        )
        session.video_id = video_id
        twins = [
            each.video_id
            for each in self.videos.values()
            if each.channel_id == account.channel_id and each.snippet.get("description") == snippet["description"]
        ]
        self.videos[video_id] = video
        self.keep_time(video)
        account.uploads_today += 1
        self.record(
            "video",
            video_id=video_id,
            channel_id=account.channel_id,
            upload_id=session.upload_id,
            title=snippet["title"],
            description=snippet["description"],
            privacy=video.status["privacyStatus"],
            publish_at=video.status.get("publishAt"),
            sha256=video.sha256,
            size=video.size,
            received=session.received,
            twins=twins,
        )
        return video

    def now(self) -> datetime:
        """The platform's clock; tests move it by ``clock_offset`` seconds."""
        return datetime.now(UTC) + timedelta(seconds=self.clock_offset)

    def keep_time(self, video: Video) -> None:
        """Publish what is due, and remember what was ever public: such a video takes no time any more."""
        publish_at = video.status.get("publishAt")
        if publish_at and datetime.fromisoformat(publish_at) <= self.now() and not video.deleted:
            video.status.pop("publishAt")
            if self.audited:
                video.status["privacyStatus"] = "public"
        if video.status["privacyStatus"] == "public" and not video.was_public:
            video.was_public = True
            video.snippet["publishedAt"] = self.now().isoformat()
            self.record("public", video_id=video.video_id)

    def update_status(self, video: Video, status: dict[str, Any]) -> None:
        """``videos.update`` of the part ``status``: what is left out is lost; times only for what never was public."""
        self.keep_time(video)
        if status.get("privacyStatus", "public") not in ("public", "unlisted", "private"):
            raise Refused(400, "invalidVideoMetadata")
        if "publishAt" in status:
            moment = moment_of(status["publishAt"])
            if moment is None or status.get("privacyStatus") != "private" or video.was_public:
                raise Refused(400, "invalidPublishAt")
        kept: dict[str, Any] = {
            name: video.status[name]
            for name in ("uploadStatus", "failureReason", "rejectionReason")
            if name in video.status
        }
        wanted = {name: value for name, value in status.items() if name in MUTABLE}
        video.status = {"privacyStatus": "public", **wanted, **kept}
        if not self.audited:
            video.status["privacyStatus"] = "private"
        self.record("update", video_id=video.video_id, status=status)
        self.keep_time(video)

    def resource(self, video: Video, parts: set[str], *, poll: bool = False) -> dict[str, Any]:
        """A video as ``videos.list`` shows it; each poll brings processing one step on."""
        self.keep_time(video)
        if poll and video.status["uploadStatus"] == "uploaded":
            video.polls += 1
            if video.polls >= self.polls_until_processed:
                video.status["uploadStatus"] = "processed"
        whole: dict[str, Any] = {
            "snippet": video.snippet,
            "status": video.status,
            "statistics": video.statistics,
            "processingDetails": {
                "processingStatus": "processing" if video.status["uploadStatus"] == "uploaded" else "succeeded"
            },
        }
        if video.status["uploadStatus"] in ("failed", "rejected"):
            whole["processingDetails"] = {"processingStatus": "failed"}
        return {"kind": "youtube#video", "id": video.video_id, **{part: whole[part] for part in parts if part in whole}}

    def listed(self, playlist_id: str) -> list[Video]:
        """Videos of a playlist, newest first; of the uploads playlist only those past the listing delay."""
        if playlist_id in self.playlists:
            return [self.videos[video_id] for video_id in self.playlists[playlist_id]]
        found = [
            video
            for video in self.videos.values()
            if self.accounts[video.channel_id].uploads_playlist == playlist_id
            and time.time() - video.created >= self.listing_delay
            and not video.deleted
        ]
        return sorted(found, key=lambda video: video.created, reverse=True)

    def report(self, channel_id: str, query: dict[str, str]) -> dict[str, Any]:
        """Rows of the Analytics API: sums by day and video of what ``/_admin/state`` put in ``days``."""
        metrics = query["metrics"].split(",")
        dimensions = [name for name in query.get("dimensions", "").split(",") if name]
        unknown = [name for name in metrics if name not in METRICS] + [
            name for name in dimensions if name not in DIMENSIONS
        ]
        if unknown or query["startDate"] > query["endDate"]:
            raise Refused(400, "badRequest", f"The query is not supported: {unknown}", "global")
        wanted = set(query.get("filters", "").removeprefix("video==").split(",")) - {""}
        money = any("evenue" in name for name in metrics)
        currency = query.get("currency", "USD") if money else "USD"
        if currency not in RATES:
            raise Refused(400, "invalidParameter", f"Unknown currency {currency}", "global")
        sums: dict[tuple[str, ...], list[float]] = {}
        newest = (self.now().astimezone(PACIFIC).date() - timedelta(days=1)).isoformat()
        for row in self.days:
            video = self.videos.get(row["video"])
            if video is None or video.channel_id != channel_id or (wanted and row["video"] not in wanted):
                continue
            if not query["startDate"] <= row["day"] <= min(query["endDate"], newest):
                continue
            key = tuple(str(row[name]) for name in dimensions)
            held = sums.setdefault(key, [0.0] * len(metrics))
            for index, metric in enumerate(metrics):
                held[index] += float(row.get(metric, 0)) * (RATES[currency] if "evenue" in metric else 1)
        headers = [{"name": name, "columnType": "DIMENSION", "dataType": "STRING"} for name in dimensions]
        headers += [
            {"name": name, "columnType": "METRIC", "dataType": "FLOAT" if "evenue" in name else "INTEGER"}
            for name in metrics
        ]
        answer: dict[str, Any] = {"kind": "youtubeAnalytics#resultTable", "columnHeaders": headers}
        if sums:
            answer["rows"] = [
                [*key, *(value if "evenue" in name else int(value) for name, value in zip(metrics, held, strict=True))]
                for key, held in sorted(sums.items())
            ]
        return answer

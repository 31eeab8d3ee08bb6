"""What the loopback Graph remembers: people, pages, tokens, videos, containers, limits, faults, and a durable log."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fakes.loopback import Log
from tests.fakes.meta.answers import Refused

DAY = 86_400.0
EARLIEST, LATEST = 600.0, 30 * DAY
"""Seconds ahead between which a Page takes a scheduled time."""
CONTAINER_LIFE = DAY
SCOPES = (
    "pages_show_list",
    "pages_read_engagement",
    "pages_manage_posts",
    "read_insights",
    "instagram_basic",
    "instagram_content_publish",
    "instagram_manage_insights",
)


@dataclass
class Page:
    """A Page, and the professional Instagram account that belongs to it, if one does."""

    page_id: str
    name: str
    instagram_id: str | None = None
    username: str = ""
    tasks: tuple[str, ...] = ("CREATE_CONTENT", "ANALYZE")


@dataclass
class Token:
    """An access token. ``subcode`` is why it is refused, once it is."""

    kind: str
    page_id: str | None
    scopes: tuple[str, ...]
    expires: float | None = None
    subcode: int | None = None


@dataclass
class Video:
    """A Reel or a page video, from the opening call on. ``digest`` covers exactly the bytes kept."""

    video_id: str
    page_id: str
    kind: str
    total: int
    session: str = ""
    kept: int = 0
    received: int = 0
    digest: Any = field(default_factory=hashlib.sha256)
    finished: bool = False
    state: str = "draft"
    """PUBLISHED, SCHEDULED or DRAFT, once finished."""
    scheduled: float | None = None
    published_at: float | None = None
    title: str = ""
    description: str = ""
    polls: int = 0
    error: str = ""
    deleted: bool = False
    thumbnail: str | None = None
    captions: dict[str, str] = field(default_factory=dict)
    insights: dict[str, int] = field(default_factory=dict)
    likes: int | None = 0
    comments: int | None = 0
    lock: Any = field(default_factory=threading.Lock)


@dataclass
class Container:
    """An Instagram container: invisible until it is published."""

    container_id: str
    instagram_id: str
    params: dict[str, str]
    created: float
    total: int = 0
    kept: int = 0
    received: int = 0
    digest: Any = field(default_factory=hashlib.sha256)
    polls: int = 0
    error: str = ""
    media_id: str | None = None
    lock: Any = field(default_factory=threading.Lock)


@dataclass
class Media:
    """A published Instagram Reel."""

    media_id: str
    instagram_id: str
    container_id: str
    caption: str
    published_at: float
    insights: dict[str, int] = field(default_factory=dict)
    refuses_insights: bool = False
    deleted: bool = False


@dataclass
class Fault:
    """Misbehave at ``on`` after ``skip`` matching calls, ``times`` times.

    ``do``: ``error`` (a Graph error with ``code``, ``subcode``, ``transient``, ``status``), ``drop_before`` (close
    without doing it), ``drop_after`` (do it, close without an answer), ``error_after`` (do it, answer with the error),
    ``cut`` (close once ``bytes`` have come), ``stall`` (wait ``seconds``, then go on).
    """

    on: str
    do: str
    code: int = 2
    subcode: int | None = None
    status: int = 500
    transient: bool = False
    message: str = "An unexpected error has occurred. Please retry your request later."
    times: int = 1
    skip: int = 0
    bytes: int = 100_000
    seconds: float = 1.0
    page_id: str | None = None

    def refusal(self) -> Refused:
        return Refused(self.code, self.message, subcode=self.subcode, status=self.status, transient=self.transient)


class State:
    """Everything, behind one lock."""

    def __init__(self, log_path: Path | None) -> None:
        self.lock = threading.RLock()
        self.app_id, self.app_secret = "4711", "hush"
        self.needs_proof = True
        self.pages: dict[str, Page] = {}
        self.tokens: dict[str, Token] = {}
        self.codes: dict[str, str] = {}
        self.picked: list[str] | None = None
        self.videos: dict[str, Video] = {}
        self.containers: dict[str, Container] = {}
        self.media: dict[str, Media] = {}
        self.faults: list[Fault] = []
        self.calls: dict[str, int] = {}
        self.clock_offset = 0.0
        self.range_bytes = 300_007
        self.polls_until_ready = 1
        self.processing_error = ""
        self.reels_cap = 30
        self.instagram_cap = 50
        self.page_allowance = 4800
        self.page_spent: dict[str, int] = {}
        self.regain_minutes = 25
        self.record = Log(log_path).record

    def now(self) -> float:
        """The platform's clock; tests move it by ``clock_offset`` seconds."""
        return time.time() + self.clock_offset

    def fault(self, on: str, page_id: str | None = None) -> Fault | None:
        """The fault due at this point, counted down."""
        with self.lock:
            self.calls[on] = self.calls.get(on, 0) + 1
            for fault in self.faults:
                if fault.on != on or (fault.page_id and fault.page_id != page_id) or fault.times <= 0:
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                return fault
        return None

    def issue(self, kind: str, page_id: str | None, scopes: tuple[str, ...], life: float | None) -> str:
        """A new token: of a ``page`` (without an end by default), or of the person, ``short`` or ``long``."""
        value = "EAA" + secrets.token_urlsafe(30)
        self.tokens[value] = Token(kind, page_id, scopes, None if life is None else self.now() + life)
        return value

    def page_of_instagram(self, instagram_id: str) -> Page | None:
        return next((page for page in self.pages.values() if page.instagram_id == instagram_id), None)

    # -- Pages

    def reels_today(self, page_id: str) -> int:
        """Reels published by API in the moving 24 hours."""
        since = self.now() - DAY
        return sum(
            video.page_id == page_id and video.kind == "reel" and video.finished and (video.published_at or 0) > since
            for video in self.videos.values()
        )

    def finish(self, video: Video, params: dict[str, str], state: str, scheduled: float | None) -> None:
        """The irreversible call. The same ``video_id`` again is the same post."""
        again = video.finished
        if not again:
            video.finished = True
            video.title, video.description = params.get("title", ""), params.get("description", "")
            video.state, video.scheduled = state, scheduled
            if state == "PUBLISHED":
                video.published_at = self.now()
        elif video.state != "PUBLISHED" and state == "PUBLISHED":
            video.state, video.scheduled, video.published_at = state, None, self.now()
        self.record(
            "finish" if again else "post",
            video_id=video.video_id,
            page_id=video.page_id,
            media=video.kind,
            state=state,
            title=video.title,
            description=video.description,
            scheduled=scheduled,
            sha256=video.digest.hexdigest(),
            size=video.kept,
            received=video.received,
        )

    def keep_time(self, video: Video) -> None:
        """Publish what is due."""
        if video.state == "SCHEDULED" and video.scheduled is not None and video.scheduled <= self.now():
            video.state, video.published_at, video.scheduled = "PUBLISHED", video.scheduled, None
            self.record("public", video_id=video.video_id)

    # -- Instagram

    def published_today(self, instagram_id: str) -> int:
        since = self.now() - DAY
        return sum(each.instagram_id == instagram_id and each.published_at > since for each in self.media.values())

    def status_of(self, container: Container, *, poll: bool = False) -> str:
        """IN_PROGRESS, FINISHED, ERROR, EXPIRED or PUBLISHED; each poll brings processing one step on."""
        if container.media_id is not None:
            return "PUBLISHED"
        if self.now() - container.created > CONTAINER_LIFE:
            return "EXPIRED"
        if container.error:
            return "ERROR"
        if not container.total or container.kept < container.total:
            return "IN_PROGRESS"
        if self.processing_error:
            container.error = self.processing_error
            return "ERROR"
        if poll:
            container.polls += 1
        return "FINISHED" if container.polls >= self.polls_until_ready else "IN_PROGRESS"

    def publish(self, container: Container) -> Media:
        """A container becomes exactly one post."""
        media = Media(
            media_id="17" + str(secrets.randbelow(10**15)).zfill(15),
            instagram_id=container.instagram_id,
            container_id=container.container_id,
            caption=container.params.get("caption", ""),
            published_at=self.now(),
        )
        container.media_id = media.media_id
        self.media[media.media_id] = media
        self.record(
            "post",
            media_id=media.media_id,
            instagram_id=media.instagram_id,
            media="instagram",
            container_id=container.container_id,
            params=container.params,
            sha256=container.digest.hexdigest(),
            size=container.kept,
            received=container.received,
        )
        return media

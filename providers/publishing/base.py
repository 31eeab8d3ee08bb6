"""What every platform is to the studio: three verbs underneath, the plan's four methods on top.

``submit`` changes something and runs at most once for an attempt; ``check`` only reads and may be repeated;
``finalize`` changes something after the upload, one recorded step at a time. ``reconcile`` answers whether an attempt
of unknown outcome is on the platform. Each handle is given to ``save`` before the next call that uses it.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from core.progress import Progress, no_progress
from core.publishing.failures import PlatformFailure
from core.publishing.payloads import PublicationOptions

CURRENCY = "unsupported-currency"
Handle = dict[str, Any]
SaveHandle = Callable[[Handle], None]


@dataclass(frozen=True)
class CaptionTrack:
    """A subtitle file to be sent along; ``language`` is BCP 47."""

    path: Path
    language: str
    name: str


@dataclass(frozen=True)
class PublishRequest:
    """One post. ``marker`` is a short text that is unique to the attempt and ends up in the post, so that it can be
    found again; ``publish_at`` lets the platform keep the time."""

    marker: str
    path: Path
    size_bytes: int
    mime_type: str
    sha256: str
    title: str
    description: str
    tags: tuple[str, ...]
    privacy: str
    publish_at: datetime | None = None
    duration_seconds: float = 0.0
    category_id: str = "22"
    language: str | None = None
    made_for_kids: bool = False
    synthetic_media: bool = False
    notify_subscribers: bool = True
    thumbnail: Path | None = None
    captions: tuple[CaptionTrack, ...] = ()
    playlist_id: str | None = None
    width: int | None = None
    height: int | None = None
    fps: str | None = None
    """Pictures a second as probed, such as "30000/1001"."""
    options: PublicationOptions = field(default_factory=PublicationOptions)
    """What one platform alone is told, under its name (``options.tiktok``)."""


@dataclass(frozen=True)
class Reconciled:
    """What became of an attempt: ``published`` (with its id), ``resumable`` (the handle still takes bytes), ``absent``
    (proven not to be there: a new attempt is safe) or ``undecided`` (look again after the listing delay)."""

    outcome: Literal["published", "resumable", "absent", "undecided"]
    remote_id: str | None = None


@dataclass(frozen=True)
class Checked:
    """How a post stands. ``privacy`` is the platform's own answer, which may differ from what was asked."""

    state: Literal["processing", "ready", "failed", "gone"]
    privacy: str | None = None
    url: str | None = None
    code: str = ""
    reason: str = ""
    published_at: datetime | None = None
    """By the platform's clock, where it differs from ours."""
    publish_at: datetime | None = None
    """When the platform is going to make it public by itself."""
    remote_id: str | None = None
    """The post's own id, where the platform tells it only after the upload; it takes the place of the one before."""


@dataclass(frozen=True)
class MetricsRow:
    """Cumulative counters of one post. A counter that is absent or None is not reported; zero is a reported zero."""

    remote_id: str
    captured_at: datetime
    counters: dict[str, int | None]


@dataclass(frozen=True)
class DayRow:
    """Gains of one post on one of the platform's days."""

    remote_id: str
    day: date
    counters: dict[str, int | None]
    report_tz: str
    is_final: bool


@dataclass(frozen=True)
class RevenueRow:
    """Money of one post on one of the platform's days; ``external_ref`` stays the same when it is revised."""

    remote_id: str
    day: date
    amount: Decimal
    currency: str
    kind: Literal["estimated", "finalised"]
    external_ref: str
    report_tz: str


@dataclass(frozen=True)
class MetricsReport:
    """One round of reading: what was seen, which posts the platform does not know any more, and what it would not
    tell (``refused``: its word for why the daily report was not given). ``identified`` names the posts whose own id
    became known in this round, by the id they were asked for under; their rows carry the own id."""

    totals: list[MetricsRow] = field(default_factory=list)
    days: list[DayRow] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    refused: str = ""
    identified: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    """From the id that was asked for to the post's own id and its address."""


class PlatformPublisherBase(ABC):
    """One platform, for one account."""

    platform: str
    source: str
    """Name under which figures of this platform are stored."""

    @abstractmethod
    def submit(
        self, request: PublishRequest, handle: Handle | None, save: SaveHandle, progress: Progress = no_progress
    ) -> str:
        """Send the post, going on from ``handle`` if there is one; returns its id on the platform.

        Raises:
            PlatformFailure: ``unknown_outcome`` when it may have been published: reconcile before anything else.
        """

    def prepare(
        self, request: PublishRequest, handle: Handle | None, save: SaveHandle, progress: Progress = no_progress
    ) -> Handle:
        """Bring everything there and make nothing of it visible, so that ``submit`` with the handle that was saved only
        has to publish. For platforms that keep no times; repeating it is safe."""
        raise PlatformFailure("This platform takes nothing beforehand.", error_class="rejected", code="no-preparing")

    @abstractmethod
    def reconcile(self, marker: str, size_bytes: int, handle: Handle | None) -> Reconciled:
        """Find out what became of an attempt. Reads only."""

    @abstractmethod
    def check(self, remote_id: str) -> Checked:
        """How the post stands. Reads only."""

    @abstractmethod
    def steps(self, request: PublishRequest) -> tuple[str, ...]:
        """Names of what is left to do after the upload."""

    @abstractmethod
    def finalize(self, request: PublishRequest, remote_id: str, step: str, *, repeated: bool = False) -> str | None:
        """Do one step; returns the platform's id of what it made, if it has one. ``repeated`` says that an earlier try
        may have come through."""

    def set_release(self, remote_id: str, privacy: str, publish_at: datetime | None) -> None:
        """Give a post that waits there another time, or none: with ``publish_at`` it stays private until then, without
        it has ``privacy`` at once. Saying the same again changes nothing."""
        raise PlatformFailure("This platform does not keep times.", error_class="rejected", code="no-clock")

    @abstractmethod
    def fetch_metrics(self, remote_ids: Sequence[str], since: date | None = None) -> MetricsReport:
        """Counters now, and the platform's own daily figures from ``since`` on where it has such a report."""

    @abstractmethod
    def fetch_revenue(
        self, remote_ids: Sequence[str], start: date, end: date, currency: str = "USD"
    ) -> list[RevenueRow]:
        """Money by post and day, both ends included; an empty list where the platform reports none. In ``currency``
        (ISO 4217) where the platform converts, otherwise in its own: each row says which.

        Raises:
            PlatformFailure: ``rejected`` with code :data:`CURRENCY` when the platform does not know the currency.
        """

    def schedule(
        self, request: PublishRequest, progress: Progress = no_progress, *, poll_seconds: float = 2.0
    ) -> Checked:
        """The plan's method: upload now, let the platform publish at ``request.publish_at``."""
        if request.publish_at is None or request.publish_at <= datetime.now(UTC):
            raise PlatformFailure(
                "A time to come is needed to schedule.", error_class="rejected", code="invalidPublishAt"
            )
        return self.upload(request, progress, poll_seconds=poll_seconds)

    def upload(
        self, request: PublishRequest, progress: Progress = no_progress, *, poll_seconds: float = 2.0
    ) -> Checked:
        """The plan's method: send, wait until the platform is done with it, do the steps. For callers without a
        database; the worker drives the verbs underneath instead, because it must survive being killed."""
        remote_id = self.submit(request, None, lambda handle: None, progress)
        while (seen := self.check(remote_id)).state == "processing":
            progress(0.95, "stage.processing")
            time.sleep(poll_seconds)
        if seen.state == "ready":
            for step in self.steps(request):
                self.finalize(request, remote_id, step)
        return seen

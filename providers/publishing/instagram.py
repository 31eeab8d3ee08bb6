"""Instagram Reels through the Graph API: container, bytes, processing, limit, and the one call that makes it public.

Protocol: "Content Publishing" and its resumable uploads. A container is invisible and lives 24 hours; what was prepared
may be prepared again. Instagram keeps no times: the studio prepares the container before, and its own clock publishes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from core.progress import Progress, no_progress
from core.publishing.captions import caption_of
from core.publishing.failures import PlatformFailure
from core.publishing.oauth import Credentials
from core.publishing.rules import rules_of
from core.settings import get_settings
from providers.publishing import meta_figures
from providers.publishing.base import (
    Checked,
    Handle,
    MetricsReport,
    PlatformPublisherBase,
    PublishRequest,
    Reconciled,
    RevenueRow,
    SaveHandle,
)
from providers.publishing.meta_client import TRIES, GraphClient, Pause, back_off
from providers.publishing.meta_errors import CAP_AGAIN, UNKNOWN_OBJECT, UPLOADS, GraphFailure

NAME = "Instagram"
LOOKS = 5
"""How often a container is looked at in one run; longer processing is waited for without a worker."""
CLOCKS = timedelta(minutes=2)
"""How far their clock may be behind ours when a post is told from older ones."""


class InstagramPublisher(PlatformPublisherBase):
    """One professional account."""

    platform = "instagram"
    source = "instagram"

    def __init__(
        self,
        credentials: Credentials,
        instagram_id: str,
        *,
        app_secret: str = "",
        account_id: UUID | None = None,
        pause: Pause = time.sleep,
        timeout: float = 60.0,
    ) -> None:
        self._own = instagram_id
        self._pause = pause
        self._client = GraphClient(
            credentials,
            name=NAME,
            base=get_settings().instagram_graph_base,
            app_secret=app_secret,
            account_id=account_id,
            pause=pause,
            timeout=timeout,
        )

    # -- submit

    def prepare(
        self, request: PublishRequest, handle: Handle | None, save: SaveHandle, progress: Progress = no_progress
    ) -> Handle:
        """A container with the video in it, processed; nobody can see it.

        Raises:
            PlatformFailure: ``transient`` while Instagram is still at it, ``rejected`` with its reason.
        """
        kept = dict(handle or {})
        fresh = not kept.get("container")
        if fresh:
            kept = self._open(request)
            save(kept)
        arrived = 0 if fresh else self._arrived(kept, request.size_bytes)
        self._send(kept, request, save, progress, arrived)
        self._processed(kept)
        return kept

    def submit(
        self, request: PublishRequest, handle: Handle | None, save: SaveHandle, progress: Progress = no_progress
    ) -> str:
        """Prepare what is not prepared, ask whether today's number allows it, publish."""
        kept = self.prepare(request, handle, save, progress)
        self._within_limit()
        repeated = "finishing" in kept
        kept["finishing"] = datetime.now(UTC).isoformat()
        kept.pop("doubt_since", None)
        save(kept)
        try:
            made = self._client.change(f"{self._own}/media_publish", {"creation_id": kept["container"]})
        except GraphFailure as failure:
            if failure.error_class == "rejected" and repeated:  # an earlier call may have come through
                title, detail, code = failure.title, failure.detail, failure.code
                raise PlatformFailure(title, detail, error_class="unknown_outcome", code=code) from failure
            if failure.error_class != "unknown_outcome" and not repeated:
                del kept["finishing"]
                save(kept)
            raise
        return str(made["id"])

    def _open(self, request: PublishRequest) -> Handle:
        own = request.options.instagram
        caption = caption_of(request.title, request.description, request.tags)
        form = {
            "media_type": "REELS",
            "upload_type": "resumable",
            "caption": caption,
            "share_to_feed": "true" if own.share_to_feed else "false",
        }
        if own.cover_at_seconds is not None:
            form["thumb_offset"] = str(round(own.cover_at_seconds * 1000))
        made = self._client.change(f"{self._own}/media", form, mutation=False)
        # The caption is kept with it: a post whose answer got lost is told from others by it.
        return {"container": str(made["id"]), "url": str(made["uri"]), "offset": 0, "caption": caption}

    def _send(self, kept: Handle, request: PublishRequest, save: SaveHandle, progress: Progress, offset: int) -> None:
        failures = 0
        while offset < request.size_bytes:
            before = offset
            try:
                self._client.send(
                    kept["url"],
                    get_settings().instagram_rupload_base,
                    request.path,
                    offset,
                    request.size_bytes,
                    lambda sent: progress(0.9 * sent / request.size_bytes, "stage.upload"),
                )
            except PlatformFailure as failure:
                if failure.error_class not in ("transient", "rejected"):
                    raise
                offset = self._arrived(kept, request.size_bytes)
                failures = 1 if offset > before else failures + 1
                if (failure.error_class == "rejected" and offset == before) or failures >= TRIES:
                    raise
                self._pause(back_off(failures))
            else:
                offset = request.size_bytes
            kept["offset"] = offset
            save(kept)

    def _arrived(self, kept: Handle, size: int) -> int:
        """How many bytes the container has."""
        seen = self._client.read(kept["container"], fields="status_code,video_status")
        if seen.get("status_code") not in (None, "IN_PROGRESS", "ERROR"):
            return size
        return int(seen.get("video_status", {}).get("uploading_phase", {}).get("bytes_transferred", 0))

    def _processed(self, kept: Handle) -> None:
        for look in range(LOOKS):
            seen = self._client.read(kept["container"], fields="status_code,status")
            code, words = str(seen.get("status_code", "")), str(seen.get("status", ""))[:300]
            if code == "FINISHED":
                return
            if code == "PUBLISHED":
                raise PlatformFailure(f"{NAME} has published it already.", error_class="unknown_outcome", code=code)
            if code in ("ERROR", "EXPIRED"):
                raise PlatformFailure(f"{NAME} did not take the video.", words, error_class="rejected", code=code)
            self._pause(0.5 * 2**look)
        raise PlatformFailure(f"{NAME} is still working on the video.", error_class="transient", code="IN_PROGRESS")

    def _within_limit(self) -> None:
        """The number of posts in the moving day, by Instagram's own count: its pages disagree on the limit."""
        rows = self._client.read(f"{self._own}/content_publishing_limit", fields="quota_usage,config").get("data", [])
        used = int(rows[0].get("quota_usage", 0)) if rows else 0
        total = int(rows[0].get("config", {}).get("quota_total", 0)) if rows else 0
        if total and used >= total:
            raise PlatformFailure(
                f"{NAME} takes no more posts from this account today.",
                f"{used} / {total}",
                error_class="quota",
                code="content_publishing_limit",
                retry_at=datetime.now(UTC) + CAP_AGAIN,
                limit_kind=UPLOADS,
            )

    # -- reconcile and check

    def reconcile(self, marker: str, size_bytes: int, handle: Handle | None) -> Reconciled:
        """The container knows: PUBLISHED is proof. Its post is then found among the newest by time and caption."""
        if not handle or not handle.get("container"):
            return Reconciled("absent")
        try:
            status = self._client.read(handle["container"], fields="status_code").get("status_code")
        except GraphFailure as failure:
            if failure.subcode != UNKNOWN_OBJECT:
                raise
            status = "EXPIRED"
        if status == "PUBLISHED":
            return Reconciled("published", self._find(handle))
        if status in ("EXPIRED", "ERROR"):
            return Reconciled("absent")
        if "finishing" in handle:
            settled = datetime.fromisoformat(handle["finishing"]) + timedelta(
                seconds=rules_of(self.platform).listing_delay_seconds
            )
            if datetime.now(UTC) < settled:
                return Reconciled("undecided")
        return Reconciled("resumable")

    def _find(self, handle: Handle) -> str:
        """The post a container became: of this account, which publishes one thing at a time, the newest of these words.

        Raises:
            PlatformFailure: ``transient`` while it is not listed: it is there, so nothing is ever sent again.
        """
        rows = self._client.read(f"{self._own}/media", fields="id,timestamp,caption", limit="25").get("data", [])
        since = datetime.fromisoformat(handle["finishing"]) - CLOCKS if "finishing" in handle else None
        found = [
            row
            for row in rows
            if str(row.get("caption", "")).strip() == str(handle.get("caption", "")).strip()
            and (since is None or datetime.fromisoformat(row["timestamp"]) >= since)
        ]
        if not found:
            title = f"{NAME} has published it and does not list it yet."
            raise PlatformFailure(title, error_class="transient", code="not-listed")
        return str(max(found, key=lambda row: datetime.fromisoformat(row["timestamp"]))["id"])

    def check(self, remote_id: str) -> Checked:
        """What is published is there at once, and public."""
        try:
            seen: dict[str, Any] = self._client.read(remote_id, fields="id,permalink,timestamp")
        except GraphFailure as failure:
            if failure.subcode != UNKNOWN_OBJECT:
                raise
            return Checked("gone", code="mediaNotFound", reason="The post is not on Instagram any more.")
        at = datetime.fromisoformat(seen["timestamp"]) if seen.get("timestamp") else None
        return Checked("ready", "public", str(seen.get("permalink") or "") or None, published_at=at)

    # -- finalize

    def steps(self, request: PublishRequest) -> tuple[str, ...]:
        """Nothing is left to do: caption and cover belong to the container."""
        return ()

    def finalize(self, request: PublishRequest, remote_id: str, step: str, *, repeated: bool = False) -> str | None:
        raise NotImplementedError(step)

    # -- figures

    def fetch_metrics(self, remote_ids: Sequence[str], since: date | None = None) -> MetricsReport:
        """See :func:`providers.publishing.meta_figures.of_instagram`."""
        return meta_figures.of_instagram(self._client, self._own, remote_ids)

    def fetch_revenue(
        self, remote_ids: Sequence[str], start: date, end: date, currency: str = "USD"
    ) -> list[RevenueRow]:
        """Instagram tells an app nothing of what a post earned: it is entered by hand."""
        return []

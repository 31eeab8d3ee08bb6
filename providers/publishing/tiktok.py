"""TikTok's Content Posting API: direct post of a file, followed by its ``publish_id``; counters from the Display API.

Protocol: developers.tiktok.com, "Direct Post", "Media Transfer Guide", "Get Post Status", "Query Videos". Opening a
post makes nothing public and may be repeated. The last byte makes it irreversible: from before it is sent on, only
``status/fetch`` says what is so, and there is never a second opening.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import httpx

from core.progress import Progress, no_progress
from core.publishing import creators
from core.publishing.captions import caption_of
from core.publishing.failures import PlatformFailure
from core.publishing.oauth import Credentials
from core.publishing.tiktok import LEVELS, PUBLISH, TikTokApi, classify, unreachable
from providers.publishing.base import (
    Checked,
    Handle,
    MetricsReport,
    MetricsRow,
    PlatformPublisherBase,
    PublishRequest,
    Reconciled,
    RevenueRow,
    SaveHandle,
)
from providers.publishing.tiktok_chunks import USUAL, Chunks, chunks_of

TRIES = 5
LAG = 3.0
"""Seconds before TikTok is asked what it has after it refused a range: its count may lag behind what it took."""
AT_ONCE = 20
"""Videos of one question; and posts asked about by their publish id in one round (30 a minute are allowed)."""
COUNTERS = {"view_count": "views", "like_count": "likes", "comment_count": "comments", "share_count": "shares"}
RETRYABLE = frozenset({"internal", "video_pull_failed"})
"""Reasons of failure that say nothing against the video: it is not there, and may be sent again."""
REASONS = {
    "file_format_check_failed": "TikTok does not take this kind of file.",
    "duration_check_failed": "The video is too short or too long for this TikTok account.",
    "frame_rate_check_failed": "TikTok does not take this many pictures a second.",
    "picture_size_check_failed": "TikTok does not take a picture of this size.",
    "publish_cancelled": "The post was cancelled on TikTok.",
    "auth_removed": "The account took back its permission while TikTok processed the video.",
    "spam_risk_too_many_posts": "TikTok takes no more posts from this account today.",
    "spam_risk_user_banned_from_posting": "TikTok does not let this account post at the moment.",
    "spam_risk_text": "TikTok does not accept the text.",
    "spam_risk": "TikTok takes the post for spam.",
    "internal": "TikTok could not process the video. Try again.",
}
Pause = Callable[[float], None]


class TikTokPublisher(PlatformPublisherBase):
    """One TikTok account. ``username`` is what addresses of posts are made with."""

    platform = "tiktok"
    source = "tiktok"

    def __init__(
        self,
        credentials: Credentials,
        username: str = "",
        *,
        chunk_bytes: int = USUAL,
        pause: Pause = time.sleep,
        timeout: float = 60.0,
    ) -> None:
        limits = httpx.Timeout(timeout, connect=10.0)
        self._api = TikTokApi(credentials, timeout=limits)
        self._uploads = httpx.Client(timeout=limits, follow_redirects=False)
        self._username = username
        self._chunk = chunk_bytes
        self._pause = pause

    # -- submit

    def submit(
        self, request: PublishRequest, handle: Handle | None, save: SaveHandle, progress: Progress = no_progress
    ) -> str:
        """Open a post (or go on with the one of ``handle``) and send its chunks in order; answers the ``publish_id``.

        What the creator allows is asked right before the opening. Where chunks got to is TikTok's word: after any
        trouble, ``uploaded_bytes`` says which one is next.
        """
        if handle and handle.get("publish_id") and not handle.get("gone"):
            chunks = Chunks(request.size_bytes, int(handle["chunk_size"]), int(handle["count"]))
            offset = self._received(handle)
        else:
            self._ask_creator(request)
            chunks = chunks_of(request.size_bytes, self._chunk)
            handle, offset = self._open(request, chunks), 0
            save(handle)
        return self._send(request, chunks, handle, offset, save, progress)

    def _ask_creator(self, request: PublishRequest) -> None:
        """What the creator allows may have changed since the post was planned."""
        allowed = self._api.creator()
        for issue in creators.against(allowed, request.privacy, request.options.tiktok, request.duration_seconds):
            raise PlatformFailure(issue.message, error_class="rejected", code=issue.code)

    def _open(self, request: PublishRequest, chunks: Chunks) -> Handle:
        source = {
            "source": "FILE_UPLOAD",
            "video_size": chunks.size,
            "chunk_size": chunks.chunk_size,
            "total_chunk_count": chunks.count,
        }
        body = {"post_info": post_info(request), "source_info": source}
        data = self._api.post("/v2/post/publish/video/init/", body, kind=PUBLISH)
        return {
            "publish_id": str(data["publish_id"]),
            "upload_url": str(data["upload_url"]),
            "chunk_size": chunks.chunk_size,
            "count": chunks.count,
            "offset": 0,
        }

    def _send(
        self,
        request: PublishRequest,
        chunks: Chunks,
        handle: Handle,
        offset: int,
        save: SaveHandle,
        progress: Progress,
    ) -> str:
        failures = 0
        with request.path.open("rb") as file:
            while offset < chunks.size:
                progress(0.9 * offset / chunks.size, "stage.upload")
                index = chunks.index_at(offset)
                start, end = chunks.range_of(index)
                last = end == chunks.size
                if last and not handle.get("last"):
                    handle = {**handle, "last": True}  # from here on it may be there, whatever we hear
                    save(handle)
                file.seek(start)
                try:
                    answer = self._put(handle, request.mime_type, file.read(end - start), start, chunks.size)
                except PlatformFailure as failure:
                    failures += 1
                    if last and failure.error_class != "throttled":  # a limit is proof that it was not taken
                        raise _unknown(failure) from failure
                    if failure.error_class != "transient" or failures > TRIES:
                        raise
                    self._pause(random.uniform(0, min(0.1 * 2**failures, 8.0)))
                    offset = self._received(handle)
                    continue
                if answer.status_code in (403, 404, 410, 416):
                    # The address is not good any more, or the ranges are not what TikTok has: look what it has.
                    handle = {**handle, "gone": answer.status_code != 416}
                    save(handle)
                    if answer.status_code == 416:
                        self._pause(LAG)
                    raise PlatformFailure(
                        "The upload was interrupted for too long.",
                        "The studio looks whether the video arrived, and sends it again if it did not.",
                        error_class="unknown_outcome",
                        code=str(answer.status_code),
                    )
                failures, offset = 0, end
                handle = {**handle, "offset": end}
                save(handle)
        return str(handle["publish_id"])

    def _put(self, handle: Handle, mime_type: str, content: bytes, start: int, total: int) -> httpx.Response:
        """One chunk; an answer that means it was taken, or that the address is of no use."""
        headers = {"Content-Type": mime_type, "Content-Range": f"bytes {start}-{start + len(content) - 1}/{total}"}
        try:
            answer = self._uploads.put(handle["upload_url"], content=content, headers=headers)
        except httpx.HTTPError as error:
            raise unreachable(error) from error
        if answer.status_code in (200, 201, 206, 403, 404, 410, 416):
            return answer
        wait = answer.headers.get("retry-after")
        raise classify(answer.status_code, str(answer.status_code), "", kind=PUBLISH, retry_after=wait)

    def _received(self, handle: Handle) -> int:
        """How much of the file TikTok has, at the boundary of a chunk."""
        status = self._status(str(handle["publish_id"]))
        received = int(status.get("uploaded_bytes", 0) or 0)
        chunk_size, count = int(handle["chunk_size"]), int(handle["count"])
        return received if received >= chunk_size * count else received // chunk_size * chunk_size

    def _status(self, publish_id: str) -> dict[str, Any]:
        return self._api.post("/v2/post/publish/status/fetch/", {"publish_id": publish_id}, kind="status")

    # -- reconcile and check

    def reconcile(self, marker: str, size_bytes: int, handle: Handle | None) -> Reconciled:
        """Ask for the publish id. Without one nothing was opened, and nothing can be there."""
        if not handle or not handle.get("publish_id"):
            return Reconciled("absent")
        publish_id = str(handle["publish_id"])
        try:
            status = self._status(publish_id)
        except PlatformFailure as failure:
            if failure.code == "invalid_publish_id" and not handle.get("last"):
                return Reconciled("absent")  # the last byte was never sent
            raise
        if status.get("status") == "FAILED":
            # Of a final refusal the caller learns by ``check``; sending the same video again would end the same way.
            retry = str(status.get("fail_reason", "")) in RETRYABLE or not handle.get("last")
            return Reconciled("absent") if retry else Reconciled("published", publish_id)
        received = int(status.get("uploaded_bytes", 0) or 0)
        if status.get("status") == "PUBLISH_COMPLETE" or received >= size_bytes:
            return Reconciled("published", publish_id)
        if not handle.get("gone"):
            return Reconciled("resumable")
        # The address takes no more. What was sent last may not be counted yet: look again after a while.
        return Reconciled("undecided" if handle.get("last") else "absent")

    def check(self, remote_id: str) -> Checked:
        """How the post stands, by its publish id, or by its own id where that is known."""
        if remote_id.isdigit():
            there = self._videos([remote_id])
            if not there:
                return Checked("gone", code="gone", reason="The video is not on TikTok any more.")
            return Checked("ready", url=self._address(remote_id))
        try:
            status = self._status(remote_id)
        except PlatformFailure as failure:
            if failure.code == "invalid_publish_id":
                return Checked("gone", code=failure.code, reason=failure.title)
            raise
        state = str(status.get("status", ""))
        if state == "FAILED":
            code = str(status.get("fail_reason") or "failed")
            return Checked("failed", code=code, reason=REASONS.get(code, "TikTok did not publish the video."))
        if state != "PUBLISH_COMPLETE":
            return Checked("processing")
        own = _own_id(status)
        return Checked("ready", url=self._address(own) if own else None, remote_id=own)

    def _address(self, post_id: str) -> str | None:
        return f"https://www.tiktok.com/@{self._username}/video/{post_id}" if self._username else None

    # -- finalize

    def steps(self, request: PublishRequest) -> tuple[str, ...]:
        """None: cover and everything else go with the opening."""
        return ()

    def finalize(self, request: PublishRequest, remote_id: str, step: str, *, repeated: bool = False) -> str | None:
        """Never called: there are no steps."""
        raise PlatformFailure("TikTok has no such step.", step, error_class="rejected")

    # -- figures

    def fetch_metrics(self, remote_ids: Sequence[str], since: date | None = None) -> MetricsReport:
        """Counters of up to 20 videos a question. TikTok reports views, likes, comments and shares; watch time,
        click-through and revenue it does not, so these stay unknown. It has no daily report.

        A post gets an id of its own only after moderation, and one that is not public never does. Of the posts still
        without one some are asked about in each round, by chance, so that none is always last.
        """
        own = {each: each for each in remote_ids if each.isdigit()}
        unnamed = [each for each in remote_ids if not each.isdigit()]
        identified: dict[str, tuple[str, str | None]] = {}
        for publish_id in random.sample(unnamed, min(AT_ONCE, len(unnamed))):
            try:
                found = _own_id(self._status(publish_id))
            except PlatformFailure as failure:
                if failure.error_class == "throttled":
                    break  # the rest waits for the next round
                if failure.error_class == "rejected":
                    continue
                raise
            if found is not None:
                own[found] = publish_id
                identified[publish_id] = (found, self._address(found))
        totals: list[MetricsRow] = []
        asked = list(own)
        for start in range(0, len(asked), AT_ONCE):
            now = datetime.now(UTC)
            for video in self._videos(asked[start : start + AT_ONCE]):
                counters = {name: _count(video.get(key)) for key, name in COUNTERS.items()}
                totals.append(MetricsRow(str(video["id"]), now, counters))
        seen = {row.remote_id for row in totals}
        missing = [
            each for each in asked if each not in seen and each not in {own_id for own_id, _ in identified.values()}
        ]
        return MetricsReport(totals, [], missing, identified=identified)

    def _videos(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        fields = {"fields": ",".join(["id", *COUNTERS])}
        body = {"filters": {"video_ids": list(ids)}}
        data = self._api.post("/v2/video/query/", body, kind="video.query", query=fields)
        return [each for each in data.get("videos", []) if isinstance(each, dict) and each.get("id")]

    def fetch_revenue(
        self, remote_ids: Sequence[str], start: date, end: date, currency: str = "USD"
    ) -> list[RevenueRow]:
        """TikTok reports no revenue."""
        return []


def _unknown(failure: PlatformFailure) -> PlatformFailure:
    return PlatformFailure(failure.title, failure.detail, error_class="unknown_outcome", code=failure.code)


def _own_id(status: dict[str, Any]) -> str | None:
    """The post's own id; text, because it is past what a floating number holds. The field's name is TikTok's."""
    ids = status.get("publicaly_available_post_id") or status.get("publicly_available_post_id") or []
    return str(ids[0]) if ids else None


def _count(value: Any) -> int | None:
    return None if value is None else int(value)


def post_info(request: PublishRequest) -> dict[str, Any]:
    """The post's settings. Every switch is stated, because TikTok takes a missing one as its own default."""
    chosen = request.options.tiktok
    info: dict[str, Any] = {
        "privacy_level": LEVELS[request.privacy],
        "title": caption_of(request.title, request.description, request.tags),
        "disable_comment": not chosen.allow_comments,
        "disable_duet": not chosen.allow_duet,
        "disable_stitch": not chosen.allow_stitch,
        "brand_content_toggle": chosen.discloses_commercial and chosen.branded_content,
        "brand_organic_toggle": chosen.discloses_commercial and chosen.your_brand,
        "is_aigc": request.synthetic_media,
    }
    if chosen.cover_at_seconds is not None:
        info["video_cover_timestamp_ms"] = round(chosen.cover_at_seconds * 1000)
    return info

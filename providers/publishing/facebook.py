"""Facebook Pages through the Graph API: Reels and page videos, times that Facebook keeps, thumbnail, captions, figures.

Protocol: "Reels Publishing API" (start, bytes to the upload host, finish) and the resumable form of the Page's
``/videos`` edge (start, transfer in ranges that the server chooses, finish). Nothing is public before ``finish``, and
the ``video_id`` of the opening call names the post from then on: it is stored before the first byte, so that an answer
that got lost is looked up under it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from core.progress import Progress, no_progress
from core.publishing.captions import caption_of
from core.publishing.failures import PlatformFailure
from core.publishing.oauth import Credentials
from core.publishing.reels import surface_of
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
from providers.publishing.meta_errors import OFFSETS, UNKNOWN_OBJECT, GraphFailure

NAME = "Facebook"
SITE = "https://www.facebook.com"
FIELDS = "status,published,permalink_url,scheduled_publish_time,created_time"
SETTLED = ("published", "scheduled")
NEAREST = timedelta(minutes=11)
"""The earliest time ahead that is asked for: Facebook wants ten minutes, and the request takes a moment."""


class FacebookPublisher(PlatformPublisherBase):
    """One Page."""

    platform = "facebook"
    source = "facebook"

    def __init__(
        self,
        credentials: Credentials,
        page_id: str,
        *,
        app_secret: str = "",
        account_id: UUID | None = None,
        pause: Pause = time.sleep,
        timeout: float = 60.0,
    ) -> None:
        self._page = page_id
        self._pause = pause
        self._client = GraphClient(
            credentials,
            name=NAME,
            base=get_settings().facebook_graph_base,
            app_secret=app_secret,
            account_id=account_id,
            pause=pause,
            timeout=timeout,
        )

    # -- submit

    def submit(
        self, request: PublishRequest, handle: Handle | None, save: SaveHandle, progress: Progress = no_progress
    ) -> str:
        """Open, send the bytes from where the server is, finish. Going on with a handle repeats nothing that was
        done: Facebook says how much it has, and a Reel finished twice is one Reel."""
        upload = dict(handle or {})
        fresh = not upload.get("video_id")
        if fresh:
            upload = self._open(request)
            save(upload)
        if upload["kind"] == "reel":
            self._send_reel(upload, request, save, progress, 0 if fresh else self._arrived(upload))
        else:
            self._send_video(upload, request, save, progress)
        return self._finish(upload, request, save)

    def _open(self, request: PublishRequest) -> Handle:
        """An opening that got no answer has made nothing public: the next attempt opens another one."""
        chosen = request.options.facebook.surface
        if surface_of(chosen, request.width, request.height, request.fps, request.duration_seconds) == "reel":
            made = self._client.change(f"{self._page}/video_reels", {"upload_phase": "start"}, mutation=False)
            return {
                "kind": "reel",
                "video_id": str(made["video_id"]),
                "url": str(made["upload_url"]),
                "offset": 0,
            }
        made = self._videos({"upload_phase": "start", "file_size": str(request.size_bytes)})
        return {
            "kind": "video",
            "video_id": str(made["video_id"]),
            "session": str(made["upload_session_id"]),
            "offset": int(made["start_offset"]),
            "end": int(made["end_offset"]),
        }

    def _videos(self, form: dict[str, str], chunk: bytes | None = None, *, mutation: bool = False) -> dict[str, Any]:
        return self._client.change(
            f"{self._page}/videos",
            form,
            base=get_settings().facebook_video_base,
            files=None if chunk is None else {"video_file_chunk": ("video.mp4", chunk)},
            mutation=mutation,
        )

    def _send_reel(
        self, upload: Handle, request: PublishRequest, save: SaveHandle, progress: Progress, offset: int
    ) -> None:
        """The bytes in one request; after a broken one the server says where to go on."""
        host = get_settings().facebook_rupload_base
        failures = 0
        while offset < request.size_bytes:
            before = offset
            try:
                self._client.send(
                    upload["url"],
                    host,
                    request.path,
                    offset,
                    request.size_bytes,
                    lambda sent: progress(0.9 * sent / request.size_bytes, "stage.upload"),
                )
            except PlatformFailure as failure:
                if failure.error_class not in ("transient", "rejected"):
                    raise
                offset = self._arrived(upload)
                failures = 1 if offset > before else failures + 1
                if (failure.error_class == "rejected" and offset == before) or failures >= TRIES:
                    raise
                self._pause(back_off(failures))
            else:
                offset = request.size_bytes
            upload["offset"] = offset
            save(upload)

    def _arrived(self, upload: Handle) -> int:
        """How many bytes of a Reel the server has."""
        phase = self._client.read(upload["video_id"], fields="status").get("status", {}).get("uploading_phase", {})
        # Facebook's own pages spell it both ways.
        return int(phase.get("bytes_transfered", phase.get("bytes_transferred", 0)))

    def _send_video(self, upload: Handle, request: PublishRequest, save: SaveHandle, progress: Progress) -> None:
        """Range after range as the server asks for them, until it asks for none."""
        failures = 0
        with request.path.open("rb") as file:
            while upload["offset"] < upload["end"]:
                progress(0.9 * upload["offset"] / request.size_bytes, "stage.upload")
                file.seek(upload["offset"])
                chunk = file.read(upload["end"] - upload["offset"])
                form = {
                    "upload_phase": "transfer",
                    "upload_session_id": upload["session"],
                    "start_offset": str(upload["offset"]),
                }
                try:
                    wanted: Mapping[str, Any] = self._videos(form, chunk)
                except GraphFailure as failure:
                    failures += 1
                    if failures >= TRIES or (failure.subcode != OFFSETS and failure.error_class != "transient"):
                        raise
                    wanted = failure.data
                    self._pause(back_off(failures))
                except PlatformFailure as failure:
                    failures += 1
                    if failures >= TRIES or failure.error_class != "transient":
                        raise
                    wanted = {}
                    self._pause(back_off(failures))
                else:
                    failures = 0
                if "start_offset" in wanted and "end_offset" in wanted:
                    upload["offset"], upload["end"] = int(wanted["start_offset"]), int(wanted["end_offset"])
                    save(upload)

    def _finish(self, upload: Handle, request: PublishRequest, save: SaveHandle) -> str:
        """The irreversible call. That it is about to be made is stored first."""
        repeated = "finishing" in upload
        upload["finishing"] = datetime.now(UTC).isoformat()
        upload.pop("doubt_since", None)
        save(upload)
        text = caption_of("", request.description, request.tags)  # Pages know no tags: they go along as hashtags
        words = {"title": request.title, "description": text, "upload_phase": "finish"}
        at = _asked_for(request.publish_at)
        try:
            if upload["kind"] == "reel":
                form = {**words, "video_id": upload["video_id"], "video_state": "SCHEDULED" if at else "PUBLISHED"}
                self._client.change(f"{self._page}/video_reels", form | at)
            else:
                form = {**words, "upload_session_id": upload["session"], "published": "false" if at else "true"}
                self._videos(form | at, mutation=True)
        except GraphFailure as failure:
            raise self._unfinished(upload, request, save, failure, repeated=repeated) from failure
        return str(upload["video_id"])

    def _unfinished(
        self, upload: Handle, request: PublishRequest, save: SaveHandle, failure: GraphFailure, *, repeated: bool
    ) -> PlatformFailure:
        """What a refused finish means. Where an earlier one may have come through, a refusal is no proof."""
        if failure.error_class == "unknown_outcome":
            return failure
        if failure.error_class == "rejected" and repeated:
            title, detail, code = failure.title, failure.detail, failure.code
            return PlatformFailure(title, detail, error_class="unknown_outcome", code=code)
        if not repeated:
            del upload["finishing"]
        found: PlatformFailure = failure
        if failure.subcode == OFFSETS and "start_offset" in failure.data:  # bytes are missing after all
            upload["offset"] = int(failure.data["start_offset"])
            upload["end"] = int(failure.data.get("end_offset", request.size_bytes))
            found = PlatformFailure(failure.title, failure.detail, error_class="transient", code=failure.code)
        save(upload)
        return found

    # -- reconcile and check

    def reconcile(self, marker: str, size_bytes: int, handle: Handle | None) -> Reconciled:
        """Look at the video under its own id. One that was being finished a moment ago and does not show it yet is
        looked at again before it is finished a second time."""
        if not handle or not handle.get("video_id"):
            return Reconciled("absent")
        seen = self._video(handle["video_id"])
        if seen is None:
            return Reconciled("undecided" if "finishing" in handle else "absent")
        status = seen.get("status", {})
        phase = status.get("publishing_phase", {})
        shown = phase.get("status") in ("in_progress", "complete") or phase.get("publish_status") in SETTLED
        taken = handle["kind"] == "video" and status.get("video_status") in ("processing", "ready")
        if seen.get("published") or shown or taken:
            return Reconciled("published", str(handle["video_id"]))
        if "finishing" in handle:
            settled = datetime.fromisoformat(handle["finishing"]) + timedelta(
                seconds=rules_of(self.platform).listing_delay_seconds
            )
            if datetime.now(UTC) < settled:
                return Reconciled("undecided")
        return Reconciled("resumable")

    def _video(self, video_id: str) -> dict[str, Any] | None:
        try:
            return self._client.read(video_id, fields=FIELDS)
        except GraphFailure as failure:
            if failure.subcode == UNKNOWN_OBJECT:
                return None
            raise

    def check(self, remote_id: str) -> Checked:
        """``private`` is Facebook's unpublished: there, and waiting for its time."""
        seen = self._video(remote_id)
        if seen is None:
            return Checked("gone", code="videoNotFound", reason="The video is not on Facebook any more.")
        status = seen.get("status", {})
        link = str(seen.get("permalink_url") or "")
        url = SITE + link if link.startswith("/") else link or None
        phases = [status.get(name, {}) for name in ("uploading_phase", "processing_phase", "publishing_phase")]
        if status.get("video_status") in ("error", "expired", "upload_failed") or any(
            phase.get("status") == "error" for phase in phases
        ):
            told = [str(one.get("message", "")) for phase in phases for one in phase.get("errors", [])]
            reason = " ".join(["Facebook could not process the video.", *told])[:500]
            return Checked("failed", None, url, str(status.get("video_status")), reason)
        published = bool(seen.get("published"))
        waiting = _moment(seen.get("scheduled_publish_time"))
        settled = phases[2].get("status") == "complete" or phases[2].get("publish_status") in SETTLED
        done = published or settled or (waiting is not None and status.get("video_status") == "ready")
        state: Literal["ready", "processing"] = "ready" if done else "processing"
        return Checked(
            state,
            "public" if published else "private",
            url,
            published_at=_moment(phases[2].get("publish_time") or seen.get("created_time")) if published else None,
            publish_at=None if published else waiting,
        )

    def set_release(self, remote_id: str, privacy: str, publish_at: datetime | None) -> None:
        """Another time, or public at once. Facebook has no private post: what is taken back is deleted. A time nearer
        than Facebook takes is asked for at the nearest one it does, and our clock makes it public before that."""
        if publish_at is not None:
            self._client.change(remote_id, {"published": "false", **_asked_for(publish_at)})
        elif privacy == "public":
            self._client.change(remote_id, {"published": "true"})
        else:
            self._client.change(remote_id, {}, method="DELETE")

    # -- finalize

    def steps(self, request: PublishRequest) -> tuple[str, ...]:
        """Thumbnail, then captions by language."""
        names = ["thumbnail"] if request.thumbnail is not None else []
        return (*names, *(f"captions:{track.language}" for track in request.captions))

    def finalize(self, request: PublishRequest, remote_id: str, step: str, *, repeated: bool = False) -> str | None:
        """One step; each sets what it sets, so that doing it twice is doing it once."""
        name, _, detail = step.partition(":")
        if name == "thumbnail" and request.thumbnail is not None:
            picture = (request.thumbnail.name, request.thumbnail.read_bytes())
            self._client.change(f"{remote_id}/thumbnails", {"is_preferred": "true"}, files={"source": picture})
            return None
        track = next(each for each in request.captions if each.language == detail)
        locale = LOCALES.get(track.language, track.language.replace("-", "_"))
        if track.path.suffix.lower() != ".srt" or len(locale) != 5:
            raise PlatformFailure(
                "Facebook takes captions as SRT files in a language it knows.",
                f"{track.path.suffix} {track.language}",
                error_class="rejected",
                code="captions",
            )
        file = (f"captions.{locale}.srt", track.path.read_bytes())
        form = {"default_locale": "none"}
        self._client.change(f"{remote_id}/captions", form, files={"captions_file": file})
        return None

    # -- figures

    def fetch_metrics(self, remote_ids: Sequence[str], since: date | None = None) -> MetricsReport:
        """See :func:`providers.publishing.meta_figures.of_page`."""
        return meta_figures.of_page(self._client, remote_ids)

    def fetch_revenue(
        self, remote_ids: Sequence[str], start: date, end: date, currency: str = "USD"
    ) -> list[RevenueRow]:
        """Facebook tells an app nothing of a Page's earnings by post: they are entered by hand."""
        return []


LOCALES = {
    "ar": "ar_AR", "de": "de_DE", "en": "en_US", "es": "es_ES", "fr": "fr_FR", "hi": "hi_IN", "id": "id_ID",
    "it": "it_IT", "ja": "ja_JP", "ko": "ko_KR", "ms": "ms_MY", "pt": "pt_BR", "ru": "ru_RU", "th": "th_TH",
    "vi": "vi_VN", "zh": "zh_CN",
}  # fmt: skip
"""Facebook names the language of captions with its country."""


def _asked_for(publish_at: datetime | None) -> dict[str, str]:
    """The parameter for a time: the one wanted, or the nearest that Facebook takes; nothing for at once."""
    if publish_at is None:
        return {}
    at = max(publish_at, datetime.now(UTC) + NEAREST)
    return {"scheduled_publish_time": str(int(at.timestamp()))}


def _moment(value: Any) -> datetime | None:
    """Times come as seconds or as ISO 8601 with ``+0000``."""
    if value in (None, ""):
        return None
    if isinstance(value, int | float) or str(value).isdigit():
        return datetime.fromtimestamp(float(value), UTC)
    return datetime.fromisoformat(str(value))

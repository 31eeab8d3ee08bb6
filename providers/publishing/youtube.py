"""YouTube through google-api-python-client: resumable upload, processing, thumbnail, captions, playlist, figures.

Protocol: YouTube Data API v3 ("Resumable Uploads") and YouTube Analytics API v2. The client is built from its bundled
discovery documents with the root replaced, because ``api_endpoint`` leaves the media URL alone; chunks are sent with
``num_retries=0`` because the client's own repetition sends an empty body after a 503.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Literal

import httpx
from googleapiclient.errors import HttpError
from googleapiclient.http import MediaFileUpload

from core.progress import Progress, no_progress
from core.publishing.failures import PlatformFailure
from core.publishing.oauth import Credentials
from providers.publishing import youtube_figures
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
from providers.publishing.youtube_client import TRIES, Pause, YouTubeClient, back_off
from providers.publishing.youtube_errors import classify, unreachable

CHUNK = 8 * 1024 * 1024
GRANULE = 262_144


def describe(description: str, marker: str) -> str:
    """The description with the marker as its last line."""
    return f"{description.rstrip()}\n\n{marker}".lstrip()


class YouTubePublisher(PlatformPublisherBase):
    """One YouTube channel."""

    platform = "youtube"
    source = "youtube"

    def __init__(
        self, credentials: Credentials, *, chunk_bytes: int = CHUNK, pause: Pause = time.sleep, timeout: float = 60.0
    ) -> None:
        self._client = YouTubeClient(credentials, pause=pause, timeout=timeout)
        self._chunk = max(GRANULE, chunk_bytes // GRANULE * GRANULE)
        self._pause = pause

    # -- submit

    def submit(
        self, request: PublishRequest, handle: Handle | None, save: SaveHandle, progress: Progress = no_progress
    ) -> str:
        """Open a session (or go on with the one of ``handle``) and send the file in chunks of 256 KiB multiples.

        The next offset always comes from the server's answer. A 5xx or a broken connection is answered by a probe; the
        session keeps what it has.
        A limit ends the call: until its instant nobody may ask again.
        """
        media = MediaFileUpload(str(request.path), mimetype=request.mime_type, chunksize=self._chunk, resumable=True)
        try:
            call = self._client.uploads.videos().insert(
                part="snippet,status",
                notifySubscribers=request.notify_subscribers,
                body=_body(request),
                media_body=media,
            )
            if handle and handle.get("session"):
                call.resumable_uri = handle["session"]
                call._in_error_state = True  # makes the client ask how much has arrived before it sends
            else:
                self._open(call, save)
            return self._send(call, request, save, progress)
        finally:
            media.stream().close()

    def _open(self, call: Any, save: SaveHandle) -> None:
        """Open the session alone, so that its address is stored before the first byte is sent. An opening that got no
        answer has made nothing public: the next attempt opens another one."""
        headers = {
            **call.headers,
            "X-Upload-Content-Type": call.resumable.mimetype(),
            "X-Upload-Content-Length": str(call.resumable.size()),
        }
        try:
            answer, content = self._client.http.request(call.uri, method=call.method, body=call.body, headers=headers)
        except httpx.HTTPError as error:
            raise unreachable(error) from error
        finally:
            self._client.count("videos.insert")
        if answer.status != 200 or "location" not in answer:
            raise classify(answer.status, content, kind="videos.insert", retry_after=answer.get("retry-after"))
        call.resumable_uri = answer["location"]
        save({"session": call.resumable_uri, "offset": 0})

    def _send(self, call: Any, request: PublishRequest, save: SaveHandle, progress: Progress) -> str:
        failures, doubt = 0, False  # whether the last byte may have arrived without our hearing of it
        while True:
            progress(0.9 * call.resumable_progress / request.size_bytes, "stage.upload")
            before = call.resumable_progress
            last = before + self._chunk >= request.size_bytes
            try:
                status, body = call.next_chunk(num_retries=0)
            except HttpError as error:
                failure = self._session_failure(error)
                doubt = doubt or (last and failure.error_class == "transient")
                if failure.error_class == "rejected" and doubt:
                    raise PlatformFailure(
                        failure.title, failure.detail, error_class="unknown_outcome", code=failure.code
                    ) from error
                if failure.error_class != "transient" or failures >= TRIES:
                    raise failure from error
                failures += 1
                self._pause(back_off(failures))
                continue
            except httpx.HTTPError as error:
                doubt = doubt or last
                if failures >= TRIES:
                    raise unreachable(error, mutation=doubt) from error
                failures += 1
                self._pause(back_off(failures))
                continue
            if body is not None:
                return str(body["id"])
            if status is not None and status.resumable_progress > before:
                failures = 0
            else:
                failures += 1
                if failures > TRIES:
                    raise PlatformFailure(
                        "YouTube takes no more of the video.", error_class="transient", code="no-progress"
                    )
            save({"session": call.resumable_uri, "offset": call.resumable_progress})

    def _session_failure(self, error: HttpError) -> PlatformFailure:
        if error.resp.status in (404, 410):
            return PlatformFailure(
                "The upload was interrupted for too long.",
                "The studio looks whether the video arrived, and sends it again if it did not.",
                error_class="unknown_outcome",
                code="session-gone",
            )
        return classify(
            error.resp.status, error.content, kind="videos.insert", retry_after=error.resp.get("retry-after")
        )

    # -- reconcile and check

    def reconcile(self, marker: str, size_bytes: int, handle: Handle | None) -> Reconciled:
        """Ask the session first; when it is gone or was never stored, look for the marker among the newest uploads."""
        if handle and handle.get("session"):
            try:
                answer, content = self._client.http.request(
                    handle["session"],
                    method="PUT",
                    headers={"Content-Range": f"bytes */{size_bytes}", "content-length": "0"},
                )
            except httpx.HTTPError as error:
                raise unreachable(error) from error
            if answer.status in (200, 201):
                return Reconciled("published", str(json.loads(content)["id"]))
            if answer.status == 308:
                return Reconciled("resumable")
            if answer.status not in (404, 410):
                raise classify(answer.status, content, kind="videos.insert")
        found = self._find(marker)
        if found is not None:
            return Reconciled("published", found)
        # Without a handle nothing was ever sent; with one, the listing may lag behind.
        return Reconciled("undecided" if handle else "absent")

    def _find(self, marker: str) -> str | None:
        channels = self._client.read(
            self._client.api.channels().list(part="contentDetails", mine=True), "channels.list"
        )
        for channel in channels.get("items", []):
            playlist = channel["contentDetails"]["relatedPlaylists"]["uploads"]
            listing = self._client.read(
                self._client.api.playlistItems().list(part="snippet", playlistId=playlist, maxResults=50),
                "playlistItems.list",
            )
            for item in listing.get("items", []):
                lines = item["snippet"].get("description", "").splitlines()
                if lines and lines[-1].strip() == marker:
                    return str(item["snippet"]["resourceId"]["videoId"])
        return None

    def check(self, remote_id: str) -> Checked:
        """Processing state and the privacy YouTube really gave it."""
        answer = self._client.read(
            self._client.api.videos().list(part="status,processingDetails", id=remote_id), "videos.list"
        )
        if not answer.get("items"):
            return Checked("gone", code="videoNotFound", reason="The video is not on YouTube any more.")
        item = answer["items"][0]
        status = item.get("status", {})
        url = f"https://www.youtube.com/watch?v={remote_id}"
        publish_at = datetime.fromisoformat(status["publishAt"]) if status.get("publishAt") else None
        upload = status.get("uploadStatus")
        if upload in ("failed", "rejected", "deleted"):
            code = str(status.get("failureReason") or status.get("rejectionReason") or upload)
            return Checked("failed", status.get("privacyStatus"), url, code, _REASONS.get(code, _REASONS["failed"]))
        processing = item.get("processingDetails", {}).get("processingStatus")
        if processing in ("failed", "terminated") and upload != "processed":
            return Checked("failed", status.get("privacyStatus"), url, str(processing), _REASONS["failed"])
        state: Literal["ready", "processing"] = "ready" if upload == "processed" else "processing"
        return Checked(state, status.get("privacyStatus"), url, publish_at=publish_at)

    def set_release(self, remote_id: str, privacy: str, publish_at: datetime | None) -> None:
        """``videos.update`` of the status. What the update leaves out YouTube deletes, so the rest is read first."""
        answer = self._client.read(self._client.api.videos().list(part="status", id=remote_id), "videos.list")
        if not answer.get("items"):
            raise PlatformFailure("The video is not on YouTube any more.", error_class="rejected", code="videoNotFound")
        held = answer["items"][0].get("status", {})
        status = {name: held[name] for name in _KEPT_STATUS if name in held}
        status |= (
            {"privacyStatus": "private", "publishAt": _rfc3339(publish_at)}
            if publish_at is not None
            else {"privacyStatus": privacy}
        )
        self._client.change(
            self._client.api.videos().update(part="status", body={"id": remote_id, "status": status}), "videos.update"
        )

    # -- finalize

    def steps(self, request: PublishRequest) -> tuple[str, ...]:
        """Thumbnail, captions by language, playlist: in that order."""
        names = ["thumbnail"] if request.thumbnail is not None else []
        names += [f"captions:{track.language}" for track in request.captions]
        if request.playlist_id:
            names.append(f"playlist:{request.playlist_id}")
        return tuple(names)

    def finalize(self, request: PublishRequest, remote_id: str, step: str, *, repeated: bool = False) -> str | None:
        """One step. A thumbnail set twice is the same thumbnail; captions that exist are taken as done; a playlist is
        read before it is added to again."""
        name, _, detail = step.partition(":")
        if name == "thumbnail" and request.thumbnail is not None:
            kind = "image/png" if request.thumbnail.suffix.lower() == ".png" else "image/jpeg"
            self._client.change(
                self._client.uploads.thumbnails().set(
                    videoId=remote_id, media_body=MediaFileUpload(str(request.thumbnail), mimetype=kind)
                ),
                "thumbnails.set",
            )
            return None
        if name == "captions":
            track = next(each for each in request.captions if each.language == detail)
            body = {"snippet": {"videoId": remote_id, "language": track.language, "name": track.name}}
            try:
                made = self._client.change(
                    self._client.uploads.captions().insert(
                        part="snippet",
                        body=body,
                        media_body=MediaFileUpload(str(track.path), mimetype="application/octet-stream"),
                    ),
                    "captions.insert",
                )
            except PlatformFailure as failure:
                if failure.code == "captionExists" and repeated:
                    return None
                raise
            return str(made.get("id", "")) or None
        if repeated and self._in_playlist(detail, remote_id):
            return None
        resource = {"kind": "youtube#video", "videoId": remote_id}
        made = self._client.change(
            self._client.api.playlistItems().insert(
                part="snippet", body={"snippet": {"playlistId": detail, "resourceId": resource}}
            ),
            "playlistItems.insert",
        )
        return str(made.get("id", "")) or None

    def _in_playlist(self, playlist_id: str, remote_id: str) -> bool:
        listing = self._client.read(
            self._client.api.playlistItems().list(part="snippet", playlistId=playlist_id, maxResults=50),
            "playlistItems.list",
        )
        return any(item["snippet"]["resourceId"]["videoId"] == remote_id for item in listing.get("items", []))

    # -- figures

    def fetch_metrics(self, remote_ids: Sequence[str], since: date | None = None) -> MetricsReport:
        """See :func:`providers.publishing.youtube_figures.metrics`."""
        return youtube_figures.metrics(self._client, remote_ids, since)

    def fetch_revenue(
        self, remote_ids: Sequence[str], start: date, end: date, currency: str = "USD"
    ) -> list[RevenueRow]:
        """See :func:`providers.publishing.youtube_figures.revenue`."""
        return youtube_figures.revenue(self._client, remote_ids, start, end, currency)


_REASONS = {
    "failed": "YouTube could not process the video.",
    "conversion": "YouTube could not convert the video.",
    "invalidFile": "YouTube does not take this kind of file.",
    "emptyFile": "YouTube received an empty file.",
    "tooSmall": "The file is too small for YouTube.",
    "codec": "YouTube does not know the video's codec.",
    "uploadAborted": "The upload was broken off.",
    "duplicate": "YouTube says this video is on the channel already.",
    "copyright": "YouTube rejected the video for a copyright claim.",
    "claim": "YouTube rejected the video for a copyright claim.",
    "trademark": "YouTube rejected the video for a trademark claim.",
    "length": "The video is too long for this channel.",
    "deleted": "The video was deleted on YouTube.",
    "rejected": "YouTube rejected the video.",
}


_KEPT_STATUS = (
    "embeddable",
    "license",
    "publicStatsViewable",
    "selfDeclaredMadeForKids",
    "containsSyntheticMedia",
)


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _body(request: PublishRequest) -> dict[str, Any]:
    """The resource. Privacy is always stated, because YouTube takes a missing one as public."""
    snippet: dict[str, Any] = {
        "title": request.title,
        "description": describe(request.description, request.marker),
        "tags": list(request.tags),
        "categoryId": request.category_id,
    }
    if request.language:
        snippet |= {"defaultLanguage": request.language, "defaultAudioLanguage": request.language}
    status: dict[str, Any] = {
        "privacyStatus": request.privacy,
        "selfDeclaredMadeForKids": request.made_for_kids,
        "containsSyntheticMedia": request.synthetic_media,
    }
    if request.publish_at is not None:
        status |= {"privacyStatus": "private", "publishAt": _rfc3339(request.publish_at)}
    return {"snippet": snippet, "status": status}

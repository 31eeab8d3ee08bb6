"""Facebook Pages: Reels in three phases, page videos in ranges the server chooses, times, thumbnails, captions."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import UTC, datetime
from typing import Any

from tests.fakes.loopback import Dropped
from tests.fakes.meta.answers import Refused, unknown
from tests.fakes.meta.state import EARLIEST, LATEST, Page, Video

LARGEST = 10 * 1024**3
FIELDS = frozenset(
    ("id", "status", "published", "permalink_url", "scheduled_publish_time", "created_time", "likes", "comments")
)
_CAPTION_FILE = re.compile(r"^[\w-]+\.[a-z]{2}_[A-Z]{2}\.srt$")


class Pages:
    """Part of the handler."""

    state: Any
    params: dict[str, str]
    files: dict[str, bytes]
    filename: Any
    headers: Any
    command: str
    _answer: Any
    _misbehave: Any
    _afterwards: Any
    _page: Any
    _own_page: Any
    _token: Any
    _take: Any
    _rupload_error: Any
    _insights: Any

    def _page_object(self, name: str, edge: str) -> None:
        if name in self.state.pages:
            if (edge, self.command) != ("video_reels", "POST"):
                raise unknown(name)
            self._reels(self._page(name))
            return
        video = self._own_video(name)
        if edge == "" and self.command == "GET":
            self._misbehave("video.get", video.page_id)
            self._answer(200, self._shown(video))
        elif edge == "" and self.command == "POST":
            self._change(video)
        elif edge == "" and self.command == "DELETE":
            fault = self._misbehave("video.delete", video.page_id)
            video.deleted = True
            self.state.record("delete", video_id=video.video_id, published=video.state == "PUBLISHED")
            self._afterwards(fault)
            self._answer(200, {"success": True})
        elif edge == "thumbnails" and self.command == "POST":
            self._thumbnail(video)
        elif edge == "captions" and self.command == "POST":
            self._captions(video)
        elif edge == "video_insights" and self.command == "GET":
            self._insights(video, video.kind, video.page_id)
        else:
            raise unknown(name)

    def _own_video(self, video_id: str) -> Video:
        page = self._own_page("pages_read_engagement")
        video = self.state.videos.get(video_id)
        if video is None or video.page_id != page.page_id or video.deleted:
            raise unknown(video_id)
        return video

    def _open(self, page: Page, kind: str, total: int) -> Video:
        video = Video(str(10**14 + secrets.randbelow(10**14)), page.page_id, kind, total)
        video.session = str(secrets.randbelow(10**15))
        with self.state.lock:
            self.state.videos[video.video_id] = video
            self.state.record("open", video_id=video.video_id, page_id=page.page_id, media=kind)
        return video

    # -- Reels

    def _reels(self, page: Page) -> None:
        phase = self.params.get("upload_phase")
        if phase == "start":
            fault = self._misbehave("reel.start", page.page_id)
            self._within_cap(page)
            video = self._open(page, "reel", 0)
            self._afterwards(fault)
            where = f"http://{self.headers['Host']}/rupload/video-upload/v25.0/{video.video_id}"
            self._answer(200, {"video_id": video.video_id, "upload_url": where})
            return
        if phase != "finish":
            raise Refused(100, "Invalid parameter: upload_phase")
        video = self.state.videos.get(self.params.get("video_id", ""))
        if video is None or video.kind != "reel" or video.page_id != page.page_id or video.deleted:
            raise Refused(100, "Invalid parameter: video_id", subcode=33)
        fault = self._misbehave("reel.finish", page.page_id)
        if not video.total or video.kept < video.total:
            raise Refused(6000, "There was a problem uploading your video file.", subcode=1363130)
        state = self.params.get("video_state", "")
        if state not in ("PUBLISHED", "SCHEDULED", "DRAFT"):
            raise Refused(100, "Invalid parameter: video_state")
        scheduled = self._time() if state == "SCHEDULED" else None
        with self.state.lock:
            if state == "PUBLISHED" and not video.finished:
                self._within_cap(page)
            self.state.finish(video, self.params, state, scheduled)
        self._afterwards(fault)
        self._answer(200, {"success": True})

    def _within_cap(self, page: Page) -> None:
        if self.state.reels_today(page.page_id) >= self.state.reels_cap:
            raise Refused(613, "Calls to this api have exceeded the rate limit.", status=403)

    def _reel_bytes(self, video_id: str) -> None:
        try:
            page = self._upload_token()
        except Refused as refusal:
            self._rupload_error(401, "NotAuthorizedError", refusal.error["message"])
            return
        video = self.state.videos.get(video_id)
        if video is None or video.kind != "reel" or video.page_id != page or video.finished:
            self._rupload_error(404, "VideoNotFound", "no such video")
            return
        try:
            fault = self._misbehave("reel.upload", page)
            with video.lock:
                self._take(video, fault)
        except Refused as refusal:
            self._rupload_error(refusal.status, "ProcessingFailedError", refusal.error["message"], retriable=False)
            return
        self._afterwards(fault)
        self._answer(200, {"success": True})

    def _upload_token(self) -> str:
        """The upload hosts take ``Authorization: OAuth <token>`` and ask for no proof."""
        scheme, _, value = self.headers.get("Authorization", "").partition(" ")
        token = self.state.tokens.get(value) if scheme == "OAuth" else None
        if token is None or token.kind != "page":
            raise Refused(190, "Invalid OAuth access token.")
        if token.subcode is not None or (token.expires is not None and token.expires <= self.state.now()):
            raise Refused(190, "Session has expired.", subcode=token.subcode or 463)
        return str(token.page_id)

    # -- page videos

    def _page_video(self, page: Page) -> None:
        phase = self.params.get("upload_phase")
        if phase == "start":
            fault = self._misbehave("video.start", page.page_id)
            size = self.params.get("file_size", "")
            if not size.isdigit() or not 0 < int(size) <= LARGEST:
                raise Refused(100, "Invalid parameter: file_size", subcode=1363022)
            video = self._open(page, "video", int(size))
            self._afterwards(fault)
            named = {"upload_session_id": video.session, "video_id": video.video_id}
            self._answer(200, {**named, **self._range(video)})
            return
        session = self.params.get("upload_session_id")
        video = next((each for each in self.state.videos.values() if each.session == session), None)
        if video is None or video.page_id != page.page_id or video.deleted or video.finished:
            raise Refused(6001, "There was a problem with your upload session.", subcode=1363041)
        if phase == "transfer":
            self._transfer(video)
        elif phase == "finish":
            self._finish_video(video)
        else:
            raise Refused(100, "Invalid parameter: upload_phase")

    def _range(self, video: Video) -> dict[str, str]:
        """Which bytes the server wants next: text, as it answers; nothing when both are the file's end."""
        end = min(video.total, video.kept + self.state.range_bytes + video.kept % 1013)
        return {"start_offset": str(video.kept), "end_offset": str(end)}

    def _transfer(self, video: Video) -> None:
        fault = self._misbehave("video.transfer", video.page_id)
        chunk = self.files.get("video_file_chunk")
        if chunk is None:
            raise Refused(100, "video_file_chunk is required")
        with video.lock:
            wanted = self._range(video)
            start, end = int(wanted["start_offset"]), int(wanted["end_offset"])
            offset = {"start_offset": start, "end_offset": end}
            if self.params.get("start_offset") != str(start):
                raise Refused(6001, "Your video upload was interrupted.", subcode=1363037, data=offset)
            if len(chunk) != end - start:
                raise Refused(100, f"{end - start} bytes were asked for", subcode=1363021)
            if fault is not None and fault.do == "cut":
                chunk = chunk[: fault.bytes]
            video.digest.update(chunk)
            video.kept += len(chunk)
            video.received += len(chunk)
            if fault is not None and fault.do == "cut":
                raise Dropped
            answer = self._range(video)
        self._afterwards(fault)
        self._answer(200, answer)

    def _finish_video(self, video: Video) -> None:
        fault = self._misbehave("video.finish", video.page_id)
        if video.kept < video.total:
            raise Refused(6001, "The upload is not complete.", subcode=1363037, data={"start_offset": video.kept})
        if len(self.params.get("title", "")) > 255:
            raise Refused(100, "Title is too long")
        published = self.params.get("published", "true") == "true"
        if published and "scheduled_publish_time" in self.params:
            raise Refused(100, "You cannot specify a scheduled publish time on a published post.")
        scheduled = None if published or "scheduled_publish_time" not in self.params else self._time()
        state = "PUBLISHED" if published else "SCHEDULED" if scheduled else "DRAFT"
        with self.state.lock:
            self.state.finish(video, self.params, state, scheduled)
        self._afterwards(fault)
        self._answer(200, {"success": True})

    # -- afterwards

    def _time(self) -> float:
        text = self.params.get("scheduled_publish_time", "")
        try:
            moment = float(text) if text.isdigit() else datetime.fromisoformat(text).timestamp()
        except ValueError:
            raise Refused(100, "Invalid parameter: scheduled_publish_time") from None
        if not EARLIEST <= moment - self.state.now() <= LATEST:
            raise Refused(
                100,
                "The specified scheduled publish time is invalid.",
                subcode=1363116,
                user_message="The time must be between 10 minutes and 30 days from now.",
            )
        return moment

    def _change(self, video: Video) -> None:
        fault = self._misbehave("video.update", video.page_id)
        self.state.keep_time(video)
        if not video.finished:
            raise Refused(100, "The video is not uploaded yet.")
        if video.state == "PUBLISHED":
            raise Refused(100, "The video is published already.")
        if self.params.get("published") == "true":
            if "scheduled_publish_time" in self.params:
                raise Refused(100, "You cannot specify a scheduled publish time on a published post.")
            video.state, video.scheduled, video.published_at = "PUBLISHED", None, self.state.now()
            self.state.record("public", video_id=video.video_id)
        else:
            video.scheduled = self._time()
            video.state = "SCHEDULED"
            self.state.record("update", video_id=video.video_id, scheduled=video.scheduled)
        self._afterwards(fault)
        self._answer(200, {"success": True})

    def _thumbnail(self, video: Video) -> None:
        fault = self._misbehave("thumbnail", video.page_id)
        source = self.files.get("source", b"")
        if not source[:3] == b"\xff\xd8\xff" and not source[:4] == b"\x89PNG":
            raise Refused(100, "Invalid image.", subcode=1366046)
        if len(source) > 10 * 1024 * 1024:
            raise Refused(100, "The image is too large.", subcode=1366046)
        if self.params.get("is_preferred") == "true":
            video.thumbnail = hashlib.sha256(source).hexdigest()
        self.state.record("thumbnail", video_id=video.video_id)
        self._afterwards(fault)
        self._answer(200, {"success": True})

    def _captions(self, video: Video) -> None:
        fault = self._misbehave("captions", video.page_id)
        content = self.files.get("captions_file", b"")
        if not content or not _CAPTION_FILE.match(str(self.filename)):
            raise Refused(100, "The file must be called filename.locale.srt", subcode=386)
        video.captions[str(self.filename).split(".")[1]] = hashlib.sha256(content).hexdigest()
        self.state.record("captions", video_id=video.video_id, file=self.filename)
        self._afterwards(fault)
        self._answer(200, {"success": True})

    def _shown(self, video: Video) -> dict[str, Any]:
        """The Video node; each look at a finished one brings processing one step on."""
        self.state.keep_time(video)
        names = {name.split(".")[0] for name in re.sub(r"\([^)]*\)", "", self.params.get("fields", "id")).split(",")}
        unknown_names = names - FIELDS
        if unknown_names:
            raise Refused(100, f"Tried accessing nonexisting field ({sorted(unknown_names)[0]})")
        if video.finished and "status" in names:
            video.polls += 1
        ready = video.finished and video.polls >= self.state.polls_until_ready
        path = f"/reel/{video.video_id}/" if video.kind == "reel" else f"/{video.page_id}/videos/{video.video_id}/"
        whole: dict[str, Any] = {
            "id": video.video_id,
            "status": self._phases(video, ready=ready),
            "published": video.finished and video.state == "PUBLISHED" and ready,
            "permalink_url": path,
            "created_time": _iso(self.state.now() if video.published_at is None else video.published_at),
        }
        if video.state == "SCHEDULED" and video.scheduled is not None:
            whole["scheduled_publish_time"] = _iso(video.scheduled)
        for name, count in (("likes", video.likes), ("comments", video.comments)):
            if count is not None:
                whole[name] = {"data": [], "summary": {"total_count": count}}
        return {"id": video.video_id} | {name: value for name, value in whole.items() if name in names}

    def _phases(self, video: Video, *, ready: bool) -> dict[str, Any]:
        complete = bool(video.total) and video.kept >= video.total
        uploading = {"status": "complete" if complete else "in_progress", "bytes_transfered": video.kept}
        if video.error:
            errors = [{"code": 1363128, "message": video.error}]
            return {
                "video_status": "error",
                "uploading_phase": uploading,
                "processing_phase": {"status": "error", "errors": errors},
                "publishing_phase": {"status": "not_started"},
            }
        publishing: dict[str, Any] = {"status": "not_started"}
        if ready:
            publishing = {"status": "complete", "publish_status": video.state.lower()}
            when = video.scheduled if video.state == "SCHEDULED" else video.published_at
            if when is not None:
                publishing["publish_time"] = _iso(when)
        name = "ready" if ready else "processing" if video.finished else "upload_complete" if complete else "uploading"
        processing = "complete" if ready else "in_progress" if video.finished else "not_started"
        return {
            "video_status": name,
            "uploading_phase": uploading,
            "processing_phase": {"status": processing},
            "publishing_phase": publishing,
        }


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")

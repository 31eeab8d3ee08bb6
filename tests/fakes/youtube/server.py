"""The loopback YouTube's HTTP side: resumable uploads, Data API, Analytics, OAuth, and the tests' own switches.

It refuses what the vendor's documentation says is refused; nothing in it knows the code under test.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import time
from collections.abc import Callable
from email.parser import BytesParser
from typing import Any

from tests.fakes.loopback import Dropped, Fault
from tests.fakes.youtube.admin import Admin
from tests.fakes.youtube.answers import Refused
from tests.fakes.youtube.oauth import OAuth
from tests.fakes.youtube.rules import check_insert
from tests.fakes.youtube.state import SCOPES, Account, Session

GRANULE = 262_144
LARGEST = 274_877_906_944
_RANGE = re.compile(r"^bytes (?:(\d+)-(\d+)|\*)/(\d+)$")


class Handler(OAuth, Admin):
    """Routes."""

    def route(self, path: str) -> None:
        routes: dict[tuple[str, str], Callable[[], None]] = {
            ("POST", "/token"): self._token,
            ("GET", "/o/oauth2/v2/auth"): self._consent,
            ("GET", "/o/oauth2/v2/answer"): self._answered,
            ("POST", "/upload/youtube/v3/videos"): self._open,
            ("PUT", "/upload/youtube/v3/videos"): self._put,
            ("POST", "/upload/youtube/v3/thumbnails/set"): self._thumbnail,
            ("POST", "/upload/youtube/v3/captions"): self._captions,
            ("GET", "/youtube/v3/videos"): self._videos,
            ("PUT", "/youtube/v3/videos"): self._update_video,
            ("GET", "/youtube/v3/channels"): self._channels,
            ("GET", "/youtube/v3/playlistItems"): self._playlist_items,
            ("POST", "/youtube/v3/playlistItems"): self._add_to_playlist,
            ("GET", "/v2/reports"): self._reports,
        }
        try:
            if path.startswith("/_admin/"):
                self._admin(path.removeprefix("/_admin/"))
                return
            handler = routes.get((self.command, path))
            if handler is None:
                raise Refused(404, "notFound")
            handler()
        except Refused as refusal:
            self.answer(
                refusal.status,
                {
                    "error": {
                        "code": refusal.status,
                        "message": refusal.message,
                        "errors": [{"domain": refusal.domain, "reason": refusal.reason, "message": refusal.message}],
                    }
                },
                refusal.headers,
            )

    def _account(self) -> Account:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        account = self.state.account_of(token) if scheme == "Bearer" else None
        if account is None:
            raise Refused(401, "authError", "Invalid Credentials", "global")
        return account

    def _spend(self, account: Account, method: str) -> None:
        """The scope is looked at first; a call of a method costs whether or not it is refused later."""
        self._permit(account, method)
        reason = self.state.spend(method)
        if reason:
            raise Refused(403, reason, "The request cannot be completed: quota.", "youtube.quota")

    def _permit(self, account: Account, method: str) -> None:
        if not SCOPES[method] & set(account.scopes):
            raise Refused(403, "insufficientPermissions", "Request had insufficient authentication scopes.", "global")

    def _misbehave(self, on: str, account: Account | None = None) -> Fault | None:
        """Faults that need nothing done first; others are returned for the handler to do."""
        fault = self.state.fault(on, account.channel_id if account else None)
        if fault is None:
            return None
        if fault.do == "status":
            wait = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
            raise Refused(fault.status, fault.code, headers=wait)
        if fault.do == "drop_before":
            raise Dropped
        if fault.do == "stall":
            time.sleep(fault.seconds)
            return None
        return fault

    # -- uploads

    def _open(self) -> None:
        account = self._account()
        if self.query.get("uploadType") != "resumable":
            raise Refused(400, "uploadTypeRequired")
        raw = self.body()
        body = json.loads(raw or b"{}")
        fault = self._misbehave("open", account)
        self._spend(account, "videos.insert")
        if self.headers.get("Content-Type", "").split(";")[0] != "application/json":
            raise Refused(400, "parseError")
        if account.upload_limit is not None and account.uploads_today >= account.upload_limit:
            raise Refused(400, "uploadLimitExceeded", "The user has exceeded the number of videos they may upload.")
        check_insert(body, set(self.query.get("part", "").split(",")))
        total = self.headers.get("X-Upload-Content-Length")
        kind = self.headers.get("X-Upload-Content-Type", "")
        if total is None or not total.isdigit() or not 0 < int(total) <= LARGEST:
            raise Refused(400, "mediaBodyRequired")
        if not kind.startswith("video/") and kind != "application/octet-stream":
            raise Refused(400, "badContent", f"Media type {kind!r} is not supported.", "global")
        session = Session(
            upload_id=secrets.token_urlsafe(24),
            channel_id=account.channel_id,
            total=int(total),
            body=body,
            mime_type=kind,
        )
        with self.state.lock:
            self.state.sessions[session.upload_id] = session
            self.state.record(
                "session",
                upload_id=session.upload_id,
                channel_id=account.channel_id,
                body=raw.decode(),
                open_beside=self._unfinished(session),
            )
        if fault is not None and fault.do == "drop_after":
            raise Dropped
        host = self.headers["Host"]
        location = f"http://{host}/upload/youtube/v3/videos?uploadType=resumable&upload_id={session.upload_id}"
        self.answer(200, None, {"Location": location})

    def _unfinished(self, session: Session) -> int:
        """How many other uploads of the same channel were under way when this one was opened."""
        return sum(
            each.channel_id == session.channel_id and each.video_id is None and not each.expired and each is not session
            for each in self.state.sessions.values()
        )

    def _put(self) -> None:
        session = self.state.sessions.get(self.query.get("upload_id", ""))
        match = _RANGE.match(self.headers.get("Content-Range", ""))
        probe = match is not None and match.group(1) is None
        last = match is not None and not probe and int(match.group(2)) + 1 == int(match.group(3))
        account = self._account()
        fault = self._misbehave("probe" if probe else "last_chunk" if last else "chunk", account)
        gone = fault is not None and fault.do == "expire"
        if session is not None and (gone or time.time() - session.opened > self.state.session_life):
            session.expired = True
        if session is None or session.expired or session.channel_id != account.channel_id:
            status = 410 if fault is not None and gone and fault.status == 410 else 404
            raise Refused(status, "notFound", "The upload session does not exist.")
        with session.lock:
            self._take(session, match, probe=probe, last=last, fault=fault)

    def _take(
        self, session: Session, match: re.Match[str] | None, *, probe: bool, last: bool, fault: Fault | None
    ) -> None:
        """One request of a session at a time, as the bytes of one file can only be in one order."""
        length = int(self.headers.get("Content-Length", -1))
        if session.video_id is not None:
            self.drain()
            video = self.state.videos[session.video_id]
            self.answer(200, self.state.resource(video, {"snippet", "status"}))
            return
        if match is None or int(match.group(3)) != session.total:
            raise Refused(400, "badContentRange")
        if probe:
            if length != 0:
                raise Refused(400, "badContentRange", "A question has no body.")
            self._incomplete(session)
            return
        start, end = int(match.group(1)), int(match.group(2))
        if not start <= end < session.total:
            raise Refused(400, "badContentRange", f"The file ends at byte {session.total - 1}.")
        if length != end - start + 1 or (not last and length % GRANULE):
            raise Refused(400, "badChunkSize", f"{length} bytes is not a multiple of {GRANULE}.")
        if start != session.kept:
            raise Refused(400, "badOffset", f"Expected byte {session.kept}.")
        self._store(session, length, fault)
        if session.kept < session.total:
            self._incomplete(session)
            return
        with self.state.lock:
            video = self.state.finish(session)
        if fault is not None and fault.do == "drop_after":
            raise Dropped
        self.answer(200, self.state.resource(video, {"snippet", "status"}))

    def _store(self, session: Session, length: int, fault: Fault | None) -> None:
        """Keep what arrives, piece by piece, whole granules only when the connection breaks."""
        keep = min(fault.bytes, length) if fault is not None and fault.do == "partial" else length
        held = b""
        left = length
        self._read = True
        while left:
            piece = self.rfile.read(min(left, GRANULE))
            if not piece:
                raise Dropped
            left -= len(piece)
            session.received += len(piece)
            take = piece[: max(0, keep)]
            keep -= len(take)
            held += take
            whole = len(held) if not left else len(held) // GRANULE * GRANULE
            session.digest.update(held[:whole])
            session.kept += whole
            held = held[whole:]
            if fault is not None and fault.do == "cut" and session.received >= fault.bytes:
                raise Dropped

    def _incomplete(self, session: Session) -> None:
        self.drain()
        headers = {"Range": f"bytes=0-{session.kept - 1}"} if session.kept else {}
        self.answer(308, None, headers)

    # -- after the upload

    def _own_video(self, account: Account, video_id: str | None) -> Any:
        video = self.state.videos.get(video_id or "")
        if video is None or video.channel_id != account.channel_id or video.deleted:
            raise Refused(404, "videoNotFound")
        return video

    def _thumbnail(self) -> None:
        account = self._account()
        fault = self._misbehave("thumbnail", account)
        self._spend(account, "thumbnails.set")
        video = self._own_video(account, self.query.get("videoId"))
        body = self.body()
        if self.headers.get("Content-Type", "").split(";")[0] not in ("image/jpeg", "image/png"):
            raise Refused(400, "invalidImage")
        if not body or len(body) > 52_428_800:
            raise Refused(413, "imageTooLarge")
        video.thumbnail = hashlib.sha256(body).hexdigest()
        self.state.record("thumbnail", video_id=video.video_id, sha256=video.thumbnail)
        if fault is not None and fault.do == "drop_after":
            raise Dropped
        self.answer(200, {"kind": "youtube#thumbnailSetResponse", "items": [{}]})

    def _captions(self) -> None:
        account = self._account()
        fault = self._misbehave("captions", account)
        self._spend(account, "captions.insert")
        kind = self.headers.get("Content-Type", "")
        if not kind.startswith("multipart/related"):
            raise Refused(400, "contentRequired")
        message = BytesParser().parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + self.body())
        metadata, media = message.get_payload()
        snippet = json.loads(metadata.get_payload(decode=True))["snippet"]
        video = self._own_video(account, snippet.get("videoId"))
        content = media.get_payload(decode=True)
        if not content:
            raise Refused(400, "contentRequired")
        if any((held["language"], held["name"]) == (snippet["language"], snippet["name"]) for held in video.captions):
            raise Refused(409, "captionExists")
        video.captions.append({**snippet, "sha256": hashlib.sha256(content).hexdigest()})
        self.state.record("captions", video_id=video.video_id, language=snippet["language"])
        if fault is not None and fault.do == "drop_after":
            raise Dropped
        self.answer(200, {"kind": "youtube#caption", "id": secrets.token_urlsafe(8), "snippet": snippet})

    def _videos(self) -> None:
        account = self._account()
        self._misbehave("videos.list", account)
        self._spend(account, "videos.list")
        ids = [each for each in self.query.get("id", "").split(",") if each]
        if not ids or len(ids) > 50:
            raise Refused(400, "invalidFilters")
        parts = set(self.query.get("part", "").split(","))
        with self.state.lock:
            found = [self.state.videos[each] for each in ids if each in self.state.videos]
            items = [
                self.state.resource(video, parts, poll="processingDetails" in parts)
                for video in found
                if not video.deleted
            ]
        self.answer(200, {"kind": "youtube#videoListResponse", "items": items})

    def _update_video(self) -> None:
        account = self._account()
        fault = self._misbehave("videos.update", account)
        self._spend(account, "videos.update")
        if self.query.get("part") != "status":
            raise Refused(400, "unexpectedPart")
        body = json.loads(self.body())
        video = self._own_video(account, body.get("id"))
        with self.state.lock:
            self.state.update_status(video, body.get("status", {}))
            answer = self.state.resource(video, {"status"})
        if fault is not None and fault.do == "drop_after":
            raise Dropped
        self.answer(200, answer)

    def _channels(self) -> None:
        account = self._account()
        self._misbehave("channels.list", account)
        self._spend(account, "channels.list")
        item = {
            "id": account.channel_id,
            "snippet": {"title": account.title},
            "contentDetails": {"relatedPlaylists": {"uploads": account.uploads_playlist}},
        }
        self.answer(200, {"kind": "youtube#channelListResponse", "items": [item]})

    def _playlist_items(self) -> None:
        account = self._account()
        self._misbehave("playlistItems.list", account)
        self._spend(account, "playlistItems.list")
        size = min(int(self.query.get("maxResults", 5)), 50)
        start = int(self.query.get("pageToken", 0))
        with self.state.lock:
            found = self.state.listed(self.query.get("playlistId", ""))
        items = [
            {"snippet": {**video.snippet, "resourceId": {"kind": "youtube#video", "videoId": video.video_id}}}
            for video in found[start : start + size]
        ]
        answer: dict[str, Any] = {"kind": "youtube#playlistItemListResponse", "items": items}
        if start + size < len(found):
            answer["nextPageToken"] = str(start + size)
        self.answer(200, answer)

    def _add_to_playlist(self) -> None:
        account = self._account()
        fault = self._misbehave("playlist", account)
        self._spend(account, "playlistItems.insert")
        snippet = json.loads(self.body())["snippet"]
        video = self._own_video(account, snippet["resourceId"]["videoId"])
        self.state.playlists.setdefault(snippet["playlistId"], []).append(video.video_id)
        self.state.record("playlist", video_id=video.video_id, playlist_id=snippet["playlistId"])
        if fault is not None and fault.do == "drop_after":
            raise Dropped
        self.answer(200, {"kind": "youtube#playlistItem", "id": secrets.token_urlsafe(8), "snippet": snippet})

    def _reports(self) -> None:
        account = self._account()
        self._misbehave("reports", account)
        self._permit(account, "reports.query")
        if "evenue" in self.query.get("metrics", ""):
            self._permit(account, "reports.query money")
        missing = {"ids", "startDate", "endDate", "metrics"} - set(self.query)
        if missing or self.query["ids"] != "channel==MINE":
            raise Refused(400, "badRequest", f"missing {sorted(missing)}", "global")
        with self.state.lock:
            answer = self.state.report(account.channel_id, self.query)
        self.answer(200, answer)

"""The loopback TikTok's HTTP side. It refuses what the vendor's documentation says is refused; nothing in it knows the
code under test."""

from __future__ import annotations

import hashlib
import html
import json
import re
import secrets
import time
from typing import Any
from urllib.parse import parse_qs, urlencode

from tests.fakes.loopback import Dropped, Fault
from tests.fakes.tiktok.admin import Admin
from tests.fakes.tiktok.rules import Refused, check_chunks, check_post
from tests.fakes.tiktok.state import Creator, Upload

_RANGE = re.compile(r"^bytes (\d+)-(\d+)/(\d+)$")
_TYPES = ("video/mp4", "video/quicktime", "video/webm")
_FIELDS = {"id", "title", "view_count", "like_count", "comment_count", "share_count", "duration", "create_time"}
_PIECE = 1 << 20


class Handler(Admin):
    """Routes."""

    def route(self, path: str) -> None:
        routes = {
            ("POST", "/v2/oauth/token/"): self._token,
            ("GET", "/v2/auth/authorize/"): self._consent,
            ("GET", "/v2/auth/answer/"): self._answered,
            ("POST", "/v2/post/publish/creator_info/query/"): self._creator_info,
            ("POST", "/v2/post/publish/video/init/"): self._init,
            ("POST", "/v2/post/publish/status/fetch/"): self._status,
            ("POST", "/v2/video/query/"): self._videos,
        }
        try:
            if path.startswith("/_admin/"):
                self._admin(path.removeprefix("/_admin/"))
            elif self.command == "PUT" and path.startswith("/upload/"):
                self._put(path.removeprefix("/upload/"))
            elif (self.command, path) in routes:
                routes[self.command, path]()
            else:
                raise Refused(404, "not_found", path)
        except Refused as refusal:
            self._envelope(refusal.status, {}, refusal.code, refusal.message, refusal.headers)

    def _envelope(
        self, status: int, data: dict[str, Any], code: str = "ok", message: str = "", headers: Any = None
    ) -> None:
        error = {"code": code, "message": message, "log_id": secrets.token_hex(16)}
        self.answer(status, {"data": data, "error": error}, headers)

    def _misbehave(self, on: str, creator: Creator | None = None) -> Fault | None:
        """Faults that need nothing done first; others are returned for the caller to do."""
        fault = self.state.faults.due(on, creator.open_id if creator else None)
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

    def _creator(self, scope: str, call: str = "") -> Creator:
        """Whose token this is; its scope and its rate are looked at."""
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        with self.state.lock:
            creator = self.state.creator_of(token) if scheme == "Bearer" else None
            if creator is None:
                raise Refused(401, "access_token_invalid", "The access token is invalid or not found in the request.")
            if scope not in creator.scopes:
                raise Refused(401, "scope_not_authorized", "The user did not authorize the scope required.")
            if call and not self.state.within_rate(token, call):
                raise Refused(429, "rate_limit_exceeded", "The API rate limit was exceeded.")
        return creator

    def _json(self) -> dict[str, Any]:
        raw = self.body()
        if self.headers.get("Content-Type", "").split(";")[0].strip() != "application/json":
            raise Refused(400, "invalid_params", "Content-Type")
        try:
            loaded = json.loads(raw or b"{}")
        except ValueError:
            raise Refused(400, "invalid_params", "The body is not JSON.") from None
        if not isinstance(loaded, dict):
            raise Refused(400, "invalid_params", "The body is not an object.")
        return loaded

    # -- OAuth

    def _token(self) -> None:
        form = {key: values[0] for key, values in parse_qs(self.body().decode()).items()}
        fault = self._misbehave("token")
        state = self.state
        with state.lock:
            if self.headers.get("Content-Type", "").split(";")[0] != "application/x-www-form-urlencoded":
                return self._no_token("invalid_request", "Only form bodies are accepted.")
            if [form.get("client_key"), form.get("client_secret")] != state.client:
                return self._no_token("invalid_client", "Client key or secret is incorrect.")
            creator: Creator | None = None
            if form.get("grant_type") == "refresh_token":
                held = state.creators.values()
                creator = next((each for each in held if each.refresh_token == form.get("refresh_token")), None)
            elif form.get("grant_type") == "authorization_code":
                open_id, challenge, redirect = state.codes.pop(form.get("code", ""), ("", "", ""))
                digest = hashlib.sha256(form.get("code_verifier", "").encode()).hexdigest()
                if open_id and digest == challenge and redirect == form.get("redirect_uri"):
                    creator = state.creators[open_id]
            else:
                return self._no_token("unsupported_grant_type", "")
            if creator is None or creator.revoked:
                return self._no_token("invalid_grant", "The grant is invalid or expired.")
            if form["grant_type"] == "refresh_token" and creator.rotates:
                creator.refresh_token = "rft." + secrets.token_urlsafe(24)
            answer = {
                "access_token": state.issue(creator.open_id),
                "expires_in": int(state.token_life),
                "open_id": creator.open_id,
                "refresh_expires_in": 31_536_000,
                "refresh_token": creator.refresh_token,
                "scope": ",".join(creator.scopes),
                "token_type": "Bearer",
            }
            state.log.record("token", open_id=creator.open_id, grant=form["grant_type"])
        if fault is not None and fault.do == "drop_after":
            raise Dropped
        self.answer(200, answer)

    def _no_token(self, error: str, description: str) -> None:
        self.answer(400, {"error": error, "error_description": description, "log_id": secrets.token_hex(16)})

    def _consent(self) -> None:
        """A person gets a page with two links, a program the answer at once."""
        query = self.query
        if query.get("client_key") != self.state.client[0] or query.get("response_type") != "code":
            raise Refused(400, "invalid_request", "client_key")
        if query.get("code_challenge_method") != "S256" or not re.fullmatch(r"[0-9a-f]{64}", query["code_challenge"]):
            raise Refused(400, "invalid_request", "code_challenge")  # hexadecimal (Login Kit for Desktop)
        if not {"video.publish", "video.list"} <= set(query.get("scope", "").split(",")):
            raise Refused(400, "invalid_scope", query.get("scope", ""))
        if not query["redirect_uri"].endswith("/api/publishing/accounts/tiktok/callback"):
            raise Refused(400, "redirect_uri_mismatch")
        if "text/html" in self.headers.get("Accept", ""):
            page = "<!doctype html><title>Consent</title><h1>Creator Studio wants access</h1>"
            for answer, words in (("allow", "Allow"), ("deny", "Cancel")):
                target = html.escape(urlencode({**query, "answer": answer}))
                page += f'<p><a href="/v2/auth/answer/?{target}">{words}</a></p>'
            self.answer(200, page)
        else:
            self._answered()

    def _answered(self) -> None:
        back = {"state": self.query["state"]}
        if self.query.get("answer") == "deny":
            back |= {"error": "access_denied", "error_description": "User cancelled."}
        else:
            code = back["code"] = secrets.token_urlsafe(16)
            with self.state.lock:
                open_id = next(iter(self.state.creators))
                self.state.codes[code] = (open_id, self.query["code_challenge"], self.query["redirect_uri"])
        self.answer(302, None, {"Location": f"{self.query['redirect_uri']}?{urlencode(back)}"})

    # -- posting

    def _creator_info(self) -> None:
        self._json()
        creator = self._creator("video.publish", "creator_info")
        self._misbehave("creator_info", creator)
        if creator.banned:
            raise Refused(403, "spam_risk_user_banned_from_posting")
        self._envelope(
            200,
            {
                "creator_avatar_url": "https://example.invalid/avatar.jpg",
                "creator_username": creator.username,
                "creator_nickname": creator.nickname,
                "privacy_level_options": list(creator.privacy_options),
                "comment_disabled": creator.comment_disabled,
                "duet_disabled": creator.duet_disabled,
                "stitch_disabled": creator.stitch_disabled,
                "max_video_post_duration_sec": creator.max_seconds,
            },
        )

    def _init(self) -> None:
        body = self._json()
        creator = self._creator("video.publish", "init")
        fault = self._misbehave("init", creator)
        if set(body) != {"post_info", "source_info"}:
            raise Refused(400, "invalid_params", "post_info and source_info")
        source = body["source_info"]
        if source.get("source") == "PULL_FROM_URL":
            raise Refused(403, "url_ownership_unverified")
        if source.get("source") != "FILE_UPLOAD":
            raise Refused(400, "invalid_params", "source_info.source")
        if set(source) != {"source", "video_size", "chunk_size", "total_chunk_count"}:
            raise Refused(400, "invalid_params", "source_info")
        with self.state.lock:
            check_post(creator, body["post_info"], audited=self.state.audited)
            numbers = source["video_size"], source["chunk_size"], source["total_chunk_count"]
            check_chunks(*numbers)
            made = self.state.open(creator, body["post_info"], *numbers)
            beside = sum(
                each.open_id == creator.open_id and not each.complete and each is not made
                for each in self.state.uploads.values()
            )
            self.state.log.record(
                "init",
                publish_id=made.publish_id,
                upload_token=made.upload_token,
                open_id=creator.open_id,
                body=body,
                open_beside=beside,
            )
        if fault is not None and fault.do == "drop_after":
            raise Dropped
        upload_url = f"http://{self.headers['Host']}/upload/{made.upload_token}"
        self._envelope(200, {"publish_id": made.publish_id, "upload_url": upload_url})

    def _put(self, token: str) -> None:
        """One chunk. The address alone is the permission; chunks come in order and whole."""
        upload = next((each for each in self.state.uploads.values() if each.upload_token == token), None)
        match = _RANGE.match(self.headers.get("Content-Range", ""))
        last = match is not None and int(match[2]) + 1 == int(match[3])
        creator = self.state.creators[upload.open_id] if upload else None
        try:
            fault = self._misbehave("last_chunk" if last else "chunk", creator)
        except Refused as refusal:
            self.answer(refusal.status, None, refusal.headers)
            return
        if upload is None:
            self.answer(404)
            return
        if fault is not None and fault.do == "expire":
            upload.expired = True
        with upload.lock:
            self.answer(*self._take(upload, match, fault))

    def _take(
        self, upload: Upload, match: re.Match[str] | None, fault: Fault | None
    ) -> tuple[int, None, dict[str, str]]:
        length = int(self.headers.get("Content-Length", -1))
        if upload.expired or time.time() - upload.created > self.state.upload_life:
            return 403, None, {}
        if match is None or self.headers.get("Content-Type") not in _TYPES:
            return 400, None, {}
        start, end, total = (int(each) for each in match.groups())
        index = start // upload.chunk_size
        whole_end = upload.size if index >= upload.count - 1 else (index + 1) * upload.chunk_size
        if upload.complete or total != upload.size or start != upload.kept or end + 1 != whole_end:
            return 416, None, {}
        if length != end - start + 1:
            return 400, None, {}
        held = hashlib.sha256()
        held = upload.digest.copy()
        left = length
        self._read = True
        while left:
            piece = self.rfile.read(min(left, _PIECE))
            if not piece:
                raise Dropped
            left -= len(piece)
            upload.received += len(piece)
            held.update(piece)
            if fault is not None and fault.do == "cut" and length - left >= fault.bytes:
                raise Dropped
        with self.state.lock:
            upload.digest, upload.kept = held, end + 1
            if upload.complete:
                self.state.finish(upload)
        if fault is not None and fault.do == "drop_after":
            raise Dropped
        return (201 if upload.complete else 206), None, {"Content-Range": f"bytes 0-{end}/{total}"}

    def _status(self) -> None:
        body = self._json()
        creator = self._creator("video.publish", "status")
        self._misbehave("status", creator)
        with self.state.lock:
            upload = self.state.uploads.get(str(body.get("publish_id")))
            if upload is None:
                raise Refused(400, "invalid_publish_id", "The publish_id does not exist.")
            if upload.open_id != creator.open_id:
                raise Refused(403, "token_not_authorized_for_specified_publish_id")
            self._envelope(200, self.state.status(upload))

    def _videos(self) -> None:
        body = self._json()
        creator = self._creator("video.list")
        self._misbehave("video.query", creator)
        fields = [each for each in self.query.get("fields", "").split(",") if each]
        ids = body.get("filters", {}).get("video_ids", [])
        if not fields or set(fields) - _FIELDS or not 1 <= len(ids) <= 20 or not all(type(i) is str for i in ids):
            raise Refused(400, "invalid_params", "fields, filters.video_ids")
        found = []
        with self.state.lock:
            for upload in self.state.uploads.values():
                visible = upload.open_id == creator.open_id and upload.post_id is not None and not upload.deleted
                if visible and str(upload.post_id) in ids:
                    whole = {
                        "id": str(upload.post_id),
                        "title": upload.post_info.get("title", ""),
                        "create_time": int(upload.created),
                        "duration": 2,
                        **dict.fromkeys(("view_count", "like_count", "comment_count", "share_count"), 0),
                        **upload.statistics,
                    }
                    found.append({name: whole[name] for name in fields})
        self._envelope(200, {"videos": found})

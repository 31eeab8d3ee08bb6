"""What the loopback TikTok remembers: creators, tokens, rate windows, uploads, posts."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fakes.loopback import Faults, Log

ALL_SCOPES = ("user.info.basic", "video.list", "video.publish", "video.upload")
PUBLIC = "PUBLIC_TO_EVERYONE"
PRIVACY_LEVELS = (PUBLIC, "MUTUAL_FOLLOW_FRIENDS", "FOLLOWER_OF_CREATOR", "SELF_ONLY")
PER_MINUTE = {"init": 6, "creator_info": 20, "status": 30}
FIRST_VIDEO = 7_400_000_000_000_000_001
"""Ids are past 2^53: whoever reads them as a floating number gets another video."""


@dataclass
class Creator:
    """A TikTok account."""

    open_id: str
    username: str
    nickname: str
    refresh_token: str
    revoked: bool = False
    rotates: bool = True
    private: bool = False
    """A private account: what an unaudited app may post to."""
    privacy_options: tuple[str, ...] = PRIVACY_LEVELS
    comment_disabled: bool = False
    duet_disabled: bool = False
    stitch_disabled: bool = False
    max_seconds: int = 600
    posts_today: int = 0
    posts_allowed: int = 15
    banned: bool = False
    scopes: tuple[str, ...] = ALL_SCOPES


@dataclass
class Upload:
    """One ``publish_id``. ``digest`` covers exactly the chunks kept."""

    publish_id: str
    upload_token: str
    open_id: str
    post_info: dict[str, Any]
    size: int
    chunk_size: int
    count: int
    created: float = field(default_factory=time.time)
    kept: int = 0
    received: int = 0
    digest: Any = field(default_factory=hashlib.sha256)
    expired: bool = False
    polls: int = 0
    uncounted: int = 0
    """Questions until the last chunk is counted."""
    fail_reason: str = ""
    post_id: int | None = None
    deleted: bool = False
    statistics: dict[str, int] = field(default_factory=dict)
    lock: Any = field(default_factory=threading.Lock)

    @property
    def complete(self) -> bool:
        return self.kept == self.size

    @property
    def public(self) -> bool:
        return bool(self.post_info["privacy_level"] == PUBLIC)


class State:
    """Everything, behind one lock."""

    def __init__(self, log_path: Path | None) -> None:
        self.lock = threading.RLock()
        self.log = Log(log_path)
        self.faults = Faults()
        self.creators: dict[str, Creator] = {}
        self.access: dict[str, tuple[str, float]] = {}
        self.codes: dict[str, tuple[str, str, str]] = {}
        self.uploads: dict[str, Upload] = {}
        self.windows: dict[tuple[str, str], deque[float]] = {}
        self.window_seconds = 60.0
        self.token_life = 86_400.0
        self.upload_life = 3600.0
        self.client = ["studio-key", "studio-secret"]
        self.audited = True
        self.processing_polls = 1
        self.moderation_polls = 2
        self.fail_next = ""
        self.count_lag = 0

    def issue(self, open_id: str, life: float | None = None) -> str:
        """A new access token."""
        token = "act." + secrets.token_urlsafe(24)
        self.access[token] = (open_id, time.time() + (self.token_life if life is None else life))
        return token

    def creator_of(self, token: str) -> Creator | None:
        """The creator of a valid bearer token."""
        found = self.access.get(token)
        if found is None or found[1] <= time.time():
            return None
        creator = self.creators[found[0]]
        return None if creator.revoked else creator

    def within_rate(self, token: str, call: str) -> bool:
        """Count a call of a token in the moving minute; False when there were too many."""
        now = time.time()
        window = self.windows.setdefault((token, call), deque())
        while window and window[0] <= now - self.window_seconds:
            window.popleft()
        if len(window) >= PER_MINUTE[call]:
            return False
        window.append(now)
        return True

    def open(self, creator: Creator, post_info: dict[str, Any], size: int, chunk_size: int, count: int) -> Upload:
        """A new publish id. Nothing is visible to anybody yet."""
        made = Upload(
            publish_id=f"v_pub_file~v2-1.{secrets.randbits(62)}",
            upload_token=secrets.token_urlsafe(24),
            open_id=creator.open_id,
            post_info=post_info,
            size=size,
            chunk_size=chunk_size,
            count=count,
        )
        self.uploads[made.publish_id] = made
        return made

    def finish(self, upload: Upload) -> None:
        """The last byte is here: from now on it is a post, whoever heard of it."""
        creator = self.creators[upload.open_id]
        creator.posts_today += 1
        upload.uncounted = self.count_lag
        upload.fail_reason, self.fail_next = self.fail_next, ""
        self.log.record(
            "post",
            publish_id=upload.publish_id,
            open_id=upload.open_id,
            title=upload.post_info.get("title", ""),
            privacy=upload.post_info["privacy_level"],
            sha256=upload.digest.hexdigest(),
            size=upload.size,
            received=upload.received,
            failed=upload.fail_reason,
        )

    def status(self, upload: Upload) -> dict[str, Any]:
        """What ``status/fetch`` says; each question brings processing, then moderation, one step on."""
        answer: dict[str, Any] = {"uploaded_bytes": upload.kept, "publicaly_available_post_id": []}
        if not upload.complete:
            return {**answer, "status": "PROCESSING_UPLOAD"}
        if upload.uncounted > 0:
            upload.uncounted -= 1
            return {**answer, "status": "PROCESSING_UPLOAD", "uploaded_bytes": (upload.count - 1) * upload.chunk_size}
        upload.polls += 1
        if upload.polls <= self.processing_polls:
            return {**answer, "status": "PROCESSING_UPLOAD"}
        if upload.fail_reason:
            return {**answer, "status": "FAILED", "fail_reason": upload.fail_reason}
        if upload.public and upload.polls > self.processing_polls + self.moderation_polls:
            self.moderate(upload)
        if upload.post_id is not None and not upload.deleted:
            answer["publicaly_available_post_id"] = [upload.post_id]
        return {**answer, "status": "PUBLISH_COMPLETE"}

    def moderate(self, upload: Upload) -> int:
        """The post passes moderation and has an id of its own."""
        if upload.post_id is None:
            upload.post_id = FIRST_VIDEO + len([each for each in self.uploads.values() if each.post_id is not None])
            self.log.record("public", publish_id=upload.publish_id, post_id=str(upload.post_id))
        return upload.post_id

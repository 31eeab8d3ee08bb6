"""The loopback YouTube is as strict as the protocol: what it refuses, asked by plain HTTP and not by our client."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.fakes.youtube.client import FakeYouTube

GRANULE = 262_144
TOTAL = 2 * GRANULE + 10
BODY: dict[str, Any] = {"snippet": {"title": "A", "description": "d"}, "status": {"privacyStatus": "private"}}


class Plain:
    """Requests with an account's bearer token."""

    def __init__(self, fake: FakeYouTube, token: str) -> None:
        self._fake, self._bearer = fake, {"Authorization": f"Bearer {token}"}

    def open(self, body: dict[str, Any] = BODY, total: int = TOTAL, kind: str = "video/mp4") -> httpx.Response:
        headers = {**self._bearer, "X-Upload-Content-Type": kind, "X-Upload-Content-Length": str(total)}
        url = f"{self._fake.url}/upload/youtube/v3/videos?part=snippet,status&uploadType=resumable"
        return httpx.post(url, json=body, headers=headers)

    def put(self, session: str, content_range: str, content: bytes = b"") -> httpx.Response:
        return httpx.put(session, content=content, headers={**self._bearer, "Content-Range": content_range})

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self._fake.url}{path}", headers=self._bearer)


@pytest.fixture
def plain(youtube: FakeYouTube) -> Plain:
    return Plain(youtube, youtube.account()["access_token"])


def _reason(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["errors"][0]["reason"])


def test_a_session_takes_the_next_granules_and_nothing_else(youtube: FakeYouTube, plain: Plain) -> None:
    session = plain.open().headers["Location"]
    assert plain.put(session, f"bytes */{TOTAL}").status_code == 308
    assert "range" not in plain.put(session, f"bytes */{TOTAL}").headers, "nothing stored has no Range"
    refused = [
        (f"bytes 0-99/{TOTAL}", 100, "badChunkSize"),
        (f"bytes 0-{GRANULE - 1}/{TOTAL + 1}", GRANULE, "badContentRange"),
        (f"bytes 0-{GRANULE - 1}/{TOTAL}", GRANULE - 1, "badChunkSize"),
        (f"bytes {GRANULE}-{2 * GRANULE - 1}/{TOTAL}", GRANULE, "badOffset"),
        (f"bytes 0-{4 * GRANULE - 1}/{TOTAL}", 4 * GRANULE, "badContentRange"),
        (f"bytes */{TOTAL}", 5, "badContentRange"),
        (f"bytes */{TOTAL - 1}", 0, "badContentRange"),
        (f"0-{GRANULE - 1}/{TOTAL}", GRANULE, "badContentRange"),
    ]
    for content_range, length, reason in refused:
        answer = plain.put(session, content_range, b"x" * length)
        assert (answer.status_code, _reason(answer)) == (400, reason), content_range
    answer = plain.put(session, f"bytes 0-{GRANULE - 1}/{TOTAL}", b"x" * GRANULE)
    assert (answer.status_code, answer.headers["range"]) == (308, f"bytes=0-{GRANULE - 1}")
    again = plain.put(session, f"bytes 0-{GRANULE - 1}/{TOTAL}", b"x" * GRANULE)
    assert _reason(again) == "badOffset", "no overlap"
    rest = plain.put(session, f"bytes {GRANULE}-{TOTAL - 1}/{TOTAL}", b"x" * (TOTAL - GRANULE))
    assert rest.status_code == 200
    assert plain.put(session, f"bytes */{TOTAL}").json()["id"] == rest.json()["id"], "asked again: the same video"
    assert len(youtube.logged("video")) == 1


def test_what_may_not_be_opened(youtube: FakeYouTube, plain: Plain) -> None:
    late = {**BODY, "status": {"privacyStatus": "public", "publishAt": "2030-01-01T00:00:00Z"}}
    assert _reason(plain.open(late)) == "invalidPublishAt"
    local = {**BODY, "status": {"privacyStatus": "private", "publishAt": "2030-01-01T00:00:00"}}
    assert _reason(plain.open(local)) == "invalidPublishAt", "RFC 3339 has an offset"
    assert _reason(plain.open({**BODY, "snippet": {"title": "<b>"}})) == "invalidTitle"
    assert _reason(plain.open({**BODY, "snippet": {"title": "x" * 101}})) == "invalidTitle"
    assert _reason(plain.open({**BODY, "snippet": {"title": "x", "tags": ["y" * 501]}})) == "invalidTags"
    assert _reason(plain.open(total=0)) == "mediaBodyRequired"
    assert _reason(plain.open(kind="image/png")) == "badContent"
    assert httpx.post(f"{youtube.url}/upload/youtube/v3/videos?uploadType=resumable", json=BODY).status_code == 401
    session = plain.open({"snippet": {"title": "A"}, "status": {}}, total=5).headers["Location"]
    assert plain.put(session, "bytes 0-4/5", b"12345").json()["status"]["privacyStatus"] == "public", "when left out"


def test_sessions_and_tokens_end(youtube: FakeYouTube, plain: Plain) -> None:
    session = plain.open().headers["Location"]
    youtube.set(session_life=0)
    assert plain.put(session, f"bytes */{TOTAL}").status_code == 404
    youtube.set(session_life=3600, expire_tokens=True)
    assert plain.put(session, f"bytes */{TOTAL}").status_code == 401


def test_scopes_are_asked_for_by_method(youtube: FakeYouTube) -> None:
    token = youtube.account("UCsome", scopes=["youtube.readonly", "yt-analytics.readonly"])["access_token"]
    some = Plain(youtube, token)
    assert (some.open().status_code, _reason(some.open())) == (403, "insufficientPermissions")
    assert some.get("/youtube/v3/channels?part=id&mine=true").status_code == 200
    report = "/v2/reports?ids=channel==MINE&startDate=2026-01-01&endDate=2026-01-02&dimensions=day&metrics="
    assert some.get(f"{report}views").status_code == 200
    assert _reason(some.get(f"{report}estimatedRevenue")) == "insufficientPermissions"
    assert some.get(f"{report}thumbsDown").status_code == 400


def test_allowances_and_limits(youtube: FakeYouTube, plain: Plain) -> None:
    youtube.set(spent={"inserts": 100})
    answer = plain.open()
    assert (answer.status_code, _reason(answer)) == (403, "quotaExceeded")
    assert plain.get("/youtube/v3/videos?part=id&id=x").status_code == 200, "buckets of their own"
    youtube.set(spent={"inserts": 0, "units": 10_000})
    assert _reason(plain.get("/youtube/v3/videos?part=id&id=x")) == "quotaExceeded"
    youtube.set(clock_offset=86_400.0)
    assert plain.get("/youtube/v3/videos?part=id&id=x").status_code == 200, "anew after midnight in Los Angeles"
    youtube.set(account={"channel_id": "UCstudio", "upload_limit": 0})
    assert _reason(plain.open()) == "uploadLimitExceeded"
    youtube.fault("videos.list", "status", status=429, code="rateLimitExceeded", retry_after=7)
    assert plain.get("/youtube/v3/videos?part=id&id=x").headers["retry-after"] == "7"


def test_the_token_endpoint(youtube: FakeYouTube) -> None:
    refresh = youtube.account("UCa", rotates=True)["refresh_token"]

    def ask(token: str) -> httpx.Response:
        return httpx.post(f"{youtube.url}/token", data={"grant_type": "refresh_token", "refresh_token": token})

    rotated = ask(refresh).json()["refresh_token"]
    assert ask(refresh).json()["error"] == "invalid_grant", "the old one is spent"
    assert ask(rotated).status_code == 200
    youtube.set(account={"channel_id": "UCa", "revoked": True})
    assert (ask(rotated).status_code, ask(rotated).json()["error"]) == (400, "invalid_grant")
    youtube.set(client=["id", "secret"])
    assert ask(rotated).json()["error"] == "invalid_client"


def test_the_log_is_on_disk_before_the_answer(youtube: FakeYouTube, plain: Plain) -> None:
    session = plain.open(total=5).headers["Location"]
    youtube.fault("last_chunk", "drop_after")
    with pytest.raises(httpx.TransportError):
        plain.put(session, "bytes 0-4/5", b"12345")
    youtube.process.kill()
    youtube.process.wait(5)
    assert [json.loads(line)["kind"] for line in youtube.log.read_text().splitlines()] == ["session", "video"]

"""The loopback TikTok is as strict as the protocol: what it refuses, asked by plain HTTP and not by our client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.tiktok.client import FakeTikTok
from tests.fakes.tiktok.rules import Refused, check_chunks

MEGA, MEBI = 10**6, 2**20
POST: dict[str, Any] = {"privacy_level": "SELF_ONLY", "title": "A"}


class Plain:
    """Requests with an account's bearer token."""

    def __init__(self, fake: FakeTikTok, token: str) -> None:
        self.fake, self.bearer = fake, {"Authorization": f"Bearer {token}"}

    def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        return httpx.post(f"{self.fake.url}{path}", json=body, headers=self.bearer)

    def open(self, post: dict[str, Any] = POST, size: int = 5, chunk: int = 0, count: int = 1) -> httpx.Response:
        source = {
            "source": "FILE_UPLOAD",
            "video_size": size,
            "chunk_size": chunk or size,
            "total_chunk_count": count,
        }
        return self.post("/v2/post/publish/video/init/", {"post_info": post, "source_info": source})

    def status(self, publish_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.post("/v2/post/publish/status/fetch/", {"publish_id": publish_id}).json()
        return answer


def put(url: str, content_range: str, content: bytes, kind: str = "video/mp4") -> int:
    headers = {"Content-Range": content_range, "Content-Type": kind}
    return httpx.put(url, content=content, headers=headers).status_code


@pytest.fixture
def tiktok(tmp_path: Path) -> Iterator[FakeTikTok]:
    """Alone: nothing of the studio takes part."""
    fake = FakeTikTok.start(tmp_path / "tiktok.jsonl")
    yield fake
    fake.stop()


@pytest.fixture
def plain(tiktok: FakeTikTok) -> Plain:
    return Plain(tiktok, tiktok.account()["access_token"])


def _code(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["code"])


@pytest.mark.parametrize(
    ("size", "chunk", "count", "right"),
    [
        (5, 5, 1, True),
        (50_000_123, 10 * MEGA, 5, True),
        (50_000_123, 10 * MEGA, 6, False),
        (64 * MEBI + 1, 10 * MEBI, 6, True),
        (64 * MEGA, 64 * MEGA, 1, True),
        (64 * MEGA + 1, 64 * MEGA + 1, 1, False),
        (4_999_999, 2_000_000, 2, False),
        (20 * MEGA, 5 * MEGA, 4, False),
        (20 * MEGA, 65 * MEGA, 0, False),
        (192 * MEGA, 64 * MEGA, 3, True),
        (7_000 * MEGA, 6 * MEGA, 1166, False),
        (5.0, 5, 1, False),
    ],
)
def test_chunk_arithmetic(size: Any, chunk: int, count: int, right: bool) -> None:
    if right:
        check_chunks(size, chunk, count)
    else:
        with pytest.raises(Refused):
            check_chunks(size, chunk, count)


def test_chunks_come_whole_and_in_order(tiktok: FakeTikTok, plain: Plain) -> None:
    size, chunk = 11 * MEGA, 5_300_000
    data = plain.open(size=size, chunk=chunk, count=2).json()["data"]
    url = data["upload_url"]
    assert put(url, f"bytes 0-{chunk - 1}/{size}", b"x" * chunk, "image/png") == 400
    assert put(url, f"bytes {chunk}-{size - 1}/{size}", b"x" * (size - chunk)) == 416, "the second before the first"
    assert put(url, f"bytes 0-99/{size}", b"x" * 100) == 416, "half a chunk"
    assert put(url, f"bytes 0-{chunk - 1}/{size + 1}", b"x" * chunk) == 416
    assert put(url, f"bytes 0-{chunk - 1}/{size}", b"x" * (chunk - 1)) == 400
    assert put(url, f"bytes 0-{chunk - 1}/{size}", b"x" * chunk) == 206
    assert plain.status(data["publish_id"])["data"]["uploaded_bytes"] == chunk
    assert put(url, f"bytes 0-{chunk - 1}/{size}", b"x" * chunk) == 416, "no overlap"
    assert tiktok.posts() == []
    assert put(url, f"bytes {chunk}-{size - 1}/{size}", b"x" * (size - chunk)) == 201
    assert put(url.replace("upload/", "upload/no"), f"bytes 0-4/{size}", b"12345") == 404
    assert [line["size"] for line in tiktok.logged("post")] == [size]
    tiktok.set(upload_life=0)
    assert put(plain.open().json()["data"]["upload_url"], "bytes 0-4/5", b"12345") == 403


def test_what_may_not_be_opened(tiktok: FakeTikTok, plain: Plain) -> None:
    tiktok.set(account={"open_id": "creator", "privacy_options": ["SELF_ONLY", "PUBLIC_TO_EVERYONE"]})
    public = {**POST, "privacy_level": "PUBLIC_TO_EVERYONE"}
    for post, code in (
        ({"title": "no privacy"}, "privacy_level_option_mismatch"),
        ({**POST, "privacy_level": "FOLLOWER_OF_CREATOR"}, "privacy_level_option_mismatch"),
        ({**POST, "brand_content_toggle": True}, "privacy_level_option_mismatch"),
        ({**POST, "title": "x" * 2201}, "invalid_params"),
        ({**POST, "schedule_time": 5}, "invalid_params"),
    ):
        tiktok.set(forget=True)
        assert _code(plain.open(post)) == code, post
    tiktok.set(forget=True, audited=False)
    assert _code(plain.open(public)) == "unaudited_client_can_only_post_to_private_accounts"
    assert _code(plain.open()) == "unaudited_client_can_only_post_to_private_accounts"
    tiktok.set(account={"open_id": "creator", "private": True})
    assert _code(plain.open()) == "ok"
    tiktok.set(audited=True, account={"open_id": "creator", "posts_today": 15, "private": False})
    assert _code(plain.open(public)) == "spam_risk_too_many_posts"
    assert _code(Plain(tiktok, "nobody").open()) == "access_token_invalid"
    some = Plain(tiktok, tiktok.account("some", scopes=["video.list"])["access_token"])
    assert _code(some.open()) == "scope_not_authorized"


def test_calls_are_counted_by_token_and_minute(tiktok: FakeTikTok, plain: Plain) -> None:
    assert [_code(plain.open()) for _ in range(7)] == ["ok"] * 6 + ["rate_limit_exceeded"]
    info = [_code(plain.post("/v2/post/publish/creator_info/query/", {})) for _ in range(21)]
    assert info == ["ok"] * 20 + ["rate_limit_exceeded"]
    other = Plain(tiktok, tiktok.account("other")["access_token"])
    assert _code(other.open()) == "ok"
    tiktok.set(window_seconds=0)
    assert _code(plain.open()) == "ok"


def test_a_post_is_processed_then_moderated_and_only_then_has_an_id(tiktok: FakeTikTok, plain: Plain) -> None:
    tiktok.set(processing_polls=1, moderation_polls=1)
    public = {**POST, "privacy_level": "PUBLIC_TO_EVERYONE"}
    seen = {}
    for post in (public, POST):
        data = plain.open(post).json()["data"]
        assert plain.status(data["publish_id"])["data"]["status"] == "PROCESSING_UPLOAD"
        assert put(data["upload_url"], "bytes 0-4/5", b"12345") == 201
        steps = [plain.status(data["publish_id"])["data"] for _ in range(4)]
        assert [step["status"] for step in steps] == ["PROCESSING_UPLOAD", *["PUBLISH_COMPLETE"] * 3]
        seen[post["privacy_level"]] = [step["publicaly_available_post_id"] for step in steps]
    assert seen == {"PUBLIC_TO_EVERYONE": [[], [], [7400000000000000001], [7400000000000000001]], "SELF_ONLY": [[]] * 4}
    other = Plain(tiktok, tiktok.account("other")["access_token"])
    assert other.status(data["publish_id"])["error"]["code"] == "token_not_authorized_for_specified_publish_id"
    assert plain.status("v_pub_file~v2-1.0")["error"]["code"] == "invalid_publish_id"
    asked = {"filters": {"video_ids": ["7400000000000000001", "7400000000000000009"]}}
    videos = plain.post("/v2/video/query/?fields=id,view_count", asked).json()["data"]["videos"]
    assert videos == [{"id": "7400000000000000001", "view_count": 0}]
    assert _code(plain.post("/v2/video/query/?fields=id,watch_time", asked)) == "invalid_params"


def test_the_token_endpoint_rotates(tiktok: FakeTikTok) -> None:
    refresh = tiktok.account()["refresh_token"]

    def ask(token: str, secret: str = "studio-secret") -> dict[str, Any]:
        form = {"grant_type": "refresh_token", "refresh_token": token}
        registered = {"client_key": "studio-key", "client_secret": secret}
        answer: dict[str, Any] = httpx.post(f"{tiktok.url}/v2/oauth/token/", data={**form, **registered}).json()
        return answer

    rotated = ask(refresh)["refresh_token"]
    assert rotated != refresh
    assert ask(refresh)["error"] == "invalid_grant", "the old one is spent"
    assert ask(rotated, "wrong")["error"] == "invalid_client"
    assert set(ask(rotated)) == {
        "access_token", "expires_in", "open_id", "refresh_expires_in", "refresh_token", "scope", "token_type",
    }  # fmt: skip


def test_the_log_is_on_disk_before_the_answer(tiktok: FakeTikTok, plain: Plain) -> None:
    data = plain.open().json()["data"]
    tiktok.fault("last_chunk", "drop_after")
    with pytest.raises(httpx.TransportError):
        put(data["upload_url"], "bytes 0-4/5", b"12345")
    tiktok.process.kill()
    tiktok.process.wait(5)
    assert [line["publish_id"] for line in tiktok.logged("post")] == [data["publish_id"]]

"""The loopback Graph refuses what the vendor says is refused: asked by hand, without the studio's client."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.fakes.meta.client import VERSION, FakeMeta

BYTES = bytes(range(256)) * 40
SIZE = len(BYTES)


@pytest.fixture
def meta(tmp_path: Path) -> Iterator[FakeMeta]:
    fake = FakeMeta.start(tmp_path / "meta.jsonl")
    yield fake
    fake.stop()


class Plain:
    """Requests with a token and its proof."""

    def __init__(self, fake: FakeMeta, token: str) -> None:
        self.fake, self.token = fake, token
        self.proof = hmac.new(fake.app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()

    def ask(self, method: str, path: str, host: str = "graph", files: Any = None, **form: Any) -> httpx.Response:
        given = {"access_token": self.token, "appsecret_proof": self.proof, **form}
        where = f"{self.fake.url}/{host}/{VERSION}/{path}"
        if method == "POST":
            return httpx.post(where, data=given, files=files)
        return httpx.request(method, where, params=given)

    def start_reel(self) -> dict[str, Any]:
        return self.ask("POST", "1001/video_reels", upload_phase="start").json()  # type: ignore[no-any-return]

    def send(self, url: str, offset: int = 0, content: bytes | None = None, size: int = SIZE) -> httpx.Response:
        headers = {"Authorization": f"OAuth {self.token}", "offset": str(offset), "file_size": str(size)}
        return httpx.post(url, content=BYTES[offset:] if content is None else content, headers=headers)

    def finish_reel(self, video_id: str, **form: Any) -> httpx.Response:
        wanted = {"upload_phase": "finish", "video_id": video_id, "video_state": "PUBLISHED", **form}
        return self.ask("POST", "1001/video_reels", **wanted)

    def videos(self, files: Any = None, **form: Any) -> httpx.Response:
        return self.ask("POST", "1001/videos", host="graph-video", files=files, **form)

    def container(self, **form: Any) -> httpx.Response:
        given = {"media_type": "REELS", "upload_type": "resumable", **form}
        return self.ask("POST", "2002/media", host="ig-graph", **given)


@pytest.fixture
def plain(meta: FakeMeta) -> Plain:
    return Plain(meta, meta.page(instagram_id="2002", username="me")["access_token"])


def numbers(answer: httpx.Response) -> tuple[int, int | None]:
    error = answer.json()["error"]
    return error["code"], error.get("error_subcode")


def test_who_asks_is_looked_at_first(meta: FakeMeta, plain: Plain) -> None:
    no_proof = httpx.get(f"{meta.url}/graph/{VERSION}/1", params={"access_token": plain.token})
    assert numbers(no_proof)[0] == 100
    wrong = httpx.get(f"{meta.url}/graph/{VERSION}/1", params={"access_token": plain.token, "appsecret_proof": "0"})
    assert numbers(wrong)[0] == 100
    assert numbers(httpx.get(f"{meta.url}/graph/{VERSION}/1"))[0] == 190
    assert numbers(httpx.get(f"{meta.url}/graph/v3.0/1"))[0] == 2635
    assert numbers(plain.ask("POST", "9999/video_reels", upload_phase="start")) == (100, 33)
    assert numbers(plain.ask("POST", "1001/videos", upload_phase="start")) == (100, 33), "videos have their own host"
    narrow = Plain(meta, meta.page("1009", scopes=["pages_show_list"])["access_token"])
    assert numbers(narrow.ask("POST", "1009/video_reels", upload_phase="start"))[0] == 200
    meta.set(refuse_tokens=460)
    assert numbers(plain.ask("POST", "1001/video_reels", upload_phase="start")) == (190, 460)


def test_reels_have_their_order(meta: FakeMeta, plain: Plain) -> None:
    made = plain.start_reel()
    assert numbers(plain.finish_reel(made["video_id"])) == (6000, 1363130), "nothing has arrived"
    assert numbers(plain.finish_reel("1")) == (100, 33)
    assert plain.send(made["upload_url"], content=b"x").status_code == 400, "the length does not fit"
    meta.fault("reel.upload", "cut", bytes=4000)
    with pytest.raises(httpx.TransportError):
        plain.send(made["upload_url"])
    seen = plain.ask("GET", made["video_id"], fields="status").json()["status"]
    assert seen["video_status"] == "uploading"
    kept = seen["uploading_phase"]["bytes_transfered"]
    assert plain.send(made["upload_url"]).status_code == 400, "not from the beginning"
    assert plain.send(made["upload_url"], offset=kept).json() == {"success": True}
    assert numbers(plain.finish_reel(made["video_id"], video_state="LIVE"))[0] == 100
    for _ in range(2):
        assert plain.finish_reel(made["video_id"], description="Hello").json() == {"success": True}
    (post,) = meta.logged("post")
    assert (post["sha256"], post["received"]) == (hashlib.sha256(BYTES).hexdigest(), SIZE)
    assert len(meta.logged("finish")) == 1, "the same again, noted and without effect"
    seen = plain.ask("GET", made["video_id"], fields="status,published,permalink_url").json()
    assert (seen["published"], seen["permalink_url"]) == (True, f"/reel/{made['video_id']}/")
    assert numbers(plain.ask("GET", made["video_id"], fields="views"))[0] == 100


def test_thirty_reels_in_a_moving_day(meta: FakeMeta, plain: Plain) -> None:
    meta.set(reels_cap=1)
    first, second = plain.start_reel(), plain.start_reel()
    for made in (first, second):
        plain.send(made["upload_url"])
    assert plain.finish_reel(first["video_id"]).status_code == 200
    assert numbers(plain.finish_reel(second["video_id"]))[0] == 613
    assert numbers(plain.ask("POST", "1001/video_reels", upload_phase="start"))[0] == 613
    meta.set(clock_offset=86_400.0)
    assert plain.finish_reel(second["video_id"]).status_code == 200


def test_the_server_chooses_the_ranges(meta: FakeMeta, plain: Plain) -> None:
    meta.set(range_bytes=4000)
    assert numbers(plain.videos(upload_phase="start", file_size="0")) == (100, 1363022)
    made = plain.videos(upload_phase="start", file_size=str(SIZE)).json()
    session, wanted = (
        {"upload_session_id": made["upload_session_id"]},
        (int(made["start_offset"]), int(made["end_offset"])),
    )
    assert wanted == (0, 4000)

    def transfer(start: int, end: int) -> httpx.Response:
        part = {"video_file_chunk": ("x.mp4", BYTES[start:end])}
        return plain.videos(files=part, upload_phase="transfer", start_offset=str(start), **session)

    assert numbers(transfer(0, 100)) == (100, 1363021), "not the range that was asked for"
    error = transfer(5, 4005).json()["error"]
    assert (error["error_subcode"], error["error_data"]) == (1363037, {"start_offset": 0, "end_offset": 4000})
    assert numbers(plain.videos(upload_phase="finish", **session)) == (6001, 1363037)
    sizes = []
    while wanted[0] < wanted[1]:
        sizes.append(wanted[1] - wanted[0])
        answer = transfer(*wanted).json()
        wanted = int(answer["start_offset"]), int(answer["end_offset"])
    assert len(set(sizes)) > 1, "ranges differ"
    for seconds in (60, 31 * 86_400):
        at = str(int(seconds + httpx.get(f"{meta.url}/_admin/health").elapsed.total_seconds()))
        assert numbers(
            plain.videos(upload_phase="finish", published="false", scheduled_publish_time=at, **session)
        ) == (
            100,
            1363116,
        )
    assert plain.videos(upload_phase="finish", title="A", **session).json() == {"success": True}
    assert numbers(plain.videos(upload_phase="finish", title="A", **session)) == (6001, 1363041), "the session is over"
    assert plain.videos(upload_phase="transfer", **session).json()["error"]["code"] == 6001
    assert [post["sha256"] for post in meta.logged("post")] == [hashlib.sha256(BYTES).hexdigest()]


def test_usage_climbs_and_ends_the_calls(meta: FakeMeta, plain: Plain) -> None:
    meta.set(page_allowance=4)
    shares = []
    for _ in range(4):
        usage = json.loads(plain.ask("GET", "1", fields="id").headers["x-business-use-case-usage"])
        shares.append(usage["1001"][0]["call_count"])
    assert shares == [25, 50, 75, 100]
    refused = plain.ask("GET", "1", fields="id")
    assert numbers(refused)[0] == 32
    usage = json.loads(refused.headers["x-business-use-case-usage"])
    assert usage["1001"][0]["estimated_time_to_regain_access"] == 25


def test_a_container_is_published_once_when_it_is_ready_and_in_time(meta: FakeMeta, plain: Plain) -> None:
    assert numbers(plain.container(media_type="VIDEO")) == (100, 2207023)
    assert numbers(plain.container(caption="x" * 2201)) == (100, 2207010)
    made = plain.container(caption="Hello", thumb_offset="1500", share_to_feed="false").json()
    publish = {"path": "2002/media_publish", "host": "ig-graph", "creation_id": made["id"]}
    assert numbers(plain.ask("POST", **publish)) == (9007, 2207027), "nothing has arrived"
    assert plain.send(made["uri"]).json()["success"] is True
    assert numbers(plain.ask("POST", **publish))[0] == 9007, "nobody has seen it finished"
    status = plain.ask("GET", made["id"], host="ig-graph", fields="status_code")
    assert status.json()["status_code"] == "FINISHED"
    media = plain.ask("POST", **publish).json()["id"]
    assert numbers(plain.ask("POST", **publish)) == (100, 2207006)
    status = plain.ask("GET", made["id"], host="ig-graph", fields="status_code").json()["status_code"]
    assert status == "PUBLISHED"
    shown = plain.ask("GET", "2002/media", host="ig-graph", fields="id,caption,timestamp").json()["data"]
    assert [(row["id"], row["caption"]) for row in shown] == [(media, "Hello")]
    late = plain.container().json()
    plain.send(late["uri"])
    meta.set(clock_offset=86_401.0)
    assert plain.ask("GET", late["id"], host="ig-graph", fields="status_code").json()["status_code"] == "EXPIRED"
    assert numbers(plain.ask("POST", "2002/media_publish", host="ig-graph", creation_id=late["id"])) == (100, 2207008)
    meta.set(clock_offset=0.0, instagram_cap=1)
    full = plain.container().json()
    plain.send(full["uri"])
    plain.ask("GET", full["id"], host="ig-graph", fields="status_code")
    assert numbers(plain.ask("POST", "2002/media_publish", host="ig-graph", creation_id=full["id"])) == (9, 2207042)
    limit = plain.ask("GET", "2002/content_publishing_limit", host="ig-graph", fields="quota_usage,config").json()
    assert (limit["data"][0]["quota_usage"], limit["data"][0]["config"]["quota_total"]) == (1, 1)


def test_insights_by_kind_and_empty_where_nothing_is_known(meta: FakeMeta, plain: Plain) -> None:
    made = plain.start_reel()
    plain.send(made["upload_url"])
    plain.finish_reel(made["video_id"])
    path = f"{made['video_id']}/video_insights"
    assert numbers(plain.ask("GET", path, metric="total_video_views"))[0] == 100, "a page video's"
    assert plain.ask("GET", path, metric="fb_reels_total_plays").json()["data"] == []
    meta.set(video={"id": made["video_id"], "insights": {"fb_reels_total_plays": 0}})
    values = plain.ask("GET", path, metric="fb_reels_total_plays").json()["data"][0]["values"]
    assert values == [{"value": 0}]


def test_the_login_gives_pages_of_which_each_has_its_token(meta: FakeMeta, plain: Plain) -> None:
    meta.page("1002")
    back = f"{meta.url}/api/publishing/accounts/facebook/callback"
    dialog = {"client_id": "4711", "redirect_uri": back, "response_type": "code", "scope": "x", "state": "s"}
    sent = httpx.get(f"{meta.url}/www/{VERSION}/dialog/oauth", params=dialog)
    code = parse_qs(urlsplit(sent.headers["location"]).query)["code"][0]
    ours = {"client_id": "4711", "client_secret": "hush"}
    token = f"{meta.url}/graph/{VERSION}/oauth/access_token"
    assert numbers(httpx.get(token, params={**ours, "client_secret": "guessed", "code": code}))[0] == 101
    short = httpx.get(token, params={**ours, "redirect_uri": back, "code": code}).json()
    assert httpx.get(token, params={**ours, "redirect_uri": back, "code": code}).status_code == 400, (
        "codes are used once"
    )
    exchange = {"grant_type": "fb_exchange_token", "fb_exchange_token": short["access_token"]}
    long = httpx.get(token, params={**ours, **exchange}).json()
    assert long["expires_in"] > 50 * 86_400
    person = Plain(meta, long["access_token"])
    first = person.ask("GET", "me/accounts", fields="id,name,access_token,tasks").json()
    second = person.ask("GET", "me/accounts", fields="id", after=first["paging"]["cursors"]["after"]).json()
    assert [row["id"] for row in first["data"] + second["data"]] == ["1001", "1002"]
    assert "next" not in second.get("paging", {})


def test_the_log_is_on_disk_before_the_answer(meta: FakeMeta, plain: Plain) -> None:
    made = plain.start_reel()
    plain.send(made["upload_url"])
    meta.fault("reel.finish", "drop_after")
    with pytest.raises(httpx.TransportError):
        plain.finish_reel(made["video_id"])
    meta.process.kill()
    meta.process.wait(5)
    assert [json.loads(line)["kind"] for line in meta.log.read_text().splitlines()] == ["open", "post"]

"""Facebook and Instagram over HTTP: the login that names Pages, ready tokens, plan and check, and their webhooks."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import select, update

from core import database
from core.models.publishing import PlatformAccount, PublicationRecord, WebhookDelivery
from core.preferences import store_value
from core.publishing import tokens
from core.security import Actor
from core.settings import get_settings
from tests.engine import publishing_studio as room
from tests.engine.api_server import Served, serve
from tests.fakes.meta.client import FakeMeta, signed

REEL = {"width": 540, "height": 960, "fps": "24/1", "duration_seconds": 3.2}


@pytest.fixture
def served(meta: FakeMeta) -> Iterator[Served]:
    with serve() as found:
        yield found


def _login(client: httpx.Client, platform: str, answer: str = "allow") -> str:
    """Through the dialog and back; where the browser ends up."""
    sent = client.get(f"/api/publishing/accounts/{platform}/connect")
    assert sent.status_code == 303, sent.text
    assert "scope=" in sent.headers["location"]
    at_meta = httpx.get(sent.headers["location"].replace("dialog/oauth?", "dialog/oauth/answer?") + f"&answer={answer}")
    assert at_meta.status_code == 302, at_meta.text
    back = urlsplit(at_meta.headers["location"])
    return client.get(f"{back.path}?{back.query}").headers["location"]


def test_connecting_names_the_pages_and_the_instagram_accounts_that_were_picked(
    served: Served, meta: FakeMeta, owner: Actor
) -> None:
    meta.page("1001", name="ครัวบ้าน", instagram_id="2002", username="krua")
    meta.page("1002", name="Other")
    meta.page("1003", name="Read only", tasks=["ANALYZE"])
    meta.page("1004", name="Left out in the dialog", instagram_id="2004", username="private")
    meta.set(picked=["1001", "1002", "1003"])
    with served.client(owner) as client:
        assert _login(client, "facebook", "deny") == "/publishing?connection=declined&platform=facebook"
        assert _login(client, "facebook") == "/publishing?connection=made&platform=facebook"
        assert _login(client, "instagram") == "/publishing?connection=made&platform=instagram"
        shown = {
            (row["platform"], row["external_id"]): row["name"] for row in client.get("/api/publishing/accounts").json()
        }
    assert shown == {
        ("facebook", "1001"): "ครัวบ้าน",
        ("facebook", "1002"): "Other",
        ("instagram", "2002"): "krua",
    }
    with database.session() as session:
        rows = session.scalars(select(PlatformAccount)).all()
        assert all(row.token_expires_at is None for row in rows), "a Page's token has no end of its own"
        assert len({tokens.opened(row)["access_token"] for row in rows}) == 3
    assert [line["grant"] for line in meta.logged("token")] == ["short", "long"] * 2


def test_a_login_without_registration_or_without_a_page_says_so(
    served: Served, meta: FakeMeta, owner: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served.client(owner) as client:
        assert _login(client, "facebook") == "/publishing?connection=failed&platform=facebook", "no Page was picked"
        monkeypatch.setenv("META_APP_ID", "")
        get_settings.cache_clear()
        missing = client.get("/api/publishing/accounts/facebook/connect")
        assert (missing.status_code, missing.json()["setting"]) == (503, "META_APP_ID")
        with database.session(owner) as session:
            store_value(session, owner, "META_APP_ID", "4711", secret=False)
            store_value(session, owner, "META_APP_SECRET", "hush", secret=True)
        meta.page("1001")
        assert _login(client, "facebook") == "/publishing?connection=made&platform=facebook"


def test_ready_tokens_plan_and_check(served: Served, meta: FakeMeta, owner: Actor, upright: Path) -> None:
    asset = room.stored(owner, upright, **REEL)
    with served.client(owner) as client:
        made = client.post(
            "/api/publishing/accounts",
            json={"platform": "facebook", "external_id": "1001", "name": "Page", "auth_config": meta.page("1001")},
        )
        assert made.status_code == 201, made.text
        assert "access_token" not in made.text
        episode = client.post("/api/dashboard/episodes", json={"title": "A talk", "asset_id": str(asset)}).json()
        target: dict[str, Any] = {"platform_account_id": made.json()["id"], "scheduled_time": "now"}
        wrong = {"episode_id": episode["id"], "targets": [{**target, "privacy": "unlisted"}]}
        assert [each["code"] for each in client.post("/api/publishing/check", json=wrong).json()[0]["issues"]] == [
            "privacy"
        ]
        assert client.post("/api/publishing/plan", json=wrong).status_code == 422
        unknown = {"episode_id": episode["id"], "targets": [{**target, "options": {"facebook": {"story": True}}}]}
        assert client.post("/api/publishing/plan", json=unknown).status_code == 422
        wanted = {"episode_id": episode["id"], "targets": [target]}
        assert client.post("/api/publishing/check", json=wanted).json()[0]["issues"] == []
        planned = client.post("/api/publishing/plan", json=wanted)
        assert planned.status_code == 201, planned.text
        room.tick()
        shown = client.get(f"/api/publishing/publication/{planned.json()[0]['id']}").json()
    assert (shown["state"], shown["platform"], shown["remote_privacy"]) == ("published", "facebook", "public")
    assert [post["video_id"] for post in meta.posts()] == [shown["remote_id"]]


HOOK = "/api/publishing/webhook/facebook"


def _told(video_id: str, text: str = "สวัสดี 🎬 a/b") -> dict[str, Any]:
    change = {"field": "feed", "value": {"item": "video", "verb": "edited", "video_id": video_id, "message": text}}
    return {"object": "page", "entry": [{"id": "1001", "time": 1_800_000_000, "changes": [change]}]}


def test_the_handshake_repeats_the_word(served: Served, owner: Actor) -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": "our word", "hub.challenge": "1158201444"}
    with served.client() as facebook:
        assert facebook.get(HOOK, params=query).status_code == 403, "the studio has no word"
        with database.session(owner) as session:
            store_value(session, owner, "META_VERIFY_TOKEN", "our word", secret=True)
        answer = facebook.get(HOOK, params=query)
        assert (answer.status_code, answer.text) == (200, "1158201444")
        assert answer.headers["content-type"].startswith("text/plain")
        assert facebook.get(HOOK, params={**query, "hub.verify_token": "another"}).status_code == 403
        assert facebook.get(HOOK, params={**query, "hub.mode": "unsubscribe"}).status_code == 403


def test_a_delivery_is_signed_kept_once_and_only_a_hint(
    served: Served, meta: FakeMeta, owner: Actor, upright: Path
) -> None:
    page = room.account(owner, meta.page("1001"), "1001", "facebook")
    publication = room.planned(owner, room.stored(owner, upright, **REEL), page)
    room.tick()
    remote = room.record(publication).remote_id
    assert remote is not None
    with database.session() as session:
        session.execute(update(PublicationRecord).values(next_metrics_at=None))

    def hinted() -> bool:
        return room.record(publication).next_metrics_at is not None

    raw, headers = signed(meta.app_secret, _told(remote))
    assert b"\\u0e2a" in raw, "escaped, as the platform signs it"
    with served.client() as facebook:
        forged = {"X-Hub-Signature-256": "sha256=" + hmac.new(b"guessed", raw, hashlib.sha256).hexdigest()}
        for wrong in ({}, forged, {"X-Hub-Signature-256": "sha256="}, {"X-Hub-Signature-256": "sha256=ÿ"}):
            sent = {name: value.encode("latin-1") for name, value in wrong.items()}
            assert facebook.post(HOOK, content=raw, headers=sent).status_code == 403
        assert facebook.post(HOOK, content=raw + b" ", headers=headers).status_code == 403
        assert not hinted()
        for _ in range(3):
            assert facebook.post(HOOK, content=raw, headers=headers).status_code == 200
        assert hinted()
        both = {**_told(remote), "entry": [_told(remote)["entry"][0], _told(remote, "another")["entry"][0]]}
        again, headers = signed(meta.app_secret, both)
        assert facebook.post(HOOK, content=again, headers=headers).status_code == 200
        for nonsense in ({"object": "page"}, {"object": "user", "entry": [{}]}, {"object": "page", "entry": [1]}):
            body, headers = signed(meta.app_secret, nonsense)
            assert facebook.post(HOOK, content=body, headers=headers).status_code == 200
    with database.session() as session:
        kept = session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.received_at)).all()
    assert [row.body for row in kept] == [raw, again], "the entry that came before is not kept twice"
    record = room.record(publication)
    assert (record.state, record.remote_id) == ("published", remote), "nothing but the figures is asked for"


def test_a_post_in_processing_is_looked_at_when_facebook_says_something(
    served: Served, meta: FakeMeta, owner: Actor, upright: Path
) -> None:
    meta.set(polls_until_ready=10_000)
    page = room.account(owner, meta.page("1001"), "1001", "facebook")
    publication = room.planned(owner, room.stored(owner, upright, **REEL), page)
    patience, room.upload.PATIENCE = room.upload.PATIENCE, 0.0
    try:
        room.tick()
        assert room.record(publication).state == "processing"
        room.tick()
        before = meta.calls()["video.get"]
        meta.set(polls_until_ready=1)
        raw, headers = signed(meta.app_secret, _told(room.record(publication).remote_id or ""))
        with served.client() as facebook:
            assert facebook.post(HOOK, content=raw, headers=headers).status_code == 200
        assert (room.record(publication).state, meta.calls()["video.get"]) == ("processing", before)
        room.tick()
    finally:
        room.upload.PATIENCE = patience
    assert room.record(publication).state == "published"

"""YouTube's push notifications against a hub of our own: asked for, confirmed, signed, once, only a hint (P2.4)."""

from __future__ import annotations

import hashlib
import hmac
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, parse_qsl, urlsplit
from uuid import UUID

import pytest
from sqlalchemy import select

from core import database
from core.models.publishing import ContentChannel, Episode, PlatformAccount, PublicationRecord, WebhookDelivery
from core.publishing import webhooks
from core.security import Actor
from core.settings import Settings, get_settings
from tests.engine.api_server import Served, serve

NAME = "studio.example"
FEED = (
    '<feed xmlns:yt="http://www.youtube.com/xml/schemas/2015" xmlns="http://www.w3.org/2005/Atom"><entry>'
    "<yt:videoId>VID1</yt:videoId><yt:channelId>UC1</yt:channelId><title>เรื่อง</title></entry></feed>"
).encode()


class Hub(BaseHTTPRequestHandler):
    """Notes what it was asked."""

    asked: list[dict[str, str]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        self.asked.append(dict(parse_qsl(body)))
        self.send_response(202)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def hub(studio: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, str]]]:
    handler = type("Handler", (Hub,), {"asked": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("YOUTUBE_HUB_URL", f"http://127.0.0.1:{server.server_port}/subscribe")
    monkeypatch.setenv("STUDIO_HOSTS", NAME)
    get_settings.cache_clear()
    yield handler.asked  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()


@pytest.fixture
def served(hub: list[dict[str, str]]) -> Iterator[Served]:
    with serve() as found:
        yield found


@pytest.fixture
def account(owner: Actor) -> str:
    with database.session(owner) as session:
        row = PlatformAccount(owner_id=owner.owner_id, platform="youtube", external_id="UC1", name="Mine")
        channel = ContentChannel(owner_id=owner.owner_id, name="c")
        session.add_all([row, channel])
        session.flush()
        episode = Episode(owner_id=owner.owner_id, channel_id=channel.id, title="e")
        session.add(episode)
        session.flush()
        session.add(
            PublicationRecord(
                owner_id=owner.owner_id, episode_id=episode.id, account_id=row.id, platform="youtube", title="t",
                state="published", remote_id="VID1", published_at=datetime.now(UTC),
            )
        )  # fmt: skip
        return str(row.id)


def signed(secret: str, body: bytes) -> dict[str, str]:
    return {"X-Hub-Signature": "sha1=" + hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()}


def hints() -> tuple[int, bool]:
    """Stored deliveries, and whether the post's figures are due."""
    with database.session() as session:
        stored = len(session.scalars(select(WebhookDelivery)).all())
        return stored, session.scalars(select(PublicationRecord)).one().next_metrics_at is not None


def test_asked_confirmed_delivered_once(served: Served, hub: list[dict[str, str]], owner: Actor, account: str) -> None:
    with served.client(owner) as client, served.client() as youtube:
        local = client.post(f"/api/publishing/accounts/{account}/push")
        assert local.status_code == 422
        assert local.json()["title"] == "YouTube cannot reach this studio."
        asked = client.post(f"/api/publishing/accounts/{account}/push", headers={"Host": NAME})
        assert asked.status_code == 204
        order = hub[0]
        assert order["hub.topic"].endswith("?channel_id=UC1")
        callback = urlsplit(order["hub.callback"])
        assert (callback.netloc, parse_qs(callback.query)) == (NAME, {"account": [account]})
        where = f"{callback.path}?{callback.query}"

        question = {
            "hub.mode": "subscribe", "hub.topic": order["hub.topic"], "hub.challenge": "42", "hub.lease_seconds": "9",
        }  # fmt: skip
        confirmed = youtube.get(callback.path, params={"account": account, **question})
        assert (confirmed.status_code, confirmed.text) == (200, "42")
        assert confirmed.headers["content-type"].startswith("text/plain")
        for change in ({"hub.topic": "https://elsewhere"}, {"hub.mode": "unsubscribe"}):
            refused = youtube.get(callback.path, params={"account": account, **question, **change})
            assert refused.status_code == 404

        forged = {"X-Hub-Signature": "sha1=" + "0" * 40}
        for headers in ({}, forged, signed("another secret", FEED), signed(order["hub.secret"], FEED + b" ")):
            assert youtube.post(where, content=FEED, headers=headers).status_code == 204
        assert hints() == (0, False)
        for _ in range(5):
            assert youtube.post(where, content=FEED, headers=signed(order["hub.secret"], FEED)).status_code == 204
        assert hints() == (1, True)
        with database.session() as session:
            assert session.scalars(select(WebhookDelivery)).one().body == FEED
        assert youtube.post("/api/publishing/webhook/simulated", content=b"{}").status_code == 404
        assert youtube.post(where, content=b"x" * 2_000_000).status_code == 413


def test_signed_nonsense_has_no_effect(served: Served, hub: list[dict[str, str]], owner: Actor, account: str) -> None:
    with served.client(owner) as client, served.client() as youtube:
        client.post(f"/api/publishing/accounts/{account}/push", headers={"Host": NAME})
        bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><feed>&b;</feed>'
        for body in (b"", b"not xml", bomb, b"<feed/>"):
            where = f"/api/publishing/webhook/youtube?account={account}"
            assert youtube.post(where, content=body, headers=signed(hub[0]["hub.secret"], body)).status_code == 204
    assert hints()[1] is False


def test_a_burst_of_forged_repeated_and_reordered_deliveries(
    served: Served, hub: list[dict[str, str]], owner: Actor, account: str
) -> None:
    """F14: every one is answered, each signed body is kept once, a forged one never; the order does not matter."""
    with served.client(owner) as client:
        client.post(f"/api/publishing/accounts/{account}/push", headers={"Host": NAME})
    secret, where = hub[0]["hub.secret"], f"/api/publishing/webhook/youtube?account={account}"
    bodies = [FEED.replace("เรื่อง".encode(), str(number).encode()) for number in range(10)]
    sent = [(body, signed(secret, body)) for body in bodies * 10]
    sent += [(body.replace(b"VID1", b"FORGED"), signed("guessed", body)) for body in bodies * 10]
    random.Random(3).shuffle(sent)

    def deliver(part: list[tuple[bytes, dict[str, str]]]) -> list[int]:
        with served.client() as youtube:
            return [youtube.post(where, content=body, headers=headers).status_code for body, headers in part]

    with ThreadPoolExecutor(8) as pool:
        answers = [status for part in pool.map(deliver, [sent[start::8] for start in range(8)]) for status in part]
    assert answers == [204] * len(sent)
    with database.session() as session:
        kept = session.scalars(select(WebhookDelivery.body)).all()
    assert sorted(kept) == sorted(bodies)
    assert hints() == (10, True)


def test_renewed_at_four_fifths_of_the_lease(hub: list[dict[str, str]], owner: Actor, account: str) -> None:
    webhooks.subscribe(owner, account, "https://studio.example/hook")
    assert webhooks.renew_due() == 0
    with database.session() as session:
        row = session.scalars(select(PlatformAccount)).one()
        asked = datetime.now(UTC) - timedelta(days=4, minutes=1)
        row.details = {**row.details, "push": {**row.details["push"], "asked_at": asked.isoformat()}}
    assert webhooks.renew_due() == 1
    assert len(hub) == 2
    assert hub[0]["hub.secret"] != hub[1]["hub.secret"]


def test_a_renewal_that_fails_is_tried_again_and_the_old_subscription_goes_on(
    hub: list[dict[str, str]], owner: Actor, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhooks.subscribe(owner, account, "https://studio.example/hook")
    topic, key = hub[0]["hub.topic"], UUID(account)

    def delivered(secret: str, body: bytes) -> bool:
        signature = "sha1=" + hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()
        with database.session() as session:
            return webhooks.receive(session, key, {"x-hub-signature": signature}, body)

    with database.session() as session:
        assert webhooks.confirm(session, key, "subscribe", topic, 5 * 86_400)
    with database.session() as session:
        row = session.scalars(select(PlatformAccount)).one()
        asked = datetime.now(UTC) - timedelta(days=4, minutes=1)
        ends = datetime.now(UTC) + timedelta(hours=23)
        times = {"asked_at": asked.isoformat(), "expires_at": ends.isoformat()}
        row.details = {**row.details, "push": {**row.details["push"], **times}}
    reachable = get_settings().youtube_hub_url
    monkeypatch.setenv("YOUTUBE_HUB_URL", "http://127.0.0.1:1/")
    get_settings.cache_clear()
    assert webhooks.renew_due() == 0
    assert delivered(hub[0]["hub.secret"], FEED), "the hub knows no other secret"
    with database.session() as session:
        assert webhooks.push_of(session.scalars(select(PlatformAccount)).one()) == "confirmed"
    monkeypatch.setenv("YOUTUBE_HUB_URL", reachable)
    get_settings.cache_clear()
    assert webhooks.renew_due() == 1, "due at the next round, not in four days"
    assert delivered(hub[0]["hub.secret"], FEED + b" "), "until the hub has confirmed the new one"
    assert delivered(hub[1]["hub.secret"], FEED + b"  ")
    with database.session() as session:
        assert webhooks.confirm(session, key, "subscribe", topic, 5 * 86_400)
    assert not delivered(hub[0]["hub.secret"], FEED + b"   ")
    assert delivered(hub[1]["hub.secret"], FEED + b"   ")


def test_a_hub_that_cannot_be_reached_is_said_so(
    served: Served, owner: Actor, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YOUTUBE_HUB_URL", "http://127.0.0.1:1/")
    get_settings.cache_clear()
    with served.client(owner) as client:
        answer = client.post(f"/api/publishing/accounts/{account}/push", headers={"Host": NAME})
    assert answer.status_code == 502
    assert answer.json()["retryable"] is True

"""TikTok's notifications over HTTP: signed, fresh, once, in any order, and only hints (P2.4, F14)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from core import database
from core.models.publishing import PublicationRecord, WebhookDelivery
from core.publishing import tiktok_webhooks
from core.security import Actor
from tests.engine import publishing_studio as room
from tests.engine.api_server import Served, serve
from tests.engine.test_publishing_tiktok import CONSENT, connected
from tests.fakes.tiktok.client import FakeTikTok
from workers.publishing import dispatch, upload

PUBLIC = "post.publish.publicly_available"
GONE = "post.publish.no_longer_publicaly_available"
COMPLETE = "post.publish.complete"


@pytest.fixture
def served(tiktok: FakeTikTok) -> Iterator[Served]:
    with serve() as found:
        yield found


def _published(tiktok: FakeTikTok, owner: Actor, video: Path) -> tuple[UUID, str]:
    key = room.planned(owner, room.stored(owner, video), connected(owner, tiktok), options=CONSENT)
    room.tick()
    with database.session() as session:
        session.execute(update(PublicationRecord).values(next_metrics_at=func.now() + timedelta(days=1)))
    return key, str(room.record(key).remote_id)


def _stored() -> int:
    with database.session() as session:
        return session.scalar(select(func.count()).select_from(WebhookDelivery)) or 0


def _read_due_figures() -> int:
    dispatch.due_syncs()
    return room.run_jobs("publishing.sync_metrics")


def test_signed_fresh_and_once(served: Served, tiktok: FakeTikTok, owner: Actor, video: Path) -> None:
    key, publish_id = _published(tiktok, owner, video)
    url = f"{served.url}/api/publishing/webhook/tiktok"
    for bad in ({"secret": "guessed"}, {"age": 310.0}, {"age": -310.0}, {"open_id": "somebody else"}):
        assert tiktok.notify(url, PUBLIC, publish_id=publish_id, **bad) == 403
    with served.client() as plain:
        assert plain.post("/api/publishing/webhook/tiktok", content=b"[" * 500_000).status_code == 403
        for headers in ({}, {"TikTok-Signature": "s=1"}, {"TikTok-Signature": f"t={time.time():.0f},s="}):
            assert plain.post("/api/publishing/webhook/tiktok", content=b"{}", headers=headers).status_code == 403
        assert plain.get("/api/publishing/webhook/tiktok").status_code == 404
        assert plain.post("/api/publishing/webhook/elsewhere", content=b"{}").status_code == 404
    assert _stored() == 0
    assert _read_due_figures() == 0
    now = int(time.time())
    for _ in range(5):
        assert tiktok.notify(url, PUBLIC, publish_id=publish_id, create_time=now) == 200
    assert _stored() == 1
    assert _read_due_figures() == 1, "a hint: the figures are read, and TikTok itself says what is so"
    assert room.record(key).remote_id == "7400000000000000001"
    assert tiktok.notify(url, COMPLETE, publish_id=publish_id, create_time=now - 60) == 200, "after what followed it"
    assert (room.record(key).state, _stored()) == ("published", 2)
    assert _read_due_figures() == 0, "known under its own id by now"


def test_a_hint_that_is_not_so_changes_nothing(served: Served, tiktok: FakeTikTok, owner: Actor, video: Path) -> None:
    key, publish_id = _published(tiktok, owner, video)
    url = f"{served.url}/api/publishing/webhook/tiktok"
    assert tiktok.notify(url, PUBLIC, publish_id=publish_id) == 200
    _read_due_figures()
    assert tiktok.notify(url, GONE, publish_id=publish_id) == 200
    assert _read_due_figures() == 1
    assert room.record(key).warnings == [], "it is still there"
    tiktok.set(post={"publish_id": publish_id, "deleted": True})
    assert tiktok.notify(url, GONE, publish_id=publish_id, create_time=int(time.time()) + 1) == 200
    _read_due_figures()
    assert [each["code"] for each in room.record(key).warnings] == ["gone"]


def test_a_post_in_processing_is_looked_at_at_once(
    served: Served, tiktok: FakeTikTok, owner: Actor, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "PATIENCE", 0.1)
    account = connected(owner, tiktok)
    tiktok.set(processing_polls=1_000)
    key = room.planned(owner, room.stored(owner, video), account, options=CONSENT)
    room.tick()
    assert room.record(key).state == "processing"
    room.tick()
    asked = tiktok.calls()["status"]
    url = f"{served.url}/api/publishing/webhook/tiktok"
    assert tiktok.notify(url, COMPLETE, publish_id=str(room.record(key).remote_id)) == 200
    assert room.record(key).state == "processing", "the notification alone proves nothing"
    tiktok.set(processing_polls=0)
    room.tick()
    assert tiktok.calls()["status"] == asked + 1
    assert room.record(key).state == "published"


def test_a_permission_taken_back_is_confirmed_before_the_account_is_paused(
    served: Served, tiktok: FakeTikTok, owner: Actor
) -> None:
    account = connected(owner, tiktok)
    url = f"{served.url}/api/publishing/webhook/tiktok"
    assert tiktok.notify(url, "authorization.removed", open_id="creator", reason=1) == 200
    tiktok.fault("creator_info", "drop_before")
    assert tiktok_webhooks.settle_removed() == 0, "no answer: asked again later"
    assert tiktok_webhooks.settle_removed() == 1
    assert room.account_row(account).status == "connected", "not so"
    tiktok.set(account={"open_id": "creator", "revoked": True})
    later = int(time.time()) + 5
    assert tiktok.notify(url, "authorization.removed", open_id="creator", reason=1, create_time=later) == 200
    assert tiktok_webhooks.settle_removed() == 1
    assert tiktok_webhooks.settle_removed() == 0
    assert room.account_row(account).status == "needs_reconnect"

"""Dashboard and advisor over HTTP: shapes, corrections, roles, other people's identifiers (H6, H7)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from api.application import api
from core import database
from core.business.snapshots import Snapshot, record_snapshots
from core.models.identity import User
from core.preferences import set_preferences
from core.security import Actor, actor_of, issue_api_token
from tests.engine.business_world import PUBLISHED, World, build

MARCH = {"range": "custom", "start": "2026-03-01", "end": "2026-03-31"}
Client = Callable[[Actor], TestClient]


@pytest.fixture
def client() -> Client:
    """A program with a token."""

    def of(actor: Actor) -> TestClient:
        with database.session() as session:
            token = issue_api_token(session, session.get_one(User, actor.user_id), "test")
        return TestClient(api, headers={"Authorization": f"Bearer {token}"})

    return of


@pytest.fixture
def world(owner: Actor) -> World:
    with database.session(owner) as session:
        set_preferences(session, owner, language="en", timezone="Asia/Bangkok", currency="THB")
        made = build(session, owner.owner_id, ["Soup", "Tea"])
        record_snapshots(
            session,
            [
                Snapshot(key, PUBLISHED + timedelta(days=2), {"views": 70, "likes": 7}, "t")
                for key in made.publication_ids
            ],
        )
    return made


def test_money_in_and_out(owner: Actor, other_owner: Actor, world: World, client: Client) -> None:
    http, soup = client(owner), str(world.episode_ids[0])
    cost = http.post(
        "/dashboard/costs",
        json={"episode_id": soup, "category": "editing", "amount": 0.1, "currency": "thb", "incurred_on": "2026-03-02"},
    )
    assert cost.status_code == 201, cost.text
    assert (cost.json()["amount"], cost.json()["currency"], cost.json()["revision"]) == (0.1, "THB", 1)
    earned = {"episode_id": soup, "amount": "12.50", "currency": "THB", "earned_on": "2026-03-03", "external_ref": "a"}
    assert http.post("/dashboard/revenue", json=earned).json()["revision"] == 1
    assert http.post("/dashboard/revenue", json=earned).json()["revision"] == 1
    assert http.post("/dashboard/revenue", json={**earned, "amount": 20}).json()["revision"] == 2
    rate = {"base": "USD", "quote": "THB", "on_date": "2026-03-03", "rate": 36.5}
    assert http.post("/dashboard/fx-rates", json=rate).json()["rate"] == 36.5

    shown = http.get("/dashboard/overview", params=MARCH).json()
    assert shown["totals"]["revenue"] == 20
    assert shown["totals"]["cost"] == 0.1
    assert shown["totals"]["profit"] == 19.9
    assert shown["totals"]["roi"] == 199
    assert shown["totals"]["views"] == 140
    assert shown["totals"]["engagement_rate"] == 0.1
    assert {line["name"] for line in shown["by_episode"]} == {"Soup", "Tea"}
    assert shown["queries"][0]["row_count"] == 2
    in_dollars = http.get("/dashboard/overview", params={**MARCH, "currency": "USD"}).json()
    assert in_dollars["totals"]["revenue"] == pytest.approx(20 / 36.5, abs=1e-6)
    assert in_dollars["fx_missing"] == {"THB": 0.1}

    patched = http.patch(f"/dashboard/costs/{cost.json()['id']}", json={"amount": 5})
    assert patched.status_code == 200, patched.text
    assert http.patch(f"/dashboard/costs/{cost.json()['id']}", json={"amount": 6}).status_code == 409
    history = http.get(f"/dashboard/costs/{patched.json()['id']}/history").json()
    assert [(row["amount"], row["created_by"]) for row in history] == [
        (0.1, str(owner.user_id)),
        (5, str(owner.user_id)),
    ]
    assert http.get(f"/dashboard/episodes/{soup}/finance").json()["totals"]["cost"] == 5
    assert http.get(f"/dashboard/series/{world.series_id}/finance").json()["totals"]["profit"] == 15
    assert http.get(f"/dashboard/channels/{world.channel_id}/finance").json()["totals"]["views"] == 140
    seen = http.get(f"/dashboard/episodes/{soup}/performance").json()
    assert seen["observations"][0]["views"] == 70
    assert seen["equal_age"]["others"] == 1

    table = ("costs.csv", b"date,amount,category,episode\n2026-03-04,7,fee,Tea\n", "text/csv")
    assert http.post("/dashboard/costs/import", files={"file": table}).json() == {"rows": 1, "written": 1}
    assert http.post("/dashboard/costs/import", files={"file": table}).json() == {"rows": 1, "written": 0}
    bad = http.post("/dashboard/costs/import", files={"file": ("x.csv", b"date,amount\n", "text/csv")})
    assert bad.status_code == 422
    csv = http.get("/dashboard/overview/export", params={**MARCH, "level": "episode"})
    assert csv.headers["content-type"].startswith("text/csv")
    assert "Soup,Kitchen shorts,70,20" in csv.text

    for wrong in (
        {"category": "editing", "amount": 1, "currency": "THB", "incurred_on": "2026-03-02"},
        {"episode_id": soup, "category": "fun", "amount": 1, "currency": "THB", "incurred_on": "2026-03-02"},
        {"episode_id": soup, "category": "fee", "amount": 1, "currency": "ZZZ", "incurred_on": "2026-03-02"},
        {"episode_id": soup, "category": "fee", "amount": -1, "currency": "THB", "incurred_on": "2026-03-02"},
    ):
        assert http.post("/dashboard/costs", json=wrong).status_code == 422
    assert http.get("/dashboard/overview", params={"range": "whenever"}).status_code == 422

    stranger = client(other_owner)
    for path in (
        f"/dashboard/overview?episode_id={soup}",
        f"/dashboard/episodes/{soup}/finance",
        f"/dashboard/episodes/{soup}/performance",
        f"/dashboard/series/{world.series_id}/finance",
        f"/dashboard/channels/{world.channel_id}/finance",
        f"/dashboard/costs/{patched.json()['id']}/history",
    ):
        assert stranger.get(path).status_code == 404, path
    assert stranger.get("/dashboard/costs").json() == []
    assert stranger.patch(f"/dashboard/costs/{patched.json()['id']}", json={"amount": 1}).status_code == 404

    with database.session() as session:
        user = User(role="viewer", name="v", studio_owner_id=owner.owner_id)
        session.add(user)
        session.flush()
        viewer = actor_of(user)
    reader = client(viewer)
    in_baht = reader.get("/dashboard/overview", params={**MARCH, "currency": "THB"}).json()
    assert in_baht["totals"]["revenue"] == 20
    refused = reader.post(
        "/dashboard/costs",
        json={"episode_id": soup, "category": "fee", "amount": 1, "currency": "THB", "incurred_on": "2026-03-02"},
    )
    assert refused.status_code == 403


def test_advisor(owner: Actor, other_owner: Actor, world: World, client: Client) -> None:
    http = client(owner)
    with http.stream("POST", "/advisor/ask", json={"question": "Which video was watched most?"}) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = [block.split("\n", 1) for block in answer.read().decode().strip().split("\n\n")]
    kinds = [head.removeprefix("event: ") for head, _ in events]
    assert kinds[0] == "start"
    assert kinds[-1] == "answer"
    pieces = "".join(json.loads(data.removeprefix("data: "))["text"] for head, data in events if head == "event: delta")
    whole = json.loads(events[-1][1].removeprefix("data: "))
    assert pieces == whole["message"]["content"]
    assert "70 views" in pieces
    span = whole["message"]["spans"][0]
    query = http.get(f"/advisor/queries/{span['query_id']}").json()
    assert query["rows"][0]["views"] == 70
    assert "SELECT" in query["statement"]

    again = http.post(
        "/advisor/ask",
        json={"question": "มีอะไรตั้งเวลาไว้บ้าง", "conversation_id": whole["conversation_id"]},
        headers={"Accept": "application/json"},
    ).json()
    assert again["message"]["language"] == "th"
    assert len(http.get(f"/advisor/conversations/{whole['conversation_id']}").json()) == 4
    assert [item["kind"] for item in http.get("/advisor/advice").json()][-1] == "stale"
    assert http.post("/advisor/ask", json={"question": ""}).status_code == 422

    stranger = client(other_owner)
    assert stranger.get(f"/advisor/queries/{span['query_id']}").status_code == 404
    assert stranger.get(f"/advisor/conversations/{whole['conversation_id']}").status_code == 404
    assert stranger.get("/advisor/conversations").json() == []

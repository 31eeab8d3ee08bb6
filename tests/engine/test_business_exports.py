"""Exports in the books: whose money, nothing twice, corrections beside what was there (B4)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import update

from core import database
from core.business import exported, exports, revenue
from core.business.revenue import Earning, record_revenue
from core.business.targets import Target
from core.models.business import RevenueRecord
from core.models.publishing import PublicationRecord
from core.security import Actor
from core.settings import Settings
from tests.engine.api_server import Served, serve
from tests.engine.business_world import World, build

HEAD = "Date,Content,Video title,Estimated revenue (USD)\n"
BY_VIDEO = f"{HEAD}Total,,,6.5\n2026-03-01,vid_A,Soup,2.5\n2026-03-02,vid_A,Soup,1\n2026-03-02,elsewhere,Old one,3\n"
DAYS = "Date,Estimated revenue (USD)\n2026-03-01,4\n2026-03-02,4.5\n2026-03-03,1\n"


@pytest.fixture
def world(owner: Actor) -> World:
    with database.session(owner) as session:
        made = build(session, owner.owner_id, ["Soup", "Tea"])
        for key, remote in zip(made.publication_ids, ("vid_A", "vid_B"), strict=True):
            session.execute(update(PublicationRecord).where(PublicationRecord.id == key).values(remote_id=remote))
        return made


@pytest.fixture
def served(studio: Settings) -> Iterator[Served]:
    with serve() as found:
        yield found


def _take(owner: Actor, text: str, channel: Any = None) -> tuple[list[tuple[int, str, str]], int]:
    export = exports.read(text.encode())
    assert export is not None
    with database.session(owner) as session:
        judged = exported.judge(session, export, channel_id=channel)
        written = exported.take(session, judged, by=owner.user_id)
    return [(one.line, one.status, one.reason) for one in judged], written


def _sum(owner: Actor) -> Decimal:
    with database.session(owner) as session:
        return sum((row.amount for row in revenue.current_revenue(session)), Decimal(0))


def test_posts_of_the_studio_get_their_money_and_the_same_file_changes_nothing(owner: Actor, world: World) -> None:
    lines, written = _take(owner, BY_VIDEO)
    assert lines == [(2, "left_out", "sum"), (3, "new", ""), (4, "new", ""), (5, "left_out", "no_channel")]
    assert (written, _sum(owner)) == (2, Decimal("3.5"))
    lines, written = _take(owner, BY_VIDEO)
    assert [status for _line, status, _reason in lines] == ["left_out", "known", "known", "left_out"]
    assert written == 0
    lines, written = _take(owner, BY_VIDEO, world.channel_id)
    assert lines[-1] == (5, "new", "")
    assert (written, _sum(owner)) == (1, Decimal("6.5"))
    lines, written = _take(owner, BY_VIDEO.replace("Soup,2.5", "Soup,2.25"), world.channel_id)
    assert lines[1] == (3, "changed", "")
    assert (written, _sum(owner)) == (1, Decimal("6.25"))
    with database.session(owner) as session:
        row = session.query(RevenueRecord).filter_by(external_ref="2026-03-01:vid_A", revision=2).one()
        history = revenue.revenue_history(session, row)
    assert [(one.amount, one.created_by, one.kind) for one in history] == [
        (Decimal("2.5"), owner.user_id, "estimated"),
        (Decimal("2.25"), owner.user_id, "estimated"),
    ]


def test_what_a_person_corrected_or_took_out_does_not_come_back(owner: Actor, world: World) -> None:
    _take(owner, BY_VIDEO)
    with database.session(owner) as session:
        rows = {row.external_ref: row for row in revenue.current_revenue(session)}
        revenue.correct_revenue(session, rows["2026-03-01:vid_A"], by=owner.user_id, amount=Decimal(9), note="checked")
        revenue.correct_revenue(session, rows["2026-03-02:vid_A"], by=owner.user_id, void=True)
    assert _take(owner, BY_VIDEO)[1] == 0
    assert _sum(owner) == Decimal(9)


def test_what_the_platform_reported_is_not_counted_twice(owner: Actor, world: World) -> None:
    with database.session(owner) as session:
        synced = Earning(
            Target(publication_id=world.publication_ids[0]), Decimal(2), "USD", date(2026, 3, 1), "youtube", "x"
        )
        record_revenue(session, synced)
    lines, _ = _take(owner, BY_VIDEO)
    assert lines[1:3] == [(3, "left_out", "synced"), (4, "new", "")]
    assert _sum(owner) == Decimal(3)
    lines, written = _take(owner, DAYS, world.channel_id)
    assert lines == [(2, "new", "rest"), (3, "new", "rest"), (4, "new", "")]
    assert (written, _sum(owner)) == (3, Decimal("9.5")), "each day's own sum, whoever reported it"
    assert _take(owner, DAYS, world.channel_id)[1] == 0
    lines, _ = _take(owner, f"{HEAD}2026-03-03,vid_B,Tea,1\n")
    assert lines == [(2, "left_out", "whole_day")]
    lines, _ = _take(owner, "Date,Estimated earnings (THB)\n2026-03-01,130\n", world.channel_id)
    assert lines == [(2, "left_out", "other_currency")]
    assert _sum(owner) == Decimal("9.5")


def test_a_strangers_channel_takes_nothing(owner: Actor, other_owner: Actor, world: World) -> None:
    lines, written = _take(other_owner, DAYS, world.channel_id)
    assert {reason for _line, _status, reason in lines} == {"no_channel"}
    assert written == 0


def test_over_http_previewed_first(served: Served, owner: Actor, world: World) -> None:
    def send(text: str, **params: object) -> Any:
        files = {"file": ("Chart data.csv", text.encode(), "text/csv")}
        with served.client(owner) as client:
            return client.post("/api/dashboard/revenue/import", params=params, files=files)

    answer = send(BY_VIDEO, preview=True, channel_id=str(world.channel_id)).json()
    assert (answer["kind"], answer["currency"], answer["written"], answer["ignored"]) == ("youtube_studio", "USD", 3, 1)
    assert answer["lines"][1] == {
        "line": 3, "status": "new", "reason": "", "day": "2026-03-01", "amount": 2.5, "belongs_to": "Soup",
    }  # fmt: skip
    assert _sum(owner) == 0
    assert send(BY_VIDEO, channel_id=str(world.channel_id)).json()["written"] == 3
    assert _sum(owner) == Decimal("6.5")
    refused = send(f"{HEAD}2026-03-01,vid_A,Soup,lots\n")
    assert refused.status_code == 422
    assert "Line 2" in refused.json()["detail"]
    table = f"date,amount,episode,currency\n2026-03-05,3,{world.episode_ids[0]},USD\n"
    answer = send(table, preview=True).json()
    assert (answer["kind"], answer["rows"], answer["written"]) == ("table", 1, 1)
    assert _sum(owner) == Decimal("6.5"), "a preview of a table takes nothing either"
    assert send(table).json()["written"] == 1
    assert _sum(owner) == Decimal("9.5")
    assert send(BY_VIDEO, simulated=True).status_code == 422

"""The daily sums equal a computation from the raw rows, whatever came in whatever order (B3, facts: F15)."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from core import database
from core.business import revenue, rollups, snapshots
from core.business.costs import Cost, correct_cost, cost_of, enter_cost
from core.business.daily import Observation, Report, daily
from core.business.snapshots import DayReport, Snapshot
from core.business.targets import Target
from core.errors import InvalidInput, NotFound
from core.models.base import uuid7
from core.models.business import (
    COUNTERS,
    ChannelDaily,
    CostEntry,
    FinanceDaily,
    PerformanceSnapshot,
    PublicationDaily,
    ReportedDay,
)
from core.security import Actor
from tests.engine.business_world import PUBLISHED, World, build

ZONE = ZoneInfo("Asia/Bangkok")


def _stored(session: Any) -> dict[Any, Any]:
    names = [f"{name}_{part}" for name in COUNTERS for part in ("end", "gain")]
    columns = [*names, "gap_days", "method", "is_final", "report_tz", "source_max_captured_at"]
    rows = session.scalars(select(PublicationDaily)).all()
    return {(row.publication_id, row.day): {name: getattr(row, name) for name in columns} for row in rows}


def _from_raw(session: Any, world: World) -> dict[Any, Any]:
    """The same computed here from all raw rows at once."""
    found = {}
    for position, key in enumerate(world.publication_ids):
        seen = [
            Observation(row.captured_at, tuple(getattr(row, name) for name in COUNTERS))
            for row in session.scalars(select(PerformanceSnapshot).where(PerformanceSnapshot.publication_id == key))
        ]
        told = [
            Report(
                row.day, row.captured_at, tuple(getattr(row, name) for name in COUNTERS), row.report_tz, row.is_final
            )
            for row in session.scalars(select(ReportedDay).where(ReportedDay.publication_id == key))
        ]
        for day in daily(seen, told, ZONE, published_at=PUBLISHED + timedelta(minutes=position)):
            row = {f"{name}_end": value for name, value in zip(COUNTERS, day.ends, strict=True)}
            row |= {f"{name}_gain": value for name, value in zip(COUNTERS, day.gains, strict=True)}
            row |= {
                "gap_days": day.gap_days,
                "method": day.method,
                "is_final": day.is_final,
                "report_tz": day.report_tz,
                "source_max_captured_at": day.source_max_captured_at,
            }
            found[key, day.day] = row
    return found


def _channel_sums(session: Any) -> dict[Any, Any]:
    return {
        row.day: (row.views_gain, row.likes_gain, row.publications) for row in session.scalars(select(ChannelDaily))
    }


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rollups_equal_recomputation_after_disorder(owner: Actor, seed: int) -> None:
    chance = random.Random(seed)
    with database.session() as session:
        world = build(session, owner.owner_id, ["One", "Two", "Three"])
    past: list[Any] = []
    for _ in range(60):
        with database.session() as session:
            batch: list[Snapshot] = []
            reports: list[DayReport] = []
            for _ in range(chance.randint(1, 6)):
                key = chance.choice(world.publication_ids)
                moment = PUBLISHED + timedelta(minutes=chance.randint(0, 20 * 24 * 60))
                counters = {
                    "views": chance.choice([None, chance.randint(0, 5000)]),
                    "likes": chance.choice([None, chance.randint(0, 300)]),
                    "watch_time_seconds": chance.randint(0, 90000),
                }
                batch.append(Snapshot(key, moment, counters, "test"))
                if chance.random() < 0.3:
                    day = moment.astimezone(ZONE).date()
                    reports.append(
                        DayReport(
                            key,
                            day,
                            moment + timedelta(days=chance.randint(1, 4)),
                            {"views": chance.randint(-50, 900)},
                            "test",
                            "America/Los_Angeles",
                            chance.random() < 0.5,
                        )
                    )
            if past and chance.random() < 0.4:
                batch += chance.sample(past, k=min(3, len(past)))
            past += batch
            snapshots.record_snapshots(session, batch)
            snapshots.record_day_reports(session, reports)
    with database.session() as session:
        kept = _stored(session)
        assert kept == _from_raw(session, world)
        assert len(kept) > 30
        sums = _channel_sums(session)
        rollups.rebuild(session, world.publication_ids)
        session.expire_all()
        assert _stored(session) == kept
        assert _channel_sums(session) == sums
        views = session.scalar(select(func.sum(PublicationDaily.views_gain)))
        assert views == sum(row[0] or 0 for row in sums.values())


def test_a_replay_changes_nothing(owner: Actor) -> None:
    with database.session() as session:
        world = build(session, owner.owner_id, ["One"])
    key = world.publication_ids[0]
    batch = [Snapshot(key, PUBLISHED + timedelta(hours=6 * n), {"views": 10 * n}, "test") for n in range(12)]
    with database.session() as session:
        first = snapshots.record_snapshots(session, batch)
    with database.session() as session:
        again = snapshots.record_snapshots(session, batch)
    assert first.written == 12
    assert first.days_changed == 4
    assert (again.written, again.skipped, again.days_changed) == (0, 12, 0)


def test_an_unchanged_observation_is_left_out_within_a_day_only(owner: Actor) -> None:
    with database.session() as session:
        world = build(session, owner.owner_id, ["One"])
        key = world.publication_ids[0]
        at = datetime(2026, 3, 2, 3, tzinfo=UTC)
        assert snapshots.record_snapshot(session, key, at, {"views": 7}, source="test")
        assert not snapshots.record_snapshot(session, key, at + timedelta(hours=1), {"views": 7}, source="test")
        assert snapshots.record_snapshot(session, key, at + timedelta(days=1), {"views": 7}, source="test")
        gains = session.scalars(select(PublicationDaily.views_gain).order_by(PublicationDaily.day)).all()
        assert gains == [7, 0]


def test_impossible_observations_are_refused(owner: Actor) -> None:
    with database.session() as session:
        world = build(session, owner.owner_id, ["One"])
        key = world.publication_ids[0]
        with pytest.raises(InvalidInput):
            snapshots.record_snapshot(session, key, datetime(2026, 3, 2), {"views": 7}, source="test")
        with pytest.raises(InvalidInput):
            snapshots.record_snapshot(session, key, datetime.now(UTC) + timedelta(days=1), {"views": 7}, source="test")
        with pytest.raises(InvalidInput):
            snapshots.record_snapshot(session, key, PUBLISHED, {"veiws": 7}, source="test")
        with pytest.raises(InvalidInput):
            snapshots.record_snapshot(session, key, PUBLISHED, {"views": -1}, source="test")
        with pytest.raises(NotFound):
            snapshots.record_snapshot(session, uuid7(), PUBLISHED, {"views": 7}, source="test")


_MONEY_KEY = (
    *("day", "fx_on", "side", "category", "kind", "currency", "simulated", "allocation"),
    *("channel_id", "series_id", "episode_id", "publication_id"),
)


def _finance(session: Any) -> dict[Any, Any]:
    return {
        tuple(getattr(row, name) for name in _MONEY_KEY): (row.amount, row.entries)
        for row in session.scalars(select(FinanceDaily))
    }


def test_money_equals_recomputation_after_corrections(owner: Actor) -> None:
    chance = random.Random(7)
    with database.session() as session:
        world = build(session, owner.owner_id, ["One", "Two"])
    costs = []
    for step in range(120):
        with database.session() as session:
            earned = revenue.Earning(
                target=Target(publication_id=chance.choice(world.publication_ids)),
                amount=Decimal(chance.randint(0, 10**9)) / 10**6,
                currency=chance.choice(["THB", "USD"]),
                earned_on=date(2026, 3, 1) + timedelta(days=chance.randint(0, 9)),
                source="test",
                external_ref=f"ref-{chance.randint(0, 40)}",
                kind=chance.choice(["estimated", "finalised"]),
                simulated=chance.random() < 0.2,
            )
            revenue.record_revenue(session, earned)
            if step % 3 == 0:
                target = chance.choice(
                    [
                        Target(channel_id=world.channel_id),
                        Target(series_id=world.series_id),
                        Target(episode_id=world.episode_ids[0]),
                    ]
                )
                entered = enter_cost(
                    session,
                    Cost(target, "editing", Decimal("100.01"), "THB", date(2026, 1, 31), chance.choice([1, 3, 7])),
                )
                costs.append(entered.id)
            if costs and step % 5 == 0:
                row = session.get(CostEntry, costs.pop(chance.randrange(len(costs))))
                assert row is not None
                changed = replace(cost_of(row), amount=Decimal("7"), target=Target(episode_id=world.episode_ids[1]))
                correct_cost(session, row, changed, by=owner.user_id, void=chance.random() < 0.5)
    with database.session() as session:
        kept = _finance(session)
        rollups.rebuild_finance(session, owner.owner_id)
        session.expire_all()
        assert _finance(session) == kept
        assert len(kept) > 40


def test_amortised_parts_add_up(owner: Actor) -> None:
    with database.session() as session:
        world = build(session, owner.owner_id, ["One"])
        enter_cost(
            session, Cost(Target(channel_id=world.channel_id), "gear", Decimal("100"), "THB", date(2026, 1, 31), 3)
        )
        rows = session.execute(
            select(FinanceDaily.day, FinanceDaily.fx_on, FinanceDaily.amount).order_by(FinanceDaily.day)
        ).all()
    assert [row.day for row in rows] == [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)]
    assert sum(row.amount for row in rows) == 100
    assert {row.fx_on for row in rows} == {date(2026, 1, 31)}

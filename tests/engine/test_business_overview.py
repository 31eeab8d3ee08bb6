"""Figures of the dashboard against sums worked out by hand (B1, B2, B3, B4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from core import database
from core.business import overview, performance, tables
from core.business.costs import Cost, correct_cost, cost_history, cost_of, current_costs, enter_cost
from core.business.fx import record_rate
from core.business.payloads import OverviewOut
from core.business.revenue import Earning, correct_revenue, current_revenue, record_revenue
from core.business.scope import Period, Scope
from core.business.snapshots import Snapshot, record_snapshots
from core.business.targets import Target
from core.errors import Conflict, InvalidInput, NotFound
from core.models.business import FxRate, RevenueRecord
from core.security import Actor
from tests.engine.business_world import PUBLISHED, World, build

MARCH = Scope(Period(date(2026, 3, 1), date(2026, 3, 31)), "THB")


def earning(world: World, index: int, amount: str, *, day: int = 5, currency: str = "THB", ref: str = "") -> Earning:
    return Earning(
        Target(publication_id=world.publication_ids[index]),
        Decimal(amount),
        currency,
        date(2026, 3, day),
        "test",
        ref or f"{index}-{day}-{currency}",
    )


@pytest.fixture
def world(owner: Actor) -> World:
    """Three shorts; views 100, 200, 400; revenue 300 THB, 10 USD at 36, nothing; costs 100 THB direct, 90 shared."""
    with database.session(owner) as session:
        made = build(session, owner.owner_id, ["Soup", "Noodles", "Tea"])
        record_snapshots(
            session,
            [
                Snapshot(key, PUBLISHED + timedelta(days=day), {"views": views * day, "likes": day}, "test")
                for key, views in zip(made.publication_ids, (50, 100, 200), strict=True)
                for day in (1, 2)
            ],
        )
        record_revenue(session, earning(made, 0, "300"))
        record_revenue(session, earning(made, 1, "10", currency="USD"))
        record_rate(session, "USD", "THB", date(2026, 3, 4), Decimal(36))
        enter_cost(
            session,
            Cost(Target(episode_id=made.episode_ids[2]), "editing", Decimal(100), "THB", date(2026, 3, 2)),
            by=owner.user_id,
        )
        enter_cost(
            session, Cost(Target(series_id=made.series_id), "music_licence", Decimal(90), "THB", date(2026, 3, 2))
        )
    return made


def test_totals(owner: Actor, world: World) -> None:
    with database.session(owner) as session:
        shown = overview.overview(session, MARCH)
    assert shown.totals.views == 700
    assert shown.totals.revenue == Decimal(660)
    assert shown.totals.cost == Decimal(190)
    assert shown.totals.profit == Decimal(470)
    assert shown.totals.roi == Decimal("2.4737")
    assert shown.native == {"THB": {"revenue": 300, "cost": 190}, "USD": {"revenue": 10, "cost": 0}}
    assert shown.cost_categories == {"editing": 100, "music_licence": 90}
    assert not shown.fx_missing
    assert shown.data_through == PUBLISHED + timedelta(days=2)


def test_lines_and_sums_agree(owner: Actor, world: World) -> None:
    with database.session(owner) as session:
        shown = overview.overview(session, MARCH)
    lines = {line.name: line.totals for line in shown.episodes}
    assert [(lines[name].views, lines[name].profit) for name in ("Soup", "Noodles", "Tea")] == [
        (100, 270),
        (200, 330),
        (400, -130),
    ]
    assert lines["Tea"].roi == Decimal("-1.0000")
    for several in (shown.episodes, shown.series, shown.channels, shown.platforms):
        assert sum(line.totals.revenue for line in several) == shown.totals.revenue
        assert sum(line.totals.cost for line in several) == shown.totals.cost
        assert sum(line.totals.views or 0 for line in several) == shown.totals.views
    assert sum(day.revenue for day in shown.days.values()) == shown.totals.revenue
    assert sum(day.views or 0 for day in shown.days.values()) == shown.totals.views


def test_a_part_shows_what_it_shows_in_the_whole(owner: Actor, world: World) -> None:
    with database.session(owner) as session:
        whole = overview.overview(session, MARCH)
        part = overview.overview(session, replace(MARCH, episode_id=world.episode_ids[2]))
        series = overview.overview(session, replace(MARCH, series_id=world.series_id))
    line = next(line for line in whole.episodes if line.identifier == world.episode_ids[2])
    assert (part.totals.cost, part.totals.shared_cost, part.totals.views) == (130, 30, 400)
    assert part.totals.cost == line.totals.cost
    assert sum(day.cost for day in part.days.values()) == 130
    assert series.totals.profit == whole.totals.profit


def test_every_part_equals_its_line_of_the_whole(owner: Actor, world: World) -> None:
    """Two channels, money at every level and in two currencies: each episode, series and channel asked for alone says
    what the table of all of them says, and so do the sums of its days."""
    with database.session(owner) as session:
        other = build(session, owner.owner_id, ["Roses", "Tulips"], name="Garden")
        enter_cost(session, Cost(Target(series_id=other.series_id), "gear", Decimal("10.01"), "THB", date(2026, 3, 2)))
        enter_cost(session, Cost(Target(channel_id=other.channel_id), "fee", Decimal(7), "USD", date(2026, 3, 6), 2))
        enter_cost(session, Cost(Target(channel_id=world.channel_id), "fee", Decimal(5), "THB", date(2026, 3, 6)))
        record_revenue(session, earning(other, 1, "1.234567", currency="USD"))
        record_revenue(
            session, Earning(Target(series_id=other.series_id), Decimal(9), "THB", date(2026, 3, 8), "brand", "deal")
        )
        whole = overview.overview(session, MARCH)
        for level, lines in (("episode", whole.episodes), ("series", whole.series), ("channel", whole.channels)):
            for line in lines:
                if line.identifier is None:
                    continue
                part = overview.overview(session, replace(MARCH, **{f"{level}_id": line.identifier}))
                assert part.totals == line.totals, (level, line.name)
                assert sum(day.revenue for day in part.days.values()) == part.totals.revenue
                assert abs(sum(day.cost for day in part.days.values()) - part.totals.cost) <= Decimal("0.00001")
            assert sum(line.totals.profit for line in lines) == whole.totals.profit


def test_shares_by_views(owner: Actor, world: World) -> None:
    with database.session(owner) as session:
        enter_cost(
            session,
            Cost(Target(channel_id=world.channel_id), "gear", Decimal(70), "THB", date(2026, 3, 3), allocation="views"),
        )
        shown = overview.overview(session, MARCH)
    shared = {line.name: line.totals.shared_cost for line in shown.episodes}
    assert shared == {"Soup": 40, "Noodles": 50, "Tea": 70}


def test_no_cost_is_not_infinite_return(owner: Actor) -> None:
    with database.session(owner) as session:
        made = build(session, owner.owner_id, ["Soup"])
        record_revenue(session, earning(made, 0, "5"))
        shown = overview.overview(session, MARCH)
        assert shown.totals.roi is None
        out = OverviewOut.of(shown, None, has_real=True, has_simulated=False).model_dump(mode="json")
    assert out["totals"]["roi"] is None
    assert out["totals"]["roi_note"] == "no cost recorded"
    assert out["totals"]["revenue"] == 5.0


def test_money_without_a_rate_is_named_and_not_guessed(owner: Actor, world: World) -> None:
    with database.session(owner) as session:
        record_revenue(session, earning(world, 0, "77", day=20, currency="USD"))
        shown = overview.overview(session, MARCH)
    assert shown.totals.revenue == Decimal(660)
    assert shown.totals.fx_missing
    assert shown.fx_missing == {"USD": 77}


def test_the_past_keeps_its_rate(owner: Actor, world: World) -> None:
    with database.session(owner) as session:
        record_rate(session, "USD", "THB", date(2026, 3, 30), Decimal(99))
        assert overview.overview(session, MARCH).totals.revenue == Decimal(660)


def test_simulated_never_mixes(owner: Actor, world: World) -> None:
    with database.session(owner) as session:
        toy = build(session, owner.owner_id, ["Toy"], name="Trial", simulated=True)
        record_snapshots(
            session, [Snapshot(toy.publication_ids[0], PUBLISHED + timedelta(hours=5), {"views": 5000}, "test")]
        )
        from dataclasses import replace

        record_revenue(session, replace(earning(toy, 0, "1000"), simulated=True))
        real = overview.overview(session, MARCH)
        simulated = overview.overview(session, replace(MARCH, simulated=True))
    assert (real.totals.views, real.totals.revenue) == (700, 660)
    assert (simulated.totals.views, simulated.totals.revenue, simulated.totals.cost) == (5000, 1000, 0)
    assert [line.name for line in simulated.episodes] == ["Toy"]


def test_nobody_sees_anothers_figures(owner: Actor, other_owner: Actor, world: World) -> None:
    with database.session(other_owner) as session:
        shown = overview.overview(session, MARCH)
        assert (shown.totals.views, shown.totals.revenue, shown.totals.cost) == (None, 0, 0)
        assert shown.episodes == []
        assert current_costs(session) == []
        with pytest.raises(NotFound):
            enter_cost(
                session, Cost(Target(episode_id=world.episode_ids[0]), "fee", Decimal(1), "THB", date(2026, 3, 1))
            )


def test_corrections_are_new_rows(owner: Actor, world: World) -> None:
    from dataclasses import replace

    with database.session(owner) as session:
        (row,) = [item for item in current_costs(session) if item.category == "editing"]
        corrected = correct_cost(session, row, replace(cost_of(row), amount=Decimal(60)), by=owner.user_id)
        assert overview.overview(session, MARCH).totals.cost == 150
        assert [(item.revision, item.amount, item.created_by) for item in cost_history(session, corrected)] == [
            (1, 100, owner.user_id),
            (2, 60, owner.user_id),
        ]
        with pytest.raises(Conflict):
            correct_cost(session, row, cost_of(row), by=owner.user_id)
        correct_cost(session, corrected, cost_of(corrected), by=owner.user_id, void=True)
        assert overview.overview(session, MARCH).totals.cost == 90


def test_revised_revenue_replaces_and_a_persons_correction_stays(owner: Actor, world: World) -> None:
    from dataclasses import replace

    first = earning(world, 2, "50", ref="day-5")
    with database.session() as session:
        assert record_revenue(session, first)
        assert not record_revenue(session, first)
        assert record_revenue(session, replace(first, amount=Decimal(55)))
        assert record_revenue(session, replace(first, amount=Decimal(54), kind="finalised"))
        assert not record_revenue(session, first)
    with database.session(owner) as session:
        assert overview.overview(session, MARCH).totals.revenue == 660 + 54
        (row,) = [item for item in current_revenue(session) if item.external_ref == "day-5"]
        correct_revenue(session, row, by=owner.user_id, amount=Decimal(40), note="bank statement")
    with database.session() as session:
        assert not record_revenue(session, replace(first, amount=Decimal(54), kind="finalised"))
    with database.session(owner) as session:
        assert overview.overview(session, MARCH).totals.revenue == 660 + 40
        rows = session.scalars(select(RevenueRecord).where(RevenueRecord.external_ref == "day-5")).all()
        assert sorted(row.revision for row in rows) == [1, 2, 3, 4]


def test_equal_age(owner: Actor) -> None:
    with database.session(owner) as session:
        made = build(session, owner.owner_id, [f"Short {n}" for n in range(7)])
        record_snapshots(
            session,
            [
                Snapshot(key, PUBLISHED + timedelta(days=2, minutes=n), {"views": 100 + 10 * n if n < 6 else 5000}, "t")
                for n, key in enumerate(made.publication_ids)
            ],
        )
        grown = performance.growth(session, MARCH, shorts_only=True)
        found = performance.compare(grown.curves)
    assert found[0].episode_id == made.episode_ids[6]
    assert found[0].age == timedelta(days=2)
    assert found[0].baseline == pytest.approx(125)
    assert found[0].others == 6
    assert found[0].z is not None
    assert found[0].z > performance.OUTLIER
    assert all(item.z is not None and item.z < performance.OUTLIER for item in found[1:])


def test_tables_in_and_out(owner: Actor, world: World) -> None:
    table = (
        "Date,Amount,Category,Episode,Note\r\n"
        '2026-03-04,"1,250.50",editing,Soup,\'=SUM(A1)\r\n'
        f"2026-03-05,10,fee,{world.episode_ids[1]},\r\n"
    ).encode()
    with database.session(owner) as session:
        done = tables.import_costs(session, table, by=owner.user_id, currency="THB")
        again = tables.import_costs(session, table, by=owner.user_id, currency="THB")
        assert (done.written, again.written) == (2, 0)
        assert overview.overview(session, MARCH).totals.cost == Decimal("1450.50")
        assert {row.note for row in current_costs(session)} >= {"=SUM(A1)"}
    with pytest.raises(InvalidInput) as error, database.session(owner) as session:
        tables.import_costs(session, table + b"2026-03-05,ten,fee,Soup,\r\n", by=owner.user_id, currency="THB")
    assert "Line 4" in error.value.detail
    revenue = b"date,amount,currency,episode,reference\n2026-03-09,12.5,THB,Soup,a1\n2026-03-10,1,THB,Soup,a2\n"
    with database.session(owner) as session:
        assert tables.import_revenue(session, revenue, by=owner.user_id, currency="THB").written == 2
        assert tables.import_revenue(session, revenue, by=owner.user_id, currency="THB").written == 0
        rates = b"date,base,quote,rate\n2026-03-09,EUR,THB,40.5\n"
        assert tables.import_rates(session, rates, by=owner.user_id).written == 1
        assert tables.import_rates(session, rates, by=owner.user_id).written == 0


BAD_COSTS = {
    "2026-03-05,10,holiday,Soup,,,": "Line 3: That kind of cost is not known.",
    "2026-03-05,10,fee,Soup,BAHT,,": "Line 3: That is not a currency.",
    "2026-03-05,-10,fee,Soup,,,": "Line 3: A cost is not negative.",
    "2026-03-05,10,fee,Soup,,500,": "Line 3: A cost is spread over 1 to 120 months.",
    "2026-03-05,10,fee,Soup,,,luck": "Line 3: That way to share a cost is not known.",
    "05/03/2026,10,fee,Soup,,,": "Line 3: That is not a day.",
    "2026-03-05,10,fee,Soap,,,": "Line 3: The episode “Soap” cannot be told.",
    "2026-03-05": "Line 3: The row does not say what it belongs to.",
    "2026-03-05,,fee,Soup": "Line 3: That is not an amount of money.",
    "2026-03-05,1,250.50,fee,Soup,THB,1,equal": "Line 3: The row has more cells than the table has columns.",
}


@pytest.mark.parametrize("bad", BAD_COSTS)
def test_a_bad_row_is_told_by_its_line_and_nothing_is_imported(owner: Actor, world: World, bad: str) -> None:
    head = "date,amount,category,episode,currency,months,share_by\n2026-03-04,7,fee,Soup,THB,1,equal\n"
    with pytest.raises(InvalidInput) as error, database.session(owner) as session:
        tables.import_costs(session, f"{head}{bad}\n".encode(), by=owner.user_id, currency="THB")
    assert error.value.detail.startswith(BAD_COSTS[bad])
    with database.session(owner) as session:
        assert not any(row.amount == 7 for row in current_costs(session))


@pytest.mark.parametrize(
    ("table", "detail"),
    [
        (b"date,amount,episode,currency,kind\n2026-03-05,1,Soup,THB,guess\n", "Line 2: That kind of revenue"),
        (b"date,amount,episode,currency\n2026-03-05,1,Soup,XXX\n", "Line 2: That is not a currency."),
        (b"date,episode,amount\n2026-03-05,Soup,1,250.50\n", "Line 2: The row has more cells"),
    ],
)
def test_bad_revenue_is_told_by_its_line(owner: Actor, world: World, table: bytes, detail: str) -> None:
    with pytest.raises(InvalidInput) as error, database.session(owner) as session:
        tables.import_revenue(session, table, by=owner.user_id, currency="THB")
    assert error.value.detail.startswith(detail)
    rates = b"date,base,quote,rate\n2026-03-08,USD,THB,36\n2026-03-09,EUR,THB,-1\n"
    with pytest.raises(InvalidInput) as error, database.session(owner) as session:
        tables.import_rates(session, rates, by=owner.user_id)
    assert error.value.detail.startswith("Line 3: The rate must be a positive number.")
    with database.session(owner) as session:
        assert session.scalar(select(FxRate.id).where(FxRate.on_date == date(2026, 3, 8), FxRate.rate == 36)) is None


@pytest.mark.parametrize("text", ["=1+1", "'=1+1", "''+x", " =1", "' @x", "'quoted'", "it's", "-2"])
def test_what_is_exported_is_read_back_the_same(text: str) -> None:
    line = tables.write_csv(["name"], [[text]])
    assert tables.read_csv(line, ("name",))[0][1]["name"] == text


def test_exported_cells_are_no_formulas() -> None:
    rows = [["=1+1", Decimal("-5")], ["@cmd", None], ["-2", "ต้มยำ"], ["\tx", "a,b"]]
    content = tables.write_csv(["name", "profit"], rows)
    assert content.startswith(b"\xef\xbb\xbf")
    lines = content.decode("utf-8-sig").split("\r\n")
    assert lines[1:5] == ["'=1+1,-5", "'@cmd,", "'-2,ต้มยำ", '\'\tx,"a,b"']
    assert tables.read_csv(content, ("name",))[0][1]["name"] == "=1+1"

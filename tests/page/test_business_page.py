"""The business dashboard: empty, with real and simulated figures, a cost entered, corrected and taken out."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from streamlit.testing.v1 import AppTest

from core import database
from core.business import revenue
from core.business.costs import current_costs
from core.business.overview import Totals
from core.business.revenue import Earning, record_revenue
from core.business.scope import Period
from core.business.snapshots import Snapshot, record_snapshots
from core.business.targets import Target
from core.i18n import t
from core.models.publishing import Episode, PublicationRecord
from core.security import Actor
from pages.money import charts
from tests.engine.business_world import World, build
from tests.page.conftest import words

Open = Callable[..., AppTest]
Settle = Callable[[str], None]


def _figures(owner: Actor, *, simulated: bool, name: str) -> World:
    """Two published shorts: 120 and 80 views today, 300 baht."""
    now = datetime.now(UTC)
    with database.session(owner) as session:
        made = build(
            session,
            owner.owner_id,
            [f"{name} soup", f"{name} tea"],
            name=name,
            simulated=simulated,
            published_at=now - timedelta(days=3),
        )
        record_snapshots(
            session,
            [
                Snapshot(key, now - timedelta(hours=1), {"views": views, "likes": 5}, "test")
                for key, views in zip(made.publication_ids, (120, 80), strict=True)
            ],
        )
        earning = Earning(
            Target(publication_id=made.publication_ids[0]),
            Decimal(300),
            "THB",
            (now - timedelta(days=1)).date(),
            "test",
            name,
            simulated=simulated,
        )
        record_revenue(session, earning)
    return made


def _metrics(test: AppTest) -> dict[str, str]:
    """The cards: label → value."""
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", "\n".join(one.proto.body for one in test.get("html")))
    return dict(found)


@pytest.mark.parametrize("lang", ["en", "th"])
def test_an_empty_dashboard_says_what_to_do(open_page: Open, settled: Settle, lang: str) -> None:
    settled(lang)
    seen = words(open_page("business"))
    assert t("business.nothing", lang) in seen
    assert t("page.business.title", lang) in seen


def test_figures_costs_and_corrections(open_page: Open, settled: Settle, owner: Actor) -> None:
    settled("en")
    made = _figures(owner, simulated=False, name="Kitchen")
    _figures(owner, simulated=True, name="Trial")
    test = open_page("business")
    shown = _metrics(test)
    assert shown["Revenue"] == "฿300.00"
    assert shown["Views"] == "200"
    assert shown["Return on cost"] == "—"
    assert t("business.no_cost", "en") in words(test)
    assert not any(str(key) in words(test) for key in (*made.episode_ids, *made.publication_ids, made.channel_id))

    test.selectbox(key="entry_target").select("Episode: Kitchen tea")
    test.text_input(key="entry_amount").input("1,200.50")
    test.selectbox(key="entry_category").select("editing")
    test.button(key="FormSubmitter:entry-Save").click().run()
    assert not test.exception
    assert _metrics(test)["Cost"] == "฿1,200.50"
    assert _metrics(test)["Profit"] == "−฿900.50"
    with database.session(owner) as session:
        (entry,) = current_costs(session)
        assert (entry.amount, entry.created_by) == (Decimal("1200.50"), owner.user_id)
    test.text_input(key=f"amount-{entry.id}").input("100")
    test.button(key=f"FormSubmitter:correct-{entry.id}-Save").click().run()
    assert not test.exception
    assert _metrics(test)["Cost"] == "฿100.00"
    with database.session(owner) as session:
        (entry,) = current_costs(session)
    test.button(key=f"FormSubmitter:correct-{entry.id}-Take out of the sums").click().run()
    assert _metrics(test)["Cost"] == "฿0.00"

    assert test.text_input(key="entry_amount-1").value == "", "the next entry begins empty"
    test.text_input(key="entry_amount-1").input("lots")
    test.button(key="FormSubmitter:entry-1-Save").click().run()
    assert "That is not an amount of money" in words(test)
    assert test.text_input(key="entry_amount-1").value == "lots", "what was refused can be corrected"

    test.toggle(key="business_simulated").set_value(True).run()
    assert not test.exception
    assert t("business.simulated_note", "en") in words(test)
    assert _metrics(test)["Revenue"] == "฿300.00"
    assert "Episode: Trial tea" in test.selectbox(key="entry_target").options


def test_a_chosen_row_limits_the_page(open_page: Open, settled: Settle, owner: Actor) -> None:
    settled("th")
    made = _figures(owner, simulated=True, name="ครัว")
    test = open_page("business")
    assert _metrics(test)[t("business.views", "th")] == "200"
    assert test.toggle(key="business_simulated").value
    test.session_state["business_focus"] = ("episode", str(made.episode_ids[1]))
    test.run()
    assert not test.exception
    assert _metrics(test)[t("business.views", "th")] == "80"
    assert t("business.same_age", "th") in words(test)
    test.button(key="business_everything").click().run()
    assert _metrics(test)[t("business.views", "th")] == "200"
    for level in ("series", "channel", "platform"):
        test.segmented_control(key="business_level").select(level).run()
        assert not test.exception


def _day(views: int | None, revenue: int) -> Totals:
    totals = Totals(revenue=Decimal(revenue))
    totals.counters["views"] = views
    return totals


def test_bars_hold_every_day_once() -> None:
    start = date(2025, 1, 30)
    days = {start + timedelta(days=n): _day(n, 1) for n in range(0, 500, 3)}
    for length in (7, 62, 63, 400, 401, 500):
        shown = Period(start, start + timedelta(days=length - 1))
        inside = {day: totals for day, totals in days.items() if day <= shown.end}
        bars = charts.buckets(inside, shown)
        assert bars[0].start == start
        assert bars[-1].end == shown.end
        assert all(one.end + timedelta(days=1) == two.start for one, two in pairwise(bars))
        assert sum(bar.totals.revenue for bar in bars) == len(inside)
        assert sum(bar.totals.views or 0 for bar in bars) == sum(totals.views or 0 for totals in inside.values())
        assert len(bars) <= 63


def test_charts_show_what_is_known() -> None:
    days = {date(2026, 3, 1): _day(10, 5), date(2026, 3, 3): _day(None, 7)}
    bars = charts.buckets(days, Period(date(2026, 3, 1), date(2026, 3, 3)))
    money, views = charts.money_chart(bars, "THB", "en"), charts.views_chart(bars, "th")
    assert list(money.data[0].y) == [5.0, 0.0, 7.0]
    assert [trace.name for trace in money.data] == ["Revenue", "Cost", "Profit"]
    assert list(views.data[0].y) == [10, None, None]


def test_a_platforms_file_is_looked_at_before_it_is_taken_and_income_is_corrected(
    open_page: Open, settled: Callable[[str], None], owner: Actor
) -> None:
    settled("en")
    with database.session(owner) as session:
        made = build(session, owner.owner_id, ["Soup"])
        session.get_one(PublicationRecord, made.publication_ids[0]).remote_id = "vid_A"
    head = b"Date,Content,Video title,Estimated revenue (USD)\nTotal,,,5\n"
    content = head + b"2026-03-01,vid_A,Soup,2\n2026-03-02,vid_X,Old,3\n"
    test = open_page("business")
    test.file_uploader(key="export_file").set_value([("Chart data.csv", content, "text/csv")]).run()
    assert not test.exception
    assert t("business.export.reason.sum", "en") in test.dataframe[0].value.to_string()
    with database.session(owner) as session:
        assert revenue.current_revenue(session) == []
        channel = session.get_one(Episode, made.episode_ids[0]).channel_id
    test.selectbox(key="export_channel").set_value(channel).run()
    assert t("business.export.counted", "en", new=2, changed=0, known=0, left_out=1) in words(test)
    test.button(key="export_take").click().run()
    assert not test.exception
    with database.session(owner) as session:
        rows = {row.external_ref: row for row in revenue.current_revenue(session)}
    assert {key: row.amount for key, row in rows.items()} == {"2026-03-01:vid_A": 2, "2026-03-02:vid_X": 3}
    key = rows["2026-03-01:vid_A"].id
    test = open_page("business")
    test.text_input(key=f"income-amount-{key}").set_value("2.50")
    test.button(key=f"FormSubmitter:income-{key}-Save").click().run()
    assert not test.exception
    with database.session(owner) as session:
        (row,) = (one for one in revenue.current_revenue(session) if one.external_ref == "2026-03-01:vid_A")
        assert (row.revision, float(row.amount), row.created_by) == (2, 2.5, owner.user_id)
    shown = words(open_page("business"))
    assert "Post: Soup" in shown
    assert t("business.income.source_youtube_studio", "en") in shown

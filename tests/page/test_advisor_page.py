"""The advisor's page: empty, asked in both languages, a number opened, the chat back after a reload."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from core import database
from core.advisor import answers
from core.business.revenue import Earning, record_revenue
from core.business.targets import Target
from core.i18n import t
from core.models.base import uuid7
from core.models.identity import Project
from core.models.jobs import Job
from core.models.publishing import PublicationRecord
from core.publishing import accounts, episodes
from core.publishing.payloads import EpisodeInput
from core.security import Actor
from pages.chat.doing import address
from pages.chat.numbers import marked
from pages.editor.project import state_of
from tests.engine.business_world import build
from tests.page.conftest import words

Open = Callable[..., AppTest]


@pytest.mark.parametrize("lang", ["en", "th"])
def test_an_empty_page_offers_questions(open_page: Open, settled: Callable[[str], None], lang: str) -> None:
    settled(lang)
    test = open_page("advisor")
    seen = words(test)
    assert t("advisor.page.hello", lang) in seen
    assert t("advisor.advice.nothing_scheduled", lang).split(".")[0] in seen.replace("\\", "")
    for name in answers.ABLE:
        assert t(f"advisor.ask.{name}", lang) in [one.label for one in test.button]


def test_a_number_opens_its_query_and_the_chat_stays(
    open_page: Open, settled: Callable[[str], None], owner: Actor
) -> None:
    settled("en")
    with database.session(owner) as session:
        made = build(session, owner.owner_id, ["[Soup](https://evil.example) <b>*now*</b>"])
        earning = Earning(
            Target(publication_id=made.publication_ids[0]),
            Decimal(300),
            "THB",
            (datetime.now(UTC) - timedelta(days=1)).date(),
            "test",
            "a",
        )
        record_revenue(session, earning)
    test = open_page("advisor")
    test.chat_input(key="advisor_question").set_value("Which video earned the most?").run()
    assert not test.exception
    answer = next(one.value for one in test.markdown if "earned the most of all time" in one.value)
    assert "**฿300\\.00**" in answer
    assert "\\[Soup\\]\\(https\\://evil\\.example\\) \\<b\\>\\*now\\*\\</b\\>" in answer
    button = next(one for one in test.button if one.label == "฿300.00" and one.key.startswith("number-"))
    button.click().run()
    assert not test.exception
    code = "\n".join(one.value for one in test.code)
    assert "finance_daily" in code
    assert "rank by: revenue" in code
    assert "฿300.00" in test.dataframe[0].value.to_string()

    again = open_page("advisor")
    assert any("earned the most of all time" in one.value for one in again.markdown)
    again.chat_input(key="advisor_question").set_value("คลิปไหนขาดทุน").run()
    assert not again.exception
    assert any("ยังไม่มีต้นทุน" in one.value for one in again.markdown)
    next(one for one in again.button if one.key == "chat_new").click().run()
    assert t("advisor.page.hello", "en") in words(again)


def test_a_model_is_set_up_chosen_and_where_it_fails_the_analyst_answers(
    open_page: Open, settled: Callable[[str], None], owner: Actor
) -> None:
    settled("en")
    settings = open_page("settings")
    settings.text_input(key="language_base").set_value("not an address")
    settings.text_input(key="language_name").set_value("llama3.1")
    _press(settings, "language_save")
    assert "is not one" in words(settings)
    settings.text_input(key="language_base").set_value("http://127.0.0.1:9/v1")
    _press(settings, "language_save")
    assert not settings.exception

    test = open_page("advisor")
    test.button_group(key="advisor_answerer").set_value("model").run()
    test.chat_input(key="advisor_question").set_value("Which video earned the most?").run()
    assert not test.exception
    with database.session(owner) as session:
        job = session.scalars(select(Job).where(Job.kind == "advisor.answer")).one()
        job.status = "failed"
        job.error = {"type": "provider-refused", "title": "The language model cannot be reached.", "detail": ""}
    again = open_page("advisor")
    assert "The language model cannot be reached." in words(again)
    next(one for one in again.button if one.label == t("advisor.page.ask_analyst", "en")).click().run()
    assert not again.exception
    assert any(t("advisor.no_figures", "en").split(".")[0] in one.value for one in again.markdown)
    assert "The language model cannot be reached." not in words(again)


def _press(test: AppTest, key: str) -> None:
    next(one for one in test.button if one.key == key).click().run()


def test_only_numbers_are_set_off() -> None:
    spans = [{"start": 4, "end": 7, "query_id": "q", "cell": "c"}]
    assert marked("“a” 1.5 $x$\n![y](z)", spans) == "“a” **1\\.5** \\$x\\$  \n\\!\\[y\\]\\(z\\)"


def test_what_the_advisor_suggests_opens_filled_in_and_does_nothing_by_itself(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Callable[..., UUID]
) -> None:
    settled("en")
    recording = add_asset("talk.mp4")
    with database.session(owner) as session:
        account = accounts.add_simulated(session, owner).id
        episode = episodes.create(session, owner, EpisodeInput(title="Pie", asset_id=recording))
        key, series = episode.id, episode.series_id
    test = open_page("advisor")
    button = next(one for one in test.button if one.key == "advice-0-do-0")
    assert button.label.startswith("Schedule “Pie” for")
    action = {"kind": "publish", "page": "publishing", "values": {"episode_id": str(key)}}
    assert address(action, "en") == {"do": "publish", "episode_id": str(key), "tab": "Episodes"}
    asked = {"do": "publish", "episode_id": str(key), "platform_account_id": str(account)}
    test = open_page("publishing", **asked, scheduled_time="2090-01-06T18:00")
    assert test.date_input(key="publish-day").value.isoformat() == "2090-01-06"
    assert test.time_input(key="publish-time").value.hour == 18
    with database.session(owner) as session:
        assert session.query(PublicationRecord).all() == []
    test.button(key="publish_go").click().run()
    assert not test.exception
    with database.session(owner) as session:
        assert session.query(PublicationRecord).one().local_time == "2090-01-06T18:00:00"
    test = open_page("publishing", do="recipe", series_id=str(series), make="shorts")
    assert any(one.label == t("common.save", "en") and one.key == "recipe_save" for one in test.button)
    test = open_page("publishing", do="publish", episode_id=str(uuid7()), platform_account_id=str(account))
    assert "does not exist" in words(test)
    test = open_page("video", do="shorts", asset_id=str(recording), shorts="7", max_seconds="30")
    with database.session(owner) as session:
        assert session.query(Project).all() == []
    assert t("advisor.do.from_advice", "en", count=7, name="talk.mp4", seconds=30) in words(test).replace("\\", "")
    test.button(key="suggested_begin").click().run()
    assert not test.exception
    with database.session(owner) as session:
        choices = state_of(session.query(Project).one()).choices
    assert (choices.shorts, choices.max_seconds) == (7, 30)

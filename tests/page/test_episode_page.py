"""A podcast episode in the Music Lab: what is put together is ordered, and can be changed and made again (M7)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from core import database
from core.models.assets import AssetLink
from core.models.jobs import Job
from core.security import Actor
from tests.page.conftest import Open, words

Add = Callable[..., UUID]


def orders(owner: Actor) -> list[dict[str, Any]]:
    with database.session(owner) as session:
        return list(session.scalars(select(Job.payload).where(Job.kind == "audio.podcast").order_by(Job.created_at)))


@pytest.mark.parametrize("language", ["en", "th"])
def test_an_episode_is_put_together_and_ordered(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Add, language: str
) -> None:
    settled(language)
    theme, talk = add_asset("Theme.wav", "audio"), add_asset("Talk.wav", "audio")
    cover = add_asset("Cover.png", "image", has_audio=False)
    page = open_page("music")
    page.button(key="episode_begin").click().run()
    assert page.button(key="episode_make").disabled
    for one in (talk, theme):
        page.selectbox(key="episode_pick").set_value(one).run()
        page.button(key="episode_add").click().run()

    def key(kind: str, index: int) -> str:
        return f"{kind}-{page.session_state['episode_rows'][index]['row']}"

    page.segmented_control(key=key("role", 1)).set_value("intro").run()
    page.text_input(key=key("trim", 1)).set_value("0:05-0:20").run()
    page.button(key=key("up", 1)).click().run()
    page.text_input(key=key("cuts", 1)).set_value("1:05-1:20, 200-201.5").run()
    page.slider(key=key("gain", 1)).set_value(-3.0).run()
    page.text_input(key="episode_title").set_value("One & two").run()
    page.text_input(key="episode_show").set_value("Night walks").run()
    page.text_area(key="episode_notes").set_value("Notes").run()
    page.selectbox(key="episode_cover").set_value(cover).run()
    page.checkbox(key="episode_clean").check().run()
    page.segmented_control(key="episode_chapters").set_value("own").run()
    page.text_area(key="episode_own_chapters").set_value("0:00 Start\n2:30 The market").run()
    page.segmented_control(key="episode_channels").set_value("mono").run()
    page.button(key="episode_make").click().run()
    assert not page.exception
    (order,) = orders(owner)
    assert [(one["asset_id"], one["role"], one["placement"]) for one in order["tracks"]] == [
        (str(theme), "music", "intro"), (str(talk), "voice", "under")
    ]  # fmt: skip
    assert order["tracks"][0]["trim"] == {"start": 5.0, "end": 20.0}
    assert order["tracks"][1]["cuts"] == [{"start": 65.0, "end": 80.0}, {"start": 200.0, "end": 201.5}]
    assert order["tracks"][1]["gain_db"] == -3.0
    assert (order["title"], order["show"], order["channels"]) == ("One & two", "Night walks", "mono")
    assert order["cover_asset_id"] == str(cover)
    assert [one["type"] for one in order["operations"]] == ["reduce_noise"]
    assert order["chapters"] == [{"start": 0.0, "title": "Start"}, {"start": 150.0, "title": "The market"}]
    assert page.query_params["episode"] != ["new"], "the episode is waited for by its address"


def test_finding_chapters_asks_for_the_language_and_for_a_model_that_knows_it(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Add
) -> None:
    settled("en")
    add_asset("Talk.wav", "audio")
    page = open_page("music", episode="new")
    page.button(key="episode_add").click().run()
    page.text_input(key="episode_title").set_value("One").run()
    page.segmented_control(key="episode_chapters").set_value("auto").run()
    assert page.button(key="episode_make").disabled
    assert "Choose which language is spoken." in words(page)
    page.segmented_control(key="episode_language").set_value("th").run()
    assert page.button(key="episode_make").disabled, "no model here knows Thai"
    assert page.button(key="get-small")
    page.segmented_control(key="episode_language").set_value("en").run()
    page.button(key="episode_make").click().run()
    (order,) = orders(owner)
    assert (order["chapters"], order["language"]) == ("auto", "en")


@pytest.mark.parametrize(
    ("field", "wrong", "said"),
    [
        ("cuts", "soon", "is not a range"),
        ("chapters", "no time here", "is not a chapter"),
        ("base", "my server", "not an address"),
    ],
)
def test_what_is_written_wrongly_is_said_and_nothing_is_lost(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Add, field: str, wrong: str, said: str
) -> None:
    settled("en")
    add_asset("Talk.wav", "audio")
    page = open_page("music", episode="new")
    page.button(key="episode_add").click().run()
    page.text_input(key="episode_title").set_value("One").run()
    if field == "cuts":
        page.text_input(key=f"cuts-{page.session_state['episode_rows'][0]['row']}").set_value(wrong).run()
    elif field == "base":
        page.text_input(key="episode_base").set_value(wrong).run()
    else:
        page.segmented_control(key="episode_chapters").set_value("own").run()
        page.text_area(key="episode_own_chapters").set_value(wrong).run()
    page.button(key="episode_make").click().run()
    assert said in words(page)
    assert orders(owner) == []
    assert page.text_input(key="episode_title").value == "One"


def test_a_finished_episode_is_heard_with_its_chapters_and_made_again(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Add
) -> None:
    settled("en")
    talk = add_asset("Talk.wav", "audio")
    payload = {
        "tracks": [{"asset_id": str(talk), "cuts": [{"start": 1.5, "end": 61.25}], "gain_db": 2.0}],
        "title": "One", "chapters": [{"start": 0, "title": "Start"}, {"start": 9, "title": "Middle"}],
        "operations": [{"type": "crossfade", "seconds": 2.0}, {"type": "duck", "duck_db": 9}],
        "format": "m4a", "show_notes": "Notes of it",
    }  # fmt: skip
    with database.session(owner) as session:
        job = Job(owner_id=owner.owner_id, kind="audio.podcast", queue="media", payload=payload, status="succeeded")
        session.add(job)
        session.flush()
        job_id = job.id
    about = {
        "title": "One", "show": "", "author": "", "show_notes": "Notes of it", "chapters": payload["chapters"],
        "loudness_lufs": -16.0, "duration_seconds": 20.0,
    }  # fmt: skip
    made = add_asset("One.m4a", "audio", details={"podcast": about}, job_id=job_id)
    item = add_asset("One feed item.xml", "document", has_audio=False)
    with database.session(owner) as session:
        session.add(AssetLink(child_id=item, parent_id=made, role="feed"))
    page = open_page("music", asset=str(made))
    (wave,) = [json.loads(one.proto.json or "{}") for one in page.get("bidi_component")]
    assert [(one["name"], one["start"], one["end"]) for one in wave["sections"]] == [
        ("Start", 0.0, 9.0), ("Middle", 9.0, 20.0)
    ]  # fmt: skip
    text = words(page)
    assert str(item) in text
    assert "M4A · -16 LUFS" in text
    page.button(key="episode_again").click().run()
    assert page.text_input(key="episode_title").value == "One"
    row = page.session_state["episode_rows"][0]["row"]
    assert page.text_input(key=f"cuts-{row}").value == "00:01.5-01:01.25"
    page.button(key="episode_make").click().run()
    again = orders(owner)[-1]
    assert again["tracks"][0]["cuts"] == payload["tracks"][0]["cuts"]  # type: ignore[index]
    assert (again["format"], again["show_notes"], len(again["chapters"])) == ("m4a", "Notes of it", 2)
    assert again["operations"] == [{"type": "crossfade", "seconds": 2.0}, {"type": "duck", "duck_db": 9.0}]
    assert again["guid"] == str(made), "in the feed it stays the same episode"

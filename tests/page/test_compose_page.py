"""Composing in the Music Lab: what was understood is shown, can be put right, and is what is ordered (M6, I2, V4.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from core import database
from core.models.assets import AssetLink, StemGroup
from core.models.identity import Project
from core.models.jobs import Job
from core.models.publishing import Episode
from core.security import Actor
from tests.page.conftest import Open, words

Add = Callable[..., UUID]
ORDER = {
    "provider": "builtin", "prompt": "calm piano", "mood": "calm", "style": "pop", "key": "D:min", "tempo_bpm": 72.0,
    "time_signature": "4/4", "instruments": ["piano", "strings"], "duration_seconds": 20.0, "loop": True, "seed": 4,
}  # fmt: skip


def orders(owner: Actor) -> list[dict[str, Any]]:
    with database.session(owner) as session:
        return list(session.scalars(select(Job.payload).where(Job.kind == "music.generate").order_by(Job.created_at)))


@pytest.mark.parametrize(
    ("language", "prompt"),
    [("en", "sad piano in D minor, 70 bpm, a loop"), ("th", "เพลงเศร้า เปียโน คีย์ดีไมเนอร์ ความเร็ว 70 วนซ้ำ")],
)
def test_what_was_understood_is_shown_put_right_and_ordered(
    open_page: Open, settled: Callable[[str], None], owner: Actor, language: str, prompt: str
) -> None:
    settled(language)
    page = open_page("music")
    page.text_area(key="compose_prompt").input(prompt).run()
    assert not page.exception
    fields = {one.key.split("-")[1]: one for kind in ("selectbox", "number_input", "multiselect", "toggle")
              for one in page.get(kind) if str(one.key).startswith("compose-")}  # fmt: skip
    assert fields["mood"].value == "sad"
    assert fields["key"].value == "D:min"
    assert fields["bpm"].value == 70.0
    assert "piano" in fields["instruments"].value
    assert fields["loop"].value is True
    fields["bpm"].set_value(84.0)
    fields["instruments"].set_value(["piano", "flute"])
    page.run()
    page.radio(key="compose_provider").set_value("musicgen").run()
    assert page.button(key="compose_start").disabled, "its weights are not here"
    page.radio(key="compose_provider").set_value("external").run()
    assert page.button(key="compose_start").disabled
    page.radio(key="compose_provider").set_value("builtin").run().button(key="compose_start").click().run()
    assert not page.exception
    (order,) = orders(owner)
    assert (order["prompt"], order["provider"], order["mood"]) == (prompt, "builtin", "sad")
    assert (order["tempo_bpm"], order["key"], order["loop"]) == (84.0, "D:min", True)
    assert order["instruments"] == ["piano", "flute"]


def test_a_composed_song_shows_its_making_mixer_and_another_one(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Add
) -> None:
    settled("en")
    song = add_asset("Calm piano.wav", "audio", details={"generated": ORDER, "loopable": True})
    midi = add_asset("Calm piano.mid", "midi", has_audio=False)
    stems = {
        name: add_asset(f"Calm piano {name}.wav", "audio", details={"stem": name}) for name in ("piano", "strings")
    }
    with database.session(owner) as session:
        session.add_all([AssetLink(child_id=one, parent_id=song, role="stem") for one in stems.values()])
        session.add(AssetLink(child_id=midi, parent_id=song, role="midi"))
        session.add(
            StemGroup(
                owner_id=owner.owner_id, audio_asset_id=song, provider="composer",
                stems={name: str(one) for name, one in stems.items()},
            )
        )  # fmt: skip
    page = open_page("music", asset=str(song))
    shown = words(page)
    assert "As composed" in shown
    assert str(midi) in shown
    assert all(word in shown for word in ("Calm", "Strings", "Loop"))
    assert "analyze" not in {button.key for button in page.button}, "its score is known"
    page.button(key="compose_another").click().run()
    (order,) = orders(owner)
    assert {**order, "seed": 4} == {**ORDER, "name": None}
    assert order["seed"] != 4


def test_a_song_becomes_a_draft_only_when_asked_to(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Add
) -> None:
    settled("en")
    song = add_asset("Song.wav", "audio")
    page = open_page("music", asset=str(song))
    with database.session(owner) as session:
        assert session.scalars(select(Episode)).all() == []
    page.button(key="make_draft").click().run()
    assert not page.exception
    with database.session(owner) as session:
        episode = session.scalars(select(Episode)).one()
        assert (episode.title, episode.asset_id, episode.state) == ("Song", song, "draft")
    assert "make_draft" not in {button.key for button in page.button}


def test_music_for_a_video_is_as_long_as_that(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Add
) -> None:
    settled("en")
    video = add_asset("Talk.mp4", duration_seconds=47.2)
    with database.session(owner) as session:
        project = Project(owner_id=owner.owner_id, name="Talk", source_asset_id=video, state={})
        session.add(project)
        session.flush()
        identifier = str(project.id)
    page = open_page("music", project=identifier)
    page.text_area(key="compose_prompt").input("hopeful piano").run()
    length = next(one for one in page.number_input if "seconds" in str(one.key))
    assert length.value == 47.0
    page.button(key="compose_start").click().run()
    assert orders(owner)[0]["duration_seconds"] == 47.0
    assert page.query_params["project"] == [identifier] or page.query_params["project"] == identifier

"""Remastering in the Music Lab: what is chosen is ordered, versions are compared at equal loudness (M5)."""

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
from core.music.remaster import BEFORE, ROLE
from core.security import Actor
from tests.page.conftest import Open, words

Add = Callable[..., UUID]


def orders(owner: Actor) -> list[dict[str, Any]]:
    with database.session(owner) as session:
        return list(session.scalars(select(Job.payload).where(Job.kind == "audio.remaster")))


@pytest.mark.parametrize("language", ["en", "th"])
def test_what_is_chosen_is_ordered(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Add, language: str
) -> None:
    settled(language)
    song, other = add_asset("Song.wav", "audio"), add_asset("Other.wav", "audio")
    page = open_page("music", asset=str(song))
    page.checkbox(key="do_noise").check().run()
    page.checkbox(key="do_echo").check().run()
    page.slider(key="amount_noise").set_value(70).run()
    page.segmented_control(key="remaster_colour").set_value("warm").run()
    page.segmented_control(key="remaster_width").set_value("mono").run()
    page.selectbox(key="remaster_loudness").set_value("at_podcast").run()
    page.selectbox(key="remaster_reference").set_value(other).run()
    page.button(key="remaster").click().run()
    assert not page.exception
    (order,) = orders(owner)
    assert order["audio_asset_id"] == str(song)
    assert order["operations"] == [
        {"type": "reduce_noise", "strength": 0.7, "material": "speech"},
        {"type": "dereverb", "strength": 0.5},
        {"type": "eq", "preset": "warm", "amount": 0.5},
        {"type": "stereo", "mode": "mono", "amount": 0.5},
        {"type": "normalize", "target_lufs": -16.0, "true_peak_dbtp": -1.0},
        {"type": "match", "reference_asset_id": str(other), "amount": 1.0},
    ]
    assert not [one for one in page.button if one.key == "remaster"], "one at a time"


def test_nothing_chosen_is_nothing_to_do(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Add
) -> None:
    settled("en")
    page = open_page("music", asset=str(add_asset("Song.wav", "audio")))
    page.selectbox(key="remaster_loudness").set_value("as_it_is").run()
    assert page.button(key="remaster").disabled


def test_a_version_is_compared_with_what_it_was_made_from(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Add
) -> None:
    settled("en")
    song = add_asset("Song.mp3", "audio")
    told = {
        "before": -20.5, "after": -14.0, "decay_seconds": None,
        "operations": [{"type": "dereverb"}, {"type": "normalize", "target_lufs": -12}],
    }  # fmt: skip
    version = add_asset("Song remastered.wav", "audio", details={"remaster": told})
    copy = add_asset("Song before.wav", "audio", hidden=True)
    with database.session(owner) as session:
        session.add(AssetLink(child_id=version, parent_id=song, role=ROLE))
        session.add(AssetLink(child_id=copy, parent_id=version, role=BEFORE))
    page = open_page("music", asset=str(song))
    (shown,) = [
        data for one in page.get("bidi_component") if "sides" in (data := json.loads(one.proto.json or "{}"))
    ]  # fmt: skip
    before, after = shown["sides"]
    assert (before["name"], before["gain_db"], after["name"], after["gain_db"]) == ("before", 0.0, "after", -6.5)
    assert str(copy) in before["src"]
    assert str(version) in after["src"]
    text = words(page)
    assert "Take out echo, -12 LUFS" in text
    assert "No echo was heard" in text
    assert "without distorting" in text
    page.button(key="open_version").click().run()
    assert "Remastered from “Song.mp3”" in words(page).replace("\\", "")

"""Tabs on a song's page: ordered, waited for, read, taken away; what went wrong is said (M4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from streamlit.testing.v1 import AppTest

from core import database, jobs
from core.i18n import t
from core.models.assets import Asset, AudioAnalysis, TabRecord
from core.models.base import uuid7
from core.models.identity import User
from core.models.jobs import Job
from core.music.payloads import TabInput
from core.music.tabs.build import build
from core.music.tabs.model import Difficulty, Tab
from core.security import Actor
from tests.page.conftest import words
from tests.unit.test_tabs_levels import analysis, song

Open = Callable[..., AppTest]
Settled = Callable[[str], None]


@pytest.fixture
def heard(owner: Actor, add_asset: Callable[..., UUID]) -> UUID:
    """A song that was analysed."""
    identifier = add_asset("song.wav", "audio")
    with database.session(owner) as session:
        session.add(AudioAnalysis(owner_id=owner.owner_id, audio_asset_id=identifier, bpm=120.0, result=analysis()))
    return identifier


def add_tab(owner: Actor, sound: UUID, difficulty: Difficulty, formats: tuple[str, ...]) -> Tab:
    """A tab as its job leaves it, without files behind its rows."""
    tab = build("song", "guitar", difficulty, analysis(), {}, song())
    identifier = uuid7()
    with database.session(owner) as session:
        session.add(
            TabRecord(
                id=identifier, owner_id=owner.owner_id, audio_asset_id=sound, instrument="guitar",
                difficulty=difficulty, document=tab.model_dump(mode="json"),
            )
        )  # fmt: skip
        for name in formats:
            details: dict[str, Any] = {"tab_id": str(identifier), "format": name}
            session.add(
                Asset(
                    owner_id=owner.owner_id, kind="tab", name=f"song.{name}", mime_type="text/plain", size_bytes=1,
                    sha256="0" * 64, storage_key=str(uuid7()), details=details,
                )
            )  # fmt: skip
    return tab


@pytest.mark.parametrize("language", ["en", "th"])
def test_a_tab_is_ordered_for_an_instrument_and_a_level(
    language: str, open_page: Open, settled: Settled, owner: Actor, heard: UUID
) -> None:
    settled(language)
    test = open_page("music", asset=str(heard))
    assert t("tabs.lead", language) in words(test)
    test.segmented_control(key="tab_instrument").select("bass").run()
    assert t("tabs.bass_easy_is", language) in words(test)
    test.segmented_control(key="tab_difficulty").select("advanced").run()
    test.button(key="write_tab").click().run()
    assert not test.exception
    with database.session(owner) as session:
        job = session.query(Job).one()
    assert (job.kind, job.payload["instrument"], job.payload["difficulty"]) == ("music.tab", "bass", "advanced")
    assert job.payload["formats"] == ["text", "gp5", "musicxml"]
    assert test.button(key="write_tab").disabled


@pytest.mark.parametrize("language", ["en", "th"])
def test_tabs_are_read_and_taken_away(
    language: str, open_page: Open, settled: Settled, owner: Actor, heard: UUID
) -> None:
    settled(language)
    add_tab(owner, heard, "original", ("text",))
    easy = add_tab(owner, heard, "easy", ("text", "gp5", "musicxml"))
    test = open_page("music", asset=str(heard))
    shown = words(test)
    assert f"{t('tabs.guitar', language)} · {t('tabs.easy', language)}" in shown
    assert t("tabs.capo", language, fret=easy.capo) in shown
    assert all(t(f"tabs.as_{name}", language) in shown for name in ("text", "gp5", "musicxml"))
    assert f"| {easy.chords[0].played} " in test.code[0].value
    test.selectbox(key="which-tab-2").select_index(1).run()
    assert not test.exception
    assert t("tabs.not_drawn", language) in words(test)
    assert t("tabs.as_musicxml", language) not in words(test)


def test_a_sound_without_notes_is_told_in_the_readers_language(
    open_page: Open, settled: Settled, owner: Actor, heard: UUID
) -> None:
    settled("th")
    with database.session(owner) as session:
        job = jobs.submit(session, owner, "music.tab", TabInput(audio_asset_id=heard))
        job.status = "failed"
        job.error = {
            "type": "unsupported-media", "title": "No notes were heard that this instrument could play.",
            "detail": "Choose another instrument, or a sound with clearer notes.", "retryable": False,
        }  # fmt: skip
    shown = words(open_page("music", asset=str(heard)))
    assert t("sentence.tab.no_notes", "th") in shown
    assert t("sentence.tab.clearer", "th") in shown
    add_tab(owner, heard, "easy", ("text",))
    assert t("sentence.tab.no_notes", "th") not in words(open_page("music", asset=str(heard)))


def test_a_viewer_reads_and_orders_nothing(open_page: Open, settled: Settled, owner: Actor, heard: UUID) -> None:
    settled("en")
    with database.session() as session:
        session.get_one(User, owner.user_id).role = "viewer"
    test = open_page("music", asset=str(heard))
    assert t("tabs.none", "en") in words(test)
    assert "write_tab" not in [button.key for button in test.button]

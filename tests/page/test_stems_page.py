"""Stems in the Music Lab and in the library: who can separate, the mixer's group, what an export orders (M2, I3b)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from core import database
from core.models.assets import Asset, AssetLink, StemGroup
from core.models.jobs import Job
from core.music.separation import STEMS
from core.security import Actor
from pages.editor import tracks
from tests.page.conftest import Open, words

Add = Callable[..., UUID]


@pytest.fixture
def separated(owner: Actor, add_asset: Add) -> tuple[UUID, dict[str, UUID]]:
    """A song with its four stems."""
    song = add_asset("Song.wav", "audio")
    stems = {
        stem: add_asset(f"Song {stem}.wav", "audio", details={"stem": stem, "provider": "builtin"}) for stem in STEMS
    }
    with database.session(owner) as session:
        session.add_all([AssetLink(child_id=one, parent_id=song, role="stem") for one in stems.values()])
        group = StemGroup(
            owner_id=owner.owner_id, audio_asset_id=song, provider="builtin",
            stems={stem: str(one) for stem, one in stems.items()},
        )  # fmt: skip
        session.add(group)
        session.flush()
        session.get_one(Asset, song).details = {"stem_group_id": str(group.id)}
    return song, stems


def orders(owner: Actor, kind: str) -> list[dict[str, Any]]:
    with database.session(owner) as session:
        return list(session.scalars(select(Job.payload).where(Job.kind == kind)))


@pytest.mark.parametrize("language", ["en", "th"])
def test_a_song_can_be_separated_by_whoever_is_ready(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Add, language: str
) -> None:
    settled(language)
    song = add_asset("Song.wav", "audio")
    page = open_page("music", asset=str(song))
    choice = page.radio(key="stems_provider")
    assert choice.options == ["Basic", "Demucs", "Spleeter", "LALAL.AI"]
    assert not page.button(key="separate").disabled
    for name in ("demucs", "spleeter", "lalal"):
        assert choice.set_value(name).run().button(key="separate").disabled
    page.radio(key="stems_provider").set_value("builtin").run().button(key="separate").click().run()
    assert orders(owner, "audio.stems") == [
        {"audio_asset_id": str(song), "provider": "builtin", "stems": ["vocal", "drums", "bass", "other"]}
    ]


def test_what_the_mixer_plays_is_what_an_export_orders(
    open_page: Open, settled: Callable[[str], None], owner: Actor, separated: tuple[UUID, dict[str, UUID]]
) -> None:
    settled("en")
    song, stems = separated
    page = open_page("music", asset=str(song))
    assert len(page.get("bidi_component")) >= 2, "the waveform and the mixer"
    page.segmented_control(key="mix_format").set_value("mp3").run()
    page.button(key="export_mix").click().run()
    assert not page.exception
    (order,) = orders(owner, "audio.mix")
    assert order["format"] == "mp3"
    assert order["name"] == "Song mix"
    assert order["tracks"] == [
        {"asset_id": str(stems[stem]), "gain_db": 0.0, "muted": False} for stem in ("vocal", "drums", "bass", "other")
    ]


def test_stems_stand_under_their_song(
    open_page: Open, settled: Callable[[str], None], owner: Actor, separated: tuple[UUID, dict[str, UUID]]
) -> None:
    settled("en")
    song, stems = separated
    library = open_page("library")
    assert "4 stems" in words(library)
    assert "Song drums.wav" not in words(library)
    found = library.text_input(key="library_search").set_value("drums").run()
    assert "Song drums.wav" in words(found)
    details = words(open_page("library", asset=str(song)))
    assert all(f"Song {stem}.wav" in details for stem in STEMS)
    with database.session(owner) as session:
        offered = [row.label for row in tracks.options(session, "en") if row.value.startswith("asset:")]
    assert [label.partition(" ")[0] for label in offered] == ["Song.wav"], "what may go under a video"
    lab = words(open_page("music"))
    assert "Song.wav" in lab.replace("\\", "")
    assert "drums" not in lab
    of_it = words(open_page("music", asset=str(stems["drums"])))
    assert "Stem of “Song.wav”" in of_it.replace("\\", "")


def test_a_group_that_lost_a_stem_says_so(
    open_page: Open, settled: Callable[[str], None], owner: Actor, separated: tuple[UUID, dict[str, UUID]]
) -> None:
    settled("en")
    song, stems = separated
    with database.session(owner) as session:
        session.delete(session.get_one(Asset, stems["vocal"]))
    page = open_page("music", asset=str(song))
    assert "Some stems of this separation were deleted." in words(page)
    page.button(key="export_mix").click().run()
    assert len(orders(owner, "audio.mix")[0]["tracks"]) == 3

"""Tabs from sound to library: what was played is what is written, each file an asset of the sound (M4, H3)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile

from core import assets, database
from core.models.assets import AudioAnalysis, TabRecord
from core.music.payloads import TabInput
from core.music.tabs.build import build
from core.music.tabs.library import tabs_of
from core.security import Actor
from core.settings import Settings
from providers.audio import note_events
from tests.engine.api_server import serve
from tests.engine.plucked import agreement, bass_line, fingerpicked
from tests.engine.test_music_jobs import keep, work
from workers.music import analyze, tab

__all__ = ["analyze", "tab"]  # importing registers the tasks


@pytest.fixture
def client(studio: Settings, owner: Actor) -> Iterator[httpx.Client]:
    with serve() as served:
        with served.client(owner) as found:
            yield found


def test_a_guitar_part_becomes_a_tab_of_its_notes(
    owner: Actor, client: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = fingerpicked(tmp_path)
    sound = keep(owner, part.path, tmp_path)
    job = work(owner, "music.tab", TabInput(audio_asset_id=sound, formats=("text", "gp5", "musicxml", "gp5")))
    assert job.status == "succeeded", job.error
    assert [row["format"] for row in job.result["outputs"]] == ["text", "gp5", "musicxml"]
    assert job.result["asset_ids"] == [row["asset_id"] for row in job.result["outputs"]]
    with database.session(owner) as session:
        analysed = session.query(AudioAnalysis).one()
        (stored,) = tabs_of(session, sound)
        assert str(stored.id) == job.result["tab_id"]
        recall, precision = agreement(part.notes, stored.tab, analysed.result)
        for row in job.result["outputs"]:
            asset = assets.get(session, row["asset_id"])
            assert (asset.kind, asset.licence) == ("tab", "CC BY 4.0")
            assert [parent.id for parent, _ in assets.lineage(session, asset.id).parents] == [sound]
    assert recall >= 0.9
    assert precision >= 0.7

    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("listened to twice")

    monkeypatch.setattr(note_events, "listen", fail)
    monkeypatch.setattr(analyze.analysis, "analyze", fail)
    with database.session(owner) as session:
        session.query(AudioAnalysis).one().corrections = {"key": "B:min"}
    again = work(owner, "music.tab", TabInput(audio_asset_id=sound, difficulty="easy", formats=("text",)))
    assert again.status == "succeeded", again.error
    easy, original = client.get(f"/api/music/tab/{sound}").json()
    assert (easy["difficulty"], set(easy["assets"]), easy["tab"]["key"]) == ("easy", {"text"}, "B:min")
    assert (original["difficulty"], set(original["assets"])) == ("original", {"text", "gp5", "musicxml"})
    text = client.get(f"/api/assets/{easy['assets']['text']}/content").text
    assert "D . . . " in " ".join(text.split())
    kinds = [client.get(f"/api/assets/{one}").json()["mime_type"] for one in original["assets"].values()]
    assert sorted(kinds) == ["application/vnd.recordare.musicxml+xml", "application/x-guitar-pro", "text/plain"]
    assert client.delete(f"/api/assets/{easy['assets']['text']}").status_code == 204
    assert [row["tab_id"] for row in client.get(f"/api/music/tab/{sound}").json()] == [original["tab_id"]]


def test_a_bass_tab_is_the_line_that_was_played(tmp_path: Path) -> None:
    part = bass_line(tmp_path)
    beats = [index * 60 / 116 for index in range(17)]
    bars = {"bpm": 116.0, "beats": beats, "downbeats": beats[::4], "time_signature": "4/4"}
    written = build("Line", "bass", "original", bars, {}, note_events.listen(part.path))
    recall, precision = agreement(part.notes, written, bars)
    assert recall >= 0.9
    assert precision >= 0.9


def test_orders_are_checked_and_sounds_without_notes_fail_with_a_sentence(
    owner: Actor, client: httpx.Client, tmp_path: Path
) -> None:
    click = np.random.default_rng(1).normal(0, 0.3, 2_400) * np.linspace(1, 0, 2_400) ** 2
    clicks = np.tile(np.pad(click, (0, 21_600)), 12)
    soundfile.write(tmp_path / "clicks.wav", clicks, 48_000)
    sound = keep(owner, tmp_path / "clicks.wav", tmp_path)
    for wrong in ({"instrument": "banjo"}, {"difficulty": "hard"}, {"formats": []}, {"formats": ["pdf"]}, {"x": 1}):
        order = {"audio_asset_id": str(sound), **wrong}
        assert client.post("/api/music/tab", json=order).status_code == 422
    assert client.get(f"/api/music/tab/{sound}").json() == []
    accepted = client.post("/api/music/tab", json={"audio_asset_id": str(sound), "instrument": "guitar"})
    assert accepted.status_code == 202
    job = work(owner, "music.tab", TabInput(audio_asset_id=sound))
    assert (job.status, job.error["type"]) == ("failed", "unsupported-media")
    assert job.error["title"] == "No notes were heard that this instrument could play."
    with database.session(owner) as session:
        assert session.query(TabRecord).count() == 0

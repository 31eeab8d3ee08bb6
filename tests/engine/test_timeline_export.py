"""Taking a stored edit elsewhere over HTTP (V2.10, H2): the right file, as a download, with the corrected words."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import opentimelineio as otio
import pytest
from defusedxml.ElementTree import fromstring

from core import database
from core.models.assets import Asset
from core.security import Actor
from core.settings import Settings
from tests.engine.api_server import Served, serve
from tests.engine.test_api_assets import store


@pytest.fixture
def served(studio: Settings) -> Iterator[Served]:
    with serve() as found:
        yield found


@pytest.fixture
def client(served: Served, owner: Actor) -> Iterator[httpx.Client]:
    with served.client(owner) as found:
        yield found


@pytest.fixture
def stored(client: httpx.Client, owner: Actor, tmp_path: Path) -> dict[str, Any]:
    """An edit of 900 frames that keeps 100–400 and 700–900, named in Thai."""
    source = store(owner, tmp_path, b"x" * 100, "ตอนที่ 1 & talk.mp4", "video/mp4")
    with database.session() as session:
        asset = session.get_one(Asset, UUID(source))
        asset.has_audio, asset.details = True, {"probe": {"channels": 1, "sample_rate": 44_100}}
    spans = ((0, 100, False), (100, 400, True), (400, 700, False), (700, 900, True))
    timeline = {
        "source_asset_id": source, "fps": "30000/1001", "width": 1920, "height": 1080, "duration_frames": 900,
        "pieces": [
            {"start_frame": start, "end_frame": end, "kept": kept, "reason": "speech" if kept else "silence"}
            for start, end, kept in spans
        ],
        "language": "en",
        "words": [{"word": "Helo", "start": 4.0, "end": 4.4}, {"word": "gone", "start": 15.0, "end": 15.4}],
        "crops": {"9:16": {"mode": "crop", "keyframes": [{"frame": 0, "x": 0.4, "y": 0.5}]}},
    }  # fmt: skip
    answer = client.post("/api/video/timelines", json={"timeline": timeline, "name": "ตัดแล้ว: 1/2"})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def export(client: httpx.Client, stored: dict[str, Any], asked: str, **more: str) -> httpx.Response:
    return client.get(f"/api/video/timelines/{stored['id']}/export", params={"format": asked, **more})


def test_one_format_is_that_file_as_a_download(client: httpx.Client, stored: dict[str, Any]) -> None:
    answer = export(client, stored, "otio")
    assert answer.status_code == 200, answer.text
    name = "attachment; filename*=UTF-8''%E0%B8%95%E0%B8%B1%E0%B8%94%E0%B9%81%E0%B8%A5%E0%B9%89%E0%B8%A7"
    assert answer.headers["content-disposition"].startswith(name)
    assert answer.headers["content-disposition"].endswith(".otio")
    assert answer.headers["x-content-type-options"] == "nosniff"
    read = otio.adapters.read_from_string(answer.text, "otio_json")
    clips = list(read.tracks[0])
    assert [(clip.source_range.start_time.value, clip.source_range.duration.value) for clip in clips] == [
        (100, 300),
        (700, 200),
    ]
    assert clips[0].name == "ตอนที่ 1 & talk.mp4"
    sequence = fromstring(export(client, stored, "premiere").text).find("sequence")
    assert sequence is not None
    assert len(sequence.findall("media/audio/track")) == 1
    assert sequence.findtext("media/audio/format/samplecharacteristics/samplerate") == "44100"


def test_several_formats_come_in_a_zip_with_the_corrected_subtitles(
    client: httpx.Client, stored: dict[str, Any]
) -> None:
    timeline = stored["timeline"]
    timeline["words"][0]["word"] = "Hello"
    change = {"version": stored["version"], "timeline": timeline}
    assert client.put(f"/api/video/timelines/{stored['id']}", json=change).status_code == 200
    answer = export(client, stored, "otio,fcpxml,premiere,edl", aspect_ratio="9:16")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        endings = [name.rpartition(".")[2] for name in archive.namelist()]
        assert endings == ["otio", "fcpxml", "xml", "edl", "srt"]
        texts = {ending: archive.read(name).decode() for ending, name in zip(endings, archive.namelist(), strict=True)}
    assert "Hello" in texts["srt"]
    assert "gone" not in texts["srt"]
    assert 'width="1080" height="1920"' in texts["fcpxml"]
    assert "Hello" in texts["fcpxml"]


def test_markers_speak_the_users_language(client: httpx.Client, stored: dict[str, Any]) -> None:
    assert "removed: silence (10.01 s)" in export(client, stored, "edl").text
    assert "ตัดออก: ช่วงเงียบ (10.01 วินาที)" in export(client, stored, "edl", language="th").text
    assert client.put("/api/settings", json={"language": "th"}).status_code == 200
    assert "ตัดออก: ช่วงเงียบ" in export(client, stored, "edl").text


def test_what_cannot_be_exported_is_refused_with_a_sentence(client: httpx.Client, stored: dict[str, Any]) -> None:
    for more in ({"asked": "aaf"}, {"asked": "otio,"}, {"asked": "otio", "aspect_ratio": "2:1"}):
        answer = export(client, stored, **more)
        expected = 200 if more["asked"] == "otio," else 422
        assert answer.status_code == expected, answer.text
    assert export(client, stored, "aaf").json()["title"] == "The studio does not write this format."
    thai = client.get(f"/api/video/timelines/{stored['id']}/export?format=aaf", headers={"Accept-Language": "th"})
    assert thai.json()["title"] == "สตูดิโอไม่รองรับไฟล์รูปแบบนี้"

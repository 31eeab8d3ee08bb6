"""An episode from order to file: what is heard when, its loudness, and what players read in it (M7, H3)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import httpx
import numpy as np
import pyloudnorm
import pytest
import soundfile
from PIL import Image
from sqlalchemy import select

from core import assets, database
from core.models.jobs import Job
from core.music import podcast as decisions
from core.music.podcast import Placed
from core.security import Actor
from providers.audio import decode, podcast, raw
from providers.speech.whisper import transcribe
from providers.video.process import output_argument, run_ffmpeg, source_arguments
from providers.video.soundtrack import measure_loudness
from tests.engine.api_server import serve
from tests.engine.test_music_jobs import deliver_all, keep
from tests.engine.test_stem_jobs import level, tone, worked
from tests.media import TALK, music_clip, silent_video, spoken_clip
from workers.music import podcast as job

__all__ = ["job"]  # importing registers the task
RATE = 48_000


@pytest.fixture
def client(owner: Actor) -> Iterator[httpx.Client]:
    with serve() as served, served.client(owner) as opened:
        yield opened


def path_of(owner: Actor, asset_id: str) -> Path:
    with database.session(owner) as session:
        return assets.path_of(assets.get(session, asset_id))


def described(path: Path) -> tuple[dict[str, str], list[tuple[float, float, str]]]:
    """Tags and chapters (start, end, title) as FFmpeg reads them in a finished file."""
    pieces: list[bytes] = []
    run_ffmpeg([*source_arguments(path), "-f", "ffmetadata", "pipe:1"], sink=pieces.append)
    tags: dict[str, str] = {}
    chapters: list[dict[str, str]] = []
    at = tags
    for line in b"".join(pieces).decode().replace("\\\n", "\\n").splitlines()[1:]:
        name, _, value = line.partition("=")
        if line == "[CHAPTER]":
            chapters.append(at := {})
        elif name.strip() and not line.startswith("["):
            at[name.lower()] = value.replace("\\n", "\n").replace("\\", "")
    found = []
    for one in chapters:
        base = int(one["timebase"].split("/")[0]) / int(one["timebase"].split("/")[1])
        found.append((int(one["start"]) * base, int(one["end"]) * base, one["title"]))
    return tags, found


def decoded(path: Path, folder: Path) -> Any:
    decode.to_wav(path, folder / "heard.wav")
    return soundfile.read(folder / "heard.wav")[0]


def db(samples: Any) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-12))


def picture(folder: Path) -> Path:
    Image.new("RGB", (1600, 900), "#0B766C").save(folder / "cover.png")
    return folder / "cover.png"


def quieter(path: Path, folder: Path, by_db: float) -> Path:
    samples, rate = soundfile.read(path)
    soundfile.write(folder / "quiet.wav", samples * 10 ** (-by_db / 20), rate, subtype="PCM_24")
    return folder / "quiet.wav"


@pytest.fixture(scope="module")
def host() -> Any:
    return spoken_clip(TALK[1:3], [2.5, 0.4])


@pytest.fixture(scope="module")
def guest() -> Any:
    return spoken_clip(TALK[3:4], [0.4])


def test_an_episode_with_everything(client: httpx.Client, owner: Actor, tmp_path: Path, host: Any, guest: Any) -> None:
    music = str(keep(owner, music_clip().path, tmp_path))
    first = str(keep(owner, host.path, tmp_path))
    second = str(keep(owner, quieter(guest.path, tmp_path, 14.0), tmp_path))
    ad = str(keep(owner, tone(tmp_path / "ad.wav", 700, 0.3, 3.0), tmp_path))
    cover = str(keep_picture(owner, tmp_path))
    order = {
        "title": "ตลาด & the \"night\"; one=two",
        "show_notes": "Line one\nLine two: https://example.com",
        "author": "Somebody", "show": "Night walks", "number": 7, "media_base_url": "https://example.com/pod",
        "cover_asset_id": cover, "format": "mp3", "chapters": "auto", "language": "en",
        "tracks": [
            {"asset_id": music, "role": "music", "placement": "intro", "trim": {"start": 1, "end": 6}},
            {"asset_id": first, "role": "voice"},
            {"asset_id": ad, "role": "ad", "title": "Our sponsor"},
            {"asset_id": second, "role": "voice"},
        ],
        "operations": [
            {"type": "auto_cut_silence", "min_silence_seconds": 0.7},
            {"type": "reduce_noise", "strength": 0.3},
            {"type": "crossfade", "seconds": 0.2},
        ],
    }  # fmt: skip
    done = worked(client, "podcast", order)
    assert done["status"] == "succeeded", done["error"]
    result = done["result"]
    made = client.get(f"/api/assets/{result['audio_asset_id']}").json()
    assert (made["kind"], made["mime_type"], made["licence"]) == ("audio", "audio/mpeg", "CC BY 4.0")
    assert set(made["parent_asset_ids"]) == {music, first, second, ad, cover}
    path = path_of(owner, made["id"])

    intro, voice, sponsor, other = result["tracks"]
    assert (intro["start"], intro["end"]) == (0, 5)
    assert voice["start"] == pytest.approx(5 - 2.5, abs=0.01)
    assert voice["end"] - voice["start"] < host.duration - 1.5, "a long pause was cut"
    assert sponsor["start"] == pytest.approx(voice["end"] - 0.2, abs=0.01)
    assert other["start"] == pytest.approx(sponsor["end"] - 0.2, abs=0.01)
    heard = decoded(path, tmp_path)
    assert len(heard) / RATE == pytest.approx(other["end"], abs=0.1)
    assert made["duration_seconds"] == pytest.approx(other["end"], abs=0.01)

    found = measure_loudness(source_arguments(path), progress=lambda *_: None)
    assert found.lufs == pytest.approx(-16, abs=0.2)
    assert pyloudnorm.Meter(RATE).integrated_loudness(heard) == pytest.approx(-16, abs=0.2)
    assert found.true_peak is not None
    assert found.true_peak <= -1.0

    def between(start: float, end: float) -> Any:
        return heard[round(start * RATE) : round(end * RATE)]

    alone = pyloudnorm.Meter(RATE).integrated_loudness(between(intro["end"] + 0.5, voice["end"] - 0.5))
    guest_heard = pyloudnorm.Meter(RATE).integrated_loudness(between(other["start"] + 0.5, other["end"]))
    assert guest_heard == pytest.approx(alone, abs=1.5), "the quiet guest is as loud as the host"
    assert level(between(sponsor["start"] + 1, sponsor["end"] - 0.5)[:, 0], 700) > 0.05
    spoken = transcribe(tmp_path / "heard.wav", language="en", folder=tmp_path)
    said = "".join(character for character in " ".join(w.word for w in spoken.words).lower() if character.isalpha())
    order_of = ["camera", "expensive", "window"]
    places = [said.find(word) for word in order_of]
    assert -1 not in places
    assert places == sorted(places)

    tags, chapters = described(path)
    assert (tags["title"], tags["artist"], tags["album"]) == (order["title"], "Somebody", "Night walks")
    assert (tags["track"], tags["genre"], tags["comment"]) == ("7", "Podcast", order["show_notes"])
    assert [title for *_, title in chapters] == [one["title"] for one in result["chapters"]]
    assert chapter_starts(path) == [round(one["start"] * 1000) for one in result["chapters"]]
    assert chapters[0][0] == 0
    assert "Our sponsor" in [title for *_, title in chapters]
    start_of_ad = next(start for start, _, title in chapters if title == "Our sponsor")
    assert start_of_ad == pytest.approx(sponsor["start"], abs=0.05)
    assert cover_of(path, tmp_path) == (1400, 1400)

    item = ElementTree.fromstring(path_of(owner, result["document_asset_id"]).read_bytes())
    assert item.findtext("guid") == made["id"]
    enclosure = item.find("enclosure")
    assert enclosure is not None
    assert enclosure.get("length") == str(path.stat().st_size)
    assert enclosure.get("type") == "audio/mpeg"
    assert enclosure.get("url", "").startswith("https://example.com/pod/")
    assert item.findtext("title") == order["title"]
    rows = json.loads(path_of(owner, result["chapters_asset_id"]).read_text())["chapters"]
    assert [row["title"] for row in rows] == [title for *_, title in chapters]
    for identifier in (result["document_asset_id"], result["chapters_asset_id"]):
        document = client.get(f"/api/assets/{identifier}").json()
        assert (document["kind"], document["parent_asset_ids"]) == ("document", [made["id"]])
    deliver_all()
    with database.session(owner) as session:
        prepared = session.scalars(select(Job.payload["asset_id"].astext).where(Job.kind == "ingest")).all()
    assert prepared == [made["id"]]


def keep_picture(owner: Actor, folder: Path) -> UUID:
    from core.assets import StagedAsset, add
    from core.models.base import uuid7
    from core.storage import asset_key, sha256_of, storage

    identifier, path = uuid7(), picture(folder)
    staged = StagedAsset(
        asset_id=str(identifier), kind="image", name="cover.png", mime_type="image/png",
        storage_key=asset_key(identifier, ".png"), size_bytes=path.stat().st_size, sha256=sha256_of(path),
        licence="CC BY 4.0",
    )  # fmt: skip
    storage().put(path, staged.storage_key)
    with database.session(owner) as session:
        add(session, owner.owner_id, staged)
    return identifier


def chapter_starts(path: Path) -> list[int]:
    """The starts in milliseconds that the CHAP frames of an ID3v2.3 tag say (ID3v2 chapter frame addendum)."""
    data = path.read_bytes()
    assert data[:5] == b"ID3\x03\x00"
    size = sum(byte << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0), strict=True))
    found, at, listed = [], 10, False
    while at < 10 + size and data[at] != 0:
        name, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "big")
        body = data[at + 10 : at + 10 + length]
        if name == b"CHAP":
            found.append(int.from_bytes(body.partition(b"\0")[2][:4], "big"))
        listed |= name == b"CTOC"
        at += 10 + length
    assert listed, "chapters are found through their table"
    return found


def cover_of(path: Path, folder: Path) -> tuple[int, int]:
    """Width and height of the picture in a finished file."""
    out = folder / "out.jpg"
    run_ffmpeg(
        [*source_arguments(path), "-map", "0:v:0", "-c", "copy", "-frames:v", "1", "-f", "image2", output_argument(out)]
    )
    with Image.open(out) as opened:
        assert opened.format == "JPEG"
        return opened.size


def test_an_m4a_of_one_channel_with_chapters_of_ones_own(
    client: httpx.Client, owner: Actor, tmp_path: Path, guest: Any
) -> None:
    voice = str(keep(owner, guest.path, tmp_path))
    order = {
        "title": "Two", "format": "m4a", "channels": "mono",
        "tracks": [{"asset_id": voice, "cuts": [{"start": 0, "end": 0.3}]}, {"asset_id": voice}],
        "chapters": [{"start": 0, "title": "One; two"}, {"start": 4.25, "title": "สอง"}],
    }  # fmt: skip
    done = worked(client, "podcast", order)
    assert done["status"] == "succeeded", done["error"]
    path = path_of(owner, done["result"]["audio_asset_id"])
    total = done["result"]["duration_seconds"]
    assert total == pytest.approx(2 * guest.duration - 0.3, abs=0.01)
    tags, chapters = described(path)
    assert tags["title"] == "Two"
    assert [(round(start, 2), title) for start, _, title in chapters] == [(0, "One; two"), (4.25, "สอง")]
    assert chapters[-1][1] == pytest.approx(total, abs=0.05)
    found = measure_loudness(source_arguments(path), progress=lambda *_: None)
    assert found.lufs == pytest.approx(-19, abs=0.2)
    assert found.true_peak is not None
    assert found.true_peak <= -1.0
    pieces: list[bytes] = []
    run_ffmpeg([*source_arguments(path), "-map", "0:a:0", "-f", "s16le", "pipe:1"], sink=pieces.append)
    assert len(b"".join(pieces)) / 2 / 44_100 == pytest.approx(total, abs=0.1), "one channel"
    late = {**order, "chapters": [{"start": 9_000, "title": "Late"}]}
    failed = worked(client, "podcast", late)
    assert (failed["status"], failed["error"]["type"]) == ("failed", "invalid-input")
    assert "Late" in failed["error"]["title"]


def part(folder: Path, name: str, hertz: float, placed: Placed, seconds: float, *, music: bool = False) -> podcast.Part:
    turn = 2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE
    samples = (0.1 * np.sin(turn)).astype(np.float32)
    path = folder / f"{name}.f32"
    np.stack([samples, samples], axis=1).tofile(path)
    return podcast.Part(path, placed, decisions.VOICE_LUFS, 0.0, music)


def test_parts_stand_where_they_should_and_music_makes_way(tmp_path: Path) -> None:
    parts = [
        part(tmp_path, "a", 1_000, Placed(0, 3.0, 4.0, fade_out=0.5), 4.0),
        part(tmp_path, "b", 2_000, Placed(1, 6.5, 4.0, fade_in=0.5), 4.0),
        part(tmp_path, "bed", 440, Placed(2, 0.0, 14.0, loops=True), 5.0, music=True),
    ]
    heard = np.array(podcast.assemble(parts, 12.0, tmp_path))
    assert len(heard) == 14 * RATE

    def tone_at(second: float, hertz: float) -> float:
        cut = heard[round(second * RATE) : round(second * RATE) + RATE, 0]
        return level(cut, hertz)

    assert tone_at(1.0, 440) == pytest.approx(0.1, rel=0.02)
    assert tone_at(5.2, 440) == pytest.approx(0.1 * 10 ** (-12 / 20), rel=0.05)
    assert tone_at(12.5, 440) == pytest.approx(0.1, rel=0.05), "repeated to the end, and up again"
    assert tone_at(1.0, 1_000) < 1e-3
    assert tone_at(5.0, 1_000) == pytest.approx(0.1, rel=0.02)
    assert tone_at(8.0, 2_000) == pytest.approx(0.1, rel=0.02)
    assert tone_at(11.0, 2_000) < 1e-3
    assert sorted(path.name for path in tmp_path.glob("*.f32")) == ["a.f32", "b.f32", "bed.f32", "mixed.f32"]


def test_a_cross_fade_has_no_dip_and_a_cut_no_click(tmp_path: Path) -> None:
    same = 10 * RATE  # a tone that goes on from one track into the other
    samples = (0.1 * np.sin(2 * np.pi * 100 * np.arange(same) / RATE)).astype(np.float32)
    two = np.stack([samples, samples], axis=1)
    two[: 6 * RATE].tofile(tmp_path / "a.f32")
    two[5 * RATE :].tofile(tmp_path / "b.f32")
    parts = [
        podcast.Part(tmp_path / "a.f32", Placed(0, 0.0, 6.0, fade_out=1.0), decisions.VOICE_LUFS, 0.0, False),
        podcast.Part(tmp_path / "b.f32", Placed(1, 5.0, 5.0, fade_in=1.0), decisions.VOICE_LUFS, 0.0, False),
    ]
    np.testing.assert_allclose(podcast.assemble(parts, 12.0, tmp_path), two, atol=1e-5)
    kept = np.array(podcast.cut(raw.view(tmp_path / "a.f32"), [(0.0, 1.0), (2.0025, 4.0)], tmp_path / "cut.f32"))
    assert len(kept) == RATE + round(4.0 * RATE) - round(2.0025 * RATE)
    assert np.abs(np.diff(kept[:, 0])).max() < 1.1 * np.abs(np.diff(samples)).max()


def test_what_cannot_become_an_episode_is_refused(client: httpx.Client, owner: Actor, tmp_path: Path) -> None:
    voice = str(keep(owner, tone(tmp_path / "voice.wav", 440, 0.5, 1.0), tmp_path))
    silent = str(keep(owner, silent_video(), tmp_path))
    gone = str(UUID(int=5))
    for fields, status in (
        ({"tracks": [{"asset_id": gone}]}, 404),
        ({"tracks": [{"asset_id": silent}]}, 422),
        ({"tracks": [{"asset_id": voice, "role": "music"}]}, 422),
        ({"title": ""}, 422),
        ({"cover_asset_id": voice}, 422),
        ({"cover_asset_id": gone}, 404),
        ({"format": "ogg"}, 422),
        ({"chapters": [{"start": 3, "title": "b"}, {"start": 1, "title": "a"}]}, 422),
    ):
        answer = client.post("/api/audio/podcast", json={"title": "One", "tracks": [{"asset_id": voice}], **fields})
        assert answer.status_code == status, (fields, answer.text)
        assert answer.json()["title"]
    with database.session(owner) as session:
        assert session.scalars(select(Job).where(Job.kind == "audio.podcast")).all() == []

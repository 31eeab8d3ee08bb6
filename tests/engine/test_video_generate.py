"""Generated videos, read back: what is seen, said and heard when, of what they are made, what is refused (SPEC V1)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import numpy as np
import pytest
import soundfile
from PIL import Image
from sqlalchemy import select

from core import assets, database
from core.models.assets import Asset, AudioAnalysis
from core.models.base import uuid7
from core.models.jobs import Job
from core.models.publishing import Episode
from core.security import Actor
from core.speech import BUNDLED
from core.storage import asset_key, sha256_of, storage
from core.video.generate.looks import LOOKS
from core.video.generate.scenes import motion_of
from core.video.sentences import tokens
from providers.speech.whisper import transcribe
from providers.video.looks import look_filters
from providers.video.process import run_ffmpeg, source_arguments
from providers.video.stills import Shot, frames_of
from tests.engine.api_server import serve
from tests.engine.test_music_jobs import deliver_all
from workers import runner
from workers.video import generate

__all__ = ["generate"]  # importing registers the task
SIZE = (320, 180)
COLOURS = ((200, 40, 40), (40, 160, 60), (50, 70, 210))
SMALL = {"resolution": "320x180"}
SCRIPT = "The first rule of clean sound is a small room.\n\nTurn your chair to the window."


@pytest.fixture
def client(owner: Actor) -> Iterator[httpx.Client]:
    with serve() as served, served.client(owner) as opened:
        yield opened


def keep(owner: Actor, path: Path, kind: str, **fields: Any) -> str:
    identifier = uuid7()
    staged = assets.StagedAsset(
        asset_id=str(identifier), kind=kind, name=path.name, storage_key=asset_key(identifier, path.suffix),
        size_bytes=path.stat().st_size, sha256=sha256_of(path), mime_type="image/png", **fields,
    )  # fmt: skip
    storage().put(path, staged.storage_key)
    with database.session(owner) as session:
        assets.add(session, owner.owner_id, staged)
    return str(identifier)


@pytest.fixture
def pictures(owner: Actor, tmp_path: Path) -> list[str]:
    """Three pictures of one colour each, one of them upright."""
    found = []
    for index, colour in enumerate(COLOURS):
        path = tmp_path / f"picture-{index}.png"
        Image.new("RGB", (640, 360) if index else (300, 400), colour).save(path)
        found.append(keep(owner, path, "image", licence="CC BY 4.0" if index == 2 else "own"))
    return found


def made(client: httpx.Client, order: dict[str, Any]) -> dict[str, Any]:
    answer = client.post("/api/video/generate", json={"mode": "generate", **SMALL, **order})
    assert answer.status_code == 202, answer.text
    runner.run(answer.json()["job_id"])
    job: dict[str, Any] = client.get(f"/api/jobs/{answer.json()['job_id']}").json()
    return job


def file_of(owner: Actor, asset_id: str) -> Path:
    with database.session(owner) as session:
        return assets.path_of(assets.get(session, asset_id))


def seen(path: Path) -> np.ndarray[Any, Any]:
    """All frames, RGB."""
    data: list[bytes] = []
    run_ffmpeg(
        [*source_arguments(path), "-map", "0:v:0", "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"], sink=data.append
    )
    return np.frombuffer(b"".join(data), np.uint8).reshape(-1, SIZE[1], SIZE[0], 3).astype(float)


def test_a_slide_show_shows_its_pictures_in_order_and_joins_them(
    client: httpx.Client, owner: Actor, pictures: list[str]
) -> None:
    job = made(client, {"source_assets": pictures, "duration_seconds": 6, "name": "Trip"})
    assert job["status"] == "succeeded", job["error"]
    (row,) = job["result"]["outputs"]
    assert (row["frames"], row["width"], row["height"], row["duration_seconds"]) == (180, 320, 180, 6.0)
    frames = seen(file_of(owner, row["asset_id"]))
    middle = frames[:, 70:110, 140:180].mean((1, 2))
    for index, colour in enumerate(COLOURS):
        assert np.abs(middle[60 * index + 45] - colour).max() < 12, index
    # Over half a second the next picture comes through evenly, above the one before.
    share = [(middle[60 + step] - COLOURS[0]) @ (np.array(COLOURS[1]) - COLOURS[0]) for step in range(15)]
    share = [value / np.sum((np.array(COLOURS[1]) - COLOURS[0]) ** 2) for value in share]
    assert share == pytest.approx([(step + 1) / 16 for step in range(15)], abs=0.06)
    assert np.abs(middle[59] - COLOURS[0]).max() < 12
    # The upright picture is whole, over a darker copy of itself.
    assert frames[30, 90, 10].sum() < frames[30, 90, 160].sum() - 30
    video = client.get(f"/api/assets/{row['asset_id']}").json()
    assert (video["name"], video["licence"], video["ai_generated"]) == ("Trip.mp4", "own; CC BY 4.0", False)
    assert set(video["parent_asset_ids"]) == set(pictures)
    assert video["metadata"]["style"] == "natural"
    deliver_all()
    with database.session(owner) as session:
        episode = session.scalars(select(Episode)).one()
        assert (episode.title, str(episode.asset_id), episode.state) == ("Trip", row["asset_id"], "draft")
        assert str(episode.id) == row["episode_id"]


def test_a_script_is_said_and_captioned_with_its_own_words(client: httpx.Client, owner: Actor) -> None:
    job = made(client, {"script": SCRIPT, "style": "documentary", "captions": "clean", "language": "en"})
    assert job["status"] == "succeeded", job["error"]
    result = job["result"]
    (row,) = result["outputs"]
    path = file_of(owner, row["asset_id"])
    assert tokens(transcribe(path, language="en", model=BUNDLED).text) == tokens(SCRIPT.replace("\n", " "))
    assert row["loudness_lufs"] == pytest.approx(-14, abs=0.7)
    first, second = result["scenes"]
    assert (first["start"], first["end"]) == (0.0, second["start"])
    assert [scene["narration"] for scene in result["scenes"]] == SCRIPT.split("\n\n")
    assert second["end"] == pytest.approx(row["duration_seconds"], abs=0.01)
    made_assets = {one["kind"]: one for one in (client.get(f"/api/assets/{i}").json() for i in result["asset_ids"])}
    assert (made_assets["video"]["ai_generated"], "CC0" in made_assets["video"]["licence"]) == (True, True)
    written = file_of(owner, made_assets["subtitle"]["id"]).read_text()
    shown = " ".join(
        line for line in written.splitlines() if line[:1].isalpha() and line != "WEBVTT" and ":" not in line
    )
    assert tokens(shown) == tokens(SCRIPT.replace("\n", " "))
    # White letters at the bottom while somebody speaks, a card above them; none before the voice begins.
    frames = seen(path)
    bright = (frames.min(-1) > 215).sum(2)
    speaking = round((first["start"] + 1.5) * 30)
    assert bright[speaking, 140:].sum() > 60
    assert bright[3, 140:].sum() == 0
    assert bright[speaking, 40:110].sum() > 60


def test_scenes_change_on_the_beats_of_their_music_which_makes_way_for_the_voice(
    client: httpx.Client, owner: Actor, pictures: list[str], tmp_path: Path
) -> None:
    rate, period = 48_000, 0.8
    hum = 0.2 * np.sin(2 * np.pi * 1500 * np.arange(30 * rate) / rate)
    soundfile.write(tmp_path / "hum.wav", hum, rate)
    music = keep(owner, tmp_path / "hum.wav", "audio", has_audio=True, duration_seconds=30.0, licence="CC BY-SA 4.0")
    with database.session(owner) as session:
        beats = [period * n for n in range(37)]
        session.add(AudioAnalysis(owner_id=owner.owner_id, audio_asset_id=UUID(music), result={"beats": beats}))
    scenes = [
        {"image_asset_id": pictures[0], "duration_seconds": 2.0},
        {"image_asset_id": pictures[1], "narration": "Turn your chair to the window.", "transition": "wipe"},
        {"text": "The {\\b1}end", "duration_seconds": 2.5, "transition": "dip"},
    ]
    job = made(client, {"storyboard": {"scenes": scenes}, "style": "vivid", "music_asset_id": music})
    assert job["status"] == "succeeded", job["error"]
    told = job["result"]["scenes"]
    for scene in told[1:]:
        assert min(scene["start"] % period, period - scene["start"] % period) < 1 / 30
    assert [scene["transition"] for scene in told] == ["cut", "wipe", "dip"]
    (row,) = job["result"]["outputs"]
    path = file_of(owner, row["asset_id"])
    frames = seen(path)
    wiping = round(told[1]["start"] * 30) + 5
    green = frames[wiping, 90, :, 1] - frames[wiping, 90, :, 0]
    assert green[:20].mean() * green[-20:].mean() < 0, "one side still shows the picture before"
    assert frames[round(told[2]["start"] * 30)].mean() < 25, "through black"
    assert frames[round(told[2]["start"] * 30) + 40].mean() > 40
    data: list[bytes] = []
    run_ffmpeg([*source_arguments(path), "-vn", "-ac", "1", "-ar", "48000", "-f", "f32le", "pipe:1"], sink=data.append)
    sound = np.frombuffer(b"".join(data), "<f4")

    def hum_db(second: float) -> float:
        piece = sound[round(second * rate) : round((second + 0.2) * rate)]
        return float(
            20 * np.log10(np.abs(np.exp(-2j * np.pi * 1500 * np.arange(len(piece)) / rate) @ piece) / len(piece))
        )

    assert hum_db(1.2) - hum_db(told[1]["start"] + 1.0) > 6
    video = client.get(f"/api/assets/{row['asset_id']}").json()
    assert "CC BY-SA 4.0" in video["licence"]
    assert set(video["parent_asset_ids"]) == {music, *pictures[:2]}


def test_a_still_moves_without_jerks(tmp_path: Path) -> None:
    """A spot's path over two seconds: no step differs from the one before by more than a tenth of a pixel."""
    down, across = np.mgrid[0:360, 0:640]
    for index, (x, y) in enumerate(((560.0, 60.0), (300.0, 200.0))):
        spot = 200 * np.exp(-((across - x) ** 2 + (down - y) ** 2) / (2 * 12.0**2))
        picture = tmp_path / f"{index}.png"
        Image.fromarray(spot.astype(np.uint8)).convert("RGB").save(picture)
        shown = [
            np.frombuffer(frame, np.uint8).reshape(SIZE[1], SIZE[0], 3)[..., 0].astype(float)
            for frame in frames_of([Shot(picture, 60, motion_of(index, LOOKS["natural"]))], SIZE)
        ]
        rows, columns = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
        path = np.array([[(frame * axis).sum() / frame.sum() for axis in (columns, rows)] for frame in shown])
        assert np.abs(path[-1] - path[0]).max() > 4
        assert np.abs(np.diff(path, 2, axis=0)).max() < 0.1


def test_every_style_changes_the_picture_in_its_own_way(tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, 240)
    card = np.stack([np.tile(ramp, (180, 1)), np.tile(ramp[::-1], (180, 1)), np.full((180, 240), 110.0)], axis=-1)
    Image.fromarray(card.astype(np.uint8)).save(tmp_path / "card.png")

    def styled(name: str) -> np.ndarray[Any, Any]:
        data: list[bytes] = []
        graph = f"[0:v]format=yuv420p,setsar=1,{look_filters(LOOKS[name], (240, 180))},format=yuv420p[out]"
        run_ffmpeg(
            [
                "-i", str(tmp_path / "card.png"), "-filter_complex", graph, "-map", "[out]", "-frames:v", "1",
                "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1",
            ],
            sink=data.append,
        )  # fmt: skip
        return np.frombuffer(b"".join(data), np.uint8).reshape(180, 240, 3).astype(float)

    found = {name: styled(name) for name in LOOKS}
    assert np.abs(found["natural"] - card).mean() < 4
    names = list(found)
    for index, one in enumerate(names):
        for other in names[index + 1 :]:
            assert np.abs(found[one] - found[other]).mean() > 6, (one, other)
    assert np.ptp(found["noir"], axis=-1).mean() < 6, "without colour"
    assert np.ptp(found["vivid"], axis=-1).mean() > 1.2 * np.ptp(card, axis=-1).mean()
    warm = {name: (frame[..., 0] - frame[..., 2]).mean() for name, frame in found.items()}
    assert warm["golden"] > warm["natural"] + 20
    assert warm["neon"] < warm["natural"] - 15
    assert found["vintage"].min() > found["natural"].min() + 8, "black is lifted"

    def corners(name: str) -> float:
        grey = found[name].mean(-1)
        return float(np.mean([grey[:20, :20], grey[-20:, -20:]]) - np.mean([grey[80:100, :20], grey[80:100, -20:]]))

    assert corners("noir") < corners("natural") - 15
    rough = {name: np.abs(np.diff(frame.mean(-1), axis=0)).mean() for name, frame in found.items()}
    assert rough["vintage"] > rough["natural"] + 2


def test_what_cannot_be_made_is_refused_before_a_job_exists(client: httpx.Client, owner: Actor) -> None:
    refused: list[tuple[dict[str, Any], int, str]] = [
        ({"prompt": "a", "script": "b"}, 422, ""),
        ({"prompt": "Light", "style": "grunge"}, 422, ""),
        ({"prompt": "Light", "audio_preset": "polka"}, 422, "no music of this name"),
        ({"prompt": "Light", "provider": "pika"}, 503, ""),
        ({"prompt": "Light", "provider": "runway"}, 503, "no key"),
        ({"script": "Light", "provider": "runway"}, 422, "one clip"),
        ({"prompt": "…"}, 422, "nothing to say"),
        ({"script": "สวัสดีครับ"}, 503, "not Thai"),
        ({"source_assets": [str(uuid7())]}, 404, ""),
    ]
    for order, status, sentence in refused:
        answer = client.post("/api/video/generate", json={"mode": "generate", **order})
        assert answer.status_code == status, answer.text
        assert sentence in answer.json()["title"]
    with database.session(owner) as session:
        assert session.scalars(select(Job.id)).all() == []


def test_pictures_that_are_none_fail_with_a_sentence(
    client: httpx.Client, owner: Actor, pictures: list[str], tmp_path: Path
) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    broken = keep(owner, tmp_path / "broken.png", "image")
    job = made(client, {"source_assets": [pictures[0], broken], "duration_seconds": 2})
    assert (job["status"], job["error"]["type"]) == ("failed", "unsupported-media")
    soundfile.write(tmp_path / "song.wav", np.zeros(4800), 48_000)
    song = keep(owner, tmp_path / "song.wav", "audio", has_audio=True, duration_seconds=0.1)
    answer = client.post("/api/video/generate", json={"source_assets": [song]})
    assert (answer.status_code, "not a picture" in answer.json()["title"]) == (422, True)
    with database.session(owner) as session:
        kinds = session.scalars(select(Asset.kind)).all()
    assert "video" not in kinds

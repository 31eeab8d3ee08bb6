"""Stems from order to group, and their mixes: over HTTP, through the jobs, to the library (M2, I3b, H3)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import numpy as np
import pytest
import soundfile
from sqlalchemy import select

from core import assets, database, events
from core.models.assets import Asset, StemGroup
from core.models.jobs import Job, OutboxEvent
from core.music.separation import HTDEMUCS, STEMS
from core.security import Actor
from core.settings import Settings, get_settings
from providers.audio import decode, mix
from tests.benchmark.stems import band
from tests.engine.api_server import serve
from tests.engine.test_music_jobs import deliver_all, keep
from tests.engine.test_stems import keep_weights, tiny_network
from tests.media import silent_video
from workers import models, runner
from workers.music import stems

__all__ = ["models", "stems"]  # importing registers the tasks
STEPS = 2**23


@pytest.fixture
def client(owner: Actor) -> Iterator[httpx.Client]:
    with serve() as served, served.client(owner) as opened:
        yield opened


def worked(client: httpx.Client, path: str, order: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(f"/api/audio/{path}", json=order)
    assert answer.status_code == 202, answer.text
    runner.run(answer.json()["job_id"])
    job: dict[str, Any] = client.get(f"/api/jobs/{answer.json()['job_id']}").json()
    return job


def steps(path: Path) -> Any:
    return np.rint(soundfile.read(path, dtype="float64", always_2d=True)[0] * STEPS)


def file_of(owner: Actor, asset_id: str) -> Path:
    with database.session(owner) as session:
        return assets.path_of(assets.get(session, asset_id))


def test_a_song_is_separated_tracked_and_mixed(client: httpx.Client, owner: Actor, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "band.wav", band(22, seconds=5.0).mix, 48_000, subtype="PCM_24")
    song = keep(owner, tmp_path / "band.wav", tmp_path)
    job = worked(client, "stems", {"audio_asset_id": str(song), "provider": "builtin"})
    assert job["status"] == "succeeded", job["error"]
    result = job["result"]
    assert set(result["stems"]) == set(STEMS)
    assert result["provider"] == "builtin"
    for stem, identifier in result["stems"].items():
        found = client.get(f"/api/assets/{identifier}").json()
        assert (found["kind"], found["licence"], found["parent_asset_ids"]) == ("audio", "CC BY 4.0", [str(song)])
        assert (found["metadata"]["stem"], found["metadata"]["provider"]) == (stem, "builtin")
        assert found["duration_seconds"] == pytest.approx(5.0)
    with database.session(owner) as session:
        group = session.scalars(select(StemGroup)).one()
        assert str(group.id) == result["stem_group_id"]
        assert (group.audio_asset_id, group.provider, group.stems) == (song, "builtin", result["stems"])
        event = session.scalars(select(OutboxEvent).where(OutboxEvent.kind == events.AUDIO_STEMS_CREATED)).one()
        assert event.data["stem_group_id"] == result["stem_group_id"]
    deliver_all()
    with database.session(owner) as session:
        for _ in range(2):  # a second delivery changes nothing
            assert assets.get(session, song).details["stem_group_id"] == result["stem_group_id"]
            prepared = session.scalars(select(Job.payload["asset_id"].astext).where(Job.kind == "ingest")).all()
            assert sorted(prepared) == sorted(result["stems"].values())
            events.deliver(session, session.get_one(OutboxEvent, event.id))
            session.flush()

    group_id = result["stem_group_id"]
    whole = worked(client, "mix", {"stem_group_id": group_id})["result"]
    written = steps(tmp_path / "band.wav")
    assert np.array_equal(steps(file_of(owner, whole["audio_asset_id"])), written), "at unity the mix is the song"
    karaoke = worked(client, "mix", {"stem_group_id": group_id, "preset": "karaoke", "name": "Sing"})["result"]
    voice = steps(file_of(owner, result["stems"]["vocal"]))
    assert np.abs(voice).max() > 0.01 * STEPS
    assert np.array_equal(steps(file_of(owner, karaoke["audio_asset_id"])), written - voice)
    made = client.get(f"/api/assets/{karaoke['audio_asset_id']}").json()
    assert (made["name"], made["licence"]) == ("Sing.wav", "CC BY 4.0")
    assert set(made["parent_asset_ids"]) == {result["stems"][stem] for stem in ("drums", "bass", "other")}

    # A song that is deleted takes its stems and its group along, when asked to.
    assert client.delete(f"/api/assets/{song}").status_code == 409
    assert client.delete(f"/api/assets/{song}", params={"with_dependants": True}).status_code == 204
    with database.session(owner) as session:
        assert session.scalars(select(StemGroup)).all() == []
        assert session.scalars(select(Asset)).all() == []


def tone(path: Path, hertz: float, peak: float, seconds: float, rate: int = 48_000) -> Path:
    samples = peak * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    soundfile.write(path, np.stack([samples, samples], axis=1), rate, subtype="PCM_16")
    return path


def level(samples: Any, hertz: float, rate: int = 48_000) -> float:
    """Amplitude of a tone in the first second of one channel."""
    turn = np.exp(-2j * np.pi * hertz * np.arange(rate) / rate)
    return float(2 * abs(np.mean(samples[:rate] * turn)))


@pytest.mark.parametrize("form", ["mp3", "m4a"])
def test_any_sounds_are_mixed_at_their_levels_into_any_format(
    client: httpx.Client, owner: Actor, tmp_path: Path, form: str
) -> None:
    low = keep(owner, tone(tmp_path / "low.wav", 440, 0.5, 2.0, 44_100), tmp_path)
    high = keep(owner, tone(tmp_path / "high.wav", 1_000, 0.5, 1.5), tmp_path)
    tracks = [{"asset_id": str(low), "gain_db": -6.0}, {"asset_id": str(high), "gain_db": 0}]
    tracks.append({"asset_id": str(low), "muted": True})
    job = worked(client, "mix", {"tracks": tracks, "format": form})
    assert job["status"] == "succeeded", job["error"]
    asset = client.get(f"/api/assets/{job['result']['audio_asset_id']}").json()
    assert asset["name"].endswith(f".{form}")
    assert asset["duration_seconds"] == pytest.approx(2.0, abs=0.01)
    decode.to_wav(file_of(owner, asset["id"]), tmp_path / "heard.wav")
    heard = soundfile.read(tmp_path / "heard.wav")[0][4_800:, 0]
    assert level(heard, 440) == pytest.approx(0.25, rel=0.05)
    assert level(heard, 1_000) == pytest.approx(0.5, rel=0.05)


def test_a_sum_over_full_scale_is_turned_down_as_a_whole(tmp_path: Path) -> None:
    sources = [
        mix.Source(tone(tmp_path / "a.wav", 440, 0.9, 1.0)),
        mix.Source(tone(tmp_path / "b.wav", 1_000, 0.9, 1.0)),
    ]
    made = mix.mix(sources, tmp_path, "wav")
    heard = soundfile.read(made.path)[0][:, 0]
    assert 4.9 < made.lowered_db < 5.2
    assert 0.999 < np.abs(heard).max() < 1.0
    assert level(heard, 440) == pytest.approx(level(heard, 1_000), rel=1e-3)


def test_what_cannot_be_separated_or_mixed_is_refused(client: httpx.Client, owner: Actor, tmp_path: Path) -> None:
    song = str(keep(owner, tone(tmp_path / "song.wav", 440, 0.5, 1.0), tmp_path))
    silent = str(keep(owner, silent_video(), tmp_path))
    gone = str(UUID(int=5))
    for path, order, status in (
        ("stems", {"audio_asset_id": song, "provider": "demucs"}, 503),
        ("stems", {"audio_asset_id": song, "provider": "lalal"}, 503),
        ("stems", {"audio_asset_id": song, "provider": "magic"}, 422),
        ("stems", {"audio_asset_id": song, "stems": []}, 422),
        ("stems", {"audio_asset_id": silent}, 422),
        ("stems", {"audio_asset_id": gone}, 404),
        ("mix", {}, 422),
        ("mix", {"stem_group_id": gone}, 404),
        ("mix", {"stem_group_id": gone, "tracks": [{"asset_id": song}]}, 422),
        ("mix", {"tracks": [{"asset_id": song, "muted": True}]}, 422),
        ("mix", {"tracks": [{"asset_id": song, "gain_db": 90}]}, 422),
        ("mix", {"tracks": [{"asset_id": silent}]}, 422),
        ("mix", {"tracks": [{"asset_id": gone}]}, 404),
    ):
        answer = client.post(f"/api/audio/{path}", json=order)
        assert answer.status_code == status, (order, answer.text)
        assert answer.json()["title"]
    with database.session(owner) as session:
        assert session.scalars(select(Job).where(Job.kind.in_(("audio.stems", "audio.mix")))).all() == []


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, studio: Settings) -> Iterator[None]:
    """A model hub that has the weights of a tiny network under the name of Demucs's."""
    path = keep_weights(*tiny_network())
    weights = path.read_bytes()
    path.unlink()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != f"/{HTDEMUCS.repository}/resolve/main/{HTDEMUCS.files[0]}":
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(weights)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(weights)

        do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("STUDIO_MODEL_BASE", f"http://127.0.0.1:{server.server_address[1]}")
    get_settings.cache_clear()
    yield
    server.shutdown()
    server.server_close()


def test_the_weights_of_demucs_are_downloaded_and_then_it_separates(
    hub: None, client: httpx.Client, owner: Actor, tmp_path: Path
) -> None:
    song = str(keep(owner, tone(tmp_path / "song.wav", 440, 0.5, 1.0, 44_100), tmp_path))
    order = {"audio_asset_id": song, "provider": "demucs"}
    assert client.post("/api/audio/stems", json=order).json()["type"] == "not-configured"

    def state() -> dict[str, Any]:
        return next(row for row in client.get("/api/providers").json() if (row["kind"], row["name"]) == demucs)

    demucs = ("stems", "demucs")
    assert (state()["ready"], "84 MB" in state()["reason"]) == (False, True)
    download = client.post("/api/settings/models", json={"name": "htdemucs"})
    assert download.status_code == 202, download.text
    runner.run(download.json()["job_id"])
    assert client.get(f"/api/jobs/{download.json()['job_id']}").json()["status"] == "succeeded"
    assert state()["ready"]
    job = worked(client, "stems", order)
    assert job["status"] == "succeeded", job["error"]
    assert (job["result"]["provider"], job["result"]["edition"]) == ("demucs", "htdemucs")
    for stem, identifier in job["result"]["stems"].items():
        about = soundfile.info(file_of(owner, identifier))
        assert (about.samplerate, about.subtype) == (48_000, "PCM_24"), stem
        assert about.frames == pytest.approx(48_000, abs=2)


def test_only_the_stems_that_were_asked_for_are_kept(client: httpx.Client, owner: Actor, tmp_path: Path) -> None:
    song = str(keep(owner, tone(tmp_path / "song.wav", 440, 0.5, 1.0), tmp_path))
    job = worked(client, "stems", {"audio_asset_id": song, "stems": ["vocals", "vocal"]})
    assert list(job["result"]["stems"]) == ["vocal"]
    refused = client.post("/api/audio/mix", json={"stem_group_id": job["result"]["stem_group_id"], "preset": "karaoke"})
    assert refused.status_code == 422
    assert "drums" in refused.json()["detail"]

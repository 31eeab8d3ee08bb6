"""Music from words, from order to files: played, looped, written down, in stems; MusicGen on a tiny network (M6)."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyloudnorm
import pytest
import soundfile
from sqlalchemy import select

from core import assets, database
from core.errors import EngineFailed, JobCancelled, NotConfigured
from core.models.assets import Asset, AudioAnalysis, StemGroup
from core.models.jobs import Job
from core.music.composing.instruments import INSTRUMENTS
from core.music.composing.plan import Wishes, plan
from core.music.generation import MUSICGEN_SMALL
from core.music.separation import model_folder
from core.publishing import provenance
from core.security import Actor
from core.settings import get_settings
from providers.audio import musicgen
from providers.audio.analysis import analyze
from tests.engine.api_server import serve
from tests.engine.test_music_jobs import deliver_all
from workers import runner
from workers.music import generate, stems

__all__ = ["generate", "stems"]  # importing registers the tasks
RATE, STEPS = 48_000, 2**23


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """On a busy machine threads wait for each other."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def client(owner: Actor) -> Iterator[httpx.Client]:
    with serve() as served, served.client(owner) as opened:
        yield opened


def worked(client: httpx.Client, order: dict[str, Any], path: str = "music/generate") -> dict[str, Any]:
    answer = client.post(f"/api/{path}", json=order)
    assert answer.status_code == 202, answer.text
    runner.run(answer.json()["job_id"])
    job: dict[str, Any] = client.get(f"/api/jobs/{answer.json()['job_id']}").json()
    assert job["status"] == "succeeded", job["error"]
    return dict(job["result"])


def file_of(owner: Actor, asset_id: str) -> Path:
    with database.session(owner) as session:
        return assets.path_of(assets.get(session, asset_id))


def steps(path: Path) -> Any:
    return np.rint(soundfile.read(path, dtype="float64", always_2d=True)[0] * STEPS).astype(np.int64)


def test_a_prompt_becomes_a_song_with_its_midi_and_stems(client: httpx.Client, owner: Actor) -> None:
    from music21 import converter, meter, tempo

    order = {
        "prompt": "a happy song with strummed guitar", "duration_seconds": 16, "tempo_bpm": 112, "key": "G:maj",
        "instruments": ["acoustic guitar", "bass", "drums", "flute"], "seed": 5,
    }  # fmt: skip
    made = worked(client, order)
    song = file_of(owner, made["audio_asset_id"])
    about = soundfile.info(song)
    assert (about.samplerate, about.channels, about.subtype) == (RATE, 2, "PCM_24")
    assert about.frames == 16 * RATE
    sound, _ = soundfile.read(song)
    assert pyloudnorm.Meter(RATE).integrated_loudness(sound) == pytest.approx(-16.0, abs=0.3)
    assert np.abs(sound).max() < 10 ** (-1.4 / 20)
    assert np.abs(sound[-100:]).max() < 1e-3, "it has ended"
    heard = analyze(song, ("tempo", "beats", "key"))
    assert heard["bpm"] == pytest.approx(112, rel=0.04)
    assert (heard["key"], heard["time_signature"]) == ("G:maj", "4/4")

    players = ("acoustic_guitar", "bass", "drums", "flute")
    assert sorted(made["stems"]) == sorted(players)
    parts = {name: steps(file_of(owner, identifier)) for name, identifier in made["stems"].items()}
    assert all(np.abs(part).max() > 0.01 * STEPS for part in parts.values()), "everybody is heard"
    assert np.array_equal(sum(parts.values()), steps(song)), "the stems are the song to the last bit"
    assert np.array_equal(
        steps(file_of(owner, worked(client, {"stem_group_id": made["stem_group_id"]}, "audio/mix")["audio_asset_id"])),
        steps(song),
    )

    score = converter.parse(file_of(owner, made["midi_asset_id"]).read_bytes(), format="midi")
    assert next(mark.number for mark in score.recurse().getElementsByClass(tempo.MetronomeMark)) == 112
    assert {one.ratioString for one in score.recurse().getElementsByClass(meter.TimeSignature)} == {"4/4"}
    assert len(score.parts) == len(players)
    programs = {one.midiProgram for part in score.parts for one in part.getInstruments(recurse=True)}
    assert {INSTRUMENTS[name].program for name in players if name != "drums"} <= programs

    with database.session(owner) as session:
        asset = assets.get(session, made["audio_asset_id"])
        assert (asset.kind, asset.ai_generated, asset.duration_seconds) == ("audio", False, 16.0)
        assert asset.loudness_lufs == pytest.approx(-16.0, abs=0.3)
        midi = assets.get(session, made["midi_asset_id"])
        assert (midi.kind, midi.mime_type) == ("midi", "audio/midi")
        assert {(child.id, role) for child, role in assets.lineage(session, asset.id).children} >= {(midi.id, "midi")}
        group = session.scalars(select(StemGroup)).one()
        assert (str(group.id), group.audio_asset_id, group.provider) == (made["stem_group_id"], asset.id, "composer")
        known = session.scalars(select(AudioAnalysis)).one()
        assert (known.bpm, known.key) == (112.0, "G:maj")
        # What the score says of its beats is where they are heard.
        near = np.abs(np.subtract.outer(heard["beats"], known.result["beats"])).min(axis=1)
        assert np.median(near) < 0.03
    deliver_all()
    with database.session(owner) as session:
        asset = assets.get(session, made["audio_asset_id"])
        assert (asset.details["bpm"], asset.details["stem_group_id"]) == (112.0, made["stem_group_id"])
        prepared = set(session.scalars(select(Job.payload["asset_id"].astext).where(Job.kind == "ingest")))
        assert {made["audio_asset_id"], *made["stems"].values()} <= prepared

    again = worked(client, order)
    assert file_of(owner, again["audio_asset_id"]).read_bytes() == song.read_bytes(), "the same seed, the same file"
    assert file_of(owner, again["midi_asset_id"]).read_bytes() == file_of(owner, made["midi_asset_id"]).read_bytes()
    assert again["audio_asset_id"] != made["audio_asset_id"]


@pytest.mark.parametrize(
    ("prompt", "seconds", "bpm", "key", "metre"),
    [
        ("lo-fi beats to study, loop, in D minor, 88 bpm", 11, 88, "D:min", "4/4"),
        ("energetic house loop in F# minor, 126 bpm, เพลงวน", 10, 126, "F#:min", "4/4"),
        ("โรแมนติก เพลงวอลซ์ เปียโนกับไวโอลิน คีย์จีเมเจอร์ ความเร็ว 100 ลูป", 13, 100, "G:maj", "3/4"),
    ],
)
def test_a_loops_end_joins_its_beginning(
    client: httpx.Client, owner: Actor, prompt: str, seconds: int, bpm: float, key: str, metre: str
) -> None:
    made = worked(client, {"prompt": prompt, "duration_seconds": seconds, "seed": 11})
    path = file_of(owner, made["audio_asset_id"])
    sound, _ = soundfile.read(path)
    assert len(sound) == seconds * RATE
    assert made["understood"]["loop"] is True
    assert (made["understood"]["key"], made["understood"]["time_signature"]) == (key, metre)
    around = np.concatenate([sound[-RATE // 10 :], sound[: RATE // 10]])
    step = np.abs(np.diff(around, axis=0)).max(axis=1)
    seam = float(step[RATE // 10 - 3 : RATE // 10 + 2].max())
    assert seam <= np.quantile(np.abs(np.diff(sound, axis=0)), 0.9999), "no click"
    # What rings at the end rings on in the beginning: the loop does not start out of silence.
    before, after = (np.sqrt(np.mean(one**2)) for one in (sound[-RATE // 50 :], sound[: RATE // 50]))
    assert after > 0.05 * before > 0
    twice = path.with_name("twice.wav")
    soundfile.write(twice, np.concatenate([sound, sound]), RATE)
    heard = analyze(twice, ("tempo", "beats", "key"))
    assert heard["bpm"] == pytest.approx(bpm, rel=0.04)
    assert heard["key"] == key
    assert heard["time_signature"] == metre


def test_what_cannot_be_made_is_refused(client: httpx.Client, owner: Actor) -> None:
    for order, status in (
        ({}, 422),
        ({"prompt": "x", "mood": "purple"}, 422),
        ({"prompt": "x", "instruments": ["theremin"]}, 422),
        ({"prompt": "x", "duration_seconds": 4000}, 422),
        ({"prompt": "x", "provider": "musicgen"}, 503),
        ({"prompt": "x", "provider": "external"}, 503),
        ({"prompt": "x", "provider": "magic"}, 422),
        ({"prompt": "x", "surprise": 1}, 422),
    ):
        answer = client.post("/api/music/generate", json=order)
        assert answer.status_code == status, (order, answer.text)
        assert answer.json()["title"]
    with database.session(owner) as session:
        assert session.scalars(select(Job)).all() == []
        assert session.scalars(select(Asset)).all() == []


# --- MusicGen on weights that the test makes: tiny, random, but read and run like the real ones ----------------------


def keep_tiny_musicgen() -> Path:
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import (
        EncodecConfig,
        MusicgenConfig,
        MusicgenDecoderConfig,
        MusicgenForConditionalGeneration,
        PreTrainedTokenizerFast,
        T5Config,
    )

    torch.manual_seed(3)
    config = MusicgenConfig(
        text_encoder=T5Config(
            vocab_size=40, d_model=16, d_kv=4, d_ff=16, num_layers=1, num_heads=2, pad_token_id=0
        ).to_dict(),
        audio_encoder=EncodecConfig(
            sampling_rate=32_000, target_bandwidths=[2.2], num_filters=4, hidden_size=16, codebook_size=64,
            codebook_dim=16, upsampling_ratios=[8, 5, 4, 4], num_lstm_layers=1, norm_type="weight_norm",
        ).to_dict(),
        decoder=MusicgenDecoderConfig(
            vocab_size=64, num_hidden_layers=1, ffn_dim=16, num_attention_heads=2, hidden_size=16, num_codebooks=4,
            pad_token_id=64, bos_token_id=64, audio_channels=1,
        ).to_dict(),
    )  # fmt: skip
    model = MusicgenForConditionalGeneration(config)
    model.generation_config.decoder_start_token_id = 64
    model.generation_config.pad_token_id = 64
    for layer in model.audio_encoder.quantizer.layers:
        layer.codebook.embed.normal_()  # as long as it was not trained, every code sounds like nothing
    folder = model_folder(MUSICGEN_SMALL)
    folder.mkdir(parents=True)
    model.save_pretrained(folder)
    words = {"<pad>": 0, "</s>": 1, "<unk>": 2, "calm": 3, "piano": 4, "music": 5, ",": 6}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(folder)
    for name in MUSICGEN_SMALL.files:
        if not (folder / name).exists():
            (folder / name).write_text("{}")
    return folder


def test_musicgen_makes_marked_music_of_the_asked_length(client: httpx.Client, owner: Actor, tmp_path: Path) -> None:
    refused = client.post("/api/music/generate", json={"prompt": "calm piano", "provider": "musicgen"})
    assert (refused.status_code, refused.json()["type"]) == (503, "not-configured")

    def state() -> dict[str, Any]:
        return next(row for row in client.get("/api/providers").json() if row["name"] == "musicgen")

    assert (state()["ready"], "2.4 GB" in state()["reason"]) == (False, True)
    keep_tiny_musicgen()
    assert state()["ready"]
    assert "CC-BY-NC" in state()["licence"]
    long = {"prompt": "calm piano", "provider": "musicgen", "duration_seconds": 31}
    assert client.post("/api/music/generate", json=long).status_code == 422
    order = {"prompt": "calm piano", "provider": "musicgen", "duration_seconds": 5, "seed": 9, "loop": True}
    made = worked(client, order)
    assert (made["midi_asset_id"], made["stems"], made["provider"]) == (None, {}, "musicgen")
    path = file_of(owner, made["audio_asset_id"])
    about = soundfile.info(path)
    assert (about.samplerate, about.channels, about.subtype) == (RATE, 2, "PCM_24")
    assert about.duration == pytest.approx(5, abs=0.1)
    assert np.abs(soundfile.read(path)[0]).max() > 0.01
    with database.session(owner) as session:
        jobs = session.scalars(select(Job).where(Job.kind == "music.generate")).all()
        assert {job.queue for job in jobs} == {"models"}
        asset = assets.get(session, made["audio_asset_id"])
        about_it = provenance.of_asset(session, asset)
        assert asset.ai_generated
        assert about_it.ai_generated
        assert [part.name for part in about_it.non_commercial] == [asset.name], "the publish dialog warns of it"

    again = [musicgen.generate("calm piano", 1.0, seed, tmp_path).path.read_bytes() for seed in (4, 4, 5)]
    assert again[0] == again[1] != again[2]

    def cancel(done: float, stage: str | None = None) -> None:
        if done > 0.1:
            raise JobCancelled

    with pytest.raises(JobCancelled):
        musicgen.generate("calm", 5.0, 1, tmp_path, progress=cancel)


def test_weights_that_are_damaged_say_so(owner: Actor, tmp_path: Path) -> None:
    with pytest.raises(NotConfigured):
        musicgen.generate("calm", 5.0, 1, tmp_path)
    folder = model_folder(MUSICGEN_SMALL)
    folder.mkdir(parents=True)
    for name in MUSICGEN_SMALL.files:
        (folder / name).write_text("{}")
    with pytest.raises(EngineFailed) as failed:
        musicgen.generate("calm", 5.0, 1, tmp_path)
    assert "damaged" in failed.value.title
    assert str(get_settings().root) not in failed.value.detail


def test_a_network_is_told_what_was_asked_for_by_name() -> None:
    wishes = Wishes(prompt="rain on a window", mood="calm", key="D:min", bpm=72.0, instruments=("electric_piano",))
    told = musicgen.describe(wishes.prompt, plan(wishes, 1), wishes)
    assert told == "rain on a window, calm mood, electric piano, 72 bpm, in D minor"


def test_what_follows_a_loop_fades_into_its_beginning() -> None:
    ramp = np.arange(1_200, dtype=np.float32)
    looped = musicgen.joined(ramp, 1_000, 200)
    assert len(looped) == 1_000
    assert looped[0] == 1_000, "after the last sample, 999, comes the one that followed it"
    assert np.array_equal(looped[200:], ramp[200:1_000])
    joints = np.abs(np.diff(np.concatenate([looped[-1:], looped])))
    assert all(float(one) < 15 for one in itertools.islice(joints, 300))


def test_bytes_of_a_song_can_be_read_over_http(client: httpx.Client) -> None:
    made = worked(client, {"prompt": "music box lullaby", "duration_seconds": 5, "instruments": ["music box"]})
    answer = client.get(f"/api/assets/{made['audio_asset_id']}/content")
    sound, rate = soundfile.read(io.BytesIO(answer.content))
    assert (len(sound), rate) == (5 * RATE, RATE)

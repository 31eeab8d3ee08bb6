"""The built-in background tracks are music: in tempo and key, looped without a seam, equally loud (SPEC V4.1)."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile
from sqlalchemy import select

from core import database
from core.errors import InvalidInput
from core.jobs import submit
from core.models.assets import Asset
from core.models.jobs import Job
from core.music import arrange, presets
from core.music.payloads import BuiltinTracksInput
from core.music.presets import PRESETS
from core.security import Actor
from providers.audio import composer
from providers.audio.analysis import analyze
from tests import media
from tests.engine.test_music_jobs import deliver_all
from workers import runner
from workers.music import builtin

__all__ = ["builtin"]  # importing registers the task
# Analysing a track takes seconds; these two are the hardest to read: swing, and no drum kit.
ANALYSED = ("lofi", "cinematic")


@pytest.fixture(scope="module")
def tracks() -> dict[str, Path]:
    sources = [Path(str(module.__file__)).read_text() for module in (composer, presets, arrange)]

    def make(folder: Path) -> None:
        for name in PRESETS:
            composer.ensure_track(folder, name)

    folder, _ = media._made("tracks", sources, make)
    return {name: composer.ensure_track(folder, name) for name in PRESETS}


def test_there_are_eight_of_a_minute_or_more(tracks: dict[str, Path]) -> None:
    assert len(tracks) >= 8
    for name, path in tracks.items():
        info = soundfile.info(path)
        assert (info.samplerate, info.channels) == (48_000, 2)
        assert 60 <= info.duration <= 90
        preset = PRESETS[name]
        assert info.duration == pytest.approx(preset.bars * 4 * 60 / preset.bpm, abs=1e-4)


def test_they_are_equally_loud_and_never_clip(tracks: dict[str, Path]) -> None:
    for path in tracks.values():
        sound, rate = soundfile.read(path)
        assert pyloudnorm.Meter(rate).integrated_loudness(sound) == pytest.approx(composer.TARGET_LUFS, abs=0.3)
        assert np.abs(sound).max() <= 10 ** (composer.PEAK_DBFS / 20) + 1e-3
        seconds = sound[: sound.shape[0] // (4 * rate) * 4 * rate].reshape(-1, 4 * rate, 2)
        levels = 20 * np.log10(np.sqrt(np.mean(seconds**2, axis=(1, 2))) + 1e-9)
        assert levels.min() > -34  # no hole anywhere
        assert abs(np.mean(sound)) < 1e-3


def test_the_loop_has_no_seam(tracks: dict[str, Path]) -> None:
    for name, path in tracks.items():
        sound, rate = soundfile.read(path)
        step = np.abs(np.diff(np.concatenate([sound[-rate // 10 :], sound[: rate // 10]]), axis=0)).max(axis=1)
        seam = float(step[rate // 10 - 3 : rate // 10 + 2].max())
        everywhere = np.abs(np.diff(sound, axis=0))
        assert seam <= np.quantile(everywhere, 0.9999), name


@pytest.mark.parametrize("name", ANALYSED)
def test_tempo_and_key_are_the_asked_ones(tracks: dict[str, Path], name: str) -> None:
    found = analyze(tracks[name], ("tempo", "beats", "key"))
    assert found["bpm"] == pytest.approx(PRESETS[name].bpm, rel=0.04)
    assert found["key"] == PRESETS[name].key
    assert found["time_signature"] == "4/4"


def test_no_two_sound_alike(tracks: dict[str, Path]) -> None:
    """Long-term spectra and beat patterns of any two differ."""
    prints = {}
    for name, path in tracks.items():
        sound, rate = soundfile.read(path)
        mono = sound.mean(axis=1)[: 60 * rate].reshape(-1, 4800)
        spectrum = np.log10(np.mean(np.abs(np.fft.rfft(mono * np.hanning(mono.shape[1]))) ** 2, axis=0) + 1e-12)
        prints[name] = spectrum[:1200].reshape(60, 20).mean(axis=1)
    for one, other in combinations(prints, 2):
        assert float(np.sqrt(np.mean((prints[one] - prints[other]) ** 2))) > 0.15, (one, other)


def test_the_same_score_gives_the_same_sound(tmp_path: Path) -> None:
    one = composer.ensure_track(tmp_path / "a", "hiphop").read_bytes()
    assert composer.ensure_track(tmp_path / "b", "hiphop").read_bytes() == one


def test_an_unknown_track_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        composer.ensure_track(tmp_path, "polka")


def test_the_job_records_each_track_once(owner: Actor) -> None:
    results = []
    for _ in range(2):
        with database.session(owner) as session:
            job_id = submit(session, owner, "music.builtin", BuiltinTracksInput(presets=("acoustic", "lofi"))).id
        runner.run(str(job_id))
        with database.session(owner) as session:
            job = session.get_one(Job, job_id)
            assert job.status == "succeeded", job.error
            results.append(job.result["tracks"])
    assert results[0] == results[1]
    with database.session(owner) as session:
        rows = list(session.scalars(select(Asset).where(Asset.kind == "audio")))
        assert sorted(row.details["audio_preset"] for row in rows) == ["acoustic", "lofi"]
        for row in rows:
            assert row.details["builtin"] is True
            assert row.details["bpm"] == PRESETS[row.details["audio_preset"]].bpm
            assert "Apache-2.0" in row.licence
        made = {str(row.id) for row in rows}
    deliver_all()
    with database.session(owner) as session:
        prepared = set(session.scalars(select(Job.payload["asset_id"].astext).where(Job.kind == "ingest")))
        assert prepared == made, "their waveforms are drawn"

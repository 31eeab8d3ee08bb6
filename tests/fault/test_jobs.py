"""Jobs on real workers that are killed, cancelled, starved of their queue: they run once, or again, leaving nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
import soundfile
from sqlalchemy import func, select

from core import assets, database
from core.assets import StagedAsset
from core.jobs import cancel, queue, submit
from core.models.assets import Asset
from core.models.base import uuid7
from core.models.jobs import Job
from core.music.payloads import ImportAudioInput
from core.security import Actor
from core.settings import Settings
from core.storage import asset_key, sha256_of, storage
from workers.processes import group_exists

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def processes(studio: Settings) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts workers and dispatchers on the test's studio and ends what is left of them."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments], cwd=ROOT, env=dict(os.environ), start_new_session=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def long_sound(studio: Settings, owner: Actor, tmp_path: Path) -> UUID:
    """Forty minutes of noise: its import takes seconds, long enough to be interrupted."""
    path = tmp_path / "noise.wav"
    block = (np.random.default_rng(3).normal(0, 0.1, (96_000 * 60, 1)) * 32767).astype(np.int16)
    with soundfile.SoundFile(path, "w", 96_000, 1, "PCM_16") as file:
        for _ in range(40):
            file.write(block)
    asset_id = uuid7()
    staged = StagedAsset(
        asset_id=str(asset_id),
        kind="audio",
        name="noise.wav",
        storage_key=asset_key(asset_id, ".wav"),
        size_bytes=path.stat().st_size,
        sha256=sha256_of(path),
        mime_type="audio/wav",
        duration_seconds=2400.0,
        has_audio=True,
    )
    storage().put(path, staged.storage_key)
    with database.session() as session:
        assets.add(session, owner.owner_id, staged)
    return asset_id


def _submit(owner: Actor, sound: UUID) -> UUID:
    with database.session(owner) as session:
        return submit(session, owner, "audio.import", ImportAudioInput(source_asset_id=sound)).id


def _job(job_id: UUID) -> Job:
    with database.session() as session:
        return session.get_one(Job, job_id)


def _wait(job_id: UUID, reached: Callable[[Job], bool], seconds: float = 60.0) -> Job:
    deadline = time.monotonic() + seconds
    while not reached(job := _job(job_id)):
        assert time.monotonic() < deadline, f"{job.status} {job.progress} {job.stage} {job.error}"
        time.sleep(0.05)
    return job


def _results(sound: UUID) -> int:
    with database.session() as session:
        return session.scalar(select(func.count()).select_from(Asset).where(Asset.id != sound)) or 0


def _working(job: Job) -> bool:
    return job.status == "running" and job.progress > 0.02


def test_a_killed_worker_s_job_runs_again_within_thirty_seconds_and_takes_effect_once(
    processes: Callable[..., subprocess.Popen[bytes]], owner: Actor, long_sound: UUID
) -> None:
    worker = processes("workers.worker", "default")
    processes("workers.dispatcher")
    job_id = _submit(owner, long_sound)
    first = _wait(job_id, _working)
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    killed = time.monotonic()
    processes("workers.worker", "default")
    _wait(job_id, lambda job: job.attempts == 2, 30)
    assert time.monotonic() - killed < 30
    assert first.process_group is not None
    assert not group_exists(first.process_group)
    done = _wait(job_id, lambda job: job.status == "succeeded")
    assert done.result is not None
    assert len(done.result["asset_ids"]) == _results(long_sound) == 1


def test_a_killed_work_horse_s_job_runs_again_at_once(
    processes: Callable[..., subprocess.Popen[bytes]], owner: Actor, long_sound: UUID
) -> None:
    processes("workers.worker", "default")
    job_id = _submit(owner, long_sound)
    first = _wait(job_id, _working)
    assert first.process_group is not None
    os.killpg(first.process_group, signal.SIGKILL)
    _wait(job_id, lambda job: job.attempts == 2, 10)
    _wait(job_id, lambda job: job.status == "succeeded")
    assert _results(long_sound) == 1


def test_cancel_ends_the_job_and_its_ffmpeg(
    processes: Callable[..., subprocess.Popen[bytes]], owner: Actor, long_sound: UUID, studio: Settings
) -> None:
    processes("workers.worker", "default")
    job_id = _submit(owner, long_sound)
    group = _wait(job_id, _working).process_group
    assert group is not None
    with database.session(owner) as session:
        cancel(session, owner, job_id)
    _wait(job_id, lambda job: job.status == "cancelled", 10)  # two seconds, as `make bench` measures on an idle machine
    deadline = time.monotonic() + 10
    while group_exists(group):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert _results(long_sound) == 0
    assert list(studio.jobs_dir.iterdir()) == []


def test_queued_jobs_survive_an_emptied_queue(
    processes: Callable[..., subprocess.Popen[bytes]], owner: Actor, long_sound: UUID
) -> None:
    jobs = [_submit(owner, long_sound) for _ in range(3)]
    queue.connection().flushdb()
    processes("workers.dispatcher")
    processes("workers.worker", "default")
    for job_id in jobs:
        _wait(job_id, lambda job: job.status == "succeeded", 90)
        assert _job(job_id).attempts == 1
    assert _results(long_sound) == 3

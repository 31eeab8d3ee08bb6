"""Clips of a hosted engine: paid for once, whatever ends in between; what is sent, fetched, refused (SPEC V1.5)."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from core import assets, database
from core.jobs import lifecycle, retry, submit
from core.models.jobs import Job
from core.preferences import store_value
from core.security import Actor
from core.settings import Settings, get_settings
from core.video.generate.engines import KEYS
from core.video.generate.payloads import GenerateInput
from providers.video.hosted.luma import Luma
from providers.video.hosted.pika import Pika
from providers.video.hosted.runway import Runway
from providers.video.probe import probe
from providers.video.process import output_argument, run_ffmpeg
from tests.fakes.clips import KEY, SERVICES, FakeClips
from workers import runner
from workers.context import JobContext
from workers.video import generate, hosted

__all__ = ["generate"]  # importing registers the task
ORDER = GenerateInput(prompt="A lamp in a window", provider="runway", duration_seconds=3, resolution="320x180")
SENT = {
    "runway": {"model": "gen4.5", "promptText": "A lamp in a window", "ratio": "1280:720", "duration": 3},
    "luma": {
        "model": "ray-2",
        "prompt": "A lamp in a window",
        "aspect_ratio": "16:9",
        "duration": "5s",
        "resolution": "720p",
    },
    "pika": {"prompt": "A lamp in a window", "aspect_ratio": "16:9", "duration": 5, "resolution": "720p"},
}
ENGINES = {"runway": Runway, "luma": Luma, "pika": Pika}  # fmt: skip
ONE = pytest.mark.parametrize("service", ["runway"], indirect=True)
"""Where the services differ in nothing."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of green with a tone, as large as the service's."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    run_ffmpeg(
        [
            "-f", "lavfi", "-i", "color=0x20c040:s=640x360:r=24:d=2", "-f", "lavfi", "-i", "sine=440:d=2", "-c:v",
            "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-shortest", output_argument(path),
        ]
    )  # fmt: skip
    return path


@pytest.fixture(params=sorted(SERVICES))
def service(
    request: pytest.FixtureRequest, clip: Path, studio: Settings, owner: Actor, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeClips]:
    """Either service; :data:`ORDER` is for it."""
    name = str(request.param)
    fake = FakeClips(name, clip)
    monkeypatch.setenv(f"{name.upper()}_API_BASE", fake.url)
    monkeypatch.setattr("tests.fault.test_hosted_video.ORDER", ORDER.model_copy(update={"provider": name}))
    monkeypatch.setattr(hosted, "pause", lambda _seconds, tick: tick())
    get_settings.cache_clear()
    with database.session(owner) as session:
        store_value(session, owner, KEYS[name], KEY, secret=True)
    yield fake
    fake.stop()
    monkeypatch.undo()
    get_settings.cache_clear()


def ordered(owner: Actor, order: GenerateInput | None = None) -> UUID:
    with database.session(owner) as session:
        return submit(session, owner, "video.generate", order or ORDER).id


def job_of(identifier: UUID) -> Job:
    with database.session() as session:
        return session.get_one(Job, identifier)


def run(identifier: UUID) -> Job:
    runner.run(str(identifier))
    return job_of(identifier)


def again(owner: Actor, identifier: UUID) -> Job:
    """As a person presses "Try again"."""
    with database.session(owner) as session:
        retry(session, owner, identifier)
    return run(identifier)


def killed(identifier: UUID, module: Any, name: str, *, after: bool) -> None:
    """Run the job in a process that is killed before or after ``module.name`` has done its work, then recover it."""
    database.engine().dispose()
    child = os.fork()
    if not child:
        original = getattr(module, name)

        def fatal(*arguments: Any, **options: Any) -> Any:
            if after:
                original(*arguments, **options)
            os.kill(os.getpid(), signal.SIGKILL)

        setattr(module, name, fatal)
        runner.run(str(identifier))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    with database.session() as session:
        lifecycle.recover(session, session.get_one(Job, identifier), "the worker of this attempt ended")


def test_a_clip_is_ordered_waited_for_fetched_and_finished(service: FakeClips, owner: Actor) -> None:
    bare = httpx.post(f"{service.url}{service.create_path}", json={})
    assert bare.status_code in (400, 401), "the service is strict"
    service.switch(stale_addresses=1)
    job = run(ordered(owner, ORDER.model_copy(update={"style": "noir", "aspect_ratio": "16:9"})))
    assert job.status == "succeeded", job.error
    (sent,) = service.orders.values()
    assert sent["body"] == SENT[ORDER.provider]
    row = job.result["outputs"][0]
    assert (row["width"], row["height"], row["frames"]) == (320, 180, 60)
    with database.session(owner) as session:
        video = assets.get(session, row["asset_id"])
        path = assets.path_of(video)
        assert (video.ai_generated, video.licence, video.details["provider"]) == (
            True,
            f"{ORDER.provider.title()}'s terms",
            ORDER.provider,
        )
    assert probe(path).has_audio
    data: list[bytes] = []
    run_ffmpeg(["-i", str(path), "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"], sink=data.append)
    red, green, blue = b"".join(data)[:3]
    assert max(red, green, blue) - min(red, green, blue) < 8, "the style was applied"


def test_killed_while_it_waits_it_goes_on_by_its_handle(service: FakeClips, owner: Actor) -> None:
    identifier = ordered(owner)
    killed(identifier, hosted, "_finished", after=False)
    (handle,) = service.orders
    assert job_of(identifier).checkpoints["order"] == {"asked": True, "handle": handle}
    job = run(identifier)
    assert job.status == "succeeded", job.error
    assert list(service.orders) == [handle], "ordered, and paid for, once"


def test_killed_between_the_order_and_its_handle_it_never_orders_by_itself(service: FakeClips, owner: Actor) -> None:
    identifier = ordered(owner)
    killed(identifier, ENGINES[ORDER.provider], "submit", after=True)
    job = run(identifier)
    assert (job.status, job.error["code"]) == ("failed", "answer-lost")
    assert not job.error["retryable"]
    assert len(service.orders) == 1
    # A person who has looked may order anew.
    assert again(owner, identifier).status == "succeeded"
    assert len(service.orders) == 2


@ONE
def test_an_order_that_fails_is_not_repeated(service: FakeClips, owner: Actor) -> None:
    failures: list[tuple[Any, str, int]] = [
        ("cut", "answer-lost", 1), (503, "answer-lost", 0), (429, "429", 0), (400, "400", 0), (401, "401", 0),
    ]  # fmt: skip
    for number, (planned, code, taken) in enumerate(failures, start=1):
        before = len(service.orders)
        service.switch(planned=[planned])
        job = run(ordered(owner))
        assert (job.status, job.error["code"]) == ("failed", code)
        assert service.requests == [f"POST {service.create_path}"] * number
        assert len(service.orders) == before + taken
        assert job.checkpoints["order"] == {}


def test_asking_is_repeated_and_a_failed_clip_is_told(service: FakeClips, owner: Actor) -> None:
    identifier = ordered(owner)
    killed(identifier, hosted, "_finished", after=False)
    service.switch(planned=[500, 429, 503])
    assert run(identifier).status == "succeeded"
    service.switch(fail_next="SAFETY.INPUT.TEXT")
    refused = ordered(owner)
    job = run(refused)
    assert job.status == "failed"
    assert "SAFETY.INPUT.TEXT" in job.error["detail"]
    assert "could not make this clip" in job.error["title"]
    assert again(owner, refused).status == "succeeded"
    assert len(service.orders) == 3


@ONE
def test_cancelling_tells_the_service(service: FakeClips, owner: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    original = JobContext.progress

    def stopped(self: JobContext, fraction: float, stage: str | None = None) -> None:
        if stage == "stage.hosted":
            self.stop_requested.set()
        original(self, fraction, stage)

    monkeypatch.setattr(JobContext, "progress", stopped)
    job = run(ordered(owner))
    assert job.status == "cancelled"
    (order,) = service.orders.values()
    assert order["cancelled"]
    assert "asked" not in (job.checkpoints.get("order") or {})


@ONE
def test_what_a_service_does_not_make_is_refused(service: FakeClips, owner: Actor) -> None:
    for change in ({"prompt": None, "script": "Say this."}, {"duration_seconds": 30.0}):
        job = run(ordered(owner, ORDER.model_copy(update=change)))
        assert (job.status, job.error["type"]) == ("failed", "invalid-input")
    assert service.requests == []

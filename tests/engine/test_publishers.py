"""The contract of a publisher (DESIGN "Providers"): the same tests against every platform's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from core.business.snapshots import COUNTERS
from core.publishing.failures import PlatformFailure
from core.publishing.rules import RULES
from core.security import Actor
from core.settings import Settings
from providers.publishing.base import Handle
from providers.publishing.catalogue import PUBLISHERS
from tests.engine.publisher_worlds import WORLDS, World


class Killed(Exception):
    """The worker died here."""


@pytest.fixture(scope="module")
def long_video(video: Path) -> Path:
    """Several chunks on every platform."""
    path = video.with_name("several-chunks.mp4")
    padding = 2 * 5_300_000
    path.write_bytes(video.read_bytes() + (padding + 8).to_bytes(4, "big") + b"free" + os.urandom(padding))
    return path


@pytest.fixture(params=sorted(WORLDS))
def world(
    request: pytest.FixtureRequest, studio: Settings, owner: Actor, long_video: Path, tmp_path: Path
) -> Iterator[World]:
    with WORLDS[request.param](owner, long_video, tmp_path) as made:
        yield made


def test_every_platform_that_can_be_published_to_is_here() -> None:
    assert set(WORLDS) == set(PUBLISHERS) == set(RULES)


def test_one_post_with_the_bytes_that_were_given(world: World) -> None:
    publisher, request = world.publisher, world.request
    assert publisher.reconcile(request.marker, request.size_bytes, None).outcome == "absent"
    saved: list[tuple[Handle, int]] = []
    steps: list[float] = []
    remote_id = publisher.submit(
        request,
        None,
        lambda handle: saved.append((dict(handle), len(world.posted()))),
        lambda done, _stage: steps.append(done),
    )
    assert world.posted() == [request.sha256]
    assert saved[0][1] == 0, "the handle is stored before there is a post"
    assert steps == sorted(steps)
    assert all(0 <= step <= 1 for step in steps)
    for handle in (saved[0][0], saved[-1][0]):
        found = publisher.reconcile(request.marker, request.size_bytes, handle)
        assert (found.outcome, found.remote_id) == ("published", remote_id)
    for _ in range(20):
        seen = publisher.check(remote_id)
        if seen.state != "processing":
            break
    assert seen.state == "ready"
    for name in publisher.steps(request):
        publisher.finalize(request, remote_id, name)
        publisher.finalize(request, remote_id, name, repeated=True)
    report = publisher.fetch_metrics([remote_id])
    assert report.missing == []
    assert len(report.totals) <= 1
    for row in report.totals:
        assert row.remote_id in (remote_id, *(own for own, _ in report.identified.values()))
        assert set(row.counters) <= set(COUNTERS)
        assert all(value is None or value >= 0 for value in row.counters.values())
    assert world.posted() == [request.sha256], "only submit makes a post"


def test_killed_after_a_handle_was_stored_it_goes_on_to_one_post(world: World) -> None:
    for at in (1, 2):
        request = replace(world.request, marker=f"{world.request.marker}{at}")
        saved: list[Handle] = []
        try:
            world.publisher.submit(request, None, partial(_save_and_die, saved, at))
        except Killed:
            seen = world.publisher.reconcile(request.marker, request.size_bytes, saved[-1])
            assert seen.outcome in ("resumable", "absent")
            again = saved[-1] if seen.outcome == "resumable" else None
            world.publisher.submit(request, again, lambda _handle: None)
        assert world.posted() == [request.sha256] * at


def _save_and_die(saved: list[Handle], at: int, handle: Handle) -> None:
    saved.append(dict(handle))
    if len(saved) == at:
        raise Killed


def test_what_is_not_there_is_told(world: World) -> None:
    publisher = world.publisher
    assert publisher.check(world.unknown).state == "gone"
    assert publisher.fetch_metrics([world.unknown]).missing == [world.unknown]
    with pytest.raises(PlatformFailure) as refused:
        publisher.schedule(world.request)
    assert refused.value.error_class == "rejected", "no time was given"
    if world.revoke is not None:
        world.revoke()
        for ask in (lambda: publisher.check(world.unknown), lambda: publisher.submit(world.request, None, print)):
            with pytest.raises(PlatformFailure) as ended:
                ask()
            assert ended.value.error_class == "auth"
    assert world.posted() == []

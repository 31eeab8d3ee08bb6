"""What several engine tests share: a small real video, and a loopback YouTube that the settings point to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import Settings
from tests.engine import publishing_studio as room
from tests.fakes.meta.client import FakeMeta
from tests.fakes.tiktok.client import FakeTikTok
from tests.fakes.youtube.client import FakeYouTube


@pytest.fixture(scope="package")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of test pattern with a tone."""
    return room.small_video(tmp_path_factory.mktemp("video") / "talk.mp4")


@pytest.fixture
def youtube(studio: Settings, tmp_path: Path) -> Iterator[FakeYouTube]:
    """A strict YouTube in a process of its own."""
    fake = FakeYouTube.start(tmp_path / "youtube.jsonl")
    with room.pointed_at(fake):
        yield fake
    fake.stop()


@pytest.fixture
def tiktok(studio: Settings, tmp_path: Path) -> Iterator[FakeTikTok]:
    """A strict TikTok in a process of its own."""
    fake = FakeTikTok.start(tmp_path / "tiktok.jsonl")
    with room.pointed_at(fake):
        yield fake
    fake.stop()


@pytest.fixture
def meta(studio: Settings, tmp_path: Path) -> Iterator[FakeMeta]:
    """A strict Graph (Facebook Pages, Instagram) in a process of its own."""
    fake = FakeMeta.start(tmp_path / "meta.jsonl")
    with room.pointed_at(fake):
        yield fake
    fake.stop()


@pytest.fixture(scope="package")
def upright(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds in the form of a Reel."""
    return room.small_video(tmp_path_factory.mktemp("video") / "reel.mp4", 3.2, size="540x960", rate=24)

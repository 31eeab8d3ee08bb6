"""What several engine tests share: a small real video, and a loopback YouTube that the settings point to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import Settings
from tests.engine import publishing_studio as room
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

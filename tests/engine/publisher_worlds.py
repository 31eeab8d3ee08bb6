"""A world for each publisher: an account on a loopback platform (or the simulated one), and what was posted there.

A new platform joins the contract tests (``test_publishers.py``) by a function in :data:`WORLDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from core import database
from core.models.simulated import SimulatedPost
from core.publishing.payloads import PublicationOptions
from core.publishing.tokens import AccountCredentials
from core.security import Actor
from core.storage import sha256_of
from providers.publishing.base import PlatformPublisherBase, PublishRequest
from providers.publishing.facebook import FacebookPublisher
from providers.publishing.instagram import InstagramPublisher
from providers.publishing.simulated import SimulatedPublisher
from providers.publishing.tiktok import TikTokPublisher
from providers.publishing.youtube import YouTubePublisher
from tests.engine import publishing_studio as room
from tests.fakes.meta.client import FakeMeta
from tests.fakes.tiktok.client import FakeTikTok
from tests.fakes.youtube.client import FakeYouTube


@dataclass
class World:
    """``posted`` gives the SHA-256 of every post on the platform; ``revoke`` ends the account's grant (None where there
    is none); ``unknown`` is a well-formed id of no post."""

    publisher: PlatformPublisherBase
    request: PublishRequest
    posted: Callable[[], list[str]]
    unknown: str
    revoke: Callable[[], None] | None = None


def _request(path: Path, **change: Any) -> PublishRequest:
    given: dict[str, Any] = {
        "marker": "ref:0123456789abcdef-1",
        "path": path,
        "size_bytes": path.stat().st_size,
        "mime_type": "video/mp4",
        "sha256": sha256_of(path),
        "title": "A talk",
        "description": "About it.",
        "tags": ("one",),
        "privacy": "public",
        "options": PublicationOptions.model_validate({"tiktok": {"consent": True}}),
        **change,
    }
    return PublishRequest(**given)


@contextmanager
def youtube(owner: Actor, video: Path, folder: Path) -> Iterator[World]:
    fake = FakeYouTube.start(folder / "youtube.jsonl")
    with room.pointed_at(fake):
        account = room.account(owner, fake.account())

        def revoke() -> None:
            fake.set(account={"channel_id": "UCstudio", "revoked": True})

        yield World(
            YouTubePublisher(AccountCredentials(account), chunk_bytes=262_144),
            _request(video),
            lambda: [line["sha256"] for line in fake.logged("video")],
            "nosuchvideo",
            revoke,
        )
    fake.stop()


@contextmanager
def tiktok(owner: Actor, video: Path, folder: Path) -> Iterator[World]:
    fake = FakeTikTok.start(folder / "tiktok.jsonl")
    with room.pointed_at(fake):
        account = room.account(owner, fake.account(), "creator", "tiktok")

        def revoke() -> None:
            fake.set(account={"open_id": "creator", "revoked": True})

        yield World(
            TikTokPublisher(AccountCredentials(account), "name", chunk_bytes=5_300_000),
            _request(video),
            lambda: [line["sha256"] for line in fake.logged("post")],
            "7400000000000009999",
            revoke,
        )
    fake.stop()


@contextmanager
def facebook(owner: Actor, video: Path, folder: Path) -> Iterator[World]:
    """A Page; the video is no Reel and goes in the ranges that the server chooses."""
    with _meta(folder) as fake:
        fake.set(range_bytes=3_000_017)
        account = room.account(owner, fake.page("1001"), "1001", "facebook")
        publisher = FacebookPublisher(AccountCredentials(account), "1001", app_secret=fake.app_secret)
        yield World(
            publisher, _request(video), lambda: _shas(fake), "999999999999999", lambda: fake.set(refuse_tokens=460)
        )


@contextmanager
def instagram(owner: Actor, video: Path, folder: Path) -> Iterator[World]:
    with _meta(folder) as fake:
        account = room.account(owner, fake.page("1001", instagram_id="2002", username="me"), "2002", "instagram")
        publisher = InstagramPublisher(AccountCredentials(account), "2002", app_secret=fake.app_secret)
        yield World(
            publisher, _request(video), lambda: _shas(fake), "17999999999999999", lambda: fake.set(refuse_tokens=460)
        )


@contextmanager
def _meta(folder: Path) -> Iterator[FakeMeta]:
    fake = FakeMeta.start(folder / "meta.jsonl")
    with room.pointed_at(fake):
        yield fake
    fake.stop()


def _shas(fake: FakeMeta) -> list[str]:
    return [line["sha256"] for line in fake.logged("post")]


@contextmanager
def simulated(owner: Actor, video: Path, folder: Path) -> Iterator[World]:
    def posted() -> list[str]:
        with database.session() as session:
            return list(session.scalars(select(SimulatedPost.sha256)))

    yield World(
        SimulatedPublisher(room.simulated(owner)), _request(video), posted, "00000000-0000-7000-8000-000000000000"
    )


WORLDS = {
    "youtube": youtube,
    "tiktok": tiktok,
    "facebook": facebook,
    "instagram": instagram,
    "simulated": simulated,
}

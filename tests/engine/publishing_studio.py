"""What the publishing tests share: a studio with a loopback YouTube, a small video, a worker in this process."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import imageio_ffmpeg
from sqlalchemy import func, select, update

from core import assets, database
from core.assets import StagedAsset, mime_type_of
from core.models.base import uuid7
from core.models.jobs import Job
from core.models.publishing import Episode, PlatformAccount, PublicationRecord
from core.publishing import accounts, episodes, plan
from core.publishing.payloads import AccountInput, AuthConfig, EpisodeInput, PublicationPlanInput
from core.security import Actor
from core.settings import get_settings
from core.storage import asset_key, sha256_of, storage
from workers import dispatcher, runner
from workers.publishing import dispatch, sync, upload

__all__ = ["dispatch", "sync", "upload"]


class Pointing(Protocol):
    """A loopback platform."""

    def environment(self) -> dict[str, str]: ...


@contextmanager
def pointed_at(fake: Pointing) -> Iterator[None]:
    """The process's settings point to the fake, and back afterwards."""
    before = {name: os.environ.get(name) for name in fake.environment()}
    os.environ.update(fake.environment())
    get_settings.cache_clear()
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        get_settings.cache_clear()


def small_video(path: Path, seconds: float = 2.0, *, size: str = "320x240", rate: int = 15) -> Path:
    """A real MP4 of a test pattern with a tone."""
    command = [
        *[imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"],
        *["-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}:duration={seconds}"],
        *["-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}"],
        *["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", "-shortest", str(path)],
    ]
    subprocess.run(command, check=True)
    return path


def stored(owner: Actor, path: Path, kind: str = "video", **fields: Any) -> UUID:
    """Put a file into the library."""
    key = uuid7()
    staged = StagedAsset(
        asset_id=str(key),
        kind=kind,
        name=path.name,
        storage_key=asset_key(key, path.suffix),
        size_bytes=path.stat().st_size,
        sha256=sha256_of(path),
        mime_type=mime_type_of(path.name),
        **fields,
    )
    copy = path.with_name(f"{key}{path.suffix}")
    copy.write_bytes(path.read_bytes())
    storage().put(copy, staged.storage_key)
    with database.session() as session:
        assets.add(session, owner.owner_id, staged)
    return key


def account(owner: Actor, auth: dict[str, Any], channel_id: str = "UCstudio", platform: str = "youtube") -> UUID:
    """Connect an account with ready tokens."""
    wanted = AccountInput.model_validate(
        {"platform": platform, "external_id": channel_id, "name": channel_id, "auth_config": AuthConfig(**auth)}
    )
    with database.session(owner) as session:
        return accounts.add(session, owner, wanted).id


def simulated(owner: Actor) -> UUID:
    with database.session(owner) as session:
        return accounts.add_simulated(session, owner).id


def planned(owner: Actor, asset_id: UUID, account_id: UUID, title: str = "A talk", **target: Any) -> UUID:
    """An episode planned on an account, now unless told otherwise."""
    with database.session(owner) as session:
        episode = episodes.create(session, owner, EpisodeInput(title=title, asset_id=asset_id))
        wanted = {"platform_account_id": account_id, "scheduled_time": "now", "privacy": "public", **target}
        records = plan.plan(
            session,
            owner,
            PublicationPlanInput.model_validate({"episode_id": episode.id, "targets": [wanted]}),
        )
        return records[0].id


def record(publication_id: UUID) -> PublicationRecord:
    with database.session() as session:
        return session.get_one(PublicationRecord, publication_id)


def episode_of(publication_id: UUID) -> Episode:
    with database.session() as session:
        return session.get_one(Episode, session.get_one(PublicationRecord, publication_id).episode_id)


def account_row(account_id: UUID) -> PlatformAccount:
    with database.session() as session:
        return session.get_one(PlatformAccount, account_id)


def run_jobs(kind: str = "publishing.") -> int:
    """Run every queued job of the publishing room here; returns how many."""
    with database.session() as session:
        ids = session.scalars(
            select(Job.id).where(Job.status == "queued", Job.kind.startswith(kind)).order_by(Job.created_at)
        ).all()
    for job_id in ids:
        runner.run(str(job_id))
    return len(ids)


def tick() -> int:
    """What dispatcher and worker do in a while: due posts, lost leases, their jobs, events."""
    dispatch.dispatch_due()
    dispatch.sweep_expired_leases()
    ran = 0
    while made := run_jobs("publishing.upload"):
        ran += made  # a finished upload starts the next one of its account
    dispatcher.deliver_events()
    return ran


def let_time_pass() -> None:
    """Waits that were put off are over."""
    with database.session() as session:
        session.execute(
            update(PublicationRecord)
            .where(PublicationRecord.lease_expires_at.is_not(None))
            .values(lease_expires_at=func.now())
        )
        session.execute(update(PublicationRecord).values(not_before=None))

"""What the tests of recipes share: a recipe over accounts, its runs stepped as dispatcher and workers do it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

from core import database, events
from core.models.base import uuid7
from core.models.publishing import PipelineRun
from core.publishing.pipelines import runs, store
from core.publishing.pipelines.document import RunDocument
from core.publishing.pipelines.store import PipelineInput
from core.security import Actor
from core.video.payloads import VideoEditInput
from providers.video.probe import probe
from tests.engine import publishing_studio as room
from workers import dispatcher, registry
from workers.context import JobContext
from workers.publishing import pipelines
from workers.subscribers import load_subscribers
from workers.video import edit

__all__ = ["edit"]  # importing registers the task
load_subscribers()

EDIT: dict[str, Any] = {"kind": "edit", "target_outputs": [{"aspect_ratio": "source"}]}


def recipe(owner: Actor, *accounts: UUID | dict[str, Any], name: str = "Every talk", **more: Any) -> UUID:
    """Save a recipe that renders the recording once and posts it at once."""
    targets = [one if isinstance(one, dict) else {"platform_account_id": one, "privacy": "public"} for one in accounts]
    body = {
        "name": name,
        "recipe": {
            "make": more.pop("make", EDIT),
            "targets": targets,
            "schedule": more.pop("schedule", {"kind": "at_once"}),
            "trigger": more.pop("trigger", {}),
        },
        **more,
    }
    with database.session(owner) as session:
        return store.create(session, owner, PipelineInput.model_validate(body)).id


def recording(owner: Actor, path: Path) -> UUID:
    """A video in the library, as the probe of an upload describes it."""
    info = probe(path)
    return room.stored(
        owner,
        path,
        width=info.width,
        height=info.height,
        fps=str(info.fps),
        duration_seconds=info.duration_seconds,
        has_audio=True,
    )


def imported(owner: Actor, asset_id: UUID) -> None:
    """What an upload says in the transaction that stores it."""
    with database.session(owner) as session:
        events.emit(session, events.RECORDING_IMPORTED, owner.owner_id, {"asset_id": str(asset_id)})


def start(owner: Actor, pipeline_id: UUID, asset_id: UUID) -> UUID:
    with database.session(owner) as session:
        return runs.start(session, owner, pipeline_id, asset_id).id


def run_of(run_id: UUID) -> PipelineRun:
    with database.session() as session:
        return session.get_one(PipelineRun, run_id)


def document(run_id: UUID) -> RunDocument:
    return runs.document_of(run_of(run_id))


def stage(run_id: UUID) -> str:
    with database.session() as session:
        return runs.stage(session, session.get_one(PipelineRun, run_id))


def copied(context: JobContext, payload: VideoEditInput) -> dict[str, Any]:
    """A task in the place of ``video.edit`` whose result is the recording itself: told, stored and ended like one."""
    source = context.asset(payload.source_video_id)
    path = Path(shutil.copy2(context.asset_path(source.id), context.folder / "output.mp4"))
    made = context.stage_asset(
        path,
        kind="video",
        name=source.name,
        parents={source.id: "source"},
        width=source.width,
        height=source.height,
        fps=source.fps,
        duration_seconds=source.duration_seconds,
        has_audio=True,
        licence=source.licence,
    )
    title = source.name.rpartition(".")[0]
    row = {"asset_id": made.asset_id, "aspect_ratio": "source", "title": title, "episode_id": str(uuid7())}
    context.emit(events.VIDEO_GENERATED, {**row, "kind": "long"})
    return {"outputs": [row]}


def run_videos(*, rendered: bool = False) -> int:
    """Run the jobs that make videos: with FFmpeg, or (a hundred times as fast) with :func:`copied`."""
    if rendered:
        return room.run_jobs("video.")
    with patch.object(registry, "task_of", lambda _kind: copied):
        return room.run_jobs("video.")


def turn(*, rendered: bool = False) -> None:
    """What dispatcher and workers do in a while: videos made, events told, runs advanced, posts sent."""
    dispatcher.deliver_events()
    pipelines.advance_runs()
    run_videos(rendered=rendered)
    dispatcher.deliver_events()
    pipelines.advance_runs()
    room.tick()
    pipelines.advance_runs()

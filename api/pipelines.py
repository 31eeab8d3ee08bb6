"""Recipes over HTTP (H5, P2.3): saved ways from a new recording to scheduled posts, and their runs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from api.dependencies import CurrentActor, Limit, Offset, Scoped, Starting
from core import database
from core.models.publishing import Pipeline, PipelineRun
from core.publishing import creators
from core.publishing.pipelines import approval, runs, store
from core.publishing.pipelines.approval import Chosen, PostChange
from core.publishing.pipelines.document import Item, Stage
from core.publishing.pipelines.recipe import Recipe
from core.publishing.pipelines.store import PipelineChange, PipelineInput

router = APIRouter(prefix="/publishing/pipelines", tags=["publishing"])


class PipelineOut(BaseModel):
    """A saved recipe."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    channel_id: UUID
    series_id: UUID | None
    recipe: Recipe
    needs_approval: bool
    enabled: bool
    created_at: datetime
    updated_at: datetime


class RunOrder(BaseModel):
    """POST a run: the recording that goes through the recipe."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source_asset_id: UUID


class RunOut(BaseModel):
    """One recording going through a recipe: ``stage`` says where it is, ``items`` what it made and the posts of it,
    ``recipe`` what it started with. ``job_id`` is the job that makes the videos."""

    id: UUID
    pipeline_id: UUID
    source_asset_id: UUID | None
    job_id: UUID | None
    stage: Stage
    error: dict[str, Any] | None
    recipe: Recipe
    needs_approval: bool
    items: list[Item]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, session: Session, run: PipelineRun) -> RunOut:
        session.refresh(run)
        document = runs.document_of(run)
        return cls(
            id=run.id,
            pipeline_id=run.pipeline_id,
            source_asset_id=run.source_asset_id,
            job_id=run.job_id,
            stage=runs.stage(session, run),
            error=run.error,
            recipe=document.recipe,
            needs_approval=document.needs_approval,
            items=document.items,
            created_at=run.created_at,
            updated_at=run.updated_at,
        )


def _out(session: Session, pipeline: Pipeline) -> PipelineOut:
    session.refresh(pipeline)
    return PipelineOut.model_validate(pipeline)


@router.get("")
def list_pipelines(session: Scoped) -> list[PipelineOut]:
    """Saved recipes, by name."""
    return [PipelineOut.model_validate(row) for row in store.listed(session)]


@router.post("", status_code=201)
def create_pipeline(session: Scoped, actor: CurrentActor, wanted: PipelineInput) -> PipelineOut:
    """Save a recipe: what to make of a recording, for which accounts, with which words, when."""
    return _out(session, store.create(session, actor, wanted))


@router.get("/{pipeline_id}")
def one_pipeline(session: Scoped, pipeline_id: UUID) -> PipelineOut:
    """One recipe."""
    return PipelineOut.model_validate(database.get_owned(session, Pipeline, pipeline_id))


@router.patch("/{pipeline_id}")
def change_pipeline(session: Scoped, actor: CurrentActor, pipeline_id: UUID, wanted: PipelineChange) -> PipelineOut:
    """Change a recipe, or switch it off; runs under way keep what they started with."""
    return _out(session, store.change(session, actor, pipeline_id, wanted))


@router.delete("/{pipeline_id}", status_code=204)
def delete_pipeline(session: Scoped, actor: CurrentActor, pipeline_id: UUID) -> None:
    """Forget a recipe; what it made and posted stays."""
    store.delete(session, actor, pipeline_id)


@router.get("/{pipeline_id}/runs")
def list_runs(session: Scoped, pipeline_id: UUID, limit: Limit = 50, offset: Offset = 0) -> list[RunOut]:
    """Runs of a recipe, newest first."""
    return [RunOut.of(session, run) for run in runs.listed(session, pipeline_id, limit=limit, offset=offset)]


@router.post("/{pipeline_id}/runs", status_code=202)
def start_run(session: Starting, actor: CurrentActor, pipeline_id: UUID, order: RunOrder) -> RunOut:
    """Send a recording through the recipe; ``job_id`` is the job that makes the videos."""
    return RunOut.of(session, runs.start(session, actor, pipeline_id, order.source_asset_id))


@router.get("/{pipeline_id}/runs/{run_id}")
def one_run(session: Scoped, pipeline_id: UUID, run_id: UUID) -> RunOut:
    """One run with the posts it suggests or has planned."""
    return RunOut.of(session, runs.one(session, pipeline_id, run_id))


@router.patch("/{pipeline_id}/runs/{run_id}")
def change_post(session: Scoped, actor: CurrentActor, pipeline_id: UUID, run_id: UUID, wanted: PostChange) -> RunOut:
    """Change a post that waits for approval, or take it out."""
    return RunOut.of(session, approval.change(session, actor, pipeline_id, run_id, wanted))


_All = Annotated[Chosen, Body(default_factory=Chosen)]


@router.post("/{pipeline_id}/runs/{run_id}/approve")
def approve(actor: CurrentActor, pipeline_id: UUID, run_id: UUID, chosen: _All) -> RunOut:
    """Schedule what waits: all, or the contents of these episodes. TikTok is asked what its creators allow now."""
    actor.require("editor")
    with database.session(actor) as session:
        asked = approval.accounts_that_ask(session, runs.one(session, pipeline_id, run_id))
    creators.ask_all(actor, asked)
    with database.session(actor) as session:
        return RunOut.of(session, approval.approve(session, actor, pipeline_id, run_id, chosen))


@router.post("/{pipeline_id}/runs/{run_id}/discard")
def discard(session: Scoped, actor: CurrentActor, pipeline_id: UUID, run_id: UUID, chosen: _All) -> RunOut:
    """Take what waits out of the run, with its drafts: all of it, or the contents of these episodes."""
    return RunOut.of(session, approval.discard(session, actor, pipeline_id, run_id, chosen))


@router.post("/{pipeline_id}/runs/{run_id}/cancel")
def cancel(session: Scoped, actor: CurrentActor, pipeline_id: UUID, run_id: UUID) -> RunOut:
    """Stop a run and take back the posts that have not gone out."""
    return RunOut.of(session, approval.cancel(session, actor, pipeline_id, run_id))


@router.post("/{pipeline_id}/runs/{run_id}/retry")
def retry(session: Scoped, actor: CurrentActor, pipeline_id: UUID, run_id: UUID) -> RunOut:
    """Try a run again where it failed."""
    return RunOut.of(session, approval.retry(session, actor, pipeline_id, run_id))

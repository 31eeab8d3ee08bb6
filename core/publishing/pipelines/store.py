"""Saved recipes: made, changed, switched off, deleted; checked against what the studio has."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import assets
from core.database import get_owned
from core.errors import Conflict, InvalidInput
from core.models.publishing import ContentChannel, Pipeline, PipelineRun, PlatformAccount, Series
from core.music.presets import PRESETS
from core.publishing.channels import default_place, default_series
from core.publishing.pipelines.recipe import Recipe, check_privacy, music_of
from core.security import Actor

Name = Annotated[str, Field(min_length=1, max_length=200)]
UNDER_WAY = ("waiting", "running", "awaiting_approval")


class PipelineInput(BaseModel):
    """POST /publishing/pipelines. Without a channel it posts for the default one; with ``needs_approval`` false, posts
    go out without anybody having looked, except where a platform or a licence asks for a person."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    channel_id: UUID | None = None
    series_id: UUID | None = None
    recipe: Recipe
    needs_approval: bool = True
    enabled: bool = True


class PipelineChange(BaseModel):
    """PATCH /publishing/pipelines/{id}: only the fields that are sent change. Runs under way keep the recipe they
    started with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name | None = None
    channel_id: UUID | None = None
    series_id: UUID | None = None
    recipe: Recipe | None = None
    needs_approval: bool | None = None
    enabled: bool | None = None


def listed(session: Session) -> list[Pipeline]:
    """Recipes in the session's scope, by name."""
    return list(session.scalars(select(Pipeline).order_by(Pipeline.name)))


def recipe_of(pipeline: Pipeline) -> Recipe:
    return Recipe.model_validate(pipeline.recipe)


def create(session: Session, actor: Actor, wanted: PipelineInput) -> Pipeline:
    """Save a new recipe.

    Raises:
        NotFound: the channel, series, an account or a track does not exist in the session's scope.
        Conflict: there is one of that name.
        InvalidInput: the parts do not fit together.
    """
    actor.require("editor")
    channel_id, series_id = _place(session, actor, wanted.channel_id, wanted.series_id)
    _check(session, wanted.recipe)
    pipeline = Pipeline(
        owner_id=actor.owner_id,
        name=_free_name(session, actor, wanted.name),
        channel_id=channel_id,
        series_id=series_id,
        recipe=wanted.recipe.model_dump(mode="json"),
        needs_approval=wanted.needs_approval,
        enabled=wanted.enabled,
    )
    session.add(pipeline)
    session.flush()
    return pipeline


def change(session: Session, actor: Actor, pipeline_id: UUID | str, wanted: PipelineChange) -> Pipeline:
    """Change what was sent; raises like :func:`create`."""
    actor.require("editor")
    pipeline = get_owned(session, Pipeline, pipeline_id, lock=True)
    sent: dict[str, Any] = {name: getattr(wanted, name) for name in wanted.model_fields_set}
    for name in ("name", "recipe", "needs_approval", "enabled", "channel_id"):
        if name in sent and sent[name] is None:
            raise InvalidInput("A recipe needs a name, a channel and what to do; leave out what should stay.", name)
    if "channel_id" in sent or "series_id" in sent:
        moved = sent.get("channel_id", pipeline.channel_id)
        series_id = sent.get("series_id", pipeline.series_id if moved == pipeline.channel_id else None)
        pipeline.channel_id, pipeline.series_id = _place(session, actor, moved, series_id)
    if wanted.recipe is not None:
        _check(session, wanted.recipe)
        pipeline.recipe = wanted.recipe.model_dump(mode="json")
    if wanted.name is not None:
        pipeline.name = _free_name(session, actor, wanted.name, but=pipeline.id)
    if wanted.needs_approval is not None:
        pipeline.needs_approval = wanted.needs_approval
    if wanted.enabled is not None:
        pipeline.enabled = wanted.enabled
    session.flush()
    return pipeline


def delete(session: Session, actor: Actor, pipeline_id: UUID | str) -> None:
    """Forget a recipe and the record of its runs; the videos, drafts and posts they made stay.

    Raises:
        Conflict: a run is being made or waits for approval.
    """
    actor.require("editor")
    pipeline = get_owned(session, Pipeline, pipeline_id, lock=True)
    open_runs = session.scalar(
        select(func.count())
        .select_from(PipelineRun)
        .where(PipelineRun.pipeline_id == pipeline.id, PipelineRun.state.in_(UNDER_WAY), PipelineRun.step != "post")
    )
    if open_runs:
        raise Conflict("This recipe is still at work.", "Wait for its runs, or cancel them first.")
    session.delete(pipeline)
    session.flush()


def _free_name(session: Session, actor: Actor, name: str, but: UUID | None = None) -> str:
    name = name.strip()
    if not name:
        raise InvalidInput("A name must not be empty.")
    taken = select(Pipeline.id).where(
        Pipeline.owner_id == actor.owner_id, Pipeline.name == name, Pipeline.id.is_distinct_from(but)
    )
    if session.scalar(taken) is not None:
        raise Conflict("There is a recipe with this name already.", name)
    return name


def _place(session: Session, actor: Actor, channel_id: UUID | None, series_id: UUID | None) -> tuple[UUID, UUID | None]:
    """The channel and series that results belong to; what is left out is the default one."""
    if series_id is not None:
        series = get_owned(session, Series, series_id)
        if channel_id is not None and series.channel_id != channel_id:
            raise InvalidInput("This series belongs to another channel.")
        return series.channel_id, series.id
    if channel_id is None:
        channel, series = default_place(session, actor.owner_id)
        return channel.id, series.id
    channel = get_owned(session, ContentChannel, channel_id)
    return channel.id, default_series(session, channel).id


def _check(session: Session, recipe: Recipe) -> None:
    for target in recipe.targets:
        check_privacy(get_owned(session, PlatformAccount, target.platform_account_id).platform, target)
    tracks, presets = music_of(recipe.make)
    for track in tracks:
        asset = assets.get(session, track)
        if asset.kind not in ("audio", "video") or not asset.has_audio:
            raise InvalidInput(f"“{asset.name}” has no sound.", "Choose an audio file, or a video with sound.")
    if any(preset not in PRESETS for preset in presets):
        raise InvalidInput("The studio has no music of this name.", f"It has {', '.join(sorted(PRESETS))}.")

"""One recording going through a recipe: the state machine of a run and what a person does with it (P2.3).

    waiting → running (make) → awaiting_approval → running (post) → succeeded | failed | cancelled

Every step is one transaction that holds the run's row: what a step does and that it was done are stored together, so a
process killed at any point leaves nothing made or posted twice, and any number of dispatchers share the runs (they skip
rows that are held). A run keeps the recipe it started with.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import events, jobs, live
from core.database import get_owned
from core.errors import Conflict, InvalidInput, NotFound, StudioError
from core.jobs.lifecycle import FINAL
from core.models.assets import Asset
from core.models.base import uuid7
from core.models.jobs import Job, OutboxEvent
from core.models.publishing import ContentChannel, Episode, Pipeline, PipelineRun, PublicationRecord, Series
from core.publishing import plan, states
from core.publishing.channels import default_series
from core.publishing.pipelines import planning, store
from core.publishing.pipelines.document import RunDocument, Stage, outcome, stage_of
from core.publishing.pipelines.recipe import MakeShorts, Recipe
from core.security import Actor

MAKE, APPROVE, POST = "make", "approve", "post"
_RUNS = UUID("b6c0a7be-6f0e-5a0c-9d55-3f6f1c1f6a11")


def document_of(run: PipelineRun) -> RunDocument:
    return RunDocument.model_validate(run.result)


def stage(session: Session, run: PipelineRun) -> Stage:
    """Where a run stands, in the words people see."""
    job = session.get(Job, run.job_id) if run.job_id is not None else None
    return stage_of(run.state, run.step, job.status if job is not None else None)


def listed(session: Session, pipeline_id: UUID | str, *, limit: int = 50, offset: int = 0) -> list[PipelineRun]:
    """Runs of a recipe, newest first."""
    pipeline = get_owned(session, Pipeline, pipeline_id)
    statement = select(PipelineRun).where(PipelineRun.pipeline_id == pipeline.id)
    return list(session.scalars(statement.order_by(PipelineRun.created_at.desc()).limit(limit).offset(offset)))


def one(session: Session, pipeline_id: UUID | str, run_id: UUID | str, *, lock: bool = False) -> PipelineRun:
    """A run of a recipe; raises :class:`NotFound`."""
    pipeline = get_owned(session, Pipeline, pipeline_id)
    run = get_owned(session, PipelineRun, run_id, lock=lock)
    if run.pipeline_id != pipeline.id:
        raise NotFound("That does not exist.", "It may have been deleted.")
    return run


def check_source(asset: Asset, recipe: Recipe) -> None:
    """Raise :class:`InvalidInput` for a file that the recipe cannot work on."""
    if asset.kind != "video":
        raise InvalidInput(f"“{asset.name}” is not a video.", "Choose a video.")
    if isinstance(recipe.make, MakeShorts) and not asset.has_audio:
        raise InvalidInput(f"“{asset.name}” has no sound.", "Choose an audio file, or a video with sound.")


def start(session: Session, actor: Actor, pipeline_id: UUID | str, source_asset_id: UUID | str) -> PipelineRun:
    """Start a run by hand. A repeated request of one name (:func:`core.jobs.name_request`) answers the run it started.

    Raises:
        NotFound: the recipe, the recording or something the recipe names does not exist (any more).
        InvalidInput: the recording is no video, or has no sound where clips are to be found.
    """
    actor.require("editor")
    pipeline = get_owned(session, Pipeline, pipeline_id)
    recipe = store.recipe_of(pipeline)
    asset = get_owned(session, Asset, source_asset_id)
    check_source(asset, recipe)
    job = jobs.submit(session, actor, recipe.make.job_kind, recipe.make.order(asset.id))
    known = session.scalar(select(PipelineRun).where(PipelineRun.job_id == job.id))
    if known is not None:
        return known
    run = PipelineRun(
        id=uuid7(),
        owner_id=actor.owner_id,
        pipeline_id=pipeline.id,
        source_asset_id=asset.id,
        job_id=job.id,
        state="running",
        step=MAKE,
        result=_document(pipeline, recipe).stored(),
    )
    session.add(run)
    session.flush()
    announce(session, run)
    return run


def _document(pipeline: Pipeline, recipe: Recipe) -> RunDocument:
    return RunDocument(
        recipe=recipe,
        needs_approval=pipeline.needs_approval,
        channel_id=pipeline.channel_id,
        series_id=pipeline.series_id,
    )


@events.subscriber(events.RECORDING_IMPORTED)
def start_of_recording(session: Session, event: OutboxEvent) -> None:
    """A new recording starts a run of every recipe that takes it; once, however often the event comes."""
    asset = session.scalar(
        select(Asset).where(Asset.id == UUID(event.data["asset_id"]), Asset.owner_id == event.owner_id)
    )
    if asset is None or asset.kind != "video":
        return
    mine = select(Pipeline).where(Pipeline.owner_id == event.owner_id, Pipeline.enabled.is_(True))
    for pipeline in session.scalars(mine.order_by(Pipeline.id)):
        recipe = store.recipe_of(pipeline)
        if not recipe.trigger.takes(asset.name, asset.duration_seconds):
            continue
        session.execute(
            insert(PipelineRun)
            .values(
                id=uuid5(_RUNS, f"{pipeline.id} {event.id}"),
                owner_id=event.owner_id,
                pipeline_id=pipeline.id,
                source_asset_id=asset.id,
                state="waiting",
                step=MAKE,
                result=_document(pipeline, recipe).stored(),
            )
            .on_conflict_do_nothing()
        )


def advance(session: Session, actor: Actor, run: PipelineRun) -> bool:
    """Do the next step of a locked run, if it is due; True when something changed. ``actor`` is the studio itself."""
    if run.state == "waiting":
        _begin(session, actor, run)
    elif run.state in ("running", "failed") and run.step == MAKE:
        job = session.get(Job, run.job_id) if run.job_id is not None else None
        if run.state == "failed" and (job is None or job.status != "succeeded"):
            return False  # on the Jobs page it may have been tried again, with success
        if job is not None and (job.status not in FINAL or not _drafts_are_there(session, job)):
            return False
        _made(session, actor, run, job)
    elif run.step == POST and run.state in ("running", "failed"):
        return _follow(session, run)
    else:
        return False
    announce(session, run)
    return True


def _begin(session: Session, actor: Actor, run: PipelineRun) -> None:
    try:
        recipe = document_of(run).recipe
        asset = get_owned(session, Asset, run.source_asset_id or "")
        check_source(asset, recipe)
        run.job_id = jobs.submit(session, actor, recipe.make.job_kind, recipe.make.order(asset.id)).id
        run.state, run.step = "running", MAKE
    except StudioError as error:
        _fail(run, error.as_dict())


def _fail(run: PipelineRun, error: dict[str, Any]) -> None:
    run.state, run.error = "failed", error


def _drafts_are_there(session: Session, job: Job) -> bool:
    """Whether the events of a job have made its draft episodes."""
    wanted = [episode_id for episode_id, _outputs in _contents(job)]
    found = session.scalar(select(func.count()).select_from(Episode).where(Episode.id.in_(wanted)))
    return found == len(wanted)


def _contents(job: Job) -> list[tuple[UUID, list[dict[str, Any]]]]:
    """The contents a job made, each with its renderings, in their order."""
    found: dict[UUID, list[dict[str, Any]]] = {}
    for row in (job.result or {}).get("outputs") or []:
        if row.get("episode_id"):
            found.setdefault(UUID(row["episode_id"]), []).append(row)
    return list(found.items())


def _made(session: Session, actor: Actor, run: PipelineRun, job: Job | None) -> None:
    if job is None:
        _fail(run, Conflict("The work of this run was deleted.", "Start it again.").as_dict())
    elif job.status == "cancelled":
        run.state = "cancelled"
    elif job.status == "failed":
        _fail(run, job.error or Conflict("The work of this run did not succeed.").as_dict())
    else:
        try:
            with session.begin_nested():
                _suggest(session, actor, run, _contents(job))
        except StudioError as error:  # a channel or an account of the recipe is gone
            session.refresh(run)
            run.step = APPROVE
            _fail(run, error.as_dict())


def _suggest(
    session: Session, actor: Actor, run: PipelineRun, contents: list[tuple[UUID, list[dict[str, Any]]]]
) -> None:
    document = document_of(run)
    for episode_id in sorted(episode_id for episode_id, _outputs in contents):
        plan.hold_plans(session, episode_id)
    _put_in_place(session, document, [episode_id for episode_id, _outputs in contents])
    document.items = planning.suggest(session, run, document, contents)
    if not document.needs_approval:
        for item in document.items:
            planning.plan_unseen(session, actor, item)
    settle(run, document)


def _put_in_place(session: Session, document: RunDocument, episode_ids: list[UUID]) -> None:
    """Move the drafts from the default channel to the recipe's; one that somebody has planned already stays."""
    channel = get_owned(session, ContentChannel, document.channel_id)
    series = session.get(Series, document.series_id) if document.series_id is not None else None
    series_id = series.id if series is not None else default_series(session, channel).id
    drafts = select(Episode).where(Episode.id.in_(episode_ids), Episode.state == "draft").order_by(Episode.id)
    for episode in session.scalars(drafts.with_for_update()):
        if (episode.channel_id, episode.series_id) != (channel.id, series_id):
            episode.channel_id, episode.series_id, episode.number = channel.id, series_id, None


def settle(run: PipelineRun, document: RunDocument) -> None:
    """Where a run stands after posts were planned or discarded."""
    run.result = document.stored()
    run.error = None
    if any(item.waiting for item in document.items):
        run.state, run.step = "awaiting_approval", APPROVE
    elif document.publication_ids:
        run.state, run.step = "running", POST
    else:
        run.state, run.step = "cancelled", APPROVE


def followed(session: Session, run: PipelineRun) -> str:
    """What the posts of a run have come to (:func:`core.publishing.pipelines.document.outcome`)."""
    wanted = document_of(run).publication_ids
    found = session.scalars(select(PublicationRecord.state).where(PublicationRecord.id.in_(wanted)))
    return outcome(found)


def _follow(session: Session, run: PipelineRun) -> bool:
    came_to = followed(session, run)
    if came_to == run.state:
        return False
    if came_to == "failed":
        wanted = document_of(run).publication_ids
        stuck = session.execute(
            select(PublicationRecord.title, PublicationRecord.reason)
            .where(PublicationRecord.id.in_(wanted), PublicationRecord.state.in_(states.NEEDS_PERSON))
            .order_by(PublicationRecord.due_at)
        ).all()
        title = f"{len(stuck)} of {len(wanted)} posts did not go out."
        detail = f"“{stuck[0].title}”: {stuck[0].reason}" if stuck[0].reason else f"“{stuck[0].title}”"
        _fail(run, Conflict(title, detail, retryable=True).as_dict())
    else:
        run.state, run.error = came_to, None
    announce(session, run)
    return True


def announce(session: Session, run: PipelineRun) -> None:
    """Tell the owner's browsers how a run stands."""
    session.flush()
    notice = {"type": "pipeline", "pipeline_id": str(run.pipeline_id), "run_id": str(run.id), "state": run.state}
    live.notify(session, run.owner_id, notice)

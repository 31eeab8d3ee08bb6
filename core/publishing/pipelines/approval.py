"""What a person does with a run: change a post, approve, discard, cancel, try again. Each holds the run's row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import jobs
from core.errors import Conflict, InvalidInput, NotFound, StudioError
from core.models.jobs import Job
from core.models.publishing import Episode, PipelineRun, PlatformAccount, PublicationRecord
from core.publishing import episodes, plan, publications, states
from core.publishing.payloads import Privacy, PublicationOptions, Tags, Title
from core.publishing.pipelines import planning, runs
from core.publishing.pipelines.document import Item, Post, RunDocument
from core.security import Actor


class PostChange(BaseModel):
    """PATCH of a run: one post that waits for approval; only the fields that are sent change."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    episode_id: UUID
    platform_account_id: UUID
    title: Title | None = None
    description: str | None = Field(None, max_length=20_000)
    tags: Tags | None = None
    privacy: Privacy | None = None
    options: PublicationOptions | None = None
    scheduled_time: str | None = None
    timezone: str | None = None
    discard: bool = False


class Chosen(BaseModel):
    """Which contents are meant, by their episodes; None is all that wait."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    episode_ids: Annotated[list[UUID], Field(min_length=1, max_length=50)] | None = None


def _waiting(session: Session, actor: Actor, pipeline_id: UUID | str, run_id: UUID | str) -> PipelineRun:
    actor.require("editor")
    run = runs.one(session, pipeline_id, run_id, lock=True)
    if run.state != "awaiting_approval":
        raise Conflict("Nothing of this run waits for approval.", "Look at it again.")
    return run


def change(
    session: Session, actor: Actor, pipeline_id: UUID | str, run_id: UUID | str, wanted: PostChange
) -> PipelineRun:
    """Change words, time, visibility or the platform's own questions of a post before it is approved.

    Raises:
        NotFound: the run has no such post.
        Conflict: it does not wait any more.
        InvalidInput: the time is none, or has passed.
    """
    run = _waiting(session, actor, pipeline_id, run_id)
    document = runs.document_of(run)
    post = next(
        (
            post
            for item in document.items
            for post in item.posts
            if (item.episode_id, post.platform_account_id) == (wanted.episode_id, wanted.platform_account_id)
        ),
        None,
    )
    if post is None:
        raise NotFound("That does not exist.")
    if post.state != "waiting":
        raise Conflict("This post does not wait for approval any more.")
    for name in ("title", "description", "tags", "privacy", "options"):
        value = getattr(wanted, name)
        if value is not None:
            setattr(post, name, value)
    due = plan.when(session, wanted.scheduled_time, wanted.timezone or post.timezone)
    if due is not None:
        post.due_at, post.timezone, post.time_note, post.chosen_time = due.due_at, due.timezone, due.note, True
    if wanted.discard:
        post.state = "discarded"
    runs.settle(run, document)
    runs.announce(session, run)
    return run


def _chosen(document: RunDocument, episode_ids: Sequence[UUID] | None) -> list[Item]:
    known = {item.episode_id for item in document.items}
    if episode_ids is not None and not known.issuperset(episode_ids):
        raise NotFound("That does not exist.")
    return [item for item in document.items if item.waiting and (episode_ids is None or item.episode_id in episode_ids)]


def approve(session: Session, actor: Actor, pipeline_id: UUID | str, run_id: UUID | str, chosen: Chosen) -> PipelineRun:
    """Plan the posts of the chosen contents, all or none. A suggested time that has passed, or that somebody took
    meanwhile, becomes the next free one.

    Raises:
        Conflict: nothing waits, or a content is on its account already.
        InvalidInput: a post breaks a rule of its platform; the sentence names it.
    """
    run = _waiting(session, actor, pipeline_id, run_id)
    document = runs.document_of(run)
    items = _chosen(document, chosen.episode_ids)
    if not items:
        raise Conflict("Nothing of this run waits for approval.", "Look at it again.")
    wanted = [post for item in items for post in item.waiting]
    later = [post for item in document.items for post in item.waiting if item not in items]
    accounts = {post.platform_account_id for post in (*wanted, *later)}
    calendar = planning.Calendar(session, accounts, document.recipe.schedule, run.id)
    for post in later:
        calendar.keep(post.platform_account_id, post.due_at)
    for item in sorted(items, key=lambda item: item.episode_id):
        plan.hold_plans(session, item.episode_id)
    planning.retime(calendar, sorted(wanted, key=lambda post: not post.chosen_time))
    for item in items:
        try:
            planning.make_plan(session, actor, item, item.waiting)
        except (InvalidInput, Conflict) as error:
            title = item.waiting[0].title
            raise type(error)(error.title, f"“{title}” {error.detail}".strip()) from error
    runs.settle(run, document)
    runs.announce(session, run)
    return run


def discard(session: Session, actor: Actor, pipeline_id: UUID | str, run_id: UUID | str, chosen: Chosen) -> PipelineRun:
    """Take contents out of the run: their draft leaves the board, unless a post of it is planned already."""
    run = _waiting(session, actor, pipeline_id, run_id)
    document = runs.document_of(run)
    for item in _chosen(document, chosen.episode_ids):
        for post in item.waiting:
            post.state = "discarded"
        if all(post.state == "discarded" for post in item.posts):
            episode = session.get(Episode, item.episode_id)
            if episode is not None and episode.state == "draft":
                episodes.discard(session, actor, episode.id)
    runs.settle(run, document)
    runs.announce(session, run)
    return run


def cancel(session: Session, actor: Actor, pipeline_id: UUID | str, run_id: UUID | str) -> PipelineRun:
    """Stop a run: its job, what waits (the drafts stay on the board), and the posts that have not gone out.

    Raises:
        Conflict: it has ended already, or all its posts are out or on their way.
    """
    actor.require("editor")
    run = runs.one(session, pipeline_id, run_id, lock=True)
    if run.state in ("succeeded", "cancelled") or (run.state == "failed" and run.step == runs.MAKE):
        raise Conflict("This run has ended already.")
    if run.step == runs.MAKE:
        _cancel_job(session, actor, run)
        run.state = "cancelled"
    else:
        _cancel_posts(session, actor, run)
    run.error = None
    runs.announce(session, run)
    return run


def _cancel_job(session: Session, actor: Actor, run: PipelineRun) -> None:
    if run.job_id is None:
        return
    try:
        with session.begin_nested():
            jobs.cancel(session, actor, run.job_id)
    except (Conflict, NotFound):
        return  # it ended in this moment: what it made are drafts on the board


def _cancel_posts(session: Session, actor: Actor, run: PipelineRun) -> None:
    document = runs.document_of(run)
    for post in document.posts:
        if post.state == "waiting":
            post.state = "discarded"
    late = 0
    for record_id in document.publication_ids:
        record = session.get(PublicationRecord, record_id)
        if record is None or record.state in states.PUBLISHED | {"cancelled"}:
            continue
        try:
            with session.begin_nested():
                publications.cancel(session, actor, record_id)
        except Conflict:
            late += 1
    if late and late == len(document.publication_ids):
        raise Conflict("It is too late to cancel; delete it on the platform when it is there.")
    run.result = document.stored()
    run.step = runs.POST
    came_to = runs.followed(session, run)
    run.state = "cancelled" if came_to == "failed" else came_to


def retry(session: Session, actor: Actor, pipeline_id: UUID | str, run_id: UUID | str) -> PipelineRun:
    """Try a failed run again where it stopped: its job from the last finished part, or the posts that did not go out.

    Raises:
        Conflict: it did not fail, or what is left has to be decided post by post.
    """
    actor.require("editor")
    run = runs.one(session, pipeline_id, run_id, lock=True)
    if run.step == runs.MAKE and run.state in ("failed", "cancelled"):
        job = session.get(Job, run.job_id) if run.job_id is not None else None
        if job is not None and job.status in ("failed", "cancelled"):
            jobs.retry(session, actor, job.id)
            run.state = "running"
        elif job is not None and job.status == "succeeded":
            run.state = "running"
        else:
            run.state, run.job_id = "waiting", None
    elif run.step == runs.APPROVE and run.state == "failed":
        run.state, run.step = "running", runs.MAKE
    elif run.step == runs.POST and run.state == "failed":
        _retry_posts(session, actor, run)
    else:
        raise Conflict("There is nothing to try again.")
    run.error = None
    runs.announce(session, run)
    return run


def _retry_posts(session: Session, actor: Actor, run: PipelineRun) -> None:
    wanted = runs.document_of(run).publication_ids
    stuck = select(PublicationRecord.id).where(
        PublicationRecord.id.in_(wanted), PublicationRecord.state.in_(states.NEEDS_PERSON & states.RETRYABLE)
    )
    ids = session.scalars(stuck.order_by(PublicationRecord.id)).all()
    if not ids:
        raise Conflict("There is nothing to try again.", "Say under “Schedule” whether the posts are online.")
    errors: list[StudioError] = []
    for record_id in ids:
        try:
            with session.begin_nested():
                publications.retry(session, actor, record_id)
        except StudioError as error:
            errors.append(error)
    if len(errors) == len(ids):
        raise errors[0]
    run.state = "running"


def accounts_that_ask(session: Session, run: PipelineRun) -> dict[UUID, PlatformAccount]:
    """The accounts of a run's waiting posts, by key."""
    wanted: set[Any] = {post.platform_account_id for post in runs.document_of(run).posts if post.state == "waiting"}
    rows = session.scalars(select(PlatformAccount).where(PlatformAccount.id.in_(wanted)))
    return {row.id: row for row in rows}


def waiting_posts(document: RunDocument) -> list[tuple[Item, Post]]:
    """Everything that waits, content by content."""
    return [(item, post) for item in document.items for post in item.waiting]

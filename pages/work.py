"""What pages share about background work: cards of jobs, the newest job of a project, waiting for one to end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import streamlit as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import database
from core.errors import NotFound
from core.i18n import t
from core.i18n.catalogue import has
from core.jobs import lifecycle
from core.models.assets import Asset
from core.models.identity import Project
from core.models.jobs import Job
from pages import shell
from pages.components.jobs import JobCard, job_cards

LIVE = ("queued", "running")


def title_of(job: Job, lang: str) -> str:
    """What a person calls a job: an edit that renders nothing only looks for the cuts."""
    key = f"job.{job.kind}"
    if job.kind == "video.edit":
        key = "job.video.find" if job.payload.get("dry_run") else "job.video.render"
    elif job.kind == "video.chapters" and job.payload.get("dry_run"):
        key = "job.video.find_chapters"
    return t(key if has(key) else "job.working", lang)


def live_jobs(session: Session, *, project_id: UUID | None = None, limit: int = 20) -> list[Job]:
    """Jobs that wait or run, oldest first."""
    statement = select(Job).where(Job.status.in_(LIVE)).order_by(Job.created_at).limit(limit)
    if project_id is not None:
        statement = statement.where(Job.project_id == project_id)
    return list(session.scalars(statement))


def newest(session: Session, project_id: UUID, kinds: Sequence[str], *, status: str | None = None) -> Job | None:
    """The newest job of a project among these kinds."""
    statement = select(Job).where(Job.project_id == project_id, Job.kind.in_(kinds)).order_by(Job.created_at.desc())
    if status is not None:
        statement = statement.where(Job.status == status)
    return session.scalar(statement.limit(1))


def succeeded(session: Session, project_id: UUID, kind: str) -> list[Job]:
    """Jobs of a project that ended well, newest first."""
    rows = session.scalars(
        select(Job)
        .where(Job.project_id == project_id, Job.kind == kind, Job.status == "succeeded")
        .order_by(Job.created_at.desc())
    )
    return list(rows)


def subjects(session: Session, jobs: Iterable[Job]) -> dict[UUID, str]:
    """What each job works on, by name: its project, or the asset its payload names."""
    found: dict[UUID, str] = {}
    wanted: dict[UUID, UUID] = {}
    for job in jobs:
        for name in ("source_video_id", "video_asset_id", "audio_asset_id", "source_asset_id", "asset_id"):
            if job.payload.get(name):
                wanted[job.id] = UUID(str(job.payload[name]))
                break
    names = {
        row.id: row.name
        for row in session.execute(select(Asset.id, Asset.name).where(Asset.id.in_(set(wanted.values())))).all()
    }
    projects = {job.project_id for job in jobs if job.project_id and job.id not in wanted}
    project_names: dict[Any, str] = {
        row.id: row.name
        for row in session.execute(select(Project.id, Project.name).where(Project.id.in_(projects))).all()
    }
    for job in jobs:
        found[job.id] = names.get(wanted[job.id], "") if job.id in wanted else project_names.get(job.project_id, "")
    return found


def card(job: Job, lang: str, subject: str = "") -> JobCard:
    """The card of one job as it stands."""
    return JobCard(
        id=str(job.id),
        title=title_of(job, lang),
        subtitle=subject,
        status=job.status,
        progress=job.progress,
        stage=job.stage,
        eta_seconds=lifecycle.remaining_seconds(job.started_at, job.progress, datetime.now(UTC)),
    )


def show_live(
    viewer: shell.Viewer, jobs: Sequence[Job], names: dict[UUID, str], *, key: str, toast: bool = True
) -> None:
    """Cards of running jobs; the page is drawn again when one of them ends.

    It is drawn by the run that the end itself causes, never by ``st.rerun`` in its middle: a button that somebody
    pressed in the same moment comes with that run, and stands further down. A dialog is drawn alone, and a ``toast``
    shown then would take the place of the page's own style sheet: there it is left out.
    """

    def tell() -> None:
        if toast:
            _tell_end(viewer, str(st.session_state[key].get("ended") or ""))

    cards = [card(job, viewer.lang, names.get(job.id, "")) for job in jobs]
    job_cards(viewer.lang, cards, key=key, can_cancel=viewer.may_edit, on_end=tell)


def _tell_end(viewer: shell.Viewer, identifier: str) -> None:
    """Say that a job has ended, wherever on the page the user is looking."""
    try:
        with database.session(viewer.actor) as session:
            job = database.get_owned(session, Job, identifier)
    except NotFound:
        return
    icons = {"succeeded": ":material/check_circle:", "failed": ":material/error:"}
    title, state = title_of(job, viewer.lang), t(f"job.state.{job.status}", viewer.lang)
    st.toast(f"{title} · {state}", icon=icons.get(job.status, ":material/cancel:"))


def wait_for(viewer: shell.Viewer, job: Job | None, *, key: str, toast: bool = True) -> bool:
    """Show a job that is under way or failed. True when there is nothing (more) to wait for.

    A failed job shows its error and a button to try again; a cancelled one only the button.
    """
    if job is None or job.status == "succeeded":
        return True
    if job.status in LIVE:
        show_live(viewer, [job], {}, key=key, toast=toast)
        return False
    if job.status == "failed" and job.error:
        shell.tell(job.error, viewer.lang)
    else:
        st.info(t("job.was_cancelled", viewer.lang, title=title_of(job, viewer.lang)), icon=":material/cancel:")
    if viewer.may_edit and st.button(t("common.again", viewer.lang), key=f"{key}-again", icon=":material/refresh:"):
        with shell.errors(viewer):
            with database.session(viewer.actor) as session:
                lifecycle.retry(session, viewer.actor, job.id)
            st.rerun()
    return False

"""All jobs: what runs now, and what ran before, with cancel, retry, log and cost."""

from __future__ import annotations

import streamlit as st
from sqlalchemy import select

from core import database
from core import jobs as job_life
from core.i18n import duration, moment, money, t
from core.models.jobs import Job, JobLogLine
from pages import shell, work

PAGE = 20
ENDED = ("succeeded", "failed", "cancelled")
TONES = {"succeeded": "good", "failed": "bad", "cancelled": "wait"}


def log_lines(viewer: shell.Viewer, job: Job) -> None:
    """What was noted while it ran, opened on demand."""
    with database.session(viewer.actor) as session:
        lines = session.scalars(select(JobLogLine).where(JobLogLine.job_id == job.id).order_by(JobLogLine.id)).all()
    if not lines:
        st.caption(t("jobs.no_log", viewer.lang))
    for line in lines[-200:]:
        st.caption(f"{moment(line.at, viewer.lang, viewer.zone)} — {shell.plain(line.message)}")


def again(viewer: shell.Viewer, job: Job) -> None:
    """The button that runs a job once more."""
    if st.button(t("common.again", viewer.lang), key=f"retry-{job.id}", icon=":material/refresh:"):
        with shell.errors(viewer):
            with database.session(viewer.actor) as session:
                job_life.retry(session, viewer.actor, job.id)
            st.rerun()


def ended_row(viewer: shell.Viewer, job: Job, subject: str) -> None:
    lang = viewer.lang
    with st.container(border=True):
        took = (job.finished_at - job.started_at).total_seconds() if job.finished_at and job.started_at else None
        shell.headline(work.title_of(job, lang), subject, (t(f"job.state.{job.status}", lang), TONES[job.status]))
        if job.error:
            shell.tell(job.error, lang)
        cost = money(job.cost, job.cost_currency) if job.cost and job.cost_currency else ""
        with st.container(horizontal=True, vertical_alignment="center"):
            shell.facts(
                moment(job.created_at, lang, viewer.zone),
                t("jobs.took", lang, time=duration(took, lang)) if took is not None else "",
                t("jobs.tries", lang, count=job.attempts) if job.attempts > 1 else "",
                t("jobs.cost", lang, amount=cost) if cost else "",
            )
            if job.status != "succeeded" and viewer.may_edit:
                again(viewer, job)
            with st.popover(t("jobs.log", lang), icon=":material/subject:"):
                log_lines(viewer, job)


def main() -> None:
    viewer = shell.open_page("jobs")
    lang = viewer.lang
    st.subheader(t("jobs.now", lang))
    with database.session(viewer.actor) as session:
        live = work.live_jobs(session, limit=50)
        names = work.subjects(session, live)
    if live:
        work.show_live(viewer, live, names, key="jobs_live")
    else:
        shell.empty(t("jobs.nothing_now_title", lang), t("jobs.nothing_now", lang), to="video", lang=lang)
    st.subheader(t("jobs.before", lang))
    shown = st.segmented_control(
        t("jobs.filter", lang),
        ("all", *ENDED),
        default="all",
        required=True,
        format_func=lambda name: t("jobs.all" if name == "all" else f"job.state.{name}", lang),
        key="jobs_filter",
    )
    limit = PAGE * st.session_state.get("jobs_pages", 1)
    with database.session(viewer.actor) as session:
        wanted = ENDED if shown == "all" else (str(shown),)
        rows = list(
            session.scalars(select(Job).where(Job.status.in_(wanted)).order_by(Job.created_at.desc()).limit(limit + 1))
        )
        names = work.subjects(session, rows)
    if not rows:
        st.caption(t("jobs.none_yet", lang))
    for job in rows[:limit]:
        ended_row(viewer, job, names.get(job.id, ""))
    if len(rows) > limit and st.button(t("common.more", lang), key="jobs_more"):
        st.session_state["jobs_pages"] = st.session_state.get("jobs_pages", 1) + 1
        st.rerun()


main()

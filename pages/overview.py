"""Home: three questions on the first visit, then what runs, what was made last, and what to do next."""

from __future__ import annotations

from zoneinfo import available_timezones

import streamlit as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import database
from core.i18n import LANGUAGES, clock, moment, t
from core.models.publishing import Episode, PipelineRun
from core.preferences import CURRENCIES
from core.settings import get_settings
from pages import media, shell, work
from pages.components.upload import upload
from pages.editor import arrivals
from pages.editor import project as projects


def first_visit(viewer: shell.Viewer) -> None:
    """The three questions, with the browser's own answers filled in."""
    st.title(t("home.welcome", viewer.lang))
    st.html(f'<p class="studio-lead">{t("home.welcome_lead", viewer.lang)}</p>')
    zones = sorted(available_timezones())
    with st.container(border=True):
        language = st.segmented_control(
            t("home.language", viewer.lang),
            list(LANGUAGES),
            format_func=LANGUAGES.__getitem__,
            default=viewer.lang,
            required=True,
            key="first_language",
        )
        if language and language != viewer.lang:
            shell.change_language(viewer, language)
            st.rerun()
        zone = st.selectbox(
            t("home.zone", viewer.lang),
            zones,
            index=zones.index(viewer.zone) if viewer.zone in zones else zones.index("UTC"),
            format_func=lambda name: name.replace("_", " "),
            key="first_zone",
        )
        currency = st.selectbox(
            t("home.currency", viewer.lang),
            CURRENCIES,
            index=CURRENCIES.index(viewer.currency),
            key="first_currency",
        )
        if st.button(t("home.start", viewer.lang), type="primary", key="first_start"):
            with shell.errors(viewer):
                shell.remember_choices(viewer, language or viewer.lang, zone, currency)
                st.rerun()


def open_editor(project_id: object) -> None:
    """Go to the Video Editor on a project."""
    st.switch_page("video.py", query_params={"project": str(project_id)})


def begin(viewer: shell.Viewer) -> None:
    """The two ways in: the sample, or a file of one's own."""
    st.subheader(t("home.begin", viewer.lang))
    if not viewer.may_edit:
        st.info(t("common.viewer_only", viewer.lang))
        return
    with database.session(viewer.actor) as session:
        first = not projects.recent(session, limit=1)
    left, right = st.columns([2, 3], gap="medium")
    with left, st.container(border=True, height="stretch"):
        st.write(t("home.sample_lead", viewer.lang))
        arrivals.offer_sample(viewer, primary=first)
    with right:
        arrivals.receive(viewer, upload(viewer.lang, key="home_upload", max_bytes=get_settings().max_upload_bytes))


def running(viewer: shell.Viewer) -> None:
    with database.session(viewer.actor) as session:
        jobs = work.live_jobs(session, limit=6)
        names = work.subjects(session, jobs)
    if jobs:
        st.subheader(t("home.running", viewer.lang))
        work.show_live(viewer, jobs, names, key="home_jobs")


def next_step(viewer: shell.Viewer, session: Session) -> None:
    """One hint, when there is one."""
    waiting = session.scalar(
        select(func.count()).select_from(PipelineRun).where(PipelineRun.state == "awaiting_approval")
    )
    if waiting:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{t('recipes.home', viewer.lang, count=waiting)}**")
            st.page_link(
                shell.page_file("publishing"),
                label=t("recipes.look", viewer.lang),
                icon=":material/arrow_forward:",
                query_params={"tab": t("recipes.tab", viewer.lang)},
            )
        return
    drafts = session.scalar(
        select(func.count()).select_from(Episode).where(Episode.state == "draft", Episode.discarded_at.is_(None))
    )
    if drafts:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{t('home.next_drafts', viewer.lang, count=drafts)}**")
            st.page_link(
                shell.page_file("publishing"),
                label=t("home.to_publishing", viewer.lang),
                icon=":material/arrow_forward:",
            )


def recent_work(viewer: shell.Viewer, session: Session) -> None:
    """Projects to go on with, and the newest results."""
    rows = [(one, asset) for one, asset in projects.recent(session, limit=4) if asset is not None]
    if rows:
        st.subheader(t("home.projects", viewer.lang))
        for column, (one, asset) in zip(st.columns(4), rows, strict=False):
            with column, st.container(border=True, height="stretch"):
                media.thumbnail(session, asset)
                shell.name_of(one.name)
                shell.facts(clock(asset.duration_seconds or 0), moment(one.updated_at, viewer.lang, viewer.zone))
                if st.button(t("home.to_project", viewer.lang), key=f"open-{one.id}", width="stretch"):
                    open_editor(one.id)
    st.subheader(t("home.latest", viewer.lang))
    results = media.results(session, limit=4)
    if not results:
        shell.empty(t("home.no_results", viewer.lang), t("home.next_empty", viewer.lang))
        return
    for column, asset in zip(st.columns(4), results, strict=False):
        with column, st.container(border=True):
            media.play(session, asset, viewer.lang, key=f"latest-{asset.id}", small=True)
            st.markdown(f"**{shell.plain(asset.name)}**")
            shell.facts(media.shape(asset), clock(asset.duration_seconds or 0))


def main() -> None:
    viewer = shell.viewer()
    if not viewer.chosen:
        first_visit(viewer)
        return
    shell.open_page("home")
    begin(viewer)
    running(viewer)
    with database.session(viewer.actor) as session:
        next_step(viewer, session)
        recent_work(viewer, session)


main()

"""The Video Editor: from a recording to finished videos and shorts.

The address names the project (``?project=…``), the database holds everything else: a reload or a restart shows the
same page again.
"""

from __future__ import annotations

import streamlit as st

from core import assets, database, jobs
from core.errors import NotFound
from core.i18n import clock, file_size, moment, t
from core.models.assets import Asset, TimelineRow
from core.models.identity import Project
from core.models.jobs import Job
from core.settings import get_settings
from pages import media, shell, work
from pages.components.upload import upload
from pages.editor import choices as choice_form
from pages.editor import operations, results, review, speech
from pages.editor import project as projects
from pages.editor.project import Choices


def open_project(project: object) -> None:
    st.query_params["project"] = str(project)
    st.rerun()


def choose(viewer: shell.Viewer) -> None:
    """No project yet: a new recording, a project to go on with, or a file of the library."""
    st.subheader(t("video.pick", viewer.lang))
    st.caption(t("video.pick_lead", viewer.lang))
    if viewer.may_edit:
        arrived = upload(
            viewer.lang, key="video_upload", accept="video/*,.mkv,.mov", max_bytes=get_settings().max_upload_bytes
        )
        if arrived:
            with shell.errors(viewer):
                with database.session(viewer.actor) as session:
                    made = [projects.start(session, viewer.actor, assets.get(session, one), "") for one in arrived]
                if len(made) > 1:
                    st.session_state["several"] = len(made)
                open_project(made[0].id)
    with database.session(viewer.actor) as session:
        known = [(one, asset) for one, asset in projects.recent(session) if asset is not None]
        used = {asset.id for _one, asset in known}
        others = [asset for asset in assets.search(session, kind="video", limit=40) if asset.id not in used]
        recordings = [asset for asset in others if asset.job_id is None][:8]
        if known:
            st.subheader(t("home.projects", viewer.lang))
        for start in range(0, len(known), 4):
            for column, (one, asset) in zip(st.columns(4), known[start : start + 4], strict=False):
                with column, st.container(border=True):
                    media.thumbnail(session, asset)
                    st.markdown(f"**{shell.plain(one.name)}**")
                    shell.facts(clock(asset.duration_seconds or 0), moment(one.updated_at, viewer.lang, viewer.zone))
                    if st.button(t("home.to_project", viewer.lang), key=f"open-{one.id}", width="stretch"):
                        open_project(one.id)
        if recordings and viewer.may_edit:
            names = {asset.id: f"{asset.name} · {clock(asset.duration_seconds or 0)}" for asset in recordings}
            picked = st.selectbox(
                t("video.from_library", viewer.lang), list(names), format_func=names.__getitem__, key="from_library"
            )
            if st.button(t("video.use", viewer.lang), key="use_asset"):
                with database.session(viewer.actor) as change:
                    identifier = projects.start(change, viewer.actor, assets.get(change, picked), "").id
                open_project(identifier)


def load(viewer: shell.Viewer, identifier: str) -> tuple[Project, Asset | None, Job | None]:
    """The project, its recording (the sample's as soon as it exists), and the job that still makes it."""
    with database.session(viewer.actor) as session:
        project = projects.get_project(session, identifier)
        sample = work.newest(session, project.id, ["sample.create"])
        if sample is not None and sample.status == "succeeded":
            projects.adopt_sample(session, project, sample)
            session.flush()
        asset = session.get(Asset, project.source_asset_id) if project.source_asset_id else None
        return project, asset, sample


def header(viewer: shell.Viewer, project: Project, asset: Asset | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(shell.plain(project.name))
        if st.button(t("video.other", viewer.lang), icon=":material/arrow_back:", key="other", type="tertiary"):
            st.query_params.clear()
            st.rerun()
    if asset is not None:
        shell.facts(
            clock(asset.duration_seconds or 0),
            media.shape(asset),
            file_size(asset.size_bytes),
            moment(asset.created_at, viewer.lang, viewer.zone),
        )
    several = st.session_state.pop("several", 0)
    if several:
        st.info(t("video.several", viewer.lang, count=several))


def submit(viewer: shell.Viewer, project: Project, kind: str, payload: object) -> None:
    """Hand work over and draw the page again, now with its card."""
    with shell.errors(viewer):
        with database.session(viewer.actor) as session:
            jobs.submit(session, viewer.actor, kind, payload, project_id=project.id)  # type: ignore[arg-type]
        st.rerun()


def prepare(viewer: shell.Viewer, asset: Asset) -> None:
    """The ingest job of the recording, while it runs."""
    with database.session(viewer.actor) as session:
        busy = [
            job
            for job in work.live_jobs(session)
            if job.kind == "ingest" and job.payload.get("asset_id") == str(asset.id)
        ]
    if busy:
        st.caption(t("video.preparing", viewer.lang))
        work.show_live(viewer, busy, {busy[0].id: asset.name}, key="ingest")


def outdated(viewer: shell.Viewer, row: TimelineRow, asset: Asset, chosen: Choices) -> bool:
    """Whether the user has chosen something else since these cuts were found."""
    with database.session(viewer.actor) as session:
        job = session.get(Job, row.job_id) if row.job_id else None
    now = operations.plan_input(asset.id, chosen).model_dump(mode="json")
    return job is not None and job.payload.get("operations") != now["operations"]


def actions(viewer: shell.Viewer, project: Project, asset: Asset, chosen: Choices, row: TimelineRow | None) -> None:
    """The two ways on: the long version, or shorts."""
    lang = viewer.lang
    ready = bool(chosen.language) and speech.ready(viewer, chosen)
    long, short = st.columns(2, gap="medium")
    with long, st.container(border=True, height="stretch"):
        st.caption(t("video.find_lead", lang))
        if st.button(
            t("video.find_again" if row else "video.find_cuts", lang),
            type="secondary" if row else "primary",
            icon=":material/content_cut:",
            disabled=not (ready and viewer.may_edit),
            key="find_cuts",
        ):
            submit(viewer, project, "video.edit", operations.plan_input(asset.id, chosen))
        if row is not None and outdated(viewer, row, asset, chosen):
            st.caption(t("video.changed_since", lang))
    with short, st.container(border=True, height="stretch"):
        st.caption(t("video.shorts_lead", lang))
        left, right = st.columns(2)
        count = left.number_input(t("video.shorts_count", lang), 1, 20, chosen.shorts, key=f"shorts-{project.id}")
        longest = right.number_input(
            t("video.shorts_longest", lang), 10, 180, chosen.max_seconds, key=f"longest-{project.id}"
        )
        if (count, longest) != (chosen.shorts, chosen.max_seconds) and viewer.may_edit:
            chosen = chosen.model_copy(update={"shorts": int(count), "max_seconds": int(longest)})
            choice_form.remember(viewer, project.id, chosen)
        if st.button(
            t("video.make_shorts", lang),
            icon=":material/auto_awesome:",
            disabled=not (ready and viewer.may_edit),
            key="make_shorts",
        ):
            submit(viewer, project, "video.shorts", operations.shorts_input(asset.id, chosen))
    if not chosen.language:
        st.caption(t("video.language_first", lang))


def check_cuts(viewer: shell.Viewer, project: Project, asset: Asset, row: TimelineRow, chosen: Choices) -> None:
    """Review, then render."""
    lang = viewer.lang
    st.subheader(t("video.review", lang))
    st.caption(t("video.review_lead", lang))
    review.show(viewer, asset, row, chosen)
    if not chosen.formats:
        st.caption(t("video.no_format", lang))
    if st.button(
        t("video.render_count", lang, count=len(chosen.formats)),
        type="primary",
        icon=":material/movie:",
        disabled=not chosen.formats or not viewer.may_edit,
        key="render",
    ):
        submit(viewer, project, "video.edit", operations.render_input(asset.id, row.id, chosen))


def edit(viewer: shell.Viewer, identifier: str) -> None:
    """The page of one project."""
    project, asset, sample = load(viewer, identifier)
    header(viewer, project, asset)
    if asset is None and sample is not None:
        st.caption(t("video.making_sample", viewer.lang))
        work.wait_for(viewer, sample, key="sample")
        return
    if asset is None:
        shell.empty(t("video.gone_title", viewer.lang), t("video.gone", viewer.lang))
        return
    if asset.kind != "video":
        shell.empty(t("video.no_picture_title", viewer.lang), t("video.no_picture", viewer.lang))
        return
    prepare(viewer, asset)
    with database.session(viewer.actor) as session:
        row = projects.newest_timeline(session, project.id)
        busy = [job for job in work.live_jobs(session, project_id=project.id) if job.kind.startswith("video.")]
        last = work.newest(session, project.id, ["video.edit", "video.render", "video.shorts"])
    stored = projects.state_of(project).choices
    if row is None:
        with st.container(border=True):
            chosen = choice_form.show(viewer, project.id, asset, stored)
    else:
        with st.expander(t("video.what", viewer.lang), icon=":material/tune:"):
            chosen = choice_form.show(viewer, project.id, asset, stored)
    actions(viewer, project, asset, chosen, row)
    if busy:
        work.show_live(viewer, busy, {}, key="video_jobs")
    elif last is not None and last.status in ("failed", "cancelled"):
        work.wait_for(viewer, last, key="last_job")
    if row is not None:
        check_cuts(viewer, project, asset, row, chosen)
    results.show_videos(viewer, project)
    results.show_shorts(viewer, project)


def main() -> None:
    viewer = shell.open_page("video")
    identifier = st.query_params.get("project")
    if not identifier:
        choose(viewer)
        return
    try:
        edit(viewer, identifier)
    except NotFound as error:
        shell.tell(error, viewer.lang)
        st.query_params.clear()
        choose(viewer)


main()

"""The Video Editor: from a recording to finished videos and shorts.

The address names the project (``?project=…``), the database holds everything else: a reload or a restart shows the
same page again.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from sqlalchemy.orm import Session

from core import assets, database, jobs
from core.errors import NotFound
from core.i18n import clock, file_size, moment, t
from core.models.assets import Asset, TimelineRow
from core.models.identity import Project
from core.models.jobs import Job
from core.settings import get_settings
from pages import media, shell, work
from pages.components.upload import upload
from pages.editor import ads, arrivals, chapters, elsewhere, operations, results, review, speech, versions
from pages.editor import choices as choice_form
from pages.editor import project as projects
from pages.editor.project import Choices, Version

FLOW = ("video.edit", "video.render", "video.multi_export", "video.shorts")


def open_project(project: object) -> None:
    st.query_params["project"] = str(project)
    st.rerun()


def suggested(viewer: shell.Viewer) -> None:
    """What the advisor suggests to make of a recording (``?do=shorts&asset_id=…``): a project with that filled in,
    once the user says so (A3)."""
    if st.query_params.get("do") != "shorts" or not viewer.may_edit:
        return
    lang, asked = viewer.lang, st.query_params
    count, longest = (int(asked[name]) if asked.get(name, "").isdigit() else 0 for name in ("shorts", "max_seconds"))
    with shell.errors(viewer), st.container(border=True):
        with database.session(viewer.actor) as session:
            asset = assets.get(session, asked.get("asset_id", ""))
            media.thumbnail(session, asset)
        count, longest = min(max(count, 1), 20), min(max(longest, 10), 180)
        words = t("advisor.do.from_advice", lang, count=count, name=asset.name, seconds=longest)
        st.markdown(shell.plain(words))
        st.caption(t("advisor.do.prefilled", lang))
        if st.button(t("advisor.do.begin", lang), type="primary", key="suggested_begin", icon=shell.ICONS["video"]):
            with database.session(viewer.actor) as change:
                project = projects.start(change, viewer.actor, assets.get(change, asset.id), "")
                state = projects.state_of(project)
                chosen = state.choices.model_copy(update={"shorts": count, "max_seconds": longest})
                project.state = state.model_copy(update={"choices": chosen}).model_dump(mode="json")
                identifier = project.id
            st.query_params.from_dict({"project": str(identifier)})
            st.rerun()


def choose(viewer: shell.Viewer) -> None:
    """No project yet: a new recording, a project to go on with, or a file of the library."""
    suggested(viewer)
    st.subheader(t("video.pick", viewer.lang))
    st.caption(t("video.pick_lead", viewer.lang))
    if viewer.may_edit:
        arrived = upload(
            viewer.lang, key="video_upload", accept="video/*,.mkv,.mov", max_bytes=get_settings().max_upload_bytes
        )
        arrivals.receive(viewer, arrived)
        with database.session(viewer.actor) as session:
            first = not projects.recent(session, limit=1)
        if first:
            with st.container(border=True, horizontal=True, vertical_alignment="center"):
                st.write(t("home.sample_lead", viewer.lang))
                arrivals.offer_sample(viewer, primary=True)
    with database.session(viewer.actor) as session:
        known = [(one, asset) for one, asset in projects.recent(session) if asset is not None]
        used = {asset.id for _one, asset in known}
        others = [asset for asset in assets.search(session, kind="video", limit=40) if asset.id not in used]
        recordings = [asset for asset in others if asset.job_id is None][:8]
        if known:
            st.subheader(t("home.projects", viewer.lang))
        for start in range(0, len(known), 4):
            for column, (one, asset) in zip(st.columns(4), known[start : start + 4], strict=False):
                with column, st.container(border=True, height="stretch"):
                    media.thumbnail(session, asset)
                    shell.name_of(one.name)
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
        missing = asset.details.get("measured", {}).get("missing_seconds")
        if missing:
            st.warning(t("video.cut_off", viewer.lang, missing=clock(missing)), icon=":material/warning:")
    arrivals.show_notes(viewer, project.id)


def submit(viewer: shell.Viewer, project: Project, kind: str, payload: object, finds: Version | None = None) -> None:
    """Hand work over and draw the page again, now with its card. ``finds`` is the version whose cuts it looks for."""
    with shell.errors(viewer):
        with database.session(viewer.actor) as session:
            job = jobs.submit(session, viewer.actor, kind, payload, project_id=project.id)  # type: ignore[arg-type]
            if finds is not None:
                versions.note_search(session, viewer, project.id, finds, job.id)
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
    """Whether the user has changed what decides about cuts since these were found; music, captions and sound do not."""
    with database.session(viewer.actor) as session:
        job = session.get(Job, row.job_id) if row.job_id else None
    now = operations.plan_input(asset.id, chosen).model_dump(mode="json")
    return job is not None and operations.decides_cuts(job.payload) != operations.decides_cuts(now)


def actions(
    viewer: shell.Viewer,
    project: Project,
    asset: Asset,
    chosen: Choices,
    row: TimelineRow | None,
    busy: set[str],
    version: Version | None,
) -> None:
    """The two ways on: the long version, or shorts. What is ``busy`` already is not started a second time."""
    lang = viewer.lang
    ready = bool(chosen.language) and speech.ready(viewer, chosen)
    long, short = st.columns(2, gap="medium")
    with long, st.container(border=True, height="stretch"):
        st.markdown(f"**{t('video.long', lang)}**")
        st.caption(t("video.find_again_lead" if row else "video.find_lead", lang))
        if st.button(
            t("video.find_again" if row else "video.find_cuts", lang),
            type="secondary" if row else "primary",
            icon=":material/content_cut:",
            disabled=not (ready and viewer.may_edit) or "find" in busy,
            key="find_cuts",
        ):
            submit(viewer, project, "video.edit", operations.plan_input(asset.id, chosen), finds=version)
        if row is not None and outdated(viewer, row, asset, chosen):
            st.warning(t("video.changed_since", lang), icon=":material/info:")
    with short, st.container(border=True, height="stretch"):
        st.markdown(f"**{t('video.shorts', lang)}**")
        st.caption(t("video.shorts_lead", lang))
        left, right = st.columns(2)
        count = left.number_input(t("video.shorts_count", lang), 1, 20, chosen.shorts, key=f"shorts-{project.id}")
        longest = right.number_input(
            t("video.shorts_longest", lang), 10, 180, chosen.max_seconds, key=f"longest-{project.id}"
        )
        if (count, longest) != (chosen.shorts, chosen.max_seconds) and viewer.may_edit:
            chosen = chosen.model_copy(update={"shorts": int(count), "max_seconds": int(longest)})
            choice_form.remember(viewer, project.id, chosen, version=version.key if version else "")
        if st.button(
            t("video.make_shorts", lang),
            icon=":material/auto_awesome:",
            disabled=not (ready and viewer.may_edit) or "shorts" in busy,
            key="make_shorts",
        ):
            submit(viewer, project, "video.shorts", operations.shorts_input(asset.id, chosen))
    chapters.offer(viewer, project, asset, chosen, ready=ready)
    ads.offer(viewer, project, asset, chosen, ready=ready)
    if not chosen.language:
        st.info(t("video.language_first", lang), icon=":material/record_voice_over:")


def check_cuts(
    viewer: shell.Viewer,
    project: Project,
    asset: Asset,
    row: TimelineRow,
    chosen: Choices,
    jobs_of: Work,
    version: Version | None,
) -> None:
    """Review, then render; what is being rendered shows its progress below the button that started it."""
    lang = viewer.lang
    st.subheader(t("video.review", lang))
    st.caption(t("video.review_lead", lang))
    review.show(viewer, asset, row, chosen)
    key = version.key if version else ""
    wanted = choice_form.ask_shapes(viewer, project.id, chosen, version=key)
    if wanted != chosen and viewer.may_edit:
        choice_form.remember(viewer, project.id, wanted, version=key)
    chosen = wanted
    if not chosen.formats:
        st.caption(t("video.no_format", lang))
    if st.button(
        t("video.render_count", lang, count=len(chosen.formats)),
        type="primary",
        icon=":material/movie:",
        disabled=not chosen.formats or not viewer.may_edit or bool(jobs_of.rendering),
        key="render",
    ):
        submit(viewer, project, "video.edit", operations.render_input(asset.id, row.id, chosen))
    render_all(viewer, project, asset, bool(jobs_of.rendering))
    jobs_of.show(viewer, jobs_of.rendering, "render", key="render_jobs")
    elsewhere.show(viewer, asset, row, projects.timeline_of(row))


def render_all(viewer: shell.Viewer, project: Project, asset: Asset, busy: bool) -> None:
    """With several versions whose cuts were found: all of them in one job (V2.8)."""
    with database.session(viewer.actor) as session:
        state = projects.state_of(projects.get_project(session, project.id))
    found = versions.with_cuts(viewer, project, state) if state.versions else []
    if len(found) < 2:
        return
    if st.button(
        t("versions.render_all", viewer.lang, count=len(found)),
        icon=":material/video_library:",
        help=t("versions.render_all_help", viewer.lang, names=", ".join(shell.plain(name) for name, _, _ in found)),
        disabled=not viewer.may_edit or busy,
        key="render_all",
    ):
        order = operations.versions_input(asset.id, [(name, row.id, choices) for name, row, choices in found])
        submit(viewer, project, "video.edit", order)


@dataclass(frozen=True)
class Work:
    """What is under way for a project, and the newest job where it did not end well."""

    finding: list[Job]
    rendering: list[Job]
    shorts: list[Job]
    last: Job | None

    @classmethod
    def of(cls, session: Session, project: Project) -> Work:
        live = [job for job in work.live_jobs(session, project_id=project.id) if job.kind in FLOW]
        last = work.newest(session, project.id, FLOW)
        return cls(
            [job for job in live if purpose(job) == "find"],
            [job for job in live if purpose(job) == "render"],
            [job for job in live if purpose(job) == "shorts"],
            last if last is not None and last.status in ("failed", "cancelled") else None,
        )

    @property
    def busy(self) -> set[str]:
        """The purposes that are under way."""
        return {purpose(job) for job in (*self.finding, *self.rendering, *self.shorts)}

    def show(self, viewer: shell.Viewer, jobs_shown: list[Job], *purposes: str, key: str) -> None:
        """The cards of these jobs; without any, the newest that failed for one of the purposes."""
        if jobs_shown:
            work.show_live(viewer, jobs_shown, {}, key=key)
        elif self.last is not None and purpose(self.last) in purposes:
            work.wait_for(viewer, self.last, key=key)


def purpose(job: Job) -> str:
    """What a video job is for: "find" the cuts, "shorts", or "render"."""
    if job.kind == "video.shorts":
        return "shorts"
    return "find" if job.payload.get("dry_run") else "render"


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
        if st.button(t("library.to_music", viewer.lang), icon=shell.ICONS["music"], type="primary", key="to_music"):
            st.switch_page("music.py", query_params={"asset": str(asset.id)})
        return
    prepare(viewer, asset)
    state = projects.state_of(project)
    version = versions.choose(viewer, project, state)
    key = version.key if version else ""
    with database.session(viewer.actor) as session:
        row = projects.newest_timeline(session, project, key)
        doing = Work.of(session, project)
    stored = version.choices if version else state.choices
    if version is not None:
        versions.rename_or_remove(viewer, project, state, version)
    if row is None:
        with st.container(border=True):
            chosen = choice_form.show(viewer, project.id, stored, with_shapes=True, version=key)
    else:
        with st.expander(t("video.choices", viewer.lang), icon=":material/tune:"):
            chosen = choice_form.show(viewer, project.id, stored, with_shapes=False, version=key)
    actions(viewer, project, asset, chosen, row, doing.busy, version)
    above = [*doing.finding, *doing.shorts]
    if row is None:
        doing.show(viewer, [*above, *doing.rendering], "find", "shorts", "render", key="video_jobs")
    else:
        doing.show(viewer, above, "find", "shorts", key="video_jobs")
        check_cuts(viewer, project, asset, row, chosen, doing, version)
    chapters.check(viewer, project, asset, chosen)
    results.show_videos(viewer, project)
    results.show_shorts(viewer, project)
    results.show_chapters(viewer, project)
    ads.show(viewer, project)


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

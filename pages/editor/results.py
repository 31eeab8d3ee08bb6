"""What came of it: videos to play and download, shorts to keep or discard."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import streamlit as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import database, events
from core.i18n import clock, duration, file_size, t
from core.i18n.catalogue import has
from core.models.assets import Asset
from core.models.identity import Project
from core.models.jobs import Job
from core.models.publishing import Episode
from core.publishing import episodes
from core.publishing.payloads import EpisodeChange
from pages import media, shell
from pages.editor import project as projects
from pages.editor import subtitles

VIDEO_JOBS = ("video.edit", "video.render", "video.multi_export")


def finished(session: Session, project_id: UUID, kinds: tuple[str, ...]) -> list[Job]:
    """Jobs of a project that ended well and made something, newest first."""
    rows = session.scalars(
        select(Job)
        .where(Job.project_id == project_id, Job.kind.in_(kinds), Job.status == "succeeded")
        .order_by(Job.created_at.desc())
    )
    return [job for job in rows if (job.result or {}).get("outputs")]


def outputs(session: Session, job: Job) -> list[tuple[dict[str, Any], Asset]]:
    """The outputs of a job whose files still exist, in the job's order."""
    rows: list[dict[str, Any]] = (job.result or {}).get("outputs") or []
    wanted = [UUID(str(row["asset_id"])) for row in rows if row.get("asset_id")]
    found = {asset.id: asset for asset in session.scalars(select(Asset).where(Asset.id.in_(wanted)))}
    return [(row, found[UUID(str(row["asset_id"]))]) for row in rows if UUID(str(row["asset_id"])) in found]


def zip_url(rows: list[tuple[dict[str, Any], Asset]]) -> str:
    """Where the browser downloads several files in one archive."""
    return "/api/assets/zip?ids=" + ",".join(str(asset.id) for _row, asset in rows)


def show_videos(viewer: shell.Viewer, project: Project) -> None:
    """The newest rendering of the long version."""
    with database.session(viewer.actor) as session:
        jobs = finished(session, project.id, VIDEO_JOBS)
        if not jobs:
            return
        job = jobs[0]
        rows = outputs(session, job)
        st.subheader(t("video.results", viewer.lang))
        for version in dict.fromkeys(str(row.get("version") or "") for row, _ in rows):
            if version:
                shell.name_of(version)
            shown = [(row, asset) for row, asset in rows if str(row.get("version") or "") == version]
            for start in range(0, len(shown), 4):
                columns = st.columns(max(2, min(len(shown), 4)))
                for column, (row, asset) in zip(columns, shown[start : start + 4], strict=False):
                    with column, st.container(border=True):
                        _video(viewer, session, row, asset)
        if len(rows) > 1:
            shell.download_links([(t("video.zip", viewer.lang), zip_url(rows))])


def _video(viewer: shell.Viewer, session: Session, row: dict[str, Any], asset: Asset) -> None:
    lang = viewer.lang
    media.play(session, asset, lang, key=f"result-{asset.id}")
    ratio = str(row.get("aspect_ratio") or "source")
    st.markdown(f"**{t(f'format_of.{ratio}', lang) if has(f'format_of.{ratio}') else ratio}**")
    shell.facts(media.shape(asset), clock(asset.duration_seconds or 0), file_size(asset.size_bytes))
    shell.download_links([(t("common.download", lang), shell.content_url(asset.id, download=True))])
    subtitles.show(viewer, asset)


def show_shorts(viewer: shell.Viewer, project: Project) -> None:
    """Candidates with title, reasons and player; what is kept waits as a draft, what is discarded loses it."""
    _show_clips(viewer, project, "video.shorts", "video.shorts")


def show_chapters(viewer: shell.Viewer, project: Project) -> None:
    """Sub-clips of a long recording, to keep or discard as shorts are."""
    _show_clips(viewer, project, "video.chapters", "chapters.results")


def _show_clips(viewer: shell.Viewer, project: Project, kind: str, heading: str) -> None:
    lang = viewer.lang
    with database.session(viewer.actor) as session:
        jobs = finished(session, project.id, (kind,))
        if not jobs:
            return
        job = jobs[0]
        rows = outputs(session, job)
        state = projects.state_of(project)
        shown = [(row, asset) for row, asset in rows if state.verdicts.get(str(asset.id)) != "discarded"]
        st.subheader(t(heading, lang))
        st.caption(t("video.shorts_review", lang))
        for start in range(0, len(shown), 3):
            for column, (row, asset) in zip(st.columns(3), shown[start : start + 3], strict=False):
                with column, st.container(border=True):
                    _short(viewer, session, project, state, row, asset)
        gone = len(rows) - len(shown)
        if gone:
            st.caption(t("video.discarded_count", lang, count=gone))
        if shown:
            shell.download_links([(t("video.zip", lang), zip_url(shown))])
        st.page_link(
            shell.page_file("publishing"), label=t("video.to_publishing", lang), icon=":material/calendar_month:"
        )


def reasons_of(row: dict[str, Any], lang: str) -> list[str]:
    """Why a moment was chosen, in words (message keys below ``shorts.reason``)."""
    return [t(key, lang) for key in row.get("reasons") or [] if has(key)]


def _short(
    viewer: shell.Viewer,
    session: Session,
    project: Project,
    state: projects.ProjectState,
    row: dict[str, Any],
    asset: Asset,
) -> None:
    lang, identifier = viewer.lang, str(asset.id)
    media.play(session, asset, lang, key=f"short-{identifier}")
    title = state.titles.get(identifier) or str(row.get("title") or asset.name)
    typed = st.text_input(
        t("video.title", lang), title, key=f"title-{identifier}", max_chars=100, disabled=not viewer.may_edit
    )
    shell.facts(
        duration(asset.duration_seconds or 0, lang),
        t("video.from_to", lang, start=clock(float(row.get("start") or 0)), end=clock(float(row.get("end") or 0))),
    )
    told = reasons_of(row, lang)
    if told:
        shell.chips(*((text, "") for text in told))
    subtitles.show(viewer, asset)
    if not viewer.may_edit:
        return
    if typed.strip() and typed != title:
        with shell.errors(viewer):
            with database.session(viewer.actor) as change:
                state.titles[identifier] = typed.strip()
                projects.save_state(change, viewer.actor, project.id, state)
                _retitle_draft(change, viewer, asset.id, typed.strip())
            st.rerun()
    kept = state.verdicts.get(identifier) == "kept"
    with st.container(horizontal=True):
        keep = st.button(
            t("video.kept" if kept else "video.keep", lang),
            key=f"keep-{identifier}",
            type="primary" if kept else "secondary",
            icon=":material/check:",
            width="stretch",
        )
        drop = st.button(t("video.discard", lang), key=f"drop-{identifier}", icon=":material/close:", width="stretch")
    if keep or drop:
        _decide(viewer, project, asset, "kept" if keep else "discarded")


def _decide(viewer: shell.Viewer, project: Project, asset: Asset, verdict: Any) -> None:
    with shell.errors(viewer):
        with database.session(viewer.actor) as session:
            row = projects.get_project(session, project.id)
            state = projects.state_of(row)
            state.verdicts[str(asset.id)] = verdict
            projects.save_state(session, viewer.actor, project.id, state)
            if verdict == "discarded":
                events.emit(session, events.RESULT_DISCARDED, viewer.actor.owner_id, {"asset_ids": [str(asset.id)]})
        st.rerun()


def _retitle_draft(session: Session, viewer: shell.Viewer, asset_id: UUID, title: str) -> None:
    """The draft made of a short takes its new title; there may be none (yet)."""
    draft = session.scalar(select(Episode).where(Episode.asset_id == asset_id, Episode.state == "draft").limit(1))
    if draft is not None:
        episodes.change(session, viewer.actor, draft.id, EpisodeChange(title=title))

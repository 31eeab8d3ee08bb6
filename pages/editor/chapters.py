"""Sub-clips of a long recording (SPEC V6.1): looked for, kept, joined, split, renamed, then rendered in one job."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core import database, jobs
from core.i18n import clock, duration, t
from core.i18n.catalogue import has
from core.models.assets import Asset
from core.models.identity import Project
from core.models.jobs import Job
from core.video.chapter_payloads import ChaptersInput
from core.video.timeline import AspectRatio
from pages import media, shell, work
from pages.components.player import player
from pages.editor import choices as choice_form
from pages.editor import operations
from pages.editor import project as projects
from pages.editor.project import ChapterDraft, Choices, ProjectState

KIND = "video.chapters"
LEAST_SECONDS = 2.0  # a split leaves at least so much on both sides


def offer(viewer: shell.Viewer, project: Project, asset: Asset, chosen: Choices, *, ready: bool) -> None:
    """The card that starts the search, with the progress of what is under way."""
    lang = viewer.lang
    with database.session(viewer.actor) as session:
        newest = work.newest(session, project.id, [KIND])
    busy = newest is not None and newest.status in work.LIVE
    with st.expander(t("chapters.title", lang), icon=":material/splitscreen_landscape:", expanded=busy):
        st.caption(t("chapters.lead", lang))
        left, right = st.columns(2)
        low, high = chosen.chapter_minutes
        shortest = left.number_input(t("chapters.shortest", lang), 1, 60, low, key=f"chapter-min-{project.id}")
        longest = right.number_input(t("chapters.longest", lang), 2, 240, high, key=f"chapter-max-{project.id}")
        if (shortest, longest) != chosen.chapter_minutes and viewer.may_edit:
            chosen = chosen.model_copy(update={"chapter_minutes": (int(shortest), int(longest))})
            choice_form.remember(viewer, project.id, chosen)
        again = bool(projects.state_of(project).chapters_of)
        if again:
            st.caption(t("chapters.find_again_lead", lang))
        if st.button(
            t("chapters.find_again" if again else "chapters.find", lang),
            icon=":material/segment:",
            disabled=not (ready and viewer.may_edit) or busy,
            key="find_chapters",
        ):
            _submit(viewer, project, operations.chapters_input(asset.id, chosen))
        if newest is not None and newest.status != "succeeded":
            work.wait_for(viewer, newest, key="chapter_jobs")


def _submit(viewer: shell.Viewer, project: Project, order: ChaptersInput) -> None:
    with shell.errors(viewer):
        with database.session(viewer.actor) as session:
            jobs.submit(session, viewer.actor, KIND, order, project_id=project.id)
        st.rerun()


def check(viewer: shell.Viewer, project: Project, asset: Asset, chosen: Choices) -> None:
    """The proposals as the user left them, each with what can be done to it; then rendering."""
    lang = viewer.lang
    job = _search(viewer, project)
    if job is None:
        return
    state = _taken_over(viewer, project, job)
    st.subheader(t("chapters.check", lang))
    if not state.chapters:
        st.caption(t("chapters.none", lang))
        return
    st.caption(t("chapters.check_lead", lang))
    borders: list[dict[str, Any]] = (job.result or {}).get("borders") or []
    for index in range(len(state.chapters)):
        with st.container(border=True):
            _one(viewer, project, asset, state, index, borders)
    kept = [chapter for chapter in state.chapters if chapter.kept]
    shapes = list(choice_form.FORMATS)
    ratio: AspectRatio = st.selectbox(
        t("chapters.shape", lang),
        shapes,
        shapes.index("source"),
        format_func=lambda name: t(f"format_of.{name}", lang),
        key=f"chapter-shape-{project.id}",
        disabled=not viewer.may_edit,
    )
    with database.session(viewer.actor) as session:
        newest = work.newest(session, project.id, [KIND])
    busy = newest is not None and newest.status in work.LIVE
    if st.button(
        t("chapters.render", lang, count=len(kept)),
        type="primary",
        icon=":material/movie:",
        disabled=not kept or not viewer.may_edit or busy,
        key="render_chapters",
    ):
        _submit(viewer, project, operations.chapters_render(asset.id, chosen, kept, ratio))


def _search(viewer: shell.Viewer, project: Project) -> Job | None:
    """The newest search that ended well."""
    with database.session(viewer.actor) as session:
        found = work.succeeded(session, project.id, KIND)
    return next((job for job in found if job.payload.get("dry_run")), None)


def _taken_over(viewer: shell.Viewer, project: Project, job: Job) -> ProjectState:
    """The project's state with the proposals of its newest search, which replace those of an earlier one."""
    state = projects.state_of(project)
    if state.chapters_of == str(job.id):
        return state
    rows: list[dict[str, Any]] = (job.result or {}).get("chapters") or []
    state.chapters = [
        ChapterDraft(start=row["start"], end=row["end"], title=row["title"], reasons=row["reasons"]) for row in rows
    ]
    state.chapters_of = str(job.id)
    if viewer.may_edit:
        _store(viewer, project, state)
    return state


def _store(viewer: shell.Viewer, project: Project, changed: ProjectState) -> None:
    with database.session(viewer.actor) as session:
        state = projects.state_of(projects.get_project(session, project.id))
        state.chapters, state.chapters_of = changed.chapters, changed.chapters_of
        projects.save_state(session, viewer.actor, project.id, state)


def _one(
    viewer: shell.Viewer,
    project: Project,
    asset: Asset,
    state: ProjectState,
    index: int,
    borders: list[dict[str, Any]],
) -> None:
    lang, chapter = viewer.lang, state.chapters[index]
    # Keys hold the place in the recording: what is joined or split is another thing with widgets of its own.
    key = f"{chapter.start:.3f}-{chapter.end:.3f}"
    keep, name = st.columns([1, 6], vertical_alignment="bottom")
    kept = keep.checkbox(t("chapters.keep", lang), chapter.kept, key=f"keep-{key}", disabled=not viewer.may_edit)
    title = name.text_input(
        t("chapters.name", lang), chapter.title, key=f"name-{key}", max_chars=100, disabled=not viewer.may_edit
    ).strip()
    shell.facts(
        t("video.from_to", lang, start=clock(chapter.start), end=clock(chapter.end)),
        duration(chapter.end - chapter.start, lang),
        *(t(reason, lang) for reason in chapter.reasons if has(reason)),
    )
    if viewer.may_edit and (kept != chapter.kept or (title and title != chapter.title)):
        state.chapters[index] = chapter.model_copy(update={"kept": kept, "title": title or chapter.title})
        _store(viewer, project, state)
    with st.container(horizontal=True):
        _watch(viewer, asset, chapter, key)
        if not viewer.may_edit:
            return
        if index + 1 < len(state.chapters) and st.button(
            t("chapters.join", lang), icon=":material/merge:", key=f"join-{key}"
        ):
            state.chapters = joined(state.chapters, index)
            _store(viewer, project, state)
            st.rerun()
        with st.popover(t("chapters.split", lang), icon=":material/call_split:", key=f"split-{key}"):
            _split(viewer, project, state, index, borders, key)


def _watch(viewer: shell.Viewer, asset: Asset, chapter: ChapterDraft, key: str) -> None:
    """The chapter in the recording itself, before anything is rendered (Media Fragments URI, W3C)."""
    window = st.popover(
        t("chapters.watch", viewer.lang), icon=":material/play_arrow:", key=f"watch-{key}", on_change="rerun"
    )
    if not window.open:  # a page shows fifty of these: the player is made when it is asked for
        return
    with window, database.session(viewer.actor) as session:
        address = f"{media.playable_url(session, asset)}#t={chapter.start:.2f},{chapter.end:.2f}"
        player(address, key=f"play-{key}", title=chapter.title, small=True)


def _split(
    viewer: shell.Viewer,
    project: Project,
    state: ProjectState,
    index: int,
    borders: list[dict[str, Any]],
    key: str,
) -> None:
    lang, chapter = viewer.lang, state.chapters[index]
    inside = [
        row for row in borders if chapter.start + LEAST_SECONDS <= row["time"] <= chapter.end - LEAST_SECONDS
    ]  # fmt: skip
    if not inside:
        st.caption(t("chapters.no_split", lang))
        return
    best = max(range(len(inside)), key=lambda each: float(inside[each]["strength"]))
    picked = st.selectbox(
        t("chapters.split_at", lang),
        range(len(inside)),
        best,
        format_func=lambda each: f"{clock(inside[each]['time'])} · {shell.plain(inside[each]['text'])}",
        key=f"split-at-{key}",
    )
    if st.button(t("chapters.split_here", lang), key=f"split-now-{key}"):
        second = t("chapters.second_part", lang, title=chapter.title)[:100]
        state.chapters = divided(state.chapters, index, float(inside[picked]["time"]), second)
        _store(viewer, project, state)
        st.rerun()


def joined(chapters: list[ChapterDraft], index: int) -> list[ChapterDraft]:
    """The list with one chapter and the next as one, under the first one's title; a break between them comes back."""
    first, second = chapters[index], chapters[index + 1]
    one = first.model_copy(update={"end": second.end, "kept": first.kept or second.kept})
    return [*chapters[:index], one, *chapters[index + 2 :]]


def divided(chapters: list[ChapterDraft], index: int, moment: float, title: str) -> list[ChapterDraft]:
    """The list with one chapter cut in two at ``moment``; ``title`` is that of the second part."""
    whole = chapters[index]
    first = whole.model_copy(update={"end": moment})
    second = whole.model_copy(update={"start": moment, "title": title, "reasons": []})
    return [*chapters[:index], first, second, *chapters[index + 1 :]]

"""Several versions of one recording (SPEC V2.8): chosen here one by one, each with its own choices and cuts, and
rendered together in one job."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

import streamlit as st
from sqlalchemy.orm import Session

from core import database
from core.i18n import t
from core.models.assets import TimelineRow
from core.models.identity import Project
from pages import shell
from pages.editor import project as projects
from pages.editor.project import Choices, ProjectState, Version

MOST = 6  # beside the first
TEMPLATES: dict[str, dict[str, object]] = {
    "tight": {"pauses": "cut", "cut_fillers": True, "captions": "tiktok", "formats": ["9:16"]},
    "full": {"pauses": "leave", "cut_fillers": False, "cut_repeats": False, "formats": ["16:9"]},
    "highlight": {"pauses": "cut", "highlight_seconds": 60, "formats": ["1:1"]},
    "same": {},
}


def choose(viewer: shell.Viewer, project: Project, state: ProjectState) -> Version | None:
    """The bar of versions; answers the one that is looked at, None for the first."""
    lang, key = viewer.lang, f"version-{project.id}"
    names = {"": t("versions.first", lang), **{other.key: other.name for other in state.versions}}
    if st.session_state.get(key) not in (None, *names):
        del st.session_state[key]
    picked = ""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if state.versions:
            picked = st.segmented_control(
                t("versions.bar", lang),
                list(names),
                format_func=lambda name: shell.plain(names[name]),
                default="",
                required=True,
                key=key,
            )
        if viewer.may_edit and len(state.versions) < MOST:
            _offer(viewer, project, state, key)
    return next((other for other in state.versions if other.key == picked), None)


def _offer(viewer: shell.Viewer, project: Project, state: ProjectState, bar: str) -> None:
    lang = viewer.lang
    with st.popover(t("versions.another", lang), icon=":material/add:", key=f"another-{project.id}"):
        st.caption(t("versions.lead", lang))
        like = st.radio(
            t("versions.like", lang),
            list(TEMPLATES),
            format_func=lambda name: t(f"versions.template.{name}", lang),
            key=f"version-like-{project.id}",
        )
        named = st.text_input(
            t("versions.name", lang), max_chars=60, placeholder=t(f"versions.name_of.{like}", lang),
            key=f"version-name-{project.id}",
        )  # fmt: skip
        name = _free(named.strip() or t(f"versions.name_of.{like}", lang), [other.name for other in state.versions])

        def add() -> None:
            made = Version(key=uuid4().hex[:8], name=name, choices=_from(state.choices, like))
            _change(viewer, project.id, lambda now: now.versions.append(made))
            st.session_state[bar] = made.key

        st.button(t("versions.add", lang), type="primary", on_click=add, key=f"version-add-{project.id}")


def _from(first: Choices, template: str) -> Choices:
    return Choices.model_validate({**first.model_dump(), **TEMPLATES[template]})


def _free(name: str, taken: list[str]) -> str:
    used = {other.casefold() for other in taken}
    number, found = 1, name
    while found.casefold() in used:
        number += 1
        found = f"{name[:56]} {number}"
    return found


def rename_or_remove(viewer: shell.Viewer, project: Project, state: ProjectState, version: Version) -> None:
    """What can be done with a version as a whole; what was rendered of it stays."""
    if not viewer.may_edit:
        return
    lang = viewer.lang
    with st.container(horizontal=True, vertical_alignment="bottom"):
        typed = st.text_input(t("versions.name", lang), version.name, max_chars=60, key=f"rename-{version.key}").strip()
        if st.button(t("versions.remove", lang), icon=":material/delete:", key=f"remove-{version.key}"):

            def gone(now: ProjectState) -> None:
                now.removed_searches += [
                    job for other in now.versions if other.key == version.key for job in other.found_by
                ]
                now.versions = [other for other in now.versions if other.key != version.key]

            _change(viewer, project.id, gone)
            st.rerun()
    if typed and typed != version.name:
        free = _free(typed, [other.name for other in state.versions if other.key != version.key])

        def renamed(now: ProjectState) -> None:
            for other in now.versions:
                other.name = free if other.key == version.key else other.name

        _change(viewer, project.id, renamed)
        st.rerun()


def note_search(session: Session, viewer: shell.Viewer, project_id: UUID, version: Version, job_id: UUID) -> None:
    """Remember, with the job's submission, that it looks for the cuts of this version."""
    state = projects.state_of(projects.get_project(session, project_id))
    for other in state.versions:
        if other.key == version.key:
            other.found_by.append(str(job_id))
    projects.save_state(session, viewer.actor, project_id, state)


def with_cuts(viewer: shell.Viewer, project: Project, state: ProjectState) -> list[tuple[str, TimelineRow, Choices]]:
    """Every version whose cuts were found: its name, its timeline, its choices; the first version first."""
    every = [("", t("versions.first", viewer.lang), state.choices)]
    every += [(other.key, other.name, other.choices) for other in state.versions]
    found = []
    with database.session(viewer.actor) as session:
        for key, name, choices in every:
            row = projects.newest_timeline(session, project, key)
            if row is not None and choices.formats:
                found.append((name, row, choices))
    return found


def _change(viewer: shell.Viewer, project_id: UUID, change: Callable[[ProjectState], object]) -> None:
    with database.session(viewer.actor) as session:
        state = projects.state_of(projects.get_project(session, project_id))
        change(state)
        projects.save_state(session, viewer.actor, project_id, state)

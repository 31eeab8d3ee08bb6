"""The Recipes part of Publishing: what waits for approval, the saved recipes, their latest runs (P2.3)."""

from __future__ import annotations

from uuid import UUID

import streamlit as st
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core import database
from core.i18n import clock, t
from core.models.assets import Asset
from core.models.jobs import Job
from core.models.publishing import Pipeline, PipelineRun
from core.publishing import accounts
from core.publishing.pipelines import runs, store
from core.publishing.pipelines.recipe import MakeShorts, Recipe
from core.publishing.pipelines.store import PipelineChange
from pages import media, shell
from pages.posting import recipe_form, recipe_runs
from pages.posting.dialog import account_label

LATEST = 5


def show(viewer: shell.Viewer) -> None:
    """The tab: the editor while it is open, otherwise what waits and the list."""
    lang = viewer.lang
    opened = st.session_state.get(recipe_form.OPEN)
    if opened is not None and viewer.may_edit:
        with shell.errors(viewer):
            recipe_form.show(viewer, opened)
        return
    with database.session(viewer.actor) as session:
        saved = store.listed(session)
        waiting = _waiting(session)
        names = {row.id: account_label(row, lang) for row in accounts.listed(session)}
    if waiting:
        st.subheader(t("recipes.approve.title", lang), anchor=False)
        recipes = {row.id: row.name for row in saved}
        for run in waiting:
            recipe_runs.approve(viewer, run, recipes[run.pipeline_id], names)
        recipe_runs.show_questions(viewer)
    if not saved:
        shell.empty(t("recipes.empty_title", lang), t("recipes.empty", lang))
    if viewer.may_edit and st.button(t("recipes.new", lang), icon=":material/add:", key="recipe_new"):
        recipe_form.open_new()
        st.rerun()
    for pipeline in saved:
        with st.container(border=True):
            _card(viewer, pipeline, names)


def _waiting(session: Session) -> list[PipelineRun]:
    statement = select(PipelineRun).where(PipelineRun.state == "awaiting_approval").order_by(PipelineRun.created_at)
    return list(session.scalars(statement.limit(20)))


def _card(viewer: shell.Viewer, pipeline: Pipeline, names: dict[UUID, str]) -> None:
    lang = viewer.lang
    recipe = store.recipe_of(pipeline)
    st.markdown(f"**{shell.plain(pipeline.name)}**")
    if recipe.trigger.kind == "recording":
        shell.chips((t("recipes.on" if pipeline.enabled else "recipes.off", lang), "good" if pipeline.enabled else ""))
    shell.facts(*summary(pipeline, recipe, lang))
    shell.facts(*(names[one.platform_account_id] for one in recipe.targets if one.platform_account_id in names))
    if viewer.may_edit:
        with st.container(horizontal=True):
            _actions(viewer, pipeline, recipe)
    with database.session(viewer.actor) as session:
        latest = runs.listed(session, pipeline.id, limit=LATEST)
    if latest:
        st.caption(t("recipes.runs", lang))
    for run in latest:
        recipe_runs.line(viewer, run)


def summary(pipeline: Pipeline, recipe: Recipe, lang: str) -> list[str]:
    """A recipe in a few words."""
    if isinstance(recipe.make, MakeShorts):
        makes = t("recipes.line.shorts", lang, count=recipe.make.count)
    else:
        shapes = ", ".join(t(f"format_of.{ratio}", lang) for ratio in recipe.make.shapes)
        makes = t("recipes.line.edit", lang, shapes=shapes)
    starts = recipe.trigger.kind
    if recipe.trigger.name_contains:
        starts_words = t("recipes.line.recording_named", lang, name=recipe.trigger.name_contains)
    else:
        starts_words = t(f"recipes.line.{starts}", lang)
    when = t(f"recipes.line.{recipe.schedule.kind}", lang, times=", ".join(recipe.schedule.times))
    return [makes, starts_words, when, t(f"recipes.line.{'approval' if pipeline.needs_approval else 'alone'}", lang)]


def _actions(viewer: shell.Viewer, pipeline: Pipeline, recipe: Recipe) -> None:
    lang = viewer.lang
    with st.popover(t("recipes.run", lang), icon=":material/play_arrow:"):
        _start(viewer, pipeline)
    if st.button(t("recipes.edit", lang), key=f"recipe-edit-{pipeline.id}", icon=":material/edit:"):
        recipe_form.open_saved(pipeline.id)
        st.rerun()
    if recipe.trigger.kind == "recording":
        words = t("recipes.switch_off" if pipeline.enabled else "recipes.switch_on", lang)
        if st.button(words, key=f"recipe-switch-{pipeline.id}", icon=":material/power_settings_new:"):
            with shell.errors(viewer):
                with database.session(viewer.actor) as session:
                    change = PipelineChange(enabled=not pipeline.enabled)
                    store.change(session, viewer.actor, pipeline.id, change)
                st.rerun()
    with st.popover(t("common.delete", lang), icon=":material/delete:"):
        st.caption(t("recipes.delete_sure", lang))
        if st.button(t("common.delete", lang), key=f"recipe-delete-{pipeline.id}", type="primary"):
            with shell.errors(viewer):
                with database.session(viewer.actor) as session:
                    store.delete(session, viewer.actor, pipeline.id)
                st.rerun()


def recordings(session: Session) -> dict[UUID, str]:
    """Videos that are not the studio's own results, newest first."""
    rows = session.execute(
        select(Asset.id, Asset.name, Asset.duration_seconds)
        .outerjoin(Job, Job.id == Asset.job_id)
        .where(Asset.kind == "video", Asset.hidden.is_(False))
        .where(or_(Job.id.is_(None), Job.kind.not_in(media.RESULT_KINDS)))
        .order_by(Asset.created_at.desc())
        .limit(100)
    )
    return {row.id: f"{row.name} · {clock(row.duration_seconds or 0)}" for row in rows}


def _start(viewer: shell.Viewer, pipeline: Pipeline) -> None:
    lang = viewer.lang
    with database.session(viewer.actor) as session:
        known = recordings(session)
    if not known:
        st.caption(t("recipes.run_none", lang))
        return
    picked = st.selectbox(
        t("recipes.run_pick", lang), list(known), format_func=known.__getitem__, key=f"recipe-source-{pipeline.id}"
    )
    if st.button(t("recipes.run_go", lang), key=f"recipe-go-{pipeline.id}", type="primary"):
        with shell.errors(viewer):
            with database.session(viewer.actor) as session:
                runs.start(session, viewer.actor, pipeline.id, picked)
            st.toast(t("recipes.started", lang))
            st.rerun()

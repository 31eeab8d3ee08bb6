"""Runs of recipes on the page: where each stands and what happens next; posts to look at before they go out."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from uuid import UUID

import streamlit as st
from sqlalchemy import select

from core import database
from core.database import get_owned
from core.i18n import moment, t
from core.i18n.catalogue import has
from core.models.assets import Asset
from core.models.jobs import Job
from core.models.publishing import Episode, PipelineRun, PlatformAccount, PublicationRecord
from core.publishing import provenance, states
from core.publishing.pipelines import approval, runs
from core.publishing.pipelines.approval import Chosen, PostChange
from core.publishing.pipelines.document import Item, Post, RunDocument
from pages import media, shell, work
from pages.posting import tiktok
from pages.posting.dialog import ask_time
from pages.posting.forms import show_caption

ASKED = "recipe_question"
"""Where the session keeps the post whose questions are open."""
TONES = {"done": "good", "failed": "bad", "waiting_for_approval": "wait", "cancelled": ""}


def _recording(viewer: shell.Viewer, run: PipelineRun) -> str:
    with database.session(viewer.actor) as session:
        asset = session.get(Asset, run.source_asset_id) if run.source_asset_id is not None else None
    return asset.name if asset is not None else t("recipes.gone", viewer.lang)


def line(viewer: shell.Viewer, run: PipelineRun) -> None:
    """One run under its recipe: recording, stage, what happens next, and what can be done."""
    lang = viewer.lang
    with database.session(viewer.actor) as session:
        stage = runs.stage(session, run)
        job = session.get(Job, run.job_id) if run.job_id is not None else None
    with st.container(border=True):
        about = moment(run.created_at, lang, viewer.zone)
        label = t(f"recipes.stage.{stage}", lang)
        shell.headline(_recording(viewer, run), about, (label, TONES.get(stage, "wait")))
        if stage in ("queued", "making") and job is not None:
            work.show_live(viewer, [job], {}, key=f"run-job-{run.id}", toast=False)
        if run.error and stage == "failed":
            shell.tell(run.error, lang)
        else:
            st.caption(_next(viewer, run, stage))
        if viewer.may_edit:
            with st.container(horizontal=True):
                _steer(viewer, run, stage)


def _next(viewer: shell.Viewer, run: PipelineRun, stage: str) -> str:
    """What happens next, in a sentence."""
    lang, document = viewer.lang, runs.document_of(run)
    if stage == "making" and not document.needs_approval:
        return t("recipes.next.making_alone", lang)
    if stage not in ("scheduled", "done"):
        return t(f"recipes.next.{stage}", lang)
    with database.session(viewer.actor) as session:
        rows = session.execute(
            select(PublicationRecord.state, PublicationRecord.due_at).where(
                PublicationRecord.id.in_(document.publication_ids)
            )
        ).all()
    counted = Counter(row.state for row in rows)
    out = sum(counted[state] for state in states.PUBLISHED)
    if stage == "done":
        return t("recipes.next.done", lang, count=out)
    waiting = [row.due_at for row in rows if row.state == "scheduled" and row.due_at is not None]
    if waiting and min(waiting) > datetime.now(UTC):
        due = moment(min(waiting), lang, viewer.zone)
        return t("recipes.next.scheduled", lang, out=out, count=len(rows), time=due)
    return t("recipes.next.sending", lang, out=out, count=len(rows))


def _steer(viewer: shell.Viewer, run: PipelineRun, stage: str) -> None:
    lang = viewer.lang
    again = stage == "failed" or (stage == "cancelled" and run.step == runs.MAKE)
    if again and st.button(t("common.again", lang), key=f"run-again-{run.id}", icon=":material/refresh:"):
        with shell.errors(viewer):
            with database.session(viewer.actor) as session:
                approval.retry(session, viewer.actor, run.pipeline_id, run.id)
            st.rerun()
    running = stage in ("queued", "making", "scheduled")
    if running and st.button(t("recipes.approve.cancel", lang), key=f"run-stop-{run.id}", icon=":material/stop:"):
        _cancel(viewer, run)


def _cancel(viewer: shell.Viewer, run: PipelineRun) -> None:
    with shell.errors(viewer):
        with database.session(viewer.actor) as session:
            approval.cancel(session, viewer.actor, run.pipeline_id, run.id)
        st.rerun()


def approve(viewer: shell.Viewer, run: PipelineRun, recipe: str, names: dict[UUID, str]) -> None:
    """Everything of a run that waits, with players, words and times that can be changed."""
    lang, document = viewer.lang, runs.document_of(run)
    waiting = [item for item in document.items if item.waiting]
    open_questions = any(_unanswered(post) for item in waiting for post in item.waiting)
    with st.container(border=True):
        st.markdown(shell.plain(t("recipes.approve.of", lang, recording=_recording(viewer, run), recipe=recipe)))
        st.caption(t("recipes.next.waiting_for_approval", lang))
        for start in range(0, len(waiting), 2):
            for column, item in zip(st.columns(2, gap="medium"), waiting[start : start + 2], strict=False):
                with column, st.container(border=True):
                    _item(viewer, run, document, item, names)
        if open_questions:
            st.caption(t("recipes.approve.unanswered", lang))
        if viewer.may_edit:
            with st.container(horizontal=True):
                posts = sum(len(item.waiting) for item in waiting)
                if st.button(
                    t("recipes.approve.all", lang, count=posts),
                    type="primary",
                    key=f"approve-all-{run.id}",
                    icon=":material/done_all:",
                    disabled=open_questions,
                ):
                    _say_yes(viewer, run, None)
                if st.button(t("recipes.approve.cancel", lang), key=f"approve-stop-{run.id}", icon=":material/stop:"):
                    _cancel(viewer, run)


def _unanswered(post: Post) -> bool:
    return post.needs_person and not (post.privacy and post.options.tiktok.consent)


def _item(viewer: shell.Viewer, run: PipelineRun, document: RunDocument, item: Item, names: dict[UUID, str]) -> None:
    lang = viewer.lang
    with database.session(viewer.actor) as session:
        asset = session.get(Asset, item.asset_id)
        episode = session.get(Episode, item.episode_id)
        if asset is not None:
            media.play(session, asset, lang, key=f"approve-{item.episode_id}", small=True)
    st.markdown(f"**{shell.plain(episode.title if episode is not None else '')}**")
    for post in item.waiting:
        _post(viewer, run, document, item, post, names)
    if not viewer.may_edit:
        return
    with st.container(horizontal=True):
        if st.button(
            t("recipes.approve.one", lang),
            key=f"approve-one-{item.episode_id}",
            icon=":material/check:",
            disabled=any(_unanswered(post) for post in item.waiting),
        ):
            _say_yes(viewer, run, [item.episode_id])
        if st.button(t("recipes.approve.discard", lang), key=f"approve-not-{item.episode_id}", icon=":material/close:"):
            with shell.errors(viewer):
                with database.session(viewer.actor) as session:
                    chosen = Chosen(episode_ids=[item.episode_id])
                    approval.discard(session, viewer.actor, run.pipeline_id, run.id, chosen)
                st.rerun()


def _say_yes(viewer: shell.Viewer, run: PipelineRun, episode_ids: list[UUID] | None) -> None:
    with shell.errors(viewer):
        with database.session(viewer.actor) as session:
            approval.approve(session, viewer.actor, run.pipeline_id, run.id, Chosen(episode_ids=episode_ids))
        st.toast(t("recipes.approve.done", viewer.lang))
        st.rerun()


def _change(viewer: shell.Viewer, run: PipelineRun, change: PostChange) -> None:
    with shell.errors(viewer):
        with database.session(viewer.actor) as session:
            approval.change(session, viewer.actor, run.pipeline_id, run.id, change)
        st.rerun()


def _post(
    viewer: shell.Viewer, run: PipelineRun, document: RunDocument, item: Item, post: Post, names: dict[UUID, str]
) -> None:
    """One account's post: its words, its time, what was found, and the changes a person can make."""
    lang, key = viewer.lang, f"{item.episode_id}-{post.platform_account_id}"
    mine = {"episode_id": item.episode_id, "platform_account_id": post.platform_account_id}
    shell.chips((names.get(post.platform_account_id, post.platform), "sim" if post.platform == "simulated" else ""))
    title = st.text_input(
        t("publishing.title", lang), post.title, key=f"post-title-{key}", max_chars=300, disabled=not viewer.may_edit
    )
    if title.strip() and title.strip() != post.title:
        _change(viewer, run, PostChange(**mine, title=title.strip()))
    if document.recipe.schedule.kind == "at_once" and not post.chosen_time:
        shell.facts(t("recipes.approve.at_once", lang))
    else:
        shell.facts(t("recipes.approve.time", lang, time=moment(post.due_at, lang, post.timezone)))
    if post.time_note and has(f"recipes.approve.{post.time_note}"):
        st.caption(t(f"recipes.approve.{post.time_note}", lang))
    for issue in post.issues:
        code = f"publishing.issue.{issue['code']}"
        words = t(code, lang) if has(code) else issue["message"]
        detail = f" {shell.plain(issue['detail'])}" if issue.get("detail") else ""
        st.warning(words + detail, icon=":material/info:")
    if post.needs_person:
        st.caption(t(f"recipes.approve.{'unanswered' if _unanswered(post) else 'answered'}", lang))
    if not viewer.may_edit:
        return
    with st.container(horizontal=True):
        with st.popover(t("publishing.move", lang), icon=":material/schedule:"):
            time = ask_time(lang, post.timezone, key=f"post-move-{key}")
            if st.button(t("common.save", lang), key=f"post-moved-{key}", type="primary"):
                _change(viewer, run, PostChange(**mine, scheduled_time=time, timezone=post.timezone))
        with st.popover(t("recipes.approve.words", lang), icon=":material/edit_note:"):
            with st.form(f"post-words-{key}", border=False):
                text = st.text_area(t("publishing.text", lang), post.description, key=f"post-text-{key}")
                tags = st.text_input(t("publishing.tags", lang), ", ".join(post.tags), key=f"post-tags-{key}")
                saved = st.form_submit_button(t("common.save", lang), type="primary")
            if saved:
                given = [tag.strip()[:100] for tag in tags.split(",") if tag.strip()]
                _change(viewer, run, PostChange(**mine, description=text, tags=given))
        if post.needs_person and st.button(
            t("recipes.approve.answer", lang), key=f"post-answer-{key}", icon=":material/how_to_reg:"
        ):
            st.session_state[ASKED] = (run.id, item.episode_id, post.platform_account_id)
        if len(item.waiting) > 1 and st.button(
            t("recipes.approve.not_there", lang), key=f"post-not-{key}", type="tertiary"
        ):
            _change(viewer, run, PostChange(**mine, discard=True))


def show_questions(viewer: shell.Viewer) -> None:
    """The dialog with TikTok's questions, while one is open: at every rerun until it is answered or closed."""
    asked = st.session_state.get(ASKED)
    if asked is None:
        return
    run_id, episode_id, account_id = asked
    with database.session(viewer.actor) as session:
        run = session.get(PipelineRun, run_id)
    waiting = approval.waiting_posts(runs.document_of(run)) if run is not None else []
    post = next(
        (post for item, post in waiting if (item.episode_id, post.platform_account_id) == (episode_id, account_id)),
        None,
    )
    if run is None or post is None:
        _close()
        return
    title = t("recipes.approve.answer", viewer.lang)
    st.dialog(title, width="medium", on_dismiss=_close)(_questions)(viewer, run, episode_id, post)


def _close() -> None:
    st.session_state.pop(ASKED, None)


def _questions(viewer: shell.Viewer, run: PipelineRun, episode_id: UUID, post: Post) -> None:
    """TikTok's own questions, beside what is about to be posted; nothing is posted by answering them."""
    lang = viewer.lang
    with database.session(viewer.actor) as session:
        account = get_owned(session, PlatformAccount, post.platform_account_id)
        asset = session.get(Asset, post.asset_id)
        material = provenance.of_asset(session, asset)
        if asset is not None:
            media.play(session, asset, lang, key=f"answer-{post.asset_id}", small=True)
    answers = tiktok.ask(viewer, account, material)
    show_caption(viewer, account, post.title, post.description, post.tags)
    given = answers.options.get("tiktok", {})
    ready = bool(answers.privacy) and bool(given.get("consent"))
    if st.button(t("recipes.approve.keep", lang), type="primary", key="answer_keep", disabled=not ready):
        change = PostChange.model_validate(
            {
                "episode_id": episode_id,
                "platform_account_id": post.platform_account_id,
                "privacy": answers.privacy,
                "options": {**post.options.model_dump(), **answers.options},
            }
        )
        _close()
        _change(viewer, run, change)

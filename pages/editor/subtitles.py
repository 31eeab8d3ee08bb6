"""Subtitle files beside a video, in several languages: those there are to download, and a job that makes them (SPEC
V3.3, V3.5)."""

from __future__ import annotations

from typing import get_args
from uuid import UUID

import streamlit as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import database, jobs, translation
from core.i18n import t
from core.i18n.catalogue import has
from core.models.assets import Asset, AssetLink
from core.models.jobs import Job
from core.video.caption_styles import STYLES
from core.video.payloads import SubtitleFormat, SubtitleInput
from core.video.spoken import Spoken, words_of
from pages import shell, work
from pages.editor import speech, translate
from pages.editor.project import Choices

FORMATS: tuple[SubtitleFormat, ...] = get_args(SubtitleFormat)


def files_of(session: Session, asset: Asset) -> list[Asset]:
    """The newest subtitle file of each language and format that lies beside a video."""
    rows = session.scalars(
        select(Asset)
        .join(AssetLink, AssetLink.child_id == Asset.id)
        .where(AssetLink.parent_id == asset.id, AssetLink.role == "captions", Asset.kind == "subtitle")
        .order_by(Asset.created_at.desc(), Asset.id.desc())
    )
    newest: dict[tuple[str, str], Asset] = {}
    for row in rows:
        newest.setdefault((language_of(row), format_of(row)), row)
    return [newest[key] for key in sorted(newest)]


def language_of(file: Asset) -> str:
    """BCP 47 code of a subtitle file's language, or nothing."""
    return str(file.details.get("language") or "")


def format_of(file: Asset) -> str:
    """srt, vtt or ass."""
    return str(file.details.get("format") or file.name.rpartition(".")[2].lower())


def label_of(file: Asset, lang: str) -> str:
    """ "English · SRT"."""
    language = language_of(file)
    name = t(f"language.{language}", lang) if has(f"language.{language}") else language
    how = t("translation.by_machine", lang) if file.details.get("translated_by") else ""
    return " · ".join(part for part in (name, how, format_of(file).upper()) if part)


def newest_job(session: Session, asset: Asset) -> Job | None:
    """The last job that made subtitles of a video, or tried."""
    return session.scalar(
        select(Job)
        .where(Job.kind == "video.subtitle", Job.payload["video_asset_id"].astext == str(asset.id))
        .order_by(Job.created_at.desc())
        .limit(1)
    )


def show(viewer: shell.Viewer, asset: Asset, *, in_dialog: bool = False) -> None:
    """A small window with the files and what makes them; a job under way, or one that failed, shows below it."""
    window = st.popover(
        t("subtitles.title", viewer.lang),
        icon=":material/subtitles:",
        width="stretch",
        key=f"subtitles-of-{asset.id}",
        on_change="rerun",  # what it holds is read when it is opened: a page shows twenty of these
    )
    if window.open:
        with window:
            _files(viewer, asset, in_dialog=in_dialog)
    with database.session(viewer.actor) as session:
        job = newest_job(session, asset)
    if job is not None and job.status in (*work.LIVE, "failed"):
        work.wait_for(viewer, job, key=f"subtitles-{asset.id}", toast=not in_dialog)


def _files(viewer: shell.Viewer, asset: Asset, *, in_dialog: bool) -> None:
    with database.session(viewer.actor) as session:
        files, spoken, job = files_of(session, asset), words_of(session, asset), newest_job(session, asset)
    if files:
        st.markdown(f"**{t('subtitles.ready', viewer.lang)}**")
        shell.download_links(
            [(label_of(file, viewer.lang), shell.content_url(file.id, download=True)) for file in files]
        )
    _burnt(viewer, job)
    if not asset.has_audio and spoken is None:
        st.caption(t("subtitles.silent", viewer.lang))
    elif viewer.may_edit and (job is None or job.status not in work.LIVE):
        _offer(viewer, asset, spoken, again=bool(files), in_dialog=in_dialog)


def _ask_burning(viewer: shell.Viewer, asset: Asset, further: list[str], key: str) -> str | None:
    """The language that a copy of the video shows: "auto" is as spoken, None where only files are wanted."""
    if asset.kind != "video":
        return None
    names = {"": t("translation.burn_none", viewer.lang), "auto": t("translation.burn_spoken", viewer.lang)}
    names |= {code: translate.name_of(code, viewer.lang) for code in further if translation.drawn(code)}
    picked = st.selectbox(
        t("translation.burn_in", viewer.lang), list(names), format_func=names.__getitem__, key=f"subtitle-burn-{key}"
    )
    return picked or None


def _burnt(viewer: shell.Viewer, job: Job | None) -> None:
    """The copy with burnt-in subtitles that the last job made."""
    rows = (job.result or {}).get("outputs") if job is not None and job.status == "succeeded" else None
    for row in rows or []:
        with database.session(viewer.actor) as session:
            copy = session.get(Asset, UUID(str(row["asset_id"])))
            language = str(copy.details.get("language") or "") if copy is not None else ""
        if copy is not None:
            label = t("translation.burnt", viewer.lang, language=translate.name_of(language, viewer.lang))
            shell.download_links([(label, shell.content_url(copy.id, download=True))])


def _offer(viewer: shell.Viewer, asset: Asset, spoken: Spoken | None, *, again: bool, in_dialog: bool) -> None:
    lang, key = viewer.lang, str(asset.id)
    st.caption(t("subtitles.corrected" if spoken else "subtitles.heard", lang))
    formats = st.pills(
        t("subtitles.formats", lang),
        FORMATS,
        selection_mode="multi",
        default=["srt", "vtt"],
        format_func=lambda name: t(f"subtitles.format.{name}", lang),
        key=f"subtitle-formats-{key}",
    )
    style = "clean"
    if "ass" in formats or st.session_state.get(f"subtitle-burn-{key}"):
        style = st.selectbox(
            t("subtitles.style", lang),
            list(STYLES),
            list(STYLES).index("clean"),
            format_func=lambda name: t(STYLES[name].label_key, lang),
            key=f"subtitle-style-{key}",
        )
    wanted = Choices(language="auto")
    if spoken is None:
        known = str(asset.details.get("language") or "")
        language = speech.ask_language(viewer, known, key=f"subtitle-language-{key}")
        provider = speech.ask_provider(viewer, "local", key=f"subtitle-speech-{key}")
        wanted = Choices(language=language, speech_provider=provider)
    known = spoken.language if spoken is not None else wanted.language
    further = translate.ask_languages(viewer, key=f"subtitle-languages-{key}")
    by, translates = translate.ask_provider(
        viewer, translation.others(known, tuple(further)), key=f"subtitle-translation-{key}"
    )
    burnt = _ask_burning(viewer, asset, further, key)
    able = spoken is not None or (bool(wanted.language) and speech.ready(viewer, wanted))
    label = t("subtitles.again" if again else "subtitles.make", lang)
    if st.button(label, type="primary", key=f"subtitle-{key}", disabled=not (able and translates and formats)):
        with shell.errors(viewer):
            order = SubtitleInput(
                video_asset_id=asset.id,
                source_language=wanted.language,
                speech_provider=wanted.speech_provider,
                target_languages=tuple(further),
                translation_provider=by,
                style=style,
                formats=tuple(formats),
                burn_in=burnt is not None,
                burn_in_language=burnt or "auto",
            )
            with database.session(viewer.actor) as session:
                jobs.submit(session, viewer.actor, "video.subtitle", order)
            if not in_dialog:  # a dialog would be closed and opened again, with what was unfolded in it folded
                st.rerun()

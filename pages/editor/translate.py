"""Which languages subtitles are translated to, by what, and the model that may be missing for it (SPEC V3.3)."""

from __future__ import annotations

import streamlit as st

from core import database, translation
from core.i18n import file_size, t
from core.translation import LANGUAGES, M2M100
from pages import shell, work
from pages.editor import speech
from providers.registry import ProviderInfo, providers


def name_of(language: str, lang: str) -> str:
    """A language in the reader's words."""
    return t(f"language.{language}", lang) if language in LANGUAGES else language


def _service(viewer: shell.Viewer) -> ProviderInfo:
    with database.session(viewer.actor) as session:
        known = providers(session, viewer.actor.owner_id)
    return next(provider for provider in known if provider.name == "hosted-translation")


def ask_languages(viewer: shell.Viewer, *, key: str) -> list[str]:
    """The further languages, none at first."""
    return st.multiselect(
        t("translation.languages", viewer.lang),
        LANGUAGES,
        format_func=lambda code: name_of(code, viewer.lang),
        help=t("translation.languages_help", viewer.lang),
        max_selections=20,
        key=key,
        disabled=not viewer.may_edit,
    )


def ask_provider(viewer: shell.Viewer, wanted: list[str], *, key: str) -> tuple[translation.Provider, bool]:
    """Who translates, and whether that can be done now; what is missing is said and offered."""
    if not wanted:
        return "local", True
    lang, hosted = viewer.lang, _service(viewer)
    here = translation.model_installed()
    if hosted.ready:
        chosen = not here or st.toggle(
            t("translation.hosted", lang, host=shell.plain(hosted.details["host"])),
            help=t("translation.hosted_help", lang),
            key=key,
        )
        if chosen:
            if not here:
                st.caption(t("translation.hosted_help", lang))
            return "hosted", True
    if not here:
        st.info(t("translation.missing", lang), icon=":material/translate:")
        offer_model(viewer, key=f"{key}-get")
        return "local", False
    unknown = [name_of(code, lang) for code in wanted if translation.base_of(code) not in M2M100.languages]
    if unknown:
        st.warning(t("translation.unknown", lang, languages=", ".join(unknown)))
    return "local", not unknown


def offer_model(viewer: shell.Viewer, *, key: str) -> None:
    """Download the model, or show how far that is."""
    job = speech.download_job(viewer, M2M100.name)
    if job is not None:
        work.show_live(viewer, [job], {job.id: M2M100.title}, key=f"{key}-job")
        return
    label = t("video.download_model", viewer.lang, name=M2M100.title, size=file_size(M2M100.size_bytes))
    if viewer.may_edit and st.button(label, key=key, icon=":material/download:"):
        speech.start_download(viewer, M2M100.name)


def show_weights(viewer: shell.Viewer) -> None:
    """The translation model among the models of the settings page."""
    lang = viewer.lang
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{M2M100.title}**")
            if translation.model_installed():
                shell.chips((t("settings.installed", lang), "good"))
        shell.facts(file_size(M2M100.size_bytes), t("settings.licence", lang, name=M2M100.licence))
        if not translation.model_installed():
            offer_model(viewer, key="settings_translation")

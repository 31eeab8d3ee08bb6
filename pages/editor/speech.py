"""Which language is spoken, and whether a model on this machine knows it."""

from __future__ import annotations

import streamlit as st

from core import database, jobs, speech
from core.errors import NotConfigured
from core.i18n import file_size, t
from core.models.jobs import Job
from core.music.payloads import ModelDownloadInput
from pages import shell, work
from pages.editor.project import Choices
from providers.registry import ProviderInfo, providers

OFFERED = "small"


def known(language: str) -> bool:
    """Whether an installed model writes this language down."""
    try:
        speech.choose(language)
    except NotConfigured:
        return False
    return True


def can_detect() -> bool:
    """Whether an installed model tells languages apart; the English one does not."""
    return any(speech.CATALOGUE[name].multilingual for name in speech.installed())


def ask_language(viewer: shell.Viewer, stored: str, *, key: str) -> str:
    """The question; answers "en", "th", "auto", or "" while it is unanswered."""
    options = ["en", "th", *(["auto"] if can_detect() else [])]
    picked = st.segmented_control(
        t("video.language", viewer.lang),
        options,
        default=stored if stored in options else None,
        format_func=lambda name: t(f"language.{name}", viewer.lang),
        help=t("video.language_help", viewer.lang),
        key=key,
        disabled=not viewer.may_edit,
    )
    return picked or ""


def service(viewer: shell.Viewer) -> ProviderInfo:
    """The hosted speech service and whether it has a key."""
    with database.session(viewer.actor) as session:
        known = providers(session, viewer.actor.owner_id)
    return next(provider for provider in known if provider.name == "hosted-speech")


def ask_provider(viewer: shell.Viewer, stored: speech.Provider, *, key: str) -> speech.Provider:
    """Whether a hosted service writes the speech down; asked only where one has a key."""
    hosted = service(viewer)
    if not hosted.ready:
        return "local"
    chosen = st.toggle(
        t("video.hosted_speech", viewer.lang, host=shell.plain(hosted.details["host"])),
        stored == "hosted",
        help=t("video.hosted_speech_help", viewer.lang),
        key=key,
        disabled=not viewer.may_edit,
    )
    return "hosted" if chosen else "local"


def needs_words(choices: Choices) -> bool:
    """Whether anything chosen depends on what is said."""
    return bool(choices.captions) or choices.cut_fillers or choices.cut_repeats


def ready(viewer: shell.Viewer, choices: Choices) -> bool:
    """Whether the recording can be worked on; if not, offers the model that is missing."""
    if not needs_words(choices) or choices.speech_provider == "hosted" or known(choices.language):
        return True
    offer_model(viewer, OFFERED)
    return False


def download_job(viewer: shell.Viewer, name: str) -> Job | None:
    """The download of a model that is under way."""
    with database.session(viewer.actor) as session:
        return next(
            (
                job
                for job in work.live_jobs(session)
                if job.kind == "models.download" and job.payload.get("name") == name
            ),
            None,
        )


def offer_model(viewer: shell.Viewer, name: str) -> None:
    """Say why the language cannot be written down, and download what can."""
    lang = viewer.lang
    model = speech.model_of(name)
    with st.container(border=True):
        st.markdown(f"**{t('video.no_speech_title', lang)}**")
        st.write(t("video.no_speech", lang))
        job = download_job(viewer, name)
        if job is not None:
            work.show_live(viewer, [job], {job.id: model.title}, key=f"model-{name}")
        elif viewer.may_edit and st.button(
            t("video.download_model", lang, name=model.title, size=file_size(model.size_bytes)),
            icon=":material/download:",
            key=f"get-{name}",
        ):
            start_download(viewer, name)
        st.caption(t("video.or_hosted" if service(viewer).ready else "video.or_hosted_key", lang))


def start_download(viewer: shell.Viewer, name: str) -> None:
    """Submit the download and draw the page again."""
    with shell.errors(viewer):
        with database.session(viewer.actor) as session:
            jobs.submit(session, viewer.actor, "models.download", ModelDownloadInput(name=name))
        st.rerun()

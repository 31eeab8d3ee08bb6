"""Voice-over in the Music Lab: a text, a voice, the result with a player (SPEC M8)."""

from __future__ import annotations

import streamlit as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import database, jobs, voices
from core.i18n import clock, file_size, moment, t
from core.models.assets import Asset
from core.models.jobs import Job
from core.music.speech_payloads import LONGEST_TEXT, SpeechInput
from core.video.text import has_thai
from pages import media, shell, work
from pages.editor import speech as models
from providers.registry import ProviderInfo, providers

SHOWN = 6


def is_voice_over(asset: Asset) -> bool:
    """Whether an asset is a text that a voice spoke."""
    return bool(asset.details.get("voice"))


def made(session: Session, limit: int = SHOWN) -> list[Asset]:
    """The newest voice-overs."""
    spoken = select(Asset).where(Asset.kind == "audio", Asset.details["voice"].astext.is_not(None))
    return list(session.scalars(spoken.order_by(Asset.created_at.desc()).limit(limit)))


def hosted(viewer: shell.Viewer) -> ProviderInfo:
    """The hosted voices and whether there is a key for them."""
    with database.session(viewer.actor) as session:
        return next(one for one in providers(session, viewer.actor.owner_id) if one.name == "hosted-voice")


def labels(viewer: shell.Viewer) -> dict[str, str]:
    """The voices that can speak now, as a person reads them."""
    lang = viewer.lang
    found = {name: t("voice.by_piper", lang, name=voices.PIPER[name].title) for name in voices.installed()}
    if hosted(viewer).ready:
        for name in voices.hosted_names():
            shown = name.removeprefix(voices.HOSTED).title()
            found[name] = t("voice.by_service", lang, name=shown)
    return found


def ask_voice(viewer: shell.Viewer, text: str, *, key: str) -> str | None:
    """The voice that is to speak ``text``; None where none can, after saying why."""
    lang = viewer.lang
    known = labels(viewer)
    picked: str | None = st.selectbox(
        t("voice.which", lang), list(known), format_func=known.__getitem__, key=key, disabled=not known
    )
    service = hosted(viewer)
    if picked and picked.startswith(voices.HOSTED):
        st.caption(t("voice.sent_away", lang, host=shell.plain(str(service.details["host"]))))
    elif has_thai(text):
        st.warning(t("voice.pick_hosted" if service.ready else "voice.no_thai", lang), icon=":material/translate:")
        return None
    return picked


def show(viewer: shell.Viewer) -> None:
    """The whole part."""
    lang = viewer.lang
    st.caption(t("voice.lead", lang))
    _form(viewer)
    with database.session(viewer.actor) as session:
        job = session.scalar(select(Job).where(Job.kind == "audio.speech").order_by(Job.created_at.desc()).limit(1))
        rows = made(session)
    work.wait_for(viewer, job, key="speech_job")
    if not rows:
        return
    st.markdown(f"**{t('voice.made', lang)}**")
    for start in range(0, len(rows), 3):
        for column, row in zip(st.columns(3), rows[start : start + 3], strict=False):
            with column, st.container(border=True):
                shell.name_of(row.name)
                shell.facts(clock(row.duration_seconds or 0), moment(row.created_at, lang, viewer.zone))
                shell.chips((t("voice.ai", lang), "wait"))
                with database.session(viewer.actor) as session:
                    media.play(session, row, lang, key=f"voice-{row.id}", small=True)
                shell.download_links([(t("common.download", lang), shell.content_url(row.id, download=True))])


def _form(viewer: shell.Viewer) -> None:
    lang = viewer.lang
    text = st.text_area(
        t("voice.text", lang), placeholder=t("voice.placeholder", lang), max_chars=LONGEST_TEXT, height=140,
        key="voice_text",
    )  # fmt: skip
    left, right = st.columns(2)
    with left:
        voice = ask_voice(viewer, text or "", key="voice_name")
    with right:
        pace = st.slider(t("voice.pace", lang), 0.7, 1.5, 1.0, 0.05, format="%.2f×", key="voice_pace")
    ready = voice is not None and any(char.isalnum() for char in text or "")
    if st.button(t("voice.speak", lang), type="primary", icon=":material/record_voice_over:", key="speak",
                 disabled=not ready):  # fmt: skip
        with shell.errors(viewer):
            order = SpeechInput(text=text, voice=voice, speed=pace)
            with database.session(viewer.actor) as session:
                jobs.submit(session, viewer.actor, "audio.speech", order)
            st.rerun()
    missing = [one for one in voices.PIPER.values() if one.name not in voices.installed()]
    if missing:
        with st.expander(t("voice.more", lang)):
            for one in missing:
                offer(viewer, one, key=f"voice-{one.name}")


def offer(viewer: shell.Viewer, voice: voices.Voice, *, key: str) -> None:
    """Download a voice, or show how far that is."""
    lang = viewer.lang
    job = models.download_job(viewer, voice.name)
    if job is not None:
        work.show_live(viewer, [job], {job.id: voice.title}, key=f"{key}-job")
        return
    label = t("voice.download", lang, name=voice.title, size=file_size(voice.size_bytes))
    if viewer.may_edit and st.button(label, key=key, icon=":material/download:"):
        models.start_download(viewer, voice.name)
    shell.facts(t("settings.licence", lang, name=voice.licence))


def show_models(viewer: shell.Viewer) -> None:
    """The voices among the models of the settings page."""
    lang = viewer.lang
    here = voices.installed()
    for voice in voices.PIPER.values():
        with st.container(border=True):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{t('voice.settings_title', lang, name=voice.title)}**")
                if voice.name in here:
                    shell.chips((t("settings.installed", lang), "good"))
            if voice.name in here:
                shell.facts(file_size(voice.size_bytes), t("settings.licence", lang, name=voice.licence))
            else:
                offer(viewer, voice, key=f"settings-{voice.name}")

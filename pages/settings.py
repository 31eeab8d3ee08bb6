"""Settings: the reader, the services and their keys, models, people, storage and limits."""

from __future__ import annotations

from zoneinfo import available_timezones

import streamlit as st

from core import assets, database, security, speech
from core.i18n import LANGUAGES, duration, file_size, t
from core.models.identity import User
from core.music.generation import MUSICGEN_SMALL
from core.music.separation import HTDEMUCS
from core.preferences import CURRENCIES, store_value, stored_names
from core.settings import get_settings
from core.storage import storage
from pages import shell, work
from pages.chat import model as model_parts
from pages.components.sign_out import sign_out
from pages.components.upload import size_limit
from pages.editor import speech as speech_parts
from pages.editor import translate
from pages.lab import stems as stem_parts
from pages.lab import voice
from pages.money import cards
from providers.registry import ProviderInfo, providers

ROLES = ("editor", "viewer")


def you(viewer: shell.Viewer) -> None:
    """Language, time zone, currency."""
    lang = viewer.lang
    zones = sorted(available_timezones())
    with st.form("you", border=True):
        language = st.segmented_control(
            t("settings.language", lang),
            list(LANGUAGES),
            format_func=LANGUAGES.__getitem__,
            default=lang,
            required=True,
            key="settings_language",
        )
        zone = st.selectbox(
            t("settings.zone", lang),
            zones,
            index=zones.index(viewer.zone) if viewer.zone in zones else zones.index("UTC"),
            format_func=lambda name: name.replace("_", " "),
            key="settings_zone",
        )
        currencies = list(dict.fromkeys([viewer.currency, *CURRENCIES]))
        currency = st.selectbox(t("settings.currency", lang), currencies, key="settings_currency")
        if st.form_submit_button(t("common.save", lang), type="primary"):
            with shell.errors(viewer):
                shell.remember_choices(viewer, language or lang, zone, currency)
                st.toast(t("common.saved", language or lang))
                st.session_state.pop("language_switch", None)
                st.rerun()


def services(viewer: shell.Viewer) -> None:
    """What does the work, ready or why not, and the keys of what needs one."""
    lang = viewer.lang
    st.caption(t("settings.services_lead", lang))
    with database.session(viewer.actor) as session:
        known = providers(session, viewer.actor.owner_id)
        stored = stored_names(session)
    names = list(dict.fromkeys(name for provider in known for name in provider.keys))
    for kind in dict.fromkeys(provider.kind for provider in known):
        st.markdown(f"**{t(f'provider_kind.{kind}', lang)}**")
        with st.container(border=True):
            for provider in known:
                if provider.kind == kind:
                    _service(provider, lang)
    if names:
        keys(viewer, names, stored)
    model_parts.form(viewer)


def _service(provider: ProviderInfo, lang: str) -> None:
    hosted = {"hosted-speech": "settings.hosted_speech", "hosted-translation": "settings.hosted_translation"}
    title = t(hosted[provider.name], lang) if provider.name in hosted else provider.title
    shell.headline(
        title,
        "",
        (t("settings.ready" if provider.ready else "settings.not_ready", lang), "good" if provider.ready else "wait"),
        (t("settings.simulated", lang) if provider.simulated else "", "sim"),
    )
    st.caption(shell.plain(provider.reason_in(lang)))


def keys(viewer: shell.Viewer, names: list[str], stored: dict[str, bool]) -> None:
    """Write-only keys."""
    lang = viewer.lang
    st.subheader(t("settings.keys", lang))
    st.caption(t("settings.keys_lead", lang))
    if viewer.actor.role != "owner":
        st.info(t("settings.key_owner", lang))
        return
    name = st.selectbox(t("settings.key_name", lang), names, key="key_name")
    present = name in stored
    shell.chips((t("settings.key_set" if present else "settings.key_missing", lang), "good" if present else ""))
    with st.form("key", border=False, clear_on_submit=True):
        value = st.text_input(t("settings.key_value", lang), type="password", key="key_value", autocomplete="off")
        with st.container(horizontal=True):
            save = st.form_submit_button(t("settings.key_save", lang), type="primary")
            remove = present and st.form_submit_button(t("settings.key_remove", lang))
    if (save and value) or remove:
        with shell.errors(viewer):
            with database.session(viewer.actor) as session:
                store_value(session, viewer.actor, name, "" if remove else value.strip(), secret=True)
            st.toast(t("common.saved", lang))
            st.rerun()


def models(viewer: shell.Viewer) -> None:
    """Speech models and the weights of Demucs and MusicGen: installed, or to be downloaded with size and licence."""
    lang = viewer.lang
    st.caption(t("settings.models_lead", lang))
    installed = speech.installed()
    for model in speech.CATALOGUE.values():
        with st.container(border=True):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{model.title}**")
                if model.name in installed:
                    shell.chips((t("settings.installed", lang), "good"))
            shell.facts(file_size(model.size_bytes), t("settings.licence", lang, name=model.licence))
            if model.name in installed:
                continue
            job = speech_parts.download_job(viewer, model.name)
            if job is not None:
                work.show_live(viewer, [job], {job.id: model.title}, key=f"download-{model.name}")
            elif viewer.may_edit and st.button(
                t("settings.download", lang), key=f"download-{model.name}", icon=":material/download:"
            ):
                speech_parts.start_download(viewer, model.name)
    for weights in (HTDEMUCS, MUSICGEN_SMALL):
        stem_parts.show_weights(viewer, weights)
    voice.show_models(viewer)
    translate.show_weights(viewer)


def people(viewer: shell.Viewer) -> None:
    """The password of the signed-in user; an owner lets others in."""
    lang = viewer.lang
    with database.session() as session:
        me = session.get_one(User, viewer.actor.user_id)
        signed_up = security.somebody_signed_up(session)
        address, has_password = me.email or "", me.password_hash is not None
    if not signed_up:
        st.info(t("settings.no_password", lang))
    else:
        sign_out(lang, key="sign_out")
    with st.form("password", clear_on_submit=True):
        email = st.text_input(t("settings.email", lang), address, key="own_email", autocomplete="username")
        password = st.text_input(
            t("settings.password", lang), type="password", key="own_password", autocomplete="new-password"
        )
        current = has_password and st.text_input(
            t("settings.current_password", lang),
            type="password",
            key="current_password",
            autocomplete="current-password",
        )
        if st.form_submit_button(t("settings.set_password", lang)):
            with shell.errors(viewer):
                with database.session() as session:
                    user = session.get_one(User, viewer.actor.user_id)
                    cookie = st.context.cookies.get(security.SESSION_COOKIE)
                    security.change_password(session, user, email, password, current=current or None, keep=cookie)
                st.success(t("settings.password_set", lang))
    if viewer.actor.role != "owner" or not signed_up:
        return
    st.subheader(t("settings.invite", lang))
    st.caption(t("settings.people_lead", lang))
    by_provider = get_settings().has_identity_provider
    if by_provider:
        st.caption(t("settings.people_provider", lang, provider=shell.plain(get_settings().oidc_name)))
    with st.form("invite", clear_on_submit=True):
        email = st.text_input(t("settings.email", lang), key="new_email", autocomplete="off")
        password = st.text_input(
            t("settings.password", lang), type="password", key="new_password", autocomplete="new-password"
        )
        role = st.selectbox(
            t("settings.role", lang), ROLES, format_func=lambda name: t(f"role.{name}", lang), key="role"
        )
        if st.form_submit_button(t("settings.invite", lang), type="primary"):
            with shell.errors(viewer):
                with database.session() as session:
                    security.add_user(session, viewer.actor, email, password, role, by_provider=by_provider)
                st.success(t("settings.added", lang, email=shell.plain(email)))


def limits(viewer: shell.Viewer) -> None:
    """Where things lie and how much may be used."""
    lang = viewer.lang
    settings = get_settings()
    with database.session(viewer.actor) as session:
        used = assets.disk_used(session)
    figures = {
        "used": file_size(used),
        "free": file_size(storage().free_bytes()),
        "never_filled": file_size(settings.min_free_bytes),
        "largest": size_limit(settings.max_upload_bytes),
        "longest_job": duration(settings.job_time_limit, lang),
    }
    cards.show([cards.Figure(t(f"settings.{name}", lang), value) for name, value in figures.items()], "")
    if viewer.actor.role == "owner":
        st.markdown(f"**{t('settings.folder', lang)}**")
        st.code(str(settings.root), language=None)
    st.caption(t("settings.limits_how", lang))


def main() -> None:
    viewer = shell.open_page("settings")
    parts = {"you": you, "services": services, "models": models, "people": people, "storage": limits}
    tabs = shell.tabs([t(f"settings.{name}", viewer.lang) for name in parts])
    for tab, show in zip(tabs, parts.values(), strict=True):
        with tab:
            show(viewer)


main()

"""A song's stems in the Music Lab: separate it, hear the stems together, export what is heard (SPEC M2)."""

from __future__ import annotations

from uuid import UUID

import streamlit as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import assets, database, jobs
from core.i18n import clock, file_size, has, moment, t
from core.models.assets import Asset, AssetLink, StemGroup
from core.models.jobs import Job
from core.music import stems
from core.music.separation import HTDEMUCS, StemModel, model_installed
from core.music.stem_payloads import MixFormat, MixInput, MixTrack, StemsInput
from pages import media, shell, work
from pages.components.mixer import Level, Strip, mixer
from pages.editor import speech as models
from providers.registry import ProviderInfo, providers

FORMATS: tuple[MixFormat, ...] = ("wav", "mp3", "m4a")


def newest_job(session: Session, asset_id: UUID) -> Job | None:
    """The newest separation of a song, whatever became of it."""
    return session.scalar(
        select(Job)
        .where(Job.kind == "audio.stems", Job.payload["audio_asset_id"].astext == str(asset_id))
        .order_by(Job.created_at.desc())
        .limit(1)
    )


def show(viewer: shell.Viewer, song: Asset) -> None:
    """The whole part, under the song's own waveform."""
    lang = viewer.lang
    with database.session(viewer.actor) as session:
        groups = stems.groups_of(session, song.id)
        job = newest_job(session, song.id)
        known = {one.name: one for one in providers(session, viewer.actor.owner_id) if one.kind == "stems"}
    st.subheader(t("stems.title", lang))
    if not groups:
        st.caption(t("stems.lead", lang))
    idle = work.wait_for(viewer, job, key="stems_job")
    if groups:
        _group(viewer, song, groups, known)
    if viewer.may_edit and (idle or job is None or job.status not in work.LIVE):
        if groups:
            with st.expander(t("stems.again", lang)):
                _separate(viewer, song, known)
        else:
            _separate(viewer, song, known)


def _separate(viewer: shell.Viewer, song: Asset, known: dict[str, ProviderInfo]) -> None:
    """Who shall do it, what each can or lacks, and the button."""
    lang = viewer.lang
    picked = st.radio(
        t("stems.provider", lang),
        list(known),
        format_func=lambda name: known[name].title,
        captions=[shell.plain(one.reason_in(lang)) for one in known.values()],
        key="stems_provider",
    )
    chosen = known[picked]
    if st.button(
        t("stems.separate", lang), type="primary", icon=":material/call_split:", key="separate",
        disabled=not chosen.ready,
    ):  # fmt: skip
        with shell.errors(viewer):
            order = StemsInput.model_validate({"audio_asset_id": song.id, "provider": picked})
            with database.session(viewer.actor) as session:
                jobs.submit(session, viewer.actor, "audio.stems", order)
            st.rerun()
    if chosen.reason_key.endswith(".download"):
        offer_weights(viewer, HTDEMUCS, key="stems_weights")


def offer_weights(viewer: shell.Viewer, model: StemModel, *, key: str) -> None:
    """Download the weights of an engine, or show how far that is."""
    job = models.download_job(viewer, model.name)
    if job is not None:
        work.show_live(viewer, [job], {job.id: model.title}, key=f"{key}-job")
        return
    label = t("stems.download", viewer.lang, name=model.title, size=file_size(model.size_bytes))
    if viewer.may_edit and st.button(label, key=key, icon=":material/download:"):
        models.start_download(viewer, model.name)


def show_weights(viewer: shell.Viewer, model: StemModel) -> None:
    """The weights of an engine among the models of the settings page."""
    lang = viewer.lang
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{model.title}**")
            if model_installed(model):
                shell.chips((t("settings.installed", lang), "good"))
        shell.facts(file_size(model.size_bytes), t("settings.licence", lang, name=model.licence))
        if not model_installed(model):
            offer_weights(viewer, model, key=f"settings_weights-{model.name}")


def _group(viewer: shell.Viewer, song: Asset, groups: list[StemGroup], known: dict[str, ProviderInfo]) -> None:
    lang = viewer.lang
    names = {
        row.id: t(
            "stems.group", lang, provider=_by(row, known, lang), when=moment(row.created_at, lang, viewer.zone)
        )
        for row in groups
    }  # fmt: skip
    picked = groups[0].id
    if len(groups) > 1:
        picked = st.selectbox(t("stems.which", lang), list(names), format_func=names.__getitem__, key="stem_group")
    group = next(row for row in groups if row.id == picked)
    with database.session(viewer.actor) as session:
        members = stems.members(session, group)
        curve = media.peaks(session, song)
        mixes = mixes_of(session, members)
    if len(groups) == 1:
        st.caption(names[group.id])
    if len(members) < len(group.stems):
        st.caption(t("stems.incomplete", lang))
    labels = {name: stem_name(name, lang) for name in members}
    levels = mixer(
        lang,
        [Strip(stem=name, label=labels[name], src=shell.content_url(row.id)) for name, row in members.items()],
        key=f"mixer-{group.id}",
        title=song.name,
        duration=song.duration_seconds or 0.0,
        peaks=curve,
    )
    if viewer.may_edit:
        _export(viewer, song, members, levels)
    shell.download_links(
        [
            (t("stems.download_stem", lang, stem=labels[name]), shell.content_url(row.id, download=True))
            for name, row in members.items()
        ]
    )
    if mixes:
        st.markdown(f"**{t('stems.mixes', lang)}**")
        for row in mixes:
            if st.button(f"{row.name} · {clock(row.duration_seconds or 0)}", key=f"mix-{row.id}", type="tertiary"):
                st.query_params.from_dict({"asset": str(row.id)})
                st.rerun()
            if lowered := row.details.get("lowered_db"):
                st.caption(t("stems.lowered", lang, value=lowered))


def _by(group: StemGroup, known: dict[str, ProviderInfo], lang: str) -> str:
    if group.provider == stems.COMPOSER:
        return t("stems.composed", lang)
    return known[group.provider].title if group.provider in known else group.provider


def stem_name(stem: str, lang: str) -> str:
    """What a stem is called: one that was separated, or an instrument of a composed song."""
    return t(f"stem.{stem}" if has(f"stem.{stem}") else f"instrument.{stem}", lang)


def mixes_of(session: Session, members: dict[str, Asset]) -> list[Asset]:
    """What was mixed of these stems, newest first."""
    made_of = select(AssetLink.child_id).where(
        AssetLink.role == "track", AssetLink.parent_id.in_([row.id for row in members.values()])
    )
    return list(session.scalars(select(Asset).where(Asset.id.in_(made_of)).order_by(Asset.created_at.desc()).limit(20)))


def _export(viewer: shell.Viewer, song: Asset, members: dict[str, Asset], levels: dict[str, Level]) -> None:
    """What is heard now as a file."""
    lang = viewer.lang
    job = _mix_job(viewer, members)
    if job is not None and job.status != "succeeded":
        work.wait_for(viewer, job, key="mix_job")
    with st.popover(t("stems.export", lang), icon=":material/download:"):
        st.caption(t("stems.export_help", lang))
        form = st.segmented_control(
            t("stems.format", lang), FORMATS, default="wav", required=True, format_func=str.upper, key="mix_format"
        )
        heard = [name for name in members if not levels[name]["muted"]]
        name = st.text_input(t("stems.name", lang), _suggested(song, members, heard, lang), key=f"mix_name-{heard}")
        if not heard:
            st.caption(t("stems.silent", lang))
        if st.button(t("stems.export", lang), type="primary", key="export_mix", disabled=not heard):
            with shell.errors(viewer):
                order = MixInput(
                    tracks=tuple(MixTrack(asset_id=row.id, **levels[stem]) for stem, row in members.items()),
                    format=form or "wav",
                    name=name.strip()[:120] or None,
                )
                with database.session(viewer.actor) as session:
                    jobs.submit(session, viewer.actor, "audio.mix", order)
                st.rerun()


def _suggested(song: Asset, members: dict[str, Asset], heard: list[str], lang: str) -> str:
    stem = song.name.rsplit(".", 1)[0][:90]
    if "vocal" in members and heard == [name for name in members if name != "vocal"]:
        return f"{stem} {t('mixer.karaoke', lang)}"
    if heard == ["vocal"]:
        return f"{stem} {t('mixer.acapella', lang)}"
    return f"{stem} mix"


def _mix_job(viewer: shell.Viewer, members: dict[str, Asset]) -> Job | None:
    """The newest mix of these stems."""
    first = next(iter(members.values()), None)
    if first is None:
        return None
    with database.session(viewer.actor) as session:
        return session.scalar(
            select(Job)
            .where(Job.kind == "audio.mix", Job.payload["tracks"].contains([{"asset_id": str(first.id)}]))
            .order_by(Job.created_at.desc())
            .limit(1)
        )


def song_of(viewer: shell.Viewer, stem: Asset) -> Asset | None:
    """The song a stem was separated from, while it is there."""
    with database.session(viewer.actor) as session:
        return next((row for row, role in assets.lineage(session, stem.id).parents if role == stems.ROLE), None)


def belongs(viewer: shell.Viewer, stem: Asset) -> None:
    """On a stem's own page: whose it is, and the way there."""
    song = song_of(viewer, stem)
    if song is None:
        return
    st.caption(t("stems.of_song", viewer.lang, name=shell.plain(song.name)))
    if st.button(t("stems.to_song", viewer.lang), key="to_song", icon=":material/arrow_back:", type="tertiary"):
        st.query_params.from_dict({"asset": str(song.id)})
        st.rerun()

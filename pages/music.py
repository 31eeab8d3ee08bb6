"""The Music Lab: bring in sound, see its tempo, beats and key on the waveform, put it under a video, read its tab."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import streamlit as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import assets, database, jobs
from core.i18n import clock, moment, percent, t
from core.models.assets import Asset, AudioAnalysis
from core.models.jobs import Job
from core.models.publishing import Episode
from core.music.keys import roman_numeral
from core.music.payloads import AnalyzeInput, ImportAudioInput
from core.music.stems import is_stem
from core.publishing import episodes
from core.publishing.payloads import EpisodeInput
from core.settings import get_settings
from pages import media, shell, work
from pages.components.upload import upload
from pages.components.waveform import ChordMark, SectionMark, waveform
from pages.editor import arrivals, tracks
from pages.editor import choices as choice_form
from pages.editor import project as projects
from pages.lab import compose, episode, remaster, tabs, voice
from pages.lab import stems as stem_parts

SOUND = "audio/*,video/*,.mkv,.mov,.flac,.m4a,.opus"


def analysis_of(session: Session, asset: Asset) -> AudioAnalysis | None:
    return session.scalar(select(AudioAnalysis).where(AudioAnalysis.audio_asset_id == asset.id))


def take_sound(viewer: shell.Viewer, source: UUID | str) -> None:
    """Import the sound of an asset; the page waits for it by its address."""
    with shell.errors(viewer):
        with database.session(viewer.actor) as session:
            asset = assets.get(session, source)
            job = jobs.submit(session, viewer.actor, "audio.import", ImportAudioInput(source_asset_id=asset.id))
            identifier = job.id
        st.query_params.from_dict({"import": str(identifier)})
        st.rerun()


def await_import(viewer: shell.Viewer, identifier: str) -> None:
    """The import under way; when it is done its song opens and is listened to at once."""
    with database.session(viewer.actor) as session:
        job = database.get_owned(session, Job, identifier)
        made = str((job.result or {}).get("audio_asset_id") or "")
    arrivals.show_notes(viewer, identifier)
    if not work.wait_for(viewer, job, key="import"):
        return
    with shell.errors(viewer):
        with database.session(viewer.actor) as session:
            asset = assets.get(session, made)
            if analysis_of(session, asset) is None and viewer.may_edit:
                jobs.submit(session, viewer.actor, "music.analyze", AnalyzeInput(audio_asset_id=asset.id))
    st.query_params.from_dict({"asset": made})
    st.rerun()


def analysis_job(session: Session, asset: Asset) -> Job | None:
    """The newest listening job of a song."""
    return session.scalar(
        select(Job)
        .where(Job.kind == "music.analyze", Job.payload["audio_asset_id"].astext == str(asset.id))
        .order_by(Job.created_at.desc())
        .limit(1)
    )


def badges(row: AudioAnalysis, lang: str) -> list[str]:
    """The short facts above the waveform; the user's corrections win over the measurement."""
    known: dict[str, Any] = {**row.result, **{name: value for name, value in row.corrections.items() if value}}
    found = []
    if known.get("bpm"):
        found.append(t("music.bpm", lang, value=f"{float(known['bpm']):.0f}"))
    if known.get("key"):
        found.append(_key_badge(known, row, lang))
    if _says_scale(known) and "key" not in row.corrections:
        found.append(t(f"music.scale.{str(known['scale']).replace(' ', '_')}", lang))
    if known.get("time_signature"):
        found.append(t("music.metre", lang, value=known["time_signature"]))
    return found


def _key_badge(known: dict[str, Any], row: AudioAnalysis, lang: str) -> str:
    """The key; how sure the studio is of it only where it is the studio's own finding."""
    name = media.key_name(str(known["key"]), lang)
    if known.get("key_confidence") is None or "key" in row.corrections:
        return t("music.key", lang, value=name)
    return t("music.key_sure", lang, value=name, sure=percent(float(known["key_confidence"])))


def _says_scale(known: dict[str, Any]) -> bool:
    """Whether another scale than the key's own is clear enough to speak of."""
    return known.get("scale") not in (None, "major", "minor") and float(known.get("scale_confidence") or 0) >= 0.2


def song(viewer: shell.Viewer, identifier: str) -> None:
    """One song: waveform with beats, facts, and using it."""
    lang = viewer.lang
    with database.session(viewer.actor) as session:
        asset = assets.get(session, identifier)
        row = analysis_of(session, asset)
        job = analysis_job(session, asset)
        curve = media.peaks(session, asset)
    if st.button(t("music.all", lang), icon=":material/arrow_back:", type="tertiary", key="all_songs"):
        st.query_params.clear()
        st.rerun()
    if asset.kind != "audio":
        shell.facts(asset.name, clock(asset.duration_seconds or 0))
        if st.button(t("music.take_sound", lang), type="primary", disabled=not viewer.may_edit, key="take_this"):
            take_sound(viewer, asset.id)
        return
    result = row.result if row else {}
    waveform(
        lang,
        shell.content_url(asset.id),
        key=f"wave-{asset.id}",
        title=asset.name,
        duration=asset.duration_seconds or float(result.get("duration_seconds") or 0),
        peaks=curve or energy(result),
        beats=result.get("beats") or [],
        downbeats=result.get("downbeats") or [],
        badges=badges(row, lang) if row else [],
        chords=chord_marks(row) if row else [],
        sections=episode.chapter_marks(asset) if episode.is_episode(asset) else section_marks(result, lang),
    )
    if episode.is_episode(asset):
        episode.show(viewer, asset)
        return
    if job is not None and job.status != "succeeded" and (row is None or job.status in work.LIVE):
        work.wait_for(viewer, job, key="analysis")
    elif row is None:
        st.caption(t("music.not_analyzed", lang))
    if viewer.may_edit and not asset.details.get("generated") and (job is None or job.status not in work.LIVE):
        label = t("music.analyze_again" if row else "music.analyze", lang)
        if st.button(label, type="secondary" if row else "primary", icon=":material/graphic_eq:", key="analyze"):
            with shell.errors(viewer):
                with database.session(viewer.actor) as session:
                    jobs.submit(session, viewer.actor, "music.analyze", AnalyzeInput(audio_asset_id=asset.id))
                st.rerun()
    compose.made(viewer, asset)
    if viewer.may_edit:
        with st.container(horizontal=True):
            use_it(viewer, asset)
            compose.offer_another(viewer, asset)
            if not is_stem(asset):
                draft_of(viewer, asset)
    whole = (t("common.download", lang), shell.content_url(asset.id, download=True))
    shell.download_links([whole, *compose.score_links(viewer, asset)])
    if is_stem(asset):
        stem_parts.belongs(viewer, asset)
    else:
        remaster.belongs(viewer, asset)
        stem_parts.show(viewer, asset)
    remaster.show(viewer, asset)
    if row is not None:
        tabs.show(viewer, asset)


def chord_marks(row: AudioAnalysis) -> list[ChordMark]:
    """The chords to jump to, their degrees in the key the user knows better, if they said so."""
    key = row.corrections.get("key") or row.result.get("key")
    return [
        ChordMark(
            start=float(one["time"]), chord=one["chord"], roman=roman_numeral(one["chord"], str(key)) if key else ""
        )
        for one in row.result.get("chords") or []
        if one["chord"] != "N"
    ]


def section_marks(result: dict[str, Any], lang: str) -> list[SectionMark]:
    """The parts of the song by name; where a name comes back for something else, it is numbered ("Verse 2")."""
    found = result.get("sections") or []
    labels = list(dict.fromkeys(one["label"] for one in found))
    kinds: dict[str, list[str]] = {}
    for one in found:
        letters = kinds.setdefault(one["name"], [])
        if one["label"] not in letters:
            letters.append(one["label"])
    marks = []
    for one in found:
        name = t(f"music.part.{one['name']}", lang)
        if len(kinds[one["name"]]) > 1:
            name = f"{name} {kinds[one['name']].index(one['label']) + 1}"
        marks.append(
            SectionMark(start=float(one["start"]), end=float(one["end"]), name=name, tone=labels.index(one["label"]))
        )
    return marks


def energy(result: dict[str, Any]) -> list[float]:
    """The measured energy as a picture of the sound, where no waveform was drawn for the file."""
    curve = result.get("energy_curve") or {}
    values = [float(value) for value in (curve.get("values") or [])] if isinstance(curve, dict) else []
    top = max(values, default=0.0)
    return [max(value, 0.0) / top for value in values] if top > 0 else []


def use_it(viewer: shell.Viewer, asset: Asset) -> None:
    """Put the song under a project's video."""
    lang = viewer.lang
    with database.session(viewer.actor) as session:
        rows = {one.id: one.name for one, source in projects.recent(session, limit=20) if source is not None}
    with st.popover(t("music.use", lang), icon=":material/queue_music:"):
        if not rows:
            st.write(t("music.no_project", lang))
            return
        names = {str(one): name for one, name in rows.items()}
        asked = st.query_params.get("project")
        picked = st.selectbox(
            t("music.use_in", lang), list(names), list(names).index(asked) if asked in names else 0,
            format_func=names.__getitem__, key="use_in",
        )  # fmt: skip
        if st.button(t("music.use", lang), type="primary", key="use_now"):
            with shell.errors(viewer):
                with database.session(viewer.actor) as session:
                    stored = projects.state_of(projects.get_project(session, picked)).choices
                choice_form.remember(viewer, UUID(picked), stored.model_copy(update={"music": f"asset:{asset.id}"}))
                st.session_state.pop(f"choice-music-{picked}", None)
                st.switch_page("video.py", query_params={"project": str(picked)})


def draft_of(viewer: shell.Viewer, asset: Asset) -> None:
    """A song becomes an episode when its user says so; most are only made to lie under a voice (SPEC I2)."""
    lang = viewer.lang
    with database.session(viewer.actor) as session:
        drafted = session.scalar(
            select(Episode.id).where(Episode.asset_id == asset.id, Episode.state != "discarded").limit(1)
        )
    if drafted is not None:
        if st.button(t("compose.to_drafts", lang), key="to_drafts", icon=shell.ICONS["publishing"]):
            st.switch_page("publishing.py")
    elif st.button(
        t("compose.draft", lang), key="make_draft", icon=":material/draft:", help=t("compose.draft_help", lang)
    ):
        with shell.errors(viewer):
            with database.session(viewer.actor) as session:
                title = asset.name.rsplit(".", 1)[0][:100]
                episodes.create(session, viewer.actor, EpisodeInput(title=title, asset_id=asset.id))
            st.toast(t("compose.drafted", lang))
            st.rerun()


def listing(viewer: shell.Viewer) -> None:
    """What there is, and beside it the ways to make something new."""
    parts = {"music.songs": songs_of}
    if viewer.may_edit:
        parts |= {"compose.title": compose.show, "voice.title": voice.show, "podcast.title": episode.offer}
    tabs = shell.tabs([t(name, viewer.lang) for name in parts])
    for tab, show in zip(tabs, parts.values(), strict=True):
        with tab:
            show(viewer)


def songs_of(viewer: shell.Viewer) -> None:
    lang = viewer.lang
    if viewer.may_edit:
        st.subheader(t("music.bring", lang))
        st.caption(t("music.bring_lead", lang))
        arrived = upload(
            lang, key="music_upload", accept=SOUND, multiple=False, max_bytes=get_settings().max_upload_bytes
        )
        if arrived:
            take_sound(viewer, arrived.asset_ids[0])
    with database.session(viewer.actor) as session:
        songs = [row for row in tracks.own_songs(session) if not voice.is_voice_over(row)]
        videos = [row for row in assets.search(session, kind="video", limit=40) if row.has_audio and row.job_id is None]
        known = {
            row.audio_asset_id: row
            for row in session.scalars(
                select(AudioAnalysis).where(AudioAnalysis.audio_asset_id.in_([one.id for one in songs]))
            )
        }
    if videos and viewer.may_edit:
        names = {row.id: row.name for row in videos}
        with st.expander(t("music.from_library", lang)):
            picked = st.selectbox(
                t("music.from_library", lang),
                list(names),
                format_func=names.__getitem__,
                label_visibility="collapsed",
                key="sound_of",
            )
            if st.button(t("music.take_sound", lang), key="take_sound"):
                take_sound(viewer, picked)
    if not songs:
        shell.empty(t("music.empty_title", lang), t("music.empty", lang))
    for start in range(0, len(songs), 3):
        for column, row in zip(st.columns(3), songs[start : start + 3], strict=False):
            with column, st.container(border=True):
                st.markdown(f"**{shell.plain(row.name)}**")
                found = known.get(row.id)
                shell.facts(clock(row.duration_seconds or 0), moment(row.created_at, lang, viewer.zone))
                if found:
                    shell.chips(*((text, "") for text in badges(found, lang)))
                if st.button(t("common.open", lang), key=f"song-{row.id}", width="stretch"):
                    st.query_params.from_dict({"asset": str(row.id)})
                    st.rerun()
    tracks.show_builtin(viewer)


def main() -> None:
    viewer = shell.open_page("music")
    with shell.errors(viewer):
        if "import" in st.query_params:
            await_import(viewer, st.query_params["import"])
        elif "composing" in st.query_params:
            compose.wait(viewer, st.query_params["composing"])
        elif "episode" in st.query_params:
            episode.compose(viewer, st.query_params["episode"])
        elif "asset" in st.query_params:
            song(viewer, st.query_params["asset"])
        else:
            listing(viewer)


main()

"""Music to choose from: the built-in tracks and the songs of the Music Lab."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import streamlit as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import assets, database, jobs
from core.i18n import clock, t
from core.models.assets import Asset, AssetLink
from core.models.jobs import Job
from core.music.payloads import BuiltinTracksInput
from core.music.presets import PRESETS
from pages import shell, work
from pages.components.player import player


@dataclass(frozen=True)
class Track:
    """One choice. ``value`` is ``preset:<name>`` or ``asset:<id>``; without ``asset_id`` it is not recorded yet."""

    value: str
    label: str
    asset_id: UUID | None


def builtin(session: Session) -> dict[str, Asset]:
    """The recorded built-in tracks by preset name."""
    rows = session.scalars(
        select(Asset)
        .where(Asset.kind == "audio", Asset.details["builtin"].as_boolean(), Asset.details["audio_preset"].is_not(None))
        .order_by(Asset.created_at)
    )
    return {str(row.details["audio_preset"]): row for row in rows}


def own_songs(session: Session) -> list[Asset]:
    """The user's songs, newest first: a song that was imported is shown once, as its 48 kHz copy, and without its
    stems, which are found with it."""
    imported = (
        select(AssetLink.parent_id)
        .join(Job, Job.kind == "audio.import")
        .join(Asset, (Asset.id == AssetLink.child_id) & (Asset.job_id == Job.id))
        .where(AssetLink.role == "source")
    )
    replaced = set(session.scalars(imported))
    rows = assets.search(session, kind="audio", with_stems=False, limit=200)
    return [row for row in rows if not row.details.get("builtin") and row.id not in replaced]


def options(session: Session, lang: str) -> list[Track]:
    """Built-in tracks first, then the user's own songs."""
    recorded = builtin(session)
    found = [
        Track(f"preset:{name}", t(preset.title_key, lang), recorded[name].id if name in recorded else None)
        for name, preset in PRESETS.items()
    ]
    found += [
        Track(f"asset:{row.id}", f"{row.name} · {clock(row.duration_seconds or 0)}", row.id)
        for row in own_songs(session)
    ]
    return found


def recording_job(viewer: shell.Viewer) -> Job | None:
    """The job that records the built-in tracks, while it runs."""
    with database.session(viewer.actor) as session:
        return next((job for job in work.live_jobs(session) if job.kind == "music.builtin"), None)


def offer_recording(viewer: shell.Viewer, *, key: str) -> None:
    """Record the built-in tracks so that they can be heard; a video that uses one records it by itself."""
    job = recording_job(viewer)
    if job is not None:
        work.show_live(viewer, [job], {}, key=f"{key}-job")
        return
    st.caption(t("video.music_not_ready", viewer.lang))
    if viewer.may_edit and st.button(t("video.music_prepare", viewer.lang), key=key, icon=":material/music_note:"):
        with shell.errors(viewer):
            with database.session(viewer.actor) as session:
                jobs.submit(session, viewer.actor, "music.builtin", BuiltinTracksInput())
            st.rerun()


def show_builtin(viewer: shell.Viewer) -> None:
    """The built-in tracks with a player each."""
    lang = viewer.lang
    st.subheader(t("music.builtin", lang))
    with database.session(viewer.actor) as session:
        recorded = builtin(session)
    st.caption(t("music.builtin_lead" if recorded else "music.builtin_missing", lang))
    if len(recorded) < len(PRESETS):
        offer_recording(viewer, key="record_builtin")
    known = [(name, recorded[name]) for name in PRESETS if name in recorded]
    for start in range(0, len(known), 4):
        for column, (name, asset) in zip(st.columns(4), known[start : start + 4], strict=False):
            with column, st.container(border=True):
                st.markdown(f"**{t(PRESETS[name].title_key, lang)}**")
                shell.facts(clock(asset.duration_seconds or 0), t("music.bpm", lang, value=f"{PRESETS[name].bpm:.0f}"))
                player(
                    shell.content_url(asset.id),
                    key=f"builtin-{name}",
                    title=t(PRESETS[name].title_key, lang),
                    audio=True,
                )

"""Tabs of a song: choose instrument and level, have it written, read and hear it, take it away (SPEC M4)."""

from __future__ import annotations

from typing import get_args

import streamlit as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import database, jobs
from core.i18n import moment, t
from core.models.assets import Asset
from core.models.jobs import Job
from core.music.payloads import TAB_FORMATS, TabInput
from core.music.tabs.library import StoredTab, tabs_of
from core.music.tabs.model import Difficulty, InstrumentName, Tab
from core.music.tabs.text import chord_sheet
from pages import shell, work
from pages.components.tab import tab as draw


def show(viewer: shell.Viewer, asset: Asset) -> None:
    """The part of a song's page about its tabs."""
    lang = viewer.lang
    with database.session(viewer.actor) as session:
        written = tabs_of(session, asset.id)
        job = _newest_job(session, asset)
    st.subheader(t("tabs.title", lang))
    if not written and viewer.may_edit:
        st.caption(t("tabs.lead", lang))
    if viewer.may_edit:
        _order(viewer, asset, busy=job is not None and job.status in work.LIVE)
    # A job that ended before the newest tab was made has nothing more to say.
    if job is not None and not any(job.created_at <= one.record.created_at for one in written):
        work.wait_for(viewer, job, key=f"tab-job-{asset.id}")
    if written:
        _read(viewer, written)
    elif not viewer.may_edit:
        shell.empty(t("tabs.none_title", lang), t("tabs.none", lang))


def _newest_job(session: Session, asset: Asset) -> Job | None:
    return session.scalar(
        select(Job)
        .where(Job.kind == "music.tab", Job.payload["audio_asset_id"].astext == str(asset.id))
        .order_by(Job.created_at.desc())
        .limit(1)
    )


def _order(viewer: shell.Viewer, asset: Asset, *, busy: bool) -> None:
    """Choose and start."""
    lang = viewer.lang
    instrument = st.segmented_control(
        t("tabs.instrument", lang),
        get_args(InstrumentName),
        default="guitar",
        required=True,
        format_func=lambda name: t(f"tabs.{name}", lang),
        key="tab_instrument",
    )
    difficulty = st.segmented_control(
        t("tabs.difficulty", lang),
        get_args(Difficulty),
        default="easy",
        required=True,
        format_func=lambda name: t(f"tabs.{name}", lang),
        key="tab_difficulty",
    )
    st.caption(t(f"tabs.{'bass_' if instrument == 'bass' else ''}{difficulty}_is", lang))
    if st.button(t("tabs.write", lang), type="primary", icon=":material/edit_note:", key="write_tab", disabled=busy):
        order = TabInput(audio_asset_id=asset.id, instrument=instrument, difficulty=difficulty, formats=TAB_FORMATS)
        with shell.errors(viewer):
            with database.session(viewer.actor) as session:
                jobs.submit(session, viewer.actor, "music.tab", order)
            st.rerun()


def _read(viewer: shell.Viewer, written: list[StoredTab]) -> None:
    """One of the tabs, the newest at first."""
    lang = viewer.lang
    names = {
        str(one.id): f"{_name(one.tab, lang)} · {moment(one.record.created_at, lang, viewer.zone)}" for one in written
    }
    picked = str(written[0].id)
    if len(written) > 1:
        # A tab that was just written is shown without being picked: its list is a new one.
        picked = st.selectbox(
            t("tabs.which", lang), list(names), format_func=names.__getitem__, key=f"which-tab-{len(written)}"
        )
    chosen = next(one for one in written if str(one.id) == picked)
    shell.headline(_name(chosen.tab, lang), "", *((text, "") for text in _facts(chosen.tab, lang)))
    if "gp5" in chosen.files:
        draw(lang, shell.content_url(chosen.files["gp5"].id), key=f"tab-{chosen.id}", title=_name(chosen.tab, lang))
    else:
        st.caption(t("tabs.not_drawn", lang))
    sheet = chord_sheet(chosen.tab)
    if sheet:
        with st.expander(t("tabs.chord_sheet", lang)):
            st.code(sheet, language=None)
    shell.download_links(
        [
            (t(f"tabs.as_{name}", lang), shell.content_url(chosen.files[name].id, download=True))
            for name in TAB_FORMATS
            if name in chosen.files
        ]
    )


def _name(tab: Tab, lang: str) -> str:
    return f"{t(f'tabs.{tab.instrument}', lang)} · {t(f'tabs.{tab.difficulty}', lang)}"


def _facts(tab: Tab, lang: str) -> list[str]:
    found = [t("music.bpm", lang, value=f"{tab.bpm:.0f}"), f"{tab.beats_per_bar}/{tab.beat_value}"]
    if tab.capo:
        found.append(t("tabs.capo", lang, fret=tab.capo))
    elif tab.suggested_capo:
        found.append(t("tabs.try_capo", lang, fret=tab.suggested_capo))
    return found

"""What becomes of dropped files: a project for each video, the Music Lab for sound, a word on what was refused."""

from __future__ import annotations

import streamlit as st

from core import assets, database, jobs
from core.i18n import t
from core.music.payloads import ImportAudioInput
from pages import shell
from pages.components.upload import Arrived
from pages.editor import project as projects

NOTES = "arrival_notes"


def receive(viewer: shell.Viewer, arrived: Arrived | None) -> None:
    """Open the first video that arrived; where there was only sound, the first song. Leaves the page."""
    if arrived is None:
        return
    with shell.errors(viewer):
        with database.session(viewer.actor) as session:
            rows = [assets.get(session, one) for one in arrived.asset_ids]
            videos = [projects.start(session, viewer.actor, row, "").id for row in rows if row.kind == "video"]
            songs = [
                jobs.submit(session, viewer.actor, "audio.import", ImportAudioInput(source_asset_id=row.id)).id
                for row in rows
                if row.kind == "audio"
            ]
        opened = (videos or songs)[0]
        st.session_state[NOTES] = (str(opened), len(videos), len(songs), arrived.refused)
        if videos:
            st.switch_page("video.py", query_params={"project": str(videos[0])})
        elif songs:
            st.switch_page("music.py", query_params={"import": str(songs[0])})


def offer_sample(viewer: shell.Viewer, *, primary: bool) -> None:
    """The button that makes the sample recording and opens its project."""
    if st.button(
        t("home.sample", viewer.lang),
        type="primary" if primary else "secondary",
        icon=":material/play_circle:",
        key="sample",
    ):
        with shell.errors(viewer):
            with database.session(viewer.actor) as session:
                project = projects.start_sample(session, viewer.actor, t("home.sample_name", viewer.lang))
                identifier = project.id
            st.switch_page("video.py", query_params={"project": str(identifier)})


def show_notes(viewer: shell.Viewer, opened: object) -> None:
    """On the project or import that a drop led to: how many there are, and which were refused and why. It stays as
    long as that is open."""
    of, videos, songs, refused = st.session_state.get(NOTES, ("", 0, 0, []))
    if of != str(opened):
        st.session_state.pop(NOTES, None)
        return
    if videos > 1:
        st.info(t("video.several", viewer.lang, count=videos), icon=":material/info:")
    if videos and songs:
        st.info(t("video.songs_too", viewer.lang, count=songs), icon=":material/music_note:")
    for name, why in refused:
        st.warning(f"**{shell.plain(name)}**  \n{shell.plain(why)}", icon=":material/error:")

"""What goes with a post besides its words: the thumbnail, captions that can be switched on, a playlist (SPEC P2.1).

What is chosen lies in the session until the dialog is opened for another episode; the platforms' limits are checked by
the dialog's preflight like everything else that goes into a plan.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import streamlit as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import assets, database, jobs
from core.errors import InvalidInput, NotFound
from core.i18n import LANGUAGES, t
from core.models.assets import Asset, AssetLink
from core.models.jobs import Job
from core.models.publishing import Episode, PlatformAccount
from core.publishing.payloads import CaptionFile
from core.publishing.rules import rules_of
from core.video.payloads import StillInput
from pages import media, shell, work
from pages.components.upload import upload
from pages.editor import subtitles

PICTURE, STILL = "publish_picture", "publish_still"
WAYS = ("keep", "frame", "upload")
SENT = ("srt", "vtt")
"""Subtitle formats that platforms take."""
_PLAYLIST = re.compile(r"(?:[?&]list=|^)([A-Za-z0-9_-]{2,100})(?:[&#].*)?$")


@dataclass(frozen=True)
class Material:
    """What was chosen; ``playlists`` holds what was typed for an account."""

    thumbnail: UUID | None = None
    captions: list[CaptionFile] = field(default_factory=list)
    playlists: dict[UUID, str] = field(default_factory=dict)

    def playlist_of(self, account_id: UUID) -> str | None:
        """The identifier of an account's playlist.

        Raises:
            InvalidInput: what was typed is neither its address nor its identifier.
        """
        typed = self.playlists.get(account_id, "").strip()
        return playlist_id(typed) if typed else None


def playlist_id(address: str) -> str:
    """The identifier in a playlist's address on YouTube, or the identifier itself.

    Raises:
        InvalidInput: it is neither.
    """
    found = _PLAYLIST.search(address)
    if found is None:
        raise InvalidInput(
            "This is no address of a playlist.",
            "Open the playlist on YouTube and copy its address, or leave the field empty.",
        )
    return found[1]


def forget() -> None:
    """Nothing is chosen (any more)."""
    for key in (PICTURE, STILL):
        st.session_state.pop(key, None)


def ask(viewer: shell.Viewer, episode: Episode, accounts: Sequence[PlatformAccount]) -> Material:
    """The part of the dialog that asks for it; answers what is chosen now."""
    with database.session(viewer.actor) as session:
        video = session.get(Asset, episode.asset_id) if episode.asset_id else None
    with st.expander(t("material.title", viewer.lang), icon=":material/image:"):
        if any(account.is_simulated for account in accounts):
            st.caption(t("material.simulated", viewer.lang))
        thumbnail = _ask_picture(viewer, episode, video, accounts)
        captions = _ask_captions(viewer, video) if video is not None else []
        playlists = {
            account.id: st.text_input(
                t("material.playlist", viewer.lang, account=account.name),
                help=t("material.playlist_help", viewer.lang),
                key=f"publish_playlist-{account.id}",
                max_chars=300,
            )
            for account in accounts
            if account.platform == "youtube"
        }
    return Material(thumbnail, captions, playlists)


def _ask_picture(
    viewer: shell.Viewer, episode: Episode, video: Asset | None, accounts: Sequence[PlatformAccount]
) -> UUID | None:
    lang = viewer.lang
    way = st.segmented_control(
        t("material.picture", lang),
        WAYS if video is not None else ("keep", "upload"),
        default="keep",
        required=True,
        format_func=lambda name: t(f"material.{name}", lang),
        key="publish_picture_way",
    )
    if way == "keep":
        if not _show(viewer, episode.thumbnail_asset_id):
            st.caption(t("material.platform_chooses", lang))
        return None
    left, right = st.columns(2)
    with left:
        if way == "frame" and video is not None:
            _take_still(viewer, video)
        else:
            _receive(viewer, accounts)
    chosen = st.session_state.get(PICTURE)
    with right:
        if chosen is None or not _show(viewer, chosen):
            return None
        st.caption(t("material.taken", lang))
    return UUID(str(chosen))


def _show(viewer: shell.Viewer, asset_id: object) -> bool:
    """The chosen picture, small; False when there is none (any more)."""
    if not asset_id:
        return False
    try:
        with database.session(viewer.actor) as session:
            picture = assets.get(session, UUID(str(asset_id)))
    except NotFound:
        return False
    name = html.escape(picture.name, quote=True)
    st.html(f'<img class="studio-still" src="{shell.content_url(picture.id)}" alt="{name}">')
    return True


def _take_still(viewer: shell.Viewer, video: Asset) -> None:
    """A moment on a slider, shown by the browser itself; the button has the picture made, at full size."""
    length = max(video.duration_seconds or 0.0, 0.2)
    at = st.slider(
        t("material.moment", viewer.lang), 0.0, round(length, 1), round(length / 3, 1), 0.1, key="publish_moment"
    )
    with database.session(viewer.actor) as session:
        source = media.playable_url(session, video)
    st.html(f'<video class="studio-still" src="{source}#t={at:.1f}" preload="auto" muted playsinline></video>')
    if st.button(t("material.take", viewer.lang), key="publish_take", icon=":material/photo_camera:"):
        with shell.errors(viewer):
            with database.session(viewer.actor) as session:
                order = StillInput(video_asset_id=video.id, at_seconds=at)
                job = jobs.submit(session, viewer.actor, "video.still", order)
                st.session_state[STILL] = job.id
    waited = st.session_state.get(STILL)
    if waited is None:
        return
    with database.session(viewer.actor) as session:
        made = session.get(Job, waited)
    if work.wait_for(viewer, made, key="publish_still_job", toast=False) and made is not None:
        st.session_state[PICTURE] = (made.result or {})["asset_ids"][0]
        st.session_state.pop(STILL)


def _receive(viewer: shell.Viewer, accounts: Sequence[PlatformAccount]) -> None:
    """A picture of the user's own, no larger than every chosen platform takes."""
    limit = min((rules_of(account.platform).thumbnail_bytes for account in accounts), default=2 * 1024 * 1024)
    arrived = upload(
        viewer.lang,
        key="publish_upload",
        accept="image/jpeg,image/png",
        multiple=False,
        max_bytes=limit,
        hint=t("material.upload_hint", viewer.lang, size="{size}"),
    )
    if arrived is None:
        return
    with database.session(viewer.actor) as session:
        rows = [assets.get(session, one) for one in arrived.asset_ids]
    for row in rows:
        if row.kind == "image":
            st.session_state[PICTURE] = str(row.id)
        else:
            st.warning(t("material.not_a_picture", viewer.lang, name=shell.plain(row.name)), icon=":material/error:")
    for name, why in arrived.refused:
        st.warning(f"**{shell.plain(name)}**  \n{shell.plain(why)}", icon=":material/error:")


def caption_choices(session: Session, video: Asset) -> list[Asset]:
    """Subtitle files that can go with a video: those made of it, and those somebody uploaded, SRT before VTT."""
    own = [row for row in subtitles.files_of(session, video) if subtitles.format_of(row) in SENT]
    uploaded = session.scalars(
        select(Asset)
        .where(Asset.kind == "subtitle", Asset.job_id.is_(None), Asset.hidden.is_(False))
        .where(Asset.id.not_in(select(AssetLink.child_id)))
        .order_by(Asset.created_at.desc())
        .limit(20)
    )
    own.sort(key=lambda row: (subtitles.language_of(row), SENT.index(subtitles.format_of(row))))
    return [*own, *(row for row in uploaded if subtitles.format_of(row) in SENT)]


def _ask_captions(viewer: shell.Viewer, video: Asset) -> list[CaptionFile]:
    lang = viewer.lang
    with database.session(viewer.actor) as session:
        found = {row.id: row for row in caption_choices(session, video)}
    if found:
        picked = st.multiselect(
            t("material.captions", lang),
            list(found),
            format_func=lambda one: f"{subtitles.label_of(found[one], lang)} · {found[one].name}",
            key="publish_captions",
            placeholder=t("material.choose_captions", lang),
        )
    else:
        st.caption(t("material.no_captions", lang))
        picked = []
    subtitles.show(viewer, video, in_dialog=True)
    files: dict[str, CaptionFile] = {}
    twice = []
    for one in picked:
        language = subtitles.language_of(found[one]) or _ask_language(viewer, found[one])
        if language in files:
            twice.append(language)
        else:
            files[language] = CaptionFile(asset_id=one, language=language)
    if twice:
        names = ", ".join(t(f"language.{one}", lang) if one in LANGUAGES else one for one in dict.fromkeys(twice))
        st.warning(t("material.one_each", lang, languages=names), icon=":material/info:")
    return list(files.values())


def _ask_language(viewer: shell.Viewer, file: Asset) -> str:
    """An uploaded file does not say what language it is in."""
    return st.segmented_control(
        t("material.caption_language", viewer.lang, name=shell.plain(file.name)),
        list(LANGUAGES),
        default=viewer.lang,
        required=True,
        format_func=lambda name: t(f"language.{name}", viewer.lang),
        key=f"publish_caption_language-{file.id}",
    )

"""The library: every asset with its lineage, where it is used, its licence; rename, delete, disk used."""

from __future__ import annotations

from uuid import UUID

import streamlit as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import assets, database
from core.i18n import clock, file_size, moment, t
from core.models.assets import ASSET_KINDS, Asset
from core.models.jobs import Job
from core.models.publishing import Episode, PublicationRecord
from core.music import stems
from core.publishing.library import delete_asset, posts_of
from core.storage import storage
from pages import media, shell, work
from pages.editor import project as projects
from pages.editor import subtitles

PAGE = 24
ALL = "all"


def used_in(session: Session, asset_id: UUID) -> list[Episode]:
    """Episodes whose video or thumbnail this is."""
    return list(
        session.scalars(
            select(Episode)
            .where((Episode.asset_id == asset_id) | (Episode.thumbnail_asset_id == asset_id))
            .order_by(Episode.created_at.desc())
        )
    )


def what_it_is(asset: Asset, viewer: shell.Viewer) -> list[str]:
    return [
        clock(asset.duration_seconds) if asset.duration_seconds else "",
        media.shape(asset),
        file_size(asset.size_bytes),
        moment(asset.created_at, viewer.lang, viewer.zone),
    ]


def family(viewer: shell.Viewer, title: str, rows: list[Asset]) -> None:
    """One direction of the lineage, each name leading to its own details."""
    if not rows:
        return
    st.markdown(f"**{title}**")
    for row in rows:
        if st.button(
            row.name, key=f"kin-{title}-{row.id}", type="tertiary", icon=":material/subdirectory_arrow_right:"
        ):
            st.query_params["asset"] = str(row.id)
            st.rerun()


def details(viewer: shell.Viewer, identifier: str) -> None:
    """One asset, opened beside the list."""
    lang = viewer.lang
    with database.session(viewer.actor) as session:
        asset = assets.get(session, identifier)
        kin = assets.lineage(session, asset.id)
        episodes = used_in(session, asset.id)
        job = session.get(Job, asset.job_id) if asset.job_id else None
        if st.button(t("library.back", lang), icon=":material/arrow_back:", key="back", type="tertiary"):
            st.query_params.clear()
            st.rerun()
        left, right = st.columns([3, 2], gap="large")
        with left:
            st.subheader(shell.plain(media.name_of(asset, lang)))
            if asset.kind in ("video", "audio", "image"):
                media.play(session, asset, lang, key=f"asset-{asset.id}")
            shell.facts(*what_it_is(asset, viewer))
            licence = t("library.licence_own", lang) if asset.licence == "own" else asset.licence
            shell.facts(f"{t('library.licence', lang)}: {licence}")
            shell.chips(
                (t("library.ai", lang) if asset.ai_generated else "", "wait"),
                (t("library.loudness", lang, value=f"{asset.loudness_lufs:.1f}") if asset.loudness_lufs else "", ""),
            )
            with st.container(horizontal=True, vertical_alignment="center"):
                _go_on(viewer, asset)
                shell.download_links([(t("common.download", lang), shell.content_url(asset.id, download=True))])
            if asset.kind == "video":
                subtitles.show(viewer, asset)
            if viewer.may_edit:
                with st.container(horizontal=True):
                    _change(viewer, asset, [row for row, _role in kin.children if not row.hidden])
        with right:
            st.caption(t("library.by_job", lang, job=work.title_of(job, lang)) if job else t("library.own", lang))
            family(viewer, t("library.made_from", lang), [row for row, _role in kin.parents])
            made = [row for row, _role in kin.children if not row.hidden]
            family(viewer, t("stems.title", lang), [row for row in made if stems.is_stem(row)])
            family(viewer, t("library.made_of_it", lang), [row for row in made if not stems.is_stem(row)])
            st.markdown(f"**{t('library.where_used', lang)}**")
            if not episodes:
                st.caption(t("library.not_used", lang))
            for episode in episodes:
                shell.chips((episode.title, ""), (t(f"episode_state.{episode.state}", lang), "good"))


def _go_on(viewer: shell.Viewer, asset: Asset) -> None:
    """The next thing to do with it."""
    if (
        asset.kind == "video"
        and viewer.may_edit
        and st.button(t("library.edit", viewer.lang), icon=":material/movie_edit:")
    ):
        with database.session(viewer.actor) as change:
            identifier = projects.start(change, viewer.actor, assets.get(change, asset.id), "").id
        st.switch_page("video.py", query_params={"project": str(identifier)})
    if asset.has_audio and st.button(t("library.to_music", viewer.lang), icon=":material/music_note:"):
        st.switch_page("music.py", query_params={"asset": str(asset.id)})


def _change(viewer: shell.Viewer, asset: Asset, made: list[Asset]) -> None:
    lang = viewer.lang
    with st.popover(t("common.rename", lang), icon=":material/edit:"):
        name = st.text_input(t("library.new_name", lang), asset.name, key=f"rename-{asset.id}", max_chars=200)
        if st.button(t("common.save", lang), key=f"save-{asset.id}", type="primary"):
            with shell.errors(viewer):
                with database.session(viewer.actor) as session:
                    assets.rename(session, viewer.actor, asset.id, name)
                st.toast(t("library.renamed", lang))
                st.rerun()
    with st.popover(t("common.delete", lang), icon=":material/delete:"):
        st.write(t("library.delete_help", lang))
        posts = _posts(viewer, asset)
        together = bool(made) and st.checkbox(t("library.delete_with", lang, count=len(made)), key=f"with-{asset.id}")
        if posts:
            label = t("publishing.delete_published", lang, count=len(posts))
            together = st.checkbox(label, key=f"published-{asset.id}") and (together or not made)
        for row in made[:8]:
            st.caption(f"• {shell.plain(row.name)}")
        if st.button(t("common.delete", lang), key=f"delete-{asset.id}", type="primary"):
            with shell.errors(viewer):
                with database.session(viewer.actor) as session:
                    keys = delete_asset(session, viewer.actor, asset.id, with_dependants=together)
                assets.remove_files(keys)
                st.query_params.clear()
                st.toast(t("library.deleted", lang))
                st.rerun()


def _posts(viewer: shell.Viewer, asset: Asset) -> list[PublicationRecord]:
    with database.session(viewer.actor) as session:
        return posts_of(session, asset.id)


def listing(viewer: shell.Viewer) -> None:
    """Search, filter, and the cards."""
    lang = viewer.lang
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(t("library.search", lang), key="library_search", width=320)
        kind = st.segmented_control(
            t("library.kind", lang),
            (ALL, *ASSET_KINDS[:4]),
            default=ALL,
            required=True,
            format_func=lambda name: t("library.all" if name == ALL else f"asset_kind.{name}", lang),
            key="library_kind",
        )
    limit = PAGE * st.session_state.get("library_pages", 1)
    with database.session(viewer.actor) as session:
        # Stems stand under their song; a search finds them by name.
        rows = assets.search(
            session, text=text, kind=None if kind == ALL else kind, with_stems=bool(text), limit=limit + 1
        )
        if not rows:
            key = "nothing" if text or kind != ALL else "empty"
            way = "video" if key == "empty" else ""
            shell.empty(t(f"library.{key}_title", lang), t(f"library.{key}", lang), to=way, lang=lang)
            return
        shell.facts(
            t("library.used", lang, size=file_size(assets.disk_used(session))),
            t("library.free", lang, size=file_size(storage().free_bytes())),
        )
        for start in range(0, min(len(rows), limit), 4):
            for column, asset in zip(st.columns(4), rows[start : min(start + 4, limit)], strict=False):
                with column, st.container(border=True, height="stretch"):
                    media.thumbnail(session, asset)
                    shell.name_of(media.name_of(asset, lang))
                    shell.facts(*what_it_is(asset, viewer))
                    if separated := stems.count_of(session, asset):
                        shell.chips((t("stems.count", lang, count=separated), ""))
                    if st.button(t("library.details", lang), key=f"details-{asset.id}", width="stretch"):
                        st.query_params["asset"] = str(asset.id)
                        st.rerun()
    if len(rows) > limit and st.button(t("common.more", lang), key="library_more"):
        st.session_state["library_pages"] = st.session_state.get("library_pages", 1) + 1
        st.rerun()


def main() -> None:
    viewer = shell.open_page("library")
    chosen = st.query_params.get("asset")
    if chosen:
        with shell.errors(viewer):
            details(viewer, chosen)
            return
    listing(viewer)


main()

"""An advertising set (SPEC V6.3): its pieces, shapes and languages, how many videos that makes, and their table."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import streamlit as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import assets, database, jobs, translation
from core.i18n import clock, duration, t
from core.i18n.catalogue import has
from core.models.assets import Asset
from core.models.identity import Project
from core.models.publishing import Episode
from core.publishing import episodes
from core.publishing.payloads import EpisodeInput
from core.translation import LANGUAGES
from core.video.ad_payloads import MOST_ADS, Role
from pages import media, shell, work
from pages.editor import operations, results, translate
from pages.editor import project as projects
from pages.editor.choices import FORMATS
from pages.editor.project import AdDraft, AdPieceDraft, Choices

KIND = "video.ads"
ROLES: tuple[Role, ...] = ("hook", "body", "call")
_LIBRARY = 60


def offer(viewer: shell.Viewer, project: Project, asset: Asset, chosen: Choices, *, ready: bool) -> None:
    """Put the set together and start it; every change is kept in the project."""
    lang = viewer.lang
    with database.session(viewer.actor) as session:
        newest = work.newest(session, project.id, [KIND])
        videos = _videos(session, asset)
    busy = newest is not None and newest.status in work.LIVE
    with st.expander(t("ads.title", lang), icon=":material/campaign:", expanded=busy):
        st.caption(t("ads.lead", lang))
        stored = projects.state_of(project).ads
        draft = _settings(viewer, project, stored)
        for column, role in zip(st.columns(3), ROLES, strict=True):
            with column:
                _pieces(viewer, project, draft, role, videos, asset)
        st.caption(t("ads.captions", lang))
        _start(viewer, project, draft, chosen, able=ready and viewer.may_edit and not busy, videos=videos)
        if newest is not None and newest.status != "succeeded":
            work.wait_for(viewer, newest, key="ads_jobs")


def _videos(session: Session, asset: Asset) -> dict[UUID, Asset]:
    """The project's recording first, then the newest videos of the library."""
    found = [asset, *assets.search(session, kind="video", limit=_LIBRARY)]
    return {video.id: video for video in found}


def _settings(viewer: shell.Viewer, project: Project, stored: AdDraft) -> AdDraft:
    lang, busy = viewer.lang, not viewer.may_edit
    left, right = st.columns(2)
    name = left.text_input(
        t("ads.name", lang), stored.name, max_chars=60, placeholder="Ad", key=f"ads-name-{project.id}", disabled=busy
    ).strip()
    languages = right.multiselect(
        t("ads.languages", lang),
        [code for code in LANGUAGES if translation.drawn(code)],
        stored.languages,
        format_func=lambda code: t(f"language.{code}", lang),
        help=t("ads.languages_help", lang),
        max_selections=8,
        key=f"ads-languages-{project.id}",
        disabled=busy,
    )
    shapes = [ratio for ratio in FORMATS if ratio != "source"]
    formats = st.pills(
        t("video.formats", lang),
        shapes,
        selection_mode="multi",
        default=stored.formats,
        format_func=lambda ratio: t(f"format_of.{ratio}", lang),
        key=f"ads-formats-{project.id}",
        disabled=busy,
    )
    draft = stored.model_copy(update={"name": name, "languages": languages, "formats": list(formats)})
    if draft != stored and not busy:
        _store(viewer, project, draft)
    return draft


def _store(viewer: shell.Viewer, project: Project, draft: AdDraft) -> None:
    with database.session(viewer.actor) as session:
        state = projects.state_of(projects.get_project(session, project.id))
        projects.save_state(session, viewer.actor, project.id, state.model_copy(update={"ads": draft}))


def _pieces(
    viewer: shell.Viewer, project: Project, draft: AdDraft, role: Role, videos: dict[UUID, Asset], first: Asset
) -> None:
    lang = viewer.lang
    st.markdown(f"**{t(f'ads.{role}', lang)}**")
    mine = [piece for piece in draft.pieces if piece.role == role]
    for number, piece in enumerate(mine, start=1):
        with st.container(border=True):
            video = videos.get(piece.asset_id)
            shell.name_of(piece.name or t(f"ads.one_{role}", lang, number=number))
            shell.facts(
                video.name if video else t("ads.gone", lang),
                f"{clock(piece.start)} – {clock(piece.end)}",
                duration(piece.end - piece.start, lang),
                *(f"“{text}”" for text in piece.text.values() if text),
            )
            if viewer.may_edit and st.button(
                t("ads.remove", lang), icon=":material/close:", key=f"ads-drop-{role}-{number}-{project.id}"
            ):
                draft.pieces.remove(piece)
                _store(viewer, project, draft)
                st.rerun()
    if viewer.may_edit and len(mine) < 12:
        with st.popover(
            t(f"ads.add_{role}", lang), icon=":material/add:", key=f"ads-add-{role}-{project.id}", width="stretch"
        ):
            _new_piece(viewer, project, draft, role, videos, first)


def _new_piece(
    viewer: shell.Viewer, project: Project, draft: AdDraft, role: Role, videos: dict[UUID, Asset], first: Asset
) -> None:
    lang, key = viewer.lang, f"{role}-{project.id}"
    picked = st.selectbox(
        t("ads.video", lang),
        list(videos),
        list(videos).index(first.id),
        format_func=lambda identifier: shell.plain(videos[identifier].name),
        key=f"ads-video-{key}",
    )
    length = videos[picked].duration_seconds or 0.0
    # The fields belong to the video: another one has another length.
    left, right = st.columns(2)
    start = left.number_input(
        t("ads.from", lang), 0.0, max(0.0, length - 0.5), 0.0, 0.5, "%.1f", key=f"ads-from-{key}-{picked}"
    )
    end = right.number_input(
        t("ads.to", lang), 0.5, max(length, 0.5), min(max(length, 0.5), 5.0), 0.5, "%.1f", key=f"ads-to-{key}-{picked}"
    )
    name = st.text_input(t("ads.piece_name", lang), max_chars=40, key=f"ads-piece-{key}").strip()
    texts = {
        code: st.text_input(
            t("ads.text", lang, language=t(f"language.{code}", lang)), max_chars=120, key=f"ads-text-{code}-{key}"
        ).strip()
        for code in draft.languages
    }
    some = {code: text for code, text in texts.items() if text}
    if some and len(some) < len(texts):
        st.caption(t("ads.text_missing", lang))
    ready = end - start >= 0.5 and (not some or len(some) == len(texts))
    if st.button(t("ads.add", lang), type="primary", disabled=not ready, key=f"ads-put-{key}"):
        piece = AdPieceDraft(role=role, asset_id=picked, start=start, end=end, name=name, text=some)
        _store(viewer, project, draft.model_copy(update={"pieces": [*draft.pieces, piece]}))
        st.rerun()


def _start(
    viewer: shell.Viewer, project: Project, draft: AdDraft, chosen: Choices, *, able: bool, videos: dict[UUID, Asset]
) -> None:
    lang = viewer.lang
    counted = [sum(piece.role == role for piece in draft.pieces) for role in ROLES]
    pieces = counted[0] * counted[1] * max(1, counted[2])
    spoken = max(1, len(draft.languages))
    count = pieces * len(draft.formats) * spoken
    told = draft.languages and any(
        piece.text and set(piece.text) != set(draft.languages) for piece in draft.pieces
    )  # fmt: skip
    if not count:
        st.caption(t("ads.need", lang))
        return
    st.write(t("ads.count", lang, pieces=pieces, shapes=len(draft.formats), languages=spoken, count=count))
    if count > MOST_ADS:
        st.warning(t("ads.too_many", lang, most=MOST_ADS), icon=":material/warning:")
    if told:
        st.warning(t("ads.text_missing", lang), icon=":material/warning:")
    by: translation.Provider = "local"
    translates = True
    if chosen.captions:
        wanted = translation.others(chosen.language or "auto", tuple(draft.languages))
        by, translates = translate.ask_provider(viewer, wanted, key=f"ads-translation-{project.id}")
    lost = any(piece.asset_id not in videos for piece in draft.pieces)
    if st.button(
        t("ads.make", lang, count=count),
        type="primary",
        icon=":material/movie:",
        disabled=not (able and translates) or count > MOST_ADS or bool(told) or lost,
        key="make_ads",
    ):
        with shell.errors(viewer):
            with database.session(viewer.actor) as session:
                order = operations.ads_input(draft, chosen, by)
                jobs.submit(session, viewer.actor, KIND, order, project_id=project.id)
            st.rerun()


def show(viewer: shell.Viewer, project: Project) -> None:
    """The newest set as a table: rows to choose, watch, download and draft."""
    lang = viewer.lang
    with database.session(viewer.actor) as session:
        found = results.finished(session, project.id, (KIND,))
        if not found:
            return
        rows = results.outputs(session, found[0])
        ids = [asset.id for _row, asset in rows]
        drafts = set(
            session.scalars(select(Episode.asset_id).where(Episode.asset_id.in_(ids), Episode.state != "discarded"))
        )
        st.subheader(t("ads.results", lang))
        st.caption(t("ads.results_lead", lang))
        event = st.dataframe(
            [_line(row, asset, lang, asset.id in drafts) for row, asset in rows],
            hide_index=True,
            on_select="rerun",
            selection_mode="multi-row",
            key=f"ads-table-{found[0].id}",
        )
        picked = [rows[index] for index in event["selection"]["rows"] if index < len(rows)]
        if picked:
            for column, (row, asset) in zip(st.columns(3), picked[:3], strict=False):
                with column, st.container(border=True):
                    shell.name_of(f"{row['title']} · {row['aspect_ratio']}")
                    media.play(session, asset, lang, key=f"ad-{asset.id}")
        every = [(t("video.zip", lang), results.zip_url(rows))]
        if picked:
            every.append((t("ads.zip_chosen", lang, count=len(picked)), results.zip_url(picked)))
        shell.download_links(every)
    wanted = [(row, asset) for row, asset in picked if asset.id not in drafts]
    if viewer.may_edit and st.button(
        t("ads.draft_chosen", lang), icon=":material/draft:", disabled=not wanted, key="draft_ads"
    ):
        _draft(viewer, wanted)
    if drafts:
        st.caption(t("ads.drafted", lang, count=len(drafts)))


def _line(row: dict[str, Any], asset: Asset, lang: str, drafted: bool) -> dict[str, object]:
    language = str(row.get("language") or "")
    call = row.get("call_to_action")
    return {
        t("ads.column.title", lang): str(row["title"]),
        t("ads.column.hook", lang): row["hook"],
        t("ads.column.body", lang): row["body"],
        t("ads.column.call", lang): "–" if call is None else str(call),
        t("ads.column.language", lang): t(f"language.{language}", lang) if has(f"language.{language}") else language,
        t("ads.column.shape", lang): str(row["aspect_ratio"]),
        t("ads.column.length", lang): clock(asset.duration_seconds or 0),
        t("ads.column.draft", lang): "✓" if drafted else "",
    }


def _draft(viewer: shell.Viewer, wanted: list[tuple[dict[str, Any], Asset]]) -> None:
    """A draft episode for each chosen video."""
    with shell.errors(viewer):
        with database.session(viewer.actor) as session:
            for row, asset in wanted:
                order = EpisodeInput(
                    title=f"{row['title']} · {row['aspect_ratio']}", language=row["language"] or None, asset_id=asset.id
                )
                episodes.create(session, viewer.actor, order)
        st.rerun()

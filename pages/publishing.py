"""Publishing: episodes from draft to published, their schedule, the channels and accounts behind them."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

import streamlit as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import database
from core.errors import InvalidInput
from core.i18n import clock, t
from core.models.assets import Asset
from core.models.publishing import Episode, PublicationRecord, Series
from core.publishing import channels, episodes
from core.publishing.payloads import EpisodeChange
from pages import media, shell
from pages.components.live import live
from pages.posting import calendar, connection, places, posts, prefilled, recipes
from pages.posting.dialog import ask, show_dialog

COLUMNS = ("draft", "scheduled", "published")


def publications_by_episode(session: Session, rows: list[Episode]) -> dict[UUID, list[PublicationRecord]]:
    """The publications of several episodes, in one query."""
    found: dict[UUID, list[PublicationRecord]] = defaultdict(list)
    statement = (
        select(PublicationRecord)
        .where(PublicationRecord.episode_id.in_([row.id for row in rows]), PublicationRecord.state != "cancelled")
        .order_by(PublicationRecord.created_at)
    )
    for record in session.scalars(statement):
        found[record.episode_id].append(record)
    return found


def card(viewer: shell.Viewer, session: Session, episode: Episode, records: list[PublicationRecord]) -> None:
    """One episode on the board."""
    lang = viewer.lang
    with st.container(border=True):
        asset = session.get(Asset, episode.asset_id) if episode.asset_id else None
        if asset is not None:
            media.play(session, asset, lang, key=f"episode-{episode.id}", small=True)
        st.markdown(f"**{shell.plain(episode.title)}**")
        series = session.get(Series, episode.series_id) if episode.series_id else None
        shell.facts(
            series.name if series else "", clock(asset.duration_seconds or 0) if asset else "", *_music(episode, lang)
        )
        for record in records:
            posts.show(viewer, record, place="board")
        if not viewer.may_edit:
            return
        with st.container(horizontal=True):
            if st.button(
                t("publishing.publish" if episode.state == "draft" else "publishing.publish_more", lang),
                key=f"publish-{episode.id}",
                type="primary" if episode.state == "draft" else "secondary",
                icon=":material/send:",
            ):
                ask(episode.id)
            with st.popover(t("publishing.edit", lang), icon=":material/edit:"):
                edit(viewer, session, episode)
            if episode.state == "draft" and st.button(
                t("publishing.discard", lang), key=f"discard-{episode.id}", icon=":material/close:"
            ):
                with shell.errors(viewer):
                    with database.session(viewer.actor) as change:
                        episodes.discard(change, viewer.actor, episode.id)
                    st.rerun()


def _music(episode: Episode, lang: str) -> list[str]:
    """Tempo and key of the music it is or has under it."""
    known = episode.music or {}
    found = [t("music.bpm", lang, value=f"{float(known['bpm']):.0f}")] if known.get("bpm") else []
    return [*found, media.key_name(str(known["key"]), lang)] if known.get("key") else found


def edit(viewer: shell.Viewer, session: Session, episode: Episode) -> None:
    """An episode's own title, text, tags and series; posts that are planned already keep theirs."""
    lang = viewer.lang
    series = {row.id: row.name for row in channels.series_of(session, episode.channel_id)}
    with st.form(f"edit-{episode.id}", border=False):
        title = st.text_input(t("publishing.title", lang), episode.title, key=f"title-{episode.id}", max_chars=100)
        text = st.text_area(t("publishing.text", lang), episode.description, key=f"text-{episode.id}")
        tags = st.text_input(t("publishing.tags", lang), ", ".join(episode.tags), key=f"tags-{episode.id}")
        chosen = st.selectbox(
            t("publishing.series", lang),
            list(series),
            index=list(series).index(episode.series_id) if episode.series_id in series else None,
            format_func=series.__getitem__,
            key=f"series-of-{episode.id}",
        )
        if episode.state != "draft":
            st.caption(t("publishing.edit_planned", lang))
        saved = st.form_submit_button(t("common.save", lang), type="primary")
    if not saved:
        return
    with shell.errors(viewer):
        if not title.strip():
            raise InvalidInput("A name must not be empty.")
        wanted: dict[str, object] = {
            "title": title.strip(),
            "description": text,
            "tags": [tag.strip() for tag in tags.split(",") if tag.strip()],
        }
        if chosen is not None and chosen != episode.series_id:
            wanted["series_id"] = chosen
        with database.session(viewer.actor) as change:
            episodes.change(change, viewer.actor, episode.id, EpisodeChange.model_validate(wanted))
        st.toast(t("common.saved", lang))
        st.rerun()


def board(viewer: shell.Viewer) -> None:
    """Drafts, scheduled, published side by side; below each other on a phone."""
    lang = viewer.lang
    with database.session(viewer.actor) as session:
        rows = episodes.listed(session, limit=200)
        if not rows:
            shell.empty(t("publishing.empty_title", lang), t("publishing.empty", lang), to="video", lang=lang)
            return
        series = {
            row.id: row.name
            for channel in channels.channels(session)
            for row in channels.series_of(session, channel.id)
        }
        if len(series) > 1:
            picked = st.selectbox(
                t("publishing.series", lang),
                [None, *series],
                format_func=lambda one: series[one] if one else t("publishing.all_series", lang),
                key="series_filter",
            )
            rows = [row for row in rows if picked is None or row.series_id == picked]
        posted = publications_by_episode(session, rows)
        for column, state in zip(st.columns(3), COLUMNS, strict=True):
            with column:
                inside = [row for row in rows if row.state == state]
                st.markdown(f"#### {t(f'episode_state.{state}', lang)} · {len(inside)}")
                if not inside:
                    st.caption(t("publishing.nothing_here", lang))
                for row in inside[:30]:
                    card(viewer, session, row, posted.get(row.id, []))


def main() -> None:
    viewer = shell.open_page("publishing")
    connection.show_outcome(viewer)
    prefilled.take(viewer)
    live(("publication", "episode", "account", "pipeline"), key="publishing_live")
    lang = viewer.lang
    names = ("publishing.board", "publishing.calendar", "recipes.tab", "publishing.accounts")
    tabs = shell.tabs([t(name, lang) for name in names])
    for tab, show in zip(tabs, (board, calendar.show, recipes.show, places.show), strict=True):
        with tab:
            show(viewer)
    show_dialog(viewer)


main()

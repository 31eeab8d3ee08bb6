"""What the publish dialog asks for Facebook and Instagram alone."""

from __future__ import annotations

import streamlit as st

from core import database
from core.database import get_owned
from core.i18n import t
from core.models.assets import Asset
from core.models.publishing import Episode, PlatformAccount
from core.publishing.provenance import Provenance
from core.publishing.reels import fits_a_reel
from pages import shell
from pages.posting.answers import OPEN, Answers


def _video(viewer: shell.Viewer) -> Asset | None:
    """The video of the episode that the dialog is open for."""
    with database.session(viewer.actor) as session:
        episode = get_owned(session, Episode, st.session_state[OPEN])
        return session.get(Asset, episode.asset_id) if episode.asset_id is not None else None


def facebook(viewer: shell.Viewer, account: PlatformAccount, material: Provenance) -> Answers:
    """Whether it goes out as a Reel or as a video of the Page."""
    lang, asset = viewer.lang, _video(viewer)
    surface = "video"
    if asset is not None and fits_a_reel(asset.width, asset.height, asset.fps, asset.duration_seconds):
        surface = st.segmented_control(
            t("publishing.facebook.goes_out", lang),
            ("reel", "video"),
            default="reel",
            required=True,
            format_func=lambda name: t(f"publishing.facebook.surface_{name}", lang),
            key=f"surface-{account.id}",
        )
    else:
        shell.facts(t("publishing.facebook.goes_out", lang), t("publishing.facebook.surface_video", lang))
    st.caption(t("publishing.facebook.public", lang))
    return Answers("public", {"facebook": {"surface": surface}})


def instagram(viewer: shell.Viewer, account: PlatformAccount, material: Provenance) -> Answers:
    """The cover, and whether the feed shows it too."""
    lang, asset = viewer.lang, _video(viewer)
    feed = st.toggle(t("publishing.instagram.share_to_feed", lang), True, key=f"feed-{account.id}")
    seconds = (asset.duration_seconds if asset is not None else None) or 0.0
    cover = None
    if seconds >= 1:
        cover = st.slider(
            t("publishing.instagram.cover", lang),
            0.0,
            round(seconds - 0.1, 1),
            0.0,
            step=0.1,
            format="%.1f",
            key=f"cover-{account.id}",
            help=t("publishing.instagram.cover_help", lang),
        )
    st.caption(t("publishing.instagram.public", lang))
    return Answers("public", {"instagram": {"share_to_feed": feed, "cover_at_seconds": cover}})

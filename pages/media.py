"""Showing assets: pictures, players, captions, what a person calls their shape; which files count as results."""

from __future__ import annotations

import html
from collections.abc import Sequence

import streamlit as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import assets
from core.i18n import t
from core.models.assets import Asset, AssetLink
from core.models.jobs import Job
from core.models.publishing import Episode
from core.music.presets import PRESETS
from pages import shell
from pages.components.player import CaptionTrack, player
from pages.components.timeline import Thumbnails

RESULT_KINDS = (
    *("video.edit", "video.render", "video.multi_export", "video.shorts", "video.chapters", "video.ads"),
    "video.generate",
)


def helper(session: Session, asset: Asset, role: str) -> Asset | None:
    """The newest file of a role (poster, thumbnails, proxy, peaks …) that was made for an asset."""
    return session.scalar(
        select(Asset)
        .join(AssetLink, AssetLink.child_id == Asset.id)
        .where(AssetLink.parent_id == asset.id, AssetLink.role == role)
        .order_by(Asset.created_at.desc())
        .limit(1)
    )


def results(session: Session, limit: int) -> list[Asset]:
    """Videos the studio made and nobody discarded, newest first."""
    discarded = select(Episode.asset_id).where(Episode.state == "discarded", Episode.asset_id.is_not(None))
    return list(
        session.scalars(
            select(Asset)
            .join(Job, Job.id == Asset.job_id)
            .where(Asset.kind == "video", Asset.hidden.is_(False), Job.kind.in_(RESULT_KINDS))
            .where(Asset.id.not_in(discarded))
            .order_by(Asset.created_at.desc())
            .limit(limit)
        )
    )


def name_of(asset: Asset, lang: str) -> str:
    """An asset's name; a built-in track's is the one it has in the list of music."""
    preset = PRESETS.get(str(asset.details.get("audio_preset"))) if asset.details.get("builtin") else None
    return t(preset.title_key, lang) if preset is not None else asset.name


def key_name(key: str, lang: str) -> str:
    """ "A:min" as people say it: "A minor"."""
    note, _, mode = key.partition(":")
    return t("music.minor" if mode == "min" else "music.major", lang, note=note)


def shape(asset: Asset) -> str:
    """Width × height, or nothing for sound."""
    return f"{asset.width} × {asset.height}" if asset.width and asset.height else ""


def playable_url(session: Session, asset: Asset) -> str:
    """What the browser plays: the proxy where the original would not play or seek, else the original."""
    proxy = helper(session, asset, "proxy")
    return shell.content_url((proxy or asset).id)


def captions_of(session: Session, asset: Asset) -> Sequence[CaptionTrack]:
    """The newest WebVTT file of each language made for a video."""
    rows = session.scalars(
        select(Asset)
        .join(AssetLink, AssetLink.child_id == Asset.id)
        .where(AssetLink.parent_id == asset.id, Asset.kind == "subtitle", Asset.mime_type == "text/vtt")
        .order_by(Asset.created_at, Asset.id)
    )
    newest = {str(row.details.get("language") or row.name): row for row in rows}
    return [
        CaptionTrack(
            src=shell.content_url(row.id),
            language=str(row.details.get("language") or "und"),
            label=label,
        )
        for label, row in newest.items()
    ]


def play(session: Session, asset: Asset, lang: str, *, key: str, small: bool = False) -> None:
    """A player for a video or a sound, a picture for an image; a small player is for cards among others."""
    if asset.kind == "image":
        name = html.escape(asset.name, quote=True)
        st.html(f'<img class="studio-thumb" src="{shell.content_url(asset.id)}" alt="{name}">')
        return
    poster = helper(session, asset, "poster") if asset.kind == "video" else None
    player(
        playable_url(session, asset),
        key=key,
        title=asset.name,
        audio=asset.kind == "audio",
        poster=shell.content_url(poster.id) if poster else "",
        captions=captions_of(session, asset) if asset.kind == "video" else (),
        small=small,
        aspect=f"{asset.width} / {asset.height}" if asset.width and asset.height else "",
        error_text=t("common.unplayable", lang),
    )


def thumbnail(session: Session, asset: Asset) -> None:
    """A still of a video, or a sign for what has no picture."""
    poster = asset if asset.kind == "image" else helper(session, asset, "poster")
    if poster is None:
        sign = {"audio": "♪", "subtitle": "❝", "video": "▶"}.get(asset.kind, "◇")
        st.html(f'<div class="studio-thumb none" aria-hidden="true">{sign}</div>')
    else:
        st.html(f'<img class="studio-thumb" src="{shell.content_url(poster.id)}" alt="" loading="lazy">')


def peaks(session: Session, asset: Asset) -> list[float]:
    """The waveform measured at ingest, 0–1 over equal parts; empty before that."""
    measured = assets.waveform(session, asset) or {}
    return [float(value) for value in measured.get("peaks", [])]


def thumbnails(session: Session, asset: Asset) -> Thumbnails | None:
    """The sheet of small pictures made at ingest."""
    sheet = helper(session, asset, "thumbnails")
    if sheet is None:
        return None
    layout = sheet.details
    return Thumbnails(
        src=shell.content_url(sheet.id),
        count=int(layout["count"]),
        columns=int(layout["columns"]),
        width=int(layout["width"]),
        height=int(layout["height"]),
    )

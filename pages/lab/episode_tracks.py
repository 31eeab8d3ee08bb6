"""The sounds of an episode as its maker orders them: role, volume, parts that stay; kept while the page is open."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import streamlit as st

from core.i18n import t
from core.music.podcast_payloads import PodcastInput, PodcastTrack, Range
from core.music.podcast_text import written
from pages import shell

_ROWS = "episode_rows"
ROLES = ("voice", "ad", "intro", "under", "outro")


def load_tracks(order: PodcastInput) -> None:
    """Fill the list with the tracks of an order."""
    st.session_state[_ROWS] = [
        {
            "row": uuid4().hex, "asset": str(track.asset_id), "role": _role(track), "gain": track.gain_db,
            "start": track.start,
            "trim": _shown([track.trim] if track.trim else []), "cuts": _shown(track.cuts), "title": track.title or "",
        }
        for track in order.tracks
    ]  # fmt: skip


def edited_tracks(viewer: shell.Viewer, names: dict[UUID, str]) -> list[dict[str, Any]]:
    """Show the list; answers what each row orders (``trim`` and ``cuts`` as they were written)."""
    lang = viewer.lang
    rows: list[dict[str, Any]] = st.session_state.setdefault(_ROWS, [])
    known = [row for row in rows if UUID(row["asset"]) in names]
    for index, row in enumerate(known):
        with st.container(border=True):
            _row(lang, row, names[UUID(row["asset"])], index, len(known))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        picked = st.selectbox(
            t("podcast.add", lang), list(names), format_func=names.__getitem__, key="episode_pick", width=420
        )
        if st.button(t("podcast.add_now", lang), key="episode_add", icon=":material/add:"):
            role = "voice" if not any(row["role"] == "voice" for row in rows) else _guess(names[picked], rows, picked)
            rows.append(_fresh(picked, role))
            st.rerun()
    return [_ordered(row) for row in known]


def _fresh(asset_id: UUID, role: str) -> dict[str, Any]:
    return {
        "row": uuid4().hex, "asset": str(asset_id), "role": role, "gain": 0.0, "trim": "", "cuts": "", "title": ""
    }  # fmt: skip


def _guess(name: str, rows: list[dict[str, Any]], asset_id: UUID) -> str:
    """What a further sound most likely is: the same as when it was added before, else another voice."""
    return next((row["role"] for row in rows if row["asset"] == str(asset_id)), "voice")


def _row(lang: str, row: dict[str, Any], name: str, index: int, count: int) -> None:
    key = row["row"]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{index + 1}. {shell.plain(name)}**")
        for icon, label, by in (("arrow_upward", "up", -1), ("arrow_downward", "down", 1)):
            if st.button(
                "", icon=f":material/{icon}:", help=t(f"podcast.{label}", lang), key=f"{label}-{key}",
                disabled=not 0 <= index + by < count, type="tertiary",
            ):  # fmt: skip
                _move(key, by)
        if st.button("", icon=":material/close:", help=t("podcast.remove", lang), key=f"remove-{key}", type="tertiary"):
            st.session_state[_ROWS] = [one for one in st.session_state[_ROWS] if one["row"] != key]
            st.rerun()
    row["role"] = st.segmented_control(
        t("podcast.role", lang), ROLES, default=row["role"], required=True, key=f"role-{key}",
        format_func=lambda value: t(f"podcast.role_{value}", lang),
    )  # fmt: skip
    left, middle, right = st.columns(3)
    lowest, highest = min(-30.0, row["gain"]), max(12.0, row["gain"])
    row["gain"] = left.slider(
        t("podcast.gain", lang), lowest, highest, row["gain"], 1.0, format="%d dB", key=f"gain-{key}"
    )
    row["trim"] = middle.text_input(
        t("podcast.trim", lang), row["trim"], help=t("podcast.trim_help", lang), key=f"trim-{key}"
    )
    row["cuts"] = right.text_input(
        t("podcast.cuts", lang), row["cuts"], help=t("podcast.cuts_help", lang), key=f"cuts-{key}"
    )
    if row["role"] == "ad":
        row["title"] = st.text_input(t("podcast.ad_title", lang), row["title"], max_chars=120, key=f"title-{key}")


def _move(key: str, by: int) -> None:
    rows: list[dict[str, Any]] = st.session_state[_ROWS]
    at = next(index for index, one in enumerate(rows) if one["row"] == key)
    rows.insert(at + by, rows.pop(at))
    st.rerun()


def _ordered(row: dict[str, Any]) -> dict[str, Any]:
    music = row["role"] in ("intro", "under", "outro")
    return {
        "asset_id": row["asset"],
        "role": "music" if music else row["role"],
        "placement": row["role"] if music else "under",
        "start": row.get("start"),
        "gain_db": row["gain"],
        "trim": row["trim"],
        "cuts": row["cuts"],
        "title": row["title"].strip() or None if row["role"] == "ad" else None,
    }


def _role(track: PodcastTrack) -> str:
    return track.placement if track.role == "music" else track.role


def _shown(ranges: Any) -> str:
    return ", ".join(f"{written(one.start)}-{written(one.end)}" for one in ranges if isinstance(one, Range))

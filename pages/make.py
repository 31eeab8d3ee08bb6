"""Make a video from pictures or words: what it is made of, its style, its sound, and the videos that were made (V1)."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import streamlit as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import assets, database, jobs
from core.i18n import clock, file_size, moment, t
from core.models.assets import Asset
from core.models.jobs import Job
from core.preferences import stored_names
from core.settings import get_settings
from core.video.caption_styles import STYLES
from core.video.generate import engines
from core.video.generate.looks import LOOKS
from core.video.generate.payloads import LONGEST_SECONDS, MOST_PICTURES, GenerateInput
from pages import media, shell, work
from pages.components.upload import upload
from pages.editor import tracks
from pages.lab import voice
from pages.making import board
from providers.registry import ProviderInfo, providers

SOURCES = ("pictures", "script", "storyboard", "prompt")
SHAPES = ("16:9", "9:16", "4:5", "1:1")
STILLS = Path(__file__).parent / "making" / "styles"
IMAGES = "image/*"
SHOWN = 6
_PICKED = "make_pictures"


def library_pictures(session: Session) -> dict[UUID, str]:
    """The pictures of the library, newest first; helpers of videos are hidden and not among them."""
    return {row.id: row.name for row in assets.search(session, kind="image", limit=200)}


def take_pictures(viewer: shell.Viewer) -> dict[UUID, str]:
    """The upload zone; what arrives is chosen at once. Answers all pictures there are."""
    arrived = upload(
        viewer.lang, key="make_upload", accept=IMAGES, max_bytes=get_settings().max_upload_bytes,
        hint=t("make.bring_hint", viewer.lang, size="{size}"), invitation=t("make.bring", viewer.lang),
    )  # fmt: skip
    with database.session(viewer.actor) as session:
        known = library_pictures(session)
    if arrived:
        new = [UUID(one) for one in arrived.asset_ids if UUID(one) in known]
        st.session_state[_PICKED] = [*st.session_state.get(_PICKED, []), *new][:MOST_PICTURES]
    return known


def ask_source(viewer: shell.Viewer) -> dict[str, Any] | None:
    """What the video is made of, as the order has it; None while there is too little."""
    lang = viewer.lang
    kind = st.segmented_control(
        t("make.source", lang), SOURCES, default="pictures", required=True,
        format_func=lambda name: t(f"make.from_{name}", lang), key="make_source",
    )  # fmt: skip
    if kind == "pictures":
        known = take_pictures(viewer)
        kept = [one for one in st.session_state.get(_PICKED, []) if one in known]
        st.session_state[_PICKED] = kept
        picked = st.multiselect(
            t("make.pictures", lang), list(known), format_func=known.__getitem__, max_selections=MOST_PICTURES,
            key=_PICKED,
        )  # fmt: skip
        if not picked:
            st.caption(t("make.no_pictures", lang))
            return None
        _strip(picked)
        return {"source_assets": picked}
    if kind == "script":
        text = st.text_area(
            t("make.script", lang), height=220, max_chars=10_000, help=t("make.script_help", lang), key="make_script"
        )
        st.caption(t("make.script_help", lang))
        return {"script": text} if _has_words(text) else None
    if kind == "storyboard":
        scenes = [row.order() for row in board.edit(viewer, take_pictures(viewer))]
        whole = [scene for scene in scenes if scene is not None]
        if len(whole) < len(scenes):
            st.caption(t("make.scene_empty", lang))
            return None
        return {"storyboard": {"scenes": whole}}
    text = st.text_input(t("make.prompt", lang), max_chars=1000, key="make_prompt")
    st.caption(t("make.prompt_help", lang))
    return {"prompt": text} if _has_words(text) else None


def _has_words(text: str) -> bool:
    return any(char.isalnum() for char in text)


def _strip(picked: list[UUID]) -> None:
    """The chosen pictures side by side, in their order."""
    tags = "".join(f'<img class="studio-thumb" src="{shell.content_url(one)}" alt="" loading="lazy">' for one in picked)
    st.html(f'<div class="studio-strip">{tags}</div>')


def spoken_of(source: dict[str, Any] | None) -> str:
    """What will be narrated."""
    if source is None:
        return ""
    if "script" in source:
        return str(source["script"])
    scenes = source.get("storyboard", {}).get("scenes", [])
    return "\n\n".join(scene["narration"] for scene in scenes if scene.get("narration"))


def ask_engine(viewer: shell.Viewer) -> ProviderInfo:
    """Who makes the video, ready or why not (V1.5)."""
    with database.session(viewer.actor) as session:
        known = {one.name: one for one in providers(session, viewer.actor.owner_id) if one.kind == "video"}
    lang = viewer.lang
    told = {name: (one.title, shell.plain(one.reason_in(lang))) for name, one in known.items()}
    if known[engines.BUILTIN].ready:
        told[engines.BUILTIN] = (t("make.here", lang), t("make.here_lead", lang))
    picked = st.radio(
        t("make.engine", lang), list(known), format_func=lambda name: told[name][0],
        captions=[told[name][1] for name in known], key="make_engine",
    )  # fmt: skip
    return known[picked]


def ask_look(viewer: shell.Viewer) -> str:
    """The style, with a picture of what it does."""
    lang = viewer.lang
    style: str = st.pills(
        t("make.style", lang), list(LOOKS), default="cinematic", required=True,
        format_func=lambda name: t(LOOKS[name].title_key, lang), key="make_style",
    )  # fmt: skip
    st.image(STILLS / f"{style}.jpg", caption=t(LOOKS[style].title_key, lang), width=320)
    with st.expander(t("make.all_styles", lang)):
        for start in range(0, len(LOOKS), 5):
            for column, name in zip(st.columns(5), list(LOOKS)[start : start + 5], strict=False):
                column.image(STILLS / f"{name}.jpg", caption=t(LOOKS[name].title_key, lang))
    return style


def ask_sound(viewer: shell.Viewer, spoken: str) -> tuple[dict[str, Any], bool]:
    """Music, voice and captions as the order has them, and whether what is to be said can be said."""
    lang = viewer.lang
    with database.session(viewer.actor) as session:
        known = {track.value: track.label for track in tracks.options(session, lang)}
    music = st.selectbox(
        t("make.music", lang), ["", *known], format_func=lambda value: known.get(value, t("make.no_music", lang)),
        key="make_music",
    )  # fmt: skip
    chosen: dict[str, Any] = {}
    if music:
        kind, _, value = music.partition(":")
        chosen["audio_preset" if kind == "preset" else "music_asset_id"] = value
        chosen["beat_cuts"] = st.toggle(t("make.beats", lang), True, key="make_beats")
    if not spoken.strip():
        return chosen, True
    chosen["voice"] = voice.ask_voice(viewer, spoken, key="make_voice")
    names = {"": t("make.captions_own", lang), "none": t("make.captions_none", lang)}
    names |= {name: t(style.label_key, lang) for name, style in STYLES.items()}
    captions = st.selectbox(t("make.captions", lang), list(names), format_func=names.__getitem__, key="make_captions")
    if captions:
        chosen["captions"] = captions
    return chosen, chosen["voice"] is not None


def form(viewer: shell.Viewer) -> None:
    """Everything that is asked, and the button."""
    lang = viewer.lang
    source = ask_source(viewer)
    style = ask_look(viewer)
    left, right = st.columns(2, gap="large")
    with left:
        shape = st.segmented_control(t("make.shape", lang), SHAPES, default="16:9", required=True, key="make_shape")
        seconds = st.number_input(
            t("make.seconds", lang), 1.0, LONGEST_SECONDS, None, 1.0, format="%.0f", placeholder="–",
            help=t("make.seconds_help", lang), key="make_seconds",
        )  # fmt: skip
        sound, sayable = ask_sound(viewer, spoken_of(source))
    with right:
        engine = ask_engine(viewer)
    ready = source is not None and sayable and engine.ready
    if st.button(
        t("make.make", lang), type="primary", icon=":material/movie_creation:", key="make", disabled=not ready
    ):
        with shell.errors(viewer):
            order = GenerateInput.model_validate(
                {
                    **(source or {}), **sound, "provider": engine.name, "style": style, "aspect_ratio": shape,
                    "duration_seconds": seconds,
                }
            )  # fmt: skip
            with database.session(viewer.actor) as session:
                engines.require_ready(order, stored_names(session))
                jobs.submit(session, viewer.actor, "video.generate", order)
            st.rerun()


def results(viewer: shell.Viewer) -> None:
    """The newest order while it is under way, and the videos that were made."""
    lang = viewer.lang
    with database.session(viewer.actor) as session:
        job = session.scalar(select(Job).where(Job.kind == "video.generate").order_by(Job.created_at.desc()).limit(1))
        rows = list(
            session.scalars(
                select(Asset)
                .join(Job, Job.id == Asset.job_id)
                .where(Asset.kind == "video", Asset.hidden.is_(False), Job.kind == "video.generate")
                .order_by(Asset.created_at.desc())
                .limit(SHOWN)
            )
        )
    work.wait_for(viewer, job, key="make_job")
    if not rows:
        return
    st.subheader(t("make.made", lang))
    with database.session(viewer.actor) as session:
        for start in range(0, len(rows), 3):
            for column, row in zip(st.columns(3), rows[start : start + 3], strict=False):
                with column, st.container(border=True):
                    media.play(session, row, lang, key=f"made-{row.id}")
                    shell.name_of(row.name)
                    shell.facts(
                        media.shape(row), clock(row.duration_seconds or 0), file_size(row.size_bytes),
                        moment(row.created_at, lang, viewer.zone),
                    )  # fmt: skip
                    shell.chips((t("library.ai", lang) if row.ai_generated else "", "wait"))
                    shell.download_links([(t("common.download", lang), shell.content_url(row.id, download=True))])
    st.page_link(shell.page_file("publishing"), label=t("video.to_publishing", lang), icon=":material/calendar_month:")


def main() -> None:
    viewer = shell.open_page("make")
    with shell.errors(viewer):
        if viewer.may_edit:
            form(viewer)
        results(viewer)


main()

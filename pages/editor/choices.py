"""What to do with the recording: spoken language, cuts, captions with a preview, music to listen to, shapes."""

from __future__ import annotations

import html
from typing import Any, Literal
from uuid import UUID

import streamlit as st

from core import database
from core.i18n import duration, t
from core.video.caption_styles import STYLES, CaptionStyle
from core.video.timeline import AspectRatio, TransitionStyle
from pages import shell
from pages.components.player import player
from pages.editor import project as projects
from pages.editor import speech, tracks
from pages.editor.project import Choices

RESOLUTIONS: tuple[Literal["720p", "1080p"], ...] = ("720p", "1080p")
PAUSES: tuple[Literal["cut", "speed", "leave"], ...] = ("cut", "speed", "leave")
PAUSE_SPEEDS = (2.0, 3.0, 4.0, 6.0, 8.0)
PACES = (0.5, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0)
TRANSITIONS: tuple[TransitionStyle, ...] = ("cut", "crossfade", "zoom", "dip", "wipe")
BEATS = (1, 2, 4, 8, 16)
HIGHLIGHTS = (0, 30, 60, 90, 180)
FORMATS: tuple[AspectRatio, ...] = ("16:9", "9:16", "4:5", "1:1", "source")


def caption_preview(style: CaptionStyle, words: str) -> None:
    """One line of text as this preset draws it, its first word (before the bar) spoken, over a dark picture."""
    shown = words.upper() if style.upper_case else words
    first, _, rest = shown.partition("|")
    gap = " " if first.isascii() else ""  # Thai is written without spaces
    size = style.size * 330
    colour, lit, edge = f"#{style.colour}", f"#{style.highlight}", f"#{style.outline_colour}"
    lit = lit if style.motion in ("word", "karaoke") else colour
    around = (
        f"background:{edge}{round(style.box_opacity * 255):02x};padding:.08em .35em;border-radius:.12em"
        if style.box
        else f"-webkit-text-stroke:{style.outline * 660:.1f}px {edge};paint-order:stroke fill"
    )
    st.html(
        '<div role="img" style="display:grid;place-items:center;text-align:center;height:120px;border-radius:12px;'
        'background:linear-gradient(135deg,#2b3a44,#6d7f78 55%,#2c3330)">'
        f'<span style="font:{style.weight} {size:.0f}px/1.2 Sarabun,sans-serif;color:{colour};{around}">'
        f'<span style="color:{lit}">{html.escape(first)}</span>{gap}{html.escape(rest)}</span></div>'
    )


def show(
    viewer: shell.Viewer,
    project_id: UUID,
    stored: Choices,
    *,
    with_shapes: bool,
    version: str = "",
    keep: bool = True,
) -> Choices:
    """The form. Every change is stored at once with the project, unless ``keep`` is false; answers the choices as they
    are now. Without ``with_shapes`` the page asks for the shapes elsewhere (:func:`ask_shapes`). ``version`` is the key
    of another version than the first."""
    lang = viewer.lang
    busy = not viewer.may_edit

    def key(name: str) -> str:
        return _key(name, project_id, version)

    language = speech.ask_language(viewer, stored.language, key=key("language"))
    speech_provider = speech.ask_provider(viewer, stored.speech_provider, key=key("speech"))
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(f"**{t('video.what', lang)}**")
        pauses = _pauses(stored, lang, key("pauses"), busy)
        best = st.selectbox(
            t("video.highlight", lang),
            HIGHLIGHTS,
            HIGHLIGHTS.index(stored.highlight_seconds) if stored.highlight_seconds in HIGHLIGHTS else 0,
            format_func=lambda seconds: (
                t("video.highlight_best", lang, length=duration(seconds, lang))
                if seconds
                else t("video.highlight_all", lang)
            ),
            key=key("highlight"),
            disabled=busy,
        )
        fillers = st.toggle(t("video.cut_fillers", lang), stored.cut_fillers, key=key("fillers"), disabled=busy)
        repeats = st.toggle(t("video.cut_repeats", lang), stored.cut_repeats, key=key("repeats"), disabled=busy)
        follow = st.toggle(t("video.follow_face", lang), stored.follow_face, key=key("face"), disabled=busy)
        noise = st.toggle(t("video.noise", lang), stored.reduce_noise, key=key("noise"), disabled=busy)
        loud = st.toggle(t("video.loudness", lang), stored.loudness, key=key("loudness"), disabled=busy)
    with right:
        names = ["", *STYLES]
        style = st.selectbox(
            t("video.captions", lang),
            names,
            index=names.index(stored.captions) if stored.captions in names else 0,
            format_func=lambda name: t(STYLES[name].label_key, lang) if name else t("video.no_captions", lang),
            key=key("captions"),
            disabled=busy,
        )
        if style:
            caption_preview(STYLES[style], t("video.caption_sample", language if language in ("en", "th") else "en"))
        music, duck = _music(viewer, stored, project_id, key("music"), busy)
        on_beat, beats = _beats(stored, lang, key("beats"), busy) if music else (stored.on_beat, stored.beats_per_cut)
        transition, seconds = _transition(stored, lang, key("transition"), busy)
        pace = st.select_slider(
            t("video.speed", lang),
            PACES,
            stored.speed if stored.speed in PACES else 1.0,
            format_func=times,
            key=key("speed"),
            disabled=busy,
        )
    chosen = Choices(
        language=language,
        speech_provider=speech_provider,
        **pauses,
        speed=pace,
        transition=transition,
        transition_seconds=seconds,
        cut_fillers=fillers,
        cut_repeats=repeats,
        follow_face=follow,
        captions=style,
        music=music,
        duck_db=duck,
        on_beat=on_beat,
        beats_per_cut=beats,
        reduce_noise=noise,
        loudness=loud,
        formats=stored.formats,
        resolution=stored.resolution,
        highlight_seconds=best,
        shorts=stored.shorts,
        max_seconds=stored.max_seconds,
        chapter_minutes=stored.chapter_minutes,
    )
    if with_shapes:
        chosen = ask_shapes(viewer, project_id, chosen, version=version)
    if keep and chosen != stored and viewer.may_edit:
        remember(viewer, project_id, chosen, version=version)
    return chosen


def _key(name: str, project_id: UUID, version: str) -> str:
    return f"choice-{name}-{project_id}" + (f"-{version}" if version else "")


def times(speed: float) -> str:
    """A speed as people write it: ×1.25."""
    return f"×{speed:g}"


def _pauses(stored: Choices, lang: str, key: str, busy: bool) -> dict[str, Any]:
    """What becomes of pauses, as fields of the choices."""
    kind = st.segmented_control(
        t("video.pauses", lang),
        PAUSES,
        default=stored.pauses,
        required=True,
        format_func=lambda name: t(f"video.pauses_{name}", lang),
        key=key,
        disabled=busy,
    )
    chosen: dict[str, Any] = {
        "pauses": kind or stored.pauses,
        "min_silence_seconds": stored.min_silence_seconds,
        "pause_speed": stored.pause_speed,
    }
    if chosen["pauses"] == "speed":
        fast = stored.pause_speed if stored.pause_speed in PAUSE_SPEEDS else 4.0
        chosen["pause_speed"] = st.select_slider(
            t("video.pause_speed", lang), PAUSE_SPEEDS, fast, format_func=times, key=f"{key}-speed", disabled=busy
        )
    if chosen["pauses"] != "leave":
        chosen["min_silence_seconds"] = st.slider(
            t("video.longer_than", lang), 0.2, 3.0, stored.min_silence_seconds, 0.1, "%.1f",
            key=f"{key}-longer", disabled=busy,
        )  # fmt: skip
    return chosen


def _transition(stored: Choices, lang: str, key: str, busy: bool) -> tuple[TransitionStyle, float]:
    """How pieces meet, and how long that takes where it takes time."""
    style = st.selectbox(
        t("video.transition", lang),
        TRANSITIONS,
        index=TRANSITIONS.index(stored.transition),
        format_func=lambda name: t(f"video.transition_{name}", lang),
        key=key,
        disabled=busy,
    )
    seconds = stored.transition_seconds
    if style not in ("cut", "zoom"):
        seconds = st.slider(
            t("video.transition_seconds", lang), 0.1, 1.5, seconds, 0.1, "%.1f", key=f"{key}-seconds", disabled=busy
        )
    return style, seconds


def _beats(stored: Choices, lang: str, key: str, busy: bool) -> tuple[bool, int]:
    """Whether cuts fall on the music's beats, and how often where nobody speaks."""
    wanted = st.toggle(
        t("video.on_beat", lang), stored.on_beat, key=key, disabled=busy, help=t("video.on_beat_help", lang)
    )
    every = stored.beats_per_cut
    if wanted:
        every = st.select_slider(
            t("video.beats_per_cut", lang),
            BEATS,
            every if every in BEATS else 4,
            key=f"{key}-every",
            disabled=busy,
        )
    return wanted, every


def ask_shapes(viewer: shell.Viewer, project_id: UUID, chosen: Choices, *, version: str = "") -> Choices:
    """Shapes and size of what is rendered; answers the choices with them, stores nothing."""
    lang, busy = viewer.lang, not viewer.may_edit
    formats = st.pills(
        t("video.formats", lang),
        FORMATS,
        selection_mode="multi",
        default=chosen.formats,
        format_func=lambda ratio: t(f"format_of.{ratio}", lang),
        key=_key("formats", project_id, version),
        disabled=busy,
    )
    resolution = st.segmented_control(
        t("video.resolution", lang),
        RESOLUTIONS,
        default=chosen.resolution,
        required=True,
        format_func=lambda name: t(f"video.resolution_{name}", lang),
        key=_key("resolution", project_id, version),
        disabled=busy,
    )
    return chosen.model_copy(update={"formats": list(formats), "resolution": resolution or chosen.resolution})


def remember(viewer: shell.Viewer, project_id: UUID, choices: Choices, *, version: str = "") -> None:
    """Store the choices of a project, or of one of its other versions, leaving the rest of its state."""
    with database.session(viewer.actor) as session:
        row = projects.get_project(session, project_id)
        state = projects.state_of(row)
        if version:
            for other in state.versions:
                other.choices = choices if other.key == version else other.choices
        else:
            state = state.model_copy(update={"choices": choices})
        projects.save_state(session, viewer.actor, project_id, state)


def _music(viewer: shell.Viewer, stored: Choices, project_id: UUID, key: str, busy: bool) -> tuple[str, float]:
    lang = viewer.lang
    with database.session(viewer.actor) as session:
        options = tracks.options(session, lang)
    names = {"": t("video.no_music", lang), **{track.value: track.label for track in options}}
    picked = st.selectbox(
        t("video.music", lang),
        list(names),
        index=list(names).index(stored.music) if stored.music in names else 0,
        format_func=names.__getitem__,
        key=key,
        disabled=busy,
    )
    if not busy and st.button(t("compose.from_editor", lang), key=f"{key}-compose", icon=":material/music_note_add:"):
        st.switch_page("music.py", query_params={"project": str(project_id), "tab": t("compose.title", lang)})
    duck = stored.duck_db
    if picked:
        track = next(track for track in options if track.value == picked)
        if track.asset_id is not None:
            player(shell.content_url(track.asset_id), key=f"{key}-listen", title=track.label, audio=True)
        else:
            tracks.offer_recording(viewer, key=f"{key}-record")
        duck = st.slider(t("video.duck", lang), 0.0, 24.0, stored.duck_db, 1.0, "%d", key=f"{key}-duck", disabled=busy)
    return picked, duck

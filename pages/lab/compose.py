"""Making music in the Music Lab: describe it, see what was understood, put that right, have it composed (SPEC M6)."""

from __future__ import annotations

import secrets
import zlib
from typing import Any, get_args
from uuid import UUID

import streamlit as st

from core import assets, database, jobs
from core.i18n import clock, t
from core.models.assets import Asset
from core.models.jobs import Job
from core.music.composing.instruments import INSTRUMENTS
from core.music.composing.plan import LONGEST_SECONDS, MOST_INSTRUMENTS, SHORTEST_SECONDS, Plan, Wishes, plan
from core.music.composing.prompt import FASTEST_BPM, LONGEST_PROMPT, SLOWEST_BPM, Metre, understand
from core.music.composing.styles import MOODS, STYLES
from core.music.generate_payloads import GenerateMusicInput
from core.music.generation import MUSICGEN, MUSICGEN_LONGEST_SECONDS, MUSICGEN_SMALL
from core.music.keys import NOTES
from pages import media, shell, work
from pages.editor import project as projects
from pages.lab import stems as stem_parts
from providers.registry import ProviderInfo, providers

KEYS = tuple(f"{note}:{mode}" for mode in ("maj", "min") for note in NOTES)
PROVIDERS = ("builtin", "musicgen", "external")
_LARGEST_SEED = 2**31
LONGEST_WHOLE, LOOPED_SECONDS = 90.0, 60.0
"""A video up to this long gets music of its own length; a longer one a loop of that."""


def show(viewer: shell.Viewer) -> None:
    """The form. Where the address names a project the music is for its video."""
    lang = viewer.lang
    st.caption(t("compose.lead", lang))
    length = video_length(viewer, st.query_params["project"]) if "project" in st.query_params else None
    if length:
        st.info(t("compose.for_video", lang, length=clock(length)), icon=":material/movie_edit:")
    prompt = st.text_area(
        t("compose.prompt", lang), key="compose_prompt", placeholder=t("compose.example", lang),
        max_chars=LONGEST_PROMPT, height=80,
    )  # fmt: skip
    if not prompt.strip():
        return
    understood = plan(_wishes(prompt, length), st.session_state.setdefault("compose_seed", _new_seed()))
    # Another prompt is understood anew: its fields are other fields, which begin with what it says.
    chosen = _correct(understood, lang, mark=f"{zlib.crc32(prompt.encode()):08x}")
    with database.session(viewer.actor) as session:
        known = {one.name: one for one in providers(session, viewer.actor.owner_id) if one.kind == "music"}
    picked = st.radio(
        t("compose.provider", lang),
        PROVIDERS,
        format_func=lambda name: t("compose.builtin", lang) if name == "builtin" else known[name].title,
        captions=[_reason(known[name], lang) for name in PROVIDERS],
        key="compose_provider",
    )
    provider = known[picked]
    too_long = picked == MUSICGEN and chosen["duration_seconds"] > MUSICGEN_LONGEST_SECONDS
    if picked == MUSICGEN:
        st.caption(t("compose.not_for_money", lang))
    if too_long:
        st.caption(t("compose.too_long", lang, seconds=f"{MUSICGEN_LONGEST_SECONDS:.0f}"))
    if st.button(
        t("compose.start", lang), type="primary", icon=":material/music_note_add:", key="compose_start",
        disabled=not provider.ready or too_long or not chosen["instruments"],
    ):  # fmt: skip
        _submit(viewer, {**chosen, "prompt": prompt, "provider": picked, "seed": understood.seed})
    if provider.reason_key.endswith(".download"):
        stem_parts.offer_weights(viewer, MUSICGEN_SMALL, key="musicgen_weights")


def _reason(provider: ProviderInfo, lang: str) -> str:
    key = "compose.builtin_is" if provider.name == "builtin" and provider.ready else ""
    return t(key, lang) if key else shell.plain(provider.reason_in(lang))


def _correct(understood: Plan, lang: str, *, mark: str) -> dict[str, Any]:
    """What was understood, to be put right; answers the order's fields."""
    st.markdown(f"**{t('compose.understood', lang)}**")
    st.caption(t("compose.understood_lead", lang))

    def key(name: str) -> str:
        return f"compose-{name}-{mark}"

    first, second, third = st.columns(3)
    with first:
        mood = st.selectbox(
            t("compose.mood", lang), list(MOODS), list(MOODS).index(understood.mood),
            format_func=lambda name: t(MOODS[name].title_key, lang), key=key("mood"),
        )  # fmt: skip
        style = st.selectbox(
            t("compose.style", lang), list(STYLES), list(STYLES).index(understood.style),
            format_func=lambda name: t(STYLES[name].title_key, lang), key=key("style"),
        )  # fmt: skip
    with second:
        bpm = st.number_input(
            t("compose.tempo", lang), SLOWEST_BPM, FASTEST_BPM, understood.bpm, 1.0, "%.0f", key=key("bpm")
        )
        pitch = st.selectbox(
            t("compose.key", lang), KEYS, KEYS.index(understood.key),
            format_func=lambda name: media.key_name(name, lang), key=key("key"),
        )  # fmt: skip
    with third:
        seconds = st.number_input(
            t("compose.length", lang), SHORTEST_SECONDS, LONGEST_SECONDS, understood.seconds, 5.0, "%.0f",
            key=key("seconds"),
        )  # fmt: skip
        metre = st.segmented_control(
            t("compose.metre", lang), get_args(Metre), default=understood.metre, required=True, key=key("metre")
        )
    players = st.multiselect(
        t("compose.instruments", lang), list(INSTRUMENTS), list(understood.instruments),
        format_func=lambda name: t(INSTRUMENTS[name].title_key, lang), max_selections=MOST_INSTRUMENTS,
        key=key("instruments"),
    )  # fmt: skip
    loop = st.toggle(t("compose.loop", lang), understood.loop, help=t("compose.loop_help", lang), key=key("loop"))
    return {
        "mood": mood,
        "style": style,
        "tempo_bpm": bpm,
        "key": pitch,
        "duration_seconds": seconds,
        "time_signature": metre or understood.metre,
        "instruments": players,
        "loop": loop,
    }


def _new_seed() -> int:
    return secrets.randbelow(_LARGEST_SEED)


def _submit(viewer: shell.Viewer, order: dict[str, Any]) -> None:
    with shell.errors(viewer):
        with database.session(viewer.actor) as session:
            job = jobs.submit(session, viewer.actor, "music.generate", GenerateMusicInput.model_validate(order))
            identifier = job.id
        st.session_state.pop("compose_seed", None)
        _go("composing", str(identifier))


def wait(viewer: shell.Viewer, identifier: str) -> None:
    """The composing under way; when it is done its song opens."""
    with database.session(viewer.actor) as session:
        job = database.get_owned(session, Job, identifier)
        made = str((job.result or {}).get("audio_asset_id") or "")
    if not work.wait_for(viewer, job, key="composing"):
        if job.status not in work.LIVE and st.button(
            t("music.all", viewer.lang), key="composing_back", type="tertiary"
        ):
            st.query_params.clear()
            st.rerun()
        return
    _go("asset", made)


def _go(name: str, identifier: str) -> None:
    """To another part of the page, still for the same video."""
    kept = {"project": st.query_params["project"]} if "project" in st.query_params else {}
    st.query_params.from_dict({name: identifier, **kept})
    st.rerun()


def made(viewer: shell.Viewer, song: Asset) -> None:
    """What a song was made from; nothing for other songs."""
    order = song.details.get("generated")
    if not order:
        return
    lang = viewer.lang
    if order["prompt"]:
        st.caption(f"“{shell.plain(order['prompt'])}”")
    shell.chips(
        (t(MOODS[order["mood"]].title_key, lang), ""),
        (t(STYLES[order["style"]].title_key, lang), ""),
        *((t(INSTRUMENTS[name].title_key, lang), "") for name in order["instruments"]),
        (t("compose.loops", lang) if order["loop"] else "", "good"),
        (t("library.ai", lang) if song.ai_generated else "", "wait"),
    )


def score_links(viewer: shell.Viewer, song: Asset) -> list[tuple[str, str]]:
    """The way to a song's MIDI file, if it has one."""
    with database.session(viewer.actor) as session:
        score = media.helper(session, song, "midi")
    return [(t("compose.midi", viewer.lang), shell.content_url(score.id, download=True))] if score is not None else []


def offer_another(viewer: shell.Viewer, song: Asset) -> None:
    """The same order with another seed."""
    order = song.details.get("generated")
    if order and st.button(t("compose.another", viewer.lang), key="compose_another", icon=":material/casino:"):
        fields = GenerateMusicInput.model_fields.keys() - {"seed", "name"}
        _submit(viewer, {**{name: order[name] for name in fields if name in order}, "seed": _new_seed()})


def video_length(viewer: shell.Viewer, project_id: UUID | str) -> float | None:
    """How long a project's recording is, in seconds; None before it has one."""
    with database.session(viewer.actor) as session:
        source = projects.get_project(session, project_id).source_asset_id
        return assets.get(session, source).duration_seconds if source else None


def _wishes(prompt: str, video: float | None) -> Wishes:
    """Music for a short video is as long as that; under a longer one a loop goes round."""
    if video is None or understand(prompt).seconds is not None:
        return Wishes(prompt=prompt)
    if video <= LONGEST_WHOLE:
        return Wishes(prompt=prompt, seconds=float(round(video)))
    return Wishes(prompt=prompt, seconds=LOOPED_SECONDS, loop=True)

"""A podcast episode in the Music Lab: put it together, hear it with its chapters, take it away (SPEC M7)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import streamlit as st
from pydantic import ValidationError
from sqlalchemy.orm import Session

from core import assets, database, jobs
from core.errors import InvalidInput
from core.i18n import clock, number, t
from core.models.assets import Asset
from core.models.jobs import Job
from core.music.feed import stamp
from core.music.podcast_payloads import PodcastInput
from core.music.podcast_text import chapters_of, ranges_of, written
from pages import media, shell, work
from pages.components.upload import upload
from pages.components.waveform import SectionMark
from pages.editor import speech, tracks
from pages.lab.episode_tracks import edited_tracks, load_tracks

NEW = "new"
_DRAFT = "episode_draft"
_COVER = "episode_cover"
_COVER_BYTES = 20_000_000
_KEPT = ("season", "published_at", "guid")
"""What an order may say that the form does not show: an episode that is made again keeps it."""


def is_episode(asset: Asset) -> bool:
    """Whether a sound is a finished episode."""
    return bool(asset.details.get("podcast"))


def chapter_marks(asset: Asset) -> list[SectionMark]:
    """The chapters to jump to, over the waveform."""
    told = asset.details.get("podcast") or {}
    chapters = told.get("chapters") or []
    ends = [*(one["start"] for one in chapters[1:]), asset.duration_seconds or told.get("duration_seconds") or 0.0]
    return [
        SectionMark(start=float(one["start"]), end=float(end), name=one["title"], tone=index)
        for index, (one, end) in enumerate(zip(chapters, ends, strict=True))
    ]


def show(viewer: shell.Viewer, asset: Asset) -> None:
    """What belongs to a finished episode: its facts, notes, chapters, and the documents beside it."""
    lang = viewer.lang
    told: dict[str, Any] = asset.details["podcast"]
    with database.session(viewer.actor) as session:
        made = {role: row for row, role in assets.lineage(session, asset.id).children}
        job = session.get(Job, asset.job_id) if asset.job_id else None
        order = dict(job.payload) if job is not None and job.kind == "audio.podcast" else None
    st.subheader(told["title"])
    shell.facts(
        told.get("show") or "", told.get("author") or "", clock(asset.duration_seconds or 0),
        t("podcast.told", lang, format=asset.name.rsplit(".", 1)[-1].upper(), loudness=number(told["loudness_lufs"]))
        if told.get("loudness_lufs") is not None
        else "",
    )  # fmt: skip
    if told.get("show_notes"):
        st.text(told["show_notes"])
    chapters = told.get("chapters") or []
    if chapters:
        st.markdown(f"**{t('podcast.chapter_list', lang)}**")
        st.text("\n".join(f"{stamp(one['start'])}  {one['title']}" for one in chapters))
    links = [(t("common.download", lang), shell.content_url(asset.id, download=True))]
    for role, key in (("feed", "podcast.feed"), ("chapters", "podcast.chapters_file")):
        if role in made:
            links.append((t(key, lang), shell.content_url(made[role].id, download=True)))
    shell.download_links(links)
    if order is not None:
        # In the feed it stays the episode that it was.
        _offer_again(viewer, {**order, "guid": order.get("guid") or str(asset.id)})


def _offer_again(viewer: shell.Viewer, order: dict[str, Any]) -> None:
    """Back to the form with what was ordered."""
    if viewer.may_edit and st.button(t("podcast.again", viewer.lang), key="episode_again"):
        load(PodcastInput.model_validate(order))
        st.query_params.from_dict({"episode": NEW})
        st.rerun()


def offer(viewer: shell.Viewer) -> None:
    """The way to a new episode."""
    lang = viewer.lang
    st.caption(t("podcast.begin_lead", lang))
    if st.button(t("podcast.begin", lang), key="episode_begin", icon=":material/podcasts:", type="primary"):
        st.query_params.from_dict({"episode": NEW})
        st.rerun()


def load(order: PodcastInput) -> None:
    """Fill the form with an order that was made before."""
    st.session_state[_DRAFT] = order.model_dump(mode="json")
    load_tracks(order)


def compose(viewer: shell.Viewer, identifier: str) -> None:
    """The form, or the job of an episode under way by its identifier."""
    lang = viewer.lang
    if st.button(t("music.all", lang), icon=":material/arrow_back:", type="tertiary", key="all_songs"):
        st.query_params.clear()
        st.rerun()
    st.subheader(t("podcast.title", lang))
    if identifier != NEW:
        _await(viewer, identifier)
        return
    with database.session(viewer.actor) as session:
        sounds = choices(session, lang)
    if not sounds:
        shell.empty(t("music.empty_title", lang), t("podcast.nothing", lang))
        return
    st.caption(t("podcast.kept_here", lang))
    order = _form(viewer, sounds)
    if order is None:
        return
    with shell.errors(viewer):
        with database.session(viewer.actor) as session:
            job = jobs.submit(session, viewer.actor, "audio.podcast", order)
            started = job.id
        load(order)
        st.query_params.from_dict({"episode": str(started)})
        st.rerun()


def choices(session: Session, lang: str) -> dict[UUID, Asset]:
    """Every sound an episode can be made of: songs and recordings, videos with sound, the built-in music."""
    rows = [row for row in tracks.own_songs(session) if not is_episode(row)]
    rows += [row for row in assets.search(session, kind="video", limit=60) if row.has_audio]
    rows += tracks.builtin(session).values()
    return {row.id: row for row in rows}


def _await(viewer: shell.Viewer, identifier: str) -> None:
    with database.session(viewer.actor) as session:
        job = database.get_owned(session, Job, identifier)
        made = str((job.result or {}).get("audio_asset_id") or "")
        order = dict(job.payload)
    if work.wait_for(viewer, job, key="episode_job"):
        st.query_params.from_dict({"asset": made})
        st.rerun()
    elif job.status not in work.LIVE:
        _offer_again(viewer, order)


def _form(viewer: shell.Viewer, sounds: dict[UUID, Asset]) -> PodcastInput | None:
    """The whole form; answers the order once its button was pressed and nothing is missing."""
    lang = viewer.lang
    draft: dict[str, Any] = st.session_state.get(_DRAFT) or {}
    st.markdown(f"**{t('podcast.sounds', lang)}**")
    st.caption(t("podcast.sounds_lead", lang))
    rows = edited_tracks(viewer, {key: media.name_of(row, lang) for key, row in sounds.items()})
    st.markdown(f"**{t('podcast.about', lang)}**")
    fields: dict[str, Any] = {
        "title": st.text_input(t("podcast.name", lang), draft.get("title", ""), max_chars=200, key="episode_title")
    }
    left, middle, right = st.columns((2, 2, 1))
    fields["show"] = left.text_input(t("podcast.show", lang), draft.get("show", ""), max_chars=300, key="episode_show")
    fields["author"] = middle.text_input(
        t("podcast.author", lang), draft.get("author", ""), max_chars=300, key="episode_author"
    )
    fields["number"] = right.number_input(
        t("podcast.number", lang), 1, 100_000, draft.get("number"), key="episode_number"
    )
    fields["show_notes"] = st.text_area(
        t("podcast.notes", lang), draft.get("show_notes", ""), max_chars=20_000, height=140,
        help=t("podcast.notes_help", lang), key="episode_notes",
    )  # fmt: skip
    fields["cover_asset_id"] = _cover(viewer, draft)
    fields["explicit"] = st.checkbox(t("podcast.explicit", lang), bool(draft.get("explicit")), key="episode_explicit")
    operations, listens = _sound(lang, draft)
    chapters, own_chapters = _chapters(lang, draft)
    can_write = not (listens or chapters == "auto") or _speech(viewer, draft, fields)
    form, channels = st.columns(2)
    fields["format"] = form.segmented_control(
        t("podcast.format", lang), ("mp3", "m4a"), default=draft.get("format", "mp3"), required=True,
        format_func=str.upper, key="episode_format",
    )  # fmt: skip
    fields["channels"] = channels.segmented_control(
        t("podcast.channels", lang), ("stereo", "mono"), default=draft.get("channels", "stereo"), required=True,
        format_func=lambda name: t(f"podcast.{name}", lang), key="episode_channels",
    )  # fmt: skip
    base = st.text_input(
        t("podcast.base", lang), draft.get("media_base_url") or "", help=t("podcast.base_help", lang),
        max_chars=1000, key="episode_base",
    )  # fmt: skip
    fields["media_base_url"] = base.strip() or None
    fields |= {name: draft[name] for name in _KEPT if draft.get(name) is not None}
    missing = _missing(rows, fields, lang)
    if missing:
        st.caption(missing)
    pressed = st.button(
        t("podcast.make", lang),
        type="primary",
        icon=":material/podcasts:",
        key="episode_make",
        disabled=bool(missing) or not can_write,
    )
    if not pressed:
        return None
    with shell.errors(viewer):
        wanted = [{**row, "cuts": _ranges(row["cuts"]), "trim": _trim(row["trim"])} for row in rows]
        told = chapters_of(own_chapters) if chapters == "own" else "auto" if chapters == "auto" else ()
        return _validated({**fields, "tracks": wanted, "operations": operations, "chapters": told})
    return None


def _validated(fields: dict[str, Any]) -> PodcastInput:
    """The order; what a person can have written wrongly is said in a sentence."""
    try:
        return PodcastInput.model_validate(fields)
    except ValidationError as error:
        place = error.errors()[0]["loc"][0]
        if place == "media_base_url":
            raise InvalidInput("This is not an address of the web.", "It begins with https://") from error
        if place == "chapters":
            raise InvalidInput(
                "Two chapters begin at the same time.", "Leave at least a second between them."
            ) from error
        raise InvalidInput("Something about the episode is not valid.", str(error.errors()[0]["msg"])) from error


def _ranges(text: str) -> list[dict[str, float]]:
    return [one.model_dump() for one in ranges_of(text)]


def _trim(text: str) -> dict[str, float] | None:
    return next(iter(_ranges(text)), None)


def _missing(rows: list[dict[str, Any]], fields: dict[str, Any], lang: str) -> str:
    if all(row["role"] == "music" for row in rows):
        return t("podcast.no_voice", lang)
    if not fields["title"].strip():
        return t("podcast.no_title", lang)
    if fields.get("language") == "":
        return t("podcast.which_language", lang)
    return ""


def _speech(viewer: shell.Viewer, draft: dict[str, Any], fields: dict[str, Any]) -> bool:
    """Which language is spoken and who writes it down; whether that can be done here. Offers the model it needs."""
    language = speech.ask_language(viewer, draft.get("language", ""), key="episode_language")
    provider = speech.ask_provider(viewer, draft.get("speech_provider", "local"), key="episode_provider")
    fields |= {"language": language, "speech_provider": provider}
    if not language or provider == "hosted" or speech.known(language):
        return True
    speech.offer_model(viewer, speech.OFFERED)
    return False


def _sound(lang: str, draft: dict[str, Any]) -> tuple[list[dict[str, Any]], bool]:
    """What is done to the voices, and whether their words have to be known for it."""
    before = {one["type"]: one for one in draft.get("operations") or []}
    st.markdown(f"**{t('podcast.sound', lang)}**")
    asked: tuple[tuple[str, dict[str, Any]], ...] = (
        ("clean", {"type": "reduce_noise"}),
        ("pauses", {"type": "auto_cut_silence", "min_silence_seconds": 1.0, "padding_seconds": 0.3}),
        ("fillers", {"type": "auto_cut_fillers"}),
        ("smooth", {"type": "crossfade"}),
    )
    chosen = [
        before.get(order["type"], order) for name, order in asked
        if st.checkbox(t(f"podcast.{name}", lang), order["type"] in before, key=f"episode_{name}")
    ]  # fmt: skip
    shown = {order["type"] for _, order in asked}
    chosen += [one for kind, one in before.items() if kind not in shown]
    return chosen, any(order["type"] == "auto_cut_fillers" for order in chosen)


def _chapters(lang: str, draft: dict[str, Any]) -> tuple[str, str]:
    """How chapters come about, and the text of one's own."""
    before = draft.get("chapters") or ()
    kind = "auto" if before == "auto" else "own" if before else "none"
    picked = st.segmented_control(
        t("podcast.chapters", lang), ("none", "auto", "own"), default=kind, required=True,
        format_func=lambda name: t(f"podcast.chapters_{name}", lang), key="episode_chapters",
    )  # fmt: skip
    if picked != "own":
        return str(picked), ""
    text = "" if kind != "own" else "\n".join(f"{written(one['start'])} {one['title']}" for one in before)
    return "own", st.text_area(t("podcast.chapters_text", lang), text, key="episode_own_chapters")


def _cover(viewer: shell.Viewer, draft: dict[str, Any]) -> UUID | None:
    """A picture of the library, or one that is brought in now."""
    lang = viewer.lang
    st.session_state.setdefault(_COVER, UUID(draft["cover_asset_id"]) if draft.get("cover_asset_id") else None)
    chooser, bring = st.container(), st.container()  # the choice stands above what it depends on
    with bring.expander(t("podcast.bring_cover", lang)):
        arrived = upload(
            lang, key="episode_cover_upload", accept="image/jpeg,image/png", multiple=False, max_bytes=_COVER_BYTES,
            hint=t("material.upload_hint", lang, size="{size}"),
        )  # fmt: skip
    with database.session(viewer.actor) as session:
        for one in arrived.asset_ids if arrived else []:
            row = assets.get(session, one)
            if row.kind == "image":
                st.session_state[_COVER] = row.id
            else:
                bring.warning(t("material.not_a_picture", lang, name=shell.plain(row.name)), icon=":material/error:")
        pictures = {row.id: row.name for row in assets.search(session, kind="image", limit=100)}
    for name, why in arrived.refused if arrived else []:
        bring.warning(f"**{shell.plain(name)}**  \n{shell.plain(why)}", icon=":material/error:")
    if st.session_state[_COVER] not in pictures:
        st.session_state[_COVER] = None
    return chooser.selectbox(
        t("podcast.cover", lang), [None, *pictures], key=_COVER,
        format_func=lambda one: t("podcast.no_cover", lang) if one is None else pictures[one],
    )  # fmt: skip

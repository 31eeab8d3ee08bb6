"""Remastering in the Music Lab: choose what gets better, compare before and after, take it away (SPEC M5)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import streamlit as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import assets, database, jobs
from core.i18n import moment, number, t
from core.models.assets import Asset
from core.models.jobs import Job
from core.music.remaster import BEFORE, ROLE
from core.music.remaster_payloads import RemasterInput
from pages import media, shell, work
from pages.components.compare import compare
from pages.editor import tracks

NOISE, ECHO = "noise", "echo"
LOUDNESS = {"at_streaming": -14.0, "at_podcast": -16.0, "at_broadcast": -23.0}
_NEAR_LU = 0.3


def show(viewer: shell.Viewer, song: Asset) -> None:
    """The whole part, under the song's own waveform."""
    lang = viewer.lang
    with database.session(viewer.actor) as session:
        versions = versions_of(session, song.id)
        job = newest_job(session, song.id)
    st.subheader(t("remaster.title", lang))
    if not versions:
        st.caption(t("remaster.lead", lang))
    idle = work.wait_for(viewer, job, key="remaster_job")
    if versions:
        _versions(viewer, song, versions)
    if viewer.may_edit and (idle or job is None or job.status not in work.LIVE):
        if versions:
            with st.expander(t("remaster.again", lang)):
                _order(viewer, song)
        else:
            _order(viewer, song)


def versions_of(session: Session, song_id: UUID) -> list[Asset]:
    """What was remastered from a song, newest first."""
    made = [row for row, role in assets.lineage(session, song_id).children if role == ROLE]
    return sorted(made, key=lambda row: (row.created_at, row.id), reverse=True)


def original_of(session: Session, version: Asset) -> Asset | None:
    """The song a version was made from, while it is there."""
    return next((row for row, role in assets.lineage(session, version.id).parents if role == ROLE), None)


def newest_job(session: Session, asset_id: UUID) -> Job | None:
    """The newest remaster of a song, whatever became of it."""
    return session.scalar(
        select(Job)
        .where(Job.kind == "audio.remaster", Job.payload["audio_asset_id"].astext == str(asset_id))
        .order_by(Job.created_at.desc())
        .limit(1)
    )


def belongs(viewer: shell.Viewer, version: Asset) -> None:
    """On a version's own page: what it was made from, and the comparison."""
    with database.session(viewer.actor) as session:
        song = original_of(session, version)
    if song is None:
        return
    st.caption(t("remaster.of_song", viewer.lang, name=shell.plain(song.name)))
    if st.button(t("stems.to_song", viewer.lang), key="to_original", icon=":material/arrow_back:", type="tertiary"):
        st.query_params.from_dict({"asset": str(song.id)})
        st.rerun()


def _versions(viewer: shell.Viewer, song: Asset, versions: list[Asset]) -> None:
    lang = viewer.lang
    names = {
        row.id: t(
            "remaster.version", lang, what=", ".join(_what(row, lang)) or row.name,
            when=moment(row.created_at, lang, viewer.zone),
        )
        for row in versions
    }  # fmt: skip
    picked = versions[0].id
    if len(versions) > 1:
        picked = st.selectbox(t("remaster.versions", lang), list(names), format_func=names.__getitem__, key="version")
    version = next(row for row in versions if row.id == picked)
    if len(versions) == 1:
        st.caption(names[version.id])
    told: dict[str, Any] = version.details.get("remaster") or {}
    with database.session(viewer.actor) as session:
        copy = media.helper(session, version, BEFORE)
        curve = media.peaks(session, version)
    compare(
        lang,
        shell.content_url((copy or song).id),
        shell.content_url(version.id),
        key=f"compare-{version.id}",
        title=version.name,
        duration=version.duration_seconds or 0.0,
        loudness=(told.get("before"), told.get("after")),
        peaks=curve,
    )
    shell.facts(t("remaster.loudness_told", lang, before=_lufs(told, "before", lang), after=_lufs(told, "after", lang)))
    for sentence in _remarks(told, lang):
        st.caption(sentence)
    if st.button(t("remaster.open", lang), key="open_version", icon=":material/music_note:"):
        st.query_params.from_dict({"asset": str(version.id)})
        st.rerun()
    shell.download_links([(t("common.download", lang), shell.content_url(version.id, download=True))])


def _what(version: Asset, lang: str) -> list[str]:
    """What was done to make a version, in words."""
    found = []
    for one in (version.details.get("remaster") or {}).get("operations") or []:
        kind = one.get("type")
        if kind == "eq":
            found.append(t(f"remaster.{one['preset']}", lang))
        elif kind == "stereo":
            found.append(t(f"remaster.{one['mode']}", lang))
        elif kind == "normalize":
            found.append(t("remaster.lufs", lang, value=number(one["target_lufs"])))
        else:
            found.append(
                t({"reduce_noise": "remaster.noise", "dereverb": "remaster.echo"}.get(kind, "remaster.match"), lang)
            )
    return found


def _lufs(told: dict[str, Any], when: str, lang: str) -> str:
    value = told.get(when)
    return t("remaster.silent", lang) if value is None else t("remaster.lufs", lang, value=number(round(value, 1)))


def _remarks(told: dict[str, Any], lang: str) -> list[str]:
    """What did not come out as it was ordered."""
    operations = {one["type"]: one for one in told.get("operations") or []}
    found = []
    if "dereverb" in operations and told.get("decay_seconds") is None:
        found.append(t("remaster.no_room", lang))
    wanted = operations.get("normalize", {}).get("target_lufs")
    if wanted is not None and told.get("after") is not None and abs(told["after"] - wanted) > _NEAR_LU:
        found.append(t("remaster.off_target", lang))
    return found


def _order(viewer: shell.Viewer, song: Asset) -> None:
    """What to do, in plain words, and the button."""
    lang = viewer.lang
    operations: list[dict[str, Any]] = []
    with st.container(border=True):
        if st.checkbox(t("remaster.noise", lang), key="do_noise", help=t("remaster.noise_help", lang)):
            material = st.segmented_control(
                t("remaster.material", lang), ("speech", "music"), default="speech", required=True,
                format_func=lambda name: t(f"remaster.{name}", lang), key="noise_material",
            )  # fmt: skip
            operations.append({"type": "reduce_noise", "strength": _amount(lang, NOISE), "material": material})
        if st.checkbox(t("remaster.echo", lang), key="do_echo", help=t("remaster.echo_help", lang)):
            operations.append({"type": "dereverb", "strength": _amount(lang, ECHO)})
        colour = _choice(lang, "colour", ("as_it_is", "warm", "bright", "vocal_boost"))
        if colour != "as_it_is":
            operations.append({"type": "eq", "preset": colour, "amount": _amount(lang, "colour")})
        width = _choice(lang, "width", ("as_it_is", "widen", "mono"))
        if width == "mono":
            operations.append({"type": "stereo", "mode": "mono"})
        elif width == "widen":
            operations.append({"type": "stereo", "mode": "widen", "amount": _amount(lang, "width")})
        loudness = st.selectbox(
            t("remaster.loudness", lang), ("as_it_is", *LOUDNESS), index=1,
            format_func=lambda name: t(f"remaster.{name}", lang), key="remaster_loudness",
        )  # fmt: skip
        if loudness in LOUDNESS:
            operations.append({"type": "normalize", "target_lufs": LOUDNESS[loudness]})
        reference = _reference(viewer, song)
        if reference is not None:
            operations.append({"type": "match", "reference_asset_id": reference})
        if not operations:
            st.caption(t("remaster.nothing", lang))
        label = t("remaster.start", lang)
        if st.button(label, type="primary", icon=":material/auto_fix_high:", key="remaster", disabled=not operations):
            with shell.errors(viewer):
                order = RemasterInput.model_validate({"audio_asset_id": song.id, "operations": operations})
                with database.session(viewer.actor) as session:
                    jobs.submit(session, viewer.actor, "audio.remaster", order)
                st.rerun()


def _amount(lang: str, name: str) -> float:
    return st.slider(t("remaster.how_much", lang), 10, 100, 50, 10, format="%d %%", key=f"amount_{name}") / 100


def _choice(lang: str, name: str, values: tuple[str, ...]) -> str:
    return str(
        st.segmented_control(
            t(f"remaster.{name}", lang), values, default=values[0], required=True,
            format_func=lambda value: t(f"remaster.{value}", lang), key=f"remaster_{name}",
        )
    )  # fmt: skip


def _reference(viewer: shell.Viewer, song: Asset) -> UUID | None:
    """A track to come nearer to."""
    with database.session(viewer.actor) as session:
        others = {row.id: row.name for row in tracks.own_songs(session) if row.id != song.id}
        others |= {
            row.id: media.name_of(row, viewer.lang) for row in tracks.builtin(session).values() if row.id != song.id
        }
    if not others:
        return None
    return st.selectbox(
        t("remaster.match", viewer.lang), [None, *others],
        format_func=lambda one: t("remaster.no_match", viewer.lang) if one is None else others[one],
        help=t("remaster.match_help", viewer.lang), key="remaster_reference",
    )  # fmt: skip

"""The editor of a recipe: when it starts, what it makes, where and when that is posted, who looks at it before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import streamlit as st
from pydantic import ValidationError

from core import database
from core.database import get_owned
from core.errors import InvalidInput
from core.i18n import t
from core.models.base import uuid7
from core.models.publishing import ContentChannel, Pipeline, PlatformAccount, Series
from core.publishing import accounts, channels
from core.publishing.payloads import PublicationOptions
from core.publishing.pipelines import store
from core.publishing.pipelines.recipe import ASKS_A_PERSON, Recipe, RecipeTarget, Schedule, Trigger
from core.publishing.pipelines.store import PipelineChange, PipelineInput
from core.publishing.pipelines.templates import FIELDS, unknown_fields
from core.publishing.rules import rules_of
from core.video.timeline import AspectRatio
from pages import shell
from pages.editor import choices as choice_form
from pages.editor import speech
from pages.editor.project import Choices
from pages.posting import recipe_choices
from pages.posting.dialog import account_label

OPEN = "recipe_editor"
_CLOCK = re.compile(r"(\d{1,2})[:.](\d{2})")


@dataclass(frozen=True)
class Opened:
    """What the editor is open for: a saved recipe, or a new one with what is filled in already. ``key`` tells its
    widgets from those of the recipe that was open before."""

    key: UUID
    pipeline_id: UUID | None = None
    series_id: UUID | None = None
    kind: recipe_choices.Kind = "shorts"


def open_new(*, series_id: UUID | None = None, kind: recipe_choices.Kind = "shorts") -> None:
    """Open the editor for a new recipe."""
    st.session_state[OPEN] = Opened(uuid7(), series_id=series_id, kind=kind)


def open_saved(pipeline_id: UUID) -> None:
    """Open the editor for a recipe."""
    st.session_state[OPEN] = Opened(uuid7(), pipeline_id)


def close() -> None:
    st.session_state.pop(OPEN, None)


@dataclass(frozen=True)
class _Known:
    """What the form starts from and chooses among."""

    pipeline: Pipeline | None
    recipe: Recipe | None
    usable: list[PlatformAccount]
    places: list[ContentChannel]
    series: list[Series]


def _known(viewer: shell.Viewer, opened: Opened) -> _Known:
    with database.session(viewer.actor) as session:
        saved = get_owned(session, Pipeline, opened.pipeline_id) if opened.pipeline_id is not None else None
        recipe = store.recipe_of(saved) if saved is not None else None
        named = {target.platform_account_id for target in recipe.targets} if recipe is not None else set()
        usable = [row for row in accounts.listed(session) if row.status == "connected" or row.id in named]
        places = channels.channels(session)
        series = [row for place in places for row in channels.series_of(session, place.id)]
    return _Known(saved, recipe, usable, places, series)


def show(viewer: shell.Viewer, opened: Opened) -> None:
    """The whole form, with its way back."""
    lang = viewer.lang
    known = _known(viewer, opened)
    if st.button(t("recipes.back", lang), icon=":material/arrow_back:", type="tertiary", key="recipe_back"):
        close()
        st.rerun()
    if not known.usable:
        st.info(t("recipes.needs_account", lang), icon=":material/info:")
        return

    def key(name: str) -> str:
        return f"recipe-{name}-{opened.key}"

    name = st.text_input(
        t("recipes.name", lang),
        known.pipeline.name if known.pipeline is not None else "",
        placeholder=t("recipes.name_hint", lang),
        key=key("name"),
        max_chars=200,
    )
    trigger = _starts(lang, known.recipe.trigger if known.recipe is not None else Trigger(), key("starts"))
    kind, choices = _makes(viewer, opened, known, key("makes"))
    series = _belongs(viewer, opened, known, key("series"))
    shapes: Sequence[AspectRatio] = ("9:16",) if kind == "shorts" else choices.formats
    targets = _posts(viewer, known, shapes, key("posts"))
    channel = next((place for place in known.places if series is not None and place.id == series.channel_id), None)
    zone = channel.timezone if channel is not None else viewer.zone
    schedule = _when(lang, zone, known.recipe.schedule if known.recipe is not None else Schedule(), key("when"))
    st.subheader(t("recipes.when.look", lang), anchor=False)
    looks = st.toggle(
        t("recipes.when.approval", lang),
        known.pipeline.needs_approval if known.pipeline is not None else True,
        key=key("approval"),
    )
    if not looks:
        st.caption(t("recipes.when.approval_off", lang))
    ready = bool(choices.language) and bool(shapes) and bool(targets) and schedule is not None
    if not st.button(t("common.save", lang), type="primary", key="recipe_save", disabled=not ready):
        return
    with shell.errors(viewer):
        try:
            recipe = Recipe(
                trigger=trigger,
                make=recipe_choices.make_of(kind, choices),
                targets=tuple(RecipeTarget.model_validate(target) for target in targets),
                schedule=schedule or Schedule(),
            )
        except ValidationError as error:
            raise InvalidInput("These settings do not fit together.", str(error.errors()[0]["msg"])) from error
        _save(viewer, known, name, series.id if series is not None else None, recipe, looks)
        close()
        st.toast(t("recipes.saved", lang))
        st.rerun()


def _save(viewer: shell.Viewer, known: _Known, name: str, series_id: UUID | None, recipe: Recipe, looks: bool) -> None:
    if not name.strip():
        raise InvalidInput("A name must not be empty.")
    with database.session(viewer.actor) as session:
        if known.pipeline is None:
            wanted = PipelineInput(name=name, series_id=series_id, recipe=recipe, needs_approval=looks)
            store.create(session, viewer.actor, wanted)
            return
        change: dict[str, Any] = {"name": name, "recipe": recipe, "needs_approval": looks}
        if series_id is not None and series_id != known.pipeline.series_id:
            series = get_owned(session, Series, series_id)
            change |= {"series_id": series_id, "channel_id": series.channel_id}
        store.change(session, viewer.actor, known.pipeline.id, PipelineChange(**change))


def _starts(lang: str, stored: Trigger, key: str) -> Trigger:
    st.subheader(t("recipes.starts.title", lang), anchor=False)
    kind = st.segmented_control(
        t("recipes.starts.title", lang),
        ("hand", "recording"),
        default=stored.kind,
        required=True,
        format_func=lambda name: t(f"recipes.starts.{name}", lang),
        key=key,
        label_visibility="collapsed",
    )
    if kind != "recording":
        return Trigger()
    left, right = st.columns(2)
    contains = left.text_input(
        t("recipes.starts.contains", lang), stored.name_contains, key=f"{key}-contains", max_chars=200
    )
    minutes = right.number_input(
        t("recipes.starts.minutes", lang), 0, 1440, int(stored.min_seconds // 60), key=f"{key}-minutes"
    )
    return Trigger(kind="recording", name_contains=contains, min_seconds=float(minutes) * 60)


def _makes(viewer: shell.Viewer, opened: Opened, known: _Known, key: str) -> tuple[recipe_choices.Kind, Choices]:
    lang = viewer.lang
    st.subheader(t("recipes.makes.title", lang), anchor=False)
    saved = known.recipe.make if known.recipe is not None else None
    kinds: tuple[recipe_choices.Kind, ...] = ("shorts", "edit")
    kind: recipe_choices.Kind = st.segmented_control(
        t("recipes.makes.title", lang),
        kinds,
        default=saved.kind if saved is not None else opened.kind,
        required=True,
        format_func=lambda name: t(f"recipes.makes.{name}", lang),
        key=key,
        label_visibility="collapsed",
    )
    stored = recipe_choices.choices_of(saved) if saved is not None else Choices(formats=["16:9"])
    if saved is not None and recipe_choices.make_of(saved.kind, stored) != saved:
        st.warning(t("recipes.other_settings", lang), icon=":material/info:")
    with st.container(border=True):
        chosen = choice_form.show(viewer, opened.key, stored, with_shapes=kind == "edit", keep=False)
        if kind == "shorts":
            left, right = st.columns(2)
            count = left.number_input(t("video.shorts_count", lang), 1, 20, stored.shorts, key=f"{key}-count")
            longest = right.number_input(
                t("video.shorts_longest", lang), 10, 180, stored.max_seconds, key=f"{key}-longest"
            )
            chosen = chosen.model_copy(update={"shorts": int(count), "max_seconds": int(longest)})
        elif not chosen.formats:
            st.caption(t("video.no_format", lang))
        if not chosen.language:
            st.info(t("recipes.makes.language_first", lang), icon=":material/record_voice_over:")
        else:
            speech.ready(viewer, chosen)
    return kind, chosen


def _belongs(viewer: shell.Viewer, opened: Opened, known: _Known, key: str) -> Series | None:
    """The series of the episodes; with more than one channel, each with its channel's name."""
    if not known.series:
        return None
    names = {place.id: place.name for place in known.places}
    labels = {
        row.id: f"{row.name} · {names[row.channel_id]}" if len(known.places) > 1 else row.name for row in known.series
    }
    wanted = known.pipeline.series_id if known.pipeline is not None else opened.series_id
    keys = list(labels)
    picked = st.selectbox(
        t("publishing.series", viewer.lang),
        keys,
        index=keys.index(wanted) if wanted in labels else 0,
        format_func=labels.__getitem__,
        key=key,
    )
    return next(row for row in known.series if row.id == picked)


def _posts(viewer: shell.Viewer, known: _Known, shapes: Sequence[AspectRatio], key: str) -> list[dict[str, Any]]:
    lang = viewer.lang
    st.subheader(t("recipes.posts.title", lang), anchor=False)
    stored = {one.platform_account_id: one for one in known.recipe.targets} if known.recipe is not None else {}
    names = {row.id: account_label(row, lang) for row in known.usable}
    picked = st.pills(
        t("recipes.posts.account", lang),
        list(names),
        selection_mode="multi",
        default=[one for one in stored if one in names] or [known.usable[0].id],
        format_func=names.__getitem__,
        key=key,
    )
    if not picked:
        st.caption(t("publishing.choose_account", lang))
    targets = []
    for row in known.usable:
        if row.id in picked:
            with st.expander(t("recipes.posts.words", lang, account=names[row.id]), icon=":material/edit_note:"):
                before = stored.get(row.id) or RecipeTarget(platform_account_id=row.id)
                targets.append(_target(lang, row, before, shapes, f"{key}-{row.id}"))
    return targets


def _target(
    lang: str, account: PlatformAccount, stored: RecipeTarget, shapes: Sequence[AspectRatio], key: str
) -> dict[str, Any]:
    title = st.text_input(t("publishing.title", lang), stored.title, key=f"{key}-title", max_chars=300)
    text = st.text_area(t("publishing.text", lang), stored.description, key=f"{key}-text")
    tags = st.text_input(t("publishing.tags", lang), ", ".join(stored.tags), key=f"{key}-tags")
    st.caption(t("recipes.posts.fields", lang, fields=shell.plain(" ".join(f"{{{name}}}" for name in FIELDS))))
    for name in unknown_fields(title, text, tags):
        st.error(shell.plain(t("recipes.posts.no_field", lang, name=name)), icon=":material/error:")
    options = stored.options
    privacy: str | None = None
    allowed = rules_of(account.platform).privacies
    if account.platform in ASKS_A_PERSON:
        st.caption(t("recipes.posts.tiktok", lang))
    elif len(allowed) == 1:
        st.caption(t("recipes.posts.public", lang))
    else:
        privacy = st.segmented_control(
            t("publishing.privacy", lang),
            allowed,
            default=stored.privacy or "public",
            required=True,
            format_func=lambda name: t(f"privacy.{name}", lang),
            key=f"{key}-privacy",
        )
    options = _own_options(lang, account.platform, options, key)
    shape: AspectRatio | None = None
    if len(shapes) > 1:
        shape = st.segmented_control(
            t("recipes.posts.shape", lang),
            shapes,
            default=stored.aspect_ratio if stored.aspect_ratio in shapes else shapes[0],
            required=True,
            format_func=lambda ratio: t(f"format_of.{ratio}", lang),
            key=f"{key}-shape",
        )
    return {
        "platform_account_id": account.id,
        "title": title.strip() or "{title}",
        "description": text,
        "tags": [tag.strip() for tag in tags.split(",") if tag.strip()],
        "privacy": privacy,
        "aspect_ratio": shape,
        "options": options,
    }


def _own_options(lang: str, platform: str, stored: PublicationOptions, key: str) -> PublicationOptions:
    """What one platform alone asks and a recipe may answer for every post."""
    given: dict[str, Any] = {}
    if platform == "youtube":
        given["made_for_kids"] = st.toggle(t("recipes.posts.kids", lang), stored.made_for_kids, key=f"{key}-kids")
    elif platform == "facebook":
        words = {
            "auto": "recipes.posts.surface_auto",
            "reel": "publishing.facebook.surface_reel",
            "video": "publishing.facebook.surface_video",
        }
        surface = st.segmented_control(
            t("publishing.facebook.goes_out", lang),
            list(words),
            default=stored.facebook.surface or "auto",
            required=True,
            format_func=lambda name: t(words[name], lang),
            key=f"{key}-surface",
        )
        given["facebook"] = {"surface": None if surface == "auto" else surface}
    elif platform == "instagram":
        feed = st.toggle(
            t("publishing.instagram.share_to_feed", lang), stored.instagram.share_to_feed, key=f"{key}-feed"
        )
        given["instagram"] = {**stored.instagram.model_dump(), "share_to_feed": feed}
    return PublicationOptions.model_validate({**stored.model_dump(), **given})


def _when(lang: str, zone: str, stored: Schedule, key: str) -> Schedule | None:
    """The rule; None while what was typed is none."""
    st.subheader(t("recipes.when.title", lang), anchor=False)
    kind = st.segmented_control(
        t("recipes.when.title", lang),
        ("best_time", "times", "at_once"),
        default=stored.kind,
        required=True,
        format_func=lambda name: t(f"recipes.when.{name}", lang),
        key=key,
        label_visibility="collapsed",
    )
    times: tuple[str, ...] | None = stored.times
    weekdays: Sequence[int] = stored.weekdays
    left, right = st.columns(2)
    if kind != "at_once":
        label = "recipes.when.clock" if kind == "times" else "recipes.when.clock_fallback"
        typed = left.text_input(
            t(label, lang), ", ".join(stored.times), help=t("recipes.when.clock_help", lang), key=f"{key}-clock"
        )
        times = clocks(typed)
        if times is None:
            left.error(t("recipes.when.clock_wrong", lang), icon=":material/error:")
        left.caption(t("recipes.when.zone", lang, zone=(stored.timezone or zone).replace("_", " ")))
        weekdays = st.pills(
            t("recipes.when.days", lang),
            range(7),
            selection_mode="multi",
            default=list(stored.weekdays),
            format_func=lambda day: t(f"advisor.weekday.{day}", lang),
            key=f"{key}-days",
        )
    hours = right.number_input(
        t("recipes.when.gap", lang), 0.25, 168.0, stored.gap_minutes / 60, 0.25, "%.2f", key=f"{key}-gap"
    )
    if times is None:
        return None
    return Schedule(
        kind=kind, times=times, weekdays=tuple(weekdays), timezone=stored.timezone, gap_minutes=round(hours * 60)
    )


def clocks(text: str) -> tuple[str, ...] | None:
    """Times of day as typed, "9:00, 18.30"; None where one of them is none."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    matches = [_CLOCK.fullmatch(part) for part in parts]
    if not matches or not all(match and int(match[1]) < 24 and int(match[2]) < 60 for match in matches):
        return None
    return tuple(f"{int(match[1]):02d}:{match[2]}" for match in matches if match)

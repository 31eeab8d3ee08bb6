"""Seeing and correcting the edit before it is rendered."""

from __future__ import annotations

from uuid import UUID

import streamlit as st
from pydantic import ValidationError

from core import database
from core.database import get_owned
from core.errors import Conflict, InvalidInput
from core.i18n import t
from core.models.assets import Asset, TimelineRow
from core.security import Actor
from core.video import timeline_edit
from core.video.caption_styles import STYLES
from core.video.timeline import AspectRatio, Piece, Timeline, Transition
from pages import media, shell
from pages.components.timeline import TimelineEdit, timeline_editor
from pages.editor.project import Choices, timeline_of


def apply(timeline: Timeline, edit: TimelineEdit) -> Timeline:
    """The timeline as the user left it on the page.

    Raises:
        InvalidInput: the pieces do not cover the recording, or a word is not there any more.
    """
    texts = {(piece.start_frame, piece.end_frame): piece.text for piece in timeline.pieces}
    try:
        pieces = tuple(
            Piece.model_validate(
                {
                    "start_frame": start,
                    "end_frame": end,
                    "kept": kept,
                    "reason": reason,
                    "text": texts.get((start, end), ""),
                    "speed": speed,
                }
            )
            for start, end, kept, reason, speed in edit["pieces"]
        )
        changed = Timeline.model_validate({**timeline.model_dump(), "pieces": [piece.model_dump() for piece in pieces]})
    except ValidationError:
        raise InvalidInput(
            "This piece is no longer part of the edit.", "Reload the page to see the current edit."
        ) from None
    for index, text in sorted(edit["words"], reverse=True):  # a correction may become two words: later ones first
        changed = timeline_edit.correct_words(changed, index, index + 1, text)
    return changed


def store(actor: Actor, timeline_id: UUID, edit: TimelineEdit) -> None:
    """Apply an edit to the stored timeline.

    Raises:
        Conflict: somebody (another window) has changed the edit since this page showed it.
    """
    actor.require("editor")
    with database.session(actor) as session:
        row = get_owned(session, TimelineRow, timeline_id, lock=True)
        if row.version != edit["version"]:
            raise Conflict("This edit was changed in another window.", "Reload the page to see the current edit.")
        row.document = apply(timeline_of(row), edit).model_dump(mode="json")
        row.version += 1


def show(viewer: shell.Viewer, asset: Asset, row: TimelineRow, choices: Choices) -> None:
    """The editor, and what it changes."""
    with database.session(viewer.actor) as session:
        source = media.playable_url(session, asset)
        peaks = media.peaks(session, asset)
        sheet = media.thumbnails(session, asset)
    timeline = timeline_of(row)
    first: AspectRatio = next((ratio for ratio in choices.formats if ratio in timeline.crops), "source")
    edit = timeline_editor(
        viewer.lang,
        timeline,
        source,
        key=f"timeline-{row.id}",
        version=row.version,
        peaks=peaks,
        thumbnails=sheet,
        style=STYLES.get(choices.captions),
        shape=first,
        transition=Transition(style=choices.transition, duration_seconds=choices.transition_seconds),
    )
    if edit is None or not viewer.may_edit:
        return
    with shell.errors(viewer):
        store(viewer.actor, row.id, edit)
        st.rerun()
    st.button(t("common.again", viewer.lang), key=f"reload-{row.id}")

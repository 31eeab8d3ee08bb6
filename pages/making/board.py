"""The storyboard on the page: scenes to write, to fill with pictures, to move and to remove (SPEC V1.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID, uuid4

import streamlit as st

from core.i18n import t
from core.video.generate.payloads import MOST_SCENES
from pages import shell

BOARD = "make_board"
Shows = Literal["text", "picture"]
TRANSITIONS = ("style", "cut", "crossfade", "dip", "wipe")


@dataclass
class Row:
    """One scene as it is being written."""

    key: str = field(default_factory=lambda: uuid4().hex[:8])
    shows: Shows = "text"
    text: str = ""
    picture: UUID | None = None
    seconds: float = 4.0
    transition: str = "style"
    narration: str = ""

    def order(self) -> dict[str, Any] | None:
        """The scene as POST /video/generate takes it; None while it shows nothing."""
        scene: dict[str, Any] = {"duration_seconds": self.seconds}
        if self.shows == "picture" and self.picture is not None:
            scene["image_asset_id"] = self.picture
        elif self.shows == "text" and any(char.isalnum() for char in self.text):
            scene["text"] = self.text
        else:
            return None
        if self.transition != "style":
            scene["transition"] = self.transition
        if self.narration.strip():
            scene["narration"] = self.narration
        return scene


def rows() -> list[Row]:
    """The scenes of this browser's storyboard."""
    if BOARD not in st.session_state:
        st.session_state[BOARD] = [Row()]
    found: list[Row] = st.session_state[BOARD]
    return found


def edit(viewer: shell.Viewer, pictures: Mapping[UUID, str]) -> list[Row]:
    """Show every scene; answers them as they stand now."""
    lang, board = viewer.lang, rows()
    for index, row in enumerate(board):
        with st.container(border=True):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{t('make.scene', lang, number=index + 1)}**", width="stretch")
                _buttons(lang, board, index)
            _fields(lang, row, pictures)
    if len(board) < MOST_SCENES and st.button(t("make.add_scene", lang), icon=":material/add:", key="make_add"):
        board.append(Row())
        st.rerun()
    return board


def _buttons(lang: str, board: list[Row], index: int) -> None:
    row = board[index]
    up = st.button(
        "", icon=":material/arrow_upward:", help=t("make.up", lang), key=f"up-{row.key}", disabled=index == 0
    )
    down = st.button(
        "", icon=":material/arrow_downward:", help=t("make.down", lang), key=f"down-{row.key}",
        disabled=index + 1 == len(board),
    )  # fmt: skip
    remove = st.button(
        "", icon=":material/delete:", help=t("make.remove", lang), key=f"remove-{row.key}", disabled=len(board) == 1
    )
    if up or down:
        other = index - 1 if up else index + 1
        board[index], board[other] = board[other], board[index]
        st.rerun()
    if remove:
        del board[index]
        st.rerun()


def _fields(lang: str, row: Row, pictures: Mapping[UUID, str]) -> None:
    kinds: list[Shows] = ["text", "picture"] if pictures else ["text"]
    kind = st.segmented_control(
        t("make.shows", lang), kinds, default=row.shows if row.shows in kinds else "text", required=True,
        format_func=lambda kind: t(f"make.shows_{kind}", lang), key=f"shows-{row.key}",
    )  # fmt: skip
    row.shows = kind or "text"
    if row.shows == "picture":
        names = list(pictures)
        at = names.index(row.picture) if row.picture and row.picture in pictures else 0
        row.picture = st.selectbox(
            t("make.picture", lang), names, index=at, format_func=pictures.__getitem__, key=f"picture-{row.key}"
        )
    else:
        row.text = st.text_input(t("make.words", lang), row.text, max_chars=400, key=f"text-{row.key}")
    row.narration = st.text_area(
        t("make.narration", lang), row.narration, max_chars=4000, height=80, key=f"say-{row.key}"
    )
    left, right = st.columns(2)
    with left:
        row.seconds = st.number_input(
            t("make.seconds", lang), 0.5, 120.0, row.seconds, 0.5, format="%.1f", key=f"seconds-{row.key}"
        )
    with right:
        row.transition = st.selectbox(
            t("make.transition", lang), TRANSITIONS, index=TRANSITIONS.index(row.transition),
            format_func=lambda name: t(f"make.transition_{name}", lang), key=f"into-{row.key}",
        )  # fmt: skip

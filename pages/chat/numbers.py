"""Every number of an answer opens the query, the values and the rows behind it (A1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from core import database
from core.advisor.render import shown
from core.advisor.results import Cell
from core.advisor.store import stored_cell
from core.advisor.text import escape_markdown
from core.errors import NotFound
from core.i18n import formats, has, t
from core.models.advisor import AdvisorQuery
from pages import shell

ROWS = 50


def marked(text: str, spans: Sequence[dict[str, Any]]) -> str:
    """An answer as Markdown in which nothing but its numbers is set off; titles stay plain text."""
    out, last = "", 0
    for span in sorted(spans, key=lambda one: int(one["start"])):
        out += escape_markdown(text[last : span["start"]])
        out += f"**{escape_markdown(text[span['start'] : span['end']])}**"
        last = span["end"]
    out += escape_markdown(text[last:])
    return out.replace("\n", "  \n")


def buttons(viewer: shell.Viewer, text: str, spans: Sequence[dict[str, Any]], *, key: str) -> None:
    """One button for each different number; pressed, it opens what is behind."""
    seen: dict[tuple[str, str], str] = {}
    for span in spans:
        seen.setdefault((str(span["query_id"]), str(span["cell"])), text[span["start"] : span["end"]])
    if not seen:
        return
    st.caption(t("advisor.page.numbers", viewer.lang))
    with st.container(horizontal=True, gap="small"):
        for (query_id, cell), value in seen.items():
            if st.button(
                shell.plain(value),
                key=f"{key}-{query_id}-{cell}",
                type="tertiary",
                icon=":material/query_stats:",
                help=t("advisor.page.number", viewer.lang, value=shell.plain(value)),
            ):
                behind(viewer, UUID(query_id), cell, value)


def behind(viewer: shell.Viewer, query_id: UUID, cell: str, value: str) -> None:
    """A dialog with the query behind a number."""

    @st.dialog(t("advisor.page.behind", viewer.lang, value=shell.plain(value)), width="large")
    def opened() -> None:
        with shell.errors(viewer):
            show(viewer, query_id, cell)

    opened()


def show(viewer: shell.Viewer, query_id: UUID, cell: str) -> None:
    """The rows with the number's own marked, how it was worked out, the values used, and the query itself."""
    lang = viewer.lang
    with database.session(viewer.actor) as session:
        try:
            row = database.get_owned(session, AdvisorQuery, query_id)
        except NotFound:
            st.caption(t("advisor.page.gone", lang))
            return
    if row.simulated:
        shell.chips((t("advisor.page.simulated", lang), "sim"))
    st.caption(
        t(
            "advisor.page.ran",
            lang,
            moment=formats.moment(row.generated_at, lang, viewer.zone),
            rows=formats.number(row.row_count, lang),
        )
    )
    how = t(f"advisor.how.{cell}", lang) if has(f"advisor.how.{cell}") else stored_cell(row, cell).how
    if how:
        st.markdown(escape_markdown(t("advisor.page.how", lang, how=how)))
    if row.rows:
        st.markdown(f"**{t('advisor.page.rows', lang)}**")
        st.dataframe(_table(viewer, row, cell), hide_index=True)
        if len(row.rows) > ROWS:
            st.caption(t("advisor.page.more_rows", lang, shown=ROWS, rows=len(row.rows)))
    st.markdown(f"**{t('advisor.page.values', lang)}**")
    st.code("\n".join(_values(row.parameters)), None, wrap_lines=True)
    st.markdown(f"**{t('advisor.page.query', lang)}**")
    st.code(row.statement, language="sql", wrap_lines=True)


def _values(parameters: dict[str, Any], above: str = "") -> list[str]:
    """The values a query ran with, a line each; those of a query within it under its name."""
    lines: list[str] = []
    for name, value in parameters.items():
        if isinstance(value, dict):
            lines += _values(value, f"{above}{name} · ")
        elif value is not None:
            shown = ", ".join(map(str, value)) if isinstance(value, list) else value
            lines.append(f"{above}{name}: {shown}")
    return lines


def _table(viewer: shell.Viewer, row: AdvisorQuery, cell: str) -> Any:
    """The rows as people read them, with the row of the number marked."""
    lang, zone = viewer.lang, ZoneInfo(viewer.zone)
    columns = [item for item in row.columns if any(line.get(item["name"]) is not None for line in row.rows)]
    frame = pd.DataFrame(
        [[_text(line.get(item["name"]), item, lang, zone) for item in columns] for line in row.rows[:ROWS]],
        columns=[t(f"advisor.column.{item['name']}", lang) for item in columns],
    )
    index = cell.partition(".")[0]
    if not index.isdigit():
        return frame
    chosen = int(index)
    return frame.style.apply(
        lambda line: ["background-color: rgba(11, 156, 131, 0.22)" if line.name == chosen else "" for _ in line], axis=1
    )


def _text(value: Any, column: dict[str, Any], lang: str, zone: ZoneInfo) -> str:
    if value is None:
        return "—"
    name = str(column["name"])
    for prefix in {"platform": ("platform",), "category": ("business.category",), "state": ("publication_state",)}.get(
        name, ()
    ):
        if has(f"{prefix}.{value}"):
            return t(f"{prefix}.{value}", lang)
    return shown(Cell(value, column["kind"]), column["currency"], lang, zone)

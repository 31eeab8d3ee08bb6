"""The table of what pays off, and which of its rows is chosen. Community features of AG Grid only."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st
from st_aggrid import AgGrid

from core.business.overview import Line
from core.i18n import has, t
from pages import shell

_FONT = "'Noto Sans Thai', 'Leelawadee UI', 'Thonburi', 'Segoe UI', 'Helvetica Neue', Arial, sans-serif !important"
STYLE = {
    ".ag-cell, .ag-header-cell-text, .ag-overlay": {"font-family": _FONT, "font-size": "14px !important"},
    ".ag-row": {"cursor": "pointer"},
}


def row_key(line: Line, level: str) -> str:
    """What a row is found by; empty where it is no single thing."""
    return str(line.identifier) if line.identifier else (line.name if level == "platform" else "")


def label(line: Line, level: str, lang: str) -> str:
    """A row's name as people read it."""
    if level == "platform" and has(f"platform.{line.name}"):
        return t(f"platform.{line.name}", lang)
    return line.name or t("business.shared", lang)


def frame(lines: list[Line], level: str, lang: str) -> pd.DataFrame:
    """The rows as the grid shows them; ``key`` is hidden."""
    return pd.DataFrame(
        [
            {
                "key": row_key(line, level),
                "name": label(line, level, lang),
                "parent": line.parent,
                "views": line.totals.views,
                "revenue": float(line.totals.revenue),
                "cost": float(line.totals.cost),
                "profit": float(line.totals.profit),
                "roi": None if line.totals.roi is None else float(line.totals.roi) * 100,
            }
            for line in lines
        ],
        columns=["key", "name", "parent", "views", "revenue", "cost", "profit", "roi"],
    )


def options(level: str, lang: str) -> dict[str, Any]:
    """Columns, sorting and selection."""

    def number(name: str, label: str, precision: int, width: int = 95) -> dict[str, Any]:
        digits = f"{{minimumFractionDigits: {precision}, maximumFractionDigits: {precision}}}"
        return {
            "field": name,
            "headerName": t(label, lang),
            "type": ["numericColumn"],
            "valueFormatter": f"value == null ? '—' : Number(value).toLocaleString('en-US', {digits})",
            "minWidth": width,
            "flex": 1,
        }

    columns: list[dict[str, Any]] = [
        {"field": "key", "hide": True},
        {"field": "name", "headerName": t("business.name", lang), "minWidth": 160, "flex": 2, "tooltipField": "name"},
    ]
    columns += [
        number("profit", "business.profit", 2),
        number("roi", "business.roi_column", 0, 120),
        number("revenue", "business.revenue", 2),
        number("cost", "business.cost", 2),
        number("views", "business.views", 0),
    ]
    if level in ("episode", "series"):
        columns.append({"field": "parent", "headerName": t("business.belongs_to", lang), "minWidth": 120, "flex": 1})
    return {
        "columnDefs": columns,
        "defaultColDef": {"sortable": True, "resizable": True, "suppressMovable": True},
        "rowSelection": {"mode": "singleRow", "enableClickSelection": True, "checkboxes": False},
        "domLayout": "normal",
        "suppressDragLeaveHidesColumns": True,
        "localeText": {"noRowsToShow": t("business.no_rows", lang)},
    }


def table(viewer: shell.Viewer, lines: list[Line], level: str, *, key: str) -> str | None:
    """Show the table; answers the key of the chosen row, if one is chosen."""
    rows = frame(lines, level, viewer.lang)
    answer = AgGrid(
        rows,
        gridOptions=options(level, viewer.lang),
        height=min(38 + 30 * len(rows), 480),
        update_on=["selectionChanged"],
        allow_unsafe_jscode=False,
        enable_enterprise_modules=False,
        show_search=False,
        show_toolbar=False,
        show_download_button=False,
        theme="streamlit",
        custom_css=STYLE,
        key=key,
    )
    chosen = answer.selected_rows
    if chosen is None or len(chosen) == 0:
        return None
    first = chosen.iloc[0] if isinstance(chosen, pd.DataFrame) else chosen[0]
    return str(first["key"]) or None


def export_button(content: bytes, level: str, lang: str) -> None:
    """The table as a file."""
    st.download_button(
        t("business.download", lang),
        content,
        file_name=f"{level}.csv",
        mime="text/csv",
        icon=":material/download:",
        key=f"export-{level}",
        on_click="ignore",
    )

"""Figures at a glance: small cards that stand side by side, two to a row on a phone."""

from __future__ import annotations

import html
from dataclasses import dataclass

import streamlit as st

_STYLE = """
<style>
.studio-figures {
  display: grid; gap: 0.6rem; grid-template-columns: repeat(auto-fit, minmax(138px, 1fr)); margin: 0.2rem 0 !important;
  padding: 0 !important;
}
.studio-figure {
  padding: 0.7rem 0.9rem; border-radius: 12px; border: 1px solid color-mix(in srgb, currentColor 14%, transparent);
  display: grid; align-content: start; gap: 0.1rem; min-width: 0;
}
.studio-figure dt { font-size: 0.86rem; opacity: 0.75; }
.studio-figure dd {
  margin: 0; font-size: 1.34rem; font-weight: 600; font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
.studio-figure small { font-size: 0.82rem; opacity: 0.9; }
.studio-figure small.good { color: color-mix(in srgb, #0B9C83 70%, currentColor); }
.studio-figure small.bad { color: color-mix(in srgb, #C2543B 75%, currentColor); }
</style>
"""


@dataclass(frozen=True)
class Figure:
    """One card. ``direction`` is 1 up, −1 down, 0 unchanged or unknown; ``good`` is the direction that is
    welcome; ``note`` is a word below the value."""

    label: str
    value: str
    change: str = ""
    direction: int = 0
    good: int = 1
    note: str = ""


def show(items: list[Figure], explanation: str) -> None:
    """The cards in a row; ``explanation`` says what a change is measured against."""
    body = ""
    for item in items:
        change = ""
        if item.change and item.direction:
            tone = "good" if item.direction == item.good else "bad"
            sign = "▲" if item.direction > 0 else "▼"
            hint = html.escape(explanation, quote=True)
            change = f'<small class="{tone}" title="{hint}">{sign} {html.escape(item.change)}</small>'
        if item.note:
            change += f"<small>{html.escape(item.note)}</small>"
        body += (
            f'<div class="studio-figure"><dt>{html.escape(item.label)}</dt><dd>{html.escape(item.value)}</dd>'
            f"{change}</div>"
        )
    st.html(f'{_STYLE}<dl class="studio-figures">{body}</dl>')

"""The schedule as a calendar: a month or a week at a glance, and below it the days as a list where posts are moved.

On a phone's width only the list is shown.
"""

from __future__ import annotations

import html
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import streamlit as st

from core import database
from core.i18n import t
from core.models.publishing import PublicationRecord
from core.publishing import calendar, publications, states
from pages import shell
from pages.posting import posts

STYLE = Path(__file__).with_name("calendar.css")
DAY = "calendar_day"
LIST = 60


def show(viewer: shell.Viewer) -> None:
    """What needs the user first, then the calendar in the viewer's time zone."""
    lang, zone = viewer.lang, ZoneInfo(viewer.zone)
    with database.session(viewer.actor) as session:
        urgent = publications.listed(session, state=sorted(states.NEEDS_PERSON))
    if urgent:
        st.subheader(t("publishing.attention", lang))
        for record in urgent:
            with st.container(border=True):
                st.markdown(f"**{shell.plain(record.title)}**")
                posts.show(viewer, record, place="schedule")
    today = datetime.now(zone).date()
    span, day = _where(viewer, today)
    sheet = calendar.sheet(span, day)
    with database.session(viewer.actor) as session:
        by_day = calendar.of_days(session, sheet.days, zone)
    st.subheader(_heading(span, sheet, lang))
    st.caption(t("publishing.calendar_zone", lang, zone=viewer.zone.replace("_", " ")))
    st.html(STYLE.read_text(encoding="utf-8") + _table(sheet, by_day, today, zone, lang))
    _agenda(viewer, sheet, by_day)


def _where(viewer: shell.Viewer, today: date) -> tuple[calendar.Span, date]:
    lang = viewer.lang
    with st.container(horizontal=True, vertical_alignment="bottom"):
        span: calendar.Span = st.segmented_control(
            t("publishing.span", lang),
            ("month", "week"),
            default="month",
            required=True,
            format_func=lambda name: t(f"publishing.span_{name}", lang),
            key="calendar_span",
            label_visibility="collapsed",
        )
        day = st.session_state.get(DAY, today)
        for name, icon, target in (
            ("before", ":material/chevron_left:", calendar.moved(span, day, -1)),
            ("today", ":material/today:", today),
            ("after", ":material/chevron_right:", calendar.moved(span, day, 1)),
        ):
            if st.button(t(f"publishing.span_{name}", lang), key=f"calendar_{name}", icon=icon):
                st.session_state[DAY] = target
                st.rerun()
    return span, day


def _heading(span: calendar.Span, sheet: calendar.Sheet, lang: str) -> str:
    month = t(f"format.month.{sheet.first.month}", lang)
    if span == "month":
        return f"{month} {sheet.first.year}"
    until = t(f"format.month.{sheet.last.month}", lang)
    return f"{sheet.first.day} {month} – {sheet.last.day} {until} {sheet.last.year}"


def _table(
    sheet: calendar.Sheet, by_day: dict[date, list[PublicationRecord]], today: date, zone: ZoneInfo, lang: str
) -> str:
    head = "".join(f"<th scope=col>{html.escape(t(f'advisor.weekday.{day}', lang))}</th>" for day in range(7))
    rows = []
    for week in sheet.weeks:
        cells = []
        for day in week:
            marks = ["outside"] if not sheet.first <= day <= sheet.last else []
            marks += ["today"] if day == today else []
            inside = "".join(_post(record, zone, lang) for record in by_day.get(day, [])[:4])
            more = len(by_day.get(day, [])) - 4
            inside += f"<span class=post>+{more}</span>" if more > 0 else ""
            cells.append(f'<td class="{" ".join(marks)}"><span class=day>{day.day}</span>{inside}</td>')
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table class=studio-calendar><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _post(record: PublicationRecord, zone: ZoneInfo, lang: str) -> str:
    at = record.published_at or record.due_at
    time = at.astimezone(zone).strftime("%H:%M") if at else ""
    state = t(f"publication_state.{record.state}", lang)
    platform = t(f"platform.{record.platform}", lang)
    tone = posts.TONES.get(record.state, "") + (" sim" if record.is_simulated else "")
    title = html.escape(f"{time} {record.title} · {platform} · {state}", quote=True)
    return f'<span class="post {tone}" title="{title}">{time} {html.escape(record.title)}</span>'


def _agenda(viewer: shell.Viewer, sheet: calendar.Sheet, by_day: dict[date, list[PublicationRecord]]) -> None:
    """The days that hold something, each post with what can be done with it."""
    lang = viewer.lang
    shown = 0
    for day in sheet.days:
        records = [row for row in by_day.get(day, []) if row.state not in states.NEEDS_PERSON]
        if not records or not sheet.first <= day <= sheet.last or shown >= LIST:
            continue
        month = t(f"format.month.{day.month}", lang)
        st.markdown(f"##### {t(f'advisor.weekday.{day.weekday()}', lang)} {day.day} {month}")
        for record in records[: LIST - shown]:
            with st.container(border=True):
                st.markdown(f"**{shell.plain(record.title)}**")
                posts.show(viewer, record, place="schedule")
        shown += len(records)
    if not shown:
        st.caption(t("publishing.nothing_here", lang))

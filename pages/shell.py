"""The frame of every page: who is looking, in which language; navigation, headings, empty states, errors.

A page begins with ``viewer = shell.open_page("library")`` and shows what goes wrong through ``with
shell.errors(viewer)``. Pages run in the server's process and call ``core`` directly.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import streamlit as st
from PIL import Image, ImageDraw
from streamlit.delta_generator import DeltaGenerator

from core import database
from core.errors import StudioError
from core.i18n import LANGUAGES, explain, t
from core.preferences import Preferences, preferences_of, set_preferences
from core.security import SESSION_COOKIE, Actor, actor_for_session

HERE = Path(__file__).parent
ACCENT = "#0B766C"
SIGN_IN = "/api/sign-in"
SESSION_STATE_TOKEN = "session_token"
ICONS = {
    "home": ":material/home:",
    "video": ":material/movie_edit:",
    "make": ":material/movie_creation:",
    "music": ":material/music_note:",
    "library": ":material/video_library:",
    "jobs": ":material/checklist:",
    "publishing": ":material/calendar_month:",
    "business": ":material/monitoring:",
    "advisor": ":material/chat:",
    "settings": ":material/settings:",
}
SECTIONS = {
    "": ("home",),
    "nav.make": ("video", "make", "music", "library", "jobs"),
    "nav.publish": ("publishing", "business", "advisor"),
    "nav.studio": ("settings",),
}
FILES = {"home": "overview.py"}


@dataclass(frozen=True)
class Viewer:
    """Who looks at the page, and how they want to read it."""

    actor: Actor
    lang: str
    zone: str
    currency: str
    chosen: bool

    @property
    def may_edit(self) -> bool:
        return self.actor.role in ("owner", "editor")


def current_actor() -> Actor | None:
    """The signed-in user of this browser, from its session cookie (tests put the token into the session state)."""
    token = st.session_state.get(SESSION_STATE_TOKEN) or st.context.cookies.get(SESSION_COOKIE)
    if not isinstance(token, str):  # AppTest has no browser, and mocks its cookies
        return None
    with database.session() as session:
        return actor_for_session(session, token)


def guessed_language() -> str:
    """What the browser asks for, before anybody has chosen."""
    return "th" if (st.context.locale or "").lower().startswith("th") else "en"


def guessed_zone() -> str:
    """The browser's time zone."""
    return st.context.timezone or "UTC"


def current_viewer() -> Viewer | None:
    """The signed-in user with their preferences; the browser's own where they have not chosen yet."""
    actor = current_actor()
    if actor is None:
        return None
    with database.session(actor) as session:
        preferences = preferences_of(session, actor)
    if preferences.chosen:
        return Viewer(actor, preferences.language, preferences.timezone, preferences.currency, True)
    lang = st.session_state.get("language") or guessed_language()
    return Viewer(actor, lang, guessed_zone(), "THB" if lang == "th" else "USD", False)


def viewer() -> Viewer:
    """The signed-in user; for anybody else the way in is shown and the page ends."""
    found = current_viewer()
    if found is None:
        _ask_to_sign_in()
        st.stop()
    return found


def _ask_to_sign_in() -> None:
    """The API's sign-in page sets the cookie; this is seen only where a session ended while the page was open."""
    style()
    lang = st.session_state.get("language") or guessed_language()
    empty(t("sign_in.ended_title", lang), t("sign_in.ended", lang))
    st.html(f'<p><a class="studio-button" href="{SIGN_IN}" target="_self">{t("sign_in.button", lang)}</a></p>')


def style() -> None:
    """The studio's own style sheet, on top of the theme."""
    st.html(HERE / "shell.css")


def open_page(name: str, *, title: str | None = None, lead: bool = True) -> Viewer:
    """Start a page: sign-in, heading, one sentence on what it is for. Answers who is looking."""
    found = viewer()
    st.title(title or t(f"page.{name}.title", found.lang))
    if lead:
        st.html(f'<p class="studio-lead">{t(f"page.{name}.lead", found.lang)}</p>')
    return found


@cache
def icon() -> Image.Image:
    """The browser tab's picture, drawn here: Streamlit would fetch a named icon from another server."""
    size, centre = 64, 32
    picture = Image.new("RGBA", (size, size))
    pen = ImageDraw.Draw(picture)
    pen.ellipse((2, 2, size - 2, size - 2), fill=ACCENT)
    pen.polygon(((centre - 8, centre - 13), (centre - 8, centre + 13), (centre + 15, centre)), fill="#FFFFFF")
    return picture


def page_file(name: str) -> str:
    """The file of a page, for ``st.switch_page`` and ``st.page_link``."""
    return FILES.get(name, f"{name}.py")


def run() -> None:
    """The entry: navigation, sidebar, then the page that was asked for."""
    st.set_page_config(page_title="Creator Studio", page_icon=icon(), layout="wide")
    style()
    found = current_viewer()
    if found is None:
        st.navigation([st.Page(_ask_to_sign_in, title="Creator Studio", url_path="sign-in")], position="hidden").run()
        return
    sections = {
        t(section, found.lang) if section else "": [
            st.Page(
                HERE / page_file(name),
                title=t(f"page.{name}.name", found.lang),
                icon=ICONS[name],
                url_path=name,
                default=name == "home",
            )
            for name in names
        ]
        for section, names in SECTIONS.items()
    }
    chosen = st.navigation(sections)
    _sidebar(found)
    chosen.run()


def _sidebar(found: Viewer) -> None:
    with st.sidebar:
        picked = st.segmented_control(
            t("nav.language", found.lang),
            list(LANGUAGES),
            format_func=LANGUAGES.__getitem__,
            default=found.lang,
            required=True,
            key="language_switch",
        )
        # Screen readers speak, and browsers break lines, by the language that the document says it is in.
        st.html(f"<script>document.documentElement.lang = '{found.lang}'</script>", unsafe_allow_javascript=True)
    if picked and picked != found.lang:
        change_language(found, picked)
        st.rerun()


def change_language(found: Viewer, lang: str) -> None:
    """Read everything in another language from now on."""
    st.session_state["language"] = lang
    if found.chosen:
        with database.session(found.actor) as session:
            set_preferences(session, found.actor, language=lang)


def remember_choices(found: Viewer, language: str, timezone: str, currency: str) -> Preferences:
    """Store the answers of the first page or the settings page."""
    st.session_state["language"] = language
    with database.session(found.actor) as session:
        return set_preferences(session, found.actor, language=language, timezone=timezone, currency=currency)


@contextmanager
def errors(found: Viewer) -> Iterator[None]:
    """Show an error of the family as a banner with what to do; everything else is a fault and goes on."""
    try:
        yield
    except StudioError as error:
        tell(error, found.lang)


def tell(error: StudioError | dict[str, object], lang: str) -> None:
    """The banner of one error."""
    title, detail = explain(error, lang)
    st.error(f"**{_plain(title)}**" + (f"  \n{_plain(detail)}" if detail else ""), icon=":material/error:")


def _plain(text: str) -> str:
    """Text that is not ours, safe inside Markdown."""
    for mark in "\\`*_{}[]<>#|$~:":
        text = text.replace(mark, "\\" + mark)
    return text


plain = _plain


def empty(title: str, sentence: str, *, to: str = "", lang: str = "en") -> None:
    """An empty state: what is missing, what to do next, and a way to the page ``to`` where that is done."""
    st.html(
        f'<div class="studio-empty"><strong>{html.escape(title)}</strong><span>{html.escape(sentence)}</span></div>'
    )
    if to:
        with st.container(horizontal_alignment="center"):
            label = t("common.go_to", lang, page=t(f"page.{to}.name", lang))
            st.page_link(page_file(to), label=label, icon=ICONS[to], width="content")


def chips(*items: tuple[str, str]) -> None:
    """Small labels: (text, tone), tone one of "", good, bad, wait, sim."""
    body = "".join(f'<span class="studio-chip {tone}">{html.escape(text)}</span>' for text, tone in items if text)
    if body:
        st.html(body)


def tabs(labels: Sequence[str]) -> Sequence[DeltaGenerator]:
    """Tabs of a page; the open one is in the address, so that a reload or a link comes back to it."""
    return st.tabs(labels, key="tab", bind="query-params")


def headline(title: str, subject: str, *labels: tuple[str, str]) -> None:
    """One line that names a thing: what it is, what it is about, and small labels (:func:`chips`)."""
    about = f"<span>{html.escape(subject)}</span>" if subject else ""
    marks = "".join(f'<span class="studio-chip {tone}">{html.escape(text)}</span>' for text, tone in labels if text)
    st.html(f'<p class="studio-headline"><strong>{html.escape(title)}</strong>{about}{marks}</p>')


def name_of(text: str) -> None:
    """A thing's name on a card: two lines at most, the whole of it where the pointer rests."""
    st.html(f'<p class="studio-name" title="{html.escape(text, quote=True)}">{html.escape(text)}</p>')


def facts(*items: str) -> None:
    """One quiet line of facts about a thing."""
    st.html(
        '<p class="studio-facts">' + "".join(f"<span>{html.escape(item)}</span>" for item in items if item) + "</p>"
    )


def download_links(links: Sequence[tuple[str, str]]) -> None:
    """Plain links to files of our own origin: (text, address)."""
    st.html(
        '<div class="studio-links">'
        + "".join(
            f'<a class="studio-button" href="{html.escape(address, quote=True)}" download>{html.escape(text)}</a>'
            for text, address in links
        )
        + "</div>"
    )


def content_url(asset_id: object, *, download: bool = False) -> str:
    """Where the browser plays or downloads an asset."""
    return f"/api/assets/{asset_id}/content" + ("?download=1" if download else "")

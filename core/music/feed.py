"""An episode in its podcast's feed: the RSS item with its iTunes and Podcasting 2.0 tags, and the chapters' JSON.

RSS 2.0; Apple's "A Podcaster's Guide to RSS"; the podcast namespace (podcastindex.org) with its JSON chapters 1.2.
Everything a person wrote is text to the XML writer, so nothing of it can become markup of the feed; in the notes, which
players show as HTML, it is escaped a second time.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from core.music.podcast_payloads import Chapter, PodcastInput

ITUNES = "http://www.itunes.com/dtds/podcast-1.0.dtd"
PODCAST = "https://podcastindex.org/namespace/1.0"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
for _prefix, _address in (("itunes", ITUNES), ("podcast", PODCAST), ("content", CONTENT)):
    ElementTree.register_namespace(_prefix, _address)
MIME_TYPES = {"mp3": "audio/mpeg", "m4a": "audio/x-m4a"}
_ADDRESS = re.compile(r"https?://[^\s<>\"'“”]+[^\s<>\"'“”.,;:!?)\]]")
# What XML 1.0 has no place for, even escaped.
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def address_of(order: PodcastInput, name: str) -> str:
    """Where a file will lie: below the given address, or its name alone."""
    return f"{order.media_base_url.rstrip('/')}/{quote(name)}" if order.media_base_url else quote(name)


def item(
    order: PodcastInput,
    chapters: Sequence[Chapter],
    *,
    file_name: str,
    size_bytes: int,
    seconds: float,
    identifier: str,
    chapters_name: str | None,
    made_at: datetime,
) -> str:
    """The ``<item>`` as a document of its own, to be put into the feed's ``<channel>``. ``identifier`` is what tells
    the episode apart for ever, whatever its address becomes."""
    found = ElementTree.Element("item")

    def add(tag: str, text: str | None = None, **attributes: str) -> None:
        element = ElementTree.SubElement(found, tag, attributes)
        if text is not None:
            element.text = _NO_XML.sub("", text)

    notes = notes_html(order.show_notes, chapters)
    add("title", order.title)
    add(f"{{{ITUNES}}}title", order.title)
    add("description", notes)
    add(f"{{{CONTENT}}}encoded", notes)
    add("enclosure", url=address_of(order, file_name), length=str(size_bytes), type=MIME_TYPES[order.format])
    add("guid", identifier, isPermaLink="false")
    add("pubDate", format_datetime(order.published_at or made_at))
    add(f"{{{ITUNES}}}duration", str(round(seconds)))
    add(f"{{{ITUNES}}}explicit", "true" if order.explicit else "false")
    add(f"{{{ITUNES}}}episodeType", "full")
    if order.author:
        add(f"{{{ITUNES}}}author", order.author)
    if order.number is not None:
        add(f"{{{ITUNES}}}episode", str(order.number))
    if order.season is not None:
        add(f"{{{ITUNES}}}season", str(order.season))
    if chapters_name is not None:
        add(f"{{{PODCAST}}}chapters", url=address_of(order, chapters_name), type="application/json+chapters")
    ElementTree.indent(found)
    return ElementTree.tostring(found, encoding="unicode", xml_declaration=True) + "\n"


def notes_html(notes: str, chapters: Sequence[Chapter]) -> str:
    """Notes as the HTML that players show: paragraphs, line breaks, links, and the chapters with their times."""
    paragraphs = [_linked(part.strip()) for part in re.split(r"\n\s*\n", notes.replace("\r\n", "\n")) if part.strip()]
    if chapters:
        paragraphs.append("\n".join(f"{stamp(one.start)} {html.escape(one.title)}" for one in chapters))
    return "".join(f"<p>{part.replace(chr(10), '<br>')}</p>" for part in paragraphs)


def _linked(text: str) -> str:
    made, at = [], 0
    for match in _ADDRESS.finditer(text):
        address = html.escape(match[0])
        made += [html.escape(text[at : match.start()]), f'<a href="{address}">{address}</a>']
        at = match.end()
    return "".join([*made, html.escape(text[at:])])


def stamp(seconds: float) -> str:
    """ "1:02:03" or "02:03", which players turn into links."""
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def chapters_json(chapters: Sequence[Chapter]) -> str:
    """Chapters of the podcast namespace (JSON chapters 1.2.0)."""
    rows: list[dict[str, Any]] = [{"startTime": one.start, "title": one.title} for one in chapters]
    return json.dumps({"version": "1.2.0", "chapters": rows}, ensure_ascii=False, indent=2) + "\n"

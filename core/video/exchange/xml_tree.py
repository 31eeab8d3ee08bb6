"""Small helpers for the XML formats: elements with text, and the document as text.

ElementTree escapes what means something in XML; characters that XML 1.0 forbids altogether never reach it, because all
text of people comes through :func:`core.video.text.clean`.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, tostring


def add(parent: Element, tag: str, text: object = None, **attributes: object) -> Element:
    """A new last child; ``True`` and ``False`` are spelt in capitals, attributes that are None left out."""
    made = SubElement(parent, tag, {name: str(value) for name, value in attributes.items() if value is not None})
    if text is not None:
        made.text = str(text).upper() if isinstance(text, bool) else str(text)
    return made


def document(root: Element) -> str:
    """The whole file. The document type names its root alone: programs know the rest by the version."""
    indent(root, space=" ")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE {root.tag}>\n{tostring(root, encoding="unicode")}\n'

"""Words of a post from a template: ``{title} · {channel}``. Pure.

Only the listed fields are filled in; what is filled in is never parsed again, so a title with braces is only text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

FIELDS = ("title", "description", "tags", "series", "channel", "recording", "number", "count", "date", "credits")
"""``number`` of ``count`` is the place among the videos of one recording, ``date`` the day of the post in the zone of
its schedule, ``credits`` the lines that licences of its material ask for, ``tags`` the episode's own."""
_FIELD = re.compile(r"{([A-Za-z_]+)}")
_GAP = re.compile(r"\n{3,}")


def unknown_fields(*templates: str) -> list[str]:
    """Names in braces that are no fields, in order."""
    found = (name for template in templates for name in _FIELD.findall(template))
    return list(dict.fromkeys(name for name in found if name not in FIELDS))


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with its fields filled in; a field without a value is empty, and leaves no empty lines behind."""
    text = _FIELD.sub(lambda match: values.get(match[1], "") if match[1] in FIELDS else match[0], template)
    return _GAP.sub("\n\n", text).strip()


def fill_tags(templates: Iterable[str], values: Mapping[str, str], tags: Iterable[str]) -> list[str]:
    """Tags from templates, each once; the template ``{tags}`` stands for the episode's own."""
    found: list[str] = []
    for template in templates:
        found += list(tags) if template.strip() == "{tags}" else [fill(template, values)]
    return list(dict.fromkeys(tag.strip()[:100] for tag in found if tag.strip()))

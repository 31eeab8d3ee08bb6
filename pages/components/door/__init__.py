"""The way in: session cookies are HttpOnly and set by the API alone, so the browser itself asks to sign in and out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pages.components import labels, nothing, register

_mount = register("door")


def door(lang: str, *, key: str) -> bool:
    """Ask the API for the owner's session (loopback, nobody signed up) and open the page again. True once the API has
    said that a sign-in is needed."""
    result: Mapping[str, Any] = _mount(
        key=key,
        data={"mode": "open", "words": labels("sign_in", lang)},
        default={"closed": False},
        on_closed_change=nothing,
    )
    return bool(result.get("closed"))


def sign_in_form(lang: str, *, key: str) -> None:
    """E-mail and password; the page opens again when they are right."""
    _mount(key=key, data={"mode": "form", "words": labels("sign_in", lang)})


def sign_out(lang: str, *, key: str) -> None:
    """A button that ends this browser's session."""
    _mount(key=key, data={"mode": "out", "words": labels("nav", lang)})

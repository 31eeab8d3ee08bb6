"""The button that ends this browser's session: the cookie is HttpOnly, so the API takes it back."""

from __future__ import annotations

from pages.components import labels, register

_mount = register("sign_out")


def sign_out(lang: str, *, key: str) -> None:
    """Show the button; afterwards the page opens at the sign-in."""
    _mount(key=key, data={"words": labels("nav", lang)})

"""What the publish dialog asks beside the common words: one form for each platform that has questions of its own."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.i18n import t
from core.models.publishing import PlatformAccount
from core.publishing.captions import caption_of, units
from core.publishing.provenance import Provenance
from core.publishing.rules import RULES
from pages import shell
from pages.posting import meta, tiktok
from pages.posting.answers import Answers

Form = Callable[[shell.Viewer, PlatformAccount, Provenance], Answers]
FORMS: dict[str, Form] = {"tiktok": tiktok.ask, "facebook": meta.facebook, "instagram": meta.instagram}
"""By platform. A form asks who can see the post as well; the other platforms share one question for it."""


def own_form(account: PlatformAccount) -> Form | None:
    """The form of an account's platform, if it has one."""
    return FORMS.get(account.platform)


def show_caption(viewer: shell.Viewer, account: PlatformAccount, title: str, text: str, tags: list[str]) -> None:
    """The one text that a platform without titles is going to show."""
    rules = RULES[account.platform]
    if rules.caption_units is None:
        return
    whole = caption_of(title, text, tags)
    platform = t(f"platform.{account.platform}", viewer.lang)
    heading = t("publishing.caption", viewer.lang, platform=platform, used=units(whole), allowed=rules.caption_units)
    st.caption(heading)
    st.code(whole, language=None, wrap_lines=True)

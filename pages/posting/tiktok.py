"""What TikTok's rules for apps ask of the publish dialog ("Content Sharing Guidelines"): the creator's name, who can
see the post chosen without a default, switches that start off, commercial content disclosed, the creator's consent."""

from __future__ import annotations

import streamlit as st

from core import database
from core.database import get_owned
from core.errors import NotConfigured
from core.i18n import duration, explain, t
from core.models.publishing import PlatformAccount
from core.publishing import creators
from core.publishing.failures import PlatformFailure
from core.publishing.provenance import Provenance
from core.publishing.tiktok import Creator
from pages import shell
from pages.posting.answers import Answers

MUSIC = "https://www.tiktok.com/legal/page/global/music-usage-confirmation/en"
BRANDED = "https://www.tiktok.com/legal/page/global/bc-policy/en"


def ask(viewer: shell.Viewer, account: PlatformAccount, material: Provenance) -> Answers:
    """The form of one TikTok account."""
    lang, key = viewer.lang, f"tiktok-{account.id}"
    creator = _creator(viewer, account)
    if creator is None:
        return Answers(None)
    posting_as = t("publishing.tiktok.posting_as", lang, name=creator.nickname, username=creator.username)
    st.markdown(f":material/person: {shell.plain(posting_as)}")
    if creator.longest_seconds:
        longest = duration(creator.longest_seconds, lang)
        st.caption(t("publishing.tiktok.longest", lang, time=longest))
    discloses = st.toggle(t("publishing.tiktok.discloses", lang), key=f"{key}-commercial")
    yours = branded = False
    if discloses:
        st.caption(t("publishing.tiktok.discloses_help", lang))
        yours = st.checkbox(
            t("publishing.tiktok.your_brand", lang),
            key=f"{key}-yours",
            help=t("publishing.tiktok.your_brand_help", lang),
        )
        branded = st.checkbox(
            t("publishing.tiktok.branded", lang),
            key=f"{key}-branded",
            help=t("publishing.tiktok.branded_help", lang),
        )
        if yours or branded:
            st.caption(t("publishing.tiktok.label_paid" if branded else "publishing.tiktok.label_promotional", lang))
    privacy = st.selectbox(
        t("publishing.privacy", lang),
        [each for each in creator.privacies if not (branded and each == "private")],
        index=None,
        format_func=lambda name: t(f"privacy.{name}", lang),
        placeholder=t("publishing.tiktok.choose", lang),
        key=f"{key}-privacy",
    )
    if branded and "private" in creator.privacies:
        st.caption(t("publishing.issue.tiktok_branded_private", lang))
    st.caption(t("publishing.tiktok.allow", lang))
    chosen = {}
    with st.container(horizontal=True):
        for name, allowed in (("comments", creator.comments), ("duet", creator.duets), ("stitch", creator.stitches)):
            chosen[f"allow_{name}"] = st.checkbox(
                t(f"publishing.tiktok.{name}", lang),
                key=f"{key}-{name}",
                disabled=not allowed,
                help=None if allowed else t("publishing.tiktok.switched_off", lang),
            )
    consent = st.checkbox(
        t(
            "publishing.tiktok.consent_branded" if branded else "publishing.tiktok.consent",
            lang,
            music=MUSIC,
            branded=BRANDED,
        ),
        key=f"{key}-consent",
    )
    st.caption(t("publishing.tiktok.takes_minutes", lang))
    return Answers(
        privacy,
        {
            "tiktok": {
                **chosen,
                "discloses_commercial": discloses,
                "your_brand": yours,
                "branded_content": branded,
                "consent": consent,
            }
        },
    )


def _creator(viewer: shell.Viewer, account: PlatformAccount) -> Creator | None:
    """What TikTok just said; what it said before, with a word about that, where it does not answer."""
    lang = viewer.lang
    try:
        return creators.ask(viewer.actor, account.id)
    except (PlatformFailure, NotConfigured) as error:
        title, detail = explain(error, lang)
        st.warning(shell.plain(f"{title} {detail}".strip()), icon=":material/cloud_off:")
    with database.session(viewer.actor) as session:
        known = creators.kept(get_owned(session, PlatformAccount, account.id))
    if known is None:
        st.caption(t("publishing.tiktok.unasked", lang))
    return known

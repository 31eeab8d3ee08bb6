"""The dialog that sends an episode on its way: where, when, with which words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from uuid import UUID
from zoneinfo import ZoneInfo

import streamlit as st

from core import database
from core.database import get_owned
from core.i18n import moment, t
from core.models.assets import Asset
from core.models.publishing import ContentChannel, Episode, PlatformAccount
from core.publishing import accounts, best_time, plan
from core.publishing.payloads import PublicationOptions, PublicationPlanInput, PublicationTarget
from core.publishing.preflight import Issue
from core.publishing.provenance import Provenance
from pages import media, shell
from pages.posting import material as belongings
from pages.posting.answers import OPEN, Answers
from pages.posting.forms import own_form, show_caption

USUAL = clock_time(18)


def account_label(account: PlatformAccount, lang: str) -> str:
    """ "Name · platform", with the simulated one marked."""
    platform = t(f"platform.{account.platform}", lang)
    return platform if account.is_simulated else f"{account.name} · {platform}"


def ask_time(lang: str, zone: str, *, key: str) -> str:
    """Day and time in the channel's zone, by default tomorrow evening; answers ISO 8601 without offset."""
    tomorrow = (datetime.now(UTC).astimezone(ZoneInfo(zone)) + timedelta(days=1)).replace(hour=18, minute=0)
    left, right = st.columns(2)
    st.session_state.setdefault(f"{key}-day", tomorrow.date())  # so that a suggestion can be taken over
    st.session_state.setdefault(f"{key}-time", tomorrow.time().replace(second=0, microsecond=0))
    day = left.date_input(t("publishing.day", lang), key=f"{key}-day")
    time = right.time_input(t("publishing.time", lang, zone=zone.replace("_", " ")), key=f"{key}-time")
    return datetime.combine(day, time).isoformat(timespec="minutes")


def show_issues(issues: list[Issue], lang: str) -> bool:
    """The preflight's findings; True when one of them forbids publishing."""
    for level, code, detail in dict.fromkeys((issue.level, issue.code, issue.detail) for issue in issues):
        text = t(f"publishing.issue.{code}", lang) + (f" {shell.plain(detail)}" if detail else "")
        if level == "error":
            st.error(text, icon=":material/block:")
        else:
            st.warning(text, icon=":material/info:")
    return any(issue.level == "error" for issue in issues)


def _offer_credits(material: Provenance, lang: str) -> None:
    """The lines that licences ask for, and a button that puts them under the description."""
    credits = material.credits(t("publishing.credits_heading", lang))

    def add() -> None:
        held = str(st.session_state.get("publish_text", "")).rstrip()
        if credits not in held:
            st.session_state["publish_text"] = f"{held}\n\n{credits}".lstrip()

    st.button(t("publishing.credits_add", lang), key="publish_credits", icon=":material/copyright:", on_click=add)


def _suggest_time(viewer: shell.Viewer, chosen: list[PlatformAccount], timezone: str, names: dict[UUID, str]) -> None:
    """When each account's posts did best, or that its figures do not say; a click takes the time over."""
    lang, zone = viewer.lang, ZoneInfo(timezone)
    for account in chosen:
        with database.session(viewer.actor) as session:
            found = best_time.of_account(session, account.id, zone)
        name = shell.plain(names[account.id])
        if not found.enough:
            words = t("publishing.best.too_few", lang, account=name, posts=found.posts, needed=found.needed)
        elif not found.known:
            words = t("publishing.best.none", lang, account=name, posts=found.posts)
        else:
            day = t(f"advisor.weekday.{found.weekday}", lang) if found.weekday is not None else ""
            hours = f"{found.hour:02d}:00–{found.hour + best_time.PART:02d}:00" if found.hour is not None else ""
            when = " ".join(part for part in (day, hours) if part)
            words = t("publishing.best.found", lang, account=name, when=when, posts=found.posts)
        st.caption(f":material/insights: {words}")
        if found.known:
            at = found.next_after(datetime.now(UTC), zone, USUAL)
            label = t("publishing.best.take", lang, time=moment(at, lang, timezone))
            st.button(label, key=f"best-{account.id}", on_click=_take_time, args=(at,))


def _take_time(at: datetime) -> None:
    st.session_state["publish-day"] = at.date()
    st.session_state["publish-time"] = at.time()


def ask(episode_id: UUID) -> None:
    """Open the dialog for one episode, now and at every rerun until it is closed."""
    st.session_state[OPEN] = episode_id
    st.session_state.pop("publish_text", None)
    belongings.forget()


def _close() -> None:
    st.session_state.pop(OPEN, None)


def show_dialog(viewer: shell.Viewer) -> None:
    """The dialog, while one is open."""
    episode_id = st.session_state.get(OPEN)
    if episode_id is not None:
        title = t("publishing.publish_title", viewer.lang)
        st.dialog(title, width="medium", on_dismiss=_close)(_body)(viewer, episode_id)


def _body(viewer: shell.Viewer, episode_id: UUID) -> None:
    lang = viewer.lang
    with database.session(viewer.actor) as session:
        episode = get_owned(session, Episode, episode_id)
        channel = get_owned(session, ContentChannel, episode.channel_id)
        usable = [row for row in accounts.listed(session) if row.status == "connected"]
        material = plan.material(session, episode_id)
    if not usable:
        st.info(t("publishing.no_account", lang))
        offer_simulated(viewer, key="dialog_simulated")
        return
    names = {row.id: account_label(row, lang) for row in usable}
    st.session_state.setdefault("publish_where", [usable[0].id])  # so that the advisor can have chosen
    st.session_state.setdefault("publish_when", "now")
    picked = st.pills(
        t("publishing.where", lang),
        list(names),
        selection_mode="multi",
        format_func=names.__getitem__,
        key="publish_where",
    )
    if any(row.is_simulated for row in usable if row.id in picked):
        shell.chips((t("publishing.simulated", lang), "sim"))
        st.caption(t("publishing.simulated_lead", lang))
    mode = st.segmented_control(
        t("publishing.when", lang),
        ("now", "later"),
        required=True,
        format_func=lambda name: t(f"publishing.{name}", lang),
        key="publish_when",
    )
    time = "now"
    if mode == "later":
        _suggest_time(viewer, [row for row in usable if row.id in picked], channel.timezone, names)
        time = ask_time(lang, channel.timezone, key="publish")
    title = st.text_input(t("publishing.title", lang), episode.title, key="publish_title", max_chars=100)
    st.session_state.setdefault("publish_text", episode.description)
    text = st.text_area(t("publishing.text", lang), key="publish_text")
    if material.attribution:
        _offer_credits(material, lang)
    tags = st.text_input(t("publishing.tags", lang), ", ".join(episode.tags), key="publish_tags")
    accounts_picked = [row for row in usable if row.id in picked]
    privacy = None
    if any(own_form(row) is None for row in accounts_picked):
        privacy = st.segmented_control(
            t("publishing.privacy", lang),
            ("private", "unlisted", "public"),
            default="public",
            required=True,
            format_func=lambda name: t(f"privacy.{name}", lang),
            key="publish_privacy",
        )
    synthetic = st.toggle(
        t("publishing.synthetic", lang),
        material.ai_generated,
        key="publish_synthetic",
        help=t("publishing.synthetic_help", lang),
    )
    if material.ai_generated:
        st.caption(t("publishing.synthetic_known", lang))
    with_it = belongings.ask(viewer, episode, accounts_picked)
    if not picked:
        st.caption(t("publishing.choose_account", lang))
        return
    words = title.strip() or episode.title, text, [tag.strip() for tag in tags.split(",") if tag.strip()]
    answers = {row.id: Answers(privacy) for row in accounts_picked}
    for row in accounts_picked:
        form = own_form(row)
        if form is not None:
            with st.container(border=True):
                st.markdown(f"**{shell.plain(names[row.id])}**")
                if row.platform == "tiktok":  # whose rules for apps ask for it
                    _preview(viewer, episode, row)
                answers[row.id] = form(viewer, row, material)
                show_caption(viewer, row, *words)
    with shell.errors(viewer):
        wanted = PublicationPlanInput(
            episode_id=episode_id,
            targets=[
                PublicationTarget(
                    platform_account_id=account_id,
                    scheduled_time=time,
                    timezone=channel.timezone,
                    title=words[0],
                    description=words[1],
                    tags=words[2],
                    privacy=answer.privacy,
                    thumbnail_asset_id=with_it.thumbnail,
                    options=PublicationOptions(
                        synthetic_media=synthetic,
                        captions=with_it.captions,
                        playlist_id=with_it.playlist_of(account_id),
                        **answer.options,
                    ),
                )
                for account_id, answer in answers.items()
            ],
        )
        with database.session(viewer.actor) as session:
            found = plan.check(session, viewer.actor, wanted)
        blocked = show_issues([issue for issues in found.values() for issue in issues], lang)
        label = t("publishing.do_now" if mode == "now" else "publishing.do_later", lang)
        if st.button(label, type="primary", key="publish_go", disabled=blocked, icon=":material/send:"):
            with database.session(viewer.actor) as session:
                plan.plan(session, viewer.actor, wanted)
            _close()
            st.toast(t("publishing.planned", lang))
            st.rerun()


def _preview(viewer: shell.Viewer, episode: Episode, account: PlatformAccount) -> None:
    """What is about to be posted, to be seen before it is."""
    with database.session(viewer.actor) as session:
        asset = session.get(Asset, episode.asset_id) if episode.asset_id else None
        if asset is not None:
            media.play(session, asset, viewer.lang, key=f"preview-{account.id}", small=True)


def offer_simulated(viewer: shell.Viewer, *, key: str) -> None:
    """The platform inside the studio, for trying everything without an account."""
    if viewer.actor.role != "owner":
        return
    if st.button(t("publishing.add_simulated", viewer.lang), key=key, icon=":material/science:"):
        with shell.errors(viewer):
            with database.session(viewer.actor) as session:
                accounts.add_simulated(session, viewer.actor)
            st.rerun()

"""Channels, series, the accounts they post to, and the simulated platform."""

from __future__ import annotations

import streamlit as st

from core import database
from core.i18n import moment, number, t
from core.models.publishing import ContentChannel, PlatformAccount
from core.publishing import accounts, channels, limits, webhooks
from core.publishing.connections import FLOWS
from core.publishing.payloads import ChannelInput, LinkInput, SeriesInput
from core.publishing.plan import database_now
from core.publishing.rules import rules_of
from pages import shell
from pages.posting.dialog import account_label, offer_simulated
from pages.posting.posts import spoken
from pages.posting.simulated import play_week

ENTERED = {"tiktok": "enter", "facebook": "enter_meta", "instagram": "enter_meta"}
"""Platforms where the owner enters the address for notifications, and the message that says how."""
CONNECT = "/api/publishing/accounts/{platform}/connect"


def show(viewer: shell.Viewer) -> None:
    """The third tab."""
    with database.session(viewer.actor) as session:
        known = accounts.listed(session)
        places = channels.channels(session)
    left, right = st.columns(2, gap="large")
    with left:
        _accounts(viewer, known)
    with right:
        for channel in places:
            _channel(viewer, channel, known)
        if viewer.may_edit:
            _new_channel(viewer)


def _accounts(viewer: shell.Viewer, known: list[PlatformAccount]) -> None:
    lang = viewer.lang
    for account in known:
        with st.container(border=True):
            st.markdown(f"**{shell.plain(account_label(account, lang))}**")
            shell.chips(
                (t(f"account_state.{account.status}", lang), "good" if account.status == "connected" else "bad"),
                (t("publishing.simulated", lang) if account.is_simulated else "", "sim"),
            )
            if account.is_simulated:
                st.caption(t("publishing.simulated_lead", lang))
                play_week(viewer, account)
            else:
                if account.status_reason:
                    st.caption(shell.plain(spoken(account.status_reason, lang)))
                _allowance(viewer, account)
                _push(viewer, account)
            if viewer.actor.role == "owner" and st.button(
                t("publishing.disconnect", lang), key=f"disconnect-{account.id}", icon=":material/link_off:"
            ):
                with shell.errors(viewer):
                    with database.session(viewer.actor) as session:
                        accounts.disconnect(session, viewer.actor, account.id)
                    st.rerun()
    if not any(account.is_simulated for account in known):
        st.caption(t("publishing.simulated_lead", lang))
        offer_simulated(viewer, key="add_simulated")
    if viewer.actor.role == "owner":
        for platform in FLOWS:
            words, target = t(f"publishing.connect_{platform}", lang), CONNECT.format(platform=platform)
            st.html(f'<p><a class="studio-button" href="{target}" target="_self">{words}</a></p>')
            st.caption(t(f"publishing.connect_help_{platform}", lang))


def _allowance(viewer: shell.Viewer, account: PlatformAccount) -> None:
    """What the studio spent today of the platform's daily allowance, and when it starts anew."""
    lang = viewer.lang
    with database.session(viewer.actor) as session:
        buckets = limits.usage(session, account.platform, database_now(session))
        hold = limits.blocked(session, account.platform, account.id, rules_of(account.platform).publish_call)
    for bucket in buckets:
        words = t(
            f"publishing.allowance.{bucket.kind.replace('.', '_')}",
            lang,
            used=number(bucket.used),
            allowance=number(bucket.allowance),
            left=number(bucket.left),
        )
        st.caption(words)
    if buckets:
        st.caption(t("publishing.allowance.resets", lang, time=moment(buckets[0].resets_at, lang, viewer.zone)))
    if hold is not None:
        until = moment(hold.until, lang, viewer.zone)
        platform = t(f"platform.{account.platform}", lang)
        st.warning(t("publishing.allowance.held", lang, platform=platform, time=until), icon=":material/hourglass_top:")


def _push(viewer: shell.Viewer, account: PlatformAccount) -> None:
    """Notifications (P2.4): of YouTube what holds, and the button that asks for them; for the others the address that
    is entered there."""
    lang = viewer.lang
    if account.platform in ENTERED and viewer.actor.role == "owner":
        address = webhooks.address_of(st.context.url or "", account.platform)
        words = f"publishing.push.{ENTERED[account.platform] if address else 'local'}"
        st.caption(t(words, lang, platform=t(f"platform.{account.platform}", lang)))
        if address:
            st.code(address, language=None)
    if account.platform != "youtube" or account.status != "connected":
        return
    state = webhooks.push_of(account)
    st.caption(t(f"publishing.push.{state}", lang))
    if viewer.actor.role != "owner" or state == "confirmed":
        return
    if st.button(t("publishing.push.ask", lang), key=f"push-{account.id}", icon=":material/notifications:"):
        with shell.errors(viewer):
            webhooks.subscribe(viewer.actor, account.id, webhooks.callback_of(st.context.url or "", account.id))
            st.rerun()


def _channel(viewer: shell.Viewer, channel: ContentChannel, known: list[PlatformAccount]) -> None:
    lang = viewer.lang
    with database.session(viewer.actor) as session:
        links = channels.links_of(session, channel.id)
        series = channels.series_of(session, channel.id)
    with st.container(border=True):
        st.markdown(f"**{shell.plain(channel.name)}**")
        shell.facts(channel.timezone.replace("_", " "), channel.currency)
        shell.chips(*((row.name, "") for row in series))
        st.caption(t("publishing.links", lang))
        if not links:
            st.caption(t("publishing.no_links", lang))
        for link, account in links:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.write(f"{shell.plain(account_label(account, lang))} ({t(f'link_role.{link.role}', lang)})")
                if viewer.may_edit and st.button(
                    t("publishing.unlink", lang), key=f"unlink-{link.id}", type="tertiary"
                ):
                    with shell.errors(viewer):
                        with database.session(viewer.actor) as session:
                            channels.unlink_account(session, viewer.actor, channel.id, account.id)
                        st.rerun()
        linked = {account.id for _link, account in links}
        free = {row.id: account_label(row, lang) for row in known if row.id not in linked}
        if free and viewer.may_edit:
            picked = st.selectbox(
                t("publishing.link", lang), list(free), format_func=free.__getitem__, key=f"link-{channel.id}"
            )
            if st.button(t("common.save", lang), key=f"linked-{channel.id}"):
                with shell.errors(viewer):
                    with database.session(viewer.actor) as session:
                        channels.link_account(session, viewer.actor, channel.id, LinkInput(account_id=picked))
                    st.rerun()
        if viewer.may_edit:
            _new_series(viewer, channel)


def _new_series(viewer: shell.Viewer, channel: ContentChannel) -> None:
    lang = viewer.lang
    with st.popover(t("publishing.new_series", lang), icon=":material/add:"):
        name = st.text_input(t("common.name", lang), key=f"series-{channel.id}", max_chars=200)
        if st.button(t("common.save", lang), key=f"series-save-{channel.id}", type="primary") and name.strip():
            with shell.errors(viewer):
                with database.session(viewer.actor) as session:
                    channels.create_series(session, viewer.actor, channel.id, SeriesInput(name=name.strip()))
                st.toast(t("publishing.created", lang))
                st.rerun()


def _new_channel(viewer: shell.Viewer) -> None:
    lang = viewer.lang
    with st.popover(t("publishing.new_channel", lang), icon=":material/add:"):
        name = st.text_input(t("common.name", lang), key="channel_name", max_chars=200)
        if st.button(t("common.save", lang), key="channel_save", type="primary") and name.strip():
            with shell.errors(viewer):
                with database.session(viewer.actor) as session:
                    channels.create_channel(session, viewer.actor, ChannelInput(name=name.strip()))
                st.toast(t("publishing.created", lang))
                st.rerun()

"""Accounts, channels, series and drafts: what publishing starts from."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import func, select

from core import database, events
from core.errors import BadRequest, Conflict, InvalidInput, NotFound
from core.models.jobs import OutboxEvent
from core.models.publishing import Episode, PlatformAccount
from core.preferences import store_value
from core.publishing import accounts, channels, episodes, publications
from core.publishing.failures import PlatformFailure
from core.publishing.payloads import (
    ChannelInput,
    EpisodeInput,
    LinkInput,
    RescheduleInput,
)
from core.security import Actor
from providers.registry import providers
from tests.engine import publishing_studio as room
from tests.fakes.youtube.client import FakeYouTube
from workers import dispatcher

ROOT = Path(__file__).resolve().parents[2]


def test_nobody_else_sees_or_touches_anything(
    youtube: FakeYouTube, owner: Actor, other_owner: Actor, video: Path
) -> None:
    asset, account = room.stored(owner, video), room.account(owner, youtube.account())
    publication = room.planned(owner, asset, account)
    with database.session(other_owner) as session:
        assert (publications.listed(session), accounts.listed(session), channels.channels(session)) == ([], [], [])
        assert episodes.listed(session) == []
        for act in (
            lambda: publications.detail(session, publication),
            lambda: publications.cancel(session, other_owner, publication),
            lambda: accounts.disconnect(session, other_owner, account),
            lambda: episodes.create(session, other_owner, EpisodeInput(title="x", asset_id=asset)),
            lambda: publications.reschedule(session, other_owner, publication, RescheduleInput(scheduled_time="now")),
        ):
            with pytest.raises(NotFound):
                act()


def test_connecting_through_the_consent_page(youtube: FakeYouTube, owner: Actor) -> None:
    youtube.account("UCmine")
    redirect = "http://127.0.0.1:8501/api/publishing/accounts/youtube/callback"
    with database.session(owner) as session:
        store_value(session, owner, "GOOGLE_CLIENT_ID", "studio.apps", secret=False)
        store_value(session, owner, "GOOGLE_CLIENT_SECRET", "hush", secret=True)
        url = accounts.connect_url(session, owner, "youtube", redirect)
    answer = httpx.get(url, follow_redirects=False)
    back = {key: values[0] for key, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}
    with database.session() as session, pytest.raises(BadRequest):
        accounts.complete_connection(session, "youtube", "forged", back["code"])
    with database.session() as session:
        (account,) = accounts.complete_connection(session, "youtube", back["state"], back["code"])
        assert (account.external_id, account.owner_id) == ("UCmine", owner.owner_id)
        assert account.status == "connected"
    with database.session() as session, pytest.raises(BadRequest):
        accounts.complete_connection(session, "youtube", back["state"], back["code"])


def test_connecting_without_leave_to_upload_is_refused(youtube: FakeYouTube, owner: Actor) -> None:
    youtube.account("UCmine", scopes=["youtube.readonly", "yt-analytics.readonly"])
    redirect = "http://127.0.0.1:8501/api/publishing/accounts/youtube/callback"
    with database.session(owner) as session:
        store_value(session, owner, "GOOGLE_CLIENT_ID", "studio.apps", secret=False)
        url = accounts.connect_url(session, owner, "youtube", redirect)
    answer = httpx.get(url, follow_redirects=False)
    back = {key: values[0] for key, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}
    with pytest.raises(PlatformFailure, match="upload videos was not given"), database.session() as session:
        accounts.complete_connection(session, "youtube", back["state"], back["code"])
    with database.session() as session:
        assert session.scalars(select(PlatformAccount)).all() == []


def test_reconnecting_with_an_empty_refresh_token_keeps_the_stored_one(youtube: FakeYouTube, owner: Actor) -> None:
    auth = youtube.account()
    room.account(owner, auth)
    room.account(owner, {"access_token": auth["access_token"], "refresh_token": ""})
    with database.session() as session:
        from core.publishing import tokens

        kept = tokens.opened(session.scalars(select(PlatformAccount)).one())
    assert kept["refresh_token"] == auth["refresh_token"]


def test_platforms_that_are_not_connected_say_how(owner: Actor) -> None:
    with database.session() as session:
        room_of_publishing = [each for each in providers(session, owner.owner_id) if each.kind == "publishing"]
    assert {each.name: each.ready for each in room_of_publishing} == {
        "youtube": False,
        "simulated": True,
        "tiktok": False,
        "facebook": False,
        "instagram": False,
    }
    assert all("Connect" in each.reason_in("en") for each in room_of_publishing if not each.ready)


def test_channels_series_and_links(youtube: FakeYouTube, owner: Actor) -> None:
    one, two = room.account(owner, youtube.account("UCa"), "UCa"), room.simulated(owner)
    with database.session(owner) as session:
        channel = channels.create_channel(session, owner, ChannelInput(name="Cooking", timezone="Asia/Bangkok"))
        assert channel.is_default
        other = channels.create_channel(session, owner, ChannelInput(name="Music", is_default=True))
        session.refresh(channel)
        assert (channel.is_default, other.is_default) == (False, True)
        with pytest.raises(Conflict):
            channels.create_channel(session, owner, ChannelInput(name="Music"))
        with pytest.raises(InvalidInput):
            channels.create_channel(session, owner, ChannelInput(name="X", timezone="Mars/Olympus"))
        channels.link_account(session, owner, channel.id, LinkInput(account_id=one))
        channels.link_account(session, owner, channel.id, LinkInput(account_id=two, role="primary"))
        links = channels.links_of(session, channel.id)
        assert [(link.role, account.id) for link, account in links] == [("primary", two), ("secondary", one)]
        channels.unlink_account(session, owner, channel.id, two)
        assert len(channels.links_of(session, channel.id)) == 1


def test_a_finished_video_becomes_one_draft_however_often_it_is_told(owner: Actor, video: Path) -> None:
    assets = [room.stored(owner, video) for _ in range(3)]
    with database.session() as session:
        whole = events.emit(
            session, events.VIDEO_GENERATED, owner.owner_id, {"asset_id": str(assets[0]), "title": "How to cook rice"}
        )
        several = events.emit(
            session,
            events.VIDEO_GENERATED,
            owner.owner_id,
            {"episodes": [{"asset_id": str(asset), "title": f"Short {asset}"} for asset in assets[1:]]},
        )
        repeats = [whole.id, several.id]
    dispatcher.deliver_events()
    for _ in range(2):
        with database.session() as session:
            for key in repeats:
                events.deliver(session, session.get_one(OutboxEvent, key))
    with database.session(owner) as session:
        drafts = episodes.listed(session)
        assert len(drafts) == 3
        assert "How to cook rice" in {draft.title for draft in drafts}
        assert len({(draft.channel_id, draft.series_id) for draft in drafts}) == 1
        episodes.discard(session, owner, drafts[0].id)
    with database.session() as session:
        for key in repeats:
            events.deliver(session, session.get_one(OutboxEvent, key))
        events.emit(session, events.RESULT_DISCARDED, owner.owner_id, {"asset_ids": [str(assets[0])]})
    dispatcher.deliver_events()
    with database.session(owner) as session:
        left = episodes.listed(session)
        discarded = session.scalar(select(func.count()).select_from(Episode).where(Episode.state == "discarded"))
    assert assets[0] not in {draft.asset_id for draft in left}
    assert len(left) + (discarded or 0) == 3

"""From a draft to a post on the (loopback) TikTok, with the real adapter, database and worker code."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select, text, update

from core import database
from core.errors import BadRequest, InvalidInput
from core.models.business import PerformanceSnapshot
from core.models.jobs import Job
from core.models.publishing import PlatformAccount, PublicationRecord
from core.publishing import accounts, creators, publications, tokens
from core.publishing.failures import PlatformFailure
from core.security import Actor
from core.storage import sha256_of
from providers.publishing.base import PublishRequest
from providers.publishing.tiktok import TikTokPublisher
from tests.engine import publishing_studio as room
from tests.engine.api_server import serve
from tests.fakes.tiktok.client import FakeTikTok
from workers.publishing import dispatch

CONSENT = {"tiktok": {"consent": True}}
REDIRECT = "http://127.0.0.1:8501/api/publishing/accounts/tiktok/callback"


def connected(owner: Actor, fake: FakeTikTok, open_id: str = "creator", **extra: Any) -> UUID:
    """A creator's account, with what TikTok says they may choose."""
    fake.set(processing_polls=0)
    account = room.account(owner, fake.account(open_id, **extra), open_id, "tiktok")
    creators.ask_all(owner, [account])
    return account


def test_a_post_goes_out_as_it_was_planned(tiktok: FakeTikTok, owner: Actor, video: Path) -> None:
    account = connected(owner, tiktok)
    chosen = {"allow_comments": True, "discloses_commercial": True, "your_brand": True, "consent": True}
    publication = room.planned(
        owner,
        room.stored(owner, video, ai_generated=True),
        account,
        description="About it.",
        tags=["night market", "ตลาด"],
        privacy="friends",
        options={"tiktok": {**chosen, "cover_at_seconds": 1.5}},
    )
    room.tick()
    record = room.record(publication)
    assert record.state == "published", record.reason
    (line,) = tiktok.logged("init")
    assert line["body"]["post_info"] == {
        "privacy_level": "MUTUAL_FOLLOW_FRIENDS",
        "title": "A talk\n\nAbout it.\n\n#NightMarket #ตลาด",
        "disable_comment": False,
        "disable_duet": True,
        "disable_stitch": True,
        "brand_content_toggle": False,
        "brand_organic_toggle": True,
        "is_aigc": True,
        "video_cover_timestamp_ms": 1500,
    }
    (post,) = tiktok.logged("post")
    assert (post["sha256"], post["size"]) == (record.content_sha256, video.stat().st_size)
    assert record.remote_id == post["publish_id"], "one that is not public never gets an id of its own"
    assert record.next_revenue_at is None
    assert {"facebook", "instagram"} & set(record.options) == set()
    with database.session() as session:
        session.execute(update(Job).values(status="queued", attempt_token=None))
    room.run_jobs()
    assert len(tiktok.logged("init")) == 1


def test_an_own_id_comes_with_the_figures_and_what_tiktok_does_not_report_stays_unknown(
    tiktok: FakeTikTok, owner: Actor, video: Path
) -> None:
    account = connected(owner, tiktok)
    public = room.planned(owner, room.stored(owner, video), account, options=CONSENT)
    own = room.planned(owner, room.stored(owner, video), account, title="Mine", privacy="private", options=CONSENT)
    room.tick()
    upload_id = room.record(public).remote_id
    assert upload_id is not None
    assert not upload_id.isdigit(), "not moderated yet"
    assert room.record(public).remote_url is None
    tiktok.set(post={"publish_id": upload_id, "moderated": True, "statistics": {"view_count": 120, "share_count": 0}})
    dispatch.due_syncs()
    room.run_jobs("publishing.sync_metrics")
    record = room.record(public)
    assert record.remote_id == "7400000000000000001", "past 2^53 and whole"
    assert record.remote_url == "https://www.tiktok.com/@creator.name/video/7400000000000000001"
    assert record.warnings == []
    with database.session() as session:
        seen = session.scalars(select(PerformanceSnapshot)).one()
        assert (seen.publication_id, seen.views, seen.shares, seen.likes) == (public, 120, 0, 0)
        assert (seen.watch_time_seconds, seen.impressions, seen.subscribers_gained) == (None, None, None)
        assert session.scalars(select(Job).where(Job.kind == "publishing.sync_revenue")).all() == []
        session.execute(update(PublicationRecord).values(next_metrics_at=func.now()))
    tiktok.set(post={"publish_id": upload_id, "deleted": True})
    dispatch.due_syncs()
    room.run_jobs("publishing.sync_metrics")
    assert [each["code"] for each in room.record(public).warnings] == ["gone"]
    assert "gone" not in {each["code"] for each in room.record(own).warnings}


def test_it_fires_at_its_time_by_our_clock_and_is_cancelled_before(
    tiktok: FakeTikTok, owner: Actor, video: Path
) -> None:
    account = connected(owner, tiktok)
    due = (datetime.now(UTC) + timedelta(hours=5)).isoformat()
    first = room.planned(owner, room.stored(owner, video), account, scheduled_time=due, options=CONSENT)
    other = room.planned(owner, room.stored(owner, video), account, title="No", scheduled_time=due, options=CONSENT)
    room.tick()
    assert tiktok.calls() == {"creator_info": 1}, "nothing is sent ahead: TikTok keeps no times"
    assert not room.record(first).platform_keeps_time
    with database.session(owner) as session:
        publications.cancel(session, owner, other)
    with database.session() as session:
        session.execute(update(PublicationRecord).values(due_at=func.now()))
    room.tick()
    assert (room.record(first).state, room.record(other).state) == ("published", "cancelled")
    assert len(tiktok.logged("post")) == 1
    with database.session(owner) as session:
        publications.retry(session, owner, other)
    room.tick()
    assert room.record(other).state == "published"


def test_what_the_creator_switched_off_since_is_refused_before_anything_is_opened(
    tiktok: FakeTikTok, owner: Actor, video: Path
) -> None:
    account = connected(owner, tiktok)
    options = {"tiktok": {"consent": True, "allow_duet": True}}
    publication = room.planned(owner, room.stored(owner, video), account, options=options)
    tiktok.set(account={"open_id": "creator", "duet_disabled": True})
    room.tick()
    record = room.record(publication)
    assert (record.state, record.reason) == ("failed", "The creator has switched duets off on TikTok.")
    assert tiktok.logged("init") == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"audited": False}, "TikTok has not reviewed the studio's registration yet: it takes posts only for private"),
        ({"account": {"open_id": "creator", "banned": True}}, "TikTok does not let this account post at the moment."),
        ({"fail_next": "frame_rate_check_failed"}, "TikTok does not take this many pictures a second."),
    ],
)
def test_a_refusal_is_told_in_a_sentence(
    tiktok: FakeTikTok, owner: Actor, video: Path, change: dict[str, Any], reason: str
) -> None:
    publication = room.planned(owner, room.stored(owner, video), connected(owner, tiktok), options=CONSENT)
    tiktok.set(**change)
    room.tick()
    record = room.record(publication)
    assert record.state == "failed"
    assert record.reason.startswith(reason)
    with database.session(owner) as session:
        assert publications.detail(session, publication).history[0].error is not None or record.error


def test_a_video_that_tiktok_could_not_process_may_be_sent_again(tiktok: FakeTikTok, owner: Actor, video: Path) -> None:
    tiktok.set(fail_next="internal")
    publication = room.planned(owner, room.stored(owner, video), connected(owner, tiktok), options=CONSENT)
    room.tick()
    assert room.record(publication).state == "failed"
    with database.session(owner) as session:
        publications.retry(session, owner, publication)
    room.tick()
    assert room.record(publication).state == "published"
    assert [line["failed"] for line in tiktok.logged("post")] == ["internal", ""]


def test_the_preflight_says_what_tiktok_asks_of_apps(tiktok: FakeTikTok, owner: Actor, video: Path) -> None:
    """POST /publishing/check: the same list the page shows; who sees it is never chosen for the user."""
    restricted = {"comment_disabled": True, "max_seconds": 60, "privacy_options": ["SELF_ONLY", "PUBLIC_TO_EVERYONE"]}
    account = room.account(owner, tiktok.account(**restricted), "creator", "tiktok")
    with serve() as served, served.client(owner) as client:
        asset = room.stored(owner, video, duration_seconds=61.0, width=320, height=240, fps="15")
        draft = client.post("/api/dashboard/episodes", json={"title": "t", "asset_id": str(asset)}).json()["id"]

        def codes(options: dict[str, Any], **target: Any) -> set[str]:
            wanted = {"platform_account_id": str(account), "options": {"tiktok": options}, **target}
            body = {"episode_id": draft, "targets": [wanted]}
            found = client.post("/api/publishing/check", json=body)
            assert found.status_code == 200, found.text
            return {issue["code"] for issue in found.json()[0]["issues"]}

        always = {"asset_fps", "asset_size", "tiktok_duration"}
        assert codes({}) == always | {"privacy_open", "tiktok_consent"}
        everything = {"allow_comments": True, "discloses_commercial": True, "consent": True}
        assert codes(everything, privacy="followers") == always | {
            "tiktok_privacy",
            "tiktok_comments",
            "tiktok_commercial",
        }
        branded = {"discloses_commercial": True, "branded_content": True, "consent": True}
        assert codes(branded, privacy="private", description="x" * 2300) == always | {
            "tiktok_branded_private",
            "caption_long",
        }
        assert codes({"consent": True}, privacy="unlisted") == always | {"privacy", "tiktok_privacy"}
        assert tiktok.calls()["creator_info"] == 1, "one answer serves for two minutes"
        told = client.post(
            "/api/publishing/check",
            json={"episode_id": draft, "targets": [{"platform_account_id": str(account)}]},
        ).json()[0]["creator"]
        assert told == {
            "username": "creator.name", "nickname": "Creator creator", "privacies": ["private", "public"],
            "comments": False, "duets": True, "stitches": True, "longest_seconds": 60.0,
        }  # fmt: skip
        body = {"episode_id": draft, "targets": [{"platform_account_id": str(account)}]}
        refused = client.post("/api/publishing/plan", json=body)
        assert (refused.status_code, refused.json()["title"]) == (
            422,
            "Choose who can see it: this platform wants the creator to decide.",
        )
        with database.session(owner) as session:
            row = session.get_one(PlatformAccount, account)
            row.details = {}
        tiktok.fault("creator_info", "drop_before", times=5)
        assert "tiktok_unasked" in codes({"consent": True}, privacy="private")


def test_connecting_through_the_consent_page(tiktok: FakeTikTok, owner: Actor) -> None:
    tiktok.account(nickname="Night walks")
    with database.session(owner) as session:
        url = accounts.connect_url(session, owner, "tiktok", REDIRECT)
    answer = httpx.get(url, follow_redirects=False)
    back = {key: values[0] for key, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}
    with database.session() as session, pytest.raises(BadRequest):
        accounts.complete_connection(session, "youtube", back["state"], back["code"])
    with database.session() as session:
        (account,) = accounts.complete_connection(session, "tiktok", back["state"], back["code"])
        assert (account.external_id, account.name, account.status) == ("creator", "Night walks", "connected")
        assert set(account.scopes) >= {"video.publish", "video.list"}
        known = creators.kept(account)
        assert known is not None
        assert known.privacies == ("public", "friends", "followers", "private")
        assert account.token_expires_at is not None


def test_connecting_without_leave_to_post_is_refused(tiktok: FakeTikTok, owner: Actor) -> None:
    tiktok.account(scopes=["user.info.basic", "video.list"])
    with database.session(owner) as session:
        url = accounts.connect_url(session, owner, "tiktok", REDIRECT)
    answer = httpx.get(url, follow_redirects=False)
    back = {key: values[0] for key, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}
    with pytest.raises(PlatformFailure, match="upload videos was not given"), database.session() as session:
        accounts.complete_connection(session, "tiktok", back["state"], back["code"])


def test_an_unconfirmed_consent_plans_nothing(tiktok: FakeTikTok, owner: Actor, video: Path) -> None:
    with pytest.raises(InvalidInput, match="Music Usage Confirmation"):
        room.planned(owner, room.stored(owner, video), connected(owner, tiktok))


def test_no_token_or_upload_address_is_readable_anywhere(tiktok: FakeTikTok, owner: Actor, video: Path) -> None:
    account = connected(owner, tiktok, refresh_token="rft.canary-refresh")
    publication = room.planned(owner, room.stored(owner, video), account, options=CONSENT)
    room.tick()
    assert room.record(publication).state == "published"
    secrets = ["canary-refresh", tiktok.logged("init")[0]["upload_token"]]
    with database.session() as session:
        secrets.append(tokens.opened(session.get_one(PlatformAccount, account))["access_token"])
        names = session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
        dump = "".join(str(session.execute(text(f'SELECT t::text FROM "{name}" t')).all()) for name in names)
    assert publication.hex[:8] in dump
    assert not [secret for secret in secrets if secret in dump]


def test_the_plans_blocking_method(tiktok: FakeTikTok, owner: Actor, video: Path) -> None:
    """``upload`` for callers without a database; in chunks, with a token that ends on the way."""
    long = video.with_name("long.mp4")
    long.write_bytes(video.read_bytes() + bytes(11 * 10**6))
    account = connected(owner, tiktok, expires_in=3600)
    publisher = TikTokPublisher(tokens.AccountCredentials(account), "creator.name", chunk_bytes=5_300_000)
    tiktok.set(expire_tokens=True, processing_polls=2, moderation_polls=0)
    request = PublishRequest(
        marker="m", path=long, size_bytes=long.stat().st_size, mime_type="video/mp4", sha256="", title="t",
        description="", tags=(), privacy="public",
    )  # fmt: skip
    seen = publisher.upload(request, poll_seconds=0.01)
    assert (seen.state, seen.remote_id) == ("ready", "7400000000000000001")
    assert seen.url == "https://www.tiktok.com/@creator.name/video/7400000000000000001"
    (post,) = tiktok.logged("post")
    assert post["sha256"] == sha256_of(long)
    assert len(tiktok.logged("token")) == 1
    assert publisher.check("7400000000000000001").state == "ready"
    assert publisher.check("7400000000000000002").state == "gone"

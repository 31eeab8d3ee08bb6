"""Licences and AI marks on the way to a platform (I4), what cannot be deleted and why, and when to post."""

from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, update

from core import database, events
from core.business.revenue import Earning, record_earnings
from core.business.snapshots import Snapshot, record_snapshots
from core.business.targets import Target
from core.errors import Conflict
from core.models.assets import Asset, AssetLink
from core.models.business import RevenueRecord
from core.models.jobs import Job
from core.models.publishing import ContentChannel, Episode, PublicationRecord
from core.publishing import best_time, episodes, library, plan, zones
from core.publishing.payloads import EpisodeInput, PublicationPlanInput
from core.security import Actor
from tests.engine import publishing_studio as room
from tests.engine.api_server import serve
from tests.fakes.youtube.client import FakeYouTube
from workers.publishing import dispatch


def _made_of(owner: Actor, video: Path, *parts: tuple[str, bool]) -> UUID:
    """A video made from a source that was made from parts of (licence, AI-made): two steps up the lineage."""
    result, source = room.stored(owner, video), room.stored(owner, video)
    with database.session() as session:
        session.add(AssetLink(child_id=result, parent_id=source, role="source"))
        for number, (licence, ai) in enumerate(parts):
            key = room.stored(owner, video, licence=licence, ai_generated=ai)
            session.get_one(Asset, key).name = f"song {number}.wav"
            session.add(AssetLink(child_id=source, parent_id=key, role="music"))
    return result


def _checked(owner: Actor, asset: UUID, account: UUID, **target: object) -> dict[str, str]:
    with database.session(owner) as session:
        episode = episodes.create(session, owner, EpisodeInput(title="x", asset_id=asset))
        wanted = {"episode_id": episode.id, "targets": [{"platform_account_id": account, **target}]}
        found = plan.check(session, owner, PublicationPlanInput.model_validate(wanted))
        return {issue.code: issue.detail for issue in found[account]}


def test_licences_of_the_lineage_warn_and_credits_are_offered(youtube: FakeYouTube, owner: Actor, video: Path) -> None:
    account = room.account(owner, youtube.account())
    asset = _made_of(owner, video, ("CC-BY-NC-4.0 (MusicGen)", True), ("CC-BY-SA-4.0", False), ("MIT (score)", False))
    found = _checked(owner, asset, account)
    assert found == {
        "licence_non_commercial": "song 0.wav (CC-BY-NC-4.0 (MusicGen))",
        "licence_share_alike": "song 1.wav (CC-BY-SA-4.0)",
        "licence_attribution": "song 0.wav (CC-BY-NC-4.0 (MusicGen)), song 1.wav (CC-BY-SA-4.0)",
    }
    with database.session(owner) as session:
        material = plan.material(session, UUID(int=0), asset)
    assert material.credits() == "Credits:\n“song 0.wav” (CC-BY-NC-4.0 (MusicGen))\n“song 1.wav” (CC-BY-SA-4.0)"
    assert "licence_attribution" not in _checked(owner, asset, account, description=material.credits())
    assert _checked(owner, _made_of(owner, video, ("own", False), ("CC0-1.0", False)), account) == {}


@pytest.mark.parametrize(
    ("made_by_ai", "chosen", "sent"), [(True, None, True), (False, None, False), (True, False, False)]
)
def test_the_ai_mark_is_in_the_request(
    youtube: FakeYouTube, owner: Actor, video: Path, made_by_ai: bool, chosen: bool | None, sent: bool
) -> None:
    asset = _made_of(owner, video, ("own", made_by_ai))
    options = {} if chosen is None else {"options": {"synthetic_media": chosen}}
    key = room.planned(owner, asset, room.account(owner, youtube.account()), **options)
    assert room.record(key).options["synthetic_media"] is sent, "what will be sent can be seen before"
    room.tick()
    (line,) = youtube.logged("session")
    assert json.loads(line["body"])["status"]["containsSyntheticMedia"] is sent
    assert f'"containsSyntheticMedia": {str(sent).lower()}' in line["body"]


def _earned(session: object, episode_id: UUID) -> None:
    earning = Earning(Target(episode_id=episode_id), Decimal("3.5"), "USD", date(2026, 1, 2), "user", f"x{episode_id}")
    record_earnings(session, [earning])  # type: ignore[arg-type]


def test_nothing_that_money_or_posts_depend_on_is_deleted_without_a_word(
    youtube: FakeYouTube, owner: Actor, video: Path
) -> None:
    asset, out = room.stored(owner, video), room.stored(owner, video)
    account = room.account(owner, youtube.account())
    published = room.planned(owner, out, account)
    room.tick()
    with database.session(owner) as session:
        draft = episodes.create(session, owner, EpisodeInput(title="Talk", asset_id=asset)).id
        _earned(session, draft)
    with serve() as served, served.client(owner) as client:
        refused = client.delete(f"/api/dashboard/episodes/{draft}")
        assert refused.status_code == 409
        assert refused.json()["title"] == "Money is recorded for “Talk”: 0 costs, 1 earnings."
        assert client.delete(f"/api/assets/{asset}").json()["title"].startswith("Money is recorded")
        assert client.delete(f"/api/assets/{asset}?with_dependants=true").status_code == 409
        episode = room.episode_of(published).id
        gone = client.delete(f"/api/dashboard/episodes/{episode}")
        assert (gone.status_code, gone.json()["title"]) == (
            409,
            "“A talk” is published; its figures belong to it.",
        )
        thai = client.delete(f"/api/assets/{out}", headers={"Accept-Language": "th"})
        assert (thai.status_code, thai.json()["title"]) == (409, "มีโพสต์ที่เผยแพร่แล้ว 1 รายการใช้ไฟล์นี้")
        with database.session() as session:
            assert session.scalar(select(func.count()).select_from(Asset)) == 2
            assert session.get_one(Episode, draft).state == "draft"
        assert client.delete(f"/api/assets/{out}?with_dependants=true").status_code == 204
    record = room.record(published)
    assert (record.state, record.asset_id) == ("published", None)
    with database.session() as session:
        assert session.scalar(select(func.count()).select_from(RevenueRecord)) == 1


def test_a_discarded_result_leaves_a_draft_that_has_money(owner: Actor, video: Path) -> None:
    asset = room.stored(owner, video)
    with database.session(owner) as session:
        kept = episodes.create(session, owner, EpisodeInput(title="Paid", asset_id=asset)).id
        free = episodes.create(session, owner, EpisodeInput(title="Free", asset_id=asset)).id
        _earned(session, kept)
        events.emit(session, events.RESULT_DISCARDED, owner.owner_id, {"asset_ids": [str(asset)]})
    room.tick()
    with database.session() as session:
        assert session.get_one(Episode, kept).state == "draft"
        assert session.get_one(Episode, free).state == "discarded"


def test_a_thumbnail_or_captions_of_a_waiting_post_are_kept(owner: Actor, video: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.srt"
    words.write_text("1\n00:00:00,000 --> 00:00:01,000\nhello\n")
    captions = room.stored(owner, words, "subtitle")
    options = {"captions": [{"asset_id": str(captions), "language": "en"}]}
    room.planned(
        owner, room.stored(owner, video), room.simulated(owner), scheduled_time="2099-01-01T10:00", options=options
    )
    with database.session(owner) as session, pytest.raises(Conflict, match="about to be published"):
        library.delete_asset(session, owner, captions)


def _history(owner: Actor, account: UUID, factor: float, posts: int) -> None:
    """Posts at every hour of three months; those of Fridays get ``factor`` times the views."""
    chance = random.Random(7)
    with database.session(owner) as session:
        episode = episodes.create(session, owner, EpisodeInput(title="Old"))
        for number in range(posts):
            at = datetime(2026, 1, 5, tzinfo=UTC) + timedelta(hours=37 * number)
            record = PublicationRecord(
                owner_id=owner.owner_id,
                episode_id=episode.id,
                account_id=account,
                platform="simulated",
                is_simulated=True,
                state="published",
                title=str(number),
                privacy="public",
                remote_id=str(number),
                published_at=at,
                due_at=at,
            )
            session.add(record)
            session.flush()
            views = int(1000 * chance.lognormvariate(0, 0.5) * (factor if at.weekday() == 4 else 1))
            taken = [
                Snapshot(record.id, at + timedelta(hours=hours), {"views": views * hours // 72}, "simulated")
                for hours in (24, 72)
            ]
            record_snapshots(session, taken)


@pytest.mark.parametrize(("factor", "posts", "weekday"), [(3.0, 90, 4), (1.0, 90, None), (3.0, 6, None)])
def test_a_best_time_is_claimed_only_where_the_figures_carry_it(
    owner: Actor, factor: float, posts: int, weekday: int | None
) -> None:
    account = room.simulated(owner)
    _history(owner, account, factor, posts)
    with database.session(owner) as session:
        found = best_time.of_account(session, account, UTC)
    assert (found.posts, found.enough, found.weekday) == (posts, posts > 10, weekday)
    if weekday is not None:
        zone = ZoneInfo("Asia/Bangkok")
        moment = found.next_after(datetime(2026, 11, 23, 3, tzinfo=UTC), zone, time(18))
        assert moment.weekday() == weekday
        assert moment > datetime(2026, 11, 23, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("currency", "reported"),
    [("THB", ("34.000000", "THB")), ("USD", ("1.000000", "USD")), ("LAK", ("1.000000", "USD"))],
)
def test_revenue_is_asked_for_in_the_channels_currency(
    youtube: FakeYouTube, owner: Actor, video: Path, currency: str, reported: tuple[str, str]
) -> None:
    key = room.planned(owner, room.stored(owner, video), room.account(owner, youtube.account()))
    with database.session() as session:
        session.execute(update(ContentChannel).values(currency=currency))
    room.tick()
    day = (datetime.now(UTC) - timedelta(days=3)).date().isoformat()
    youtube.set(days=[{"video": room.record(key).remote_id, "day": day, "estimatedRevenue": 1.0}])
    dispatch.due_syncs()
    room.run_jobs("publishing.sync_revenue")
    with database.session() as session:
        row = session.scalars(select(RevenueRecord)).one()
        assert (str(row.amount), row.currency) == reported
        result = session.scalars(select(Job.result).where(Job.kind == "publishing.sync_revenue")).one()
        assert result is not None
        assert result["currencies_not_reported"] == (["LAK"] if currency == "LAK" else [])


def test_a_post_keeps_its_local_time_when_the_zones_rules_change(owner: Actor, video: Path) -> None:
    """F13: planned while the zone was believed an hour off."""
    asset, account = room.stored(owner, video), room.simulated(owner)
    key = room.planned(owner, asset, account, scheduled_time="2099-07-01T18:30", timezone="Asia/Bangkok")
    meant = room.record(key).due_at
    assert zones.follow() == 0
    with database.session() as session:
        record = session.get_one(PublicationRecord, key)
        record.due_at = meant + timedelta(hours=1) if meant else None
    assert zones.follow() == 1
    assert room.record(key).due_at == meant

"""From a draft to a video on the (loopback) platform, with the real client, database and worker code."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import imageio_ffmpeg
import pytest
from sqlalchemy import func, select, text, update

from core import database, events
from core.errors import Conflict, Forbidden, InvalidInput, OutOfSpace
from core.models.business import PerformanceSnapshot, ReportedDay, RevenueRecord
from core.models.jobs import Job, OutboxEvent
from core.models.publishing import AccountLimit, PublicationAttempt, PublicationRecord
from core.publishing import plan, publications, simulation
from core.publishing.payloads import (
    PublicationPlanInput,
    RescheduleInput,
    ReviewInput,
)
from core.security import Actor
from core.storage import storage
from tests.engine import publishing_studio as room
from tests.fakes.youtube.client import FakeYouTube
from workers import context
from workers.publishing import dispatch, upload

ROOT = Path(__file__).resolve().parents[2]


def test_an_episode_is_published_with_all_that_belongs_to_it(
    youtube: FakeYouTube, owner: Actor, video: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "thumb.png"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", "color=red:size=320x180:duration=1"]
    subprocess.run([*command, "-frames:v", "1", str(picture)], check=True)
    words = tmp_path / "words.srt"
    words.write_text("1\n00:00:00,000 --> 00:00:01,000\nสวัสดี\n")
    asset = room.stored(owner, video, ai_generated=True)
    thumbnail, captions = room.stored(owner, picture, "image"), room.stored(owner, words, "subtitle")
    account = room.account(owner, youtube.account())
    youtube.set(polls_until_processed=2)
    publication = room.planned(
        owner,
        asset,
        account,
        description="About it.",
        tags=["one", "two words"],
        privacy="unlisted",
        thumbnail_asset_id=thumbnail,
        options={"captions": [{"asset_id": str(captions), "language": "th", "name": "ไทย"}], "playlist_id": "PLtalks"},
    )
    room.tick()
    record = room.record(publication)
    assert record.state == "published", record.reason
    (post,) = youtube.posts()
    assert post["sha256"] == record.content_sha256
    assert post["title"] == "A talk"
    assert post["description"].startswith("About it.\n\nref:")
    assert post["snippet"]["tags"] == ["one", "two words"]
    assert post["status"]["privacyStatus"] == record.remote_privacy == "unlisted"
    assert post["status"]["containsSyntheticMedia"] is True
    assert post["thumbnail"] is not None
    assert [track["language"] for track in post["captions"]] == ["th"]
    assert len(youtube.logged("playlist")) == 1
    assert record.remote_id == post["video_id"]
    assert room.episode_of(publication).state == "published"
    with database.session(owner) as session:
        seen = publications.detail(session, publication)
        assert [attempt.outcome for attempt in seen.history] == ["succeeded"]
        assert {step.name: step.state for step in seen.steps} == {
            "thumbnail": "done",
            "captions:th": "done",
            "playlist:PLtalks": "done",
        }
        kinds = session.scalars(select(OutboxEvent.kind)).all()
    assert kinds.count(events.CONTENT_PUBLISHED) == 1
    # The same job carried again, and a job made anew, change nothing.
    with database.session() as session:
        session.execute(update(Job).values(status="queued", attempt_token=None))
    room.run_jobs()
    assert len(youtube.logged("video")) == 1


def test_what_the_platform_changed_is_shown(youtube: FakeYouTube, owner: Actor, video: Path) -> None:
    youtube.set(audited=False)
    publication = room.planned(owner, room.stored(owner, video), room.account(owner, youtube.account()))
    room.tick()
    record = room.record(publication)
    assert record.state == "published_with_warnings"
    assert record.remote_privacy == "private"
    assert [each["code"] for each in record.warnings] == ["privacy_differs"]


def test_no_token_is_readable_anywhere(youtube: FakeYouTube, owner: Actor, video: Path) -> None:
    auth = youtube.account(refresh_token="1//canary-refresh")
    publication = room.planned(owner, room.stored(owner, video), room.account(owner, auth))
    room.tick()
    assert room.record(publication).state == "published"
    sessions = [line["upload_id"] for line in youtube.logged("session")]
    with database.session() as session:
        names = session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
        dump = "".join(str(session.execute(text(f'SELECT t::text FROM "{name}" t')).all()) for name in names)
    assert publication.hex[:8] in dump
    for secret in ("canary-refresh", auth["access_token"], sessions[0]):
        assert secret not in dump


def test_a_failed_conversion_is_told_and_may_be_tried_again(youtube: FakeYouTube, owner: Actor, video: Path) -> None:
    youtube.set(polls_until_processed=10_000)
    publication = room.planned(owner, room.stored(owner, video), room.account(owner, youtube.account()))
    patience, upload.PATIENCE = upload.PATIENCE, 0.2
    try:
        room.tick()
        record = room.record(publication)
        assert record.state == "processing"
        youtube.set(
            video={"video_id": record.remote_id, "status": {"uploadStatus": "rejected", "rejectionReason": "length"}}
        )
        room.let_time_pass()
        room.tick()
        record = room.record(publication)
        assert (record.state, record.reason) == ("failed", "The video is too long for this channel.")
        youtube.set(polls_until_processed=1)
        with database.session(owner) as session:
            publications.retry(session, owner, publication)
        room.tick()
    finally:
        upload.PATIENCE = patience
    assert room.record(publication).state == "published"
    descriptions = [post["description"] for post in youtube.posts()]
    assert len(set(descriptions)) == 2, "a new marker, so that the rejected video is not taken for the new one"


def test_a_vanished_session_is_settled_by_looking_before_anything_is_sent_again(
    youtube: FakeYouTube, owner: Actor, video: Path
) -> None:
    youtube.fault("last_chunk", "expire")
    publication = room.planned(owner, room.stored(owner, video), room.account(owner, youtube.account()))
    room.tick()
    record = room.record(publication)
    assert record.state == "submitting"
    assert record.reason == "Looking whether the video arrived before it is sent again."
    room.let_time_pass()
    room.tick()
    assert room.record(publication).state == "submitting", "not before the listing delay"
    assert youtube.sessions() == 1
    with database.session() as session:
        attempt = session.scalars(select(PublicationAttempt).order_by(PublicationAttempt.number.desc())).first()
        assert attempt is not None
        from workers.publishing import ledger

        handle = ledger.json.loads(ledger.unseal(attempt.handle_sealed or ""))
        handle["doubt_since"] = (datetime.now(UTC) - timedelta(seconds=31)).isoformat()
        attempt.handle_sealed = ledger.seal(ledger.json.dumps(handle))
    room.let_time_pass()
    room.tick()
    assert room.record(publication).state == "published"
    assert (len(youtube.logged("video")), youtube.sessions()) == (1, 2)


def test_a_changed_or_missing_file_is_refused_before_any_call(youtube: FakeYouTube, owner: Actor, video: Path) -> None:
    account = room.account(owner, youtube.account())
    changed, missing = room.stored(owner, video), room.stored(owner, video)
    first = room.planned(owner, changed, account)
    second = room.planned(owner, missing, account, title="Another")
    with database.session() as session:
        from core import assets

        assets.path_of(assets.get(session, changed)).write_bytes(b"something else")
        storage().delete(assets.get(session, missing).storage_key)
    room.tick()
    assert room.record(first).reason == "The video file changed after it was approved; plan it again."
    assert room.record(second).reason == "A file of this publication is missing on disk."
    assert {room.record(each).state for each in (first, second)} == {"failed"}
    assert youtube.calls() == {}


def test_plan_refuses_what_the_platform_would_refuse(youtube: FakeYouTube, owner: Actor, video: Path) -> None:
    asset, account = room.stored(owner, video), room.account(owner, youtube.account())
    for change in ({"title": "x" * 101}, {"title": "<b>"}, {"tags": ["t" * 90] * 6}, {"description": "ก" * 1700}):
        with pytest.raises(InvalidInput):
            room.planned(owner, asset, account, **change)
    with pytest.raises(InvalidInput):
        room.planned(owner, asset, account, scheduled_time="soon")
    with pytest.raises(InvalidInput):
        room.planned(owner, asset, account, scheduled_time="2020-01-01T10:00")
    publication = room.planned(owner, asset, account)
    with database.session(owner) as session:
        wanted = {"platform_account_id": account, "scheduled_time": "now"}
        with pytest.raises(Conflict):
            plan.plan(
                session,
                owner,
                PublicationPlanInput.model_validate(
                    {"episode_id": session.get_one(PublicationRecord, publication).episode_id, "targets": [wanted]}
                ),
            )
    viewer = Actor(owner.user_id, owner.owner_id, "viewer")
    with database.session(viewer) as session, pytest.raises(Forbidden):
        publications.cancel(session, viewer, publication)


def test_moving_cancelling_and_being_late(youtube: FakeYouTube, owner: Actor, video: Path) -> None:
    account = room.account(owner, youtube.account())
    publication = room.planned(
        owner,
        room.stored(owner, video),
        account,
        scheduled_time="2099-07-01T18:30",
        timezone="Asia/Bangkok",
        options={"platform_clock": False},
    )
    assert room.record(publication).due_at == datetime(2099, 7, 1, 11, 30, tzinfo=UTC)
    room.tick()
    assert room.record(publication).state == "scheduled"
    with database.session(owner) as session:
        version = session.get_one(PublicationRecord, publication).version
        with pytest.raises(Conflict):
            publications.reschedule(
                session, owner, publication, RescheduleInput(scheduled_time="now", version=version - 1)
            )
        publications.cancel(session, owner, publication)
    assert room.episode_of(publication).state == "draft"
    with database.session(owner) as session:
        publications.reschedule(session, owner, publication, RescheduleInput(scheduled_time="now"))
    with database.session() as session:
        session.execute(update(PublicationRecord).values(due_at=func.now() - timedelta(hours=7)))
    room.tick()
    assert room.record(publication).state == "missed"
    assert youtube.calls() == {}
    with database.session(owner) as session:
        publications.retry(session, owner, publication)
    room.tick()
    assert room.record(publication).state == "published"
    with database.session(owner) as session, pytest.raises(Conflict):
        publications.cancel(session, owner, publication)


def test_what_can_never_be_tried_ends_with_its_reason(
    youtube: FakeYouTube, owner: Actor, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publication = room.planned(owner, room.stored(owner, video), room.account(owner, youtube.account()))

    def full(_: int) -> None:
        raise OutOfSpace("There is not enough room on the disk.")

    monkeypatch.setattr(context, "require_space", full)
    for _ in range(20):
        room.tick()
        room.let_time_pass()
    record = room.record(publication)
    assert (record.state, record.reason) == ("failed", "There is not enough room on the disk.")
    assert youtube.calls() == {}


def test_a_doubt_is_settled_by_the_user(youtube: FakeYouTube, owner: Actor, video: Path) -> None:
    publication = room.planned(owner, room.stored(owner, video), room.account(owner, youtube.account()))
    with database.session() as session:
        session.execute(update(PublicationRecord).values(state="needs_review"))
    with database.session(owner) as session:
        with pytest.raises(InvalidInput):
            publications.review(session, owner, publication, ReviewInput(answer="published"))
        with pytest.raises(InvalidInput):
            publications.review(session, owner, publication, ReviewInput(answer="published", remote_id="my video"))
        address = "https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=1"
        publications.review(session, owner, publication, ReviewInput(answer="published", remote_id=address))
    assert (room.record(publication).state, room.record(publication).remote_id) == ("published", "dQw4w9WgXcQ")
    assert youtube.calls() == {}


def test_figures_are_read_by_the_same_jobs_everywhere(youtube: FakeYouTube, owner: Actor, video: Path) -> None:
    real = room.planned(owner, room.stored(owner, video), room.account(owner, youtube.account()))
    trial = room.planned(owner, room.stored(owner, video), room.simulated(owner), title="Trial")
    room.tick()
    remote = room.record(real).remote_id
    day = (datetime.now(UTC) - timedelta(days=3)).date().isoformat()
    youtube.set(
        video={"video_id": remote, "statistics": {"viewCount": 120, "likeCount": 7}},
        days=[{"video": remote, "day": day, "views": 100, "estimatedMinutesWatched": 30, "estimatedRevenue": 1.25}],
    )
    dispatch.due_syncs()
    room.run_jobs("publishing.sync")
    with database.session() as session:
        snapshot = session.scalars(select(PerformanceSnapshot)).one()
        assert (snapshot.publication_id, snapshot.views, snapshot.likes) == (real, 120, 7)
        assert snapshot.comments is None, "a hidden counter is unknown, not zero"
        reported = session.scalars(select(ReportedDay)).one()
        assert (reported.views, reported.watch_time_seconds, reported.report_tz) == (100, 1800, "America/Los_Angeles")
        money = session.scalars(select(RevenueRecord)).one()
        assert (str(money.amount), money.currency, money.simulated) == ("1.250000", "USD", False)
    assert dispatch.due_syncs() == 0, "not due again before its time"
    with database.session(owner) as session:
        assert simulation.play_simulated_week(session, owner) == 1
    room.run_jobs("publishing.sync")
    with database.session() as session:
        week = session.scalars(
            select(PerformanceSnapshot)
            .where(PerformanceSnapshot.publication_id == trial)
            .order_by(PerformanceSnapshot.captured_at)
        ).all()
        views = [each.views or 0 for each in week]
        assert len(week) == 7
        assert views == sorted(views)
        assert views[-1] > 0
        assert {each.source for each in week} == {"simulated"}
        rows = session.scalars(select(RevenueRecord).where(RevenueRecord.publication_id == trial)).all()
        assert len(rows) == 7
        assert all(row.simulated for row in rows)
        assert session.scalar(select(func.count()).select_from(RevenueRecord)) == 8
    with database.session(owner) as session:
        simulation.play_simulated_week(session, owner)
    room.run_jobs("publishing.sync")
    with database.session() as session:
        count = select(func.count()).select_from(PerformanceSnapshot).where(PerformanceSnapshot.publication_id == trial)
        assert session.scalar(count) == 14


def test_a_time_when_the_studio_was_off_leaves_no_hole(youtube: FakeYouTube, owner: Actor, video: Path) -> None:
    """Days are read again for as long as the platform revises them, counted from the last reading, not today."""
    post = room.planned(owner, room.stored(owner, video), room.account(owner, youtube.account()))
    room.tick()
    dispatch.due_syncs()
    room.run_jobs("publishing.sync")
    off = timedelta(days=90)
    with database.session() as session:
        session.execute(update(PublicationRecord).values(published_at=PublicationRecord.published_at - 2 * off))
        session.execute(update(Job).values(finished_at=Job.finished_at - off))
        session.execute(update(PublicationRecord).values(next_metrics_at=func.now(), next_revenue_at=func.now()))
    remote, today = room.record(post).remote_id, datetime.now(UTC).date()
    days = [{"video": remote, "day": (today - timedelta(days=ago)).isoformat(), "views": 1, "estimatedRevenue": 1}
            for ago in (3, 60, 95, 120, 150)]  # fmt: skip
    youtube.set(days=days)
    dispatch.due_syncs()
    room.run_jobs("publishing.sync")
    with database.session() as session:
        reported = {(today - day).days for day in session.scalars(select(ReportedDay.day))}
        earned = {(today - day).days for day in session.scalars(select(RevenueRecord.earned_on))}
    assert (reported, earned) == ({3, 60, 95}, {3, 60, 95, 120}), "what was read before is not asked for again"


def test_a_permission_that_was_not_given_is_told_and_the_rest_is_read(
    youtube: FakeYouTube, owner: Actor, video: Path
) -> None:
    auth = youtube.account(scopes=["youtube.upload", "youtube.readonly"])
    post = room.planned(owner, room.stored(owner, video), room.account(owner, auth))
    room.tick()
    youtube.set(video={"video_id": room.record(post).remote_id, "statistics": {"viewCount": 5}})
    dispatch.due_syncs()
    room.run_jobs("publishing.sync")
    with database.session() as session:
        assert session.scalars(select(PerformanceSnapshot.views)).all() == [5]
        refused = {job.kind: (job.status, (job.result or {}).get("refused")) for job in session.scalars(select(Job))}
    assert refused["publishing.sync_metrics"] == ("succeeded", "insufficientPermissions")
    assert refused["publishing.sync_revenue"] == ("succeeded", "insufficientPermissions")
    assert room.account_row(room.record(post).account_id).status == "connected"


def test_an_account_that_may_not_upload_waits_for_its_user(youtube: FakeYouTube, owner: Actor, video: Path) -> None:
    auth = youtube.account(scopes=["youtube.readonly"])
    post = room.planned(owner, room.stored(owner, video), room.account(owner, auth))
    room.tick()
    record = room.record(post)
    assert (record.state, record.reason) == (
        "needs_reconnect",
        "This account did not allow the studio to do that.",
    )
    assert youtube.sessions() == 0


def test_of_two_plans_of_one_episode_one_is_published(youtube: FakeYouTube, owner: Actor, video: Path) -> None:
    """A failed post that was planned anew must not come back by its retry button, nor two drafts both go out."""
    account = room.account(owner, youtube.account())
    first = room.planned(owner, room.stored(owner, video), account)
    with database.session() as session:
        session.execute(update(PublicationRecord).values(state="failed"))
    episode = room.record(first).episode_id
    target = {"platform_account_id": account, "scheduled_time": "now", "privacy": "public"}
    with database.session(owner) as session:
        wanted = PublicationPlanInput.model_validate({"episode_id": episode, "targets": [target]})
        second = plan.plan(session, owner, wanted)[0].id
    with database.session(owner) as session, pytest.raises(Conflict, match="on this account already"):
        publications.retry(session, owner, first)
    room.tick()
    assert room.record(second).state == "published"
    with database.session(owner) as session, pytest.raises(Conflict, match="on this account already"):
        publications.retry(session, owner, first)
    room.tick()
    assert len(youtube.logged("video")) == 1


def test_two_drafts_set_on_their_way_at_once(youtube: FakeYouTube, owner: Actor, video: Path) -> None:
    account = room.account(owner, youtube.account())
    first = room.planned(owner, room.stored(owner, video), account, scheduled_time=None)
    target = {"platform_account_id": account, "scheduled_time": None, "privacy": "public"}
    with database.session(owner) as session:
        wanted = PublicationPlanInput.model_validate(
            {"episode_id": room.record(first).episode_id, "targets": [target, target]}
        )
        drafts = [first, *(record.id for record in plan.plan(session, owner, wanted))]
    refused: list[UUID] = []

    def start(key: UUID) -> None:
        try:
            with database.session(owner) as session:
                publications.reschedule(session, owner, key, RescheduleInput(scheduled_time="now"))
        except Conflict:
            refused.append(key)

    threads = [threading.Thread(target=start, args=(key,)) for key in drafts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 2
    for _ in range(3):
        room.tick()
    assert len(youtube.logged("video")) == 1


def test_an_empty_daily_allowance_stops_reading_until_it_returns(
    youtube: FakeYouTube, owner: Actor, video: Path
) -> None:
    room.planned(owner, room.stored(owner, video), room.account(owner, youtube.account()))
    room.tick()
    youtube.set(spent={"units": 10_000})
    dispatch.due_syncs()
    room.run_jobs("publishing.sync_metrics")
    with database.session() as session:
        block = session.scalars(select(AccountLimit).where(AccountLimit.kind == "units")).one()
        assert block.blocked_until is not None
        assert block.blocked_until > datetime.now(UTC)
        session.execute(update(PublicationRecord).values(next_metrics_at=func.now(), next_revenue_at=None))
    before = youtube.calls()
    assert dispatch.due_syncs() == 0
    assert youtube.calls() == before


def test_dispatcher_and_worker_processes_publish_what_is_due(owner: Actor, video: Path) -> None:
    publication = room.planned(owner, room.stored(owner, video), room.simulated(owner), privacy=None)
    assert room.record(publication).privacy == "public"
    processes = [
        subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT)
        for command in (["workers.worker", "publishing"], ["workers.dispatcher"])
    ]
    try:
        deadline = time.monotonic() + 90
        while room.record(publication).state != "published" and time.monotonic() < deadline:
            assert all(process.poll() is None for process in processes)
            time.sleep(0.2)
        record = room.record(publication)
        assert (record.state, record.is_simulated) == ("published", True), record.reason
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(20)

"""Recipes on real media: from a recording to posts at the platform, with and without a person between (P2.3, H5)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core import assets, database, events
from core.errors import Conflict, InvalidInput, NotFound
from core.jobs import name_request
from core.models.jobs import Job, OutboxEvent
from core.models.publishing import ContentChannel, Episode, Pipeline, PipelineRun, PublicationRecord, Series
from core.publishing import channels
from core.publishing.payloads import ChannelInput, SeriesInput
from core.publishing.pipelines import approval, runs, store
from core.publishing.pipelines.approval import Chosen, PostChange
from core.publishing.pipelines.store import PipelineChange, PipelineInput
from core.security import Actor
from core.settings import Settings
from tests.engine import pipeline_studio as works
from tests.engine import publishing_studio as room
from tests.engine.api_server import Served, serve
from tests.fakes.youtube.client import FakeYouTube


@pytest.fixture
def served(studio: Settings) -> Iterator[Served]:
    with serve() as found:
        yield found


def _records() -> list[PublicationRecord]:
    with database.session() as session:
        return list(session.scalars(select(PublicationRecord).order_by(PublicationRecord.due_at)))


def _jobs(kind: str) -> int:
    with database.session() as session:
        return session.scalar(select(func.count()).select_from(Job).where(Job.kind == kind)) or 0


def test_a_new_recording_becomes_a_post_that_nobody_had_to_start(
    youtube: FakeYouTube, owner: Actor, video: Path
) -> None:
    """No approval: uploaded, rendered, in the recipe's series, posted with its words; the bytes are the render's."""
    with database.session(owner) as session:
        channel = channels.create_channel(session, owner, ChannelInput(name="Kitchen", timezone="Asia/Bangkok"))
        series = channels.create_series(session, owner, channel.id, SeriesInput(name="Soups")).id
    account = room.account(owner, youtube.account())
    target = {
        "platform_account_id": account,
        "title": "{title} · {series} {number}/{count}",
        "description": "From {recording} on {channel}.\n\n{credits}",
        "tags": ["{series}", "food"],
        "privacy": "public",
    }
    key = works.recipe(
        owner, target, needs_approval=False, series_id=series, trigger={"kind": "recording", "name_contains": "talk"}
    )
    walk = works.recipe(owner, account, name="Walks", trigger={"kind": "recording", "name_contains": "walk"})
    works.imported(owner, works.recording(owner, video))
    works.turn(rendered=True)
    works.turn()
    with database.session(owner) as session:
        assert runs.listed(session, walk) == []
        (run,) = runs.listed(session, key)
        episode = session.scalars(select(Episode)).one()
        assert (episode.series_id, episode.state) == (series, "published")
    assert works.stage(run.id) == "done"
    (post,) = youtube.posts()
    assert post["snippet"]["title"] == "talk · Soups 1/1"
    assert post["snippet"]["description"].startswith("From talk on Kitchen.")
    assert post["snippet"]["tags"] == ["Soups", "food"]
    (record,) = _records()
    with database.session() as session:
        made = assets.get(session, record.asset_id or "")
        assert made.job_id == run.job_id
        content = assets.path_of(made).read_bytes()
    assert [line["sha256"] for line in youtube.logged("video")] == [hashlib.sha256(content).hexdigest()]
    with database.session() as session:  # the event comes again: nothing new is made
        session.execute(
            update(OutboxEvent).where(OutboxEvent.kind == events.RECORDING_IMPORTED).values(delivered_at=None)
        )
    works.turn()
    assert (_jobs("video.edit"), len(youtube.logged("video"))) == (1, 1)


def test_a_person_changes_approves_and_discards(owner: Actor, video: Path) -> None:
    first, second = room.simulated(owner), room.account(owner, {"access_token": "t"}, "UCother")
    schedule = {"kind": "times", "times": ["18:00"], "timezone": "Asia/Bangkok"}
    key = works.recipe(owner, first, second, schedule=schedule)
    source = works.recording(owner, video)
    run_ids = [works.start(owner, key, source) for _ in range(2)]
    assert works.stage(run_ids[0]) == "queued"
    works.turn()
    assert [works.stage(one) for one in run_ids] == ["waiting_for_approval"] * 2
    assert _records() == [], "nothing is planned before somebody said so"
    documents = [works.document(one) for one in run_ids]
    for place in (0, 1):
        times = [document.items[0].posts[place].due_at for document in documents]
        assert times[1] - times[0] == timedelta(days=1), "what waits elsewhere has its time already"
        assert {moment.astimezone(UTC).hour for moment in times} == {11}
    (item,) = documents[0].items
    noon = (datetime.now(UTC) + timedelta(days=3)).replace(minute=0, second=0, microsecond=0)
    with database.session(owner) as session:
        change = PostChange(
            episode_id=item.episode_id, platform_account_id=first, title="Better", scheduled_time=noon.isoformat()
        )
        approval.change(session, owner, key, run_ids[0], change)
        aside = PostChange(episode_id=item.episode_id, platform_account_id=second, discard=True)
        approval.change(session, owner, key, run_ids[0], aside)
        approval.approve(session, owner, key, run_ids[0], Chosen())
    (record,) = _records()
    assert (record.title, record.due_at, record.state) == ("Better", noon, "scheduled")
    assert works.stage(run_ids[0]) == "scheduled"
    with database.session(owner) as session, pytest.raises(Conflict, match="waits for approval"):
        approval.approve(session, owner, key, run_ids[0], Chosen())
    with database.session(owner) as session:
        approval.discard(session, owner, key, run_ids[1], Chosen())
        states = set(session.scalars(select(Episode.state)))
    assert works.stage(run_ids[1]) == "cancelled"
    assert states == {"scheduled", "discarded"}
    with database.session() as session:
        session.execute(update(PublicationRecord).values(due_at=func.now()))
    works.turn()
    assert works.stage(run_ids[0]) == "done"


def test_a_time_that_was_taken_or_passed_while_it_waited_becomes_the_next_one(owner: Actor, video: Path) -> None:
    account = room.simulated(owner)
    key = works.recipe(owner, account, schedule={"kind": "times", "times": ["18:00"], "timezone": "UTC"})
    source = works.recording(owner, video)
    run_id = works.start(owner, key, source)
    works.turn()
    suggested = works.document(run_id).items[0].posts[0].due_at
    other = room.planned(owner, source, account, scheduled_time=suggested.isoformat())
    with database.session(owner) as session:
        approval.approve(session, owner, key, run_id, Chosen())
    mine = next(record for record in _records() if record.id != other)
    assert mine.due_at == suggested + timedelta(days=1)


def test_what_needs_a_person_waits_even_without_approval(owner: Actor, upright: Path) -> None:
    """TikTok asks its creator for each post; what a licence forbids, or a platform refuses, is for a person too."""
    plain, tiktok = room.simulated(owner), room.account(owner, {"access_token": "t"}, "creator", "tiktok")
    key = works.recipe(owner, plain, {"platform_account_id": tiktok}, needs_approval=False)
    run_id = works.start(owner, key, works.recording(owner, upright))
    works.turn()
    (item,) = works.document(run_id).items
    assert [(post.state, post.needs_person) for post in item.posts] == [("planned", False), ("waiting", True)]
    assert works.stage(run_id) == "waiting_for_approval"
    with database.session(owner) as session:
        change = PostChange(episode_id=item.episode_id, platform_account_id=tiktok, privacy="public")
        approval.change(session, owner, key, run_id, change)
    with database.session(owner) as session, pytest.raises(InvalidInput, match="Music Usage Confirmation"):
        approval.approve(session, owner, key, run_id, Chosen())
    with database.session(owner) as session:
        change = PostChange.model_validate(
            {
                "episode_id": item.episode_id,
                "platform_account_id": tiktok,
                "privacy": "private",
                "options": {"tiktok": {"consent": True}},
            }
        )
        approval.change(session, owner, key, run_id, change)
        approval.approve(session, owner, key, run_id, Chosen())
    by_platform = {record.platform: record for record in _records()}
    assert by_platform["tiktok"].options["tiktok"]["consent"] is True
    assert works.stage(run_id) == "scheduled"
    with database.session() as session:
        source = assets.get(session, works.run_of(run_id).source_asset_id or "")
        source.licence = "CC-BY-NC-4.0"
    again = works.start(owner, key, source.id)
    works.turn()
    stopped = {post.platform: [issue["code"] for issue in post.issues] for post in works.document(again).posts}
    assert "licence_non_commercial" in stopped["simulated"]
    assert len(_records()) == 2, "nothing went out unseen"


def test_a_run_that_failed_says_why_and_goes_on(owner: Actor, video: Path) -> None:
    account = room.simulated(owner)
    key = works.recipe(owner, account, needs_approval=False)
    source = works.recording(owner, video)
    with database.session() as session:
        path = assets.path_of(assets.get(session, source))
    hidden = path.rename(path.with_suffix(".away"))
    run_id = works.start(owner, key, source)
    works.turn()
    assert works.stage(run_id) == "failed"
    assert works.run_of(run_id).error
    hidden.rename(path)
    with database.session(owner) as session:
        approval.retry(session, owner, key, run_id)
    works.turn()
    assert works.stage(run_id) == "done"
    with database.session() as session:
        session.execute(update(PublicationRecord).values(state="failed", reason="The platform is closed."))
    works.pipelines.advance_runs()
    assert works.stage(run_id) == "done", "a run that is done stays so"


def test_posts_that_did_not_go_out_are_told_and_tried_again(owner: Actor, video: Path) -> None:
    account = room.simulated(owner)
    key = works.recipe(owner, account, schedule={"kind": "times", "times": ["18:00"]}, needs_approval=False)
    run_id = works.start(owner, key, works.recording(owner, video))
    works.turn()
    with database.session() as session:
        session.execute(update(PublicationRecord).values(state="failed", reason="The platform is closed."))
    works.pipelines.advance_runs()
    run = works.run_of(run_id)
    assert run.state == "failed"
    assert run.error is not None
    assert run.error["title"] == "1 of 1 posts did not go out."
    assert "The platform is closed." in run.error["detail"]
    with database.session(owner) as session:
        approval.retry(session, owner, key, run_id)
    works.turn()
    assert works.stage(run_id) == "done"
    with database.session(owner) as session, pytest.raises(Conflict, match="ended already"):
        approval.cancel(session, owner, key, run_id)


def test_cancelling_stops_what_has_not_gone_out(owner: Actor, video: Path) -> None:
    account = room.simulated(owner)
    key = works.recipe(owner, account, schedule={"kind": "times", "times": ["18:00"]}, needs_approval=False)
    source = works.recording(owner, video)
    early = works.start(owner, key, source)
    with database.session(owner) as session:
        approval.cancel(session, owner, key, early)
        assert session.get_one(Job, works.run_of(early).job_id).status == "cancelled"
    late = works.start(owner, key, source)
    works.turn()
    assert works.stage(late) == "scheduled"
    second = works.start(owner, key, source)
    with database.session(owner) as session, pytest.raises(Conflict, match="still at work"):
        store.delete(session, owner, key)
    with database.session(owner) as session:
        approval.cancel(session, owner, key, late)
        approval.cancel(session, owner, key, second)
    assert {record.state for record in _records()} == {"cancelled"}
    assert [works.stage(one) for one in (early, late, second)] == ["cancelled"] * 3
    with database.session(owner) as session:
        store.delete(session, owner, key)
        assert session.scalars(select(PipelineRun)).all() == []
        assert session.scalars(select(Episode)).all(), "what was made stays"


def test_recipes_are_checked_against_what_there_is(owner: Actor, other_owner: Actor, video: Path) -> None:
    account, theirs = room.simulated(owner), room.simulated(other_owner)
    key = works.recipe(owner, account)
    with pytest.raises(NotFound):
        works.recipe(owner, theirs, name="Theirs")
    with pytest.raises(Conflict, match="this name"):
        works.recipe(owner, account)
    with pytest.raises(InvalidInput, match="no music of this name"):
        works.recipe(owner, account, name="Loud", make={"kind": "shorts", "music": "noise"})
    with pytest.raises(InvalidInput, match="that privacy"):
        works.recipe(owner, {"platform_account_id": account, "privacy": "friends"}, name="Friends")
    with database.session(other_owner) as session, pytest.raises(NotFound):
        store.change(session, other_owner, key, PipelineChange(enabled=False))
    with database.session(owner) as session:
        channel = channels.create_channel(session, owner, ChannelInput(name="Other"))
        series = channels.create_series(session, owner, channel.id, SeriesInput(name="S"))
        changed = store.change(
            session, owner, key, PipelineChange(series_id=None, channel_id=channel.id, enabled=False)
        )
        assert (changed.channel_id, changed.enabled) == (channel.id, False)
        assert session.get_one(Series, changed.series_id).channel_id == channel.id
        elsewhere = session.scalars(select(ContentChannel).where(ContentChannel.id != channel.id)).first()
        assert elsewhere is not None
        mixed = PipelineInput(
            name="Mixed", channel_id=elsewhere.id, series_id=series.id, recipe=store.recipe_of(changed)
        )
        with pytest.raises(InvalidInput, match="another channel"):
            store.create(session, owner, mixed)
    works.imported(owner, works.recording(owner, video))
    works.turn()
    with database.session(owner) as session:
        assert session.scalars(select(PipelineRun)).all() == [], "by hand alone, and switched off"


def test_one_request_name_is_one_run(owner: Actor, video: Path) -> None:
    key = works.recipe(owner, room.simulated(owner))
    source = works.recording(owner, video)
    found = []
    for _ in range(2):
        with database.session(owner) as session:
            name_request(session, "once")
            found.append(runs.start(session, owner, key, source).id)
    assert found[0] == found[1]
    assert _jobs("video.edit") == 1


def test_over_http(served: Served, owner: Actor, video: Path) -> None:
    account, source = room.simulated(owner), works.recording(owner, video)
    body: dict[str, Any] = {
        "name": "Talks",
        "recipe": {
            "make": works.EDIT,
            "targets": [{"platform_account_id": str(account), "privacy": "public"}],
            "schedule": {"kind": "at_once"},
        },
    }
    base = "/api/publishing/pipelines"
    with served.client(owner) as client:
        refused = client.post(base, json={**body, "recipe": {**body["recipe"], "targets": []}})
        assert refused.status_code == 422
        assert client.post(base, json=body).status_code == 201
        assert client.post(base, json=body).status_code == 409
        (saved,) = client.get(base).json()
        one = f"{base}/{saved['id']}"
        assert client.patch(one, json={"needs_approval": True, "name": "All talks"}).json()["name"] == "All talks"
        answer = client.post(f"{one}/runs", json={"source_asset_id": str(source)})
        assert answer.status_code == 202
        run = answer.json()
        assert (run["stage"], bool(run["job_id"])) == ("queued", True)
        assert client.post(f"{one}/runs", json={"source_asset_id": str(UUID(int=0))}).status_code == 404
        works.turn()
        (run,) = client.get(f"{one}/runs").json()
        assert run["stage"] == "waiting_for_approval"
        post = run["items"][0]["posts"][0]
        change = {"episode_id": run["items"][0]["episode_id"], "platform_account_id": str(account), "title": "New"}
        answer = client.patch(f"{one}/runs/{run['id']}", json=change)
        assert answer.json()["items"][0]["posts"][0]["title"] == "New"
        assert post["title"] == "talk"
        strange = {**change, "platform_account_id": str(UUID(int=0))}
        assert client.patch(f"{one}/runs/{run['id']}", json=strange).status_code == 404
        assert client.post(f"{one}/runs/{run['id']}/approve").json()["stage"] == "scheduled"
        works.turn()
        assert client.get(f"{one}/runs/{run['id']}").json()["stage"] == "done"
        assert client.post(f"{one}/runs/{run['id']}/retry").status_code == 409
        assert client.delete(one).status_code == 204
        assert client.get(one).status_code == 404
    with database.session(owner) as session:
        assert session.scalars(select(Pipeline)).all() == []
        assert [row.title for row in session.scalars(select(PublicationRecord))] == ["New"]


def test_a_run_that_cannot_be_gone_on_with_is_given_up_and_holds_up_no_other(
    owner: Actor, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = works.recipe(owner, room.simulated(owner), needs_approval=False)
    source = works.recording(owner, video)
    broken, sound = works.start(owner, key, source), works.start(owner, key, source)
    advance = runs.advance

    def fails_once(session: Session, actor: Actor, run: PipelineRun) -> bool:
        if run.id == broken:
            raise ValueError("nobody foresaw this")
        return advance(session, actor, run)

    monkeypatch.setattr(runs, "advance", fails_once)
    works.turn()
    assert (works.stage(broken), works.stage(sound)) == ("failed", "done")
    error = works.run_of(broken).error
    assert error is not None
    assert error["title"] == "Something went wrong in the studio."
    monkeypatch.undo()
    with database.session(owner) as session:
        approval.retry(session, owner, key, broken)
    works.turn()
    (post,) = works.document(broken).posts
    assert works.stage(broken) == "waiting_for_approval"
    assert [issue["code"] for issue in post.issues] == ["duplicate_content"], "the other run has posted the same video"

"""The Publishing page with a draft on its board: publish on the simulated platform, schedule, cancel, discard."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from streamlit.testing.v1 import AppTest

from core import database
from core.i18n import t
from core.models.publishing import Episode, PublicationRecord
from core.publishing import accounts, best_time, episodes, plan
from core.publishing.payloads import AccountInput, AuthConfig, EpisodeInput, PublicationPlanInput
from core.security import Actor
from tests.page.conftest import words

Open = Callable[..., AppTest]


@pytest.fixture
def draft(owner: Actor, settled: Callable[[str], None], add_asset: Callable[..., UUID]) -> UUID:
    """A draft episode with a video."""
    settled("en")
    asset_id = add_asset("short.mp4")
    with database.session(owner) as session:
        return episodes.create(session, owner, EpisodeInput(title="Five [small] habits", asset_id=asset_id)).id


def test_without_an_account_the_dialog_offers_the_simulated_platform(
    open_page: Open, draft: UUID, owner: Actor
) -> None:
    test = open_page("publishing")
    assert "Five \\[small\\] habits" in words(test)
    test.button(key=f"publish-{draft}").click().run()
    assert t("publishing.no_account", "en") in words(test)
    test.button(key="dialog_simulated").click().run()
    assert not test.exception
    with database.session(owner) as session:
        assert [row.platform for row in accounts.listed(session)] == ["simulated"]


def test_a_drafts_words_are_changed_on_the_board(open_page: Open, draft: UUID, owner: Actor) -> None:
    test = open_page("publishing")
    test.text_input(key=f"title-{draft}").set_value("Six *big* habits")
    test.text_input(key=f"tags-{draft}").set_value("habits, , film")
    test.button(key=f"FormSubmitter:edit-{draft}-Save").click().run()
    assert not test.exception
    assert "Six \\*big\\* habits" in words(test)
    with database.session(owner) as session:
        row = session.get_one(Episode, draft)
        assert (row.title, row.tags) == ("Six *big* habits", ["habits", "film"])
    test.text_input(key=f"title-{draft}").set_value(" ")
    test.button(key=f"FormSubmitter:edit-{draft}-Save").click().run()
    assert "A name must not be empty" in words(test)


def test_publishing_now_makes_one_marked_publication(open_page: Open, draft: UUID, owner: Actor) -> None:
    with database.session(owner) as session:
        accounts.add_simulated(session, owner)
    test = open_page("publishing")
    test.button(key=f"publish-{draft}").click().run()
    assert t("publishing.simulated_lead", "en") in words(test)
    test.button(key="publish_go").click().run()
    assert not test.exception
    with database.session(owner) as session:
        record = session.query(PublicationRecord).one()
        assert record.is_simulated
        assert record.state == "scheduled"
        assert record.privacy == "public"
    shown = words(open_page("publishing"))
    assert 'studio-chip sim">Simulated platform' in shown
    assert t("publication_state.scheduled", "en") in shown


def test_a_scheduled_one_can_be_cancelled_and_a_draft_discarded(open_page: Open, draft: UUID, owner: Actor) -> None:
    with database.session(owner) as session:
        accounts.add_simulated(session, owner)
    test = open_page("publishing")
    test.button(key=f"publish-{draft}").click().run()
    test.segmented_control(key="publish_when").select("later").run()
    test.button(key="publish_go").click().run()
    assert not test.exception
    with database.session(owner) as session:
        record = session.query(PublicationRecord).one()
        assert record.local_time is not None
        assert record.local_time.endswith("18:00:00") or record.local_time.endswith("18:00")
        identifier = record.id
    test = open_page("publishing")
    test.button(key=f"board-cancel-{identifier}").click().run()
    assert not test.exception
    with database.session(owner) as session:
        assert session.get_one(PublicationRecord, identifier).state == "cancelled"
        assert session.get_one(Episode, draft).state == "draft"
    test = open_page("publishing")
    test.button(key=f"discard-{draft}").click().run()
    assert not test.exception
    with database.session(owner) as session:
        assert session.get_one(Episode, draft).state == "discarded"
    assert t("publishing.empty", "en") in words(open_page("publishing"))


def _planned(owner: Actor, episode_id: UUID, **target: object) -> UUID:
    with database.session(owner) as session:
        account = accounts.add_simulated(session, owner).id
        wanted = {"platform_account_id": account, "privacy": "public", "scheduled_time": "now", **target}
        shape = {"episode_id": episode_id, "targets": [wanted]}
        return plan.plan(session, owner, PublicationPlanInput.model_validate(shape))[0].id


def test_the_calendar_shows_the_post_in_the_users_zone_and_it_can_be_moved(
    open_page: Open, draft: UUID, owner: Actor
) -> None:
    noon = (datetime.now(UTC) + timedelta(days=1)).replace(hour=20, minute=15, second=0, microsecond=0)
    key = _planned(owner, draft, scheduled_time=noon.isoformat())
    there = noon.astimezone(ZoneInfo("Asia/Bangkok"))
    test = open_page("publishing")
    for _ in range(2):
        if f"{there:%H:%M} Five [small] habits" in words(test):
            break
        test.button(key="calendar_after").click().run()
    shown = words(test)
    assert f"{there:%H:%M} Five [small] habits" in shown
    assert t("publishing.calendar_zone", "en", zone="Asia/Bangkok") in shown
    test.segmented_control(key="calendar_span").select("week").run()
    assert not test.exception
    later = there.date() + timedelta(days=2)
    test.date_input(key=f"schedule-move-{key}-day").set_value(later).run()
    test.button(key=f"schedule-moved-{key}").click().run()
    assert not test.exception
    with database.session(owner) as session:
        record = session.get_one(PublicationRecord, key)
        assert record.local_time is not None
        assert record.local_time.startswith(later.isoformat())


def test_a_post_that_did_not_start_is_late_with_its_reason(open_page: Open, draft: UUID, owner: Actor) -> None:
    key = _planned(owner, draft)
    assert t("publishing.late.not_dispatched", "en") not in words(open_page("publishing"))
    with database.session(owner) as session:
        session.get_one(PublicationRecord, key).due_at = datetime.now(UTC) - timedelta(seconds=90)
    test = open_page("publishing")
    assert any(t("publishing.late.not_dispatched", "en") in one.value for one in test.warning)


def test_material_of_others_is_told_credited_and_marked(
    open_page: Open, owner: Actor, settled: Callable[[str], None], add_asset: Callable[..., UUID]
) -> None:
    settled("en")
    asset = add_asset("clip.mp4", licence="own; CC-BY-NC-4.0", ai_generated=True)
    with database.session(owner) as session:
        episode = episodes.create(session, owner, EpisodeInput(title="Clip", asset_id=asset, description="Hello."))
        accounts.add_simulated(session, owner)
        key = episode.id
    test = open_page("publishing")
    test.button(key=f"publish-{key}").click().run()
    warned = "\n".join(one.value for one in test.warning)
    assert t("publishing.issue.licence_non_commercial", "en") in warned
    assert t("publishing.issue.licence_attribution", "en") in warned
    assert test.toggle(key="publish_synthetic").value is True
    test.button(key="publish_credits").click().run()
    assert t("publishing.issue.licence_attribution", "en") not in "\n".join(one.value for one in test.warning)
    test.segmented_control(key="publish_when").select("later").run()
    assert any("not enough data yet" in one.value for one in test.caption)
    test.button(key="publish_go").click().run()
    assert not test.exception
    with database.session(owner) as session:
        record = session.query(PublicationRecord).one()
        assert record.options["synthetic_media"] is True
        assert record.description == "Hello.\n\nCredits:\n“clip.mp4” (CC-BY-NC-4.0)"


@pytest.mark.parametrize("outcome", ["made", "declined", "expired", "no_channel", "no_client", "failed"])
def test_what_came_of_connecting_is_said(open_page: Open, draft: UUID, outcome: str) -> None:
    test = open_page("publishing", connection=outcome, platform="youtube")
    told = [one.value for kind in (test.success, test.info, test.error) for one in kind]
    assert t(f"publishing.connection.{outcome}", "en", platform="YouTube") in told


def test_a_suggested_time_is_taken_over(
    open_page: Open, draft: UUID, owner: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.session(owner) as session:
        account = accounts.add_simulated(session, owner).id
    monkeypatch.setattr(best_time, "of_account", lambda *_: best_time.BestTime(40, 10, weekday=4, hour=8))
    test = open_page("publishing")
    test.button(key=f"publish-{draft}").click().run()
    test.segmented_control(key="publish_when").select("later").run()
    assert any("Friday 08:00–12:00" in one.value for one in test.caption)
    test.button(key=f"best-{account}").click().run()
    assert not test.exception
    assert test.date_input(key="publish-day").value.weekday() == 4
    assert test.time_input(key="publish-time").value.hour == 9


def test_facebook_and_instagram_are_asked_what_they_have(
    open_page: Open, owner: Actor, settled: Callable[[str], None], add_asset: Callable[..., UUID]
) -> None:
    settled("en")
    upright = {"width": 1080, "height": 1920, "fps": "30/1", "duration_seconds": 12.0}
    asset_id = add_asset("short.mp4", **upright)
    added = []
    with database.session(owner) as session:
        episode = episodes.create(session, owner, EpisodeInput(title="Habits", asset_id=asset_id, tags=["street food"]))
        for platform in ("facebook", "instagram"):
            auth = AuthConfig(access_token="t")
            wanted = AccountInput(platform=platform, external_id="17841", name=f"My {platform}", auth_config=auth)
            added.append(accounts.add(session, owner, wanted).id)
    page, own = added
    test = open_page("publishing")
    test.button(key=f"publish-{episode.id}").click().run()
    test.pills(key="publish_where").set_value([page, own]).run()
    assert not test.exception
    assert "publish_privacy" not in {widget.key for widget in test.segmented_control}, "both are public"
    assert "Habits\n\n#StreetFood" in [each.value for each in test.code], "what Instagram is going to show"
    test.segmented_control(key=f"surface-{page}").set_value("video").run()
    test.toggle(key=f"feed-{own}").set_value(False).run()
    test.slider(key=f"cover-{own}").set_value(4.5).run()
    test.button(key="publish_go").click().run()
    assert not test.exception
    with database.session(owner) as session:
        records = {row.platform: row for row in session.query(PublicationRecord)}
        assert records["facebook"].options["facebook"] == {"surface": "video"}
        assert records["instagram"].options["instagram"] == {"share_to_feed": False, "cover_at_seconds": 4.5}
        assert {row.privacy for row in records.values()} == {"public"}

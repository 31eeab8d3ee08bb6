"""The Publishing page with a draft on its board: publish on the simulated platform, schedule, cancel, discard."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from streamlit.testing.v1 import AppTest

from core import database
from core.i18n import t
from core.models.publishing import Episode, PublicationRecord
from core.publishing import accounts, episodes
from core.publishing.payloads import EpisodeInput
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

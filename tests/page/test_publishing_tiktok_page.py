"""TikTok's rules for apps in the publish dialog: nothing is chosen for the creator, nothing offered that is off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from streamlit.testing.v1 import AppTest

from core import database
from core.i18n import t
from core.models.publishing import PublicationRecord
from core.publishing import episodes
from core.publishing.payloads import EpisodeInput
from core.security import Actor
from core.settings import Settings
from tests.engine import publishing_studio as room
from tests.fakes.tiktok.client import FakeTikTok
from tests.page.conftest import words

Open = Callable[..., AppTest]


@pytest.fixture
def tiktok(studio: Settings, tmp_path: Path) -> Iterator[FakeTikTok]:
    fake = FakeTikTok.start(tmp_path / "tiktok.jsonl")
    with room.pointed_at(fake):
        yield fake
    fake.stop()


@pytest.fixture
def draft(owner: Actor, settled: Callable[[str], None], add_asset: Callable[..., UUID]) -> UUID:
    settled("en")
    asset_id = add_asset("short.mp4", ai_generated=True)
    with database.session(owner) as session:
        return episodes.create(session, owner, EpisodeInput(title="Night market", asset_id=asset_id)).id


def _said(test: AppTest) -> str:
    return "\n".join(one.value for kind in (test.error, test.warning, test.caption, test.markdown) for one in kind)


def test_the_creator_decides_everything(open_page: Open, draft: UUID, owner: Actor, tiktok: FakeTikTok) -> None:
    options: dict[str, Any] = {"privacy_options": ["SELF_ONLY", "FOLLOWER_OF_CREATOR"], "duet_disabled": True}
    account = room.account(owner, tiktok.account(nickname="Mali", username="mali.eats", **options), "creator", "tiktok")
    key = f"tiktok-{account}"
    test = open_page("publishing")
    test.button(key=f"publish-{draft}").click().run()
    assert not test.exception
    assert t("publishing.tiktok.posting_as", "en", name="Mali", username="mali.eats") in _said(test)
    privacy = test.selectbox(key=f"{key}-privacy")
    assert privacy.value is None
    assert privacy.options == [t("privacy.private", "en"), t("privacy.followers", "en")]
    assert not [one for one in test.segmented_control if one.key == "publish_privacy"], "asked once"
    switches = {name: test.checkbox(key=f"{key}-{name}") for name in ("comments", "duet", "stitch", "consent")}
    assert {name: one.value for name, one in switches.items()} == dict.fromkeys(switches, False)
    assert {name for name, one in switches.items() if one.disabled} == {"duet"}
    assert test.toggle(key="publish_synthetic").value is True, "from what the video is made of"
    assert test.button(key="publish_go").disabled
    assert t("publishing.issue.privacy_open", "en") in _said(test)
    assert t("publishing.issue.tiktok_consent", "en") in _said(test)
    test.toggle(key=f"{key}-commercial").set_value(True).run()
    assert t("publishing.issue.tiktok_commercial", "en") in _said(test)
    test.checkbox(key=f"{key}-branded").check().run()
    assert test.selectbox(key=f"{key}-privacy").options == [t("privacy.followers", "en")], "branded is never private"
    assert "Branded Content Policy" in test.checkbox(key=f"{key}-consent").label
    test.selectbox(key=f"{key}-privacy").select(t("privacy.followers", "en")).run()
    test.checkbox(key=f"{key}-comments").check().run()
    test.checkbox(key=f"{key}-consent").check().run()
    assert not test.button(key="publish_go").disabled
    test.button(key="publish_go").click().run()
    assert not test.exception
    with database.session(owner) as session:
        record = session.query(PublicationRecord).one()
        assert (record.platform, record.privacy, record.state) == ("tiktok", "followers", "scheduled")
        assert record.options["tiktok"] == {
            "allow_comments": True,
            "allow_duet": False,
            "allow_stitch": False,
            "cover_at_seconds": None,
            "discloses_commercial": True,
            "your_brand": False,
            "branded_content": True,
            "consent": True,
        }
        assert record.options["synthetic_media"] is True
    assert tiktok.calls()["creator_info"] == 1, "asked when the dialog opens, not at every click"


def test_where_tiktok_does_not_answer_it_says_so(
    open_page: Open, draft: UUID, owner: Actor, tiktok: FakeTikTok
) -> None:
    room.account(owner, tiktok.account(), "creator", "tiktok")
    tiktok.fault("creator_info", "drop_before", times=20)
    test = open_page("publishing")
    test.button(key=f"publish-{draft}").click().run()
    assert not test.exception
    assert "TikTok did not answer." in _said(test)
    assert t("publishing.tiktok.unasked", "en") in _said(test)
    assert test.button(key="publish_go").disabled


def test_a_post_in_moderation_says_why_it_has_no_address(
    open_page: Open, draft: UUID, owner: Actor, tiktok: FakeTikTok
) -> None:
    account = room.account(owner, tiktok.account(), "creator", "tiktok")
    with database.session(owner) as session:
        session.add(
            PublicationRecord(
                owner_id=owner.owner_id, episode_id=draft, account_id=account, platform="tiktok", title="t",
                state="published", privacy="public", remote_id="v_pub_file~v2-1.7",
            )
        )  # fmt: skip
    assert t("publishing.tiktok.in_moderation", "en") in words(open_page("publishing"))

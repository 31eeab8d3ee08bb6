"""The publish dialog's picture, captions and playlist (P2.1)."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from streamlit.testing.v1 import AppTest

from core import database
from core.errors import InvalidInput
from core.i18n import t
from core.models.assets import AssetLink
from core.models.jobs import Job
from core.models.publishing import Episode, PublicationRecord
from core.publishing import accounts, episodes
from core.publishing.payloads import AccountInput, AuthConfig, EpisodeInput
from core.security import Actor
from pages.posting.material import playlist_id
from tests.page.conftest import words

Open = Callable[..., AppTest]
Add = Callable[..., UUID]


@pytest.fixture
def draft(owner: Actor, settled: Callable[[str], None], add_asset: Add) -> UUID:
    """A draft with a video and a poster, and a YouTube account to post it to."""
    settled("en")
    video = add_asset("short.mp4")
    poster = add_asset("short.jpg", kind="image", mime_type="image/jpeg", has_audio=False)
    with database.session(owner) as session:
        auth = AuthConfig.model_validate({"access_token": "a", "refresh_token": "r"})
        wanted = AccountInput(platform="youtube", external_id="UC1", name="My channel", auth_config=auth)
        accounts.add(session, owner, wanted)
        new = EpisodeInput(title="Five habits", asset_id=video, thumbnail_asset_id=poster)
        return episodes.create(session, owner, new).id


def opened(open_page: Open, draft: UUID) -> AppTest:
    test = open_page("publishing")
    return test.button(key=f"publish-{draft}").click().run()


def published(owner: Actor, test: AppTest) -> PublicationRecord:
    test.button(key="publish_go").click().run()
    assert not test.exception
    with database.session(owner) as session:
        return session.query(PublicationRecord).one()


def pictures(test: AppTest) -> str:
    return "\n".join(one.proto.body for one in test.get("html") if "studio-still" in one.proto.body)


def test_the_episodes_own_picture_goes_along_unless_another_is_chosen(
    open_page: Open, draft: UUID, owner: Actor
) -> None:
    test = opened(open_page, draft)
    with database.session(owner) as session:
        poster = session.get_one(Episode, draft).thumbnail_asset_id
    assert f"/api/assets/{poster}/content" in pictures(test)
    record = published(owner, test)
    assert record.thumbnail_asset_id == poster
    assert (record.options["captions"], record.options["playlist_id"]) == ([], None)


def test_a_moment_of_the_video_becomes_the_picture(open_page: Open, draft: UUID, owner: Actor, add_asset: Add) -> None:
    test = opened(open_page, draft)
    test.segmented_control(key="publish_picture_way").select("frame").run()
    test.slider(key="publish_moment").set_value(12.5).run()
    assert "#t=12.5" in pictures(test)
    test.button(key="publish_take").click().run()
    assert not test.exception
    made = add_asset("still.jpg", kind="image", mime_type="image/jpeg", has_audio=False)
    with database.session(owner) as session:
        job = session.query(Job).one()
        assert (job.kind, job.payload["at_seconds"]) == ("video.still", 12.5)
        job.status, job.result = "succeeded", {"asset_ids": [str(made)]}
    test.run()
    assert f"/api/assets/{made}/content" in pictures(test)
    assert t("material.taken", "en") in words(test)
    assert published(owner, test).thumbnail_asset_id == made


def test_a_picture_that_the_platform_does_not_take_is_told_before_it_is_sent(
    open_page: Open, draft: UUID, owner: Actor, add_asset: Add
) -> None:
    test = opened(open_page, draft)
    test.segmented_control(key="publish_picture_way").select("upload").run()
    large = add_asset("big.png", kind="image", mime_type="image/png", has_audio=False, size_bytes=60_000_000)
    test.session_state["publish_picture"] = str(large)
    test.run()
    assert t("publishing.issue.thumbnail_large", "en") in words(test)
    assert test.button(key="publish_go").disabled


def test_captions_made_of_the_video_and_uploaded_ones_are_offered(
    open_page: Open, draft: UUID, owner: Actor, add_asset: Add
) -> None:
    with database.session(owner) as session:
        video = session.get_one(Episode, draft).asset_id
    kind = {"kind": "subtitle", "has_audio": False}
    made = {
        name: add_asset(f"a.en.{name}", details={"language": "en", "format": name}, **kind)
        for name in ("vtt", "srt", "ass")
    }
    with database.session(owner) as session:
        session.add_all([AssetLink(child_id=one, parent_id=video, role="captions") for one in made.values()])
    own, other = add_asset("mine.srt", **kind), add_asset("other video.srt", **kind)
    with database.session(owner) as session:
        session.add(AssetLink(child_id=other, parent_id=add_asset(), role="captions"))
    test = opened(open_page, draft)
    field = test.multiselect(key="publish_captions")
    assert len(field.options) == 3
    assert [option.startswith("English · ") for option in field.options] == [True, True, False]
    field.set_value([made["srt"], made["vtt"], own]).run()
    assert t("material.one_each", "en", languages="English") in [one.value for one in test.warning]
    test.segmented_control(key=f"publish_caption_language-{own}").select("th").run()
    assert published(owner, test).options["captions"] == [
        {"asset_id": str(made["srt"]), "language": "en", "name": ""},
        {"asset_id": str(own), "language": "th", "name": ""},
    ]


def test_a_playlists_address_is_understood_and_nonsense_is_not_sent(open_page: Open, draft: UUID, owner: Actor) -> None:
    with database.session(owner) as session:
        simulated = accounts.add_simulated(session, owner).id
        youtube = next(row.id for row in accounts.listed(session) if row.platform == "youtube")
    test = opened(open_page, draft)
    test.pills(key="publish_where").set_value([simulated]).run()
    assert t("material.simulated", "en") in words(test)
    assert not [one for one in test.text_input if str(one.key).startswith("publish_playlist-")]
    test.pills(key="publish_where").set_value([youtube]).run()
    [field] = [one for one in test.text_input if str(one.key).startswith("publish_playlist-")]
    assert field.label == t("material.playlist", "en", account="My channel")
    field.set_value("https://example.com/watch?v=1").run()
    assert "This is no address of a playlist" in words(test)
    assert not any(button.key == "publish_go" for button in test.button)
    [field] = [one for one in test.text_input if str(one.key).startswith("publish_playlist-")]
    field.set_value("https://www.youtube.com/playlist?list=PLab-12_x&si=3").run()
    assert published(owner, test).options["playlist_id"] == "PLab-12_x"


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("PLab-12_x", "PLab-12_x"),
        ("https://www.youtube.com/playlist?list=PLab-12_x", "PLab-12_x"),
        ("https://youtu.be/abc?si=1&list=PLab-12_x&index=2", "PLab-12_x"),
        ("https://www.youtube.com/watch?v=1", None),
        ("two words", None),
        ("?list=", None),
    ],
)
def test_identifiers_of_playlists(typed: str, found: str | None) -> None:
    if found is None:
        with pytest.raises(InvalidInput, match="no address"):
            playlist_id(typed)
    else:
        assert playlist_id(typed) == found

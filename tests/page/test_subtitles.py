"""Subtitle files on the pages: in the Library and beside results (V3.5)."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from streamlit.testing.v1 import AppTest

from core import database
from core.i18n import t
from core.models.assets import Asset, AssetLink
from core.models.jobs import Job
from core.preferences import store_value
from core.security import Actor
from core.translation import HOSTED_KEY
from tests.page.conftest import words
from tests.page.test_pages import _project

Open = Callable[..., AppTest]


def opened(test: AppTest, asset_id: UUID) -> AppTest:
    """The page with the window of one video's subtitles open."""
    test.session_state[f"subtitles-of-{asset_id}"] = True
    test.run()
    assert not test.exception
    return test


def test_the_library_makes_the_chosen_files_of_a_video(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Callable[..., UUID]
) -> None:
    language = "th"
    settled(language)
    video = add_asset()
    test = opened(open_page("library", asset=str(video)), video)
    assert t("subtitles.heard", language) in words(test)
    assert test.button(key=f"subtitle-{video}").disabled  # the language is asked first
    test.segmented_control(key=f"subtitle-language-{video}").select("en")
    test.pills(key=f"subtitle-formats-{video}").set_value(["srt", "ass"]).run()
    test.selectbox(key=f"subtitle-style-{video}").select("karaoke").run()
    test.button(key=f"subtitle-{video}").click().run()
    assert not test.exception
    with database.session(owner) as session:
        job = session.query(Job).one()
    assert (job.kind, job.project_id) == ("video.subtitle", None)
    asked = {name: job.payload[name] for name in ("video_asset_id", "source_language", "formats", "style")}
    assert asked == {
        "video_asset_id": str(video), "source_language": "en", "formats": ["srt", "ass"], "style": "karaoke",
    }  # fmt: skip
    assert not any(button.key == f"subtitle-{video}" for button in test.button)  # it is under way


def test_the_newest_file_of_each_kind_is_there_to_download(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Callable[..., UUID]
) -> None:
    settled("en")
    video = add_asset()
    made = [
        add_asset(f"talk.en.{form}", kind="subtitle", details={"language": "en", "format": form}, has_audio=False)
        for form in ("srt", "srt", "vtt")
    ]
    with database.session(owner) as session:
        session.add_all([AssetLink(child_id=one, parent_id=video, role="captions") for one in made])
    test = opened(open_page("library", asset=str(video)), video)
    shown = "\n".join(one.proto.body for one in test.get("html"))
    assert "English · SRT" in shown
    assert "English · VTT" in shown
    assert [f"/api/assets/{one}/content?download=1" in shown for one in made] == [False, True, True]
    assert test.button(key=f"subtitle-{video}").label == t("subtitles.again", "en")


def test_an_edited_recording_needs_no_listening_and_asks_no_language(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Callable[..., UUID]
) -> None:
    settled("en")
    video = add_asset()
    _project(owner, video, with_timeline=True)
    test = opened(open_page("library", asset=str(video)), video)
    assert t("subtitles.corrected", "en") in words(test)
    test.button(key=f"subtitle-{video}").click().run()
    assert not test.exception
    with database.session(owner) as session:
        assert session.query(Job).one().payload["source_language"] == "auto"


def test_results_of_the_editor_offer_their_subtitles(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Callable[..., UUID]
) -> None:
    settled("en")
    project_id = _project(owner, add_asset(), with_timeline=True)
    rendered, short = add_asset("edit.mp4"), add_asset("short.mp4")
    with database.session(owner) as session:
        for kind, asset_id in (("video.edit", rendered), ("video.shorts", short)):
            job = Job(
                owner_id=owner.owner_id, kind=kind, queue="media", status="succeeded", payload={},
                project_id=project_id, result={"outputs": [{"asset_id": str(asset_id)}]},
            )  # fmt: skip
            session.add(job)
            session.flush()
            session.get_one(Asset, asset_id).job_id = job.id
    test = open_page("video", project=str(project_id))
    for asset_id in (rendered, short):
        assert not any(button.key == f"subtitle-{asset_id}" for button in test.button)
        assert any(button.key == f"subtitle-{asset_id}" for button in opened(test, asset_id).button)
    assert not test.button(key="render").disabled


def test_a_silent_video_says_so(
    open_page: Open, settled: Callable[[str], None], add_asset: Callable[..., UUID]
) -> None:
    settled("en")
    video = add_asset(has_audio=False)
    test = opened(open_page("library", asset=str(video)), video)
    assert t("subtitles.silent", "en") in words(test)


def test_other_languages_need_an_engine_and_are_ordered_from_the_one_that_is_there(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Callable[..., UUID]
) -> None:
    settled("en")
    video = add_asset()
    _project(owner, video, with_timeline=True)
    test = opened(open_page("library", asset=str(video)), video)
    test.multiselect(key=f"subtitle-languages-{video}").set_value(["th", "ja"]).run()
    assert not test.exception
    assert t("translation.missing", "en") in words(test)
    assert test.button(key=f"subtitle-{video}").disabled
    with database.session(owner) as session:
        store_value(session, owner, HOSTED_KEY, "sk-1", secret=True)
    test.run()
    burning = test.selectbox(key=f"subtitle-burn-{video}")
    assert len(burning.options) == 3  # files only, as spoken, Thai: the font has no Japanese
    burning.select("th").run()
    test.button(key=f"subtitle-{video}").click().run()
    assert not test.exception
    with database.session(owner) as session:
        order = session.query(Job).one().payload
    assert order["target_languages"] == ["th", "ja"]
    assert (order["translation_provider"], order["burn_in"], order["burn_in_language"]) == ("hosted", True, "th")

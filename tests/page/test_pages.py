"""Every page opens for a fresh owner and with things in the studio, in both languages, and says what to do next."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from streamlit.testing.v1 import AppTest

from core import database, jobs, speech
from core.i18n import t
from core.models.assets import Asset, AudioAnalysis, TimelineRow
from core.models.identity import Project
from core.models.jobs import Job
from core.preferences import store_value
from core.security import Actor
from core.video.payloads import SampleInput
from core.video.timeline import Piece, Timeline, Word
from pages.editor import project as projects
from tests.page.conftest import ROOT, words

Open = Callable[..., AppTest]
PAGES = ("video", "music", "library", "jobs", "publishing", "settings")
LANGUAGES = ("en", "th")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", PAGES)
def test_a_fresh_page_says_what_to_do_next(
    page: str, language: str, open_page: Open, settled: Callable[[str], None]
) -> None:
    settled(language)
    test = open_page(page)
    assert test.title[0].value == t(f"page.{page}.title", language)
    assert t(f"page.{page}.lead", language) in words(test)
    hints = {
        "video": "video.pick_lead",
        "music": "music.empty",
        "library": "library.empty",
        "jobs": "jobs.nothing_now",
        "publishing": "publishing.empty",
        "settings": "settings.services_lead",
    }
    assert t(hints[page], language) in words(test)


def test_the_first_visit_asks_three_things_and_remembers(open_page: Open, owner: Actor) -> None:
    test = open_page()
    assert test.title[0].value == t("home.welcome", "en")
    test.selectbox(key="first_zone").select("Asia/Bangkok")
    test.selectbox(key="first_currency").select("THB")
    test.button(key="first_start").click().run()
    assert not test.exception
    assert test.title[0].value == t("page.home.title", "en")
    again = open_page()
    assert again.title[0].value == t("page.home.title", "en")


def test_the_language_switch_changes_every_word(open_page: Open, settled: Callable[[str], None]) -> None:
    settled("en")
    test = open_page()
    test.segmented_control(key="language_switch").select("th").run()
    assert not test.exception
    assert test.title[0].value == t("page.home.title", "th")
    assert open_page("jobs").title[0].value == t("page.jobs.title", "th")


def test_without_a_session_nothing_is_shown(studio: object) -> None:
    test = AppTest.from_file(str(ROOT / "pages" / "home.py"), default_timeout=30).run()
    assert not test.exception
    assert t("sign_in.ended", "en") in words(test)
    assert not test.sidebar.children or not test.sidebar.segmented_control


def test_the_sample_makes_a_project_and_a_job(open_page: Open, settled: Callable[[str], None], owner: Actor) -> None:
    settled("en")
    test = open_page()
    test.button(key="sample").click().run()
    assert not test.exception
    with database.session(owner) as session:
        job = session.query(Job).one()
        assert (job.kind, job.status) == ("sample.create", "queued")
        assert session.query(Project).one().id == job.project_id


def _project(owner: Actor, asset_id: UUID, *, with_timeline: bool) -> UUID:
    with database.session(owner) as session:
        asset = session.get_one(Asset, asset_id)
        project = projects.start(session, owner, asset, "en")
        if with_timeline:
            timeline = Timeline(
                source_asset_id=asset_id,
                fps="25",
                width=1280,
                height=720,
                duration_frames=500,
                language="en",
                words=(Word(word="Hello", start=1.0, end=1.4), Word(word="world", start=1.5, end=2.0)),
                pieces=(
                    Piece(start_frame=0, end_frame=20, kept=False, reason="silence"),
                    Piece(start_frame=20, end_frame=500, kept=True, reason="speech"),
                ),
            )
            session.add(
                TimelineRow(
                    owner_id=owner.owner_id,
                    source_asset_id=asset_id,
                    project_id=project.id,
                    document=timeline.model_dump(mode="json"),
                )
            )
        return project.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_choices_are_kept_in_the_project(
    language: str, open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Callable[..., UUID]
) -> None:
    settled(language)
    project_id = _project(owner, add_asset(), with_timeline=False)
    test = open_page("video", project=str(project_id))
    test.toggle(key=f"choice-fillers-{project_id}").set_value(True)
    test.selectbox(key=f"choice-captions-{project_id}").select("karaoke").run()
    assert not test.exception
    with database.session(owner) as session:
        stored = projects.state_of(session.get_one(Project, project_id)).choices
    assert stored.cut_fillers
    assert stored.captions == "karaoke"
    assert stored.language == "en"


def test_finding_the_cuts_submits_a_dry_run_with_the_choices(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Callable[..., UUID]
) -> None:
    settled("en")
    asset_id = add_asset()
    project_id = _project(owner, asset_id, with_timeline=False)
    test = open_page("video", project=str(project_id))
    test.button(key="find_cuts").click().run()
    assert not test.exception
    with database.session(owner) as session:
        job = session.query(Job).one()
    assert job.kind == "video.edit"
    assert job.project_id == project_id
    assert job.payload["dry_run"] is True
    assert job.payload["source_video_id"] == str(asset_id)
    kinds = [operation["type"] for operation in job.payload["operations"]]
    assert kinds == ["auto_cut_silence", "normalize_loudness", "auto_reframe", "add_subtitle"]


def test_pauses_can_pass_faster_instead(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Callable[..., UUID]
) -> None:
    settled("en")
    project_id = _project(owner, add_asset(), with_timeline=False)
    test = open_page("video", project=str(project_id))
    test.button_group(key=f"choice-pauses-{project_id}").set_value("speed").run()
    test.select_slider(key=f"choice-pauses-{project_id}-speed").set_value(8.0).run()
    test.button(key="find_cuts").click().run()
    assert not test.exception
    with database.session(owner) as session:
        asked = session.query(Job).one().payload["operations"]
    assert [one["type"] for one in asked][:2] == ["auto_cut_silence", "auto_speed"]
    assert (asked[1]["silence_factor"], asked[1]["factor"]) == (8.0, None)


def test_rendering_uses_the_corrected_timeline(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Callable[..., UUID]
) -> None:
    settled("en")
    project_id = _project(owner, add_asset(), with_timeline=True)
    test = open_page("video", project=str(project_id))
    assert t("video.review", "en") in words(test)
    test.button(key="render").click().run()
    assert not test.exception
    with database.session(owner) as session:
        job = session.query(Job).one()
        row = session.query(TimelineRow).one()
    assert job.payload["timeline_id"] == str(row.id)
    assert [target["aspect_ratio"] for target in job.payload["target_outputs"]] == ["16:9", "9:16"]


def test_thai_speech_without_a_thai_model_offers_the_download(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Callable[..., UUID]
) -> None:
    settled("th")
    project_id = _project(owner, add_asset(), with_timeline=False)
    test = open_page("video", project=str(project_id))
    test.segmented_control(key=f"choice-language-{project_id}").select("th").run()
    assert not test.exception
    assert t("video.no_speech", "th") in words(test)
    assert test.button(key="find_cuts").disabled
    test.button(key="get-small").click().run()
    with database.session(owner) as session:
        assert session.query(Job).one().payload == {"name": "small"}


def test_a_hosted_service_writes_thai_down_once_it_has_a_key(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Callable[..., UUID]
) -> None:
    settled("en")
    identifier = _project(owner, add_asset(), with_timeline=False)
    test = open_page("video", project=str(identifier))
    test.segmented_control(key=f"choice-language-{identifier}").select("th").run()
    assert t("video.or_hosted_key", "en") in words(test)
    with database.session(owner) as session:
        store_value(session, owner, speech.HOSTED_KEY, "sk-something", secret=True)
    test.run()
    assert t("video.or_hosted", "en") in words(test)
    assert test.button(key="find_cuts").disabled
    test.toggle(key=f"choice-speech-{identifier}").set_value(True).run()
    test.button(key="find_cuts").click().run()
    with database.session(owner) as session:
        job = session.query(Job).one()
    assert (job.payload["language"], job.payload["speech_provider"]) == ("th", "hosted")


def test_another_owners_project_is_not_there(
    open_page: Open, settled: Callable[[str], None], other_owner: Actor, owner: Actor
) -> None:
    settled("en")
    with database.session(other_owner) as session:
        project = Project(owner_id=other_owner.owner_id, name="Secret plan", state={})
        session.add(project)
        session.flush()
        identifier = project.id
    test = open_page("video", project=str(identifier))
    assert "Secret plan" not in words(test)
    assert t("video.pick_lead", "en") in words(test)


@pytest.mark.parametrize("language", LANGUAGES)
def test_jobs_show_errors_in_the_readers_language_and_can_be_tried_again(
    language: str, open_page: Open, settled: Callable[[str], None], owner: Actor
) -> None:
    settled(language)
    with database.session(owner) as session:
        job = jobs.submit(session, owner, "sample.create", SampleInput())
        job.status, job.attempts = "failed", 3
        job.error = {"type": "internal", "title": "The work stopped several times before it was done.", "detail": ""}
        identifier = job.id
    test = open_page("jobs")
    assert t("sentence.job_stopped_often", language) in words(test)
    test.button(key=f"retry-{identifier}").click().run()
    assert not test.exception
    with database.session(owner) as session:
        assert session.get_one(Job, identifier).status == "queued"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_library_lists_and_opens_an_asset(
    language: str, open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Callable[..., UUID]
) -> None:
    settled(language)
    identifier = add_asset("สวัสดี *talk*.mp4")
    test = open_page("library")
    assert "สวัสดี *talk*.mp4" in words(test)
    test.button(key=f"details-{identifier}").click().run()
    assert not test.exception
    assert t("library.own", language) in words(test)
    test.text_input(key=f"rename-{identifier}").set_value("better.mp4")
    test.button(key=f"save-{identifier}").click().run()
    with database.session(owner) as session:
        assert session.get_one(Asset, identifier).name == "better.mp4"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_song_shows_what_was_measured(
    language: str, open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Callable[..., UUID]
) -> None:
    settled(language)
    identifier = add_asset("song.wav", "audio")
    with database.session(owner) as session:
        session.add(
            AudioAnalysis(
                owner_id=owner.owner_id,
                audio_asset_id=identifier,
                bpm=120.2,
                key="A:min",
                result={"bpm": 120.2, "key": "A:min", "key_confidence": 0.8, "beats": [0.5, 1.0], "downbeats": [0.5]},
            )
        )
    test = open_page("music")
    shown = words(test)
    assert "120 BPM" in shown
    assert t("music.key", language, value=t("music.minor", language, note="A")) in shown
    test.button(key=f"song-{identifier}").click().run()
    assert not test.exception
    assert test.button(key="analyze").label == t("music.analyze_again", language)


def test_a_viewer_sees_but_changes_nothing(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Callable[..., UUID]
) -> None:
    from core.models.identity import User

    settled("en")
    project_id = _project(owner, add_asset(), with_timeline=False)
    with database.session() as session:
        session.get_one(User, owner.user_id).role = "viewer"
    test = open_page("video", project=str(project_id))
    assert test.button(key="find_cuts").disabled
    assert test.button_group(key=f"choice-pauses-{project_id}").disabled

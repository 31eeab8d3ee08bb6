"""Recipes on the Publishing page: made in the editor, run, looked at, approved (P2.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from streamlit.testing.v1 import AppTest

from core import database
from core.i18n import t
from core.models.publishing import Episode, Pipeline, PublicationRecord
from core.publishing import accounts
from core.publishing.payloads import AccountInput, AuthConfig
from core.publishing.pipelines import planning, runs, store
from core.publishing.pipelines.document import Item, Post
from core.publishing.pipelines.recipe import MakeShorts, Recipe, Schedule, Trigger
from core.publishing.pipelines.store import PipelineInput
from core.security import Actor
from core.settings import Settings
from core.video.payloads import CutByBeat
from pages.editor.project import Choices
from pages.posting.recipe_choices import choices_of, make_of
from pages.posting.recipe_form import clocks
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


def _button(test: AppTest, key: str) -> None:
    test.button(key=key).click().run()
    assert not test.exception, [one.value for one in test.exception]


def _widget(test: AppTest, kind: str, name: str) -> str:
    return next(one.key for one in test.get(kind) if one.key and one.key.startswith(name))


@pytest.mark.parametrize("lang", ["en", "th"])
def test_a_recipe_is_made_in_the_editor(
    open_page: Open, owner: Actor, settled: Callable[[str], None], lang: str
) -> None:
    settled(lang)
    test = open_page("publishing")
    assert t("recipes.empty", lang) in words(test)
    _button(test, "recipe_new")
    assert t("recipes.needs_account", lang) in words(test)
    with database.session(owner) as session:
        account = accounts.add_simulated(session, owner).id
    test = open_page("publishing")
    _button(test, "recipe_new")
    assert test.button(key="recipe_save").disabled, "the language is not said yet"
    test.segmented_control(key=_widget(test, "button_group", "choice-language-")).set_value("en").run()
    test.text_input(key=_widget(test, "text_input", "recipe-name-")).set_value("All my talks").run()
    test.segmented_control(key=_widget(test, "button_group", "recipe-starts-")).set_value("recording").run()
    test.number_input(key=next(one.key for one in test.number_input if one.key.endswith("-minutes"))).set_value(3)
    test.segmented_control(key=_widget(test, "button_group", "recipe-when-")).set_value("times").run()
    clock = next(one.key for one in test.text_input if one.key and one.key.endswith("-clock"))
    test.text_input(key=clock).set_value("25:00").run()
    assert t("recipes.when.clock_wrong", lang) in words(test)
    assert test.button(key="recipe_save").disabled
    test.text_input(key=clock).set_value("9:00, 18.30").run()
    title = next(one.key for one in test.text_input if one.key and one.key.endswith(f"{account}-title"))
    test.text_input(key=title).set_value("{titel}").run()
    assert any("titel" in one.value for one in test.error)
    _button(test, "recipe_save")
    assert t("sentence.recipe_no_fit", lang) in words(test)
    test.text_input(key=title).set_value("{title} · {series}").run()
    _button(test, "recipe_save")
    with database.session(owner) as session:
        (saved,) = store.listed(session)
        recipe = store.recipe_of(saved)
    assert (saved.name, saved.needs_approval) == ("All my talks", True)
    assert recipe.trigger == Trigger(kind="recording", min_seconds=180)
    assert recipe.schedule == Schedule(kind="times", times=("09:00", "18:30"))
    assert isinstance(recipe.make, MakeShorts)
    assert recipe.make.language == "en"
    assert recipe.targets[0].title == "{title} · {series}"
    shown = words(test)
    assert "All my talks" in shown
    assert t("recipes.line.times", lang, times="09:00, 18:30") in shown
    _button(test, f"recipe-edit-{saved.id}")
    _button(test, "recipe_save")
    with database.session(owner) as session:
        assert store.recipe_of(session.get_one(Pipeline, saved.id)) == recipe, "opened and saved, nothing changes"
    _button(test, f"recipe-switch-{saved.id}")
    assert t("recipes.off", lang) in words(test)
    _button(test, f"recipe-delete-{saved.id}")
    assert t("recipes.empty", lang) in words(test)


@pytest.fixture
def waiting(owner: Actor, settled: Callable[[str], None], add_asset: Callable[..., UUID]) -> tuple[UUID, UUID]:
    """A run whose one short waits for approval on the simulated platform."""
    settled("en")
    source, short = add_asset("talk.mp4"), add_asset("short.mp4")
    with database.session(owner) as session:
        account = accounts.add_simulated(session, owner)
        recipe = Recipe.model_validate({"targets": [{"platform_account_id": account.id}], "make": {"kind": "shorts"}})
        pipeline = store.create(session, owner, PipelineInput(name="Talks", recipe=recipe))
        run = runs.start(session, owner, pipeline.id, source)
        episode = Episode(
            owner_id=owner.owner_id, channel_id=pipeline.channel_id, series_id=pipeline.series_id, title="Five habits",
            asset_id=short,
        )  # fmt: skip
        session.add(episode)
        session.flush()
        post = Post(
            platform_account_id=account.id, platform="simulated", asset_id=short, title="Five habits", description="",
            tags=[], privacy="public", options=recipe.targets[0].options, timezone="Asia/Bangkok",
            due_at="2090-01-05T11:00:00Z", time_note="best_unknown",
        )  # type: ignore[arg-type]  # fmt: skip
        document = runs.document_of(run)
        document.items = [Item(episode_id=episode.id, asset_id=short, posts=[post])]
        runs.settle(run, document)
        return run.id, episode.id


def test_what_waits_is_seen_changed_and_approved(open_page: Open, owner: Actor, waiting: tuple[UUID, UUID]) -> None:
    run_id, episode_id = waiting
    test = open_page("publishing")
    shown = words(test)
    assert t("recipes.next.waiting_for_approval", "en") in shown
    assert "5 Jan 2090, 18:00" in shown
    assert t("recipes.approve.best_unknown", "en") in shown
    title = next(one.key for one in test.text_input if one.key and one.key.startswith(f"post-title-{episode_id}"))
    test.text_input(key=title).set_value("Six habits").run()
    assert not test.exception
    text = next(one.key for one in test.text_area if one.key and one.key.startswith(f"post-text-{episode_id}"))
    test.text_area(key=text).set_value("Every morning.")
    test.text_input(key=text.replace("text", "tags")).set_value("habits, , morning")
    _button(test, next(one.key for one in test.button if one.key and f"post-words-{episode_id}" in one.key))
    _button(test, f"approve-one-{episode_id}")
    with database.session(owner) as session:
        record = session.query(PublicationRecord).one()
        assert (record.title, record.state) == ("Six habits", "scheduled")
        assert (record.description, record.tags) == ("Every morning.", ["habits", "morning"])
    shown = words(open_page("publishing"))
    assert t("recipes.next.scheduled", "en", out=0, count=1, time="5 Jan 2090, 18:00") in shown
    _button(test, f"run-stop-{run_id}")
    assert t("recipes.next.cancelled", "en") in words(test)


def test_the_first_page_says_that_something_waits(open_page: Open, waiting: tuple[UUID, UUID]) -> None:
    assert t("recipes.home", "en", count=1) in words(open_page("overview"))


def test_what_a_platform_asks_for_every_post_is_kept_in_the_recipe(
    open_page: Open, owner: Actor, settled: Callable[[str], None]
) -> None:
    settled("en")
    with database.session(owner) as session:
        for platform in ("facebook", "instagram", "youtube"):
            wanted = AccountInput(
                platform=platform, external_id="1", name=f"My {platform}", auth_config=AuthConfig(access_token="t")
            )  # type: ignore[arg-type]
            accounts.add(session, owner, wanted)
        ids = {row.platform: row.id for row in accounts.listed(session)}
        targets = [{"platform_account_id": key} for key in ids.values()]
        recipe = Recipe.model_validate({"targets": targets, "make": {"kind": "shorts", "language": "en"}})
        key = store.create(session, owner, PipelineInput(name="Everywhere", recipe=recipe)).id
    test = open_page("publishing")
    _button(test, f"recipe-edit-{key}")

    def named(elements: object, end: str) -> str:
        return next(one.key for one in elements if one.key and one.key.endswith(end))  # type: ignore[attr-defined]

    test.segmented_control(key=named(test.segmented_control, f"{ids['facebook']}-surface")).set_value("video").run()
    test.toggle(key=named(test.toggle, f"{ids['instagram']}-feed")).set_value(False).run()
    test.toggle(key=named(test.toggle, f"{ids['youtube']}-kids")).set_value(True).run()
    _button(test, "recipe_save")
    with database.session(owner) as session:
        kept = {one.platform_account_id: one for one in store.recipe_of(session.get_one(Pipeline, key)).targets}
    assert kept[ids["facebook"]].options.facebook.surface == "video"
    assert kept[ids["instagram"]].options.instagram.share_to_feed is False
    assert kept[ids["youtube"]].options.made_for_kids is True
    assert kept[ids["youtube"]].privacy == "public"


def test_a_discarded_short_leaves_the_board(open_page: Open, owner: Actor, waiting: tuple[UUID, UUID]) -> None:
    test = open_page("publishing")
    _button(test, f"approve-not-{waiting[1]}")
    with database.session(owner) as session:
        assert session.get_one(Episode, waiting[1]).state == "discarded"


@pytest.mark.parametrize("kind", ["shorts", "edit"])
def test_the_form_reads_back_what_it_wrote(kind: str) -> None:
    for choices in (
        Choices(language="en"),
        Choices(
            language="th", pauses="speed", pause_speed=6.0, speed=1.25, cut_fillers=True, cut_repeats=True,
            transition="wipe", transition_seconds=0.7, follow_face=False, captions="", music="preset:lofi", duck_db=6.0,
            on_beat=True, beats_per_cut=8, reduce_noise=True, loudness=False, formats=["9:16", "1:1"],
            resolution="720p", shorts=3, max_seconds=30,
        ),
    ):  # fmt: skip
        made = make_of(kind, choices)  # type: ignore[arg-type]
        assert make_of(kind, choices_of(made)) == made  # type: ignore[arg-type]
    odd = MakeShorts(kind="shorts", operations=(CutByBeat(music_asset_id=UUID(int=1)),))
    assert make_of("shorts", choices_of(odd)) != odd, "what the form cannot show is noticed"


def test_times_of_day_as_people_write_them() -> None:
    assert clocks("9:00, 18.30,") == ("09:00", "18:30")
    for wrong in ("", "24:00", "12:60", "noon", "12:00; 13:00"):
        assert clocks(wrong) is None


def test_tiktoks_questions_are_answered_before_its_post_is_approved(
    open_page: Open, owner: Actor, settled: Callable[[str], None], add_asset: Callable[..., UUID], tiktok: FakeTikTok
) -> None:
    settled("en")
    shape = {"width": 720, "height": 1280, "fps": "30/1"}
    source, short = add_asset("talk.mp4"), add_asset("short.mp4", **shape)
    account = room.account(owner, tiktok.account(nickname="Mali", username="mali.eats"), "creator", "tiktok")
    with database.session(owner) as session:
        wanted = {"targets": [{"platform_account_id": account}], "make": {"kind": "shorts"}}
        recipe = Recipe.model_validate(wanted)
        pipeline = store.create(session, owner, PipelineInput(name="Talks", recipe=recipe, needs_approval=False))
        run = runs.start(session, owner, pipeline.id, source)
        episode = Episode(owner_id=owner.owner_id, channel_id=pipeline.channel_id, title="Habits", asset_id=short)
        session.add(episode)
        session.flush()
        outputs = [{"asset_id": str(short), "aspect_ratio": "9:16"}]
        document = runs.document_of(run)
        document.items = planning.suggest(session, run, document, [(episode.id, outputs)])
        runs.settle(run, document)
        key = episode.id
    test = open_page("publishing")
    assert t("recipes.approve.unanswered", "en") in words(test)
    assert test.button(key=f"approve-one-{key}").disabled
    _button(test, f"post-answer-{key}-{account}")
    assert t("publishing.tiktok.posting_as", "en", name="Mali", username="mali.eats") in words(test)
    assert test.button(key="answer_keep").disabled
    test.selectbox(key=f"tiktok-{account}-privacy").select(t("privacy.public", "en")).run()
    test.checkbox(key=f"tiktok-{account}-consent").check().run()
    _button(test, "answer_keep")
    with database.session(owner) as session:
        assert session.query(PublicationRecord).all() == [], "an answer posts nothing"
    test = open_page("publishing")
    assert t("recipes.approve.answered", "en") in words(test)
    _button(test, f"approve-one-{key}")
    with database.session(owner) as session:
        record = session.query(PublicationRecord).one()
        assert (record.platform, record.privacy, record.state) == ("tiktok", "public", "scheduled")
        assert record.options["tiktok"]["consent"] is True

"""Sub-clips of a long recording in the Video Editor: kept, renamed, joined, split, rendered (V6.1)."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from streamlit.testing.v1 import AppTest

from core import database
from core.i18n import t
from core.models.base import uuid7
from core.models.identity import Project
from core.models.jobs import Job
from core.security import Actor
from pages.editor import project as projects
from tests.page.conftest import words
from tests.page.test_pages import _project

Open = Callable[..., AppTest]
FOUND = {
    "outputs": [],
    "chapters": [
        {"title": "Compost", "start": 1.0, "end": 60.0, "score": 70.0, "reasons": []},
        {"title": "Lenses", "start": 61.0, "end": 130.5, "score": 60.0, "reasons": ["chapters.reason.topic"]},
        {"title": "Tax", "start": 150.0, "end": 200.0, "score": 50.0, "reasons": ["chapters.reason.break"]},
    ],
    "borders": [
        {"time": 30.0, "strength": 0.3, "reasons": [], "text": "Turn the heap"},
        {"time": 45.0, "strength": 0.7, "reasons": [], "text": "Now the worms"},
        {"time": 61.0, "strength": 0.9, "reasons": [], "text": "The camera"},
    ],
}


def test_chapters_are_looked_for_with_the_wanted_lengths(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Callable[..., UUID]
) -> None:
    settled("th")
    project_id = _project(owner, add_asset(), with_timeline=False)
    test = open_page("video", project=str(project_id))
    test.number_input(key=f"chapter-min-{project_id}").set_value(5).run()
    test.button(key="find_chapters").click().run()
    assert not test.exception
    with database.session(owner) as session:
        job = session.query(Job).one()
    assert job.kind == "video.chapters"
    assert (job.payload["dry_run"], job.payload["min_seconds"], job.payload["max_seconds"]) == (True, 300, 1200)
    assert not [button for button in test.button if button.key == "render_chapters"]


def test_what_the_user_makes_of_the_proposals_is_rendered(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Callable[..., UUID]
) -> None:
    settled("en")
    project_id = _project(owner, add_asset(), with_timeline=False)
    with database.session(owner) as session:
        search = Job(
            id=uuid7(), owner_id=owner.owner_id, kind="video.chapters", queue="media", status="succeeded",
            payload={"dry_run": True}, project_id=project_id, result=FOUND,
        )  # fmt: skip
        session.add(search)
    test = open_page("video", project=str(project_id))
    assert t("chapters.reason.topic", "en") in words(test)
    test.session_state["watch-61.000-130.500"] = True
    test.run()
    assert not test.exception
    assert any("#t=61.00,130.50" in str(one.proto) for one in test.get("bidi_component"))
    assert test.selectbox(key="split-at-1.000-60.000").value == 1  # the best place is offered first
    test.button(key="split-now-1.000-60.000").click().run()
    test.button(key="join-61.000-130.500").click().run()
    test.text_input(key="name-45.000-60.000").set_value("Worms at work").run()
    test.checkbox(key="keep-1.000-45.000").uncheck().run()
    assert not test.exception
    with database.session(owner) as session:
        state = projects.state_of(session.get_one(Project, project_id))
    assert [(one.title, one.start, one.end, one.kept) for one in state.chapters] == [
        ("Compost", 1.0, 45.0, False),
        ("Worms at work", 45.0, 60.0, True),
        ("Lenses", 61.0, 200.0, True),
    ]
    test.selectbox(key=f"chapter-shape-{project_id}").select("9:16").run()
    test.button(key="render_chapters").click().run()
    assert not test.exception
    with database.session(owner) as session:
        order = session.query(Job).filter(Job.status == "queued").one().payload
    assert order["aspect_ratio"] == "9:16"
    assert order["chapters"] == [
        {"title": "Worms at work", "start": 45.0, "end": 60.0},
        {"title": "Lenses", "start": 61.0, "end": 200.0},
    ]

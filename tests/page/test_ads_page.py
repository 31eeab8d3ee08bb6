"""An advertising set put together in the Video Editor, and its table (V6.3)."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from streamlit.testing.v1 import AppTest

from core import database
from core.models.assets import Asset
from core.models.base import uuid7
from core.models.identity import Project
from core.models.jobs import Job
from core.models.publishing import Episode
from core.security import Actor
from pages.editor import project as projects
from tests.page.conftest import words
from tests.page.test_pages import _project

Open = Callable[..., AppTest]


def test_pieces_are_added_counted_and_made(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Callable[..., UUID]
) -> None:
    settled("en")
    talk, other = add_asset("talk.mp4"), add_asset("end.mp4", duration_seconds=6.0)
    project_id = _project(owner, talk, with_timeline=False)
    test = open_page("video", project=str(project_id))
    assert not [button for button in test.button if button.key == "make_ads"]
    test.multiselect(key=f"ads-languages-{project_id}").set_value(["en", "th"]).run()
    test.number_input(key=f"ads-from-hook-{project_id}-{talk}").set_value(2.0).run()
    test.text_input(key=f"ads-text-en-hook-{project_id}").set_value("Look").run()
    assert test.button(key=f"ads-put-hook-{project_id}").disabled  # the Thai text is missing
    test.text_input(key=f"ads-text-th-hook-{project_id}").set_value("ดูนี่").run()
    test.button(key=f"ads-put-hook-{project_id}").click().run()
    test.selectbox(key=f"ads-video-body-{project_id}").select(other).run()
    test.button(key=f"ads-put-body-{project_id}").click().run()
    test.pills(key=f"ads-formats-{project_id}").set_value(["9:16", "1:1"]).run()
    assert "Combinations: 1 · shapes: 2 · languages: 2 · videos in all: 4" in words(test)
    assert test.button(key="make_ads").disabled, "captions in Thai need something that translates them"
    with database.session(owner) as session:
        state = projects.state_of(session.get_one(Project, project_id))
        state.choices.captions = ""
        projects.save_state(session, owner, project_id, state)
    test = open_page("video", project=str(project_id))
    test.button(key="make_ads").click().run()
    assert not test.exception
    with database.session(owner) as session:
        job = session.query(Job).one()
    assert job.kind == "video.ads"
    hook, body = job.payload["hooks"][0], job.payload["bodies"][0]
    assert (hook["video_asset_id"], hook["start"], hook["end"]) == (str(talk), 2.0, 5.0)
    assert hook["text"] == {"en": "Look", "th": "ดูนี่"}
    assert (body["video_asset_id"], body["end"]) == (str(other), 5.0)
    assert job.payload["languages"] == ["en", "th"]
    assert [operation["type"] for operation in job.payload["operations"]][-1] == "auto_reframe"


def test_a_set_too_large_says_so_before_it_starts(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Callable[..., UUID]
) -> None:
    settled("th")
    talk = add_asset()
    project_id = _project(owner, talk, with_timeline=False)
    with database.session(owner) as session:
        state = projects.state_of(session.get_one(Project, project_id))
        state.ads.pieces = [
            projects.AdPieceDraft(role=role, asset_id=talk, start=0, end=2)
            for role in ("hook", "body")
            for _ in range(10)
        ]
        projects.save_state(session, owner, project_id, state)
    test = open_page("video", project=str(project_id))
    assert test.button(key="make_ads").disabled
    assert any("96" in one.value for one in test.warning)
    test.button(key=f"ads-drop-hook-1-{project_id}").click().run()
    assert not test.button(key="make_ads").disabled


def test_the_table_drafts_what_is_chosen(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Callable[..., UUID]
) -> None:
    settled("en")
    project_id = _project(owner, add_asset(), with_timeline=False)
    made = [add_asset(f"ad {number}.mp4") for number in (1, 2)]
    rows = [
        {
            "asset_id": str(one), "title": f"Sale · H{number} B1", "hook": number, "body": 1, "call_to_action": None,
            "language": "en", "aspect_ratio": "9:16", "combination": f"H{number} B1",
        }
        for number, one in enumerate(made, start=1)
    ]  # fmt: skip
    with database.session(owner) as session:
        job = Job(
            id=uuid7(), owner_id=owner.owner_id, kind="video.ads", queue="media", status="succeeded", payload={},
            project_id=project_id, result={"outputs": rows},
        )  # fmt: skip
        session.add(job)
        session.flush()
        job_id = job.id
        for one in made:
            session.get_one(Asset, one).job_id = job.id
    test = open_page("video", project=str(project_id))
    table = test.dataframe[0].value
    assert list(table["Hook"]) == [1, 2]
    assert test.button(key="draft_ads").disabled
    test.session_state[f"ads-table-{job_id}"] = {"selection": {"rows": [1], "columns": [], "cells": []}}
    test.run()
    assert not test.exception
    test.button(key="draft_ads").click().run()
    assert not test.exception
    with database.session(owner) as session:
        assert [(one.asset_id, one.title) for one in session.query(Episode).all()] == [(made[1], "Sale · H2 B1 · 9:16")]

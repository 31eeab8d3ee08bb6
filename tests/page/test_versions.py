"""Several versions of one recording in the Video Editor (V2.8)."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid5

from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from core import database
from core.i18n import t
from core.models.assets import TimelineRow
from core.models.base import uuid7
from core.models.identity import Project
from core.models.jobs import Job
from core.security import Actor
from pages.editor import project as projects
from tests.page.test_pages import _project

Open = Callable[..., AppTest]


def _found(owner: Actor, job: Job) -> UUID:
    """What the job of a dry run leaves: it has ended, and a timeline of its own lies beside the first."""
    with database.session(owner) as session:
        session.get_one(Job, job.id).status = "succeeded"
        first = session.scalars(select(TimelineRow).where(TimelineRow.job_id.is_(None))).one()
        row = TimelineRow(
            id=uuid5(job.id, "timeline"), owner_id=owner.owner_id, source_asset_id=first.source_asset_id,
            project_id=first.project_id, job_id=job.id, document=first.document,
        )  # fmt: skip
        session.add(row)
        session.flush()
        return row.id


def test_another_version_is_reviewed_alone_and_rendered_with_the_first(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Callable[..., UUID]
) -> None:
    settled("en")
    asset_id = add_asset()
    project_id = _project(owner, asset_id, with_timeline=True)
    test = open_page("video", project=str(project_id))
    assert not [button for button in test.button if button.key == "render_all"]
    test.radio(key=f"version-like-{project_id}").set_value("highlight").run()
    test.button(key=f"version-add-{project_id}").click().run()
    assert not test.exception
    with database.session(owner) as session:
        made = projects.state_of(session.get_one(Project, project_id)).versions[0]
    assert (made.name, made.choices.highlight_seconds, made.choices.formats) == ("One minute", 60, ["1:1"])
    assert test.segmented_control(key=f"version-{project_id}").value == made.key
    assert not [button for button in test.button if button.key == "render"]  # its cuts are not found yet
    test.toggle(key=f"choice-fillers-{project_id}-{made.key}").set_value(True).run()
    test.button(key="find_cuts").click().run()
    assert not test.exception
    with database.session(owner) as session:
        job = session.query(Job).one()
        state = projects.state_of(session.get_one(Project, project_id))
    kinds = [operation["type"] for operation in job.payload["operations"]]
    assert "highlight" in kinds
    assert "auto_cut_fillers" in kinds
    assert state.versions[0].found_by == [str(job.id)]
    assert not state.choices.cut_fillers
    theirs = _found(owner, job)
    test.run()
    test.button(key="render_all").click().run()
    assert not test.exception
    with database.session(owner) as session:
        order = session.scalars(select(Job).where(Job.status == "queued")).one().payload
        first = session.scalars(select(TimelineRow).where(TimelineRow.job_id.is_(None))).one().id
    assert [(row["name"], row["timeline_id"]) for row in order["versions"]] == [
        (t("versions.first", "en"), str(first)),
        ("One minute", str(theirs)),
    ]
    assert [[target["aspect_ratio"] for target in row["target_outputs"]] for row in order["versions"]] == [
        ["16:9", "9:16"],
        ["1:1"],
    ]


def test_a_removed_version_leaves_the_first_as_it_was(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Callable[..., UUID]
) -> None:
    settled("th")
    project_id = _project(owner, add_asset(), with_timeline=True)
    job = Job(id=uuid7(), owner_id=owner.owner_id, kind="video.edit", queue="media", payload={}, project_id=project_id)
    with database.session(owner) as session:
        session.add(job)
        session.flush()
        session.expunge(job)
        state = projects.state_of(session.get_one(Project, project_id))
        state.versions = [projects.Version(key="x", name="สั้น", choices=state.choices, found_by=[str(job.id)])]
        projects.save_state(session, owner, project_id, state)
    _found(owner, job)
    test = open_page("video", project=str(project_id))
    test.segmented_control(key=f"version-{project_id}").select("x").run()
    test.button(key="remove-x").click().run()
    assert not test.exception
    with database.session(owner) as session:
        project = session.get_one(Project, project_id)
        row = projects.newest_timeline(session, project)
        assert row is not None
        assert row.job_id is None
        assert projects.state_of(project).versions == []

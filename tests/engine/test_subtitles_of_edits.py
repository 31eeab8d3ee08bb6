"""Subtitle files of a video that an edit made say what its user corrected there; nothing is listened to (SPEC V3.5)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from core import assets, database
from core.models.assets import Asset, TimelineRow
from core.models.base import uuid7
from core.models.identity import Project
from core.models.jobs import Job
from core.security import Actor
from core.video.payloads import MultiExportInput, SubtitleInput
from core.video.spoken import words_of
from core.video.timeline import Piece, Timeline, Word
from core.video.timeline_edit import correct_words, piece_rows, toggle_piece
from tests.engine.test_api_assets import store
from tests.engine.test_video_jobs import result, run
from workers.video import subtitle

__all__ = ["subtitle"]  # importing registers the task


class Edited:
    """A recording of ten seconds, its edit (seconds 2–4 and 6–10 stay) and the video rendered from it. The files hold
    no media: whoever listens to them fails."""

    def __init__(self, owner: Actor, folder: Path) -> None:
        self.owner, self.folder = owner, folder
        self.source = store(owner, folder, b"recording", "talk.mp4", "video/mp4")
        spans = ((0, 50, False), (50, 100, True), (100, 150, False), (150, 250, True))
        words = (("Helo", 2.5), ("there.", 3.0), ("Gone", 4.5), ("Good", 7.0), ("bye.", 7.5))
        self.timeline = Timeline(
            source_asset_id=UUID(self.source), fps="25", width=640, height=360, duration_frames=250, language="en",
            pieces=tuple(
                Piece(start_frame=start, end_frame=end, kept=kept, reason="speech" if kept else "silence")
                for start, end, kept in spans
            ),
            words=tuple(Word(word=text, start=start, end=start + 0.4) for text, start in words),
        )  # fmt: skip
        with database.session(owner) as session:
            session.get_one(Asset, UUID(self.source)).has_audio = True
            project = Project(owner_id=owner.owner_id, name="p", source_asset_id=UUID(self.source))
            session.add(project)
            session.flush()
            row = TimelineRow(owner_id=owner.owner_id, source_asset_id=UUID(self.source), project_id=project.id)
            row.document = self.timeline.model_dump(mode="json")
            session.add(row)
            session.flush()
            self.row = row.id
        told = {"id": str(self.row), "pieces": piece_rows(self.timeline)}
        self.rendered = self.made("video.edit", {"timeline": told, "timeline_id": str(self.row)})

    def made(self, kind: str, result: dict[str, Any], payload: dict[str, Any] | None = None, frames: int = 150) -> str:
        """A finished job and the video it made."""
        asset_id = store(self.owner, self.folder, uuid7().bytes, "edit.mp4", "video/mp4")
        outputs = [{"asset_id": asset_id, "frames": frames}]
        with database.session(self.owner) as session:
            job = Job(
                owner_id=self.owner.owner_id, kind=kind, queue="media", status="succeeded", payload=payload or {},
                result={"outputs": outputs, **result},
            )  # fmt: skip
            session.add(job)
            session.flush()
            asset = session.get_one(Asset, UUID(asset_id))
            asset.job_id, asset.has_audio = job.id, True
        return asset_id

    def change(self, timeline: Timeline) -> None:
        with database.session(self.owner) as session:
            session.get_one(TimelineRow, self.row).document = timeline.model_dump(mode="json")

    def said_in(self, asset_id: str) -> list[tuple[str, float]]:
        with database.session(self.owner) as session:
            spoken = words_of(session, session.get_one(Asset, UUID(asset_id)))
        return [] if spoken is None else [(word.word, round(word.start, 3)) for word in spoken.words]


@pytest.fixture
def edited(owner: Actor, tmp_path: Path) -> Edited:
    return Edited(owner, tmp_path)


def test_the_files_of_a_result_say_the_corrected_words_in_its_own_time(edited: Edited, owner: Actor) -> None:
    edited.change(correct_words(edited.timeline, 0, 1, "Hello"))
    order = SubtitleInput(video_asset_id=UUID(edited.rendered), formats=("srt", "vtt", "ass"))
    found = result(run(owner, "video.subtitle", order))
    with database.session(owner) as session:
        files = {form: assets.get(session, one) for form, one in found["subtitles"]["en"].items()}
        texts = {form: assets.path_of(file).read_text(encoding="utf-8") for form, file in files.items()}
        links = assets.lineage(session, files["srt"].id).parents
    assert [(str(parent.id), role) for parent, role in links] == [(edited.rendered, "captions")]
    cues = re.findall(r"(\d\d:\d\d:\d\d,\d{3}) --> .*\n(.+)\n", texts["srt"])
    assert cues == [("00:00:00,500", "Hello there."), ("00:00:03,000", "Good bye.")]
    assert texts["vtt"].startswith("WEBVTT\nLanguage: en\n")
    assert "Gone" not in texts["vtt"]
    assert "[V4+ Styles]" in texts["ass"]
    assert "Hello" in texts["ass"]


def test_pieces_that_changed_after_the_rendering_move_nothing_in_any_of_its_shapes(edited: Edited) -> None:
    edited.change(correct_words(toggle_piece(edited.timeline, 0), 3, 4, "Goodly"))
    assert edited.said_in(edited.rendered) == [("Helo", 0.5), ("there.", 1.0), ("Goodly", 3.0), ("bye.", 3.5)]
    order = MultiExportInput.model_validate(
        {"source_video_id": edited.rendered, "target_outputs": [{"aspect_ratio": "9:16"}]}
    )
    shape = edited.made("video.multi_export", {}, order.model_dump(mode="json"))
    assert edited.said_in(shape) == edited.said_in(edited.rendered) != []


def test_a_recording_says_everything_at_its_own_second(edited: Edited, owner: Actor) -> None:
    edited.change(correct_words(edited.timeline, 0, 1, "Hello"))
    expected = [("Hello", 2.5), ("there.", 3.0), ("Gone", 4.5), ("Good", 7.0), ("bye.", 7.5)]
    assert edited.said_in(edited.source) == expected
    found = result(run(owner, "video.subtitle", SubtitleInput(video_asset_id=UUID(edited.source))))
    assert [word["word"] for word in found["transcript"]["words"]] == [word for word, _ in expected]


def test_a_short_says_its_own_edit_and_nothing_once_that_was_cut_otherwise(edited: Edited) -> None:
    row = {"timeline_id": str(edited.row), "frames": 150}
    asset_id = edited.made("video.shorts", {})
    with database.session() as session:
        job = session.get_one(Job, session.get_one(Asset, UUID(asset_id)).job_id)
        job.result = {"outputs": [{"asset_id": asset_id, **row}]}
    assert [word for word, _ in edited.said_in(asset_id)] == ["Helo", "there.", "Good", "bye."]
    edited.change(toggle_piece(edited.timeline, 0))
    assert edited.said_in(asset_id) == []


def test_another_language_than_the_edits_is_listened_to(edited: Edited, owner: Actor) -> None:
    job = run(owner, "video.subtitle", SubtitleInput(video_asset_id=UUID(edited.rendered), source_language="th"))
    assert job.status == "failed"
    assert job.error is not None
    assert job.error["type"] == "not-configured"

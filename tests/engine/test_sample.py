"""The sample recording of the first page: its words, its face, its path into the library (issue 2, step 1)."""

from __future__ import annotations

import re
import statistics
from pathlib import Path

import pytest
from sqlalchemy import select

from core import database, events
from core.jobs import submit
from core.models.assets import Asset
from core.models.jobs import Job, OutboxEvent
from core.security import Actor
from core.video.payloads import SampleInput
from providers.speech.whisper import transcribe
from providers.video.faces import look
from providers.video.probe import probe
from tests import media
from tests.engine.test_speech_recognition import word_error_rate
from workers import runner
from workers.subscribers import load_subscribers
from workers.video import sample
from workers.video.moving_picture import mouth_levels
from workers.video.sample_talk import TALK

FILLERS = {"um", "uh"}


@pytest.fixture(scope="module")
def recording() -> Path:
    def make(folder: Path) -> None:
        sample.make(folder)

    folder, _ = media._made("sample", (TALK, Path(sample.__file__).read_text()), make)
    return folder / "sample.mp4"


def said() -> str:
    return " ".join(
        line.text for chapter in TALK for line in chapter.lines if line.text.lower().strip(",") not in FILLERS
    )


def test_it_is_a_talk_of_two_minutes_that_a_browser_plays(recording: Path) -> None:
    info = probe(recording)
    assert 110 <= info.duration_seconds <= 150
    assert (info.width, info.height, float(info.fps), info.has_audio) == (1280, 720, 30.0, True)
    assert info.frames == round(info.duration_seconds * 30)
    assert abs(info.audio_seconds - info.duration_seconds) <= 1 / 30
    assert not info.needs_proxy


def test_its_words_are_recognised(recording: Path) -> None:
    heard = transcribe(recording, language="en")
    # Whisper writes "40 percent" as "40%", and hesitations as it likes: neither is counted.
    text = " ".join(word for word in heard.text.split() if re.sub(r"\W", "", word.lower()) not in FILLERS)
    assert word_error_rate(said(), text.replace("%", " percent").replace("five", "5")) < 0.10


def test_its_face_is_found_where_it_was_drawn_and_its_shots_are_seen(recording: Path) -> None:
    seen = look(recording, fps=2.0)
    with_face = [each for each in seen.faces if each.boxes]
    assert len(with_face) >= 0.97 * len(seen.faces)
    assert all(len(each.boxes) == 1 for each in with_face)
    assert len(seen.scene_cuts) == len(TALK) - 1
    middles = [each.boxes[0].x + each.boxes[0].width / 2 for each in with_face]
    assert max(middles) - min(middles) > 0.3


def test_the_face_of_a_talking_video_is_where_the_truth_says() -> None:
    video = media.talking_video()
    errors = []
    for each in look(video.path, fps=2.0).faces:
        for box in each.boxes:
            x, y = video.face_centre(each.time)
            errors.append(max(abs(box.x + box.width / 2 - x), abs(box.y + box.height / 2 - y)))
    assert len(errors) >= 0.97 * video.duration * 2
    assert statistics.median(errors) < 0.03
    assert max(errors) < 0.08


def test_the_mouth_moves_only_while_somebody_speaks() -> None:
    clip = media.spoken_clip()
    from providers.speech.piper import read_wav

    levels = mouth_levels(*read_wav(clip.path), clip.duration)
    for moment, level in enumerate(levels):
        second = (moment + 0.5) / 15
        if all(second < part.start - 0.1 or second > part.end + 0.1 for part in clip.parts):
            assert level == 0
    assert max(levels) == 5


def test_the_job_puts_it_into_the_library_and_has_it_prepared(owner: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    short = TALK[0].__class__(TALK[0].lines[:1], 0, (0.3, 0.6))
    monkeypatch.setattr(sample, "TALK", (short,))
    with database.session(owner) as session:
        job_id = submit(session, owner, "sample.create", SampleInput()).id
    runner.run(str(job_id))
    with database.session(owner) as session:
        job = session.get_one(Job, job_id)
        assert job.status == "succeeded", job.error
        asset = session.get_one(Asset, job.result["asset_ids"][0])
        assert (asset.name, asset.kind, asset.ai_generated) == ("Sample recording.mp4", "video", True)
        assert "CC0" in asset.licence
        asset_id = asset.id
    load_subscribers()
    while events.deliver_next(database.session):
        pass
    with database.session() as session:
        event = session.scalars(select(OutboxEvent).where(OutboxEvent.kind == "RECORDING_MADE")).one()
        events.deliver(session, event)  # a second delivery changes nothing
    with database.session(owner) as session:
        prepared = list(session.scalars(select(Job).where(Job.kind == "ingest")))
        assert [job.payload["asset_id"] for job in prepared] == [str(asset_id)]

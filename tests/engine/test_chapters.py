"""A recording of several subjects in sub-clips: found where they are, rendered as the user left them (SPEC V6.1)."""

from __future__ import annotations

import itertools
from pathlib import Path
from uuid import UUID

import pytest

from core import database
from core.models.base import uuid7
from core.models.jobs import OutboxEvent
from core.security import Actor
from core.video.chapter_payloads import ChaptersInput
from providers.video.probe import probe
from tests.engine.test_video_jobs import file_of, keep, result, run
from tests.media import TalkingVideo, silent_video, spoken_clip, talking_video
from workers.video import chapters
from workers.video.moving_picture import Scene

__all__ = ["chapters"]  # importing registers the task

SUBJECTS = (
    (
        "The compost heap needs leaves.",
        "Worms turn the compost into soil.",
        "Cover the compost heap, and the worms stay in the soil.",
    ),
    (
        "The camera needs a clean lens.",
        "Open the lens, then set the shutter of the camera.",
        "A slow shutter and a shaking camera blur the picture.",
    ),
    (
        "Save for tax with every invoice.",
        "The tax office reads each invoice.",
        "Keep the receipts, and the tax on your invoice goes down.",
    ),
)
PAUSES = (0.4, 0.4, 1.3, 0.4, 0.4, 6.0, 0.4, 0.4, 0.5)  # the last subject comes after a break


@pytest.fixture(scope="module")
def stream() -> TalkingVideo:
    """Three subjects; the picture changes with the second, and once within the third."""
    speech = spoken_clip([sentence for subject in SUBJECTS for sentence in subject], PAUSES)
    second, last = speech.sentences[3].start - 0.4, speech.sentences[7].start
    edges = [0.0, *(round(moment * 25) / 25 for moment in (second, last)), int(speech.duration * 25) / 25]
    scenes = [
        Scene(start, end, index, ((start, 0.35),), 70) for index, (start, end) in enumerate(itertools.pairwise(edges))
    ]
    return talking_video(speech, scenes=scenes, size=(320, 180), fps=25)


def test_three_subjects_are_found_then_joined_and_rendered(owner: Actor, stream: TalkingVideo, tmp_path: Path) -> None:
    source = keep(owner, stream.path, tmp_path)
    said = stream.speech.sentences
    order = {"source_video_id": source, "min_seconds": 5, "max_seconds": 40, "idle_seconds": 4, "language": "en"}
    found = result(run(owner, "video.chapters", ChaptersInput.model_validate({**order, "dry_run": True})))
    proposed = found["chapters"]
    assert found["outputs"] == []
    assert len(proposed) == 3
    for row, (first, last) in zip(proposed, ((0, 2), (3, 5), (6, 8)), strict=True):
        assert said[first].start - 0.5 <= row["start"] <= said[first].start + 0.1
        assert said[last].end - 0.25 <= row["end"] <= said[last].end + 0.7
    assert "chapters.reason.scene" in proposed[1]["reasons"]
    assert proposed[2]["reasons"][0] == "chapters.reason.break"
    assert {border["time"] for border in found["borders"]} >= {row["start"] for row in proposed[1:]}
    kept = [
        {"start": proposed[0]["start"], "end": proposed[1]["end"], "title": "Compost and camera"},
        {"start": proposed[2]["start"], "end": proposed[2]["end"], "title": "Tax"},
    ]
    order = {"source_video_id": source, "chapters": kept, "language": "en", "resolution": "128x128"}
    rendered = result(run(owner, "video.chapters", ChaptersInput.model_validate({**order, "aspect_ratio": "1:1"})))
    assert "chapters" not in rendered
    assert [row["title"] for row in rendered["outputs"]] == ["Compost and camera", "Tax"]
    for row, wanted in zip(rendered["outputs"], kept, strict=True):
        made = probe(file_of(owner, row["asset_id"]), exact=True)
        assert made.duration_seconds == pytest.approx(wanted["end"] - wanted["start"], abs=0.05)
        assert (made.width, made.height) == (128, 128)
        assert row["loudness_lufs"] == pytest.approx(-14, abs=1)
    with database.session(owner) as session:
        told = session.query(OutboxEvent).filter(OutboxEvent.kind == "VIDEO_GENERATED").all()
    assert {event.data["episode_id"] for event in told} == {row["episode_id"] for row in rendered["outputs"]}


def test_a_recording_without_sound_is_parted_and_a_clip_beyond_its_end_is_refused(owner: Actor, tmp_path: Path) -> None:
    source = keep(owner, silent_video(), tmp_path)
    found = result(run(owner, "video.chapters", ChaptersInput(source_video_id=source, dry_run=True)))
    assert [(row["title"], row["start"], row["end"]) for row in found["chapters"]] == [("Part 1", 0.0, 3.0)]
    late = {"source_video_id": source, "chapters": [{"start": 1, "end": 9, "title": "Late"}]}
    refused = run(owner, "video.chapters", ChaptersInput.model_validate(late))
    assert refused.status == "failed"
    assert refused.error is not None
    assert "ends after the recording" in refused.error["title"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_seconds": 60, "max_seconds": 80},
        {"dry_run": True, "chapters": [{"start": 0, "end": 5, "title": "A"}]},
        {"chapters": [{"start": 5, "end": 5.2, "title": "A"}]},
        {"chapters": [{"start": 5, "end": 9, "title": " "}]},
        {"operations": [{"type": "highlight"}]},
        {"operations": [{"type": "cut_by_beat"}]},
        {"style": "comic"},
        {"surprise": 1},
    ],
)
def test_what_cannot_be_cut_is_refused_before_a_job_exists(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"validation error"):
        ChaptersInput.model_validate({"source_video_id": UUID(str(uuid7())), **wrong})

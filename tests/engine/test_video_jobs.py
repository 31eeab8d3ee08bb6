"""The video jobs on real media: what is cut, said, shown and stored (SPEC V2–V6, H1)."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel
from sqlalchemy import select

from core import assets, database
from core.jobs import retry, submit
from core.models.assets import Asset, AssetLink, AudioAnalysis, MediaAnalysis, TimelineRow
from core.models.base import uuid7
from core.models.jobs import Job, OutboxEvent
from core.music.presets import PRESETS
from core.security import Actor
from core.storage import asset_key, sha256_of, storage
from core.video.payloads import MultiExportInput, RenderTimelineInput, ShortsInput, SubtitleInput, VideoEditInput
from core.video.reframe import position, window
from core.video.sentences import tokens
from core.video.spoken import words_of
from core.video.timeline import Timeline, Transition
from core.video.timeline_edit import TimeMap, correct_words, output_words, toggle_piece
from core.video.transitions import joints
from providers.audio import composer
from providers.video.probe import probe
from tests.media import TalkingVideo, silent_video, spoken_clip, talking_video
from workers import runner
from workers.video import clips, edit, multi_export, render, shorts, subtitle

__all__ = ["edit", "multi_export", "render", "shorts", "subtitle"]  # importing registers the tasks

SENTENCES = (
    "Why does nobody tell you about the window?",
    "A lamp above your head makes dark eyes.",
    "Turn your chair and look at the window every morning.",
    "The first rule of clean sound is a small room with a carpet.",
    "Put the microphone one hand away from your mouth.",
    "A thick blanket takes three decibels out of the echo.",
)
PAUSES = (0.4, 2.5, 0.5, 3.0, 0.4, 1.5)


@pytest.fixture(scope="module")
def talk() -> TalkingVideo:
    return talking_video(spoken_clip(SENTENCES, PAUSES), size=(640, 360))


def keep(actor: Actor, path: Path, folder: Path, **details: object) -> UUID:
    """Put a file into the library the way an upload does, without its ingest job."""
    copy = folder / f"{uuid7()}{path.suffix}"
    shutil.copy2(path, copy)
    info, identifier = probe(path), uuid7()
    staged = assets.StagedAsset(
        asset_id=str(identifier), kind=info.kind, name="My talk.mp4", storage_key=asset_key(identifier, path.suffix),
        size_bytes=path.stat().st_size, sha256=sha256_of(path), mime_type="video/mp4",
        duration_seconds=info.duration_seconds, width=info.width, height=info.height, fps=str(info.fps),
        has_audio=info.has_audio, metadata=dict(details),
    )  # fmt: skip
    storage().put(copy, staged.storage_key)
    with database.session() as session:
        assets.add(session, actor.owner_id, staged)
    return identifier


def run(actor: Actor, kind: str, payload: BaseModel) -> Job:
    with database.session(actor) as session:
        job = submit(session, actor, kind, payload)
    runner.run(str(job.id))
    with database.session(actor) as session:
        found = session.get(Job, job.id)
        assert found is not None
        session.expunge(found)
        return found


def result(job: Job) -> dict[str, Any]:
    assert job.status == "succeeded", job.error
    assert job.result is not None
    return job.result


def file_of(actor: Actor, asset_id: str) -> Path:
    with database.session(actor) as session:
        return assets.path_of(assets.get(session, asset_id))


def analyses(kind: str) -> list[MediaAnalysis]:
    with database.session() as session:
        return list(session.scalars(select(MediaAnalysis).where(MediaAnalysis.kind == kind)))


def test_pauses_go_and_words_stay(owner: Actor, talk: TalkingVideo, tmp_path: Path) -> None:
    source = keep(owner, talk.path, tmp_path)
    order = VideoEditInput.model_validate(
        {
            "source_video_id": source,
            "operations": [
                {"type": "auto_cut_silence", "min_silence_seconds": 1.0, "padding_seconds": 0.2},
                {"type": "add_subtitle", "style": "tiktok", "language": "en"},
                {"type": "normalize_loudness", "target_lufs": -14},
            ],
            "target_outputs": [{"aspect_ratio": "source"}],
        }
    )
    found = result(run(owner, "video.edit", order))
    removed = [piece for piece in found["timeline"]["pieces"] if not piece["kept"]]
    assert [piece["reason"] for piece in removed] == ["silence"] * 3
    expected = sum(pause - 0.4 for pause in PAUSES if pause > 1.0) + 0.2  # the last pause is cut to the end
    assert sum(piece["end"] - piece["start"] for piece in removed) == pytest.approx(expected, abs=0.5)
    for sentence in talk.speech.sentences:
        for piece in removed:
            assert piece["end"] <= sentence.start + 0.02 or piece["start"] >= sentence.end - 0.1
    row = found["outputs"][0]
    made = probe(file_of(owner, row["asset_id"]), exact=True)
    kept = sum(piece["end"] - piece["start"] for piece in found["timeline"]["pieces"] if piece["kept"])
    assert made.duration_seconds == pytest.approx(kept, abs=0.05)
    assert row["duration_seconds"] == pytest.approx(kept, abs=0.05)
    assert (made.width, made.height) == (640, 360)
    assert row["loudness_lufs"] == pytest.approx(-14, abs=0.6)
    with database.session(owner) as session:
        links = session.scalars(select(AssetLink).where(AssetLink.child_id == UUID(row["asset_id"]))).all()
        assert {(link.parent_id, link.role) for link in links} == {(source, "source")}
        event = session.scalars(select(OutboxEvent).where(OutboxEvent.kind == "VIDEO_GENERATED")).one()
    assert event.data["asset_id"] == row["asset_id"]
    assert event.data["kind"] == "long"


def test_pauses_pass_faster_and_nothing_that_is_said(owner: Actor, talk: TalkingVideo, tmp_path: Path) -> None:
    source = keep(owner, talk.path, tmp_path)
    operations: list[dict[str, Any]] = [
        {"type": "auto_cut_silence", "min_silence_seconds": 1.0, "padding_seconds": 0.2},
        {"type": "auto_speed", "silence_factor": 4, "ramp_seconds": 0.2},
        {"type": "add_subtitle", "language": "en", "burn_in": False},
    ]
    order = VideoEditInput.model_validate({"source_video_id": source, "operations": operations})
    found = result(run(owner, "video.edit", order))
    pieces = found["timeline"]["pieces"]
    assert all(piece["kept"] for piece in pieces)
    assert {piece["speed"] for piece in pieces if piece["reason"] == "speech"} == {1.0}
    passing = [piece for piece in pieces if piece["speed"] == 4.0]
    assert [piece["reason"] for piece in passing] == ["silence"] * 3
    made = probe(file_of(owner, found["outputs"][0]["asset_id"]), exact=True)
    with database.session(owner) as session:
        row = session.get(TimelineRow, UUID(found["timeline_id"]))
        assert row is not None
        timeline = Timeline.model_validate(row.document)
        assert made.frames == timeline.kept_frames
        captions = session.scalars(select(Asset).where(Asset.kind == "subtitle")).all()
        text = next(assets.path_of(asset).read_text() for asset in captions if asset.details["format"] == "srt")
    assert made.duration_seconds < talk.duration - 2.5
    last = TimeMap(timeline).to_output(talk.speech.sentences[-1].start)
    assert last is not None
    begins = [float(row[6:8]) + float(row[9:12]) / 1000 for row in text.splitlines() if " --> " in row]
    assert min(abs(begin - last) for begin in begins) < 0.25


def beats_missed(timeline: Timeline, beats: list[float]) -> float:
    """How many frames the joints are from the beats, at most; joints that say they could not move aside."""
    ends = {piece.end_frame for piece in timeline.kept if piece.reason == "beat"}
    moved = [joint for joint in joints(timeline) if timeline.stretches[joint.incoming - 1].end in ends]
    assert moved
    return max(min(abs(joint.at - beat * float(timeline.rate)) for beat in beats) for joint in moved)


def stored_timeline(actor: Actor, found: dict[str, Any]) -> Timeline:
    with database.session(actor) as session:
        row = session.get(TimelineRow, UUID(found["timeline_id"]))
        assert row is not None
        return Timeline.model_validate(row.document)


def test_cuts_of_a_talk_fall_on_the_beats_of_its_music(owner: Actor, talk: TalkingVideo, tmp_path: Path) -> None:
    source = keep(owner, talk.path, tmp_path)
    operations: list[dict[str, Any]] = [
        {"type": "auto_cut_silence", "min_silence_seconds": 1.0, "padding_seconds": 0.2},
        {"type": "add_music", "audio_preset": "lofi", "sync_to_beat": True},
        {"type": "auto_transition", "style": "crossfade", "duration_seconds": 0.2},
    ]
    order = VideoEditInput.model_validate(
        {"source_video_id": source, "operations": operations, "dry_run": True, "language": "en"}
    )
    timeline = stored_timeline(owner, result(run(owner, "video.edit", order)))
    bpm = PRESETS["lofi"].bpm
    assert beats_missed(timeline, [index * 60 / bpm for index in range(100)]) <= 1
    assert [word.word for word in output_words(timeline)] == [word.word for word in timeline.words]
    assert timeline.transition == Transition(style="crossfade", duration_seconds=0.2)


def test_footage_without_sound_changes_on_the_beats_of_a_track_nobody_analysed_yet(
    owner: Actor, tmp_path: Path
) -> None:
    source = keep(owner, silent_video(seconds=12), tmp_path)
    track = keep(owner, composer.ensure_track(tmp_path, "lofi"), tmp_path)
    operations = [{"type": "cut_by_beat", "music_asset_id": track, "beats_per_cut": 2}]
    order = {"source_video_id": source, "operations": operations, "target_outputs": [{"resolution": "320x180"}]}
    found = result(run(owner, "video.edit", VideoEditInput.model_validate(order)))
    timeline = stored_timeline(owner, found)
    with database.session(owner) as session:
        heard = session.scalars(select(AudioAnalysis)).one().result["beats"]
    assert beats_missed(timeline, heard) <= 1
    assert len(joints(timeline)) >= 4
    bpm = PRESETS["lofi"].bpm
    assert beats_missed(timeline, [index * 60 / bpm for index in range(100)]) <= 0.07 * 30
    assert probe(file_of(owner, found["outputs"][0]["asset_id"]), exact=True).frames == timeline.kept_frames
    order["operations"] = [{"type": "cut_by_beat", "music_asset_id": source, "beats_per_cut": 2}]
    refused = run(owner, "video.edit", VideoEditInput.model_validate(order))
    assert refused.status == "failed"
    assert refused.error is not None
    assert "no sound" in refused.error["title"]


def test_a_dry_run_is_corrected_and_rendered_without_measuring_again(
    owner: Actor, talk: TalkingVideo, tmp_path: Path
) -> None:
    source = keep(owner, talk.path, tmp_path)
    operations = [
        {"type": "auto_cut_silence", "min_silence_seconds": 1.0},
        {"type": "add_subtitle", "style": "clean", "language": "en", "burn_in": False},
    ]
    order = {"source_video_id": source, "operations": operations, "dry_run": True}
    found = result(run(owner, "video.edit", VideoEditInput.model_validate(order)))
    assert found["outputs"] == []
    assert found["asset_ids"] == []
    timeline_id = UUID(found["timeline_id"])
    with database.session(owner) as session:
        row = session.get(TimelineRow, timeline_id)
        assert row is not None
        timeline = Timeline.model_validate(row.document)
        heard = tokens(" ".join(word.word for word in timeline.words))
        assert len(set(tokens(" ".join(SENTENCES))) - set(heard)) <= 4
        first_removed = next(index for index, piece in enumerate(timeline.pieces) if not piece.kept)
        timeline = toggle_piece(timeline, first_removed)
        timeline = correct_words(timeline, 0, 1, "Zanzibar")
        row.document, row.version = timeline.model_dump(mode="json"), 2
    before = analyses("words")[0].created_at
    again = result(
        run(owner, "video.render", RenderTimelineInput.model_validate(
            {"timeline_id": timeline_id, "target_outputs": [{"aspect_ratio": "source"}]}
        ))
    )  # fmt: skip
    assert again["outputs"][0]["frames"] == timeline.kept_frames
    assert [item.created_at for item in analyses("words")] == [before]
    with database.session(owner) as session:
        captions = session.scalars(select(Asset).where(Asset.kind == "subtitle")).all()
        texts = {asset.details["format"]: assets.path_of(asset).read_text() for asset in captions}
    assert "Zanzibar" in texts["srt"]
    assert texts["vtt"].startswith("WEBVTT")


def test_subtitles_of_known_speech(owner: Actor, talk: TalkingVideo, tmp_path: Path) -> None:
    source = keep(owner, talk.path, tmp_path)
    order = SubtitleInput(video_asset_id=source, source_language="en", formats=("srt", "vtt", "ass"))
    found = result(run(owner, "video.subtitle", order))
    assert found["transcript"]["language"] == "en"
    said = found["transcript"]["segments"]
    assert len(said) == len(SENTENCES)
    for segment, truth in zip(said, talk.speech.sentences, strict=True):
        assert segment["start"] == pytest.approx(truth.start, abs=0.25)
    assert set(found["subtitles"]["en"]) == {"srt", "vtt", "ass"}
    text = file_of(owner, found["subtitles"]["en"]["srt"]).read_text()
    assert "window" in text
    words = found["transcript"]["words"]
    assert all(word["end"] > word["start"] for word in words)


def test_thai_speech_without_a_thai_model_is_refused_before_any_work(
    owner: Actor, talk: TalkingVideo, tmp_path: Path
) -> None:
    source = keep(owner, talk.path, tmp_path)
    job = run(owner, "video.subtitle", SubtitleInput(video_asset_id=source, source_language="th"))
    assert job.status == "failed"
    assert job.error is not None
    assert job.error["type"] == "not-configured"
    assert "English" in job.error["title"]
    stored = keep(owner, talk.path, tmp_path, language="th")
    job = run(owner, "video.shorts", ShortsInput(source_video_id=stored, min_seconds=5, max_seconds=20))
    assert job.status == "failed"
    assert analyses("words") == []


def test_a_video_without_sound_can_be_exported_but_not_listened_to(owner: Actor, tmp_path: Path) -> None:
    source = keep(owner, silent_video(), tmp_path)
    job = run(
        owner, "video.edit",
        VideoEditInput.model_validate({"source_video_id": source, "operations": [{"type": "auto_cut_silence"}]}),
    )  # fmt: skip
    assert job.status == "failed"
    assert job.error is not None
    assert "no sound" in job.error["title"]


def test_shorts_are_ranked_titled_captioned_and_become_drafts(owner: Actor, talk: TalkingVideo, tmp_path: Path) -> None:
    source = keep(owner, talk.path, tmp_path)
    order = ShortsInput.model_validate(
        {
            "source_video_id": source,
            "count": 2,
            "min_seconds": 5,
            "max_seconds": 9,
            "aspect_ratio": "9:16",
            "resolution": "360p",
            "style": "tiktok",
            "music": "lofi",
            "operations": [
                {"type": "auto_cut_silence"},
                {"type": "auto_transition", "style": "wipe"},
                {"type": "cut_by_beat"},
                {"type": "auto_reframe", "subject": "center"},
            ],
            "language": "en",
        }
    )
    found = result(run(owner, "video.shorts", order))
    rows = found["outputs"]
    assert len(rows) == 2
    assert rows[0]["score"] >= rows[1]["score"]
    first, second = sorted(rows, key=lambda row: row["start"])
    assert first["end"] <= second["start"]
    for row in rows:
        made = probe(file_of(owner, row["asset_id"]), exact=True)
        assert (made.width, made.height) == (360, 640)
        assert 5 <= made.duration_seconds <= 9
        assert made.has_audio
        assert row["reasons"]
        beats = [index * 60 / PRESETS["lofi"].bpm for index in range(60)]
        timeline = stored_timeline(owner, row)
        assert {piece.reason for piece in timeline.kept[:-1]} <= {"beat", "off_beat"}
        if any(piece.reason == "beat" for piece in timeline.kept):
            assert beats_missed(timeline, beats) <= 1
        clip = [s for s in talk.speech.sentences if s.start >= row["start"] - 0.3 and s.end <= row["end"] + 0.5]
        assert clip
        assert abs(clip[0].start - row["start"]) < 0.35
        said = tokens(" ".join(sentence.text for sentence in clip))
        titled = tokens(row["title"])
        assert said[: len(titled)] != titled
        assert set(titled) & set(said)
        with database.session(owner) as session:
            links = session.scalars(select(AssetLink).where(AssetLink.child_id == UUID(row["asset_id"]))).all()
            assert {link.role for link in links} == {"source", "music"}
            assert "MIT" in assets.get(session, row["asset_id"]).licence
    with database.session(owner) as session:
        told = session.scalars(select(OutboxEvent).where(OutboxEvent.kind == "VIDEO_GENERATED")).all()
        assert {event.data["episode_id"] for event in told} == {row["episode_id"] for row in rows}
        assert all(event.data["kind"] == "short" for event in told)


def test_a_killed_job_goes_on_after_its_last_finished_short(
    owner: Actor, talk: TalkingVideo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = keep(owner, talk.path, tmp_path)
    order = ShortsInput.model_validate(
        {
            "source_video_id": source, "count": 2, "min_seconds": 5, "max_seconds": 9, "resolution": "240p",
            "language": "en", "operations": [{"type": "auto_reframe", "subject": "center"}],
        }
    )  # fmt: skip
    rendered: list[Path] = []
    real = clips.render_outputs

    def break_on_second(*args: Any, **kwargs: Any) -> Any:
        if len(rendered) == 1 and not analyses("broken"):
            raise OSError("the machine lost its power")
        made = real(*args, **kwargs)
        rendered.append(kwargs["folder"])
        return made

    monkeypatch.setattr(clips, "AT_ONCE", 1)
    monkeypatch.setattr(clips, "render_outputs", break_on_second)
    with database.session(owner) as session:
        job = submit(session, owner, "video.shorts", order)
    runner.run(str(job.id))
    with database.session(owner) as session:
        stored = session.get(Job, job.id)
        assert stored is not None
        assert len(stored.checkpoints) == 1
        kept = next(iter(stored.checkpoints.values()))["row"]["asset_id"]
    monkeypatch.setattr(clips, "render_outputs", real)
    with database.session(owner) as session:
        retry(session, owner, job.id)
    counted: list[int] = []
    monkeypatch.setattr(clips, "render_outputs", lambda *a, **k: (counted.append(1), real(*a, **k))[1])
    runner.run(str(job.id))
    with database.session(owner) as session:
        again = session.get(Job, job.id)
        assert again is not None
        session.expunge(again)
    rows = result(again)["outputs"]
    assert kept in [row["asset_id"] for row in rows]
    assert len(counted) == 1
    assert all(file_of(owner, row["asset_id"]).is_file() for row in rows)


def test_the_crop_follows_the_face_and_every_shape_comes_from_one_job(
    owner: Actor, talk: TalkingVideo, tmp_path: Path
) -> None:
    source = keep(owner, talk.path, tmp_path)
    order = VideoEditInput.model_validate(
        {
            "source_video_id": source,
            "operations": [
                {"type": "auto_reframe", "subject": "auto"},
                {"type": "add_music", "audio_preset": "lofi", "duck_db": 12},
                {"type": "remove_range", "start": 4, "end": 20},
            ],
            "target_outputs": [
                {"aspect_ratio": "9:16", "resolution": "360p"},
                {"aspect_ratio": "1:1", "resolution": "240p"},
            ],
        }
    )
    found = result(run(owner, "video.edit", order))
    assert [(row["width"], row["height"]) for row in found["outputs"]] == [(360, 640), (240, 240)]
    assert len({row["episode_id"] for row in found["outputs"]}) == 1
    for row in found["outputs"]:
        assert probe(file_of(owner, row["asset_id"])).duration_seconds == pytest.approx(talk.duration - 16, abs=0.05)
    with database.session(owner) as session:
        stored = session.get(TimelineRow, UUID(found["timeline_id"]))
        assert stored is not None
        timeline = Timeline.model_validate(stored.document)
    assert timeline.music is not None
    width, _ = window(640, 360, "9:16")
    good = total = 0
    for piece in timeline.kept:
        for frame in range(piece.start_frame, piece.end_frame):
            face, _ = talk.face_centre(frame / 30)
            total += 1
            good += abs(position(timeline.crops["9:16"], frame)[0] - face) <= width / 4
    assert good / total >= 0.98
    looked = analyses("faces")
    assert run(owner, "video.edit", order).status == "succeeded"
    assert [row.id for row in analyses("faces")] == [row.id for row in looked]


def test_multi_export_shares_one_episode(owner: Actor, talk: TalkingVideo, tmp_path: Path) -> None:
    source = keep(owner, talk.path, tmp_path, language="en")
    order = MultiExportInput.model_validate(
        {
            "source_video_id": source,
            "target_outputs": [
                {"platform": "tiktok", "resolution": "240p"},
                {"platform": "reels", "resolution": "240p"},
                {"aspect_ratio": "16:9", "resolution": "240p"},
            ],
        }
    )
    rows = result(run(owner, "video.multi_export", order))["outputs"]
    assert [(row["width"], row["height"]) for row in rows] == [(240, 426), (426, 240)]
    with database.session(owner) as session:
        told = session.scalars(select(OutboxEvent).where(OutboxEvent.kind == "VIDEO_GENERATED")).all()
    assert len(told) == 1
    assert {output["asset_id"] for output in told[0].data["outputs"]} == {row["asset_id"] for row in rows}


def test_versions_of_one_talk_share_what_was_heard_and_survive_a_broken_attempt(
    owner: Actor, talk: TalkingVideo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = keep(owner, talk.path, tmp_path)
    order = VideoEditInput.model_validate(
        {
            "source_video_id": source,
            "language": "en",
            "versions": [
                {
                    "name": "Tight",
                    "operations": [
                        {"type": "auto_cut_silence", "min_silence_seconds": 1.0, "padding_seconds": 0.2},
                        {"type": "add_subtitle", "burn_in": False},
                        {"type": "auto_reframe", "subject": "center"},
                    ],
                    "target_outputs": [{"aspect_ratio": "9:16", "resolution": "180p"}],
                },
                {
                    "name": "Full",
                    "target_outputs": [
                        {"aspect_ratio": "16:9", "resolution": "180p"},
                        {"aspect_ratio": "4:5", "resolution": "180p"},
                    ],
                },
                {
                    "name": "Best",
                    "operations": [{"type": "highlight", "max_seconds": 8}],
                    "target_outputs": [{"aspect_ratio": "1:1", "resolution": "180p"}],
                },
            ],
        }
    )
    real, rendered = edit.render_outputs, list[str]()

    def broken_second(*args: Any, **kwargs: Any) -> Any:
        if len(rendered) == 1:
            rendered.append("broken")
            raise OSError("the machine lost its power")
        rendered.append(kwargs["name"])
        return real(*args, **kwargs)

    monkeypatch.setattr(edit, "render_outputs", broken_second)
    with database.session(owner) as session:
        job = submit(session, owner, "video.edit", order)
    runner.run(str(job.id))
    with database.session(owner) as session:
        retry(session, owner, job.id)
    runner.run(str(job.id))
    with database.session(owner) as session:
        again = session.get_one(Job, job.id)
        session.expunge(again)
    found = result(again)
    assert rendered == ["My talk · Tight", "broken", "My talk · Full", "My talk · Best"]
    assert len(analyses("words")) == 1
    tight, full, best = found["versions"]
    assert [version["name"] for version in found["versions"]] == ["Tight", "Full", "Best"]
    assert [row["asset_id"] for row in found["outputs"]] == [
        row["asset_id"] for version in found["versions"] for row in version["outputs"]
    ]
    shapes = [(row["version"], row["width"], row["height"]) for row in found["outputs"]]
    assert shapes == [("Tight", 180, 320), ("Full", 320, 180), ("Full", 180, 224), ("Best", 180, 180)]
    lengths = {}
    for version in found["versions"]:
        for row in version["outputs"]:
            made = probe(file_of(owner, row["asset_id"]), exact=True)
            assert made.frames == stored_timeline(owner, version).kept_frames
            lengths[version["name"]] = made.duration_seconds
    assert lengths["Full"] == pytest.approx(talk.duration, abs=0.05)
    assert lengths["Tight"] < talk.duration - 3.5  # three long pauses, 7 s, less what stays around speech
    assert 6 <= lengths["Best"] <= 8
    kept = [piece for piece in best["timeline"]["pieces"] if piece["kept"]]
    whole = [s for s in talk.speech.sentences if kept[0]["start"] <= s.start and s.end <= kept[-1]["end"] + 0.1]
    cut = [
        s
        for s in talk.speech.sentences
        if s not in whole and s.start < kept[-1]["end"] - 0.1 and s.end > kept[0]["start"] + 0.1
    ]
    assert whole
    assert not cut
    with database.session(owner) as session:
        told = session.scalars(select(OutboxEvent).where(OutboxEvent.kind == "VIDEO_GENERATED")).all()
        assert {event.data["title"] for event in told} == {"My talk · Tight", "My talk · Full", "My talk · Best"}
        assert {event.data["episode_id"] for event in told} == {row["episode_id"] for row in found["outputs"]}
        said = words_of(session, assets.get(session, tight["outputs"][0]["asset_id"]))
    assert said is not None
    assert said.words[0].word == output_words(stored_timeline(owner, tight))[0].word
    assert full["timeline"]["summary"]["cuts"] == 0

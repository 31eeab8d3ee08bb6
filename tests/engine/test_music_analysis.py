"""Tempo, beats, metre, key and chords of soundfont music whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.errors import UnsupportedMedia
from core.music.keys import split_chord
from core.music.payloads import ALL_TASKS
from core.music.presets import PRESETS
from core.music.scales import SCALES
from core.music.score import Note, Part, Score
from providers.audio.analysis import analyze
from providers.audio.composer import compose
from providers.audio.soundfont import RATE, render
from tests.media import MusicClip, music_clip, silent_video

CASES = [
    {"bpm": 100.0, "key": "C:maj"},
    # Not Am F C G, which is as much C major's: a minor key is shown by its own fourth and by coming home.
    {"bpm": 128.0, "key": "A:min", "degrees": (1, 4, 7, 1)},
    {"bpm": 90.0, "key": "G:maj", "beats_per_bar": 3},
]


@pytest.fixture(params=CASES, ids=lambda case: f"{case['bpm']:.0f} bpm {case['key']}")
def clip(request: pytest.FixtureRequest) -> MusicClip:
    return music_clip(**request.param)


def test_music_is_read_as_it_was_written(clip: MusicClip) -> None:
    found = analyze(clip.path, ALL_TASKS)
    assert found["bpm"] == pytest.approx(clip.bpm, rel=0.04)
    assert found["key"] == clip.key
    assert found["time_signature"] == f"{clip.beats_per_bar}/4"
    assert _hit_rate(clip.beats, found["beats"]) >= 0.9
    assert _hit_rate(clip.downbeats, found["downbeats"]) >= 0.8
    assert _chord_overlap(clip, found["chords"]) >= 0.75
    assert found["loudness_lufs"] < 0
    assert len(found["energy_curve"]["values"]) == pytest.approx(clip.duration * 2, abs=2)


def _hit_rate(truth: tuple[float, ...], found: list[float], tolerance: float = 0.07) -> float:
    return float(np.mean([min((abs(time - beat) for beat in found), default=9) <= tolerance for time in truth]))


def _chord_overlap(clip: MusicClip, found: list[dict[str, object]]) -> float:
    """Share of time in which the found root is the written one."""
    step, hits, total = 0.1, 0, 0
    for start, end, classes in clip.chords:
        for time in np.arange(start + step, end - step, step):
            total += 1
            chord = next((row["chord"] for row in found if row["time"] <= time < row["end"]), "N")
            hits += chord != "N" and split_chord(str(chord))[0] == classes[0] % 12
    return hits / total


def test_the_beat_is_found_without_drums() -> None:
    clip = music_clip(bpm=96.0, key="D:maj", drums=False)
    found = analyze(clip.path, ("tempo", "beats"))
    assert found["bpm"] == pytest.approx(96, rel=0.04)
    assert _hit_rate(clip.beats, found["beats"]) >= 0.9


def test_the_form_of_a_song_is_read_from_its_sound(tmp_path: Path) -> None:
    preset = replace(PRESETS["corporate"], bpm=132.0, key="F:maj", form="iaabbaab")
    soundfile.write(tmp_path / "song.wav", compose(preset), RATE)
    found = analyze(tmp_path / "song.wav", ("sections",))
    assert set(found) == {"duration_seconds", "sections"}
    bar = 4 * 60 / preset.bpm
    assert [round(one["start"] / bar) for one in found["sections"]] == [0, 4, 12, 20, 28]
    assert [one["name"] for one in found["sections"]] == ["intro", "verse", "chorus", "verse", "chorus"]
    assert found["sections"][1]["label"] == found["sections"][3]["label"]


@pytest.mark.parametrize(("scale", "key"), [("harmonic minor", "A:min"), ("dorian", "D:min"), ("minor", "E:min")])
def test_the_scale_is_told_by_its_notes(scale: str, key: str, tmp_path: Path) -> None:
    tonic = 57 + {"A": 0, "D": 5, "E": 7}[key[0]]
    steps = [*SCALES[scale], 12, *reversed(SCALES[scale])]
    tune = [Note(index * 0.5, 0.45, tonic + step, 90) for index, step in enumerate(steps * 3)]
    length = tune[-1].start + 1.0
    home = [Note(beat, 1.9, tonic + up, 80) for beat in np.arange(0.0, length, 2.0) for up in (-12, 3, 7)]
    score = Score(110.0, key, 4, 8, (Part("tune", 0, tuple(tune)), Part("home", 48, tuple(home), gain_db=-6.0)))
    sound = render(score, tail_seconds=1.0)
    soundfile.write(tmp_path / "tune.wav", sound / np.max(np.abs(sound)) * 0.8, RATE)
    found = analyze(tmp_path / "tune.wav", ("key",))
    assert (found["key"], found["scale"]) == (key, scale)
    assert 0 < found["scale_confidence"] <= 1


def test_silence_a_short_file_and_a_file_without_sound_are_refused(tmp_path: Path) -> None:
    silence, short = tmp_path / "silence.wav", tmp_path / "short.wav"
    soundfile.write(silence, np.zeros(48_000 * 5), 48_000)
    soundfile.write(short, np.random.default_rng(1).normal(0, 0.1, 4_800), 48_000)
    for path in (silence, short, silent_video()):
        with pytest.raises(UnsupportedMedia):
            analyze(path, ALL_TASKS)

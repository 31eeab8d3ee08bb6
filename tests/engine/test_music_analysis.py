"""Tempo, beats, metre, key and chords of soundfont music whose truth is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.errors import UnsupportedMedia
from core.music.keys import split_chord
from core.music.payloads import ALL_TASKS
from providers.audio.analysis import analyze
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


def test_silence_a_short_file_and_a_file_without_sound_are_refused(tmp_path: Path) -> None:
    silence, short = tmp_path / "silence.wav", tmp_path / "short.wav"
    soundfile.write(silence, np.zeros(48_000 * 5), 48_000)
    soundfile.write(short, np.random.default_rng(1).normal(0, 0.1, 4_800), 48_000)
    for path in (silence, short, silent_video()):
        with pytest.raises(UnsupportedMedia):
            analyze(path, ALL_TASKS)

"""The sound of a result: loudness, peaks, the music under it, the noise taken out, joints without clicks."""

from __future__ import annotations

import re
import subprocess
import uuid
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from core.progress import Progress
from core.video.timeline import MusicBed
from providers.video import soundtrack
from providers.video.process import ffmpeg_binary
from providers.video.renderer import RenderedOutput, RenderOutput, render
from tests.engine.coded_media import RATE, coded_video, ffmpeg, sound_of
from tests.engine.test_render import SAME, edit


def loudness(path: Path) -> tuple[float, float]:
    """LUFS and dBTP by FFmpeg's meter, run here and not by the code under test."""
    meter = ["-map", "0:a", "-af", "ebur128=peak=true:framelog=quiet", "-f", "null", "-"]
    command = [ffmpeg_binary(), "-hide_banner", "-nostats", "-i", str(path), *meter]
    summary = subprocess.run(command, capture_output=True, text=True, check=True).stderr.rpartition("Summary:")[2]
    lufs, peak = re.search(r"I:\s+(\S+) LUFS", summary), re.search(r"Peak:\s+(\S+) dBFS", summary)
    assert lufs is not None
    assert peak is not None
    return float(lufs[1]), float(peak[1])


def talk(seconds: float, level: float, crest: float = 0.0) -> np.ndarray:
    """Something like speech: noise bursts with syllables, pauses between sentences, now and then a hard peak."""
    generator = np.random.default_rng(1)
    time = np.arange(round(seconds * RATE)) / RATE
    tone = sosfilt(butter(2, [150, 3500], "bandpass", fs=RATE, output="sos"), generator.normal(size=len(time)))
    tone /= np.abs(tone).max()
    syllables = 0.35 + 0.65 * np.square(np.sin(2 * np.pi * 2.2 * time))
    sentences = (time % 4.0) < 2.5
    sound = level * tone * syllables * sentences
    if crest:
        for at in range(RATE, len(sound) - RATE, RATE):
            if sentences[at]:
                sound[at : at + 30] += crest * np.hanning(30)
    return sound.astype(np.float32)


def rendered(tmp_path: Path, sound: np.ndarray, track: Path | None = None, **settings: object) -> RenderedOutput:
    count = round(len(sound) / RATE * 30)
    source = coded_video(tmp_path / "source.mp4", count, sound=sound)
    output = RenderOutput(SAME, None, tmp_path / "out.mp4")
    return render(source, edit(source, [(0, count)], **settings), [output], music=track, preset="ultrafast")[0]


@pytest.mark.parametrize(("level", "crest", "target"), [(0.02, 0.0, -14.0), (0.5, 0.0, -23.0), (0.1, 0.9, -14.0)])
def test_loudness_and_true_peak_hold(tmp_path: Path, level: float, crest: float, target: float) -> None:
    made = rendered(tmp_path, talk(12, level, crest), loudness_lufs=target)
    lufs, peak = loudness(made.path)
    assert abs(lufs - target) <= 0.5
    assert peak <= -1.0
    assert made.loudness.lufs == pytest.approx(lufs, abs=0.15)


def test_a_sound_left_as_loud_as_it_is_says_its_loudness(tmp_path: Path) -> None:
    made = rendered(tmp_path, talk(8, 0.3))
    assert made.loudness.lufs == pytest.approx(loudness(made.path)[0], abs=0.15)


def test_what_the_limiter_takes_is_made_up_for_before_encoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As peaky as a close voice: at -14 LUFS the limiter works all the time, and takes back much of each decibel.
    encoded: list[Path] = []
    encode = soundtrack._encode

    def counted(raw: Path, path: Path, progress: Progress) -> soundtrack.Soundtrack:
        encoded.append(path)
        return encode(raw, path, progress)

    monkeypatch.setattr(soundtrack, "_encode", counted)
    sound = talk(8, 1.0)
    made = rendered(tmp_path, 0.5 * sound * np.abs(sound), loudness_lufs=-14.0)
    lufs, peak = loudness(made.path)
    assert abs(lufs + 14) <= 0.25
    assert peak <= -1.0
    assert len(encoded) == 1


def music_file(path: Path, seconds: float = 5.0) -> Path:
    ffmpeg("-f", "lavfi", "-i", f"sine=f=6000:d={seconds}", "-af", "volume=0.3", "-ac", "2", "-ar", "44100", str(path))
    return path


def band(sound: np.ndarray, low: float, high: float) -> np.ndarray:
    """Level in dB of each 100 ms inside a band."""
    inside = sosfilt(butter(6, [low, high], "bandpass", fs=RATE, output="sos"), sound)
    hop = RATE // 10
    blocks = inside[: len(inside) // hop * hop].reshape(-1, hop)
    return np.asarray(10 * np.log10(np.mean(np.square(blocks), axis=1) + 1e-12))


@pytest.mark.parametrize("duck", [6.0, 12.0])
def test_music_makes_way_for_speech_by_the_asked_depth(tmp_path: Path, duck: float) -> None:
    time = np.arange(16 * RATE) / RATE
    voice = (0.3 * np.sin(2 * np.pi * 300 * time) * ((time % 8) < 4)).astype(np.float32)
    bed = MusicBed(asset_id=uuid.uuid4(), gain_db=-12.0, duck_db=duck, seamless=True)
    made = rendered(tmp_path, voice, music_file(tmp_path / "music.wav"), music=bed)
    music = band(sound_of(made.path), 5500, 6500)
    speaking, alone = np.median(music[10:35]), np.median(music[55:75])
    assert alone - speaking == pytest.approx(duck, abs=0.7)
    # Already down when the next sentence starts (second 8), looped past its own five seconds, gone at the end.
    assert music[80] - speaking < 0.7
    assert music[110] == pytest.approx(speaking, abs=0.7)
    assert music[-1] < alone - 15


def test_a_short_song_fades_into_its_own_beginning(tmp_path: Path) -> None:
    song = tmp_path / "song.wav"
    ffmpeg("-f", "lavfi", "-i", "sine=f=6000:d=4", "-f", "lavfi", "-i", "sine=f=9000:d=4",
           "-filter_complex", "[0][1]concat=n=2:v=0:a=1", "-ac", "2", str(song))  # fmt: skip
    silence = np.zeros(16 * RATE, dtype=np.float32)
    made = rendered(tmp_path, silence, song, music=MusicBed(asset_id=uuid.uuid4(), gain_db=0.0))
    sound = sound_of(made.path)
    first, second = band(sound, 5500, 6500), band(sound, 8500, 9500)
    # The song's last two seconds (6-8 s) are also its first two again: in the middle both are 3 dB down.
    assert first[30] - first[70] == pytest.approx(3, abs=1)
    assert second[55] - second[70] == pytest.approx(3, abs=1)
    assert first[85] > second[85] + 20


def test_music_keeps_its_distance_to_a_quiet_voice(tmp_path: Path) -> None:
    bed = MusicBed(asset_id=uuid.uuid4(), gain_db=-12.0, duck_db=8.0)
    differences = []
    for level in (0.05, 0.5):
        folder = tmp_path / str(level)
        folder.mkdir()
        time = np.arange(12 * RATE) / RATE
        voice = (level * np.sin(2 * np.pi * 300 * time) * ((time % 8) < 4)).astype(np.float32)
        made = rendered(folder, voice, music_file(folder / "music.wav"), music=bed, loudness_lufs=-16.0)
        sound = sound_of(made.path)
        differences.append(np.median(band(sound, 200, 400)[10:35]) - np.median(band(sound, 5500, 6500)[10:35]))
    assert differences[0] == pytest.approx(differences[1], abs=1.0)


def test_music_over_a_silent_video(tmp_path: Path) -> None:
    source = coded_video(tmp_path / "source.mp4", 120, silent=True)
    timeline = edit(source, [(0, 120)], music=MusicBed(asset_id=uuid.uuid4(), gain_db=0.0), loudness_lufs=-14.0)
    made = render(source, timeline, [RenderOutput(SAME, None, tmp_path / "out.mp4")],
                  music=music_file(tmp_path / "music.wav"), preset="ultrafast")[0]  # fmt: skip
    assert abs(loudness(made.path)[0] + 14.0) <= 0.5


def test_noise_reduction_takes_noise_and_keeps_the_time(tmp_path: Path) -> None:
    generator = np.random.default_rng(2)
    time = np.arange(10 * RATE) / RATE
    tone = 0.3 * np.sin(2 * np.pi * (300 + 500 * (time % 2)) * (time % 2)) * ((time % 2) < 1)
    noisy = (tone + 0.008 * generator.normal(size=len(time))).astype(np.float32)
    (tmp_path / "plain").mkdir()
    (tmp_path / "clean").mkdir()
    plain = sound_of(rendered(tmp_path / "plain", noisy).path)
    clean = sound_of(rendered(tmp_path / "clean", noisy, noise_reduction=0.8).path)
    pause = slice(round(7.3 * RATE), round(7.8 * RATE))
    quieter = 20 * np.log10(np.std(plain[pause]) / np.std(clean[pause]))
    assert quieter > 6
    around = slice(5 * RATE, 7 * RATE)
    shifts = range(-2400, 2401, 4)
    likeness = [float(np.dot(plain[around], np.roll(clean, shift)[around])) for shift in shifts]
    assert abs(shifts[int(np.argmax(likeness))]) <= 8


def test_joints_do_not_click(tmp_path: Path) -> None:
    time = np.arange(8 * RATE) / RATE
    hum = (0.4 * np.sin(2 * np.pi * 110 * time)).astype(np.float32)
    source = coded_video(tmp_path / "source.mp4", 240, sound=hum)
    kept = [(at, at + 13) for at in range(0, 220, 20)]
    made = render(source, edit(source, kept), [RenderOutput(SAME, None, tmp_path / "out.mp4")], preset="ultrafast")[0]
    high = band(sound_of(made.path), 4000, 12000)
    assert high.max() < -65  # a bare cut of this hum measures about -45

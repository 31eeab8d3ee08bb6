"""The renderer's results, read back: which frames they hold, when what sounds, where the crop stands."""

from __future__ import annotations

import time
import uuid
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from core.errors import InvalidInput, JobCancelled, UnsupportedMedia
from core.video.timeline import CropKeyframe, CropTrack, OutputTarget, Piece, Timeline
from providers.speech.pcm import RATE as PCM_RATE
from providers.speech.pcm import decode
from providers.video.probe import probe
from providers.video.renderer import RenderedOutput, RenderOutput, render
from tests.engine.coded_media import (
    BEAT,
    HEIGHT,
    RATE,
    WIDTH,
    coded_video,
    ffmpeg,
    lit,
    numbers,
    pictures,
    sound_of,
    sounding,
)

SAME = OutputTarget(aspect_ratio="16:9", width=WIDTH, height=HEIGHT)


def edit(source: Path, kept: list[tuple[int, int]], **settings: object) -> Timeline:
    info = probe(source)
    pieces: list[Piece] = []
    position = 0
    for start, end in kept:
        if start > position:
            pieces.append(Piece(start_frame=position, end_frame=start, kept=False, reason="silence"))
        pieces.append(Piece(start_frame=start, end_frame=end, kept=True, reason="speech"))
        position = end
    if position < info.frames:
        pieces.append(Piece(start_frame=position, end_frame=info.frames, kept=False, reason="silence"))
    return Timeline.model_validate(
        {
            "source_asset_id": uuid.uuid4(), "fps": str(info.fps), "width": info.width, "height": info.height,
            "duration_frames": info.frames, "has_audio": info.has_audio, "pieces": pieces, **settings,
        }
    )  # fmt: skip


def cut(source: Path, kept: list[tuple[int, int]], folder: Path, **settings: object) -> RenderedOutput:
    output = RenderOutput(SAME, None, folder / "cut.mp4")
    return render(source, edit(source, kept, **settings), [output], preset="ultrafast")[0]


def expected(kept: list[tuple[int, int]]) -> list[int]:
    return [number for start, end in kept for number in range(start, end)]


def assert_in_step(made: RenderedOutput, wanted: list[int], rate: Fraction) -> None:
    frames = pictures(made.path)
    assert numbers(frames) == wanted
    heard = sounding(sound_of(made.path), len(wanted), rate)
    assert heard == [number % BEAT == 0 for number in wanted]
    assert lit(frames) == heard


@pytest.mark.parametrize("rate", [Fraction(30), Fraction(30000, 1001), Fraction(24), Fraction(60000, 1001)])
def test_keeps_exactly_the_chosen_frames_with_their_sound(tmp_path: Path, rate: Fraction) -> None:
    source = coded_video(tmp_path / "source.mp4", 200, rate)
    kept = [(0, 20), (33, 34), (41, 77), (80, 121), (150, 200)]
    made = cut(source, kept, tmp_path)
    assert made.frames == len(expected(kept))
    assert_in_step(made, expected(kept), rate)


def test_two_hundred_cuts_end_together(tmp_path: Path) -> None:
    rate = Fraction(30000, 1001)
    source = coded_video(tmp_path / "source.mp4", 1400, rate)
    kept = [(at, at + 3 + at % 3) for at in range(1, 1395, 7)]
    assert len(kept) == 200
    made = cut(source, kept, tmp_path)
    wanted = expected(kept)
    frames = pictures(made.path)
    assert numbers(frames) == wanted
    heard = sounding(sound_of(made.path), len(wanted), rate)
    assert heard == [number % BEAT == 0 for number in wanted]
    length = len(sound_of(made.path)) / RATE
    assert abs(length - len(wanted) / rate) <= 1 / rate


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_variable_frame_rate_follows_the_clock(tmp_path: Path, suffix: str) -> None:
    rate = Fraction(30)
    generator = np.random.default_rng(4)
    shown = [0, *sorted(generator.choice(np.arange(1, 300), 210, replace=False).tolist())]
    source = coded_video(tmp_path / f"source{suffix}", 300, rate, kept=shown)
    info = probe(source)
    assert info.variable_frame_rate
    assert info.fps == rate
    kept = [(10, 90), (100, 180), (200, info.frames)]
    made = cut(source, kept, tmp_path)
    on_screen = [max(number for number in shown if number <= slot) for slot in expected(kept)]
    assert numbers(pictures(made.path)) == on_screen


@pytest.mark.parametrize("container", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("rate", [Fraction(30), Fraction(30000, 1001)])
def test_far_pieces_are_reached_by_seeking(tmp_path: Path, container: str, rate: Fraction) -> None:
    source = coded_video(tmp_path / f"source.{container}", 1800, rate)
    late = round(probe(source).frames - 1800)  # MPEG-TS starts its pictures a little after its clock
    kept = [(611, 650), (1201, 1240), (1250, 1290), (1720, 1799)]
    made = cut(source, kept, tmp_path)
    assert numbers(pictures(made.path)) == [number - late for number in expected(kept)]
    assert_in_step(made, [number - late for number in expected(kept)], rate)


def test_a_variable_rate_is_reached_by_seeking_too(tmp_path: Path) -> None:
    generator = np.random.default_rng(5)
    shown = [0, *sorted(generator.choice(np.arange(1, 1200), 800, replace=False).tolist())]
    source = coded_video(tmp_path / "source.mkv", 1200, Fraction(30), kept=shown)
    kept = [(500, 560), (1000, 1100)]
    made = cut(source, kept, tmp_path)
    on_screen = [max(number for number in shown if number <= slot) for slot in expected(kept)]
    assert numbers(pictures(made.path)) == on_screen


def test_sound_that_starts_late_stays_late(tmp_path: Path) -> None:
    whole = coded_video(tmp_path / "whole.mp4", 200)
    source = tmp_path / "source.mkv"
    twice = ["-i", str(whole), "-itsoffset", "0.5", "-i", str(whole)]
    ffmpeg(*twice, "-map", "0:v", "-map", "1:a", "-c", "copy", str(source))
    kept = [(3, 50), (70, 150)]
    made = cut(source, kept, tmp_path)
    heard = sounding(sound_of(made.path), made.frames, Fraction(30))
    assert heard == [number >= 15 and (number - 15) % BEAT == 0 for number in expected(kept)]
    samples = decode(source, tmp_path)
    assert np.argmax(np.abs(samples.astype(int)) > 3000) / PCM_RATE == pytest.approx(0.5, abs=0.01)


def test_a_turned_recording_comes_out_upright(tmp_path: Path) -> None:
    lying = coded_video(tmp_path / "lying.mp4", 60)
    source = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", "180", "-i", str(lying), "-c", "copy", str(source))
    made = cut(source, [(7, 40)], tmp_path)
    assert numbers(pictures(made.path)[:, ::-1, ::-1]) == list(range(7, 40))


def test_pixels_come_out_square(tmp_path: Path) -> None:
    squeezed = tmp_path / "squeezed.mp4"
    ffmpeg("-i", str(coded_video(tmp_path / "a.mp4", 60)), "-vf", "scale=160:180,setsar=2", "-crf", "10", str(squeezed))
    made = cut(squeezed, [(7, 40)], tmp_path)
    assert (made.width, made.height) == (320, 180)
    assert numbers(pictures(made.path)) == list(range(7, 40))


def test_high_dynamic_range_is_brought_to_what_platforms_show(tmp_path: Path) -> None:
    source = tmp_path / "hlg.mp4"
    ffmpeg(
        "-i", str(coded_video(tmp_path / "a.mp4", 60)), "-vf", "format=yuv420p10le",
        "-c:v", "libx265", "-preset", "ultrafast", "-x265-params",
        "log-level=none:colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc:range=limited", str(source),
    )  # fmt: skip
    assert probe(source).hdr == "hlg"
    made = cut(source, [(7, 40)], tmp_path)
    assert probe(made.path).hdr == ""
    assert probe(made.path).pixel_format == "yuv420p"
    frames = pictures(made.path)
    assert numbers(frames) == list(range(7, 40))
    assert frames[8][70:130, 110:210].mean() > 180  # frame 15 of the source: the bright field stays bright


def test_without_sound_the_result_has_a_silent_track(tmp_path: Path) -> None:
    source = coded_video(tmp_path / "source.mp4", 60, silent=True)
    made = cut(source, [(5, 50)], tmp_path, loudness_lufs=-14.0)
    assert probe(made.path).has_audio
    assert float(np.abs(sound_of(made.path)).max()) < 1e-4
    assert made.loudness.lufs is None


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    source = coded_video(tmp_path / "source.mp4", 60)
    sound = tmp_path / "sound.m4a"
    ffmpeg("-i", str(source), "-vn", "-c:a", "copy", str(sound))
    output = RenderOutput(SAME, None, tmp_path / "cut.mp4")
    with pytest.raises(UnsupportedMedia, match="no picture"):
        render(sound, edit(source, [(5, 50)]), [output])


def test_nothing_kept_is_refused(tmp_path: Path) -> None:
    source = coded_video(tmp_path / "source.mp4", 60)
    with pytest.raises(InvalidInput, match="Nothing"):
        render(source, edit(source, []), [RenderOutput(SAME, None, tmp_path / "cut.mp4")])


def test_cancelling_ends_within_two_seconds_and_leaves_nothing(tmp_path: Path) -> None:
    source = coded_video(tmp_path / "source.mp4", 1800)
    results = tmp_path / "results"
    results.mkdir()
    asked: list[float] = []

    def progress(fraction: float, stage: str | None = None) -> None:
        if stage == "stage.render" and fraction > 0:
            asked.append(time.monotonic())
            raise JobCancelled

    with pytest.raises(JobCancelled):
        render(source, edit(source, [(0, 1800)]), [RenderOutput(SAME, None, results / "cut.mp4")],
               preset="slow", progress=progress)  # fmt: skip
    assert time.monotonic() - asked[0] < 2.0
    assert list(results.iterdir()) == []


def gradient(path: Path, count: int = 150) -> Path:
    """A picture whose brightness is its horizontal position: 30 at the left edge, 220 at the right."""
    seconds = count / 30
    ffmpeg(
        "-f", "lavfi", "-i", f"color=black:s=640x360:r=30:d={seconds}", "-f", "lavfi", "-i", f"anullsrc=d={seconds}",
        "-vf", "format=gray,geq=lum='30+190*X/640',format=yuv420p", "-c:v", "libx264", "-preset", "ultrafast",
        "-crf", "12", "-shortest", str(path),
    )  # fmt: skip
    return path


def test_crop_follows_its_keyframes_and_jumps_where_they_jump(tmp_path: Path) -> None:
    source = gradient(tmp_path / "source.mp4")
    # A pan over frames 0-60, a hold, a jump at 100; the cut removes 40-80.
    keys = [(0, 0.3), (60, 0.6), (99, 0.6), (100, 0.25)]
    track = CropTrack(keyframes=tuple(CropKeyframe(frame=frame, x=x, y=0.5) for frame, x in keys))
    timeline = edit(source, [(0, 40), (80, 140)], crops={"9:16": track})
    target = OutputTarget(aspect_ratio="9:16", width=202, height=360)
    made = render(source, timeline, [RenderOutput(target, None, tmp_path / "tall.mp4")], preset="ultrafast")[0]
    assert (made.width, made.height, made.frames) == (202, 360, 100)
    left = pictures(made.path, 202, 360)[:, 100:260, :8].mean(axis=(1, 2))
    at = (left - 30) / 190 * 640 - 3.5
    for position, frame in enumerate(expected([(0, 40), (80, 140)])):
        centre = np.interp(frame, [key[0] for key in keys], [key[1] for key in keys]) * 640
        assert abs(at[position] - (centre - 101)) < 5, (position, frame)


def test_all_formats_come_from_one_decode(tmp_path: Path) -> None:
    source = gradient(tmp_path / "source.mp4", 60)
    crops = {"1:1": CropTrack(mode="blur"), "4:5": CropTrack(mode="letterbox"), "9:16": CropTrack()}
    timeline = edit(source, [(0, 60)], crops=crops)
    sizes = {"16:9": (320, 180), "9:16": (180, 320), "1:1": (240, 240), "4:5": (192, 240)}
    outputs = []
    for ratio, (w, h) in sizes.items():
        target = OutputTarget.model_validate({"aspect_ratio": ratio, "width": w, "height": h})
        outputs.append(RenderOutput(target, None, tmp_path / f"{w}x{h}.mp4"))
    made = render(source, timeline, outputs, preset="ultrafast")
    assert [(one.width, one.height, one.frames) for one in made] == [(w, h, 60) for w, h in sizes.values()]
    tall = pictures(made[1].path, 180, 320)[30]
    assert abs(tall.mean() - 125) < 6  # the middle of the gradient
    boxed = pictures(made[3].path, 192, 240)[30]
    assert boxed[:50].max() < 24  # black above
    assert boxed[115:125, :20].mean() < 60 < 190 < boxed[115:125, -20:].mean()  # the whole picture between
    blurred = pictures(made[2].path, 240, 240)[30]
    assert blurred[:40].mean() > 60  # no black bar
    assert blurred[115:125, :20].mean() < 60 < 190 < blurred[115:125, -20:].mean()


ASS = """[Script Info]
ScriptType: v4.00+
PlayResX: 320
PlayResY: 180

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, OutlineColour, BackColour, Bold, Outline, Shadow, Alignment, MarginV
Style: Default,Sarabun,40,&H0000FFFF,&H00000000,&H00000000,-1,2,0,2,10

[Events]
Format: Layer, Start, End, Style, Text
Dialogue: 0,0:00:01.00,0:00:02.00,Default,{text}
"""


@pytest.mark.parametrize("text", ["HELLO THERE", "สวัสดีครับ"])
def test_captions_are_burnt_in_at_the_time_of_the_result(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "it's, a [folder]; of: 100% \\ things"
    folder.mkdir()
    source = coded_video(folder / "sou'rce [0:v];,=.mp4", 120)
    output = RenderOutput(SAME, ASS.replace("{text}", text), folder / "cap,tions':=[].mp4")
    made = render(source, edit(source, [(20, 110)]), [output], preset="ultrafast")[0]
    frames = pictures(made.path, pixels="rgb24").astype(int)
    yellow = ((frames[..., 0] > 170) & (frames[..., 1] > 170) & (frames[..., 2] < 110)).sum(axis=(1, 2))
    assert yellow[:30].max() < 20
    assert yellow[32:58].min() > 300
    assert yellow[61:].max() < 20


def test_captions_with_embedded_files_are_refused(tmp_path: Path) -> None:
    source = coded_video(tmp_path / "source.mp4", 60)
    output = RenderOutput(SAME, ASS + "\n[Fonts]\nfontname: x.ttf\n", tmp_path / "cut.mp4")
    with pytest.raises(InvalidInput, match="embedded"):
        render(source, edit(source, [(0, 60)]), [output])

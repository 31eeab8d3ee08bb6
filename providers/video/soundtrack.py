"""The sound of a result, made once for all its outputs: cut, cleaned, music under it, brought to its loudness.

The steps write raw float32 files into the render's folder and end in one AAC file, which every output copies. The
loudness is reached in two passes: measured by FFmpeg's ``ebur128`` (EBU R 128, ITU-R BS.1770), then static gain and a
true-peak limiter whose loss is made up for, measured again on the encoded file. One-pass normalisation would pump and
miss the target.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import EngineFailed
from core.progress import Progress, part
from core.video.timeline import MusicBed, Timeline
from core.video.transitions import joints
from providers.video.filtergraph import Window
from providers.video.process import ChildRun, output_argument, run_ffmpeg, source_arguments
from providers.video.sound_edit import (
    CHANNELS,
    RAW,
    SAMPLE_RATE,
    CutWriter,
    Signal,
    duck_curve,
    gain_at,
    level_db,
    limit,
    plan_cuts,
    repeated,
    sample_at,
    to_stereo,
    true_peaks,
)
from providers.video.sound_pieces import SoundPieces

TRUE_PEAK_DBTP = -1.0
# AAC moves peaks by up to about a decibel; the encoded file is measured and the ceiling lowered when it did more.
_FIRST_CEILING_DB = -2.0
_MAX_GAIN_DB = 40.0
_SILENCE_LUFS = -69.0
_TOLERANCE_LU = 0.3
_ROUNDS = 4
# Before it is encoded the sound is brought as near as the meter can show (a tenth). Speech at -14 LUFS: the limiter
# takes back about four tenths of each further decibel; what it really takes is known from the second try on.
_NEAR_LU = 0.11
_TRIES = 6
_FIRST_SLOPE = 0.6
_LEAD_SECONDS = 1
_MUSIC_FADE_IN, _MUSIC_FADE_OUT = 0.5, 2.5
_MUSIC_OVERLAP = 2.0
_BLOCK = 10 * SAMPLE_RATE
_BIT_RATE = "192k"
_METER = "ebur128=framelog=quiet"
_NOISE_SECONDS = 120
# afftdn answers two of its steps (an eightieth of a second each) late and does not say so in its timestamps.
_DENOISE_DELAY = 2 * (SAMPLE_RATE // 80)


@dataclass(frozen=True)
class Loudness:
    """Integrated loudness in LUFS and true peak in dBTP; None for silence."""

    lufs: float | None
    true_peak: float | None


@dataclass(frozen=True)
class Soundtrack:
    """The finished AAC file and its loudness; the true peak only where one was asked to be kept."""

    path: Path
    loudness: Loudness


def build_soundtrack(
    source: Path,
    timeline: Timeline,
    windows: Sequence[Window],
    folder: Path,
    *,
    channels: int,
    music: Path | None,
    progress: Progress,
) -> Soundtrack:
    """Make the sound of the kept pieces, exactly as long as their frames. ``channels`` of the source; 0: it has none.

    Raises:
        UnsupportedMedia, OutOfSpace, EngineFailed: from FFmpeg.
        JobCancelled: raised by ``progress``.
    """
    voice = folder / "voice.f32"
    cut_voice(source, timeline, windows, voice, channels=channels, progress=part(progress, 0, 0.4))
    bed = timeline.music
    return finish_sound(voice, music=music, bed=bed, target=timeline.loudness_lufs, progress=part(progress, 0.4, 1))


def cut_voice(
    source: Path, timeline: Timeline, windows: Sequence[Window], voice: Path, *, channels: int, progress: Progress
) -> None:
    """The sound of the kept pieces as raw 48 kHz stereo float32 into ``voice``, exactly as long as their frames."""
    if channels:
        _cut_voice(source, timeline, windows, voice, channels, progress)
    else:
        _write_silence(voice, sample_at(timeline.kept_frames, timeline.rate))


def narrated_soundtrack(
    narration: Path | None,
    samples: int,
    folder: Path,
    *,
    music: Path | None,
    bed: MusicBed | None,
    loudness_lufs: float | None,
    progress: Progress,
) -> Soundtrack:
    """The sound of a video that was not cut from a recording: ``narration`` (any file with sound; None: silence) from
    the first of ``samples`` at 48 kHz, the music making way for it.

    Raises:
        OutOfSpace, EngineFailed: from FFmpeg.
        JobCancelled: raised by ``progress``.
    """
    voice = folder / "voice.f32"
    if narration is None:
        _write_silence(voice, samples)
    else:
        run_ffmpeg(
            [
                *source_arguments(narration, "-vn"), "-map", "0:a:0", "-ar", str(SAMPLE_RATE),
                "-af", f"aformat=channel_layouts=stereo,apad,atrim=end_sample={samples}", *RAW[:2],
                output_argument(voice),
            ],
            duration_seconds=samples / SAMPLE_RATE, progress=part(progress, 0, 0.2), stage="stage.sound",
        )  # fmt: skip
    rest = part(progress, 0.2, 1)
    return finish_sound(voice, music=music, bed=bed, target=loudness_lufs, progress=rest)


def finish_sound(
    voice: Path, *, music: Path | None, bed: MusicBed | None, target: float | None, progress: Progress
) -> Soundtrack:
    """Music under a raw voice (which is consumed), the loudness wanted, and AAC; the result lies beside it."""
    samples = voice.stat().st_size // (4 * CHANNELS)
    mixed = voice
    if music is not None and bed is not None:
        mixed = voice.with_name("mixed.f32")
        _mix(_open(voice, samples), voice, music, bed, mixed, part(progress, 0, 0.33))
        voice.unlink()
    made = _master(mixed, samples, target, limited=mixed != voice, progress=part(progress, 0.33, 1))
    mixed.unlink()
    return made


def measure_loudness(arguments: Sequence[str], *, true_peak: bool = True, progress: Progress) -> Loudness:
    """Integrated loudness (and true peak) of an input given by its FFmpeg arguments."""
    what = _METER + (":peak=true" if true_peak else "")
    run = run_ffmpeg(
        [*arguments, "-map", "0:a:0", "-af", what, "-f", "null", "-"],
        loglevel="info", progress=progress, stage="stage.sound",
    )  # fmt: skip
    return read_loudness(run.stderr)


def read_loudness(stderr: str) -> Loudness:
    """What ``ebur128`` said at its end."""
    summary = stderr.rpartition("Summary:")[2]
    lufs = re.search(r"I:\s+(-?[\d.]+|-?inf|nan) LUFS", summary)
    peak = re.search(r"Peak:\s+(-?[\d.]+|-?inf|nan) dBFS", summary)
    if lufs is None:
        raise EngineFailed("The loudness could not be measured.", summary.strip()[-200:])
    value = float(lufs[1])
    high = float(peak[1]) if peak else math.nan
    return Loudness(
        value if math.isfinite(value) and value > _SILENCE_LUFS else None, high if math.isfinite(high) else None
    )


def _cut_voice(
    source: Path, timeline: Timeline, windows: Sequence[Window], voice: Path, channels: int, progress: Progress
) -> None:
    rate = timeline.rate
    # Gaps in the source's sound are filled, so that sample n is what is heard at n / 48000 s.
    chain = f"aresample={SAMPLE_RATE}:async=1:first_pts=0:min_hard_comp=0.02,{to_stereo(channels)}"
    if timeline.noise_reduction > 0:
        floor = _noise_floor(source, windows[0], rate, channels, part(progress, 0, 0.1))
        chain += f",apad=pad_dur=0.1,afftdn=nr={6 + 18 * timeline.noise_reduction:.1f}:nf={floor:.1f}"
        chain += f",atrim=start_sample={_DENOISE_DELAY},asetpts=N"
    stretches = timeline.stretches
    ends = [sum(stretch.end <= window.end for stretch in stretches) for window in windows]
    overlaps = {joint.incoming: joint.sounding for joint in joints(timeline) if joint.sounding}
    if overlaps or any(stretch.speed != 1.0 for stretch in stretches):
        sounding = [overlaps.get(index, 0) for index in range(len(stretches))]
        pieces = SoundPieces(stretches, rate, timeline.duration_frames, sounding, voice.parent)
        _listen(source, windows, rate, chain, pieces, ends, pieces.reach_seconds, part(progress, 0, 0.7))
        pieces.write(voice, part(progress, 0.7, 1))
        return
    with voice.open("wb") as file:
        ranges = [(stretch.start, stretch.end) for stretch in stretches]
        writer = CutWriter(plan_cuts(ranges, rate, timeline.duration_frames), file.write)
        _listen(source, windows, rate, chain, writer, ends, 0.1, progress)


def _listen(
    source: Path,
    windows: Sequence[Window],
    rate: Fraction,
    chain: str,
    writer: CutWriter | SoundPieces,
    ends: Sequence[int],
    reach_seconds: float,
    progress: Progress,
) -> None:
    """Play every window of the source, and ``reach_seconds`` after it, through the filters into the writer; ``ends``
    says how much of what the writer wants has come by the end of each window."""
    for index, window in enumerate(windows):
        start = max(window.start / rate - _LEAD_SECONDS, Fraction(0))
        length = float(window.end / rate - start) + reach_seconds
        writer.begin(round(start * SAMPLE_RATE))
        seek = ["-ss", f"{float(start):.6f}"] if window.start else []
        run_ffmpeg(
            [
                *source_arguments(source, *seek, "-vn", "-sn", "-dn"), "-map", "0:a:0", "-t", f"{length:.6f}",
                "-af", chain, *RAW[:2], "pipe:1",
            ],
            sink=writer.feed,
            duration_seconds=length,
            progress=part(progress, index / len(windows), (index + 1) / len(windows)),
            stage="stage.sound",
        )  # fmt: skip
        writer.finish(ends[index])


def _noise_floor(source: Path, window: Window, rate: Fraction, channels: int, progress: Progress) -> float:
    """The level of the pauses in dB of full scale, a little generous, from at most two minutes of the recording.

    FFmpeg's own tracking (``tn``) was measured to remove next to nothing; told the level, ``afftdn`` does its work.
    """
    parts: list[bytes] = []
    run_ffmpeg(
        [
            *source_arguments(source, "-ss", f"{float(window.start / rate):.6f}", "-vn", "-sn", "-dn"), "-map", "0:a:0",
            "-t", str(_NOISE_SECONDS), "-af", to_stereo(channels), "-ar", "16000", *RAW[:2], "pipe:1",
        ],
        sink=parts.append, duration_seconds=_NOISE_SECONDS, progress=progress, stage="stage.sound",
    )  # fmt: skip
    data = b"".join(parts)
    signal = np.frombuffer(data[: len(data) // (4 * CHANNELS) * (4 * CHANNELS)], dtype="<f4").reshape(-1, CHANNELS)
    levels = level_db(signal, hop=800)
    heard = levels[levels > -90]
    if not len(heard):
        return -80.0
    # Without pauses the quietest tenth is no noise: stay well under what is loud.
    quiet, loud = np.percentile(heard, [10, 95])
    return float(np.clip(min(quiet + 5, loud - 15), -80, -20))


def _mix(signal: Signal, voice: Path, music: Path, bed: MusicBed, mixed: Path, progress: Progress) -> None:
    spoken = measure_loudness(_raw_input(voice), true_peak=False, progress=part(progress, 0, 0.3))
    playing = measure_loudness(source_arguments(music, "-vn"), true_peak=False, progress=part(progress, 0.3, 0.5))
    # The bed's gain is relative to the voice: a loud master and a quiet one end up at the same place under it.
    level = bed.gain_db
    if spoken.lufs is not None and playing.lufs is not None:
        level += spoken.lufs - playing.lufs
    curve = duck_curve(level_db(signal), bed.duck_db) + np.float32(level)
    total = len(signal)
    fade_in = min(_MUSIC_FADE_IN * SAMPLE_RATE, total / 4)
    fade_out = min(_MUSIC_FADE_OUT * SAMPLE_RATE, total / 4)
    tune = _decode_music(music, total, mixed.with_name("music.f32"), part(progress, 0.5, 0.9))
    overlap = 0 if len(tune) >= total else _overlap(len(tune), seamless=bed.seamless)
    with mixed.open("wb") as file:
        for position in range(0, total, _BLOCK):
            count = min(_BLOCK, total - position)
            place = np.arange(position, position + count, dtype=np.float32)
            edge = np.clip(np.minimum((place + 1) / fade_in, (total - place) / fade_out), 0, 1)
            gain = gain_at(curve, position, count) * edge
            heard = repeated(tune, position, count, overlap) * gain[:, None]
            file.write((signal[position : position + count] + heard).astype("<f4").tobytes())
            part(progress, 0.9, 1)(position / total, "stage.sound")


def _overlap(samples: int, *, seamless: bool) -> int:
    """For how many samples a track that is repeated sounds together with its own beginning."""
    return 0 if seamless else min(round(_MUSIC_OVERLAP * SAMPLE_RATE), samples // 4)


def repeats_after(seconds: float, *, seamless: bool) -> float:
    """After how many seconds a track of this length begins again under a longer result."""
    samples = round(seconds * SAMPLE_RATE)
    return (samples - _overlap(samples, seamless=seamless)) / SAMPLE_RATE


def _decode_music(music: Path, longest: int, raw: Path, progress: Progress) -> Signal:
    """The track, no more of it than ``longest`` samples."""
    seconds = longest / SAMPLE_RATE
    run_ffmpeg(
        [
            *source_arguments(music, "-vn", "-sn", "-dn"), "-map", "0:a:0", "-t", f"{seconds + 0.1:.6f}",
            "-af", f"aresample={SAMPLE_RATE}", "-ac", str(CHANNELS), *RAW[:2], output_argument(raw),
        ],
        duration_seconds=seconds, progress=progress, stage="stage.sound",
    )  # fmt: skip
    samples = raw.stat().st_size // (4 * CHANNELS)
    if not samples:
        return np.zeros((0, CHANNELS), dtype=np.float32)
    return np.memmap(raw, dtype="<f4", mode="r", shape=(samples, CHANNELS))


def _master(source: Path, samples: int, target: float | None, *, limited: bool, progress: Progress) -> Soundtrack:
    """Gain, limiter and AAC, repeated until the encoded file keeps the loudness and the true peak asked for."""
    raw, path = source.with_name("master.f32"), source.with_name("sound.m4a")
    if target is None and not limited:
        return _encode_as_it_is(source, path, progress)
    signal = _open(source, samples)
    before = measure_loudness(_raw_input(source), true_peak=False, progress=part(progress, 0, 0.1))
    if before.lufs is None:
        return _encode(source, path, part(progress, 0.1, 1))
    peaks = _peaks(signal, source.with_name("peaks.f32"))
    level = _Level(signal, peaks, raw, min(target - before.lufs, _MAX_GAIN_DB) if target is not None else 0.0)
    aim, ceiling_db = target, _FIRST_CEILING_DB
    for attempt in range(_ROUNDS):
        within = part(progress, 0.1 + 0.9 * attempt / _ROUNDS, 0.1 + 0.9 * (attempt + 1) / _ROUNDS)
        if aim is None:
            level.write(ceiling_db)
        else:
            level.reach(aim, ceiling_db, part(within, 0, 0.4))
        made = _encode(raw, path, part(within, 0.4, 1))
        lufs, peak = made.loudness.lufs, made.loudness.true_peak
        off = target - lufs if target is not None and lufs is not None else 0.0
        too_high = peak is not None and peak > TRUE_PEAK_DBTP
        if too_high and peak is not None:
            ceiling_db -= peak - TRUE_PEAK_DBTP + 0.2
        reachable = abs(off) > _TOLERANCE_LU and level.gain_db + off <= _MAX_GAIN_DB
        if reachable and aim is not None:
            aim += off
        if not too_high and not reachable:
            break
    raw.unlink()
    source.with_name("peaks.f32").unlink()
    return made


class _Level:
    """A sound brought to a loudness through the limiter, written to ``raw``."""

    def __init__(self, signal: Signal, peaks: NDArray[np.float32], raw: Path, gain_db: float) -> None:
        self.gain_db = gain_db
        self._signal = signal
        self._peaks = peaks
        self._raw = raw

    def write(self, ceiling_db: float) -> None:
        """Write the sound with the gain as it is."""
        with self._raw.open("wb") as file:
            limit(self._signal, self._peaks, 10 ** (self.gain_db / 20), 10 ** (ceiling_db / 20), file.write)

    def reach(self, target: float, ceiling_db: float, progress: Progress) -> None:
        """Write the sound at ``target`` LUFS, or as near as the largest gain brings it.

        The louder, the more the limiter takes back, so the gain is found by the secant of loudness over gain.
        """
        before: tuple[float, float] | None = None
        slope = _FIRST_SLOPE
        for attempt in range(_TRIES):
            self.write(ceiling_db)
            within = part(progress, attempt / _TRIES, (attempt + 1) / _TRIES)
            lufs = measure_loudness(_raw_input(self._raw), true_peak=False, progress=within).lufs
            if lufs is None or abs(target - lufs) <= _NEAR_LU or attempt == _TRIES - 1:
                return
            if before is not None and abs(self.gain_db - before[0]) > 0.1:
                slope = min(max((lufs - before[1]) / (self.gain_db - before[0]), 0.2), 1.0)
            before = (self.gain_db, lufs)
            wanted = min(self.gain_db + (target - lufs) / slope, _MAX_GAIN_DB)
            if wanted == self.gain_db:
                return
            self.gain_db = wanted


def _peaks(signal: Signal, path: Path) -> NDArray[np.float32]:
    with path.open("wb") as file:
        true_peaks(signal, file.write)
    return np.memmap(path, dtype="<f4", mode="r", shape=(len(signal),))


def _encode(raw: Path, path: Path, progress: Progress) -> Soundtrack:
    _write_aac(raw, path, [], "warning", part(progress, 0, 0.8))
    return Soundtrack(path, measure_loudness(source_arguments(path), progress=part(progress, 0.8, 1)))


def _encode_as_it_is(raw: Path, path: Path, progress: Progress) -> Soundtrack:
    """AAC of a sound nothing was asked of: measured on its way into the encoder, which saves decoding it again."""
    return Soundtrack(path, read_loudness(_write_aac(raw, path, ["-af", _METER], "info", progress).stderr))


def _write_aac(raw: Path, path: Path, filters: Sequence[str], loglevel: str, progress: Progress) -> ChildRun:
    seconds = raw.stat().st_size / (4 * CHANNELS * SAMPLE_RATE)
    return run_ffmpeg(
        [*_raw_input(raw), *filters, "-c:a", "aac", "-b:a", _BIT_RATE, output_argument(path)],
        duration_seconds=seconds, loglevel=loglevel, progress=progress, stage="stage.sound",
    )  # fmt: skip


def _raw_input(path: Path) -> list[str]:
    return [*RAW, "-i", output_argument(path)]


def _open(path: Path, samples: int) -> Signal:
    held = path.stat().st_size
    if held != samples * 4 * CHANNELS:
        raise EngineFailed("The sound came out with a wrong length.", f"{held} bytes for {samples} samples")
    return np.memmap(path, dtype="<f4", mode="r", shape=(samples, CHANNELS))


def _write_silence(path: Path, samples: int) -> None:
    with path.open("wb") as file:
        file.truncate(samples * 4 * CHANNELS)

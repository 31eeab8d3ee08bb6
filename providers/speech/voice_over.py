"""Spoken lines laid on a clock and brought to a loudness: what a voice says becomes a sound of the studio.

Voices (:mod:`providers.speech.piper`, :mod:`providers.speech.hosted_voice`) record line by line; the silence around
each is cut, so that the times told are those at which it sounds.
"""

from __future__ import annotations

import tempfile
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import EngineFailed
from core.narration import Line, SpokenLine, laid
from core.progress import Progress, no_progress, part
from providers.audio.decode import STUDIO_RATE
from providers.speech.piper import read_wav, trim_silence
from providers.video.process import output_argument, run_ffmpeg, source_arguments
from providers.video.soundtrack import Loudness, measure_loudness

TARGET_LUFS = -16.0
"""What podcasts and voice-overs are delivered at (Apple, AES TD1008)."""
_CEILING_DB = -2.0
_OVERSAMPLED = 4 * STUDIO_RATE
_MAX_GAIN_DB = 30.0
_TWO_CHANNELS_DB = 3.01
_TOLERANCE_LU, _SLOPE, _ROUNDS = 0.3, 0.7, 4

Say = Callable[[Sequence[str], Path, Progress], list[Path]]
"""Speaks lines into a folder, one mono 16-bit WAV each, all of one rate."""


@dataclass(frozen=True)
class Recording:
    """One spoken line without the silence around it: samples (mono, 16 bit) and their rate in Hz."""

    text: str
    samples: np.ndarray[Any, np.dtype[np.int16]]
    rate: int

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


@dataclass(frozen=True)
class VoiceOver:
    """A finished voice-over: 48 kHz stereo WAV, where each line sounds, its length and loudness."""

    path: Path
    lines: tuple[SpokenLine, ...]
    duration_seconds: float
    loudness: Loudness


def record(texts: Sequence[str], say: Say, folder: Path, *, progress: Progress = no_progress) -> list[Recording]:
    """Every text spoken, in order. Intermediate files are gone when this returns or raises."""
    with tempfile.TemporaryDirectory(prefix="voice-", dir=folder) as scratch:
        files = say(texts, Path(scratch), progress)
        if len(files) != len(texts):
            raise EngineFailed("The voice skipped a sentence.", f"{len(texts)} sentences, {len(files)} recordings")
        found = []
        for text, path in zip(texts, files, strict=True):
            samples, rate = read_wav(path)
            found.append(Recording(text, trim_silence(samples, rate), rate))
    return found


def lay_down(recordings: Sequence[Recording], starts: Sequence[float], seconds: float, path: Path) -> None:
    """One mono WAV of ``seconds`` with each recording at its start, at the voice's own rate. They must not overlap."""
    rate = recordings[0].rate
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        position, last = 0, round(seconds * rate)
        for recording, start in zip(recordings, starts, strict=True):
            at = max(round(start * rate), position)
            out.writeframes(bytes(2 * (at - position)))
            out.writeframes(recording.samples.tobytes())
            position = at + len(recording.samples)
        out.writeframes(bytes(2 * max(last - position, 0)))


def speak(
    lines: Sequence[Line], say: Say, folder: Path, *, speed: float = 1.0, progress: Progress = no_progress
) -> VoiceOver:
    """Speak ``lines`` with their pauses into ``folder``/voice-over.wav at :data:`TARGET_LUFS`, at most −1 dBTP.

    ``speed`` 2 is twice as fast at the same pitch, pauses included.

    Raises:
        NotConfigured, ProviderRefused, EngineFailed: from the voice.
        JobCancelled: raised by ``progress``.
    """
    recordings = record([line.text for line in lines], say, folder, progress=part(progress, 0.0, 0.9))
    said = laid(lines, [recording.seconds for recording in recordings])
    path = folder / "voice-over.wav"
    spoken = tuple(SpokenLine(line.text, line.start / speed, line.end / speed) for line in said)
    loudness = place(
        recordings, [line.start for line in spoken], spoken[-1].end, path, speed=speed, progress=part(progress, 0.9, 1)
    )
    return VoiceOver(path, spoken, spoken[-1].end, loudness)


def place(
    recordings: Sequence[Recording],
    starts: Sequence[float],
    seconds: float,
    path: Path,
    *,
    speed: float = 1.0,
    progress: Progress = no_progress,
) -> Loudness:
    """Write a 48 kHz stereo WAV of ``seconds`` in which each recording, played at ``speed``, begins at its start."""
    raw = path.with_name(f"{path.stem}-raw.wav")
    lay_down(recordings, [start * speed for start in starts], seconds * speed, raw)
    loudness = _levelled(raw, path, seconds, speed, progress)
    raw.unlink()
    return loudness


def _levelled(raw: Path, path: Path, seconds: float, speed: float, progress: Progress) -> Loudness:
    """Static gain into a limiter at four times the rate, where the peaks between samples are seen (ITU-R BS.1770-4).
    The limiter takes back a part of each further decibel, so the gain is corrected by what came out."""
    before = measure_loudness(source_arguments(raw), true_peak=False, progress=part(progress, 0.0, 0.1))
    # One channel measures 3 dB below the same sound from two.
    gain = 0.0 if before.lufs is None else min(TARGET_LUFS - before.lufs - _TWO_CHANNELS_DB, _MAX_GAIN_DB)
    made = before
    for attempt in range(_ROUNDS):
        share = part(progress, 0.1 + 0.9 * attempt / _ROUNDS, 0.1 + 0.9 * (attempt + 1) / _ROUNDS)
        _limited(raw, path, gain, seconds, speed, part(share, 0.0, 0.8))
        made = measure_loudness(source_arguments(path), progress=part(share, 0.8, 1.0))
        off = 0.0 if made.lufs is None else TARGET_LUFS - made.lufs
        if abs(off) <= _TOLERANCE_LU or gain >= _MAX_GAIN_DB:
            break
        gain = min(gain + off / _SLOPE, _MAX_GAIN_DB)
    return made


def _limited(raw: Path, path: Path, gain: float, seconds: float, speed: float, progress: Progress) -> None:
    tempo = f"atempo={speed:.6f}," if speed != 1.0 else ""
    run_ffmpeg(
        [
            *source_arguments(raw), "-map", "0:a:0",
            "-af", f"{tempo}aresample={_OVERSAMPLED},volume={gain:.2f}dB,"
            f"alimiter=limit={10 ** (_CEILING_DB / 20):.4f}:attack=5:release=50:level=disabled:latency=1,"
            f"aresample={STUDIO_RATE},pan=stereo|c0=c0|c1=c0,apad,atrim=end_sample={round(seconds * STUDIO_RATE)}",
            "-c:a", "pcm_s24le", output_argument(path),
        ],
        duration_seconds=seconds, progress=progress, stage="stage.sound",
    )  # fmt: skip

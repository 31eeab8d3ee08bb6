"""Sounds laid over each other, sample by sample: what is mixed at unity is their exact sum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.music.stem_payloads import MixFormat
from core.progress import Progress, no_progress, part
from providers.audio import decode
from providers.video.process import output_argument, run_ffmpeg, source_arguments

# Encoders at rates where the loss is not heard; FFmpeg's documentation of libmp3lame and aac.
_ENCODERS: dict[MixFormat, tuple[str, ...]] = {
    "mp3": ("-c:a", "libmp3lame", "-b:a", "256k", "-f", "mp3"),
    "m4a": ("-c:a", "aac", "-b:a", "256k", "-movflags", "+faststart", "-f", "mp4"),
}
_FULL = 2**23
_BLOCK = 1 << 18
_WAV_LIMIT = 4_000_000_000


@dataclass(frozen=True)
class Source:
    """One sound and its level in dB. ``stem`` says that it is a WAV of the studio's own making (48 kHz, stereo, 24
    bits), which is read as it is; every other file is decoded by FFmpeg."""

    path: Path
    gain_db: float = 0.0
    stem: bool = False


@dataclass(frozen=True)
class Mixed:
    """The file; ``lowered_db`` is how far the whole was turned down because its sum would have clipped, 0 otherwise."""

    path: Path
    duration_seconds: float
    lowered_db: float


def mix(sources: Sequence[Source], folder: Path, form: MixFormat, *, progress: Progress = no_progress) -> Mixed:
    """Mix ``sources``, which all begin together, into a 48 kHz stereo file in ``folder``, as long as the longest.

    A sum beyond full scale turns the whole mix down to just below it, so that nothing clips and the balance stays.

    Raises:
        UnsupportedMedia: a source has no sound, or is damaged.
        JobCancelled: raised by ``progress``.
    """
    import soundfile

    with ExitStack() as stack:
        files = [
            stack.enter_context(soundfile.SoundFile(_as_wav(source, folder / f"track-{index}.wav", progress)))
            for index, source in enumerate(sources)
        ]
        gains = [10 ** (source.gain_db / 20) for source in sources]
        frames = max(file.frames for file in files)
        peak = max(
            (float(np.max(np.abs(block), initial=0.0)) for block in _sums(files, gains, part(progress, 0.1, 0.4))),
            default=0.0,
        )
        factor = min(1.0, (_FULL - 1) / peak) if peak > _FULL else 1.0
        path = folder / "mix.wav"
        shape = "WAV" if frames * 6 < _WAV_LIMIT else "RF64"
        target = soundfile.SoundFile(path, "w", decode.STUDIO_RATE, 2, subtype="PCM_24", format=shape)
        with target:
            for block in _sums(files, gains, part(progress, 0.4, 0.8)):
                steps = np.rint(block * factor).clip(-_FULL, _FULL - 1).astype(np.int32)
                target.write(steps * 256)
    for left in folder.glob("track-*.wav"):
        left.unlink()
    seconds = frames / decode.STUDIO_RATE
    lowered = round(-20 * float(np.log10(factor)), 2) if factor < 1 else 0.0
    if form == "wav":
        return Mixed(path, seconds, lowered)
    encoded = folder / f"mix.{form}"
    run_ffmpeg(
        [*source_arguments(path), "-map", "0:a:0", *_ENCODERS[form], output_argument(encoded)],
        duration_seconds=seconds, progress=part(progress, 0.8, 1.0), stage="stage.sound",
    )  # fmt: skip
    path.unlink()
    return Mixed(encoded, seconds, lowered)


def _as_wav(source: Source, copy: Path, progress: Progress) -> Path:
    if source.stem:
        return source.path
    decode.to_wav(source.path, copy, progress=part(progress, 0.0, 0.1))
    return copy


def _sums(files: Sequence[Any], gains: Sequence[float], progress: Progress) -> Iterator[Any]:
    """The sum in 24-bit steps as float64, block by block; integers up to 2^53 are exact in it."""
    frames = max(file.frames for file in files)
    for file in files:
        file.seek(0)
    for start in range(0, frames, _BLOCK):
        count = min(_BLOCK, frames - start)
        total = np.zeros((count, 2))
        for file, gain in zip(files, gains, strict=True):
            samples = file.read(count, dtype="int32", always_2d=True)
            total[: len(samples)] += (samples // 256) * gain
        yield total
        progress((start + count) / frames, "stage.sound")

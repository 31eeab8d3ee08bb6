"""A composed song to sound: each instrument a stem, and their sum, to the last bit, the song.

The room is linear and the master is a gain for every sample, worked out on the sum and applied to each stem; so what
the stems are rounded to adds up to the song exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.music.composing.song import Song
from core.music.composing.styles import STYLES
from core.progress import Progress, no_progress, part
from providers.audio.composer import PEAK_DBFS, TAIL_SECONDS, TARGET_LUFS, Hall, room, wrap
from providers.audio.soundfont import RATE, Audio, render

EDITION = "1"  # grows when a song would sound different
_STEPS = 2**23
_FADE_SECONDS = 1.2
_KNEE = 0.7
_PART_LUFS = -20.0  # a melody, before the master
_QUIET_LUFS = -60.0


@dataclass(frozen=True)
class Performance:
    """Files of 48 kHz, stereo, 24 bits: the song and its stems by instrument, all equally long."""

    song: Path
    stems: Mapping[str, Path]
    loudness_lufs: float | None


def perform(song: Song, style: str, seed: int, folder: Path, *, progress: Progress = no_progress) -> Performance:
    """Play a song into ``folder``; a loop's end rings into its beginning, anything else ends in silence.

    Raises:
        NotConfigured: the soundfont is not installed.
    """
    import soundfile

    length = round(song.seconds * RATE)
    manner = STYLES[style]
    hall = Hall(seed, manner.reverb_seconds, manner.reverb_db, manner.cutoff_hz)
    kept: dict[str, Path] = {}
    total = np.zeros((length, 2), np.float32)
    for index, one in enumerate(song.score.parts):
        share = part(progress, 0.8 * index / len(song.score.parts), 0.8 * (index + 1) / len(song.score.parts))
        alone = replace(song.score, parts=(one,))
        tail = song.seconds - song.score.seconds + (TAIL_SECONDS if song.loop else 0.0)
        sound = render(alone, tail_seconds=tail)
        sound = room(wrap(sound, length) if song.loop else sound[:length], hall, loop=song.loop)
        sound *= _balance(sound, song.levels[one.name])
        kept[one.name] = folder / f"{one.name}.npy"
        np.save(kept[one.name], sound)
        total += sound
        share(1.0, "stage.music")
    gain, loudness = _master(total, loop=song.loop)
    progress(0.85, "stage.music")
    stems: dict[str, Path] = {}
    steps = np.zeros((length, 2), np.int32)
    for name, path in kept.items():
        ours = np.rint(np.load(path, mmap_mode="r") * gain * _STEPS).astype(np.int32)
        stems[name] = folder / f"{name}.wav"
        soundfile.write(stems[name], ours * 256, RATE, subtype="PCM_24")
        steps += ours
        path.unlink()
        progress(0.85, "stage.music")
    target = folder / "song.wav"
    soundfile.write(target, steps * 256, RATE, subtype="PCM_24")
    progress(1.0, "stage.music")
    return Performance(target, stems, loudness)


def _balance(sound: Audio, level: float) -> np.float32:
    """The factor that makes a part as loud, where it plays, as its place in the mix asks."""
    import pyloudnorm

    loudness = float(pyloudnorm.Meter(RATE).integrated_loudness(sound))
    if not np.isfinite(loudness):
        return np.float32(1.0)
    return np.float32(10 ** ((_PART_LUFS + level - loudness) / 20))


def _master(sound: Audio, *, loop: bool) -> tuple[Any, float | None]:
    """The gain of every sample that brings the sum to the target loudness, its peaks bent below the ceiling and, where
    it ends, its last second to silence; and the loudness then."""
    import pyloudnorm

    ceiling = 10 ** (PEAK_DBFS / 20)
    meter = pyloudnorm.Meter(RATE)
    gain = np.ones((len(sound), 1), np.float32)
    if not loop:
        fade = min(round(_FADE_SECONDS * RATE), len(sound))
        gain[-fade:, 0] = np.cos(np.linspace(0, np.pi / 2, fade)) ** 2
    gain = np.repeat(gain, 2, axis=1)
    for _ in range(3):
        loudness = float(meter.integrated_loudness(sound * gain))
        if not np.isfinite(loudness) or loudness < _QUIET_LUFS:
            return gain, None
        gain *= np.float32(10 ** ((TARGET_LUFS - loudness) / 20))
        gain *= _bend(np.abs(sound * gain), ceiling)
    return gain, round(float(meter.integrated_loudness(sound * gain)), 2)


def _bend(level: Audio, ceiling: float) -> Audio:
    """By how much a level is lowered: not at all up to 70 % of the ceiling, then ever more towards it."""
    knee = _KNEE * ceiling
    bent = knee + (ceiling - knee) * np.tanh(np.maximum(level - knee, 0.0) / (ceiling - knee))
    return np.asarray(np.where(level > knee, bent / np.maximum(level, knee), 1.0), np.float32)

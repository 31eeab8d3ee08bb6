"""The built-in background tracks as 48 kHz WAV, looped without a seam and mastered to one loudness."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import InvalidInput
from core.music.arrange import arrange
from core.music.presets import PRESETS, Preset
from core.progress import Progress, no_progress
from providers.audio.soundfont import RATE, SOUNDFONT_LICENCE, Audio, render

TARGET_LUFS = -16.0
PEAK_DBFS = -1.5
# Grows when a track would sound different, so that kept files of older scores are rendered again.
EDITION = "1"
TAIL_SECONDS = 6.0
_RUMBLE_HZ = 32.0
_PREDELAY = round(0.018 * RATE)


def preset_of(name: str) -> Preset:
    """Look a built-in track up; raises :class:`InvalidInput` for an unknown one."""
    if name not in PRESETS:
        raise InvalidInput("The studio has no music of this name.", f"{name}; there are: {', '.join(PRESETS)}")
    return PRESETS[name]


def describe(name: str) -> dict[str, Any]:
    """What is stored with the asset of a built-in track."""
    preset = preset_of(name)
    return {
        "builtin": True,
        "audio_preset": preset.name,
        "edition": EDITION,
        "bpm": preset.bpm,
        "key": preset.key,
        "bars": preset.bars,
        "time_signature": "4/4",
        "loopable": True,
        "licence": LICENCE,
    }


LICENCE = f"MIT (score); {SOUNDFONT_LICENCE}"


def ensure_track(folder: Path, name: str, *, progress: Progress = no_progress) -> Path:
    """The WAV of a built-in track in ``folder``, rendered if it is not there yet (one or two seconds of work).

    Raises:
        InvalidInput: no such preset.
        NotConfigured: the soundfont is not installed.
    """
    preset = preset_of(name)
    path = folder / f"{name}-{EDITION}.wav"
    if not path.is_file():
        import soundfile

        progress(0.0, "stage.music")
        sound = compose(preset)
        progress(0.9, "stage.music")
        folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        soundfile.write(partial, sound, RATE, subtype="PCM_16", format="WAV")
        partial.replace(path)
    progress(1.0, "stage.music")
    return path


def compose(preset: Preset) -> Audio:
    """The finished track, float32 of shape (frames, 2): exactly its bars long, its end ringing into its beginning."""
    score = arrange(preset)
    length = round(score.seconds * RATE)
    hall = Hall(preset.seed, preset.reverb_seconds, preset.reverb_db, preset.cutoff_hz)
    return _master(room(wrap(render(score, tail_seconds=TAIL_SECONDS), length), hall))


def wrap(sound: Audio, length: int) -> Audio:
    """The first ``length`` frames with what rings on after them mixed into the beginning: a loop without a seam."""
    looped = sound[:length].copy()
    tail = sound[length : 2 * length]
    looped[: len(tail)] += tail
    return looped


@dataclass(frozen=True)
class Hall:
    """Where music is heard: how long and how loud it reverberates, and where the highs end."""

    seed: int
    reverb_seconds: float
    reverb_db: float
    cutoff_hz: float


def room(sound: Audio, hall: Hall, *, loop: bool = True) -> Audio:
    """Reverberation by decaying noise (Moorer 1979) and filters. Of a loop, what passes the end comes back at the
    beginning; of anything else it is lost. Linear: the rooms of parts sum to the room of their sum."""
    from scipy import signal

    source = np.random.default_rng(hall.seed)
    count = round(hall.reverb_seconds * RATE)
    response = source.standard_normal((count, 2)) * np.exp(-6.9 * np.arange(count) / count)[:, None]
    response *= 10 ** (hall.reverb_db / 20) / np.sqrt(np.sum(response**2, axis=0))
    wet = np.zeros((len(sound) + count + _PREDELAY, 2), np.float32)
    wet[_PREDELAY : _PREDELAY + len(sound) + count - 1] = signal.oaconvolve(sound, response.astype(np.float32), axes=0)
    mixed = sound + (wrap(wet, len(sound)) if loop else wet[: len(sound)])
    filters = np.vstack(
        [
            signal.butter(2, _RUMBLE_HZ, "highpass", fs=RATE, output="sos"),
            signal.butter(2, hall.cutoff_hz, "lowpass", fs=RATE, output="sos"),
        ]
    )
    before = mixed[-2 * RATE :] if loop else mixed[:0]  # filters that have heard the end begin a loop without a step
    filtered = signal.sosfilt(filters, np.concatenate([before, mixed]), axis=0)[len(before) :]
    return np.asarray(filtered, np.float32)


def _master(sound: Audio) -> Audio:
    """Brought to the target loudness; peaks are rounded off smoothly below the ceiling, so that nothing clips."""
    import pyloudnorm

    ceiling = 10 ** (PEAK_DBFS / 20)
    meter = pyloudnorm.Meter(RATE)
    for _ in range(3):
        gain = 10 ** ((TARGET_LUFS - meter.integrated_loudness(sound)) / 20)
        sound = _soften(sound * np.float32(gain), ceiling)
    return sound


def _soften(sound: Audio, ceiling: float) -> Audio:
    """Linear up to 70 % of the ceiling, then bent towards it."""
    knee = 0.7 * ceiling
    level = np.abs(sound)
    over = np.maximum(level - knee, 0.0) / (ceiling - knee)
    bent = np.where(level > knee, knee + (ceiling - knee) * np.tanh(over), level)
    return (np.sign(sound) * bent).astype(np.float32)

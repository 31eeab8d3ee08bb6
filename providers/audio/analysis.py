"""Tempo, beats, metre, key, chords, energy and loudness of a piece of music, with librosa's signal processing.

Harmonic and percussive parts are separated first (Fitzgerald 2010); beats are tracked on the percussive onsets by
dynamic programming (Ellis 2007) around a tempo folded into the range in which people tap; the chroma is a tuned
constant-Q transform of the harmonic part. What the numbers mean is decided in :mod:`core.music`.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import UnsupportedMedia
from core.music.keys import chord_path, estimate_key, roman_numeral, scale_of
from core.music.metre import Metre, estimate_metre, fold_tempo
from core.progress import Progress, no_progress, part
from providers.audio import decode

RATE = 22_050
HOP = 512
LONGEST_SECONDS = 20 * 60.0
ENERGY_STEP_SECONDS = 0.5
SILENCE_DBFS = -70.0
Array = np.ndarray[Any, np.dtype[np.float32]]


def analyze(path: Path, tasks: Collection[str], *, progress: Progress = no_progress) -> dict[str, Any]:
    """Analyse the first twenty minutes of a file; the result has the shape of ``POST /music/analyze`` (SPEC H3).

    Values of tasks that were not asked for are missing; ``bpm`` and ``key`` are None where the music has none to find.

    Raises:
        UnsupportedMedia: no sound, silence, or less than two seconds.
    """
    from librosa import estimate_tuning
    from librosa.effects import hpss
    from librosa.feature import chroma_cqt

    samples = decode.mono(path, RATE, limit_seconds=LONGEST_SECONDS, progress=part(progress, 0.0, 0.15))
    if samples.size < 2 * RATE:
        raise UnsupportedMedia("This is too short to analyse.", "At least two seconds of sound are needed.")
    if 20 * np.log10(np.sqrt(np.mean(samples**2)) + 1e-12) < SILENCE_DBFS:
        raise UnsupportedMedia("There is only silence in this file.")
    result: dict[str, Any] = {"duration_seconds": round(samples.size / RATE, 3)}
    if {"tempo", "beats", "key", "chords"} & set(tasks):
        progress(0.2, "stage.music")
        harmonic, percussive = hpss(samples)
        progress(0.45, "stage.music")
        chroma = chroma_cqt(y=harmonic, sr=RATE, hop_length=HOP, tuning=estimate_tuning(y=harmonic, sr=RATE))
        progress(0.65, "stage.music")
        rhythm = _rhythm(samples, percussive, chroma)
        harmony = _harmony(chroma, rhythm["frames"])
        wanted = set(tasks)
        if {"tempo", "beats"} & wanted:
            result |= {name: rhythm[name] for name in ("bpm", "beats", "downbeats", "time_signature")}
        if "key" in wanted:
            result |= {name: harmony[name] for name in ("key", "key_confidence", "scale")}
        if "chords" in wanted:
            result["chords"] = _chords(harmony, rhythm["beats"], result["duration_seconds"])
    progress(0.85, "stage.music")
    if "energy" in tasks:
        result["energy_curve"] = _energy(samples)
    if "loudness" in tasks:
        import pyloudnorm

        loudness = float(pyloudnorm.Meter(RATE).integrated_loudness(samples.astype(np.float64)))
        result["loudness_lufs"] = round(loudness, 2) if np.isfinite(loudness) else None
    progress(1.0)
    return result


def _rhythm(samples: Array, percussive: Array, chroma: Array) -> dict[str, Any]:
    from librosa import frames_to_time
    from librosa.beat import beat_track
    from librosa.feature import tempo
    from librosa.onset import onset_strength

    onsets = onset_strength(y=percussive, sr=RATE, hop_length=HOP, aggregate=np.median)
    if float(onsets.max(initial=0.0)) < 1e-3:
        onsets = onset_strength(y=samples, sr=RATE, hop_length=HOP)
    guess = float(tempo(onset_envelope=onsets, sr=RATE, hop_length=HOP, start_bpm=115.0)[0])
    _, frames = beat_track(
        onset_envelope=onsets, sr=RATE, hop_length=HOP, bpm=fold_tempo(guess), tightness=120, trim=False
    )
    frames = np.asarray(frames, dtype=int)
    if frames.size < 4:
        return {"frames": frames, "bpm": None, "beats": [], "downbeats": [], "time_signature": None}
    times = frames_to_time(frames, sr=RATE, hop_length=HOP)
    metre = _metre(samples, chroma, frames)
    # The slope through all beats is steadier than the median distance of neighbours, which the hop quantises.
    slope = float(np.polyfit(np.arange(times.size), times, 1)[0])
    return {
        "frames": frames,
        "bpm": round(60.0 / slope, 2),
        "beats": [round(float(time), 3) for time in times],
        "downbeats": [round(float(time), 3) for time in times[metre.first_downbeat :: metre.beats_per_bar]],
        "time_signature": metre.time_signature,
    }


def _metre(samples: Array, chroma: Array, frames: Any) -> Metre:
    from librosa import power_to_db
    from librosa.feature import melspectrogram

    low = melspectrogram(y=samples, sr=RATE, hop_length=HOP, n_mels=12, fmin=30, fmax=180)
    rise = np.maximum(0.0, np.diff(power_to_db(low), axis=1, prepend=-80.0)).mean(axis=0)
    width = 3
    accents = [float(rise[max(0, frame - width) : frame + width + 1].max(initial=0.0)) for frame in frames]
    beat_chroma = _by_beat(chroma, frames)
    unit = beat_chroma / np.maximum(np.linalg.norm(beat_chroma, axis=1, keepdims=True), 1e-9)
    changes = [0.0, *(float(1.0 - unit[index] @ unit[index - 1]) for index in range(1, len(unit)))]
    return estimate_metre(accents, changes)


def _by_beat(chroma: Array, frames: Any) -> Array:
    """Median chroma between each beat and the next: (beats, 12)."""
    bounds = [*frames, chroma.shape[1]]
    rows = [
        np.median(chroma[:, start : max(end, start + 1)], axis=1) if start < chroma.shape[1] else np.zeros(12)
        for start, end in pairwise(bounds)
    ]
    return np.asarray(rows, dtype=np.float32).reshape(-1, 12)


def _harmony(chroma: Array, frames: Any) -> dict[str, Any]:
    by_beat = _by_beat(chroma, frames)
    opening = [float(value) for value in by_beat[:4].sum(axis=0)] if len(by_beat) else None
    estimate = estimate_key([float(value) for value in chroma.sum(axis=1)], opening)
    key = estimate.key if estimate else None
    return {
        "key": key,
        "key_confidence": estimate.confidence if estimate else None,
        "scale": scale_of(key) if key else None,
        "beat_chroma": by_beat.tolist(),
    }


def _chords(harmony: dict[str, Any], beats: list[float], duration: float) -> list[dict[str, Any]]:
    if not beats:
        return []
    path = chord_path(harmony["beat_chroma"], harmony["key"])
    found: list[dict[str, Any]] = []
    for chord, start, end in zip(path, beats, [*beats[1:], duration], strict=True):
        if found and found[-1]["chord"] == chord:
            found[-1]["end"] = end
        else:
            roman = roman_numeral(chord, harmony["key"]) if harmony["key"] else ""
            found.append({"time": start, "end": end, "chord": chord, "roman": roman})
    return found


def _energy(samples: Array) -> dict[str, Any]:
    """Level twice a second, 0 at −60 dBFS and 1 at 0 dBFS."""
    step = int(RATE * ENERGY_STEP_SECONDS)
    blocks = samples[: samples.size // step * step].reshape(-1, step)
    level = 20 * np.log10(np.sqrt(np.mean(blocks**2, axis=1)) + 1e-9)
    return {
        "step_seconds": ENERGY_STEP_SECONDS,
        "values": [round(float(value), 3) for value in np.clip((level + 60) / 60, 0, 1)],
    }

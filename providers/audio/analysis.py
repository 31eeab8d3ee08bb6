"""Tempo, beats, metre, key, chords, form, energy and loudness of a piece of music, with librosa's signal processing.

The key comes from the notes that Basic Pitch hears, the beats from :mod:`providers.audio.beats`, chords from a tuned
constant-Q chroma of the harmonic part (Fitzgerald, "Harmonic/percussive separation using median filtering", 2010). What
the numbers mean is decided in :mod:`core.music`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import UnsupportedMedia
from core.music.keys import chord_path, estimate_key, roman_numeral
from core.music.scales import estimate_scale
from core.music.structure import BarSound, bar_starts, find_sections
from core.progress import Progress, no_progress, part
from providers.audio import beats, decode, notes

RATE = 22_050
HOP = 512
LONGEST_SECONDS = 20 * 60.0
ENERGY_STEP_SECONDS = 0.5
SILENCE_DBFS = -70.0
_BANDS = 40
Array = np.ndarray[Any, np.dtype[np.float32]]


def analyze(path: Path, tasks: Collection[str], *, progress: Progress = no_progress) -> dict[str, Any]:
    """Analyse the first twenty minutes of a file; the result has the shape of ``POST /music/analyze`` (SPEC H3).

    Values of tasks that were not asked for are missing; ``bpm`` and ``key`` are None where the music has none to find.

    Raises:
        UnsupportedMedia: no sound, silence, or less than two seconds.
    """
    samples = decode.mono(path, RATE, limit_seconds=LONGEST_SECONDS, progress=part(progress, 0.0, 0.15))
    if samples.size < 2 * RATE:
        raise UnsupportedMedia("This is too short to analyse.", "At least two seconds of sound are needed.")
    if 20 * np.log10(np.sqrt(np.mean(samples**2)) + 1e-12) < SILENCE_DBFS:
        raise UnsupportedMedia("There is only silence in this file.")
    result: dict[str, Any] = {"duration_seconds": round(samples.size / RATE, 3)}
    wanted = set(tasks)
    if {"tempo", "beats", "key", "chords", "sections"} & wanted:
        sounding, beginning = notes.activations(samples, progress=part(progress, 0.15, 0.5))
        heard = notes.heard(sounding)
        key = estimate_key(heard)
        if "key" in wanted:
            scale = estimate_scale(heard.whole, key.key) if key else None
            result |= {
                "key": key.key if key else None,
                "key_confidence": key.confidence if key else None,
                "scale": scale.name if scale else None,
                "scale_confidence": scale.confidence if scale else None,
            }
        if {"tempo", "beats", "chords", "sections"} & wanted:
            onsets = beats.observe(samples, sounding, beginning)
            found = beats.find(onsets)
            frames = found.frames if found is not None else np.zeros(0)
            rhythm = _rhythm(found)
            progress(0.7, "stage.music")
        if {"tempo", "beats"} & wanted:
            result |= rhythm
        if {"chords", "sections"} & wanted:
            chroma = _chroma(samples)
        if "chords" in wanted:
            result["chords"] = _chords(chroma, frames, key.key if key else None, result["duration_seconds"])
        if "sections" in wanted:
            result["sections"] = _sections(samples, chroma, rhythm["downbeats"], result["duration_seconds"])
    progress(0.85, "stage.music")
    if "energy" in tasks:
        result["energy_curve"] = _energy(samples)
    if "loudness" in tasks:
        import pyloudnorm

        loudness = float(pyloudnorm.Meter(RATE).integrated_loudness(samples.astype(np.float64)))
        result["loudness_lufs"] = round(loudness, 2) if np.isfinite(loudness) else None
    progress(1.0)
    return result


def _rhythm(found: beats.Beats | None) -> dict[str, Any]:
    if found is None:
        return {"bpm": None, "beats": [], "downbeats": [], "time_signature": None}
    times = found.frames / notes.FRAMES_PER_SECOND
    # The slope through all beats is steadier than the median distance of neighbours, which the hop quantises.
    slope = float(np.polyfit(np.arange(times.size), times, 1)[0])
    return {
        "bpm": round(60.0 / slope, 2),
        "beats": [round(float(time), 3) for time in times],
        "downbeats": [round(float(time), 3) for time in times[found.places == 0]],
        "time_signature": f"{found.beats_per_bar}/4",
    }


def _by_beat(chroma: Array, frames: Any) -> Array:
    """Median chroma between each beat and the next: (beats, 12)."""
    bounds = [*frames, chroma.shape[1]]
    rows = [
        np.median(chroma[:, start : max(end, start + 1)], axis=1) if start < chroma.shape[1] else np.zeros(12)
        for start, end in pairwise(bounds)
    ]
    return np.asarray(rows, dtype=np.float32).reshape(-1, 12)


def _chroma(samples: Array) -> Array:
    """Energy by pitch class of what is sustained, tuned to the piece: (12, frames of HOP samples)."""
    from librosa import estimate_tuning
    from librosa.effects import harmonic
    from librosa.feature import chroma_cqt

    sustained = harmonic(samples)
    tuning = estimate_tuning(y=sustained, sr=RATE)
    return np.asarray(chroma_cqt(y=sustained, sr=RATE, hop_length=HOP, tuning=tuning), np.float32)


def _chords(chroma: Array, beat_frames: beats.Frames, key: str | None, duration: float) -> list[dict[str, Any]]:
    if not beat_frames.size:
        return []
    times = beat_frames / notes.FRAMES_PER_SECOND
    path = chord_path(_by_beat(chroma, np.round(times * RATE / HOP).astype(int)).tolist(), key)
    starts = [round(float(time), 3) for time in times]
    found: list[dict[str, Any]] = []
    for chord, start, end in zip(path, starts, [*starts[1:], duration], strict=True):
        if found and found[-1]["chord"] == chord:
            found[-1]["end"] = end
        else:
            found.append({"time": start, "end": end, "chord": chord, "roman": roman_numeral(chord, key) if key else ""})
    return found


def _sections(samples: Array, chroma: Array, downbeats: list[float], duration: float) -> list[dict[str, Any]]:
    from librosa import power_to_db
    from librosa.feature import melspectrogram

    starts = bar_starts(downbeats, duration)
    if not starts:
        return []
    bands = power_to_db(melspectrogram(y=samples, sr=RATE, hop_length=HOP, n_mels=_BANDS))
    frames = np.round(np.array([*starts, duration]) * RATE / HOP).astype(int)
    sounds = [
        BarSound(start, _mean(chroma, first, last), _mean(bands, first, last))
        for start, (first, last) in zip(starts, pairwise(frames), strict=True)
    ]
    return [asdict(section) for section in find_sections(sounds, duration)]


def _mean(rows: Array, first: int, last: int) -> tuple[float, ...]:
    return tuple(float(value) for value in rows[:, first : max(last, first + 1)].mean(axis=1))


def _energy(samples: Array) -> dict[str, Any]:
    """Level twice a second, 0 at −60 dBFS and 1 at 0 dBFS."""
    step = int(RATE * ENERGY_STEP_SECONDS)
    blocks = samples[: samples.size // step * step].reshape(-1, step)
    level = 20 * np.log10(np.sqrt(np.mean(blocks**2, axis=1)) + 1e-9)
    return {
        "step_seconds": ENERGY_STEP_SECONDS,
        "values": [round(float(value), 3) for value in np.clip((level + 60) / 60, 0, 1)],
    }

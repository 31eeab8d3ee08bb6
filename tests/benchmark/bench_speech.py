"""Transcription with the bundled model: speed, words, and where sentences begin; paired with plain faster-whisper."""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import soundfile

from core import speech
from core.video.timeline import Word
from providers.speech.pcm import as_floats, decode
from providers.speech.vad import faster_whisper
from providers.speech.whisper import _engine, transcribe
from tests.benchmark.hour import sentences
from tests.media import SpokenClip, spoken_clip

TITLE = "Transcription"
NOISE_DB = -40.0


def noisy(clip: SpokenClip, folder: Path) -> Path:
    """The clip with a room's hum and hiss under it."""
    sound, rate = soundfile.read(clip.path)
    source = np.random.default_rng(5)
    hiss = source.standard_normal(sound.size) * 10 ** (NOISE_DB / 20)
    hum = 0.004 * np.sin(2 * np.pi * 50 * np.arange(sound.size) / rate)
    path = folder / "noisy.wav"
    soundfile.write(path, np.clip(sound * 0.7 + hiss + hum, -1, 1), rate)
    return path


def ours(path: Path, folder: Path) -> Sequence[Word]:
    return transcribe(path, language="en", model=speech.BUNDLED, folder=folder).words


def plain(path: Path, folder: Path) -> Sequence[Word]:
    """faster-whisper as its documentation shows it, with word times and voice activity."""
    found = speech.folder_of(speech.BUNDLED)
    assert found is not None
    faster_whisper()
    segments, _ = _engine(str(found)).transcribe(
        as_floats(decode(path, folder)), language="en", vad_filter=True, word_timestamps=True
    )
    return [Word(word=word.word.strip(), start=word.start, end=word.end) for each in segments for word in each.words]


def run(quick: bool) -> str:
    lines = sentences(12 if quick else 92)
    pauses = [(0.35, 0.8, 1.6, 0.5, 2.5)[index % 5] for index in range(len(lines))]
    clip = spoken_clip(lines, pauses)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours(spoken_clip().path, folder)  # loads the model
        for what, path in (("clean", clip.path), ("hum and hiss", noisy(clip, folder))):
            for title, method in (("studio", ours), ("faster-whisper", plain)):
                rows.append(_measure(f"{what}, {title}", method, path, folder, clip, 1 if quick else 3))
    head = "| sound, engine | × real time | CPU s per minute | word errors | sentence start off, median / p90 |"
    return "\n".join(
        [
            f"{clip.duration:.0f} s of synthetic speech, {len(lines)} sentences, pauses of 0.35–2.5 s, the built-in "
            "English model at 8 bit. Goals: 20 × real time, sentence starts within 0.10 s.",
            "",
            head,
            "|---|---|---|---|---|",
            *rows,
        ]
    )


def _measure(
    title: str,
    method: Callable[[Path, Path], Sequence[Word]],
    path: Path,
    folder: Path,
    clip: SpokenClip,
    times: int,
) -> str:
    walls, cpus = [], []
    words: Sequence[Word] = ()
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        words = method(path, folder)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    off = sorted(min(abs(word.start - said.start) for word in words) for said in clip.sentences)
    errors = word_errors(clip.text, " ".join(word.word for word in words))
    speed = clip.duration / statistics.median(walls)
    return (
        f"| {title} | {speed:.1f} | {statistics.median(cpus) / clip.duration * 60:.1f} | {errors:.1%} | "
        f"{statistics.median(off):.3f} / {off[int(len(off) * 0.9)]:.3f} s |"
    )


def word_errors(said: str, heard: str) -> float:
    """Levenshtein distance in words over the number of words said."""
    reference, guess = (re.findall(r"[a-z0-9']+", text.lower()) for text in (said, heard))
    row = np.arange(len(guess) + 1)
    for index, word in enumerate(reference, 1):
        before, row = row, np.empty_like(row)
        row[0] = index
        for place, other in enumerate(guess, 1):
            row[place] = min(before[place] + 1, row[place - 1] + 1, before[place - 1] + (word != other))
    return float(row[-1] / len(reference))

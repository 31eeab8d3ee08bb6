"""Hesitations that a recogniser leaves out: "um" and "uh" heard as sounds, whatever the language.

Whisper was trained on texts without them and writes few of the ones it hears. What is left then is a sound between two
pauses to which no word belongs. It is taken for a hesitation when it is what a held vowel is: short, voiced, dark, and
of one colour from beginning to end. A breath is not voiced, a laugh not steady, a tone too steady; a word that was
missed has consonants, mostly.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from core.progress import Progress, no_progress
from core.video.timeline import Word
from providers.speech.onsets import Span, sounding_spans
from providers.speech.pcm import RATE, Floats, Samples, as_floats, decode, level_db

_SHORTEST, _LONGEST = 0.08, 0.9
# Pause on both sides: longer than the closure inside a word ("stop", "asked").
_PAUSE = 0.16
_FRAME, _HOP = 512, 160
# A frame of the sound counts down to so far under its loudest (dB).
_RANGE_DB = 20.0
# Measured on fourteen kinds of hesitation and on short words, breaths, laughter and tones, clean and in hiss.
_STEADY_DB = 4.6
_MOVING_DB = 0.5
_BRIGHT_SHARE = 0.12
_CENTRE_HZ = (250.0, 1300.0)
_VOICED_SHARE = 0.5
_PERIODIC = 0.45
_PITCH_HZ = (70, 400)
_BANDS = np.geomspace(100.0, 7000.0, 19)
_BRIGHT_HZ = 3000.0


def hesitations_in_file(
    path: Path, words: Sequence[Word], folder: Path, *, progress: Progress = no_progress
) -> list[Span]:
    """:func:`hesitations` of a media file; ``folder`` takes the decoded sound."""
    return hesitations(decode(path, folder, progress=progress), words)


def hesitations(samples: Samples, words: Sequence[Word]) -> list[Span]:
    """Seconds from–to of the held vowels between two pauses that no word stands for, in order.

    Empty where sound and silence cannot be told apart (music under the voice).
    """
    spans = sounding_spans(level_db(samples))
    taken = sorted((word.start, word.end) for word in words)
    alone = [
        span
        for index, span in enumerate(spans)
        if _SHORTEST <= span[1] - span[0] <= _LONGEST
        and (index == 0 or span[0] - spans[index - 1][1] >= _PAUSE)
        and (index == len(spans) - 1 or spans[index + 1][0] - span[1] >= _PAUSE)
        and not _touched(span, taken)
    ]
    if not alone:
        return []
    noise = _noise(samples, spans)
    return [span for span in alone if _held_vowel(samples, span, noise)]


def _touched(span: Span, taken: Sequence[Span]) -> bool:
    """Whether a word (``taken``, in order) reaches into the span."""
    index = bisect_left(taken, (span[1], 0.0))
    return any(end > span[0] + 0.02 for _, end in taken[max(index - 8, 0) : index])


def _noise(samples: Samples, spans: Sequence[Span]) -> Floats:
    """Power spectrum of the pauses, from at most a thousand frames."""
    gaps = [(a[1], b[0]) for a, b in pairwise(spans) if b[0] - a[1] > 0.2]
    frames: list[Any] = []
    for start, end in gaps[:: max(1, len(gaps) // 50)]:
        part = as_floats(samples[round((start + 0.05) * RATE) : round((end - 0.05) * RATE)])
        if part.size >= _FRAME:
            frames.append(_spectra(_framed(part)[:20]))
    if not frames:
        return np.zeros(_FRAME // 2 + 1, np.float32)
    return np.asarray(np.concatenate(frames).mean(axis=0), np.float32)


def _framed(sound: Floats) -> Floats:
    if sound.size < _FRAME:
        sound = np.pad(sound, (0, _FRAME - sound.size))
    return np.lib.stride_tricks.sliding_window_view(sound, _FRAME)[::_HOP]


def _spectra(frames: Floats) -> Floats:
    return np.asarray(np.abs(np.fft.rfft(frames * np.hanning(_FRAME).astype(np.float32), axis=1)) ** 2, np.float32)


def _held_vowel(samples: Samples, span: Span, noise: Floats) -> bool:
    frames = _framed(as_floats(samples[round(span[0] * RATE) : round(span[1] * RATE)]))
    power = np.mean(np.square(frames), axis=1)
    frames = frames[power > power.max() * 10 ** (-_RANGE_DB / 10)]
    spectra = np.maximum(_spectra(frames) - 1.5 * noise, 1e-12)
    hertz = np.fft.rfftfreq(_FRAME, 1 / RATE)
    whole = spectra.sum(axis=1)
    bright = spectra[:, hertz > _BRIGHT_HZ].sum(axis=1) / whole
    centre = float(np.median((spectra * hertz).sum(axis=1) / whole))
    if float(bright.max()) > _BRIGHT_SHARE or not _CENTRE_HZ[0] <= centre <= _CENTRE_HZ[1]:
        return False
    edges = np.searchsorted(hertz, _BANDS)
    bands = np.add.reduceat(spectra, edges[:-1], axis=1)
    shape = 10 * np.log10(bands / bands.sum(axis=1, keepdims=True) + 1e-4)
    change = float(np.abs(shape - np.median(shape, axis=0)).mean())
    moving = float(np.abs(np.diff(shape, axis=0)).mean()) if len(shape) > 1 else 0.0
    return change <= _STEADY_DB and moving >= _MOVING_DB and _voiced(frames) >= _VOICED_SHARE


def _voiced(frames: Floats) -> float:
    """Share of frames that repeat themselves at the pitch of a voice."""
    size = 2 * _FRAME
    centred = frames - frames.mean(axis=1, keepdims=True)
    similar = np.fft.irfft(np.abs(np.fft.rfft(centred, size, axis=1)) ** 2, axis=1)[:, :_FRAME]
    lags = similar[:, RATE // _PITCH_HZ[1] : RATE // _PITCH_HZ[0]].max(axis=1) / (similar[:, 0] + 1e-12)
    return float(np.mean(lags > _PERIODIC))

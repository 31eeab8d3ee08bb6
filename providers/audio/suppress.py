"""Noise and late reverberation taken out of a short-time spectrum by one gain rule and three guesses of what disturbs.

The rule is the log-spectral amplitude estimator of Ephraim and Malah (1985) with their decision-directed a-priori
ratio (1984), never below a floor. What disturbs is steady noise; noise that changes, followed by speech presence
(Gerkmann and Hendriks, "Unbiased MMSE-based noise power estimation", 2012); or the room's late answer to what was said
before, by Polack's decay (Lebart, Boucher and Denbigh, 2001).
"""

from __future__ import annotations

from collections import deque
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core.music.remaster import Cleaning
from providers.audio import frames
from providers.audio.decode import STUDIO_RATE
from providers.audio.frames import Power
from providers.video.sound_edit import HOP, Signal, level_db

Row = NDArray[Any]
_ALPHA = 0.98
_LOWEST_RATIO = 10 ** (-25 / 10)
_LOOKS = 4000
_SILENT = 1e-12
# The mean of eight frames that overlap by three quarters: its twentieth part lies at 0.27 of the noise where nothing
# else sounds, at 0.6 where something does most of the time.
_RUN, _LOWER_EDGE = 8, 0.4

ROOM_WINDOW, ROOM_HOP = 1536, 384
_LATE_SECONDS = 0.05
# The part of the power that is the room's answer and not the voice itself, which cannot be heard blind: a half is what
# arrives at the distance where both are equal. Taking all of it for the room was measured to cost words.
_SHARE = 0.5


class Disturbance(Protocol):
    """The power of what disturbs in the next frame, given that frame's power."""

    def next(self, power: Row) -> Row: ...


class Suppressor:
    """Gains for frames in order."""

    def __init__(self, disturbance: Disturbance, floor_db: float) -> None:
        self._disturbance = disturbance
        self._floor = 10 ** (floor_db / 20)
        self._before: Row | float = 1.0

    def gains(self, power: Power) -> NDArray[np.float32]:
        from scipy.special import exp1

        found = np.empty_like(power)
        for index, row in enumerate(power):
            disturbing = self._disturbance.next(row) + _SILENT
            posterior = np.minimum(row / disturbing, 1e4)
            ratio = _ALPHA * self._before + (1 - _ALPHA) * np.maximum(posterior - 1, 0)
            ratio = np.maximum(ratio, _LOWEST_RATIO)
            wiener = ratio / (1 + ratio)
            gain = wiener * np.exp(0.5 * exp1(np.maximum(wiener * posterior, 1e-8)))
            gain = np.clip(gain, self._floor, 1.0)
            self._before = gain * gain * posterior
            found[index] = gain
        return found


class Steady:
    """The same noise in every frame."""

    def __init__(self, noise: Row) -> None:
        self._noise = noise

    def next(self, power: Row) -> Row:
        return self._noise


class Followed:
    """Noise that changes slowly; what is 15 dB above it is speech."""

    _SPEECH = 10 ** (15 / 10)

    def __init__(self, noise: Row) -> None:
        self._noise = np.maximum(noise, _SILENT)
        self._mean_presence: Row | float = 0.5

    def next(self, power: Row) -> Row:
        weight = self._SPEECH / (1 + self._SPEECH)
        evidence = np.minimum(power / self._noise * weight, 200.0)
        presence = 1 / (1 + (1 + self._SPEECH) * np.exp(-evidence))
        self._mean_presence = 0.9 * self._mean_presence + 0.1 * presence
        presence = np.where(self._mean_presence > 0.99, np.minimum(presence, 0.99), presence)
        heard = (1 - presence) * power + presence * self._noise
        self._noise = np.maximum(0.9 * self._noise + 0.1 * heard, _SILENT)
        return self._noise


class LateReverberation:
    """What a room that decays by 60 dB in ``seconds`` still says of what sounded 50 ms ago and earlier."""

    def __init__(self, seconds: float) -> None:
        delay = max(1, round(_LATE_SECONDS * STUDIO_RATE / ROOM_HOP))
        self._factor = _SHARE * 10 ** (-6 * delay * ROOM_HOP / STUDIO_RATE / seconds)
        self._past: deque[Row] = deque(maxlen=delay)
        self._smooth: Row | float = 0.0

    def next(self, power: Row) -> Row:
        self._smooth = 0.6 * self._smooth + 0.4 * power
        late: Row = self._factor * self._past[0] if len(self._past) == self._past.maxlen else np.zeros_like(power)
        self._past.append(np.array(self._smooth))
        return late


def noise_of(signal: Signal, how: Cleaning) -> Row:
    """The power spectrum of the noise, never nearer to the loud parts than ``below_loud_db``.

    For speech it is what the quietest tenth of the frames have in common (digital silence is none of them): pauses. For
    music, which seldom pauses, it is the lower edge of each frequency over time (after Martin's minimum statistics,
    2001), and of its neighbourhood: noise is smooth over frequency, and partials stand out of it.
    """
    import scipy.ndimage as ndimage

    run, looks = (1, _LOOKS) if how.follow else (_RUN, _LOOKS // _RUN)
    power = frames.powers(signal, how.window, how.hop, at_most=looks, run=run)
    level = power.sum(axis=1)
    heard = power[level > level.max() * 1e-9]
    if not len(heard) or level.max() <= 0:
        return np.zeros(power.shape[1], dtype=np.float32)
    level = heard.sum(axis=1)
    if how.follow:
        noise = heard[level <= np.quantile(level, 0.1)].mean(axis=0)
    else:
        noise = np.quantile(heard, 0.05, axis=0) / _LOWER_EDGE
        noise = ndimage.percentile_filter(noise, 20, size=31, mode="nearest")
    allowed = float(np.quantile(level, 0.95)) * 10 ** (-how.below_loud_db / 10)
    return np.asarray(noise * min(1.0, allowed / max(float(noise.sum()), 1e-30)), dtype=np.float32)


_FALL_DB, _FALL_STEPS = 9.0, 12
_SHORTEST, _LONGEST = 0.15, 3.0


def decay_seconds(signal: Signal) -> float | None:
    """The room's decay time (60 dB) without knowing what was said in it; None where the sound never falls long enough.

    Where the level falls without a rise, the sound falls no faster than the room lets it, so the faster falls are the
    room's own (after Ratnam et al., 2003, by regression instead of a likelihood).
    """
    import scipy.ndimage as ndimage

    level = ndimage.uniform_filter1d(level_db(signal), 9)
    falling = np.diff(level) < 0
    edges = np.flatnonzero(np.diff(np.concatenate([[False], falling, [False]]).astype(np.int8)))
    found = []
    quiet = float(np.percentile(level, 3)) + 6.0
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        run = level[start : stop + 1]
        run = run[run > quiet]
        if len(run) < _FALL_STEPS or run[0] - run[-1] < _FALL_DB:
            continue
        run = run[len(run) // 3 :]  # not its beginning, where the voice itself fades
        slope = float(np.polyfit(np.arange(len(run)) * HOP / STUDIO_RATE, run, 1)[0])
        if slope < 0:
            found.append(-60.0 / slope)
    return min(max(float(np.percentile(found, 30)), _SHORTEST), _LONGEST) if len(found) >= 3 else None

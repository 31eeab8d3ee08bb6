"""The bar-pointer model on rhythms that are known to the frame: beats, bars and tempo in one go (M3.1)."""

from __future__ import annotations

import numpy as np
import pytest

from providers.audio import bars, beats
from providers.audio.accents import CLASSES, Onsets, likelihoods
from providers.audio.notes import FRAMES_PER_SECOND


def heard(metre: int, bpm: float, offset: int, seconds: float = 10.0) -> np.ndarray:
    """Ratios as of a piece that strikes first beats clearly, others less, and nothing between them."""
    ratios = np.full((round(seconds * FRAMES_PER_SECOND), len(CLASSES)), -0.3, np.float32)
    period = 60 * FRAMES_PER_SECOND / bpm
    for beat in range(int((len(ratios) - offset) / period)):
        at = offset + round(beat * period)
        first, middle = beat % metre == 0, metre == 4 and beat % metre == 2
        ratios[at - 1 : at + 2] = -2.0
        ratios[at - 1 : at + 2, CLASSES.index("first")] = 3.0 if first else 0.5
        ratios[at - 1 : at + 2, CLASSES.index("middle")] = 3.0 if middle else 0.5
        ratios[at - 1 : at + 2, CLASSES.index("beat")] = 0.5 if first or middle else 3.0
    return ratios


@pytest.mark.parametrize(
    ("metre", "bpm", "offset"), [(3, 66.0, 11), (4, 91.0, 3), (3, 123.4, 30), (4, 118.0, 17), (4, 168.0, 5)]
)
def test_the_likeliest_path_is_the_rhythm(metre: int, bpm: float, offset: int) -> None:
    best = max(bars.follow(heard(metre, bpm, offset)), key=lambda one: one.likelihood)
    period = 60 * FRAMES_PER_SECOND / bpm
    assert best.beats_per_bar == metre
    assert float(np.polyfit(np.arange(len(best.frames)), best.frames, 1)[0]) == pytest.approx(period, rel=0.02)
    firsts = best.frames[(best.places == 0) & (best.frames >= offset)]
    away = (firsts - offset) / (metre * period)
    assert np.abs(away - np.round(away)).max() < 0.02
    assert all((after - before) % metre == 1 for before, after in zip(best.places, best.places[1:], strict=False))


def test_a_tempo_that_drifts_is_followed() -> None:
    ratios = np.full((round(16 * FRAMES_PER_SECOND), len(CLASSES)), -0.3, np.float32)
    at, beat, truth = 5.0, 0, []
    while at < len(ratios) - 2:
        place = round(at)
        ratios[place - 1 : place + 2, CLASSES.index("first" if beat % 3 == 0 else "beat")] = 3.0
        truth.append(place)
        at += FRAMES_PER_SECOND * 60 / (96 + 0.5 * beat)
        beat += 1
    best = max(bars.follow(ratios), key=lambda one: one.likelihood)
    near = np.abs(np.subtract.outer(truth, best.frames)).min(axis=1)
    assert np.mean(near <= 3) > 0.95


def test_silence_has_no_beats() -> None:
    nothing = np.zeros(400, np.float32)
    quiet = Onsets(*[nothing] * 5, np.zeros((400, 88), np.float32), np.zeros((400, 88), np.float32))
    ratios = likelihoods(quiet)
    assert ratios.shape == (400, len(CLASSES))
    assert float(ratios[:, :3].max()) < 0, "like no beat"
    assert beats.find(quiet) is None

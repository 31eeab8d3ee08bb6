"""Which scale a piece uses within its key: the likeliest among the common ones, given how much of each note sounds.

Presence counts, not amount: a tonic that is held throughout says no more about the scale than a sixth degree that is
clearly heard. Each note is present with a probability that grows with its share; a scale is as likely as its notes are
present and the others are not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.music.score import MODES, parse_key

SCALES: dict[str, tuple[int, ...]] = {
    "major": MODES["maj"],
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "major pentatonic": (0, 2, 4, 7, 9),
    "minor": MODES["min"],
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "locrian": (0, 1, 3, 5, 6, 8, 10),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
}
"""Semitones above the tonic."""

# The share of what sounds at which a note is as likely meant as stray (an overtone, a passing note).
HALF_PRESENT = 0.025
# Most music is in plain major or minor; another scale must be clearly heard. In nats.
PLAIN_BONUS = 0.8
# How many nats between the two likeliest scales make it as good as certain.
CERTAIN = 3.0


@dataclass(frozen=True)
class ScaleEstimate:
    """``name`` is one of :data:`SCALES`; ``confidence`` 0–1: how far it stands above the second likeliest."""

    name: str
    confidence: float


def estimate_scale(chroma: Sequence[float], key: str) -> ScaleEstimate:
    """The scale of a piece in ``key`` ("A:min"); only scales with the key's third are considered.

    Args:
        chroma: how much of each pitch class sounds, C first, twelve non-negative numbers that are not all zero.
    """
    tonic, mode = parse_key(key)
    third = 4 if mode == "maj" else 3
    total = sum(chroma)
    share = [chroma[(tonic + step) % 12] / total for step in range(12)]
    present = [min(max(part / (part + HALF_PRESENT), 1e-4), 1 - 1e-4) for part in share]
    ranked = sorted(
        ((_likelihood(present, name), name) for name, steps in SCALES.items() if third in steps), reverse=True
    )
    (best, name), (second, _) = ranked[0], ranked[1]
    return ScaleEstimate(name, round(min((best - second) / CERTAIN, 1.0), 3))


def _likelihood(present: Sequence[float], name: str) -> float:
    """Log-probability, in nats, that just the scale's notes are meant."""
    value = sum(math.log(chance if step in SCALES[name] else 1 - chance) for step, chance in enumerate(present))
    return value + (PLAIN_BONUS if name in ("major", "minor") else 0.0)

"""Which of several possible pulses is the beat.

Music suggests many pulses at once: twice as fast, half as fast, between the beats. Each is described by what happens on
it and between its beats; a linear score of that description chooses. The weights were fitted by ``tests/benchmark``'s
method on rendered scores that are not in its set (bands, chorales, dance tunes, quartets).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass

# People tap most readily about here (van Noorden and Moelants, "Resonance in the perception of musical pulse", 1999).
PREFERRED_BPM = 110.0


@dataclass(frozen=True)
class Evidence:
    """What speaks for and against a pulse. Onset strengths are in units of their root mean square over the piece;
    "contrast" is the strength on the beats less that halfway between them."""

    tempo_distance: float
    """Squared octaves from the preferred tempo."""
    tempo_octaves: float
    """Octaves above the preferred tempo."""
    periodicity: float
    """How well the onsets repeat after one to four beats, 1 for the period that does it best."""
    harmony_contrast: float
    """How much more the harmony changes on the beats, 0–1."""
    strength: float
    """Mean onset strength on the beats."""
    covered: float
    """Share of beats on which anything begins."""
    between: float
    """Mean onset strength halfway between beats, as a share of that on them."""
    quarters: float
    """The same at a quarter or three quarters of the way, whichever is stronger."""
    unsteadiness: float
    """Standard deviation of the intervals over their median."""
    alternation: float
    """How differently strong every second beat is."""


WEIGHTS = Evidence(
    tempo_distance=-6.0, tempo_octaves=3.75, periodicity=3.94, harmony_contrast=25.4, strength=0.17, covered=8.86,
    between=0.71, quarters=-0.78, unsteadiness=-59.6, alternation=-1.38,
)  # fmt: skip


def tempo_octaves(bpm: float) -> float:
    """How far a tempo lies above the preferred one."""
    return math.log2(bpm / PREFERRED_BPM)


def score(evidence: Evidence) -> float:
    """The higher, the more likely the pulse is the beat."""
    pairs = zip(astuple(WEIGHTS), astuple(evidence), strict=True)
    return float(sum(weight * value for weight, value in pairs))


def best(candidates: Sequence[Evidence]) -> int | None:
    """Index of the most likely pulse; None if there are none."""
    return max(range(len(candidates)), key=lambda index: score(candidates[index]), default=None)

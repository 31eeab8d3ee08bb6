"""What a remaster's operations mean: order, filters, width, spectra (M5)."""

from __future__ import annotations

import math
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.music import remaster, spectrum
from core.music.remaster_payloads import (
    Dereverb,
    EqPreset,
    Equalize,
    Match,
    Normalize,
    ReduceNoise,
    RemasterInput,
    Stereo,
)
from core.music.spectrum import CENTRES, LIMIT_DB
from providers.audio import tone

SONG = UUID(int=1)
amounts = st.floats(0, 1)
levels = st.lists(st.floats(-90, 0), min_size=len(CENTRES), max_size=len(CENTRES))
OPERATIONS = [
    Normalize(), Stereo(), Equalize(preset="warm"), Match(reference_asset_id=SONG), Dereverb(), ReduceNoise()
]  # fmt: skip


@given(st.permutations(OPERATIONS))
def test_operations_are_done_in_one_order(given_order: list[object]) -> None:
    done = remaster.in_order(given_order)  # type: ignore[arg-type]
    assert [one.type for one in done] == ["reduce_noise", "dereverb", "match", "eq", "stereo", "normalize"]


def test_what_makes_no_sense_is_refused() -> None:
    for operations in (
        [],
        [{"type": "normalize"}, {"type": "normalize", "target_lufs": -20}],
        [{"type": "normalize", "target_lufs": -3}],
        [{"type": "normalize", "true_peak_dbtp": 0}],
        [{"type": "eq", "preset": "loud"}],
        [{"type": "eq"}],
        [{"type": "match"}],
        [{"type": "reduce_noise", "strength": 1.5}],
        [{"type": "reverse"}],
        [{"type": "stereo", "mode": "widen", "wide": True}],
    ):
        with pytest.raises(ValidationError):
            RemasterInput.model_validate({"audio_asset_id": SONG, "operations": operations})


def response(preset: EqPreset, amount: float, hertz: float) -> float:
    """dB of the whole equaliser at a frequency."""
    turn = complex(math.cos(2 * math.pi * hertz / 48_000), -math.sin(2 * math.pi * hertz / 48_000))
    total = 0.0
    for band in remaster.equalizer(preset, amount):
        b0, b1, b2, _, a1, a2 = tone.section(band)
        total += 20 * math.log10(abs((b0 + b1 * turn + b2 * turn**2) / (1 + a1 * turn + a2 * turn**2)))
    return total


@given(st.sampled_from(["warm", "bright", "vocal_boost"]), st.floats(20, 20_000))
def test_an_equaliser_does_nothing_at_zero_and_never_much(preset: EqPreset, hertz: float) -> None:
    assert response(preset, 0.0, hertz) == pytest.approx(0, abs=1e-9)
    assert abs(response(preset, 1.0, hertz)) < 10


@given(st.floats(0.2, 1))
def test_presets_do_what_they_are_called(amount: float) -> None:
    assert response("warm", amount, 100) > 2 * amount > -2 * amount > response("warm", amount, 10_000)
    assert response("bright", amount, 10_000) > 4 * amount
    assert response("bright", amount, 80) < 0
    assert response("vocal_boost", amount, 2_800) > 4 * amount
    assert response("vocal_boost", amount, 60) < 0


@given(st.floats(0, 2), amounts)
def test_widening_widens_and_stays_safe_for_one_loudspeaker(ratio: float, amount: float) -> None:
    width = remaster.widening(ratio, amount)
    assert width.side >= 1.0
    assert 0 <= width.made <= 0.4
    after = math.hypot(width.side * ratio, width.made)
    assert ratio <= after + 1e-9
    assert after <= max(ratio, 0.9) + 0.05
    if amount >= 0.2 and ratio <= 0.5:
        assert after > ratio


@given(levels, st.floats(-60, 60), amounts)
def test_a_louder_copy_of_itself_needs_no_correction(source: list[float], louder: float, amount: float) -> None:
    added = spectrum.correction(source, [level + louder for level in source], amount)
    assert max(abs(value) for value in added) < 1e-6


@given(levels, levels, amounts)
def test_corrections_are_bounded_and_grow_with_the_amount(
    source: list[float], reference: list[float], amount: float
) -> None:
    whole, some = spectrum.correction(source, reference, 1.0), spectrum.correction(source, reference, amount)
    assert all(abs(value) <= LIMIT_DB + 1e-9 for value in whole)
    assert all(abs(part) <= abs(value) + 1e-9 for part, value in zip(some, whole, strict=True))


@given(st.lists(st.floats(-4, 4), min_size=len(CENTRES), max_size=len(CENTRES)))
def test_a_smooth_difference_becomes_smaller(steps: list[float]) -> None:
    source = [-30.0] * len(CENTRES)
    smooth = [sum(steps[max(i - 2, 0) : i + 3]) / len(steps[max(i - 2, 0) : i + 3]) for i in range(len(steps))]
    reference = [level + step for level, step in zip(source, smooth, strict=True)]
    added = spectrum.correction(source, reference, 1.0)
    corrected = [level + value for level, value in zip(source, added, strict=True)]
    assert spectrum.distance(corrected, reference) <= spectrum.distance(source, reference) + 1e-9


def test_what_the_source_does_not_have_is_not_raised() -> None:
    source = [-20.0] * 26 + [-95.0] * 4  # an encoder cut everything above 10 kHz off
    added = spectrum.correction(source, [-20.0] * 30, 1.0)
    assert added[-2:] == [0.0, 0.0]


def test_the_loudness_is_the_one_asked_for_or_the_references() -> None:
    match, normalize = Match(reference_asset_id=SONG), Normalize(target_lufs=-16)
    assert remaster.loudness_target([match, normalize], -9.0) == -16
    assert remaster.loudness_target([match], -11.5) == -11.5
    assert remaster.loudness_target([match], -2.0) == -8.0
    assert remaster.loudness_target([Equalize(preset="warm")], None) is None

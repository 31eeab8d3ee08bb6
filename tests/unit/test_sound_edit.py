"""Cutting, ducking and limiting as numbers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import resample_poly

from providers.video.sound_edit import (
    CHANNELS,
    FADE_SAMPLES,
    SAMPLE_RATE,
    CutWriter,
    Signal,
    duck_curve,
    gain_at,
    level_db,
    limit,
    plan_cuts,
    repeated,
    sample_at,
    true_peaks,
)
from tests.unit.test_filtergraph import RATES, ranges

STEREO = 4 * CHANNELS


@given(ranges(longest=100_000), RATES)
def test_cuts_add_up_to_the_frames_of_the_result(kept: list[tuple[int, int]], rate: Fraction) -> None:
    cuts = plan_cuts(kept, rate, 100_001)
    frames = sum(end - start for start, end in kept)
    assert sum(cut.length for cut in cuts) == sample_at(frames, rate)
    for cut, (start, end) in zip(cuts, kept, strict=True):
        assert cut.source == sample_at(start, rate)
        assert abs(cut.length - (end - start) * SAMPLE_RATE / rate) <= 1


@given(ranges(longest=60, most=5), st.lists(st.integers(1, 9000), min_size=1, max_size=8), st.integers(0, 3000))
@settings(max_examples=50, deadline=None)
def test_the_writer_copies_what_is_kept_however_the_bytes_arrive(
    kept: list[tuple[int, int]], pieces: list[int], missing: int
) -> None:
    rate = Fraction(30)
    total = max(sample_at(61, rate) - missing, 0)
    source = np.arange(1, total + 1, dtype="<f4").repeat(CHANNELS).reshape(-1, CHANNELS)
    written: list[bytes] = []
    cuts = plan_cuts(kept, rate, 61)
    writer = CutWriter(cuts, written.append)
    writer.begin(0)
    data = source.tobytes()
    at = 0
    while at < len(data):
        size = pieces[at % len(pieces)]
        writer.feed(data[at : at + size])
        at += size
    writer.finish(len(cuts))
    result = np.frombuffer(b"".join(written), dtype="<f4").reshape(-1, CHANNELS)
    assert len(result) == sum(cut.length for cut in cuts)
    position = 0
    for cut in cuts:
        fade = min(FADE_SAMPLES, cut.length // 2)
        inside = np.arange(cut.source + fade, cut.source + cut.length - fade)
        wanted = np.where(inside < total, inside + 1, 0)
        assert np.array_equal(result[position + fade : position + cut.length - fade, 0], wanted)
        position += cut.length


def speech(seconds: float) -> np.ndarray:
    """Two seconds of tone, two of near silence."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    tone = 0.3 * np.sin(2 * np.pi * 220 * time) * ((time % 4) >= 2) + 0.0005
    return np.repeat(tone[:, None], 2, axis=1).astype(np.float32)


@given(st.floats(1, 30))
@settings(max_examples=20, deadline=None)
def test_music_is_down_whenever_someone_speaks_and_up_in_long_pauses(duck: float) -> None:
    curve = duck_curve(level_db(speech(12)), duck)
    at = np.arange(len(curve)) / 100
    assert np.allclose(curve[(at % 4 > 2.02) & (at % 4 < 3.98)], -duck, atol=0.01)
    assert np.allclose(curve[(at % 4 > 1.1) & (at % 4 < 1.6) & (at > 1.1)], 0, atol=0.01)
    assert np.abs(np.diff(curve)).max() <= duck / 15 + 1e-4
    gain = gain_at(curve, 48_000 * 3, 100)
    assert np.allclose(gain, 10 ** (-duck / 20), atol=1e-3)


def test_a_short_pause_keeps_the_music_down_and_silence_leaves_it_alone() -> None:
    voice = speech(4)
    voice[3 * SAMPLE_RATE : 3 * SAMPLE_RATE + 14_000] = 0
    curve = duck_curve(level_db(voice), 12.0)
    assert curve[205:395].max() < -11.9
    assert not duck_curve(level_db(np.zeros((48_000, 2), np.float32)), 12.0).any()


def test_the_music_does_not_swell_between_two_sentences() -> None:
    levels = np.full(1400, -90.0, np.float32)
    for start, end in ((100, 400), (490, 700), (900, 1200)):  # 0.9 s between sentences, 2 s between chapters
        levels[start:end] = -20.0
    curve = duck_curve(levels, 10.0)
    assert curve[120:690].max() == -10.0
    assert curve[780:870].max() == 0.0


def peaks_of(signal: Signal) -> NDArray[np.float32]:
    written: list[bytes] = []
    true_peaks(signal, written.append)
    return np.frombuffer(b"".join(written), dtype="<f4")


@given(st.integers(0, 1000), st.floats(0.2, 20), st.floats(0.1, 0.9))
@settings(max_examples=25, deadline=None)
def test_the_limiter_holds_the_true_peak_and_the_length(seed: int, gain: float, ceiling: float) -> None:
    generator = np.random.default_rng(seed)
    signal = (0.1 * generator.normal(size=(20_000, 2))).astype(np.float32)
    signal[5_000:5_040] *= 8
    written: list[bytes] = []
    limit(signal, peaks_of(signal), gain, ceiling, written.append)
    result = np.frombuffer(b"".join(written), dtype="<f4").reshape(-1, 2)
    assert result.shape == signal.shape
    assert np.abs(result).max() <= ceiling * 1.0001
    between = np.abs(resample_poly(result, 4, 1, axis=0)).max()
    assert between <= ceiling * 1.06  # half a decibel for the gain's own movement
    quiet = np.abs(signal * gain).max() * 1.6 < ceiling
    if quiet:
        assert np.allclose(result, signal * gain)


def test_the_limiter_is_seamless_across_its_blocks() -> None:
    time = np.arange(21 * SAMPLE_RATE) / SAMPLE_RATE
    tone = np.repeat(np.sin(2 * np.pi * 100 * time)[:, None], 2, axis=1).astype(np.float32)
    written: list[bytes] = []
    limit(tone, peaks_of(tone), 2.0, 0.5, written.append)
    result = np.frombuffer(b"".join(written), dtype="<f4").reshape(-1, 2)
    assert np.abs(np.diff(result[:, 0])).max() < 1.2 * 0.5 * 2 * np.pi * 100 / SAMPLE_RATE


@given(st.integers(1, 400), st.floats(0, 0.5), st.integers(0, 2000), st.integers(1, 700))
def test_a_repeated_track_keeps_its_power_and_is_the_same_in_any_pieces(
    length: int, share: float, start: int, count: int
) -> None:
    # Left and right hold beginning and end apart, as tones that have nothing in common would be.
    overlap = int(length * share)
    music = np.zeros((length, CHANNELS), dtype=np.float32)
    music[: length - overlap, 0] = 1
    music[length - overlap :, 1] = 1
    whole = repeated(music, 0, start + count, overlap)
    assert whole.shape == (start + count, CHANNELS)
    np.testing.assert_array_equal(repeated(music, start, count, overlap), whole[start:])
    np.testing.assert_array_equal(whole[: length - overlap], music[: start + count][: length - overlap])
    np.testing.assert_allclose(np.square(whole).sum(axis=1), 1, rtol=1e-5)


def test_an_empty_track_is_silence() -> None:
    assert not repeated(np.zeros((0, CHANNELS), dtype=np.float32), 5, 10, 0).any()

"""Remastering on material whose truth is known: noise, room, colour, width, loudness, the reference's spectrum (M5)."""

from __future__ import annotations

from collections.abc import Callable
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyloudnorm
import pytest
import soundfile
from scipy.signal import fftconvolve, resample_poly

from core.errors import JobCancelled, UnsupportedMedia
from core.music import spectrum
from core.music.remaster import Width
from core.music.remaster_payloads import (
    Dereverb,
    EqPreset,
    Equalize,
    Match,
    Normalize,
    ReduceNoise,
    RemasterOperation,
    Stereo,
)
from providers.audio import frames, image, meter, raw, suppress, tone
from providers.audio.remaster import Remastered, remaster
from providers.speech.whisper import transcribe
from providers.video.process import source_arguments
from providers.video.soundtrack import measure_loudness
from tests.media import TALK as SENTENCES
from tests.media import SpokenClip, music_clip, spoken_clip

RATE = 48_000
Work = Callable[..., Any]


@cache
def talk() -> SpokenClip:
    return spoken_clip(SENTENCES[:4])


@cache
def speech() -> Any:
    """The talk at 48 kHz, one channel."""
    samples, rate = soundfile.read(talk().path, dtype="float32")
    return resample_poly(samples, RATE * 10 // 50, rate * 10 // 50).astype(np.float32)


def song_of(path: Path) -> Any:
    """Its first eight seconds, (n, 2)."""
    return soundfile.read(path, 8 * RATE, dtype="float32", always_2d=True)[0]


def speaking() -> Any:
    mask = np.zeros(len(speech()), bool)
    for sentence in talk().sentences:
        mask[round(sentence.start * RATE) : round(sentence.end * RATE)] = True
    return mask


def db(samples: Any) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-12))


def keep(folder: Path, name: str, samples: Any) -> Path:
    two = samples if samples.ndim == 2 else np.stack([samples, samples], axis=1)
    soundfile.write(folder / name, two, RATE, subtype="PCM_24")
    return folder / name


@pytest.fixture
def worked(tmp_path: Path) -> Work:
    """Samples through operations: the result's samples (n, 2) and what was told."""

    def work(samples: Any, *operations: RemasterOperation, reference: Path | None = None) -> tuple[Any, Remastered]:
        made = remaster(keep(tmp_path, "source.wav", samples), operations, tmp_path, reference=reference)
        about = soundfile.info(made.path)
        assert (about.samplerate, about.channels, about.subtype) == (RATE, 2, "PCM_24")
        heard = soundfile.read(made.path, dtype="float32")[0]
        assert len(heard) == len(samples)
        assert list(tmp_path.glob("*.f32")) == [], "nothing raw is left"
        return heard, made

    return work


def said(path: Path, folder: Path) -> list[str]:
    heard = transcribe(path, language="en", folder=folder)
    return [word.word.strip(" .,?!").lower() for word in heard.words]


def spoken() -> list[str]:
    return [word.strip(" .,?!").lower() for word in " ".join(SENTENCES[:4]).split()]


def test_noise_falls_and_what_is_said_stays(worked: Work, tmp_path: Path) -> None:
    clean, talking = speech(), speaking()
    noise = np.random.default_rng(1).normal(0, 1, len(clean)) * 10 ** ((db(clean[talking]) - 15) / 20)
    noisy = (clean + noise).astype(np.float32)
    heard, made = worked(noisy, ReduceNoise(strength=0.6))
    assert db(heard[~talking, 0]) < db(noisy[~talking]) - 12, "the pauses are quieter"
    assert db(heard[talking, 0]) == pytest.approx(db(clean[talking]), abs=0.5), "the voice is as loud as it was"
    before = db(clean[talking]) - db((noisy - clean)[talking])
    after = db(clean[talking]) - db((heard[:, 0] - clean)[talking])
    assert after > before + 3, "and nearer to the clean one"
    assert SequenceMatcher(None, said(made.path, tmp_path), spoken()).ratio() > 0.94
    gentle, _ = worked(noisy, ReduceNoise(strength=0.1))
    assert db(gentle[~talking, 0]) > db(heard[~talking, 0]) + 4, "the strength is one"


def test_noise_under_music_falls_and_the_music_stays(worked: Work) -> None:
    song = song_of(music_clip(drums=False).path)[:, 0]
    hiss = np.random.default_rng(2).normal(0, 1, len(song)) * 10 ** ((db(song) - 30) / 20)
    heard, _ = worked((song + hiss).astype(np.float32), ReduceNoise(strength=0.7, material="music"))
    left = heard[:, 0] - song
    assert db(left) < db(hiss) - 3
    assert db(song) - db(left) > 30 + 3


def test_a_room_tail_gets_shorter_and_the_voice_stays(worked: Work) -> None:
    dry = speech()
    seconds, chance = 0.8, np.random.default_rng(3)
    room = chance.normal(0, 0.01, RATE) * 10 ** (-3 * np.arange(RATE) / RATE / seconds)
    room[:240], room[0] = 0.0, 1.0
    wet = fftconvolve(dry, room)[: len(dry)].astype(np.float32)
    wet *= 0.5 / np.abs(wet).max()
    assert suppress.decay_seconds(np.stack([wet, wet], 1)) == pytest.approx(seconds, rel=0.3)
    heard, made = worked(wet, Dereverb(strength=0.7))
    assert made.decay_seconds == pytest.approx(seconds, rel=0.3)

    def tail(samples: Any) -> float:
        """How far the second third of a pause lies under the end of the sentence before it."""
        ends = [round(one.end * RATE) for one in talk().sentences]
        falls = [db(samples[e - RATE // 2 : e]) - db(samples[e + RATE // 5 : e + RATE // 2]) for e in ends]
        return float(np.mean(falls))

    assert tail(heard[:, 0]) > tail(wet) + 5
    direct = dry * np.float32(np.dot(dry, wet) / np.dot(dry, dry))
    assert db(heard[:, 0] - direct) < db(wet - direct) - 1, "what is left is nearer to the dry voice"


def test_where_no_room_is_heard_nothing_changes(worked: Work) -> None:
    song = song_of(music_clip().path) * 0.5
    heard, made = worked(song, Dereverb(strength=1.0))
    assert made.decay_seconds is None
    np.testing.assert_allclose(heard, song, atol=1e-6)


def noise(seconds: float = 3.0, sides: int = 2, seed: int = 4) -> Any:
    """Noise that falls by 3 dB an octave, as most music does, at −20 dB."""
    chance = np.random.default_rng(seed)
    found = np.fft.rfft(chance.normal(0, 1, (sides, round(seconds * RATE))))
    found /= np.sqrt(np.maximum(np.arange(found.shape[1]), 20))
    samples = np.fft.irfft(found)
    samples *= 0.1 / np.sqrt(np.mean(samples**2))
    return samples.T.astype(np.float32)


@pytest.mark.parametrize(
    ("preset", "up", "down"),
    [
        ("warm", (60, 200), (6_000, 16_000)),
        ("bright", (7_000, 16_000), (40, 120)),
        ("vocal_boost", (2_000, 4_000), (40, 90)),
    ],
)
def test_energies_of_bands_move_as_the_preset_says(
    worked: Work, preset: EqPreset, up: tuple[int, int], down: tuple[int, int]
) -> None:
    samples = noise()
    heard, _ = worked(samples, Equalize(preset=preset, amount=1.0))

    def band(what: Any, bounds: tuple[int, int]) -> float:
        found = np.abs(np.fft.rfft(what[:, 0])) ** 2
        hertz = np.fft.rfftfreq(len(what), 1 / RATE)
        return float(10 * np.log10(found[(hertz >= bounds[0]) & (hertz < bounds[1])].sum()))

    assert band(heard, up) > band(samples, up) + 2.5
    assert band(heard, down) < band(samples, down) - 1.5


def width(samples: Any) -> float:
    return db(samples[:, 0] - samples[:, 1]) - db(samples[:, 0] + samples[:, 1])


def test_mono_is_mono(worked: Work) -> None:
    samples = noise()
    heard, _ = worked(samples, Stereo(mode="mono"))
    assert np.array_equal(heard[:, 0], heard[:, 1])
    np.testing.assert_allclose(heard[:, 0], samples.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize("kind", ["narrow", "mono"])
def test_widening_widens_and_one_loudspeaker_hears_what_it_heard(worked: Work, kind: str) -> None:
    middle, side = noise(sides=1)[:, 0], noise(sides=1, seed=6)[:, 0] * (0.3 if kind == "narrow" else 0.0)
    samples = np.stack([middle + side, middle - side], axis=1) * 0.5
    heard, _ = worked(samples, Stereo(mode="widen", amount=0.8))
    assert width(heard) > width(samples) + 3
    np.testing.assert_allclose(heard.sum(axis=1), samples.sum(axis=1), atol=1e-6)
    assert float(np.corrcoef(heard.T)[0, 1]) > 0.1
    low, before = (_below(one, 80) for one in (heard, samples))
    assert width(low) < width(before) + 3 or width(low) < -20, "the bass stays in the middle"


def _below(samples: Any, hertz: float) -> Any:
    found = np.fft.rfft(samples, axis=0)
    found[np.fft.rfftfreq(len(samples), 1 / RATE) > hertz] = 0
    return np.fft.irfft(found, len(samples), axis=0)


@pytest.mark.parametrize("target", [-10.0, -16.0])
def test_loudness_lands_on_its_target_under_the_ceiling(worked: Work, target: float) -> None:
    song = song_of(music_clip().path)
    heard, made = worked(song, Normalize(target_lufs=target))
    assert pyloudnorm.Meter(RATE).integrated_loudness(heard) == pytest.approx(target, abs=0.2)
    found = measure_loudness(source_arguments(made.path), progress=lambda *_: None)
    assert found.lufs == pytest.approx(target, abs=0.2)
    assert found.true_peak is not None
    assert found.true_peak <= -1.0
    assert (made.after.lufs, made.after.true_peak) == (found.lufs, found.true_peak)
    assert made.before_lufs == pytest.approx(pyloudnorm.Meter(RATE).integrated_loudness(song), abs=0.1)


def test_without_a_target_peaks_alone_are_held(worked: Work) -> None:
    loud = noise() * 4.5
    _, made = worked(loud, Stereo(mode="mono"))
    assert made.after.true_peak is not None
    assert made.after.true_peak <= -1.0
    quiet, _ = worked(noise() * 0.1, Equalize(preset="warm", amount=0.0))
    np.testing.assert_allclose(quiet, noise() * 0.1, atol=1e-6)


def test_silence_stays_silence(worked: Work) -> None:
    heard, made = worked(np.zeros((2 * RATE, 2), np.float32), ReduceNoise(), Dereverb(), Normalize())
    assert not heard.any()
    assert (made.before_lufs, made.after.lufs) == (None, None)


def test_the_match_brings_colour_and_loudness_nearer(worked: Work, tmp_path: Path) -> None:
    dark, bright = noise(seed=8), noise(seed=9)
    tilted = np.fft.rfft(bright, axis=0)
    tilted *= (np.maximum(np.arange(len(tilted)), 50)[:, None] / 4000) ** 0.3
    other = np.fft.irfft(tilted, len(bright), axis=0)
    reference = keep(tmp_path, "reference.wav", other * 0.2 / np.abs(other).max())
    heard, made = worked(dark, Match(reference_asset_id="0190f3c0-7a5e-7c1a-9f0e-2b6d1c3a4e5f"), reference=reference)
    wanted = tone.spectrum(soundfile.read(reference, dtype="float32")[0])
    before, after = (spectrum.distance(tone.spectrum(one), wanted) for one in (dark, heard))
    assert before > 2.5
    assert after < 0.35 * before
    loudness = pyloudnorm.Meter(RATE).integrated_loudness(soundfile.read(reference)[0])
    assert made.after.lufs == pytest.approx(loudness, abs=0.2)
    assert np.abs(np.fft.irfft(np.fft.rfft(heard[:, 0]) * np.conj(np.fft.rfft(dark[:, 0])))).argmax() == 0, "no delay"


def test_a_silent_reference_is_refused(tmp_path: Path) -> None:
    silent = keep(tmp_path, "silent.wav", np.zeros((RATE, 2), np.float32))
    match = Match(reference_asset_id="0190f3c0-7a5e-7c1a-9f0e-2b6d1c3a4e5f")
    with pytest.raises(UnsupportedMedia, match="silent"):
        remaster(keep(tmp_path, "a.wav", noise(1.0)), [match], tmp_path, reference=silent)


def test_it_can_be_cancelled(tmp_path: Path) -> None:
    def stop(fraction: float, stage: str | None = None) -> None:
        if fraction > 0.3:
            raise JobCancelled

    with pytest.raises(JobCancelled):
        remaster(keep(tmp_path, "a.wav", noise(2.0)), [ReduceNoise(), Normalize()], tmp_path, progress=stop)


@pytest.mark.parametrize(("window", "hop"), [(1024, 512), (4096, 1024), (1536, 384)])
@pytest.mark.parametrize("samples", [1, 700, 30_011])
def test_frames_with_no_gain_give_the_signal_back(window: int, hop: int, samples: int) -> None:
    signal = noise(1.0)[:samples]
    same = np.concatenate(list(frames.filtered(signal, window, hop, np.ones_like)))
    assert same.shape == signal.shape
    np.testing.assert_allclose(same, signal, atol=1e-6)


def test_blocks_join_as_if_there_were_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour goes through in blocks; here small ones against one whole."""
    signal = noise(3.0)
    added = [float(index % 5 - 2) for index in range(len(spectrum.CENTRES))]
    whole = np.concatenate(list(tone.corrected(signal, added)))
    monkeypatch.setattr(tone, "BLOCK", 10_000)
    np.testing.assert_allclose(np.concatenate(list(tone.corrected(signal, added))), whole, atol=1e-5)
    work = image.widened(Width(1.5, 0.2))
    small = np.concatenate([work(block) for block in raw.blocks(signal, 7_001)])
    np.testing.assert_allclose(small, image.widened(Width(1.5, 0.2))(signal), atol=1e-6)
    heard = meter.Meter()
    for block in raw.blocks(signal, 7_001):
        heard.feed(block)
    assert heard.lufs() == pytest.approx(pyloudnorm.Meter(RATE).integrated_loudness(signal), abs=0.1)

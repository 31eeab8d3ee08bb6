"""Stems: how near the separations come to parts that are known, and that nothing of the song is lost (M2)."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from core.errors import EngineFailed, JobCancelled, NotConfigured
from core.music import separation
from core.music.separation import STEMS
from core.settings import get_settings
from providers.audio import pieces, spectral_stems, stems_builtin
from providers.audio.stems import provider_of
from providers.audio.stems_builtin import BuiltinStems, divide
from tests.benchmark.stems import band, sdr, si_sdr

STEPS = 2**23
LONG = 2


def test_the_built_in_separation_finds_the_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stems_builtin, "PIECE_SECONDS", 5.0)  # two pieces, so that a seam lies in what is measured
    song = band(22, seconds=8.0)
    soundfile.write(tmp_path / "song.flac", song.mix, 48_000, subtype="PCM_24")
    told: list[float] = []
    found = BuiltinStems().separate_stems(
        tmp_path / "song.flac", tmp_path, duration_seconds=8.0, progress=lambda done, stage=None: told.append(done)
    )
    assert set(found) == set(STEMS)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)
    heard: dict[str, Any] = {}
    for stem, path in found.items():
        about = soundfile.info(path)
        assert (about.samplerate, about.channels, about.subtype, about.format) == (48_000, 2, "PCM_24", "WAV")
        heard[stem] = soundfile.read(path, dtype="float32")[0]
    whole = np.sum([np.rint(part.astype(np.float64) * STEPS) for part in heard.values()], axis=0)
    written = np.rint(soundfile.read(tmp_path / "song.flac", dtype="float64")[0] * STEPS)
    assert np.array_equal(whole, written), "the stems sum to the song to the last bit"
    # Over the mix itself as every stem. Median filters and frequency bands alone improve the bass by 1 dB here.
    for stem, better in (("drums", 12.0), ("bass", 7.0), ("vocal", 5.0)):
        truth = song.stems[stem]
        assert si_sdr(truth, heard[stem]) > si_sdr(truth, song.mix) + better, stem
        assert sdr(truth, heard[stem]) > max(0.0, sdr(truth, song.mix)), stem


def test_silence_stays_silence_and_a_blink_is_no_fault() -> None:
    assert not spectral_stems.separate(np.zeros((96_000, 2), np.float32)).any()
    noise = np.random.default_rng(1).normal(0, 0.1, (2_000, 2)).astype(np.float32)
    assert spectral_stems.separate(noise).shape == (3, 2_000, 2)


def test_what_does_not_fit_into_a_stem_goes_to_another() -> None:
    whole = np.array([[STEPS - 1, -STEPS], [5, 0]], np.int32)
    loud = np.array([[-0.9, 0.9], [0.0, 0.0]], np.float32)
    parts = divide(whole, {"vocal": loud, "drums": loud * 0.3, "bass": loud * 0})
    assert np.array_equal(np.sum([*parts.values()], axis=0), whole)
    assert all(part.min() >= -STEPS and part.max() < STEPS for part in parts.values())


@pytest.mark.parametrize(("frames", "at_once"), [(1, 1), (99, 1), (100, 2), (101, 2), (1_000, 1), (1_037, 2)])
def test_pieces_join_without_a_seam(frames: int, at_once: int) -> None:
    sound = np.random.default_rng(2).normal(size=(frames, 2)).astype(np.float32)
    lengths: list[int] = []

    def work(piece: Any) -> Any:
        lengths.append(len(piece))
        return np.stack([piece, -piece])

    blocks = list(
        pieces.in_pieces(
            lambda start, stop: sound[start:stop], frames, work, length=100, fade=20,
            progress=lambda done, stage=None: None, at_once=at_once,
        )
    )  # fmt: skip
    assert max(lengths) <= 100
    at = 0
    for start, block in blocks:
        assert start == at
        at += block.shape[1]
    joined = np.concatenate([block for _, block in blocks], axis=1)
    np.testing.assert_allclose(joined, np.stack([sound, -sound]), atol=1e-6)


def test_a_cancelled_separation_stops_between_pieces() -> None:
    worked: list[int] = []

    def cancel(done: float, stage: str | None = None) -> None:
        if worked:
            raise JobCancelled

    def work(piece: Any) -> Any:
        worked.append(1)
        return piece[None]

    silence = np.zeros((1_000, 2), np.float32)
    with pytest.raises(JobCancelled):
        for _ in pieces.in_pieces(
            lambda start, stop: silence[start:stop], 1_000, work, length=100, fade=20, progress=cancel
        ):
            pass
    assert len(worked) <= 2


# --- Demucs on weights that the test makes: tiny, random, but read, run and joined like the real ones -----------------


def tiny_network() -> Any:
    import torch
    from demucs.htdemucs import HTDemucs

    torch.manual_seed(3)
    options = {
        "sources": ["drums", "bass", "other", "vocals"], "channels": 4, "depth": 2, "nfft": 512, "t_layers": 1,
        "t_heads": 2, "bottom_channels": 8, "dconv_mode": 0, "samplerate": 44_100, "segment": Fraction(4, 5),
    }  # fmt: skip
    return HTDemucs(**options).eval(), options


def keep_weights(model: Any, options: dict[str, Any], **metadata: str) -> Path:
    from safetensors.torch import save_file

    def encoded(value: Any) -> Any:
        return {"_type": "fraction", "numerator": value.numerator, "denominator": value.denominator}

    path = separation.model_folder() / separation.HTDEMUCS.files[0]
    path.parent.mkdir(parents=True, exist_ok=True)
    about = {"klass": "demucs.htdemucs.HTDemucs", "args": "[]", "kwargs": json.dumps(options, default=encoded)}
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, path, {**about, **metadata})
    return path


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("STUDIO_DATA", str(tmp_path / "data"))
    get_settings.cache_clear()
    yield tmp_path
    get_settings.cache_clear()


def test_demucs_works_in_segments_as_its_own_library_does_on_the_whole(models: Path) -> None:
    import torch
    from demucs.apply import apply_model

    with pytest.raises(NotConfigured) as refused:
        provider_of("demucs")
    assert refused.value.setting == "htdemucs"
    model, options = tiny_network()
    keep_weights(model, options)
    rate = 44_100
    mix = np.random.default_rng(4).normal(0.01, 0.05, (LONG * rate, 2))
    soundfile.write(models / "given.wav", mix, rate, subtype="PCM_24")
    found = provider_of("demucs").separate_stems(models / "given.wav", models, duration_seconds=LONG)
    song = torch.from_numpy(soundfile.read(models / "given.wav", dtype="float32")[0].T.copy())
    mean, spread = song.mean(0).mean(), song.mean(0).std() + 1e-8
    torch.set_num_threads(1)  # as the engine has it; on a busy machine threads wait for each other
    with torch.no_grad():
        whole = apply_model(model, ((song - mean) / spread)[None], shifts=0, overlap=0.25)[0] * spread + mean
    for name, expected in zip(options["sources"], whole.numpy(), strict=True):
        heard, heard_rate = soundfile.read(found["vocal" if name == "vocals" else name], dtype="float32")
        assert heard_rate == 48_000
        assert len(heard) == pytest.approx(LONG * 48_000, abs=2)
        # Compared where nothing depends on how the resampler rolls off: what both hold below 18 kHz. The library gives
        # a short last segment its neighbours as context, ours stands in silence.
        ours = np.fft.rfft(heard[: LONG * 48_000, 0])[: 18_000 * LONG] / (LONG * 48_000)
        theirs = np.fft.rfft(expected[0])[: 18_000 * LONG] / (LONG * rate)
        assert np.linalg.norm(ours - theirs) < 0.02 * np.linalg.norm(theirs), name


def test_weights_of_another_class_or_a_damaged_file_run_nothing(models: Path) -> None:
    model, options = tiny_network()
    path = keep_weights(model, options, klass="os.system")
    with pytest.raises(EngineFailed) as refused:
        provider_of("demucs").separate_stems(path, models)
    assert "another kind" in refused.value.title
    path.write_bytes(b"nonsense")
    with pytest.raises(EngineFailed) as refused:
        provider_of("demucs").separate_stems(path, models)
    assert "damaged" in refused.value.title


def test_services_that_are_not_built_are_refused(models: Path) -> None:
    for name in ("spleeter", "lalal"):
        with pytest.raises(NotConfigured):
            provider_of(name)  # type: ignore[arg-type]

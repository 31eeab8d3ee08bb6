"""The built-in separation of rendered bands against the mix itself and against plain median filters."""

from __future__ import annotations

import resource
from collections.abc import Callable

import numpy as np

from core.music.separation import STEMS
from providers.audio import spectral_stems
from tests.benchmark.stems import Band, Sound, band, sdr, si_sdr

TITLE = "Stems"
# The settings were chosen on other bands (even numbers below 16).
BANDS = range(16, 28)
SECONDS = 24.0
_BASS_HZ, _VOICE_HZ = 160.0, 4_000.0
Stems = dict[str, Sound]


def built_in(mix: Sound) -> Stems:
    """The engine of the studio."""
    vocal, drums, bass = spectral_stems.separate(mix)
    return {"vocal": vocal, "drums": drums, "bass": bass, "other": mix - vocal - drums - bass}


def bands_of_frequency(mix: Sound) -> Stems:
    """What anybody would try first: drums by median filters, bass below 160 Hz, voice up to 4 kHz from the middle."""
    spectra = spectral_stems._spectra(mix)
    level = np.sqrt(np.sum(np.abs(spectra) ** 2, axis=0)).astype(np.float32)
    drums = spectral_stems._struck(level) / (level + 1e-9)
    hertz = (np.arange(len(level)) * spectral_stems.RATE / spectral_stems.FFT)[:, None]
    low, middle = hertz < _BASS_HZ, (hertz >= _BASS_HZ) & (hertz < _VOICE_HZ)
    masks = {"vocal": (1 - drums) * middle * 0.7, "drums": drums, "bass": (1 - drums) * low}
    found = {stem: spectral_stems._sound(spectra * mask, len(mix)) for stem, mask in masks.items()}
    return {**found, "other": mix - np.sum([*found.values()], axis=0)}


def run(quick: bool) -> str:
    methods: dict[str, Callable[[Sound], Stems]] = {
        "the mix as every stem": lambda mix: dict.fromkeys(STEMS, mix),
        "median filters and frequency bands": bands_of_frequency,
        "built in (basic)": built_in,
    }
    songs = [band(number, SECONDS) for number in (BANDS[::4] if quick else BANDS)]
    lines = [
        f"{len(songs)} bands of {SECONDS:.0f} s, each part rendered alone by a General MIDI soundfont; choir, voice "
        "patches, flute, violin or saxophone stand for a singer. On records every method does worse. SDR / SI-SDR in "
        "dB, means.",
        "",
        f"| | {' | '.join(STEMS)} | mean |",
        f"|---|{'---|' * (len(STEMS) + 1)}",
    ]
    spent = 0.0
    for name, method in methods.items():
        before = _cpu()
        found = np.array([_scores(song, method(song.mix)) for song in songs])
        spent = _cpu() - before
        means = [*found.mean(axis=0), found.mean(axis=(0, 1))]
        lines.append(f"| {name} | {' | '.join(f'{plain:.1f} / {free:.1f}' for plain, free in means)} |")
    return "\n".join([*lines, "", f"{spent / (len(songs) * SECONDS):.2f} CPU s for each second of music, built in."])


def _scores(song: Band, found: Stems) -> list[tuple[float, float]]:
    return [(sdr(song.stems[stem], found[stem]), si_sdr(song.stems[stem], found[stem])) for stem in STEMS]


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime

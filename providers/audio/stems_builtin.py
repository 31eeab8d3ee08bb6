"""The built-in separation, called basic: no weights, no download, and stems that sum to the song to the last bit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from core.music.separation import BUILTIN, STEMS, Stem, require_ready
from core.progress import Progress, no_progress, part
from providers.audio import decode, spectral_stems
from providers.audio.base import AudioProviderBase
from providers.audio.pieces import in_pieces

PIECE_SECONDS, FADE_SECONDS = 30.0, 1.0
_FULL = 2**23
_WAV_LIMIT = 4_000_000_000
Samples = np.ndarray[Any, np.dtype[np.int32]]


class BuiltinStems(AudioProviderBase):
    """Median filters, notes and one Wiener filter (:mod:`providers.audio.spectral_stems`)."""

    name = BUILTIN
    edition = "basic 1"

    def separate_stems(
        self, source: Path, folder: Path, *, duration_seconds: float = 0.0, progress: Progress = no_progress
    ) -> Mapping[Stem, Path]:
        import soundfile

        require_ready("builtin")
        song = folder / "song.wav"
        decode.to_wav(source, song, duration_seconds=duration_seconds, progress=part(progress, 0.0, 0.05))
        paths: dict[Stem, Path] = {stem: folder / f"{stem}.wav" for stem in STEMS}
        with ExitStack() as stack:
            mix = stack.enter_context(soundfile.SoundFile(song))
            form = "WAV" if mix.frames * 6 < _WAV_LIMIT else "RF64"
            files = {
                stem: stack.enter_context(
                    soundfile.SoundFile(path, "w", decode.STUDIO_RATE, 2, subtype="PCM_24", format=form)
                )
                for stem, path in paths.items()
            }
            for stem, samples in _stems(mix, part(progress, 0.05, 1.0, "stage.separate")):
                files[stem].write(samples * 256)
        song.unlink()
        return paths


def _stems(mix: Any, progress: Progress) -> Iterator[tuple[Stem, Samples]]:
    """Blocks of each stem in 24-bit steps."""

    def read(start: int, stop: int) -> Any:
        mix.seek(start)
        return mix.read(stop - start, dtype="float32", always_2d=True)

    pieces = in_pieces(
        read, mix.frames, spectral_stems.separate, length=round(PIECE_SECONDS * decode.STUDIO_RATE),
        fade=round(FADE_SECONDS * decode.STUDIO_RATE), progress=progress,
    )  # fmt: skip
    for start, (vocal, drums, bass) in pieces:
        whole = np.rint(read(start, start + len(vocal)).astype(np.float64) * _FULL).astype(np.int32)
        yield from divide(whole, {"vocal": vocal, "drums": drums, "bass": bass}).items()


def divide(whole: Samples, estimates: Mapping[Stem, Any]) -> dict[Stem, Samples]:
    """Stems in 24-bit steps that sum to ``whole`` exactly: the rest is what is left, and what would not fit into its
    24 bits goes to the others."""
    found: dict[Stem, Samples] = {
        stem: np.clip(np.rint(samples.astype(np.float64) * _FULL), -_FULL, _FULL - 1).astype(np.int32)
        for stem, samples in estimates.items()
    }
    left = whole - np.sum([*found.values()], axis=0, dtype=np.int32)
    rest = np.clip(left, -_FULL, _FULL - 1)
    over = np.asarray(left - rest, np.int32)
    for stem, samples in found.items():
        if over.any():
            room = np.clip(samples + over, -_FULL, _FULL - 1)
            over = np.asarray(over - (room - samples), np.int32)
            found[stem] = room
    return {**found, "other": rest}

"""Stems by Hybrid Transformer Demucs (Rouard, Massa and Défossez, "Hybrid transformers for music source separation",
ICASSP 2023), on the weights in the data folder.

The song is worked on as ``demucs.apply.apply_model`` does it without its random shifts: segments of the model's own
length that overlap by a quarter, joined by linear cross-fades, around the song's mean and spread. What that function
holds in memory whole (the song and all stems) lies on the disk here. On two cores two segments at once with one thread
each were the fastest of the settings tried: 1.8 to 2.9 s for a second of music, 2.1 GB.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import EngineFailed
from core.music.separation import DEMUCS, HTDEMUCS, STEMS, Stem, model_folder, require_ready
from core.progress import Progress, no_progress, part
from providers.audio import decode
from providers.audio.base import AudioProviderBase
from providers.audio.pieces import in_pieces

OVERLAP = 0.25
AT_ONCE = 2
_CLASS = "demucs.htdemucs.HTDemucs"
_BLOCK = 1 << 20
_OURS: dict[str, Stem] = {"vocals": "vocal"}


class DemucsStems(AudioProviderBase):
    """The model of :data:`core.music.separation.HTDEMUCS`."""

    name = DEMUCS
    edition = HTDEMUCS.name

    def separate_stems(
        self, source: Path, folder: Path, *, duration_seconds: float = 0.0, progress: Progress = no_progress
    ) -> Mapping[Stem, Path]:
        import soundfile
        import torch

        require_ready("demucs")
        model = load_model(model_folder() / HTDEMUCS.files[0])
        names: list[Stem] = [_OURS.get(each, each) for each in model.sources]
        if sorted(names) != sorted(STEMS):
            raise EngineFailed("These weights separate other stems than the studio knows.", ", ".join(model.sources))
        song = folder / "song.wav"
        decode.to_wav(
            source, song, duration_seconds=duration_seconds, rate=model.samplerate, progress=part(progress, 0.0, 0.04)
        )
        raw = {stem: folder / f"{stem}-raw.wav" for stem in names}
        length = int(model.samplerate * float(model.segment))
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with ExitStack() as stack:
                mix = stack.enter_context(soundfile.SoundFile(song))
                files = [
                    stack.enter_context(
                        soundfile.SoundFile(raw[stem], "w", model.samplerate, 2, subtype="FLOAT", format="RF64")
                    )
                    for stem in names
                ]
                mean, spread = _statistics(mix)

                def read(start: int, stop: int) -> Any:
                    mix.seek(start)
                    return (mix.read(stop - start, dtype="float32", always_2d=True) - mean) / spread

                pieces = in_pieces(
                    read, mix.frames, lambda piece: _separated(model, piece, length), length=length,
                    fade=length - int((1 - OVERLAP) * length), progress=part(progress, 0.04, 0.95, "stage.separate"),
                    at_once=min(AT_ONCE, os.cpu_count() or 1),
                )  # fmt: skip
                for _, block in pieces:
                    for file, samples in zip(files, block, strict=True):
                        file.write(samples * spread + mean)
        finally:
            torch.set_num_threads(threads)
        song.unlink()
        paths: dict[Stem, Path] = {}
        for index, stem in enumerate(names):
            paths[stem] = folder / f"{stem}.wav"
            share = part(progress, 0.95 + index / 80, 0.95 + (index + 1) / 80)
            decode.to_wav(raw[stem], paths[stem], duration_seconds=duration_seconds, progress=share)
            raw[stem].unlink()
        return paths


def load_model(path: Path) -> Any:
    """The network from a safetensors file whose metadata says how it is built (demucs/hf.py). Only its one class is
    built, whatever the file names, so that weights from elsewhere can run nothing.

    Raises:
        EngineFailed: a damaged file, or another kind of model.
    """
    from demucs.htdemucs import HTDemucs
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="pt") as file:
            about = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
        if about.get("klass") != _CLASS or "structure" in about:
            raise EngineFailed("These weights belong to another kind of model.", about.get("klass", path.name))
        options = json.loads(about["kwargs"], object_hook=_fraction)
        model = HTDemucs(*json.loads(about["args"], object_hook=_fraction), **options)
        model.load_state_dict(weights)
    except (SafetensorError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise EngineFailed("The weights of Demucs are damaged.", f"Download them again. {error}"[:300]) from error
    return model.eval()


def _fraction(value: dict[str, Any]) -> Any:
    return Fraction(value["numerator"], value["denominator"]) if value.get("_type") == "fraction" else value


def _statistics(mix: Any) -> tuple[float, float]:
    """Mean and standard deviation of the song as one channel."""
    total = squares = 0.0
    for block in mix.blocks(_BLOCK, dtype="float64", always_2d=True):
        mono = block.mean(axis=1)
        total += float(mono.sum())
        squares += float(np.sum(mono**2))
    mean = total / max(mix.frames, 1)
    return mean, float(np.sqrt(max(squares / max(mix.frames, 1) - mean**2, 0.0))) + 1e-8


def _separated(model: Any, piece: Any, length: int) -> Any:
    """(frames, 2) → (stems, frames, 2); a short piece stands in the middle of a whole one."""
    import torch

    missing = length - len(piece)
    padded = np.pad(piece, ((missing // 2, missing - missing // 2), (0, 0)))
    with torch.no_grad():
        found = model(torch.from_numpy(np.ascontiguousarray(padded.T))[None])[0]
    return np.ascontiguousarray(found.numpy()[..., missing // 2 : missing // 2 + len(piece)].transpose(0, 2, 1))

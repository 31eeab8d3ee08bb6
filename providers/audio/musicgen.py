"""Music from words by MusicGen (Copet et al., "Simple and controllable music generation", 2023), through transformers,
on the weights in the data folder. Its sound is one channel at 32 kHz; the studio keeps it as 48 kHz stereo.

The weights are CC BY-NC 4.0: what they make carries that licence and is marked as made by AI.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import EngineFailed
from core.music.composing.plan import Plan, Wishes
from core.music.generation import MUSICGEN_SMALL, require_ready
from core.music.separation import model_folder
from core.progress import Progress, no_progress, part
from providers.audio import decode
from providers.audio.composer import PEAK_DBFS, TARGET_LUFS

GUIDANCE = 3.0
"""How closely the words are followed; the paper's and the model card's value."""
SEAM_SECONDS = 1.0
"""How long the end of a loop fades into its beginning."""
Samples = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Made:
    """48 kHz, stereo, 24 bits; None for silence."""

    path: Path
    loudness_lufs: float | None


def describe(prompt: str, plan: Plan, wishes: Wishes) -> str:
    """The prompt and, in the words of the model's training texts, what was asked for beside it by name."""
    tonic, _, mode = (wishes.key or "").partition(":")
    said = [
        " ".join(prompt.split()),
        f"{wishes.mood} mood" if wishes.mood else "",
        wishes.style or "",
        ", ".join(name.replace("_", " ") for name in wishes.instruments),
        f"{plan.bpm:.0f} bpm" if wishes.bpm else "",
        f"in {tonic} {'minor' if mode == 'min' else 'major'}" if wishes.key else "",
        f"{wishes.metre} time" if wishes.metre else "",
    ]
    return ", ".join(words for words in said if words)


def generate(
    text: str, seconds: float, seed: int, folder: Path, *, loop: bool = False, progress: Progress = no_progress
) -> Made:
    """Make ``seconds`` of music into ``folder``; the same words and seed give the same sound on the same machine.

    Raises:
        NotConfigured: the engine or its weights are not on this machine.
        EngineFailed: damaged weights.
        JobCancelled: raised by ``progress``, between two steps of a fiftieth of a second of music.
    """
    import soundfile
    import torch

    require_ready("musicgen", seconds)
    model, tokenizer = load_model(model_folder(MUSICGEN_SMALL))
    rate = int(model.config.audio_encoder.sampling_rate)
    codebooks = int(model.config.decoder.num_codebooks)
    frames = math.ceil((seconds + (SEAM_SECONDS if loop else 0.0)) * model.config.audio_encoder.frame_rate)
    inputs = tokenizer([text], return_tensors="pt", truncation=True)
    torch.manual_seed(seed)
    # The codebooks follow each other by a step: as many steps more give every frame all of its codes.
    with torch.no_grad():
        heard = model.generate(
            input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], do_sample=True,
            guidance_scale=GUIDANCE, max_new_tokens=frames + codebooks,
            stopping_criteria=[_Teller(frames + codebooks, part(progress, 0.05, 0.9, "stage.music"))],
        )  # fmt: skip
    samples = heard[0, 0].float().numpy()
    length = round(seconds * rate)
    if len(samples) < length:
        raise EngineFailed("MusicGen stopped before the music was finished.", f"{len(samples) / rate:.1f} s")
    sound = joined(samples, length, round(SEAM_SECONDS * rate)) if loop else _ended(samples[:length], rate)
    sound, loudness = _master(sound, rate)
    raw, path = folder / "made.wav", folder / "song.wav"
    soundfile.write(raw, sound, rate, subtype="FLOAT")
    decode.to_wav(raw, path, duration_seconds=seconds, progress=part(progress, 0.9, 1.0))
    raw.unlink()
    return Made(path, loudness)


class _Teller:
    """Tells how far the generation is, which may end it; it never stops it by itself."""

    def __init__(self, steps: int, progress: Progress) -> None:
        self._steps, self._progress, self._done = steps, progress, 0

    def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
        import torch

        self._done += 1
        self._progress(min(1.0, self._done / self._steps), "stage.music")
        return torch.zeros(input_ids.shape[0], dtype=torch.bool)


def load_model(folder: Path) -> tuple[Any, Any]:
    """The network and its tokenizer, from safetensors and JSON alone: reading them runs nothing.

    Raises:
        EngineFailed: damaged, or another kind of model.
    """
    from safetensors import SafetensorError
    from transformers import AutoTokenizer, MusicgenForConditionalGeneration

    try:
        model = MusicgenForConditionalGeneration.from_pretrained(folder, local_files_only=True, use_safetensors=True)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, SafetensorError) as error:
        raise EngineFailed("The weights of MusicGen are damaged.", f"Download them again. {error}"[:300]) from error
    model.train(False)
    return model, tokenizer


def joined(samples: Samples, length: int, seam: int) -> Samples:
    """The first ``length`` samples, begun with what comes after them: the end goes on into the beginning."""
    after = samples[length : length + seam]
    turn = np.linspace(0, np.pi / 2, len(after), endpoint=False, dtype=np.float32)
    made = samples[:length].copy()
    made[: len(after)] = made[: len(after)] * np.sin(turn) + after * np.cos(turn)
    return made


def _ended(samples: Samples, rate: int) -> Samples:
    fade = min(rate // 2, len(samples))
    ended = samples.copy()
    ended[len(ended) - fade :] *= np.cos(np.linspace(0, np.pi / 2, fade, dtype=np.float32)) ** 2
    return ended


def _master(sound: Samples, rate: int) -> tuple[Samples, float | None]:
    """As loud as the studio's other music where its peaks allow that."""
    import pyloudnorm

    meter = pyloudnorm.Meter(rate)
    loudness = float(meter.integrated_loudness(sound.astype(np.float64)))
    peak = float(np.max(np.abs(sound), initial=0.0))
    if not np.isfinite(loudness) or peak < 1e-6:
        return sound, None
    gain_db = min(TARGET_LUFS - loudness, PEAK_DBFS - 20 * math.log10(peak))
    return sound * np.float32(10 ** (gain_db / 20)), round(loudness + gain_db, 2)

"""Who makes music from a prompt, and who of them can do it on this machine now; told without loading an engine."""

from __future__ import annotations

from typing import Literal

from core.errors import InvalidInput, NotConfigured
from core.installed import installed
from core.music.presets import SOUNDFONT
from core.music.separation import State, StemModel, model_installed

GenerateProvider = Literal["builtin", "musicgen", "external"]
BUILTIN, MUSICGEN = "builtin", "musicgen"

# The card of the model at the hub; sizes as 591 million weights of four bytes.
MUSICGEN_SMALL = StemModel(
    "musicgen-small",
    "MusicGen small",
    "facebook/musicgen-small",
    (
        "config.json", "generation_config.json", "preprocessor_config.json", "special_tokens_map.json",
        "tokenizer_config.json", "tokenizer.json", "model.safetensors",
    ),
    2_370_000_000,
    "CC-BY-NC-4.0 (MusicGen, © Meta Platforms): not for anything that earns money",
    folder="musicgen-small",
)  # fmt: skip
MUSICGEN_LONGEST_SECONDS = 30.0
"""What the model was trained on; beyond that it loses the thread."""


def state_of(provider: GenerateProvider) -> State:
    """Whether a provider can work now, or what it lacks: an installation, its weights, or being built."""
    if provider == BUILTIN:
        return "ready" if SOUNDFONT.is_file() and installed("tinysoundfont", "pyloudnorm") else "install"
    if provider == MUSICGEN:
        if not installed("torch", "transformers", "safetensors"):
            return "install"
        return "ready" if model_installed(MUSICGEN_SMALL) else "download"
    return "later"


def require_ready(provider: GenerateProvider, seconds: float | None = None) -> None:
    """Refuse work that a provider cannot do now; another one is the user's choice, never ours.

    Raises:
        NotConfigured: naming what is missing.
        InvalidInput: longer than the provider can make.
    """
    state = state_of(provider)
    if state == "install" and provider == MUSICGEN:
        raise NotConfigured("MusicGen is not installed.", "Run “make models” once.", setting="musicgen")
    if state == "install":
        raise NotConfigured("The instruments are not installed.", "Run “make vendor” once.", setting="soundfont")
    if state == "download":
        raise NotConfigured(
            "The weights of MusicGen are not on this machine.",
            f"Download them under Settings ({MUSICGEN_SMALL.size_bytes / 1e9:.1f} GB).",
            setting=MUSICGEN_SMALL.name,
        )
    if state == "later":
        raise NotConfigured("This service is not part of the studio yet.", "Choose another one.", setting=provider)
    if provider == MUSICGEN and seconds is not None and seconds > MUSICGEN_LONGEST_SECONDS:
        raise InvalidInput(
            f"MusicGen makes at most {MUSICGEN_LONGEST_SECONDS:.0f} seconds.",
            "Ask for less, and loop it; or let the built-in composer make it.",
        )

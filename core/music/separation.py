"""Who separates a song into stems, and who of them can do it on this machine now; told without loading an engine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.errors import NotConfigured
from core.installed import installed
from core.settings import get_settings

Stem = Literal["vocal", "drums", "bass", "other"]
STEMS: tuple[Stem, ...] = ("vocal", "drums", "bass", "other")
StemProvider = Literal["builtin", "demucs", "spleeter", "lalal"]
State = Literal["ready", "install", "download", "later"]
BUILTIN, DEMUCS = "builtin", "demucs"


@dataclass(frozen=True)
class StemModel:
    """Weights to be downloaded; ``size_bytes`` is about what that takes, ``folder`` its own name among the models."""

    name: str
    title: str
    repository: str
    files: tuple[str, ...]
    size_bytes: int
    licence: str
    folder: str = ""


# Demucs 4.1 has its models as safetensors on the model hub, one repository each (demucs/hf.py, docs/release.md there).
HTDEMUCS = StemModel(
    "htdemucs", "Hybrid Transformer Demucs", "adefossez/HTDemucs", ("955717e8.safetensors",), 84_000_000, "MIT"
)


def model_folder(model: StemModel = HTDEMUCS) -> Path:
    """Where the weights lie, or would."""
    return get_settings().models_dir / (model.folder or f"demucs-{model.name}")


def model_installed(model: StemModel = HTDEMUCS) -> bool:
    """Whether all files of a model are here."""
    return all((model_folder(model) / file).is_file() for file in model.files)


def state_of(provider: StemProvider) -> State:
    """Whether a provider can work now, or what it lacks: an installation, its weights, or being built."""
    if provider == BUILTIN:
        return "ready" if installed("librosa", "onnxruntime", "basic_pitch") else "install"
    if provider == DEMUCS:
        if not installed("torch", "demucs", "safetensors"):
            return "install"
        return "ready" if model_installed() else "download"
    return "later"


def require_ready(provider: StemProvider) -> None:
    """Refuse work that a provider cannot do now; another one is the user's choice, never ours.

    Raises:
        NotConfigured: naming what is missing.
    """
    state = state_of(provider)
    if state == "install" and provider == DEMUCS:
        raise NotConfigured("Demucs is not installed.", "Run “make models” once.", setting="demucs")
    if state == "install":
        raise NotConfigured("Note recognition is not installed.", "Run “make run” again.", setting="basic-pitch")
    if state == "download":
        raise NotConfigured(
            "The weights of Demucs are not on this machine.",
            f"Download them under Settings ({HTDEMUCS.size_bytes / 1e6:.0f} MB).",
            setting=HTDEMUCS.name,
        )
    if state == "later":
        raise NotConfigured("This service is not part of the studio yet.", "Choose another one.", setting=provider)

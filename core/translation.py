"""Which languages subtitles are translated to, what can translate them, and what of it is here (SPEC V3.3).

Looked up without loading an engine. Languages are BCP 47 codes; engines are asked for the language alone ("pt-BR" is
"pt").
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.errors import NotConfigured
from core.settings import get_settings

Provider = Literal["local", "hosted"]
"""Where text is translated: on this machine, or by a service that the text is sent to."""
State = Literal["ready", "install", "download", "key"]
HOSTED_KEY = "TRANSLATION_API_KEY"
LANGUAGES = (
    "en", "th", "zh", "ja", "ko", "vi", "id", "ms", "lo", "km", "my", "hi", "ar", "es", "pt", "fr", "de", "it", "ru",
    "tr", "nl", "pl",
)  # fmt: skip
"""What the pages offer; over HTTP any code that the chosen engine knows."""


@dataclass(frozen=True)
class TranslationModel:
    """Weights in CTranslate2's form with their SentencePiece model; ``size_bytes`` is about what a download takes."""

    name: str
    title: str
    repository: str
    files: tuple[str, ...]
    size_bytes: int
    licence: str
    languages: frozenset[str]


# The hundred languages of M2M-100 (Fan et al. 2020, table of its model card).
_M2M_LANGUAGES = frozenset({
    "af", "am", "ar", "ast", "az", "ba", "be", "bg", "bn", "br", "bs", "ca", "ceb", "cs", "cy", "da", "de", "el",
    "en", "es", "et", "fa", "ff", "fi", "fr", "fy", "ga", "gd", "gl", "gu", "ha", "he", "hi", "hr", "ht", "hu",
    "hy", "id", "ig", "ilo", "is", "it", "ja", "jv", "ka", "kk", "km", "kn", "ko", "lb", "lg", "ln", "lo", "lt",
    "lv", "mg", "mk", "ml", "mn", "mr", "ms", "my", "ne", "nl", "no", "ns", "oc", "or", "pa", "pl", "ps", "pt",
    "ro", "ru", "sd", "si", "sk", "sl", "so", "sq", "sr", "ss", "su", "sv", "sw", "ta", "th", "tl", "tn", "tr",
    "uk", "ur", "uz", "vi", "wo", "xh", "yi", "yo", "zh", "zu",
})  # fmt: skip
M2M100 = TranslationModel(
    "m2m100-418m",
    "M2M-100, 418 million parameters",
    "michaelfeil/ct2fast-m2m100_418M",
    ("config.json", "model.bin", "sentencepiece.bpe.model", "shared_vocabulary.txt"),
    974_000_000,
    "MIT (Meta AI, M2M-100)",
    _M2M_LANGUAGES,
)


# Languages written in letters that the caption font lacks: it has Latin and Thai ones.
_UNDRAWN = frozenset(
    {"am", "ar", "ba", "be", "bg", "bn", "el", "fa", "gu", "he", "hi", "hy", "ja", "ka", "kk", "km", "kn", "ko", "lo",
     "mk", "ml", "mn", "mr", "my", "ne", "or", "pa", "ps", "ru", "sd", "si", "sr", "ta", "te", "uk", "ur", "yi", "yue",
     "zh"}
)  # fmt: skip


def drawn(language: str) -> bool:
    """Whether captions in this language can be burnt in; as files there is no limit."""
    return base_of(language) not in _UNDRAWN


def model_folder(model: TranslationModel = M2M100) -> Path:
    """Where the weights lie, or would."""
    return get_settings().models_dir / f"translation-{model.name}"


def model_installed(model: TranslationModel = M2M100) -> bool:
    """Whether all files of a model are here."""
    return all((model_folder(model) / file).is_file() for file in model.files)


def state_of(provider: Provider, *, has_key: bool) -> State:
    """Whether a provider can work now, or what it lacks."""
    if provider == "hosted":
        return "ready" if has_key else "key"
    if not all(importlib.util.find_spec(module) is not None for module in ("ctranslate2", "sentencepiece")):
        return "install"
    return "ready" if model_installed() else "download"


def base_of(language: str) -> str:
    """The language of a code without its region: "pt" of "pt-BR"."""
    return language.split("-")[0].lower()


def others(spoken: str, wanted: tuple[str, ...]) -> list[str]:
    """Of the wanted languages those that have to be translated, each once; "auto" is what is spoken."""
    found = [language for language in wanted if language != "auto" and base_of(language) != base_of(spoken)]
    return list(dict.fromkeys(found))


def require_ready(provider: Provider, *, has_key: bool, source: str, targets: list[str]) -> None:
    """Refuse a translation that a provider cannot do now; another one is the user's choice, never ours.

    Raises:
        NotConfigured: naming what is missing.
    """
    state = state_of(provider, has_key=has_key)
    if state == "key":
        raise NotConfigured(
            "The hosted translation service has no key.", f"Store {HOSTED_KEY} under Settings.", setting=HOSTED_KEY
        )
    if state == "install":
        raise NotConfigured(
            "The translation engine is not installed.", "Run “make run” again.", setting="sentencepiece"
        )
    if state == "download":
        raise NotConfigured(
            "There is no translation model on this machine.",
            f"Download {M2M100.title} under Settings ({M2M100.size_bytes / 1e6:.0f} MB), or let a hosted service "
            "translate (translation_provider “hosted”).",
            setting=M2M100.name,
        )
    unknown = [code for code in (source, *targets) if base_of(code) not in M2M100.languages]
    if provider == "local" and unknown:
        raise NotConfigured(
            f"The translation model on this machine does not know {', '.join(unknown)}.",
            "Let a hosted service translate.",
            setting=M2M100.name,
        )

"""What does the work of each kind, and whether it is ready, told without loading any engine.

Pages and API may import this module and nothing else of :mod:`providers`; it imports none of the rooms. Whoever adds an
engine to a room adds its entry here. ``ready`` says that the engine works on this machine now; ``reason_in`` says what
it does or what it lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import speech, translation, voices
from core.advisor import language
from core.i18n import file_size, t
from core.installed import installed
from core.models.identity import StoredSetting
from core.models.publishing import PlatformAccount
from core.music import generation, separation
from core.music.presets import PRESETS, SOUNDFONT
from core.settings import get_settings
from core.video.generate import engines
from core.video.generate.looks import LOOKS

Kind = Literal["video", "speech", "voice", "music", "analysis", "stems", "translation", "publishing", "language"]


@dataclass(frozen=True)
class ProviderInfo:
    """One engine or service. ``title`` is its own name, ``reason_key`` the message that says what it does or lacks,
    ``keys`` the stored settings it uses, ``details`` what the API tells beside it."""

    name: str
    kind: Kind
    title: str
    ready: bool
    reason_key: str
    licence: str = ""
    keys: tuple[str, ...] = ()
    simulated: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)

    def reason_in(self, lang: str) -> str:
        """The sentence for a person."""
        shown = {**self.details, "size": file_size(int(self.details.get("size_bytes", 0)))}
        return t(self.reason_key, lang, **shown)

    def as_dict(self, lang: str = "en") -> dict[str, Any]:
        """The shape of GET /providers."""
        return {
            "name": self.name,
            "kind": self.kind,
            "title": self.title,
            "ready": self.ready,
            "reason": self.reason_in(lang),
            "licence": self.licence,
            "keys": list(self.keys),
            "simulated": self.simulated,
            "details": dict(self.details),
        }


@dataclass(frozen=True)
class _Studio:
    """What entries may look at: names of stored settings and the platforms with a connected account."""

    stored: frozenset[str]
    platforms: frozenset[str]


def providers(session: Session, owner_id: UUID) -> list[ProviderInfo]:
    """Every provider, for the studio of ``owner_id``."""
    stored = session.scalars(select(StoredSetting.name).where(StoredSetting.owner_id == owner_id))
    accounts = session.scalars(select(PlatformAccount.platform).where(PlatformAccount.owner_id == owner_id))
    studio = _Studio(frozenset(stored), frozenset(accounts))
    return [info for entry in _ENTRIES for info in entry(studio)]


def _video(studio: _Studio) -> list[ProviderInfo]:
    ready = bool(get_settings().ffmpeg_binary) or installed("imageio_ffmpeg")
    built_in = ProviderInfo(
        "internal_ffmpeg", "video", "FFmpeg", ready, "provider.ffmpeg" if ready else "provider.missing.ffmpeg",
        "GPL-3.0-or-later (run as a program)", details={"styles": list(LOOKS)},
    )  # fmt: skip
    bases = {
        "runway": get_settings().runway_api_base,
        "luma": get_settings().luma_api_base,
        "pika": get_settings().pika_api_base,
    }
    hosted = [
        ProviderInfo(
            name, "video", name.title(), key in studio.stored,
            f"provider.hosted_video.{'ready' if key in studio.stored else 'missing'}", "vendor's terms", keys=(key,),
            details={
                "host": urlsplit(bases[name]).hostname or "", "setting": key,
                "longest": round(engines.LONGEST_CLIP[name]),
            },
        )
        for name, key in engines.KEYS.items()
    ]  # fmt: skip
    return [built_in, *hosted]


def _speech(studio: _Studio) -> list[ProviderInfo]:
    engine = installed("faster_whisper", "ctranslate2", "onnxruntime")
    present = set(speech.installed()) if engine else set()
    found = []
    for model in speech.CATALOGUE.values():
        languages = "multilingual" if model.multilingual else "english"
        state = languages if model.name in present else "download" if model.name != speech.BUNDLED else "missing"
        found.append(
            ProviderInfo(
                f"whisper-{model.name}", "speech", model.title, model.name in present, f"provider.whisper.{state}",
                model.licence, details={"model": model.name, "size_bytes": model.size_bytes, "languages": languages},
            )
        )  # fmt: skip
    ready = speech.HOSTED_KEY in studio.stored
    host = urlsplit(get_settings().speech_api_base).hostname or ""
    found.append(
        ProviderInfo(
            "hosted-speech", "speech", get_settings().speech_api_model, ready,
            "provider.hosted_speech" if ready else "provider.missing.hosted_speech", "service's terms",
            keys=(speech.HOSTED_KEY,), details={"host": host, "languages": "multilingual"},
        )
    )  # fmt: skip
    return found


def _translation(studio: _Studio) -> list[ProviderInfo]:
    model = translation.M2M100
    state = translation.state_of("local", has_key=False)
    ready = translation.HOSTED_KEY in studio.stored
    host = urlsplit(get_settings().translation_api_base).hostname or ""
    return [
        ProviderInfo(
            model.name, "translation", model.title, state == "ready", f"provider.translation_local.{state}",
            model.licence,
            details={"model": model.name, "size_bytes": model.size_bytes, "languages": sorted(model.languages)},
        ),
        ProviderInfo(
            "hosted-translation", "translation", get_settings().translation_api_model, ready,
            "provider.hosted_translation" if ready else "provider.missing.hosted_translation", "service's terms",
            keys=(translation.HOSTED_KEY,), details={"host": host},
        ),
    ]  # fmt: skip


def _voice(studio: _Studio) -> list[ProviderInfo]:
    engine, found = installed("piper"), []
    for voice in voices.PIPER.values():
        ready = engine and voices.model_path(voice.name) is not None
        state = "ready" if ready else "download" if engine and voice.name != voices.BUNDLED else "missing"
        found.append(
            ProviderInfo(
                "piper" if voice.name == voices.BUNDLED else f"piper-{voice.name}", "voice", f"Piper: {voice.title}",
                ready, f"provider.piper_voice.{state}", f"GPL-3.0 (run as a program); {voice.licence}",
                details={"voice": voice.name, "size_bytes": voice.size_bytes, "languages": "english"},
            )
        )  # fmt: skip
    hosted = speech.HOSTED_KEY in studio.stored
    host = urlsplit(get_settings().speech_api_base).hostname or ""
    found.append(
        ProviderInfo(
            "hosted-voice", "voice", get_settings().speech_api_voice_model, hosted,
            "provider.hosted_voice" if hosted else "provider.missing.hosted_voice", "service's terms",
            keys=(speech.HOSTED_KEY,),
            details={"host": host, "languages": "multilingual", "voices": voices.hosted_names()},
        )
    )  # fmt: skip
    return found


def _music(_: _Studio) -> list[ProviderInfo]:
    ready = SOUNDFONT.is_file() and installed("tinysoundfont")
    key = "provider.builtin_music" if ready else "provider.missing.soundfont"
    tracks = {"count": len(PRESETS), "presets": sorted(PRESETS)}
    analysis = installed("librosa", "pyloudnorm")
    return [
        ProviderInfo("builtin", "music", "Music Lab", ready, key, "MIT; soundfont Apache-2.0", details=tracks),
        *_networks(),
        ProviderInfo(
            "librosa", "analysis", "librosa", analysis,
            "provider.analysis" if analysis else "provider.missing.analysis", "ISC",
        ),
    ]  # fmt: skip


def _networks() -> list[ProviderInfo]:
    """Who makes music from words beside the built-in composer."""
    weights = generation.MUSICGEN_SMALL
    model = {"model": weights.name, "size_bytes": weights.size_bytes}
    known: tuple[tuple[generation.GenerateProvider, str, str, dict[str, Any]], ...] = (
        ("musicgen", "MusicGen", weights.licence, model),
        ("external", "Music service", "service's terms", {}),
    )
    found = []
    for name, title, licence, details in known:
        state = generation.state_of(name)
        reason = f"provider.music_{name}.{state}"
        found.append(ProviderInfo(name, "music", title, state == "ready", reason, licence, details=details))
    return found


META_KEYS = ("META_APP_ID", "META_APP_SECRET", "META_VERIFY_TOKEN")


def _meta(studio: _Studio, name: str, title: str) -> ProviderInfo:
    """A platform of Meta: one app of the user's there serves both."""
    ready = name in studio.platforms
    settings = get_settings()
    client = "META_APP_ID" in studio.stored or bool(settings.meta_app_id and settings.meta_app_secret)
    key = f"provider.{name}" if ready else f"provider.missing.{name}"
    return ProviderInfo(
        name, "publishing", title, ready, key, "Meta's terms", keys=META_KEYS, details={"client": client}
    )


def _stems(_: _Studio) -> list[ProviderInfo]:
    model = {"model": separation.HTDEMUCS.name, "size_bytes": separation.HTDEMUCS.size_bytes}
    known: tuple[tuple[separation.StemProvider, str, str, dict[str, Any]], ...] = (
        ("builtin", "Basic", "MIT; notes Apache-2.0 (Basic Pitch)", {}),
        ("demucs", "Demucs", separation.HTDEMUCS.licence, model),
        ("spleeter", "Spleeter", "MIT", {}),
        ("lalal", "LALAL.AI", "service's terms", {}),
    )
    found = []
    for name, title, licence, details in known:
        state = separation.state_of(name)
        found.append(
            ProviderInfo(
                name, "stems", title, state == "ready", f"provider.stems_{name}.{state}", licence, details=details
            )
        )
    return found


def _publishing(studio: _Studio) -> list[ProviderInfo]:
    youtube, tiktok = (name in studio.platforms for name in ("youtube", "tiktok"))
    return [
        ProviderInfo(
            "youtube", "publishing", "YouTube", youtube,
            "provider.youtube" if youtube else "provider.missing.youtube", "Google's terms",
            keys=("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"),
            details={"client": "GOOGLE_CLIENT_ID" in studio.stored},
        ),
        ProviderInfo(
            "tiktok", "publishing", "TikTok", tiktok,
            "provider.tiktok" if tiktok else "provider.missing.tiktok", "TikTok's terms",
            keys=("TIKTOK_CLIENT_KEY", "TIKTOK_CLIENT_SECRET"),
            details={"client": "TIKTOK_CLIENT_KEY" in studio.stored or bool(get_settings().tiktok_client_key)},
        ),
        ProviderInfo(
            "simulated", "publishing", "Simulated platform", True, "provider.simulated", "MIT", simulated=True
        ),
        _meta(studio, "facebook", "Facebook"),
        _meta(studio, "instagram", "Instagram"),
    ]  # fmt: skip


def _language(studio: _Studio) -> list[ProviderInfo]:
    settings = get_settings()
    address = language.BASE in studio.stored or bool(settings.language_api_base)
    ready = address and (language.MODEL in studio.stored or bool(settings.language_api_model))
    return [
        ProviderInfo("analyst", "language", "Analyst", True, "provider.analyst", "MIT"),
        ProviderInfo(
            "model", "language", "Language model", ready,
            "provider.language_model" if ready else "provider.missing.language_model", "model's and service's terms",
        ),
    ]  # fmt: skip


_ENTRIES: tuple[Callable[[_Studio], list[ProviderInfo]], ...] = (
    _video,
    _speech,
    _translation,
    _voice,
    _music,
    _stems,
    _publishing,
    _language,
)

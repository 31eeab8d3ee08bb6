"""audio.speech: a text becomes a voice-over (SPEC M8)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from core import voices
from core.errors import NotConfigured
from core.hosted import Service
from core.music.speech_payloads import SpeechInput
from core.narration import lines_of
from core.preferences import stored_value
from core.progress import Progress, part
from core.recordings import RECORDING_MADE
from core.settings import get_settings
from core.speech import HOSTED_KEY
from core.storage import require_space
from core.video.text import clean
from providers.audio.decode import STUDIO_RATE
from providers.speech import hosted_voice, piper, voice_over
from workers.context import JobContext
from workers.registry import task

# A letter is spoken in about a fifteenth of a second; the finished file has 48 kHz, two channels, three bytes.
_BYTES_PER_LETTER = STUDIO_RATE * 6 // 10
_NAME_LETTERS = 48


@task("audio.speech")
def speak(context: JobContext, payload: SpeechInput) -> dict[str, Any]:
    """The spoken text as an audio asset; where each sentence sounds is in its metadata."""
    lines = lines_of(payload.text)
    voice = chosen_voice(context, payload.text, payload.language, payload.voice)
    require_space(len(payload.text) * _BYTES_PER_LETTER)
    say = speaker(context, voice)
    made = voice_over.speak(lines, say, context.folder, speed=payload.speed, progress=part(context.progress, 0.0, 0.98))
    staged = context.stage_asset(
        made.path,
        kind="audio",
        name=f"{payload.name or _title(lines[0].text)}.wav",
        duration_seconds=round(made.duration_seconds, 6),
        has_audio=True,
        loudness_lufs=made.loudness.lufs,
        licence=voices.licence_of(voice),
        ai_generated=True,
        metadata={
            "voice": voice,
            "language": voices.language_of(payload.text, payload.language),
            "speed": payload.speed,
            "sentences": [
                {"text": line.text, "start": round(line.start, 3), "end": round(line.end, 3)} for line in made.lines
            ],
            "sample_rate": STUDIO_RATE,
            "channels": 2,
        },
    )
    context.emit(RECORDING_MADE, {"asset_id": staged.asset_id})
    return {"audio_asset_id": staged.asset_id, "voice": voice, "duration_seconds": round(made.duration_seconds, 3)}


def chosen_voice(context: JobContext, text: str, language: str, voice: str | None) -> str:
    """The voice that will speak; raises as :func:`core.voices.choose`."""
    return voices.choose(text, language, voice, hosted=_key(context) is not None)


def speaker(context: JobContext, voice: str) -> voice_over.Say:
    """What speaks lines in a chosen voice."""
    if not voice.startswith(voices.HOSTED):
        return partial(_by_piper, voice)
    key = _key(context)
    if key is None:
        raise NotConfigured(
            "The hosted speech service has no key.", f"Store {HOSTED_KEY} under Settings.", setting=HOSTED_KEY
        )
    settings = get_settings()
    service = Service(settings.speech_api_base, settings.speech_api_voice_model, key)
    return partial(_by_service, service, voice.removeprefix(voices.HOSTED))


def _by_piper(voice: str, lines: Sequence[str], folder: Path, progress: Progress) -> list[Path]:
    return piper.say(lines, folder, model=voices.model_path(voice), progress=progress)


def _by_service(service: Service, voice: str, lines: Sequence[str], folder: Path, progress: Progress) -> list[Path]:
    return hosted_voice.say(lines, folder, service=service, voice=voice, progress=progress)


def _key(context: JobContext) -> str | None:
    with context.session() as session:
        return stored_value(session, context.owner_id, HOSTED_KEY)


def _title(text: str) -> str:
    """The beginning of what is said, up to a whole word."""
    words = clean(text)
    if len(words) <= _NAME_LETTERS:
        return words.rstrip(".")
    return words[:_NAME_LETTERS].rsplit(" ", 1)[0] + "…"

"""Speech to text by a service over HTTP, in the form that OpenAI's transcription endpoint has and many hosts share.

The sound goes out as 16 kHz FLAC in parts of at most five minutes, divided where it is quietest, each far below the 25
MB that such services take (https://platform.openai.com/docs/api-reference/audio/createTranscription). Word times are
put back on the recording's clock and moved onto the sound as those of the local engine are.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from core.errors import InvalidInput, ProviderRefused
from core.hosted import Service
from core.progress import Progress, no_progress, part
from core.video.text import clean
from core.video.timeline import Word
from providers.service import Wording, ask
from providers.speech.onsets import snap_words, sounding_spans
from providers.speech.pcm import HOP_SECONDS, RATE, Floats, Samples, decode, level_db
from providers.speech.whisper import WITHOUT_SPACES, Transcript

if TYPE_CHECKING:
    import httpx

PART_SECONDS = 300.0
# A part may end this much earlier than it could, at the quietest half second.
_CHOICE_SECONDS, _QUIET_SECONDS = 60.0, 0.5
WORDING = Wording("speech service", "the settings whose names begin with SPEECH_API", "request")


class _HeardWord(BaseModel):
    word: str
    start: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    end: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Heard(BaseModel):
    """The endpoint's ``verbose_json``."""

    text: str = ""
    words: list[_HeardWord] = []


def transcribe(
    path: Path, service: Service, *, language: str, folder: Path | None = None, progress: Progress = no_progress
) -> Transcript:
    """The words spoken in a media file, heard by the service.

    Args:
        language: the spoken language ("en", "th"); "auto" is refused: services name what they hear in their own words.
        folder: where the decoded sound may lie meanwhile.
        progress: told at least twice a second, also while the service works; may raise to stop.

    Raises:
        InvalidInput: the language is not named.
        ProviderRefused: the service says no, cannot be reached, or answers without word times.
        UnsupportedMedia: the file has no sound.
    """
    base = language.split("-")[0].lower()
    if base == "auto":
        raise InvalidInput("Which language is spoken in this recording?", "The speech service has to be told.")
    words: list[Word] = []
    with tempfile.TemporaryDirectory(prefix="speech-", dir=folder) as scratch:
        samples = decode(path, Path(scratch), progress=part(progress, 0.0, 0.05))
        levels = level_db(samples)
        parts = plan_parts(levels)
        for index, (start, end) in enumerate(parts):
            done = 0.05 + 0.95 * index / len(parts)
            sound = _flac(samples[round(start * RATE) : round(end * RATE)])
            heard = _ask(service, base, sound, partial(progress, done, "stage.transcribe"))
            words += _placed(heard, start, end, spaced=base not in WITHOUT_SPACES)
    progress(1.0, "stage.transcribe")
    return Transcript.of(snap_words(words, sounding_spans(levels)), base, f"hosted:{service.model}")


def plan_parts(levels: Floats, longest: float = PART_SECONDS) -> list[tuple[float, float]]:
    """Seconds from-to of consecutive parts of at most ``longest`` seconds; each but the last ends where it is quiet.

    ``levels`` in dBFS every 10 ms. A recording without a whole level is no part.
    """
    limit, choice, quiet = (round(value / HOP_SECONDS) for value in (longest, _CHOICE_SECONDS, _QUIET_SECONDS))
    choice = min(choice, limit // 2)
    parts: list[tuple[float, float]] = []
    position = 0
    while len(levels) - position > limit:
        first = position + limit - choice
        heard = np.convolve(10 ** (levels[first : position + limit] / 10), np.ones(min(quiet, choice)), mode="valid")
        end = first + int(np.argmin(heard)) + min(quiet, choice) // 2
        parts.append((position * HOP_SECONDS, end * HOP_SECONDS))
        position = end
    if position < len(levels):
        parts.append((position * HOP_SECONDS, len(levels) * HOP_SECONDS))
    return parts


def punctuated(words: Sequence[str], text: str) -> list[str]:
    """The words with the signs that stand around them in ``text``; services often leave them out of timed words.

    A word that is not found in what is left of the text stays as it is.
    """
    found: list[str] = []
    lowered, position = text.lower(), 0
    for word in words:
        at = lowered.find(word.lower(), position)
        # Further away than a few words it is another occurrence, and what lies between would be lost.
        if not word or at < 0 or at - position > 40:
            found.append(word)
            continue
        start, end = at, at + len(word)
        while start > position and not text[start - 1].isspace() and not text[start - 1].isalnum():
            start -= 1
        while end < len(text) and not text[end].isspace() and not text[end].isalnum():
            end += 1
        found.append(text[start:end])
        position = end
    return found


def _flac(samples: Samples) -> bytes:
    import soundfile

    coded = io.BytesIO()
    soundfile.write(coded, samples, RATE, format="FLAC", subtype="PCM_16")
    return coded.getvalue()


def _placed(heard: _Heard, start: float, end: float, *, spaced: bool) -> list[Word]:
    texts = [clean(each.word) for each in heard.words]
    if spaced:
        texts = punctuated(texts, clean(heard.text))
    placed: list[Word] = []
    for each, text in zip(heard.words, texts, strict=True):
        if text:
            begins = max(min(start + each.start, end), placed[-1].start if placed else start)
            placed.append(
                Word(word=text, start=round(begins, 3), end=round(max(min(start + each.end, end), begins), 3))
            )
    return placed


def _ask(service: Service, language: str, sound: bytes, tick: Callable[[], None]) -> _Heard:
    """Send one part until the service has answered it or said no for good."""

    def post(client: httpx.AsyncClient) -> Awaitable[httpx.Response]:
        return client.post(
            f"{service.base.rstrip('/')}/audio/transcriptions",
            headers={"Authorization": f"Bearer {service.key}"},
            data={
                "model": service.model,
                "language": language,
                "response_format": "verbose_json",
                "timestamp_granularities[]": ["word", "segment"],
            },
            files={"file": ("speech.flac", sound, "audio/flac")},
        )

    return _read(ask(post, WORDING, tick))


def _read(answer: httpx.Response) -> _Heard:
    try:
        heard = _Heard.model_validate_json(answer.content)
    except ValidationError as error:
        raise ProviderRefused(
            "The speech service answered in a form the studio does not know.", str(error)[:300], code="unknown-answer"
        ) from error
    if heard.text.strip() and not heard.words:
        raise ProviderRefused(
            "The speech service gave no times for the words.",
            "Name a model that does in SPEECH_API_MODEL, for example whisper-1.",
            code="no-word-times",
        )
    return heard

"""Speech to text by a service over HTTP, in the form that OpenAI's transcription endpoint has and many hosts share.

The sound goes out as 16 kHz FLAC in parts of at most five minutes, divided where it is quietest, each far below the 25
MB that such services take (https://platform.openai.com/docs/api-reference/audio/createTranscription). Word times are
put back on the recording's clock and moved onto the sound as those of the local engine are.
"""

from __future__ import annotations

import asyncio
import io
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from core.errors import InvalidInput, ProviderRefused, StudioError
from core.progress import Progress, no_progress, part
from core.video.text import clean
from core.video.timeline import Word
from providers.speech.onsets import snap_words, sounding_spans
from providers.speech.pcm import HOP_SECONDS, RATE, Floats, Samples, decode, level_db
from providers.speech.whisper import WITHOUT_SPACES, Transcript

if TYPE_CHECKING:
    import httpx

PART_SECONDS = 300.0
# A part may end this much earlier than it could, at the quietest half second.
_CHOICE_SECONDS, _QUIET_SECONDS = 60.0, 0.5
_ATTEMPTS = 5
_LONGEST_WAIT = 60.0
_CONNECT_SECONDS, _ANSWER_SECONDS = 15.0, 600.0


@dataclass(frozen=True)
class Service:
    """Where sound is sent: the address before ``/audio/transcriptions``, the name of the model there, the key."""

    base: str
    model: str
    key: str


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
    import httpx

    refusal: StudioError | None = None
    for attempt in range(_ATTEMPTS):
        wait = float(2**attempt)
        try:
            answer = asyncio.run(_post(service, language, sound, tick))
        except httpx.TransportError as error:
            refusal = ProviderRefused(
                "The speech service cannot be reached.", str(error), code="unreachable", retryable=True
            )
        else:
            if answer.status_code == 200:
                return _read(answer)
            refused = refusal_of(answer)
            if not refused.retryable:
                raise refused
            refusal = refused
            asked = answer.headers.get("retry-after", "")
            wait = float(asked) if asked.isdigit() else wait
        if attempt < _ATTEMPTS - 1:
            _rest(min(wait, _LONGEST_WAIT), tick)
    assert refusal is not None
    raise refusal


async def _post(service: Service, language: str, sound: bytes, tick: Callable[[], None]) -> httpx.Response:
    """One request; ``tick`` is called twice a second, and when it raises the connection is closed."""
    import httpx

    async with httpx.AsyncClient(timeout=httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS)) as client:
        request = asyncio.create_task(
            client.post(
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
        )
        while not request.done():
            tick()
            await asyncio.wait({request}, timeout=0.5)
        return request.result()


def _rest(seconds: float, tick: Callable[[], None]) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        tick()
        time.sleep(min(left, 0.5))


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


def refusal_of(answer: httpx.Response) -> ProviderRefused:
    """What to tell about an answer that is not a transcript."""
    status, code, message = answer.status_code, "", ""
    if answer.headers.get("content-type", "").startswith("application/json"):
        body = answer.json()
        error = body.get("error") if isinstance(body, dict) else None
        if isinstance(error, dict):
            code, message = str(error.get("code") or ""), clean(str(error.get("message") or ""))[:300]
    detail = message or f"HTTP {status}"
    code = code or str(status)
    if status in (401, 403):
        return ProviderRefused("The speech service refused the key.", f"Check it under Settings. {detail}", code=code)
    if status == 402 or code == "insufficient_quota":
        return ProviderRefused("The account at the speech service is used up.", detail, code=code)
    if status == 404:
        return ProviderRefused(
            "The speech service does not know this address or model.",
            f"Check SPEECH_API_BASE and SPEECH_API_MODEL. {detail}",
            code=code,
        )
    if status == 429:
        return ProviderRefused("The speech service is asked too often.", detail, code=code, retryable=True)
    if status in (408, 425) or status >= 500:
        return ProviderRefused("The speech service is out of order.", detail, code=code, retryable=True)
    return ProviderRefused("The speech service refused the recording.", detail, code=code)

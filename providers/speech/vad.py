"""Where somebody speaks: the Silero voice-activity model (MIT) that faster-whisper carries."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.progress import Progress, no_progress
from providers.speech.pcm import RATE, Samples, as_floats, decode

BLOCK_SECONDS = 600
_TAIL_SECONDS = 30


@dataclass(frozen=True)
class SpeechSpan:
    """Seconds from–to in which somebody speaks."""

    start: float
    end: float


def faster_whisper() -> Any:
    """The package, without PyAV: its wheel links GPL codecs into the process, and sound reaches the model decoded."""
    if "faster_whisper" not in sys.modules:
        missing = "av" not in sys.modules
        if missing:
            sys.modules["av"] = types.ModuleType("av")
        try:
            import faster_whisper
        finally:
            if missing:
                del sys.modules["av"]
        return faster_whisper
    return sys.modules["faster_whisper"]


def speech_spans(
    samples: Samples, *, min_silence_seconds: float = 0.25, pad_seconds: float = 0.0, progress: Progress = no_progress
) -> list[SpeechSpan]:
    """Speech in 16 kHz samples; silences shorter than ``min_silence_seconds`` are bridged, each span is widened by
    ``pad_seconds``. Works through blocks of ten minutes, so that memory does not grow with the recording."""
    return [
        span for _, _, spans in blocks(samples, min_silence_seconds, pad_seconds, progress=progress) for span in spans
    ]


def blocks(
    samples: Samples,
    min_silence_seconds: float,
    pad_seconds: float,
    *,
    seconds: float = BLOCK_SECONDS,
    progress: Progress = no_progress,
) -> Iterator[tuple[int, int, list[SpeechSpan]]]:
    """Consecutive parts of the recording that end in a silence: first sample, end sample, the speech inside (in seconds
    of the whole recording). Only someone who speaks for half a minute without a breath is cut in mid-speech."""
    faster_whisper()
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(
        threshold=0.5,
        min_speech_duration_ms=60,
        min_silence_duration_ms=round(min_silence_seconds * 1000),
        speech_pad_ms=round(pad_seconds * 1000),
    )
    position, size = 0, samples.size
    while position < size:
        progress(position / size, "stage.listen")
        end = min(position + round(seconds * RATE), size)
        found = get_speech_timestamps(as_floats(samples[position:end]), options)
        if end < size and found and found[-1]["end"] > end - position - RATE // 2:
            last = found.pop()
            if found and last["start"] > end - position - _TAIL_SECONDS * RATE:
                end = position + last["start"]
            else:
                found.append(last)
        spans = [
            SpeechSpan((position + part["start"]) / RATE, (position + min(part["end"], end - position)) / RATE)
            for part in found
        ]
        yield position, end, spans
        position = end


def speech_in_file(
    path: Path, folder: Path, *, min_silence_seconds: float = 0.25, progress: Progress = no_progress
) -> list[SpeechSpan]:
    """:func:`speech_spans` of a media file; ``folder`` takes the decoded sound."""
    return speech_spans(decode(path, folder), min_silence_seconds=min_silence_seconds, progress=progress)

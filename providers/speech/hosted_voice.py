"""Text to speech by a service over HTTP, in the form of OpenAI's ``/audio/speech`` that many hosts share
(https://platform.openai.com/docs/api-reference/audio/createSpeech)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from core.hosted import Service
from core.progress import Progress, no_progress
from providers.service import ask_json
from providers.speech.hosted import WORDING
from providers.video.process import output_argument, run_ffmpeg, source_arguments

RATE = 24_000


def say(
    lines: Sequence[str],
    folder: Path,
    *,
    service: Service,
    voice: str,
    progress: Progress = no_progress,
) -> list[Path]:
    """Have each of ``lines`` spoken into a mono 16-bit WAV of its own at 24 kHz, in order; one request a line.

    Raises:
        ProviderRefused: the service says no, or cannot be reached.
        UnsupportedMedia: it answers with something that is no sound.
        JobCancelled: raised by ``progress``.
    """
    spoken = []
    for number, line in enumerate(lines):
        tick = partial(progress, number / len(lines), "stage.speak")
        order = {"model": service.model, "voice": voice, "input": line, "response_format": "wav"}
        answer = ask_json(service, "audio/speech", order, WORDING, tick)
        received = folder / f"answer-{number}.wav"
        received.write_bytes(answer.content)
        spoken.append(folder / f"line-{number}.wav")
        # Services stream their WAV, and its header does not know how long it will be: it is written anew.
        run_ffmpeg(
            [
                *source_arguments(received), "-map", "0:a:0", "-ac", "1", "-ar", str(RATE), "-c:a", "pcm_s16le",
                output_argument(spoken[-1]),
            ],
            progress=lambda _fraction, _stage=None, tick=tick: tick(),  # type: ignore[misc]
        )  # fmt: skip
        received.unlink()
    return spoken

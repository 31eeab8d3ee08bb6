"""Text to speech with Piper, run as a program of its own.

Piper 1.8 is GPL-3, so it is never imported: sentences go in over its standard input, one a line, and one WAV per
sentence comes back in a folder. Which voices there are says :mod:`core.voices`.
"""

from __future__ import annotations

import sys
import tempfile
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import EngineFailed, InvalidInput, NotConfigured
from core.progress import Progress, no_progress
from core.voices import BUNDLED, PIPER, model_path
from providers.video.process import ChildFailed, Limits, run_child

VOICE_LICENCE = PIPER[BUNDLED].licence
_PEAK = 0.7
# Samples quieter than this, relative to full scale, before the first and after the last sound are not speech.
_SILENCE = 0.012
_EDGE_SECONDS = 0.005


@dataclass(frozen=True)
class SpokenSentence:
    """One sentence of a synthesised recording and where it sounds, in seconds."""

    text: str
    start: float
    end: float


def voice_model() -> Path:
    """The bundled voice's ONNX file; its configuration lies beside it.

    Raises:
        NotConfigured: the voice's package is not installed.
    """
    found = model_path(BUNDLED)
    if found is None:
        raise NotConfigured("No voice is installed.", "Run “make run” again to install it.", setting="speech voice")
    return found


def synthesize(
    sentences: Sequence[str],
    pauses: Sequence[float],
    out_wav: Path,
    *,
    lead: float = 0.0,
    length_scale: float = 1.0,
    variation: float = 0.667,
    progress: Progress = no_progress,
) -> list[SpokenSentence]:
    """Speak ``sentences`` into one mono WAV of the voice's own sample rate (22 050 Hz), 16 bit.

    Args:
        sentences: what is said; a line of its own each.
        pauses: seconds of silence after each sentence.
        out_wav: the file to write.
        lead: seconds of silence before the first sentence.
        length_scale: above 1 is slower.
        variation: Piper's noise scale; 0 gives the same voice every time, more is livelier.
        progress: told after each sentence; may raise to stop.

    Returns:
        Each sentence with its exact place: leading and trailing silence of the voice is cut before it is laid down.

    Raises:
        InvalidInput: nothing to say, or not one pause per sentence.
        NotConfigured: no voice is installed.
        EngineFailed: Piper ended with an error.
    """
    lines = [" ".join(sentence.split()) for sentence in sentences]
    if not lines or not all(lines) or len(pauses) != len(lines):
        raise InvalidInput("There is nothing to say.", "Each sentence needs a text and a pause after it.")
    with tempfile.TemporaryDirectory(prefix="piper-", dir=out_wav.parent) as folder:
        files = say(lines, Path(folder), length_scale=length_scale, variation=variation, progress=progress)
        return _lay_down(lines, files, pauses, lead, out_wav)


def say(
    lines: Sequence[str],
    folder: Path,
    *,
    model: Path | None = None,
    length_scale: float = 1.0,
    variation: float = 0.667,
    progress: Progress = no_progress,
) -> list[Path]:
    """Speak each of ``lines`` into a mono 16-bit WAV of its own in ``folder``, in order, by the voice whose ONNX file
    ``model`` is (the bundled one by default). The process is gone when this returns or raises.

    Raises:
        NotConfigured, EngineFailed: as :func:`synthesize`.
    """
    source = folder / "lines.txt"
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = [sys.executable, "-I", "-m", "piper", "--model", str(model or voice_model()), "--output-dir", str(folder)]
    command += ["--input-file", str(source), "--length-scale", str(length_scale), "--volume", str(_PEAK)]
    command += ["--noise-scale", str(variation), "--noise-w-scale", str(min(variation * 1.2, 1.0))]

    def tick() -> None:
        done = sum(1 for _ in folder.glob("*.wav"))
        progress(max(done - 1, 0) / len(lines), "stage.speak")

    try:
        run_child(command, tick=tick, cwd=folder, limits=Limits(wall_seconds=3600, cpu_seconds=7200))
    except ChildFailed as failure:
        raise EngineFailed("The voice could not speak this text.", failure.stderr[-800:]) from failure
    # Piper names the files by a monotonic clock, so their numeric order is the order of the lines.
    files = sorted(folder.glob("*.wav"), key=lambda path: int(path.stem))
    if len(files) != len(lines):
        raise EngineFailed("The voice skipped a sentence.", f"{len(lines)} sentences, {len(files)} recordings")
    return files


def read_wav(path: Path) -> tuple[np.ndarray[Any, np.dtype[np.int16]], int]:
    """Samples (mono, 16 bit) and rate in Hz of a WAV file."""
    with wave.open(str(path), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16), file.getframerate()


def _lay_down(
    lines: Sequence[str], files: Sequence[Path], pauses: Sequence[float], lead: float, out_wav: Path
) -> list[SpokenSentence]:
    spoken: list[SpokenSentence] = []
    with wave.open(str(out_wav), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        position = rate = 0
        for line, path, pause in zip(lines, files, pauses, strict=True):
            samples, rate = read_wav(path)
            if position == 0:
                out.setframerate(rate)
                position = round(lead * rate)
                out.writeframes(bytes(2 * position))
            samples = trim_silence(samples, rate)
            spoken.append(SpokenSentence(line, position / rate, (position + samples.size) / rate))
            out.writeframes(samples.tobytes())
            gap = round(pause * rate)
            out.writeframes(bytes(2 * gap))
            position += samples.size + gap
    return spoken


def trim_silence(samples: np.ndarray[Any, np.dtype[np.int16]], rate: int) -> np.ndarray[Any, np.dtype[np.int16]]:
    """The samples from the first to the last audible one, with 5 ms faded edges."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > _SILENCE * 32768)
    if loud.size == 0:
        return samples
    edge = round(_EDGE_SECONDS * rate)
    start, end = max(int(loud[0]) - edge, 0), min(int(loud[-1]) + edge, samples.size)
    kept = samples[start:end].astype(np.float64)
    ramp = np.linspace(0.0, 1.0, min(edge, kept.size // 2))
    kept[: ramp.size] *= ramp
    kept[kept.size - ramp.size :] *= ramp[::-1]
    return kept.astype(np.int16)

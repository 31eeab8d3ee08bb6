"""Recordings whose every frame says its own number, and the reading of it from a result.

The number stands as sixteen black or white blocks along the top; a bright field in the middle and a tone of exactly one
frame's length mark every ``BEAT``-th frame, so that sound can be compared with picture frame by frame.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from providers.video.process import ffmpeg_binary

WIDTH, HEIGHT = 320, 180
BLOCK = 20
BEAT = 15
RATE = 48_000


def ffmpeg(*arguments: str, data: bytes = b"") -> bytes:
    """Run FFmpeg for a test; fails the test with what it said."""
    command = [ffmpeg_binary(), "-hide_banner", "-nostats", "-loglevel", "error", "-y", *arguments]
    done = subprocess.run(command, input=data, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def coded_frame(number: int) -> np.ndarray[Any, Any]:
    picture = np.full((HEIGHT, WIDTH), 60, dtype=np.uint8)
    for bit in range(16):
        picture[:BLOCK, bit * BLOCK : (bit + 1) * BLOCK] = 235 if number >> bit & 1 else 16
    if number % BEAT == 0:
        picture[60:140, 100:220] = 235
    return picture


def beats(count: int, rate: Fraction) -> np.ndarray[Any, Any]:
    """Mono float32: a tone during every ``BEAT``-th frame of the grid."""
    sound = np.zeros(round(count * RATE / rate), dtype=np.float32)
    for number in range(0, count, BEAT):
        start, end = round(number * RATE / rate), round((number + 1) * RATE / rate)
        sound[start:end] = 0.5 * np.sin(2 * np.pi * 1500 * np.arange(end - start) / RATE)
    return sound[: round(count * RATE / rate)]


def coded_video(
    path: Path,
    count: int,
    rate: Fraction = Fraction(30),
    *,
    kept: Sequence[int] | None = None,
    sound: np.ndarray[Any, Any] | None = None,
    silent: bool = False,
    options: Sequence[str] = (),
) -> Path:
    """Write ``count`` coded frames at ``rate``; with ``kept`` only those, at their own times (a variable rate)."""
    raw = path.with_suffix(".yuv")
    with raw.open("wb") as file:
        for number in range(count):
            file.write(coded_frame(number).tobytes())
    pcm = path.with_suffix(".pcm")
    (beats(count, rate) if sound is None else sound).astype("<f4").tofile(pcm)
    filters = ["-vf", "format=yuv420p"]
    if kept is not None:
        # FFmpeg's expressions may not nest deeper than a hundred, and a sum nests with each term.
        groups = ["+".join(f"eq(n\\,{number})" for number in kept[at : at + 50]) for at in range(0, len(kept), 50)]
        chosen = "+".join(f"({group})" for group in groups)
        filters = ["-vf", f"select={chosen},format=yuv420p", "-fps_mode", "passthrough"]
    ffmpeg(
        "-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(rate), "-i", str(raw),
        *([] if silent else ["-f", "f32le", "-ar", str(RATE), "-ac", "1", "-i", str(pcm)]),
        *filters, "-c:v", "libx264", "-preset", "ultrafast", "-crf", "18", "-g", "45", "-bf", "2",
        "-c:a", "aac", "-b:a", "128k", *options, str(path),
    )  # fmt: skip
    raw.unlink()
    pcm.unlink()
    return path


def pictures(path: Path, width: int = WIDTH, height: int = HEIGHT, pixels: str = "gray") -> np.ndarray[Any, Any]:
    """Every frame of a video as stored: (frames, height, width) or (…, 3)."""
    data = ffmpeg(
        "-i", str(path), "-map", "0:v:0", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", pixels, "-"
    )
    depth = (3,) if pixels == "rgb24" else ()
    return np.frombuffer(data, dtype=np.uint8).reshape(-1, height, width, *depth)


def sound_of(path: Path, channels: int = 1) -> np.ndarray[Any, Any]:
    """The sound at 48 kHz, from the first moment of the container."""
    data = ffmpeg(
        "-i", str(path), "-map", "0:a:0", "-af", "aresample=48000:async=1:first_pts=0", "-ac", str(channels),
        "-f", "f32le", "-",
    )  # fmt: skip
    return np.frombuffer(data, dtype="<f4").reshape(-1, channels).squeeze()


def numbers(frames: np.ndarray[Any, Any]) -> list[int]:
    """The numbers the frames say."""
    centre = frames[:, 6 : BLOCK - 6].mean(axis=1)
    bits = np.stack([centre[:, b * BLOCK + 6 : (b + 1) * BLOCK - 6].mean(axis=1) > 125 for b in range(16)], axis=1)
    return [int(value) for value in bits @ (1 << np.arange(16))]


def lit(frames: np.ndarray[Any, Any]) -> list[bool]:
    """Whether the bright field is there."""
    return [bool(value) for value in frames[:, 70:130, 110:210].mean(axis=(1, 2)) > 150]


def sounding(sound: np.ndarray[Any, Any], count: int, rate: Fraction, threshold: float = 0.1) -> list[bool]:
    """Whether the tone is heard in the middle of each frame (a source's pictures may lie between two slots)."""
    heard = []
    for number in range(count):
        start, end = round(number * RATE / rate), round((number + 1) * RATE / rate)
        middle = sound[start + 2 * (end - start) // 5 : end - 2 * (end - start) // 5]
        heard.append(bool(len(middle)) and float(np.sqrt(np.mean(np.square(middle)))) > threshold)
    return heard

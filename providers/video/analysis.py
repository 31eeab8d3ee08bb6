"""What is measured on a recording for the decisions of :mod:`core.video`: sound levels, and where shots change.

Levels are read from a stream of samples, pictures from a stream of small frames; neither ever lies whole in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UnsupportedMedia
from core.progress import Progress, no_progress, part
from providers.video.probe import MediaInfo, probe
from providers.video.process import run_ffmpeg, source_arguments
from providers.video.sound_edit import to_stereo

Span = tuple[float, float]
Frame = NDArray[np.uint8]

_LEVEL_RATE = 16_000
_SMALL_SIDE = 192
# A new shot: the picture changes by more than this (mean of 255) and far more than in the frames around.
_SHOT_CHANGE = 9.0
_SHOT_RATIO = 2.0
_SHOT_NEIGHBOURS = 6
_BLOCK = 6
_SHOT_MIN_SECONDS = 0.5


@dataclass(frozen=True)
class LevelEnvelope:
    """Level in dB of full scale (RMS over all channels, -120 for silence) of every ``hop_seconds`` from the start."""

    hop_seconds: float
    levels_db: tuple[float, ...]


def level_envelope(path: Path, *, hop_seconds: float = 0.02, progress: Progress = no_progress) -> LevelEnvelope:
    """The sound level over time.

    Raises:
        UnsupportedMedia: there is no sound.
    """
    info = probe(path, progress=part(progress, 0, 0.1))
    if not info.has_audio:
        raise UnsupportedMedia("This recording has no sound.")
    hop = round(hop_seconds * _LEVEL_RATE)
    levels: list[NDArray[np.float32]] = []
    blocks = SampleBlocks(hop, lambda block: levels.append(_levels(block, hop)))
    run_ffmpeg(
        [
            *source_arguments(path, "-vn", "-sn", "-dn"), "-map", "0:a:0",
            "-af", f"aresample={_LEVEL_RATE}:async=1:first_pts=0,{to_stereo(info.channels)}", "-f", "f32le", "pipe:1",
        ],
        sink=blocks.feed, duration_seconds=info.duration_seconds, progress=part(progress, 0.1, 1), stage="stage.listen",
    )  # fmt: skip
    blocks.finish()
    measured = np.concatenate(levels) if levels else np.zeros(0, dtype=np.float32)
    return LevelEnvelope(hop / _LEVEL_RATE, tuple(round(float(level), 1) for level in measured))


class SampleBlocks:
    """Cuts a byte stream of stereo float32 into whole blocks of ``hop`` samples; ``finish`` gives the rest, padded."""

    def __init__(self, hop: int, take: Callable[[NDArray[np.float32]], object]) -> None:
        self._bytes = hop * 8
        self._take = take
        self._rest = b""

    def feed(self, data: bytes) -> None:
        data = self._rest + data
        whole = len(data) // self._bytes * self._bytes
        self._rest = data[whole:]
        if whole:
            self._take(np.frombuffer(data[:whole], dtype="<f4").reshape(-1, 2))

    def finish(self) -> None:
        if len(self._rest) >= 8:
            self.feed(bytes(self._bytes - len(self._rest)))


def _levels(block: NDArray[np.float32], hop: int) -> NDArray[np.float32]:
    power = np.mean(np.square(block.reshape(-1, hop, 2), dtype=np.float64), axis=(1, 2))
    return np.asarray(10 * np.log10(power + 1e-12), dtype=np.float32)


def scene_cuts(
    path: Path, *, spans: Sequence[Span] | None = None, progress: Progress = no_progress
) -> tuple[float, ...]:
    """Seconds at which a new shot begins (not the beginning itself), inside ``spans`` where given."""
    info = probe(path)
    shots = ShotDetector(info.fps)
    watch(path, info, shots.feed, spans=spans, progress=progress)
    return shots.cuts()


def watch(
    path: Path,
    info: MediaInfo,
    see: Callable[[int, Frame], None],
    *,
    spans: Sequence[Span] | None = None,
    progress: Progress = no_progress,
) -> None:
    """Decode once and call ``see(frame number, small RGB frame)`` for every frame of the constant grid.

    The longer side is 192 pixels. Frames that no other frame refers to are not decoded (the one before stands in for
    them) and the deblocking filter is left out: half the cost of a full decode, invisible at this size.
    """
    if info.kind != "video":
        raise UnsupportedMedia("This recording has sound but no picture.", "Choose a video.")
    width, height = small_size(info.width, info.height)
    chosen = merged_spans(spans, info.duration_seconds)
    total = sum(end - start for start, end in chosen)
    done = 0.0
    for start, end in chosen:
        first = round(start * info.fps)
        last = min(round(end * info.fps), info.frames)
        frames = _FrameBlocks(first, width, height, see)
        lead = min(first / info.fps, Fraction(1))
        seek = ["-noaccurate_seek", "-ss", f"{float(first / info.fps - lead):.6f}"] if first else []
        chain = (
            f"scale={width}:{height}:flags=fast_bilinear,"
            f"fps=fps={info.fps}:start_time={float(lead) if first else 0:.6f}:round=near,"
            f"tpad=stop_mode=clone:stop=-1,trim=end_frame={last - first}"
        )
        run_ffmpeg(
            [
                "-threads", "1",
                *source_arguments(path, *seek, "-skip_frame", "noref", "-skip_loop_filter", "all", "-an", "-sn", "-dn"),
                "-map", "0:V:0", "-vf", chain, "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24",
                "pipe:1",
            ],
            sink=frames.feed,
            duration_seconds=(last - first) / float(info.fps),
            progress=part(progress, done / total, (done + end - start) / total),
            stage="stage.watch",
        )  # fmt: skip
        done += end - start


def small_size(width: int, height: int) -> tuple[int, int]:
    """The size of the small frames for a picture shown at ``width`` × ``height``."""
    scale = _SMALL_SIDE / max(width, height)
    return max(2, 2 * round(width * scale / 2)), max(2, 2 * round(height * scale / 2))


def merged_spans(spans: Sequence[Span] | None, duration: float) -> list[Span]:
    """Spans in order, inside the recording, joined where they touch or nearly so; the whole where None is given."""
    merged: list[Span] = []
    for start, end in sorted(spans) if spans is not None else [(0.0, duration)]:
        start, end = max(start, 0.0), min(end, duration)
        if end - start < 0.02:
            continue
        if merged and start - merged[-1][1] < 2.0:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


class _FrameBlocks:
    """Cuts a byte stream into RGB frames and numbers them."""

    def __init__(self, first: int, width: int, height: int, see: Callable[[int, Frame], None]) -> None:
        self._number = first
        self._shape = (height, width, 3)
        self._bytes = width * height * 3
        self._see = see
        self._rest = b""

    def feed(self, data: bytes) -> None:
        data = self._rest + data
        at = 0
        while len(data) - at >= self._bytes:
            picture = np.frombuffer(data, dtype=np.uint8, count=self._bytes, offset=at).reshape(self._shape)
            self._see(self._number, picture)
            self._number += 1
            at += self._bytes
        self._rest = data[at:]


def _blocks(frame: Frame) -> NDArray[np.float32]:
    """Means of blocks of pixels: film grain and compression noise cancel out, what is seen stays."""
    height, width = (side // _BLOCK * _BLOCK for side in frame.shape[:2])
    rows = frame[:height, :width].reshape(height // _BLOCK, _BLOCK, -1).sum(axis=1, dtype=np.uint16)
    blocks = rows.reshape(height // _BLOCK, width // _BLOCK, _BLOCK, 3).sum(axis=2, dtype=np.uint16)
    return np.asarray(blocks / _BLOCK**2, dtype=np.float32)


class ShotDetector:
    """Finds hard cuts by how much a frame differs from the one before, compared with the frames around it.

    A flash changes the picture twice, fast motion for many frames: neither stands out among its neighbours.
    """

    def __init__(self, rate: Fraction) -> None:
        self._rate = rate
        self._before: NDArray[Any] | None = None
        self._number = -2
        self._changes: dict[int, float] = {}

    def feed(self, number: int, frame: Frame) -> None:
        """Take the next frame; a jump in the numbers starts anew."""
        small = _blocks(frame)
        if self._before is not None and number == self._number + 1:
            change = float(np.abs(small - self._before).mean())
            if change > 0:
                self._changes[number] = change
        self._before, self._number = small, number

    def cuts(self) -> tuple[float, ...]:
        """Seconds of the first frames of new shots."""
        found: list[int] = []
        for number, change in self._changes.items():
            around = [
                self._changes.get(number + offset, 0.0)
                for offset in range(-_SHOT_NEIGHBOURS, _SHOT_NEIGHBOURS + 1)
                if offset
            ]
            far_apart = not found or (number - found[-1]) / self._rate >= _SHOT_MIN_SECONDS
            if change > _SHOT_CHANGE and change > _SHOT_RATIO * max(around) and far_apart:
                found.append(number)
        return tuple(round(float(number / self._rate), 6) for number in found)

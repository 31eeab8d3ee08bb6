"""The sound of pieces that are more than cut out: faster or slower at their own pitch, or faded into each other.

What a piece needs of the source is taken with a margin at both sides and kept by speed; FFmpeg's ``atempo`` (WSOLA,
Verhelst and Roelands 1993) changes the speed of all pieces of one speed in one run. From that, exactly as many samples
as the piece's frames last are taken about the piece's middle, so no error of one piece moves the next.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from core.progress import Progress, part
from core.video.timeline import Stretch
from providers.video.process import output_argument, run_ffmpeg
from providers.video.sound_edit import (
    CHANNELS,
    FADE_SAMPLES,
    RAW,
    SAMPLE_RATE,
    Cut,
    CutWriter,
    Signal,
    raised,
    sample_at,
)

MARGIN = SAMPLE_RATE // 10
# Where the source goes on at another speed both sound together for a moment, and nothing is faded to silence.
_JOIN_SAMPLES = 480
# From here on nobody understands what is said: the chatter goes down.
FAST, FAST_GAIN = 4.0, 10 ** (-12 / 20)
_SLOWEST_STEP = 0.5
# What atempo plays belongs half a window of 2048 samples later in the source.
_LATENESS = 1024
_BLOCK = 10 * SAMPLE_RATE


@dataclass(frozen=True)
class _Taken:
    """Where a stretch lies in what was kept of its speed: samples of the source, and of the collected file."""

    source: int
    length: int
    at: int
    before: int


class SoundPieces:
    """Collects the sound of every stretch from the source, then writes the result's.

    Args:
        stretches: those of the timeline, in order.
        overlaps: for each stretch, over how many frames of the result the one before it sounds on into it.
        folder: where the intermediate files may lie.
    """

    def __init__(
        self, stretches: Sequence[Stretch], rate: Fraction, total_frames: int, overlaps: Sequence[int], folder: Path
    ) -> None:
        self._stretches = list(stretches)
        self._rate = rate
        self._total = sample_at(total_frames, rate)
        self._folder = folder
        self._overlaps = [self._overlap(index, frames) for index, frames in enumerate(overlaps)]
        self._taken: list[_Taken] = []
        self._groups: dict[float, list[int]] = defaultdict(list)
        for index, stretch in enumerate(stretches):
            self._groups[stretch.speed].append(index)
        self._plan()
        self._files = {speed: self._path(number, "taken").open("wb") for number, speed in enumerate(self._groups)}
        self._writers = {
            speed: CutWriter([self._cut(index) for index in group], self._files[speed].write)
            for speed, group in self._groups.items()
        }

    def begin(self, sample: int) -> None:
        """What is fed next lies at this sample of the source."""
        for writer in self._writers.values():
            writer.begin(sample)

    def feed(self, data: bytes) -> None:
        """The source's sound in order, interleaved float32."""
        for writer in self._writers.values():
            writer.feed(data)

    def finish(self, count: int) -> None:
        """Nothing more comes of the first ``count`` stretches."""
        for speed, group in self._groups.items():
            self._writers[speed].finish(sum(index < count for index in group))

    @property
    def reach_seconds(self) -> float:
        """How far beyond the last frame of a stretch its sound is needed."""
        return max(
            (taken.source + taken.length - sample_at(stretch.end, self._rate)) / SAMPLE_RATE
            for taken, stretch in zip(self._taken, self._stretches, strict=True)
        )

    def write(self, path: Path, progress: Progress) -> None:
        """Change the speeds and write the whole result to ``path``."""
        for file in self._files.values():
            file.close()
        sounds = {
            speed: self._at_speed(number, speed, part(progress, number / len(self._groups), 1))
            for number, speed in enumerate(self._groups)
        }
        with path.open("wb") as file:
            for index in range(len(self._stretches)):
                length = self._length(index)
                for start in range(0, length, _BLOCK):
                    count = min(_BLOCK, length - start)
                    file.write(self._block(sounds, index, start, count).astype("<f4", copy=False).tobytes())
        del sounds
        for number in range(len(self._groups)):
            self._path(number, "taken").unlink()
            self._path(number, "paced").unlink(missing_ok=True)

    def _overlap(self, index: int, frames: int) -> int:
        """Samples over which the stretch before sounds on."""
        stretch = self._stretches[index]
        if index == 0:
            return 0
        before = self._stretches[index - 1]
        if before.end == stretch.start:
            shortest = min(self._length(index), self._length(index - 1))
            return min(_JOIN_SAMPLES, shortest // 2)
        return sample_at(stretch.at + frames, self._rate) - sample_at(stretch.at, self._rate)

    def _length(self, index: int) -> int:
        stretch = self._stretches[index]
        return sample_at(stretch.at + stretch.frames, self._rate) - sample_at(stretch.at, self._rate)

    def _plan(self) -> None:
        taken: dict[int, _Taken] = {}
        for speed, group in self._groups.items():
            at = last = 0
            for place, index in enumerate(group):
                stretch = self._stretches[index]
                start, end = sample_at(stretch.start, self._rate), sample_at(stretch.end, self._rate)
                following = group[place + 1] if place + 1 < len(group) else None
                limit = self._total if following is None else sample_at(self._stretches[following].start, self._rate)
                sounding_on = self._overlaps[index + 1] if index + 1 < len(self._stretches) else 0
                before = min(round(MARGIN * max(speed, 1.0)), start - last)
                after = min(round((MARGIN + sounding_on) * max(speed, 1.0)), max(limit - end, 0))
                taken[index] = _Taken(start - before, end + after - start + before, at, before)
                at += taken[index].length
                last = end + after
        self._taken = [taken[index] for index in range(len(self._stretches))]

    def _cut(self, index: int) -> Cut:
        return Cut(self._taken[index].source, self._taken[index].length, fade_in=False, fade_out=False)

    def _path(self, number: int, name: str) -> Path:
        return self._folder / f"{name}{number}.f32"

    def _at_speed(self, number: int, speed: float, progress: Progress) -> Signal:
        raw = self._path(number, "taken")
        if speed != 1.0:
            paced = self._path(number, "paced")
            run_ffmpeg(
                [*RAW, "-i", output_argument(raw), "-af", tempo(speed), *RAW[:2], output_argument(paced)],
                duration_seconds=raw.stat().st_size / (4 * CHANNELS * SAMPLE_RATE) / speed,
                progress=progress, stage="stage.sound",
            )  # fmt: skip
            raw = paced
        samples = raw.stat().st_size // (4 * CHANNELS)
        if not samples:
            return np.zeros((0, CHANNELS), dtype=np.float32)
        return np.memmap(raw, dtype="<f4", mode="r", shape=(samples, CHANNELS))

    def _sound(self, sounds: dict[float, Signal], index: int, start: int, count: int) -> Signal:
        """Samples of a stretch in the result's time, silence where the source has none; beyond its end it goes on."""
        stretch, taken = self._stretches[index], self._taken[index]
        sound = sounds[stretch.speed]
        if stretch.speed == 1.0:
            first = taken.at + taken.before
        else:
            width = sample_at(stretch.end, self._rate) - sample_at(stretch.start, self._rate)
            middle = taken.at + taken.before + width / 2 - _LATENESS
            first = round(middle / stretch.speed - self._length(index) / 2)
        low, high = first + start, first + start + count
        block = np.zeros((count, CHANNELS), dtype=np.float32)
        inside = sound[max(low, 0) : max(min(high, len(sound)), 0)]
        block[max(-low, 0) : max(-low, 0) + len(inside)] = inside
        return block * np.float32(FAST_GAIN) if stretch.speed > FAST else block

    def _block(self, sounds: dict[float, Signal], index: int, start: int, count: int) -> Signal:
        """Samples of a stretch with its joints: faded in under what sounds on, or in from silence and out to it."""
        block = self._sound(sounds, index, start, count)
        length, overlap = self._length(index), self._overlaps[index]
        place = np.arange(start, start + count, dtype=np.float32) + 0.5
        if overlap and start < overlap:
            share = raised(place, overlap)[:, None]
            shown = min(count, overlap - start)
            before = self._sound(sounds, index - 1, self._length(index - 1) + start, shown)
            block *= np.sqrt(share) if overlap > _JOIN_SAMPLES else share
            rest = 1 - share[:shown]
            block[:shown] += before * (np.sqrt(rest) if overlap > _JOIN_SAMPLES else rest)
        elif not overlap and self._stretches[index].start > 0:
            block *= raised(place, min(FADE_SAMPLES, length // 2))[:, None]
        last = index + 1 == len(self._stretches)
        at_the_end = sample_at(self._stretches[index].end, self._rate) >= self._total
        if (last and not at_the_end) or (not last and not self._overlaps[index + 1]):
            block *= raised(length - place, min(FADE_SAMPLES, length // 2))[:, None]
        return block


def tempo(speed: float) -> str:
    """FFmpeg's filter for a speed; below a half it takes two steps."""
    if speed >= _SLOWEST_STEP:
        return f"atempo={speed}"
    return f"atempo={_SLOWEST_STEP},atempo={speed / _SLOWEST_STEP}"

"""An edit as every exchange format sees it: clips one after the other, markers, captions, how the picture is framed.

This is the one place where a timeline is read; the writers beside it only spell a :class:`Sequence` in their format.
What a piece gains (a transition) is added to :class:`Clip` here and to each writer that can say it. All
positions are whole frames of the sequence's rate.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Rows
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from core.video.caption_styles import CaptionRules
from core.video.captions import build_captions
from core.video.exchange.rates import EditRate, edit_rate
from core.video.reframe import position
from core.video.sizes import TargetOutput
from core.video.text import clean
from core.video.timeline import AspectRatio, CropTrack, Piece, Timeline, result_frames
from core.video.timeline_edit import output_words

Fitting = Literal["none", "fill", "fit"]
Describe = Callable[[tuple[Piece, ...], float], str]
"""Removed pieces that lie side by side, and their seconds → what the marker at the cut says."""


@dataclass(frozen=True)
class SourceFile:
    """The recording as the program will look for it: by its name. ``sample_rate`` in Hz."""

    name: str
    has_audio: bool
    channels: int = 2
    sample_rate: int = 48_000


@dataclass(frozen=True)
class Offset:
    """Where the picture stands from clip frame ``frame`` on, linear to the next one: pixels of the canvas that its
    middle is right of and below the canvas's middle."""

    frame: int
    right: float
    down: float


@dataclass(frozen=True)
class Clip:
    """A kept piece: source frames ``source_start`` until ``source_end`` at ``start`` until ``end`` of the edit, faster
    or slower where these are not equally many. ``offsets`` count frames of the edit from ``start``."""

    source_start: int
    source_end: int
    start: int
    end: int
    text: str
    reason: str
    offsets: tuple[Offset, ...] = ()

    @property
    def frames(self) -> int:
        """Length in the edit."""
        return self.end - self.start

    @property
    def speed(self) -> Fraction:
        """Frames of the source for each frame of the edit."""
        return Fraction(self.source_end - self.source_start, self.frames)


@dataclass(frozen=True)
class Marker:
    """A remark at one frame of the edit."""

    frame: int
    text: str


@dataclass(frozen=True)
class Subtitle:
    """Lines of text over frames ``start`` to ``end`` of the edit; subtitles do not overlap."""

    start: int
    end: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Sequence:
    """One edit for other programs. ``scale`` are pixels of the canvas a pixel of the source takes; ``source_rate`` is
    the recording's own rate, which differs from ``rate`` only where programs do not take it."""

    name: str
    rate: EditRate
    source_rate: Fraction
    width: int
    height: int
    file: SourceFile
    source_width: int
    source_height: int
    source_frames: int
    clips: tuple[Clip, ...]
    markers: tuple[Marker, ...]
    subtitles: tuple[Subtitle, ...]
    language: str
    fitting: Fitting = "none"
    scale: float = 1.0

    @property
    def frames(self) -> int:
        """Length of the edit."""
        return self.clips[-1].end if self.clips else 0


def sequence_of(
    timeline: Timeline, file: SourceFile, *, name: str, describe: Describe, ratio: AspectRatio = "source"
) -> Sequence:
    """The edit of ``timeline`` in one of its shapes. A shape without a crop of its own shows the middle."""
    rate = edit_rate(timeline.rate)
    size = TargetOutput(aspect_ratio=ratio).pixels(timeline.width, timeline.height)
    track = timeline.crops.get(ratio, CropTrack())
    fitting, scale = _framing(timeline, ratio, track, size.width, size.height)
    clips: list[Clip] = []
    markers: list[Marker] = []
    removed: list[Piece] = []
    for piece in timeline.pieces:
        if not piece.kept:
            removed.append(piece)
            continue
        end = clips[-1].end if clips else 0
        first, last = _frame(timeline, rate, piece.start_frame), _frame(timeline, rate, piece.end_frame)
        if last == first:  # a single frame of a rate that no program takes
            continue
        markers += _marker(timeline, removed, end, describe)
        removed = []
        frames = result_frames(last - first, piece.speed)
        offsets = _offsets(timeline, rate, track, piece, frames, scale) if fitting == "fill" else ()
        clips.append(Clip(first, last, end, end + frames, clean(piece.text), piece.reason, offsets))
    markers += _marker(timeline, removed, max(clips[-1].end - 1, 0) if clips else 0, describe)
    return Sequence(
        name=clean(name) or clean(file.name),
        rate=rate,
        source_rate=timeline.rate,
        width=size.width,
        height=size.height,
        file=SourceFile(clean(file.name), file.has_audio, file.channels, file.sample_rate),
        source_width=timeline.width,
        source_height=timeline.height,
        source_frames=_frame(timeline, rate, timeline.duration_frames),
        clips=tuple(clips),
        markers=tuple(markers),
        subtitles=_subtitles(timeline, rate, clips[-1].end if clips else 0),
        language=timeline.language,
        fitting=fitting,
        scale=scale,
    )


def _frame(timeline: Timeline, rate: EditRate, frame: int) -> int:
    """A frame of the source in frames of the edit: the same number wherever programs take the source's rate."""
    return round(frame * rate.exact / timeline.rate)


def _framing(
    timeline: Timeline, ratio: AspectRatio, track: CropTrack, width: int, height: int
) -> tuple[Fitting, float]:
    if ratio == "source":
        return "none", 1.0
    across, up = width / timeline.width, height / timeline.height
    if track.mode == "crop":
        return "fill", max(across, up)
    return "fit", min(across, up)


def _offsets(
    timeline: Timeline, rate: EditRate, track: CropTrack, piece: Piece, frames: int, scale: float
) -> tuple[Offset, ...]:
    """The crop of one piece: at its first and last frame, and at every keyframe between them."""
    last = piece.end_frame - 1
    inner = [key.frame for key in track.keyframes if piece.start_frame < key.frame < last]
    found: dict[int, Offset] = {}
    start = _frame(timeline, rate, piece.start_frame)
    shrink = Fraction(frames, _frame(timeline, rate, piece.end_frame) - start)
    for frame in (piece.start_frame, *inner, last):
        x, y = position(track, frame)
        right, down = (0.5 - x) * timeline.width * scale, (0.5 - y) * timeline.height * scale
        at = min(round((_frame(timeline, rate, frame) - start) * shrink), frames - 1)
        found[at] = Offset(at, round(right, 3) + 0.0, round(down, 3) + 0.0)
    offsets = tuple(found.values())
    still = len({(offset.right, offset.down) for offset in offsets}) == 1
    return offsets[:1] if still else offsets


def _marker(timeline: Timeline, removed: Rows[Piece], frame: int, describe: Describe) -> list[Marker]:
    if not removed:
        return []
    frames = sum(piece.end_frame - piece.start_frame for piece in removed)
    return [Marker(frame, clean(describe(tuple(removed), float(frames / timeline.rate))))]


def _subtitles(timeline: Timeline, rate: EditRate, frames: int) -> tuple[Subtitle, ...]:
    rows: list[Subtitle] = []
    for caption in build_captions(output_words(timeline), CaptionRules()):
        start, end = round(caption.start * rate.exact), min(round(caption.end * rate.exact), frames)
        if rows and rows[-1].end > start:  # words closer than a frame
            start = rows[-1].end
        lines = tuple(line for line in map(clean, caption.texts) if line)
        if lines and end > start:
            rows.append(Subtitle(start, end, lines))
    return tuple(rows)

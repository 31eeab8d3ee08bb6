"""The edit as data: which frames of one source stay, why, and what is laid over them.

All positions are integer frames of the source at its constant frame rate, or seconds of the source where the measured
signal has no frames (words). Nothing here touches media; the renderer only executes what a timeline says.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

AspectRatio = Literal["source", "16:9", "9:16", "4:5", "1:1"]
PieceReason = Literal["speech", "silence", "filler", "repeat", "beat", "off_beat", "user", "clip", "source"]
TransitionStyle = Literal["cut", "crossfade", "zoom", "dip", "wipe"]
MIN_SPEED, MAX_SPEED = 0.25, 16.0
MIN_TRANSITION_SECONDS, MAX_TRANSITION_SECONDS = 0.05, 3.0


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Piece(_Frozen):
    """Frames ``start_frame`` (inclusive) to ``end_frame`` (exclusive) of the source, kept or removed.

    A kept piece is shown at ``speed`` (2 is twice as fast); how many frames of the result that makes says
    :attr:`Timeline.stretches`.
    """

    start_frame: int = Field(ge=0)
    end_frame: int = Field(gt=0)
    kept: bool
    reason: PieceReason
    text: str = ""
    speed: float = Field(default=1.0, ge=MIN_SPEED, le=MAX_SPEED)

    @model_validator(mode="after")
    def _not_empty(self) -> Piece:
        if self.end_frame <= self.start_frame:
            raise ValueError("a piece must hold at least one frame")
        if not self.kept and self.speed != 1.0:
            raise ValueError("only a kept piece has a speed")
        return self


@dataclass(frozen=True)
class Stretch:
    """Frames ``start``–``end`` (exclusive) of the source, shown as ``frames`` frames of the result from ``at`` on.

    The result's frame ``at + i`` shows the source's frame under the middle of the i-th of ``frames`` equal parts
    (Bresenham's choice): at normal speed each in its turn, faster some are left out, slower some are repeated.
    """

    start: int
    end: int
    at: int
    frames: int
    speed: float = 1.0

    @property
    def length(self) -> int:
        """How many frames of the source it takes."""
        return self.end - self.start

    @property
    def plain(self) -> bool:
        """Whether every frame of the source is shown once."""
        return self.frames == self.length

    def shown(self, index: int) -> int:
        """The source's frame that the result shows at ``at + index``."""
        return self.start + (2 * index + 1) * self.length // (2 * self.frames)

    def before(self, frame: int) -> int:
        """How many frames of the result show something before this frame of the source (of this stretch)."""
        offset = min(max(frame - self.start, 0), self.length)
        return -((self.length - 2 * offset * self.frames) // (2 * self.length))


def result_frames(length: int, speed: float) -> int:
    """How many frames of the result ``length`` frames of the source make: at least one."""
    return length if speed == 1.0 else max(1, round(length / speed))


class Word(_Frozen):
    """One spoken word in seconds of the source."""

    word: str
    start: float
    end: float
    probability: float = 1.0


class CropKeyframe(_Frozen):
    """Centre of the crop window at a source frame, as fractions of the source's width and height."""

    frame: int
    x: float
    y: float


class CropTrack(_Frozen):
    """How one aspect ratio is made from the source picture.

    ``crop`` follows the keyframes (linear between them, a jump where two keyframes sit on neighbouring frames);
    ``blur`` fits the whole picture over a blurred copy of itself; ``letterbox`` fits it over black.
    """

    mode: Literal["crop", "blur", "letterbox"] = "crop"
    keyframes: tuple[CropKeyframe, ...] = ()


class CaptionSettings(_Frozen):
    """Captions burnt in or written beside the video; ``style`` names a preset of :mod:`core.video.caption_styles`."""

    style: str = "tiktok"
    burn_in: bool = True


class Transition(_Frozen):
    """How pieces that do not follow each other in the source meet; the result's length does not depend on it.

    ``crossfade`` and ``wipe`` go over from one to the other, ``dip`` to black and back, in ``duration_seconds``;
    ``zoom`` shows every other piece closer.
    """

    style: TransitionStyle = "cut"
    duration_seconds: float = Field(default=0.4, ge=MIN_TRANSITION_SECONDS, le=MAX_TRANSITION_SECONDS)


class MusicBed(_Frozen):
    """Background music under the voice. ``duck_db`` is how far it goes down while someone speaks (positive dB).

    A ``seamless`` track goes on at its beginning when it ends; another is cross-faded with itself.
    """

    asset_id: UUID
    gain_db: float = -14.0
    duck_db: float = 10.0
    seamless: bool = False


class Timeline(_Frozen):
    """One edit of one source; ``pieces`` cover it from frame 0 to ``duration_frames`` without gap or overlap."""

    schema_version: Literal[1] = 1
    source_asset_id: UUID
    fps: str = Field(description="frames per second as a fraction, e.g. 30000/1001")
    width: int
    height: int
    duration_frames: int
    has_audio: bool = True
    pieces: tuple[Piece, ...]
    language: str = ""
    words: tuple[Word, ...] = ()
    crops: dict[AspectRatio, CropTrack] = Field(default_factory=dict)
    captions: CaptionSettings | None = None
    transition: Transition | None = None
    music: MusicBed | None = None
    loudness_lufs: float | None = None
    noise_reduction: float = Field(default=0.0, ge=0.0, le=1.0)

    @property
    def rate(self) -> Fraction:
        """Frames per second."""
        return Fraction(self.fps)

    @property
    def kept(self) -> tuple[Piece, ...]:
        """The pieces that stay, in source order."""
        return tuple(piece for piece in self.pieces if piece.kept)

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """The way from the source to the result, which everything that maps between them takes. Kept pieces that touch
        and have one speed are one stretch: cutting a piece in two changes nothing of the result."""
        rows: list[tuple[int, int, float]] = []
        for piece in self.kept:
            if rows and rows[-1][1] == piece.start_frame and rows[-1][2] == piece.speed:
                rows[-1] = (rows[-1][0], piece.end_frame, piece.speed)
            else:
                rows.append((piece.start_frame, piece.end_frame, piece.speed))
        found: list[Stretch] = []
        position = 0
        for start, end, speed in rows:
            found.append(Stretch(start, end, position, result_frames(end - start, speed), speed))
            position += found[-1].frames
        return tuple(found)

    @property
    def kept_frames(self) -> int:
        """Length of the result in frames."""
        return sum(stretch.frames for stretch in self.stretches)

    @model_validator(mode="after")
    def _covers_the_source(self) -> Timeline:
        position = 0
        for piece in self.pieces:
            if piece.start_frame != position:
                raise ValueError("pieces must cover the source without gap or overlap")
            position = piece.end_frame
        if position != self.duration_frames:
            raise ValueError("pieces must end where the source ends")
        return self


class OutputTarget(_Frozen):
    """One file to render: picture size in pixels and the aspect ratio whose crop track is used."""

    aspect_ratio: AspectRatio
    width: int
    height: int

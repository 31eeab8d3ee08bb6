"""Where the crop window stands when a picture is cut to another shape, following a face (SPEC V2.5).

Per shot: detections become tracks, the track seen most becomes the subject, and the camera takes the shortest path that
keeps the subject inside a tube around the window's middle (a string pulled tight through the tube). So a still subject
gives a still camera, a moving one a steady pan, and it never swings back and forth for noise. All positions are
fractions of the source's width and height.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from statistics import median
from typing import Literal

from core.video.sizes import RATIOS
from core.video.timeline import AspectRatio, CropKeyframe, CropTrack

TUBE = 0.12  # how far the face may be from the window's middle, as a part of the window: the middle half ends at 0.25
EASE_SECONDS = 0.8
REST_SECONDS = 1.0
MIN_SCORE = 0.5
GROUP = 0.75  # people beside each other are followed together when they take no more than this part of the window
LINK_SECONDS = 1.5  # a face may be lost this long and still be the same one
MIN_SEEN = 3  # detections; fewer are taken for a false face unless the shot is shorter
MIN_SHARE = 0.15  # of the shot's samples


@dataclass(frozen=True)
class Box:
    """A detected face: left, top, width, height as fractions of the picture, and the detector's score 0–1."""

    x: float
    y: float
    width: float
    height: float
    score: float = 1.0

    @property
    def centre(self) -> tuple[float, float]:
        """Its middle."""
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(frozen=True)
class FaceSample:
    """What the detector saw at ``time`` seconds of the source."""

    time: float
    boxes: tuple[Box, ...] = ()


@dataclass
class _Track:
    times: list[float] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)

    @property
    def weight(self) -> float:
        return sum(box.score * math.sqrt(box.width * box.height) for box in self.boxes)


def window(source_width: int, source_height: int, ratio: AspectRatio) -> tuple[float, float]:
    """Width and height of the largest window of that shape, as fractions of the source."""
    shape = RATIOS.get(ratio)
    if shape is None:
        return 1.0, 1.0
    source = Fraction(source_width, source_height)
    return (float(shape / source), 1.0) if shape < source else (1.0, float(source / shape))


def crop_track(
    samples: Sequence[FaceSample],
    scene_cuts: Sequence[float],
    source_width: int,
    source_height: int,
    rate: Fraction,
    duration_frames: int,
    ratio: AspectRatio,
    *,
    subject: Literal["auto", "face", "center"] = "auto",
    mode: Literal["crop", "blur", "letterbox"] = "crop",
) -> CropTrack:
    """The crop for one shape over the whole source.

    Args:
        samples: face detections in order of time (about five a second; where there are none the window rests).
        scene_cuts: seconds at which a new shot begins.
        subject: ``center`` ignores faces. ``auto`` and ``face`` follow the main one of each shot; a shot without a
            face shows the middle.
    """
    width, height = window(source_width, source_height, ratio)
    if mode != "crop" or (width >= 1.0 and height >= 1.0):
        return CropTrack(mode=mode)
    still = (CropKeyframe(frame=0, x=0.5, y=0.5),)
    if subject == "center" or not any(sample.boxes for sample in samples):
        return CropTrack(mode="crop", keyframes=still)
    keyframes: list[CropKeyframe] = []
    bounds = [0, *(frame for frame in _frames_of(scene_cuts, rate, duration_frames)), duration_frames]
    times = [sample.time for sample in samples]
    for first, last in itertools.pairwise(bounds):
        low, high = bisect_left(times, float(first / rate) - 1e-6), bisect_left(times, float(last / rate) - 1e-6)
        keyframes.extend(_shot(samples[low:high], first, last, rate, width, height))
    return CropTrack(mode="crop", keyframes=tuple(keyframes))


def position(track: CropTrack, frame: int) -> tuple[float, float]:
    """Where the window's middle is at a frame: what a renderer must show (linear between keyframes)."""
    keys = track.keyframes
    if not keys:
        return 0.5, 0.5
    index = bisect_left([key.frame for key in keys], frame)
    if index < len(keys) and keys[index].frame == frame:
        return keys[index].x, keys[index].y
    if index == 0 or index == len(keys):
        key = keys[min(index, len(keys) - 1)]
        return key.x, key.y
    left, right = keys[index - 1], keys[index]
    share = (frame - left.frame) / (right.frame - left.frame)
    return left.x + (right.x - left.x) * share, left.y + (right.y - left.y) * share


def _frames_of(cuts: Sequence[float], rate: Fraction, duration_frames: int) -> list[int]:
    frames = sorted({round(Fraction(cut) * rate) for cut in cuts})
    kept: list[int] = []
    for frame in frames:
        if 2 <= frame <= duration_frames - 2 and (not kept or frame - kept[-1] >= 2):
            kept.append(frame)
    return kept


def _shot(
    samples: Sequence[FaceSample], first: int, last: int, rate: Fraction, width: float, height: float
) -> list[CropKeyframe]:
    track = _subject(samples, width, height)
    if track is None:
        points = {first: (0.5, 0.5)}
    else:
        frames = [round(Fraction(time).limit_denominator(1_000_000) * rate) for time in track.times]
        xs = _path([box.centre[0] for box in track.boxes], track.times, width)
        ys = _path([box.centre[1] for box in track.boxes], track.times, height)
        points = {min(max(frame, first), last - 1): (x, y) for frame, x, y in zip(frames, xs, ys, strict=True)}
    ordered = _simplified(sorted(points.items()), 0.002 * min(width, height))
    rows = [(first, ordered[0][1]), *ordered, (last - 1, ordered[-1][1])]
    unique = dict(rows)
    if len({point for _, point in rows}) == 1:
        unique = {first: rows[0][1], last - 1: rows[0][1]}
    return [CropKeyframe(frame=frame, x=round(x, 5), y=round(y, 5)) for frame, (x, y) in sorted(unique.items())]


def _subject(samples: Sequence[FaceSample], width: float, height: float) -> _Track | None:
    """What to follow through one shot: the main face, and with it whoever is beside it if the window holds them all."""
    faces = _lasting_faces(samples)
    if not faces:
        return None
    subject = main = faces[0]
    for other in faces[1:]:
        joined = _joined(subject, other) if _beside(main, other) else subject
        fitting = sum(box.width <= GROUP * width and box.height <= GROUP * height for box in joined.boxes)
        if fitting >= 0.95 * len(joined.boxes):
            subject = joined
    return subject


def _beside(main: _Track, other: _Track) -> bool:
    """Whether two people are filmed together: there most of the time, faces of about one size."""
    shared = sum(other.times[0] <= time <= other.times[-1] for time in main.times)
    sizes = [median(box.height for box in track.boxes) for track in (main, other)]
    return shared >= 0.7 * len(main.times) and len(other.times) >= 0.4 * shared and min(sizes) >= 0.6 * max(sizes)


def _joined(subject: _Track, other: _Track) -> _Track:
    """The boxes around both, at the subject's times; alone where the other is not there."""
    boxes = []
    for time, box in zip(subject.times, subject.boxes, strict=True):
        index = bisect_left(other.times, time + 1e-6) - 1
        if index < 0 or time - other.times[index] > LINK_SECONDS:
            boxes.append(box)
            continue
        near = other.boxes[index]
        left, top = min(box.x, near.x), min(box.y, near.y)
        right, bottom = max(box.x + box.width, near.x + near.width), max(box.y + box.height, near.y + near.height)
        boxes.append(Box(left, top, right - left, bottom - top, box.score))
    return _Track(list(subject.times), boxes)


def _lasting_faces(samples: Sequence[FaceSample]) -> list[_Track]:
    """The faces of one shot, the one seen longest and largest first; faces hardly seen are no faces."""
    tracks: list[_Track] = []
    for sample in samples:
        boxes = sorted((box for box in sample.boxes if box.score >= MIN_SCORE), key=lambda box: -box.score)
        free = [track for track in tracks if sample.time - track.times[-1] <= LINK_SECONDS]
        for box in boxes:
            near = min(free, key=lambda track: _distance(track.boxes[-1], box), default=None)
            elapsed = sample.time - near.times[-1] if near else 0.0
            if near and _distance(near.boxes[-1], box) <= 0.8 + 2.0 * elapsed:
                free.remove(near)
            else:
                near = _Track()
                tracks.append(near)
            near.times.append(sample.time)
            near.boxes.append(box)
    needed = min(len(samples), max(MIN_SEEN, round(MIN_SHARE * len(samples))))
    seen = [track for track in tracks if len(track.times) >= needed]
    return sorted(seen, key=lambda track: -track.weight)


def _distance(left: Box, right: Box) -> float:
    """Between two faces, in face sizes; another size counts as distance too."""
    size = max((left.width + right.width) / 2, 1e-6)
    tall = max((left.height + right.height) / 2, 1e-6)
    (x0, y0), (x1, y1) = left.centre, right.centre
    growth = abs(left.width - right.width) / size
    return math.hypot((x0 - x1) / size, (y0 - y1) / tall) + growth


def _path(centres: Sequence[float], times: Sequence[float], size: float) -> list[float]:
    """The window's middle at every sample along one axis; ``size`` is the window's extent on it."""
    if size >= 1.0:
        return [0.5] * len(centres)
    half = size / 2
    steady = [median(centres[max(0, i - 2) : i + 3]) for i in range(len(centres))]
    tube = TUBE * size
    lower = [min(max(value - tube, half), 1 - half) for value in steady]
    upper = [min(max(value + tube, half), 1 - half) for value in steady]
    if max(lower) <= min(upper):  # the subject stays: so does the camera
        ideal = min(max(median(steady), max(lower)), min(upper))
        return [ideal] * len(centres)
    eased = _eased(_centred(_taut(lower, upper, times), steady, lower, upper, times, 0.02 * size), times)
    slack = 0.06 * size
    return [
        min(max(value, low - slack, half), high + slack, 1 - half)
        for value, low, high in zip(eased, lower, upper, strict=True)
    ]


def _taut(lower: Sequence[float], upper: Sequence[float], times: Sequence[float]) -> list[float]:
    """The string pulled tight through the tube: the path of least length, straight but where the tube turns it."""
    count = len(lower)
    start = _resting(lower, upper)
    knots = [(0, start)]
    while knots[-1][0] < count - 1:
        origin, value = knots[-1]
        steepest, flattest = float("inf"), float("-inf")
        above, below = origin, origin
        index = origin + 1
        turned = False
        while index < count:
            span = max(times[index] - times[origin], 1e-6)
            to_upper, to_lower = (upper[index] - value) / span, (lower[index] - value) / span
            if to_lower > steepest:  # must rise faster than the ceiling allowed: turn at the ceiling
                knots.append((above, upper[above]))
                turned = True
                break
            if to_upper < flattest:
                knots.append((below, lower[below]))
                turned = True
                break
            if to_upper <= steepest:
                steepest, above = to_upper, index
            if to_lower >= flattest:
                flattest, below = to_lower, index
            index += 1
        if not turned:
            slope = min(max(0.0, flattest), steepest)
            knots.append((count - 1, value + slope * max(times[-1] - times[origin], 0.0)))
    path: list[float] = []
    for (i, x), (j, y) in itertools.pairwise(knots):
        span = max(times[j] - times[i], 1e-6)
        path.extend(x + (y - x) * (times[k] - times[i]) / span for k in range(i, j))
    path.append(knots[-1][1])
    return path


def _centred(
    path: Sequence[float],
    centres: Sequence[float],
    lower: Sequence[float],
    upper: Sequence[float],
    times: Sequence[float],
    steady: float,
) -> list[float]:
    """The taut path moved so that whoever stands still stands in the middle: the string itself hugs the tube's edge.

    Where the path rests (keeps within ``steady``) for a second it rests on the subject's middle place; the way between
    two rests keeps its shape.
    """
    last = len(path) - 1
    anchors: dict[int, float] = {}
    rests: list[tuple[int, int, float]] = []
    first = 0
    for index in range(1, last + 2):
        if index <= last and abs(path[index] - path[first]) < steady:
            continue
        if times[index - 1] - times[first] >= REST_SECONDS:
            low, high = max(lower[first:index]), min(upper[first:index])
            place = min(max(median(centres[first:index]), low), high)
            rests.append((first, index, place))
            anchors[first], anchors[index - 1] = place - path[first], place - path[index - 1]
        first = index
    for end in (0, last):
        anchors.setdefault(end, min(max(centres[end], lower[end]), upper[end]) - path[end])
    places = sorted(anchors)
    moved = list(path)
    for left, right in itertools.pairwise(places):
        span = max(times[right] - times[left], 1e-6)
        for index in range(left, right + 1):
            share = (times[index] - times[left]) / span
            moved[index] = path[index] + anchors[left] + (anchors[right] - anchors[left]) * share
    for begin, end, place in rests:
        moved[begin:end] = [place] * (end - begin)
    return moved


def _resting(lower: Sequence[float], upper: Sequence[float]) -> float:
    """Where to begin: the place that can be kept longest."""
    low, high = lower[0], upper[0]
    for floor, ceiling in zip(lower, upper, strict=True):
        if max(low, floor) > min(high, ceiling):
            return high if floor > high else low
        low, high = max(low, floor), min(high, ceiling)
    return (low + high) / 2


def _eased(path: Sequence[float], times: Sequence[float]) -> list[float]:
    """The path's corners rounded by a moving average, so that pans start and stop softly."""
    eased = []
    start = end = 0
    for index, time in enumerate(times):
        reach = min(EASE_SECONDS / 2, time - times[0], times[-1] - time)
        while times[start] < time - reach - 1e-9:
            start += 1
        while end < len(times) and times[end] <= time + reach + 1e-9:
            end += 1
        eased.append(sum(path[start:end]) / max(1, end - start) if start < end else path[index])
    return eased


def _simplified(
    points: Sequence[tuple[int, tuple[float, float]]], tolerance: float
) -> list[tuple[int, tuple[float, float]]]:
    """Fewer keyframes for the same path (Ramer, Douglas and Peucker, on both axes over time)."""
    if len(points) <= 2:
        return list(points)
    keep = {0, len(points) - 1}
    stack = [(0, len(points) - 1)]
    while stack:
        first, last = stack.pop()
        (f0, (x0, y0)), (f1, (x1, y1)) = points[first], points[last]
        worst, most = first, tolerance
        for index in range(first + 1, last):
            frame, (x, y) = points[index]
            share = (frame - f0) / (f1 - f0)
            error = max(abs(x0 + (x1 - x0) * share - x), abs(y0 + (y1 - y0) * share - y))
            if error > most:
                worst, most = index, error
        if worst != first:
            keep.add(worst)
            stack += [(first, worst), (worst, last)]
    return [points[index] for index in sorted(keep)]

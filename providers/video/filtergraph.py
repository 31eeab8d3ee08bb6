"""From a timeline to FFmpeg's words: which windows of the source to open, and the graph that makes the pictures.

Pure: nothing is read or run. The graph holds numbers computed here and fixed names of files in the render's own
folder; no text of a user, no path and no font name ever enters it, so nothing can break out of it.

Frames are cut on the constant grid described in :mod:`providers.video.probe`: the ``fps`` filter makes it, ``select``
keeps frames by their number (:mod:`providers.video.expressions`), ``setpts=N`` numbers them again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from core.errors import InvalidInput
from core.video.timeline import CropKeyframe, CropTrack, OutputTarget, Stretch, Timeline
from providers.video.expressions import choice_expression, place_expression, tree
from providers.video.transitions import Transitions

# Opening the source again costs decoding from the key frame before; worth it only to skip more than this.
MIN_SKIP_SECONDS = 12.0
MAX_WINDOWS = 8
# Frames before a window are decoded and dropped: B-frames of an open GOP, and the frame still on screen at variable
# frame rates.
PREROLL_SECONDS = 1
FONTS_FOLDER = "fonts"
HDR_TO_SDR = (
    "zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,tonemap=mobius:desat=0,"
    "zscale=t=bt709:m=bt709:r=tv:d=error_diffusion,format=yuv420p"
)


@dataclass(frozen=True)
class Window:
    """Frames ``start``–``end`` (exclusive) of the source that one opened input delivers; ``ranges`` of them stay."""

    start: int
    end: int
    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Picture:
    """What of a source's pictures matters to the graph: shown size in pixels, whether its pixels are square, HDR."""

    width: int
    height: int
    square_pixels: bool = True
    hdr: bool = False


def kept_ranges(timeline: Timeline) -> list[tuple[int, int]]:
    """Kept frames as (start, end exclusive); pieces that touch are one, for there is no cut between them.

    Raises:
        InvalidInput: nothing is kept.
    """
    ranges: list[tuple[int, int]] = []
    for piece in timeline.kept:
        if ranges and ranges[-1][1] == piece.start_frame:
            ranges[-1] = (ranges[-1][0], piece.end_frame)
        else:
            ranges.append((piece.start_frame, piece.end_frame))
    if not ranges:
        raise InvalidInput("Nothing of the recording is kept.", "Keep at least one piece of the timeline.")
    return ranges


def plan_windows(ranges: Sequence[tuple[int, int]], rate: Fraction) -> list[Window]:
    """Group the kept ranges so that only long removed stretches are skipped by seeking, at most MAX_WINDOWS inputs."""
    least = MIN_SKIP_SECONDS * rate
    gaps = sorted(
        (index for index in range(1, len(ranges)) if ranges[index][0] - ranges[index - 1][1] >= least),
        key=lambda index: ranges[index - 1][1] - ranges[index][0],
    )
    starts = [0, *sorted(gaps[: MAX_WINDOWS - 1]), len(ranges)]
    windows = []
    for first, last in pairwise(starts):
        group = tuple(ranges[first:last])
        start = group[0][0] if first or group[0][0] >= least else 0
        windows.append(Window(start, group[-1][1], group))
    return windows


def seek_arguments(window: Window, rate: Fraction) -> list[str]:
    """Input options that deliver a window with its lead-in, from the key frame before and without FFmpeg's own trim.

    At a variable frame rate the frame on screen at the start may lie before it, so nothing may be trimmed there. Nor is
    there ``-t``, which would count from that key frame: the graph's ``trim`` ends the reading of the input.
    """
    if not window.start:
        return []
    return ["-noaccurate_seek", "-ss", _seconds(window.start / rate - lead_in(window, rate))]


def lead_in(window: Window, rate: Fraction) -> Fraction:
    """Seconds of source opened before a window's first frame."""
    return min(Fraction(PREROLL_SECONDS), window.start / rate)


def compile_video(
    timeline: Timeline,
    windows: Sequence[Window],
    picture: Picture,
    targets: Sequence[OutputTarget],
    captions: Sequence[str | None],
) -> str:
    """The filter graph from inputs ``[0:V:0]``, ``[1:V:0]`` … (one a window) to ``[out0]``, ``[out1]`` …

    ``captions`` are names of ASS files in the render's folder, made by the renderer, one for each target.
    """
    rate = timeline.rate
    made = Transitions.of(timeline)
    chains = [_window_chain(index, window, made.opened, rate) for index, window in enumerate(windows)]
    if len(windows) > 1:
        labels = "".join(f"[w{index}]" for index in range(len(windows)))
        chains.append(f"{labels}concat=n={len(windows)}:v=1:a=0[joined]")
    last = "[joined]" if len(windows) > 1 else "[w0]"
    common = [f"settb={1 / rate}", "setpts=N"]
    if picture.hdr:
        common.append(HDR_TO_SDR)
    if not picture.square_pixels:
        common.append(f"scale={picture.width}:{picture.height}")
    if made.style == "dip":
        common.append(made.dip())
    common.append("setsar=1")
    if made.overlaid:
        chains.append(f"{last}{','.join(common)}[opened]")
        chains.append(made.streams())
        chains += [f"[main]{_split('b', len(targets))}", f"[other]{_split('c', len(targets))}"]
    else:
        branches = "".join(f"[b{index}]" for index in range(len(targets)))
        split = f",split={len(targets)}{branches}" if len(targets) > 1 else branches
        chains.append(f"{last}{','.join(common)}{split}")
    for index, (target, caption) in enumerate(zip(targets, captions, strict=True)):
        chains.append(_target_chain(index, timeline, made, picture, target, caption))
    return ";\n".join(chains) + "\n"


def _split(label: str, count: int) -> str:
    outputs = "".join(f"[{label}{index}]" for index in range(count))
    return f"split={count}{outputs}" if count > 1 else f"null{outputs}"


def _window_chain(index: int, window: Window, stretches: Sequence[Stretch], rate: Fraction) -> str:
    start = _seconds(lead_in(window, rate)) if window.start else "0"
    inside = [item for item in stretches if window.start <= item.start and item.end <= window.end]
    filters = [
        f"fps=fps={rate}:start_time={start}:round=near",
        # A source whose pictures end early shows its last one; trim closes the endless padding.
        "tpad=stop_mode=clone:stop=-1",
        f"trim=end_frame={window.end - window.start}",
    ]
    if sum(item.length for item in inside if item.frames >= item.length) != window.end - window.start:
        filters.append(f"select='{choice_expression(inside, window.start)}'")
    filters.append(f"settb={1 / rate}")
    if any(item.frames > item.length for item in inside):
        # A slower piece: its frames stand apart, and each is shown until the next.
        filters.append(f"setpts='{place_expression(inside)}'")
        filters += [f"fps=fps={rate}:start_time=0:round=near", "tpad=stop_mode=clone:stop=-1"]
        filters.append(f"trim=end_frame={sum(item.frames for item in inside)}")
    filters.append("setpts=N")
    return f"[{index}:V:0]{','.join(filters)}[w{index}]"


def crop_window(picture: Picture, target: OutputTarget) -> tuple[int, int]:
    """Width and height of the largest window of the target's shape inside the picture, even as 4:2:0 needs."""
    wide = Fraction(picture.width, picture.height) > Fraction(target.width, target.height)
    if wide:
        width, height = round(Fraction(picture.height * target.width, target.height)), picture.height
    else:
        width, height = picture.width, round(Fraction(picture.width * target.height, target.width))
    return max(2, min(picture.width, width) // 2 * 2), max(2, min(picture.height, height) // 2 * 2)


def crop_path(
    keyframes: Sequence[CropKeyframe],
    stretches: Sequence[Stretch],
    size: int,
    window: int,
    axis: str,
    sizes: Sequence[int] = (),
) -> list[tuple[int, float, float]]:
    """Where a crop window's edge is, by frames of the result: (first frame, pixels there, pixels a frame).

    ``axis`` is ``x`` or ``y``; ``size`` and ``window`` are the picture's and the window's pixels along it, ``sizes``
    the picture's in each stretch where they differ. Positions beyond the picture are left to FFmpeg's ``crop``, which
    keeps its window inside.
    """
    points = sorted((key.frame, getattr(key, axis)) for key in keyframes) or [(0, 0.5)]
    path: list[tuple[int, float, float]] = []
    at = 0
    for stretch, long in zip(stretches, sizes or [size] * len(stretches), strict=True):
        frame = stretch.start
        while frame < stretch.end:
            while at < len(points) and points[at][0] <= frame:
                at += 1
            before, after = points[max(at - 1, 0)], points[min(at, len(points) - 1)]
            span = after[0] - before[0]
            edge = before[1] * long - window / 2
            slope = (after[1] * long - window / 2 - edge) / span if span > 0 else 0.0
            value = edge + slope * (frame - before[0]) if span > 0 else edge
            following = min(stretch.end, after[0]) if after[0] > frame else stretch.end
            first, last = stretch.before(frame), stretch.before(following)
            if not stretch.plain:
                value, slope = _at_pace(stretch, first, frame, value, 0.0 if span == 1 else slope)
            if first < last and (not path or slope or path[-1][2] or abs(path[-1][1] - value) > 1e-6):
                path.append((stretch.at + first, value, slope))
            frame = following
    return path


def _at_pace(stretch: Stretch, first: int, frame: int, value: float, slope: float) -> tuple[float, float]:
    """A value at a frame of the source and its slope there, as value at the stretch's frame ``first`` and slope in the
    result."""
    pace = stretch.length / stretch.frames
    return value + slope * (stretch.start + (first + 0.5) * pace - 0.5 - frame), slope * pace


def crop_expression(path: Sequence[tuple[int, float, float]]) -> str:
    """The path of :func:`crop_path` as an expression of the result's frame number ``n``."""
    leaves = [f"{value:.4f}" if not slope else f"{value:.4f}{slope:+.7f}*(n-{first})" for first, value, slope in path]
    return tree([first for first, _, _ in path[1:]], leaves)


def _target_chain(
    index: int,
    timeline: Timeline,
    made: Transitions,
    picture: Picture,
    target: OutputTarget,
    caption: str | None,
) -> str:
    track = timeline.crops.get(target.aspect_ratio, CropTrack())
    width, height = target.width, target.height
    same_shape = crop_window(picture, target) == (picture.width // 2 * 2, picture.height // 2 * 2)
    crops = not same_shape and track.mode == "crop"
    inner = crop_window(picture, target) if crops else (picture.width, picture.height)
    keyframes = track.keyframes if crops else ()
    chain = f"[b{index}]"
    if made.style == "zoom":
        chain += made.zoom(picture.width, picture.height) + ","
    if crops or made.style == "zoom":
        chain += _crop(keyframes, made.stretches, picture, inner, made) + ","
    if made.overlaid:
        chain = chain.rstrip(",") if crops else f"{chain}null"
        other = _crop(keyframes, made.other, picture, inner, made) if crops else "null"
        chain += f"[m{index}];\n[c{index}]{other}[o{index}];\n{made.merge(index, inner)};\n[t{index}]"
    if same_shape or crops:
        if inner != (width, height):
            chain += f"scale={width}:{height},"
    else:
        inside = _fit(picture, target)
        if track.mode == "letterbox":
            chain += f"scale={inside[0]}:{inside[1]},pad={width}:{height}:(ow-iw)/2:(oh-ih)/2:black,"
        else:
            chain += _blurred(index, inside, target)
    if caption is not None:
        chain += f"ass=filename={caption}:fontsdir={FONTS_FOLDER},"
    return f"{chain}setsar=1,format=yuv420p[out{index}]"


def _crop(
    keyframes: Sequence[CropKeyframe],
    stretches: Sequence[Stretch],
    picture: Picture,
    inner: tuple[int, int],
    made: Transitions,
) -> str:
    wide, tall = made.sizes(picture.width, picture.height)
    x = crop_expression(crop_path(keyframes, stretches, picture.width, inner[0], "x", wide))
    y = crop_expression(crop_path(keyframes, stretches, picture.height, inner[1], "y", tall))
    # exact: without it 4:2:0 rounds to even pixels and a slow pan goes in steps of two.
    return f"crop=w={inner[0]}:h={inner[1]}:x='{x}':y='{y}':exact=1"


def _fit(picture: Picture, target: OutputTarget) -> tuple[int, int]:
    scale = min(Fraction(target.width, picture.width), Fraction(target.height, picture.height))
    return max(2, round(picture.width * scale / 2) * 2), max(2, round(picture.height * scale / 2) * 2)


def _blurred(index: int, inside: tuple[int, int], target: OutputTarget) -> str:
    # Blurred at an eighth of the size: sixty-four times cheaper, and no detail is left to tell the difference.
    small = (max(target.width // 16 * 2, 16), max(target.height // 16 * 2, 16))
    return (
        f"split[f{index}][g{index}];"
        f"[g{index}]scale={small[0]}:{small[1]}:force_original_aspect_ratio=increase:force_divisible_by=2:flags=area,"
        f"crop={small[0]}:{small[1]},boxblur=4:2,scale={target.width}:{target.height}:flags=bilinear,"
        f"eq=brightness=-0.06[h{index}];"
        f"[f{index}]scale={inside[0]}:{inside[1]}[i{index}];"
        f"[h{index}][i{index}]overlay=(W-w)/2:(H-h)/2:format=yuv420,"
    )


def _seconds(value: Fraction) -> str:
    return f"{float(value):.6f}"

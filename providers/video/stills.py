"""Stills that move: pictures and painted backgrounds, seen through a window that glides over them.

The window's edges are real numbers and every frame is resampled from them (Pillow's ``resize`` with a ``box``).
FFmpeg's ``zoompan`` crops to whole pixels: on a slow zoom it was measured to jump by up to 1.9 pixels from frame to
frame, and by 0.5 on a picture four times as large; here a point strays by 0.04 pixels at most from its even path.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter, ImageOps, UnidentifiedImageError

from core.errors import UnsupportedMedia
from core.video.generate.looks import Colour
from core.video.generate.scenes import Motion

MOST_PIXELS = 120_000_000
# A picture that would lose more than this to the shape of the video is shown whole, over a blurred copy of itself.
MOST_LOST = 0.45
_SMALL = 320  # longest side of what a painted background is drawn at
_LAYERS = 2


@dataclass(frozen=True)
class Shot:
    """``frames`` pictures of one scene: a picture's file, or (None) a background painted of ``palette``, whose lights
    ``seed`` places."""

    picture: Path | None
    frames: int
    motion: Motion
    palette: tuple[Colour, Colour, Colour] = ((0, 0, 0), (0, 0, 0), (0, 0, 0))
    seed: int = 0


def frames_of(shots: list[Shot], size: tuple[int, int]) -> Iterator[bytes]:
    """All frames of all shots, RGB with eight bits, one ``bytes`` each.

    Raises:
        UnsupportedMedia: a file is no picture, or larger than :data:`MOST_PIXELS`.
    """
    for shot in shots:
        yield from _of_picture(shot, size) if shot.picture else _painted(shot, size)


def opened(path: Path) -> Image.Image:
    """A picture as it is to be seen (turned as its camera was held, on white where it is transparent), in RGB."""
    try:
        with Image.open(path) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise UnsupportedMedia("This picture is too large.", f"{picture.width} × {picture.height} pixels")
            upright = ImageOps.exif_transpose(picture)
            if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
                clear = upright.convert("RGBA")
                upright = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)
            return upright.convert("RGB")
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError, SyntaxError) as error:
        raise UnsupportedMedia("This picture is damaged, or of a kind the studio cannot read.", str(error)) from error


def canvas(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture filling ``size``; where that would cut off too much of it, whole before a blurred copy."""
    width, height = size
    shape, wanted = picture.width / picture.height, width / height
    if 1 - min(shape / wanted, wanted / shape) <= MOST_LOST:
        return ImageOps.fit(picture, size, Image.Resampling.LANCZOS)
    small = ImageOps.fit(picture, (max(2, width // 8), max(2, height // 8)), Image.Resampling.BILINEAR)
    behind = small.filter(ImageFilter.GaussianBlur(max(width, height) / 200)).point(lambda value: value * 0.7)
    behind = behind.resize(size, Image.Resampling.BICUBIC)
    whole = ImageOps.contain(picture, size, Image.Resampling.LANCZOS)
    behind.paste(whole, ((width - whole.width) // 2, (height - whole.height) // 2))
    return behind


def window(motion: Motion, at: float, size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of what is seen of a still of ``size`` when ``at`` (0–1) of its time is over."""
    shown = motion.shown[0] + (motion.shown[1] - motion.shown[0]) * at
    x = motion.x[0] + (motion.x[1] - motion.x[0]) * at
    y = motion.y[0] + (motion.y[1] - motion.y[0]) * at
    width, height = size[0] * shown, size[1] * shown
    left, top = (size[0] - width) * x, (size[1] - height) * y
    return left, top, left + width, top + height


def _of_picture(shot: Shot, size: tuple[int, int]) -> Iterator[bytes]:
    assert shot.picture is not None
    # As much larger as the closest view needs: then nothing is ever enlarged beyond the picture's own pixels.
    largest = 1 / min(shot.motion.shown)
    still = canvas(opened(shot.picture), (math.ceil(size[0] * largest), math.ceil(size[1] * largest)))
    for index in range(shot.frames):
        box = window(shot.motion, index / max(shot.frames - 1, 1), still.size)
        yield still.resize(size, Image.Resampling.BICUBIC, box=box).tobytes()


def _painted(shot: Shot, size: tuple[int, int]) -> Iterator[bytes]:
    """Layers of soft lights that glide against each other, small, then enlarged; a little noise keeps the slow
    gradients from falling into steps."""
    scale = _SMALL / max(size)
    small = (max(8, round(size[0] * scale)), max(8, round(size[1] * scale)))
    layers = [_lights(shot, layer, small) for layer in range(_LAYERS)]
    noise = np.random.default_rng(shot.seed).integers(-2, 3, (size[1], size[0], 1), dtype=np.int16)
    for index in range(shot.frames):
        at = index / max(shot.frames - 1, 1)
        seen = [
            layer.resize(small, Image.Resampling.BILINEAR, box=window(way, at, layer.size))
            for layer, way in zip(layers, _ways(shot.motion), strict=True)
        ]
        mixed = Image.blend(seen[0], seen[1], 0.5).resize(size, Image.Resampling.BICUBIC)
        pixels = np.asarray(mixed, dtype=np.int16) + np.roll(noise, index * 37, axis=1)
        yield pixels.clip(0, 255).astype(np.uint8).tobytes()


def _ways(motion: Motion) -> tuple[Motion, Motion]:
    """Over most of the still and against each other: a painted background may move more than a picture."""
    return (
        Motion((0.1, 0.9), motion.y, (0.6, 0.66)),
        Motion((0.95, 0.05), (motion.y[1], motion.y[0]), (0.72, 0.6)),
    )


def _lights(shot: Shot, layer: int, size: tuple[int, int]) -> Image.Image:
    """One layer: a gradient of the palette with round lights in it, as soft as lamps far out of focus."""
    dark, light, deep = (np.array(colour, np.float64) for colour in shot.palette)
    source = np.random.default_rng(shot.seed * _LAYERS + layer)
    width, height = round(size[0] * 1.5), round(size[1] * 1.5)
    down, across = np.mgrid[0:height, 0:width]
    tilt = source.uniform(-0.5, 0.5)
    mix = np.clip(down / height * (1 - abs(tilt)) + across / width * tilt + max(-tilt, 0), 0, 1)[..., None]
    picture: np.ndarray[Any, np.dtype[np.float64]] = dark * (1 - mix) + deep * mix
    for _ in range(5):
        x, y = source.uniform(0, width), source.uniform(0, height)
        radius = source.uniform(0.18, 0.42) * max(size)
        glow = np.exp(-((across - x) ** 2 + (down - y) ** 2) / (2 * (radius / 2) ** 2))[..., None]
        colour = light if source.uniform() < 0.6 else deep
        picture += (colour - picture) * glow * source.uniform(0.35, 0.8)
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8))

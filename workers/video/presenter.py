"""The person in the sample recording: a drawn, shaded face, so that nobody's likeness is used and nothing is fetched.

Coordinates of the drawing: the face's middle is (0, 0), its half width about 0.54 and its half height 0.72; the sprite
reaches from −1 to 1 sideways and from −1 to 1.8 downwards. All functions return RGBA pictures with straight alpha.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

Array = np.ndarray[Any, np.dtype[np.float32]]
Colour = tuple[int, int, int]

LEFT, TOP, RIGHT, BOTTOM = -1.0, -1.0, 1.0, 1.8
MOUTH_LEVELS = 6
# Height of the middle between brows and chin, where face detectors put the centre.
FACE_MIDDLE = 0.13
# The parts that move, in the drawing's coordinates: left, top, right, bottom.
MOUTH_BOX = (-0.3, 0.30, 0.3, 0.66)
EYES_BOX = (-0.42, -0.14, 0.42, 0.10)


@dataclass(frozen=True)
class Look:
    """Colours of one presenter."""

    skin: Colour = (224, 172, 138)
    hair: Colour = (52, 34, 26)
    shirt: Colour = (44, 92, 120)


def sprite_size(face_height: int) -> tuple[int, int]:
    """Width and height in pixels of a sprite whose face is ``face_height`` pixels from hairline to chin, both even."""
    scale = face_height / 1.44
    return 2 * round(scale * (RIGHT - LEFT) / 2), 2 * round(scale * (BOTTOM - TOP) / 2)


def patch_box(box: tuple[float, float, float, float], face_height: int) -> tuple[int, int, int, int]:
    """Left, top, width and height in the sprite's pixels (all even) of a moving part."""
    scale = face_height / 1.44
    left, top = 2 * round((box[0] - LEFT) * scale / 2), 2 * round((box[1] - TOP) * scale / 2)
    return left, top, 2 * round((box[2] - box[0]) * scale / 2), 2 * round((box[3] - box[1]) * scale / 2)


def draw(face_height: int, mouth: float = 0.0, look: Look = Look()) -> Image.Image:
    """The presenter from the front; ``mouth`` is how far it is open, 0–1."""
    canvas = _without_mouth(face_height, False, look).copy()
    _mouth(canvas, np.array(look.skin, np.float32), mouth)
    return canvas.picture()


def mouth_patches(face_height: int, look: Look = Look()) -> list[Image.Image]:
    """The mouth's surroundings from closed to wide open, in :data:`MOUTH_LEVELS` steps."""
    left, top, width, height = patch_box(MOUTH_BOX, face_height)
    area = (left, top, left + width, top + height)
    return [draw(face_height, level / (MOUTH_LEVELS - 1), look).crop(area) for level in range(MOUTH_LEVELS)]


def blink_patch(face_height: int, look: Look = Look()) -> Image.Image:
    """The eyes, closed."""
    left, top, width, height = patch_box(EYES_BOX, face_height)
    picture = _without_mouth(face_height, True, look).picture()
    return picture.crop((left, top, left + width, top + height))


@lru_cache(maxsize=4)
def _without_mouth(face_height: int, eyes_closed: bool, look: Look) -> _Canvas:
    width, height = sprite_size(face_height)
    canvas = _Canvas(width, height)
    skin = np.array(look.skin, np.float32)
    _shoulders(canvas, look, skin)
    _head(canvas, look, skin)
    for side in (-1, 1):
        _eye(canvas, side, skin, look, eyes_closed)
    _nose(canvas, skin)
    return canvas


class _Canvas:
    """Shapes laid over each other; their edges are soft, so that nothing needs smoothing afterwards."""

    def __init__(self, width: int, height: int) -> None:
        rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
        self.x: Array = LEFT + (columns + 0.5) / width * (RIGHT - LEFT)
        self.y: Array = TOP + (rows + 0.5) / height * (BOTTOM - TOP)
        self.rgb = np.zeros((height, width, 3), np.float32)
        self.alpha = np.zeros((height, width), np.float32)

    def ellipse(self, x: float, y: float, across: float, down: float, edge: float = 0.03, power: float = 2.0) -> Array:
        distance = np.abs((self.x - x) / across) ** power + np.abs((self.y - y) / down) ** power
        inside: Array = np.clip((1 - distance) / edge + 0.5, 0.0, 1.0)
        return inside

    def glow(self, x: float, y: float, across: float, down: float) -> Array:
        glow: Array = np.exp(-(((self.x - x) / across) ** 2 + ((self.y - y) / down) ** 2))
        return glow

    def put(self, mask: Array, colour: Any) -> None:
        self.rgb += (np.asarray(colour, np.float32) - self.rgb) * mask[..., None]
        self.alpha = np.maximum(self.alpha, mask)

    def shade(self, mask: Array, colour: Any) -> None:
        """Colour what is there already; the outline does not grow."""
        self.rgb += (np.asarray(colour, np.float32) - self.rgb) * (mask * self.alpha)[..., None]

    def copy(self) -> _Canvas:
        other = _Canvas.__new__(_Canvas)
        other.x, other.y, other.rgb, other.alpha = self.x, self.y, self.rgb.copy(), self.alpha.copy()
        return other

    def picture(self) -> Image.Image:
        stacked = np.dstack([np.clip(self.rgb, 0, 255), self.alpha * 255])
        return Image.fromarray(stacked.astype(np.uint8))


def _shoulders(canvas: _Canvas, look: Look, skin: Array) -> None:
    canvas.put(canvas.ellipse(0, -0.17, 0.66, 0.82), look.hair)
    body = canvas.ellipse(0, 1.92, 0.97, 0.98, power=2.6)
    light = (1.0 - 0.28 * canvas.x - 0.1 * np.abs(canvas.x))[..., None]
    canvas.put(body, np.array(look.shirt, np.float32) * light)
    canvas.put(canvas.ellipse(0, 0.82, 0.25, 0.42, power=3), skin * 0.76)
    canvas.shade(canvas.glow(0.05, 0.72, 0.3, 0.12) * 0.4, skin * 0.5)


def _head(canvas: _Canvas, look: Look, skin: Array) -> None:
    distance = np.abs(canvas.x / 0.54) ** 2.3 + np.abs(canvas.y / 0.72) ** 2.3
    dome = np.sqrt(np.clip(1 - np.minimum(distance, 1.0), 0.0, 1.0))
    light = np.clip(0.62 + 0.30 * dome - 0.30 * canvas.x - 0.19 * canvas.y, 0.0, 1.15)[..., None]
    for side, tone in ((-1, 0.86), (1, 0.70)):
        canvas.put(canvas.ellipse(0.55 * side, 0.03, 0.09, 0.17), skin * tone)
    face = np.clip((1 - distance) / 0.03 + 0.5, 0.0, 1.0)
    canvas.put(face, light * skin)
    # The cap of hair is wider than the head, so that no rim of skin shows between it and the hair behind.
    cap = canvas.ellipse(0, -0.17, 0.64, 0.80) * np.clip(
        (-(canvas.y + 0.42) - 0.12 * np.cos(canvas.x * 5)) / 0.05, 0, 1
    )
    canvas.put(cap, np.array(look.hair, np.float32) * (1.0 + 0.25 * canvas.glow(-0.25, -0.75, 0.3, 0.12))[..., None])


def _eye(canvas: _Canvas, side: int, skin: Array, look: Look, closed: bool) -> None:
    x, y = side * 0.22, -0.07
    canvas.shade(canvas.glow(x, y, 0.16, 0.10) * 0.35, skin * 0.55)
    if closed:
        canvas.shade(canvas.ellipse(x, y + 0.01, 0.115, 0.05, 0.2), skin * 0.9)
        canvas.shade(canvas.ellipse(x, y + 0.035, 0.11, 0.012, 0.5), (70, 44, 34))
    else:
        white = canvas.ellipse(x, y, 0.105, 0.05, 0.15)
        canvas.shade(white, (240, 238, 235))
        canvas.shade(white * canvas.ellipse(x, y, 0.05, 0.055, 0.2), (70, 48, 34))
        canvas.shade(white * canvas.ellipse(x, y, 0.024, 0.026, 0.3), (12, 10, 10))
        canvas.shade(canvas.ellipse(x + 0.015, y - 0.015, 0.011, 0.012, 0.5), (255, 255, 255))
        lid = canvas.ellipse(x, y, 0.118, 0.066, 0.12) * (1 - canvas.ellipse(x, y + 0.012, 0.11, 0.055, 0.12))
        canvas.shade(lid * 0.85, (70, 44, 34))
    canvas.shade(canvas.ellipse(side * 0.225, -0.205, 0.14, 0.03, 0.3) * 0.9, np.array(look.hair, np.float32) * 1.1)
    canvas.shade(canvas.glow(side * 0.30, 0.20, 0.14, 0.12) * 0.18, (214, 110, 96))


def _nose(canvas: _Canvas, skin: Array) -> None:
    canvas.shade(canvas.glow(0, 0.05, 0.05, 0.17) * 0.30, np.minimum(skin * 1.18, 255))
    canvas.shade(canvas.glow(0.07, 0.08, 0.03, 0.14) * 0.25, skin * 0.6)
    canvas.shade(canvas.glow(0, 0.225, 0.11, 0.028) * 0.5, skin * 0.55)
    for side in (-1, 1):
        canvas.shade(canvas.glow(side * 0.05, 0.212, 0.026, 0.018) * 0.75, (80, 44, 36))


def _mouth(canvas: _Canvas, skin: Array, opened: float) -> None:
    y, half = 0.41 + 0.03 * opened, 0.055 + 0.065 * opened
    across = 0.19 - 0.03 * opened
    canvas.shade(canvas.ellipse(0, y, across, half, 0.2) * 0.85, (176, 84, 78))
    canvas.shade(canvas.ellipse(0, y, across * 0.86, 0.012 + 0.075 * opened, 0.4), (70, 24, 26))
    if opened > 0.3:
        teeth = canvas.ellipse(0, y, across * 0.8, 0.07 * opened, 0.3) * (canvas.y < y - 0.035 * opened)
        canvas.shade(teeth, (236, 232, 226))
    canvas.shade(canvas.glow(0, 0.53 + 0.05 * opened, 0.13, 0.02) * 0.25, skin * 0.6)

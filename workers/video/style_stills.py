"""The small pictures by which the page shows what each style does: ``python -m workers.video.style_stills <folder>``.

They are kept beside the page; a test makes them again and compares, so that they never show another style than is made.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from PIL import Image

from core.video.generate.looks import LOOKS
from providers.video.looks import look_filters
from providers.video.process import output_argument, run_ffmpeg
from workers.video import presenter
from workers.video.moving_picture import background

SIZE = (320, 180)
_DRAWN = (1280, 720)
_FACE_HEIGHT = 320


def make(folder: Path) -> None:
    """Write ``<style>.jpg`` for every style into ``folder``."""
    with tempfile.TemporaryDirectory() as scratch:
        drawn = Path(scratch) / "drawn.png"
        _scene().save(drawn)
        for look in LOOKS.values():
            run_ffmpeg(
                [
                    "-i", output_argument(drawn), "-frames:v", "1", "-q:v", "4", "-f", "image2", "-update", "1",
                    "-vf", f"scale={SIZE[0]}:{SIZE[1]}:flags=area,format=yuv420p,{look_filters(look, SIZE)}",
                    output_argument(folder / f"{look.name}.jpg"),
                ]
            )  # fmt: skip


def _scene() -> Image.Image:
    """The presenter of the sample recording in a room."""
    room = background(0, _DRAWN).crop((0, 0, *_DRAWN)).convert("RGBA")
    person = presenter.draw(_FACE_HEIGHT, 0.3)
    room.alpha_composite(person, (round(_DRAWN[0] * 0.36 - person.width / 2), _DRAWN[1] - person.height))
    return room.convert("RGB")


if __name__ == "__main__":
    make(Path(sys.argv[1]))

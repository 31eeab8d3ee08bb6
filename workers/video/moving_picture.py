"""A talk as a moving picture: a drawn presenter over generated backgrounds, its face on a path that is known exactly.

Everything is composed by one FFmpeg run from a handful of still pictures; only the mouth is a stream of its own, opened
by the loudness of the voice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from core.progress import Progress, no_progress
from providers.speech.piper import read_wav
from providers.video.process import output_argument, run_ffmpeg
from workers.video import presenter
from workers.video.presenter import Look

MOUTH_RATE = 15
_BLINK_EVERY, _BLINK_SECONDS = 3.7, 0.14
_PAN = 1.25


@dataclass(frozen=True)
class Scene:
    """One shot. ``path`` holds (second of the recording, centre of the face as a fraction of the width), in order;
    the face moves straight between the points. ``palette`` picks the background's colours."""

    start: float
    end: float
    palette: int
    path: tuple[tuple[float, float], ...]
    face_height: int = 260
    look: Look = Look()  # noqa: RUF009 - frozen

    def face_x(self, second: float) -> float:
        """Centre of the face at a moment, as a fraction of the width."""
        times, places = zip(*self.path, strict=True)
        return float(np.interp(second, times, places))

    def face_y(self, height: int) -> float:
        """Centre of the face (brows to chin) as a fraction of the height; the presenter stands on the lower edge."""
        sprite = presenter.sprite_size(self.face_height)[1]
        below = (presenter.BOTTOM - presenter.FACE_MIDDLE) / (presenter.BOTTOM - presenter.TOP)
        return (height - sprite * below) / height


def compose(
    folder: Path,
    voice: Path,
    scenes: Sequence[Scene],
    out: Path,
    *,
    size: tuple[int, int] = (1280, 720),
    fps: int = 30,
    noise: int = 0,
    progress: Progress = no_progress,
) -> None:
    """Write ``out`` (H.264 and AAC in MP4) of the talk in the mono WAV ``voice``.

    Args:
        folder: where the pictures it is made of are put.
        scenes: shots that follow each other without a gap, the first from 0.
        noise: strength of a camera's grain, 0–20; 0 is none.
    """
    samples, rate = read_wav(voice)
    opened = mouth_levels(samples, rate, scenes[-1].end)
    arguments: list[str] = []
    graph: list[str] = []
    for index, scene in enumerate(scenes):
        progress(0.1 * index / len(scenes), "stage.draw")
        arguments += _scene_inputs(folder, index, scene, size, fps, opened)
        graph.append(_scene_graph(index, scene, size, fps))
    grain = f",noise=alls={noise}:allf=t" if noise else ""
    graph.append("".join(f"[v{index}]" for index in range(len(scenes))) + f"concat=n={len(scenes)}:v=1:a=0{grain}[v]")
    script = folder / "picture.graph"
    script.write_text(";\n".join(graph))
    voice_input = 4 * len(scenes)
    arguments += [
        "-i",
        output_argument(voice),
        "-/filter_complex",
        str(script),
        "-map",
        "[v]",
        "-map",
        f"{voice_input}:a",
    ]
    arguments += ["-c:v", "libx264", "-preset", "superfast", "-crf", "22", "-g", str(2 * fps), "-pix_fmt", "yuv420p"]
    arguments += [
        "-c:a",
        "aac",
        "-b:a",
        "128k",
        "-ar",
        "48000",
        "-af",
        "apad",
        "-t",
        f"{_frames(scenes[-1].end, fps) / fps}",
    ]
    arguments += ["-movflags", "+faststart", output_argument(out)]
    run_ffmpeg(
        arguments,
        duration_seconds=scenes[-1].end,
        progress=lambda fraction, stage=None: progress(0.1 + 0.9 * fraction, "stage.render"),
    )


def mouth_levels(samples: np.ndarray[Any, np.dtype[np.int16]], rate: int, seconds: float) -> list[int]:
    """How far the mouth is open, 15 times a second, by the loudness of the voice."""
    step = rate // MOUTH_RATE
    count = math.ceil(seconds * MOUTH_RATE)
    padded = np.zeros(count * step, np.float64)
    padded[: samples.size] = samples[: padded.size]
    level = np.sqrt(np.mean(padded.reshape(count, step) ** 2, axis=1))
    loud = max(float(np.percentile(level, 95)), 1.0)
    return [min(int(value), presenter.MOUTH_LEVELS - 1) for value in level / loud * (presenter.MOUTH_LEVELS - 0.5)]


def _frames(second: float, fps: int) -> int:
    return round(second * fps)


def _scene_inputs(
    folder: Path, index: int, scene: Scene, size: tuple[int, int], fps: int, opened: Sequence[int]
) -> list[str]:
    names = {
        part: folder / f"scene{index}-{part}" for part in ("background.png", "person.png", "eyes.png", "mouth.rgba")
    }
    background(scene.palette, size).save(names["background.png"])
    presenter.draw(scene.face_height, 0.0, scene.look).save(names["person.png"])
    presenter.blink_patch(scene.face_height, scene.look).save(names["eyes.png"])
    patches = [patch.tobytes() for patch in presenter.mouth_patches(scene.face_height, scene.look)]
    with names["mouth.rgba"].open("wb") as file:
        for moment in range(math.floor(scene.start * MOUTH_RATE), math.ceil(scene.end * MOUTH_RATE)):
            file.write(patches[opened[min(moment, len(opened) - 1)]])
    _, _, width, height = presenter.patch_box(presenter.MOUTH_BOX, scene.face_height)
    arguments: list[str] = []
    for part in ("background.png", "person.png", "eyes.png"):
        arguments += ["-framerate", str(fps), "-i", output_argument(names[part])]
    arguments += ["-f", "rawvideo", "-pixel_format", "rgba", "-video_size", f"{width}x{height}"]
    return [*arguments, "-framerate", str(MOUTH_RATE), "-i", output_argument(names["mouth.rgba"])]


def _scene_graph(index: int, scene: Scene, size: tuple[int, int], fps: int) -> str:
    first = 4 * index
    frames = _frames(scene.end, fps) - _frames(scene.start, fps)
    sprite_width, sprite_height = presenter.sprite_size(scene.face_height)
    face = -presenter.LEFT / (presenter.RIGHT - presenter.LEFT) * sprite_width
    x = f"({_path_expression(scene, size[0])})-{face:g}"
    y = size[1] - sprite_height
    eyes_x, eyes_y, _, _ = presenter.patch_box(presenter.EYES_BOX, scene.face_height)
    mouth_x, mouth_y, _, _ = presenter.patch_box(presenter.MOUTH_BOX, scene.face_height)
    blink = f"lt(mod(t+{index},{_BLINK_EVERY}),{_BLINK_SECONDS})"
    steady = f"trim=end_frame={frames},setpts=N/({fps}*TB)"
    return (
        f"[{first}:v]format=yuv420p,loop=loop=-1:size=1:start=0,{steady},"
        f"crop={size[0]}:{size[1]}:'(iw-ow)*(0.5+0.5*sin(t/5+{index}))':0[b{index}];"
        f"[{first + 1}:v]format=yuva420p[p{index}];[{first + 2}:v]format=yuva420p[e{index}];"
        f"[{first + 3}:v]format=yuva420p[m{index}];"
        f"[b{index}][p{index}]overlay=x='{x}':y={y}[bp{index}];"
        f"[bp{index}][e{index}]overlay=x='{x}+{eyes_x}':y={y + eyes_y}:enable='{blink}'[be{index}];"
        f"[be{index}][m{index}]overlay=x='{x}+{mouth_x}':y={y + mouth_y},{steady},setsar=1[v{index}]"
    )


def _path_expression(scene: Scene, width: int) -> str:
    """The face's centre in pixels as an FFmpeg expression of ``t``, seconds of the scene."""
    points = [(second - scene.start, place * width) for second, place in scene.path]
    expression = f"{points[-1][1]:.2f}"
    for (t0, x0), (t1, x1) in zip(points[-2::-1], points[:0:-1], strict=True):
        expression = f"if(lt(t,{t1:.4f}),{x0:.2f}+({x1 - x0:.2f})*(t-{t0:.4f})/{t1 - t0:.4f},{expression})"
    return f"if(lt(t,{points[0][0]:.4f}),{points[0][1]:.2f},{expression})"


_PALETTES: tuple[tuple[tuple[int, int, int], ...], ...] = (
    ((28, 44, 74), (88, 130, 170), (250, 204, 120)),
    ((246, 226, 196), (214, 150, 110), (120, 70, 60)),
    ((18, 70, 62), (60, 140, 110), (220, 240, 190)),
    ((70, 30, 84), (160, 80, 150), (250, 180, 200)),
    ((225, 233, 240), (140, 170, 196), (52, 92, 132)),
    ((30, 30, 34), (90, 84, 80), (240, 120, 70)),
)


def background(palette: int, size: tuple[int, int]) -> Image.Image:
    """A room out of focus: a gradient, a shelf, lights. A quarter wider than the picture, to be panned."""
    dark, light, accent = _PALETTES[palette % len(_PALETTES)]
    width, height = 2 * round(size[0] * _PAN / 2), size[1]
    rows = np.linspace(0.0, 1.0, height)[:, None, None]
    columns = np.linspace(0.0, 1.0, width)[None, :, None]
    mix = np.clip(0.75 * (1 - rows) + 0.25 * columns, 0, 1)
    picture = Image.fromarray((np.array(dark) * (1 - mix) + np.array(light) * mix).astype(np.uint8))
    draw = ImageDraw.Draw(picture, "RGBA")
    source = np.random.default_rng(palette + 1)
    shelf = height * 0.42
    draw.rectangle((0, shelf, width, shelf + height * 0.022), fill=(*dark, 190))
    x = width * 0.03
    while x < width * 0.97:
        wide, high = source.uniform(0.012, 0.035) * width, source.uniform(0.09, 0.26) * height
        shade = source.uniform(0.4, 1.0)
        colour = tuple(int(a * shade + b * (1 - shade)) for a, b in zip(accent, light, strict=True))
        draw.rectangle((x, shelf - high, x + wide, shelf), fill=(*colour, 210))
        x += wide + source.uniform(0.0, 0.03) * width
    picture = picture.filter(ImageFilter.GaussianBlur(height / 120))
    draw = ImageDraw.Draw(picture, "RGBA")
    for _ in range(14):
        radius = source.uniform(0.02, 0.07) * height
        x, y = source.uniform(0, width), source.uniform(0, height * 0.9)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(*accent, int(source.uniform(25, 70))))
    return picture.filter(ImageFilter.GaussianBlur(height / 360))

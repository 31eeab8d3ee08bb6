"""Renders planned scenes: stills painted frame by frame go through one FFmpeg that joins, grades, letters and encodes.

The frames arrive as if they were one recording in which each scene goes on under the beginning of the next one; so the
joints are those of a cut (:mod:`providers.video.transitions`), and every pixel is encoded once.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from core.errors import EngineFailed
from core.progress import Progress, no_progress, part
from core.video.generate.looks import Look, SceneTransition
from core.video.generate.scenes import FPS, Scene, motion_of
from core.video.timeline import MusicBed, OutputTarget, Stretch
from core.video.transitions import Joint
from providers.video.filtergraph import FONTS_FOLDER
from providers.video.looks import look_filters
from providers.video.probe import probe
from providers.video.process import output_argument, run_ffmpeg, source_arguments
from providers.video.renderer import CRF, GOP_SECONDS, RenderedOutput, link_fonts
from providers.video.sound_edit import sample_at
from providers.video.soundtrack import narrated_soundtrack
from providers.video.stills import Shot, frames_of
from providers.video.transitions import Transitions

RATE = Fraction(FPS)
LOUDNESS_LUFS = -14.0
_OVERLAID = ("crossfade", "wipe")


@dataclass(frozen=True)
class Sound:
    """What is heard: the narration's file on the video's clock, and music under it."""

    narration: Path | None = None
    music: Path | None = None
    bed: MusicBed | None = None


def render_scenes(
    scenes: Sequence[Scene],
    pictures: Sequence[Path | None],
    look: Look,
    target: OutputTarget,
    sound: Sound,
    path: Path,
    *,
    letters: Sequence[str] = (),
    preset: str = "veryfast",
    progress: Progress = no_progress,
) -> RenderedOutput:
    """Write the MP4 of ``scenes``.

    Args:
        pictures: for each scene the file it shows, or None for a painted background.
        letters: ASS documents laid over each other, in the result's time.

    Raises:
        UnsupportedMedia: a picture cannot be read.
        OutOfSpace, EngineFailed: as their names say.
        JobCancelled: raised by ``progress``; FFmpeg has ended when it arrives.
    """
    size = (target.width, target.height)
    frames = scenes[-1].end
    with tempfile.TemporaryDirectory(prefix=".scenes-", dir=path.absolute().parent) as name:
        folder = Path(name)
        made = narrated_soundtrack(
            sound.narration, sample_at(frames, RATE), folder, music=sound.music, bed=sound.bed,
            loudness_lufs=LOUDNESS_LUFS if sound.narration or sound.music else None,
            progress=part(progress, 0.0, 0.15, "stage.sound"),
        )  # fmt: skip
        link_fonts(folder)
        for index, text in enumerate(letters):
            (folder / f"letters{index}.ass").write_text(text, encoding="utf-8")
        (folder / "graph.txt").write_text(scene_graph(scenes, look, size, len(letters)), encoding="ascii")
        try:
            run_ffmpeg(
                [
                    "-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", f"{size[0]}x{size[1]}",
                    "-framerate", str(FPS), "-i", "pipe:0", *source_arguments(made.path),
                    "-/filter_complex", "graph.txt", "-map", "[out]", "-map", "1:a:0", "-map_metadata", "-1",
                    "-c:v", "libx264", "-preset", preset, "-crf", str(CRF), "-g", str(GOP_SECONDS * FPS),
                    "-pix_fmt", "yuv420p", "-r", str(FPS), "-fps_mode", "cfr", "-c:a", "copy",
                    "-movflags", "+faststart", "-f", "mp4", output_argument(path),
                ],
                duration_seconds=frames / FPS,
                feed=frames_of(shots_of(scenes, pictures, look), size),
                progress=part(progress, 0.15, 0.98),
                stage="stage.render",
                cwd=folder,
            )  # fmt: skip
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    found = probe(path, exact=True, progress=part(progress, 0.98, 1.0))
    if found.frames != frames:
        raise EngineFailed("The result has a wrong number of pictures.", f"{found.frames} instead of {frames}")
    return RenderedOutput(path, found.width, found.height, found.duration_seconds, found.frames, made.loudness)


def shots_of(scenes: Sequence[Scene], pictures: Sequence[Path | None], look: Look) -> list[Shot]:
    """What is painted: each scene for its own frames and on under the next one's transition."""
    shots = []
    for index, (scene, picture) in enumerate(zip(scenes, pictures, strict=True)):
        following = scenes[index + 1] if index + 1 < len(scenes) else None
        more = following.joint if following and following.draft.transition in _OVERLAID else 0
        shots.append(Shot(picture, scene.frames + more, motion_of(index, look), look.palette, seed=index + 1))
    return shots


def scene_graph(scenes: Sequence[Scene], look: Look, size: tuple[int, int], documents: int) -> str:
    """The filter graph from ``[0:v]`` to ``[out]``; ``documents`` are letters0.ass, letters1.ass …"""
    joints = _joints(scenes)
    chains = []
    last = "[0:v]format=yuv420p,setsar=1"
    overlaid = [style for style in _OVERLAID if joints[style].joints]
    if overlaid:
        both = _transitions(
            "crossfade", joints["all"].stretches, [joint for s in overlaid for joint in joints[s].joints]
        )
        chains += [
            f"{last}[opened]",
            both.streams(),
            f"[other]split={len(overlaid)}" + "".join(f"[o{index}]" for index in range(len(overlaid))),
            "[main]null[m0]",
        ]
        for index, style in enumerate(overlaid):
            chains.append(joints[style].merge(index, size))
            if index + 1 < len(overlaid):
                chains.append(f"[t{index}]null[m{index + 1}]")
        last = f"[t{len(overlaid) - 1}]format=yuv420p"
    written = "".join(f",ass=letters{index}.ass:fontsdir={FONTS_FOLDER}" for index in range(documents))
    # Graded before it goes down to black, else the style would colour the black.
    dips = f",{joints['dip'].dip()}" if joints["dip"].joints else ""
    chains.append(f"{last},{look_filters(look, size)},format=yuv420p{dips}{written},setsar=1[out]")
    return ";\n".join(chains) + "\n"


def _joints(scenes: Sequence[Scene]) -> dict[str, Transitions]:
    """The joints of each style, and under "all" the scenes as pieces of what is painted."""
    stretches: list[Stretch] = []
    found: dict[SceneTransition, list[Joint]] = {"crossfade": [], "wipe": [], "dip": []}
    position = 0
    for index, scene in enumerate(scenes):
        style = scene.draft.transition
        if index and scene.joint and style in _OVERLAID:
            handle = Stretch(position, position + scene.joint, scene.start, scene.joint)
            found[style].append(Joint(scene.start, index, scene.joint, handle))
            position = handle.end
        elif index and scene.joint and style == "dip":
            found["dip"].append(Joint(scene.start, index, scene.joint))
        stretches.append(Stretch(position, position + scene.frames, scene.start, scene.frames))
        position += scene.frames
    made: dict[str, Transitions] = {style: _transitions(style, stretches, one) for style, one in found.items()}
    return made | {"all": _transitions("cut", stretches, [])}


def _transitions(style: SceneTransition, stretches: Sequence[Stretch], joints: Sequence[Joint]) -> Transitions:
    ordered = tuple(sorted(joints, key=lambda joint: joint.at))
    return Transitions(style, tuple(stretches), ordered, (), RATE)

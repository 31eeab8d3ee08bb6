"""Videos put together from the same few pieces in many orders: each piece is decoded and encoded once (SPEC V6.3).

Pictures are joined without encoding them again: every piece is H.264 of one size and rate from the same encoder
settings and begins with a key frame, so its packets may follow another piece's where both have the same parameter sets
(ISO/IEC 14496-15, avcC). Where they differ, a join is encoded. Sound is never joined as AAC, whose frames overlap and
are padded at both ends: the raw sound of the pieces is put together on the frames' clock and encoded once.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from core.errors import EngineFailed
from core.progress import Progress, no_progress, part
from core.video.timeline import MusicBed, Timeline
from providers.video.filtergraph import kept_ranges, plan_windows
from providers.video.probe import MediaInfo, probe
from providers.video.process import output_argument, run_ffmpeg, source_arguments
from providers.video.renderer import CRF, RenderedOutput, RenderOutput, encode
from providers.video.sound_edit import CHANNELS, sample_at
from providers.video.soundtrack import Soundtrack, cut_voice, finish_sound
from providers.video.transitions import Transitions

_SAMPLE_BYTES = 4 * CHANNELS
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class PiecePictures:
    """The pictures of one piece in one size: a file without sound, and how many frames it has."""

    path: Path
    frames: int


def cut_pictures(
    source: Path,
    timeline: Timeline,
    outputs: Sequence[RenderOutput],
    *,
    info: MediaInfo,
    rate: Fraction,
    progress: Progress = no_progress,
) -> list[PiecePictures]:
    """The pictures of one piece at a common ``rate``, every output in one decode; same frames in all of them."""
    windows = plan_windows(Transitions.of(timeline).extended(kept_ranges(timeline)), timeline.rate)
    with tempfile.TemporaryDirectory(prefix=".piece-", dir=outputs[0].path.absolute().parent) as folder:
        encode(
            source, timeline, outputs, windows, info, Path(folder), rate=rate, progress=part(progress, 0, 0.95)
        )  # fmt: skip
    made = [PiecePictures(output.path, probe(output.path, exact=True).frames) for output in outputs]
    expected = round(timeline.kept_frames * rate / timeline.rate)
    if any(each.frames != expected for each in made):
        raise EngineFailed("The result has a wrong number of pictures.", f"{made[0].frames} instead of {expected}")
    return made


def cut_sound(source: Path, timeline: Timeline, voice: Path, *, channels: int, progress: Progress) -> None:
    """The raw sound of one piece into ``voice``; ``channels`` of the source, 0 where it has no sound."""
    windows = plan_windows(Transitions.of(timeline).extended(kept_ranges(timeline)), timeline.rate)
    cut_voice(source, timeline, windows, voice, channels=channels, progress=progress)


def join_sound(
    voices: Sequence[tuple[Path, int]],
    rate: Fraction,
    folder: Path,
    *,
    music: Path | None = None,
    bed: MusicBed | None = None,
    target: float | None = None,
    progress: Progress = no_progress,
) -> Soundtrack:
    """The raw sounds of pieces (and how many frames each has) as one soundtrack in ``folder``, each beginning with its
    first frame; music and loudness are those of the whole."""
    joined = folder / "joined.f32"
    position = 0
    with joined.open("wb") as file:
        for voice, frames in voices:
            length = sample_at(position + frames, rate) - sample_at(position, rate)
            _copy_exactly(voice, file.write, length * _SAMPLE_BYTES)
            position += frames
    return finish_sound(joined, music=music, bed=bed, target=target, progress=progress)


def _copy_exactly(path: Path, write: Callable[[bytes], object], count: int) -> None:
    """``count`` bytes of a file, silence after its end."""
    with path.open("rb") as file:
        while count > 0:
            block = file.read(min(count, _BLOCK_BYTES))
            if not block:
                write(bytes(count))
                return
            write(block)
            count -= len(block)


def join(
    pieces: Sequence[PiecePictures],
    rate: Fraction,
    sound: Soundtrack,
    path: Path,
    *,
    progress: Progress = no_progress,
) -> tuple[RenderedOutput, bool]:
    """Pieces one after the other with a finished soundtrack; the second value says whether pictures were only copied.

    Raises:
        EngineFailed: the result has not the pieces' frames, or its sound does not end with them.
    """
    copied = len({parameter_sets(piece.path) for piece in pieces}) == 1
    frames = sum(piece.frames for piece in pieces)
    seconds = float(frames / rate)
    arguments: list[str]
    with tempfile.TemporaryDirectory(prefix=".join-", dir=path.absolute().parent) as name:
        folder = Path(name)
        if copied:
            for index, piece in enumerate(pieces):
                (folder / f"{index}.mp4").symlink_to(piece.path.absolute())
            rows = [
                f"file {index}.mp4\nduration {float(piece.frames / rate):.9f}" for index, piece in enumerate(pieces)
            ]
            (folder / "list.txt").write_text("ffconcat version 1.0\n" + "\n".join(rows) + "\n", encoding="ascii")
            arguments = ["-f", "concat", "-safe", "1", "-protocol_whitelist", "file", "-i", "list.txt"]
            arguments += [*source_arguments(sound.path), "-map", "0:v:0", "-map", "1:a:0", "-c:v", "copy"]
        else:
            arguments = [word for piece in pieces for word in source_arguments(piece.path)]
            arguments += source_arguments(sound.path)
            labels = "".join(f"[{index}:v:0]" for index in range(len(pieces)))
            arguments += ["-filter_complex", f"{labels}concat=n={len(pieces)}:v=1:a=0[out]", "-map", "[out]"]
            arguments += ["-map", f"{len(pieces)}:a:0", "-c:v", "libx264", "-preset", "veryfast", "-crf", str(CRF)]
            arguments += ["-pix_fmt", "yuv420p", "-r", str(rate), "-fps_mode", "cfr"]
        run_ffmpeg(
            [
                *arguments, "-c:a", "copy", "-map_metadata", "-1", "-map_chapters", "-1", "-movflags", "+faststart",
                "-f", "mp4", output_argument(path),
            ],
            duration_seconds=seconds, progress=part(progress, 0, 0.9), stage="stage.render", cwd=folder,
        )  # fmt: skip
    made = probe(path, exact=True, progress=part(progress, 0.9, 1))
    if made.frames != frames:
        raise EngineFailed("The result has a wrong number of pictures.", f"{made.frames} instead of {frames}")
    if abs(made.audio_seconds - made.duration_seconds) > float(1 / rate):
        raise EngineFailed(
            "Sound and picture of the result do not end together.",
            f"{made.audio_seconds:.3f} s of sound, {made.duration_seconds:.3f} s of pictures",
        )
    output = RenderedOutput(path, made.width, made.height, made.duration_seconds, made.frames, sound.loudness)
    return output, copied


def parameter_sets(path: Path) -> bytes:
    """The avcC box of an MP4 of ours (index first): what a decoder must know before its packets."""
    with path.open("rb") as file:
        head = file.read(4 * 1024 * 1024)
    at = head.find(b"avcC")
    if at < 4:
        raise EngineFailed("A piece has no H.264 pictures.", path.name)
    return head[at : at - 4 + int.from_bytes(head[at - 4 : at], "big")]

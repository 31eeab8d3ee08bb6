"""An episode's file with its tags, chapters and cover, all written by FFmpeg.

MP3 carries them as ID3v2.3 (chapters as CHAP and CTOC frames of the ID3v2 chapter addendum), M4A as iTunes atoms and a
QuickTime chapter track.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.errors import UnsupportedMedia
from core.music.podcast_payloads import Chapter, EpisodeFormat
from core.progress import Progress, no_progress
from providers.audio.raw import BYTES_PER_SECOND
from providers.video.process import output_argument, run_ffmpeg
from providers.video.sound_edit import RAW

# At these rates speech has no audible loss; 44.1 kHz is what every player of MP3s knows.
_ENCODERS: dict[tuple[EpisodeFormat, int], tuple[str, ...]] = {
    ("mp3", 2): ("-c:a", "libmp3lame", "-b:a", "160k", "-ar", "44100"),
    ("mp3", 1): ("-c:a", "libmp3lame", "-b:a", "96k", "-ar", "44100"),
    ("m4a", 2): ("-c:a", "aac", "-b:a", "144k", "-ar", "44100"),
    ("m4a", 1): ("-c:a", "aac", "-b:a", "80k", "-ar", "44100"),
}
_SHAPES: dict[EpisodeFormat, tuple[str, ...]] = {
    "mp3": ("-id3v2_version", "3", "-write_xing", "1", "-f", "mp3"),
    "m4a": ("-movflags", "+faststart", "-metadata", "media_type=21", "-f", "ipod"),
}
# Apple's "Podcast artwork": square, 1400 to 3000 pixels, RGB.
_SMALLEST, _LARGEST = 1400, 3000
_MOST_PIXELS = 100_000_000


def ffmetadata(tags: Mapping[str, str], chapters: Sequence[Chapter], seconds: float) -> str:
    """FFmpeg's text form of tags and chapters (its documentation, "Metadata"); empty tags are left out."""
    lines = [";FFMETADATA1", *(f"{name}={_escaped(value)}" for name, value in tags.items() if value)]
    ends = [*(chapter.start for chapter in chapters[1:]), seconds]
    for chapter, end in zip(chapters, ends, strict=True):
        start, stop = round(chapter.start * 1000), round(end * 1000)
        lines += ["[CHAPTER]", "TIMEBASE=1/1000", f"START={start}", f"END={stop}", f"title={_escaped(chapter.title)}"]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return re.sub(r"([=;#\\\n])", r"\\\1", text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", ""))


def cover(picture: Path, target: Path) -> Path:
    """The middle square of a picture as a JPEG that players take.

    Raises:
        UnsupportedMedia: it cannot be read as a picture.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(picture) as opened:
            if opened.width * opened.height > _MOST_PIXELS:
                raise UnsupportedMedia("This picture is too large for a cover.", "Choose a smaller one.")
            upright = ImageOps.exif_transpose(opened)
            side = min(max(min(upright.size), _SMALLEST), _LARGEST)
            square = ImageOps.fit(upright.convert("RGB"), (side, side), Image.Resampling.LANCZOS)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UnsupportedMedia("This picture cannot be read.", str(error)) from error
    square.save(target, "JPEG", quality=88)
    return target


def encode(
    raw: Path,
    target: Path,
    form: EpisodeFormat,
    channels: int,
    described: str,
    picture: Path | None,
    progress: Progress = no_progress,
) -> Path:
    """Raw float32 stereo as a finished file; ``described`` is :func:`ffmetadata`. One channel is the left one."""
    told = target.with_name("episode.txt")
    told.write_text(described, encoding="utf-8")
    arguments = [*RAW, "-i", output_argument(raw), "-f", "ffmetadata", "-i", output_argument(told)]
    if picture is not None:
        arguments += ["-f", "image2", "-i", output_argument(picture)]
    arguments += ["-map", "0:a:0", "-map_metadata", "1", "-map_chapters", "1", *_ENCODERS[form, channels]]
    if channels == 1:
        arguments += ["-af", "pan=mono|c0=c0"]
    if picture is not None:
        arguments += ["-map", "2:v:0", "-c:v", "copy", "-disposition:v:0", "attached_pic"]
        arguments += ["-metadata:s:v", "title=Cover", "-metadata:s:v", "comment=Cover (front)"]
    run_ffmpeg(
        [*arguments, *_SHAPES[form], output_argument(target)],
        duration_seconds=raw.stat().st_size / BYTES_PER_SECOND, progress=progress, stage="stage.sound",
    )  # fmt: skip
    return target

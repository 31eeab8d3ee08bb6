"""``python -m workers.probe FILE``: what a file is, as one JSON object on standard output.

The API asks through a process of its own, so that it imports no engine and a file that breaks the prober breaks
nothing else. Recordings are measured by :mod:`providers.video.probe`, pictures by Pillow, subtitles by their text.

The object is ``{"kind", "suffix", "mime_type", "fields": {duration_seconds, width, …}, "details": {…}}``, or
``{"error": {type, title, detail, retryable}}`` for what the studio does not take.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from core.errors import StudioError, UnsupportedMedia

MAXIMUM_TEXT_BYTES = 4 * 1024 * 1024
MAXIMUM_PIXELS = 100_000_000
_PICTURES = {"PNG": (".png", "image/png"), "JPEG": (".jpg", "image/jpeg"), "WEBP": (".webp", "image/webp")}
# FFmpeg's names of containers → suffix and type of a recording with pictures, and of one without.
_CONTAINERS = {
    "mov": ((".mp4", "video/mp4"), (".m4a", "audio/mp4")),
    "matroska": ((".mkv", "video/x-matroska"), (".mka", "audio/x-matroska")),
    "webm": ((".webm", "video/webm"), (".weba", "audio/webm")),
    "avi": ((".avi", "video/x-msvideo"), (".avi", "audio/x-msvideo")),
    "flv": ((".flv", "video/x-flv"), (".flv", "audio/x-flv")),
    "mpegts": ((".ts", "video/mp2t"), (".ts", "audio/mp2t")),
    "mpeg": ((".mpg", "video/mpeg"), (".mpg", "audio/mpeg")),
    "asf": ((".wmv", "video/x-ms-wmv"), (".wma", "audio/x-ms-wma")),
    "ogg": ((".ogv", "video/ogg"), (".ogg", "audio/ogg")),
    "wav": ((".wav", "audio/wav"), (".wav", "audio/wav")),
    "mp3": ((".mp3", "audio/mpeg"), (".mp3", "audio/mpeg")),
    "flac": ((".flac", "audio/flac"), (".flac", "audio/flac")),
    "aac": ((".aac", "audio/aac"), (".aac", "audio/aac")),
    "aiff": ((".aiff", "audio/aiff"), (".aiff", "audio/aiff")),
}
_CUE = re.compile(r"\d\d:\d\d[:.]\d\d[.,:]?\d* *--> *\d\d:\d\d")


def examine(path: Path) -> dict[str, Any]:
    """What the file at ``path`` is.

    Raises:
        UnsupportedMedia: nothing the studio works on; the sentence says why.
    """
    with path.open("rb") as file:
        head = file.read(16)
    if head.startswith((b"\x89PNG\r\n", b"\xff\xd8\xff")) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return _picture(path)
    if path.stat().st_size <= MAXIMUM_TEXT_BYTES:
        subtitle = _subtitle(path)
        if subtitle is not None:
            return subtitle
    return _recording(path)


def _picture(path: Path) -> dict[str, Any]:
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = MAXIMUM_PIXELS
    try:
        with Image.open(path, formats=tuple(_PICTURES)) as picture:
            suffix, mime_type = _PICTURES[str(picture.format)]
            width, height = picture.size
            picture.load()
    except Image.DecompressionBombError as error:
        raise UnsupportedMedia(
            "This picture is larger than the studio can handle.",
            f"{MAXIMUM_PIXELS / 1e6:.0f} megapixels are the limit.",
        ) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise UnsupportedMedia("This picture is damaged.", "Export it again, as PNG or JPEG.") from error
    fields = {"width": width, "height": height}
    return {"kind": "image", "suffix": suffix, "mime_type": mime_type, "fields": fields, "details": {}}


def _subtitle(path: Path) -> dict[str, Any] | None:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    if text.startswith("WEBVTT") and _CUE.search(text):
        suffix, mime_type = ".vtt", "text/vtt"
    elif text.lstrip().startswith("[Script Info]") and "[Events]" in text:
        suffix, mime_type = ".ass", "text/x-ssa"
    elif re.match(r"\s*\d+\r?\n" + _CUE.pattern, text):
        suffix, mime_type = ".srt", "application/x-subrip"
    else:
        return None
    return {"kind": "subtitle", "suffix": suffix, "mime_type": mime_type, "fields": {}, "details": {}}


def _recording(path: Path) -> dict[str, Any]:
    from providers.video.probe import probe

    info = probe(path)
    names = info.container.split(",")
    known = next((pair for name, pair in _CONTAINERS.items() if name in names), None)
    suffix, mime_type = known[info.kind == "audio"] if known else ("", f"{info.kind}/octet-stream")
    fields: dict[str, Any] = {"duration_seconds": round(info.duration_seconds, 6), "has_audio": info.has_audio}
    details = {"container": info.container, "browser_playable": info.browser_playable}
    if info.kind == "video":
        fields |= {"width": info.width, "height": info.height, "fps": str(info.fps)}
        details |= {"video_codec": info.video_codec, "variable_frame_rate": info.variable_frame_rate}
    if info.has_audio:
        details |= {"audio_codec": info.audio_codec, "sample_rate": info.sample_rate, "channels": info.channels}
    return {"kind": info.kind, "suffix": suffix, "mime_type": mime_type, "fields": fields, "details": details}


def main(arguments: list[str]) -> int:
    """Examine the file named on the command line."""
    try:
        answer = examine(Path(arguments[0]))
    except StudioError as error:
        answer = {"error": error.as_dict()}
    sys.stdout.write(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

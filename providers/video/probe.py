"""What a file holds, measured and not believed, and the refusal of what is no recording.

The static FFmpeg of imageio-ffmpeg comes without ffprobe, and ``ffmpeg -i`` says what it found in prose and believes
declared durations. PyAV reports streams and packets as data, so it is used, but in a short-lived child with limits
(:mod:`providers.video._demux`): a hostile file meets a process that holds no keys and no database.

A recording's frames are numbered on a constant grid of :attr:`MediaInfo.fps`: frame ``n`` is what is on screen at
``n / fps`` seconds after the container's start. Sources with a variable frame rate are conformed to that grid by the
same ``fps`` filter in analysis and rendering, so nothing is re-encoded for it and both count the same frames.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from core.errors import EngineFailed, NotFound, UnsupportedMedia
from core.progress import Progress, no_progress
from providers.video.process import CONTAINERS, GIB, ChildFailed, Limits, run_child

MAX_SIDE = 8192
MAX_PIXELS = 7680 * 4320
MIN_SIDE = 16
MAX_SECONDS = 24 * 3600.0
MIN_SECONDS = 0.1
MAX_RATE = Fraction(60)
MIN_RATE = Fraction(5)
MAX_PROXY_FREE_GOP_SECONDS = 4.0
HEAD_BYTES = 256 * 1024 * 1024
# Containers whose declared duration comes from an index written by what made them; of the others FFmpeg estimates it.
_INDEXED = ("mov", "matroska", "wav", "w64", "aiff", "caf")
_INDEX_ERROR_SECONDS = 1.5

STANDARD_RATES = (
    *(Fraction(1000 * rate, 1001) for rate in (24, 30, 60)),
    *(Fraction(rate) for rate in (24, 25, 30, 48, 50, 60, 5, 10, 12, 15, 20)),
)
_VIDEO_CODEC_NAMES = """
    h264 hevc av1 libdav1d vp8 vp9 libvpx libvpx-vp9 mpeg4 mpeg2video mpeg1video prores dnxhd mjpeg vc1 wmv1 wmv2 wmv3
    theora h263 flv ffv1 rawvideo cfhd dvvideo huffyuv ffvhuff utvideo qtrle svq1 svq3 msmpeg4 msmpeg4v2 cinepak png
    indeo5 vvc r210 v210 v410 magicyuv hap
"""
VIDEO_CODECS = frozenset(_VIDEO_CODEC_NAMES.split())
_PLAYABLE_PICTURE = {"mov": {"h264", "av1", "libdav1d", "vp9"}, "webm": {"vp8", "vp9", "av1", "libdav1d", "libvpx"}}
_PLAYABLE_SOUND = frozenset(["aac", "mp3", "mp3float", "opus", "libopus", "vorbis", "flac", "pcm_s16le"])
_HDR_TRANSFERS = {16: "pq", 18: "hlg"}
_PLAIN_PIXELS = frozenset({"yuv420p", "yuvj420p"})
_PROBE_LIMITS = Limits(wall_seconds=600, cpu_seconds=300, memory_bytes=4 * GIB, file_bytes=0)


@dataclass(frozen=True)
class MediaInfo:
    """One recording.

    Durations in seconds, sizes in pixels as shown (rotation and pixel aspect applied), rates in frames or samples a
    second. ``frames`` counts the constant grid of ``fps``. ``exact`` says that every packet was read; otherwise the
    rate comes from the head of the file. ``key_times`` are the key frames read, in seconds after the start.
    ``missing_seconds`` is how much the file's own index promises beyond what can be read: it was cut off.
    """

    kind: Literal["video", "audio"]
    container: str
    duration_seconds: float
    size_bytes: int
    exact: bool
    has_audio: bool
    audio_codec: str = ""
    sample_rate: int = 0
    channels: int = 0
    audio_seconds: float = 0.0
    fps: Fraction = Fraction(0)
    variable_frame_rate: bool = False
    frames: int = 0
    width: int = 0
    height: int = 0
    square_pixels: bool = True
    rotation: int = 0
    video_codec: str = ""
    pixel_format: str = ""
    hdr: str = ""
    key_times: tuple[float, ...] = ()
    browser_playable: bool = True
    missing_seconds: float = 0.0

    @property
    def keyframe_interval_seconds(self) -> float:
        """The longest distance between key frames: how far a browser decodes to seek."""
        if self.kind == "audio":
            return 0.0
        edges = [*self.key_times, self.duration_seconds] if self.exact else list(self.key_times)
        gaps = [later - earlier for earlier, later in pairwise(edges)]
        return max(gaps, default=self.duration_seconds)

    @property
    def needs_proxy(self) -> bool:
        """Whether a browser cannot play the file, or seeks in it too slowly to edit."""
        return not self.browser_playable or self.keyframe_interval_seconds > MAX_PROXY_FREE_GOP_SECONDS


def probe(path: Path, *, exact: bool = False, progress: Progress = no_progress) -> MediaInfo:
    """Measure the recording at ``path``.

    Args:
        exact: read every packet also of a file over 256 MiB (an ingest job does; an upload's answer need not wait).

    Raises:
        NotFound: no such file.
        UnsupportedMedia: not a recording, damaged, or of an absurd size; the sentence says which.
        JobCancelled: raised by ``progress``.
    """
    if not path.is_file():
        raise NotFound("The file is no longer there.", path.name)
    size = path.stat().st_size
    if size == 0:
        raise UnsupportedMedia("This file is empty.", "Upload it again.")
    found = _read(path, 0 if exact else HEAD_BYTES, progress)
    if "error" in found:
        raise _refusal(path) from ValueError(str(found["error"]))  # the reader's own words are for the log
    video, audio = found.get("video"), found.get("audio")
    if video is not None:
        return _video_info(found, video, audio, size)
    if audio is not None:
        return _audio_info(found, audio, size)
    raise UnsupportedMedia("This file has neither picture nor sound.", "Choose a video or an audio recording.")


def frame_rate(times: Sequence[float], declared: Sequence[Fraction]) -> tuple[Fraction, bool]:
    """The constant rate that ``times`` (seconds, ascending) follow, and whether they do not really follow one.

    Among the declared and the standard rates the one is taken on whose grid the fewest frames fall double or leave a
    hole. When even that one misses more than one frame in a hundred, the rate is variable; then the usual distance
    between frames gives the rate, so that no motion is lost, and of the standard rates near it the one is taken whose
    grid the frames lie on most closely.
    """
    gaps = sorted(later - earlier for earlier, later in pairwise(times) if later > earlier)
    if not gaps:
        return next((rate for rate in declared if MIN_RATE <= rate <= MAX_RATE), Fraction(30)), False
    candidates = [rate for rate in (*declared, *STANDARD_RATES) if MIN_RATE <= rate <= 4 * MAX_RATE]
    best = min(candidates, key=lambda rate: (_misses(times, rate), _drift(times, rate), candidates.index(rate)))
    if _misses(times, best) <= max(2, len(times) // 100):
        return min(best, MAX_RATE), False
    usual = 1 / gaps[len(gaps) // 2]
    near = [rate for rate in STANDARD_RATES if abs(float(rate) / usual - 1) < 0.06]
    if near:
        return min(near, key=lambda rate: _off_grid(times, rate)), True
    return min(STANDARD_RATES, key=lambda rate: abs(float(rate) - usual)), True


def _misses(times: Sequence[float], rate: Fraction) -> int:
    slots = [round((at - times[0]) * rate.numerator / rate.denominator) for at in times]
    held = len(set(slots))
    return (len(slots) - held) + (slots[-1] + 1 - held)


def _off_grid(times: Sequence[float], rate: Fraction) -> float:
    positions = [(at - times[0]) * rate.numerator / rate.denominator for at in times]
    return sum(abs(position - round(position)) for position in positions) / len(positions)


def _drift(times: Sequence[float], rate: Fraction) -> float:
    # Distinguishes 30 from 30000/1001 where a short file fits both grids: how far the last frame is off its slot.
    position = (times[-1] - times[0]) * rate.numerator / rate.denominator
    return round(abs(position - round(position)), 2)


def _read(path: Path, head_bytes: int, progress: Progress) -> dict[str, Any]:
    parts: list[bytes] = []
    child = Path(__file__).with_name("_demux.py")
    command = [sys.executable, "-I", str(child), str(path.absolute()), CONTAINERS, str(head_bytes)]
    try:
        run_child(command, sink=parts.append, tick=lambda: progress(0.0, "stage.probe"), limits=_PROBE_LIMITS)
    except ChildFailed as failure:
        if "MemoryError" in failure.stderr or failure.timed_out or failure.returncode < 0:
            raise UnsupportedMedia("This file takes too much time or memory to read.") from failure
        raise EngineFailed("The file could not be examined.", failure.stderr.strip().rpartition("\n")[2]) from failure
    found: dict[str, Any] = json.loads(b"".join(parts))
    return found


def _refusal(path: Path) -> UnsupportedMedia:
    with path.open("rb") as file:
        head = file.read(2048)
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"#extm3u", b"ffconcat", b"v=0", b"[playlist]")) or b"<mpd" in text or b"<smil" in text:
        return UnsupportedMedia("This is a playlist, not a recording.", "Upload the video file itself.")
    if b"<svg" in text or b"WEBP" in head[:16] or head.startswith((b"\x89PNG", b"\xff\xd8\xff", b"GIF8")):
        return _picture()
    if b"\x00" not in head and _is_text(head):
        return UnsupportedMedia("This is a text file, not a recording.", "Upload a video or an audio file.")
    return UnsupportedMedia(
        "This file is damaged, was not uploaded completely, or is no video or audio the studio can read.",
        "Play it on your own machine; if it plays there, send it again.",
    )


def _picture() -> UnsupportedMedia:
    return UnsupportedMedia("This is a picture, not a video.", "Upload a video or an audio file.")


def _is_text(head: bytes) -> bool:
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4
    return True


def _video_info(found: dict[str, Any], video: dict[str, Any], audio: dict[str, Any] | None, size: int) -> MediaInfo:
    if video["codec"] not in VIDEO_CODECS:
        raise UnsupportedMedia("This kind of video is not supported.", f"Its pictures are stored as {video['codec']}.")
    if "undecodable" in video or not found["video_pts"]:
        raise UnsupportedMedia("This video holds no picture that can be read.", video.get("undecodable", ""))
    width, height, square = _shown_size(video)
    if len(found["video_pts"]) < 2:
        raise _picture()
    time_base = Fraction(video["time_base"])
    start = found["start"]
    times = sorted(float(pts * time_base) - start for pts in found["video_pts"])
    declared = [Fraction(text) for text in (video["average_rate"], video["base_rate"])]
    fps, variable = frame_rate(times, declared)
    last = float(found["video_end"] * time_base) - start
    if found["whole"]:
        last = max(last, times[-1] + 1 / float(fps))
    frames = round(last * fps.numerator / fps.denominator)
    _check_duration(last)
    sound = audio is not None and "undecodable" not in audio and found["audio_end"] is not None
    return MediaInfo(
        kind="video",
        container=found["container"],
        duration_seconds=float(frames / fps),
        size_bytes=size,
        exact=found["whole"],
        has_audio=sound,
        **(_sound(audio, found) if audio is not None and sound else {}),
        fps=fps,
        variable_frame_rate=variable,
        frames=frames,
        width=width,
        height=height,
        square_pixels=square,
        rotation=video["rotation"] % 360,
        video_codec=video["codec"],
        pixel_format=video["pixel_format"],
        hdr=_HDR_TRANSFERS.get(video["transfer"], ""),
        key_times=tuple(round(float(pts * time_base) - start, 6) for pts in sorted(found["key_pts"])),
        missing_seconds=_missing(found, max(last, _sound(audio, found)["audio_seconds"] if audio and sound else 0.0)),
        browser_playable=_playable(found, video, audio if sound else None),
    )


def _audio_info(found: dict[str, Any], audio: dict[str, Any], size: int) -> MediaInfo:
    if "undecodable" in audio or found["audio_end"] is None:
        raise UnsupportedMedia("This file holds no sound that can be read.", audio.get("undecodable", ""))
    sound = _sound(audio, found)
    _check_duration(sound["audio_seconds"])
    return MediaInfo(
        kind="audio",
        container=found["container"],
        duration_seconds=sound["audio_seconds"],
        size_bytes=size,
        exact=found["whole"],
        has_audio=True,
        browser_playable=audio["codec"] in _PLAYABLE_SOUND,
        missing_seconds=_missing(found, sound["audio_seconds"]),
        **sound,
    )


def _missing(found: dict[str, Any], last: float) -> float:
    """Seconds that were promised and cannot be read; 0 where the promise is no more than rounding and rests."""
    if not found["container"].startswith(_INDEXED):
        return 0.0
    lost = float(found["declared_duration"]) - last
    return round(lost, 3) if lost > max(_INDEX_ERROR_SECONDS, 0.01 * last) else 0.0


def _sound(audio: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    return {
        "audio_codec": audio["codec"],
        "sample_rate": audio["sample_rate"],
        "channels": audio["channels"],
        "audio_seconds": float(found["audio_end"] * Fraction(audio["time_base"])) - found["start"],
    }


def _shown_size(video: dict[str, Any]) -> tuple[int, int, bool]:
    width, height = video["width"], video["height"]
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise UnsupportedMedia("This picture is larger than the studio can handle.", f"It is {width}×{height} pixels.")
    if min(width, height) < MIN_SIDE:
        raise UnsupportedMedia("This picture is too small to work with.", f"It is {width}×{height} pixels.")
    horizontal, vertical = video["sample_aspect"]
    square = horizontal == vertical or not horizontal or not vertical or not 1 / 4 < horizontal / vertical < 4
    if not square:
        width = 2 * round(width * horizontal / vertical / 2)
    if video["rotation"] % 180:
        width, height = height, width
    return width, height, square


def _check_duration(seconds: float) -> None:
    if seconds < MIN_SECONDS:
        raise UnsupportedMedia("This recording is shorter than a tenth of a second.")
    if seconds > MAX_SECONDS:
        raise UnsupportedMedia("This recording is longer than a day.", "Cut it into parts first.")


def _playable(found: dict[str, Any], video: dict[str, Any], audio: dict[str, Any] | None) -> bool:
    """Whether Chromium, Firefox and Safari all play it: H.264 8-bit 4:2:0 in MP4, VP8/VP9/AV1 in WebM."""
    container = found["container"]
    family = {"mov": "mov", "mat": "webm"}.get(container[:3], "")
    pictures = _PLAYABLE_PICTURE.get(family, set()) if not found["brand"].startswith("qt") else set()
    return (
        video["codec"] in pictures
        and video["pixel_format"] in _PLAIN_PIXELS
        and (audio is None or audio["codec"] in _PLAYABLE_SOUND)
    )

"""Child process of :mod:`providers.video.probe`: opens one file with PyAV and prints what it holds as JSON.

Run as ``python -I _demux.py PATH WHITELIST HEAD_BYTES``. It imports nothing of ours, so that a hostile file meets a
short-lived, limited process without database, keys or network use. Files up to HEAD_BYTES are read whole; of larger
ones the head and the end are read. HEAD_BYTES 0 reads any file whole.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import av
from av.stream import Discard, Disposition

_TAIL_SECONDS = 10


def main(path: str, whitelist: str, head_bytes: int) -> dict[str, Any]:
    av.logging.set_level(av.logging.PANIC)
    options = {"protocol_whitelist": "file", "format_whitelist": whitelist}
    try:
        with av.open(f"file:{path}", options=options) as container:
            return _describe(container, head_bytes)
    except av.FFmpegError as error:
        return {"error": f"{type(error).__name__}: {error}"}


def _describe(container: Any, head_bytes: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "container": container.format.name,
        "brand": container.metadata.get("major_brand", ""),
        "start": (container.start_time or 0) / 1e6,
        "declared_duration": (container.duration or 0) / 1e6,
        "video_streams": sum(1 for s in container.streams.video if not _is_cover(s)),
        "audio_streams": len(container.streams.audio),
    }
    video = next((s for s in container.streams.video if not _is_cover(s)), None)
    audio = next(iter(container.streams.audio), None)
    kept = [stream for stream in (video, audio) if stream is not None]
    for stream in container.streams:
        if stream not in kept:
            stream.discard = Discard.all
    if video is not None:
        found["video"] = _video(video)
    if audio is not None:
        found["audio"] = _audio(audio)
    if kept:
        _read_packets(container, video, audio, head_bytes, found)
        _decode_one(container, video, audio, found)
    return found


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


def _video(stream: Any) -> dict[str, Any]:
    context = stream.codec_context
    aspect = stream.sample_aspect_ratio
    return {
        "codec": context.name,
        "profile": stream.profile or "",
        "pixel_format": context.pix_fmt or "",
        "width": context.width,
        "height": context.height,
        "sample_aspect": [aspect.numerator, aspect.denominator] if aspect else [1, 1],
        "average_rate": str(stream.average_rate or 0),
        "base_rate": str(stream.base_rate or 0),
        "time_base": str(stream.time_base),
        "transfer": int(context.color_trc or 0),
        "rotation": 0,
    }


def _audio(stream: Any) -> dict[str, Any]:
    context = stream.codec_context
    return {
        "codec": context.name,
        "sample_rate": context.sample_rate or 0,
        "channels": context.channels or 0,
        "time_base": str(stream.time_base),
    }


def _read_packets(container: Any, video: Any, audio: Any, head_bytes: int, found: dict[str, Any]) -> None:
    pts: list[int] = []
    keys: list[int] = []
    ends: dict[str, int | None] = {"video": None, "audio": None}
    kept = [stream for stream in (video, audio) if stream is not None]
    whole = not head_bytes or container.size <= head_bytes
    read = 0

    def note(packet: Any, collect: bool) -> None:
        at = packet.pts if packet.pts is not None else packet.dts
        if at is None or not packet.size:
            return
        name = "video" if packet.stream is video else "audio"
        end = at + (packet.duration or 0)
        ends[name] = end if ends[name] is None else max(ends[name] or end, end)
        if collect and packet.stream is video:
            pts.append(at)
            if packet.is_keyframe:
                keys.append(at)

    packets = container.demux(*kept)
    for packet in _until_damage(packets, found):
        note(packet, True)
        read += packet.size
        if not whole and read >= head_bytes:
            break
    else:
        whole = True
    if not whole:
        # A declared duration may lie: seeking past the end lands on the last entry of the file's index.
        target = max(int(container.duration or 0) - _TAIL_SECONDS * 1_000_000, 0) + int(container.start_time or 0)
        container.seek(target)
        for packet in _until_damage(container.demux(*kept), found):
            note(packet, False)
    found["whole"] = whole
    found["video_pts"], found["key_pts"] = pts, keys
    found["video_end"], found["audio_end"] = ends["video"], ends["audio"]


def _until_damage(packets: Any, found: dict[str, Any]) -> Any:
    """Packets up to the first unreadable place; a recording cut off there is still usable."""
    try:
        yield from packets
    except av.FFmpegError as error:
        found["damage"] = str(error)


def _decode_one(container: Any, video: Any, audio: Any, found: dict[str, Any]) -> None:
    """Decode one frame of each stream: a header alone does not prove that there is a picture or a sound."""
    for name, stream in (("video", video), ("audio", audio)):
        if stream is None:
            continue
        stream.codec_context.thread_count = 1
        container.seek(int(container.start_time or 0))
        try:
            frame = next(container.decode(stream), None)
        except av.FFmpegError as error:
            found[name]["undecodable"] = str(error)
            continue
        if frame is None:
            found[name]["undecodable"] = "no frame"
        elif name == "video":
            found[name].update(
                rotation=int(frame.rotation), width=frame.width, height=frame.height, pixel_format=frame.format.name
            )


if __name__ == "__main__":
    json.dump(main(sys.argv[1], sys.argv[2], int(sys.argv[3])), sys.stdout)

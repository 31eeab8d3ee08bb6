"""OpenTimelineIO JSON (Academy Software Foundation, opentimeline.io: "OpenTimelineIO serialized data schemas").

Written by hand: the file is plain JSON, and its reader is then another program's in tests as in life. Clips are of
schema ``Clip.1``, which every release reads. OTIO has no crop of its own: how the picture is framed lies in the
metadata of the clips, beside the link groups by which DaVinci Resolve and Premiere Pro tie picture and sound.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from core.video.exchange.sequence import Clip, Marker, Sequence

_OURS = "creator_studio"


def write(sequence: Sequence) -> str:
    """The edit as an ``.otio`` file: one video track and, where the recording has sound, one audio track."""
    tracks = [_track(sequence, "Video")]
    if sequence.file.has_audio:
        tracks.append(_track(sequence, "Audio"))
    stack = {
        **_named("Stack.1", sequence.name),
        "metadata": {
            "PremierePro_OTIO": {
                "VideoFrameRate": float(sequence.rate.exact),
                "VideoResolution": {"width": sequence.width, "height": sequence.height},
                "PixelAspectRatio": {"numerator": 1.0, "denominator": 1.0},
            }
        },
        **_nothing(),
        "markers": [_marker(sequence, marker) for marker in sequence.markers],
        "children": tracks,
    }
    timeline = {
        **_named("Timeline.1", sequence.name),
        "metadata": {
            _OURS: {"width": sequence.width, "height": sequence.height, "fitting": sequence.fitting},
            "Resolve_OTIO": {"Resolve OTIO Meta Version": "1.0"},
        },
        "global_start_time": _time(sequence, 0),
        "tracks": stack,
    }
    return json.dumps(timeline, ensure_ascii=False, indent=1)


def _track(sequence: Sequence, kind: str) -> dict[str, Any]:
    return {
        **_named("Track.1", f"{kind} 1"),
        "metadata": {},
        **_nothing(),
        "kind": kind,
        "children": [_clip(sequence, clip, number, kind) for number, clip in enumerate(sequence.clips, start=1)],
    }


def _clip(sequence: Sequence, clip: Clip, number: int, kind: str) -> dict[str, Any]:
    ours: dict[str, Any] = {"reason": clip.reason}
    if kind == "Video" and clip.offsets:
        ours |= {
            "scale": round(sequence.scale, 6),
            "offsets": [{"frame": one.frame, "right": one.right, "down": one.down} for one in clip.offsets],
        }
    return {
        **_named("Clip.1", sequence.file.name),
        "metadata": {
            _OURS: ours,
            "Resolve_OTIO": {"Link Group ID": number},
            "PremierePro_OTIO": {"LinkID": str(number)},
        },
        **_nothing(),
        # By OTIO's rule a range is as long as it lasts in the edit; the effect says how fast the media runs in it.
        "source_range": _range(sequence, clip.source_start, clip.frames),
        "effects": [_speed(clip)] if clip.speed != 1 else [],
        "media_reference": {
            **_named("ExternalReference.1", sequence.file.name),
            "metadata": {},
            "available_range": _range(sequence, 0, sequence.source_frames),
            "target_url": quote(sequence.file.name),
        },
    }


def _speed(clip: Clip) -> dict[str, Any]:
    return {
        **_named("LinearTimeWarp.1", "speed"),
        "metadata": {},
        "effect_name": "LinearTimeWarp",
        "time_scalar": float(clip.speed),
    }


def _marker(sequence: Sequence, marker: Marker) -> dict[str, Any]:
    return {
        **_named("Marker.2", marker.text),
        "metadata": {},
        "color": "RED",
        "marked_range": _range(sequence, marker.frame, 1),
    }


def _named(schema: str, name: str) -> dict[str, Any]:
    return {"OTIO_SCHEMA": schema, "name": name}


def _nothing() -> dict[str, Any]:
    return {"source_range": None, "effects": [], "markers": [], "enabled": True}


def _range(sequence: Sequence, start: int, frames: int) -> dict[str, Any]:
    return {
        "OTIO_SCHEMA": "TimeRange.1",
        "start_time": _time(sequence, start),
        "duration": _time(sequence, frames),
    }


def _time(sequence: Sequence, frame: int) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": float(sequence.rate.exact), "value": float(frame)}

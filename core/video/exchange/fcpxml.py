"""FCPXML 1.10 (Apple, "FCPXML Reference"): Final Cut Pro 10.6 and later, DaVinci Resolve 18 and later.

Times are rational seconds on the frames' grid. Inside a clip, time runs as in the recording: a keyframe, a marker or a
subtitle at second ``start`` of a clip is at its first frame. A clip with a speed has a clock of its own, from 0, which
its ``timeMap`` ties to the recording's. Positions are hundredths of the canvas's height, upwards
positive. Final Cut Pro refuses a document whose elements stand in another order than the DTD's, so they are written in
that order: conform, time map, transform, subtitles, markers.
"""

from __future__ import annotations

from fractions import Fraction
from urllib.parse import quote
from xml.etree.ElementTree import Element

from core.video.exchange.sequence import Clip, Sequence, Subtitle
from core.video.exchange.xml_tree import add, document

VERSION = "1.10"
_AUDIO_RATES = {32000: "32k", 44100: "44.1k", 48000: "48k", 88200: "88.2k", 96000: "96k"}


def write(sequence: Sequence) -> str:
    """The edit as an ``.fcpxml`` file: a library's event with one project, whose clips carry picture and sound."""
    root = Element("fcpxml", version=VERSION)
    _resources(add(root, "resources"), sequence)
    event = add(add(root, "library"), "event", name=sequence.name)
    made = add(
        add(event, "project", name=sequence.name),
        "sequence",
        format="r1",
        duration=_time(sequence.rate.seconds(sequence.frames)),
        tcStart="0s",
        tcFormat=_timecode(sequence),
        audioLayout="stereo",
        audioRate=_AUDIO_RATES.get(sequence.file.sample_rate, "48k"),
    )
    spine = add(made, "spine")
    number = 0
    for clip in sequence.clips:
        element = _clip(spine, sequence, clip)
        for subtitle in sequence.subtitles:
            if clip.start <= subtitle.start < clip.end:
                number += 1
                _subtitle(element, sequence, clip, subtitle, f"ts{number}")
        for marker in sequence.markers:
            if clip.start <= marker.frame < clip.end:
                start = _inside(sequence, clip, marker.frame)
                add(element, "marker", start=start, duration=_time(sequence.rate.seconds(1)), value=marker.text)
    return document(root)


def _resources(resources: Element, sequence: Sequence) -> None:
    frame, own = sequence.rate.seconds(1), 1 / sequence.source_rate
    add(resources, "format", id="r1", frameDuration=_time(frame), width=sequence.width, height=sequence.height)
    add(
        resources,
        "format",
        id="r2",
        frameDuration=_time(own),
        width=sequence.source_width,
        height=sequence.source_height,
    )
    file = sequence.file
    asset = add(
        resources,
        "asset",
        id="r3",
        name=file.name,
        start="0s",
        duration=_time(sequence.rate.seconds(sequence.source_frames)),
        hasVideo=1,
        format="r2",
        videoSources=1,
        hasAudio=1 if file.has_audio else None,
        audioSources=1 if file.has_audio else None,
        audioChannels=file.channels if file.has_audio else None,
        audioRate=file.sample_rate if file.has_audio else None,
    )
    add(asset, "media-rep", kind="original-media", src=quote(file.name))


def _clip(spine: Element, sequence: Sequence, clip: Clip) -> Element:
    seconds = sequence.rate.seconds
    element = add(
        spine,
        "asset-clip",
        ref="r3",
        name=sequence.file.name,
        offset=_time(seconds(clip.start)),
        start=_inside(sequence, clip, clip.start),
        duration=_time(seconds(clip.frames)),
        format="r2",
        tcFormat=_timecode(sequence),
        audioRole="dialogue" if sequence.file.has_audio else None,
    )
    if sequence.source_rate != sequence.rate.exact:
        add(element, "conform-rate", scaleEnabled=0)
    if clip.speed != 1:
        clock = add(element, "timeMap")
        for here, there in ((0, clip.source_start), (clip.frames, clip.source_end)):
            add(clock, "timept", time=_time(seconds(here)), value=_time(seconds(there)), interp="linear")
    if sequence.fitting != "none":
        add(element, "adjust-conform", type=sequence.fitting)
    _transform(element, sequence, clip)
    return element


def _transform(element: Element, sequence: Sequence, clip: Clip) -> None:
    if not clip.offsets:
        return
    values = [_position(one.right, one.down, sequence.height) for one in clip.offsets]
    if len(values) == 1:
        if values[0] != "0 0":
            add(element, "adjust-transform", position=values[0])
        return
    animation = add(add(add(element, "adjust-transform"), "param", name="position"), "keyframeAnimation")
    for one, value in zip(clip.offsets, values, strict=True):
        time = _inside(sequence, clip, clip.start + one.frame)
        add(animation, "keyframe", time=time, value=value, curve="linear")


def _subtitle(element: Element, sequence: Sequence, clip: Clip, subtitle: Subtitle, style: str) -> None:
    caption = add(
        element,
        "caption",
        lane=1,
        offset=_inside(sequence, clip, subtitle.start),
        name=" ".join(subtitle.lines)[:60],
        start="3600s",
        duration=_time(sequence.rate.seconds(subtitle.end - subtitle.start)),
        role=f"SRT?captionFormat=SRT.{sequence.language}" if sequence.language else None,
    )
    add(add(caption, "text", placement="bottom"), "text-style", "\n".join(subtitle.lines), ref=style)
    look = add(caption, "text-style-def", id=style)
    add(look, "text-style", font="Helvetica", fontSize=13, fontColor="1 1 1 1", backgroundColor="0 0 0 1")


def _inside(sequence: Sequence, clip: Clip, frame: int) -> str:
    """A frame of the edit in the time that runs inside its clip."""
    first = clip.source_start if clip.speed == 1 else 0
    return _time(sequence.rate.seconds(first + frame - clip.start))


def _position(right: float, down: float, height: int) -> str:
    return f"{right * 100 / height:.6g} {-down * 100 / height + 0.0:.6g}"


def _time(seconds: Fraction) -> str:
    return f"{seconds.numerator}s" if seconds.denominator == 1 else f"{seconds.numerator}/{seconds.denominator}s"


def _timecode(sequence: Sequence) -> str:
    return "DF" if sequence.rate.drop_frame else "NDF"

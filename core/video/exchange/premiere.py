"""The XML of Final Cut Pro 7 (Apple, "Final Cut Pro XML Interchange Format", xmeml version 5): Premiere Pro and others.

Times are whole frames. Each clip appears once in the video track and once in an audio track for each channel, tied by
links. Where a clip has a speed, its ``in``, ``out`` and ``duration`` count frames at that speed. The picture's
``center`` counts from the canvas's middle, in widths and heights of the *source*; ``scale`` is per cent of the source's
own size, since Premiere Pro fits nothing by itself. Subtitles have no place in this format.
"""

from __future__ import annotations

from urllib.parse import quote
from xml.etree.ElementTree import Element

from core.video.exchange.sequence import Clip, Offset, Sequence
from core.video.exchange.xml_tree import add, document


def write(sequence: Sequence) -> str:
    """The edit as an ``.xml`` file with one sequence."""
    root = Element("xmeml", version="5")
    made = add(root, "sequence", id="sequence-1")
    add(made, "name", sequence.name)
    add(made, "duration", sequence.frames)
    _rate(made, sequence)
    _timecode(made, sequence)
    for marker in sequence.markers:
        mark = add(made, "marker")
        add(mark, "name", marker.text)
        add(mark, "comment", marker.text)
        add(mark, "in", marker.frame)
        add(mark, "out", -1)
    media = add(made, "media")
    _video(add(media, "video"), sequence)
    audio = add(media, "audio")
    if sequence.file.has_audio:
        _audio(audio, sequence)
    return document(root)


def _channels(sequence: Sequence) -> int:
    return min(sequence.file.channels, 2) if sequence.file.has_audio else 0


def _video(video: Element, sequence: Sequence) -> None:
    _picture(add(video, "format"), sequence, sequence.width, sequence.height)
    track = add(video, "track")
    for number, clip in enumerate(sequence.clips, start=1):
        item = _item(track, sequence, clip, f"v{number}")
        _file(item, sequence, first=number == 1)
        add(item, "compositemode", "normal")
        _speed(item, clip)
        _motion(item, sequence, clip)
        _links(item, sequence, number)


def _audio(audio: Element, sequence: Sequence) -> None:
    stereo = _channels(sequence) == 2
    add(audio, "numOutputChannels", 2)
    _sound(add(audio, "format"), sequence)
    for channel in range(1, _channels(sequence) + 1):
        track = add(
            audio,
            "track",
            currentExplodedTrackIndex=channel - 1,
            totalExplodedTrackCount=_channels(sequence),
            premiereTrackType="Stereo" if stereo else "Mono",
        )
        add(track, "outputchannelindex", channel)
        for number, clip in enumerate(sequence.clips, start=1):
            item = _item(track, sequence, clip, f"a{channel}-{number}")
            item.set("premiereChannelType", "stereo" if stereo else "mono")
            _file(item, sequence, first=False)
            _speed(item, clip)
            source = add(item, "sourcetrack")
            add(source, "mediatype", "audio")
            add(source, "trackindex", channel)
            _links(item, sequence, number)


def _item(track: Element, sequence: Sequence, clip: Clip, name: str) -> Element:
    item = add(track, "clipitem", id=f"clipitem-{name}")
    add(item, "masterclipid", "masterclip-1")
    add(item, "name", sequence.file.name)
    add(item, "enabled", True)
    add(item, "duration", round(sequence.source_frames / clip.speed))
    _rate(item, sequence)
    first = round(clip.source_start / clip.speed)
    for tag, frame in (("start", clip.start), ("end", clip.end), ("in", first), ("out", first + clip.frames)):
        add(item, tag, frame)
    return item


def _file(item: Element, sequence: Sequence, *, first: bool) -> None:
    """The recording: told once, named by its identifier from then on."""
    file = add(item, "file", id="file-1")
    if not first:
        return
    add(file, "name", sequence.file.name)
    add(file, "pathurl", quote(sequence.file.name))
    _rate(file, sequence)
    add(file, "duration", sequence.source_frames)
    _timecode(file, sequence)
    media = add(file, "media")
    _picture(add(media, "video"), sequence, sequence.source_width, sequence.source_height)
    if sequence.file.has_audio:
        audio = add(media, "audio")
        _sound(audio, sequence)
        add(audio, "channelcount", sequence.file.channels)


def _effect(item: Element, name: str, identifier: str) -> Element:
    effect = add(add(item, "filter"), "effect")
    for tag, text in (
        ("name", name),
        ("effectid", identifier),
        ("effectcategory", "motion"),
        ("effecttype", "motion"),
        ("mediatype", "video"),
    ):
        add(effect, tag, text)
    return effect


def _speed(item: Element, clip: Clip) -> None:
    if clip.speed == 1:
        return
    effect = _effect(item, "Time Remap", "timeremap")
    for name, value in (("variablespeed", 0), ("speed", f"{float(clip.speed) * 100:.6g}"), ("frameblending", False)):
        parameter = add(effect, "parameter", authoringApp="PremierePro")
        add(parameter, "parameterid", name)
        add(parameter, "name", name)
        add(parameter, "value", value)


def _motion(item: Element, sequence: Sequence, clip: Clip) -> None:
    if sequence.fitting == "none":
        return
    effect = _effect(item, "Basic Motion", "basic")
    scale = add(effect, "parameter", authoringApp="PremierePro")
    add(scale, "parameterid", "scale")
    add(scale, "name", "Scale")
    add(scale, "valuemin", 0)
    add(scale, "valuemax", 1000)
    add(scale, "value", f"{sequence.scale * 100:.6g}")
    if clip.offsets:
        center = add(effect, "parameter", authoringApp="PremierePro")
        add(center, "parameterid", "center")
        add(center, "name", "Center")
        _center(center, sequence, clip.offsets[0])
        for one in clip.offsets if len(clip.offsets) > 1 else ():
            key = add(center, "keyframe")
            add(key, "when", one.frame)
            _center(key, sequence, one)


def _center(parent: Element, sequence: Sequence, offset: Offset) -> None:
    value = add(parent, "value")
    add(value, "horiz", f"{offset.right / sequence.source_width:.6f}")
    add(value, "vert", f"{offset.down / sequence.source_height:.6f}")


def _links(item: Element, sequence: Sequence, number: int) -> None:
    if not sequence.file.has_audio:
        return
    partners = [("v", "video", 1)] + [(f"a{one}-", "audio", one) for one in range(1, _channels(sequence) + 1)]
    for prefix, kind, track in partners:
        link = add(item, "link")
        add(link, "linkclipref", f"clipitem-{prefix}{number}")
        add(link, "mediatype", kind)
        add(link, "trackindex", track)
        add(link, "clipindex", number)


def _rate(parent: Element, sequence: Sequence) -> None:
    rate = add(parent, "rate")
    add(rate, "timebase", sequence.rate.timebase)
    add(rate, "ntsc", sequence.rate.ntsc)


def _timecode(parent: Element, sequence: Sequence) -> None:
    timecode = add(parent, "timecode")
    _rate(timecode, sequence)
    add(timecode, "string", sequence.rate.timecode(0))
    add(timecode, "frame", 0)
    add(timecode, "displayformat", "DF" if sequence.rate.drop_frame else "NDF")


def _picture(parent: Element, sequence: Sequence, width: int, height: int) -> None:
    shape = add(parent, "samplecharacteristics")
    _rate(shape, sequence)
    add(shape, "width", width)
    add(shape, "height", height)
    add(shape, "anamorphic", False)
    add(shape, "pixelaspectratio", "square")
    add(shape, "fielddominance", "none")


def _sound(parent: Element, sequence: Sequence) -> None:
    sound = add(parent, "samplecharacteristics")
    add(sound, "depth", 16)
    add(sound, "samplerate", sequence.file.sample_rate)

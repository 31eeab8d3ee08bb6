"""The cut list: an EDL in the form of the CMX 3600, which every editing program has read since 1980.

It holds one recording's cuts in timecode and nothing of the picture. A line is a record, so nothing that a person
named may hold a line break: names come through :func:`core.video.text.clean`. Reel ``AX`` is by custom a file without
a tape's number; ``FROM CLIP NAME`` is what programs look the file up by, ``LOC`` a marker, ``M2`` the frames of
the recording that pass in a second.
"""

from __future__ import annotations

from bisect import bisect_right

from core.errors import InvalidInput
from core.video.exchange.sequence import Sequence

MAX_EVENTS = 999
_TITLE_CHARACTERS = 70


def write(sequence: Sequence) -> str:
    """The edit as an ``.edl`` file that begins at one hour.

    Raises:
        InvalidInput: more cuts than an event's three digits can count.
    """
    if len(sequence.clips) > MAX_EVENTS:
        raise InvalidInput(
            f"This edit has {len(sequence.clips)} pieces; a cut list holds {MAX_EVENTS}.", "Choose another format."
        )
    rate, begin = sequence.rate, sequence.rate.hour()
    channels = ("B" if sequence.file.channels == 1 else "AA/V") if sequence.file.has_audio else "V"
    lines = [
        f"TITLE: {sequence.name[:_TITLE_CHARACTERS]}",
        f"FCM: {'DROP FRAME' if rate.drop_frame else 'NON-DROP FRAME'}",
        "",
    ]
    starts = [clip.start for clip in sequence.clips]
    remarks: dict[int, list[str]] = {}
    for marker in sequence.markers:
        remark = f"* LOC: {rate.timecode(begin + marker.frame)} RED     {marker.text}"
        remarks.setdefault(bisect_right(starts, marker.frame), []).append(remark)
    for number, clip in enumerate(sequence.clips, start=1):
        points = (clip.source_start, clip.source_end, begin + clip.start, begin + clip.end)
        codes = " ".join(rate.timecode(point) for point in points)
        lines.append(f"{number:03d}  AX       {channels:<5} C        {codes}")
        if clip.speed != 1:
            pace = float(clip.speed * rate.timebase)
            lines.append(f"M2   AX       {pace:05.1f}                {rate.timecode(clip.source_start)}")
        lines.append(f"* FROM CLIP NAME: {sequence.file.name}")
        lines += remarks.get(number, [])
    return "\r\n".join(lines) + "\r\n"

"""What happens where two kept pieces meet that do not follow each other in the source (SPEC V2.4).

Nothing here changes the length of a result or the place of a word in it: a cross-fade and a wipe lay the outgoing
piece's *handle*, the removed frames that follow it in the source, over the first frames of the incoming piece.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.video.timeline import Piece, Stretch, Timeline, Word

ZOOM = 1.12
_LEAST_FRAMES = 2
# A handle of these sounds on under the cross-fade; what was said there and taken out is not to be heard again.
_QUIET = ("silence", "beat", "off_beat")
_BEFORE_WORD_SECONDS = 0.03


@dataclass(frozen=True)
class Joint:
    """A cut in the result at frame ``at``, the first of stretch number ``incoming``.

    The transition lasts ``frames`` (0: too short for one, a plain cut). ``handle`` are the frames of the source that
    lie over the incoming piece's first ones, and for ``sounding`` of them the outgoing piece is heard too.
    """

    at: int
    incoming: int
    frames: int = 0
    handle: Stretch | None = None
    sounding: int = 0


def joints(timeline: Timeline) -> list[Joint]:
    """Every joint with what its transition needs; lengths are clamped to half of the shorter piece beside it, and a
    handle to what was removed."""
    found = _cuts(timeline.stretches)
    how = timeline.transition
    if how is None or how.style in ("cut", "zoom"):
        return found
    wanted = round(how.duration_seconds * timeline.rate)
    return [_timed(timeline, joint, wanted, overlaid=how.style in ("crossfade", "wipe")) for joint in found]


def zoomed(timeline: Timeline) -> list[bool]:
    """For each stretch whether it is shown closer: every other piece, with the style "zoom"."""
    stretches = timeline.stretches
    if timeline.transition is None or timeline.transition.style != "zoom":
        return [False] * len(stretches)
    changes = {joint.incoming for joint in _cuts(stretches)}
    closer = False
    result = []
    for index in range(len(stretches)):
        closer ^= index in changes
        result.append(closer)
    return result


def _cuts(stretches: Sequence[Stretch]) -> list[Joint]:
    return [
        Joint(stretches[index].at, index)
        for index in range(1, len(stretches))
        if stretches[index].start > stretches[index - 1].end
    ]


def _timed(timeline: Timeline, joint: Joint, wanted: int, *, overlaid: bool) -> Joint:
    stretches = timeline.stretches
    before, after = stretches[joint.incoming - 1], stretches[joint.incoming]
    frames = min(wanted, before.frames // 2, after.frames // 2)
    if overlaid:
        frames = min(frames, math.floor((after.start - before.end) / before.speed))
    if frames < _LEAST_FRAMES:
        return joint
    if not overlaid:
        return Joint(joint.at, joint.incoming, frames)
    end = min(after.start, before.end + max(1, round(frames * before.speed)))
    handle = Stretch(before.end, end, joint.at, frames, before.speed)
    return Joint(joint.at, joint.incoming, frames, handle, _sounding(timeline, handle))


def _sounding(timeline: Timeline, handle: Stretch) -> int:
    removed = next(piece for piece in timeline.pieces if piece.end_frame > handle.start)
    if removed.reason not in _QUIET:
        return 0
    return min(handle.frames, _frames_before_word(timeline, removed, handle))


def _frames_before_word(timeline: Timeline, removed: Piece, handle: Stretch) -> int:
    start = handle.start / timeline.rate
    spoken: Word | None = next((word for word in timeline.words if word.end > start), None)
    if spoken is None:
        return handle.frames
    quiet = min(spoken.start - _BEFORE_WORD_SECONDS, float(removed.end_frame / timeline.rate)) - float(start)
    return max(0, math.floor(quiet * float(timeline.rate) / handle.speed))

"""The edit before it is rendered: picture with caption preview, transcript, and the track of kept and removed pieces.

Everything plays from the original file; removed pieces are skipped, the others play at their speed, crop and captions
are drawn over it. What the user changes comes back as the whole list of pieces and the corrected words, to be checked
and stored by the page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypedDict

from core.video.caption_styles import CaptionStyle
from core.video.timeline import AspectRatio, Timeline, Transition
from pages.components import labels, nothing, register

_mount = register("timeline")


class Thumbnails(TypedDict):
    """A sheet of small pictures at equal distances: address, how many, columns, size of one in pixels."""

    src: str
    count: int
    columns: int
    width: int
    height: int


class TimelineEdit(TypedDict):
    """What changed: ``pieces`` as (start frame, end frame, kept, reason, speed), ``words`` as (index, new text)."""

    version: int
    pieces: list[tuple[int, int, bool, str, float]]
    words: list[tuple[int, str]]


def timeline_editor(
    lang: str,
    timeline: Timeline,
    src: str,
    *,
    key: str,
    version: int,
    peaks: Sequence[float] = (),
    thumbnails: Thumbnails | None = None,
    style: CaptionStyle | None = None,
    shape: AspectRatio = "source",
    transition: Transition | None = None,
    poster: str = "",
    on_edit: Callable[[], None] = nothing,
) -> TimelineEdit | None:
    """Show the editor; answers an edit once when the user has made one, else None.

    ``version`` is the stored version of the timeline; the script keeps its own unsaved changes until it sees a newer
    one. ``peaks`` are 0–1 over equal parts of the source's sound. ``shape`` is the output shape previewed
    first; ``transition`` how pieces meet.
    """
    joints = transition or Transition()
    data = {
        "version": version,
        "src": src,
        "poster": poster,
        "fps": float(timeline.rate),
        "frames": timeline.duration_frames,
        "width": timeline.width,
        "height": timeline.height,
        "pieces": [
            [piece.start_frame, piece.end_frame, piece.kept, piece.reason, piece.speed] for piece in timeline.pieces
        ],
        "words": [[word.word, word.start, word.end, round(word.probability, 2)] for word in timeline.words],
        "crops": {
            ratio: {"mode": crop.mode, "keys": [[point.frame, point.x, point.y] for point in crop.keyframes]}
            for ratio, crop in timeline.crops.items()
        },
        "shape": shape,
        "transition": {"style": joints.style, "duration": joints.duration_seconds},
        "peaks": [round(float(value), 3) for value in peaks],
        "thumbnails": thumbnails,
        "style": None if style is None else asdict(style),
        "language": timeline.language,
        "words_of": labels("timeline", lang),
    }
    result: Mapping[str, Any] = _mount(key=key, data=data, on_edit_change=on_edit)
    edit = result.get("edit")
    if not isinstance(edit, Mapping):
        return None
    return TimelineEdit(
        version=int(edit["version"]),
        pieces=[
            (int(start), int(end), bool(kept), str(reason), float(speed))
            for start, end, kept, reason, speed in edit["pieces"]
        ],
        words=[(int(index), str(text)) for index, text in edit["words"]],
    )

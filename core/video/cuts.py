"""Which parts of a recording go, and the pieces that come of it.

Every finder returns :class:`Removal` rows in seconds of the source; :func:`build_pieces` combines them into the pieces
of a timeline. Words that stay are never cut into: an automatic removal is trimmed to the frames between them.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from core.errors import InvalidInput
from core.video.text import join
from core.video.timeline import Piece, PieceReason, Word

PRIORITY: dict[str, int] = {"user": 5, "clip": 4, "repeat": 3, "filler": 2, "silence": 1}
MIN_KEPT_SECONDS = 0.2
MIN_REMOVED_SECONDS = 0.08
SOFT_SECONDS = 0.2
SLIVER_SECONDS = 0.2
Span = tuple[float, float]


@dataclass(frozen=True)
class Removal:
    """``start`` to ``end`` seconds of the source go for ``reason``; ``words`` are the indexes (from, until) meant."""

    start: float
    end: float
    reason: PieceReason
    text: str = ""
    words: tuple[int, int] | None = None


def silences_from_levels(
    levels_db: Sequence[float],
    hop_seconds: float,
    *,
    threshold_db: float = -35.0,
    min_silence_seconds: float = 0.6,
    padding_seconds: float = 0.12,
    soft_db: float | None = None,
) -> list[Removal]:
    """Pauses in a level envelope: runs of windows (``hop_seconds`` each, dBFS) under the threshold.

    A single loud window (a click, shorter than 50 ms) does not end a pause. What is loud begins and ends where it rises
    out of ``soft_db``, up to ``SOFT_SECONDS`` beyond the threshold: an "f" or "h" that begins a word is much quieter
    than its vowel, and so is how it fades.
    """
    loud: list[tuple[int, int]] = []
    start: int | None = None
    for index, level in enumerate([*levels_db, -math.inf]):
        if level >= threshold_db and start is None:
            start = index
        elif level < threshold_db and start is not None:
            if (index - start) * hop_seconds >= min(0.05, 2 * hop_seconds):
                loud.append((start, index))
            start = None
    edges = loud if soft_db is None else _softened(loud, levels_db, soft_db, round(SOFT_SECONDS / hop_seconds))
    return silences_from_speech(
        [(first * hop_seconds, last * hop_seconds) for first, last in edges],
        len(levels_db) * hop_seconds,
        min_silence_seconds=min_silence_seconds,
        padding_seconds=padding_seconds,
    )


def _softened(
    loud: Sequence[tuple[int, int]], levels_db: Sequence[float], soft_db: float, reach: int
) -> list[tuple[int, int]]:
    """Loud runs of windows widened while two windows in a row stay above ``soft_db``; they do not reach each other."""
    widened: list[tuple[int, int]] = []
    for index, (first, last) in enumerate(loud):
        lowest = max(first - reach, widened[-1][1] if widened else 0)
        highest = min(last + reach, loud[index + 1][0] if index + 1 < len(loud) else len(levels_db))
        while first > lowest and min(levels_db[first - 1], levels_db[max(first - 2, 0)]) >= soft_db:
            first -= 1
        while last < highest and min(levels_db[last], levels_db[min(last + 1, len(levels_db) - 1)]) >= soft_db:
            last += 1
        widened.append((first, last))
    return widened


def silences_from_speech(
    speech: Sequence[Span],
    duration: float,
    *,
    min_silence_seconds: float = 0.6,
    padding_seconds: float = 0.12,
) -> list[Removal]:
    """Pauses between ``speech`` spans (seconds, in order) and at both ends, less the padding beside speech."""
    removals = []
    previous = 0.0
    for start, end in [*speech, (duration, duration)]:
        before = 0.0 if previous == 0.0 else padding_seconds
        after = 0.0 if start >= duration else padding_seconds
        if start - previous >= min_silence_seconds and start - after > previous + before:
            removals.append(Removal(previous + before, start - after, "silence"))
        previous = max(previous, min(end, duration))
    return removals


def quiet_threshold(levels_db: Sequence[float]) -> float:
    """The level (dBFS) between this recording's quiet and its speech, for when nobody named one.

    28 dB below the loud parts, but above the room's noise, and never closer than 16 dB to the loud parts.
    """
    if not levels_db:
        return -35.0
    ordered = sorted(levels_db)
    quiet, loud = ordered[len(ordered) // 10], ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)]
    return min(max(quiet + 8.0, loud - 28.0), loud - 16.0)


def soft_threshold(levels_db: Sequence[float]) -> float:
    """The level (dBFS) at which something rises out of this recording's quiet; never more than 46 dB under its loud
    parts, where nobody hears it."""
    if not levels_db:
        return -60.0
    ordered = sorted(levels_db)
    quiet, loud = ordered[len(ordered) // 10], ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)]
    return max(quiet + 3.0, loud - 46.0)


def cut_words(words: Sequence[Word], first: int, last: int, reason: PieceReason, rest: float = 0.15) -> Removal:
    """The removal of words ``first`` until ``last`` with the pauses around them, of which ``rest`` seconds stay beside
    the words that stay (half a pause where it is shorter than twice that)."""
    start, end = words[first].start, max(word.end for word in words[first:last])
    if first > 0:
        gap = max(0.0, start - words[first - 1].end)
        start -= max(gap / 2, gap - rest)
    else:
        start = max(0.0, start - rest)
    if last < len(words):
        gap = max(0.0, words[last].start - end)
        end += max(gap / 2, gap - rest)
    return Removal(start, max(end, start), reason, join(word.word for word in words[first:last]), (first, last))


def build_pieces(
    duration_frames: int,
    rate: Fraction,
    removals: Iterable[Removal],
    words: Sequence[Word] = (),
    *,
    min_kept_seconds: float = MIN_KEPT_SECONDS,
) -> tuple[Piece, ...]:
    """Pieces that cover the source, from removals of every kind.

    Where removals overlap the stronger reason names the piece (user, clip, repeat, filler, silence). Automatic
    removals lose what they share with a word that stays and are snapped inwards to whole frames; a user's or a
    clip's bounds are snapped to the nearest frame. A kept rest shorter than ``min_kept_seconds`` without a word goes
    too.
    """
    asked = [removal for removal in removals if removal.end > removal.start]
    struck = {index for removal in asked if removal.words for index in range(*removal.words)}
    staying = _merge([(word.start, word.end) for index, word in enumerate(words) if index not in struck])
    spans: list[tuple[int, int, Removal]] = []
    for removal in asked:
        if removal.reason in ("user", "clip"):
            begin, end = round(removal.start * rate), round(removal.end * rate)
            spans.append((max(0, begin), min(duration_frames, end), removal))
            continue
        for start, stop in _without(removal.start, removal.end, staying):
            if stop - start < MIN_REMOVED_SECONDS:
                continue
            begin = max(0, math.ceil(_exact(start) * rate))
            end = min(duration_frames, math.floor(_exact(stop) * rate))
            if start <= 0:
                begin = 0
            if stop * rate >= duration_frames - 1 and not (staying and staying[-1][1] > stop):
                end = duration_frames
            spans.append((begin, end, removal))
    pieces = _paint(duration_frames, [span for span in spans if span[1] > span[0]])
    return tuple(_absorb(pieces, rate, staying, min_kept_seconds))


def check_something_stays(pieces: Sequence[Piece]) -> None:
    """Raise InvalidInput when an automatic edit would leave nothing of the recording."""
    if pieces and not any(piece.kept for piece in pieces):
        raise InvalidInput(
            "These settings would remove the whole recording.",
            "Lower the silence threshold (for example to -45 dB) or take back some of the cuts.",
        )


def _exact(seconds: float) -> Fraction:
    return Fraction(round(seconds * 1_000_000), 1_000_000)


def _merge(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _without(start: float, end: float, protected: Sequence[Span]) -> list[Span]:
    """The parts of start–end outside the protected spans (sorted, not overlapping)."""
    parts = []
    position = start
    index = bisect_left([stop for _, stop in protected], start)
    for begin, stop in protected[index:]:
        if begin >= end:
            break
        if begin > position:
            parts.append((position, begin))
        position = max(position, stop)
    if position < end:
        parts.append((position, end))
    return parts


def _paint(duration_frames: int, spans: Sequence[tuple[int, int, Removal]]) -> list[Piece]:
    edges = sorted({0, duration_frames, *(span[0] for span in spans), *(span[1] for span in spans)})
    ordered = sorted(spans, key=lambda span: span[0])
    active: list[tuple[int, int, Removal]] = []
    upcoming = 0
    rows: list[tuple[int, int, Removal | None]] = []
    for begin, end in itertools.pairwise(edges):
        while upcoming < len(ordered) and ordered[upcoming][0] <= begin:
            active.append(ordered[upcoming])
            upcoming += 1
        active = [span for span in active if span[1] > begin]
        strongest = max(active, key=lambda span: PRIORITY.get(span[2].reason, 0), default=None)
        removal = strongest[2] if strongest else None
        if rows and _same(rows[-1][2], removal):
            rows[-1] = (rows[-1][0], end, removal)
        else:
            rows.append((begin, end, removal))
    kept_reason: PieceReason = "speech" if any(row[2] for row in rows) else "source"
    return [
        Piece(start_frame=begin, end_frame=end, kept=True, reason=kept_reason)
        if removal is None
        else Piece(start_frame=begin, end_frame=end, kept=False, reason=removal.reason, text=removal.text)
        for begin, end, removal in rows
    ]


def _same(left: Removal | None, right: Removal | None) -> bool:
    if left is None or right is None:
        return left is right
    return left.reason == right.reason and left.text == right.text


def _sliver(before: Piece, piece: Piece, rate: Fraction) -> bool:
    """Whether one of two removed neighbours is the rest of a pause around a spoken mistake, too short to be a cut of
    its own in a list of cuts."""
    pauses = [part for part in (before, piece) if part.reason == "silence" and not part.text]
    mistakes = [part for part in (before, piece) if part.reason in ("filler", "repeat")]
    short = pauses and (pauses[0].end_frame - pauses[0].start_frame) / rate < SLIVER_SECONDS
    return bool(short and mistakes)


def _absorb(pieces: list[Piece], rate: Fraction, staying: Sequence[Span], min_kept_seconds: float) -> list[Piece]:
    """Kept rests without a word that would only flash by go with the removed piece beside them."""
    stops = [stop for _, stop in staying]
    result: list[Piece] = []
    for index, piece in enumerate(pieces):
        short = (piece.end_frame - piece.start_frame) / rate < min_kept_seconds
        if piece.kept and short and len(pieces) > 1:
            start, end = float(piece.start_frame / rate), float(piece.end_frame / rate)
            first = bisect_right(stops, start)
            spoken = first < len(staying) and staying[first][0] < end
            if not spoken:
                neighbour = result[-1] if result else pieces[index + 1]
                piece = piece.model_copy(update={"kept": False, "reason": neighbour.reason, "text": ""})
        before = result[-1] if result else None
        if before and before.kept == piece.kept is False and _sliver(before, piece, rate):
            named = piece if before.reason == "silence" else before
            result[-1] = named.model_copy(update={"start_frame": before.start_frame, "end_frame": piece.end_frame})
            continue
        joins = before and not before.kept and not piece.kept and before.reason == piece.reason
        if before and joins and not (before.text and piece.text):
            result[-1] = before.model_copy(update={"end_frame": piece.end_frame, "text": before.text or piece.text})
        else:
            result.append(piece)
    return result

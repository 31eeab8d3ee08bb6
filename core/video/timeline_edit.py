"""Changes a person makes to an edit before it is rendered: pure functions from timeline to timeline (SPEC V2.9).

Every function returns a new timeline that is valid again, or raises InvalidInput with a sentence. Word and piece
arguments are indexes into ``timeline.words`` and ``timeline.pieces``.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from pydantic import ValidationError

from core.errors import InvalidInput
from core.video.cuts import cut_words
from core.video.text import clean, join
from core.video.timeline import MAX_SPEED, MIN_SPEED, Piece, PieceReason, Timeline, Word

# Why a kept piece is there when nobody asked for it; taken out by hand it is the user's own.
AUTOMATIC = ("speech", "source", "beat", "off_beat")


def toggle_piece(timeline: Timeline, index: int) -> Timeline:
    """Keep a removed piece (its reason stays readable, so that it can go again), or remove a kept one as "user"."""
    if not 0 <= index < len(timeline.pieces):
        raise InvalidInput("This piece is no longer part of the edit.", "Reload the page to see the current edit.")
    pieces = list(timeline.pieces)
    piece = pieces[index]
    reason = "user" if piece.kept and piece.reason in AUTOMATIC else piece.reason
    pieces[index] = piece.model_copy(update={"kept": not piece.kept, "reason": reason, "speed": 1.0})
    return _with(timeline, pieces)


def set_speed(timeline: Timeline, index: int, speed: float) -> Timeline:
    """Show one kept piece ``speed`` times as fast."""
    if not 0 <= index < len(timeline.pieces):
        raise InvalidInput("This piece is no longer part of the edit.", "Reload the page to see the current edit.")
    if not timeline.pieces[index].kept:
        raise InvalidInput("A removed piece has no speed.", "Keep it first.")
    if not MIN_SPEED <= speed <= MAX_SPEED:
        raise InvalidInput("This speed is not possible.", f"Choose {MIN_SPEED:g} to {MAX_SPEED:g}.")
    pieces = list(timeline.pieces)
    pieces[index] = pieces[index].model_copy(update={"speed": speed})
    return _with(timeline, pieces)


def set_range(timeline: Timeline, start: float, end: float, *, kept: bool, text: str = "") -> Timeline:
    """Keep or remove ``start`` to ``end`` seconds of the source (nearest frames), as the user's own decision."""
    first, last = _frames(timeline, start, end)
    return _with(timeline, _overlay(timeline.pieces, first, last, kept=kept, reason="user", text=text))


def split_at(timeline: Timeline, seconds: float) -> Timeline:
    """Cut a piece in two at ``seconds`` of the source; nothing is removed."""
    frame = round(Fraction(seconds) * timeline.rate)
    return _with(timeline, _split(timeline.pieces, frame))


def strike_words(timeline: Timeline, first: int, last: int) -> Timeline:
    """Remove words ``first`` until ``last`` from picture and sound; the words beside them stay whole."""
    words = _check_words(timeline, first, last)
    cut = cut_words(words, first, last, "user")
    low = words[first - 1].end if first else 0.0
    high = words[last].start if last < len(words) else timeline.duration_frames / timeline.rate
    begin = math.ceil(Fraction(max(cut.start, low)).limit_denominator(1_000_000) * timeline.rate)
    end = math.floor(Fraction(min(cut.end, float(high))).limit_denominator(1_000_000) * timeline.rate)
    end = min(end, timeline.duration_frames)
    if end <= begin:
        raise InvalidInput("These words are too short to be cut out on their own.", "Strike the words beside them too.")
    return _with(timeline, _overlay(timeline.pieces, begin, end, kept=False, reason="user", text=cut.text))


def restore_words(timeline: Timeline, first: int, last: int) -> Timeline:
    """Bring words ``first`` until ``last`` back, whole."""
    words = _check_words(timeline, first, last)
    begin = math.floor(words[first].start * timeline.rate)
    end = math.ceil(max(word.end for word in words[first:last]) * timeline.rate)
    begin, end = max(0, begin), min(timeline.duration_frames, max(end, begin + 1))
    return _with(timeline, _overlay(timeline.pieces, begin, end, kept=True, reason="user", text=""))


def correct_words(timeline: Timeline, first: int, last: int, text: str) -> Timeline:
    """Write ``text`` for words ``first`` until ``last``: captions change, picture and sound do not.

    Several words share the old words' time by their length; empty text takes the words out of the captions.
    """
    old = _check_words(timeline, first, last)[first:last]
    parts = clean(text).split()
    start, end = old[0].start, max(word.end for word in old)
    if len(parts) == len(old):
        new = [
            word.model_copy(update={"word": part, "probability": 1.0}) for word, part in zip(old, parts, strict=True)
        ]
    else:
        total = sum(len(part) for part in parts)
        new, position = [], 0
        for part in parts:
            begin = start + (end - start) * position / total
            position += len(part)
            new.append(Word(word=part, start=begin, end=start + (end - start) * position / total))
    words = (*timeline.words[:first], *new, *timeline.words[last:])
    return timeline.model_copy(update={"words": words})


def with_corrections(timeline: Timeline, corrections: Iterable[tuple[int, str]]) -> Timeline:
    """Several corrected words at once, as (index before any correction, new text)."""
    for index, text in sorted(corrections, reverse=True):
        timeline = correct_words(timeline, index, index + 1, text)
    return timeline


def with_pieces(timeline: Timeline, rows: Iterable[tuple[int, int, bool, str, float]]) -> Timeline:
    """The whole list of pieces anew, as (start frame, end frame, kept, reason, speed) from an editor.

    Texts of pieces that did not move stay. Raises InvalidInput when the rows do not cover the source.
    """
    texts = {(piece.start_frame, piece.end_frame): piece.text for piece in timeline.pieces}
    try:
        pieces = [
            Piece.model_validate(
                {"start_frame": start, "end_frame": end, "kept": kept, "reason": reason, "speed": speed}
                | {"text": texts.get((start, end), "")}
            )
            for start, end, kept, reason, speed in rows
        ]
        return _with(timeline, pieces)
    except ValidationError as error:
        raise InvalidInput("The edit does not fit the recording any more.", "Reload the page and try again.") from error


def clip(timeline: Timeline, start: float, end: float) -> Timeline:
    """The same edit with everything outside ``start`` to ``end`` seconds of the source removed as "clip"."""
    first, last = _frames(timeline, start, end)
    pieces = list(timeline.pieces)
    if first > 0:
        pieces = _overlay(pieces, 0, first, kept=False, reason="clip", text="")
    if last < timeline.duration_frames:
        pieces = _overlay(pieces, last, timeline.duration_frames, kept=False, reason="clip", text="")
    return _with(timeline, pieces)


class TimeMap:
    """Seconds of the source ↔ seconds of the result, for one timeline; both flow evenly inside a stretch."""

    def __init__(self, timeline: Timeline) -> None:
        stretches, rate = timeline.stretches, timeline.rate
        self._starts = [float(stretch.start / rate) for stretch in stretches]
        self._ends = [float(stretch.end / rate) for stretch in stretches]
        self._outputs = [float(stretch.at / rate) for stretch in stretches]
        # Seconds of the result for each second of the source.
        self._pace = [stretch.frames / stretch.length for stretch in stretches]
        self.duration = float(timeline.kept_frames / rate)

    def to_output(self, seconds: float) -> float | None:
        """Where this moment of the source is in the result; None where it was removed."""
        index = bisect_right(self._starts, seconds) - 1
        if index < 0 or seconds >= self._ends[index]:
            return None
        return self._place(index, seconds)

    def to_source(self, seconds: float) -> float:
        """Which moment of the source is shown at ``seconds`` of the result (clamped to its length)."""
        if not self._outputs:
            return 0.0
        index = max(0, bisect_right(self._outputs, max(0.0, seconds) + 1e-9) - 1)
        offset = max(0.0, max(0.0, seconds) - self._outputs[index]) / self._pace[index]
        return min(self._starts[index] + offset, self._ends[index])

    def kept(self, start: float, end: float) -> float:
        """How many seconds of the result show what is between two moments of the source."""
        return max(0.0, self._before(end) - self._before(start))

    def _place(self, index: int, seconds: float) -> float:
        return self._outputs[index] + (seconds - self._starts[index]) * self._pace[index]

    def _before(self, seconds: float) -> float:
        index = bisect_right(self._starts, seconds) - 1
        return 0.0 if index < 0 else self._place(index, min(seconds, self._ends[index]))

    def span(self, start: float, end: float) -> tuple[float, float] | None:
        """The part of a stretch of the source that is in the result, in seconds of the result.

        None when less than half of it was kept. What lies over a cut keeps its larger part; what goes on in another
        speed without a cut stays whole.
        """
        runs: list[tuple[float, float, float]] = []  # seconds of the source, from and to in the result
        kept = 0.0
        index = max(0, bisect_right(self._starts, start) - 1)
        while index < len(self._starts) and self._starts[index] < end:
            low, high = max(start, self._starts[index]), min(end, self._ends[index])
            if high > low:
                kept += high - low
                first, last = self._place(index, low), self._place(index, high)
                if runs and self._ends[index - 1] == self._starts[index]:
                    runs[-1] = (runs[-1][0] + high - low, runs[-1][1], last)
                else:
                    runs.append((high - low, first, last))
            index += 1
        if not runs or kept < (end - start) / 2 - 1e-9:
            return None
        _, first, last = max(runs, key=lambda run: run[0])
        return first, last


def output_words(timeline: Timeline) -> tuple[Word, ...]:
    """The words that are heard in the result, in its own time."""
    times = TimeMap(timeline)
    result = []
    for word in timeline.words:
        span = times.span(word.start, max(word.end, word.start + 0.001))
        if span:
            result.append(word.model_copy(update={"start": span[0], "end": span[1]}))
    return tuple(result)


def transcript_text(timeline: Timeline) -> str:
    """All words of the result as one text."""
    return join(word.word for word in output_words(timeline))


def summary(timeline: Timeline) -> dict[str, Any]:
    """``{source_seconds, kept_seconds, removed_seconds, removed_by_reason: {reason: seconds}, speed_saved_seconds,
    cuts}``; ``kept_seconds`` is the result's length, ``speed_saved_seconds`` what higher speeds take from it (negative
    where it is slower)."""
    removed: dict[str, int] = {}
    for piece in timeline.pieces:
        if not piece.kept:
            removed[piece.reason] = removed.get(piece.reason, 0) + piece.end_frame - piece.start_frame
    return {
        "source_seconds": round(float(timeline.duration_frames / timeline.rate), 3),
        "kept_seconds": round(float(timeline.kept_frames / timeline.rate), 3),
        "removed_seconds": round(float(sum(removed.values()) / timeline.rate), 3),
        "removed_by_reason": {
            reason: round(float(frames / timeline.rate), 3) for reason, frames in sorted(removed.items())
        },
        "speed_saved_seconds": round(
            float((timeline.duration_frames - sum(removed.values()) - timeline.kept_frames) / timeline.rate), 3
        ),
        "cuts": sum(not piece.kept for piece in timeline.pieces),
    }


def piece_rows(timeline: Timeline) -> list[dict[str, Any]]:
    """The pieces as a job's result shows them: ``{start, end, kept, reason, text, speed}``, seconds of the source."""
    return [
        {
            "start": round(float(piece.start_frame / timeline.rate), 3),
            "end": round(float(piece.end_frame / timeline.rate), 3),
            "kept": piece.kept,
            "reason": piece.reason,
            "text": piece.text,
            "speed": piece.speed,
        }
        for piece in timeline.pieces
    ]


def _check_words(timeline: Timeline, first: int, last: int) -> tuple[Word, ...]:
    if not 0 <= first < last <= len(timeline.words):
        raise InvalidInput("These words are no longer part of the transcript.", "Reload the page to see it as it is.")
    return timeline.words


def _frames(timeline: Timeline, start: float, end: float) -> tuple[int, int]:
    first = max(0, round(Fraction(start) * timeline.rate))
    last = min(timeline.duration_frames, round(Fraction(end) * timeline.rate))
    if last <= first:
        raise InvalidInput("This range holds no picture.", "Choose an end later than the start, inside the recording.")
    return first, last


def _split(pieces: Sequence[Piece], frame: int) -> list[Piece]:
    result = []
    for piece in pieces:
        if piece.start_frame < frame < piece.end_frame:
            result.append(piece.model_copy(update={"end_frame": frame}))
            result.append(piece.model_copy(update={"start_frame": frame}))
        else:
            result.append(piece)
    return result


def _overlay(
    pieces: Sequence[Piece], first: int, last: int, *, kept: bool, reason: PieceReason, text: str
) -> list[Piece]:
    """``pieces`` with ``first``–``last`` decided anew; what is as wanted already keeps its own reason."""
    result: list[Piece] = []
    for piece in _split(_split(pieces, first), last):
        inside = piece.start_frame >= first and piece.end_frame <= last
        if not inside or (piece.kept == kept and reason != "clip"):
            result.append(piece)
            continue
        previous = result[-1] if result else None
        joins = previous and previous.start_frame >= first and previous.kept == kept and previous.reason == reason
        if previous and joins and previous.text == text and previous.speed == 1.0:
            result[-1] = previous.model_copy(update={"end_frame": piece.end_frame})
        else:
            result.append(piece.model_copy(update={"kept": kept, "reason": reason, "text": text, "speed": 1.0}))
    return result


def _with(timeline: Timeline, pieces: Sequence[Piece]) -> Timeline:
    if not any(piece.kept for piece in pieces):
        raise InvalidInput("Nothing of the recording would be left.", "Keep at least one piece.")
    return Timeline.model_validate({**timeline.model_dump(), "pieces": [piece.model_dump() for piece in pieces]})

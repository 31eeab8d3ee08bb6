"""Cuts that fall on the beats of a track (SPEC V2.7, V4.2). Times of beats are seconds, positions are frames.

What somebody says comes first: a joint moves only as far as its pieces can grow into silence that was removed, or give
silence away, without touching a word or the rest beside it. A joint that reaches no beat so stays, and says it.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby

from core.video.cuts import MIN_KEPT_SECONDS, MIN_REMOVED_SECONDS
from core.video.timeline import Piece, PieceReason, Timeline, Word, result_frames

REST_SECONDS = 0.12
_QUIET = ("silence", "beat", "off_beat")
_NAMED = ("speech", "source", "beat", "off_beat")


@dataclass(frozen=True)
class BeatGrid:
    """The beats of a track in seconds, and after how many seconds it begins again."""

    beats: tuple[float, ...]
    period: float

    def until(self, seconds: float) -> list[float]:
        """All beats of a result of this length; the track is played over and over."""
        inside = [beat for beat in self.beats if beat < self.period]
        if not inside or self.period <= 0:
            return []
        times = (number * self.period + beat for number in range(math.ceil(seconds / self.period)) for beat in inside)
        return [time for time in times if time <= seconds]


def moved_to_beats(timeline: Timeline, beats: Sequence[float], *, most_frames: int | None = None) -> Timeline:
    """Every joint of the result on the nearest beat it can reach, at most one frame off.

    The kept piece before a joint says how it went by its reason: "beat", or "off_beat" for one that stays. With
    ``most_frames`` the result does not become longer than that.
    """
    rate = timeline.rate
    marks = [Fraction(beat).limit_denominator(1_000_000) * rate for beat in beats]
    runs = _runs(timeline)
    room = None if most_frames is None else most_frames - timeline.kept_frames
    position = 0
    for index in range(len(runs) - 1):
        before = runs[index - 1].end if index else 0
        run, after = runs[index], runs[index + 1]
        ways = _freedom(timeline, run, before, after.start)
        found = _reach(run, ways, marks, position, room)
        runs[index] = run if found is None else found
        grown = runs[index].frames - run.frames
        room = None if room is None else room - grown
        runs[index] = runs[index].named("off_beat" if found is None else "beat")
        position += runs[index].frames
    moved = _covered(timeline, [piece for run in runs for piece in run.pieces])
    return moved.model_copy(update={"pieces": tuple(_given_to_silence(moved.pieces))})


def cut_on_beats(timeline: Timeline, beats: Sequence[float], beats_per_cut: int) -> Timeline:
    """Footage nobody speaks in: pieces change every ``beats_per_cut`` beats.

    Between two pieces one beat of the footage is left out, so that the change is seen; what is left at the end of a
    kept part goes too, except at the very end.
    """
    rate = timeline.rate
    marks = [round(Fraction(beat).limit_denominator(1_000_000) * rate) for beat in beats]
    cuts = marks[beats_per_cut::beats_per_cut]
    kept: list[Piece] = []
    position = 0
    for last, piece in _marked_last(timeline.kept):
        start = piece.start_frame
        while start < piece.end_frame:
            at = next((cut for cut in cuts if cut - position >= 1), None)
            length = None if at is None else round((at - position) * piece.speed)
            if length is None or start + length > piece.end_frame:
                if last or length is None:
                    kept.append(_piece(piece, start, piece.end_frame))
                break
            kept.append(_piece(piece, start, start + length))
            position += result_frames(length, piece.speed)
            start += length + _beat_frames(marks, position, piece.speed)
    return _covered(timeline, kept)


@dataclass(frozen=True)
class _Run:
    """Kept pieces without a cut between them."""

    pieces: tuple[Piece, ...]

    @property
    def start(self) -> int:
        return self.pieces[0].start_frame

    @property
    def end(self) -> int:
        return self.pieces[-1].end_frame

    @property
    def frames(self) -> int:
        """Their length in the result."""
        total = 0
        for speed, group in groupby(self.pieces, key=lambda piece: piece.speed):
            total += result_frames(sum(piece.end_frame - piece.start_frame for piece in group), speed)
        return total

    def moved(self, start: int, end: int) -> _Run | None:
        """The run with its first piece beginning and its last one ending elsewhere; None where nothing would remain."""
        pieces = list(self.pieces)
        if start >= pieces[0].end_frame or end <= pieces[-1].start_frame or start >= end:
            return None
        pieces[0] = pieces[0].model_copy(update={"start_frame": start})
        pieces[-1] = pieces[-1].model_copy(update={"end_frame": end})
        return replace(self, pieces=tuple(pieces))

    def named(self, reason: PieceReason) -> _Run:
        """The run whose last piece says why it ends where it does."""
        last = self.pieces[-1]
        if last.reason not in _NAMED:
            return self
        return replace(self, pieces=(*self.pieces[:-1], last.model_copy(update={"reason": reason})))


def _runs(timeline: Timeline) -> list[_Run]:
    runs: list[_Run] = []
    for piece in timeline.kept:
        if runs and runs[-1].end == piece.start_frame:
            runs[-1] = _Run((*runs[-1].pieces, piece))
        else:
            runs.append(_Run((piece,)))
    return runs


@dataclass(frozen=True)
class _Freedom:
    """Between which frames of the source a run may begin and end."""

    first_start: int
    last_start: int
    first_end: int
    last_end: int


def _freedom(timeline: Timeline, run: _Run, before: int, after: int) -> _Freedom:
    rate = timeline.rate
    apart = math.ceil(MIN_REMOVED_SECONDS * rate)
    spoken = [word for word in timeline.words if word.end > run.start / rate and word.start < run.end / rate]
    rest = Fraction(REST_SECONDS).limit_denominator(1000)
    least = math.ceil(MIN_KEPT_SECONDS * rate)
    last_start, first_end = run.end - least, run.start + least
    if spoken:
        last_start = math.floor((Fraction(spoken[0].start) - rest) * rate)
        first_end = math.ceil((Fraction(max(word.end for word in spoken)) + rest) * rate)
    low = _quiet_before(timeline, run.start, before + (apart if before else 0))
    high = _quiet_after(timeline, run.end, after - apart)
    return _Freedom(
        first_start=min(low, run.start),
        last_start=max(run.start, last_start),
        first_end=min(run.end, first_end),
        last_end=max(high, run.end),
    )


def _quiet_after(timeline: Timeline, frame: int, limit: int) -> int:
    """How far the silence removed after ``frame`` goes, less the rest before a word in it."""
    removed = next((piece for piece in timeline.pieces if piece.start_frame == frame and not piece.kept), None)
    if removed is None or removed.reason not in _QUIET:
        return frame
    start, end = frame / timeline.rate, removed.end_frame / timeline.rate
    words = [word for word in timeline.words if word.end > start and word.start < end]
    return min(limit, removed.end_frame, *(_before_word(word, timeline.rate) for word in words))


def _quiet_before(timeline: Timeline, frame: int, limit: int) -> int:
    removed = next((piece for piece in timeline.pieces if piece.end_frame == frame and not piece.kept), None)
    if removed is None or removed.reason not in _QUIET:
        return frame
    start, end = removed.start_frame / timeline.rate, frame / timeline.rate
    words = [word for word in timeline.words if word.end > start and word.start < end]
    return max(limit, removed.start_frame, *(_after_word(word, timeline.rate) for word in words))


def _before_word(word: Word, rate: Fraction) -> int:
    return math.floor((word.start - REST_SECONDS) * rate)


def _after_word(word: Word, rate: Fraction) -> int:
    return math.ceil((word.end + REST_SECONDS) * rate)


def _reach(run: _Run, ways: _Freedom, marks: Sequence[Fraction], position: int, room: int | None) -> _Run | None:
    """The run so long that the next one begins on a beat, the nearest that can be reached."""
    now = position + run.frames
    near = bisect_left(marks, now)
    for mark in sorted(marks[max(0, near - 8) : near + 8], key=lambda mark: abs(mark - now)):
        found = _of_length(run, ways, round(mark) - position)
        if found is None or abs(position + found.frames - mark) > 1:
            continue
        if room is None or found.frames - run.frames <= room:
            return found
    return None


def _of_length(run: _Run, ways: _Freedom, wanted: int) -> _Run | None:
    """The run as near to ``wanted`` frames of the result as it goes: first its end moves, then its beginning."""
    missing = wanted - run.frames
    end = run.end + round(missing * run.pieces[-1].speed)
    end = min(max(end, ways.first_end), ways.last_end)
    found = run.moved(run.start, end)
    if found is None:
        return None
    missing = wanted - found.frames
    start = run.start - round(missing * run.pieces[0].speed)
    return run.moved(min(max(start, ways.first_start), ways.last_start), end) if missing else found


def _marked_last(pieces: Sequence[Piece]) -> list[tuple[bool, Piece]]:
    return [(index + 1 == len(pieces), piece) for index, piece in enumerate(pieces)]


def _piece(piece: Piece, start: int, end: int) -> Piece:
    return piece.model_copy(update={"start_frame": start, "end_frame": end, "reason": "beat"})


def _beat_frames(marks: Sequence[int], position: int, speed: float) -> int:
    """Length of the beat at a position of the result, in frames of the source."""
    index = min(max(bisect_left(marks, position), 1), len(marks) - 1)
    return max(1, round((marks[index] - marks[index - 1]) * speed))


def _covered(timeline: Timeline, kept: Sequence[Piece]) -> Timeline:
    """The timeline with these kept pieces; what lies between them is removed as it was, else for the beat."""
    pieces: list[Piece] = []
    position = 0
    for piece in [*kept, None]:
        end = timeline.duration_frames if piece is None else piece.start_frame
        pieces += _removed(timeline, position, end)
        if piece is not None:
            pieces.append(piece)
            position = piece.end_frame
    return Timeline.model_validate({**timeline.model_dump(), "pieces": [piece.model_dump() for piece in pieces]})


def _given_to_silence(pieces: Sequence[Piece]) -> list[Piece]:
    """What a piece gave away beside a removed silence goes with it, or a list of cuts would show two."""
    result: list[Piece] = []
    for piece in pieces:
        before = result[-1] if result else None
        if before and {(before.kept, before.reason), (piece.kept, piece.reason)} == {
            (False, "silence"),
            (False, "beat"),
        }:
            result[-1] = before.model_copy(update={"end_frame": piece.end_frame, "reason": "silence"})
        else:
            result.append(piece)
    return result


def _removed(timeline: Timeline, start: int, end: int) -> list[Piece]:
    parts = []
    for piece in timeline.pieces:
        first, last = max(start, piece.start_frame), min(end, piece.end_frame)
        if first < last:
            why = {"kept": False, "speed": 1.0, "reason": "beat", "text": ""} if piece.kept else {}
            parts.append(piece.model_copy(update={"start_frame": first, "end_frame": last, **why}))
    return parts

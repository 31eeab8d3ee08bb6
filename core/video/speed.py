"""Which pieces of an edit are shown faster or slower (SPEC V2.6): pauses that stay and pass quickly, a pace for all."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from core.video.timeline import Piece

RAMP_STEPS = 4
_LEAST_STEP_FRAMES = 2


def sped_pauses(pieces: Sequence[Piece], rate: Fraction, factor: float, ramp_seconds: float = 0.0) -> tuple[Piece, ...]:
    """The pauses (removed as "silence") kept again and shown ``factor`` times as fast, the rest as it is.

    With ``ramp_seconds`` the speed rises over that time of the source at the beginning of each pause and falls at its
    end, at most a third of the pause each, in steps of equal ratio.
    """
    result: list[Piece] = []
    for piece in pieces:
        if piece.kept or piece.reason != "silence":
            result.append(piece)
            continue
        for start, end, speed in _ramped(piece.start_frame, piece.end_frame, factor, ramp_seconds * rate):
            changed = {"start_frame": start, "end_frame": end, "kept": True, "speed": speed}
            result.append(piece.model_copy(update=changed))
    return tuple(result)


def _ramped(start: int, end: int, factor: float, ramp_frames: Fraction | float) -> list[tuple[int, int, float]]:
    ramp = min(int(ramp_frames), (end - start) // 3)
    steps = min(RAMP_STEPS, ramp // _LEAST_STEP_FRAMES)
    if not steps:
        return [(start, end, factor)]
    edges = [ramp * step // steps for step in range(steps + 1)]
    speeds = [round(factor ** (step / (steps + 1)), 4) for step in range(1, steps + 1)]
    rise = [(start + edges[step], start + edges[step + 1], speeds[step]) for step in range(steps)]
    fall = [(end - edges[step + 1], end - edges[step], speeds[step]) for step in reversed(range(steps))]
    return [*rise, (start + ramp, end - ramp, factor), *fall]


def at_pace(pieces: Sequence[Piece], factor: float) -> tuple[Piece, ...]:
    """Every kept piece at ``factor``, except the pauses of :func:`sped_pauses`."""
    return tuple(
        piece.model_copy(update={"speed": factor}) if piece.kept and piece.reason != "silence" else piece
        for piece in pieces
    )

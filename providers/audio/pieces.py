"""A long sound worked on piece by piece, neighbours joined by a linear cross-fade: memory does not grow with it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import numpy as np

from core.progress import Progress

Block = np.ndarray[Any, np.dtype[np.float32]]
_TICK_SECONDS = 0.25


def in_pieces(
    read: Callable[[int, int], Block],
    frames: int,
    work: Callable[[Block], Block],
    *,
    length: int,
    fade: int,
    progress: Progress,
    at_once: int = 1,
) -> Iterator[tuple[int, Block]]:
    """Results of ``work`` for all ``frames``, as (first frame, block) in order and without gaps.

    ``read(start, stop)`` gives frames of the source, (stop − start, channels); ``work`` gets pieces of at most
    ``length`` frames that overlap by ``fade`` and answers with the same number of frames on its next to last axis.
    Pieces are worked on in ``at_once`` threads while ``progress`` is called several times a second.
    """
    starts = list(range(0, max(frames - fade, 1), length - fade))
    pool = ThreadPoolExecutor(at_once)
    waiting: deque[tuple[int, Future[Block]]] = deque()
    rising = np.linspace(0, 1, fade, endpoint=False, dtype=np.float32)[:, None]
    tail: Block | None = None
    done = 0
    try:
        for index, start in enumerate(starts):
            while len(waiting) < at_once and index + len(waiting) < len(starts):
                at = starts[index + len(waiting)]
                waiting.append((at, pool.submit(work, read(at, min(at + length, frames)))))
            _, result = waiting.popleft()
            piece = _await(result, progress, done / len(starts))
            done += 1
            if tail is not None:
                piece[..., :fade, :] = tail * (1 - rising) + piece[..., :fade, :] * rising
            if index + 1 < len(starts):
                tail = piece[..., length - fade :, :].copy()
                piece = piece[..., : length - fade, :]
            yield start, piece
            progress(done / len(starts))
    finally:
        # Who cancels does not wait for the piece under way; it holds nothing but memory.
        pool.shutdown(wait=False, cancel_futures=True)


def _await(result: Future[Block], progress: Progress, fraction: float) -> Block:
    while not wait([result], timeout=_TICK_SECONDS).done:
        progress(fraction)
    return result.result()

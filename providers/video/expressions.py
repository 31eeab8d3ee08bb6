"""FFmpeg expressions of a frame's number: which frames are chosen, where they go.

A choice is a balanced tree of comparisons (FFmpeg's ``if`` evaluates only the taken branch), so that a thousand pieces
cost ten comparisons a frame. Which frames a faster or slower piece shows is said by
:class:`core.video.timeline.Stretch`; its arithmetic is repeated here in whole numbers, so that both always agree.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.video.timeline import Stretch


def choice_expression(stretches: Sequence[Stretch], origin: int = 0) -> str:
    """1 where the source's frame ``n`` (counted from ``origin``) is shown by one of the ascending stretches, else 0."""
    bounds = [bound - origin for item in stretches for bound in (item.start, item.end)]
    leaves = ["0"]
    for item in stretches:
        leaves += ["1" if item.frames >= item.length else _every(item, item.start - origin), "0"]
    return tree(bounds, leaves)


def _every(item: Stretch, start: int) -> str:
    """Bresenham's choice of ``item.frames`` out of its frames, of which the first has the number ``start``."""
    step = 2 * item.frames
    return f"lt(mod({item.length + step * start}-{step}*n,{2 * item.length}),{step})"


def place_expression(stretches: Sequence[Stretch]) -> str:
    """Which frame of the result the chosen frame ``N`` is the first to be shown in."""
    firsts, leaves = [], []
    chosen = shown = 0
    for item in stretches:
        firsts.append(chosen)
        if item.frames <= item.length:
            leaves.append(f"N{shown - chosen:+d}")
        else:
            step = 2 * item.frames
            count = f"ceil(({step}*N-{step * chosen + item.length})/{2 * item.length})"
            leaves.append(f"{shown}+{count}")
        chosen += min(item.frames, item.length)
        shown += item.frames
    return tree(firsts[1:], leaves, "N")


def tree(bounds: Sequence[int | str], leaves: Sequence[str], number: str = "n") -> str:
    """Leaf ``i`` where ``bounds[i-1] <= number < bounds[i]``."""
    if not bounds:
        return leaves[0]
    middle = len(bounds) // 2
    left = tree(bounds[:middle], leaves[: middle + 1], number)
    right = tree(bounds[middle + 1 :], leaves[middle + 1 :], number)
    return f"if(lt({number},{bounds[middle]}),{left},{right})"
